"""Learns a team's own model: what people corrected and let stand goes in, a difference to the shipped heads comes out.

Corrections alone are a biased sample: only what was wrong is corrected, and a model learnt and judged on them alone
would just say the opposite. So readings that people saw and let stand are learnt from and judged on as well, as weaker
words.

Each reading is learnt by logistic regression over the words, pairs and stems of the texts, with the shipped log-odds as
an offset and the square of the weights held small (so that without evidence nothing changes), and is taken only if it
is better on texts that it was not learnt from; `judge` says what that means. Needs numpy alone.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from math import comb

import msgspec
import numpy as np
import numpy.typing as npt

from rapport.core.copies import ALIKE, Window, fingerprints, likeness, shingles
from rapport.core.post import Post
from rapport.core.reading import Reading
from rapport.core.thresholds import HOLDS, chance_of
from rapport.core.understand import Reader
from rapport.core.understand.corrected import EMOTIONS, INTENTS, MOODS, text_key
from rapport.core.understand.features import extract
from rapport.core.understand.grams import read_tokens
from rapport.core.understand.team import Difference, say, turn
from rapport.training.descent import minimise

Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]

#: Readings that can be learnt, and the heads that make each.
HEADS: dict[str, tuple[str, ...]] = {
    "sentiment": tuple(f"sentiment.{name}" for name in MOODS),
    **{f"emotion.{name}": (f"emotion.{name}",) for name in EMOTIONS},
    **{f"intent.{name}": (name,) for name in INTENTS},
    **{name: (name,) for name in ("urgency", "personal", "irony", "offensive", "hate", "spam")},
}
#: Texts that must be corrected in one reading, and texts on which it must have stood, before it is learnt.
LEAST_CORRECTED, LEAST_STOOD = 30, 60
#: Every text is left out once of so many; those that say nearly the same are left out together.
FOLDS = 5
#: How much a reading that was let stand weighs beside one that was corrected: not everybody mends what they see.
STOOD = 0.5
#: How far rare answers are raised: 0 not at all, 1 until all weigh alike. The shipped heads are learnt with 1, so that
#: nothing is missed for being rare; what a team sees says how rare things are with them.
BALANCE = 0.5
#: How strongly weights are held at nothing.
HOLD = 30.0
#: Texts that must hold a feature to be learnt.
MIN_TEXTS = 2
#: Weights of which each moves no text by so much are left out of what is kept.
LEAST_WEIGHT = 1e-3
#: How surely a reading must be better to be taken.
LEVEL = 0.01
#: Of what the shipped model finds of one answer, the share that must not be lost.
MOST_LOST = 0.25
_SURE = 1e-4


class Said(msgspec.Struct, frozen=True):
    """One reading of one post, as people corrected it or let it stand."""

    post: Post
    #: one of core.understand.corrected.READINGS, and its value as kept there
    reading: str
    value: str
    corrected: bool


class Figures(msgspec.Struct, frozen=True):
    """How one reading was judged, on texts that were left out when it was learnt."""

    reading: str
    #: texts that were corrected, and texts on which the reading stood
    corrected: int
    stood: int
    #: of the corrected ones, how many the shipped model and the team's read as corrected
    shipped_right: int = 0
    team_right: int = 0
    #: of the corrected ones, those that only the team's reads as corrected, and those that only the shipped one does
    mended: int = 0
    spoilt: int = 0
    #: of those that stood, how many the shipped model and the team's read as they stood
    shipped_kept: int = 0
    team_kept: int = 0
    #: of those that stood, how many only the team's reads otherwise, and only the shipped one
    overturned: int = 0
    restored: int = 0
    #: how likely so much would come by chance: better on the corrected ones, and on all
    chance_corrected: float = 1.0
    chance_all: float = 1.0
    chance_told_apart: float = 1.0
    #: whether it was learnt and judged at all
    tried: bool = False
    taken: bool = False
    #: why not: "few corrected", "few stood", "not better", "overturns", "gives up"
    reason: str = ""


class Lesson(msgspec.Struct, frozen=True):
    """What came of it: figures of every reading that somebody corrected, and the difference, where any is taken."""

    figures: tuple[Figures, ...]
    difference: Difference | None


class _Texts(msgspec.Struct, frozen=True, eq=False):
    """Every text once, as the features that it says: rows of a sparse matrix."""

    features: list[str]
    values: Floats
    columns: Numbers
    #: (texts + 1,) where the cells of each text begin
    bounds: Numbers
    #: (features,) what a feature counts for by how rare it is
    rarity: Floats


def learn(
    said: Sequence[Said], reader: Reader, log: Callable[[str, int, int], object] = lambda name, done, of: None
) -> Lesson:
    """What is to be learnt beside the shipped `reader`. The same words give the same lesson, in whatever order they are
    told. `log(reading, done, of)` is told how far it is.
    """
    posts, rows = _gather(said)
    folds = fold([post.text for post in posts])
    readings = reader.read(posts)
    texts = _cut([post.text for post in posts])
    figures: list[Figures] = []
    taken: dict[str, Floats] = {}
    wanted = [name for name in HEADS if name in rows and any(one.corrected for one in rows[name].values())]
    for done, name in enumerate(wanted):
        log(name, done, len(wanted))
        found = _learn_one(name, rows[name], readings, texts, folds)
        figures.append(found[0])
        if found[1] is not None:
            taken[name] = found[1]
    return Lesson(tuple(figures), _difference(taken, texts, reader.version) if taken else None)


def _gather(said: Sequence[Said]) -> tuple[list[Post], dict[str, dict[int, Said]]]:
    """Every text once, and for each reading what was said of which text; a correction wins over what was let stand."""
    keyed = sorted(((text_key(one.post.text), one) for one in said), key=lambda pair: (pair[0], not pair[1].corrected))
    places: dict[str, int] = {}
    posts: list[Post] = []
    rows: dict[str, dict[int, Said]] = defaultdict(dict)
    for key, one in keyed:
        if key and one.reading in HEADS:
            if key not in places:
                places[key] = len(posts)
                posts.append(one.post)
            rows[one.reading].setdefault(places[key], one)
    return posts, rows


def fold(texts: Sequence[str]) -> Numbers:
    """Which of `FOLDS` parts each text is in, by its words; texts that say nearly the same are in the same one."""
    family = list(range(len(texts)))

    def root(place: int) -> int:
        while family[place] != place:
            family[place] = family[family[place]]
            place = family[place]
        return place

    plain: dict[str, int] = {}
    for place, text in enumerate(texts):
        family[root(place)] = root(plain.setdefault(_plain(text), place))
    window, moment = Window(len(texts) + 1), dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
    cut = [frozenset(shingles(text)) for text in texts]
    for place, digest in enumerate(fingerprints(texts)):
        if digest:
            for other in window.near(digest):
                if likeness(cut[place], cut[other]) >= ALIKE:
                    family[root(place)] = root(other)
            window.add(place, digest, moment)
    names: dict[int, str] = {}
    for place, text in enumerate(texts):
        name = _plain(text)
        names[root(place)] = min(name, names.get(root(place), name))
    return np.array([int(hashlib.sha256(names[root(place)].encode("utf-8", "surrogatepass")).hexdigest(), 16) % FOLDS
                     for place in range(len(texts))], np.int64)  # fmt: skip


def _plain(text: str) -> str:
    """The words alone: without handles, links, numbers and signs."""
    return " ".join(t for t in read_tokens(extract(text)) if t not in ("@", "http", "0") and t[0].isalnum()) or text


def _cut(texts: Sequence[str]) -> _Texts:
    """The features that at least `MIN_TEXTS` texts hold, weighed by how rare they are among them."""
    counted: list[Counter[str]] = []
    lengths: list[int] = []
    held: Counter[str] = Counter()
    for text in texts:
        tokens = read_tokens(extract(text))
        counted.append(Counter(say(tokens, turn(tokens))))
        lengths.append(max(1, len(tokens)))
        held.update(counted[-1].keys())
    places = {name: at for at, name in enumerate(sorted(name for name, n in held.items() if n >= MIN_TEXTS))}
    rarity = [float(np.log((1 + len(texts)) / (1 + held[name]))) for name in places]
    columns: list[int] = []
    values: list[float] = []
    bounds = [0]
    for said, length in zip(counted, lengths, strict=True):
        kept = [(places[name], count) for name, count in said.items() if name in places]
        columns += [at for at, _ in kept]
        values += [count * rarity[at] / length**0.5 for at, count in kept]
        bounds.append(len(columns))
    return _Texts(
        list(places), np.array(values), np.array(columns, np.int64), np.array(bounds, np.int64), np.array(rarity)
    )


class _Cells(msgspec.Struct, frozen=True, eq=False):
    """Some texts as a sparse matrix: the cells in a row each, with the place of their text."""

    values: Floats
    columns: Numbers
    texts: Numbers
    count: int

    def times(self, weights: Floats) -> Floats:
        """(texts, heads) what the weights (features, heads) say of each text."""
        return np.stack(
            [np.bincount(self.texts, self.values * of[self.columns], self.count) for of in weights.T], axis=1
        )

    def back(self, errors: Floats, width: int) -> Floats:
        """(features, heads) how the errors (texts, heads) lie on the features."""
        return np.stack([np.bincount(self.columns, self.values * of[self.texts], width) for of in errors.T], axis=1)


def _pick(texts: _Texts, places: Numbers) -> _Cells:
    sizes = np.diff(texts.bounds)[places]
    cells = np.repeat(texts.bounds[places] - np.cumsum(sizes) + sizes, sizes) + np.arange(sizes.sum())
    return _Cells(texts.values[cells], texts.columns[cells], np.repeat(np.arange(len(places)), sizes), len(places))


class _Task(msgspec.Struct, frozen=True, eq=False):
    """One reading of the texts that somebody said it of."""

    #: places of the texts
    places: Numbers
    #: (texts, heads) log-odds of the shipped model
    offset: Floats
    #: (texts,) place of the mood, or 1 and 0
    truth: Numbers
    corrected: npt.NDArray[np.bool_]

    def some(self, rows: npt.NDArray[np.bool_]) -> _Task:
        """Only these rows."""
        return _Task(self.places[rows], self.offset[rows], self.truth[rows], self.corrected[rows])


def _task(name: str, rows: Mapping[int, Said], readings: Sequence[Reading]) -> _Task:
    places = sorted(rows)
    if name == "sentiment":
        felt = [readings[place].sentiment for place in places]
        offset = np.log(np.clip([[one.negative, one.neutral, one.positive] for one in felt], _SURE, 1))
        truth = [MOODS.index(rows[place].value) for place in places]
    else:
        chances = np.array([[chance_of(readings[place], name)] for place in places])
        chances = np.clip(chances, _SURE, 1 - _SURE)
        offset = np.log(chances / (1 - chances))
        truth = [int(rows[place].value == "true") for place in places]
    corrected = [rows[place].corrected for place in places]
    return _Task(np.array(places, np.int64), offset, np.array(truth, np.int64), np.array(corrected, np.bool_))


def answers(logits: Floats) -> Numbers:
    """(texts,) what is read: the place of the mood, or 1 and 0."""
    if logits.shape[1] > 1:
        return np.asarray(logits.argmax(1), np.int64)
    return np.asarray(logits[:, 0] >= np.log(HOLDS / (1 - HOLDS)), np.int64)


def _weigh(task: _Task) -> Floats:
    """(texts,) how much each counts; together as much as without the balance."""
    plain = np.where(task.corrected, 1.0, STOOD)
    weight = plain * (plain.sum() / np.bincount(task.truth, plain)[task.truth]) ** BALANCE
    balanced: Floats = weight * (plain.sum() / weight.sum())
    return balanced


def _fit(texts: _Texts, task: _Task) -> Floats:
    """(features + 1, heads) weights, the last row for every text. Only features of corrected texts get one."""
    cells = _pick(texts, task.places)
    width, heads = len(texts.features), task.offset.shape[1]
    useful = np.zeros(width, np.bool_)
    useful[cells.columns[task.corrected[cells.texts]]] = True
    kept = useful[cells.columns]
    place = np.cumsum(useful) - 1
    cells = _Cells(cells.values[kept], place[cells.columns[kept]], cells.texts[kept], cells.count)
    weight = _weigh(task)[:, None]
    wanted = np.eye(heads)[task.truth] if heads > 1 else task.truth[:, None].astype(float)
    size = int(useful.sum())

    def loss(guess: Floats) -> tuple[float, Floats]:
        logits = task.offset + cells.times(guess[:-1]) + guess[-1]
        if heads > 1:
            top = logits.max(1, keepdims=True)
            total = top + np.log(np.exp(logits - top).sum(1, keepdims=True))
            chances = np.exp(logits - total)
            lost = (total[:, 0] - (wanted * logits).sum(1)) @ weight[:, 0]
        else:
            chances = 1 / (1 + np.exp(-np.clip(logits, -30, 30)))
            lost = float((weight * (np.logaddexp(0, logits) - wanted * logits)).sum())
        errors = weight * (chances - wanted)
        slope = np.concatenate([cells.back(errors, size), errors.sum(0, keepdims=True)]) + HOLD * guess
        return float(lost + HOLD / 2 * (guess**2).sum()), slope

    found = minimise(loss, np.zeros((size + 1, heads)))
    weights = np.zeros((width + 1, heads))
    weights[np.flatnonzero(useful)] = found[:-1]
    weights[-1] = found[-1]
    return weights


def _learn_one(
    name: str,
    rows: Mapping[int, Said],
    readings: Sequence[Reading],
    texts: _Texts,
    folds: Numbers,
) -> tuple[Figures, Floats | None]:
    """The figures of one reading, and its weights if it is taken."""
    task = _task(name, rows, readings)
    corrected = int(task.corrected.sum())
    told = Figures(name, corrected, len(task.places) - corrected)
    reason = (
        "few corrected" if told.corrected < LEAST_CORRECTED
        else "few stood" if told.stood < LEAST_STOOD
        else ""
    )  # fmt: skip
    if reason:
        return msgspec.structs.replace(told, reason=reason), None
    said = np.zeros_like(task.offset)
    for part in range(FOLDS):
        left = folds[task.places] == part
        weights = _fit(texts, task.some(~left))
        said[left] = _pick(texts, task.places[left]).times(weights[:-1]) + weights[-1]
    found = judge(name, answers(task.offset), answers(task.offset + said), task.truth, task.corrected)
    return found, _fit(texts, task) if found.taken else None


def judge(name: str, shipped: Numbers, team: Numbers, truth: Numbers, corrected: npt.NDArray[np.bool_]) -> Figures:
    """Whether the team's model is taken for one reading; what both answer on texts that were left out.

    Four things must hold, the first three each at `LEVEL`:

    - On corrected texts it is better: of those that only one of both reads as corrected, it reads more than the other
      (exact sign test, which for two answers is McNemar's).
    - On all texts together it is better, the same test: on those that stood it overturns less than it mends.
    - It tells apart what is wrong from what is right: it says something else than the shipped one more often on
      texts that were corrected than on those that stood (Fisher's exact test). Whoever answers at random does not.
    - It gives no answer up: of the texts of each answer (such as negative) it does not lose more than `MOST_LOST` of
      what the shipped one finds.
    """
    was, now = shipped == truth, team == truth
    stood = ~corrected
    mended, spoilt = int((corrected & now & ~was).sum()), int((corrected & was & ~now).sum())
    restored, overturned = int((stood & now & ~was).sum()), int((stood & was & ~now).sum())
    moved = team != shipped
    chance_corrected = sign_test(mended, spoilt)
    chance_all = sign_test(mended + restored, spoilt + overturned)
    apart = fisher_test(
        int((corrected & moved).sum()), int(corrected.sum()), int((stood & moved).sum()), int(stood.sum())
    )
    better = chance_corrected < LEVEL
    kept = not any(_gives_up(was[truth == answer], now[truth == answer]) for answer in set(truth.tolist()))
    taken = better and chance_all < LEVEL and apart < LEVEL and kept
    reason = "" if taken else "not better" if not better else "overturns" if kept else "gives up"
    return Figures(
        name, int(corrected.sum()), int(stood.sum()),
        int((corrected & was).sum()), int((corrected & now).sum()), mended, spoilt,
        int((stood & was).sum()), int((stood & now).sum()), overturned, restored,
        chance_corrected, chance_all, apart, True, taken, reason,
    )  # fmt: skip


def _gives_up(was: npt.NDArray[np.bool_], now: npt.NDArray[np.bool_]) -> bool:
    """Whether far fewer texts of one answer are found now, and not by chance."""
    lost, won = int((was & ~now).sum()), int((now & ~was).sum())
    return lost - won > MOST_LOST * was.sum() and sign_test(lost, won) < LEVEL


def sign_test(better: int, worse: int) -> float:
    """How likely at least so many of the differences would speak for it if each were the toss of a coin."""
    tosses = better + worse
    ways = sum(comb(tosses, heads) for heads in range(better, tosses + 1))
    return float(ways / 2**tosses)


def fisher_test(hits: int, of: int, others: int, of_others: int) -> float:
    """How likely at least so many `hits` would fall among the first `of` if all were equally often hit (one-sided)."""
    total = hits + others
    ways = sum(comb(of, k) * comb(of_others, total - k) for k in range(hits, min(of, total) + 1))
    return ways / comb(of + of_others, total)


def _difference(taken: Mapping[str, Floats], texts: _Texts, beside: str) -> Difference:
    weights = np.concatenate([taken[name] for name in taken], axis=1)
    said = weights[:-1] * texts.rarity[:, None]
    kept = np.flatnonzero(np.abs(said).max(1) >= LEAST_WEIGHT)
    return Difference(
        names=tuple(head for name in taken for head in HEADS[name]),
        beside=beside,
        features=tuple(texts.features[place] for place in kept),
        weights=said[kept].astype(np.float32),
        shift=weights[-1].astype(np.float32),
    )
