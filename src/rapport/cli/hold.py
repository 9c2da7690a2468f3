"""`rapport hold`: the one switch from the machine itself, for the hour in which no page can be reached."""

from __future__ import annotations

import argparse
import datetime as dt
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rapport.cli.desk import add_data_option, load_django, require_tables
from rapport.core.errors import InvalidInput

if TYPE_CHECKING:
    from rapport.store.models import Workspace


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of `rapport hold`."""
    parser.epilog = "A hold is seen by every sender before the next reply leaves, whichever machine it runs on."
    acts = parser.add_subparsers(dest="act", metavar="ACT", required=True)
    begin = acts.add_parser("on", help="hold everything going out")
    begin.add_argument("reason", metavar="REASON", help="what every colleague reads beside what waits")
    begin.add_argument("--known", metavar="TEXT", help="what you know by now")
    end = acts.add_parser("off", help="let everything go out again")
    for each in (begin, end):
        each.add_argument("--user", metavar="EMAIL", required=True, help="who says so; they need the right to hold")
    show = acts.add_parser("status", help="whether everything is held, in each workspace")
    for each in (begin, end, show):
        each.add_argument("--workspace", metavar="SLUG", help="needed only where somebody works in several")
        each.add_argument("--json", action="store_true", help="as JSON")
        add_data_option(each)


def run(arguments: argparse.Namespace) -> int:
    """Hold, let go, or tell; `status` ends with 1 where something is held."""
    load_django(arguments.data)
    require_tables(make=False)
    from rapport.actions.holds import hold_everything, release_hold
    from rapport.cli.token import find_member
    from rapport.store.models import Workspace as Row

    now = dt.datetime.now(dt.UTC)
    if arguments.act == "status":
        rows = Row.objects.order_by("slug")
        if arguments.workspace:
            rows = rows.filter(slug=arguments.workspace)
        found = list(rows)
        if not found:
            raise InvalidInput("there is no such workspace")
        _tell(found, arguments.json)
        return 1 if any(each.held_at for each in found) else 0
    member = find_member(arguments.user, arguments.workspace)
    if arguments.act == "on":
        workspace = hold_everything(member, arguments.reason, known=arguments.known, via="cli", now=now)
    else:
        workspace = release_hold(member, via="cli", now=now)
    _tell([workspace], arguments.json)
    return 0


def _tell(workspaces: Sequence[Workspace], as_json: bool) -> None:
    told = [
        {
            "workspace": each.slug,
            "held": each.held_at is not None,
            "since": each.held_at.isoformat() if each.held_at else None,
            "reason": each.hold_reason,
        }
        for each in workspaces
    ]
    if as_json:
        print(json.dumps(told))
        return
    for each in told:
        state = f"held since {each['since']}: {each['reason']}" if each["held"] else "nothing is held"
        print(f"{each['workspace']}: {state}")
