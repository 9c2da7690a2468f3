"""What must go: posts that were deleted or taken down, accounts that were suspended, closed or made private.

X tells it in its compliance streams, which enterprise plans have, and in the files of batch compliance jobs. A stream
with an end in the past is a list that ends; each of its four parts is read from where the last look ended.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from rapport.core.errors import GiveUp, RetryLater
from rapport.networks.base import Account, Gap, Page
from rapport.networks.http import read_lines
from rapport.networks.x.cursor import Cursor
from rapport.networks.x.wire import Problem, Wire

_PATHS = ("/2/tweets/compliance/stream", "/2/users/compliance/stream")
_PARTS = (1, 2, 3, 4)
_REACH = dt.timedelta(days=1)  # how far back the streams go
_LATE = dt.timedelta(seconds=30)
_EVERY = dt.timedelta(minutes=5)
_SILENCE = 60.0  # seconds
_MOST = 500  # events of one page
_GONE = {"delete", "drop"}
_SUSPENDED = {"user_delete", "user_suspend", "user_protect"}
_RESTORED = {"user_undelete", "user_unsuspend", "user_unprotect"}


class Verdict(msgspec.Struct):
    """What compliance events say."""

    deleted: list[str] = []
    suspended: list[str] = []
    restored: list[str] = []
    rejected: list[str] = []

    def __len__(self) -> int:
        return len(self.deleted) + len(self.suspended) + len(self.restored) + len(self.rejected)

    def page(self, cursor: Cursor, *, more: bool, gap: Gap | None) -> Page:
        """As a page of the stream "compliance"."""
        return Page(
            stream="compliance",
            posts=(),
            cursor=cursor.encode(),
            more=more,
            gap=gap,
            deleted=tuple(dict.fromkeys(self.deleted)),
            suspended=tuple(dict.fromkeys(self.suspended)),
            restored=tuple(dict.fromkeys(self.restored)),
            rejected=tuple(self.rejected),
        )


class _Event(msgspec.Struct):
    data: dict[str, Any] | None = None
    errors: list[Problem] | None = None


class _Job(msgspec.Struct):
    id: str
    action: str


def read_event(line: bytes | str, verdict: Verdict) -> None:
    """One line of a compliance stream, added to the verdict. Raises `GiveUp` when X ends the stream with an error."""
    try:
        event = msgspec.json.decode(line, type=_Event, strict=False)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        verdict.rejected.append("compliance event: cannot be read")
        return
    if event.errors and not event.data:
        raise GiveUp(f"X ended the compliance stream: {event.errors[0].words()}")
    for kind, told in (event.data or {}).items():
        subject = told.get("tweet") or told.get("user") if isinstance(told, dict) else None
        identifier = str(subject.get("id") or "") if isinstance(subject, dict) else ""
        if not identifier:
            verdict.rejected.append(f"compliance event {kind[:40]}: names nothing")
        elif kind in _GONE:
            verdict.deleted.append(identifier)
        elif kind in _SUSPENDED:
            verdict.suspended.append(identifier)
        elif kind in _RESTORED:
            verdict.restored.append(identifier)


def read_job_line(line: bytes | str, verdict: Verdict, *, of_users: bool) -> None:
    """One line of the file of a batch compliance job, added to the verdict."""
    try:
        told = msgspec.json.decode(line, type=_Job)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        verdict.rejected.append("compliance job: a line cannot be read")
        return
    if told.action == "delete":
        (verdict.suspended if of_users else verdict.deleted).append(told.id)


def pull_compliance(account: Account, wire: Wire, cursor: Cursor, now: Callable[[], dt.datetime]) -> Iterator[Page]:
    """See `Network.pull`. Moves on only when every part was read to its end."""
    del account
    until = now() - _LATE
    since, gap = _since(cursor, until)
    if until - since < _EVERY and cursor.complied:
        yield Page(stream="compliance", posts=(), cursor=cursor.encode())
        return
    for path in _PATHS:
        for part in _PARTS:
            verdict = Verdict()
            params = {"partition": part, "start_time": _stamp(since), "end_time": _stamp(until)}
            for line in read_lines(wire.open_stream(path, params, _SILENCE)):
                if line.strip():
                    read_event(line, verdict)
                if len(verdict) >= _MOST:
                    yield verdict.page(cursor, more=True, gap=None)
                    verdict = Verdict()
            if len(verdict):
                yield verdict.page(cursor, more=True, gap=None)
    cursor.complied = until.isoformat()
    yield Verdict().page(cursor, more=False, gap=gap)


def _since(cursor: Cursor, until: dt.datetime) -> tuple[dt.datetime, Gap | None]:
    earliest = until - _REACH
    try:
        since = dt.datetime.fromisoformat(cursor.complied) if cursor.complied else earliest
    except ValueError:
        since = earliest
    if since < earliest:
        reason = "X tells of deletions one day back; what was deleted before that, since the last look, may still show."
        return earliest, Gap(reason, since=since, until=earliest)
    if since > until + _EVERY:
        raise RetryLater(
            "The place in the list of deletions lies in the future; it is read again when its time has come."
        )
    return since, None


def _stamp(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
