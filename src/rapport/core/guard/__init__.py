"""The outbound guard: what may leave the house, checked against the rules of the networks and our own."""

from __future__ import annotations

from rapport.core.guard.acts import TAKES_BACK, check_act
from rapport.core.guard.checks import BY_SENDER, OVERRIDABLE, RULES, GuardFacts, SentText, check, holding_rule
from rapport.core.guard.policy import NETWORKS, NetworkPolicy, Policy, Window, length, limit
from rapport.core.guard.sameness import essence, similarity
from rapport.core.guard.stop import stop_words

__all__ = [
    "BY_SENDER",
    "NETWORKS",
    "OVERRIDABLE",
    "RULES",
    "TAKES_BACK",
    "GuardFacts",
    "NetworkPolicy",
    "Policy",
    "SentText",
    "Window",
    "check",
    "check_act",
    "essence",
    "holding_rule",
    "length",
    "limit",
    "similarity",
    "stop_words",
]
