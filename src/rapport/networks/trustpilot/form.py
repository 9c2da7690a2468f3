"""Connecting a business on Trustpilot: the form is all; the API key and secret give the token."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from urllib.parse import quote

from rapport.core.errors import GiveUp, InvalidInput, Reauthorise
from rapport.networks.base import Account, Connected, Field, Grant, Identity, Step
from rapport.networks.every import check_every, every_field
from rapport.networks.http import GuardedSession
from rapport.networks.payload import name_of
from rapport.networks.trustpilot.pull import REST
from rapport.networks.trustpilot.wire import SERVER, Missing, Trust, ask_token

_WORD = re.compile(r"[\x21-\x7e]{8,200}")
_DOMAIN = re.compile(r"(?=.{3,253}$)[\w-]+(?:\.[\w-]+)+")
_USER = re.compile(r"[0-9A-Za-z]{8,64}")

_USER_FIELD = Field(
    name="business_user_id",
    label="Business user ID",
    required=False,
    help="Who answers: the User ID on that person's profile page in Trustpilot Business. Needed for answering only.",
)
FIELDS = (
    Field(name="domain", label="Website", help="As on your Trustpilot page: example.com."),
    Field(name="api_key", label="API key", help="Trustpilot Business, Integrations, Developers, APIs."),
    Field(name="api_secret", label="API secret", kind="secret", help="From the same page."),
    _USER_FIELD,
)
GUIDE = (
    Step("In Trustpilot Business, open Integrations, Developers, APIs.", "https://businessapp.b2b.trustpilot.com/"),
    Step("Make an application there and copy its API key and secret into this form."),
    Step("Open the profile of the person who answers reviews and copy the User ID."),
    Step("Write your website as it stands on Trustpilot, and connect."),
)
SETTINGS = (
    _USER_FIELD,
    every_field(REST, "Trustpilot asks for no more than it needs; reviews do not come by the minute."),
)


def connect(fields: Mapping[str, str], session: GuardedSession, now: dt.datetime) -> Connected:
    """See `Network.connect`. Finds the business of the website and reads one review, to see that the key may."""
    key, secret = fields.get("api_key", "").strip(), fields.get("api_secret", "").strip()
    if not (_WORD.fullmatch(key) and _WORD.fullmatch(secret)):
        raise InvalidInput("The API key and secret are words without blanks; copy them from Trustpilot Business.")
    domain = fields.get("domain", "").strip().casefold().removeprefix("https://").removeprefix("http://").strip("/")
    if not _DOMAIN.fullmatch(domain):
        raise InvalidInput("Write the website as it stands on Trustpilot, for example example.com.")
    user = _read_user(fields.get("business_user_id", ""))
    named = fields.get("server", "").rstrip("/")
    server = named if named and session.is_allowed(named) else SERVER
    try:
        grant = ask_token(server, key, secret, session, now)
        trust = Trust(server, grant, session, now)
        identity = _find(trust, domain)
        trust.read(f"/v1/private/business-units/{quote(identity.account_id, safe='')}/reviews", {"perPage": 1})
    except Reauthorise as error:
        raise InvalidInput(f"{error}. Copy both anew from Trustpilot Business.") from error
    except Missing as error:
        raise InvalidInput(f"Trustpilot knows no business {domain!r}, or not with this key. ({error})") from error
    settings: dict[str, str | int | bool | list[str]] = {"business_user_id": user} if user else {}
    return Connected(server, identity, grant.encode(), settings, grant.expires_at)


def identify(account: Account, session: GuardedSession, now: dt.datetime) -> Identity:
    """See `Network.verify`."""
    trust = Trust.of(account, session, now)
    trust.read(f"/v1/private/business-units/{quote(account.account_id, safe='')}/reviews", {"perPage": 1})
    return _find(trust, account.handle)


def renew(account: Account, session: GuardedSession, now: dt.datetime) -> tuple[str, dt.datetime | None]:
    """See `Network.renew`: the key and secret give a new token."""
    more = Grant.decode(account.token).more
    grant = ask_token(account.server, more.get("api_key", ""), more.get("api_secret", ""), session, now)
    return grant.encode(), grant.expires_at


def check_settings(settings: Mapping[str, str | bool | list[str]]) -> dict[str, str | int | bool | list[str]]:
    """See `Network.check_settings`."""
    return {**check_every(settings), "business_user_id": _read_user(str(settings.get("business_user_id") or ""))}


def _read_user(entered: str) -> str:
    user = entered.strip()
    if user and not _USER.fullmatch(user):
        raise InvalidInput("The business user id is a word of letters and digits; copy it from the person's profile.")
    return user


def _find(trust: Trust, domain: str) -> Identity:
    told = trust.read("/v1/business-units/find", {"name": domain})
    identifier = name_of(told, "id")
    if not identifier:
        raise GiveUp("Trustpilot does not say which business this is")
    return Identity(
        handle=domain,
        account_id=identifier,
        name=name_of(told, "displayName"),
        url=f"https://www.trustpilot.com/review/{quote(domain)}",
    )
