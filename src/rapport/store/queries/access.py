"""Whether a network has ended our access for good, and when what came from it goes because of that."""

from __future__ import annotations

import datetime as dt

from rapport.store.models import Channel

#: network -> how long after its access ended what came from it goes by itself; a day is left for trouble
ENDS: dict[str, dt.timedelta] = {"x": dt.timedelta(days=9)}
#: in the settings of a channel: since when, as `state_at` tells it; connected again, that is another time
ENDED = "ended_since"


def says_end(channel: Channel, now: dt.datetime) -> bool:
    """Whether a token that the network refuses is a sign of it: not one that had run out, nor one whose renewal was
    begun and not heard of again, for then the new one may be lost on the way.
    """
    expires = channel.token_expires_at
    return channel.network in ENDS and channel.renewing_until is None and (expires is None or expires > now)


def has_ended(channel: Channel) -> bool:
    """Whether the network ended it, or a person here did."""
    if channel.state == Channel.State.OFF:
        return True
    told = channel.settings.get(ENDED)
    return channel.state == Channel.State.REAUTHORISE and told == channel.state_at.isoformat()


def goes_at(channel: Channel) -> dt.datetime | None:
    """When what was heard through it goes, unless it is connected again; None where it stays."""
    after = ENDS.get(channel.network)
    return channel.state_at + after if after is not None and has_ended(channel) else None
