"""Fits the sparse heads: examples in, `heads.Model` out. The features are those that the product reads by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise

import msgspec
import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.sparse import csr_matrix
from scipy.special import logsumexp
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from rapport.core.understand.features import extract
from rapport.core.understand.grams import BUCKETS, TRAITS, buckets, ends, negates, reached, read_tokens, traits
from rapport.core.understand.heads import Model, dense, pair
from rapport.core.understand.listed import LISTED, list_words
from rapport.core.understand.vocabulary import Vocabulary, load_vocabularies
from rapport.training.examples import BY_HAND, EMOTION, SENTIMENT, TRAIN, Example

Floats = npt.NDArray[np.float64]

#: Texts that a word, a turned word or a pair must stand in to be learnt.
MIN_WORD, MIN_TURNED, MIN_PAIR = 3, 3, 4
#: Languages with a bias of their own.
LANGUAGES = ("en", "es", "fr", "de", "it", "pt", "ar", "hi")
FOLDS = 5


class Task(msgspec.Struct, frozen=True):
    """How one reading is learnt."""

    #: the head, as a reading calls it
    head: str
    #: of which task of the examples, and which label counts as true
    task: str
    label: int
    #: inverse of the strength of regularisation, chosen on the validation parts
    strength: float = 1.0
    #: sets that are not learnt from: too far from what people write to a brand
    without: frozenset[str] = frozenset()

    def takes(self, one: Example) -> bool:
        """Whether it learns from this example."""
        return one.task == self.task and one.source not in self.without


TASKS = (
    *(Task(f"sentiment.{name}", "sentiment", place, 1.0) for place, name in enumerate(SENTIMENT)),
    *(Task(f"emotion.{name}", "emotion", place, 1.0) for place, name in enumerate(EMOTION)),
    *(Task(name, name, 1, 1.0) for name in ("irony", "offensive", "hate", "complaint")),
    Task("spam", "spam", 1, 10.0),
    *(Task(name, name, 1, 3.0, frozenset({"clinc", "banking"})) for name in BY_HAND),
)


class Corpus:
    """Every text once, as the columns that the heads weigh."""

    def __init__(
        self, examples: Sequence[Example], vocabulary: Sequence[Example], vocabularies: Mapping[str, Vocabulary]
    ) -> None:
        """`examples` become rows; words, pairs and their frequencies are learnt from `vocabulary`."""
        self._vocabularies = vocabularies
        self._count(sorted({(one.text, one.language) for one in vocabulary}))
        self.rows: dict[tuple[str, str], int] = {}
        entries: list[tuple[list[int], list[float]]] = []
        for one in examples:
            key = (one.text, one.language)
            if key not in self.rows:
                self.rows[key] = len(entries)
                entries.append(self._row(*key))
        bounds = np.cumsum([0, *(len(columns) for columns, _ in entries)])
        self.matrix = csr_matrix(
            (
                np.array([value for _, values in entries for value in values]),
                np.array([column for columns, _ in entries for column in columns], np.int64),
                bounds,
            ),
            shape=(len(entries), self.width),
        )
        self.matrix.sum_duplicates()

    def _count(self, texts: Sequence[tuple[str, str]]) -> None:
        """Which words and pairs are learnt, and how rare they and the n-grams are."""
        words: Counter[str] = Counter()
        after: Counter[str] = Counter()
        pairs: Counter[tuple[str, str]] = Counter()
        grams = np.zeros(BUCKETS)
        for text, _ in texts:
            tokens, turned = _tokens(text)
            words.update({token for token, flag in zip(tokens, turned, strict=True) if not flag})
            after.update({token for token, flag in zip(tokens, turned, strict=True) if flag})
            pairs.update(set(pairwise(tokens)))
            grams[list({place for token in set(tokens) for place in buckets(token)})] += 1
        self.words = sorted(
            word for word in words.keys() | after.keys() if words[word] >= MIN_WORD or after[word] >= MIN_TURNED
        )
        self.place = {word: at for at, word in enumerate(self.words)}
        codes = {
            pair(self.place[a], self.place[b]): count
            for (a, b), count in pairs.items()
            if count >= MIN_PAIR and a in self.place and b in self.place
        }
        self.pairs = np.array(sorted(codes), np.int64)
        self.pair_at = {int(code): at for at, code in enumerate(self.pairs)}
        total = len(texts)
        self.word_idf = _stored(
            [[_idf(words[word], total, MIN_WORD), _idf(after[word], total, MIN_TURNED)] for word in self.words]
        )
        self.pair_idf = _stored([_idf(codes[int(code)], total, MIN_PAIR) for code in self.pairs])
        self.gram_idf = _stored(np.where(grams >= 2, np.log((1 + total) / (1 + grams)) + 1, 0.0))

    @property
    def width(self) -> int:
        return 2 * len(self.words) + len(self.pairs) + BUCKETS + len(LISTED) + len(TRAITS) + len(LANGUAGES)

    def _row(self, text: str, language: str) -> tuple[list[int], list[float]]:
        features = extract(text)
        tokens, turned = _tokens(text)
        of_words: list[tuple[int, float]] = []
        for token, flag in zip(tokens, turned, strict=True):
            at = self.place.get(token)
            if at is not None:
                of_words.append((2 * at + flag, self.word_idf[at, int(flag)]))
        first = 2 * len(self.words)
        for a, b in pairwise(tokens):
            if a in self.place and b in self.place:
                at = self.pair_at.get(pair(self.place[a], self.place[b]))
                if at is not None:
                    of_words.append((first + at, self.pair_idf[at]))
        first += len(self.pairs)
        of_grams = [(first + at, self.gram_idf[at]) for token in tokens for at in buckets(token)]
        first += BUCKETS
        listed = list_words(self._vocabularies.get(language, self._vocabularies[""]), features)
        facts = dense(listed.sums, traits(text, features, tokens), language, LANGUAGES)
        rest = [(first + at, value) for at, value in enumerate(facts) if value]
        cells = [*_scaled(of_words), *_scaled(of_grams), *rest]
        return [column for column, _ in cells], [value for _, value in cells]

    def pick(self, examples: Sequence[Example]) -> csr_matrix:
        """The rows of these examples."""
        return self.matrix[[self.rows[one.text, one.language] for one in examples]]


def _tokens(text: str) -> tuple[list[str], list[bool]]:
    tokens = read_tokens(extract(text))
    flags = reached(
        np.array([negates(token) for token in tokens], bool),
        np.array([ends(token) for token in tokens], bool),
        np.zeros(1, np.int64),
    )
    return tokens, flags.tolist()


def _idf(count: int, total: int, least: int) -> float:
    return float(np.log((1 + total) / (1 + count)) + 1) if count >= least else 0.0


def _stored(idf: npt.ArrayLike) -> Floats:
    """As it is stored: what is fitted is what is read."""
    return np.asarray(idf, np.float16).astype(np.float64)


def _scaled(cells: list[tuple[int, float]]) -> Iterable[tuple[int, float]]:
    length = float(np.sqrt(sum(value * value for _, value in cells)))
    return ((column, value / length) for column, value in cells if value) if length else ()


def fit(
    examples: Sequence[Example], version: str, tasks: Sequence[Task] = TASKS, log: Callable[[str], object] = print
) -> Model:
    """The model learnt from the training parts of the examples; calibrated on folds of them that were left out."""
    train = [one for one in examples if one.part == TRAIN]
    corpus = Corpus(train, train, load_vocabularies())
    learnt: list[tuple[Floats, float]] = []
    #: what each head says of its training texts when they were left out, and what is true
    left_out: list[tuple[Floats, npt.NDArray[np.int64]]] = []
    for task in tasks:
        rows = [one for one in train if task.takes(one)]
        if task.task == "emotion":
            rows += _without_emotion(train)
        truth = np.array([int(one.task == task.task and one.label == task.label) for one in rows])
        matrix = corpus.pick(rows)
        learner = _learner(task)
        apart = np.zeros(len(rows))
        for kept, left in StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(matrix, truth):
            apart[left] = _learner(task).fit(matrix[kept], truth[kept]).decision_function(matrix[left])
        learner.fit(matrix, truth)
        learnt.append((learner.coef_[0], float(learner.intercept_[0])))
        left_out.append((apart, truth))
        log(f"{task.head}: {len(rows)} texts, {truth.mean():.1%} true")
    slope, shift = _calibrations(tasks, left_out)
    weights = np.array([of_head for of_head, _ in learnt]).T
    return _model(corpus, tasks, weights, np.array([bias for _, bias in learnt]), slope, shift, version)


def _calibrations(
    tasks: Sequence[Task], left_out: Sequence[tuple[Floats, npt.NDArray[np.int64]]]
) -> tuple[Floats, Floats]:
    """Slope and shift of each head. The moods exclude each other, so theirs are found together."""
    found = [calibrate(*said) for said in left_out]
    moods = [place for place, task in enumerate(tasks) if task.task == "sentiment"]
    if moods:
        logits = np.stack([left_out[place][0] for place in moods], axis=1)
        truth = np.stack([left_out[place][1] for place in moods], axis=1).argmax(1)
        slope, shifts = calibrate_together(logits, truth)
        for place, shift in zip(moods, shifts, strict=True):
            found[place] = (slope, float(shift))
    return np.array([slope for slope, _ in found]), np.array([shift for _, shift in found])


def _learner(task: Task) -> LogisticRegression:
    return LogisticRegression(C=task.strength, class_weight="balanced", solver="liblinear", random_state=0)


def _without_emotion(train: Sequence[Example]) -> list[Example]:
    """Every sixth neutral tweet: the emotion set has a strong emotion in each text, a stream has not."""
    return [one for one in train if one.task == "sentiment" and one.label == 1 and one.source == "semeval"][::6]


def calibrate(logits: Floats, truth: npt.NDArray[np.int64]) -> tuple[float, float]:
    """Platt (1999): slope and shift that make logistic(slope * logit + shift) the probability of truth."""

    def loss(guess: Floats) -> float:
        x = guess[0] * logits + guess[1]
        return float(np.mean(np.logaddexp(0, x) - truth * x))

    found = minimize(loss, np.array([1.0, 0.0]), method="BFGS")
    return float(found.x[0]), float(found.x[1])


def calibrate_together(logits: Floats, truth: npt.NDArray[np.int64]) -> tuple[float, Floats]:
    """One slope and a shift for each answer that make softmax(slope * logits + shift) probabilities. Every answer
    weighs the same, however often it is true: what share of a brand's mentions is negative differs from brand to brand.
    """
    weight = 1 / np.bincount(truth)[truth]
    rows = np.arange(len(truth))

    def loss(guess: Floats) -> float:
        x = guess[0] * logits + np.append(guess[1:], 0.0)
        return float(np.average(logsumexp(x, axis=1) - x[rows, truth], weights=weight))

    found = minimize(loss, np.array([1.0, *[0.0] * (logits.shape[1] - 1)]), method="BFGS")
    return float(found.x[0]), np.append(found.x[1:], 0.0)


def _model(
    corpus: Corpus, tasks: Sequence[Task], weights: Floats, bias: Floats, slope: Floats, shift: Floats, version: str
) -> Model:
    words, pairs, heads = len(corpus.words), len(corpus.pairs), len(tasks)
    cut = np.cumsum([2 * words, pairs, BUCKETS])
    of_words, of_pairs, of_grams, of_facts = np.split(weights, cut)
    return Model(
        names=tuple(task.head for task in tasks),
        version=version,
        words=tuple(corpus.words),
        word_idf=corpus.word_idf.astype(np.float32),
        word_weights=(of_words.reshape(words, 2, heads) * corpus.word_idf[:, :, None]).astype(np.float32),
        pairs=corpus.pairs,
        pair_idf=corpus.pair_idf.astype(np.float32),
        pair_weights=(of_pairs * corpus.pair_idf[:, None]).astype(np.float32),
        gram_idf=corpus.gram_idf.astype(np.float32),
        gram_weights=(of_grams * corpus.gram_idf[:, None]).astype(np.float32),
        dense_weights=of_facts,
        bias=bias,
        languages=LANGUAGES,
        slope=slope,
        shift=shift,
    )
