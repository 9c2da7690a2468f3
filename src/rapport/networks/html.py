"""The markup of networks -> the plain text that people wrote."""

from __future__ import annotations

import re
from html import unescape

_TAG = re.compile(r"<[a-zA-Z/!?][^<>]*>")  # linear: a tag holds no other "<"
_NAME = re.compile(r"</?([a-z0-9]+)")
_HREF = re.compile(r"""\shref\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))""", re.IGNORECASE)
_BREAKS = {"p": "\n\n", "blockquote": "\n\n", "pre": "\n\n", "ul": "\n\n", "ol": "\n\n", "div": "\n", "li": "\n- "}
_NEWLINES = re.compile(r"\n{3,}")


def plain_text(html: str) -> tuple[str, tuple[str, ...]]:
    """Markup -> its text and the addresses of its links, in order, without those of mentions and hashtags.

    Paragraphs stay apart by an empty line, line breaks stay. A link reads as its whole address; where its words
    say something else than its address, both are shown, so that no link can hide where it leads. Never raises, and
    takes time in proportion to the length. The result is text, not markup: it must be escaped like any other text.
    """
    parts: list[str] = []
    links: list[str] = []
    start, anchor = 0, None
    for tag in _TAG.finditer(html):
        parts.append(unescape(html[start : tag.start()]))
        start = tag.end()
        named = _NAME.match(tag[0].lower())
        name = named[1] if named else ""
        opens = not tag[0].startswith("</")
        if name == "br":
            parts.append("\n")
        elif name in _BREAKS:
            parts.append(_BREAKS[name] if opens or name != "li" else "")
        elif name == "a":
            if anchor is not None:
                _close_anchor(parts, links, *anchor)
            anchor = (len(parts), tag[0]) if opens else None
    parts.append(unescape(html[start:]))
    if anchor is not None:
        _close_anchor(parts, links, *anchor)
    text = "".join(parts).replace("\r\n", "\n").replace("\xa0", " ")
    return _NEWLINES.sub("\n\n", "\n".join(line.rstrip() for line in text.split("\n"))).strip(), tuple(links)


def _close_anchor(parts: list[str], links: list[str], first: int, tag: str) -> None:
    """Replace the pieces since `first` by what the link should read as."""
    shown = "".join(parts[first:])
    href = _HREF.search(tag)
    address = unescape(next((group for group in href.groups() if group), "")) if href else ""
    if not address.lower().startswith(("http://", "https://")) or _is_mention(shown.strip(), tag):
        return
    links.append(address)
    said = shown.strip().rstrip("/")
    same = said == "" or address.rstrip("/").removeprefix("https://").removeprefix("http://").removeprefix("www.") == (
        said.removeprefix("https://").removeprefix("http://").removeprefix("www.")
    )
    parts[first:] = [address if same else f"{shown} ({address})"]


def _is_mention(shown: str, tag: str) -> bool:
    """A mention or a hashtag: its words say all, its address is only the profile or the tag on that server."""
    words = shown.split()
    return len(words) == 1 and words[0][0] in "@#" and ("mention" in tag or "hashtag" in tag)
