"""`rapport train --workspace SLUG`: a model of the team's own, learnt from its corrections."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import sys
import time
from typing import TYPE_CHECKING, Any

from rapport.cli.desk import choose_workspace, load_django, require_tables, typed_settings
from rapport.core.errors import InvalidInput

if TYPE_CHECKING:
    from rapport.store.models import TeamModel

#: seconds between two looks at a model that a running worker learns
_LOOK = 0.5
_WHY = {
    "few corrected": "not taken: {missing} more corrections are needed before it is tried",
    "few stood": "not taken: it must also stand on {lacking} more posts that people answered or resolved",
    "not better": "not taken: on the corrections that were left out it is not better",
    "overturns": "not taken: it overturns nearly as many readings that people let stand as it mends",
    "gives up": "not taken: it no longer finds a good part of what the shipped model finds",
}


def train_team(arguments: argparse.Namespace) -> int:
    """Learn, print the figures, and put the model in force where it is better. Exit status 0, also where it is not."""
    load_django(str(arguments.data) if arguments.data else None)
    require_tables(make=False)
    from rapport.actions.team_model import ask_from_command_line, use_from_command_line

    workspace = choose_workspace(arguments.workspace, _now())
    row = _make(ask_from_command_line(workspace, now=_now()))
    used = row.weights is not None and arguments.use
    if used:
        use_from_command_line(row, now=_now())
    if arguments.json:
        print(json.dumps(as_json(row, used)))
    else:
        for line in tell(row, used):
            print(line)
    return 0


def _make(row: TeamModel) -> TeamModel:
    """Learn it here, or wait for the worker that has taken it. Raises `InvalidInput` where it failed."""
    from rapport.actions.team_model import claim_team_model
    from rapport.pipeline.teaching import teach
    from rapport.store.models import TeamModel

    claimed = claim_team_model("command line", now=_now(), among=[row.pk])
    if claimed is not None:
        teach(claimed, _now, typed_settings().deep_share, _show)
    shown = ""
    while True:
        row = TeamModel.objects.get(pk=row.pk)
        if row.state == TeamModel.State.FAILED:
            raise InvalidInput(row.problem)
        if row.state == TeamModel.State.MADE:
            return row
        if shown != row.step:
            shown = row.step
            _show(row.step, row.progress)
        time.sleep(_LOOK)


def _show(step: str, percent: int) -> None:
    if sys.stderr.isatty():
        print(f"{percent} %  {step}", file=sys.stderr)


def as_json(row: TeamModel, used: bool) -> dict[str, Any]:
    """What a program reads of a model."""
    return {
        "version": row.version,
        "beside": row.beside,
        "corrections": row.corrections,
        "stood": row.stood,
        "readings": row.figures,
        "in_force": used,
    }


def tell(row: TeamModel, used: bool) -> list[str]:
    """The figures in sentences."""
    from rapport.training.team import LEAST_CORRECTED, LEAST_STOOD

    lines = [f"team-{row.version}: {row.corrections} corrections, and {row.stood} posts on which readings stood"]
    if not row.figures:
        missing = f"{LEAST_CORRECTED} corrections of one reading"
        lines.append(f"Nothing to learn from yet: correct readings on the desk; it takes {missing} to begin.")
    for each in row.figures:
        why = _WHY.get(each["reason"], "taken").format(
            missing=LEAST_CORRECTED - each["corrected"], lacking=LEAST_STOOD - each["stood"]
        )
        name = each["reading"].rpartition(".")[2]
        lines.append(f"{name:<10} {_figures(each)}{why}")
    if row.weights is None:
        lines.append("The shipped model stays as it is.")
    elif used:
        lines.append(f"team-{row.version} is in force. The way back to the shipped model: Settings, Readings.")
    else:
        lines.append(f"team-{row.version} is kept and not in force. Put it in force under Settings, Readings.")
    return lines


def _figures(each: dict[str, Any]) -> str:
    if not each["tried"]:
        return ""
    return (
        f"of {each['corrected']} corrected {each['shipped_right']} right before, {each['team_right']} now; "
        f"of {each['stood']} that stood {each['shipped_kept']} kept before, {each['team_kept']} now; "
    )


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
