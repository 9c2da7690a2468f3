"""Who works where with how much, how each basket is set up, and what waits in it."""

from __future__ import annotations

import datetime as dt
import functools
import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple, cast

import msgspec
from django.db.models import Count, Q

from rapport.core.hours import Hours
from rapport.core.promises import Terms
from rapport.core.roles import ROLES, may
from rapport.core.route import Member, Strategy, TeamLoad, Waiting
from rapport.store.models import Absence, AuditEntry, Basket, BasketMember, Conversation, Membership, Outcome
from rapport.store.queries.sql import adapt, update_rows

#: holidays are known from the year before to this many years after a moment: as far as a promise can reach
YEARS_AHEAD = 5
#: conversations of one priority that are looked at in one round of dealing
ROUND = 100
#: verb of the audit row that says that somebody let a conversation lie, and of that which moves it on for good
RETURNED, MOVED_ON = "conversation.return", "conversation.overflow"


class Setup(msgspec.Struct, frozen=True):
    """How one basket works."""

    id: int
    slug: str
    hours: Hours
    terms: Terms
    strategy: Strategy = "known"
    push: bool = False
    capacity: int = 0
    #: minutes of silence after which an assigned conversation comes back; None = never
    return_after: int | None = None
    #: basket id of where work goes that does not fit
    overflow: int | None = None
    overflow_after: int | None = None
    #: ISO 639-1 codes that are answered in it; empty = all
    languages: frozenset[str] = frozenset()

    @property
    def deals(self) -> bool:
        """Something happens by itself in it: work is given out, comes back or goes on."""
        return self.push or self.return_after is not None or self.overflow is not None


def read_setups(workspace_id: int, now: dt.datetime) -> dict[int, Setup]:
    """Basket id -> how it works."""
    rows = Basket.objects.of(workspace_id).values_list(
        "pk", "slug", "hours", "promises", "strategy", "push", "capacity", "return_after", "overflow", "overflow_after",
        "languages",
    )  # fmt: skip
    return {
        pk: Setup(
            pk, slug, hours_of(hours, now), terms_of(promises), cast("Strategy", strategy), push, capacity,
            return_after, overflow if overflow != pk else None, overflow_after, frozenset(languages),
        )
        for (
            pk, slug, hours, promises, strategy, push, capacity, return_after, overflow, overflow_after, languages
        ) in rows
    }  # fmt: skip


def hours_of(stored: Mapping[str, Any], now: dt.datetime) -> Hours:
    """Stored hours with the public holidays of the years around `now`; what cannot be read is round the clock."""
    return _hours(json.dumps(stored, sort_keys=True), now.year) if stored else _ROUND_THE_CLOCK


def terms_of(stored: Mapping[str, Any]) -> Terms:
    """Stored terms; what cannot be read promises nothing."""
    try:
        return msgspec.convert(stored, Terms) if stored else _NOTHING
    except msgspec.ValidationError:
        return _NOTHING


_ROUND_THE_CLOCK, _NOTHING = Hours(), Terms()


@functools.lru_cache(maxsize=512)
def _hours(stored: str, year: int) -> Hours:
    try:
        hours = msgspec.json.decode(stored, type=Hours)
    except msgspec.MsgspecError:
        return _ROUND_THE_CLOCK
    return msgspec.structs.replace(hours, holidays=holidays_of(hours.country, hours.subdivision, year))


@functools.lru_cache(maxsize=512)
def holidays_of(country: str, subdivision: str, year: int) -> frozenset[dt.date]:
    """The public holidays from the year before to `YEARS_AHEAD` years after; empty for a place that is not known."""
    if not country:
        return frozenset()
    import holidays  # 130 ms, for those who set a country

    try:
        found = holidays.country_holidays(
            country, subdiv=subdivision or None, years=range(year - 1, year + YEARS_AHEAD + 1)
        )
    except NotImplementedError:
        return frozenset()
    return frozenset(found)


def read_opening(workspace_id: int, now: dt.datetime) -> tuple[Hours, ...]:
    """The hours of those baskets that have some."""
    stored = Basket.objects.of(workspace_id).values_list("hours", flat=True)
    return tuple(hours_of(each, now) for each in stored if each)


def staffed(opening: Sequence[Hours], now: dt.datetime) -> bool:
    """Whether the desk is: one of the baskets with hours of their own is open, or none has any."""
    return not opening or any(hours.is_open(now) for hours in opening)


# ---------------------------------------------------------------- people


def read_team_load(workspace_id: int, now: dt.datetime) -> TeamLoad:
    """Who works in which basket, how much each has, what they are good at, and who is away with which deputy.

    Somebody who may not write replies is no part of it; who may not triage gets the people whom they know alone.
    """
    open_counts = count_open(workspace_id)
    away = dict(absent(workspace_id, now))
    members: dict[str, list[Member]] = defaultdict(list)
    addresses: dict[str, int] = {}
    rows = BasketMember.objects.of(workspace_id).filter(membership__active=True, membership__user__is_active=True)
    for slug, member, role, capacity, languages, skills, given, address in rows.values_list(
        "basket__slug", "membership_id", "membership__role", "membership__capacity", "membership__languages",
        "membership__skills",
        "given_at", "membership__user__email",
    ):  # fmt: skip
        if not may(role, "draft"):
            continue
        addresses[address.lower()] = member
        load = open_counts.get(member, 0), capacity, frozenset(languages), frozenset(skills)
        members[slug].append(Member(member, *load, member in away, away.get(member), given, may(role, "triage")))
    return TeamLoad({slug: tuple(found) for slug, found in members.items()}, addresses)


def count_open(workspace_id: int, members: Collection[int] | None = None) -> dict[int, int]:
    """Membership id -> open conversations that are theirs."""
    rows = Conversation.objects.of(workspace_id).filter(state=Conversation.State.OPEN, assignee__isnull=False)
    if members is not None:
        rows = rows.filter(assignee__in=members)
    return dict(rows.order_by().values_list("assignee").annotate(count=Count("pk")))


def absent(workspace_id: int, now: dt.datetime) -> list[tuple[int, int | None]]:
    """(membership id, that of the deputy) of those who are away at a moment."""
    rows = Absence.objects.of(workspace_id).filter(Q(until__isnull=True) | Q(until__gt=now), since__lte=now)
    return list(rows.order_by("since", "pk").values_list("membership_id", "deputy_id"))


def absences_of(workspace_id: int, now: dt.datetime, member: int | None = None) -> list[Absence]:
    """Absences that are not over, the next first, of one member or of all; each with `open`, how many conversations
    they have.
    """
    rows = Absence.objects.of(workspace_id).filter(Q(until__isnull=True) | Q(until__gt=now), membership__active=True)
    if member is not None:
        rows = rows.filter(membership=member)
    found = list(rows.select_related("membership__user", "deputy__user").order_by("since", "pk"))
    open_counts = count_open(workspace_id, {each.membership_id for each in found}) if found else {}
    for each in found:
        each.open = open_counts.get(each.membership_id, 0)  # type: ignore[attr-defined]
    return found


def colleagues_of(workspace_id: int) -> list[Membership]:
    """Those who take work now, by name."""
    rows = Membership.objects.of(workspace_id).filter(active=True, user__is_active=True).select_related("user")
    return sorted((each for each in rows if each.may("draft")), key=lambda each: str(each).casefold())


class Room:
    """Who can take one more, asked under the lock of the workspace while a batch is written: two workers that decided
    at the same time do not fill the same place twice. Reads nothing until somebody is asked for.
    """

    def __init__(self, workspace_id: int) -> None:
        self._workspace = workspace_id
        self._left: dict[int, int] | None = None
        #: conversations that were given to somebody
        self.given: list[int] = []

    def take(self, member: int, conversation: int) -> bool:
        """Give one more to `member`, if there is room; says whether there was."""
        if self._left is None:
            self._left = _room_of(self._workspace)
        if self._left.get(member, 0) <= 0:
            return False
        self._left[member] -= 1
        self.given.append(conversation)
        return True


def _room_of(workspace_id: int) -> dict[int, int]:
    open_counts = count_open(workspace_id)
    rows = Membership.objects.of(workspace_id).filter(active=True, user__is_active=True)
    capacities = rows.values_list("pk", "capacity")
    return {pk: capacity - open_counts.get(pk, 0) if capacity else 1_000_000 for pk, capacity in capacities}


# ---------------------------------------------------------------- what waits


def read_waiting(workspace_id: int, setup: Setup, now: dt.datetime) -> list[Waiting]:
    """What waits in a basket for somebody to take it: of each priority those that wait longest, `ROUND` at most.

    Within a priority who waits longest has the highest rank, so these hold the first of all.
    """
    found: list[tuple[Any, ...]] = []
    for priority in Conversation.Priority.values:
        rows = _unassigned(workspace_id, setup.id).filter(priority=priority).order_by("waiting_since", "pk")
        found += rows.values_list(
            "pk", "priority", "waiting_since", "opened_at", "decided_by", "person__known_to"
        )[:ROUND]  # fmt: skip
    asked = _asked_of([row[4] for row in found if row[4]]) if setup.strategy == "skill" else {}
    let_lie = who_let_lie(workspace_id, [row[0] for row in found]) if setup.return_after is not None else {}
    return [
        Waiting(pk, priority, waiting or opened or now, *asked.get(decided, ("", frozenset())), known, let_lie.get(pk))
        for pk, priority, waiting, opened, decided, known in found
    ]


def hold(workspace_id: int, basket: int, expected: Mapping[int, int | None]) -> list[int]:
    """Conversation -> membership id of who had it when it was looked at: those of them that are still open, in this
    basket and theirs, held until the end of the transaction. What somebody is just doing something with is left out:
    it is looked at again in the next round.
    """
    rows = Conversation.objects.of(workspace_id).select_for_update(skip_locked=True, no_key=True).filter(
        pk__in=list(expected), basket=basket, state=Conversation.State.OPEN
    )  # fmt: skip
    found = rows.order_by("pk").values_list("pk", "assignee_id")
    return [pk for pk, member in found if member == expected[pk]]


def reached_while_away(
    workspace_id: int, among: Collection[int], now: dt.datetime
) -> list[tuple[int, int, int, int | None]]:
    """(id, id of its basket, membership id, that of the deputy) of those of `among` in which they wait for somebody who
    is away, does not work here any more, or may write no replies any more.
    """
    away = dict(absent(workspace_id, now))
    writing = [role for role in ROLES if may(role, "draft")]
    rows = Conversation.objects.of(workspace_id).filter(
        Q(assignee__in=list(away)) | Q(assignee__active=False) | Q(assignee__user__is_active=False)
        | ~Q(assignee__role__in=writing), assignee__isnull=False,
        pk__in=list(among), state=Conversation.State.OPEN, waiting_since__isnull=False,
    )  # fmt: skip
    found = rows.order_by("pk").values_list("pk", "basket_id", "assignee_id")
    return [(pk, basket, member, away.get(member)) for pk, basket, member in found if basket and member]


def write_assigned(changes: Mapping[int, int | None], now: dt.datetime) -> None:
    """Conversation -> membership id of who has it from this moment on; None: nobody."""
    rows = [(member, adapt(now), conversation) for conversation, member in changes.items()]
    update_rows("store_conversation", ("assignee_id", "touched_at"), rows)


def newest_waiting(workspace_id: int, basket: int, count: int, now: dt.datetime) -> list[Waiting]:
    """The newest that nobody has: what goes on from a basket that is full."""
    rows = _unassigned(workspace_id, basket).order_by("-waiting_since", "-pk")
    return [
        Waiting(pk, priority, waiting or opened or now)
        for pk, priority, waiting, opened in rows.values_list("pk", "priority", "waiting_since", "opened_at")[:count]
    ]


def oldest_waiting(workspace_id: int, basket: int, before: dt.datetime) -> list[tuple[int, dt.datetime]]:
    """(id, since when it waits) of what nobody has taken since before a moment, and what was not moved on before."""
    rows = _unassigned(workspace_id, basket).filter(waiting_since__lt=before).order_by("waiting_since", "pk")
    found = [(pk, since) for pk, since in rows.values_list("pk", "waiting_since")[:ROUND] if since is not None]
    moved = _acted_on(workspace_id, MOVED_ON, [pk for pk, _ in found])
    return [(pk, since) for pk, since in found if pk not in moved]


def in_other_languages(workspace_id: int, setup: Setup, among: Collection[int]) -> list[int]:
    """Those of `among` that nobody has, in a language that is not answered in this basket; not those whose language
    nobody could tell, nor those that were moved on before.
    """
    rows = _unassigned(workspace_id, setup.id).filter(pk__in=among, decided_by__isnull=False)
    decided = dict(rows.values_list("decided_by", "pk"))
    asked = _asked_of(decided) if decided else {}
    found = [decided[post] for post, (language, _) in asked.items() if language and language not in setup.languages]
    moved = _acted_on(workspace_id, MOVED_ON, found)
    return sorted(pk for pk in found if pk not in moved)


def untouched(workspace_id: int, basket: int, before: dt.datetime) -> list[tuple[int, int, dt.datetime]]:
    """(id, membership id, since when) of open conversations in which they wait, that somebody has and has not touched
    since before a moment. A draft that grows is a touch.
    """
    rows = Conversation.objects.of(workspace_id).filter(
        basket=basket, state=Conversation.State.OPEN, assignee__isnull=False, waiting_since__lt=before,
        touched_at__lt=before,
    ).exclude(drafts__updated_at__gte=before)  # fmt: skip
    found = rows.order_by("touched_at").values_list("pk", "assignee", "waiting_since", "touched_at")[:ROUND]
    return [
        (pk, assignee, max(waiting, touched)) for pk, assignee, waiting, touched in found if assignee and waiting
        and touched
    ]  # fmt: skip


def count_held(workspace_id: int, basket: int) -> int:
    """Open conversations in a basket."""
    return Conversation.objects.of(workspace_id).filter(basket=basket, state=Conversation.State.OPEN).count()


def who_let_lie(workspace_id: int, conversations: Sequence[int]) -> dict[int, int]:
    """Conversation -> membership id of who had it last and let it lie."""
    return {pk: detail["from"] for pk, detail in _acted_on(workspace_id, RETURNED, conversations).items()}


class Moved(NamedTuple):
    """What the desk last did by itself with a conversation."""

    #: "conversation.give", `RETURNED` or `MOVED_ON`
    verb: str
    at: dt.datetime
    reason: str


def last_moved(conversation: Conversation) -> Moved | None:
    """Why the desk gave a conversation to somebody, took it back or sent it on; None where a person moved it since."""
    if conversation.touched_at is None:
        return None
    rows = AuditEntry.objects.of(conversation.workspace_id).filter(
        subject="conversation", subject_id=str(conversation.pk),
        verb__in=["conversation.give", RETURNED, MOVED_ON, "conversation.assign", "conversation.move"],
    )  # fmt: skip
    entry = rows.order_by("-pk").first()
    if entry is None or entry.actor_id is not None:
        return None
    return Moved(entry.verb, entry.at, str(entry.detail.get("reason", "")))


def _unassigned(workspace_id: int, basket: int) -> Any:
    return Conversation.objects.of(workspace_id).filter(
        basket=basket, state=Conversation.State.OPEN, assignee__isnull=True
    )


def _acted_on(workspace_id: int, verb: str, conversations: Sequence[int]) -> dict[int, dict[str, Any]]:
    if not conversations:
        return {}
    rows = AuditEntry.objects.of(workspace_id).filter(
        subject="conversation", subject_id__in=[str(pk) for pk in conversations], verb=verb
    )
    return {int(pk): detail for pk, detail in rows.order_by("pk").values_list("subject_id", "detail")}


class _Decided(msgspec.Struct):
    skills: tuple[str, ...] = ()


class _Body(msgspec.Struct):
    """As much of an outcome as tells what its taker should be good at."""

    decision: _Decided


_body_decoder = msgspec.json.Decoder(_Body)


def _asked_of(posts: Collection[int]) -> dict[int, tuple[str, frozenset[str]]]:
    """Post -> its language and the skills that the rules ask for."""
    found: dict[int, tuple[str, frozenset[str]]] = {}
    for post, language, body in Outcome.objects.filter(post__in=posts).values_list("post_id", "language", "body"):
        try:
            skills = frozenset(_body_decoder.decode(body).decision.skills)
        except msgspec.MsgspecError:
            skills = frozenset()
        found[post] = (language if len(language) <= 3 and language != "und" else "", skills)
    return found
