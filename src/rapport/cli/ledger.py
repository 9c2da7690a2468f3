"""`rapport ledger verify`: is every approval still what a person approved, and is none missing?"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from rapport.cli.desk import add_data_option, load_django, require_tables
from rapport.core.errors import InvalidInput

if TYPE_CHECKING:
    from rapport.store.models import Approval, Workspace

#: entries between two lines of progress
_STEP = 1000


class Finding(NamedTuple):
    """What the ledger of one workspace looks like."""

    workspace: str
    #: approvals that were read: all of them, or those up to the first broken one
    entries: int
    #: the first place that does not fit, None where all do
    sequence: int | None = None
    what: str = ""

    def __str__(self) -> str:
        if self.sequence is None:
            return f"{self.workspace}: {self.entries} approvals, every one as it was approved."
        return f"{self.workspace}: entry {self.sequence} is broken: {self.what}"


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of `rapport ledger`."""
    parser.epilog = "Exit status: 0 every entry is as it was approved, 1 one is not (the first is named)."
    acts = parser.add_subparsers(dest="act", metavar="ACT", required=True)
    verify = acts.add_parser("verify", help="walk the chain of approvals, and hold each against what is stored")
    verify.add_argument("--workspace", metavar="SLUG", help="one workspace; else all of them")
    verify.add_argument("--json", action="store_true", help="as a JSON list")
    add_data_option(verify)


def run(arguments: argparse.Namespace) -> int:
    """Verify the ledgers; 1 when one is broken."""
    load_django(arguments.data)
    require_tables(make=False)
    found = [verify(workspace) for workspace in _workspaces(arguments.workspace)]
    if arguments.json:
        print(json.dumps([finding._asdict() for finding in found]))
    else:
        print("\n".join(map(str, found)) or "There is no workspace yet.")
    return 1 if any(finding.sequence is not None for finding in found) else 0


def _workspaces(slug: str | None) -> list[Workspace]:
    from rapport.store.models import Workspace

    rows = Workspace.objects.order_by("slug")
    if slug is None:
        return list(rows)
    found = list(rows.filter(slug=slug))
    if not found:
        raise InvalidInput(f"there is no workspace {slug!r}; there are: {', '.join(each.slug for each in rows)}")
    return found


def verify(workspace: Workspace) -> Finding:
    """Walk the chain from its first entry to the last that the audit knows of."""
    from rapport.actions.outbound import chain_hash
    from rapport.store.models import Approval

    rows = Approval.objects.of(workspace).select_related("target__handle", "channel", "person").order_by("sequence")
    previous, place = "", 0
    for place, approval in enumerate(_shown(rows.iterator(chunk_size=_STEP)), 1):
        if approval.sequence != place:
            return Finding(workspace.slug, place - 1, place, f"it is missing; the next one is {approval.sequence}.")
        if what := _differs(approval):
            return Finding(workspace.slug, place, place, what)
        if chain_hash(previous, approval) != approval.chain:
            what = "it does not follow from the entry before: one of the two was changed, moved or put in."
            return Finding(workspace.slug, place, place, what)
        previous = approval.chain
    return _end(workspace, place)


def _differs(approval: Approval) -> str:
    """What is no longer as it was approved; empty when everything is."""
    import msgspec

    from rapport.store.queries.outbound import reply_of

    reply = reply_of(approval.channel, approval.target, approval.text, approval.person)
    # whom it addresses is as approved: a person who renames themselves does not void an approval
    reply = msgspec.structs.replace(reply, visibility=approval.visibility, to=tuple(approval.to))
    if reply.digest == approval.digest:
        return ""
    return "its text, target or account is not what was approved (the digest differs)."


def _end(workspace: Workspace, last: int) -> Finding:
    """The chain against the audit, which tells of every approval: the end may be cut off, or the whole made anew."""
    from rapport.store.models import Approval, AuditEntry

    there = {
        str(pk): (sequence, digest)
        for pk, sequence, digest in Approval.objects.of(workspace).values_list("pk", "sequence", "digest")
    }
    told = AuditEntry.objects.of(workspace).filter(verb__in=["reply.approve", "reply.acknowledge"]).order_by("pk")
    for entry in told.iterator(chunk_size=_STEP):
        sequence, digest = there.pop(entry.subject_id, (0, ""))
        if not sequence:
            what = f"it is missing; the audit tells of it on {entry.at:%Y-%m-%d at %H:%M} UTC."
            return Finding(workspace.slug, last, last + 1, what)
        if digest != entry.detail.get("digest"):
            what = f"the audit of {entry.at:%Y-%m-%d at %H:%M} UTC tells of another reply."
            return Finding(workspace.slug, last, sequence, what)
    if there:
        return Finding(workspace.slug, last, min(there.values())[0], "the audit does not tell of it.")
    return Finding(workspace.slug, last)


def _shown(approvals: Iterator[Approval]) -> Iterator[Approval]:
    """The same, with progress where somebody watches."""
    watched = sys.stderr.isatty()
    for count, approval in enumerate(approvals, 1):
        if watched and count % _STEP == 0:
            print(f"\r\x1b[K{count:,} approvals", end="", file=sys.stderr, flush=True)
        yield approval
    if watched:
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
