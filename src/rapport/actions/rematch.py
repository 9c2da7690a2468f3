"""Applying a topic to the posts that are stored already, in the background, piece by piece.

That a run began and how it ended stand in the audit; how far it is stands in the cache that all processes share. What
is lost there is done again from the newest post, which changes nothing: each piece makes the matches what the query
says, whatever they were.
"""

from __future__ import annotations

import contextlib
import datetime as dt

import msgspec
from django.core.cache import cache
from django.db import transaction

from rapport.actions.audit import announce, require, write_audit
from rapport.core.errors import InvalidQuery, NotAllowed
from rapport.store.models import AuditEntry, Membership, Topic, Workspace
from rapport.store.queries.sql import redone_if_lost
from rapport.store.queries.topics import correct_matches, stored_ids

BEGUN, ENDED = "topic.rematch", "topic.rematched"
#: ids that one piece covers
PIECE = 2_000
_KEPT = 7 * 86_400  # seconds


class Run(msgspec.Struct):
    """One run over the stored posts."""

    #: id of its audit entry
    id: int
    #: the posts from this id to that
    bottom: int
    top: int
    began_at: dt.datetime
    #: posts below this id are still to be read
    below: int
    read: int = 0
    added: int = 0
    dropped: int = 0
    #: None while it runs
    ended_at: dt.datetime | None = None
    #: the query was changed on the way, so the run was given up
    given_up: bool = False

    @property
    def percent(self) -> int:
        """How much of it is done, 0 to 100."""
        if self.ended_at or not self.top:
            return 100
        return min(99, 100 * (self.top + 1 - self.below) // (self.top + 1 - self.bottom))

    @property
    def left(self) -> bool:
        """Whether posts are still to be read."""
        return self.below > self.bottom and not self.given_up


def begin_rematch(by: Membership, topic: Topic, *, now: dt.datetime) -> Run:
    """Apply the query of a topic to every stored post; the clock carries it on. One that runs already goes on."""
    require(by, "configure")
    if topic.workspace_id != by.workspace_id:
        raise NotAllowed("This belongs to another workspace.")
    with transaction.atomic():
        # the row is the lock: two people who ask in the same moment begin one run
        topic = Topic.objects.of(by.workspace).select_for_update().get(pk=topic.pk)
        newest = _newest_entry(topic)
        if newest is not None and newest.verb == BEGUN and newest.detail["query"] == topic.query:
            return _run(newest)
        bottom, top = stored_ids()
        write_audit(by.workspace, by, BEGUN, topic, now, query=topic.query, bottom=bottom, top=top)
        announce(by.workspace, now, kind="config")
    entry = _newest_entry(topic)
    assert entry is not None
    return _run(entry)


def carry_on_rematches(workspace: Workspace, *, now: dt.datetime) -> bool:
    """Do the next piece of every run of the workspace; whether any is left."""
    left = False
    for topic, entry in _running(workspace):
        run = _run(entry)
        try:
            left |= _carry_on(topic, entry, run, now)
        except InvalidQuery:
            _end(topic, run, now)  # a query of before the language changed: nothing can be said with it
    return left


def look_up_rematch(topic: Topic) -> Run | None:
    """The newest run of a topic, whether it goes on or has ended; None where there was none."""
    entry = _newest_entry(topic)
    return _run(entry) if entry is not None else None


def _carry_on(topic: Topic, entry: AuditEntry, run: Run, now: dt.datetime) -> bool:
    run.given_up = topic.query != entry.detail["query"]
    if run.left:
        floor = max(run.below - PIECE, run.bottom)
        # lost with the power, the piece is done again: nobody has to wait for the disk
        with redone_if_lost():
            read, added, dropped = correct_matches(topic, floor, run.below)
            run.below, run.read = floor, run.read + read
            run.added, run.dropped = run.added + added, run.dropped + dropped
            if run.left:
                cache.set(_key(entry.pk), msgspec.json.encode(run).decode(), _KEPT)
    if not run.left:
        _end(topic, run, now)
    return run.left


def _end(topic: Topic, run: Run, now: dt.datetime) -> None:
    with transaction.atomic():
        run.ended_at = now
        write_audit(
            topic.workspace_id, None, ENDED, topic, now, run=run.id, read=run.read, added=run.added,
            dropped=run.dropped, given_up=run.given_up, bottom=run.bottom, top=run.top,
            began_at=run.began_at.isoformat(),
        )  # fmt: skip
        announce(topic.workspace_id, now, kind="config")
    cache.delete(_key(run.id))


def _entries(workspace: int | Workspace) -> list[AuditEntry]:
    rows = AuditEntry.objects.of(workspace).filter(subject="topic", verb__in=(BEGUN, ENDED))
    return list(rows.order_by("pk"))


def _newest_entry(topic: Topic) -> AuditEntry | None:
    rows = AuditEntry.objects.of(topic.workspace_id).filter(subject="topic", subject_id=str(topic.pk))
    return rows.filter(verb__in=(BEGUN, ENDED)).order_by("-pk").first()


def _running(workspace: Workspace) -> list[tuple[Topic, AuditEntry]]:
    newest = {entry.subject_id: entry for entry in _entries(workspace)}
    begun = {int(number): entry for number, entry in newest.items() if entry.verb == BEGUN}
    return [(topic, begun[topic.pk]) for topic in Topic.objects.of(workspace).filter(pk__in=begun)] if begun else []


def _run(entry: AuditEntry) -> Run:
    told = entry.detail
    if entry.verb == ENDED:
        return Run(
            told["run"], told["bottom"], told["top"], dt.datetime.fromisoformat(told["began_at"]), told["bottom"],
            told["read"], told["added"], told["dropped"], entry.at, told["given_up"],
        )  # fmt: skip
    with contextlib.suppress(msgspec.DecodeError):  # another release wrote it: begin anew
        return msgspec.json.decode(cache.get(_key(entry.pk), ""), type=Run)
    return Run(entry.pk, told["bottom"], told["top"], entry.at, told["top"] + 1)


def _key(entry: int) -> str:
    return f"rematch-{entry}"
