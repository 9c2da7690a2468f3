"""What a person allowed or refused us, where they said so, and when they took it back."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from rapport.actions.audit import write_audit
from rapport.actions.people import require_person
from rapport.actions.undo import note_deed
from rapport.core.errors import InvalidInput
from rapport.store.models import Consent, Membership, Person, Workspace


def set_consent(by: Membership, person: Person, purpose: str, given: bool, source: str, *, now: dt.datetime) -> Consent:
    """They said yes (`given`) or no to a purpose; what stood before for it ends. `source` says where they said so."""
    require_person(by, person)
    source = source.replace("\x00", "").strip()[:300]
    if purpose not in Consent.Purpose.values:
        raise InvalidInput(f"{purpose!r} is no purpose that can be allowed.")
    if not source:
        raise InvalidInput('Say where they said so: the address of their post, or "by phone, 3 May".')
    with transaction.atomic():
        Workspace.objects.select_for_update(no_key=True).only("pk").get(pk=by.workspace_id)
        standing = Consent.objects.of(by.workspace).filter(person=person, purpose=purpose, withdrawn_at__isnull=True)
        was = standing.values_list("pk", flat=True).first()
        standing.update(withdrawn_at=now)
        row = Consent.objects.create(
            workspace=by.workspace, person=person, purpose=purpose, given=given is True, source=source, by=by, at=now
        )
        write_audit(by.workspace, by, "person.consent", person, now, purpose=purpose, given=given is True)
        note_deed(by, "person.consent", [(person.pk, {"consent": was}, {"consent": row.pk})], now=now)
    return row


def withdraw_consent(by: Membership, consent: Consent, *, now: dt.datetime) -> None:
    """They took it back; that they had said it stays on record."""
    require_person(by, consent.person)
    with transaction.atomic():
        rows = Consent.objects.of(by.workspace).filter(pk=consent.pk, withdrawn_at__isnull=True)
        if not rows.update(withdrawn_at=now):
            raise InvalidInput("This was taken back already.")
        write_audit(by.workspace, by, "person.withdraw_consent", consent.person, now, purpose=consent.purpose)
        before, after = {"consent": consent.pk}, {"consent": None}
        note_deed(by, "person.withdraw_consent", [(consent.person_id, before, after)], now=now)
