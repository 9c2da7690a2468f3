"""`check_act`: may a like, a boost, a follow, a deletion or an edit leave the house?

It is asked at the approval and again just before the act leaves. No setting and no rule lets a machine do
any of these: `human-only` refuses what nobody approved.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from rapport.core.guard.checks import GuardFacts, check, check_pace, verdict_of
from rapport.core.guard.policy import Policy
from rapport.core.reply import Act, Reply, Verdict

#: they only take back what we did: nothing about the person or the post stands against them
TAKES_BACK = frozenset({"unlike", "unboost", "unfollow", "delete"})
_ALWAYS = frozenset({"human-only", "channel-off", "crisis-hold"})
_TOWARD = _ALWAYS | {"suppressed", "bot", "deleted"}
_WORDS = _ALWAYS | {"suppressed", "unreadable", "empty", "too-long", "x-cashtag", "near-same"}
#: kind of act -> the rules that have a say in it; those that are not named here are judged as a like is
_RULES: Mapping[str, frozenset[str]] = {
    "edit": _WORDS, "post": _WORDS | {"no-alt", "budget"}, **dict.fromkeys(TAKES_BACK, _ALWAYS),
}  # fmt: skip


def check_act(act: Act, facts: GuardFacts, policy: Policy, now: dt.datetime) -> Verdict:
    """As `check`, for an act beside replies: the rules that bear on its kind, and the pace of that kind."""
    as_reply = Reply(
        network=act.network, channel=act.channel, target=act.target, text=act.text, visibility=act.visibility,
        media=act.media, parts=act.parts, approved_by=act.approved_by,
    )  # fmt: skip
    rules = _RULES.get(act.kind, _TOWARD)
    found = [each for each in check(as_reply, facts, policy, now).findings if each.rule in rules]
    # a network counts what we say of our own accord together with our answers, each post of a thread as one
    kind, times = ("reply", max(1, len(act.parts) - facts.parts_sent)) if act.kind == "post" else (act.kind, 1)
    return verdict_of([*found, *check_pace(kind, act.visibility, facts, policy.of(act.network), now, times)])
