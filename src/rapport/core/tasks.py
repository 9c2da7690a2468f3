"""What the argument of a rule's task says: "2 days:Call them back"."""

from __future__ import annotations

import datetime as dt
import re

import msgspec

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
