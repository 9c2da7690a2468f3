"""The one switch for programs: what stands, hold everything, let everything go out again."""

from __future__ import annotations

from rapport.actions import holds as acts
from rapport.api.body import read_body, read_object
from rapport.api.door import Call
from rapport.api.shapes import HoldBody, HoldNow, Named
from rapport.core.errors import InvalidInput
from rapport.store.models import Hold, Workspace
from rapport.store.queries.outbound import count_waiting


def read_hold(call: Call) -> HoldNow:
    """Whether everything is held, since when, why, and how many replies wait."""
    workspace = Workspace.objects.get(pk=call.by.workspace_id)
    standing = Hold.objects.of(workspace).filter(ended_at__isnull=True).select_related("by__user").first()
    by = standing.by if standing else None
    return HoldNow(
        held=workspace.held_at is not None,
        since=workspace.held_at,
        reason=workspace.hold_reason if workspace.held_at else "",
        known=standing.known if standing else "",
        by=Named(id=by.pk, name=str(by)) if by else None,
        waiting=count_waiting(workspace),
    )


def hold(call: Call) -> HoldNow:
    """Hold everything; once it stands, this changes the words alone, so that a repeated call has one effect."""
    wanted = read_object(read_body(call.request), HoldBody)
    if not wanted.reason.strip():
        raise InvalidInput("Say why everything is held: every colleague reads it.")
    acts.hold_everything(call.by, wanted.reason, known=wanted.known, via=Hold.Way.API, now=call.now)
    return read_hold(call)


def release(call: Call) -> HoldNow:
    """Let everything go out again. Where nothing is held, nothing changes."""
    if Workspace.objects.get(pk=call.by.workspace_id).held_at is not None:
        acts.release_hold(call.by, via=Hold.Way.API, now=call.now)
    return read_hold(call)
