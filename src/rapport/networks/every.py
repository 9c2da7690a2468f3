"""The setting for the time between two reads of an account, where a network bears fewer than the listener begins.

A network that has it keeps in its cursors when it last asked, and a pull before the time yields nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from rapport.core.errors import InvalidInput
from rapport.networks.base import Account, Field

#: the name of the setting; its value is in seconds
EVERY = "every"
_LEAST, _MOST = 15, 86_400  # seconds


def pause_of(account: Account, rest: dt.timedelta) -> dt.timedelta:
    """The time between two reads: `rest` where the settings of the account name none."""
    chosen = str(account.settings.get(EVERY) or "")
    return dt.timedelta(seconds=int(chosen)) if chosen.isdecimal() and len(chosen) < 6 else rest


def every_field(rest: dt.timedelta, why: str) -> Field:
    """The setting for the time between two reads; `why` says what reading more often costs."""
    seconds = f"{rest.total_seconds():.0f}"
    return Field(name=EVERY, label="Seconds between two reads", default=seconds, required=False, help=why)


def check_every(settings: Mapping[str, str | bool | list[str]]) -> dict[str, str | int | bool | list[str]]:
    """The settings with that time checked. Raises `InvalidInput`."""
    chosen = str(settings.get(EVERY) or "").strip()
    if chosen and not (chosen.isdecimal() and _LEAST <= int(chosen[:9]) <= _MOST):
        raise InvalidInput(f"The time between two reads is a whole number of seconds from {_LEAST} to {_MOST:,}.")
    return {**settings, EVERY: chosen}
