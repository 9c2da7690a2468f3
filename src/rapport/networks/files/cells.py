"""What stands in one cell of a table: times, ids, numbers, truth; each refused with the name of its column."""

from __future__ import annotations

import datetime as dt
import hashlib
import re

from rapport.core.errors import InvalidPost

_MONTHS = ("", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_ROUNDED = re.compile(r"[\d.,]+E\+\d+", re.IGNORECASE)


def as_time(value: str, column: str) -> dt.datetime:
    """A moment in UTC from "Tue Oct 31 22:10:47 +0000 2017", "2015-02-24 11:35:52 -0800" or ISO 8601."""
    parts = value.split()
    try:
        if len(parts) == 6:
            _, month, day, clock, zone, year = parts
            moment = dt.datetime.fromisoformat(f"{year}-{_MONTHS.index(month):02}-{int(day):02}T{clock}{zone}")
        elif len(parts) == 3:
            moment = dt.datetime.fromisoformat(f"{parts[0]}T{parts[1]}{parts[2]}")
        else:
            moment = dt.datetime.fromisoformat(value.strip())
        if moment.tzinfo is None:
            raise InvalidPost(column, f"{value[:60]!r} has no time zone; write 2026-01-31T10:00:00Z")
        return moment.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        raise InvalidPost(column, f"{value[:60]!r} is not a time; write 2026-01-31T10:00:00Z") from None


def as_id(value: str, column: str) -> str:
    """An id as the network gave it, "" where the cell is empty. Refuses an id that a spreadsheet has rounded."""
    value = value.strip()
    if _ROUNDED.fullmatch(value):
        raise InvalidPost(column, f"{value!r} was rounded by a spreadsheet; export the file again with ids as text")
    # whole numbers that went through a table of floats
    return value[:-2] if value.endswith(".0") and value[:-2].isdigit() else value


def derived_id(*parts: str) -> str:
    """An id for a row without one: the same row always gets the same id, so a second import finds it known."""
    joined = b"".join(len(raw).to_bytes(8, "big") + raw for raw in (part.encode("utf-8", "replace") for part in parts))
    return f"derived-{hashlib.sha256(joined).hexdigest()[:32]}"


def as_count(value: str) -> int:
    """A counter, 0 where the cell is empty or no number: a missing counter never costs a post."""
    value = value.strip()
    return int(value) if value.isascii() and value.isdigit() and len(value) < 16 else 0


def as_rating(value: str, column: str) -> float:
    """Stars. The range is checked where every post is admitted."""
    try:
        return float(value)
    except ValueError:
        raise InvalidPost(column, f"{value[:60]!r} is not a number from 1 to 5") from None


def as_truth(value: str, column: str) -> bool:
    """True or False, in the spellings that exports use."""
    word = value.strip().lower()
    if word in {"true", "1", "yes"}:
        return True
    if word in {"false", "0", "no"}:
        return False
    raise InvalidPost(column, f"{value[:60]!r} is neither True nor False")
