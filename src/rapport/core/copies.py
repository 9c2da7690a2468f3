"""Near-copies: whether two texts say nearly the same, and which of many recent ones a new text repeats.

Texts are compared by their words and pairs of neighbouring words (likeness: the share of these that both have, the
Jaccard index). A fingerprint of sixty bytes estimates it: MinHash (Broder, "On the resemblance and containment of
documents", 1997), of which one byte is kept a permutation (Li and König, "b-Bit minwise hashing", 2010). Who might be
alike is found by bands of five bytes: of two texts with a likeness of 0.8, 99 in 100 share a band, of two with 0.5 a
third, with 0.2 none.
"""

from __future__ import annotations

import datetime as dt
import re
from array import array
from collections import OrderedDict
from collections.abc import Sequence
from itertools import pairwise
from sys import byteorder

from rensa import RMinHash

from rapport.core.post import Post
from rapport.core.text import is_spaceless, words

#: two texts that are at least so alike are copies; chosen on real posts (docs/reference/copies.md)
ALIKE = 0.8
#: the estimate errs by 0.05 (one standard deviation at 0.8): what lies below is no candidate
PERHAPS = 0.65
#: shorter texts are never judged: "thank you so much" is said by many, and each means it
LEAST_WORDS = 8
#: the beginning of a long text stands for it
MOST_WORDS = 400
#: how long, and how many texts of a workspace, are remembered
KEPT, MOST = dt.timedelta(hours=72), 50_000
#: of texts that share a band, so many are looked at: a family of texts that are nearly alike must not cost its square
MOST_IN_BAND = 8

#: what people say in public to everybody; messages, mails and reviews are each somebody's own
_KINDS = frozenset({"post", "quote", "comment", "topic"})
_PUBLIC = frozenset({"public", "unlisted"})

_BANDS, _ROWS = 12, 5
_SIZE = _BANDS * _ROWS
_SEED = 72
#: two different values agree in their one byte by chance
_CHANCE = 1 / 256
#: addresses, and those that a network has cut off with an ellipsis
_LINK = re.compile(r"(?:https?://|www\.)\S*|\bhtt\S*…", re.IGNORECASE)
#: the lowest byte of each value of four bytes
_LOWEST = slice(0 if byteorder == "little" else 3, None, 4)


def may_be_copied(post: Post) -> bool:
    """Whether a post is of the kind that folds, or that others fold into: said in public, answering nobody."""
    return (
        post.kind in _KINDS
        and post.visibility in _PUBLIC
        and not post.in_reply_to
        and post.rating is None
        and not post.author.ours
    )


def shingles(text: str) -> list[str]:
    """The folded words of a text and their neighbouring pairs, without handles, links and numbers; [] when too short.

    A character of a script without spaces counts as half a word.
    """
    if "…" in text or "http" in text or "www." in text:
        text = _LINK.sub(" ", text)
    found = [word for word in words(text).words if word[0] != "@" and not word.isdigit() and word != "rt"][:MOST_WORDS]
    distinct = set(found)
    weight = float(len(distinct))
    if weight >= LEAST_WORDS and not text.isascii():
        weight -= sum(map(is_spaceless, distinct)) / 2
    if weight < LEAST_WORDS:
        return []
    return found + [f"{one} {other}" for one, other in pairwise(found)]


def likeness(one: frozenset[str], other: frozenset[str]) -> float:
    """The share of shingles that both have, 0 to 1."""
    shared = len(one & other)
    return shared / (len(one) + len(other) - shared) if shared else 0.0


def fingerprints(texts: Sequence[str]) -> list[bytes]:
    """Sixty bytes for each text; empty for one that is too short to be judged."""
    cut = [shingles(text) for text in texts]
    made = iter(RMinHash.digests_from_token_sets([each for each in cut if each], _SIZE, _SEED))
    return [array("I", next(made)).tobytes()[_LOWEST] if each else b"" for each in cut]


def resemblance(one: bytes, other: bytes) -> float:
    """The likeness of two texts as their fingerprints tell it."""
    differs = int.from_bytes(one) ^ int.from_bytes(other)
    agree = differs.to_bytes(_SIZE).count(0) / _SIZE
    return max(0.0, (agree - _CHANCE) / (1 - _CHANCE))


class Window:
    """The fingerprints of recent texts by their bands. Adding, finding and forgetting take a few microseconds each."""

    def __init__(self, most: int = MOST) -> None:
        #: the newest row that was read into it
        self.newest = 0
        self._most = most
        #: post -> fingerprint and when it was kept, the oldest first
        self._kept: OrderedDict[int, tuple[bytes, dt.datetime]] = OrderedDict()
        self._bands: list[dict[bytes, tuple[int, ...]]] = [{} for _ in range(_BANDS)]

    def __len__(self) -> int:
        return len(self._kept)

    def add(self, post: int, digest: bytes, at: dt.datetime) -> None:
        """Remember the fingerprint of a post, in place of an earlier one of it; the oldest makes room."""
        self.forget(post)
        self._kept[post] = (digest, at)
        alone = (post,)
        for band, key in zip(self._bands, _keys(digest), strict=True):
            others = band.get(key)
            band[key] = (*others[1 - MOST_IN_BAND :], post) if others else alone
        if len(self._kept) > self._most:
            self.forget(next(iter(self._kept)))

    def forget(self, post: int) -> None:
        """Remember it no longer; one that is not there changes nothing."""
        known = self._kept.pop(post, None)
        if known is None:
            return
        for band, key in zip(self._bands, _keys(known[0]), strict=True):
            left = tuple(other for other in band.get(key, ()) if other != post)
            if left:
                band[key] = left
            else:
                band.pop(key, None)

    def forget_before(self, moment: dt.datetime) -> None:
        """Remember nothing that was kept before `moment`."""
        while self._kept:
            post, (_, at) = next(iter(self._kept.items()))
            if at >= moment:
                return
            self.forget(post)

    def near(self, digest: bytes) -> list[int]:
        """Posts whose texts may be nearly that of `digest`, the lowest id first. Whoever asks compares the texts."""
        found: set[int] = set()
        for band, key in zip(self._bands, _keys(digest), strict=True):
            others = band.get(key)
            if others:
                found.update(others)
        if not found:
            return []
        alike = [post for post in found if resemblance(digest, self._kept[post][0]) >= PERHAPS]
        return sorted(alike)


def _keys(digest: bytes) -> list[bytes]:
    return [digest[start : start + _ROWS] for start in range(0, _SIZE, _ROWS)]
