"""Keeping promises of time in step with the conversations, and saying so when one is about to break or breaks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping

import msgspec
from django.db import transaction

from rapport.actions.audit import announce, write_audit
from rapport.actions.notices import about_one, notify
from rapport.core import promises
from rapport.core.hours import Hours
from rapport.core.notice_text import write_notice
from rapport.core.promises import KINDS, Kind, Running
from rapport.store.models import Conversation, Membership, Promise, Workspace
from rapport.store.queries import promises as reads
from rapport.store.queries.load import Setup, read_setups
from rapport.store.queries.notices import active_members, leads_of
from rapport.store.queries.promises import Held, Stored

#: rows in one round of the clock
ROUND = 200
#: conversations of a basket that a change of its terms is carried out on at once: those that wait longest
MOST_CHANGED = 5_000
#: what a notice of a promise names
_TOLD = ("conversation__person", "conversation__assignee__user")
_ALWAYS = Hours()


def keep_promises(
    workspace_id: int,
    conversations: Collection[int],
    *,
    now: dt.datetime,
    setups: Mapping[int, Setup] | None = None,
    merged: Mapping[int, int] | None = None,
    history: bool = True,
) -> None:
    """Bring the promises of these conversations in line with where they stand; part of the act that moved them.

    Doing it twice changes nothing. `merged`: conversations that became part of another one. `history`: False for posts
    that come in, so that an import of old ones promises nothing; what a person reopens or moves is promised from now.
    The caller holds the transaction.
    """
    setups = read_setups(workspace_id, now) if setups is None else setups
    promising = {pk for pk, setup in setups.items() if not setup.terms.empty}
    if not promising and not reads.running_exist(workspace_id):
        return
    if merged:
        _join(merged)
    touched = [*conversations, *(merged or {})]
    rows = reads.read_running(touched)
    held = reads.read_held(touched, promising, {conversation for conversation, _ in rows})
    written = [
        row
        for each in held
        for kind in KINDS
        for row in _keep(each, kind, rows.get((each.id, kind)), setups, now, history=history)
    ]
    reads.write_promises(workspace_id, written)
    _write_due(held, rows.values(), written)


def _keep(
    held: Held, kind: Kind, row: Stored | None, setups: Mapping[int, Setup], now: dt.datetime, *, history: bool
) -> list[Stored]:
    """What of one kind is to be written: a new promise, one that changed, both, or nothing."""
    setup = setups.get(held.basket or 0)
    hours = setup.hours if setup else _ALWAYS
    minutes = setup.terms.minutes(kind, held.facts.priority) if setup else 0
    if row is None:
        return _begin(held, kind, minutes, hours, now, history=history) if minutes else []
    before = setups.get(row.basket or 0)
    old_hours = before.hours if before else _ALWAYS
    wanted = promises.wanted(kind, held.facts, exists=True)
    if wanted in {"done", "given-up"} or not minutes:
        return [_end(held, row, old_hours, now, done=wanted == "done")]
    if row.basket != held.basket and row.broken_at is not None:
        # the break stays with the basket in which it happened; the next one goes on with what was used
        used = promises.used_by(row.running, now, old_hours)
        begun = promises.begin(kind, minutes, now, hours, used)
        return [
            _with(row, promises.end(row.running, now, old_hours, done=False)),
            Stored(0, held.id, held.basket, promises.pause(begun, now, hours) if wanted == "pause" else begun),
        ]
    moved = row.basket != held.basket or row.running.minutes != minutes
    changed = promises.change(row.running, minutes, now, old_hours, hours) if moved else row.running
    changed = promises.pause(changed, now, hours) if wanted == "pause" else promises.resume(changed, now, hours)
    if changed == row.running and not moved:
        return []
    # there is time again: people are warned once more
    again = changed.due_at is not None and changed.warn_at is not None and changed.warn_at > now
    return [_with(row, changed, basket=held.basket, warned_at=None if again else row.warned_at)]


def _begin(held: Held, kind: Kind, minutes: int, hours: Hours, now: dt.datetime, *, history: bool) -> list[Stored]:
    if promises.wanted(kind, held.facts, exists=False) != "run":
        return []
    start = _start(held.facts.waiting_since, now, history)
    return [] if start is None else [Stored(0, held.id, held.basket, promises.begin(kind, minutes, start, hours))]


def _end(held: Held, row: Stored, hours: Hours, now: dt.datetime, *, done: bool) -> Stored:
    promise = row.running
    at = _ended_at(held, promise, now) if done else now
    # what ran out before the clock looked is broken all the same
    late = promise.due_at if promise.due_at is not None and promise.due_at < at else None
    return _with(row, promises.end(promise, at, hours, done=done), broken_at=row.broken_at or late)


def _with(row: Stored, clock: Running, **fields: object) -> Stored:
    return msgspec.structs.replace(row, running=clock, **fields)


def _ended_at(held: reads.Held, promise: Running, now: dt.datetime) -> dt.datetime:
    """When the answer reached its network, if it was one of ours; else now that we hear of it."""
    sent = held.facts.answered_at
    return sent if sent is not None and promise.started_at < sent < now else now


def _start(waiting_since: dt.datetime | None, now: dt.datetime, history: bool) -> dt.datetime | None:
    """From when a new promise runs: since they spoke. Older words than `HISTORY` run from now on, or not at all."""
    if waiting_since is None:
        return now
    if now - waiting_since <= promises.HISTORY:
        return min(waiting_since, now)
    return now if history else None


def _join(merged: Mapping[int, int]) -> None:
    """The promises of a conversation that became part of another: its history moves along, and of two of a kind that
    run the older one stays.
    """
    losers = list(merged)
    for row in Promise.objects.filter(conversation__in=losers).order_by("pk"):
        winner = merged[row.conversation_id]
        rival = Promise.objects.filter(conversation=winner, kind=row.kind, ended_at__isnull=True).first()
        if row.ended_at is None and rival is not None:
            if rival.started_at <= row.started_at:
                row.delete()
                continue
            rival.delete()
        row.conversation_id = winner
        row.save(update_fields=["conversation"])


def _write_due(held: Collection[Held], before: Iterable[Stored], written: Collection[Stored]) -> None:
    """The nearest end among the promises that run, on each conversation where it changed."""
    changed = {row.id for row in written}
    ends: dict[int, list[dt.datetime]] = {each.id: [] for each in held}
    for row in (*(row for row in before if row.id not in changed), *written):
        if row.running.due_at is not None:  # one that has ended is never due
            ends[row.conversation].append(row.running.due_at)
    changes = [(min(ends[each.id], default=None), each) for each in held]
    reads.write_due([(due, each.id) for due, each in changes if due != each.due_at])


def change_terms(workspace_id: int, basket: int, before: Setup, *, now: dt.datetime) -> None:
    """The hours or terms of a basket were changed: what runs in it runs by the new ones from now on."""
    setups = read_setups(workspace_id, now)
    hours, old = setups[basket].hours, before.hours
    if hours != old:
        rows = reads.read_clocks(basket)
        clocks = [promises.change(row.running, row.running.minutes, now, old, hours) for row in rows]
        reads.write_promises(workspace_id, [_with(row, clock) for row, clock in zip(rows, clocks, strict=True)])
    running = Promise.objects.of(workspace_id).filter(basket=basket, ended_at__isnull=True)
    held = set(running.values_list("conversation_id", flat=True)[:MOST_CHANGED])
    held |= set(reads.waiting_in(workspace_id, basket, MOST_CHANGED))
    keep_promises(workspace_id, held, now=now, setups=setups)


def mark_broken(workspace: Workspace, *, now: dt.datetime) -> list[Promise]:
    """Mark the promises that have run out; returns them. A reply that went out in time is not late."""
    if not reads.late(workspace.pk, now).exists():
        return []
    with transaction.atomic():
        _lock(workspace)
        # whatever has happened meanwhile ends some of them in time
        keep_promises(workspace.pk, {row.conversation_id for row in reads.late(workspace.pk, now)[:ROUND]}, now=now)
        found = list(reads.late(workspace.pk, now).select_related(*_TOLD)[:ROUND])
        for row in found:
            row.broken_at = row.due_at
            write_audit(
                workspace, None, "promise.break", row.conversation, now,
                kind=row.kind, minutes=row.minutes, basket=row.basket_id, assignee=row.conversation.assignee_id,
            )  # fmt: skip
        Promise.objects.bulk_update(found, ["broken_at"], batch_size=200)
        for row in found:
            _tell_of_break(row, now)
        if found:
            announce(workspace, now, [row.conversation_id for row in found], [row.basket_id for row in found])
    return found


def warn(workspace: Workspace, *, now: dt.datetime) -> list[Promise]:
    """Mark the promises of which people are warned now, once each; returns them."""
    if not reads.to_warn_of(workspace.pk, now).exists():
        return []
    with transaction.atomic():
        _lock(workspace)
        found = list(reads.to_warn_of(workspace.pk, now).select_related(*_TOLD)[:ROUND])
        for row in found:
            row.warned_at = now
            write_audit(workspace, None, "promise.warn", row.conversation, now, kind=row.kind, basket=row.basket_id)
            _tell_of_warning(row, now)
        Promise.objects.bulk_update(found, ["warned_at"], batch_size=200)
        if found:
            announce(workspace, now, [row.conversation_id for row in found], [row.basket_id for row in found])
    return found


def _tell_of_warning(row: Promise, now: dt.datetime) -> None:
    """Whoever has it; where nobody does, those who work in its basket."""
    talk = row.conversation
    assert row.due_at is not None
    # when, and not in how long: it is read later
    text = write_notice(f"{row.kind}-due", who=_who(talk), at=row.due_at.astimezone(dt.UTC).isoformat())
    bundle = about_one(talk.pk) if talk.assignee_id else f"basket:{row.basket_id}"
    notify(row.workspace_id, _whose(talk), "promise", bundle=bundle, text=text, now=now, conversation=talk)


def _tell_of_break(row: Promise, now: dt.datetime) -> None:
    """Whoever has it, and the leads of its basket."""
    talk = row.conversation
    text = write_notice(f"{row.kind}-late", who=_who(talk), minutes=row.minutes)
    told = [*([talk.assignee] if talk.assignee else []), *leads_of(row.workspace_id, row.basket_id)]
    bundle = f"basket:{row.basket_id}"
    notify(row.workspace_id, told, "breach", bundle=bundle, text=text, now=now, conversation=talk)


def _whose(talk: Conversation) -> list[Membership]:
    if talk.assignee is not None and talk.assignee.active:
        return [talk.assignee]
    rows = active_members(talk.workspace_id).filter(baskets__basket=talk.basket_id).select_related("user")
    return [member for member in rows if member.may("draft") is True]


def _who(talk: Conversation) -> str:
    return talk.person.name if talk.person and talk.person.name else ""


def _lock(workspace: Workspace) -> None:
    Workspace.objects.select_for_update(no_key=True).only("pk").get(pk=workspace.pk)
