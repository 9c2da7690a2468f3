"""The numbers of a page: how many rows, and from where."""

from __future__ import annotations

import re

from rapport.api.door import Call
from rapport.api.problems import bad

#: The greatest id that a row can have.
MAX_ID = 2**63 - 1
_NUMBER = re.compile(r"[0-9]{1,19}")


def read_number(call: Call, name: str, default: int, most: int) -> int:
    """A number of the query, 1 to `most`. Raises `Refused` with its place and the remedy for anything else."""
    text = call.query.get(name)
    if text is None:
        return default
    if not _NUMBER.fullmatch(text) or not 1 <= int(text) <= most:
        remedy = "Take it from `next` of the page before." if name == "cursor" else f"Send a number from 1 to {most}."
        raise bad(f"query.{name}", "is not a number that can stand there", remedy)
    return int(text)
