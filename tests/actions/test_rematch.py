"""Applying a topic to stored posts: all of them, as often as one likes, and given up when the query changes."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from conftest import NOON
from rapport.actions.listening import save_topic
from rapport.actions.rematch import begin_rematch, carry_on_rematches, look_up_rematch
from rapport.core.errors import InvalidInput, NotAllowed
from rapport.store.models import AuditEntry, Topic, TopicMatch
from rapport.store.models import Post as PostRow

pytestmark = pytest.mark.django_db
LATER = NOON + dt.timedelta(minutes=1)


@pytest.fixture(autouse=True)
def empty_cache() -> None:
    from django.core.cache import cache

    cache.clear()


def carry_on(workspace: Any) -> int:
    """To the end; how many pieces it took."""
    pieces = 1
    while carry_on_rematches(workspace, now=LATER):
        pieces += 1
    return pieces


def matched(topic: Topic) -> set[str]:
    return set(TopicMatch.objects.filter(topic=topic).values_list("post__text", flat=True))


def test_stored_posts_get_the_topic_and_lose_it(alice: Any, hear: Any, make_post: Any) -> None:
    topic = save_topic(alice, "", "Delays", "delay", now=NOON)
    hear(make_post("delay"), make_post("late"), make_post("late delay"))
    assert matched(topic) == {"delay", "late delay"}
    topic = save_topic(alice, topic.slug, "Delays", "late", now=NOON)
    assert matched(topic) == {"delay", "late delay"}
    begin_rematch(alice, topic, now=NOON)
    carry_on(alice.workspace)
    assert matched(topic) == {"late", "late delay"}
    run = look_up_rematch(topic)
    assert run is not None
    assert (run.read, run.added, run.dropped, run.ended_at, run.percent) == (3, 1, 1, LATER, 100)


def test_a_second_run_changes_nothing(alice: Any, hear: Any, make_post: Any) -> None:
    hear(make_post("delay"))
    topic = save_topic(alice, "", "Delays", "delay", now=NOON)
    for expected in (1, 0):
        begin_rematch(alice, topic, now=NOON)
        carry_on(alice.workspace)
        run = look_up_rematch(topic)
        assert run is not None
        assert (run.added, run.dropped) == (expected, 0)


def test_it_goes_piece_by_piece_and_starts_over_when_its_place_is_lost(
    alice: Any, hear: Any, make_post: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.core.cache import cache

    from rapport.actions import rematch

    monkeypatch.setattr(rematch, "PIECE", 4)
    hear(*[make_post(f"delay {n}") for n in range(10)])
    topic = save_topic(alice, "", "Delays", "delay", now=NOON)
    begin_rematch(alice, topic, now=NOON)
    assert carry_on_rematches(alice.workspace, now=LATER)
    run = look_up_rematch(topic)
    assert run is not None
    assert (run.added, run.ended_at, 0 < run.percent < 100) == (4, None, True)
    cache.clear()  # the table of the cache was emptied
    assert carry_on(alice.workspace) == 3
    assert TopicMatch.objects.filter(topic=topic).count() == 10


def test_one_that_runs_already_is_not_begun_twice(alice: Any, hear: Any, make_post: Any) -> None:
    hear(make_post("delay"))
    topic = save_topic(alice, "", "Delays", "delay", now=NOON)
    assert begin_rematch(alice, topic, now=NOON).id == begin_rematch(alice, topic, now=LATER).id
    assert AuditEntry.objects.filter(verb="topic.rematch").count() == 1


def test_it_is_given_up_when_the_query_changes_on_the_way(
    alice: Any, hear: Any, make_post: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rapport.actions import rematch

    monkeypatch.setattr(rematch, "PIECE", 1)
    hear(make_post("delay"), make_post("late"))
    topic = save_topic(alice, "", "Delays", "delay", now=NOON)
    begin_rematch(alice, topic, now=NOON)
    carry_on_rematches(alice.workspace, now=LATER)
    save_topic(alice, topic.slug, "Delays", "late", now=LATER)
    assert not carry_on_rematches(alice.workspace, now=LATER)
    run = look_up_rematch(topic)
    assert run is not None
    assert run.given_up
    # and the new query can be applied
    topic.refresh_from_db()
    begin_rematch(alice, topic, now=LATER)
    carry_on(alice.workspace)
    assert matched(topic) == {"late"}


def test_a_deleted_post_keeps_what_it_had(alice: Any, hear: Any, make_post: Any) -> None:
    topic = save_topic(alice, "", "Delays", "delay", now=NOON)
    hear(make_post("delay"))
    PostRow.objects.update(deleted=True, text="")
    begin_rematch(alice, topic, now=NOON)
    carry_on(alice.workspace)
    assert TopicMatch.objects.filter(topic=topic).count() == 1


def test_posts_of_another_workspace_stay_out(alice: Any, charlie: Any, hear: Any, make_post: Any) -> None:
    hear(make_post("delay"))
    topic = save_topic(charlie, "", "Delays", "delay", now=NOON)
    begin_rematch(charlie, topic, now=NOON)
    carry_on(charlie.workspace)
    assert not TopicMatch.objects.exists()
    assert not carry_on_rematches(alice.workspace, now=LATER)


def test_a_topic_that_was_deleted_on_the_way_is_no_work(alice: Any, hear: Any, make_post: Any) -> None:
    from rapport.actions.listening import delete_topic

    hear(make_post("delay"))
    topic = save_topic(alice, "", "Delays", "delay", now=NOON)
    begin_rematch(alice, topic, now=NOON)
    delete_topic(alice, topic, now=NOON)
    assert not carry_on_rematches(alice.workspace, now=LATER)


def test_who_may_not_configure_may_not_begin_it_nor_in_another_workspace(alice: Any, ben: Any, charlie: Any) -> None:
    topic = save_topic(alice, "", "Delays", "delay", now=NOON)
    for somebody in (ben, charlie):
        with pytest.raises(NotAllowed):
            begin_rematch(somebody, topic, now=NOON)


def test_the_clock_carries_it_on(alice: Any, hear: Any, make_post: Any) -> None:
    from rapport.pipeline.clock import TICK, Clock

    hear(make_post("delay"))
    topic = save_topic(alice, "", "Delays", "delay", now=NOON)
    begin_rematch(alice, topic, now=NOON)
    assert Clock(lambda: LATER).tick() == TICK
    assert matched(topic) == {"delay"}


def test_a_list_that_hides_is_kept_and_checked(alice: Any) -> None:
    topic = save_topic(alice, "", "Delays", "delay", hides=["giveaway", "lang:es"], now=NOON)
    assert topic.hides == ["giveaway", "lang:es"]
    assert save_topic(alice, topic.slug, "Delays", "late", now=NOON).hides == ["giveaway", "lang:es"]
    with pytest.raises(InvalidInput, match="Line 1 of the list"):
        save_topic(alice, topic.slug, "Delays", "late", hides=["(lost"], now=NOON)
    assert save_topic(alice, topic.slug, "Delays", "late", hides=[], now=NOON).hides == []
