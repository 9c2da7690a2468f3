"""Where a conversation goes: its basket, and who in it takes it.

`route` is asked for every post and names a person only where one is meant: whom a rule named, or who knows the author.
`deal` hands out what waits in a basket that gives its work to people. Both are functions of their arguments: the same
input gives the same route. Whose turn it is, who is away and how much everybody has comes from outside.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple, get_args

import msgspec

from rapport.core.decision import Decision, PersonFacts, Route

#: how a person is chosen in a basket where nobody knows them: who has least (`known` asks no more than that), whose
#: turn it is, who has least, who is good at it
Strategy = Literal["known", "round_robin", "least_loaded", "skill"]
STRATEGIES: tuple[Strategy, ...] = get_args(Strategy)

#: waiting so long lifts a conversation by one step of priority, so that nothing waits for ever
AGEING = dt.timedelta(hours=1)
#: so long one waits for who is good at it, or who knows them, while others have room
PATIENCE = dt.timedelta(minutes=30)
_NEVER = dt.datetime.min.replace(tzinfo=dt.UTC)


class Member(NamedTuple):
    """Somebody who works in a basket."""

    #: membership id
    id: int
    #: open conversations that are theirs, in all baskets
    open: int = 0
    #: most that they take at once; 0 = no limit
    capacity: int = 0
    #: ISO 639-1 codes that they answer in; empty = any
    languages: frozenset[str] = frozenset()
    skills: frozenset[str] = frozenset()
    away: bool = False
    #: membership id of who stands in for them while they are away
    deputy: int | None = None
    #: when they were last given something in this basket
    given_at: dt.datetime | None = None
    #: False: gets conversations of people whom they know, and no others
    takes: bool = True

    @property
    def has_room(self) -> bool:
        """Can they take one more?"""
        return self.capacity == 0 or self.open < self.capacity

    @property
    def is_free(self) -> bool:
        """Here, and with room for one more."""
        return self.has_room and not self.away


class TeamLoad(msgspec.Struct, frozen=True):
    """Who works where, and how much they have."""

    #: slug of a basket -> its members
    members: Mapping[str, tuple[Member, ...]] = {}
    #: address in lower case -> membership id
    addresses: Mapping[str, int] = {}


def route(decision: Decision, facts: PersonFacts, load: TeamLoad) -> Route:
    """A decision -> basket and person.

    Whom a rule names, else the same human for the same customer: if they work in this basket, are here and have room;
    for who is away their deputy. Nobody else is chosen here: what waits is dealt out in its order (`deal`), so that
    newer conversations never overtake older ones. What is quarantined is nobody's.
    """
    if decision.quarantined:
        return Route(decision.basket)
    members = load.members.get(decision.basket, ())
    if decision.person is not None and decision.person != "known":
        named = load.addresses.get(decision.person.lower())
        return _to(decision.basket, named, members, f"{decision.person}, whom a rule named,", "named by a rule")
    if facts.known_to is not None:
        return _to(decision.basket, facts.known_to, members, "who knows them", "knows this person")
    if decision.person == "known":
        return Route(decision.basket, reason="a rule asks for who knows them, and nobody does")
    return Route(decision.basket)


def _to(basket: str, wanted: int | None, members: Sequence[Member], who: str, why: str) -> Route:
    """To one person, or their deputy; else to the basket as a whole, with the reason."""
    member = _find(members, wanted)
    if member is None:
        return Route(basket, reason=f"{who} does not work in this basket")
    if member.away:
        deputy = _find(members, member.deputy)
        if deputy is None or not deputy.is_free:
            return Route(basket, reason=f"{who} is away")
        return Route(basket, deputy.id, f"stands in: {who} is away")
    if not member.has_room:
        return Route(basket, reason=f"{who} has {member.open} of {member.capacity} open")
    return Route(basket, member.id, why)


class Waiting(NamedTuple):
    """A conversation that waits in a basket for somebody to take it."""

    id: int
    #: 0 = low to 3 = urgent
    priority: int
    #: since when it waits here
    since: dt.datetime
    language: str = ""
    skills: frozenset[str] = frozenset()
    #: membership id of who knows them
    known_to: int | None = None
    #: membership id of who had it and let it lie: somebody else takes it, if there is anybody
    not_to: int | None = None


class Given(NamedTuple):
    """A conversation and who gets it."""

    conversation: int
    member: int
    reason: str


def rank(waiting: Waiting, now: dt.datetime) -> float:
    """Its priority, lifted by one step for each `AGEING` that it waits."""
    return waiting.priority + max(now - waiting.since, dt.timedelta()) / AGEING


def deal(waiting: Iterable[Waiting], members: Sequence[Member], strategy: Strategy, now: dt.datetime) -> list[Given]:
    """Hand out what waits in one basket: the highest rank first, of equals who waits longest.

    Nobody is given more than they have room for. What finds nobody stays, and does not hold up what comes after it.
    A conversation waits up to `PATIENCE` for one who suits it while they are full, then goes to any other who has room:
    since its rank grows without bound, each is given some day if there is room at all.
    """
    team = {member.id: member for member in members}
    given: list[Given] = []
    for one in sorted(waiting, key=lambda one: (-rank(one, now), one.since, one.id)):
        if not any(member.is_free for member in team.values()):
            break
        chosen = _choose(one, list(team.values()), strategy, now)
        if chosen is None:
            continue
        member, reason = chosen
        team[member.id] = member._replace(open=member.open + 1, given_at=now + len(given) * dt.timedelta.resolution)
        given.append(Given(one.id, member.id, reason))
    return given


def _choose(one: Waiting, members: Sequence[Member], strategy: Strategy, now: dt.datetime) -> tuple[Member, str] | None:
    others = [member for member in members if member.id != one.not_to]
    if any(member.takes and not member.away for member in others):
        members = others
    impatient = now - one.since >= PATIENCE
    known = _find(members, one.known_to)
    if known is not None and known.away:
        known = _find(members, known.deputy)
    if known is not None and not known.away:
        if known.has_room:
            return known, "knows this person" if known.id == one.known_to else "stands in for who knows this person"
        if not impatient:
            return None
    here = [member for member in members if member.takes and not member.away]
    fit = [member for member in here if _suits(member, one)] if strategy == "skill" else here
    if not fit:
        fit, reason = here, "nobody here is good at it: who has least"
    elif any(member.has_room for member in fit):
        reason = _REASONS[strategy]
    elif impatient:
        fit, reason = here, "who is good at it has been full for too long: who has least"
    else:
        return None
    free = [member for member in fit if member.has_room]
    if not free:
        return None
    key = _in_turn if strategy == "round_robin" else _by_load
    return min(free, key=key), reason


_REASONS: dict[Strategy, str] = {
    "known": "has least",
    "round_robin": "next in turn",
    "least_loaded": "has least",
    "skill": "is good at it, and has least of those",
}


def _suits(member: Member, one: Waiting) -> bool:
    speaks = not member.languages or not one.language or one.language in member.languages
    return speaks and one.skills <= member.skills


def _in_turn(member: Member) -> tuple[dt.datetime, int]:
    return member.given_at or _NEVER, member.id


def _by_load(member: Member) -> tuple[float, int, dt.datetime, int]:
    """Least of what they can take, then least, then whose turn it is."""
    share = member.open / member.capacity if member.capacity else 0.0
    return share, member.open, member.given_at or _NEVER, member.id


def _find(members: Sequence[Member], wanted: int | None) -> Member | None:
    return next((member for member in members if member.id == wanted), None) if wanted is not None else None


def too_many(waiting: Sequence[Waiting], held: int, capacity: int) -> list[Waiting]:
    """Which of those that wait go on to the next basket, where one holds more than its capacity: the newest.

    `held`: open conversations in it, those that somebody has with them. `capacity` 0: no limit.
    """
    if not capacity or held <= capacity:
        return []
    newest_first = sorted(waiting, key=lambda one: (one.since, one.id), reverse=True)
    return newest_first[: held - capacity]
