from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.core.likeness import Index

ASKED = [
    "My parcel has not come, where is it?",
    "How do I cancel my subscription?",
    "The app crashes when I open a playlist",
    "Wo bleibt meine Paketlieferung?",
    "我的包裹在哪里",
]


def test_the_nearest_text_speaks_of_the_same_matter() -> None:
    index = Index(ASKED)
    assert index.nearest("where is the parcel you promised", 1)[0].position == 0
    assert index.nearest("cancelling a subscription", 1)[0].position == 1
    assert index.nearest("playlists crash", 1)[0].position == 2
    assert index.nearest("Wann kommt das Paket?", 1)[0].position == 3
    assert index.nearest("包裹没到", 1)[0].position == 4


def test_the_same_text_is_as_near_as_can_be_and_comes_first() -> None:
    index = Index(ASKED)
    for position, text in enumerate(ASKED):
        best = index.nearest(text, 1)[0]
        assert (best.position, best.likeness) == (position, pytest.approx(1.0, abs=1e-5))


def test_what_shares_no_word_is_not_near() -> None:
    assert Index(ASKED).nearest("zzz qqq", 5) == []


def test_handles_links_and_numbers_say_nothing_of_the_matter() -> None:
    index = Index(["@ann 12345 https://shop.example/a"])
    assert index.nearest("@ann 12345 https://shop.example/a", 1) == []


def test_of_two_that_are_as_near_the_later_comes_first() -> None:
    assert [each.position for each in Index(["late again", "late again"]).nearest("late", 2)] == [1, 0]


def test_a_bound_leaves_out_what_is_less_alike() -> None:
    near = Index(ASKED).nearest("my parcel", 5)
    assert near
    assert Index(ASKED).nearest("my parcel", 5, least=near[0].likeness + 0.01) == []


@pytest.mark.parametrize("texts", [[], [""], ["", "@ann"]])
def test_an_index_of_nothing_finds_nothing(texts: list[str]) -> None:
    assert Index(texts).nearest("anything", 3) == []


@given(st.lists(st.text(max_size=60), max_size=12), st.text(max_size=60), st.integers(-1, 5))
def test_whatever_it_is_given_it_answers_with_at_most_k_in_order(texts: list[str], asked: str, k: int) -> None:
    near = Index(texts).nearest(asked, k)
    assert len(near) <= max(k, 0)
    assert all(0 < each.likeness <= 1 and 0 <= each.position < len(texts) for each in near)
    assert [each.likeness for each in near] == sorted((each.likeness for each in near), reverse=True)
    assert len({each.position for each in near}) == len(near)


# ---------------------------------------------------------------- real threads

DATA = Path(__file__).parents[2].parent / "shared" / "data"


def labelled() -> dict[str, list[tuple[str, frozenset[str]]]]:
    """Company -> (text, topics) of the posts of customers that were labelled by hand."""
    found: dict[str, list[tuple[str, frozenset[str]]]] = {}
    with (DATA / "03_twcs" / "topic_and_action_labels.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            labels = frozenset(each.strip().casefold() for each in row["labels"].split("|") if each.strip())
            if row["direction"] == "inbound" and labels:
                found.setdefault(row["company"], []).append((row["text"], labels))
    return found


def share_a_topic(rows: list[tuple[str, frozenset[str]]]) -> tuple[int, float]:
    """How many of these have a topic in common with the nearest of the others, and how many would by chance."""
    index, hits, chance = Index([text for text, _ in rows]), 0, 0.0
    for at, (text, topics) in enumerate(rows):
        near = next((each.position for each in index.nearest(text, 3) if each.position != at), None)
        hits += near is not None and bool(topics & rows[near][1])
        chance += sum(bool(topics & other) for place, (_, other) in enumerate(rows) if place != at) / (len(rows) - 1)
    return hits, chance


def answered(author: str) -> list[tuple[str, str]]:
    """(what was asked, what this account answered) in public threads."""
    with (DATA / "03_twcs" / "threads.csv").open(encoding="utf-8", newline="") as file:
        posts = {row["tweet_id"]: row for row in csv.DictReader(file)}
    replies = (row for row in posts.values() if row["author_id"] == author)
    pairs = ((posts.get(row["in_response_to_tweet_id"]), row["text"]) for row in replies)
    return [(asked["text"], text) for asked, text in pairs if asked is not None and asked["inbound"] == "True"]


@pytest.mark.data
def test_on_real_threads_what_is_proposed_is_as_often_right_as_the_reference_page_says(
    capsys: pytest.CaptureFixture[str],
) -> None:
    if not DATA.is_dir():
        pytest.skip("the threads of ../shared/data are not here")
    topics = labelled()
    found = [share_a_topic(rows) for rows in topics.values()]
    posts, hits, chance = sum(map(len, topics.values())), sum(each[0] for each in found), sum(each[1] for each in found)
    pairs = answered("SpotifyCares")
    held, kept = pairs[::10], [pair for at, pair in enumerate(pairs) if at % 10]
    asked, replies = Index([each for each, _ in kept]), Index([each for _, each in kept])
    near_truth = tried = 0
    for question, truth in held:
        proposed = asked.nearest(question, 1, least=0.2)
        if proposed:
            tried += 1
            best = {each.position for each in replies.nearest(truth, len(kept) // 10)}
            near_truth += proposed[0].position in best
    with capsys.disabled():
        print(f"\ntopic of the nearest question: {hits} of {posts} ({hits / posts:.0%}), chance {chance / posts:.0%}")
        print(f"proposed answers: {tried} of {len(held)} questions, from {len(kept)} answers")
        print(f"among the tenth nearest to the true answer: {near_truth} of {tried} ({near_truth / tried:.0%})")
    assert hits > 1.3 * chance
    assert near_truth > 0.15 * tried
