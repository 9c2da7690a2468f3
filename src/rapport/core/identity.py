"""What is known of a person, put together from two and taken apart again.

A join writes down what was known of both before it. So every join can be undone, in any order: `rebase` carries the
difference through everything that was built on it since, and leaves alone what a person decided in the meantime.
"""

from __future__ import annotations

import datetime as dt

import msgspec


class Known(msgspec.Struct, frozen=True):
    """What we know of a person, apart from their handles and what they said."""

    first_seen: dt.datetime
    last_seen: dt.datetime
    name: str = ""
    about: str = ""
    #: what they are to us; "" = nobody said
    relationship: str = ""
    #: a colleague decided not to answer them
    ignored: bool = False
    #: they asked us to stop; "" = they did not
    suppressed_reason: str = ""
    #: membership id of the colleague who knows them
    known_to: int | None = None
    #: row ids of the decisions not to answer them, that of now and those that ended
    ignorings: tuple[int, ...] = ()


def combine(kept: Known, joined: Known) -> Known:
    """Both as one person: what is said of `kept` goes before, the stricter of ignored and suppressed holds."""
    about = kept.about if joined.about in kept.about else f"{kept.about}\n\n{joined.about}".strip()
    return Known(
        first_seen=min(kept.first_seen, joined.first_seen),
        last_seen=max(kept.last_seen, joined.last_seen),
        name=kept.name or joined.name,
        about=about,
        relationship=kept.relationship or joined.relationship,
        ignored=kept.ignored or joined.ignored,
        suppressed_reason=kept.suppressed_reason or joined.suppressed_reason,
        known_to=joined.known_to if kept.known_to is None else kept.known_to,
        ignorings=tuple(sorted({*kept.ignorings, *joined.ignorings})),
    )


def rebase(now: Known, old: Known, new: Known) -> Known:
    """`now`, which came about on top of `old`, as if it had come about on top of `new`.

    Field by field: what still says what `old` said follows to `new`, what was changed since stays.
    """
    moved = {name: getattr(new, name) for name in Known.__struct_fields__ if getattr(now, name) == getattr(old, name)}
    return msgspec.structs.replace(now, **moved)


def carry_strictness(returning: Known, now: Known, old: Known) -> Known:
    """`returning` with what was decided while they were joined: whoever must be left alone is so on both sides.

    `old` is what the join alone would say of the person kept; where `now` is stricter, somebody decided so since, and
    nobody can say for which of the two.
    """
    suppressed = now.suppressed_reason if now.suppressed_reason != old.suppressed_reason else ""
    return msgspec.structs.replace(
        returning,
        ignored=returning.ignored or (now.ignored and not old.ignored),
        suppressed_reason=returning.suppressed_reason or suppressed,
    )
