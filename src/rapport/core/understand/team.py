"""A team's own model: what is added to the trained heads for one workspace, learnt from what its people corrected.

    logit = shipped logit + (what its tokens say) . D / sqrt(tokens) + shift

A token says its word, or its word after a negator, the pair with the next token, and its stems: character n-grams, so
that "delays" helps to read "delayed". Without a team's model nothing here runs. Learnt by `training.team`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import cache
from importlib import resources
from io import BytesIO
from itertools import chain, pairwise
from threading import Lock

import msgspec
import numpy as np
import numpy.typing as npt

from rapport.core.understand.features import Features
from rapport.core.understand.grams import MAX_TOKEN, ends, negates, reached, read_tokens
from rapport.core.understand.heads import Floats, Ints, Model, Scored

#: Lengths of the n-grams that stand for the stem of a token.
STEMS = (4, 5)
#: Tokens whose sums are kept; when there are more, all are forgotten and met anew.
MOST_MET = 30_000
#: Room for so many to begin with.
_ROOM = 1 << 13
_PAIR = 1 << 31


class Difference(msgspec.Struct, frozen=True, eq=False):
    """What a team's model adds: a weight for each feature and head."""

    #: heads that it changes: "sentiment.negative", "complaint", ...
    names: tuple[str, ...]
    #: the shipped model that it was learnt beside
    beside: str
    #: as `say` names them
    features: tuple[str, ...]
    #: (features, heads), log-odds times the square root of the number of tokens
    weights: Floats
    #: (heads,) log-odds for every text
    shift: Floats


def say(tokens: Sequence[str], turned: Sequence[bool]) -> list[str]:
    """The features of a text, one for each time that it says so: "w late", "n late" after a negator, "s late" for a
    stem, "p late" with "again" behind a tab (a folded token may hold a blank) for a pair.
    """
    found = [("n " if flag else "w ") + token for token, flag in zip(tokens, turned, strict=True)]
    found += [f"p {one}\t{other}" for one, other in pairwise(tokens)]
    found += [stem for token in tokens for stem in stems(token)]
    return found


def stems(token: str) -> list[str]:
    """The features of the token's n-grams; none for handles, addresses, numbers and signs."""
    if token in ("@", "http", "0") or len(token) < STEMS[0] - 1:
        return []
    framed = f"<{token[:MAX_TOKEN]}>"
    return [f"s {framed[at : at + size]}" for size in STEMS for at in range(len(framed) - size + 1)]


def turn(tokens: Sequence[str]) -> list[bool]:
    """Which tokens of one text stand after a negator."""
    flags = reached(
        np.array([negates(token) for token in tokens], bool),
        np.array([ends(token) for token in tokens], bool),
        np.zeros(1, np.int64),
    )
    return [bool(flag) for flag in flags]


class _Places(dict[str, int]):
    """Token -> its place; a token that is not there yet is met."""

    def __init__(self, meet: Callable[[str], int]) -> None:
        super().__init__()
        self._meet = meet

    def __missing__(self, token: str) -> int:
        place = self[token] = self._meet(token)
        return place


class Team:
    """Adds a difference to what the heads said. The answer for a text does not depend on what else is in the batch."""

    def __init__(self, difference: Difference, version: int, model: Model) -> None:
        """`model` is the shipped one; heads that it has no more are left out."""
        #: as a reading tells it, behind the name of the shipped model
        self.name = f"team-{version}"
        kept = [place for place, name in enumerate(difference.names) if name in model.names]
        self._columns = np.array([model.names.index(difference.names[place]) for place in kept], np.int64)
        self._slope = model.slope[self._columns]
        weights = np.ascontiguousarray(difference.weights[:, kept], np.float32)
        self._shift = difference.shift[kept]
        self._weights = dict(zip(difference.features, weights, strict=True))
        self._lock = Lock()
        #: token that was met -> its place in the tables below
        self._places = _Places(self._meet)
        self._sums = np.zeros((_ROOM, 2, len(kept)), np.float32)
        self._negates = np.zeros(_ROOM, np.bool_)
        self._ends = np.zeros(_ROOM, np.bool_)
        pairs = [tuple(name[2:].split("\t")) for name in difference.features if name.startswith("p ")]
        #: tokens of pairs, which are never forgotten
        self._lasting = sorted({token for pair in pairs for token in pair})
        self._forget()
        codes = np.array([self._places[one] * _PAIR + self._places[other] for one, other in pairs], np.int64)
        order = np.argsort(codes)
        self._pairs = codes[order]
        rows = [place for place, name in enumerate(difference.features) if name.startswith("p ")]
        self._pair_weights = weights[np.array(rows, np.int64)[order]]

    def add(self, features: Sequence[Features], scored: Scored) -> None:
        """Add the difference to the logits of a batch, and to what each token gives to them, in place."""
        if len(self._columns):
            with self._lock:
                self._add([read_tokens(one) for one in features], scored)

    def _add(self, tokens: list[list[str]], scored: Scored) -> None:
        lengths = np.fromiter(map(len, tokens), np.int64, len(tokens))
        full = np.flatnonzero(lengths)
        if not len(full):
            return
        starts = scored.bounds[:-1]
        places = self._look_up(tokens)
        turned = reached(self._negates[places], self._ends[places], starts)
        gives = self._sums[places, turned.astype(np.int64)]
        scored.paired[:] |= self._add_pairs(gives, places, starts)
        scale = 1 / np.sqrt(lengths[full])
        sums = np.add.reduceat(gives, starts[full], axis=0) * scale[:, None]
        scored.logits[np.ix_(full, self._columns)] += sums + self._shift
        # as if its words had given it: what `Scored.part` and the slope make of it is what was added to the logits
        share = np.repeat(scale / scored.shrink[full, 0], lengths[full])
        for place, column in enumerate(self._columns):
            scored.gives[:, column] += gives[:, place] * (share / self._slope[place])

    def _look_up(self, tokens: list[list[str]]) -> Ints:
        """The places of all tokens in a row; tokens not met before get one."""
        if len(self._places) > MOST_MET:
            self._forget()
        return np.fromiter(map(self._places.__getitem__, chain.from_iterable(tokens)), np.int64)

    def _meet(self, token: str) -> int:
        place = len(self._places)
        if place == len(self._sums):
            self._grow()
        known = self._weights
        row = sum([known[stem] for stem in stems(token) if stem in known], np.zeros(len(self._columns), np.float32))
        self._sums[place, 0] = row + known.get(f"w {token}", 0)
        self._sums[place, 1] = row + known.get(f"n {token}", 0)
        self._negates[place] = negates(token)
        self._ends[place] = ends(token)
        return place

    def _forget(self) -> None:
        self._places.clear()
        for token in self._lasting:
            self._places[token]

    def _grow(self) -> None:
        """Room for twice as many tokens: one batch can hold more than are usually kept."""
        self._sums = np.concatenate([self._sums, np.zeros_like(self._sums)])
        self._negates, self._ends = (
            np.concatenate([flags, np.zeros_like(flags)]) for flags in (self._negates, self._ends)
        )

    def _add_pairs(self, gives: Floats, places: Ints, starts: Ints) -> npt.NDArray[np.bool_]:
        """Add what each pair of neighbours says to its first token; whether there was one, a token."""
        paired = np.zeros(len(places), np.bool_)
        if len(places) < 2 or not len(self._pairs):
            return paired
        codes = places[:-1] * _PAIR + places[1:]
        found = np.minimum(np.searchsorted(self._pairs, codes), len(self._pairs) - 1)
        hit = self._pairs[found] == codes
        hit[starts[(starts > 0) & (starts < len(places))] - 1] = False
        at = np.flatnonzero(hit)
        gives[at] += self._pair_weights[found[at]]
        paired[at] = True
        return paired


@cache
def shipped_version() -> str:
    """Name and version of the trained model that ships, from its card: without loading the model."""
    card = (resources.files("rapport.core.understand") / "models" / "heads.json").read_text(encoding="utf-8")
    return str(json.loads(card)["model"])


def pack(difference: Difference) -> bytes:
    """The difference as one small file: weights as whole numbers of -127..127 with a scale for each head."""
    scale = np.maximum(np.abs(difference.weights).max(0, initial=0), 1e-9) / 127
    told = {"names": difference.names, "beside": difference.beside}
    file = BytesIO()
    np.savez_compressed(
        file,
        allow_pickle=False,
        told=np.frombuffer(json.dumps(told).encode(), np.uint8),
        features=np.frombuffer("\n".join(difference.features).encode("utf-8", "surrogatepass"), np.uint8),
        weights=np.round(difference.weights / scale).astype(np.int8),
        scale=scale.astype(np.float32),
        shift=difference.shift.astype(np.float32),
    )
    return file.getvalue()


def unpack(packed: bytes) -> Difference:
    """The difference of a file that `pack` wrote."""
    with np.load(BytesIO(packed), allow_pickle=False) as file:
        told = json.loads(file["told"].tobytes())
        features = file["features"].tobytes().decode("utf-8", "surrogatepass")
        return Difference(
            names=tuple(told["names"]),
            beside=told["beside"],
            features=tuple(features.split("\n")) if features else (),
            weights=file["weights"].astype(np.float32) * file["scale"],
            shift=file["shift"],
        )
