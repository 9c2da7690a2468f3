"""Promises of time: the rows, what they depend on, and the lists that people see."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Any, cast

import msgspec
from django.db.models import Count, F, Max, Q

from rapport.core.promises import Facts, Kind, Running
from rapport.store.models import Conversation, Delivery, Membership, Promise
from rapport.store.models.scoped import ScopedQuerySet
from rapport.store.queries.desk import visible_conversations
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


def read_held(conversations: Collection[int]) -> list[Held]:
    """Where these conversations stand: three queries, however many they are."""
    rows = list(
        select_in(
            "SELECT id, state, basket_id, priority, waiting_since, due_at FROM store_conversation WHERE id {among}",
            [],
            list(conversations),
        )
    )
    answered = _answers(conversations)
    sent = _sent(conversations)
    return [
        Held(
            pk, basket, None if due is None else moment(due),
            Facts(
                state, priority, None if waiting is None else moment(waiting), sent.get(pk),
                pk in answered or pk in sent,
            ),
        )
        for pk, state, basket, priority, waiting, due in rows
    ]  # fmt: skip


def _answers(conversations: Collection[int]) -> set[int]:
    """Those in which a person of ours spoke after somebody else did. A machine's word is no answer."""
    rows = select_in(
        "SELECT p.conversation_id, MIN(CASE WHEN NOT p.ours THEN p.sort_at END), "  # noqa: S608  (our names)
        f"MAX(CASE WHEN p.ours AND NOT {SAID_BY_MACHINE} THEN p.sort_at END) "
        "FROM store_post p WHERE p.conversation_id {among} AND NOT p.deleted GROUP BY p.conversation_id",
        [],
        list(conversations),
    )
    return {pk for pk, theirs, ours in rows if theirs is not None and ours is not None and ours > theirs}


def _sent(conversations: Collection[int]) -> dict[int, dt.datetime]:
    """Conversation -> when a reply that a person approved last reached its network."""
    rows = Delivery.objects.filter(
        conversation__in=list(conversations), state=Delivery.State.SENT, approval__person__isnull=False
    )
    return dict(rows.order_by().values_list("conversation").annotate(at=Max("sent_at")))


def read_running(conversations: Collection[int]) -> dict[tuple[int, Kind], Promise]:
    """(conversation, kind) -> the promise that has not ended."""
    rows = Promise.objects.filter(conversation__in=list(conversations), ended_at__isnull=True)
    return {(row.conversation_id, cast("Kind", row.kind)): row for row in rows}


def running_of(row: Promise) -> Running:
    """A stored promise as a value."""
    return Running(
        cast("Kind", row.kind), row.minutes, row.started_at, row.used, row.running_since, row.due_at, row.warn_at,
        row.ended_at, row.done,
    )  # fmt: skip


def write_running(row: Promise, promise: Running) -> Promise:
    """Put the values of `promise` into its row; nothing is saved."""
    row.minutes, row.used, row.running_since = promise.minutes, promise.used, promise.running_since
    row.due_at, row.warn_at, row.ended_at, row.done = promise.due_at, promise.warn_at, promise.ended_at, promise.done
    return row


_MADE = (
    "workspace_id", "conversation_id", "basket_id", "kind", "minutes", "used", "started_at", "running_since", "due_at",
    "warn_at", "done",
)  # fmt: skip


def insert_promises(rows: Sequence[Promise]) -> None:
    """Store new promises; the line makes two for nearly every conversation that it opens."""
    made = [
        (
            row.workspace_id, row.conversation_id, row.basket_id, row.kind, row.minutes, row.used,
            adapt(row.started_at), adapt(row.running_since), adapt(row.due_at), adapt(row.warn_at), row.done,
        )
        for row in rows
    ]  # fmt: skip
    insert_rows("store_promise", _MADE, made)


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


def broken(member: Membership, since: dt.datetime, basket: int | None = None) -> ScopedQuerySet[Promise]:
    """Promises broken since a moment, as far as `member` sees their conversations; the newest first."""
    rows = Promise.objects.of(member.workspace_id).filter(broken_at__gte=since)
    if basket is not None:
        rows = rows.filter(basket=basket)
    if not member.sees_every_basket:
        rows = rows.filter(conversation__in=visible_conversations(member).values("pk"))
    return rows.select_related("conversation__person", "conversation__assignee__user", "basket").order_by(
        "-broken_at", "-pk"
    )


def tally(member: Membership, since: dt.datetime) -> list[Tally]:
    """How each basket kept its promises since a moment, for the baskets that `member` sees."""
    rows: Any = Promise.objects.of(member.workspace_id).filter(
        Q(ended_at__gte=since) | Q(broken_at__gte=since) | Q(ended_at__isnull=True)
    )
    if not member.sees_every_basket:
        rows = rows.filter(basket__members__membership=member)
    counted = rows.order_by().values_list("basket", "kind").annotate(
        kept=Count("pk", filter=Q(done=True, broken_at__isnull=True, ended_at__gte=since)),
        late=Count("pk", filter=Q(broken_at__gte=since)),
        open_late=Count("pk", filter=Q(ended_at__isnull=True, broken_at__isnull=False)),
    )  # fmt: skip
    return [Tally(*row) for row in counted]


def promises_of(conversation: Conversation) -> list[Promise]:
    """The promises of a conversation that have not ended, what is due first; those that stand still come last."""
    rows = Promise.objects.filter(conversation=conversation, ended_at__isnull=True)
    return list(rows.order_by(F("due_at").asc(nulls_last=True), "pk"))
