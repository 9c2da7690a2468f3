"""Everything that is known of a person as a file: asked for by an admin, made by a worker, gone after some days."""

from __future__ import annotations

import datetime as dt
import io
import zipfile

from django.db import transaction

from rapport.actions.audit import announce, require, write_audit
from rapport.actions.export_files import export_file, remove_exports, sweep_folder, write_export
from rapport.actions.person_jobs import ask_job, ours
from rapport.core.errors import InvalidInput, NotAllowed
from rapport.core.person_file import PersonFile, write_json, write_page
from rapport.store.models import Membership, Person, PersonJob
from rapport.store.queries.person_export import count_kept, read_person_file

#: how long a file lies there
KEPT = dt.timedelta(days=7)
#: how long a file without a row may lie there: it is being written
_YOUNG = dt.timedelta(hours=1)
State = PersonJob.State


def ask_export(by: Membership, person: Person, reason: str, *, now: dt.datetime) -> PersonJob:
    """Have everything that is known of a person put in a file; a worker begins within seconds. Asked twice at once, it
    is one job.
    """
    require(by, "export")
    return ask_job(by, person, PersonJob.Kind.EXPORT, reason, now=now)


def make_export(job: PersonJob, *, now: dt.datetime) -> PersonJob:
    """Write the file of an export that was claimed. Raises `LostClaim`, `InvalidInput` where the person is gone, and
    `NotAllowed` where whoever asked may not any more.
    """
    row = ours(job, now)
    if row.asked_by is None:
        raise NotAllowed("Whoever asked for it is not there any more. Ask again.")
    require(row.asked_by, "export")
    person = Person.objects.of(row.workspace_id).select_related("workspace").filter(pk=row.person).first()
    if person is None:
        raise InvalidInput("This person was joined with another one or erased meanwhile.")
    of = sum(count_kept(person).values())
    mine = PersonJob.objects.filter(pk=job.pk, state=State.RUNNING, claimed_by=job.claimed_by)
    mine.update(report={"read": 0, "of": of})
    file = read_person_file(person, now, lambda read: mine.update(report={"read": read, "of": of}))
    name = write_export(zip_of(file))
    with transaction.atomic():
        row = ours(job, now)
        row.state, row.done_at, row.path, row.expires_at = State.DONE, now, name, now + KEPT
        row.report = {"held": counts_of(file)}
        row.save(update_fields=["state", "done_at", "path", "expires_at", "report"])
        write_audit(row.workspace_id, row.asked_by, "person.exported", row, now, person=row.person)
        announce(row.workspace_id, now, kind="config")
    return row


def zip_of(file: PersonFile) -> bytes:
    """person.json and person.html."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        moment = file.made_at.timetuple()[:6]
        for name, content in (("person.json", write_json(file)), ("person.html", write_page(file))):
            archive.writestr(zipfile.ZipInfo(name, moment), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def counts_of(file: PersonFile) -> dict[str, int]:
    """How many entries each part of the file has; none for what is empty."""
    return {
        name: len(value)
        for name in file.__struct_fields__
        if isinstance(value := getattr(file, name), (tuple, dict)) and value
    }


def note_fetched(by: Membership, job: PersonJob, *, now: dt.datetime) -> None:
    """Somebody is given the file: that is on record. Raises `NotAllowed`, and `InvalidInput` where it is gone."""
    require(by, "export")
    if job.workspace_id != by.workspace_id:
        raise NotAllowed("This file belongs to another workspace.")
    if export_file(job) is None or job.expires_at is None or job.expires_at <= now:
        raise InvalidInput("This file is gone: it is kept for seven days. Ask for a new one.")
    with transaction.atomic():
        write_audit(by.workspace, by, "person.fetch_export", job, now, person=job.person)


def sweep_exports(*, now: dt.datetime) -> int:
    """Take away files whose time is over; returns how many. A file that no row tells of goes after an hour."""
    old = list(PersonJob.objects.filter(expires_at__lte=now).exclude(path=""))
    remove_exports(old)
    for row in old:
        with transaction.atomic():
            if PersonJob.objects.filter(pk=row.pk, path=row.path).update(path=""):
                write_audit(row.workspace_id, None, "person.expire_export", row, now, person=row.person)
    known = PersonJob.objects.exclude(path="").values_list("path", flat=True)
    return len(old) + sweep_folder(known, (now - _YOUNG).timestamp())
