"""Taking back what was done to people and tasks; the deeds of conversations are taken back in `actions.undo`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from django.db.models import Q

from rapport.actions.audit import announce, require, write_audit
from rapport.actions.suppressions import keep_suppression
from rapport.core.errors import NotAllowed
from rapport.store.models import (
    Consent,
    Conversation,
    Deed,
    Membership,
    Notification,
    Person,
    PersonField,
    PersonNote,
    PersonValue,
    Suppression,
    Task,
)
from rapport.store.models.scoped import ScopedQuerySet
from rapport.store.queries.people import visible_people
from rapport.store.queries.tasks import visible_tasks

Put = Callable[[Membership, Person, Mapping[str, Any], Mapping[str, Any], dt.datetime], bool]


def is_of_others(verb: str) -> bool:
    """Whether a deed was done to people or tasks."""
    return verb in PEOPLE or verb in TASKS


def restore(
    by: Membership, verb: str, pk: int, before: Mapping[str, Any], after: Mapping[str, Any], now: dt.datetime
) -> bool:
    """Put one person or task back. False: it has changed since, or is not there any more. The caller holds the
    transaction; raises `NotAllowed` where it is not the member's to change any more.
    """
    done = (
        _restore_task(by, verb, pk, before, after)
        if verb in TASKS
        else _restore_person(by, verb, pk, before, after, now)
    )
    if done:
        model = Task if verb in TASKS else Person
        kind = "task.undo" if verb in TASKS else "person.undo"
        # what was kept of them stays out of the audit
        write_audit(by.workspace, by, kind, model(pk=pk), now, undone=verb)
    return done


def deeds_on_others(workspace: int) -> ScopedQuerySet[Deed]:
    """Every deed on people and tasks: they keep what was there before, words among it."""
    return Deed.objects.of(workspace).filter(Q(verb__startswith="person.") | Q(verb__startswith="task."))


# ---------------------------------------------------------------- people


def _restore_person(
    by: Membership, verb: str, pk: int, before: Mapping[str, Any], after: Mapping[str, Any], now: dt.datetime
) -> bool:
    require(by, "note" if verb in {"person.note", "person.remove_note"} else "people")
    person = Person.objects.of(by.workspace).select_for_update().filter(pk=pk).first()
    if person is None:
        return False
    if not visible_people(by).filter(pk=pk).exists():
        raise NotAllowed("This person has no conversation in your baskets.")
    if not PEOPLE[verb](by, person, before, after, now):
        return False
    touched = Conversation.objects.of(by.workspace).filter(person=pk).values_list("pk", flat=True)[:200]
    announce(by.workspace, now, touched)
    return True


def _relationship(
    by: Membership, person: Person, before: Mapping[str, Any], after: Mapping[str, Any], now: dt.datetime
) -> bool:
    rows = Person.objects.of(by.workspace).filter(pk=person.pk, relationship=after["relationship"])
    return bool(rows.update(relationship=before["relationship"]))


def _lifted(
    by: Membership, person: Person, before: Mapping[str, Any], after: Mapping[str, Any], now: dt.datetime
) -> bool:
    reason = str(before["suppressed_reason"])
    if not reason or not Person.objects.filter(pk=person.pk, suppressed_reason="").update(suppressed_reason=reason):
        return False
    keep_suppression(person, reason, Suppression.Source.COLLEAGUE, by, now=now)
    return True


def _note(
    by: Membership, person: Person, before: Mapping[str, Any], after: Mapping[str, Any], now: dt.datetime
) -> bool:
    rows = PersonNote.objects.of(by.workspace).filter(person=person)
    if after["note"]:
        return bool(rows.filter(pk=after["note"], author=by, removed_at__isnull=True).update(removed_at=now))
    return bool(rows.filter(pk=before["note"], removed_at__isnull=False).update(removed_at=None))


def _value(
    by: Membership, person: Person, before: Mapping[str, Any], after: Mapping[str, Any], now: dt.datetime
) -> bool:
    rows = PersonValue.objects.of(by.workspace).filter(person=person, field=before["field"])
    stands = rows.values_list("value", flat=True).first() or ""
    if stands != after["value"] or not PersonField.objects.of(by.workspace).filter(pk=before["field"]).exists():
        return False
    if before["value"]:
        PersonValue.objects.update_or_create(
            person=person, field_id=before["field"],
            defaults={"workspace": by.workspace, "value": before["value"], "by": by, "at": now},
        )  # fmt: skip
    else:
        rows.delete()
    return True


def _consent(
    by: Membership, person: Person, before: Mapping[str, Any], after: Mapping[str, Any], now: dt.datetime
) -> bool:
    """What was set down ends, and what it ended stands again; nothing of it leaves the record."""
    rows = Consent.objects.of(by.workspace).filter(person=person)
    if after["consent"]:
        gone = bool(rows.filter(pk=after["consent"], withdrawn_at__isnull=True).update(withdrawn_at=now))
    else:
        back = rows.filter(pk=before["consent"]).first()
        gone = back is not None and not rows.filter(purpose=back.purpose, withdrawn_at__isnull=True).exists()
    if gone and before["consent"]:
        rows.filter(pk=before["consent"]).update(withdrawn_at=None)
    return gone


#: verb of a deed -> how it is taken back
PEOPLE: dict[str, Put] = {
    "person.relationship": _relationship,
    "person.lift_suppression": _lifted,
    "person.note": _note,
    "person.remove_note": _note,
    "person.field": _value,
    "person.consent": _consent,
    "person.withdraw_consent": _consent,
}


# ---------------------------------------------------------------- tasks

TASKS = frozenset({"task.make", "task.change", "task.finish", "task.drop", "task.reopen"})
_TIMES = frozenset({"due_at", "done_at"})
#: fields of a task that are rows of other tables
_ROWS = frozenset({"assignee", "done_by"})


def _restore_task(by: Membership, verb: str, pk: int, before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    require(by, "note")
    task = Task.objects.of(by.workspace).select_for_update().filter(pk=pk).first()
    if task is None:
        return False
    if not visible_tasks(by).filter(pk=pk).exists():
        raise NotAllowed("This task belongs to a basket that you do not work in.")
    if any(standing(task, name) != value for name, value in after.items()):
        return False
    if verb == "task.make":
        # whoever was reminded of it meanwhile
        Notification.objects.of(by.workspace).filter(event="task", bundle=f"task:{pk}").delete()
        task.delete()
        return True
    for name, value in before.items():
        kept = dt.datetime.fromisoformat(value) if name in _TIMES and value else value
        if name == "assignee" and value and not Membership.objects.of(by.workspace).filter(pk=value, active=True):
            continue  # whoever left meanwhile is given nothing
        setattr(task, f"{name}_id" if name in _ROWS else name, kept)
    task.reminded_at = None
    task.save(update_fields=[*before, "reminded_at"])
    return True


def standing(task: Task, name: str) -> Any:
    """A field of a task as a deed keeps it."""
    value = getattr(task, f"{name}_id" if name in _ROWS else name)
    return value.isoformat() if isinstance(value, dt.datetime) else value
