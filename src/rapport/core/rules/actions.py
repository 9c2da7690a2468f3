"""What a rule can do: the table of actions and the reader of one."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Literal

import msgspec

from rapport.core.decision import PRIORITIES
from rapport.core.rules.syntax import Fault, nearest

Verb = Literal["basket", "priority", "draft", "notify", "tag", "quarantine"]


class Action(msgspec.Struct, frozen=True):
    """One thing that a rule does; `argument` is empty for `quarantine`."""

    verb: Verb
    argument: str
    #: as it stands in the document
    written: str


#: (form, meaning) for the reference page.
ACTIONS: dict[Verb, tuple[str, str]] = {
    "basket": ("basket:SLUG", "put the conversation into this basket; the first rule that names one wins"),
    "priority": (
        f"priority:{'|'.join(PRIORITIES)}",
        "how soon it should be answered; the first rule that names one wins; medium when none does",
    ),
    "draft": ("draft:SLUG", "prepare an answer from this template for a person to edit; the first rule wins"),
    "notify": ("notify:NAME", "tell this group or person; every matching rule adds to it"),
    "tag": ("tag:NAME", "put a tag on it; every matching rule adds to it"),
    "quarantine": ("quarantine", "keep it out of sight on the quarantine page; nothing is ever deleted"),
}

#: Set by the evaluator on a post for which a rule broke, so that it can be found.
ERROR_TAG = "rule-error"

_NAME = re.compile(r"[\w][\w.-]{0,62}\Z")


def read_action(written: str, baskets: Collection[str] | None) -> Action:
    """ "priority:high" -> its `Action`. Raises `Fault` (offsets within `written`) for anything unknown."""
    verb, colon, argument = written.partition(":")
    if verb not in ACTIONS:
        guess = nearest(verb, ACTIONS)
        raise Fault(f"there is no action {verb[:60]!r}", 0, ACTIONS[guess][0] if guess else "")  # type: ignore[index]
    form = ACTIONS[verb][0]
    start = len(verb) + 1
    if verb == "quarantine":
        if colon:
            raise Fault("quarantine takes no argument", len(verb), form)
    elif not argument:
        raise Fault(f"{verb} needs an argument", len(verb), form)
    elif verb == "priority":
        if argument not in PRIORITIES:
            raise Fault(f"there is no priority {argument[:60]}", start, nearest(argument, PRIORITIES) or form)
    elif not _NAME.match(argument):
        raise Fault(f"{argument[:60]!r} is no name: letters, digits, hyphens, at most 63", start)
    elif verb == "basket" and baskets is not None and argument not in baskets:
        raise Fault(f"there is no basket {argument}", start, nearest(argument, baskets))
    return Action(verb=verb, argument=argument, written=written)
