"""Offers beyond policy: limits, the word of a lead, what came of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from conftest import NOON
from rapport.actions.accounts import invite
from rapport.actions.articles import delete_allowance, save_allowance, save_article
from rapport.actions.offers import answer_offer, decide_offer, make_offer
from rapport.actions.outbound import approve, cancel_delivery
from rapport.actions.tasks import remind_of_tasks
from rapport.core.errors import InvalidInput, NotAllowed
from rapport.store.models import Basket, Conversation, Delivery, Membership, Notification, Offer, Post, Task, Topic
from rapport.store.queries import policy as reads

pytestmark = pytest.mark.django_db
LATER = NOON + dt.timedelta(hours=1)


@pytest.fixture
def talk(alice: Membership, hear: Callable[..., Any], make_post: Callable[..., Any]) -> Conversation:
    """Nadia's complaint, in a workspace where agents refund up to 40 EUR and leads up to 100."""
    hear(make_post("My parcel is broken, I am so angry", author="nadia"))
    save_allowance(alice, "agent", "Refund", Decimal(40), "EUR", now=NOON)
    save_allowance(alice, "lead", "refund", Decimal(100), "EUR", now=NOON)
    save_allowance(alice, "agent", "callback", None, "", now=NOON)
    return Conversation.objects.get()


@pytest.fixture
def lea(alice: Membership) -> Membership:
    return invite(alice, "lea@fernway.example", "Lea", "lead", [], now=NOON)[0]


def test_above_the_limit_the_action_refuses_and_a_lead_can_be_asked(
    ben: Membership, lea: Membership, talk: Conversation
) -> None:
    assert make_offer(ben, talk, "refund", Decimal(40), "EUR", now=NOON).state == "offered"
    assert make_offer(ben, talk, "callback", now=NOON).state == "offered"
    with pytest.raises(NotAllowed, match=r"up to 40\.00 EUR"):
        make_offer(ben, talk, "refund", Decimal(41), "EUR", now=NOON)
    with pytest.raises(NotAllowed, match="limit is in EUR"):
        make_offer(ben, talk, "refund", Decimal(5), "USD", now=NOON)
    with pytest.raises(InvalidInput, match="how much"):
        make_offer(ben, talk, "refund", now=NOON)
    with pytest.raises(InvalidInput, match="why it is right"):
        make_offer(ben, talk, "refund", Decimal(41), "EUR", ask=True, now=NOON)
    asked = make_offer(ben, talk, "refund", Decimal(60), "EUR", "Third time", ask=True, now=NOON)
    assert make_offer(ben, talk, "refund", Decimal(60), "EUR", "Third time", ask=True, now=NOON) == asked
    assert asked.state == "asked"
    assert Notification.objects.get(membership=lea, event="proposal").conversation == talk
    with pytest.raises(InvalidInput, match="not among"):
        make_offer(ben, talk, "yacht", now=NOON)


def test_a_lead_decides_on_what_others_asked_within_their_own_limit(
    alice: Membership, ben: Membership, lea: Membership, talk: Conversation
) -> None:
    asked = make_offer(ben, talk, "refund", Decimal(60), "EUR", "Third time", ask=True, now=NOON)
    with pytest.raises(NotAllowed):
        decide_offer(ben, asked, True, now=LATER)
    with pytest.raises(InvalidInput, match="why not"):
        decide_offer(lea, asked, False, now=LATER)
    allowed = decide_offer(lea, asked, True, "Be kind", now=LATER)
    assert (allowed.state, allowed.decided_by, allowed.decision) == ("allowed", lea, "Be kind")
    assert Notification.objects.filter(membership=ben, event="answer").exists()
    with pytest.raises(InvalidInput, match="decided already"):
        decide_offer(alice, asked, False, "Too much", now=LATER)
    far = make_offer(ben, talk, "refund", Decimal(500), "EUR", "Fifth time", ask=True, now=NOON)
    with pytest.raises(NotAllowed, match="higher limit"):
        decide_offer(lea, far, True, now=LATER)
    own = make_offer(lea, talk, "refund", Decimal(500), "EUR", "Sixth time", ask=True, now=NOON)
    with pytest.raises(NotAllowed, match="yourself"):
        decide_offer(lea, own, True, now=LATER)
    assert decide_offer(alice, own, True, now=LATER).state == "allowed"  # an owner without a row has no limit


def test_once_they_agreed_a_task_asks_later_whether_it_came_to_be(
    alice: Membership, ben: Membership, talk: Conversation
) -> None:
    offer = make_offer(ben, talk, "refund", Decimal(40), "EUR", now=NOON)
    with pytest.raises(InvalidInput, match="somewhere else"):
        answer_offer(ben, offer, "kept", now=LATER)
    agreed = answer_offer(ben, offer, "agreed", now=LATER)
    task = Task.objects.get(offer=agreed)
    assert (task.assignee, task.due_at) == (ben, LATER + dt.timedelta(days=7))
    assert remind_of_tasks(alice.workspace, now=LATER + dt.timedelta(days=8)) == 1
    with pytest.raises(InvalidInput, match="what went wrong"):
        answer_offer(ben, agreed, "broken", now=LATER)
    kept = answer_offer(ben, agreed, "kept", "Paid on Monday", now=LATER)
    task.refresh_from_db()
    assert (kept.state, kept.outcome, task.done_by) == ("kept", "Paid on Monday", ben)


def test_people_of_other_baskets_and_workspaces_touch_no_offer(
    alice: Membership, ben: Membership, charlie: Membership, talk: Conversation
) -> None:
    offer = make_offer(ben, talk, "refund", Decimal(10), "EUR", now=NOON)
    save_allowance(charlie, "owner", "refund", None, "", now=NOON)
    far = invite(alice, "far@fernway.example", "Far", "agent", [], now=NOON)[0]
    for other in (charlie, far):
        with pytest.raises(NotAllowed):
            make_offer(other, talk, "refund", Decimal(1), "EUR", now=NOON)
        with pytest.raises(NotAllowed):
            answer_offer(other, offer, "agreed", now=NOON)
    asked = make_offer(ben, talk, "refund", Decimal(99), "EUR", "Rain", ask=True, now=NOON)
    with pytest.raises(NotAllowed):
        decide_offer(charlie, asked, True, now=NOON)
    with pytest.raises(NotAllowed):
        save_allowance(ben, "agent", "refund", None, "", now=NOON)


def test_an_agent_demoted_or_a_limit_taken_away_counts_at_once(alice: Membership, ben: Membership, talk: Any) -> None:
    row = save_allowance(alice, "agent", "refund", Decimal(5), "EUR", now=NOON)
    with pytest.raises(NotAllowed, match=r"up to 5\.00"):
        make_offer(ben, talk, "refund", Decimal(40), "EUR", now=NOON)
    delete_allowance(alice, row, now=NOON)
    with pytest.raises(NotAllowed, match="by itself"):
        make_offer(ben, talk, "refund", Decimal(1), "EUR", now=NOON)


def test_the_report_counts_what_became_of_offers_and_how_people_felt_after(
    ben: Membership, talk: Conversation, hear: Callable[..., Any], make_post: Callable[..., Any]
) -> None:
    before = NOON - dt.timedelta(minutes=2)
    first = make_offer(ben, talk, "refund", Decimal(40), "EUR", now=before)
    second = make_offer(ben, talk, "refund", Decimal(20), "EUR", now=before)
    answer_offer(ben, answer_offer(ben, first, "agreed", now=LATER), "kept", now=LATER)
    answer_offer(ben, second, "declined", now=LATER)
    hear(make_post("Thank you so much, wonderful, I love it!", author="nadia", created_at=LATER, in_reply_to="1"))
    found = reads.report(ben.workspace_id, NOON - dt.timedelta(days=1), LATER)
    assert [(each.what, each.made, each.agreed, each.declined, each.kept, each.amount) for each in found] == [
        ("refund", 2, 1, 1, 1, Decimal(40))
    ]
    assert (found[0].share, found[0].heard, found[0].better, found[0].worse) == (0.5, 2, 2, 0)


def test_articles_stand_beside_conversations_of_their_topics_and_policy_is_for_colleagues(
    alice: Membership, talk: Conversation, hear: Callable[..., Any], make_post: Callable[..., Any]
) -> None:
    from rapport.actions.listening import save_topic

    parcels = save_topic(alice, "", "Parcels", "parcel", now=NOON)
    hear(make_post("Another parcel in the rain", author="olga"))
    olga = Conversation.objects.latest("pk")
    olga.basket = Basket.objects.of(alice.workspace).get(slug="care")
    olga.save()
    rule = save_article(alice, None, kind="policy", title="Wet parcels", text="New one", topics=[parcels], now=NOON)
    said = save_article(alice, None, kind="help", title="Dry it", text="On a towel", topics=[parcels], now=NOON)
    save_article(alice, None, kind="help", title="Off", text="x", topics=[parcels], active=False, now=NOON)
    assert reads.beside(alice, olga).articles == [said, rule]
    rita = invite(alice, "rita@out.example", "Rita", "restricted", [olga.basket], now=NOON)[0]
    assert reads.beside(rita, olga).articles == [said]
    # was heard before the topic was there, and its words are too few to be alike
    assert reads.beside(alice, talk).articles == []


def test_an_article_of_no_topic_stands_beside_words_that_are_about_the_same_thing(
    alice: Membership, talk: Conversation
) -> None:
    broken = save_article(alice, None, kind="help", title="A broken parcel", text="Send us a picture of it", now=NOON)
    save_article(alice, None, kind="help", title="Opening hours", text="We are there from nine to five", now=NOON)
    save_article(alice, None, kind="help", title="Broken parcels", text="Old", active=False, now=NOON)
    assert reads.beside(alice, talk).articles == [broken]


@pytest.mark.parametrize("link", ["javascript:alert(1)", "data:text/html,x", "//evil.example", "ftp://a.example"])
def test_an_article_links_to_pages_alone(alice: Membership, link: str) -> None:
    with pytest.raises(InvalidInput, match="address of a page"):
        save_article(alice, None, kind="help", title="A", text="B", link=link, now=NOON)


def test_an_article_takes_no_topic_of_another_workspace(alice: Membership, charlie: Membership) -> None:
    theirs = Topic.objects.create(workspace=charlie.workspace, slug="t", name="T", query="x", updated_at=NOON)
    with pytest.raises(NotAllowed):
        save_article(alice, None, kind="help", title="A", text="B", topics=[theirs], now=NOON)


def test_an_offer_outlives_a_conversation_and_its_moves_are_those_of_the_table(ben: Membership, talk: Any) -> None:
    offer = make_offer(ben, talk, "callback", now=NOON)
    for becomes in ("offered", "kept", "broken"):
        with pytest.raises(InvalidInput, match="somewhere else"):
            answer_offer(ben, offer, becomes, "x", now=NOON)  # type: ignore[arg-type]
    assert set(Offer.MOVES) == set(Offer.State.values)


def test_an_unfit_voucher_is_held_and_whoever_sends_may_set_that_aside_on_record(
    ben: Membership, talk: Conversation, channel: Any, hear: Callable[..., Any], make_post: Callable[..., Any]
) -> None:
    hear(make_post("And I don't want another voucher!", author="nadia", in_reply_to="1"))
    target, text = Post.objects.latest("pk"), "@nadia Here is a voucher over 10 EUR for you"

    def send(words: str, despite: tuple[str, ...] = ()) -> Delivery:
        version = Conversation.objects.get(pk=talk.pk).version
        return approve(ben, talk, words, target=target, channel=channel, version=version, despite=despite, now=LATER)

    held = send(text)
    assert (held.state, held.held_by) == ("held", "unfit-offer")
    assert "don't want another voucher" in held.cause
    cancel_delivery(ben, held, now=LATER)
    sent = send(text, despite=("unfit-offer",))
    assert (sent.state, sent.approval.despite) == ("queued", ["unfit-offer"])
    with pytest.raises(NotAllowed, match="Only a lead"):
        send("@nadia And something else", despite=("unfit-offer", "pile-on"))


def test_what_they_declined_is_not_offered_again_unseen(ben: Membership, talk: Conversation) -> None:
    save_allowance(invite_owner(ben), "agent", "voucher", None, "", now=NOON)
    person = talk.person_id or 0
    assert reads.unfit_in("Take a voucher", talk, person) is None
    answer_offer(ben, make_offer(ben, talk, "voucher", now=NOON), "declined", now=NOON)
    found = reads.unfit_in("Take a voucher", talk, person)
    assert found is not None
    assert found.why == "declined"
    assert reads.unfit_in("Your money is on its way", talk, person) is None


def invite_owner(member: Membership) -> Membership:
    return Membership.objects.get(workspace=member.workspace, role="owner")


def test_a_sum_above_the_limit_is_seen_while_it_is_written(alice: Membership, ben: Membership, talk: Any) -> None:
    target = Post.objects.get()
    above = reads.sum_above(ben, talk, "We pay 60 EUR back", target)
    assert above is not None
    assert above.amount == 60
    assert reads.sum_above(ben, talk, "We pay 40 EUR back", target) is None
    assert reads.sum_above(alice, talk, "We pay 60 EUR back", target) is None
    asked = make_offer(ben, talk, "refund", Decimal(60), "EUR", "Rain", ask=True, now=NOON)
    assert reads.sum_above(ben, talk, "We pay 60 EUR back", target) is not None
    decide_offer(alice, asked, True, now=NOON)
    assert reads.sum_above(ben, talk, "We pay 60 EUR back", target) is None
