"""Exports and erasures as jobs: asked for once, claimed by one worker at a time, taken over when it dies."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import Q

from rapport.actions.audit import announce, write_audit
from rapport.core.errors import InvalidInput, NotAllowed
from rapport.store.models import Membership, Person, PersonJob, Workspace

#: a claim that was not renewed for so long belongs to a process that is no more
LEASE = dt.timedelta(seconds=60)
State = PersonJob.State


class LostClaim(Exception):
    """Another worker has this job by now, or it was ended."""


def ask_job(by: Membership, person: Person, kind: str, reason: str, *, now: dt.datetime) -> PersonJob:
    """A job that waits for a worker; the one that waits or runs already where there is one. The caller asked for the
    right. Raises `InvalidInput` without a reason.
    """
    if person.workspace_id != by.workspace_id:
        raise NotAllowed("This person belongs to another workspace.")
    reason = " ".join(reason.replace("\x00", "").split())[:300]
    if not reason:
        raise InvalidInput("Say what made you do it, without naming anybody: the reason stays when all else is gone.")
    with transaction.atomic():
        # the row is the lock: pressed twice is asked once
        Workspace.objects.select_for_update(no_key=True).only("pk").get(pk=by.workspace_id)
        if not Person.objects.of(by.workspace_id).filter(pk=person.pk).exists():
            raise InvalidInput("This person was joined with another one or erased meanwhile. Load the page again.")
        going = PersonJob.objects.of(by.workspace_id).filter(person=person.pk, kind=kind)
        if known := going.filter(state__in=[State.WAITING, State.RUNNING]).first():
            return known
        job = PersonJob.objects.create(
            workspace=by.workspace, person=person.pk, kind=kind, reason=reason, asked_by=by, asked_at=now
        )
        write_audit(by.workspace, by, _ASKED[kind], job, now, person=person.pk)
        announce(by.workspace, now, kind="config")
    return job


_ASKED = {"export": "person.ask_export", "erase": "person.ask_erase"}


def claim_job(worker: str, *, now: dt.datetime) -> PersonJob | None:
    """Take the oldest one that waits, or whose worker is gone; None where there is none."""
    for job in list(PersonJob.objects.filter(_free(now)).order_by("asked_at")[:3]):
        if taken := claim_one(job, worker, now=now):
            return taken
    return None


def claim_one(job: PersonJob, worker: str, *, now: dt.datetime) -> PersonJob | None:
    """Take this one; None where it is another's or done."""
    with transaction.atomic():
        taken = PersonJob.objects.filter(_free(now), pk=job.pk)
        if not taken.update(state=State.RUNNING, claimed_by=worker[:64], claimed_at=now):
            return None
        row = PersonJob.objects.select_related("workspace").get(pk=job.pk)
        write_audit(row.workspace_id, None, "person.claim_job", row, now, kind=row.kind)
    return row


def _free(now: dt.datetime) -> Q:
    return Q(state=State.WAITING) | Q(state=State.RUNNING, claimed_at__lt=now - LEASE)


def ours(job: PersonJob, now: dt.datetime) -> PersonJob:
    """The row as it is now, with the claim renewed. Raises `LostClaim` where it is another's by now."""
    mine = PersonJob.objects.filter(pk=job.pk, state=State.RUNNING, claimed_by=job.claimed_by)
    if not mine.update(claimed_at=now):
        raise LostClaim
    return PersonJob.objects.select_related("workspace", "asked_by__user").get(pk=job.pk)


def fail_job(job: PersonJob, problem: str, *, now: dt.datetime) -> bool:
    """Say that it could not be done, and why. Whether the claim was still ours."""
    with transaction.atomic():
        mine = PersonJob.objects.filter(pk=job.pk, state=State.RUNNING, claimed_by=job.claimed_by)
        if not mine.update(state=State.FAILED, problem=problem[:300], done_at=now):
            return False
        write_audit(job.workspace_id, None, "person.fail_job", job, now, kind=job.kind)
        announce(job.workspace_id, now, kind="config")
    return True
