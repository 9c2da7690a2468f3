"""What a decision depends on apart from the post: the moment, the clock on the wall, our own names."""

from __future__ import annotations

import datetime as dt

import msgspec


class Circumstances(msgspec.Struct, frozen=True, gc=False):
    """The desk at the moment of one decision; one value serves a whole batch."""

    #: aware
    now: dt.datetime
    #: the desk is staffed
    business_hours: bool = True
    #: in which `clock.*` is told
    zone: dt.tzinfo = dt.UTC
    #: our own handles in lower case without @; empty: not known, and any mention then counts as one of ours
    handles: frozenset[str] = frozenset()
