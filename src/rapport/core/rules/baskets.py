"""The baskets that a new workspace starts with; the default rule set sorts into them."""

from __future__ import annotations

from typing import Literal, NamedTuple

#: Which colour of the desk a basket wears.
Tone = Literal["care", "ask", "praise", "accent", "quiet"]


class Basket(NamedTuple):
    """A pile of conversations that belong together."""

    slug: str
    name: str
    tone: Tone
    #: place in the list, from 1: complaints before compliments
    position: int


DEFAULT_BASKETS: tuple[Basket, ...] = (
    Basket("care", "Care", "care", 1),
    Basket("questions", "Questions", "ask", 2),
    Basket("sales", "Sales", "accent", 3),
    Basket("reviews", "Reviews", "ask", 4),
    Basket("praise", "Praise", "praise", 5),
    Basket("noise", "Noise", "quiet", 6),
)

#: Where a post goes when no rule named a basket: in front of a person, never out of sight.
FALLBACK = "questions"
