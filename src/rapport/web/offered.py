"""What a network takes from here besides replies, for the pages."""

from __future__ import annotations

from typing import Any

import msgspec

from rapport.networks.registry import network_named
from rapport.store.queries.acts import TAKEN_BACK_BY

_ALL = frozenset({"acts", "removes", "edits"})


class Offered(msgspec.Struct, frozen=True):
    """What the network of a conversation takes from here besides replies; the page offers nothing else."""

    like: bool = False
    boost: bool = False
    follow: bool = False
    removes: bool = False
    edits: bool = False
    #: an edit is a new post in the place of the old one
    anew: bool = False


def offered_by(name: str, visibility: str = "public") -> Offered:
    """By the capabilities of the network, for a post of this visibility."""
    network = network_named(name)
    if network is None:
        return Offered()
    can = network.capabilities
    takes = can.direct if visibility == "direct" else _ALL
    acts = can.acts if "acts" in takes else frozenset()
    kinds: dict[str, Any] = {kind: kind in acts and back in acts for kind, back in TAKEN_BACK_BY.items()}
    removes, edits = can.removes and "removes" in takes, can.edits and "edits" in takes
    return Offered(**kinds, removes=removes, edits=edits, anew=can.edits_anew)
