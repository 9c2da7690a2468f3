"""One act on several conversations at once: all of them in sight, or none is touched."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any, Literal, get_args

import msgspec
from django.db import transaction

from rapport.actions import desk
from rapport.actions.audit import require
from rapport.actions.tags import add_tag, clean_tag, remove_tag
from rapport.core.errors import InvalidInput, NotAllowed
from rapport.store.models import Conversation, Membership
from rapport.store.queries.desk import visible_conversations

Verb = Literal["assign", "snooze", "resolve", "reopen", "move", "prioritise", "tag", "untag"]
VERBS: tuple[Verb, ...] = get_args(Verb)
#: conversations of one call: longer ones would keep the others of the desk waiting
MOST = 200


class Changed(msgspec.Struct, frozen=True):
    """What came of it."""

    done: tuple[int, ...]
    #: those that could not be changed, with the reason
    kept: tuple[tuple[int, str], ...]


def change(by: Membership, ids: Sequence[int], verb: Verb, *, now: dt.datetime, **fields: Any) -> Changed:
    """Do one act of the desk on every conversation of `ids`, each with its own audit entry; undone together.

    `fields`: what the act takes (`assignee`, `until`, `basket`, `priority`, `name`). Raises `NotAllowed` without
    touching anything where one of them is missing, foreign, or outside the member's baskets, and `InvalidInput` where
    none can be changed.
    """
    require(by, "triage")
    if verb not in VERBS:
        raise InvalidInput(f"{verb!r} is not one of: {', '.join(VERBS)}.")
    wanted = list(dict.fromkeys(ids))
    if not wanted:
        raise InvalidInput("Choose at least one conversation.")
    if len(wanted) > MOST:
        raise InvalidInput(f"At most {MOST} conversations at once; {len(wanted)} are chosen.")
    act = _act_of(verb, fields)
    with transaction.atomic():
        rows = visible_conversations(by).filter(pk__in=wanted).exclude(state__in=["merged", "unopened"])
        found = rows.select_related("basket").in_bulk()
        if len(found) != len(wanted):
            raise NotAllowed("One of these conversations is not there, or lies in a basket that you do not work in.")
        done, kept = [], []
        # in the order of their ids, so that two who change the same ones wait for each other, and never both
        for pk in sorted(wanted):
            try:
                with transaction.atomic():
                    act(by, found[pk], now)
                done.append(pk)
            except InvalidInput as problem:
                kept.append((pk, str(problem)))
        if not done:
            raise InvalidInput(kept[0][1])
    return Changed(tuple(done), tuple(kept))


def _act_of(verb: Verb, fields: dict[str, Any]) -> Callable[[Membership, Conversation, dt.datetime], object]:
    """The act with its fields."""
    if verb in {"tag", "untag"}:
        fields = {"name": clean_tag(fields["name"])}
    acts: dict[Verb, Callable[[Membership, Conversation, dt.datetime], object]] = {
        "assign": lambda by, row, now: desk.assign(by, row, fields["assignee"], now=now),
        "snooze": lambda by, row, now: desk.snooze(by, row, fields["until"], now=now),
        "resolve": lambda by, row, now: desk.resolve(by, row, now=now),
        "reopen": lambda by, row, now: desk.reopen(by, row, now=now),
        "move": lambda by, row, now: desk.move(by, row, fields["basket"], now=now),
        "prioritise": lambda by, row, now: desk.prioritise(by, row, fields["priority"], now=now),
        "tag": lambda by, row, now: add_tag(by, row, fields["name"], now=now),
        "untag": lambda by, row, now: remove_tag(by, row, fields["name"], now=now),
    }
    return acts[verb]
