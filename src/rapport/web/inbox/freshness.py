"""What an open page asks for again and again is answered without reading it again where nothing has changed.

Everything that a list shows changes together with an event (`DeskEvent`), or with time alone. So the newest events of
a workspace, and a few minutes of the clock, name one state of a list. What a list of one basket reads is the same for
everybody who sees that basket; it is read once in a process, and rendered for each.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import threading
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified

from rapport.store.models import DeskEvent, Membership
from rapport.store.queries import desk as reads

#: newest events that tell one state from another: a transaction may commit after one with a higher id
NEWEST = 64
#: seconds after which time alone may have changed the order of a list
CLOCK = 300
#: seconds for which counts are kept: how many wait too long changes with time
COUNTS_KEPT = 20.0
#: counts that are kept at most: one for each colleague with an open page, and one for all who see everything
MOST_KEPT = 2_000

#: lists that are kept at most: each has a page of rows
MOST_LISTS = 64

T = TypeVar("T")
Counts = dict[tuple[int, str], reads.Counted]
_kept: dict[tuple[int, int], tuple[str, dt.datetime, Counts]] = {}
_lists: dict[Hashable, tuple[str, dt.datetime, Any]] = {}
_readers: dict[Hashable, threading.Lock] = {}
_lock = threading.Lock()


def marks_of(workspace: int) -> str:
    """The newest events of a workspace in a few letters."""
    told = DeskEvent.objects.of(workspace).exclude(kind="presence")  # who looks stands in no list
    rows = told.order_by("-pk").values_list("pk", flat=True)[:NEWEST]
    return hashlib.sha256(repr(list(rows)).encode()).hexdigest()[:20]


def marks_of_basket(workspace: int, basket: int) -> str:
    """The newest events that may be about a basket: those that name it, and those that name none."""
    told = DeskEvent.objects.of(workspace).exclude(kind__in=("presence", "notices"))  # which stand in no list
    rows = list(told.order_by("-pk").values_list("pk", "payload")[:NEWEST])
    about = [pk for pk, payload in rows if basket in (payload.get("baskets") or (basket,))]
    # one that came and was pushed out of the newest between two looks has moved this on
    passed = rows[0][0] // NEWEST if rows else 0
    return hashlib.sha256(repr((about, passed)).encode()).hexdigest()[:20]


def tag_of(request: HttpRequest, member: Membership, marks: str, now: dt.datetime) -> str:
    """The ETag of what this address answers to this member as things stand."""
    user = member.user
    shown = (request.get_full_path(), request.headers.get("HX-Current-URL", ""), member.pk, member.role)
    told = (*shown, user.language, user.timezone, user.shortcuts, user.keys, marks, int(now.timestamp()) // CLOCK)
    return f'"{hashlib.sha256(repr(told).encode()).hexdigest()[:32]}"'


def unchanged(request: HttpRequest, tag: str) -> HttpResponse | None:
    """304 for a page that has this already; else None."""
    if request.headers.get("If-None-Match", "") != tag:
        return None
    return HttpResponseNotModified(headers={"ETag": tag})


def counts_of(member: Membership, marks: str, now: dt.datetime) -> Counts:
    """`count_by_basket`, read once in this process for each state of the workspace and each sight of it."""
    key = (member.workspace_id, 0 if member.sees_every_basket is True else member.pk)
    found = _kept.get(key)
    if found is not None and found[0] == marks and 0 <= (now - found[1]).total_seconds() < COUNTS_KEPT:
        return found[2]
    counts = reads.count_by_basket(member, now)
    with _lock:
        if len(_kept) >= MOST_KEPT:
            _kept.clear()
        _kept[key] = (marks, now, counts)
    return counts


def shared(key: Hashable, marks: str, now: dt.datetime, read: Callable[[], T]) -> T:
    """What `read` answers, read once in this process for each state that `marks` names; who comes meanwhile waits.

    `key` names everything else that the answer depends on. Whether somebody may have the answer is decided before.
    """
    with _lock:
        reader = _readers.setdefault(key, threading.Lock())
    with reader:
        found = _lists.get(key)
        if found is not None and found[0] == marks and 0 <= (now - found[1]).total_seconds() < COUNTS_KEPT:
            answer: T = found[2]
            return answer
        answer = read()
        with _lock:
            if len(_lists) >= MOST_LISTS:
                _lists.clear()
                _readers.clear()
            _lists[key] = (marks, now, answer)
        return answer


def forget() -> None:
    """Forget everything that is kept."""
    with _lock:
        _kept.clear()
        _lists.clear()
