"""JSON that a network gave us -> typed values, for networks whose answers come as plain JSON. Pure.

What cannot be read raises `InvalidPost` with the place and the reason, and nothing else: one broken item must not take
the others with it, so callers split first (`read_json`) and take one item at a time (`take`).
"""

from __future__ import annotations

import datetime as dt
import json
import unicodedata
from typing import Any, TypeVar

import msgspec

from rapport.core.errors import InvalidPost

T = TypeVar("T")

_FIRST_MILLISECOND = 10**11  # as seconds this is the year 5138, as milliseconds 1973


def read_json(body: bytes | str) -> Any:
    """A body -> its JSON value. Lone surrogates, which no UTF-8 can hold, are taken as "?".

    Raises `InvalidPost` when it is no JSON.
    """
    try:
        return msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        pass
    try:
        found = json.loads(body, parse_constant=lambda _: None)
        return json.loads(json.dumps(found, ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError):
        raise InvalidPost("page", "is no JSON") from None


def read_object(body: bytes | str) -> dict[str, Any]:
    """As `read_json`, for a body that must be an object."""
    found = read_json(body)
    if not isinstance(found, dict):
        raise InvalidPost("page", "is no object in JSON")
    return found


def take(item: Any, kind: type[T]) -> T:
    """One decoded item as a struct; numbers written as text are taken. Raises `InvalidPost`."""
    try:
        return msgspec.convert(item, kind, strict=False)
    except msgspec.ValidationError as error:
        reason, _, path = str(error).partition(" - at `$")
        raise InvalidPost(path.strip(".`") or "item", reason) from None
    except (RecursionError, ValueError, OverflowError) as error:
        raise InvalidPost("item", str(error)) from None


def moment(value: object) -> dt.datetime | None:
    """An ISO time, or seconds or milliseconds since 1970 -> aware, in UTC; None for anything else."""
    if isinstance(value, bool) or value is None:
        return None
    try:
        if isinstance(value, int | float) or (isinstance(value, str) and value.isdecimal()):
            number = float(value)
            return dt.datetime.fromtimestamp(number / 1000 if number >= _FIRST_MILLISECOND else number, dt.UTC)
        found = dt.datetime.fromisoformat(str(value))
        return found.replace(tzinfo=dt.UTC) if found.tzinfo is None else found.astimezone(dt.UTC)
    except (ValueError, OverflowError, OSError):
        return None


def required_moment(value: object, field: str = "created_at") -> dt.datetime:
    """As `moment`. Raises `InvalidPost` when it is none."""
    found = moment(value)
    if found is None:
        raise InvalidPost(field, f"{str(value)[:40]!r} is not a time")
    return found


def clean_id(value: object, field: str = "id") -> str:
    """An id as text. Raises `InvalidPost` when there is none."""
    if isinstance(value, bool) or not isinstance(value, str | int) or not str(value).strip():
        raise InvalidPost(field, "is missing")
    return str(value)


def name_of(item: object, *keys: str) -> str:
    """The id of an item that cannot be read otherwise, for the line that says so; "" where it has none."""
    if isinstance(item, dict):
        for key in keys:
            if isinstance(item.get(key), str | int):
                return str(item[key])[:100]
    return ""


def same_text(one: str, other: str) -> bool:
    """Whether two texts are the same but for white space and the Unicode form, which networks change."""
    return _comparable(one) == _comparable(other)


def _comparable(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())
