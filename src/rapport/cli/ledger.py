"""`rapport ledger verify`: is every approval still what a person approved, and is none missing?"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from rapport.cli.desk import add_data_option, load_django, require_tables
from rapport.core.errors import InvalidInput

if TYPE_CHECKING:
    from rapport.actions.ledger_check import Finding
    from rapport.actions.ledger_heads import Head
    from rapport.store.models import Approval, Workspace

#: entries between two lines of progress
_STEP = 1000


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of `rapport ledger`."""
    parser.epilog = "Exit status: 0 every entry is as it was approved, 1 one is not (the first is named)."
    acts = parser.add_subparsers(dest="act", metavar="ACT", required=True)
    verify = acts.add_parser("verify", help="walk the chain of approvals, and hold each against what is stored")
    verify.add_argument("--workspace", metavar="SLUG", help="one workspace; else all of them")
    verify.add_argument("--heads", type=Path, metavar="FILE", help="also hold each against the heads in this file")
    verify.add_argument("--json", action="store_true", help="as a JSON list")
    add_data_option(verify)


def run(arguments: argparse.Namespace) -> int:
    """Verify the ledgers; 1 when one is broken."""
    load_django(arguments.data)
    require_tables(make=False)
    from rapport.actions.ledger_check import verify
    from rapport.actions.ledger_heads import read_heads

    heads = read_heads(arguments.heads) if arguments.heads else []
    found = [verify(workspace, _shown, heads) for workspace in _workspaces(arguments.workspace)]
    if arguments.workspace is None:
        found += _lost(heads, {workspace.pk for workspace in _workspaces(None)})
    if arguments.json:
        print(json.dumps([finding._asdict() for finding in found]))
    else:
        print("\n".join(map(str, found)) or "There is no workspace yet.")
    return 1 if any(finding.sequence is not None for finding in found) else 0


def _lost(heads: Iterable[Head], there: set[int]) -> list[Finding]:
    """Workspaces that heads tell of and that are gone, ledger and all."""
    from rapport.actions.ledger_check import Finding

    lost = {head.id: head.workspace for head in heads if head.id not in there}
    return [Finding(slug, 0, 1, "its workspace is not there any more.") for slug in lost.values()]


def _workspaces(slug: str | None) -> list[Workspace]:
    from rapport.store.models import Workspace

    rows = Workspace.objects.order_by("slug")
    if slug is None:
        return list(rows)
    found = list(rows.filter(slug=slug))
    if not found:
        raise InvalidInput(f"there is no workspace {slug!r}; there are: {', '.join(each.slug for each in rows)}")
    return found


def _shown(approvals: Iterator[Approval]) -> Iterator[Approval]:
    """The same, with progress where somebody watches."""
    watched = sys.stderr.isatty()
    for count, approval in enumerate(approvals, 1):
        if watched and count % _STEP == 0:
            print(f"\r\x1b[K{count:,} approvals", end="", file=sys.stderr, flush=True)
        yield approval
    if watched:
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
