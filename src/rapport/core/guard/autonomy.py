"""What rules may do by themselves: for each verb, and for whom it is about, how far the guard lets it go.

A rule asks for a level; `allow` says the highest that it gets. The words of `core.rules.actions` are named here without
importing them: the guard stands above the rules.
"""

from __future__ import annotations

from typing import Literal, get_args

import msgspec

from rapport.core.decision import AUTONOMIES, Autonomy

#: stays in the house, and can be taken back there: done at once where a rule says so
Inside = Literal["note", "tag", "notify", "task", "ticket", "idea", "webhook", "escalate"]
#: where a conversation goes; comes here only as a proposal, because a rule that may act sorts by itself
Sorting = Literal["basket", "person", "priority", "skill", "quarantine"]
#: reaches a person outside: a colleague does it, one by one
Outward = Literal["draft", "boost", "like", "follow", "survey"]

INSIDE: frozenset[str] = frozenset(get_args(Inside))
SORTING: frozenset[str] = frozenset(get_args(Sorting))
OUTWARD: frozenset[str] = frozenset(get_args(Outward))

#: Effects of rules on one conversation within a day. The busiest conversations of a support desk see a handful of
#: rules fire with a handful of actions each; whatever needs more is a rule that repeats itself.
MOST_EFFECTS_A_DAY = 20
#: verbs that happen again with every post that a rule fires on: others tell programs and the ladder of each event
EVERY_TIME: frozenset[str] = frozenset({"webhook", "escalate", "notify"})


class ActFacts(msgspec.Struct, frozen=True):
    """Whom and what an effect is about."""

    #: the post is one of ours
    ours: bool = False
    #: a colleague decided not to answer them
    ignored: bool = False
    #: they asked us to stop
    suppressed: bool = False
    #: their account looks automated
    automated: bool = False
    #: the workspace hears far more negative posts than usual
    crisis: bool = False
    #: everything going out stands still
    held: bool = False
    #: an admin has turned the acknowledgement on
    acknowledging: bool = False


class Allowed(msgspec.Struct, frozen=True):
    """How far an effect may go. `level` None: not at all, and `cause` says why in a sentence."""

    level: Autonomy | None
    cause: str = ""


def allow(verb: str, asked: Autonomy, facts: ActFacts) -> Allowed:
    """The level that an effect gets: what the rule asks for, and never more than the verb and these facts allow."""
    if asked == "observe":
        return Allowed("observe")
    highest = _HIGHEST.get(verb)
    if highest is None:
        return Allowed(None, f"The guard does not know the action {verb[:40]!r}, so nothing was done.")
    if cause := _refusal(verb, facts):
        return Allowed(None, cause)
    return Allowed(min(asked, highest, key=AUTONOMIES.index))


_HIGHEST: dict[str, Autonomy] = {
    **dict.fromkeys(INSIDE, "act"),
    **dict.fromkeys(SORTING, "suggest"),
    **dict.fromkeys(OUTWARD, "suggest"),
    "draft": "draft",
    # whether somebody is left without an answer is a person's decision, and stands with their name
    "ignore": "suggest",
    "acknowledge": "act",
}


def _refusal(verb: str, facts: ActFacts) -> str:
    if verb in OUTWARD or verb == "acknowledge":
        cause = stands_against(facts)
        return cause or (
            "" if facts.acknowledging or verb != "acknowledge" else "The acknowledgement is not turned on."
        )
    return _OURS if facts.ours and verb in {"escalate", "quarantine", "ignore"} else ""


_OURS = "This is a post of our own."


def stands_against(facts: ActFacts) -> str:
    """Why nothing may be done toward this person by or upon the word of a machine; "" = nothing stands against it."""
    causes = (
        (facts.ours, _OURS),
        (facts.suppressed, "They asked us to stop."),
        (facts.ignored, "A colleague decided not to answer them."),
        (facts.automated, "Their account looks automated: a machine answers no machine."),
        (facts.crisis, "Far more negative posts than usual: in a crisis people speak, not machines."),
        (facts.held, "Everything going out is held."),
    )
    return next((cause for stands, cause in causes if stands), "")
