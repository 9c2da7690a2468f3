"""The ledger and what is on its way, for programs. Nothing here approves or sends."""

from __future__ import annotations

import datetime as dt

from rapport.api.door import Call
from rapport.api.paging import MAX_ID, read_number
from rapport.api.problems import bad
from rapport.api.shapes import DeliveryList, LedgerList
from rapport.store.models import Approval, Delivery, Workspace
from rapport.store.queries import ledger as reads

MAX_PAGE = 100
KINDS = ("reply", *Approval.Kind.values)
STATES = tuple(Delivery.State.values)


def read_ledger(call: Call) -> LedgerList:
    """Entries, newest first; keyset paging by the place in the chain."""
    limit = read_number(call, "limit", reads.PAGE, MAX_PAGE)
    before = read_number(call, "cursor", MAX_ID, MAX_ID)
    workspace = Workspace.objects.get(pk=call.by.workspace_id)
    wanted = reads.Wanted(kind=_one_of(call, "kind", KINDS), since=_moment(call, "since"), until=_moment(call, "until"))
    rows = reads.entries(workspace, wanted)
    # no chain is longer than its column counts
    found = list((rows.filter(sequence__lt=before) if before < MAX_ID else rows)[: limit + 1])
    head = Approval.objects.of(workspace).order_by("-sequence").first()
    return LedgerList(
        entries=tuple(reads.told(row) for row in found[:limit]),
        head=head.chain if head else "",
        length=head.sequence if head else 0,
        next=str(found[limit - 1].sequence) if len(found) > limit else None,
    )


def read_deliveries(call: Call) -> DeliveryList:
    """Deliveries of the conversations that the member sees, newest first."""
    limit = read_number(call, "limit", reads.PAGE, MAX_PAGE)
    before = read_number(call, "cursor", MAX_ID, MAX_ID)
    rows = reads.deliveries(call.by, _one_of(call, "state", STATES)).filter(pk__lt=before)
    found = list(rows[: limit + 1])
    return DeliveryList(
        deliveries=reads.lines(found[:limit]), next=str(found[limit - 1].pk) if len(found) > limit else None
    )


def _one_of(call: Call, name: str, known: tuple[str, ...]) -> str:
    wanted = call.query.get(name, "")
    if wanted and wanted not in known:
        raise bad(f"query.{name}", "is nothing that can stand there", f"Send one of {', '.join(known)}.")
    return wanted


def _moment(call: Call, name: str) -> dt.datetime | None:
    text = call.query.get(name)
    if text is None:
        return None
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None or not 1970 < found.year < 2200:
        raise bad(f"query.{name}", "is no moment with its offset from UTC", "Send one such as 2026-11-30T09:00:00Z.")
    return found
