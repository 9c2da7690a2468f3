"""Handles, hashtags, cashtags and addresses in a text, as X finds them (twitter-text 3.1, rewritten from its rules).

X tells the entities of a post with the post; this is for texts that come without them and for those that we write.
Places are code points. Every search takes time in proportion to the text: labels and their number are bounded.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from importlib import resources

import msgspec

_SPACES = "\t-\r \x85\xa0\u1680\u180e\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_DIRECTIONS = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_INVALID = "\ufffe\ufeff\uffff"
_LATIN = (
    "\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u0253\u0254\u0256\u0257\u0259\u025b\u0263\u0268\u026f\u0272\u0289\u028b"
    "\u02bb\u0300-\u036f\u1e00-\u1eff"
)
_PUNCTUATION = r"""!"#$%&'()*+,\-./:;<=>?@\[\]\\^_`{|}~"""

_MENTION = re.compile(
    r"(?:(?<![a-z0-9_!#$%&*@＠])|(?:^|(?<=[^a-z0-9_+~.-]))rt:?)([@＠])([a-z0-9_]{1,20})(/[a-z][a-z0-9_-]{0,24})?",
    re.IGNORECASE | re.ASCII,
)
_AFTER_MENTION = re.compile(f"[@＠{_LATIN}]|://")
_REPLY = re.compile(f"[{_SPACES}{_DIRECTIONS}]*[@＠]([a-zA-Z0-9_]{{1,20}})")
_CASHTAG = re.compile(
    f"(?:^|(?<=[{_SPACES}{_DIRECTIONS}]))\\$([a-z]{{1,6}}(?:[._][a-z]{{1,2}})?)(?=$|[{_SPACES}]|[{_PUNCTUATION}])",
    re.IGNORECASE | re.ASCII,
)
_TAG_SPECIAL = frozenset(
    "_\u200c\u200d\ua67e\u05be\u05f3\u05f4\uff5e\u301c\u309b\u309c\u30a0\u30fb\u3003\u0f0b\u0f0c\u00b7"
)

_LABEL = f"[^{_PUNCTUATION}{_SPACES}{_DIRECTIONS}{_INVALID}\x00-\x1f\x7f]"
_SUBDOMAIN = f"(?:{_LABEL}(?:[_-]|{_LABEL}){{0,253}})?{_LABEL}\\."
_NAME = f"(?:{_LABEL}(?:-|{_LABEL}){{0,253}})?{_LABEL}\\."
_MOST_LABELS = 5  # in front of the name; more are no address that a person typed
_DASHES = "\\-\u058a\u05be\u2010-\u2015\u2e3a\u2e3b\u301c\u3030\ufe31\ufe32\ufe58\ufe63\uff0d"
_PATH = f"[a-z\u0400-\u052f0-9!*';:=+,.$/%#\\[\\]{_DASHES}_~&|@{_LATIN}]"
_PARENTHESES = f"\\((?:{_PATH}+|{_PATH}*\\({_PATH}+\\){_PATH}*)\\)"
_PATH_END = f"(?:[a-z\u0400-\u052f0-9=_#/+\\-{_LATIN}]|{_PARENTHESES})"
_QUERY = r"[a-z0-9!?*'();:&=+$/%#\[\]\-_.,~|@]"
_LONGEST_SLUG = 40  # of t.co
_LONGEST_HOST, _LONGEST_LABEL = 253, 63
_T_CO = re.compile(rf"https?://t\.co/([a-z0-9]+)(?:\?{_QUERY}*[a-z0-9\-_&=#/])?", re.IGNORECASE)


class Entity(msgspec.Struct, frozen=True, gc=False):
    """One find: `text[start:end]`, with its sign."""

    #: without @, # or $
    word: str
    start: int
    end: int
    #: of "@name/list", with the slash; else ""
    list_slug: str = ""


def find_mentions(text: str) -> list[Entity]:
    """@names and @name/lists."""
    return [
        Entity(match[2], match.start(1), match.end(), match[3] or "")
        for match in _MENTION.finditer(text)
        if not _AFTER_MENTION.match(text, match.end())
    ]


def find_reply(text: str) -> str | None:
    """The name that a text begins with, so that it stands as an answer to it."""
    match = _REPLY.match(text)
    return None if match is None or _AFTER_MENTION.match(text, match.end()) else match[1]


def find_hashtags(text: str) -> list[Entity]:
    """#tags that are no part of an address."""
    addresses = find_addresses(text) if "." in text else []
    return [
        tag for tag in _hashtags(text) if not any(each.start < tag.end and tag.start < each.end for each in addresses)
    ]


def find_cashtags(text: str) -> list[Entity]:
    """$TICKERS."""
    return [Entity(match[1], match.start(), match.end()) for match in _CASHTAG.finditer(text)]


def find_addresses(text: str) -> list[Entity]:
    """Addresses, with and without a protocol; `word` is the address as written."""
    found: list[Entity] = []
    if "." in text:
        for match in _address().finditer(text):
            found += _with_protocol(match) if match["protocol"] else _bare(match, text)
    return found


def _hashtags(text: str) -> Iterator[Entity]:
    start = 0
    while start < len(text):
        if text[start] not in "#＃" or (start and _joins_tag(text[start - 1])):
            start += 1
            continue
        end = start + 1
        while end < len(text) and (_is_letter(text[end]) or _is_digit(text[end]) or text[end] in _TAG_SPECIAL):
            end += 1
        word = text[start + 1 : end]
        begins = word[:1] not in {"\ufe0f", "\u20e3"}
        ends = text[end : end + 1] not in {"#", "＃"} and text[end : end + 3] != "://"
        if begins and ends and any(map(_is_letter, word)):
            yield Entity(word, start, end)
        start = end


def _joins_tag(character: str) -> bool:
    if character in "\ufe0e\ufe0f":
        return False
    return character == "&" or _is_letter(character) or _is_digit(character) or character in _TAG_SPECIAL


def _is_letter(character: str) -> bool:
    return unicodedata.category(character)[0] in "LM"


def _is_digit(character: str) -> bool:
    return unicodedata.category(character) == "Nd"


@cache
def _address() -> re.Pattern[str]:
    tlds = _tlds() + r"|xn--[0-9a-z]+"
    domain = f"(?P<domain>(?:{_SUBDOMAIN}){{0,{_MOST_LABELS}}}{_NAME}(?:(?:{tlds})(?=[^0-9a-z@+-]|$)))"
    before = f"(?P<before>[^a-z0-9@＠$#＃{_INVALID}]|[{_DIRECTIONS}]|^)"
    path = f"(?P<path>/(?:{_PATH}*(?:{_PARENTHESES}{_PATH}*)*{_PATH_END}|@{_PATH}+/)*)?"
    query = rf"(?:\?{_QUERY}*[a-z0-9\-_&=#/])?"
    return re.compile(f"{before}(?P<url>(?P<protocol>https?://)?{domain}(?::[0-9]+)?{path}{query})", re.IGNORECASE)


@cache
def _ascii_domain() -> re.Pattern[str]:
    tail = rf"(?:(?:{_tlds()}|xn--[0-9a-z]+)(?=[^0-9a-z@+-]|$))"
    return re.compile(rf"(?:[a-z0-9\-_{_LATIN}]+\.)+{tail}", re.IGNORECASE)


@cache
def _tlds() -> str:
    listed = resources.files("rapport.networks.x").joinpath("tlds.txt").read_text(encoding="utf-8")
    names = " ".join(line for line in listed.splitlines() if not line.startswith("#")).split()
    return "|".join(sorted(names, key=lambda name: (-len(name), name)))


def _with_protocol(match: re.Match[str]) -> list[Entity]:
    url, start = match["url"], match.start("url")
    short = _T_CO.match(url)
    if short:
        url = short[0]
        if len(short[1]) > _LONGEST_SLUG:
            return []
    return [Entity(url, start, start + len(url))] if _is_host(match["domain"]) else []


def _bare(match: re.Match[str], text: str) -> list[Entity]:
    """Without a protocol only names in ASCII count."""
    if match["before"] and match["before"] in "-_./":
        return []
    found: list[Entity] = []
    last: Entity | None = None
    for domain in _ascii_domain().finditer(match["domain"]):
        if not _is_host(domain[0]):
            continue
        start = match.start("domain") + domain.start()
        last = Entity(domain[0], start, start + len(domain[0]))
        found.append(last)
    if last is not None and match["path"]:
        whole = Entity(text[last.start : match.end("url")], last.start, match.end("url"))
        return [*found[:-1], whole]
    return found


def _is_host(host: str) -> bool:
    """Whether a name server could hold this name."""
    if any(label[:4].lower() == "xn--" and not label.isascii() for label in host.split(".")):
        return False
    labels = [label if label.isascii() else f"xn--{label.encode('punycode').decode()}" for label in host.split(".")]
    return max(map(len, labels)) <= _LONGEST_LABEL and len(".".join(labels)) <= _LONGEST_HOST
