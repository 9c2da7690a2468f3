"""`field:value` conditions: what a query may ask about the author, the network, links and counters."""

from __future__ import annotations

import difflib
import operator
import re
from collections.abc import Callable
from typing import get_args
from urllib.parse import urlsplit

from rapport.core.errors import InvalidQuery
from rapport.core.post import Kind, Post
from rapport.core.query.nodes import Node, Raw
from rapport.core.query.view import View
from rapport.core.text import fold, words

_NUMBER = re.compile(r"(>=|<=|>|<|=)?(\d+(?:\.\d+)?)")
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "=": operator.eq,
}
#: ASCII, full width, Arabic, Greek, Armenian, Ethiopic, double forms
_QUESTION_MARKS = frozenset("?？؟\u037e՞፧⁇⁈⁉")
_KINDS: tuple[str, ...] = get_args(Kind)


class Written(Node, frozen=True, gc=False):
    """`author:ann`: the author's handle, its part before an @, or id."""

    #: folded, without @
    name: str

    def holds(self, view: View) -> bool:
        author = view.post.author
        handle = fold(author.handle)
        return self.name in {handle, handle.partition("@")[0], fold(author.id)}


class Language(Node, frozen=True, gc=False):
    """`lang:en`: the language that the network names; en covers en-GB."""

    #: lower case
    tag: str

    def holds(self, view: View) -> bool:
        tag = (view.post.lang or "").lower().replace("_", "-")
        return tag == self.tag or tag.startswith(self.tag + "-")


class Network(Node, frozen=True, gc=False):
    """`network:mastodon`."""

    name: str

    def holds(self, view: View) -> bool:
        return view.post.network.lower() == self.name


class OfKind(Node, frozen=True, gc=False):
    """`kind:reply`."""

    kind: str

    def holds(self, view: View) -> bool:
        return view.post.kind == self.kind


class Linked(Node, frozen=True, gc=False):
    """`link:example.com/help`: an address on this host or below it, whose path begins with this one."""

    host: str
    #: "" or with a leading /
    path: str

    def holds(self, view: View) -> bool:
        for address in view.addresses:
            host, path = host_and_path(address)
            if (host == self.host or host.endswith("." + self.host)) and path.startswith(self.path):
                return True
        return False


class Has(Node, frozen=True, gc=False):
    """`has:media` and the like."""

    what: str

    def holds(self, view: View) -> bool:
        return PRESENCE[self.what](view)


class Compare(Node, frozen=True, gc=False):
    """`followers:>=1000`. False where the network does not tell the number."""

    field: str
    sign: str
    number: float

    def holds(self, view: View) -> bool:
        value = NUMBERS[self.field](view.post)
        return value is not None and _COMPARE[self.sign](value, self.number)


class Flag(Node, frozen=True, gc=False):
    """`verified:true`."""

    field: str
    wanted: bool

    def holds(self, view: View) -> bool:
        return FLAGS[self.field](view.post) is self.wanted


PRESENCE: dict[str, Callable[[View], bool]] = {
    "media": lambda view: bool(view.post.media),
    "link": lambda view: bool(view.addresses),
    "question": lambda view: not _QUESTION_MARKS.isdisjoint(view.text_without_links),
    "mention": lambda view: (
        bool(view.post.mentions) or any(word[0] == "@" for word in words(view.text_without_links).words)
    ),
    "hashtag": lambda view: bool(view.post.hashtags) or bool(words(view.text_without_links).tags),
}
NUMBERS: dict[str, Callable[[Post], float | None]] = {
    "followers": lambda post: post.author.followers,
    "rating": lambda post: post.rating,
}
FLAGS: dict[str, Callable[[Post], bool]] = {
    "verified": lambda post: post.author.verified,
    "bot": lambda post: post.author.bot,
}

#: what other tools call things, and how to ask for them here
_FIELDS_ELSEWHERE = {
    "from": "author:{}",
    "user": "author:{}",
    "by": "author:{}",
    "to": "@{}",
    "mention": "@{}",
    "mentions": "@{}",
    "hashtag": "#{}",
    "tag": "#{}",
    "url": "link:{}",
    "site": "link:{}",
    "domain": "link:{}",
    "language": "lang:{}",
    "source": "network:{}",
    "type": "kind:{}",
    "is": "kind:{}",
    "filter": "has:{}",
    "stars": "rating:{}",
    "text": '"{}"',
}
_VALUES_ELSEWHERE = dict.fromkeys(("image", "images", "photo", "photos", "picture", "video", "videos"), "media") | {
    "url": "link",
    "urls": "link",
    "tag": "hashtag",
    "yes": "true",
    "no": "false",
    "1": "true",
    "0": "false",
    "comments": "comment",
    "email": "mail",
    "dm": "message",
    "tweet": "post",
    "retweet": "repost",
}

FIELDS: tuple[str, ...] = ("raw", "author", "lang", "network", "kind", "link", "has", *NUMBERS, *FLAGS)


def read_field(name: str, value: str, position: int) -> Node:
    """The condition that `name:value` stands for.

    `position` is where the field begins in the query. Raises `InvalidQuery` for an unknown field or a bad value.
    """
    known = name.lower()
    if known not in FIELDS:
        raise InvalidQuery(
            f'there is no field "{name[:40]}"{_field_instead(known, value)}',
            position,
            f"one of {', '.join(FIELDS)}; put text with a colon into quotes",
        )
    place = position + len(name) + 1
    if not value.strip():
        raise InvalidQuery(f"{known}: has no value", place, f"a value right after {known}:")
    if known == "raw":
        return Raw(value)
    value = value.strip()
    if "*" in value:
        raise InvalidQuery(f"wildcards do not work in {known}:", place, "the whole value")
    if known in NUMBERS:
        return _comparison(known, value, place)
    if known in FLAGS:
        return Flag(known, _one_of(known, value, ("true", "false"), place) == "true")
    if known == "has":
        return Has(_one_of(known, value, tuple(PRESENCE), place))
    if known == "kind":
        return OfKind(_one_of(known, value, _KINDS, place))
    return _address_or_name(known, value, place)


def _address_or_name(field: str, value: str, place: int) -> Node:
    if field == "author":
        return Written(fold(value.lstrip("@")))
    if field == "lang":
        return Language(value.lower().replace("_", "-"))
    if field == "network":
        return Network(value.lower())
    host, path = host_and_path(value)
    if not host:
        raise InvalidQuery("link: needs a host name", place, "something like link:example.com or link:example.com/help")
    return Linked(host, path)


def _comparison(field: str, value: str, place: int) -> Compare:
    match = _NUMBER.fullmatch(value) if value.isascii() and len(value) < 30 else None
    if match is None:
        raise InvalidQuery(f'{field}: cannot read "{value[:40]}"', place, f"a number, as in {field}:>=3")
    return Compare(field, match[1] or "=", float(match[2]))


def _one_of(field: str, value: str, allowed: tuple[str, ...], place: int) -> str:
    wanted = value.lower()
    if wanted not in allowed:
        raise InvalidQuery(
            f'{field}: does not know "{value[:40]}"{_nearest(wanted, allowed)}', place, f"one of {', '.join(allowed)}"
        )
    return wanted


def _field_instead(name: str, value: str) -> str:
    elsewhere = _FIELDS_ELSEWHERE.get(name)
    return f"; did you mean {elsewhere.format(value[:40])}?" if elsewhere else _nearest(name, FIELDS)


def _nearest(name: str, among: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(name[:40], among, n=1)
    elsewhere = _VALUES_ELSEWHERE.get(name)
    if elsewhere in among:
        near = [elsewhere]
    return f"; did you mean {near[0]}?" if near else ""


def host_and_path(address: str) -> tuple[str, str]:
    """The host that a browser would call, in ASCII and lower case ("" where there is none), and the path."""
    address = address.strip().replace("\\", "/")  # browsers read a backslash as a slash
    try:
        parts = urlsplit(address if "://" in address else "//" + address)
        host = (parts.hostname or "").rstrip(".,;:!?)'")
    except ValueError:
        return "", ""
    if not host.isascii():
        try:
            host = host.encode("idna").decode("ascii")
        except UnicodeError:
            return "", ""
    return host, parts.path.rstrip("/") if parts.path == "/" else parts.path
