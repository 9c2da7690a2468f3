"""Where a conversation goes."""

from __future__ import annotations

import pytest

from rapport.core.decision import Decision, PersonFacts, Route
from rapport.core.route import Member, TeamLoad, route

TEAM = TeamLoad({"care": (Member(1, 3, 5), Member(2, 5, 5), Member(4, 90, 0)), "sales": (Member(3, 0, 5),)})


@pytest.mark.parametrize(
    ("known_to", "basket", "person"),
    [
        (1, "care", 1),
        (4, "care", 4),  # no capacity set: no limit
        (2, "care", None),  # at capacity
        (3, "care", None),  # works elsewhere
        (3, "sales", 3),
        (1, "nowhere", None),
        (None, "care", None),
    ],
)
def test_it_goes_to_whoever_knows_the_person_if_they_work_there_and_have_room(
    known_to: int | None, basket: str, person: int | None
) -> None:
    found = route(Decision(basket), PersonFacts(known_to=known_to), TEAM)
    assert (found.basket, found.person) == (basket, person)
    assert bool(found.reason) == (known_to is not None)


def test_what_is_quarantined_is_nobodys() -> None:
    assert route(Decision("care", quarantined=True), PersonFacts(known_to=1), TEAM) == Route("care")
