"""Where a stream of X stands, and what it has spent today.

X bills every resource that an answer brings: each post, each account, each message. An account has a budget of such
reads a day (UTC, as X counts), split between its streams; what a stream has spent stands in its cursor, because that
is what survives. A request is made only while the worst that it can bring still fits.
"""

from __future__ import annotations

import datetime as dt

import msgspec

from rapport.core.errors import InvalidInput, RetryLater
from rapport.networks.base import Account

#: reads a day where nobody chose; at the dearest price of a read ($0.010 an account) ten dollars
DEFAULT_BUDGET = 1_000
#: below it a stream could not make a single request
SMALLEST_BUDGET = 500
#: looking at posts again; counted where the progress of that is kept
RECHECK = "recheck"
#: how the budget of a day is split between the streams that an account has
_WEIGHTS = {"mentions": 25, "search": 40, "own": 15, "messages": 10, RECHECK: 10}
_SNOWFLAKES_BEGIN = 1_288_834_974_657  # milliseconds since 1970; ids hold the time since then, shifted by 22 bits
_FIRST_SNOWFLAKE = 29_700_859_247  # 2010-11-04; ids before were counted, not made from the time
_LAST_ID = 2**63


class Position(msgspec.Struct, omit_defaults=True):
    """One list that is read from its newest item downwards."""

    #: everything up to this id was read
    newest: str = ""
    #: a longer list is being read in several looks: what lies between `newest` and `below` is still to come, ...
    below: str = ""
    #: ... and then the list is read up to here
    top: str = ""
    #: ids of the last minute before `newest`, which a look repeats because X indexes late
    seen: list[str] = []


class Cursor(msgspec.Struct, omit_defaults=True):
    """The cursor of one stream, as JSON."""

    #: list -> where it stands; a stream of one list calls it ""
    lists: dict[str, Position] = {}
    #: the day (UTC) that `spent` counts
    day: str = ""
    spent: int = 0
    #: when the live line last showed that it holds (ISO); while it does nobody else reads the list
    live_at: str = ""
    #: when the list was last asked for (ISO), where X allows few requests
    asked_at: str = ""
    #: until when compliance events were read (ISO)
    complied: str = ""
    #: what was already counted today of a list that cannot be asked for new items only
    counted: list[str] = []

    @classmethod
    def decode(cls, cursor: str) -> Cursor:
        """Raises `InvalidInput` for what is no cursor of X."""
        try:
            return msgspec.json.decode(cursor, type=cls) if cursor else cls()
        except msgspec.MsgspecError:
            raise InvalidInput("the cursor of an X stream is not readable; reset it to read from the start") from None

    def encode(self) -> str:
        return msgspec.json.encode(self).decode()

    def position(self, name: str = "") -> Position:
        """Where a list stands; a new one is remembered."""
        return self.lists.setdefault(name, Position())

    def left(self, account: Account, stream: str, now: dt.datetime) -> int:
        """Reads that the stream may still spend today; a new day begins the count anew."""
        day = now.astimezone(dt.UTC).date().isoformat()
        if self.day != day:
            self.day, self.spent, self.counted = day, 0, []
        return share(account, stream) - self.spent

    def check_budget(self, account: Account, stream: str, needed: int, now: dt.datetime) -> int:
        """What is left. Raises `RetryLater` until midnight UTC when a request that may bring `needed` does not fit."""
        left = self.left(account, stream, now)
        if left < needed:
            raise RetryLater(
                f"Today's budget of {budget_of(account):,} reads is used up for {stream} ({self.spent:,} of "
                f"{share(account, stream):,}). Reading goes on at midnight UTC where it stopped; "
                "a larger budget can be chosen in the settings of this account.",
                after=seconds_to_midnight(now),
            )
        return left


def budget_of(account: Account) -> int:
    """Reads a day that the account may spend."""
    chosen = account.settings.get("reads_a_day")
    return chosen if isinstance(chosen, int) and chosen > 0 else DEFAULT_BUDGET


def share(account: Account, stream: str) -> int:
    """The part of a day's budget that one stream may spend."""
    weights = {name: weight for name, weight in _WEIGHTS.items() if name != "search" or queries_of(account)}
    return budget_of(account) * weights.get(stream, 0) // sum(weights.values())


def queries_of(account: Account) -> list[str]:
    """The searches that an admin chose."""
    chosen = account.settings.get("queries")
    return [str(query).strip() for query in chosen if str(query).strip()] if isinstance(chosen, list) else []


def seconds_to_midnight(now: dt.datetime) -> float:
    """Until the next day in UTC begins."""
    today = now.astimezone(dt.UTC)
    tomorrow = dt.datetime.combine(today.date() + dt.timedelta(days=1), dt.time(), dt.UTC)
    return (tomorrow - today).total_seconds()


def is_recent(moment: str, now: dt.datetime, within: dt.timedelta) -> bool:
    """Whether an ISO time in a cursor lies at most `within` back. False for none, for nonsense, for the future."""
    try:
        return dt.timedelta(0) <= now - dt.datetime.fromisoformat(moment) < within
    except (ValueError, TypeError):
        return False


def moment_of(identifier: str) -> dt.datetime | None:
    """When something with this id was made; None for ids that hold no time."""
    if not identifier.isascii() or not identifier.isdigit() or not _FIRST_SNOWFLAKE <= int(identifier) < _LAST_ID:
        return None
    return dt.datetime.fromtimestamp(((int(identifier) >> 22) + _SNOWFLAKES_BEGIN) / 1000, dt.UTC)


def id_at(moment: dt.datetime) -> str:
    """The first id that can be made at this moment."""
    return str(max(int(moment.timestamp() * 1000) - _SNOWFLAKES_BEGIN, 0) << 22)


def age_order(identifier: str) -> int:
    """A key by which ids sort by age."""
    return int(identifier) if identifier.isascii() and identifier.isdigit() else 0
