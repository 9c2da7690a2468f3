"""Our own pages of Markdown as HTML: headings, paragraphs, lists, tables, code, links, emphasis.

Everything is escaped first, so that no page can bring a tag of its own. Images are left out: what a page shows at the
desk is what it says.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

#: where a link leads -> the address in the desk; "" = it leads to no page of the help, so its words stand alone
Leads = Callable[[str], str]

_FENCE = re.compile(r"^( *)```\w*\n(.*?)^\1```[^\S\n]*$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"(#{1,4}) +(.+)")
_ITEM = re.compile(r"( *)(?:[-*]|(\d+)\.) +(.*)")
_CODE = re.compile(r"`([^`]+)`")
_IMAGE = re.compile(r"!\[[^\]]*\]\([^)\s]+\)")
_LINK = re.compile(r"\[([^\]]*)\]\(([^)\s]+)\)")
_STRONG = re.compile(r"\*\*(.+?)\*\*")
_EMPHASIS = re.compile(r"(?<![\w*])\*([^*\s](?:[^*]*[^*\s])?)\*(?![\w*])")
_SPLIT = re.compile(r"(?<!\\)\|")
_RULE = re.compile(r"\|[-: |]+\|?")


def title_of(text: str) -> str:
    """The words of the first heading."""
    first = _HEADING.match(text.lstrip())
    return first[2].strip() if first else ""


def anchor_of(heading: str) -> str:
    """The anchor that GitHub makes of a heading, which links of our pages name."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def render(text: str, leads: Leads) -> SafeString:
    """The page as HTML."""
    kept: list[str] = []

    def keep(fence: re.Match[str]) -> str:
        body = re.sub(rf"(?m)^{fence[1]}", "", fence[2])
        kept.append(f'<pre tabindex="0"><code>{escape(body)}</code></pre>')
        return f"{fence[1]}\x00{len(kept) - 1}\x00"

    html = "\n".join(_blocks(_FENCE.sub(keep, text).split("\n"), leads))
    return mark_safe(re.sub(r"\x00(\d+)\x00", lambda hit: kept[int(hit[1])], html))  # noqa: S308  # escaped above


def _blocks(lines: list[str], leads: Leads) -> Iterator[str]:
    at = 0
    while at < len(lines):
        line = lines[at]
        heading = _HEADING.fullmatch(line)
        if not line.strip():
            at += 1
        elif heading is not None:
            level = len(heading[1])
            yield f'<h{level} id="{escape(anchor_of(heading[2]))}">{_inline(heading[2], leads)}</h{level}>'
            at += 1
        elif _ITEM.fullmatch(line):
            at, html = _list(lines, at, leads)
            yield html
        else:
            end = at
            while end < len(lines) and lines[end].strip() and (end == at or not _begins(lines[end])):
                end += 1
            yield _table(lines[at:end], leads) if line.startswith("|") else _paragraph(lines[at:end], leads)
            at = end


def _begins(line: str) -> bool:
    return bool(_HEADING.fullmatch(line) or _ITEM.fullmatch(line))


def _paragraph(lines: list[str], leads: Leads) -> str:
    said = " ".join(line.strip() for line in lines)
    if re.fullmatch(r"\x00\d+\x00", said):
        return said
    html = _inline(said, leads)
    return f"<p>{html}</p>" if html.strip() else ""


def _list(lines: list[str], at: int, leads: Leads) -> tuple[int, str]:
    """A list from line `at` on -> the line after it, and its HTML. What is indented below an item belongs to it."""
    first = _ITEM.fullmatch(lines[at])
    assert first is not None
    depth, ordered, items = len(first[1]), first[2] is not None, list[list[str]]()
    while at < len(lines):
        line, item = lines[at], _ITEM.fullmatch(lines[at])
        if item is not None and len(item[1]) == depth:
            items.append([item[3]])
        elif not line.strip():
            after = next((each for each in lines[at:] if each.strip()), "")
            if len(after) - len(after.lstrip()) <= depth and not (
                (more := _ITEM.fullmatch(after)) and len(more[1]) == depth and (more[2] is not None) == ordered
            ):
                break
            items[-1].append("")
        elif len(line) - len(line.lstrip()) > depth:
            items[-1].append(line)
        else:
            break
        at += 1
    tag = "ol" if ordered else "ul"
    return at, f"<{tag}>{''.join(f'<li>{_item(item, leads)}</li>' for item in items)}</{tag}>"


def _item(lines: list[str], leads: Leads) -> str:
    rest = lines[1:]
    inner = min((len(line) - len(line.lstrip()) for line in rest if line.strip()), default=0)
    html = "".join(_blocks([lines[0], *(line[inner:] for line in rest)], leads))
    # an item of one paragraph stands without it
    alone = re.fullmatch(r"<p>((?:(?!<p>).)*)</p>((?:<[uo]l>.*)?)", html, re.DOTALL)
    return alone[1] + alone[2] if alone else html


def _table(lines: list[str], leads: Leads) -> str:
    rows = [[cell.strip().replace("\\|", "|") for cell in _SPLIT.split(line.strip().strip("|"))] for line in lines]
    headed = len(lines) > 1 and _RULE.fullmatch(lines[1].strip())
    head = "".join(f'<th scope="col">{_inline(cell, leads)}</th>' for cell in rows[0]) if headed else ""
    body = "".join(
        f"<tr>{''.join(f'<td>{_inline(cell, leads)}</td>' for cell in row)}</tr>" for row in rows[2 if headed else 0 :]
    )
    top = f"<thead><tr>{head}</tr></thead>" if head else ""
    box = f'<div class="scroll" tabindex="0" role="region" aria-label="{_plain(rows[0])}">'
    return f"{box}<table>{top}<tbody>{body}</tbody></table></div>"


def _plain(cells: list[str]) -> str:
    return escape(", ".join(filter(None, (re.sub(r"[`*\[\]]", "", cell) for cell in cells))))


def _inline(text: str, leads: Leads) -> str:
    codes: list[str] = []

    def keep(code: re.Match[str]) -> str:
        codes.append(f"<code>{code[1]}</code>")
        return f"\x01{len(codes) - 1}\x01"

    def link(found: re.Match[str]) -> str:
        address = leads(found[2].replace("&amp;", "&"))
        if not address:
            return found[1]
        away = ' target="_blank" rel="noopener"' if address.startswith("http") else ""
        return f'<a href="{escape(address)}"{away}>{found[1]}</a>'

    html = _CODE.sub(keep, escape(text))
    html = _LINK.sub(link, _IMAGE.sub("", html))
    html = _EMPHASIS.sub(r"<em>\1</em>", _STRONG.sub(r"<strong>\1</strong>", html))
    return re.sub(r"\x01(\d+)\x01", lambda hit: codes[int(hit[1])], html)
