"""What a query finds among stored posts, counted piece by piece, and share of voice."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from conftest import NOON
from rapport.core.errors import InvalidInput, InvalidQuery
from rapport.core.post import Author, Post
from rapport.core.query import evaluate, parse

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)


def count(workspace: Any, query: str, saved: str = "", hides: tuple[str, ...] = (), **more: Any) -> Any:
    """A whole count."""
    from rapport.store.queries.topics import Asked, count_on

    asked = Asked(query, saved, hides)
    found = count_on(workspace.pk, asked, None, now=NOON, zone=more.get("zone", dt.UTC), seconds=60)
    assert found.done
    return found


@pytest.fixture
def store(channel: Any) -> Callable[..., list[int]]:
    """Posts with these texts, or these posts, are stored; heard when they were said. The ids, in order."""
    from rapport.store.queries.ingest import store_posts

    def put(*said: str | Post, where: Any = channel) -> list[int]:
        posts = [
            text
            if isinstance(text, Post)
            else Post(where.network, f"{where.pk}-{text}", text, NOON - HOUR, Author(id="n", handle="nadia"))
            for text in said
        ]
        ids = {}
        for post in sorted(posts, key=lambda post: post.created_at):
            ids |= {fresh.id: row for row, fresh in store_posts(where, [post], post.created_at)}
        return [ids[post.id] for post in posts]

    return put


def test_posts_that_match_are_counted_newest_first(alice: Any, store: Any) -> None:
    first, _other, last = store("a delay", "no news", "another #Delay")
    found = count(alice.workspace, "delay")
    assert (found.matched, found.samples, found.windows) == (2, [last, first], [2, 2, 2])


def test_windows_and_days_are_those_of_the_reader(alice: Any, store: Any, make_post: Any) -> None:
    ages = [dt.timedelta(hours=2), dt.timedelta(hours=30), dt.timedelta(days=6), dt.timedelta(days=29.2)]
    store(*[make_post("delay", created_at=NOON - age) for age in [*ages, dt.timedelta(days=40)]])
    found = count(alice.workspace, "delay")
    assert (found.matched, found.windows) == (5, [1, 3, 4])
    assert [(day, n) for day, n in enumerate(found.days) if n] == [(0, 1), (23, 1), (28, 1), (29, 1)]
    # where it is 21:00 already, two hours ago was today; where it is 01:00, it was yesterday
    late = count(alice.workspace, "delay", zone=dt.timezone(dt.timedelta(hours=13)))
    assert (late.days[29], late.days[28]) == (0, 1)


def test_a_deleted_post_and_one_of_another_workspace_are_not_counted(alice: Any, charlie: Any, store: Any) -> None:
    from rapport.actions.listening import open_file_channel
    from rapport.store.models import Post as PostRow

    theirs = open_file_channel(charlie.workspace, "file", "mastodon", now=NOON)
    gone, _kept = store("delay of one", "delay of two")
    store("delay of theirs", where=theirs)
    PostRow.objects.filter(pk=gone).update(deleted=True)
    for query in ("delay", "delay OR lang:en"):  # by the index of words, and read through
        assert count(alice.workspace, query).matched == 1


def test_what_a_list_hides_counts_and_is_kept_apart(alice: Any, store: Any) -> None:
    plain, hidden = store("delay", "delay and a giveaway")
    found = count(alice.workspace, "delay", hides=("giveaway", "lang:es"))
    assert (found.matched, found.hidden, found.samples, found.folded) == (2, 1, [plain], [hidden])


def test_what_is_excluded_is_not_counted(alice: Any, store: Any) -> None:
    store("delay", "delay and a giveaway")
    found = count(alice.workspace, "delay NOT giveaway", hides=("giveaway",))
    assert (found.matched, found.hidden) == (1, 0)


def test_a_change_is_held_against_the_saved_query(alice: Any, store: Any) -> None:
    _both, new, old = store("delay and late", "late", "delay")
    found = count(alice.workspace, "late", "delay")
    assert (found.added, found.added_samples, found.dropped, found.dropped_samples) == (1, [new], 1, [old])
    same = count(alice.workspace, " delay", "delay")
    assert (same.added, same.dropped, same.matched) == (0, 0, 2)


def test_a_count_in_pieces_is_the_count_at_once(alice: Any, store: Any) -> None:
    from rapport.store.queries import topics

    store(*[f"delay {n}" if n % 3 else f"late {n}" for n in range(400)])
    for query, saved in (("delay", "late"), ("delay OR lang:en", "late")):
        asked, so_far, pieces = topics.Asked(query, saved), None, 0
        while so_far is None or not so_far.done:
            text = msgspec.json.encode(so_far).decode() if so_far else ""
            so_far = topics.count_on(
                alice.workspace.pk, asked, topics.read_count(text), now=NOON, zone=dt.UTC, seconds=0
            )  # fmt: skip
            pieces += 1
        assert pieces > 1 or "lang" in query
        assert so_far == count(alice.workspace, query, saved)


def test_a_count_of_another_question_is_not_gone_on_with(alice: Any, store: Any) -> None:
    from rapport.store.queries.topics import Asked, count_on

    store("delay", "late")
    other = count(alice.workspace, "late")
    found = count_on(alice.workspace.pk, Asked("delay"), other, now=NOON, zone=dt.UTC, seconds=60)
    assert (found.matched, found.read) == (1, 1)


NOW = '"digest":"x","now":"2026-11-21T12:00:00Z"'


@pytest.mark.parametrize(
    "text",
    ["", "[]", "null", "{", '{"digest":1}', '{"digest":"x","now":"yesterday"}',
     '{"digest":"x","now":"2026-11-21T12:00:00"}', f'{{{NOW},"below":99999999999999999999}}', f'{{{NOW},"read":-1}}',
     f'{{{NOW},"samples":[{",".join("1" * 30)}]}}', f'{{{NOW},"days":[1]}}'],
)  # fmt: skip
def test_what_is_no_count_is_none(text: str) -> None:
    from rapport.store.queries.topics import read_count

    assert read_count(text) is None


def test_a_finished_count_or_one_of_yesterday_is_begun_anew(alice: Any, store: Any) -> None:
    from rapport.store.queries.topics import Asked, Count, count_on

    store("delay")
    asked = Asked("delay")
    finished = Count(digest=asked.digest, now=NOON, matched=9, done=True)
    for odd in (finished, Count(digest=asked.digest, now=NOON.replace(year=1), below=0)):
        found = count_on(alice.workspace.pk, asked, odd, now=NOON, zone=dt.UTC, seconds=60)
        assert (found.matched, found.now) == (1, NOON)


def test_deleted_posts_among_others_hide_none_of_them(alice: Any, store: Any) -> None:
    from rapport.store.models import Post as PostRow

    rows = store(*[f"delay {n}" for n in range(300)])
    PostRow.objects.filter(pk__in=rows[100:150]).update(deleted=True)
    for query in ("delay", "delay OR lang:en"):
        assert count(alice.workspace, query).matched == 250


def test_a_count_stops_where_it_says_so(alice: Any, store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from rapport.store.queries import topics

    monkeypatch.setattr(topics, "READ_AT_MOST", 150)
    posts = [
        Post("mastodon", f"n{n}", f"delay {n}", NOON - HOUR * n, Author(id="n", handle="nadia")) for n in range(200)
    ]
    store(*posts)
    found = count(alice.workspace, "delay")
    assert (found.capped, found.read, found.matched, found.since) == (True, 150, 150, NOON - HOUR * 149)


def test_a_query_that_cannot_be_read_says_where(alice: Any) -> None:
    with pytest.raises(InvalidQuery, match="character 7"):
        count(alice.workspace, "delay )")
    with pytest.raises(InvalidInput, match="Line 2 of the list that hides, at character 1"):
        count(alice.workspace, "delay", hides=("late", "(lost"))


def test_a_word_as_many_beginnings_as_the_index_takes(alice: Any, store: Any) -> None:
    """A query as long as they get: the index is asked for thousands of spellings, or not asked at all."""
    store("word499 here")
    found = count(alice.workspace, " OR ".join(f"hallowed{n}tidings OR word{n}" for n in range(500)))
    assert found.matched == 1


@pytest.mark.data
def test_the_index_of_words_finds_what_reading_every_post_finds(alice: Any, store: Any, real_data: Path) -> None:
    """Real posts in many scripts; queries made of their own words."""
    import random

    texts: list[str] = []
    for file in sorted((real_data / "01b_xlmt_multilingual").rglob("*")):
        if file.is_file() and file.suffix in {".txt", ".tsv", ".csv", ".jsonl"}:
            texts += file.read_text("utf-8", errors="replace").splitlines()[:150]
    texts = sorted({text.strip()[:300] for text in texts if len(text.strip()) > 20})
    random.Random(5).shuffle(texts)
    texts = texts[:800]
    assert len(texts) > 300
    posts = [Post("x", str(n), text, NOON, Author(id="a")) for n, text in enumerate(texts)]
    store(*posts)
    from rapport.core.outline import words_needed
    from rapport.core.text import words

    pick = random.Random(7)
    known = sorted({word for text in texts for word in words(text).words if word.isalpha() and len(word) > 3})
    asked = 0
    for _ in range(150):
        one, two = pick.sample(known, 2)
        query = pick.choice([one, f"{one[:4]}*", f"{one} OR {two}", f"({one} OR {two}) NOT {two}", f'"{one}"'])
        if words_needed(query) is None:
            continue
        asked += 1
        assert count(alice.workspace, query).matched == sum(evaluate(parse(query), post) for post in posts), query
    assert asked > 50


# ---------------------------------------------------------------- share of voice


def match(workspace: Any, name: str, posts: list[int]) -> Any:
    from rapport.store.models import Topic, TopicMatch

    topic = Topic.objects.create(workspace=workspace, slug=name, name=name, query="x", updated_at=NOON)
    for post in posts:
        TopicMatch.objects.create(workspace=workspace, topic=topic, post_id=post)
    return topic


def test_share_of_voice_is_of_what_all_topics_found_in_the_period(
    alice: Any, charlie: Any, store: Any, make_post: Any
) -> None:
    from rapport.store.queries.voices import share_of_voice

    old, one, two, three = store(
        *[make_post(created_at=NOON - dt.timedelta(days=days)) for days in (9, 3, 2, 1)]
    )  # fmt: skip
    match(alice.workspace, "Rain", [old, one])
    match(alice.workspace, "Delays", [old, one, two, three])
    match(alice.workspace, "Nothing", [])
    match(charlie.workspace, "Theirs", [one, two])
    voices = share_of_voice(alice.workspace.pk, NOON - dt.timedelta(days=7))
    assert [(voice.topic.name, voice.found, voice.share) for voice in voices] == [
        ("Delays", 3, 0.75), ("Rain", 1, 0.25), ("Nothing", 0, 0.0),
    ]  # fmt: skip


def test_an_old_post_that_was_heard_late_counts_when_it_was_said(alice: Any, store: Any, channel: Any) -> None:
    from rapport.store.queries.ingest import store_posts
    from rapport.store.queries.voices import share_of_voice

    late = Post("mastodon", "old", "delay", NOON - dt.timedelta(days=100), Author(id="n"))
    [(row, _)] = store_posts(channel, [late], NOON)
    match(alice.workspace, "Delays", [row])
    assert [voice.found for voice in share_of_voice(alice.workspace.pk, NOON - dt.timedelta(days=7))] == [0]
    assert [voice.found for voice in share_of_voice(alice.workspace.pk, NOON - dt.timedelta(days=101))] == [1]


# ---------------------------------------------------------------- people and machines apart


def machine(name: str) -> Author:
    return Author(id=f"id-{name}", handle=name, name=name, bot=True)


def test_what_machines_said_is_counted_and_told_apart(alice: Any, hear: Any, make_post: Any) -> None:
    from rapport.store.models import Post as PostRow

    hear(
        make_post("I love this delay, thank you so much", id="1", author="ann"),
        *[make_post("A terrible, terrible delay, I hate it", id=f"m{n}", author=machine(f"r{n}")) for n in range(3)],
        make_post("No news", id="2", author="ann"),
    )
    found = count(alice.workspace, "delay")
    assert (found.matched, found.automated, found.people.matched) == (4, 3, 1)
    assert (found.windows, found.people.windows) == ([4, 4, 4], [1, 1, 1])
    assert (found.days[-1], found.people.days[-1]) == (4, 1)
    assert (found.moods, found.people.moods) == ([0, 3, 0, 1], [0, 0, 0, 1])
    assert found.people.samples == [PostRow.objects.get(external_id="1").pk]
    assert len(found.samples) == 4
    both = count(alice.workspace, "news", "delay")
    assert (both.added, both.dropped, both.people.added, both.people.dropped) == (1, 4, 1, 1)


def test_the_mood_toward_the_topic_counts_where_it_differs(alice: Any, hear: Any, make_post: Any) -> None:
    from rapport.store.models import Topic, TopicMatch
    from rapport.store.queries.topics import Asked, count_on

    hear(make_post("A terrible, terrible delay, I hate it", id="1"))
    topic = Topic.objects.create(workspace=alice.workspace, slug="d", name="D", query="delay", updated_at=NOON)
    row = count(alice.workspace, "delay").samples[0]
    for toward, moods in ((None, [0, 1, 0, 0]), (3, [0, 0, 0, 1])):
        TopicMatch.objects.update_or_create(
            workspace=alice.workspace, topic=topic, post_id=row, defaults={"mood": toward}
        )  # fmt: skip
        asked = Asked("delay", topic=topic.pk)
        assert count_on(alice.workspace.pk, asked, None, now=NOON, zone=dt.UTC, seconds=60).moods == moods


def test_share_of_voice_tells_machines_apart_and_can_leave_them_out(alice: Any, store: Any, make_post: Any) -> None:
    from rapport.store.queries.voices import share_of_voice

    said = store(*[make_post(author=machine(f"r{n}")) for n in range(3)], make_post(author="ann"), make_post())
    match(alice.workspace, "Rain", said[:4])
    match(alice.workspace, "Delays", said[3:])
    since = NOON - dt.timedelta(days=7)

    def told(**asked: bool) -> list[tuple[str, int, int, float]]:
        voices = share_of_voice(alice.workspace.pk, since, **asked)
        return [(voice.topic.name, voice.found, voice.automated, round(voice.people_share, 2)) for voice in voices]

    assert told() == [("Rain", 4, 3, 0.17), ("Delays", 2, 0, 0.33)]
    shares = [voice.share for voice in share_of_voice(alice.workspace.pk, since, people_only=True)]
    assert [each[:3] for each in told(people_only=True)] == [("Delays", 2, 0), ("Rain", 1, 3)]
    assert shares == [pytest.approx(2 / 3), pytest.approx(1 / 3)]
