"""What an IMAP server says in parentheses -> values; a BODYSTRUCTURE -> the leaves of a mail (RFC 3501, 7.4.2)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import TypeAlias, cast

from rapport.networks.mail.letter import MOST_DEPTH, MOST_LEAVES, Leaf, file_name, read_params

Value: TypeAlias = "bytes | list[Value] | None"
Item: TypeAlias = "bytes | tuple[bytes, bytes] | None"

_TOKEN = re.compile(
    rb"""\s*(?:(?P<open>\()|(?P<close>\))|"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<atom>[^\s()"\[]+(?:\[[^\]]*\](?:<\d+>)?)?|\[[^\]]*\]))""",
    re.DOTALL,
)
_LITERAL = re.compile(rb"\{\d+\}\s*$")
_DEEPEST = 4 * MOST_DEPTH


def read_fetch(items: Sequence[Item]) -> list[dict[str, Value]]:
    """The untagged FETCH responses of imaplib -> one dict a message, its keys in upper case.

    Never raises: what is nested beyond reading becomes an empty list, what lies between mails is left out.
    """
    return [_pairs(values) for values in _groups(items)]


def _pairs(values: list[Value]) -> dict[str, Value]:
    names = [name.decode("ascii", "replace").upper() if isinstance(name, bytes) else "" for name in values[::2]]
    return dict(zip(names, values[1::2], strict=False))


def _groups(items: Sequence[Item]) -> Iterator[list[Value]]:
    """Each outermost list; what stands between them (sequence numbers) is left out."""
    stack: list[list[Value]] = []
    for kind, value in _tokens(items):
        if kind == "open":
            stack.append([])
        elif kind == "close" and stack:
            closed = stack.pop()
            if not stack:
                yield closed
            elif len(stack) < _DEEPEST:
                stack[-1].append(closed)
            else:
                stack[-1] = []
        elif stack:
            stack[-1].append(value)


def _tokens(items: Sequence[Item]) -> Iterator[tuple[str, bytes | None]]:
    for item in items:
        if item is None:
            continue
        line = _LITERAL.sub(b"", item[0]) if isinstance(item, tuple) else item
        place = 0
        while token := _TOKEN.match(line, place):
            place = token.end()
            kind = token.lastgroup or ""
            text = token[kind]
            if kind == "quoted":
                text = re.sub(rb"\\(.)", rb"\1", text)
            yield kind, None if kind == "atom" and text.upper() == b"NIL" else text
        if isinstance(item, tuple):
            yield "literal", item[1]


def leaves_of(structure: Value) -> tuple[str, tuple[Leaf, ...]]:
    """A BODYSTRUCTURE -> the type of the whole and its leaves, without their bodies. Raises `ValueError`."""
    if not isinstance(structure, list):
        raise ValueError("no structure")
    found = []
    for leaf, _ in zip(_walk(structure, "", "", 0), range(MOST_LEAVES), strict=False):
        found.append(leaf)
    return _type_of(structure), tuple(found)


def _is_multipart(part: list[Value]) -> bool:
    return bool(part) and isinstance(part[0], list)


def _type_of(part: list[Value]) -> str:
    if _is_multipart(part):
        after = next((value for value in part if not isinstance(value, list)), None)
        return f"multipart/{_word(after).lower() or 'mixed'}"
    main, sub = _word(_at(part, 0)), _word(_at(part, 1))
    return f"{main}/{sub}".lower() if main and sub else "text/plain"  # as RFC 2045, 5.2, says of a broken type


def _walk(part: list[Value], path: str, alternative: str, depth: int) -> Iterator[Leaf]:
    if depth > MOST_DEPTH:
        raise ValueError(f"nested more than {MOST_DEPTH} deep")
    kind = _type_of(part)
    if not _is_multipart(part):
        yield _leaf(part, kind, path or "1", alternative)
        return
    around = (path or "0") if kind == "multipart/alternative" else alternative
    children = takewhile(lambda child: isinstance(child, list), part)
    for number, child in enumerate(cast("Iterator[list[Value]]", children), 1):
        yield from _walk(child, f"{path}.{number}" if path else str(number), around, depth + 1)


def _leaf(part: list[Value], kind: str, path: str, alternative: str) -> Leaf:
    params = read_params(_param_pairs(_at(part, 2)))
    # the fields after the size differ by type: lines, or envelope, body and lines (RFC 3501, "body-type-1part")
    tail = 10 if kind == "message/rfc822" else 8 if kind.startswith("text/") else 7
    disposition = _at(part, tail + 1)
    placed, names = "", {}
    if isinstance(disposition, list) and disposition:
        placed, names = _word(disposition[0]).lower(), read_params(_param_pairs(_at(disposition, 1)))
    size = _word(_at(part, 6))
    return Leaf(
        path=path,
        type=kind,
        params=params,
        encoding=_word(_at(part, 5)).lower(),
        disposition=placed,
        filename=file_name(names.get("filename") or params.get("name") or ""),
        size=int(size) if size.isdigit() and len(size) < 16 else 0,
        alternative=alternative,
    )


def _param_pairs(value: Value) -> list[tuple[str, str]]:
    words = [_word(word) for word in value] if isinstance(value, list) else []
    return list(zip(words[::2], words[1::2], strict=False))


def _at(part: list[Value], place: int) -> Value:
    return part[place] if place < len(part) else None


def _word(value: Value) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else ""
