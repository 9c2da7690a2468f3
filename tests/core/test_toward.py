"""Who is meant in a post that a topic found, and when that makes a difference."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from rapport.core.post import Author, Post
from rapport.core.query import Highlighter, parse
from rapport.core.reading import Reading, Toward
from rapport.core.toward import Aim, Aims, may_name_two, point_at
from rapport.core.understand import load_reader
from rapport.core.understand.vocabulary import load_vocabularies

SENTENCES = Path(__file__).parents[1] / "quality" / "labels" / "two_targets.tsv"
READER = load_reader(["en"])
TOPICS = (("acme", "acme OR @acme OR #acme"), ("globex", '"globex air" OR globex'), ("late", "acme NEAR/9 refund"))


def feel(posts: Sequence[Post], *slugs: tuple[str, ...], handles: frozenset[str] = frozenset()) -> list[list[Toward]]:
    aims = Aims(TOPICS, handles, READER.vocabularies)
    readings = [Reading(post.network, post.id, language="en") for post in posts]
    return [list(found) for found in aims.feel(posts, slugs, readings, READER.targets)]


def test_each_topic_has_its_own_mood(make_post: Callable[..., Post]) -> None:
    post = make_post("Acme lost my bag again and nobody cares, Globex Air was lovely and quick.")
    found = {each.topic: each for each in feel([post], ("globex", "acme"))[0]}
    assert (found["acme"].name, found["acme"].sentiment.label) == ("Acme", "negative")
    assert (found["globex"].name, found["globex"].sentiment.label) == ("Globex Air", "positive")
    assert "lost my bag" in found["acme"].words


def test_a_text_that_names_one_alone_has_one_mood(make_post: Callable[..., Post]) -> None:
    texts = ["Acme was terrible today, but the driver was lovely.", "acme", "I love Acme and I will come back soon!"]
    assert feel([make_post(text) for text in texts], *[("acme",)] * 3) == [[], [], []]


def test_what_answers_no_topic_and_what_we_say_is_not_looked_at(make_post: Callable[..., Post]) -> None:
    ours = make_post("Globex is bad, Acme is great.")
    ours = Post(ours.network, ours.id, ours.text, ours.created_at, type(ours.author)(id="us", ours=True))

    class Refuses:
        ordinary: tuple[str, ...] = ()

        def read(self, *_: object) -> None:
            raise AssertionError("nothing had to be read")

    aims = Aims(TOPICS, frozenset(), READER.vocabularies)
    posts = [ours, make_post("Globex is bad, Acme is great.")]
    readings = [Reading("x", post.id) for post in posts]
    assert aims.feel(posts, [("acme",), ()], readings, Refuses()) == [(), ()]  # type: ignore[arg-type]


def test_a_topic_that_asks_for_our_handle_is_ours_and_comes_first(make_post: Callable[..., Post]) -> None:
    post = make_post("@globex is awful, @acme you are great!")
    aims = Aims((("globex", "globex OR @globex"), ("acme", "acme OR @acme")), frozenset({"acme"}), READER.vocabularies)
    found = aims.feel([post], [("globex", "acme")], [Reading("x", "1", language="en")], READER.targets)[0]
    assert [(each.topic, each.ours) for each in found] == [("acme", True), ("globex", False)]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("My refund from Acme is late, terrible", ["Acme"]),
        ("the refund from acme is late", ["acme"]),
        ("Late again, and no word of a refund", []),
        ("@acme is late, and #acme knows it", ["@acme", "#acme"]),
    ],
)
def test_words_of_a_query_that_are_no_names_are_not_pointed_at(text: str, named: list[str]) -> None:
    aim = Aim(
        parse("acme* OR @acme OR #acme OR refund OR late OR terrible OR word"),
        frozenset({"acme"}),
        ours=False,
        words=None,
    )
    assert [
        text[start:end] for start, end in point_at(aim, text, Highlighter(text), load_vocabularies()["en"])
    ] == named


def test_a_query_that_cannot_be_read_and_a_topic_that_is_gone_are_passed_over(make_post: Callable[..., Post]) -> None:
    aims = Aims((("broken", "("),), frozenset(), READER.vocabularies)
    post = make_post("Globex is bad, Acme is great.")
    assert aims.feel([post], [("broken", "gone")], [Reading("x", "1")], READER.targets) == [()]


@pytest.mark.parametrize(
    ("text", "two"),
    [("acme is slow", False), ("Acme is slow", False), ("Acme is slow, Globex is not", True), ("@acme @globex", True)],
)
def test_where_one_alone_can_be_named_nothing_is_looked_at(text: str, two: bool) -> None:
    assert may_name_two(text) is two


def test_of_two_brands_in_one_sentence_more_are_read_right_than_by_the_mood_of_the_whole() -> None:
    """124 judgements on sentences of our own, which nothing was learnt or chosen on: as the line reads them where both
    brands have a topic, and where one has. `pytest -s` prints the shares that docs/reference/model-card-target.md has.
    """
    lines = [line for line in SENTENCES.read_text("utf-8").splitlines() if not line.startswith("#")]
    rows = list(csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    then = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    posts = [Post("x", str(at), row[4], then, Author(id="1")) for at, row in enumerate(rows)]
    readings = READER.read(posts)
    names = sorted({name for row in rows for name in (row[0], row[2])})
    aims = Aims([(name.lower(), f"{name} OR @{name}") for name in names], frozenset(), READER.vocabularies)

    def right(places: Sequence[int]) -> int:
        """How many of the brands in these columns are read right where these have a topic."""
        slugs = [tuple(row[place].lower() for place in places) for row in rows]
        felt = aims.feel(posts, slugs, readings, READER.targets)
        return sum(
            next((each.sentiment.label for each in found if each.topic == row[place].lower()), one.sentiment.label)
            == row[place + 1]
            for row, found, one in zip(rows, felt, readings, strict=True)
            for place in places
        )

    asked = 2 * len(rows)
    whole = (
        sum(one.sentiment.label == row[at] for row, one in zip(rows, readings, strict=True) for at in (1, 3)) / asked
    )
    both, single = right((0, 2)) / asked, (right((0,)) + right((2,))) / asked
    print(f"\n{asked} judgements: whole text {whole:.1%}, toward each of two topics {both:.1%}, of one {single:.1%}")
    assert both > whole + 0.2
    assert single > whole + 0.1


@pytest.mark.parametrize(
    "text", ["Acme Globex " * 330, "Acme, " + "and i " * 600 + "Globex", "Acme \x00\u0301 Globex? " * 180]
)
def test_a_hostile_text_is_looked_at_like_any_other(make_post: Callable[..., Post], text: str) -> None:
    found = feel([make_post(text[:4000]), make_post("Acme Globex " * 900)], ("acme", "globex"), ("acme", "globex"))
    assert len(found[0]) <= 2
    assert found[1] == []  # longer than a page
