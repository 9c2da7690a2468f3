"""What the trained heads make of sixty plain sentences of customers, written by us and never learnt from.

Run with `-s` to see what was missed: pytest -s tests/quality/test_plain_sentences.py. Guidelines:
docs/reference/labelling-intents.md. Whoever wrote these wrote the sentences that are learnt from as well
(training/labels/plain.csv), so the test is an easy one: what fails here fails anywhere.
"""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path

import pytest

from rapport.core.post import Author, Post
from rapport.core.reading import Reading
from rapport.core.understand import load_reader

SENTENCES = Path(__file__).parent / "labels" / "plain.csv"
#: Where at 0.5 an intent must be found (share of its sentences) and how often it may be named in error (of 60).
LEAST_FOUND = {"complaint": 0.6, "question": 0.7, "request": 0.5, "praise": 0.85, "purchase": 0.4, "report": 0.25}
MOST_IN_ERROR = 3
#: Of the 23 sincere thanks and compliments, those that may be taken for irony.
MOST_IRONIC = 6


@pytest.fixture(scope="module")
def read() -> list[tuple[dict[str, str], Reading]]:
    """Every sentence with its labels and what the heads alone say of it: the second look is for what matters more."""
    with SENTENCES.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    when = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
    posts = [
        Post("mastodon", str(number), row["text"], when, Author("ann"), lang=row["language"])
        for number, row in enumerate(rows)
    ]
    reader = load_reader(sorted({row["language"] for row in rows}))
    return list(zip(rows, reader.read(posts, [False] * len(posts)), strict=True))


def test_plain_thanks_are_seldom_taken_for_irony(read: list[tuple[dict[str, str], Reading]]) -> None:
    thanks = [(row["text"], reading.irony) for row, reading in read if row["praise"] == "1"]
    ironic = [(text, irony) for text, irony in thanks if irony >= 0.5]
    print(ironic)

    assert len(thanks) == 23
    assert len(ironic) <= MOST_IRONIC


@pytest.mark.parametrize("intent", LEAST_FOUND)
def test_the_intents_of_plain_sentences_are_found(read: list[tuple[dict[str, str], Reading]], intent: str) -> None:
    named = [(row["text"], row[intent] == "1", getattr(reading.intent, intent)) for row, reading in read]
    found = [(share >= 0.5, text, share) for text, true, share in named if true]
    in_error = [(text, share) for text, true, share in named if not true and share >= 0.5]
    print(intent, "missed:", [one for one in found if not one[0]], "in error:", in_error)

    assert sum(hit for hit, _, _ in found) >= LEAST_FOUND[intent] * len(found)
    assert len(in_error) <= MOST_IN_ERROR
