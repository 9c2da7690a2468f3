"""Connecting a location of Google Business Profile: the form, the guide, and the two halves of the sign-in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from rapport.core.errors import GiveUp, InvalidInput
from rapport.networks import google
from rapport.networks.base import Account, Connected, Field, Handshake, Identity, Step
from rapport.networks.every import every_field
from rapport.networks.google_business.pull import API, REST
from rapport.networks.http import GuardedSession
from rapport.networks.payload import name_of

SERVER = "https://mybusiness.googleapis.com"
ACCOUNTS = "https://mybusinessaccountmanagement.googleapis.com/v1/accounts"
LOCATIONS = "https://mybusinessbusinessinformation.googleapis.com/v1"
#: the rights that are asked for, each with the reason
SCOPES = {
    "https://www.googleapis.com/auth/business.manage": "reading the reviews of your location, and answering them with "
    "the replies that a person approved",
}
FIELDS = (
    *google.CLIENT_FIELDS,
    Field(
        name="location",
        label="Location",
        required=False,
        help="Its name, shop code or number. Leave it empty when there is only one.",
    ),
)
GUIDE = (
    Step(
        "Ask Google for access to the Business Profile APIs; until it is granted the project has a quota of zero.",
        "https://developers.google.com/my-business/content/prereqs",
    ),
    *google.client_steps(
        "Google My Business API, the Account Management API and the Business Information API",
        "https://console.cloud.google.com/apis/library?q=business",
        "google_business",
    ),
    Step("Connect: sign in as an owner or manager of the verified location, and allow what is asked."),
)
SETTINGS = (every_field(REST, "Each read is one request; Google allows a project 300 a minute."),)
_MOST_ACCOUNTS, _MOST_PAGES = 20, 10


def begin(fields: Mapping[str, str], redirect_uri: str, state: str, session: GuardedSession) -> Handshake:
    """See `Network.authorize_url`."""
    begun = google.begin(fields, redirect_uri, state, SCOPES, session)
    return Handshake(begun.url, {**begun.kept, "location": fields.get("location", "").strip()})


def finish(kept: Mapping[str, str], code: str, session: GuardedSession, now: dt.datetime) -> Connected:
    """See `Network.exchange`."""
    grant = google.trade_code(kept, code, SCOPES, session, now)
    server = kept["server"] or SERVER
    wire = google.Google(server, grant, session, now)
    identity = _choose(_locations(wire), kept.get("location", ""))
    wire.read(f"{API}/{identity.account_id}/reviews", {"pageSize": 1})  # says here what would fail every minute
    return Connected(server, identity, grant.encode(), {}, grant.expires_at)


def identify(account: Account, session: GuardedSession, now: dt.datetime) -> Identity:
    """See `Network.verify`."""
    wire = google.Google.of(account, session, now)
    location = account.account_id.partition("/locations/")[2]
    told = wire.read(f"{LOCATIONS}/locations/{location}", {"readMask": "name,title,storeCode,metadata"})
    return _identity(account.account_id.partition("/locations/")[0], told)


def _locations(wire: google.Google) -> list[Identity]:
    found: list[Identity] = []
    for account in _listed(wire, ACCOUNTS, "accounts", {"pageSize": 20})[:_MOST_ACCOUNTS]:
        name = name_of(account, "name")
        if not name.startswith("accounts/"):
            continue
        params = {"readMask": "name,title,storeCode,metadata", "pageSize": 100}
        places = _listed(wire, f"{LOCATIONS}/{name}/locations", "locations", params)
        found += [_identity(name, each) for each in places if name_of(each, "name").startswith("locations/")]
    return found


def _listed(wire: google.Google, url: str, key: str, params: dict[str, Any]) -> list[Any]:
    items: list[Any] = []
    token: object = ""
    for _ in range(_MOST_PAGES):
        answer = wire.read(url, params | ({"pageToken": token} if token else {}))
        found = answer.get(key)
        items += found if isinstance(found, list) else []
        token = answer.get("nextPageToken")
        if not isinstance(token, str) or not token:
            break
    return items


def _identity(account: str, location: Any) -> Identity:
    name, title = name_of(location, "name"), name_of(location, "title")
    metadata = location.get("metadata") if isinstance(location, dict) else None
    if not name:
        raise GiveUp("Google does not say which location this is")
    return Identity(
        handle=name_of(location, "storeCode") or title or name.partition("/")[2],
        account_id=f"{account}/{name}",
        name=title,
        url=name_of(metadata, "mapsUri") or None,
    )


def _choose(locations: list[Identity], wanted: str) -> Identity:
    """The location that was meant. Raises `InvalidInput` that names those there are."""
    if not locations:
        raise InvalidInput("The person who signed in manages no location. Sign in as its owner or manager.")
    names = ", ".join(f"{each.name or each.handle} ({each.account_id.rpartition('/')[2]})" for each in locations[:20])
    word = wanted.casefold()
    if not word:
        if len(locations) > 1:
            raise InvalidInput(f"There are several. Write which location is meant, by name or number: {names}")
        return locations[0]
    for each in locations:
        known = {each.name.casefold(), each.handle.casefold(), each.account_id.rpartition("/")[2], each.account_id}
        if word in known:
            return each
    raise InvalidInput(f"{wanted[:100]!r} is none of them. There are: {names}")
