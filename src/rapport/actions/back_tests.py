"""Trying a rule set on the stored history: asked for, done by one worker at a time, stopped, kept with its report."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from rapport.actions.audit import announce, require, write_audit
from rapport.actions.rules import check_document
from rapport.core.errors import InvalidInput, NotAllowed
from rapport.store.models import AuditEntry, BackTest, Membership, RuleDraft, RuleSet, Workspace

#: a claim that was not renewed for so long belongs to a process that is no more
LEASE = dt.timedelta(seconds=20)
LONGEST = dt.timedelta(days=366)
#: trials of one workspace that wait or run at once
MOST_AT_ONCE = 3
#: workers that may end in the middle of one trial before nobody takes it over any more
MOST_CLAIMS = 3
_GOING_ON = (BackTest.State.WAITING, BackTest.State.RUNNING)


def ask_back_test(
    by: Membership, draft: RuleDraft, since: dt.datetime, until: dt.datetime, *, now: dt.datetime
) -> BackTest:
    """Have a draft tried on what was said between two times; a worker does it.

    Raises `InvalidRule` where it cannot be used, `InvalidInput` for a time that is none or too many trials at once.
    """
    require(by, "configure")
    if draft.workspace_id != by.workspace_id:
        raise NotAllowed("This draft belongs to another workspace.")
    if not since < until:
        raise InvalidInput("Choose a beginning that lies before the end.")
    if until - since > LONGEST:
        raise InvalidInput("At most a year at once.")
    check_document(by.workspace, draft.document)
    with transaction.atomic():
        # the row is the lock: nobody asks for one too many in the same moment
        Workspace.objects.select_for_update(no_key=True).only("pk").get(pk=by.workspace_id)
        if BackTest.objects.of(by.workspace).filter(state__in=_GOING_ON).count() >= MOST_AT_ONCE:
            raise InvalidInput(f"{MOST_AT_ONCE} trials are going on. Wait for one to end, or stop it.")
        against = RuleSet.objects.of(by.workspace).order_by("-version").values_list("version", flat=True).first() or 0
        made = BackTest.objects.create(
            workspace=by.workspace, draft=draft, document=draft.document, against=against, since=since, until=until,
            asked_by=by, asked_at=now,
        )  # fmt: skip
        write_audit(by.workspace, by, "back_test.ask", made, now, draft=draft.name, against=against)
        announce(by.workspace, now, kind="config")
    return made


def stop_back_test(by: Membership, row: BackTest, *, now: dt.datetime) -> None:
    """End a trial that waits or runs: its worker notices within a second. Raises `InvalidInput` where it is over."""
    require(by, "configure")
    if row.workspace_id != by.workspace_id:
        raise NotAllowed("This trial belongs to another workspace.")
    with transaction.atomic():
        going = BackTest.objects.of(by.workspace).filter(pk=row.pk, state__in=_GOING_ON)
        if not going.update(state=BackTest.State.STOPPED, done_at=now):
            raise InvalidInput("This trial is over already.")
        write_audit(by.workspace, by, "back_test.stop", row, now)
        announce(by.workspace, now, kind="config")


def claim_back_test(worker: str, *, now: dt.datetime, among: Sequence[int] = ()) -> BackTest | None:
    """Take the oldest one that waits, or whose worker is gone; None where there is none. `among`: only these rows."""
    free = Q(state=BackTest.State.WAITING) | Q(state=BackTest.State.RUNNING, claimed_at__lt=now - LEASE)
    rows = BackTest.objects.filter(free)
    if among:
        rows = rows.filter(pk__in=among)
    for pk in list(rows.order_by("asked_at").values_list("pk", flat=True)[:3]):
        with transaction.atomic():
            if _given_up(pk, free, now):
                continue
            taken = BackTest.objects.filter(free, pk=pk).update(
                state=BackTest.State.RUNNING, claimed_by=worker, claimed_at=now, seen=0
            )
            if taken:
                row = BackTest.objects.select_related("workspace").get(pk=pk)
                write_audit(row.workspace_id, None, "back_test.claim", row, now, worker=worker)
                return row
    return None


def _given_up(pk: int, free: Q, now: dt.datetime) -> bool:
    """Whether so many workers ended in the middle of a trial that it ends here: it may be what ended them."""
    row = BackTest.objects.filter(free, pk=pk, state=BackTest.State.RUNNING).first()
    if row is None:
        return False
    claims = AuditEntry.objects.of(row.workspace_id).filter(
        subject="backtest", subject_id=str(pk), verb="back_test.claim"
    )
    return claims.count() >= MOST_CLAIMS and fail_back_test(
        row, f"{MOST_CLAIMS} workers ended in the middle of it. Try a shorter time; the log of the worker may say why.",
        now=now,
    )  # fmt: skip


def note_progress(row: BackTest, seen: int, total: int, *, now: dt.datetime) -> bool:
    """Say how far it is, which renews the claim; False where it was stopped or another worker has it."""
    return bool(_ours(row).update(seen=seen, total=total, claimed_at=now))


def finish_back_test(row: BackTest, report: dict[str, Any], seen: int, *, now: dt.datetime) -> bool:
    """Keep what came of it. Whether the claim was still ours."""
    with transaction.atomic():
        done = {"state": BackTest.State.DONE, "report": report, "seen": seen, "total": seen, "done_at": now}
        if not _ours(row).update(**done):
            return False
        different = report.get("different", 0)
        write_audit(row.workspace_id, None, "back_test.done", row, now, seen=seen, different=different)
        announce(row.workspace_id, now, kind="config")
    return True


def fail_back_test(row: BackTest, problem: str, *, now: dt.datetime) -> bool:
    """Say that it could not be done, and why. Whether the claim was still ours."""
    with transaction.atomic():
        if not _ours(row).update(state=BackTest.State.FAILED, problem=problem[:300], done_at=now):
            return False
        write_audit(row.workspace_id, None, "back_test.fail", row, now, problem=problem[:300])
        announce(row.workspace_id, now, kind="config")
    return True


def _ours(row: BackTest) -> QuerySet[BackTest]:
    """The row while the claim is the one that `row` was taken with."""
    return BackTest.objects.filter(pk=row.pk, state=BackTest.State.RUNNING, claimed_by=row.claimed_by)
