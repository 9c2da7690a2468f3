"""Accounts that are machines: judged with every post, kept with the handle, and set right by a person."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db.models import Sum

from conftest import NOON
from rapport.actions import people
from rapport.actions.hearing import hear
from rapport.core.errors import InvalidInput, NotAllowed
from rapport.core.guard import check
from rapport.core.guard.policy import Policy
from rapport.core.post import Author, Post
from rapport.store.models import AuditEntry, Channel, Conversation, Handle, Membership, MoodHour, Outcome, Workspace
from rapport.store.queries.outbound import newest_inbound, read_guard_facts, reply_of
from rapport.store.queries.outcomes import read_person_facts
from rapport.store.queries.people import profile

pytestmark = pytest.mark.django_db
SPAM = "Win a brand new phone today, only follow the link below and tell us where you live"


def a_post(number: int, at: dt.datetime, text: str = "Good morning to everybody here", **told: Any) -> Post:
    author = Author(id="b", handle="robin", name="Robin", **told)
    return Post("mastodon", f"b{number}", text, at, author)


@pytest.fixture
def timer(channel: Channel, bus: Any, worker: Any) -> Handle:
    """Somebody who posts every ten minutes, for four days."""
    posts = [a_post(number, NOON - dt.timedelta(minutes=10 * (590 - number))) for number in range(590)]
    hear(channel, posts[:580], bus, now=NOON)
    worker.drain()
    hear(channel, posts[580:], bus, now=NOON)
    worker.drain()
    return Handle.objects.get(handle="robin")


def test_a_machine_is_known_by_its_posts_and_the_reasons_stand_with_it(timer: Handle) -> None:
    assert timer.bot_score is not None
    assert timer.bot_score >= 0.8
    assert timer.automated
    assert "posts every 10 minutes, as a timer does" in timer.reasons
    newest = Outcome.objects.order_by("-post__sort_at").first()
    assert newest is not None
    assert '"account":{"bot":0.9' in newest.body


def test_what_a_machine_said_before_it_was_known_is_counted_apart_too(timer: Handle, alice: Membership) -> None:
    def counted() -> tuple[int, int, int]:
        hours = MoodHour.objects.aggregate(people=Sum("posts"), machines=Sum("automated"))
        return hours["people"], hours["machines"], Conversation.objects.filter(automated=True).count()

    conversations = Conversation.objects.count()
    assert counted() == (0, 590, conversations)
    people.say_automated(alice, timer, False, now=NOON)
    assert counted() == (590, 0, 0)
    people.say_automated(alice, timer, None, now=NOON)
    assert counted() == (0, 590, conversations)


def test_what_an_account_repeats_is_read_once_it_is_busy(channel: Channel, bus: Any, worker: Any) -> None:
    posts = [a_post(number, NOON - dt.timedelta(hours=31 - 3 * number), f"{SPAM} {number}") for number in range(9)]
    hear(channel, posts[:7], bus, now=NOON)
    worker.drain()

    def known() -> Any:
        return read_person_facts(channel.workspace_id, [(0, posts[8])], NOON)["mastodon", "b"]

    assert known().copied is None
    hear(channel, posts[7:], bus, now=NOON)
    worker.drain()
    assert known().copied == pytest.approx(8 / 9)
    assert known().linked == 0
    assert read_person_facts(channel.workspace_id, [(0, posts[8])], NOON + dt.timedelta(days=8))[
        "mastodon", "b"
    ].copied is None  # fmt: skip


def test_a_network_that_tells_little_leaves_the_score_unknown(channel: Channel, bus: Any, worker: Any) -> None:
    hear(channel, [a_post(1, NOON)], bus, now=NOON)
    worker.drain()
    handle = Handle.objects.get(handle="robin")
    assert handle.bot_score is None
    assert not handle.automated


def test_the_word_of_a_colleague_stands_above_the_score_until_it_is_taken_back(
    timer: Handle, alice: Membership, channel: Channel, bus: Any, worker: Any
) -> None:
    score = timer.bot_score
    handle = people.say_automated(alice, timer, False, now=NOON)
    assert not handle.automated
    assert (handle.bot_word_by, handle.bot_word_at) == (alice, NOON)
    hear(channel, [a_post(1_000, NOON)], bus, now=NOON)
    worker.drain()
    outcome = Outcome.objects.get(post__external_id="b1000")
    assert '"account":{"bot":0.0}' in outcome.body
    handle.refresh_from_db()
    assert handle.bot_score == score
    handle = people.say_automated(alice, handle, None, now=NOON)
    assert handle.automated
    assert handle.bot_word_by is None
    verbs = AuditEntry.objects.filter(verb__startswith="person.").order_by("pk").values_list("verb", flat=True)
    assert list(verbs) == ["person.no_bot", "person.bot_unsaid"]


def test_what_an_account_says_of_itself_is_not_talked_away(timer: Handle, alice: Membership) -> None:
    Handle.objects.update(bot=True)
    assert people.say_automated(alice, timer, False, now=NOON).automated


def test_who_may_not_see_a_person_does_not_judge_their_account(
    timer: Handle, ben: Membership, alice: Membership
) -> None:
    other = Workspace.objects.create(name="Other", slug="other")
    ben.workspace = other
    with pytest.raises(NotAllowed):
        people.say_automated(ben, timer, True, now=NOON)
    Handle.objects.update(ours=True)
    with pytest.raises(InvalidInput):
        people.say_automated(alice, timer, True, now=NOON)


def test_no_machine_of_ours_answers_a_machine_and_a_person_is_told(timer: Handle, alice: Membership) -> None:
    conversation = Conversation.objects.filter(person=timer.person).latest("pk")
    target = newest_inbound(conversation)
    assert target is not None

    def findings(by: Membership | None) -> dict[str, tuple[str, str]]:
        reply = reply_of(conversation.channel, target, "Hello Robin", by)
        facts = read_guard_facts(reply, conversation, target, conversation.channel, conversation.workspace, (), NOON)
        return {found.rule: (found.standing, found.reason) for found in check(reply, facts, Policy(), NOON).findings}

    assert findings(None)["bot"][0] == "refuse"
    standing, reason = findings(alice)["bot"]
    assert standing == "allow"
    assert "posts every 10 minutes" in reason
    people.say_automated(alice, timer, False, now=NOON)
    target = newest_inbound(conversation)
    assert target is not None
    assert "bot" not in findings(None)


def test_the_panel_says_who_said_so_without_a_query_for_each_handle(
    timer: Handle, alice: Membership, django_assert_num_queries: Any
) -> None:
    people.say_automated(alice, timer, True, now=NOON)
    shown = profile(alice, timer.person)
    with django_assert_num_queries(0):
        assert [str(handle.bot_word_by) for handle in shown.handles] == [str(alice)]
