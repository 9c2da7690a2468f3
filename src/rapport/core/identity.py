"""What is known of a person, put together from two and taken apart again.

A join writes down what was known of both before it. So every join can be undone, in any order: `rebase` carries the
difference through everything that was built on it since, and leaves alone what a person decided in the meantime.
"""

from __future__ import annotations

import datetime as dt

import msgspec


class Held(msgspec.Struct, frozen=True):
    """What a person has in one field that the workspace made."""

    #: row id of the field
    field: int
    value: str
    #: membership id of who wrote it down; None = they are gone
    by: int | None
    at: dt.datetime


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
    #: row ids of the notes on them
    notes: tuple[int, ...] = ()
    #: row ids of what they allowed or refused us, that of now and what was taken back
    consents: tuple[int, ...] = ()
    #: one for each field that has something, by the row id of the field
    values: tuple[Held, ...] = ()


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
        notes=tuple(sorted({*kept.notes, *joined.notes})),
        consents=tuple(sorted({*kept.consents, *joined.consents})),
        values=_in_order({**_by_field(joined), **_by_field(kept)}),
    )


def _by_field(known: Known) -> dict[int, Held]:
    return {held.field: held for held in known.values}


def _in_order(values: dict[int, Held]) -> tuple[Held, ...]:
    return tuple(values[field] for field in sorted(values))


def rebase(now: Known, old: Known, new: Known) -> Known:
    """`now`, which came about on top of `old`, as if it had come about on top of `new`.

    Field by field: what still says what `old` said follows to `new`, what was changed since stays.
    """
    moved = {name: getattr(new, name) for name in Known.__struct_fields__ if getattr(now, name) == getattr(old, name)}
    mine, was, becomes = _by_field(now), _by_field(old), _by_field(new)
    for field in {*was, *becomes}:
        if mine.get(field) == was.get(field):
            mine.pop(field, None)
            if field in becomes:
                mine[field] = becomes[field]
    return msgspec.structs.replace(now, **{**moved, "values": _in_order(mine)})


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
