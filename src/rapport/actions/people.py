"""What we decide about a person: ignore, suppress, name the relationship."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from rapport.actions.audit import announce, require, write_audit
from rapport.core.errors import InvalidInput, NotAllowed
from rapport.store.models import Conversation, Membership, Person

RELATIONSHIPS = (
    "", "prospect", "customer", "advocate", "detractor", "influencer", "partner", "journalist", "colleague",
    "competitor",
)  # fmt: skip


def ignore_person(by: Membership, person: Person, ignored: bool, *, now: dt.datetime) -> Person:
    """Deliberately leave a person unanswered, or take that back; who decided it is on record."""
    return _change(by, person, "person.ignore", now, ignored=ignored)


def suppress_person(by: Membership, person: Person, reason: str, *, now: dt.datetime) -> Person:
    """They asked us to stop: nothing goes out to them any more. An empty reason takes it back."""
    return _change(by, person, "person.suppress", now, suppressed_reason=reason.strip()[:300])


def set_relationship(by: Membership, person: Person, relationship: str, *, now: dt.datetime) -> Person:
    """Name what they are to us."""
    if relationship not in RELATIONSHIPS:
        raise InvalidInput(f"{relationship!r} is not one of: {', '.join(filter(None, RELATIONSHIPS))}.")
    return _change(by, person, "person.relationship", now, relationship=relationship)


def _change(by: Membership, person: Person, verb: str, now: dt.datetime, **fields: object) -> Person:
    require(by, "triage")
    if person.workspace_id != by.workspace_id:
        raise NotAllowed("This person belongs to another workspace.")
    with transaction.atomic():
        before = {name: getattr(person, name) for name in fields}
        for name, value in fields.items():
            setattr(person, name, value)
        person.save(update_fields=list(fields))
        write_audit(by.workspace, by, verb, person, now, before=before, after=fields)
        touched = Conversation.objects.of(by.workspace).filter(person=person).values_list("pk", flat=True)[:200]
        announce(by.workspace, now, touched)
    return person
