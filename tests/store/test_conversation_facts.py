"""What rules may ask about conversations and people beyond the post, from the tables to the decision and back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from conftest import NOON
from rapport.actions.desk import assign
from rapport.actions.outbound import approve
from rapport.actions.rules import save_rules
from rapport.core.decision import Outcome
from rapport.core.post import Author, Post
from rapport.store.models import Acknowledgement, Approval, Conversation, Delivery, Escalation, Person
from rapport.store.models import Outcome as OutcomeRow
from rapport.store.models import Post as PostRow
from rapport.store.queries.conversation_facts import read_conversation_facts
from rapport.store.queries.outcomes import read_person_facts
from rapport.store.queries.talk import read_talk
from rapport.store.why import explain

pytestmark = pytest.mark.django_db
OURS = Author(id="id-fernway", handle="fernway", ours=True)


def ago(minutes: int) -> dt.datetime:
    return NOON - dt.timedelta(minutes=minutes)


@pytest.fixture
def said(hear: Callable[..., Any], make_post: Callable[..., Post]) -> Conversation:
    """Two posts of theirs, an angry one first, and an answer of ours."""
    hear(make_post("This is terrible, a complete disaster. Unacceptable!", id="a", created_at=ago(50)))
    hear(make_post("Hello? @fernway", id="b", in_reply_to="a", created_at=ago(40)))
    hear(make_post("We are looking into it.", id="c", in_reply_to="b", created_at=ago(30), author=OURS))
    return Conversation.objects.get()


def test_what_was_said_in_a_conversation_is_read_by_any_id_that_a_post_names(
    said: Conversation, ben: Any, make_post: Callable[..., Post]
) -> None:
    assign(ben, said, ben, now=NOON)
    told = Acknowledgement(conversation=said, workspace=ben.workspace, post=PostRow.objects.get(external_id="a").pk)
    told.text, told.at = "A person will answer.", NOON
    told.save()
    post = make_post("Still nothing", id="d", in_reply_to="c")
    found = read_conversation_facts(ben.workspace_id, [(99, post)], NOON)
    assert list(found) == [("mastodon", "c")]
    facts = found["mastodon", "c"]
    said.refresh_from_db()
    assert (facts.id, facts.state, facts.assigned, facts.acknowledged) == (said.pk, said.state, True, True)
    assert facts.basket == (said.basket.slug if said.basket else "")
    assert (facts.posts, facts.negative, facts.answers) == ((ago(50), ago(40)), (ago(50),), (ago(30),))
    assert (facts.opened_at, facts.waiting_since) == (said.opened_at, None)


def test_what_a_machine_said_is_no_answer(
    said: Conversation, ben: Any, channel: Any, make_post: Callable[..., Post]
) -> None:
    row, asked = PostRow.objects.get(external_id="c"), PostRow.objects.get(external_id="b")
    said.refresh_from_db()
    reply = approve(ben, said, row.text, target=asked, channel=channel, version=said.version, now=NOON)
    Delivery.objects.filter(pk=reply.pk).update(external_id=row.external_id, state="sent")
    # in the ledger it is a machine's word, on the standing word of a person
    Approval.objects.filter(pk=reply.approval_id).update(person=None, machine="acknowledgement", standing_word=ben)
    Acknowledgement.objects.create(
        conversation=said, workspace=ben.workspace, post=row.pk, delivery=reply, text="x", at=NOON
    )
    (facts,) = read_conversation_facts(ben.workspace_id, [(99, make_post(in_reply_to="c"))], NOON).values()
    assert (facts.acknowledged, facts.answers) == (True, ())
    assert facts.posts == (ago(50), ago(40))


def test_a_post_that_is_read_once_more_is_not_its_own_past(said: Conversation, make_post: Callable[..., Post]) -> None:
    row = PostRow.objects.get(external_id="b")
    post = make_post("Hello?", id="b", in_reply_to="a")
    found = read_conversation_facts(said.workspace_id, [(row.pk, post)], NOON)
    assert set(found) == {("mastodon", "a"), ("mastodon", "b")}
    facts = found["mastodon", "a"]
    assert facts == found["mastodon", "b"]
    assert facts.posts == (ago(50),)


def test_another_workspace_knows_nothing_of_it(
    said: Conversation, charlie: Any, make_post: Callable[..., Post]
) -> None:
    assert read_conversation_facts(charlie.workspace_id, [(9, make_post(in_reply_to="a"))], NOON) == {}


def test_answers_and_steps_of_a_person_are_read_only_where_a_rule_asks(
    said: Conversation, make_post: Callable[..., Post]
) -> None:
    person = Person.objects.get(conversations=said)
    Escalation.objects.create(
        workspace_id=said.workspace_id, person=person, conversation=said, post=1, step="second", rule="x", at=ago(20)
    )
    post = make_post()
    key = (post.network, post.author.key)

    def facts(*asks: str) -> Any:
        return read_person_facts(said.workspace_id, [(1, post)], NOON, frozenset(asks))[key]

    assert (facts().answers, facts().escalations) == ((), ())
    assert facts("person.answers").answers == (ago(30),)
    assert facts("person.step").escalations == (("second", ago(20)),)


RULES = """
[[rule]]
name = "Comes back after our answer"
when = 'count(conversation.answers, 1 hours) >= 1 and count(conversation.negative) >= 1 and not conversation.new'
then = ["basket:care", "priority:urgent"]

[[rule]]
name = "New and by day"
when = 'conversation.new and clock.hour >= 6 and clock.date == "2026-11-21"'
then = ["basket:sales"]
"""


def test_rules_decide_by_the_conversation_and_the_clock_and_can_be_explained_later(
    alice: Any, said: Conversation, hear: Callable[..., Any], make_post: Callable[..., Post]
) -> None:
    assert OutcomeRow.objects.count() == 3
    assert all(msgspec.json.decode(row.body, type=Outcome).conversation is None for row in OutcomeRow.objects.all())
    alice.workspace.timezone = "Pacific/Kiritimati"  # noon in Greenwich is two in the morning of the next day
    alice.workspace.save(update_fields=["timezone"])
    save_rules(alice, RULES, now=NOON)
    hear(make_post("Still nothing! @fernway", id="d", in_reply_to="c"), make_post("Hello @fernway", id="e"))
    rows = {row.post.external_id: msgspec.json.decode(row.body, type=Outcome) for row in OutcomeRow.objects.all()}
    assert rows["d"].decision.basket == "care"
    assert rows["d"].conversation is not None
    assert rows["d"].conversation.answers == (ago(30),)
    assert rows["e"].conversation is not None
    assert rows["e"].decision.trace == ()
    row = PostRow.objects.get(external_id="e")
    talk = read_talk(Conversation.objects.get(pk=row.conversation_id or 0), alice)
    steps = explain(talk)
    assert steps is not None
    assert steps.untold == 0
    assert steps.passed[1].because == ("clock.hour 2 < 6",)
