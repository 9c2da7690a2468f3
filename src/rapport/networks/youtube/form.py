"""Connecting a channel of YouTube: what the form asks, the guide beside it, and the two halves of the sign-in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from rapport.core.errors import GiveUp, InvalidInput
from rapport.networks import google
from rapport.networks.base import Account, Connected, Field, Handshake, Identity, Step
from rapport.networks.every import check_every, every_field
from rapport.networks.http import GuardedSession
from rapport.networks.payload import name_of
from rapport.networks.youtube.parse import items_of
from rapport.networks.youtube.pull import API, DAILY, DAILY_BUDGET, REST, SEARCH_BUDGET, SEARCH_COST

SERVER = "https://youtube.googleapis.com"
#: the rights that are asked for, each with the reason
SCOPES = {
    "https://www.googleapis.com/auth/youtube.force-ssl": "reading the comments on your videos, and answering them with "
    "the replies that a person approved, and changing or deleting those replies",
}
FIELDS = google.CLIENT_FIELDS
GUIDE = (
    *google.client_steps(
        "YouTube Data API v3",
        "https://console.cloud.google.com/apis/library/youtube.googleapis.com",
        "youtube",
    ),
    Step("Connect: sign in, choose the channel that shall speak for you, and allow what is asked."),
    Step(
        "If the channel is busy, ask Google for more than 10,000 units a day.",
        "https://support.google.com/youtube/contact/yt_api_form",
    ),
)
SETTINGS = (
    every_field(REST, "Each read of the comments costs 1 unit, and 5 more every quarter of an hour."),
    Field(
        name="searches",
        label="Searches for videos",
        kind="lines",
        required=False,
        help="One a line. A look costs 100 units, so each search is made a few times a day: see the budget below.",
    ),
    Field(
        name="daily_units",
        label="Units a day for reading",
        default=str(DAILY_BUDGET),
        required=False,
        help="Google grants a project 10,000 units a day. An answer costs 50: leave room for them.",
    ),
    Field(
        name="search_units",
        label="Of these, for searches",
        default=str(SEARCH_BUDGET),
        required=False,
        help="4,000 units are 40 looks a day, shared by all searches.",
    ),
    Field(
        name="held",
        label="Read comments that are held for review",
        kind="flag",
        required=False,
        help="They are shown as not public until you publish them on YouTube.",
    ),
)


def begin(fields: Mapping[str, str], redirect_uri: str, state: str, session: GuardedSession) -> Handshake:
    """See `Network.authorize_url`."""
    return google.begin(fields, redirect_uri, state, SCOPES, session)


def finish(kept: Mapping[str, str], code: str, session: GuardedSession, now: dt.datetime) -> Connected:
    """See `Network.exchange`."""
    grant = google.trade_code(kept, code, SCOPES, session, now)
    server = kept["server"] or SERVER
    identity = _identify(google.Google(server, grant, session, now))
    return Connected(server, identity, grant.encode(), {}, grant.expires_at)


def identify(account: Account, session: GuardedSession, now: dt.datetime) -> Identity:
    """See `Network.verify`."""
    return _identify(google.Google.of(account, session, now))


def check_settings(
    settings: Mapping[str, str | bool | list[str]],
) -> dict[str, str | int | bool | list[str]]:
    """See `Network.check_settings`: budgets are numbers, and searches fit into theirs."""
    checked = check_every(settings)
    for name, default in (("daily_units", DAILY_BUDGET), ("search_units", SEARCH_BUDGET)):
        value = str(settings.get(name) or "").replace(",", "").strip() or str(default)
        if not value.isdecimal() or not 0 < int(value[:12]) <= 100 * DAILY:
            raise InvalidInput(f"A budget is a whole number of units, for example {default}.")
        checked[name] = value
    found = settings.get("searches")
    searches = list(dict.fromkeys(" ".join(str(words).split()) for words in found)) if isinstance(found, list) else []
    searches = [words for words in searches if words]
    if any(len(words) > 200 for words in searches):
        raise InvalidInput("A search has at most 200 characters.")
    budget = min(int(str(checked["search_units"])), int(str(checked["daily_units"])))
    if searches and budget // len(searches) < SEARCH_COST:
        raise InvalidInput(
            f"{len(searches)} searches need at least {len(searches) * SEARCH_COST:,} units a day, 100 for a look each; "
            f"the budget for searches is {budget:,}."
        )
    checked["searches"] = searches
    return checked


def _identify(wire: google.Google) -> Identity:
    answer = wire.read(f"{API}/channels", {"part": "snippet", "mine": "true"})
    items = items_of(answer)
    identifier = name_of(items[0], "id") if items else ""
    if not identifier:
        raise GiveUp("The account that signed in has no YouTube channel. Make one, or choose another account.")
    snippet: Any = items[0].get("snippet")
    handle = name_of(snippet, "customUrl").removeprefix("@")
    return Identity(
        handle=handle or identifier,
        account_id=identifier,
        name=name_of(snippet, "title"),
        url=f"https://www.youtube.com/channel/{identifier}",
    )
