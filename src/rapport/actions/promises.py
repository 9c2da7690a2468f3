"""Keeping promises of time in step with the conversations, and saying so when one is about to break or breaks."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Collection, Mapping

import msgspec
from django.db import transaction

from rapport.actions.audit import announce, write_audit
from rapport.actions.notices import about_one, notify
from rapport.core import promises
from rapport.core.hours import Hours, say_length
from rapport.core.promises import KINDS, Kind, Running
from rapport.store.models import Conversation, Membership, Promise, Workspace
from rapport.store.queries import promises as reads
from rapport.store.queries.load import Setup, read_setups
from rapport.store.queries.notices import active_members, leads_of

#: rows in one round of the clock
ROUND = 200
#: conversations of a basket that a change of its terms is carried out on at once: those that wait longest
MOST_CHANGED = 5_000
#: what a notice of a promise names
_TOLD = ("conversation__person", "conversation__assignee__user")
_ALWAYS = Hours()
_FIELDS = (
    "minutes", "used", "running_since", "due_at", "warn_at", "warned_at", "ended_at", "done", "basket", "broken_at",
)  # fmt: skip


class _Writes(msgspec.Struct):
    """Rows to be made and rows to be changed."""

    made: list[Promise] = []
    changed: list[Promise] = []


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
    if all(setup.terms.empty for setup in setups.values()) and not reads.running_exist(workspace_id):
        return
    if merged:
        _join(merged)
    touched = [*conversations, *(merged or {})]
    rows = reads.read_running(touched)
    held = reads.read_held(touched)
    writes = _Writes([], [])
    for each in held:
        for kind in KINDS:
            _keep(workspace_id, each, kind, rows.get((each.id, kind)), setups, now, history, writes)
    Promise.objects.bulk_update(writes.changed, _FIELDS, batch_size=200)
    reads.insert_promises(writes.made)
    _write_due(held, rows, writes)


def _keep(
    workspace_id: int,
    held: reads.Held,
    kind: Kind,
    row: Promise | None,
    setups: Mapping[int, Setup],
    now: dt.datetime,
    history: bool,
    writes: _Writes,
) -> None:
    setup = setups.get(held.basket or 0)
    before = setups.get(row.basket_id or 0) if row is not None else None
    hours, old_hours = setup.hours if setup else _ALWAYS, before.hours if before else _ALWAYS
    minutes = setup.terms.minutes(kind, held.facts.priority) if setup else 0
    wanted = promises.wanted(kind, held.facts, exists=row is not None)
    if row is None:
        if wanted == "run" and minutes:
            start = _start(held.facts.waiting_since, now, history)
            if start is not None:
                writes.made.append(_made(workspace_id, held, kind, promises.begin(kind, minutes, start, hours)))
        return
    promise = reads.running_of(row)
    if wanted in {"done", "given-up"} or not minutes:
        at = _ended_at(held, promise, now) if wanted == "done" else now
        ended = promises.end(promise, at, old_hours, done=wanted == "done")
        # what ran out before the clock looked is broken all the same
        if row.broken_at is None and promise.due_at is not None and promise.due_at < at:
            row.broken_at = promise.due_at
        writes.changed.append(reads.write_running(row, ended))
    elif row.basket_id != held.basket and row.broken_at is not None:
        # the break stays with the basket in which it happened; the next one goes on with what was used
        used = promises.used_by(promise, now, old_hours)
        writes.changed.append(reads.write_running(row, promises.end(promise, now, old_hours, done=False)))
        begun = promises.begin(kind, minutes, now, hours, used)
        writes.made.append(
            _made(workspace_id, held, kind, promises.pause(begun, now, hours) if wanted == "pause" else begun)
        )
    else:
        moved = row.basket_id != held.basket or row.minutes != minutes
        changed = promises.change(promise, minutes, now, old_hours, hours) if moved else promise
        changed = promises.pause(changed, now, hours) if wanted == "pause" else promises.resume(changed, now, hours)
        if changed != promise or row.basket_id != held.basket:
            if changed.due_at is not None and changed.warn_at is not None and changed.warn_at > now:
                row.warned_at = None  # there is time again: people are warned once more
            row.basket_id = held.basket
            writes.changed.append(reads.write_running(row, changed))


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


def _made(workspace_id: int, held: reads.Held, kind: Kind, promise: Running) -> Promise:
    row = Promise(
        workspace_id=workspace_id, conversation_id=held.id, basket_id=held.basket, kind=kind,
        started_at=promise.started_at,
    )  # fmt: skip
    return reads.write_running(row, promise)


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


def _write_due(held: Collection[reads.Held], rows: Mapping[tuple[int, Kind], Promise], writes: _Writes) -> None:
    """The nearest end among the promises that run, on each conversation where it changed."""
    ends: dict[int, list[dt.datetime]] = {each.id: [] for each in held}
    for row in (*rows.values(), *writes.made):
        if row.ended_at is None and row.due_at is not None:
            ends[row.conversation_id].append(row.due_at)
    changes = [(min(ends[each.id], default=None), each) for each in held]
    reads.write_due([(due, each.id) for due, each in changes if due != each.due_at])


def change_terms(workspace_id: int, basket: int, before: Setup, *, now: dt.datetime) -> None:
    """The hours or terms of a basket were changed: what runs in it runs by the new ones from now on."""
    setups = read_setups(workspace_id, now)
    hours, old = setups[basket].hours, before.hours
    running = Promise.objects.of(workspace_id).filter(basket=basket, ended_at__isnull=True)
    if hours != old:
        for row in running.filter(running_since__isnull=False).iterator(chunk_size=500):
            promise = promises.change(reads.running_of(row), row.minutes, now, old, hours)
            reads.write_running(row, promise).save(update_fields=["used", "running_since", "due_at", "warn_at"])
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


#: what is promised, in the words of a notice
_WORDS = {"first": "A first answer", "next": "An answer", "resolution": "A solution"}


def _tell_of_warning(row: Promise, now: dt.datetime) -> None:
    """Whoever has it; where nobody does, those who work in its basket."""
    talk = row.conversation
    assert row.due_at is not None
    left = math.ceil((row.due_at - now) / dt.timedelta(minutes=1))
    text = f"{_WORDS[row.kind]} to {_who(talk)} is due in {say_length(left)}"
    bundle = about_one(talk.pk) if talk.assignee_id else f"basket:{row.basket_id}"
    notify(row.workspace_id, _whose(talk), "promise", bundle=bundle, text=text, now=now, conversation=talk)


def _tell_of_break(row: Promise, now: dt.datetime) -> None:
    """Whoever has it, and the leads of its basket."""
    talk = row.conversation
    text = f"{_WORDS[row.kind]} to {_who(talk)} was promised within {say_length(row.minutes)} and is late"
    told = [*([talk.assignee] if talk.assignee else []), *leads_of(row.workspace_id, row.basket_id)]
    bundle = f"basket:{row.basket_id}"
    notify(row.workspace_id, told, "breach", bundle=bundle, text=text, now=now, conversation=talk)


def _whose(talk: Conversation) -> list[Membership]:
    if talk.assignee is not None:
        return [talk.assignee]
    rows = active_members(talk.workspace_id).filter(baskets__basket=talk.basket_id).select_related("user")
    return [member for member in rows if member.may("draft")]


def _who(talk: Conversation) -> str:
    return talk.person.name if talk.person and talk.person.name else "somebody"


def _lock(workspace: Workspace) -> None:
    Workspace.objects.select_for_update(no_key=True).only("pk").get(pk=workspace.pk)
