"""Who is meant in a post that a topic found, and when that makes a difference."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from rapport.core.post import Post
from rapport.core.query import parse
from rapport.core.reading import Reading, Toward
from rapport.core.toward import Aims, may_name_two, point_at
from rapport.core.understand import load_reader
from rapport.core.understand.vocabulary import load_vocabularies

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


def test_words_of_a_query_that_are_no_names_are_not_pointed_at(make_post: Callable[..., Post]) -> None:
    words = load_vocabularies()["en"]
    query = parse("acme AND (refund OR late OR terrible)")
    text = "My refund from Acme is late, terrible"
    assert [text[start:end] for start, end in point_at(query, text, words)] == ["Acme"]
    text = "the refund from acme is late"
    assert [text[start:end] for start, end in point_at(query, text, words)] == ["acme"]


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
