"""What went out before: the nearest of our own texts, found among a hundred thousand without reading them.

Each process keeps an index of sketches (`core.voice_index`) of a workspace and adds what others approved since it
looked. The chain hash of the last entry that it knows says whether it still knows this ledger; the texts themselves,
whom they went to and whether they left are read from the tables each time, so an erased or recalled one is never shown.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections import OrderedDict
from collections.abc import Collection, Sequence
from typing import NamedTuple

from django.db.models import Max, Q, QuerySet, Value
from django.db.models.functions import Coalesce

from rapport.core.guard import SentText, essence
from rapport.core.guard.sameness import similarity
from rapport.core.parts import whole
from rapport.core.voice import LEAST_WORDS, Sent
from rapport.core.voice_index import Maybe, SentIndex, Sketched, sketch
from rapport.store.models import Approval, Channel, Delivery, Membership, Workspace
from rapport.store.queries.desk import within_sight
from rapport.store.queries.sql import chunks

#: of what was said longer ago nobody is told
KEPT = dt.timedelta(days=90)
#: the newest so many are kept, and whatever is of the last `WHOLE`, were it more
MOST = 100_000
WHOLE = dt.timedelta(days=7)
#: workspaces that a process remembers at once
WORKSPACES = 8
#: texts that are compared word by word for one question of a page; the guard compares all that may matter
COMPARED = 200
#: whom an entry went to
_TO = "target__handle__person_id"
#: states in which a reply has left, or may leave, the house
ALIVE = (Delivery.State.QUEUED, Delivery.State.SENDING, Delivery.State.UNCONFIRMED, Delivery.State.SENT)


class _Known:
    """The index of one workspace, and the last entry of its ledger that is in it."""

    def __init__(self) -> None:
        self.index = SentIndex()
        self.sequence = 0
        self.chain = ""
        #: how many texts it began with
        self.begun_with = 0
        self.lock = threading.Lock()


_KNOWN: OrderedDict[int, _Known] = OrderedDict()
_LOCK = threading.Lock()


def like_for_guard(
    text: str,
    workspace: int,
    network: str,
    alive: QuerySet[Delivery],
    *,
    besides: tuple[int, int],
    least: float,
    since: dt.datetime,
    now: dt.datetime,
) -> tuple[SentText, ...]:
    """The text on this network that is most alike, if it is at least so alike; () else.

    Left out is what went to the same person out of the same account (`besides`: person, account), and what is not
    among the deliveries `alive`. Whatever was approved after `since` is seen, however much it is.
    """
    channels = set(Channel.objects.of(workspace).filter(network=network).values_list("pk", flat=True))
    maybe = _alike(workspace, text, least, since=since, channels=channels, now=now)
    mine, best, alike = essence(text), None, 0.0
    for some in chunks(maybe, COMPARED):
        if best is not None and some[0].bound <= alike:
            break
        # from the side of the deliveries: the other way round SQLite gathers all that are alive first
        rows = alive.filter(approval__in=[each.id for each in some], approval__erased_at__isnull=True)
        whom = Coalesce(f"approval__{_TO}", f"approval__subject__approval__{_TO}", Value(0))
        columns = ("approval__parts", "approval__text", "whom", "channel_id", "approval__approved_at")
        said = rows.annotate(whom=whom).values_list(*columns)
        for parts, first, *rest in said.order_by("-approval__approved_at"):
            row = SentText(whole(parts or (), first), *rest)
            found = similarity(mine, essence(row.text))
            if found > alike and (row.person, row.channel) != besides:
                best, alike = row, found
    return (best,) if best is not None and alike >= least else ()


def like_for_people(text: str, member: Membership, least: float, *, now: dt.datetime) -> list[Sent]:
    """Texts of ours of the last `KEPT` that may be at least so alike, the likeliest first, at most `COMPARED`, as far
    as this member sees where they were said: they tell who wrote to whom.

    `core.voice.nearest` says which is nearest; () for one too short to compare.
    """
    if essence(text).total() < LEAST_WORDS:
        return []
    maybe = _alike(member.workspace_id, text, least, since=now - KEPT, channels=None, now=now)[:COMPARED]
    if not maybe:
        return []
    rows = _said(member.workspace_id).filter(within_sight(member))
    rows = rows.filter(pk__in=[each.id for each in maybe], delivery__state__in=ALIVE, kind__isnull=True)
    return read_sent(rows)


def read_sent(rows: QuerySet[Approval], most: int | None = None) -> list[Sent]:
    """Replies as the core weighs them, the newest `most` first. One query."""
    found = rows.select_related("person__user", "target__handle").order_by("-approved_at")[:most]
    return [
        Sent(
            text=whole(row.parts or (), row.text),
            by=str(row.person) if row.person else "",
            to=row.target.handle.name or str(row.target.handle),
            person=row.target.handle.person_id,
            sent_at=row.approved_at,
            answered=row.target.text,
            entry=row.pk,
        )
        for row in found
        if row.target is not None
    ]


def said_since(workspace: int, since: dt.datetime, most: int) -> list[Sent]:
    """The newest replies of people that went out since then, at most so many."""
    rows = _said(workspace).filter(kind__isnull=True, approved_at__gt=since, delivery__state__in=ALIVE)
    return read_sent(rows, most)


# ---------------------------------------------------------------- the index


def _said(workspace: int) -> QuerySet[Approval]:
    """What people said, as replies or as the new words of one; no machine's word, nothing that was erased."""
    said = Q(kind__isnull=True) | Q(kind=Approval.Kind.EDIT)
    return Approval.objects.of(workspace).filter(said, machine__isnull=True, erased_at__isnull=True)


def _alike(
    workspace: int, text: str, least: float, *, since: dt.datetime, channels: Collection[int] | None, now: dt.datetime
) -> Sequence[Maybe]:
    with _LOCK:
        known = _KNOWN.setdefault(workspace, _Known())
        _KNOWN.move_to_end(workspace)
        while len(_KNOWN) > WORKSPACES:
            _KNOWN.popitem(last=False)
    with known.lock:
        _catch_up(known, workspace, now)
        return known.index.alike(text, least, since=since, channels=channels)


def _catch_up(known: _Known, workspace: int, now: dt.datetime) -> None:
    """Add what was approved since; begin anew where the ledger is not the one that is known, or the index is too long.

    Entries of a workspace are written one after the other (its row is locked), so none appears below a known one.
    """
    entries = Approval.objects.of(workspace)
    if known.sequence and len(known.index) <= known.begun_with + MOST:
        rows = _read(entries.filter(sequence__gte=known.sequence))
        if rows and (rows[0].sequence, rows[0].chain) == (known.sequence, known.chain):
            _add(known, rows[1:])
            return
    known.index, known.sequence, known.chain = SentIndex(), 0, ""
    _add(known, _read(entries.filter(sequence__gt=_beginning(workspace, now))))
    known.begun_with = len(known.index)


def _beginning(workspace: int, now: dt.datetime) -> int:
    """The place in the ledger behind which the index begins."""
    entries = Approval.objects.of(workspace)
    last = entries.aggregate(last=Max("sequence"))["last"] or 0
    old, week = (
        entries.filter(approved_at__lte=now - ago).order_by("-approved_at").values_list("sequence", flat=True).first()
        for ago in (KEPT, WHOLE)
    )
    return max(old or 0, min(last - MOST, week or 0))


class _Entry(NamedTuple):
    """One entry of the ledger, with no more of it than the index asks for."""

    sequence: int
    chain: str
    id: int
    at: dt.datetime
    channel: int
    fingerprint: bytes | None
    kind: str | None
    machine: str | None
    erased_at: dt.datetime | None

    @property
    def is_said(self) -> bool:
        """Whether it is a person's words, and they still stand."""
        return (
            self.kind in (None, Approval.Kind.EDIT, Approval.Kind.POST)
            and self.machine is None
            and self.erased_at is None
        )


def _read(rows: QuerySet[Approval]) -> list[_Entry]:
    """In the order of the ledger."""
    columns = ("sequence", "chain", "pk", "approved_at", "channel_id", "fingerprint", "kind", "machine", "erased_at")
    return [_Entry(*row) for row in rows.order_by("sequence").values_list(*columns)]


def _add(known: _Known, rows: Sequence[_Entry]) -> None:
    """The words are read only where no sketch of them was kept."""
    said = [row for row in rows if row.is_said]
    texts: dict[int, str] = {}
    for some in chunks([row.id for row in said if row.fingerprint is None], 500):
        rows_of_some = Approval.objects.filter(pk__in=some).values_list("pk", "parts", "text")
        texts.update((pk, whole(parts or (), text)) for pk, parts, text in rows_of_some)
    known.index.add(
        Sketched(row.id, row.at, row.channel, bytes(row.fingerprint or b"") or sketch(texts.get(row.id, "")))
        for row in said
    )
    if rows:
        known.sequence, known.chain = rows[-1].sequence, rows[-1].chain


def forget(workspace: Workspace) -> None:
    """Begin anew at the next question."""
    with _LOCK:
        _KNOWN.pop(workspace.pk, None)
