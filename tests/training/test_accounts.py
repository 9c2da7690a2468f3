"""Tables of steps are fitted without chance, keep to what they may say, and read back as they were written."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path

import numpy as np
import pytest

from rapport.core.errors import InvalidInput
from rapport.core.understand.profile import parse_tables
from rapport.training import accounts as training

COLUMNS = (
    "screen_name", "description", "followers_count", "friends_count", "statuses_count", "favourites_count",
    "listed_count", "created_at", "label", "lang",
)  # fmt: skip
MADE = dt.datetime(2012, 1, 1, tzinfo=dt.UTC)


def invented(path: Path, label: str = "label") -> Path:
    """Two hundred people, and a hundred of a ring that never likes anything, in the layout of the real file."""
    chance = np.random.default_rng(3)
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow([label if name == "label" else name for name in COLUMNS])
        for number in range(300):
            is_bot = number % 3 == 0
            followers, posts = int(chance.integers(50, 4_000)), int(chance.integers(100, 9_000))
            likes = int(chance.integers(0, 3)) if is_bot else int(chance.integers(1, 5_000))
            made = (MADE + dt.timedelta(days=number)).strftime("%a %b %d %H:%M:%S +0000 %Y")
            rows.writerow(
                [f"name{number}", "A bio", followers, int(chance.integers(50, 4_000)), posts, likes, number % 7, made,
                 "social_spambot" if is_bot else "genuine", "it" if number % 2 else "en"]
            )  # fmt: skip
    return path


@pytest.fixture
def accounts(tmp_path: Path) -> list[training.Account]:
    return training.read_accounts(invented(tmp_path / "users.csv"))


def test_what_tells_machines_from_people_is_found_in_accounts_not_seen(accounts: list[training.Account]) -> None:
    labels = training.labels_of(accounts)
    said = training.cross_validate(accounts, training.FIGURES_OF["liked"])
    middle, low, high = training.f1_between(labels, said, draws=200)
    assert low <= middle <= high
    assert middle > 0.95
    assert training.f1(labels, training.cross_validate(accounts, ("followers", "posts"))) < 0.5


def test_the_same_accounts_make_the_same_table_and_steps_go_one_way(accounts: list[training.Account]) -> None:
    names = training.FIGURES_OF["liked"]
    figures, labels = training.figures_of(accounts, names), training.labels_of(accounts)
    table = training.fit(figures, labels, names)
    assert table == training.fit(figures, labels, names)
    assert "likes" in table.steps
    for name, way in training.ONE_WAY.items():
        if name in table.steps:
            values = table.steps[name].values
            assert list(values) == sorted(values, reverse=way < 0), name


def test_training_writes_tables_that_can_be_read(tmp_path: Path) -> None:
    (tmp_path / training.SOURCE.parent).mkdir(parents=True)
    invented(tmp_path / training.SOURCE)
    learnt = training.train(tmp_path, tmp_path / "tables.tsv")
    assert set(parse_tables((tmp_path / "tables.tsv").read_text(encoding="utf-8"))) == {"liked", "told"}
    assert sum(account.is_bot for account in learnt) == 100


def test_missing_and_other_data_are_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="--data"):
        training.train(tmp_path)
    with pytest.raises(InvalidInput, match="label"):
        training.read_accounts(invented(tmp_path / "other.csv", label="class"))
