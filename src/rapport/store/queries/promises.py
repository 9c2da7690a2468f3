"""Promises of time: the rows, what they depend on, and the lists that people see."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Any, cast

import msgspec
from django.db.models import Count, F, OuterRef, Q, Subquery

from rapport.core.promises import Facts, Kind, Running
from rapport.store.models import Conversation, Delivery, Membership, Promise
from rapport.store.models.scoped import ScopedQuerySet
from rapport.store.queries.desk import visible_baskets, within_sight
from rapport.store.queries.machine import SAID_BY_MACHINE
from rapport.store.queries.sql import adapt, insert_rows, moment, select_in, update_rows


class Held(msgspec.Struct, frozen=True):
    """A conversation as far as its promises depend on it."""

    id: int
    basket: int | None
    due_at: dt.datetime | None
    facts: Facts


def running_exist(workspace_id: int) -> bool:
    """Whether any promise of the workspace has not ended."""
    return Promise.objects.of(workspace_id).filter(ended_at__isnull=True).exists()


class Stored(msgspec.Struct, frozen=True):
    """One promise of a conversation with its clock, as it lies in the store or is about to."""

    #: row id; 0: it is made now
    id: int
    conversation: int
    basket: int | None
    running: Running
    warned_at: dt.datetime | None = None
    broken_at: dt.datetime | None = None


def read_held(conversations: Collection[int], promising: Collection[int], running: Collection[int]) -> list[Held]:
    """Where these conversations stand: three queries, however many they are.

    Left out are those that have nothing to do with promises: neither in one of the baskets `promising` nor among those
    `running`, in which one has not ended, and without a due time.
    """
    found = select_in(
        "SELECT id, state, basket_id, priority, waiting_since, due_at FROM store_conversation WHERE id {among}",
        [],
        list(conversations),
    )
    rows = [row for row in found if row[2] in promising or row[0] in running or row[5] is not None]
    wanted = [row[0] for row in rows]
    answered, sent = _answers(wanted), _sent(wanted)
    return [
        Held(
            pk, basket, _moment(due),
            Facts(state, priority, _moment(waiting), sent.get(pk), pk in answered or pk in sent),
        )
        for pk, state, basket, priority, waiting, due in rows
    ]  # fmt: skip


def _answers(conversations: Sequence[int]) -> set[int]:
    """Those in which a person of ours spoke after somebody else did. A machine's word is no answer."""
    rows = select_in(
        "SELECT p.conversation_id, MIN(CASE WHEN NOT p.ours THEN p.sort_at END), "  # noqa: S608  (our names)
        f"MAX(CASE WHEN p.ours AND NOT {SAID_BY_MACHINE} THEN p.sort_at END) "
        "FROM store_post p WHERE p.conversation_id {among} AND NOT p.deleted GROUP BY p.conversation_id",
        [],
        conversations,
    )
    return {pk for pk, theirs, ours in rows if theirs is not None and ours is not None and ours > theirs}


def _sent(conversations: Sequence[int]) -> dict[int, dt.datetime]:
    """Conversation -> when a reply that a person approved last reached its network."""
    rows = select_in(
        "SELECT d.conversation_id, MAX(d.sent_at) FROM store_delivery d JOIN store_approval v ON v.id = d.approval_id "
        "WHERE d.conversation_id {among} AND d.state = %s AND d.sent_at IS NOT NULL AND v.person_id IS NOT NULL "
        "AND v.kind IS NULL GROUP BY d.conversation_id",
        [],
        conversations,
        [Delivery.State.SENT.value],
    )
    return {pk: moment(at) for pk, at in rows}


def read_running(conversations: Collection[int]) -> dict[tuple[int, Kind], Stored]:
    """(conversation, kind) -> the promise that has not ended."""
    return {(row.conversation, row.running.kind): row for row in _read("conversation_id {among}", list(conversations))}


def read_clocks(basket: int) -> list[Stored]:
    """The promises in a basket whose clock runs at this moment."""
    return _read("basket_id {among} AND running_since IS NOT NULL", [basket])


def _read(where: str, keys: Sequence[int]) -> list[Stored]:
    rows = select_in(
        "SELECT id, conversation_id, basket_id, kind, minutes, started_at, used, running_since, due_at, warn_at, "  # noqa: S608  (our names)
        f"warned_at, broken_at FROM store_promise WHERE {where} AND ended_at IS NULL",
        [],
        keys,
    )
    return [
        Stored(
            pk, conversation, basket,
            Running(kind, minutes, moment(started), used, _moment(since), _moment(due), _moment(warn)),
            _moment(warned), _moment(broken),
        )
        for pk, conversation, basket, kind, minutes, started, used, since, due, warn, warned, broken in rows
    ]  # fmt: skip


def _moment(value: Any) -> dt.datetime | None:
    return None if value is None else moment(value)


def running_of(row: Promise) -> Running:
    """A row of the ORM as a value."""
    return Running(
        cast("Kind", row.kind), row.minutes, row.started_at, row.used, row.running_since, row.due_at, row.warn_at,
        row.ended_at, row.done,
    )  # fmt: skip


_CHANGED = (
    "basket_id", "minutes", "used", "running_since", "due_at", "warn_at", "ended_at", "done", "warned_at", "broken_at",
)  # fmt: skip
_MADE = (*_CHANGED, "workspace_id", "conversation_id", "kind", "started_at")


def write_promises(workspace_id: int, rows: Sequence[Stored]) -> None:
    """Store promises that were changed, and new ones: the line makes two for nearly every conversation that it opens.

    An old one ends before its successor begins: of each kind a conversation has one that runs.
    """
    update_rows("store_promise", _CHANGED, [(*_values(row), row.id) for row in rows if row.id])
    made = [
        (*_values(row), workspace_id, row.conversation, row.running.kind, adapt(row.running.started_at))
        for row in rows
        if not row.id
    ]
    insert_rows("store_promise", _MADE, made)


def _values(row: Stored) -> tuple[Any, ...]:
    clock = row.running
    return (
        row.basket, clock.minutes, clock.used, adapt(clock.running_since), adapt(clock.due_at), adapt(clock.warn_at),
        adapt(clock.ended_at), clock.done, adapt(row.warned_at), adapt(row.broken_at),
    )  # fmt: skip


def write_due(changes: Sequence[tuple[dt.datetime | None, int]]) -> None:
    """Set when the nearest promise of conversations runs out: (moment, conversation)."""
    update_rows("store_conversation", ("due_at",), [(adapt(due), pk) for due, pk in changes])


def late(workspace_id: int, now: dt.datetime) -> ScopedQuerySet[Promise]:
    """Promises that have just run out and are not marked so."""
    rows = Promise.objects.of(workspace_id).filter(ended_at__isnull=True, broken_at__isnull=True, due_at__lte=now)
    return rows.order_by("due_at", "pk")


def to_warn_of(workspace_id: int, now: dt.datetime) -> ScopedQuerySet[Promise]:
    """Promises of which people should be warned now."""
    rows = Promise.objects.of(workspace_id).filter(
        ended_at__isnull=True, warned_at__isnull=True, broken_at__isnull=True, due_at__gt=now, warn_at__lte=now
    )
    return rows.order_by("due_at", "pk")


def waiting_in(workspace_id: int, basket: int, most: int) -> list[int]:
    """The conversations of a basket to which something may be promised, those that wait longest first."""
    states = [Conversation.State.OPEN, Conversation.State.PENDING, Conversation.State.SNOOZED]
    rows = Conversation.objects.of(workspace_id).filter(basket=basket, state__in=states)
    return list(rows.order_by("waiting_since", "pk").values_list("pk", flat=True)[:most])


# ---------------------------------------------------------------- what people see


class Tally(msgspec.Struct, frozen=True):
    """How a basket kept its promises of one kind."""

    basket: int | None
    kind: str
    #: promises that ended because what was promised was done, and how many of these were late
    kept: int
    late: int
    #: that are late now and not done
    open_late: int


def broken(
    member: Membership, since: dt.datetime, basket: int | None = None, after: int | None = None
) -> ScopedQuerySet[Promise]:
    """Promises broken since a moment, as far as `member` sees their conversations; the newest first.

    `after`: those that come behind this one. Raises `Promise.DoesNotExist` where there is none, or it is not broken.
    """
    rows = Promise.objects.of(member.workspace_id).filter(broken_at__gte=since)
    if basket is not None:
        rows = rows.filter(basket=basket)
    if not member.sees_every_basket:
        rows = rows.filter(within_sight(member))
    if after is not None:
        last = rows.get(pk=after)
        rows = rows.filter(Q(broken_at=last.broken_at, pk__lt=after) | Q(broken_at__lt=last.broken_at))
    return rows.select_related("conversation__person", "conversation__assignee__user", "basket").order_by(
        "-broken_at", "-pk"
    )


def tally(member: Membership, since: dt.datetime) -> list[Tally]:
    """How each basket kept its promises since a moment, for the baskets that `member` sees."""
    baskets = visible_baskets(member)
    rows = Promise.objects.of(member.workspace_id)
    late = _by_kind(rows.filter(basket__in=baskets.values("pk"), broken_at__gte=since))
    open_late = _by_kind(rows.filter(basket__in=baskets.values("pk"), ended_at__isnull=True, broken_at__isnull=False))
    # months of them: a count for each basket and kind goes along one stretch of the index and sorts nothing
    done = rows.filter(done=True, broken_at__isnull=True, ended_at__gte=since, basket=OuterRef("pk")).order_by()
    kept = {
        (basket, kind): count
        for kind in Promise.Kind.values
        for basket, count in baskets.order_by().values_list(
            "pk", Subquery(done.filter(kind=kind).values("basket").annotate(found=Count("*")).values("found"))
        )
        if count
    }
    return [
        Tally(*key, kept.get(key, 0), late.get(key, 0), open_late.get(key, 0)) for key in {**kept, **late, **open_late}
    ]


def _by_kind(rows: ScopedQuerySet[Promise]) -> dict[tuple[int | None, str], int]:
    found = rows.order_by().values_list("basket", "kind").annotate(found=Count("*"))
    return {(basket, kind): count for basket, kind, count in found}


def promises_of(conversation: Conversation) -> list[Promise]:
    """The promises of a conversation that have not ended, what is due first; those that stand still come last."""
    rows = Promise.objects.filter(conversation=conversation, ended_at__isnull=True)
    return list(rows.order_by(F("due_at").asc(nulls_last=True), "pk"))
