"""Fits and measures the tables of `core/understand/profile.py` on labelled accounts (Cresci and others, WWW 2017).

    python -m rapport.training.accounts --data DIR           fit, measure by cross-validation, write the tables
    python -m rapport.training.accounts --measure FILE       measure the tables that ship on another file

Additive logistic regression by gradient boosting with single splits (Friedman 2001, "Greedy function approximation"):
a round looks for the one split of one figure that helps most and takes a tenth of it. The sum of all splits of a
figure is its steps. There is no chance in it: the same data make the same tables.
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rapport.core.errors import InvalidInput
from rapport.core.understand.profile import FILE, Profile, Steps, Table, load_tables, print_tables, read_figures

Floats = NDArray[np.float64]

#: where the labelled accounts lie, below the folder of data
SOURCE = Path("05_spam_bots") / "cresci2017_users.csv"
#: the accounts were collected over months, none later than this; their age is counted to here
COLLECTED = dt.datetime(2015, 5, 1, tzinfo=dt.UTC)

ROUNDS, RATE, BINS = 250, 0.1, 24
#: accounts on each side of a split, and how strongly steps are drawn to zero
LEAST, RIDGE = 25, 2.0
#: the figures of each table
CIRCLE = ("followers", "following", "ratio", "likeness", "fewer", "posts_per_following")
LIKED = ("likes", "likes_per_post", "listed_per_follower")
FIGURES_OF = {"liked": (*CIRCLE, "posts", *LIKED), "told": (*CIRCLE, "bio_length")}
#: Measured and left out. Of how a handle looks: this ring has long ones with two capitals, another may have digits. Of
#: the pace: this ring wrote little, so "writes often" would speak for a person. Of when they were made: three in five
#: of this ring in one month.
SHAPE = ("handle_length", "handle_digits", "handle_capitals")
PACE, AGE = ("posts_a_day", "follows_a_day"), ("age",)
#: Figures that may only speak one way, whatever these accounts say: to be followed, liked or listed, to write much or
#: to tell much about oneself is nowhere a sign of a machine.
ONE_WAY = {
    "bio_length": -1, "followers": -1, "fewer": 1, "following": 1, "posts": -1, "posts_per_following": -1,
    "likes": -1, "likes_per_post": -1, "listed_per_follower": -1,
}  # fmt: skip


class Account(NamedTuple):
    """One labelled account."""

    handle: str
    profile: Profile
    is_bot: bool
    language: str
    made_at: dt.datetime


def read_accounts(path: Path) -> list[Account]:
    """The accounts of a file in the layout of `SOURCE`. Raises `InvalidInput` for another one."""
    with path.open(encoding="utf-8", newline="") as file:
        try:
            return [_account(row) for row in csv.DictReader(file)]
        except (KeyError, ValueError) as error:
            raise InvalidInput(f"{path.name} has not the columns of {SOURCE.name}: {error}") from error


def _account(row: dict[str, str]) -> Account:
    made_at = dt.datetime.strptime(row["created_at"], "%a %b %d %H:%M:%S %z %Y")
    profile = Profile(
        bio=row["description"],
        followers=int(row["followers_count"] or 0),
        following=int(row["friends_count"] or 0),
        posts=int(row["statuses_count"] or 0),
        likes=int(row["favourites_count"] or 0),
        listed=int(row["listed_count"] or 0),
    )
    return Account(row["screen_name"], profile, row["label"] != "genuine", row["lang"], made_at)


def figures_of(accounts: Iterable[Account], names: Sequence[str]) -> Floats:
    """One row for each account, one column for each figure."""
    read = (read_figures(account.profile) | _left_out(account) for account in accounts)
    return np.array([[figures[name] for name in names] for figures in read], dtype=np.float64)


def _left_out(account: Account) -> dict[str, float]:
    digits = len(account.handle) - len(account.handle.rstrip("0123456789"))
    days = max(1.0, (COLLECTED - account.made_at) / dt.timedelta(days=1))
    posts, following = account.profile.posts or 0, account.profile.following or 0
    shape = (len(account.handle), digits, sum(map(str.isupper, account.handle)))
    return dict(zip((*SHAPE, *PACE, *AGE), (*shape, posts / days, following / days, days), strict=True))


def labels_of(accounts: Iterable[Account]) -> Floats:
    """1.0 for an automated account."""
    return np.array([float(account.is_bot) for account in accounts])


# ---------------------------------------------------------------- fitting


def fit(figures: Floats, labels: Floats, names: Sequence[str]) -> Table:
    """Figures (accounts x names) and labels -> a table."""
    edges = [_edges(figures[:, place]) for place in range(len(names))]
    places = [np.searchsorted(edges[place], figures[:, place], side="right") for place in range(len(names))]
    start = float(np.log(labels.mean() / (1 - labels.mean())))
    logits = np.full(len(labels), start)
    steps = [np.zeros(len(edge) + 1) for edge in edges]
    for _ in range(ROUNDS):
        odds = 1 / (1 + np.exp(-logits))
        slope, bend = labels - odds, odds * (1 - odds)
        found = [_best(places[at], len(steps[at]), slope, bend, ONE_WAY.get(names[at], 0)) for at in range(len(names))]
        at = max(range(len(names)), key=lambda place: found[place][0])
        _, cut, below, above = found[at]
        step = np.where(np.arange(len(steps[at])) <= cut, below, above) * RATE
        steps[at] += step
        logits += step[places[at]]
    return _centred(start, names, edges, steps, places)


def _edges(values: Floats) -> Floats:
    """Where a figure may be cut: its quantiles, each rounded to three digits and set between two values."""
    cuts = np.quantile(values, np.linspace(0, 1, BINS + 1)[1:-1], method="higher")
    return np.unique([float(f"{cut:.3g}") for cut in cuts])


def _best(
    places: NDArray[np.intp], size: int, slope: Floats, bend: Floats, way: int
) -> tuple[float, int, float, float]:
    """The split of one figure that gains most: gain, last bin below, and the steps below and above."""
    slopes = np.cumsum(np.bincount(places, slope, size))
    bends = np.cumsum(np.bincount(places, bend, size))
    counts = np.cumsum(np.bincount(places, minlength=size))
    below, above = slopes[:-1] / (bends[:-1] + RIDGE), (slopes[-1] - slopes[:-1]) / (bends[-1] - bends[:-1] + RIDGE)
    gain = slopes[:-1] * below + (slopes[-1] - slopes[:-1]) * above
    allowed = (counts[:-1] >= LEAST) & (counts[-1] - counts[:-1] >= LEAST)
    if way:
        allowed &= (above - below) * way >= 0
    if not allowed.any():
        return -1.0, 0, 0.0, 0.0
    cut = int(np.argmax(np.where(allowed, gain, -1.0)))
    return float(gain[cut]), cut, float(below[cut]), float(above[cut])


def _centred(
    start: float, names: Sequence[str], edges: list[Floats], steps: list[Floats], places: list[NDArray[np.intp]]
) -> Table:
    """A figure that is not known must add what it adds on average, which is then zero; equal steps become one."""
    made = {}
    for name, cuts, values, place in zip(names, edges, steps, places, strict=True):
        mean = float(values[place].mean())
        start += mean
        rounded = np.round(values - mean, 3)
        kept = [at for at in range(len(cuts)) if rounded[at] != rounded[at + 1]]
        if kept:
            made[name] = Steps(
                tuple(float(cuts[at]) for at in kept), tuple(float(rounded[at]) for at in [*kept, len(cuts)])
            )
    return Table(round(start, 3), made)


def judge(table: Table, figures: Floats, names: Sequence[str]) -> Floats:
    """The probability of each account."""
    logits = np.full(len(figures), table.start)
    for at, name in enumerate(names):
        if name in table.steps:
            steps = table.steps[name]
            logits += np.array(steps.values)[np.searchsorted(steps.edges, figures[:, at], side="right")]
    return np.asarray(1 / (1 + np.exp(-logits)))


# ---------------------------------------------------------------- measuring


def f1(labels: Floats, said: Floats) -> float:
    """The harmonic mean of precision and recall for automated accounts; `said` is cut at 0.5."""
    both = float(((said >= 0.5) & (labels == 1)).sum())
    return 2 * both / max(1.0, float((said >= 0.5).sum() + labels.sum()))


def f1_between(labels: Floats, said: Floats, draws: int = 1_000) -> tuple[float, float, float]:
    """F1 and the bounds within which it lies in 95 of 100 samples drawn with replacement (bootstrap, seeded)."""
    chance = np.random.default_rng(20_261_122)
    samples = (chance.integers(0, len(labels), len(labels)) for _ in range(draws))
    found = np.sort([f1(labels[sample], said[sample]) for sample in samples])
    return f1(labels, said), float(found[int(draws * 0.025)]), float(found[int(draws * 0.975)])


def cross_validate(accounts: Sequence[Account], names: Sequence[str], folds: int = 5, seed: int = 7) -> Floats:
    """What tables say of each account that were fitted on four fifths of the others."""
    figures, labels = figures_of(accounts, names), labels_of(accounts)
    said = np.zeros(len(labels))
    for left_out in _folds(labels, folds, seed):
        kept = np.setdiff1d(np.arange(len(labels)), left_out)
        said[left_out] = judge(fit(figures[kept], labels[kept], names), figures[left_out], names)
    return said


def _folds(labels: Floats, folds: int, seed: int) -> list[NDArray[np.intp]]:
    """Parts with the same share of automated accounts each."""
    chance = np.random.default_rng(seed)
    sides = [chance.permutation(np.flatnonzero(labels == side)) for side in (0, 1)]
    return [np.concatenate([side[at::folds] for side in sides]) for at in range(folds)]


def ring_unseen(accounts: Sequence[Account], names: Sequence[str], ring: Sequence[bool]) -> tuple[float, float]:
    """Fitted without the accounts of one ring and a fifth of the people: how many of both are called automated."""
    figures, labels = figures_of(accounts, names), labels_of(accounts)
    of_ring = np.array(ring) & (labels == 1)
    people = np.random.default_rng(1).permutation(np.flatnonzero(labels == 0))
    people = people[: len(people) // 5]
    kept = np.setdiff1d(np.flatnonzero(~of_ring), people)
    said = judge(fit(figures[kept], labels[kept], names), figures, names)
    return float((said[of_ring] >= 0.5).mean()), float((said[people] >= 0.5).mean())


#: what is left out or added, to see how much rests on it
ABLATIONS = {
    "liked (ships)": FIGURES_OF["liked"],
    "liked, with the pace": (*FIGURES_OF["liked"], *PACE),
    "liked, with the pace and the age": (*FIGURES_OF["liked"], *PACE, *AGE),
    "liked, with the shape of the handle": (*FIGURES_OF["liked"], *SHAPE),
    "liked, without lists": (*CIRCLE, "posts", "likes", "likes_per_post"),
    "likes alone": ("likes",),
    "told (ships)": FIGURES_OF["told"],
    "told, with posts": (*FIGURES_OF["told"], "posts"),
    "told, with posts, pace, age and handle": (*FIGURES_OF["told"], "posts", *PACE, *AGE, *SHAPE),
}


def report(accounts: Sequence[Account]) -> str:
    """Cross-validation, ablations and unseen rings, as a table for the model card."""
    labels = labels_of(accounts)
    italian = [account.language == "it" for account in accounts]
    other = [not each for each in italian]
    first = [account.made_at < dt.datetime(2012, 2, 1, tzinfo=dt.UTC) for account in accounts]
    lines = [f"{len(labels):,} accounts, {int(labels.sum())} automated; 5-fold cross-validation by account", ""]
    lines.append("| figures | F1 (95 %) | other-language ring unseen | made before Feb 2012 unseen |")
    lines.append("|---|---|---|---|")
    for title, names in ABLATIONS.items():
        middle, low, high = f1_between(labels, cross_validate(accounts, names))
        rings = [
            f"finds {found:.0%}, wrongly {wrong:.1%}"
            for found, wrong in (ring_unseen(accounts, names, ring) for ring in (other, first))
        ]
        lines.append(f"| {title} | {middle:.3f} ({low:.3f} to {high:.3f}) | {rings[0]} | {rings[1]} |")
    return "\n".join(lines)


def measure(accounts: Sequence[Account]) -> str:
    """The tables that ship, on accounts that they have not seen."""
    labels, lines = labels_of(accounts), []
    for name, table in load_tables().items():
        said = judge(table, figures_of(accounts, FIGURES_OF[name]), FIGURES_OF[name])
        middle, low, high = f1_between(labels, said)
        wrong = float((said[labels == 0] >= 0.5).mean())
        lines.append(f"{name}: F1 {middle:.3f} ({low:.3f} to {high:.3f}); {wrong:.1%} of people called automated")
    return "\n".join(lines)


def train(folder: Path, out: Path | None = None) -> list[Account]:
    """Fit the tables on the data in `folder`, write them (into the package, or to `out`); the accounts, for `report`.

    Raises `InvalidInput` where the data are not there.
    """
    if not (folder / SOURCE).exists():
        raise InvalidInput(f"{SOURCE} is not in {folder}. Name the folder that holds the labelled data with --data.")
    accounts = read_accounts(folder / SOURCE)
    labels = labels_of(accounts)
    tables = {name: fit(figures_of(accounts, names), labels, names) for name, names in FIGURES_OF.items()}
    place = out or Path(__file__).parents[1] / "core" / "understand" / "tables" / FILE
    place.write_text(_HEAD + print_tables(tables), encoding="utf-8")
    return accounts


_HEAD = f"""\
# What the figures of a profile say of whether an account is automated: log-odds to add.
# table <tab> figure <tab> edges <tab> values: the first value below the first edge, the second from it on, and so on.
# Written by `python -m rapport.training.accounts` from {SOURCE.name} (Cresci, Di Pietro, Petrocchi, Spognardi,
# Tesconi: "The Paradigm-Shift of Social Spambots", WWW 2017 companion; research use). Do not edit by hand.
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """See the module."""
    parser = argparse.ArgumentParser(prog="python -m rapport.training.accounts", description=__doc__)
    parser.add_argument("--data", type=Path, help="folder of the labelled data: fit, measure, write the tables")
    parser.add_argument("--measure", type=Path, metavar="FILE", help="measure the tables that ship on this file")
    parser.add_argument("--out", type=Path, help="where the tables are written (default: into the package)")
    chosen = parser.parse_args(arguments)
    if chosen.measure:
        print(measure(read_accounts(chosen.measure)))  # noqa: T201
    if chosen.data:
        print(report(train(chosen.data, chosen.out)))  # noqa: T201


if __name__ == "__main__":
    main()
