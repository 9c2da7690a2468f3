"""What a token and its neighbours give to the trained readings: one place for those who train and those who read.

A token is read as its word, or as its word after a negator; as its character n-grams, each in one of `BUCKETS` places
by its CRC-32. `heads` reads two tokens in a row as well.
"""

from __future__ import annotations

from zlib import crc32

import numpy as np
import numpy.typing as npt

from rapport.core.understand.features import Features

#: Places for character n-grams; several share a place.
BUCKETS = 1 << 17
SHORTEST, LONGEST = 2, 5
#: Longer tokens are cut before their n-grams are taken: nobody's word is that long.
MAX_TOKEN = 40
#: How many tokens a negator reaches.
REACH = 3
#: Facts of the whole text, in this order.
TRAITS = ("exclaims", "asks", "long", "link", "handle", "shouts", "stretched")

_NEGATORS = """
    not no never cannot cant wont dont isnt wasnt arent doesnt didnt havent hasnt wouldnt couldnt shouldnt aint
    without nor neither hardly barely none nothing ne pas jamais rien nicht kein keine keinen nie ohne nunca jamas
    sin tampoco nao nem sem non mai senza nulla لا لم لن ليس غير नहीं न मत
"""
_NEGATING = frozenset(_NEGATORS.split())
#: how handles and addresses begin, and a token of which nothing is left
_MARKED = frozenset(("@", "h", ""))
_ENDS = frozenset(".!?;؟？！")


def read_tokens(features: Features) -> list[str]:
    """The folded tokens, one for each of `features.words`, with one form for all handles and one for all addresses."""
    return [
        word
        if (first := word[:1]) not in _MARKED
        else "@"
        if first == "@"
        else "http"
        if word[:4] == "http"
        else word or "0"
        for word in features.words
    ]


def negates(token: str) -> bool:
    """Whether the token turns what follows it."""
    return token in _NEGATING or token.endswith("n't")


def ends(token: str) -> bool:
    """Whether the token ends what a negator reaches."""
    return token[0] in _ENDS


def buckets(token: str) -> list[int]:
    """The places of the token's character n-grams; none for handles, addresses and numbers."""
    if token in ("@", "http", "0"):
        return []
    framed = f"<{token[:MAX_TOKEN]}>"
    return [
        crc32(framed[at : at + size].encode("utf-8", "surrogatepass")) & (BUCKETS - 1)
        for size in range(SHORTEST, LONGEST + 1)
        for at in range(len(framed) - size + 1)
    ]


def reached(
    negators: npt.NDArray[np.bool_], stops: npt.NDArray[np.bool_], starts: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    """Which tokens stand after a negator, at most `REACH` tokens on, in the same text and before its next stop.

    One flag a token of all texts in a row; `starts` are the first tokens of the texts.
    """
    breaks = stops.astype(np.int64)
    breaks[starts[starts < len(breaks)]] += 1
    section = np.cumsum(breaks)
    turned = np.zeros_like(negators)
    for step in range(1, REACH + 1):
        turned[step:] |= negators[:-step] & (section[step:] == section[:-step])
    return turned & ~stops


def traits(text: str, features: Features, tokens: list[str]) -> tuple[float, ...]:
    """The facts of the whole text, each between 0 and 1, in the order of `TRAITS`."""
    shouted = sum([word.isupper() for word in features.written if len(word) > 2])
    return (
        min(text.count("!"), 4) / 4,
        min(text.count("?"), 3) / 3,
        min(len(tokens), 60) / 60,
        float("http" in tokens),
        float("@" in tokens),
        min(shouted, 4) / 4,
        float(features.stretched),
    )
