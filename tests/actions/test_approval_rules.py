"""Rules about who approves, at the one door through which replies leave."""

from __future__ import annotations

from typing import Any

import pytest

from conftest import NOON
from rapport.actions import approval_rules, drafts
from rapport.actions.outbound import approve
from rapport.core.errors import InvalidInput, NotAllowed
from rapport.store.models import Approval, ApprovalRule, Basket, Conversation
from rapport.store.queries.approvals import list_waiting
from rapport.store.queries.outbound import newest_inbound

pytestmark = pytest.mark.django_db
WORDS = "@nadia It comes tomorrow, the carrier was late."


@pytest.fixture
def lea(alice: Any) -> Any:
    from rapport.actions.accounts import invite

    return invite(alice, "lea@fernway.example", "Lea", "lead", list(Basket.objects.of(alice.workspace)), now=NOON)[0]


@pytest.fixture
def talk(alice: Any, channel: Any, hear: Any, make_post: Any) -> Any:
    hear(make_post("Where is my parcel?", author="nadia"))
    row = Conversation.objects.get()
    row.basket = Basket.objects.of(alice.workspace).get(slug="care")
    row.save()
    return row


def rule(alice: Any, **more: Any) -> ApprovalRule:
    given = {"role": "", "basket": None, "channel": None, "condition": "", "approver": "lead", "four_eyes": True}
    return approval_rules.save_approval_rule(alice, None, **{**given, "active": True, "now": NOON, **more})


def send(by: Any, talk: Any, text: str = WORDS, **more: Any) -> Approval:
    talk.refresh_from_db()
    target = newest_inbound(talk)
    assert target is not None
    return approve(by, talk, text, target=target, channel=talk.channel, version=talk.version, now=NOON, **more).approval


def test_under_a_rule_an_agent_asks_and_a_lead_approves_with_both_names(
    alice: Any, ben: Any, lea: Any, talk: Any
) -> None:
    rule(alice, role="agent")
    with pytest.raises(InvalidInput, match="needs the word of a lead"):
        send(ben, talk)
    drafts.save_draft(ben, talk, WORDS, now=NOON)
    drafts.propose_draft(ben, talk, now=NOON)
    (waiting,) = list_waiting(lea)
    assert waiting.by == ""
    approval = send(lea, talk, asked_by=ben)
    assert (approval.person, approval.asked_by) == (lea, ben)


def test_four_eyes_mean_that_no_role_approves_its_own_words(alice: Any, ben: Any, lea: Any, talk: Any) -> None:
    rule(alice)
    for who in (alice, lea, ben):
        with pytest.raises(InvalidInput):
            send(who, talk)
    drafts.save_draft(lea, talk, WORDS, now=NOON)
    drafts.propose_draft(lea, talk, now=NOON)
    with pytest.raises(InvalidInput):
        send(lea, talk)
    with pytest.raises(InvalidInput, match="your words"):
        send(alice, talk, "@nadia Something else entirely was written here by me", asked_by=lea)
    with pytest.raises(InvalidInput):
        send(ben, talk, asked_by=lea)
    assert send(alice, talk, asked_by=lea).asked_by == lea


def test_where_an_admin_approves_a_lead_does_not(alice: Any, ben: Any, lea: Any, talk: Any) -> None:
    rule(alice, approver="admin", four_eyes=False)
    drafts.save_draft(ben, talk, WORDS, now=NOON)
    drafts.propose_draft(ben, talk, now=NOON)
    assert list_waiting(lea)[0].by == "admin"
    with pytest.raises(InvalidInput, match="approved by an admin"):
        send(lea, talk, asked_by=ben)
    assert send(alice, talk, asked_by=ben).person == alice


@pytest.mark.parametrize(
    ("narrowed", "asks"),
    [
        ({"basket": "care"}, True),
        ({"basket": "sales"}, False),
        ({"condition": 'text matches "parcel"'}, True),
        ({"condition": 'text matches "coat"'}, False),
        ({"role": "advocate"}, False),
        ({"active": False}, False),
        ({"four_eyes": False, "role": "agent"}, True),
    ],
)
def test_a_rule_asks_only_where_it_fits(alice: Any, ben: Any, talk: Any, narrowed: dict[str, Any], asks: bool) -> None:
    if "basket" in narrowed:
        narrowed = {"basket": Basket.objects.of(alice.workspace).get(slug=narrowed["basket"])}
    rule(alice, **narrowed)
    if asks:
        with pytest.raises(InvalidInput):
            send(ben, talk)
    else:
        assert send(ben, talk).person == ben


def test_the_first_rule_that_fits_decides_and_its_place_can_be_changed(alice: Any, lea: Any, talk: Any) -> None:
    rule(alice)
    mild = rule(alice, four_eyes=False)
    with pytest.raises(InvalidInput):
        send(lea, talk)
    approval_rules.move_approval_rule(alice, mild, up=True, now=NOON)
    assert send(lea, talk).person == lea


def test_what_is_no_condition_is_refused_and_only_admins_make_rules(alice: Any, lea: Any, charlie: Any) -> None:
    with pytest.raises(InvalidInput, match="condition"):
        rule(alice, condition="complaintt >= 0.5")
    with pytest.raises(NotAllowed):
        rule(lea)
    with pytest.raises(NotAllowed):
        rule(alice, basket=Basket.objects.of(charlie.workspace)[0])
    kept = rule(alice)
    for act in (approval_rules.delete_approval_rule, lambda by, row, now: rule(by)):
        with pytest.raises(NotAllowed):
            act(lea, kept, now=NOON)


def test_a_reply_that_went_out_gets_no_new_words_from_one_person_where_a_rule_asks_for_two(
    alice: Any, talk: Any
) -> None:
    from rapport.actions import acts
    from rapport.store.models import Delivery

    sent = Delivery.objects.get(approval=send(alice, talk))
    Delivery.objects.filter(pk=sent.pk).update(state="sent", external_id="s1")
    sent.refresh_from_db()
    rule(alice)
    with pytest.raises(InvalidInput, match="needs the word of a lead"):
        acts.edit_sent(alice, sent, "@nadia It comes on Monday.", now=NOON)


@pytest.mark.parametrize(
    "condition", ["conversation.new", "not conversation.new", "count(person.answers, 30 days) >= 1"]
)
def test_what_nobody_looked_up_when_a_post_was_decided_asks_once_too_often(
    alice: Any, ben: Any, hear: Any, make_post: Any, talk: Any, condition: str
) -> None:
    hear(make_post("And the bill?", author="nadia"))  # of somebody whom we know by now
    rule(alice, condition=condition)
    newest = Conversation.objects.order_by("-pk")[0]
    with pytest.raises(InvalidInput):
        send(ben, newest)


def test_what_conditions_ask_is_looked_up_from_then_on(
    alice: Any, ben: Any, talk: Any, hear: Any, make_post: Any
) -> None:
    rule(alice, condition="count(conversation.posts) >= 1 or count(person.answers, 30 days) >= 1")
    hear(make_post("And the bill?", author="max"))
    first = Conversation.objects.get(person__name="Max")
    assert send(ben, first, "@max It comes tomorrow, the carrier was late.").person == ben
    answered = newest_inbound(first)
    assert answered is not None
    hear(make_post("And when?", author="max", in_reply_to=answered.external_id))
    with pytest.raises(InvalidInput):
        send(ben, first)
