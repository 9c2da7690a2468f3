"""How well automated accounts are found: on labelled ones, and on streams of people who must not be taken for machines.

`pytest -s tests/quality/test_accounts.py` prints the figures of docs/reference/readings.md.
"""

from __future__ import annotations

import csv
import datetime as dt
import re
import timeit
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from rapport.core.understand.accounts import PROBABLE, AccountFacts, score_account
from rapport.core.understand.habits import count_repeated
from rapport.core.understand.profile import load_tables
from rapport.training import accounts as training

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
LABELLED = DATA / training.SOURCE
TROLLS = DATA / "05_spam_bots" / "ira_fearmonger_hoax_tweets.csv"
SUPPORT = DATA / "03_twcs"
AIRLINES = DATA / "02_airline" / "airline_tweets.csv"

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not LABELLED.exists(), reason="needs the labelled data beside the project"),
]
Stream = list[tuple[dt.datetime, str]]


def test_automated_accounts_are_found_by_tables_that_never_saw_them() -> None:
    accounts = training.read_accounts(LABELLED)
    labels = training.labels_of(accounts)
    found = {}
    for name, figures in training.FIGURES_OF.items():
        found[name] = training.f1_between(labels, training.cross_validate(accounts, figures))
        print(f"{name}: F1 {found[name][0]:.3f} ({found[name][1]:.3f} to {found[name][2]:.3f}), 5-fold")
    assert found["liked"][0] > 0.93
    assert found["told"][0] > 0.83


def test_the_tables_that_ship_are_what_the_labelled_accounts_make() -> None:
    accounts = training.read_accounts(LABELLED)
    labels = training.labels_of(accounts)
    for name, figures in training.FIGURES_OF.items():
        made, ships = training.fit(training.figures_of(accounts, figures), labels, figures), load_tables()[name]
        assert made.start == pytest.approx(ships.start, abs=0.01)
        assert set(made.steps) == set(ships.steps)
        for figure, steps in made.steps.items():
            assert steps.values == pytest.approx(ships.steps[figure].values, abs=0.01), figure


def test_the_product_says_of_an_account_what_its_table_says() -> None:
    accounts = training.read_accounts(LABELLED)
    said = [score_account(AccountFacts(account.profile)) for account in accounts]
    wrong = sum(not account.is_bot and score is not None and score.bot >= PROBABLE
                for account, score in zip(accounts, said, strict=True))  # fmt: skip
    right = sum(account.is_bot and score is not None and score.bot >= PROBABLE
                for account, score in zip(accounts, said, strict=True))  # fmt: skip
    people = sum(not account.is_bot for account in accounts)
    print(f"called automated at {PROBABLE}: {right} of {len(accounts) - people}, {wrong} of {people} people")
    assert wrong < people * 0.02
    assert right > (len(accounts) - people) * 0.8


def test_an_account_is_judged_in_microseconds() -> None:
    accounts = training.read_accounts(LABELLED)[:500]
    facts = [AccountFacts(account.profile) for account in accounts]
    taken = min(timeit.repeat(lambda: [score_account(each) for each in facts], number=1, repeat=5)) / len(facts)
    print(f"{taken * 1e6:.1f} microseconds an account")
    assert taken < 1e-3, "told, not asserted: a loaded machine takes longer"


# ---------------------------------------------------------------- streams of people


def streams(path: Path, author: str, at: str, text: str, when: str = "") -> dict[str, Stream]:
    found: dict[str, Stream] = defaultdict(list)
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            try:
                moment = dt.datetime.strptime(row[at], when) if when else dt.datetime.fromisoformat(_iso(row[at]))  # noqa: DTZ007
            except ValueError:
                continue
            found[row[author]].append((moment.replace(tzinfo=moment.tzinfo or dt.UTC), row[text]))
    return {name: sorted(said) for name, said in found.items()}


def _iso(text: str) -> str:
    return re.sub(r" ([+-]\d\d)(\d\d)$", r"\1:\2", text)


def judged(said: dict[str, Stream]) -> Iterator[tuple[str, float, tuple[str, ...]]]:
    for name, stream in said.items():
        copied, linked = count_repeated([text for _, text in stream]) or (None, None)
        score = score_account(AccountFacts(moments=tuple(at for at, _ in stream), copied=copied, linked=linked))
        yield name, score.bot if score else 0.0, score.reasons if score else ()


def test_customers_agents_and_trolls_are_people_by_rhythm_and_repetition() -> None:
    support: dict[str, Stream] = {}
    for name in ("threads.csv", "agent_replies.csv"):
        for author, said in streams(
            SUPPORT / name, "author_id", "created_at", "text", "%a %b %d %H:%M:%S %z %Y"
        ).items():
            support[author] = sorted([*support.get(author, []), *said])
    crowds = {
        "agents of brands": {name: said for name, said in support.items() if not name.isdigit()},
        "customers": {name: said for name, said in support.items() if name.isdigit()},
        "airline customers": streams(AIRLINES, "name", "tweet_created", "text"),
        "troll farm": streams(TROLLS, "author_id", "publish_date", "content"),
    }
    for title, crowd in crowds.items():
        busy = {name: said for name, said in crowd.items() if len(said) >= 12}
        called = [(name, bot, why) for name, bot, why in judged(busy) if bot >= PROBABLE]
        print(f"{title}: {len(called)} of {len(busy)} with 12 posts or more called automated", *called)
        assert len(called) <= max(1, len(busy) * 0.05), title
