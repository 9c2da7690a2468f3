"""Lists by mood, intent and whether machines speak: which conversations are in them, and how many."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

import msgspec
from django.db.models import Count, F, Q
from django.db.models.lookups import GreaterThan

from rapport.core.felt import INTENTS, MOODS, intent_bit, mood_number
from rapport.store.models import Conversation
from rapport.store.models.scoped import ScopedQuerySet

Mood = Literal["", "negative", "neutral", "positive"]
#: "without": conversations in which only accounts speak that look automated are left out
Machines = Literal["", "without"]
Intent = Literal["", "complaint", "question", "request", "praise", "purchase", "report"]
assert get_args(Mood) == MOODS
assert get_args(Intent)[1:] == INTENTS


class Shares(msgspec.Struct, frozen=True):
    """How many conversations of a list are in each mood and have each intent."""

    moods: dict[str, int]
    intents: dict[str, int]
    #: of those in the chosen mood with the chosen intent, how many are of accounts that look automated
    automated: int
    #: False: the list is longer than what was looked at
    whole: bool


def has_mood(mood: str) -> Q:
    """Conversations in one mood; every one for ""."""
    return Q(mood=mood_number(mood)) if mood else Q()


def has_intent(intent: str) -> Q:
    """Conversations with one intent; every one for ""."""
    return Q(GreaterThan(F("intents").bitand(intent_bit(intent)), 0)) if intent else Q()


def of_machines(machines: str) -> Q:
    """Conversations in which somebody speaks whose account does not look automated; every one for ""."""
    return Q(automated__isnull=True) | Q(automated=False) if machines == "without" else Q()


def felt_as(
    rows: ScopedQuerySet[Conversation], mood: str = "", intent: str = "", machines: str = ""
) -> ScopedQuerySet[Conversation]:
    """Those of `rows` in this mood and with this intent, as far as one is named, machines left out or not."""
    return rows.filter(has_mood(mood), has_intent(intent), of_machines(machines))


def count_shares(
    rows: ScopedQuerySet[Conversation], most: int, mood: str = "", intent: str = "", machines: str = ""
) -> Shares:
    """For each mood how many rows a list with it and `intent` has, and for each intent with `mood`: one query.

    Of a list of more than `most` rows only so many are looked at: the numbers then stand for "so many or more".
    """
    return shares_in(rows.order_by()[:most].aggregate(**counters(mood, intent, machines)), most)


def counters(mood: str = "", intent: str = "", machines: str = "") -> dict[str, Count]:
    """What `shares_in` needs of a query, by the names under which it looks for them."""
    kept = of_machines(machines)
    moods = {f"mood_{each}": Count("pk", filter=has_mood(each) & has_intent(intent) & kept) for each in MOODS[1:]}
    intents = {f"intent_{each}": Count("pk", filter=has_intent(each) & has_mood(mood) & kept) for each in INTENTS}
    left_out = Count("pk", filter=has_mood(mood) & has_intent(intent) & Q(automated=True))
    return {"looked_at": Count("pk"), "left_out": left_out, **moods, **intents}


def shares_in(found: Mapping[str, Any], most: int) -> Shares:
    """The shares of a list from what a query over `most` of its rows counted."""
    return Shares(
        {each: found[f"mood_{each}"] for each in MOODS[1:]},
        {each: found[f"intent_{each}"] for each in INTENTS},
        found["left_out"],
        whole=found["looked_at"] < most,
    )
