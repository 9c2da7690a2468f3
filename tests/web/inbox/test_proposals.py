"""What rules propose, as people take or dismiss it on the page of a conversation."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from rapport.actions import proposals, undo
from rapport.core.errors import InvalidInput, NotAllowed
from rapport.store.models import (
    Conversation,
    Escalation,
    Ignoring,
    Membership,
    Note,
    Notification,
    Person,
    RuleEffect,
    Task,
    Webhook,
    WebhookCall,
    Workspace,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def propose(complaint: Any, now: dt.datetime) -> Any:
    """A rule proposes this on Nadia's complaint."""

    def make(verb: str, argument: str = "") -> RuleEffect:
        return RuleEffect.objects.create(
            workspace=complaint.workspace, conversation=complaint, post=complaint.decided_by, rule="Storm watch",
            verb=verb, argument=argument, level="suggest", state="proposed", at=now,
        )  # fmt: skip

    return make


def act(client: Any, effect: RuleEffect, how: str, **headers: str) -> Any:
    return client.post(f"/w/fernway/c/{effect.conversation_id}/proposals/{effect.pk}/{how}", headers=headers)


def test_the_page_says_what_is_proposed_by_which_rule(cast: Any, enter: Any, complaint: Any, propose: Any) -> None:
    propose("basket", "praise")
    propose("boost")
    propose("survey", "trip")
    page = enter(cast.amir).get(f"/w/fernway/c/{complaint.pk}/").content.decode()
    for words in ("Move to praise", "Storm watch", "Do it", "Dismiss", "Share their post", "survey trip into my draft"):
        assert words in page


def test_what_is_taken_is_done_in_the_name_of_whoever_took_it(cast: Any, enter: Any, propose: Any) -> None:
    effect = propose("basket", "praise")
    assert act(enter(cast.amir), effect, "take").status_code == 303
    effect.refresh_from_db()
    assert (effect.state, effect.by) == ("taken", cast.amir)
    assert Conversation.objects.get(pk=effect.conversation_id).basket.slug == "praise"


def test_a_dismissal_can_be_undone_on_the_page(cast: Any, enter: Any, propose: Any) -> None:
    effect = propose("basket", "praise")
    client = enter(cast.amir)
    answer = act(client, effect, "dismiss", **{"HX-Request": "true"})
    assert "Undo" in answer.content.decode()
    act(client, effect, "back")
    effect.refresh_from_db()
    assert (effect.state, effect.by) == ("proposed", None)


def test_of_two_who_decide_at_once_the_second_is_told(cast: Any, propose: Any, now: dt.datetime) -> None:
    effect = propose("note", "Call")
    proposals.take(cast.amir, effect, now=now)
    for decide in (proposals.take, proposals.dismiss, proposals.put_back):
        with pytest.raises(InvalidInput, match="faster"):
            decide(cast.lea, effect, now=now)
    assert Note.objects.get().author == cast.amir


@pytest.mark.parametrize(
    ("verb", "argument", "seen"),
    [
        ("priority", "urgent", lambda talk: talk.priority == 3),
        ("person", "lea@fernway.example", lambda talk: talk.assignee.role == "lead"),
        ("draft", "thanks", lambda talk: talk.draft_slug == "thanks"),
        ("quarantine", "", lambda talk: talk.state == "quarantined"),
        ("note", "Call them", lambda talk: talk.notes.get().text == "Call them"),
        ("task", "2 days:Call", lambda talk: talk.tasks.get().due_at is not None),
        ("ticket", "Broken", lambda talk: talk.tasks.get().kind == "ticket"),
        ("idea", "Dark mode", lambda talk: talk.tasks.get().rule == "Storm watch"),
        ("escalate", "first", lambda talk: Escalation.objects.get().person == talk.person),
        ("ignore", "", lambda talk: talk.person.ignored and Ignoring.objects.get().reason.startswith("The rule Storm")),
        ("webhook", "crm", lambda talk: WebhookCall.objects.get().webhook.slug == "crm"),
        ("tag", "parcel", lambda talk: talk.tags.get().name == "parcel"),
        ("skill", "refunds", lambda talk: talk.assignee.role == "lead"),
        ("notify", "duty", lambda talk: Notification.objects.get(conversation=talk).membership.role == "lead"),
        ("follow", "", lambda talk: True),
    ],
)
def test_each_proposal_does_what_it_says(
    cast: Any, propose: Any, now: dt.datetime, verb: str, argument: str, seen: Any
) -> None:
    Webhook.objects.create(workspace=cast.workspace, slug="crm", url="https://crm.example/", secret="", created_at=now)
    Membership.objects.filter(pk=cast.lea.pk).update(skills=["refunds", "claims"])
    effect = proposals.take(cast.amir, propose(verb, argument), now=now)
    assert effect.state == "taken"
    assert seen(Conversation.objects.select_related("person", "assignee").get(pk=effect.conversation_id))


def test_a_proposed_skill_that_nobody_here_has_room_for_is_not_taken(cast: Any, propose: Any, now: dt.datetime) -> None:
    effect = propose("skill", "refunds")
    with pytest.raises(InvalidInput, match="Nobody in this basket who is here and has room is good at refunds"):
        proposals.take(cast.amir, effect, now=now)
    Conversation.objects.update(assignee=cast.amir)
    Membership.objects.filter(pk__in=[cast.amir.pk, cast.lea.pk]).update(skills=["refunds"])
    proposals.take(cast.amir, effect, now=now)
    assert Conversation.objects.get(pk=effect.conversation_id).assignee == cast.amir


def test_a_proposed_tag_that_was_taken_can_be_undone(cast: Any, propose: Any, now: dt.datetime) -> None:
    effect = proposals.take(cast.amir, propose("tag", "parcel"), now=now)
    standing = effect.conversation.tags.filter(removed_at=None)
    assert standing.get().by == cast.amir
    deed = undo.newest_deed(cast.amir, now=now)
    assert deed is not None
    undo.undo(cast.amir, deed, now=now)
    assert not standing.exists()


def test_what_cannot_be_done_any_more_leaves_the_proposal_as_it_is(cast: Any, propose: Any, now: dt.datetime) -> None:
    for verb, argument in (("basket", "gone"), ("person", "gone@x.example"), ("priority", "huge"), ("draft", "gone")):
        effect = propose(verb, argument)
        with pytest.raises(InvalidInput):
            proposals.take(cast.amir, effect, now=now)
        effect.refresh_from_db()
        assert effect.state == "proposed"
    assert not Task.objects.exists()


def test_nothing_is_taken_toward_somebody_who_asked_us_to_stop_since(cast: Any, propose: Any, now: dt.datetime) -> None:
    effect = propose("boost")
    Person.objects.filter(pk=effect.conversation.person_id).update(suppressed_reason="asked by mail")
    with pytest.raises(InvalidInput, match="asked us to stop"):
        proposals.take(cast.amir, RuleEffect.objects.get(pk=effect.pk), now=now)
    Person.objects.update(suppressed_reason="")
    Workspace.objects.update(held_at=now, hold_reason="storm")
    with pytest.raises(InvalidInput, match="held"):
        proposals.take(cast.amir, RuleEffect.objects.get(pk=effect.pk), now=now)


@pytest.mark.parametrize(("name", "verb"), [("vera", "note"), ("rita", "boost"), ("ada", "basket")])
def test_each_proposal_asks_for_the_right_of_its_act(
    cast: Any, propose: Any, now: dt.datetime, name: str, verb: str
) -> None:
    member: Membership = getattr(cast, name)
    with pytest.raises(NotAllowed):
        proposals.take(member, propose(verb, "praise"), now=now)


def test_proposals_of_other_baskets_and_workspaces_are_missing(cast: Any, enter: Any, propose: Any, many: Any) -> None:
    effect = propose("note", "x")
    assert act(enter(cast.charlie), effect, "take").status_code == 404
    other = many(1, basket="sales")[0]
    RuleEffect.objects.filter(pk=effect.pk).update(conversation=other)
    effect.refresh_from_db()
    assert act(enter(cast.amir), effect, "take").status_code == 404


def test_a_proposal_belongs_to_the_conversation_of_its_address(cast: Any, enter: Any, propose: Any, many: Any) -> None:
    effect = propose("note", "x")
    other = many(1, basket="care")[0]
    client = enter(cast.amir)
    assert client.post(f"/w/fernway/c/{other.pk}/proposals/{effect.pk}/take").status_code == 404


def test_what_was_dismissed_long_ago_is_not_shown(cast: Any, enter: Any, complaint: Any, propose: Any) -> None:
    effect = propose("basket", "praise")
    act(enter(cast.amir), effect, "dismiss")
    RuleEffect.objects.update(decided_at=timezone.now() - dt.timedelta(hours=1))
    page = enter(cast.amir).get(f"/w/fernway/c/{complaint.pk}/").content.decode()
    assert f"proposals/{effect.pk}/back" not in page
    assert 'id="proposals"' not in page


def test_what_rules_did_and_why_they_were_refused_stands_under_why(
    cast: Any, enter: Any, complaint: Any, propose: Any
) -> None:
    effect = propose("webhook", "crm")
    RuleEffect.objects.filter(pk=effect.pk).update(state="refused", cause="The webhook crm is paused.")
    page = enter(cast.amir).get(f"/w/fernway/c/{complaint.pk}/").content.decode()
    for words in ("What rules did besides", "Tell the program behind crm", "refused", "The webhook crm is paused."):
        assert words in page
