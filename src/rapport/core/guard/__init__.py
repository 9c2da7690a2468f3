"""The outbound guard: what may leave the house, checked against the rules of the networks and our own."""

from __future__ import annotations

from rapport.core.guard.checks import OVERRIDABLE, RULES, GuardFacts, SentText, check
from rapport.core.guard.policy import NETWORKS, NetworkPolicy, Policy, Window, length, limit
from rapport.core.guard.sameness import essence, similarity
from rapport.core.guard.stop import stop_words

__all__ = [
    "NETWORKS",
    "OVERRIDABLE",
    "RULES",
    "GuardFacts",
    "NetworkPolicy",
    "Policy",
    "SentText",
    "Window",
    "check",
    "essence",
    "length",
    "limit",
    "similarity",
    "stop_words",
]
