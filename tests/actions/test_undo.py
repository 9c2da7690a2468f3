"""What one did at the desk is taken back: all of it, only by oneself, and only as far as it still stands."""

from __future__ import annotations

import datetime as dt
import inspect
from collections.abc import Callable
from typing import Any

import pytest

from conftest import NOON
from rapport.actions import bulk, consents, desk, people, person_fields, person_notes, score, tags, tasks, undo
from rapport.actions.accounts import change_member
from rapport.core.errors import InvalidInput, NotAllowed
from rapport.core.post import Post
from rapport.store.models import (
    AuditEntry,
    Basket,
    Consent,
    Conversation,
    ConversationTag,
    Deed,
    Note,
    Person,
    PersonNote,
    PersonValue,
    ScoreCorrection,
    Suppression,
    Task,
)

pytestmark = pytest.mark.django_db
SOON = NOON + dt.timedelta(minutes=1)
LATER = NOON + dt.timedelta(minutes=2)


@pytest.fixture
def talk(hear: Callable[..., Any], make_post: Callable[..., Post]) -> Conversation:
    """A complaint."""
    hear(make_post("My parcel is broken and nobody answers, @fernway!", author="nadia", mentions=("fernway",)))
    return Conversation.objects.get()


def praise(by: Any) -> Basket:
    return Basket.objects.of(by.workspace).get(slug="praise")


def in_state(talk: Conversation, state: str) -> Conversation:
    Conversation.objects.filter(pk=talk.pk).update(state=state)
    return Conversation.objects.get(pk=talk.pk)


#: every act of the desk that a person does to a conversation -> how it is done
ACTS: dict[str, Callable[[Any, Any], Any]] = {
    "desk.assign": lambda by, row: desk.assign(by, row, by, note="Have a look", now=SOON),
    "desk.snooze": lambda by, row: desk.snooze(by, row, NOON + dt.timedelta(days=1), now=SOON),
    "desk.resolve": lambda by, row: desk.resolve(by, row, now=SOON),
    "desk.reopen": lambda by, row: desk.reopen(by, in_state(row, "resolved"), now=SOON),
    "desk.move": lambda by, row: desk.move(by, row, praise(by), note="Yours", now=SOON),
    "desk.prioritise": lambda by, row: desk.prioritise(by, row, 3 - row.priority, now=SOON),
    "desk.put_aside": lambda by, row: desk.put_aside(by, row, now=SOON),
    "desk.take_out": lambda by, row: desk.take_out(by, in_state(row, "quarantined"), praise(by), now=SOON),
    "desk.unfold": lambda by, row: desk.unfold(by, in_state(row, "folded"), now=SOON),
    "desk.add_note": lambda by, row: desk.add_note(by, row, "Called", now=SOON),
    "score.set_score": lambda by, row: score.set_score(by, row, 91, now=SOON),
    "score.clear_score": lambda by, row: (
        score.set_score(by, row, 91, now=NOON), score.clear_score(by, row, now=SOON),
    ),
    "tags.add_tag": lambda by, row: tags.add_tag(by, row, "VIP", now=SOON),
    "tags.remove_tag": lambda by, row: (
        tags.add_tag(by, row, "VIP", now=NOON), tags.remove_tag(by, row, "vip", now=SOON),
    ),
    "bulk.change": lambda by, row: bulk.change(by, [row.pk], "resolve", now=SOON),
}  # fmt: skip
#: what is no act on a conversation by a person
NOT_ACTS = {"desk.record", "desk.wake_snoozed", "desk.retry_message", "score.save_weights", "tags.tag_by_rules"}
#: what an undo sets again besides
ASIDE = {"touched_at", "version"}


def test_the_table_names_every_act_of_the_desk() -> None:
    found = {
        f"{module.__name__.rsplit('.', 1)[1]}.{name}"
        for module in (desk, score, tags, bulk)
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and "now" in inspect.signature(function).parameters and name[0] != "_"
    }
    assert found == set(ACTS) | NOT_ACTS


def standing(talk: Conversation) -> dict[str, Any]:
    row = Conversation.objects.filter(pk=talk.pk).values().get()
    notes = list(Note.objects.filter(conversation=talk).values_list("pk", flat=True))
    held = ConversationTag.objects.filter(conversation=talk, removed_at__isnull=True)
    word = ScoreCorrection.objects.filter(conversation=talk, removed_at__isnull=True)
    others = {"notes": notes, "tags": list(held.values_list("name")), "word": list(word.values_list("pk"))}
    return {name: value for name, value in {**row, **others}.items() if name not in ASIDE}


@pytest.mark.parametrize("name", ACTS)
def test_every_act_is_taken_back_whole(name: str, alice: Any, talk: Conversation) -> None:
    before = standing(talk)
    ACTS[name](alice, talk)
    after = standing(talk)
    deed = undo.newest_deed(alice, now=LATER)
    assert deed is not None
    assert deed.at == SOON
    undone = undo.undo(alice, deed, now=LATER)
    assert undone.restored == (talk.pk,)
    found = standing(talk)
    # where the act began from a state that the test made, that state is what stands again
    began = {"desk.reopen": "resolved", "desk.take_out": "quarantined", "desk.unfold": "folded"}
    before["state"] = began.get(name, before["state"])
    if name in {"score.clear_score", "tags.remove_tag"}:
        assert found != after
    else:
        assert found == before
    assert AuditEntry.objects.filter(verb="conversation.undo", actor=alice).exists()


def test_a_score_and_a_tag_that_were_taken_away_come_back(alice: Any, talk: Conversation) -> None:
    ACTS["score.clear_score"](alice, talk)
    undo.undo(alice, Deed.objects.get(at=SOON), now=LATER)
    row = Conversation.objects.get()
    assert (row.score, row.score_by_hand) == (91, 91)
    assert ScoreCorrection.objects.get(removed_at__isnull=True).value == 91
    ACTS["tags.remove_tag"](alice, talk)
    undo.undo(alice, Deed.objects.get(at=SOON, undone_at__isnull=True), now=LATER)
    assert ConversationTag.objects.get(removed_at__isnull=True).name == "vip"


def test_twice_somebody_else_s_and_old_deeds_are_not_undone(alice: Any, ben: Any, talk: Conversation) -> None:
    desk.resolve(alice, talk, now=SOON)
    deed = Deed.objects.get()
    with pytest.raises(NotAllowed, match="your own"):
        undo.undo(ben, deed, now=LATER)
    with pytest.raises(InvalidInput, match="half an hour"):
        undo.undo(alice, deed, now=SOON + undo.FRESH)
    assert undo.newest_deed(alice, now=SOON + undo.FRESH) is None
    assert undo.newest_deed(ben, now=LATER) is None
    undo.undo(alice, deed, now=LATER)
    with pytest.raises(InvalidInput, match="already"):
        undo.undo(alice, deed, now=LATER)


def test_whoever_wrote_meanwhile_keeps_the_conversation_open(
    alice: Any, talk: Conversation, hear: Callable[..., Any], make_post: Callable[..., Post]
) -> None:
    desk.snooze(alice, talk, NOON + dt.timedelta(days=1), now=SOON)
    hear(make_post("Still waiting, @fernway!", author="nadia", mentions=("fernway",), in_reply_to="1", id="2"))
    Conversation.objects.update(state="open", snoozed_until=None)
    with pytest.raises(InvalidInput, match="changed since"):
        undo.undo(alice, Deed.objects.get(), now=LATER)
    assert Conversation.objects.get().state == "open"
    assert Deed.objects.get().undone_at is None


def test_what_a_colleague_changed_since_stays_as_they_left_it(alice: Any, ben: Any, talk: Conversation) -> None:
    desk.assign(alice, talk, alice, now=SOON)
    desk.assign(alice, Conversation.objects.get(), ben, now=LATER)
    with pytest.raises(InvalidInput, match="changed since"):
        undo.undo(alice, Deed.objects.get(at=SOON), now=LATER)
    assert Conversation.objects.get().assignee == ben


def test_a_member_whose_right_was_taken_away_undoes_nothing(alice: Any, ben: Any, talk: Conversation) -> None:
    talk.basket = Basket.objects.of(alice.workspace).get(slug="care")
    talk.save()
    desk.resolve(ben, talk, now=SOON)
    ben = change_member(alice, ben, role="viewer", active=True, baskets=[talk.basket], now=SOON)
    ben.refresh_from_db()
    with pytest.raises(NotAllowed):
        undo.undo(ben, Deed.objects.get(), now=LATER)
    assert Conversation.objects.get().state == "resolved"


def test_what_was_moved_out_of_sight_is_fetched_back_but_nothing_else_is(
    alice: Any, ben: Any, talk: Conversation
) -> None:
    from rapport.store.models import BasketMember

    care = Basket.objects.of(alice.workspace).get(slug="care")
    talk.basket = care
    talk.save()
    BasketMember.objects.of(alice.workspace).filter(membership=ben).exclude(basket=care).delete()
    desk.move(ben, talk, praise(alice), now=SOON)
    undo.undo(ben, Deed.objects.get(), now=LATER)
    assert Conversation.objects.get().basket == care
    desk.resolve(ben, Conversation.objects.get(), now=LATER)
    Conversation.objects.update(basket=praise(alice))
    with pytest.raises(NotAllowed):
        undo.undo(ben, Deed.objects.get(at=LATER), now=LATER)
    assert Conversation.objects.get().state == "resolved"


def test_deeds_are_swept_after_a_day(alice: Any, talk: Conversation) -> None:
    desk.resolve(alice, talk, now=SOON)
    assert undo.forget_deeds(now=SOON + undo.KEPT) == 0
    assert undo.forget_deeds(now=SOON + undo.KEPT + dt.timedelta(seconds=1)) == 1


# ---------------------------------------------------------------- people and tasks


def a_person(talk: Conversation) -> Any:
    person = talk.person
    assert person is not None
    return person


def a_field(by: Any) -> Any:
    return person_fields.save_field(by, "Size", "text", now=NOON)


def valued(by: Any, talk: Conversation) -> None:
    field = a_field(by)
    person_fields.set_value(by, a_person(talk), field, "M", now=NOON)
    person_fields.set_value(by, a_person(talk), field, "L", now=SOON)


def lifted(by: Any, talk: Conversation) -> None:
    people.suppress_person(by, a_person(talk), "asked on the phone", now=NOON)
    people.lift_suppression(by, a_person(talk), "asked for a call", now=SOON)


def a_task(by: Any, talk: Conversation) -> Any:
    return tasks.make_task(by, "Call", conversation=talk, due_at=NOON + dt.timedelta(days=1), now=NOON)


def done(by: Any, talk: Conversation, now: dt.datetime = SOON) -> Any:
    return tasks.finish_task(by, a_task(by, talk), now=now)


#: every act on people and tasks that can be taken back -> how it is done
OTHERS: dict[str, Callable[[Any, Any], Any]] = {
    "people.set_relationship": lambda by, talk: people.set_relationship(by, a_person(talk), "customer", now=SOON),
    "people.lift_suppression": lifted,
    "person_notes.add_person_note": lambda by, talk: person_notes.add_person_note(
        by, a_person(talk), "Likes letters", now=SOON
    ),
    "person_notes.remove_person_note": lambda by, talk: person_notes.remove_person_note(
        by, person_notes.add_person_note(by, a_person(talk), "Likes letters", now=NOON), now=SOON
    ),
    "person_fields.set_value": valued,
    "consents.set_consent": lambda by, talk: (
        consents.set_consent(by, a_person(talk), "quote", True, "by mail", now=NOON),
        consents.set_consent(by, a_person(talk), "quote", False, "by phone", now=SOON),
    ),
    "consents.withdraw_consent": lambda by, talk: consents.withdraw_consent(
        by, consents.set_consent(by, a_person(talk), "quote", True, "by mail", now=NOON), now=SOON
    ),
    "tasks.make_task": lambda by, talk: tasks.make_task(by, "Call", conversation=talk, now=SOON),
    "tasks.change_task": lambda by, talk: tasks.change_task(
        by, a_task(by, talk), "Write", assignee=by, due_at=None, now=SOON
    ),
    "tasks.finish_task": done,
    "tasks.drop_task": lambda by, talk: tasks.drop_task(by, a_task(by, talk), "no need", now=SOON),
    "tasks.reopen_task": lambda by, talk: tasks.reopen_task(by, done(by, talk, NOON), now=SOON),
}  # fmt: skip
#: those that an undo does not take back, and why
NOT_UNDONE = {
    "people.suppress_person": "they asked us to stop: a lead lifts it, and says why",
    "people.ignore_person": "has its own way back on the person, which ends the task of looking again too",
    "people.stop_ignoring": "whoever is to be ignored again needs a reason again",
    "people.keep_ignoring": "only moves the day of the next look",
    "people.say_automated": "is said anew, or taken back, where it was said",
    "people.join_people": "is undone with its evidence, in any order, by splitting",
    "people.split_people": "is undone by joining them again, with evidence",
    "people.split_handle": "is undone by joining them again, with evidence",
    "people.end_lapsed_ignorings": "the clock does it",
    "person_fields.save_field": "a setting, not an act on a person",
    "person_fields.delete_field": "asks back first, and says how many people had something in it",
    "tasks.open_for_rules": "rules do it",
    "tasks.remind_of_tasks": "the clock does it",
}


def test_every_act_on_people_and_tasks_can_be_taken_back_or_says_why_not() -> None:
    found = {
        f"{module.__name__.rsplit('.', 1)[1]}.{name}"
        for module in (people, person_fields, person_notes, consents, tasks)
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and "now" in inspect.signature(function).parameters and name[0] != "_"
    }
    assert found == set(OTHERS) | set(NOT_UNDONE)


def others_standing() -> dict[str, Any]:
    return {
        "person": list(Person.objects.order_by("pk").values_list("relationship", "suppressed_reason")),
        "silenced": sorted(
            Suppression.objects.filter(lifted_at__isnull=True).values_list("digest", flat=True).distinct()
        ),
        "notes": list(PersonNote.objects.filter(removed_at__isnull=True).values_list("text")),
        "values": list(PersonValue.objects.values_list("value")),
        "consents": list(Consent.objects.filter(withdrawn_at__isnull=True).values_list("purpose", "given", "source")),
        "tasks": list(Task.objects.values_list("title", "assignee", "due_at", "done_at", "done_by", "dropped")),
    }


@pytest.mark.parametrize("name", OTHERS)
def test_every_act_on_people_and_tasks_is_taken_back_whole(name: str, alice: Any, talk: Conversation) -> None:
    states: dict[dt.datetime, dict[str, Any]] = {}
    real = undo.note_deed

    def remember(by: Any, verb: str, rows: Any, *, now: dt.datetime) -> Any:
        states[now] = others_standing()
        return real(by, verb, rows, now=now)

    with pytest.MonkeyPatch.context() as patch:
        for module in (people, person_fields, person_notes, consents, tasks):
            patch.setattr(module, "note_deed", remember)
        at_first = others_standing()
        OTHERS[name](alice, talk)
    before = states.get(NOON, at_first)
    if name == "people.lift_suppression":  # what was suppressed leaves no deed
        before = {**at_first, "person": [("", "asked on the phone")], "silenced": others_digests()}
    after = others_standing()
    assert after != before
    deed = undo.newest_deed(alice, now=LATER)
    assert deed is not None
    assert deed.at == SOON
    undone = undo.undo(alice, deed, now=LATER)
    assert len(undone.others) == 1
    assert others_standing() == before
    with pytest.raises(InvalidInput, match="undone already"):
        undo.undo(alice, deed, now=LATER)
    assert AuditEntry.objects.filter(verb__in=["person.undo", "task.undo"], actor=alice).exists()


def others_digests() -> list[str]:
    return sorted(Suppression.objects.values_list("digest", flat=True).distinct())


def test_what_has_changed_since_on_people_and_tasks_stays(alice: Any, ben: Any, talk: Conversation) -> None:
    people.set_relationship(alice, a_person(talk), "customer", now=SOON)
    mine = undo.newest_deed(alice, now=LATER)
    assert mine is not None
    people.set_relationship(ben, Person.objects.get(pk=talk.person_id), "journalist", now=LATER)
    with pytest.raises(InvalidInput, match="changed since"):
        undo.undo(alice, mine, now=LATER)
    task = a_task(alice, talk)
    tasks.finish_task(ben, task, now=LATER)
    deed = Deed.objects.get(verb="task.make")
    with pytest.raises(InvalidInput, match="changed since"):
        undo.undo(alice, deed, now=LATER)
    assert Task.objects.get().done_by == ben


@pytest.mark.parametrize("act", ["snooze", "resolve"])
def test_a_colleague_s_newer_snooze_and_resolving_stay(alice: Any, ben: Any, talk: Conversation, act: str) -> None:
    """The state is the same as after one's own act; the act is not."""
    acts: dict[str, Callable[..., Any]] = {
        "snooze": lambda by, days, now: desk.snooze(by, talk, NOON + dt.timedelta(days=days), now=now),
        "resolve": lambda by, _days, now: desk.resolve(by, talk, now=now),
    }
    acts[act](alice, 1, NOON)
    mine = undo.newest_deed(alice, now=SOON)
    acts[act](ben, 7, SOON)
    stood = Conversation.objects.values("state", "snoozed_until", "settled_at").get()
    assert mine is not None
    with pytest.raises(InvalidInput, match="changed since"):
        undo.undo(alice, mine, now=LATER)
    assert Conversation.objects.values("state", "snoozed_until", "settled_at").get() == stood


def test_ignoring_somebody_leaves_the_act_before_it_to_be_undone(alice: Any, talk: Conversation) -> None:
    desk.prioritise(alice, talk, 3 - talk.priority, now=NOON)
    before = undo.newest_deed(alice, now=SOON)
    assert talk.person is not None
    people.ignore_person(alice, talk.person, "Insults everybody", now=SOON)
    people.stop_ignoring(alice, talk.person, now=SOON)
    assert undo.newest_deed(alice, now=SOON) == before
