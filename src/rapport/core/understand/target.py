"""The mood toward one target of a text, where it may differ from the mood of the whole.

A text that praises one brand and damns another has two moods. `scope` says which words are about the target; a linear
model weighs the mood of these words as the heads read them, the words themselves by where they stand beside the target,
and what the word lists say of them. What a comparison means for each side ("better than it") follows from the mood of
its clause. Weights come from `rapport train --only target` (docs/reference/model-card-target.md).
"""

from __future__ import annotations

import json
import re
from collections.abc import Container, Mapping, Sequence
from functools import cache
from importlib import resources
from io import BytesIO
from itertools import pairwise

import msgspec
import numpy as np
import numpy.typing as npt

from rapport.core.reading import Sentiment
from rapport.core.understand.deep import DeepReader
from rapport.core.understand.features import Features, extract
from rapport.core.understand.grams import ends, negates, reached, read_tokens
from rapport.core.understand.heads import Floats, Heads, Scored, shares
from rapport.core.understand.listed import Listed, list_words
from rapport.core.understand.reasons import Explainer
from rapport.core.understand.scope import MARK, OTHER, Scope
from rapport.core.understand.vocabulary import Vocabulary, load_vocabularies

__all__ = ["MARK", "Felt", "TargetModel", "TargetReader", "load_target_model", "load_target_reader", "pack", "unpack"]

MOODS = ("negative", "neutral", "positive")
#: How much the model counts beside the heads' reading of the target's own words, in log-odds: the model knows more of
#: people and things that are talked about, the heads more of service. Chosen on the validation parts.
WEIGHT = 0.5
#: How much the transformer counts beside both, where it has learnt the task "target". Chosen on the validation parts.
DEEP_WEIGHT = 0.7
#: The task of the transformer.
TASK = "target"
#: Odds that whoever a comparison holds up is praised and the other blamed, where its words do not say; and what is left
#: of the neutral share, because few compare and mean nothing by it.
LEAN, UNMOVED = 2.0, 0.3
#: Tokens from the target up to which a word counts as beside it, and within which the word lists do.
BESIDE, NEAR = 3, 6
#: The longest text is as long as this, in tokens, as far as its length counts.
LONG = 30
#: Mentions of the target that words are held against; nobody names a brand more often but to break something.
MOST_PLACES = 20
#: Dense features: see `TargetReader.dense`.
DENSE = 23
_LEAST = 1e-4
_DECIMALS = 4
_QUOTED = re.compile(r"'(.+?)'(?=, |$)")


class Felt(msgspec.Struct, frozen=True):
    """What was read of one target."""

    sentiment: Sentiment
    #: the words that carried it, as the author wrote them in lower case
    words: tuple[str, ...] = ()
    #: the text compares, or what is about the target and what is about others feels the opposite
    apart: bool = False
    #: it compares, or the model and the heads feel the same of what is about the target, and it is not neutral
    clear: bool = False


class TargetModel(msgspec.Struct, frozen=True, eq=False):
    """The weights; columns are `MOODS`."""

    version: str
    #: feature of `bag` -> its row
    places: dict[str, int]
    #: (features,)
    idf: Floats
    #: (features, 3)
    weights: Floats
    #: (`DENSE`, 3)
    dense: Floats
    #: (3,)
    bias: Floats
    #: calibration: log-odds = slope * log-odds + shift
    slope: float
    shift: Floats


class Looked(msgspec.Struct, frozen=True, eq=False):
    """Texts as the heads and the word lists read them."""

    features: list[Features]
    listed: list[Listed]
    #: (texts, 3) probabilities
    moods: Floats
    #: what the heads said
    scored: Scored


class TargetReader:
    """Reads what is felt toward targets. Stateless but for its weights."""

    def __init__(
        self,
        model: TargetModel | None,
        heads: Heads,
        vocabularies: Mapping[str, Vocabulary],
        deep: Sequence[DeepReader] = (),
    ) -> None:
        """Without a model the heads alone read the target's own words: so it is while a model is learnt."""
        self._model = model
        self._heads = heads
        self._vocabularies = vocabularies
        self._deep = [reader for reader in deep if TASK in reader.tasks]
        self._places = [heads.names.index(f"sentiment.{mood}") for mood in MOODS]
        self._explain = Explainer(heads)

    @property
    def ordinary(self) -> Container[str]:
        """Folded words that many texts use, so that a capital makes no name of them."""
        return self._heads.vocabulary

    def read(self, scopes: Sequence[Scope], languages: Sequence[str]) -> list[Felt]:
        """What each text feels toward its target; `languages` as ISO 639-1. Never raises on any text."""
        if not scopes:
            return []
        own = self.look([scope.compared if scope.side else scope.own for scope in scopes], languages)
        rest = self.look([scope.rest for scope in scopes], languages).moods
        logits = self._logits(scopes, languages, own, rest)
        self._ask_deep(scopes, languages, logits)
        felt = shares(logits)
        for place, scope in enumerate(scopes):
            if scope.side:
                felt[place] = _held(felt[place], scope.side)
        words = self._reasons(scopes, own, felt)
        labels, heads = felt.argmax(1), own.moods.argmax(1)
        opposed = np.abs(heads - rest.argmax(1)) == 2  # negative and positive, either way
        agreed = (labels == heads) & (labels != 1)
        return [
            Felt(
                sentiment=_sentiment(mood),
                words=said,
                apart=bool(scope.side) or (bool(scope.rest) and bool(opposite)),
                clear=bool(scope.side) or bool(same),
            )
            for mood, said, scope, opposite, same in zip(
                np.round(felt, _DECIMALS), words, scopes, opposed, agreed, strict=True
            )
        ]

    def _logits(self, scopes: Sequence[Scope], languages: Sequence[str], own: Looked, rest: Floats) -> Floats:
        """Log-odds of `MOODS`, texts x 3: of the clause that compares where there is one, before it is turned."""
        found: Floats = np.log(np.maximum(own.moods, _LEAST))
        rows = [
            place for place, scope in enumerate(scopes) if self._model and not scope.side and languages[place] == "en"
        ]
        if self._model is None or not rows:
            return found
        model, some = self._model, [scopes[place] for place in rows]
        features, listed = [own.features[at] for at in rows], [own.listed[at] for at in rows]
        said = self.dense(some, Looked(features, listed, own.moods[rows], own.scored), rest[rows])
        said = said @ model.dense + model.bias
        for place, (one, scope) in enumerate(zip(features, some, strict=True)):
            said[place] += _weigh(bag(one, scope.rest), model)
        ours = WEIGHT * np.log(np.maximum(shares(said), _LEAST)) + (1 - WEIGHT) * found[rows]
        found[rows] = model.slope * ours + model.shift
        return found

    def look(self, texts: Sequence[str], languages: Sequence[str]) -> Looked:
        """Read some texts with the heads."""
        features = [extract(text) for text in texts]
        listed = [
            list_words(self._vocabularies.get(language, self._vocabularies[""]), one)
            for one, language in zip(features, languages, strict=True)
        ]
        scored = self._heads.score(texts, features, [one.sums for one in listed], languages)
        return Looked(features, listed, shares(scored.logits[:, self._places]), scored)

    def dense(self, scopes: Sequence[Scope], own: Looked, rest: Floats) -> Floats:
        """The dense features, texts x `DENSE`: the moods of the whole, of the target's own words and of the rest as
        log-odds; whether there is more than the own words; feelings of the word lists by where they stand. `rest`: the
        moods of the rest. English alone.
        """
        whole = self.look([scope.whole for scope in scopes], ["en"] * len(scopes))
        has_rest = np.array([[float(bool(scope.rest))] for scope in scopes])
        parted = np.array([[float(scope.own != scope.whole)] for scope in scopes])
        named = np.array([[float(scope.others)] for scope in scopes])
        felt, all_felt = _odds(own.moods), _odds(whole.moods)
        facts = [
            [
                *_placed(one, words),
                *_placed(all_words, of_all),
                float("?" in scope.whole),
                float("!" in scope.own),
                float("http" in scope.whole),
                min(len(one.words), LONG) / LONG,
            ]
            for scope, one, words, all_words, of_all in zip(
                scopes, own.features, own.listed, whole.features, whole.listed, strict=True
            )
        ]
        parts = [all_felt * (1 - parted), all_felt * parted, felt * parted, _odds(rest) * has_rest]
        return np.hstack([*parts, has_rest, named, parted, np.array(facts)])

    def _ask_deep(self, scopes: Sequence[Scope], languages: Sequence[str], logits: Floats) -> None:
        for reader in self._deep:
            rows = [place for place, scope in enumerate(scopes) if not scope.side and reader.reads(languages[place])]
            if rows:
                # it has seen few texts with two moods: of such a text it reads what is about the target
                texts = [scopes[place].own if scopes[place].rest else scopes[place].whole for place in rows]
                said = np.log(np.maximum(reader.read(texts)[TASK], _LEAST))
                ours = np.log(np.maximum(shares(logits[rows]), _LEAST))
                logits[rows] = DEEP_WEIGHT * said + (1 - DEEP_WEIGHT) * ours
            return

    def _reasons(self, scopes: Sequence[Scope], own: Looked, felt: Floats) -> list[tuple[str, ...]]:
        """The words of the target's clauses that speak for what was found: of a comparison, those that were turned."""
        moods = np.array([mood[::-1] if scope.side < 0 else mood for mood, scope in zip(felt, scopes, strict=True)])
        nothing = np.zeros((len(scopes), len(self._heads.names)))
        lines = self._explain.batch(own.features, own.listed, own.scored, moods, nothing)
        return [
            tuple(word for line in some for word in _QUOTED.findall(line) if MARK not in word and OTHER not in word)
            for some in lines
        ]


def bag(features: Features, rest: str) -> set[str]:
    """The words of the target's own text, by where they stand beside it, and those of the rest."""
    tokens, at = _turned(features)
    found = {f"o {token}" for token in tokens if token != MARK}
    found |= {f"o {a} {b}" for a, b in pairwise(tokens)}
    for place, token in enumerate(tokens):
        near = min((place - one for one in at), key=abs, default=LONG)
        if token != MARK and abs(near) <= BESIDE:
            found.add(f"{'L' if near < 0 else 'R'} {token}")
            if abs(near) == 1:
                found.add(f"{near} {token}")
    for one in at:
        found.add(f"< {' '.join(tokens[max(0, one - 2) : one])}")
        found.add(f"> {' '.join(tokens[one + 1 : one + 3])}")
    if rest:
        tokens, _ = _turned(extract(rest))
        found |= {f"r {token}" for token in tokens} | {f"r {a} {b}" for a, b in pairwise(tokens)}
    return found


def _turned(features: Features) -> tuple[list[str], list[int]]:
    """The tokens, marked where a negator reaches them, and the places of the target."""
    tokens = read_tokens(features)
    if not tokens:
        return [], []
    flags = reached(
        np.array([negates(token) for token in tokens], bool),
        np.array([ends(token) for token in tokens], bool),
        np.zeros(1, np.int64),
    )
    marked = [
        token if token == MARK else f"{token}!" if flag else token for token, flag in zip(tokens, flags, strict=True)
    ]
    return marked, [place for place, token in enumerate(marked) if token == MARK][:MOST_PLACES]


def _weigh(found: set[str], model: TargetModel) -> Floats:
    rows = [place for place in map(model.places.get, sorted(found)) if place is not None]
    if not rows:
        return np.zeros(len(MOODS))
    idf = model.idf[rows]
    total: Floats = (idf / np.sqrt((idf**2).sum())) @ model.weights[rows]
    return total


def _odds(moods: Floats) -> Floats:
    """Probabilities -> log-odds of negative and of positive against neutral."""
    logs = np.log(np.maximum(moods, _LEAST))
    return np.stack([logs[:, 0] - logs[:, 1], logs[:, 2] - logs[:, 1]], axis=1)


def _placed(features: Features, listed: Listed) -> list[float]:
    """How bad and how good the words feel, the nearer to the target the more; then bad and good before it and after."""
    at = [place for place, word in enumerate(features.words) if word == MARK][:MOST_PLACES]
    sums = [0.0] * 6
    for strength, hit in listed.feeling.words:
        far = min((hit.start - one for one in at), key=abs, default=LONG)
        good = int(strength > 0)
        sums[good] += abs(strength) / (1 + abs(far) / 4)
        if abs(far) <= NEAR:
            sums[2 + good + (2 if far >= 0 else 0)] += abs(strength)
    return [one / (one + 2) for one in sums]


def _held(felt: Floats, side: int) -> Floats:
    """The moods of a comparison, seen from the one that it holds up (side 1) or the other (-1)."""
    seen = felt.copy() if side > 0 else felt[::-1].copy()
    seen *= (1.0, UNMOVED, LEAN) if side > 0 else (LEAN, UNMOVED, 1.0)
    total: Floats = seen / seen.sum()
    return total


def _sentiment(mood: Floats) -> Sentiment:
    negative, positive = float(mood[0]), float(mood[2])
    neutral = round(1.0 - negative - positive, _DECIMALS)
    label = max(("neutral", neutral), ("negative", negative), ("positive", positive), key=lambda item: item[1])[0]
    return Sentiment(label, negative, neutral, positive)


def pack(model: TargetModel) -> bytes:
    """The model as one file: weights as whole numbers of -127..127 with a scale for each mood."""
    scale = np.maximum(np.abs(model.weights).max(0), 1e-9) / 127
    arrays: dict[str, npt.NDArray[np.generic]] = {
        "weights": np.round(model.weights / scale).astype(np.int8),
        "scale": scale.astype(np.float32),
        "idf": model.idf.astype(np.float16),
        "dense": model.dense.astype(np.float32),
        "bias": model.bias.astype(np.float32),
        "calibration": np.array([model.slope, *model.shift], np.float32),
        "told": np.frombuffer(json.dumps({"version": model.version}).encode(), np.uint8),
        "words": np.frombuffer("\n".join(model.places).encode(), np.uint8),
    }
    file = BytesIO()
    np.savez_compressed(file, allow_pickle=False, **arrays)
    return file.getvalue()


def unpack(packed: bytes) -> TargetModel:
    """The model of a file that `pack` wrote."""
    with np.load(BytesIO(packed), allow_pickle=False) as file:
        words = file["words"].tobytes().decode().split("\n")
        calibration = file["calibration"].astype(np.float64)
        return TargetModel(
            version=json.loads(file["told"].tobytes())["version"],
            places={word: place for place, word in enumerate(words)},
            idf=file["idf"].astype(np.float64),
            weights=file["weights"].astype(np.float64) * file["scale"],
            dense=file["dense"].astype(np.float64),
            bias=file["bias"].astype(np.float64),
            slope=float(calibration[0]),
            shift=calibration[1:],
        )


def load_target_model() -> TargetModel:
    """The model that ships with the package."""
    return unpack((resources.files("rapport.core.understand") / "models" / "target.npz").read_bytes())


@cache
def _load(heads: Heads, deep: tuple[DeepReader, ...]) -> TargetReader:
    return TargetReader(load_target_model(), heads, load_vocabularies(), deep)


def load_target_reader(heads: Heads, deep: Sequence[DeepReader] = ()) -> TargetReader:
    """The reader with the model that ships; one for all who ask with the same heads."""
    return _load(heads, tuple(deep))
