"""Where a conversation goes: the basket that the rules chose, and the person on our side who knows its author."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from rapport.core.decision import Decision, PersonFacts, Route


class Member(NamedTuple):
    """Somebody who works in a basket."""

    #: membership id
    id: int
    #: open conversations that are theirs, in all baskets
    open: int = 0
    #: most that they take at once; 0 = no limit
    capacity: int = 0

    @property
    def has_room(self) -> bool:
        """Can they take one more?"""
        return self.capacity == 0 or self.open < self.capacity


class TeamLoad(msgspec.Struct, frozen=True):
    """Who works where, and how much they have."""

    #: slug of a basket -> its members
    members: Mapping[str, tuple[Member, ...]] = {}


def route(decision: Decision, facts: PersonFacts, load: TeamLoad) -> Route:
    """A decision -> basket and person.

    The same human for the same customer: whoever knows them, if they work in this basket and have room. Nobody else
    is chosen here: the basket waits as a whole, so that newer conversations never overtake those that wait. What is
    quarantined is nobody's.
    """
    if facts.known_to is None or decision.quarantined:
        return Route(decision.basket)
    member = next((one for one in load.members.get(decision.basket, ()) if one.id == facts.known_to), None)
    if member is None:
        return Route(decision.basket, reason="who knows them does not work in this basket")
    if not member.has_room:
        return Route(decision.basket, reason=f"who knows them has {member.open} of {member.capacity} open")
    return Route(decision.basket, member.id, "knows this person")
