"""Taking back what one did at the desk: every act leaves a deed with what was there before."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any

import msgspec
from django.db import transaction

from rapport.actions.audit import announce, require, sees, write_audit
from rapport.actions.promises import keep_promises
from rapport.actions.rule_days import take_back_overrides
from rapport.actions.undo_others import is_of_others, restore
from rapport.core.errors import InvalidInput, NotAllowed
from rapport.store.models import (
    Basket,
    Conversation,
    ConversationTag,
    Deed,
    Membership,
    Note,
    ScoreCorrection,
    Workspace,
)
from rapport.store.queries.fingerprints import entries_of, recount

#: what was done longer ago is changed back by hand: too much may have been built on it
FRESH = dt.timedelta(minutes=30)
#: how long deeds are kept
KEPT = dt.timedelta(days=1)
#: fields of a conversation that a deed may hold, apart from those of other rows below
FIELDS = frozenset(
    {
        *("assignee", "basket", "state", "snoozed_until", "priority", "settled_at", "waiting_since", "opened_at"),
        *("score", "score_by_hand"),
    }
)
#: where this one has moved on, the act is not taken back in part: whoever wrote meanwhile opened it again
LEADING = "state"
#: with these: the same state, set once more by somebody else, is their act
LED = frozenset({LEADING, "snoozed_until", "settled_at"})
#: acts that may choose otherwise than a rule did
OVERRIDING = frozenset({"conversation.move", "conversation.take_out", "conversation.reopen"})
TIMES = frozenset({"snoozed_until", "settled_at", "waiting_since", "opened_at"})
#: beside fields of the conversation: row id of the note that was added and of the correction of its score that stands,
#: and "+tag:NAME", whether it has that tag
NOTE, TAG, CORRECTION = "+note", "+tag", "+correction"

Row = tuple[int, dict[str, Any], dict[str, Any]]


class Undone(msgspec.Struct, frozen=True):
    """What came of it."""

    #: conversations that are as they were before
    restored: tuple[int, ...]
    #: those that have changed since, and were left as they are
    left: tuple[int, ...]
    #: verbs that were taken back, in the order in which they were done
    verbs: tuple[str, ...]
    #: ("person" or "task", row id) of those that are as they were before
    others: tuple[tuple[str, int], ...] = ()


def note_deed(by: Membership, verb: str, rows: Collection[Row], *, now: dt.datetime) -> Deed:
    """Keep what an act changed. The caller holds the transaction. What one does at the same moment is one act."""
    return Deed.objects.create(workspace=by.workspace, by=by, verb=verb, rows=[list(row) for row in rows], at=now)


def plain(value: object) -> object:
    """A value of a field as a deed and an audit entry keep it: times as ISO 8601, rows by their id."""
    if isinstance(value, dt.datetime):
        return value.isoformat()
    return getattr(value, "pk", value)


def newest_deed(by: Membership, *, now: dt.datetime) -> Deed | None:
    """The last thing that this member did and can still take back."""
    rows = Deed.objects.of(by.workspace_id).filter(by=by, undone_at__isnull=True, at__gt=now - FRESH, at__lte=now)
    return rows.order_by("-at", "-pk").first()


def undo(by: Membership, deed: Deed, *, now: dt.datetime) -> Undone:
    """Put back what the member's own deed changed, as far as it still stands as they left it.

    All that they did at the same moment goes together (a note that came with an assignment; many conversations at
    once). Raises `InvalidInput` for what was undone already, is too old, or has changed since; `NotAllowed` for the
    deed of somebody else and where their role or baskets do not allow it any more.
    """
    require(by, "read")
    if deed.by_id != by.pk or deed.workspace_id != by.workspace_id:
        raise NotAllowed("Only your own acts can be taken back.")
    if deed.at <= now - FRESH:
        raise InvalidInput("That is more than half an hour ago. Change it back on the conversation itself.")
    with transaction.atomic():
        # the lock under which the line refreshes conversations: it must not write over what is put back here
        Workspace.objects.select_for_update(no_key=True).only("pk").get(pk=by.workspace_id)
        together = Deed.objects.of(by.workspace_id).select_for_update().filter(by=by, at=deed.at)
        deeds = list(together.filter(undone_at__isnull=True).order_by("-pk"))
        if not any(each.pk == deed.pk for each in deeds):
            raise InvalidInput("This was undone already.")
        done: dict[int, bool] = {}
        others: dict[tuple[str, int], bool] = {}
        steps = [(pk, each, before, after) for each in deeds for pk, before, after in each.rows]
        # the newest of each row first; rows in the order of their ids, as `bulk.change` locks them
        for pk, each, before, after in sorted(steps, key=lambda step: step[0]):
            if is_of_others(each.verb):
                others[each.verb, pk] = restore(by, each.verb, pk, before, after, now)
            elif not each.verb.startswith("person."):
                done[pk] = _restore(by, each, pk, before, after, now) or done.get(pk, False)
        if not any((*done.values(), *others.values())):
            raise InvalidInput("It has changed since, so nothing was put back.")
        Deed.objects.filter(pk__in=[each.pk for each in deeds]).update(undone_at=now)
    restored = tuple(pk for pk, fine in done.items() if fine)
    left = tuple(pk for pk, fine in done.items() if not fine)
    aside = tuple((verb.partition(".")[0], pk) for (verb, pk), fine in others.items() if fine)
    return Undone(restored, left, tuple(each.verb for each in reversed(deeds)), aside)


def _restore(
    by: Membership, deed: Deed, pk: int, before: Mapping[str, Any], after: Mapping[str, Any], now: dt.datetime
) -> bool:
    """Put one conversation back. False: it has changed since."""
    row = Conversation.objects.of(by.workspace).select_for_update().filter(pk=pk).first()
    if row is None or row.state == Conversation.State.MERGED:
        return False
    seen, basket = sees(by, row), row.basket_id
    standing = {name for name in before if name in FIELDS and _now_in(row, name) == after[name]}
    if LEADING in before and not LED.intersection(before) <= standing:
        return False
    for name in standing:
        _put(row, name, before[name])
    if not seen and not sees(by, row):
        raise NotAllowed("This conversation lies in a basket that you do not work in.")
    others = [name for name in before if name not in FIELDS and _restore_other(by, row, name, before, after, now)]
    if not standing and not others:
        return False
    require(by, "note" if deed.verb == "conversation.note" else "triage")
    if standing:
        row.touched_at = now
        row.save(update_fields=[*standing, "touched_at"])
        keep_promises(by.workspace_id, [row.pk], now=now)
        if deed.verb in OVERRIDING:
            take_back_overrides(by, row, deed.at, now=now)
        if Conversation.State.FOLDED in {before.get("state"), after.get("state")}:
            recount(entries_of([row.pk]))
    detail = {"undone": deed.verb, "before": {name: after[name] for name in (*standing, *others)}}
    put = {name: before[name] for name in (*standing, *others)}
    write_audit(by.workspace, by, "conversation.undo", row, now, **detail, after=put)
    announce(by.workspace, now, [row.pk], [basket, row.basket_id])
    return True


def _now_in(row: Conversation, name: str) -> object:
    return plain(getattr(row, f"{name}_id" if name in {"assignee", "basket"} else name))


def _put(row: Conversation, name: str, value: Any) -> None:
    if name in TIMES and value is not None:
        value = dt.datetime.fromisoformat(value)
    if name == "basket" and not Basket.objects.of(row.workspace_id).filter(pk=value).exists():
        raise InvalidInput("The basket where it lay is not there any more. Move it to another one.")
    if name == "assignee":
        # whoever left meanwhile is given nothing
        rows = Membership.objects.of(row.workspace_id).filter(pk=value, active=True)
        value = value if rows.exists() else None
    setattr(row, f"{name}_id" if name in {"assignee", "basket"} else name, value)


def _restore_other(
    by: Membership, row: Conversation, name: str, before: Mapping[str, Any], after: Mapping[str, Any], now: dt.datetime
) -> bool:
    """Put back what lies in another row. False: it has changed since."""
    if name == NOTE:
        return bool(Note.objects.of(by.workspace).filter(pk=after[name], conversation=row, author=by).delete()[0])
    if name == CORRECTION:
        rows = ScoreCorrection.objects.of(by.workspace).filter(conversation=row)
        gone = rows.filter(pk=after[name], removed_at__isnull=True).update(removed_at=now) if after[name] else 0
        back = rows.filter(pk=before[name]).update(removed_at=None) if before[name] else 0
        return bool(gone or back)
    tag = name.removeprefix(f"{TAG}:")
    tags = ConversationTag.objects.of(by.workspace).filter(conversation=row, name=tag)
    if before[name]:
        return bool(tags.filter(removed_at__isnull=False).update(removed_at=None))
    return bool(tags.filter(removed_at__isnull=True).update(removed_at=now))


def forget_deeds(*, now: dt.datetime) -> int:
    """Sweep deeds that nobody can take back any more; returns how many."""
    return Deed.objects.filter(at__lt=now - KEPT).delete()[0]
