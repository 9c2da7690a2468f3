"""What the app has sent that speaks for an account: some networks count it over all accounts together."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

import msgspec
from django.db.models import Q

from rapport.core.errors import Reauthorise
from rapport.core.guard import NETWORKS
from rapport.core.guard.policy import CAUTIOUS
from rapport.store.models import Channel, Delivery
from rapport.store.secrets import unseal

#: room that is left for more than one reply of many posts
_PLENTY = 100


class _Token(msgspec.Struct):
    """What of a token says which app it was given to."""

    more: dict[str, str] = {}


def app_of(channel: Channel) -> str:
    """The id by which the network knows the app that speaks for an account; "" where that is not known."""
    try:
        return msgspec.json.decode(unseal(channel.token), type=_Token).more.get("client_id", "")
    except (msgspec.MsgspecError, Reauthorise):
        return ""


def app_times(
    channel: Channel, states: Collection[str], besides: Delivery | None, now: dt.datetime
) -> tuple[dt.datetime, ...]:
    """When the app of this account sent public posts within the last day, out of whichever account and workspace.

    `states`: of deliveries that have left or may leave. () where it has plenty of room, and on networks that count
    none. Accounts of which the app is not known share one in their workspace. What stands behind `besides` in the line
    is not counted.
    """
    windows = NETWORKS.get(channel.network, CAUTIOUS).app_pace
    if not windows:
        return ()
    app = app_of(channel)
    same = Channel.objects.filter(network=channel.network, server=channel.server)
    if not app:
        same = same.filter(workspace=channel.workspace_id)
    ids = [each.pk for each in same if app_of(each) == app]
    said = Q(approval__kind__isnull=True) | Q(approval__kind="post")
    rows = Delivery.objects.filter(
        said, channel__in=ids, state__in=states, queued_at__gt=now - dt.timedelta(days=1)
    ).exclude(approval__visibility="direct")
    if besides is not None:
        rows = rows.exclude(pk=besides.pk).filter(Q(pushed_at__isnull=False) | Q(pk__lt=besides.pk))
    threads = rows.filter(approval__parts__isnull=False).values_list("approval__parts", flat=True)
    several = sum(len(parts) - 1 for parts in threads if parts)
    if rows.count() + several + _PLENTY < min(window.most for window in windows):
        return ()
    told = rows.values_list("pushed_at", "queued_at", "approval__parts")
    return tuple(pushed or queued for pushed, queued, parts in told for _ in parts or ("one post",))
