"""The text of a Bluesky post and what its facets mark in it: mentions, links, hashtags, by byte offsets in UTF-8. Pure.

Facets of other people are hostile input: they overlap, point outside, cut letters in half, and show one address while
they lead to another.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import msgspec
import regex  # type: ignore[import-untyped]

MOST_GRAPHEMES = 300  # app.bsky.feed.post, text: maxGraphemes
MOST_BYTES = 3000  # app.bsky.feed.post, text: maxLength
_LONGEST_TAG = 64  # graphemes; app.bsky.richtext.facet#tag

_GRAPHEME = regex.compile(r"\X")
_LINK = re.compile(r"(?<![\w@./])https?://[^\s<>\"“”]+", re.IGNORECASE)
_MENTION = re.compile(r"(?<![\w@./-])@([a-zA-Z0-9](?:[a-zA-Z0-9.-]{0,251}[a-zA-Z0-9])?)")
_TAG = re.compile(r"(?<!\S)[#＃](?!\ufe0f)([^\s\u00ad\u2060\u200a\u200b\u200c\u200d\u20e2]+)")
_BEHIND = ".,;:!?'\"…)]}’”»"
_MOST_FACETS = 500


class Index(msgspec.Struct, frozen=True, rename="camel"):
    """A stretch of the text, in bytes of UTF-8."""

    byte_start: int
    byte_end: int


class Feature(msgspec.Struct, frozen=True, rename={"type": "$type"}):
    """What a stretch is; one of did, uri, tag is set."""

    type: str = ""
    did: str | None = None
    uri: str | None = None
    tag: str | None = None


class Facet(msgspec.Struct, frozen=True):
    """One stretch and what it is."""

    index: Index
    features: list[Feature] = []


class Marked(msgspec.Struct, frozen=True):
    """A text as people should read it, and what is marked in it."""

    text: str
    #: (DID, the words that were marked without @)
    mentions: tuple[tuple[str, str], ...] = ()
    links: tuple[str, ...] = ()
    #: without #
    hashtags: tuple[str, ...] = ()


def read_marks(text: str, facets: Sequence[Facet]) -> Marked:
    """A text and its facets -> what is marked, and the text with every link shown for what it is.

    An address that the author's program has shortened is written out; where the words say something else than the
    address, both are shown, so that no link can hide where it leads. Facets that point outside the text, cut a letter
    in half or lie over an earlier one are passed over.
    """
    raw = text.encode("utf-8", "replace")
    parts: list[str] = []
    mentions: list[tuple[str, str]] = []
    links: list[str] = []
    hashtags: list[str] = []
    done = 0
    for facet in sorted(facets[:_MOST_FACETS], key=lambda each: each.index.byte_start):
        start, end = facet.index.byte_start, facet.index.byte_end
        words = _slice(raw, start, end)
        if words is None or start < done:
            continue
        parts.append(raw[done:start].decode("utf-8"))
        done = end
        for feature in facet.features[:8]:
            if feature.did:
                mentions.append((feature.did, words.strip().removeprefix("@")))
            elif feature.tag:
                hashtags.append(feature.tag.removeprefix("#"))
            elif feature.uri and feature.uri not in links:
                links.append(feature.uri)
                words = _shown(words, feature.uri)
        parts.append(words)
    parts.append(raw[done:].decode("utf-8"))
    return Marked("".join(parts), tuple(mentions), tuple(links), tuple(dict.fromkeys(hashtags)))


def find_facets(text: str, did_of: Callable[[str], str | None]) -> list[dict[str, object]]:
    """What a program marks in a text that it sends: https addresses, mentions of accounts that exist, hashtags.

    `did_of` resolves a handle, None where nobody has it: then it stays plain text. The text itself is not changed.
    """
    found: list[tuple[int, int, dict[str, object]]] = []
    for link in _LINK.finditer(text):
        address = _trimmed(link[0])
        if len(address.partition("://")[2]) > 2:
            found.append((link.start(), link.start() + len(address), _feature("link", uri=address)))
    for mention in _MENTION.finditer(text):
        did = did_of(mention[1].lower()) if "." in mention[1] else None
        if did:
            found.append((mention.start(), mention.end(), _feature("mention", did=did)))
    for tag in _TAG.finditer(text):
        name = tag[1].rstrip(_BEHIND + "#＃")
        if name and not name.isdecimal() and len(_GRAPHEME.findall(name)) <= _LONGEST_TAG:
            found.append((tag.start(), tag.start(1) + len(name), _feature("tag", tag=name)))
    facets: list[dict[str, object]] = []
    last = 0
    for start, end, feature in sorted(found, key=lambda each: each[0]):
        if start < last:
            continue
        last = end
        index = {"byteStart": len(text[:start].encode()), "byteEnd": len(text[:end].encode())}
        facets.append({"index": index, "features": [feature]})
    return facets


def counted_length(text: str) -> int:
    """How long Bluesky says this text is, of `MOST_GRAPHEMES`.

    Graphemes, what a person sees as one character; of texts whose bytes reach their own limit (3,000) first, a tenth of
    the bytes, so that one number tells whether the text fits.
    """
    if text.isascii() and "\r\n" not in text:
        return len(text)
    return max(len(_GRAPHEME.findall(text)), -(-len(text.encode()) * MOST_GRAPHEMES // MOST_BYTES))


def _slice(raw: bytes, start: int, end: int) -> str | None:
    if not 0 <= start < end <= len(raw):
        return None
    try:
        words = raw[start:end].decode("utf-8")
        raw[:start].decode("utf-8")
    except UnicodeDecodeError:
        return None
    return words


def _shown(words: str, address: str) -> str:
    """What a link should read as."""
    said, bare = (_bare(each) for each in (words.strip(), address))
    shortened = said.removesuffix("...").removesuffix("…")
    if said == bare:
        return words
    # the shortening must leave the host whole, or the words could name one host and lead to another
    if shortened != said and bare.startswith(shortened) and "/" in shortened:
        return address
    return f"{words} ({address})"


def _bare(address: str) -> str:
    return re.sub(r"^https?://(?:www\.)?", "", address, flags=re.IGNORECASE).rstrip("/")


def _trimmed(address: str) -> str:
    """An address without the punctuation of the sentence that it stands in; brackets inside it stay."""
    while address and address[-1] in _BEHIND:
        if address[-1] == ")" and address.count("(") >= address.count(")"):
            break
        address = address[:-1]
    return address


def _feature(kind: str, **named: str) -> dict[str, object]:
    return {"$type": f"app.bsky.richtext.facet#{kind}", **named}
