"""The trained readings: one sparse linear head each over the same features, scored for a whole batch at once.

A head adds up what the words, pairs of words and character n-grams of a text say, each group divided by the length of
its vector, so that a long text is not surer than a short one, and adds the sums of the word lists and the facts of the
whole text. All of it but the last is a sum over tokens. So what a token gives to every head is worked out once, when
the token is first met, and a batch is one look-up a token and one sum a text.

    logit = words . W / |words| + grams . C / |grams| + dense . D + bias

The weights come from `rapport train` (docs/reference/model-card.md).
"""

from __future__ import annotations

import json
from collections.abc import Container, Sequence
from importlib import resources
from io import BytesIO
from itertools import chain
from threading import Lock
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from rapport.core.understand.features import Features
from rapport.core.understand.grams import buckets, ends, negates, reached, read_tokens, traits

Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.int64]

#: Tokens outside the model whose sums are kept; when there are more, all of these are forgotten and met anew.
MOST_MET = 60_000
#: A pair of tokens as one number: the first of them this far up.
_PAIR = 1 << 21


class Model(msgspec.Struct, frozen=True, eq=False):
    """The weights of every head; columns are heads, in the order of `names`."""

    #: "sentiment.negative", "irony", ...
    names: tuple[str, ...]
    #: name and version, as a reading tells it
    version: str
    words: tuple[str, ...]
    #: (words, 2): inverse document frequency of the word plain and after a negator; 0 = not learnt
    word_idf: Floats
    #: (words, 2, heads), multiplied by their idf
    word_weights: Floats
    #: (pairs,) first place * 2**21 + second place, ascending
    pairs: Ints
    pair_idf: Floats
    #: (pairs, heads), multiplied by their idf
    pair_weights: Floats
    #: (buckets,) and (buckets, heads), likewise
    gram_idf: Floats
    gram_weights: Floats
    #: (dense features, heads): the word lists, the traits and the language, as `dense` lays them out
    dense_weights: Floats
    bias: Floats
    #: languages with a bias of their own, in the order of the last columns of the dense features
    languages: tuple[str, ...]
    #: (heads,): calibrated logit = slope * logit + shift
    slope: Floats
    shift: Floats


def dense(listed: Sequence[float], facts: Sequence[float], language: str, languages: Sequence[str]) -> list[float]:
    """The dense features of one text: sums of the word lists, traits, and which language it is in."""
    return [*listed, *facts, *(float(language == one) for one in languages)]


class Scored(msgspec.Struct, frozen=True, eq=False):
    """What the heads say of a batch."""

    #: (texts, heads) calibrated logits
    logits: Floats
    #: (tokens of all texts, heads of words + heads of grams): what each token, with the pair that begins at it, gives
    gives: Floats
    #: (texts, 2): what the words and the grams of a text are multiplied by; 0 for a text without tokens
    shrink: Floats
    #: (tokens,) whether a pair that begins at it is among what it gives
    paired: npt.NDArray[np.bool_]
    #: (texts + 1,) where the tokens of each text begin
    bounds: Ints

    def part(self, text: Ints, token: Ints, head: Ints) -> Floats:
        """What tokens, counted through the batch, add to heads before the slope; text, token and head one by one."""
        of_words, of_grams = self.shrink[text].T
        grams = head + self.logits.shape[1]
        found: Floats = self.gives[token, head] * of_words + self.gives[token, grams] * of_grams
        return found


class Heads:
    """Scores batches. Answers do not depend on what else is in the batch or was met before."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.names = model.names
        self._known = len(model.words)
        heads = len(model.names)
        #: word of the model -> its place in the tables below
        self._words = dict(zip(model.words, range(self._known), strict=True))
        #: token that was met -> its place; what a token gives is worked out when it is first met
        self._places: dict[str, int] = {}
        self._free = self._known
        size = self._known + MOST_MET
        #: what was met changes while a batch is scored; readers in other threads wait for their turn
        self._lock = Lock()
        #: (tokens, plain or turned, heads of words + heads of grams + square of each length)
        self._sums = np.zeros((size, 2, 2 * heads + 2), np.float32)
        self._negates = np.zeros(size, np.bool_)
        self._ends = np.zeros(size, np.bool_)
        self._sums[: self._known, :, :heads] = model.word_weights
        self._sums[: self._known, :, -2] = model.word_idf**2

    @property
    def vocabulary(self) -> Container[str]:
        """The words that were learnt."""
        return self._words

    def _meet(self, token: str, place: int) -> None:
        heads = len(self.names)
        found = buckets(token)
        if found:
            self._sums[place, :, heads : 2 * heads] = self.model.gram_weights[found].sum(0)
            self._sums[place, :, -1] = (self.model.gram_idf[found] ** 2).sum()
        self._negates[place] = negates(token)
        self._ends[place] = ends(token)

    def _look_up(self, texts: Sequence[list[str]]) -> Ints:
        """The places of all tokens in a row; tokens not met before get one."""
        places = self._places
        new = set(chain.from_iterable(texts)).difference(places)
        if self._free + len(new) > self._known + MOST_MET:
            places.clear()
            self._free = self._known
            self._sums[self._known :] = 0.0
            new = set(chain.from_iterable(texts))
        for token in new:
            place = self._words.get(token, self._free)
            self._free += place == self._free
            self._meet(token, place)
            places[token] = place
        return np.fromiter(map(places.__getitem__, chain.from_iterable(texts)), np.int64)

    def score(
        self,
        texts: Sequence[str],
        features: Sequence[Features],
        listed: Sequence[Sequence[float]],
        language: Sequence[str],
    ) -> Scored:
        """Score a batch: texts, their features, the sums of the word lists for each, and their languages.

        Raises IndexError when one batch holds more than `MOST_MET` different tokens that the model does not know.
        """
        with self._lock:
            return self._score(texts, features, listed, language)

    def _score(
        self,
        texts: Sequence[str],
        features: Sequence[Features],
        listed: Sequence[Sequence[float]],
        language: Sequence[str],
    ) -> Scored:
        if not features:
            nothing = np.zeros((0, len(self.names)))
            return Scored(nothing, nothing, nothing, np.zeros(0, np.bool_), np.zeros(1, np.int64))
        tokens = [read_tokens(one) for one in features]
        lengths = np.fromiter(map(len, tokens), np.int64, len(tokens))
        bounds = np.concatenate(([0], np.cumsum(lengths)))
        starts = bounds[:-1]
        heads = len(self.names)
        facts = np.array(
            [
                dense(sums, traits(text, one, words), spoken, self.model.languages)
                for text, one, words, sums, spoken in zip(texts, features, tokens, listed, language, strict=True)
            ],
            np.float64,  # the order of a sum depends on the size of the batch; at this width nobody sees it
        )
        logits = facts @ self.model.dense_weights + self.model.bias
        places = self._look_up(tokens)
        shrink = np.zeros((len(texts), 2), np.float32)
        if not len(places):
            none = np.zeros((0, 2 * heads), np.float32)
            return Scored(self._calibrate(logits), none, shrink, np.zeros(0, np.bool_), bounds)
        turned = reached(self._negates[places], self._ends[places], starts)
        gives = self._sums[places, turned.astype(np.int64)]
        paired = self._add_pairs(gives, places, starts)
        full = np.flatnonzero(lengths)
        sums = np.add.reduceat(gives, starts[full], axis=0)
        shrink[full] = 1 / np.sqrt(np.maximum(sums[:, -2:], 1e-9))
        logits[full] += sums[:, :heads] * shrink[full, :1] + sums[:, heads : 2 * heads] * shrink[full, 1:]
        return Scored(self._calibrate(logits), gives, shrink, paired, bounds)

    def _calibrate(self, logits: Floats) -> Floats:
        return logits * self.model.slope + self.model.shift

    def _add_pairs(self, gives: Floats, places: Ints, starts: Ints) -> npt.NDArray[np.bool_]:
        """Add what each pair of neighbours says to its first token; whether there was one, a token."""
        paired = np.zeros(len(places), np.bool_)
        if len(places) < 2 or not len(self.model.pairs):
            return paired
        codes = places[:-1] * _PAIR + places[1:]
        found = np.searchsorted(self.model.pairs, codes)
        found[found == len(self.model.pairs)] = 0
        hit = self.model.pairs[found] == codes
        hit[starts[(starts > 0) & (starts < len(places))] - 1] = False
        at = np.flatnonzero(hit)
        gives[at, : len(self.names)] += self.model.pair_weights[found[at]]
        gives[at, -2] += self.model.pair_idf[found[at]] ** 2
        paired[at] = True
        return paired


def shares(logits: Floats) -> Floats:
    """Logits of answers that exclude each other (rows x answers) -> their probabilities."""
    raised: Floats = np.exp(logits - logits.max(1, keepdims=True))
    found: Floats = raised / raised.sum(1, keepdims=True)
    return found


def logistic(logits: Floats) -> Floats:
    """Logits -> probabilities, each by itself."""
    chances: Floats = 1 / (1 + np.exp(-np.clip(logits, -30, 30)))
    return chances


def pair(first: int, second: int) -> int:
    """A pair of places in `Model.words` as the number that `Model.pairs` holds."""
    return first * _PAIR + second


def pack(model: Model) -> bytes:
    """The model as one file: weights as whole numbers of -127..127 with a scale for each head, idf in 16 bits."""
    arrays: dict[str, npt.NDArray[np.generic]] = {}
    for name in ("word_weights", "pair_weights", "gram_weights"):
        weights = getattr(model, name)
        scale = np.maximum(np.abs(weights).reshape(-1, weights.shape[-1]).max(0), 1e-9) / 127
        arrays[name] = np.round(weights / scale).astype(np.int8)
        arrays[f"{name}_scale"] = scale.astype(np.float32)
    for name in ("word_idf", "pair_idf", "gram_idf"):
        arrays[name] = getattr(model, name).astype(np.float16)
    for name in ("pairs", "dense_weights", "bias", "slope", "shift"):
        arrays[name] = getattr(model, name)
    told = {"names": model.names, "version": model.version, "languages": model.languages}
    arrays["told"] = np.frombuffer(json.dumps(told).encode(), np.uint8)
    arrays["words"] = np.frombuffer("\n".join(model.words).encode(), np.uint8)
    file = BytesIO()
    np.savez_compressed(file, allow_pickle=False, **arrays)
    return file.getvalue()


def unpack(packed: bytes) -> Model:
    """The model of a file that `pack` wrote."""
    with np.load(BytesIO(packed), allow_pickle=False) as file:
        told = json.loads(file["told"].tobytes())
        weights = {
            name: file[name].astype(np.float32) * file[f"{name}_scale"]
            for name in ("word_weights", "pair_weights", "gram_weights")
        }
        idf = {name: file[name].astype(np.float32) for name in ("word_idf", "pair_idf", "gram_idf")}
        return Model(
            names=tuple(told["names"]),
            version=told["version"],
            languages=tuple(told["languages"]),
            words=tuple(file["words"].tobytes().decode().split("\n")),
            pairs=file["pairs"],
            dense_weights=file["dense_weights"],
            bias=file["bias"],
            slope=file["slope"],
            shift=file["shift"],
            **weights,
            **idf,
        )


def load_model() -> Model:
    """The model that ships with the package."""
    return unpack((resources.files("rapport.core.understand") / "models" / "heads.npz").read_bytes())
