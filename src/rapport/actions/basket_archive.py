"""A basket that is not needed any more: what lies in it goes to another one, and it can be brought back as it was."""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any, Literal

import msgspec
from django.db import transaction
from django.db.models import F, Q
from django.forms.models import model_to_dict

from rapport.actions.audit import announce, require, write_audit
from rapport.actions.baskets import MOST_BASKETS, free_slug
from rapport.actions.promises import keep_promises
from rapport.core.errors import InvalidInput, NotAllowed
from rapport.core.rules import default_document
from rapport.core.rules.baskets import FALLBACK
from rapport.core.rules.edit import pieces
from rapport.store.models import (
    AcknowledgementSettings,
    AuditEntry,
    Basket,
    BasketMember,
    Conversation,
    Membership,
    Promise,
    RuleSet,
    Task,
    Workspace,
)
from rapport.store.queries.load import read_setups
from rapport.store.queries.sql import chunks

#: conversations that are remembered for the way back: the newest
MOST_KEPT = 50_000
#: for so long a basket can be brought back
BACK_FOR = dt.timedelta(days=30)

#: the field of rules that says where a conversation lies
_FIELD = re.compile(r"\bconversation\.basket\b")


class InTheWay(msgspec.Struct, frozen=True):
    """Something that names a basket, and must name another one first."""

    kind: Literal["rule", "group", "fallback", "acknowledgement"]
    #: of the rule or group
    name: str = ""
    #: of the rule, from 1
    line: int = 0


class Kept(msgspec.Struct, frozen=True):
    """What is needed to bring a basket back; stands in its audit row."""

    #: its columns
    fields: dict[str, Any]
    members: list[int]
    #: ranges of row ids: "3-9,12"
    conversations: str
    tasks: str
    #: id of another basket -> its overflow columns, which led here
    overflows: dict[str, tuple[int | None, int]]
    #: where everything went
    into: int


def find_in_the_way(workspace: Workspace, basket: Basket) -> list[InTheWay]:
    """What names the basket and would name nothing: the rules in force, and the acknowledgement."""
    newest = RuleSet.objects.of(workspace).order_by("-version").first()
    found = list(_rules_that_name(newest.document if newest else default_document(), basket.slug))
    settings = AcknowledgementSettings.objects.of(workspace).first()
    if settings is not None and basket.slug in settings.baskets:
        found.append(InTheWay("acknowledgement"))
    return found


def _rules_that_name(document: str, slug: str) -> Iterator[InTheWay]:
    named = {f"basket:{slug}", f"notify:{slug}"}
    for piece in pieces(document):
        written = {each.strip() for each in piece.then}
        if written & named or _asks_for(str(piece.values.get("when", "")), slug):
            yield InTheWay("rule", piece.name, piece.line)
    top = tomllib.loads(document)
    for group in top.get("group", []):
        if _asks_for(str(group.get("when", "")), slug):
            yield InTheWay("group", str(group.get("name", "")))
    if top.get("fallback", FALLBACK) == slug:
        yield InTheWay("fallback")


def _asks_for(when: str, slug: str) -> bool:
    """Whether a condition compares with this basket; one too many is named rather than one too few."""
    return bool(_FIELD.search(when)) and any(f"{quote}{slug}{quote}" in when for quote in "'\"")


def archive_basket(by: Membership, basket: Basket, into: Basket, *, now: dt.datetime) -> AuditEntry:
    """Take a basket away; its conversations and tasks go `into` another one. Returns the row that brings it back.

    Promises that run go on by the hours and terms there; what was kept and broken so far stays with the people, and
    is counted for no basket. Raises `InvalidInput` while rules or the acknowledgement name it (`find_in_the_way`).
    """
    require(by, "configure")
    if {basket.workspace_id, into.workspace_id} != {by.workspace_id}:
        raise NotAllowed("This basket belongs to another workspace.")
    if basket.pk == into.pk:
        raise InvalidInput("Choose another basket for what lies in this one.")
    with transaction.atomic():
        Workspace.objects.select_for_update(no_key=True).only("pk").get(pk=by.workspace_id)
        if found := find_in_the_way(by.workspace, basket):
            names = ", ".join(each.name or each.kind for each in found[:5])
            raise InvalidInput(f"It is still named: {names}. Let these name another basket first.")
        setups = read_setups(by.workspace_id, now)
        held = Conversation.objects.of(by.workspace).filter(basket=basket)
        tasks = Task.objects.of(by.workspace).filter(basket=basket)
        kept = Kept(
            fields=_columns(basket), members=list(basket.members.values_list("membership_id", flat=True)),
            conversations=write_ids(held.order_by("-pk").values_list("pk", flat=True)[:MOST_KEPT]),
            tasks=write_ids(tasks.order_by("-pk").values_list("pk", flat=True)[:MOST_KEPT]),
            overflows=_lead_elsewhere(by.workspace, basket, into), into=into.pk,
        )  # fmt: skip
        clocks = _with_clocks(held, basket)
        moved = held.update(basket=into)
        tasks.update(basket=into)
        keep_promises(by.workspace_id, clocks, now=now, setups=setups)
        detail = {"name": basket.name, "basket": into.pk, "conversations": moved, "was": msgspec.to_builtins(kept)}
        write_audit(by.workspace, by, "basket.archive", basket, now, **detail)
        entry = AuditEntry.objects.of(by.workspace).filter(verb="basket.archive").latest("pk")
        basket.delete()
        _read_anew(by.workspace, now)
    return entry


def bring_back_basket(by: Membership, entry: AuditEntry, *, now: dt.datetime) -> Basket:
    """Undo `archive_basket`: the basket as it was, with its people, and what still lies where it went.

    What was moved on from there meanwhile stays where it is. Raises `InvalidInput` where that was done already.
    """
    require(by, "configure")
    if entry.workspace_id != by.workspace_id or entry.verb != "basket.archive":
        raise NotAllowed("This is no basket of this workspace.")
    kept = msgspec.convert(entry.detail["was"], Kept)
    with transaction.atomic():
        Workspace.objects.select_for_update(no_key=True).only("pk").get(pk=by.workspace_id)
        if Basket.objects.filter(pk=entry.subject_id).exists():
            raise InvalidInput("This basket is there already.")
        if Basket.objects.of(by.workspace).count() >= MOST_BASKETS:
            raise InvalidInput(f"A workspace has at most {MOST_BASKETS} baskets.")
        setups = read_setups(by.workspace_id, now)
        basket = _make_again(by, int(entry.subject_id), kept)
        moved = _back(Conversation.objects.of(by.workspace).filter(basket=kept.into), kept.conversations, basket)
        _back(Task.objects.of(by.workspace).filter(basket=kept.into), kept.tasks, basket)
        # what ended there before is counted for it again
        Promise.objects.of(by.workspace).filter(
            basket=None, ended_at__lte=entry.at, conversation__basket=basket
        ).update(basket=basket)  # fmt: skip
        setups |= {basket.pk: read_setups(by.workspace_id, now)[basket.pk]}
        held = Conversation.objects.of(by.workspace).filter(basket=basket)
        keep_promises(by.workspace_id, _with_clocks(held, None), now=now, setups=setups)
        write_audit(by.workspace, by, "basket.bring_back", basket, now, name=basket.name, conversations=moved)
        _read_anew(by.workspace, now)
    return basket


def _columns(basket: Basket) -> dict[str, Any]:
    return {name: value for name, value in model_to_dict(basket).items() if name not in {"id", "workspace"}}


def _lead_elsewhere(workspace: Workspace, basket: Basket, into: Basket) -> dict[str, tuple[int | None, int]]:
    """Let what does not fit elsewhere and came here go `into` the other one; what was set before."""
    rows = list(Basket.objects.of(workspace).filter(overflow=basket))
    before = {str(row.pk): (row.overflow_after, row.capacity) for row in rows}
    for row in rows:
        if row.pk == into.pk:  # it cannot send on to itself: it keeps what comes
            row.overflow, row.overflow_after, row.capacity = None, None, 0
        else:
            row.overflow = into
        row.save(update_fields=["overflow", "overflow_after", "capacity"])
    return before


def _with_clocks(held: Any, basket: Basket | None) -> list[int]:
    """The conversations of `held` that wait, or whose promises run."""
    running = Promise.objects.filter(ended_at__isnull=True, conversation__in=held.values("pk"))
    if basket is not None:
        running = running.filter(basket=basket)
    waits = Q(waiting_since__isnull=False) | Q(pk__in=running.values("conversation"))
    return list(held.filter(waits).values_list("pk", flat=True))


def _make_again(by: Membership, pk: int, kept: Kept) -> Basket:
    overflow = Basket.objects.of(by.workspace).filter(pk=kept.fields["overflow"]).first()
    fields = {**kept.fields, "overflow": overflow, "slug": free_slug(by, kept.fields["slug"])}
    if overflow is None:
        fields |= {"overflow_after": None, "capacity": 0}
    basket = Basket(pk=pk, workspace=by.workspace, **fields)
    basket.save(force_insert=True)
    members = Membership.objects.of(by.workspace).filter(pk__in=kept.members)
    BasketMember.objects.bulk_create(
        BasketMember(workspace=by.workspace, basket=basket, membership=member) for member in members
    )
    led_here = Basket.objects.of(by.workspace).filter(Q(overflow=kept.into) | Q(overflow=None, pk=kept.into))
    for row in led_here.filter(pk__in=[int(key) for key in kept.overflows]):
        row.overflow, (row.overflow_after, row.capacity) = basket, kept.overflows[str(row.pk)]
        row.save(update_fields=["overflow", "overflow_after", "capacity"])
    return basket


def _back(rows: Any, written: str, basket: Basket) -> int:
    """Put those of `rows` that were kept into the basket again; how many."""
    ids = read_ids(written)
    chosen = [pk for pk in rows.values_list("pk", flat=True) if pk in ids]
    for part in chunks(chosen, 5_000):
        rows.filter(pk__in=part).update(basket=basket)
    return len(chosen)


def _read_anew(workspace: Workspace, now: dt.datetime) -> None:
    Workspace.objects.filter(pk=workspace.pk).update(config_version=F("config_version") + 1)
    announce(workspace, now, kind="config")


def write_ids(ids: Iterable[int]) -> str:
    """Row ids as ranges: 3, 4, 5, 9 -> "3-5,9"."""
    ordered = sorted(ids)
    if not ordered:
        return ""
    breaks = [0, *(place + 1 for place, (one, following) in enumerate(pairwise(ordered)) if following != one + 1)]
    spans = [(ordered[start], ordered[end - 1]) for start, end in zip(breaks, [*breaks[1:], len(ordered)], strict=True)]
    return ",".join(f"{first}-{last}" if last > first else str(first) for first, last in spans)


def read_ids(written: str) -> set[int]:
    """What `write_ids` wrote."""
    found: set[int] = set()
    for span in filter(None, written.split(",")):
        first, _dash, last = span.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return found
