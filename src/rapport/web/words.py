"""Running text by strangers as safe HTML: links that say where they lead, words that carried a reading marked."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

from rapport.web.display import readable_text, spelled_host, true_host

# ends before white space, brackets, quotes and anything that hides or reorders
_LINK = re.compile(
    r"\bhttps?://[^\s<>\"'`\u0000-\u001f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]{2,2000}", re.IGNORECASE
)
_TRAILING = ".,;:!?)]}»”’…*_"
_BAD = frozenset({"complaint", "negative", "anger", "sadness", "urgency", "offensive", "hate", "report"})
_GOOD = frozenset({"praise", "positive", "joy", "optimism", "purchase"})
_SHOWN = 48  # characters of a link's path that are shown

Span = tuple[int, int, str]


def words_as_html(text: str, marks: Sequence[Span] = (), say: Callable[[str], str] = str) -> SafeString:
    """`text` escaped, its http(s) links made into links, `marks` (start, end, why) made into <mark>.

    Every mark names all that it was made for in `data-why`; its title says so to people, by `say`. Marks only ever
    begin and end where words do, so that letters that join stay joined and no script changes its direction.

    A link shows the host that it leads to (user parts dropped, look-alike letters in punycode) and opens elsewhere
    without telling where from. Nothing in `text` can become markup.
    """
    pieces: list[str] = []
    place = 0
    for match in _LINK.finditer(text):
        url = _trimmed(match.group())
        if not true_host(url):
            continue
        start, end = match.start(), match.start() + len(url)
        pieces += [_marked(text, place, start, marks, say), _link(url)]
        place = end
    pieces.append(_marked(text, place, len(text), marks, say))
    return mark_safe("".join(pieces))  # noqa: S308  (every piece was escaped)


def _trimmed(url: str) -> str:
    while url and url[-1] in _TRAILING:
        if url[-1] == ")" and url.count("(") >= url.count(")"):
            break
        url = url[:-1]
    return url


def _link(url: str) -> str:
    host = true_host(url)
    rest = re.sub(r"^https?://[^/?#]*", "", url, flags=re.IGNORECASE)
    shown = readable_text(rest if len(rest) <= _SHOWN else rest[: _SHOWN - 1] + "…")
    return format_html(
        '<a class="out" href="{}" rel="nofollow noopener noreferrer" target="_blank" dir="ltr"><b>{}</b>{}</a>',
        url, host, "" if shown == "/" else shown,
    )  # fmt: skip


def _marked(text: str, start: int, end: int, marks: Iterable[Span], say: Callable[[str], str]) -> str:
    pieces: list[str] = []
    place = start
    for begins, ends, names in cut(marks):
        first, last = max(begins, place), min(ends, end)
        if first >= last:
            continue
        pieces += [escape(readable_text(text[place:first]))]
        pieces += [_mark(names, ", ".join(map(say, names)), readable_text(text[first:last]))]
        place = last
    pieces.append(escape(readable_text(text[place:end])))
    return "".join(pieces)


def _mark(names: tuple[str, ...], said: str, words: str) -> SafeString:
    if names == ("",):  # found, for no reason that has a name
        return format_html('<mark class="{}" title="">{}</mark>', tone(""), words)
    template = '<mark class="{}" data-why="{}" title="{}">{}</mark>'
    return format_html(template, tone(", ".join(names)), " ".join(names), said, words)


def tone(why: str) -> str:
    """The colour family of what a marked word was read as."""
    names = set(why.split(", "))
    return "care" if names & _BAD else "praise" if names & _GOOD else "ask"


def cut(marks: Iterable[Span]) -> list[tuple[int, int, tuple[str, ...]]]:
    """Marks in order and without overlap: cut wherever one begins or ends, each piece with all that it stands for."""
    given = sorted({mark for mark in marks if mark[0] < mark[1]})
    places = sorted({place for start, end, _ in given for place in (start, end)})
    found: list[tuple[int, int, tuple[str, ...]]] = []
    open_marks: list[Span] = []
    upcoming = iter(given)
    following = next(upcoming, None)
    for first, last in pairwise(places):
        open_marks = [mark for mark in open_marks if mark[1] > first]
        while following is not None and following[0] <= first:
            open_marks.append(following)
            following = next(upcoming, None)
        names = tuple(dict.fromkeys(why for _, _, why in open_marks))
        if not names:
            continue
        if found and found[-1][1] == first and found[-1][2] == names:
            found[-1] = (found[-1][0], last, names)
        else:
            found.append((first, last, names))
    return found


def domain_warning(handle: str) -> str:
    """The domain of a handle in punycode where it is written in other letters, else an empty string."""
    _, at, host = handle.rpartition("@")
    return spelled_host(host) if at and not host.isascii() else ""
