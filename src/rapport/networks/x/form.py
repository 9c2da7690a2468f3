"""Connecting an X account: OAuth 2.0 with PKCE, by an application that the admin has at X.

X gives a new refresh token with every renewal and forgets the old one: `renew` returns both in one string, which the
caller keeps before anything else is done with the account.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import re
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec

from rapport.core.errors import GiveUp, InvalidInput, Reauthorise, RetryLater, Unconfirmed
from rapport.networks.base import Account, Connected, Field, Grant, Handshake, Identity, Step
from rapport.networks.http import GuardedSession
from rapport.networks.x.cursor import DEFAULT_BUDGET, SMALLEST_BUDGET
from rapport.networks.x.wire import SERVER, Wire, app_token_of

AUTHORIZE = "https://x.com/i/oauth2/authorize"
TOKEN_PATH = "/2/oauth2/token"  # noqa: S105  # an address
#: the rights that are asked for, each with the reason
SCOPES = {
    "tweet.read": "posts that mention the account, that a search finds, and our own",
    "users.read": "who the access speaks for, and who wrote a post",
    "tweet.write": "sending the replies that a person approved",
    "media.write": "images that go with a reply",
    "like.write": "likes, each pressed by a person",
    "follows.write": "following somebody, each time pressed by a person",
    "dm.read": "private messages to the account",
    "dm.write": "answering them after a person approved it",
    "offline.access": "going on after two hours without asking you again",
}
FIELDS = (
    Field("client_id", "Client ID", help="Of your X app: Developer Console, your app, Keys and tokens, OAuth 2.0."),
    Field(
        "client_secret", "Client secret", kind="secret", required=False,
        help="Beside it. Leave it empty if X calls your app a public client.",
    ),
    Field(
        "app_token", "Bearer token of the app", kind="secret", required=False,
        help="Only for the live line and for lists of deletions. It speaks for the app, not for the account.",
    ),
)  # fmt: skip
GUIDE = (
    Step("Sign in to X's Developer Console and create an app, or open yours. Reading and writing cost credits.",
         "https://console.x.com/"),
    Step("Under User authentication settings choose Read and write and Direct message, and the type Web App."),
    Step("As callback address enter the one that this page shows above the form, exactly as it is."),
    Step("Copy the Client ID and the Client secret from Keys and tokens into this form. Set a spending limit there."),
    Step("Sign in to X with the account that shall speak for you, and allow what Rapport asks for."),
)  # fmt: skip
SETTINGS = (
    Field(
        "queries", "Searches", kind="lines", required=False,
        help="One a line, in X's own words: \"acme delay\" lang:en -is:retweet. The last seven days are found.",
    ),
    Field(
        "reads_a_day", "Reads a day at most", required=False, default=str(DEFAULT_BUDGET),
        help=(
            "X bills every post, account and message that it sends ($0.001 to $0.010 each in 2026). Reading stops at "
            f"this number and goes on at midnight UTC. At least {SMALLEST_BUDGET}."
        ),
    ),
    Field(
        "live", "Follow the searches live", kind="flag", required=False,
        help="Needs the bearer token of the app. Posts arrive within seconds instead of with the next look.",
    ),
    Field(
        "backfill", "My plan includes backfill", kind="flag", required=False,
        help="After a break of up to five minutes the live line repeats what it missed (enterprise plans).",
    ),
    Field(
        "compliance", "My plan includes the compliance streams", kind="flag", required=False,
        help="X then tells of deleted posts and suspended accounts within minutes (enterprise plans).",
    ),
)  # fmt: skip
_MOST_QUERIES, _LONGEST_QUERY = 50, 4_096
_MOST_READS = 2_000_000  # what X sells in a month
_TOKEN = re.compile(r"[\x21-\x7e]{1,4000}")


class _User(msgspec.Struct):
    id: str
    username: str
    name: str = ""


class _Me(msgspec.Struct):
    data: _User


def begin(fields: Mapping[str, str], redirect_uri: str, state: str) -> Handshake:
    """See `Network.authorize_url`. Raises `InvalidInput` for keys that no app has."""
    client_id = _entered(fields, "client_id", "Client ID", required=True)
    verifier = secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    query = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "scope": " ".join(SCOPES),
        "state": state,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    kept = {
        "server": fields.get("server") or SERVER,
        "client_id": client_id,
        "client_secret": _entered(fields, "client_secret", "Client secret", required=False),
        "app_token": _entered(fields, "app_token", "Bearer token of the app", required=False),
        "redirect_uri": redirect_uri,
        "verifier": verifier,
    }
    return Handshake(f"{AUTHORIZE}?{urlencode(query)}", kept)


def finish(kept: Mapping[str, str], code: str, session: GuardedSession) -> Connected:
    """See `Network.exchange`. Raises `Reauthorise` when the code is no good or a right was not granted."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "client_id": kept["client_id"],
        "redirect_uri": kept["redirect_uri"],
        "code_verifier": kept["verifier"],
    }
    wire = Wire(kept["server"], session)
    answer = wire.submit(TOKEN_PATH, form, kept["client_id"], kept["client_secret"])
    granted = set(str(answer.get("scope") or "").split())
    missing = [scope for scope in SCOPES if granted and scope not in granted]
    if missing:
        raise Reauthorise(f"X did not grant {', '.join(missing)}; connect again and allow all that is asked for")
    more = {name: kept[name] for name in ("client_id", "client_secret", "app_token") if kept.get(name)}
    grant = _grant(answer, "", more, dt.datetime.now(dt.UTC))
    identity = identify(Wire(kept["server"], session, grant.access))
    return Connected(kept["server"], identity, grant.encode(), expires_at=grant.expires_at)


def renew(account: Account, session: GuardedSession) -> tuple[str, dt.datetime | None]:
    """See `Network.renew`. The old refresh token is worthless once X has answered: keep what this returns first."""
    grant = Grant.decode(account.token)
    client_id = grant.more.get("client_id", "")
    if not grant.refresh or not client_id:
        raise Reauthorise("This access cannot be renewed; connect the account again.")
    form = {"grant_type": "refresh_token", "refresh_token": grant.refresh, "client_id": client_id}
    wire = Wire(account.server, session)
    try:
        answer = wire.submit(TOKEN_PATH, form, client_id, grant.more.get("client_secret", ""))
    except Unconfirmed as error:
        # X may have thrown the old one away: the next try tells, and then asks for a new connection
        raise RetryLater(f"X did not answer while the access was renewed: {error}", after=30.0) from error
    renewed = _grant(answer, grant.refresh, grant.more, dt.datetime.now(dt.UTC))
    return renewed.encode(), renewed.expires_at


def identify(wire: Wire) -> Identity:
    """Who the access speaks for."""
    body = wire.read("/2/users/me", {"user.fields": ("id", "name", "username")}).content
    try:
        user = msgspec.json.decode(body, type=_Me, strict=False).data
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise GiveUp("X does not say whose access this is") from None
    return Identity(user.username, user.id, user.name, f"https://x.com/{user.username}")


def check_settings(
    settings: Mapping[str, str | bool | list[str]], account: Account
) -> dict[str, str | int | bool | list[str]]:
    """See `Network.check_settings`."""
    entered = settings.get("queries") or []
    lines = entered.splitlines() if isinstance(entered, str) else entered if isinstance(entered, list) else []
    queries = list(dict.fromkeys(" ".join(line.split()) for line in lines if line.strip()))
    if len(queries) > _MOST_QUERIES:
        raise InvalidInput(
            f"{len(queries)} searches are more than X is asked for; join some with OR ({_MOST_QUERIES} at most)."
        )
    for number, query in enumerate(queries, start=1):
        _check_query(number, query)
    flags: dict[str, str | int | bool | list[str]] = {
        name: bool(settings.get(name)) for name in ("live", "backfill", "compliance")
    }
    if (flags["live"] or flags["compliance"]) and not app_token_of(account):
        raise InvalidInput(
            "The live line and the compliance streams need the bearer token of the app: connect again with it."
        )
    return {"queries": queries, "reads_a_day": _reads(settings.get("reads_a_day")), **flags}


def _check_query(number: int, query: str) -> None:
    if len(query) > _LONGEST_QUERY:
        raise InvalidInput(f"Search {number} has {len(query):,} characters; X takes {_LONGEST_QUERY:,} at most.")
    if query.count('"') % 2:
        raise InvalidInput(f'Search {number}: a quotation mark has no partner. Write "words in a row".')
    unquoted = re.sub(r'"[^"]*"', "", query)
    if unquoted.count("(") != unquoted.count(")"):
        raise InvalidInput(f"Search {number}: a parenthesis has no partner.")


def _reads(entered: str | bool | list[str] | None) -> int:
    text = str(entered or DEFAULT_BUDGET).strip().replace(",", "").replace(" ", "")
    if not text.isascii() or not text.isdigit() or not SMALLEST_BUDGET <= int(text[:10]) <= _MOST_READS:
        raise InvalidInput(f"Reads a day: write a number from {SMALLEST_BUDGET} to {_MOST_READS:,}.")
    return int(text)


def _grant(answer: Mapping[str, Any], refresh: str, more: dict[str, str], now: dt.datetime) -> Grant:
    access = answer.get("access_token")
    if not isinstance(access, str) or not _TOKEN.fullmatch(access):
        raise GiveUp("X's answer has no usable access token")
    told = answer.get("refresh_token")
    seconds = answer.get("expires_in")
    expires = now + dt.timedelta(seconds=min(seconds, 31_536_000)) if isinstance(seconds, int) and seconds > 0 else None
    return Grant(access, told if isinstance(told, str) and told else refresh, expires, more)


def _entered(fields: Mapping[str, str], name: str, label: str, *, required: bool) -> str:
    value = fields.get(name, "").strip()
    if (required or value) and not _TOKEN.fullmatch(value):
        raise InvalidInput(f"{label}: paste it as X's console shows it, without blanks.")
    return value
