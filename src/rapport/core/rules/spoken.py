"""A document that ships, in the language of whoever gets it: its names, notes, comments, tags and what tasks say.

Conditions, slugs and places stay as they are. The core knows no catalog: whoever calls gives the function that
translates; tests/messages.py gives one that writes the words down.
"""

from __future__ import annotations

import re
import textwrap
import tomllib
from collections.abc import Callable, Iterator

import msgspec

from rapport.core.rules.pack import Pack, PackBasket, PackReply

#: what a person reads -> the same in another language
Say = Callable[[str], str]
WIDTH = 118  # of a comment
_NAMED = re.compile(r'(name|note|group|about|purpose|text) = (".*")')
_TAG = re.compile(r'"tag:([^":]+)"')
_TASK = re.compile(r'"(task:[^":]+:)([^"]+)"')
_RULER = re.compile(r"# (-{20,}) (.+)")
_COMMENT = re.compile(r"# ?(.*)")


def spoken(document: str, say: Say) -> str:
    """The document with every word for people said by `say`; it compiles to the same conditions and actions."""
    return "\n".join(_lines(document.split("\n"), say))


def spoken_pack(pack: Pack, say: Say) -> Pack:
    """A pack with every word for people said by `say`."""
    return msgspec.structs.replace(
        pack,
        name=say(pack.name),
        about=say(pack.about),
        baskets=tuple(
            PackBasket(slug=each.slug, name=say(each.name), tone=each.tone, purpose=say(each.purpose))
            for each in pack.baskets
        ),
        replies=tuple(
            PackReply(slug=each.slug, name=say(each.name), text=say_whole(each.text, say)) for each in pack.replies
        ),
        rules=tuple(tomllib.loads(spoken(pack.text, say))["rule"]),
        text=spoken(pack.text, say),
    )


def say_whole(text: str, say: Say) -> str:
    """A text whose blank at the end stays: what is written behind it goes on from there."""
    bare = text.rstrip(" ")
    return say(bare) + text[len(bare) :]


def _lines(lines: list[str], say: Say) -> Iterator[str]:
    comment: list[str] = []
    for line in [*lines, None]:
        ruler = None if line is None else _RULER.fullmatch(line)
        remark = None if line is None or ruler is not None else _COMMENT.fullmatch(line)
        if remark is not None:
            comment.append(remark[1])
            continue
        if comment:
            yield from _remark(comment, say)
            comment = []
        if line is not None:
            yield f"# {ruler[1]} {say(ruler[2])}" if ruler is not None else _line(line, say)


def _remark(lines: list[str], say: Say) -> list[str]:
    """Lines of a comment, without their marks -> the same said anew; as they were where nothing is said differently."""
    text = " ".join(lines)
    said = say(text)
    if said == text:
        return [f"# {line}".rstrip() for line in lines]
    return textwrap.wrap(said, WIDTH, initial_indent="# ", subsequent_indent="# ")


def _line(line: str, say: Say) -> str:
    named = _NAMED.fullmatch(line)
    if named is not None:
        return f"{named[1]} = {_basic(say_whole(tomllib.loads(f'it = {named[2]}')['it'], say))}"
    if line.startswith("then = "):
        line = _TAG.sub(lambda found: f'"tag:{say(found[1])}"', line)
        return _TASK.sub(lambda found: f'"{found[1]}{say(found[2])}"', line)
    return line


def _basic(text: str) -> str:
    """As a TOML string in double quotes."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
