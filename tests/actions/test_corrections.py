"""A person corrects what the machine read: in force at once, for the same words everywhere, undone in one step."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from conftest import NOON
from rapport.actions import desk
from rapport.actions.corrections import correct, withdraw
from rapport.actions.rules import save_rules
from rapport.core.decision import Outcome as Judged
from rapport.core.errors import InvalidInput, NotAllowed
from rapport.core.post import Author
from rapport.store.models import AuditEntry, Basket, Conversation, Correction, Outcome, Post
from rapport.store.queries.corrections import corrections_version, read_corrections, training_rows

pytestmark = pytest.mark.django_db
RULES = """
[[rule]]
name = "Advertising"
when = "spam >= 0.8"
then = ["quarantine"]
stop = true

[[rule]]
name = "Praise"
when = "praise >= 0.7"
then = ["basket:praise"]

[[rule]]
name = "Complaint"
when = "complaint >= 0.7"
then = ["basket:care", "priority:high"]

[[rule]]
name = "The rest"
when = "true"
then = ["basket:sales"]
"""
BY_MACHINES = """
[[rule]]
name = "Machines"
when = "author.bot_score >= 0.8"
then = ["quarantine"]
stop = true
"""
LATER = """
[[rule]]
name = "Later words"
when = "not conversation.new and count(conversation.posts) == 1"
then = ["basket:care"]
stop = true
"""


@pytest.fixture
def said(alice: Any, hear: Callable[..., Any], make_post: Callable[..., Any]) -> Callable[..., Post]:
    """`said(text)`: somebody says it, and it goes through the line; the stored post."""
    save_rules(alice, RULES, "for this test", now=NOON)

    def say(text: str, **fields: Any) -> Post:
        post = make_post(text, **fields)
        hear(post)
        return Post.objects.get(external_id=post.id)

    return say


def judged(post: Post) -> Judged:
    return msgspec.json.decode(Outcome.objects.get(pk=post.pk).body, type=Judged)


def talk(post: Post) -> Conversation:
    return Conversation.objects.get(pk=Post.objects.get(pk=post.pk).conversation_id)


def test_score_decision_and_basket_follow_at_once(alice: Any, said: Callable[..., Post]) -> None:
    post = said("The depot opens at nine")
    before = judged(post)
    assert talk(post).basket.slug == "sales"  # type: ignore[union-attr]
    made = correct(alice, post, "intent.complaint", "true", now=NOON)
    after = judged(post)
    assert after.reading.intent.complaint == 1.0
    assert after.reading.why[0] == "complaint: corrected by a person"
    assert after.reading.model == before.reading.model
    assert after.score.value > before.score.value
    assert after.decision.priority == "high"
    assert (talk(post).basket.slug, talk(post).priority, talk(post).score) == (  # type: ignore[union-attr]
        "care", Conversation.Priority.HIGH, after.score.value,
    )  # fmt: skip
    assert (made.was, made.model) == ("false", before.reading.model)


def test_taking_it_back_leaves_everything_as_the_machine_had_it(alice: Any, said: Callable[..., Post]) -> None:
    post = said("Third parcel left in the rain, this is unacceptable, I am so angry!")
    before, stood = judged(post), talk(post)
    made = correct(alice, post, "intent.complaint", "false", now=NOON)
    assert talk(post).basket.slug == "sales"  # type: ignore[union-attr]
    withdraw(alice, made, now=NOON)
    after = judged(post)
    assert set(after.reading.why) == set(before.reading.why)
    assert msgspec.structs.replace(after.reading, why=()) == msgspec.structs.replace(before.reading, why=())
    assert (after.score, after.decision, after.route) == (before.score, before.decision, before.route)
    now = talk(post)
    assert (now.basket, now.priority, now.score, now.mood, now.intents, now.version) == (
        stood.basket, stood.priority, stood.score, stood.mood, stood.intents, stood.version,
    )  # fmt: skip
    with pytest.raises(InvalidInput, match="already"):
        withdraw(alice, made, now=NOON)


def test_whoever_says_the_same_later_is_read_the_same(alice: Any, said: Callable[..., Post]) -> None:
    correct(alice, said("The depot opens at nine"), "sentiment", "negative", now=NOON)
    again = said("@fernway the DEPOT  opens at nine https://fern.example/1", author="omar")
    other = said("The depot opens at ten", author="pia")
    assert judged(again).reading.sentiment.label == "negative"
    assert Outcome.objects.get(pk=again.pk).sentiment == "negative"
    assert talk(again).mood == 1
    assert judged(other).reading.sentiment.label != "negative"


def test_stored_near_copies_follow_where_they_say_exactly_the_same(alice: Any, said: Callable[..., Post]) -> None:
    words = "The power of the whole street went out and nobody answers the phone"
    first, same = said(words, author="omar"), said(words.upper(), author="pia")
    near = said(f"{words} today", author="rosa")
    for copy in (same, near):
        Post.objects.filter(pk=copy.pk).update(copy_of=first.pk)
    made = correct(alice, Post.objects.get(pk=same.pk), "intent.praise", "true", now=NOON)
    assert [judged(each).reading.intent.praise for each in (first, same)] == [1.0, 1.0]
    assert judged(near).reading.intent.praise < 1.0
    withdraw(alice, made, now=NOON)
    assert judged(first).reading.intent.praise < 1.0


def test_what_a_person_decided_stays(alice: Any, ben: Any, said: Callable[..., Post]) -> None:
    moved, assigned = said("The depot opens at nine"), said("The depot opens at ten", author="pia")
    snoozed = said("The depot opens at eleven", author="rosa")
    desk.move(alice, talk(moved), Basket.objects.of(alice.workspace).get(slug="praise"), now=NOON)
    desk.assign(alice, talk(assigned), ben, now=NOON)
    desk.snooze(alice, talk(snoozed), NOON + dt.timedelta(hours=3), now=NOON)
    for post in (moved, assigned, snoozed):
        correct(alice, post, "intent.complaint", "true", now=NOON)
    assert talk(moved).basket.slug == "praise"  # type: ignore[union-attr]
    assert (talk(assigned).assignee, talk(assigned).basket.slug) == (ben, "sales")  # type: ignore[union-attr]
    assert (talk(snoozed).state, talk(snoozed).snoozed_until) == ("snoozed", NOON + dt.timedelta(hours=3))
    assert talk(moved).score == judged(moved).score.value


def test_a_conversation_never_leaves_the_sight_of_who_corrects(alice: Any, said: Callable[..., Post]) -> None:
    from rapport.actions.accounts import invite

    sales = Basket.objects.of(alice.workspace).get(slug="sales")
    agent, _ = invite(alice, "s@fernway.example", "S", "agent", [sales], now=NOON)
    post = said("The depot opens at nine")
    made = correct(agent, post, "intent.complaint", "true", now=NOON)
    assert talk(post).basket == sales
    assert judged(post).route.basket == "care"
    withdraw(agent, made, now=NOON)
    correct(alice, post, "intent.complaint", "true", now=NOON)
    assert talk(post).basket.slug == "care"  # type: ignore[union-attr]


def test_spam_goes_into_the_quarantine_and_out_of_it_again(alice: Any, said: Callable[..., Post]) -> None:
    post = said("The depot opens at nine")
    made = correct(alice, post, "spam", "true", now=NOON)
    assert talk(post).state == "quarantined"
    withdraw(alice, made, now=NOON)
    assert talk(post).state == "open"
    verbs = AuditEntry.objects.filter(subject="conversation").order_by("pk").values_list("verb", flat=True)
    assert [verb for verb in verbs if "." in verb][-4:] == [
        "reading.correct", "conversation.put_aside", "reading.withdraw", "conversation.take_out",
    ]  # fmt: skip


def test_the_newest_word_stands_and_the_earlier_one_comes_back(alice: Any, ben: Any, said: Callable[..., Post]) -> None:
    post = said("The depot opens at nine")
    machine = judged(post).reading.sentiment.label
    first = correct(alice, post, "sentiment", "negative", now=NOON)
    second = correct(ben, post, "sentiment", "positive", now=NOON)
    assert judged(post).reading.sentiment.label == "positive"
    assert (first.was, second.was, second.machine) == (machine, machine, first.machine)
    withdraw(ben, second, now=NOON)
    assert judged(post).reading.sentiment.label == "negative"
    withdraw(alice, first, now=NOON)
    assert judged(post).reading.sentiment.label == machine


def test_a_later_word_of_the_same_person_replaces_theirs_and_the_same_word_changes_nothing(
    alice: Any, said: Callable[..., Post]
) -> None:
    post = said("The depot opens at nine")
    first = correct(alice, post, "urgency", "true", now=NOON)
    version = corrections_version(alice.workspace_id)
    assert correct(alice, post, "urgency", "true", now=NOON) == first
    assert corrections_version(alice.workspace_id) == version
    correct(alice, post, "urgency", "false", now=NOON)
    first.refresh_from_db()
    assert first.withdrawn_at == NOON
    assert judged(post).reading.urgency == 0.0


def test_who_may_not_answer_may_not_correct(alice: Any, charlie: Any, said: Callable[..., Post]) -> None:
    from rapport.actions.accounts import invite

    post = said("The depot opens at nine")
    viewer, _ = invite(alice, "v@fernway.example", "V", "viewer", [], now=NOON)
    outside, _ = invite(alice, "o@fernway.example", "O", "agent", [], now=NOON)
    for somebody in (viewer, outside, charlie):
        with pytest.raises(NotAllowed):
            correct(somebody, post, "spam", "true", now=NOON)
    made = correct(alice, post, "spam", "false", now=NOON)
    for somebody in (viewer, outside, charlie):
        with pytest.raises(NotAllowed):
            withdraw(somebody, made, now=NOON)


def test_a_post_without_words_of_its_own_is_refused(alice: Any, said: Callable[..., Post]) -> None:
    with pytest.raises(InvalidInput, match="none of its own"):
        correct(alice, said("@fernway https://fern.example/1"), "spam", "true", now=NOON)


def test_the_line_knows_the_newest_corrections_only(alice: Any, ben: Any, said: Callable[..., Post]) -> None:
    for number in range(3):
        correct(alice, said(f"The depot opens at {number}", author=f"a{number}"), "urgency", "true", now=NOON)
    newest = Correction.objects.order_by("-pk")[0]
    assert read_corrections(alice.workspace_id, most=1) == {newest.text_key: {"urgency": "true"}}
    assert len(read_corrections(alice.workspace_id)) == 3


# ---------------------------------------------------------------- for a model of the team's own


def test_training_takes_each_text_once_by_majority_and_the_newest_of_a_tie(
    alice: Any, ben: Any, said: Callable[..., Post]
) -> None:
    from rapport.actions.accounts import invite

    third, _ = invite(alice, "t@fernway.example", "T", "lead", [], now=NOON)
    tie, vote = said("The depot opens at nine"), said("The depot opens at ten", author="pia")
    for by, value in ((alice, "negative"), (ben, "positive")):
        correct(by, tie, "sentiment", value, now=NOON)
    for by, value in ((alice, "true"), (ben, "false"), (third, "false"), (alice, "false"), (alice, "true")):
        correct(by, vote, "spam", value, now=NOON)
    taken_back = correct(alice, vote, "irony", "true", now=NOON)
    withdraw(alice, taken_back, now=NOON)
    assert list(training_rows(alice.workspace)) == [
        ("The depot opens at nine", "sentiment", "positive"),
        ("The depot opens at ten", "spam", "false"),
    ]


def test_training_leaves_out_what_was_deleted_or_says_something_else_now(
    alice: Any, charlie: Any, said: Callable[..., Post]
) -> None:
    gone, edited = said("The depot opens at nine"), said("The depot opens at ten", author="pia")
    for post in (gone, edited):
        correct(alice, post, "irony", "true", now=NOON)
    assert len(list(training_rows(alice.workspace))) == 2
    assert list(training_rows(charlie.workspace)) == []
    Post.objects.filter(pk=gone.pk).update(deleted=True, text="")
    Post.objects.filter(pk=edited.pk).update(text="The depot is closed")
    assert list(training_rows(alice.workspace)) == []


def test_a_correction_decides_with_how_automated_the_account_is_as_the_line_did(
    alice: Any, said: Callable[..., Post]
) -> None:
    save_rules(alice, BY_MACHINES + RULES, "machines are put aside", now=NOON)
    post = said("Great deals on our page", author=Author("1", "deals", "Deals", bot=True))
    assert judged(post).decision.quarantined
    correct(alice, post, "sentiment", "negative", now=NOON)
    assert judged(post).decision.quarantined


def test_a_correction_asks_the_conversation_as_it_was_before_the_post(alice: Any, said: Callable[..., Post]) -> None:
    first = said("Where is it?")
    second = said("Still nothing, where is it now?", in_reply_to=first.external_id, created_at=NOON)
    save_rules(alice, LATER + RULES, "later words go to care", now=NOON)
    for post, basket in ((first, "sales"), (second, "care")):
        correct(alice, post, "sentiment", "neutral", now=NOON)
        assert judged(post).decision.basket == basket
