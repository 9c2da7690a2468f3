"""`rapport person`: everything of a person as a file, or taken away, from the machine itself."""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from rapport.cli.desk import add_data_option, load_django, require_tables
from rapport.core.errors import InvalidInput

if TYPE_CHECKING:
    from rapport.store.models import Membership, Person, PersonJob


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of `rapport person`."""
    parser.epilog = (
        "PERSON is the number in the address of their page, or NETWORK:HANDLE, e.g. mastodon:nadia@example.org. "
        "Exit status: 0 done, 1 it broke off (the reason is told), 2 it could not be asked for."
    )
    acts = parser.add_subparsers(dest="act", metavar="ACT", required=True)
    export = acts.add_parser("export", help="write a zip with everything that is known of a person")
    export.add_argument("--to", metavar="FILE", required=True, help="where the zip goes; an existing file is kept")
    erase = acts.add_parser("erase", help="take away everything that is known of a person; it does not come back")
    erase.add_argument("--name", metavar="NAME", required=True, help="their name, as on their page, to confirm")
    for each in (export, erase):
        each.add_argument("person", metavar="PERSON", help="number of the person, or NETWORK:HANDLE")
        each.add_argument("--reason", metavar="TEXT", required=True, help="what made you do it; it stays: name nobody")
        each.add_argument("--user", metavar="EMAIL", required=True, help="who asks; they need the right to do it")
        each.add_argument("--workspace", metavar="SLUG", help="needed only where somebody works in several")
        each.add_argument("--json", action="store_true", help="the report as JSON")
        add_data_option(each)


def run(arguments: argparse.Namespace) -> int:
    """Ask for it, do it here and now, and tell what came of it; a worker may do it as well."""
    load_django(arguments.data)
    require_tables(make=False)
    from rapport.actions.erasure import ask_erasure
    from rapport.actions.exports import ask_export
    from rapport.cli.token import find_member

    now, member = dt.datetime.now(dt.UTC), find_member(arguments.user, arguments.workspace)
    person = _find(member, arguments.person)
    if arguments.act == "export":
        if Path(arguments.to).exists():
            raise InvalidInput(f"{arguments.to} is there already; choose another name")
        job = ask_export(member, person, arguments.reason, now=now)
    else:
        job = ask_erasure(member, person, arguments.reason, arguments.name, now=now)
    job = _do(job)
    if job.state == job.State.DONE and arguments.act == "export":
        _take_out(job, member, Path(arguments.to))
    _tell(job, arguments.json)
    return 0 if job.state == job.State.DONE else 1


def _find(member: Membership, text: str) -> Person:
    """The person of this number or account. Raises `InvalidInput`."""
    from rapport.store.models import Person

    rows = Person.objects.of(member.workspace_id)
    network, colon, handle = text.partition(":")
    if colon:
        rows = rows.filter(handles__network=network, handles__handle__iexact=handle.lstrip("@")).distinct()
    elif text.isascii() and text.isdigit() and len(text) < 18:
        rows = rows.filter(pk=int(text))
    else:
        raise InvalidInput("name the person by the number in the address of their page, or by NETWORK:HANDLE")
    found = list(rows[:2])
    if len(found) != 1:
        raise InvalidInput("there is nobody of this name here" if not found else "this names several; use the number")
    return found[0]


def _do(job: PersonJob) -> PersonJob:
    """Carry it out here, or wait for the worker that has it."""
    from time import sleep

    from rapport.actions.person_jobs import LostClaim, claim_one
    from rapport.pipeline.person_jobs import carry_out

    def clock() -> dt.datetime:
        return dt.datetime.now(dt.UTC)

    while job.state in {job.State.WAITING, job.State.RUNNING}:
        claimed = claim_one(job, f"cli-{os.getpid()}", now=clock())
        if claimed is not None:
            with contextlib.suppress(LostClaim):
                carry_out(claimed, clock)
        else:
            sleep(0.5)
        job.refresh_from_db()
    return job


def _take_out(job: PersonJob, member: Membership, to: Path) -> None:
    from rapport.actions.export_files import export_file
    from rapport.actions.exports import note_fetched

    note_fetched(member, job, now=dt.datetime.now(dt.UTC))
    path = export_file(job)
    assert path is not None
    with path.open("rb") as kept, os.fdopen(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        shutil.copyfileobj(kept, file)


def _tell(job: PersonJob, as_json: bool) -> None:
    told = {"job": job.pk, "kind": job.kind, "state": job.state, "problem": job.problem, "report": job.report}
    if as_json:
        print(json.dumps(told))
        return
    print(f"{job.kind} {job.pk}: {job.state}{'. ' + job.problem if job.problem else ''}")
    for part in ("removed", "blanked", "held"):
        rows = sorted(job.report.get(part, {}).items())
        if rows:
            print(f"{part}: {', '.join(f'{name} {count:,}' for name, count in rows)}")
    named = {kind: len(rows) for kind, rows in job.report.get("named_in", {}).items() if kind != "version" and rows}
    if named:
        print(f"still named in: {', '.join(f'{kind} {count}' for kind, count in named.items())} (see its page)")
    if job.report.get("unreached"):
        print(f"not reached: {', '.join(job.report['unreached'])} (docs/howto/person-data.md)")
