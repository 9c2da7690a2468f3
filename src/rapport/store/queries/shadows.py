"""Counting what drafts beside the rules in force would have done differently, with the batch that they decided."""

from __future__ import annotations

import datetime as dt
import logging
from collections import Counter
from collections.abc import Sequence

import msgspec
from django.db import DatabaseError, OperationalError, transaction
from django.db.models import F

from rapport.core.rules.compare import Change
from rapport.store.models import RuleDraft, ShadowDifference

log = logging.getLogger(__name__)

#: posts that stand for a difference: the first ones
EXAMPLES = 20
#: differences of one draft that are counted one by one
MOST = 500


class Beside(msgspec.Struct, frozen=True):
    """What one draft made of a batch."""

    draft: int
    #: when its run began: figures of an earlier run are not mixed in
    since: dt.datetime
    #: of each post of the batch, in its order
    changes: Sequence[tuple[Change, ...]]


def count_beside(workspace_id: int, beside: Sequence[Beside], rows: Sequence[int | None], now: dt.datetime) -> None:
    """Add up what drafts would have done differently. `rows`: of the posts of the batch, None for those that do not
    count. Only inside the transaction that acknowledges the batch, under the lock of the workspace: so each post counts
    once, whatever dies. What goes wrong here harms nothing else.
    """
    for each in beside:
        try:
            with transaction.atomic():
                _count(workspace_id, each, rows, now)
        except OperationalError:
            raise
        except DatabaseError:
            log.exception("what draft %s does beside the rules in force could not be counted", each.draft)


def _count(workspace_id: int, beside: Beside, rows: Sequence[int | None], now: dt.datetime) -> None:
    pairs = [(row, changes) for row, changes in zip(rows, beside.changes, strict=True) if row is not None]
    different = sum(bool(changes) for _, changes in pairs)
    running = RuleDraft.objects.of(workspace_id).filter(pk=beside.draft, shadow_from=beside.since, shadow_until__gt=now)
    # the row is locked by this: the draft cannot go before its differences are written
    if not running.update(
        shadow_seen=F("shadow_seen") + len(pairs), shadow_different=F("shadow_different") + different
    ):
        return
    counts = Counter(change for _, changes in pairs for change in changes)
    if not counts:
        return
    known = {
        Change(row.kind, row.before, row.after): row
        for row in ShadowDifference.objects.of(workspace_id).filter(draft=beside.draft)
    }
    for change, count in counts.items():
        found = [row for row, changes in pairs if change in changes]
        row = known.get(change)
        if row is None:
            if len(known) >= MOST:
                continue
            row = ShadowDifference(
                workspace_id=workspace_id, draft_id=beside.draft, kind=change.kind, before=change.before,
                after=change.after, examples=[],
            )  # fmt: skip
            known[change] = row
        row.count += count
        row.examples = (row.examples + found)[:EXAMPLES]
        row.save()
