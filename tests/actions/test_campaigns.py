"""A campaign finds posts and proposes words; every single one that leaves is a person's approval."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from rapport.actions import campaign_posts as work
from rapport.actions import campaigns as acts
from rapport.actions.accounts import invite
from rapport.actions.campaigns import Terms
from rapport.actions.holds import hold_everything
from rapport.actions.outbound import approve, cancel_delivery
from rapport.actions.people import ignore_person, suppress_person
from rapport.core.errors import InvalidInput, InvalidQuery, NotAllowed, Stale
from rapport.core.post import Author, Post
from rapport.store.models import (
    Approval,
    AuditEntry,
    Campaign,
    CampaignPost,
    Conversation,
    Delivery,
    Membership,
    Person,
    Variant,
)
from rapport.store.models import Post as PostRow
from rapport.store.queries.campaigns import read_outcomes, words_for

pytestmark = pytest.mark.django_db

#: so that no two answers are nearly the same
OBJECTS = [
    "lamp",
    "kettle",
    "chair",
    "table",
    "carpet",
    "bicycle",
    "helmet",
    "jacket",
    "boots",
    "violin",
    "candle",
    "teapot",
    "mirror",
    "ladder",
    "basket",
    "saddle",
    "tent",
    "cushion",
    "blanket",
    "drawer",
]


@pytest.fixture
def say(hear: Any, make_post: Callable[..., Post]) -> Callable[..., list[PostRow]]:
    """So many strangers each complain of a late delivery of something else."""

    def speak(count: int, **fields: Any) -> list[PostRow]:
        start = PostRow.objects.count()
        said = [
            make_post(
                f"My {OBJECTS[at % 20]} from @fernway is late again, number {at}",
                id=f"p{at}",
                author=f"ann{at}",
                **fields,
            )
            for at in range(start, start + count)
        ]
        hear(*said)
        return list(PostRow.objects.order_by("pk")[start:])

    return speak


@pytest.fixture
def make(alice: Membership, channel: Any, now: dt.datetime) -> Callable[..., Campaign]:
    """A campaign that looks for "late"."""

    def build(by: Membership = alice, **fields: Any) -> Campaign:
        terms = Terms(**({"name": "Late deliveries", "query": "late"} | fields))
        texts = [
            ("A", "Hello {first_name}, we look into it. {agent}"),
            ("B", "Sorry, {first_name}! Which order is it?"),
        ]
        return acts.save_campaign(by, None, terms, texts, now=now)

    return build


@pytest.fixture
def running(make: Callable[..., Campaign], alice: Membership, now: dt.datetime) -> Callable[..., Campaign]:
    def begin(**fields: Any) -> Campaign:
        campaign = make(**fields)
        acts.find_posts(alice, campaign, now=now)
        acts.run_campaign(alice, campaign, now=now)
        return campaign

    return begin


def own_words(row: CampaignPost, at: int) -> str:
    name = row.post.handle.handle
    things = " and ".join(OBJECTS[at % 20 :: 3] or OBJECTS[:3])
    return f"@{name} about your {OBJECTS[at % 20]}: {things}, case {at}"


def press(row: CampaignPost, at: int) -> work.Press:
    return work.Press(row, own_words(row, at), Conversation.objects.get(pk=row.conversation_id).version)


def rows_of(campaign: Campaign) -> list[CampaignPost]:
    rows = CampaignPost.objects.filter(campaign=campaign)
    return list(rows.select_related("post__handle__person", "conversation", "campaign", "variant").order_by("pk"))


# ---------------------------------------------------------------- finding


def test_posts_are_found_with_their_words_and_what_speaks_against_answering_is_counted(
    say: Callable[..., list[PostRow]], make: Callable[..., Campaign], alice: Membership, channel: Any, now: dt.datetime
) -> None:
    posts = say(7)
    suppress_person(alice, posts[0].handle.person, "asked us to stop", now=now)
    ignore_person(alice, posts[1].handle.person, "a troll", now=now)
    answered = Conversation.objects.get(pk=posts[2].conversation_id)
    approve(
        alice, answered, "@ann2 We look at it.", target=posts[2], channel=channel, version=answered.version, now=now
    )
    campaign = make()
    assert acts.find_posts(alice, campaign, now=now) == 4
    assert dict(campaign.looked["left_out"]) == {"suppressed": 1, "ignored": 1, "answered": 1}
    rows = rows_of(campaign)
    assert {row.post_id for row in rows} == {post.pk for post in posts[3:]}
    assert Counter(row.variant.name for row in rows) == {"A": 2, "B": 2}
    assert words_for(rows[0], rows[0].variant, alice).startswith("@ann")
    assert not Approval.objects.filter(conversation__in=[row.conversation_id for row in rows]).exists()


def test_a_person_who_spoke_often_is_written_to_once_about_their_newest_word(
    hear: Any, make_post: Callable[..., Post], make: Callable[..., Campaign], alice: Membership, now: dt.datetime
) -> None:
    early, late = now - dt.timedelta(hours=3), now - dt.timedelta(hours=1)
    hear(
        make_post("my lamp is late @fernway", created_at=early),
        make_post("and the kettle is late too @fernway", created_at=late),
        make_post("late as well, but from long ago @fernway", author="bob", created_at=now - dt.timedelta(days=9)),
        make_post("late, says a program @fernway", author=Author(id="r", handle="r", name="R", bot=True)),
    )
    campaign = make(since=now - dt.timedelta(days=2))
    acts.find_posts(alice, campaign, now=now)
    assert [row.post.text for row in rows_of(campaign)] == ["and the kettle is late too @fernway"]
    assert dict(campaign.looked["left_out"]) == {"often": 1, "automated": 1}


def test_looking_again_adds_what_is_new_and_touches_nothing_that_is_worked_on(
    say: Callable[..., list[PostRow]], running: Callable[..., Campaign], alice: Membership, now: dt.datetime
) -> None:
    say(3)
    campaign = running()
    first = rows_of(campaign)[0]
    work.skip_post(alice, first, "wrong shop", now=now)
    say(2)
    assert acts.find_posts(alice, campaign, now=now) == 2
    assert acts.find_posts(alice, campaign, now=now) == 0
    assert Counter(row.state for row in rows_of(campaign)) == {"waiting": 4, "skipped": 1}


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"name": " "}, "name"),
        ({"query": ""}, "looks for"),
        ({"per_person": 0}, "once"),
        (
            {"since": dt.datetime(2026, 2, 1, tzinfo=dt.UTC), "until": dt.datetime(2026, 1, 1, tzinfo=dt.UTC)},
            "end lies",
        ),
    ],
)
def test_what_cannot_be_used_is_refused_with_what_to_do(
    make: Callable[..., Campaign], fields: dict[str, Any], told: str
) -> None:
    with pytest.raises(InvalidInput, match=told):
        make(**fields)
    assert not Campaign.objects.exists()


def test_wrong_queries_and_texts_say_where(make: Callable[..., Campaign], alice: Membership, now: dt.datetime) -> None:
    with pytest.raises(InvalidQuery):
        make(query='"not closed')
    for texts, told in (
        ([], "at least one"),
        ([("A", "{nmae}")], "placeholder"),
        ([("A", "x"), ("a", "y")], "same name"),
    ):
        with pytest.raises(InvalidInput, match=told):
            acts.save_campaign(alice, None, Terms("x", "late"), texts, now=now)


# ---------------------------------------------------------------- rights


def test_agents_work_and_leads_build(
    say: Callable[..., list[PostRow]], running: Callable[..., Campaign], ben: Membership, charlie: Membership,
    now: dt.datetime,
) -> None:  # fmt: skip
    say(2)
    campaign = running()
    [one, other] = rows_of(campaign)
    for act in (
        lambda by: acts.save_campaign(by, campaign, Terms("x", "late"), [("A", "x")], now=now),
        lambda by: acts.find_posts(by, campaign, now=now),
        lambda by: acts.stop_campaign(by, campaign, "no", now=now),
        lambda by: acts.delete_campaign(by, campaign, now=now),
        lambda by: work.give_posts(by, [one], by, now=now),
    ):
        for by in (ben, charlie):
            with pytest.raises(NotAllowed):
                act(by)
    assert work.send_post(ben, one, own_words(one, 1), version=one.conversation.version, now=now).state == "sent"
    with pytest.raises(NotAllowed):
        work.send_posts(charlie, [press(other, 2)], now=now)


def test_one_that_is_not_theirs_stops_the_whole_list(
    say: Callable[..., list[PostRow]], running: Callable[..., Campaign], alice: Membership, now: dt.datetime
) -> None:
    say(3)
    campaign = running()
    dora = invite(alice, "dora@fernway.example", "Dora", "agent", [], now=now)[0]
    rows = rows_of(campaign)
    Conversation.objects.filter(pk=rows[0].conversation_id).update(assignee=dora)
    with pytest.raises(NotAllowed):
        work.send_posts(dora, [press(row, at) for at, row in enumerate(rows_of(campaign))], now=now)
    assert not Approval.objects.exists()
    with pytest.raises(InvalidInput, match="cannot answer all"):
        work.give_posts(alice, rows_of(campaign), dora, now=now)
    assert work.give_posts(alice, rows_of(campaign)[:1], dora, now=now) == 1


# ---------------------------------------------------------------- sending


def test_of_a_checked_list_of_twenty_seventeen_leave_and_three_say_why(
    say: Callable[..., list[PostRow]], running: Callable[..., Campaign], alice: Membership, ben: Membership,
    channel: Any, now: dt.datetime,
) -> None:  # fmt: skip
    say(20)
    campaign = running()
    rows = rows_of(campaign)
    assert len(rows) == 20
    presses = [press(row, at) for at, row in enumerate(rows)]
    # one is told nearly the same as somebody else, one asked us to stop, one was answered since the page was made
    presses[5] = presses[5]._replace(text=presses[4].text)
    suppress_person(alice, rows[9].post.handle.person, "asked us to stop", now=now)
    approve(
        ben, rows[14].conversation, "@ann5 Ben was faster.", target=rows[14].post, channel=channel,
        version=rows[14].conversation.version, now=now - dt.timedelta(minutes=1),
    )  # fmt: skip
    done = work.send_posts(alice, presses, now=now)
    assert Counter(row.state for row in done) == {"sent": 17, "held": 1, "refused": 2}
    assert done[5].reason.startswith("Nearly the same words (100%) went to somebody else")
    assert "stop" in done[9].reason
    assert "meanwhile" in done[14].reason
    own = Approval.objects.filter(person=alice).order_by("sequence")
    assert own.count() == 17  # one entry each, and none for what was held
    assert Delivery.objects.filter(approval__in=own, state="queued").count() == 17
    assert {row.approval_id for row in done if row.state == "sent"} == set(own.values_list("pk", flat=True))
    assert AuditEntry.objects.filter(verb="campaign.send").count() == 17
    assert AuditEntry.objects.filter(verb="campaign.keep").count() == 3
    # in their own words it goes out after all
    again = work.send_post(alice, done[5], own_words(done[5], 25), version=presses[5].version, now=now)
    assert (again.state, again.reason) == ("sent", "")


def test_what_they_said_meanwhile_is_read_before_it_is_sent(
    say: Callable[..., list[PostRow]], running: Callable[..., Campaign], hear: Any, make_post: Callable[..., Post],
    alice: Membership, now: dt.datetime,
) -> None:  # fmt: skip
    say(1)
    campaign = running()
    [row] = rows_of(campaign)
    old = press(row, 1)
    hear(make_post("it has come, sorry!", author="ann0", in_reply_to="p0"))
    [kept] = work.send_posts(alice, [old], now=now)
    assert (kept.state, kept.text) == ("held", old.text)
    assert "Read what is new" in kept.reason
    assert not Approval.objects.exists()


def test_while_everything_is_held_nothing_of_a_campaign_is_approved(
    say: Callable[..., list[PostRow]], running: Callable[..., Campaign], alice: Membership, now: dt.datetime
) -> None:
    say(1)
    campaign = running()
    hold_everything(alice, "Recall", now=now)
    [row] = work.send_posts(alice, [press(row, 1) for row in rows_of(campaign)], now=now)
    assert (row.state, "Recall" in row.reason) == ("held", True)
    assert not Approval.objects.exists()


def test_what_was_sent_is_sent_once(
    say: Callable[..., list[PostRow]], running: Callable[..., Campaign], alice: Membership, ben: Membership,
    now: dt.datetime,
) -> None:  # fmt: skip
    say(1)
    campaign = running()
    [row] = rows_of(campaign)
    [same] = rows_of(campaign)
    work.send_post(alice, row, own_words(row, 1), version=row.conversation.version, now=now)
    [told] = work.send_posts(ben, [press(same, 2)], now=now)
    assert told.state == "sent"
    assert Approval.objects.count() == 1
    with pytest.raises(Stale):
        work.save_post_text(ben, same, "too late", now=now)
    with pytest.raises(Stale):
        work.skip_post(ben, same, "too late", now=now)


# ---------------------------------------------------------------- stopping, results


def test_a_stop_takes_back_what_has_not_left_and_lets_nothing_more_out(
    say: Callable[..., list[PostRow]], running: Callable[..., Campaign], alice: Membership, now: dt.datetime
) -> None:
    say(3)
    campaign = running()
    presses = [press(row, at) for at, row in enumerate(rows_of(campaign))]
    work.send_posts(alice, presses[:2], now=now)
    Delivery.objects.filter(approval__campaign_post=presses[0].row.pk).update(state="sent")
    assert acts.stop_campaign(alice, campaign, "the price was wrong", now=now) == 1
    assert [row.state for row in rows_of(campaign)] == ["sent", "waiting", "waiting"]
    assert Counter(Delivery.objects.values_list("state", flat=True)) == {"sent": 1, "cancelled": 1}
    with pytest.raises(InvalidInput, match="the price was wrong"):
        work.send_post(alice, rows_of(campaign)[2], "x", version=1, now=now)
    acts.run_campaign(alice, campaign, now=now)
    again = rows_of(campaign)[1]
    assert work.send_post(alice, again, own_words(again, 7), version=press(again, 7).version, now=now).state == "sent"
    with pytest.raises(InvalidInput, match="stays for the record"):
        acts.delete_campaign(alice, campaign, now=now)
    acts.finish_campaign(alice, campaign, now=now)
    with pytest.raises(InvalidInput):
        acts.run_campaign(alice, campaign, now=now)


def test_results_count_their_first_word_after_ours(
    say: Callable[..., list[PostRow]], running: Callable[..., Campaign], hear: Any, make_post: Callable[..., Post],
    alice: Membership, now: dt.datetime,
) -> None:  # fmt: skip
    say(3)
    campaign = running()
    rows = rows_of(campaign)
    early = now - dt.timedelta(minutes=4)
    done = work.send_posts(alice, [press(row, at) for at, row in enumerate(rows)], now=early)
    cancel_delivery(alice, Delivery.objects.get(approval=done[2].approval), now=now)
    first = rows[0].post
    hear(
        make_post(
            "Great, thank you, I love it!", author=first.handle.handle, in_reply_to=first.external_id, created_at=now
        ),
        make_post("nobody in the campaign", author="eve", in_reply_to=rows[1].post.external_id, created_at=now),
    )
    [answered, silent] = sorted(read_outcomes(campaign), key=lambda each: each.answered_after is None)
    assert (answered.answered_after, answered.mood_before, answered.mood_after) == (240.0, -1, 1)
    assert answered.variant == rows[0].variant_id
    assert silent.answered_after is None


def test_a_wording_that_is_taken_away_leaves_posts_to_the_others(
    say: Callable[..., list[PostRow]], make: Callable[..., Campaign], alice: Membership, now: dt.datetime
) -> None:
    say(4)
    campaign = make()
    acts.find_posts(alice, campaign, now=now)
    acts.save_campaign(alice, campaign, Terms("Late", "late"), [("A", "Hello {first_name}!")], now=now)
    assert {row.variant.name for row in rows_of(campaign)} == {"A"}
    assert Variant.objects.count() == 1
    acts.delete_campaign(alice, campaign, now=now)
    assert Person.objects.exists()
    assert not CampaignPost.objects.exists()
