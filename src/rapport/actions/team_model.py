"""A workspace's own model: asked for, learnt by one worker at a time, put in force and taken back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import F, Q

from rapport.actions.audit import announce, require, write_audit
from rapport.core.errors import InvalidInput, NotAllowed
from rapport.store.models import Membership, TeamModel, Workspace
from rapport.store.queries.team_model import list_team_models

_MAKING = (TeamModel.State.WAITING, TeamModel.State.RUNNING)
#: a claim that was not renewed for so long belongs to a process that is no more
LEASE = dt.timedelta(minutes=3)


def ask_team_model(by: Membership, *, now: dt.datetime) -> TeamModel:
    """Have a model learnt from the corrections; a worker does it. One that is in the making is answered as it is."""
    require(by, "configure")
    return _ask(by.workspace, by, now)


def ask_from_command_line(workspace: Workspace, *, now: dt.datetime) -> TeamModel:
    """As `ask_team_model`, by whoever runs the machine."""
    return _ask(workspace, None, now)


def _ask(workspace: Workspace, by: Membership | None, now: dt.datetime) -> TeamModel:
    with transaction.atomic():
        # the row is the lock: two people who ask in the same moment have one learnt
        Workspace.objects.select_for_update(no_key=True).only("pk").get(pk=workspace.pk)
        newest = list_team_models(workspace).first()
        if newest is not None and newest.state in _MAKING:
            return newest
        made = TeamModel.objects.create(
            workspace=workspace, version=newest.version + 1 if newest else 1, asked_at=now, asked_by=by
        )
        write_audit(workspace, by, "team_model.ask", made, now, version=made.version)
        announce(workspace, now, kind="config")
    return made


def claim_team_model(worker: str, *, now: dt.datetime, among: Sequence[int] = ()) -> TeamModel | None:
    """Take the oldest one that waits, or whose worker is gone; None where there is none. `among`: only these rows."""
    free = Q(state=TeamModel.State.WAITING) | Q(state=TeamModel.State.RUNNING, claimed_at__lt=now - LEASE)
    rows = TeamModel.objects.filter(free)
    if among:
        rows = rows.filter(pk__in=among)
    for pk in list(rows.order_by("asked_at").values_list("pk", flat=True)[:3]):
        with transaction.atomic():
            taken = TeamModel.objects.filter(free, pk=pk).update(
                state=TeamModel.State.RUNNING, claimed_by=worker, claimed_at=now, progress=0, step=""
            )
            if taken:
                row = TeamModel.objects.select_related("workspace").get(pk=pk)
                write_audit(row.workspace_id, None, "team_model.claim", row, now, version=row.version, worker=worker)
                return row
    return None


def note_progress(row: TeamModel, step: str, percent: int, *, now: dt.datetime) -> bool:
    """Say how far it is, which renews the claim; whether it is still ours."""
    fields = {"step": step[:24], "progress": percent, "claimed_at": now}
    return bool(_ours(row).update(**fields))


def finish_team_model(
    row: TeamModel, figures: Sequence[dict[str, Any]], weights: bytes | None, *,
    beside: str, corrections: int, stood: int, now: dt.datetime,
) -> bool:  # fmt: skip
    """Keep what was learnt; `weights` None: nothing was better than what ships. Whether the claim was still ours."""
    with transaction.atomic():
        if not _ours(row).update(
            state=TeamModel.State.MADE, made_at=now, progress=100, step="", figures=list(figures), weights=weights,
            beside=beside, corrections=corrections, stood=stood,
        ):  # fmt: skip
            return False
        taken = [each["reading"] for each in figures if each["taken"]]
        write_audit(
            row.workspace_id, None, "team_model.made", row, now,
            version=row.version, corrections=corrections, stood=stood, taken=taken,
        )  # fmt: skip
        announce(row.workspace_id, now, kind="config")
    return True


def fail_team_model(row: TeamModel, problem: str, *, now: dt.datetime) -> bool:
    """Say that it could not be learnt, and why. Whether the claim was still ours."""
    with transaction.atomic():
        if not _ours(row).update(state=TeamModel.State.FAILED, problem=problem[:300], step=""):
            return False
        write_audit(row.workspace_id, None, "team_model.fail", row, now, version=row.version, problem=problem[:300])
        announce(row.workspace_id, now, kind="config")
    return True


def use_team_model(by: Membership, row: TeamModel, *, now: dt.datetime) -> TeamModel:
    """Put a version in force: every post that is read from now on is read with it.

    Raises `InvalidInput` for one that is not learnt or in which nothing was better than what ships.
    """
    require(by, "configure")
    if row.workspace_id != by.workspace_id:
        raise NotAllowed("This model belongs to another workspace.")
    return _use(row, by, now)


def use_from_command_line(row: TeamModel, *, now: dt.datetime) -> TeamModel:
    """As `use_team_model`, by whoever runs the machine."""
    return _use(row, None, now)


def _use(row: TeamModel, by: Membership | None, now: dt.datetime) -> TeamModel:
    with transaction.atomic():
        Workspace.objects.select_for_update(no_key=True).only("pk").get(pk=row.workspace_id)
        row = TeamModel.objects.get(pk=row.pk)
        if row.state != TeamModel.State.MADE or row.weights is None:
            raise InvalidInput("Nothing in this version is better than what ships, so there is nothing to use.")
        before = _end(row.workspace_id)
        row.in_force = True
        row.save(update_fields=["in_force"])
        _read_anew(row.workspace_id)
        write_audit(row.workspace_id, by, "team_model.use", row, now, version=row.version, before=before)
        announce(row.workspace_id, now, kind="config")
    return row


def withdraw_team_model(by: Membership, *, now: dt.datetime) -> int:
    """Back to the shipped model alone; answers the version that was in force. Raises `InvalidInput` where none was."""
    require(by, "configure")
    with transaction.atomic():
        Workspace.objects.select_for_update(no_key=True).only("pk").get(pk=by.workspace_id)
        before = _end(by.workspace_id)
        if not before:
            raise InvalidInput("No model of your own is in force.")
        _read_anew(by.workspace_id)
        write_audit(by.workspace_id, by, "team_model.withdraw", None, now, version=before)
        announce(by.workspace_id, now, kind="config")
    return before


def _end(workspace_id: int) -> int:
    rows = TeamModel.objects.of(workspace_id).filter(in_force=True)
    before = rows.values_list("version", flat=True).first() or 0
    rows.update(in_force=False)
    return before


def _read_anew(workspace_id: int) -> None:
    """Workers compare the version of the configuration before each batch."""
    Workspace.objects.filter(pk=workspace_id).update(config_version=F("config_version") + 1)


def _ours(row: TeamModel) -> Any:
    """The row while the claim is the one that `row` was taken with."""
    return TeamModel.objects.filter(pk=row.pk, state=TeamModel.State.RUNNING, claimed_by=row.claimed_by)
