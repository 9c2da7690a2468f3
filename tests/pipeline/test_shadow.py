"""A draft decides beside the rules in force: on the same facts, counted once, and never in the way."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from conftest import NOON
from rapport.actions import rule_drafts as drafts
from rapport.actions.hearing import hear as hear_posts
from rapport.actions.rules import save_rules
from rapport.core.post import Author, Post
from rapport.core.rules import compare
from rapport.pipeline import shadow as module
from rapport.pipeline.worker import Worker
from rapport.store.models import Outcome, RuleDraft, ShadowDifference

pytestmark = pytest.mark.django_db
LIVE = """
fallback = "care"
[[rule]]
name = "Rain"
when = 'text matches "rain"'
then = ["basket:questions"]
"""
DRAFT = """
fallback = "care"
[[rule]]
name = "Rain"
when = 'text matches "rain" and count(person.posts, 30 days) >= 1'
then = ["basket:questions", "tag:again"]
"""
UNTIL = NOON + dt.timedelta(hours=1)


@pytest.fixture
def draft(alice: Any) -> RuleDraft:
    """A draft that runs beside simpler rules."""
    save_rules(alice, LIVE, "", now=NOON)
    made = drafts.begin_draft(alice, "Only those who come back", DRAFT, now=NOON)
    return drafts.run_beside(alice, made, UNTIL, now=NOON)


def figures() -> tuple[int, int, dict[tuple[str, str, str], int]]:
    row = RuleDraft.objects.get()
    found = {(each.kind, each.before, each.after): each.count for each in row.differences.all()}
    return row.shadow_seen, row.shadow_different, found


def test_it_is_counted_what_the_draft_would_have_done_differently(
    draft: RuleDraft, hear: Any, make_post: Callable[..., Post]
) -> None:
    hear(make_post("rain", author="nadia", id="first"), make_post("rain again", author="nadia"), make_post("sun"))
    hear(make_post("rain", author="olga"))
    assert figures() == (4, 3, {("basket", "questions", "care"): 2, ("tag", "", "again"): 1})
    moved = ShadowDifference.objects.get(kind="basket")
    assert moved.examples == list(Outcome.objects.filter(post__text="rain").order_by("pk").values_list("pk", flat=True))
    # what was decided is what the rules in force say
    assert set(Outcome.objects.filter(post__text__contains="rain").values_list("basket", flat=True)) == {"questions"}


def test_our_own_words_and_second_readings_do_not_count(
    draft: RuleDraft, hear: Any, make_post: Callable[..., Post]
) -> None:
    post = make_post("rain", id="one")
    hear(post, make_post("rain, say we", author=Author(id="us", handle="fernway", ours=True)))
    hear(make_post("rain and snow", id="one", edited_at=NOON, author=post.author))
    assert Outcome.objects.get(post__external_id="one").post.text == "rain and snow"
    assert figures()[0] == 1


def test_a_batch_whose_recording_fails_is_counted_when_it_is_recorded(
    draft: RuleDraft, channel: Any, bus: Any, worker: Worker, make_post: Callable[..., Post],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    hear_posts(channel, [make_post("rain")], bus, now=NOON)
    batch = bus.claim(worker.name, NOON, dt.timedelta(seconds=60))
    from rapport.actions import desk
    from rapport.pipeline.line import process

    posts = [post for _, post in batch.posts]
    snapshot = worker.snapshot(batch)
    outcomes = process(posts, snapshot, NOON)
    version = worker._compiled[batch.workspace].version
    beside = worker._shadows.decide(batch.workspace, version, posts, outcomes, snapshot, NOON)
    assert [each.draft for each in beside] == [draft.pk]

    def die(*_: Any, **__: Any) -> None:
        raise RuntimeError("the power fails")

    with monkeypatch.context() as broken:
        broken.setattr(desk, "write_audit", die)
        with pytest.raises(RuntimeError):
            desk.record(batch, outcomes, bus, now=NOON, beside=beside)
    assert figures()[0] == 0
    desk.record(batch, outcomes, bus, now=NOON, beside=beside)
    assert figures()[0] == 1
    # whoever comes late with the same batch writes nothing
    assert not desk.record(batch, outcomes, bus, now=NOON, beside=beside).kept
    assert figures()[0] == 1


def test_it_ends_by_itself(draft: RuleDraft, channel: Any, bus: Any, make_post: Callable[..., Post]) -> None:
    late = Worker(bus, lambda: UNTIL, dt.timedelta(seconds=60))
    hear_posts(channel, [make_post("rain")], bus, now=UNTIL)
    assert late.drain() == 1
    assert figures()[0] == 0


def test_figures_of_an_earlier_run_are_not_mixed_in(
    alice: Any, draft: RuleDraft, channel: Any, bus: Any, worker: Worker, make_post: Callable[..., Post]
) -> None:
    hear_posts(channel, [make_post("rain")], bus, now=NOON)
    batch = bus.claim(worker.name, NOON, dt.timedelta(seconds=60))
    from rapport.actions import desk
    from rapport.pipeline.line import process

    posts = [post for _, post in batch.posts]
    snapshot = worker.snapshot(batch)
    outcomes = process(posts, snapshot, NOON)
    beside = worker._shadows.decide(
        batch.workspace, worker._compiled[batch.workspace].version, posts, outcomes, snapshot, NOON
    )
    drafts.run_beside(alice, draft, UNTIL, now=NOON + dt.timedelta(seconds=1))
    assert desk.record(batch, outcomes, bus, now=NOON, beside=beside).kept
    assert figures()[0] == 0


def test_a_draft_that_breaks_stops_nothing_and_is_left_alone(
    draft: RuleDraft, hear: Any, make_post: Callable[..., Post], monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    def explode(*_: Any) -> Any:
        raise ValueError("a fault that no real draft causes today")

    monkeypatch.setattr(module, "decide_again", explode)
    hear(make_post("rain"))
    hear(make_post("rain again"))
    assert Outcome.objects.count() == 2
    assert figures()[0] == 0
    assert caplog.text.count("broke beside the rules in force") == 1


def test_a_draft_that_is_thrown_away_meanwhile_harms_nothing(
    alice: Any, draft: RuleDraft, hear: Any, make_post: Callable[..., Post]
) -> None:
    hear(make_post("rain"))
    drafts.delete_draft(alice, draft, now=NOON)
    hear(make_post("rain again"))
    assert Outcome.objects.count() == 2
    assert not ShadowDifference.objects.exists()


def test_a_draft_gets_the_facts_that_only_it_asks_for(alice: Any, hear: Any, make_post: Callable[..., Post]) -> None:
    save_rules(alice, LIVE, "", now=NOON)
    asking = DRAFT.replace("count(person.posts, 30 days) >= 1", 'conversation.state == "open"')
    drafts.run_beside(alice, drafts.begin_draft(alice, "Talks", asking, now=NOON), UNTIL, now=NOON)
    hear(make_post("rain", id="root", author="nadia"))
    hear(make_post("rain, still", author="nadia", kind="reply", in_reply_to="root"))
    assert figures()[2] == {("basket", "questions", "care"): 1, ("tag", "", "again"): 1}


def test_the_names_of_differences_fit_their_column() -> None:
    from rapport.core.rules.actions import ACTIONS

    longest = ShadowDifference._meta.get_field("kind").max_length
    assert longest is not None
    names = [*compare.KINDS, *((compare.DOES + verb) for verb in ACTIONS)]
    assert max(map(len, names)) <= longest
