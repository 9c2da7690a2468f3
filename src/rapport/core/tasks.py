"""What the argument of a rule's task says: "2 days:Call them back"; and the steps of a plan over days."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from rapport.core.errors import InvalidInput

MAX_TITLE = 300  # characters

_DUE = re.compile(r"\s*(?:within |in )?(\d{1,4})\s*(minute|hour|day|week)s?\s*:\s*(.*)\Z", re.DOTALL)


class TaskAsked(msgspec.Struct, frozen=True):
    """A task as a rule wrote it."""

    title: str
    #: how long after the rule fired it is due; None = no date
    within: dt.timedelta | None = None


def read_task(argument: str) -> TaskAsked:
    """ "2 days:Call them back" -> title and time; without a time in front, the whole is the title."""
    found = _DUE.match(argument)
    if found is None or not found[3].strip():
        return TaskAsked(argument.strip()[:MAX_TITLE])
    amount, unit, title = found.groups()
    return TaskAsked(title.strip()[:MAX_TITLE], dt.timedelta(**{f"{unit}s": int(amount)}))


def due_after(began: dt.datetime, within: dt.timedelta, zone: dt.tzinfo) -> dt.datetime:
    """When something is due that was begun at `began`, in UTC: whole days are days of `zone` and keep the hour of the
    day where its clocks change meanwhile; what has hours or minutes is so much time.
    """
    if within % dt.timedelta(days=1):
        return began + within
    # Python reckons within one time zone by what its clocks show
    return (began.astimezone(zone) + within).astimezone(dt.UTC)


#: steps of one plan, and the day of the last one
MOST_STEPS, LAST_DAY = 10, 365


class Step(msgspec.Struct, frozen=True):
    """One step of a plan: what is done so many days after it was begun."""

    title: str
    after: int


def read_steps(stored: Sequence[Mapping[str, Any]]) -> tuple[Step, ...]:
    """Steps from their JSON; what cannot be read is left out."""
    found = []
    for each in stored:
        try:
            found.append(msgspec.convert(each, Step))
        except msgspec.ValidationError:
            continue
    return tuple(found)


def check_steps(steps: Sequence[Step]) -> tuple[Step, ...]:
    """The steps by their days, without needless blanks. Raises `InvalidInput` for a plan that nobody could follow."""
    checked = [Step(" ".join(step.title.replace("\x00", "").split()), step.after) for step in steps]
    if not checked:
        raise InvalidInput("A plan has at least one step.")
    if len(checked) > MOST_STEPS:
        raise InvalidInput(f"A plan has at most {MOST_STEPS} steps.")
    if any(not step.title or len(step.title) > MAX_TITLE for step in checked):
        raise InvalidInput(f"Say of each step what is to be done, in at most {MAX_TITLE} characters.")
    if any(not 0 <= step.after <= LAST_DAY for step in checked):
        raise InvalidInput(f"A step comes 0 to {LAST_DAY} days after the plan was begun.")
    return tuple(sorted(checked, key=lambda step: step.after))
