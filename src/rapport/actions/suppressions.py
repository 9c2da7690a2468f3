"""The record of who must be left alone: where it came from, and who ended it why. It outlives the person's row.

Whoever calls these holds a transaction, changes `Person.suppressed_reason` with it and writes the audit.
"""

from __future__ import annotations

import datetime as dt

from rapport.store.models import Handle, Membership, Person, Suppression
from rapport.store.queries.suppressions import digest, standing_suppressions


def keep_suppression(person: Person, reason: str, source: str, by: Membership | None, *, now: dt.datetime) -> None:
    """Set down for each of their accounts that nothing goes to them; one that stands already is left as it is.

    `source` is one of `Suppression.Source`; `by` is None where no colleague said so.
    """
    handles = Handle.objects.of(person.workspace_id).filter(person=person, ours=False)
    Suppression.objects.bulk_create(
        [
            Suppression(
                workspace_id=person.workspace_id, digest=digest(row.network, row.external_id), reason=reason,
                source=source, at=now, by=by,
            )
            for row in handles
        ],
        ignore_conflicts=True,
    )  # fmt: skip


def end_suppression(person: Person, by: Membership, reason: str, *, now: dt.datetime) -> None:
    """They may be written to again; what was decided before stays on record."""
    standing = list(standing_suppressions(person).values_list("pk", flat=True))
    Suppression.objects.filter(pk__in=standing).update(lifted_at=now, lifted_by=by, lift_reason=reason)
