"""The HTML of mails -> plain text, with what was quoted marked by "> " as in plain mails.

nh3 (html5ever) parses it first, as a browser would, and leaves the few tags that shape text; the rest of the work is
on its well-formed output. What is nested so deeply that this would take long is read tag by tag instead.
"""

from __future__ import annotations

import re
from html import unescape

import nh3

from rapport.networks.html import plain_text

MOST_INPUT = 300_000  # characters; what comes after is not read
_DEEPEST = 12  # levels of quotes that are shown

_TAGS = {"a", "p", "div", "br", "hr", "li", "ul", "ol", "tr", "td", "th", "table", "pre", "blockquote"} | {
    f"h{level}" for level in range(1, 7)
}
_ATTRIBUTES = {"a": {"href"}, "div": {"class", "id"}, "blockquote": {"class", "type", "cite"}, "table": {"class"}}
_DROPPED = {"script", "style", "title", "head", "noscript", "template", "svg", "math", "select", "textarea", "iframe"}
_TAG = re.compile(r"<(/?)([a-z][a-z0-9]*)((?:[^<>\"']|\"[^\"]*\"|'[^']*')*)>")
_ATTRIBUTE = re.compile(r"""(class|id|href|type)="([^"]*)\"""")
#: classes and ids by which mail programs name the history below an answer
_QUOTES = re.compile(
    r"gmail_quote(?!_container)|gmail_extra|yahoo_quoted|protonmail_quote|zmail_extra|moz-cite-prefix|divRplyFwdMsg|"
    r"appendonsend|mail-editor-reference-message-container|OutlookMessageHeader|tutanota_quote|reply-quote|"
    r"ms-outlook-mobile-reference-message|isForwardContent"
)
_BLOCKS = {"p": 2, "pre": 2, "ul": 2, "ol": 2, "table": 1, "div": 1, "tr": 1, "blockquote": 1, "hr": 1} | {
    f"h{level}": 2 for level in range(1, 7)
}
_MOST_OPEN = 1_500  # elements inside one another; html5ever takes time in proportion to its square
_NAMES = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
#: these end by themselves, hold nothing, or cost html5ever nothing
_LIGHT = re.compile(
    r"p|li|t[dhr]|tbody|thead|tfoot|d[td]|option|[bh]r|img|meta|link|input|col|wbr|area|base|source|"
    r"[abius]|em|strong|font|span|small|big|su[bp]|code|tt|html|head|body"
)
_BLANKS = re.compile(r"[ \t\n\r\f\xa0]+")
_NEWLINES = re.compile(r"\n{3,}")


class _Page:
    """The text so far, line by line; `quote` counts the quotes around what comes next."""

    def __init__(self) -> None:
        self.lines: list[str] = [""]
        self.links: list[str] = []
        self.quote = 0

    def write(self, text: str) -> None:
        line = self.lines[-1]
        self.lines[-1] = line + (text.lstrip(" ") if not line or line.endswith(" ") else text)

    def rest(self, empty: int) -> None:
        """End the line and leave `empty - 1` lines free, unless there are some already."""
        if self.lines[-1].strip():
            self.lines += [""] * empty
        elif empty > 1 and len(self.lines) > 1 and self.lines[-2].strip():
            self.lines.append("")

    def turn(self) -> None:
        self.lines.append("")

    def text(self) -> str:
        return _NEWLINES.sub("\n\n", "\n".join(line.rstrip() for line in self.lines)).strip()


def read_markup(html: str) -> tuple[str, tuple[str, ...]]:
    """HTML -> its text and the addresses of its links, in order. Never raises.

    A link whose words say something else than its address shows both. Quoted parts begin each line with "> ".
    """
    html = html[:MOST_INPUT]
    if _most_open(html) > _MOST_OPEN:
        return plain_text(html)
    clean = nh3.clean(
        html.replace("\x00", ""),
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        clean_content_tags=_DROPPED,
        url_schemes={"http", "https", "mailto"},
        link_rel=None,
        strip_comments=True,
    )
    pages = [_Page()]
    stack: list[tuple[str, str, int]] = []  # (tag, href, number of lines where its quote began or -1)
    place, verbatim = 0, 0
    for tag in _TAG.finditer(clean):
        _write(pages[-1], clean[place : tag.start()], verbatim > 0)
        place = tag.end()
        name, closes = tag[2], bool(tag[1])
        verbatim += 0 if name != "pre" else -1 if closes else 1
        if closes:
            _close(pages, stack, name)
        else:
            _open(pages, stack, name, tag[3])
    _write(pages[-1], clean[place:], False)
    while stack:
        _close(pages, stack, stack[-1][0])
    return pages[0].text(), tuple(pages[0].links)


def _most_open(html: str) -> int:
    """About how many elements stand inside one another."""
    most = depth = 0
    for tag in _NAMES.finditer(html):
        if not _LIGHT.fullmatch(tag[2].lower()):
            depth = max(depth + (-1 if tag[1] else 1), 0)
            most = max(most, depth)
    return most


def _write(page: _Page, source: str, verbatim: bool) -> None:
    text = unescape(source)
    if not verbatim:
        page.write(_BLANKS.sub(" ", text))
        return
    first, *others = text.replace("\xa0", " ").split("\n")
    page.write(first)
    page.lines += others


def _open(pages: list[_Page], stack: list[tuple[str, str, int]], name: str, attributes: str) -> None:
    page = pages[-1]
    told = dict(_ATTRIBUTE.findall(attributes))
    if name == "br":
        page.turn()
        return
    page.rest(_BLOCKS.get(name, 0))
    if name == "hr":
        return
    if name == "li":
        page.rest(1)
        page.write("- ")
    elif name in {"td", "th"} and page.lines[-1]:
        page.write(" ")
    named = f"{told.get('class', '')} {told.get('id', '')}"
    quotes = name == "blockquote" or bool(_QUOTES.search(named))
    if quotes and len(pages) <= _DEEPEST:
        pages.append(_Page())
    else:
        quotes = False
    stack.append((name, unescape(told.get("href", "")), len(pages[-1].lines[-1]) if not quotes else -1))


def _close(pages: list[_Page], stack: list[tuple[str, str, int]], name: str) -> None:
    if not stack or stack[-1][0] != name:
        return  # nh3 closes in order; anything else was no tag
    _, href, start = stack.pop()
    if start < 0:
        quoted = pages.pop()
        page = pages[-1]
        page.rest(1)
        text = quoted.text()
        page.lines[-1:] = [*(f"> {line}".rstrip() for line in text.split("\n") if text), ""]
        page.links += quoted.links
        return
    page = pages[-1]
    if name == "a" and href.lower().startswith(("http://", "https://")):
        page.links.append(href)
        _show_address(page, href, start)
    page.rest(_BLOCKS.get(name, 0))


def _show_address(page: _Page, href: str, start: int) -> None:
    """Behind the words of a link its address, unless they are the same."""
    said = page.lines[-1][start:].strip()
    if not said:
        return  # a picture or nothing: an address that nobody was shown
    if _bare(said) != _bare(href):
        page.write(f" ({href})")


def _bare(address: str) -> str:
    return address.rstrip("/").removeprefix("https://").removeprefix("http://").removeprefix("www.").lower()
