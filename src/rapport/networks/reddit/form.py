"""Connecting a Reddit account: the OAuth code flow for a permanent access, by an application of the admin's own."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec

from rapport.core.errors import GiveUp, InvalidInput, Reauthorise
from rapport.networks.base import Account, Connected, Field, Grant, Handshake, Identity, Step
from rapport.networks.http import GuardedSession
from rapport.networks.reddit.parse import SITE
from rapport.networks.reddit.wire import SERVER, Wire

#: the rights that are asked for, each with the reason
SCOPES = {
    "identity": "who the access speaks for",
    "read": "posts and comments of the subreddits and searches that you choose",
    "privatemessages": "the inbox: answers, mentions and private messages",
    "history": "our own comments, to find a reply whose answer was lost",
    "submit": "sending the replies that a person approved",
    "edit": "changing and deleting those replies, where a person asks for it",
    "vote": "the votes that a person gives, one press for each",
}
FIELDS = (
    Field("client_id", "Client ID", help="The short line below the name of your app on reddit.com/prefs/apps."),
    Field("client_secret", "Secret", kind="secret", help="Beside the word secret on the same page."),
)
GUIDE = (
    Step("Ask Reddit for access to its Data API if you answer for a company: its terms want that.",
         "https://support.reddithelp.com/hc/en-us/articles/16160319875092-Reddit-Data-API-Wiki"),
    Step("Create an app of the type web app. As redirect uri enter the address that this page shows above the form.",
         "https://www.reddit.com/prefs/apps"),
    Step("Copy its client ID and secret into this form."),
    Step("Sign in to Reddit with the account that shall speak for you, and allow what Rapport asks for."),
)  # fmt: skip
SETTINGS = (
    Field(
        "subreddits", "Subreddits to follow", kind="words", required=False,
        help="New posts and comments of each. Separate them with spaces: berlin askaustria.",
    ),
    Field(
        "queries", "Searches", kind="lines", required=False,
        help='One a line, in Reddit\'s own words: "acme airlines" OR title:acme. Posts are found, comments are not.',
    ),
)  # fmt: skip
_TOKEN = re.compile(r"[\x21-\x7e]{1,4000}")
_SUBREDDIT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_]{1,20}")
_MOST, _LONGEST_QUERY = 50, 512


class _Me(msgspec.Struct):
    name: str
    id: str


def begin(fields: Mapping[str, str], redirect_uri: str, state: str) -> Handshake:
    """See `Network.authorize_url`. Raises `InvalidInput` for keys that no app has."""
    client_id, client_secret = (
        _entered(fields, name, label) for name, label in (("client_id", "Client ID"), ("client_secret", "Secret"))
    )
    query = {
        "client_id": client_id,
        "response_type": "code",
        "state": state,
        "redirect_uri": redirect_uri,
        "duration": "permanent",
        "scope": " ".join(SCOPES),
    }
    kept = {
        "server": fields.get("server") or SERVER,
        "client_id": client_id,
        "client_secret": client_secret,
        "redirect_uri": redirect_uri,
    }
    return Handshake(f"{SITE}/api/v1/authorize?{urlencode(query)}", kept)


def finish(kept: Mapping[str, str], code: str, session: GuardedSession) -> Connected:
    """See `Network.exchange`. Raises `Reauthorise` when the code is no good or a right was not granted."""
    server, client_id, client_secret = kept["server"], kept["client_id"], kept["client_secret"]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": kept["redirect_uri"]}
    answer = Wire(server, session).submit(token_url(server), form, client_id, client_secret)
    granted = set(re.split(r"[\s,]+", str(answer.get("scope") or "")))
    missing = [scope for scope in SCOPES if granted - {"", "*"} and scope not in granted and "*" not in granted]
    if missing:
        raise Reauthorise(f"Reddit did not grant {', '.join(missing)}; connect again and allow all that is asked for")
    grant = _grant(answer, "", {"client_id": client_id, "client_secret": client_secret})
    if not grant.refresh:
        raise Reauthorise("Reddit gave an access for an hour only; connect again, so that it lasts.")
    identity = identify(Wire(server, session, grant.access))
    return Connected(server, identity, grant.encode(), expires_at=grant.expires_at)


def renew(account: Account, session: GuardedSession) -> tuple[str, dt.datetime | None]:
    """See `Network.renew`. The refresh token stays the same unless Reddit names a new one."""
    grant = Grant.decode(account.token)
    if not grant.refresh or not grant.more.get("client_id"):
        raise Reauthorise("This access cannot be renewed; connect the account again.")
    form = {"grant_type": "refresh_token", "refresh_token": grant.refresh}
    wire = Wire(account.server, session, account=account.handle)
    keys = grant.more["client_id"], grant.more.get("client_secret", "")
    renewed = _grant(wire.submit(token_url(account.server), form, *keys), grant.refresh, grant.more)
    return renewed.encode(), renewed.expires_at


def identify(wire: Wire) -> Identity:
    """Who the access speaks for."""
    try:
        me = msgspec.json.decode(wire.read("/api/v1/me", {}).content, type=_Me)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise GiveUp("Reddit does not say whose access this is") from None
    return Identity(me.name, me.id, me.name, f"{SITE}/user/{me.name}")


def token_url(server: str) -> str:
    """Reddit signs in on its site, not on the server of its API; another server is its own site."""
    return f"{SITE if server == SERVER else server}/api/v1/access_token"


def check_settings(settings: Mapping[str, str | bool | list[str]]) -> dict[str, str | int | bool | list[str]]:
    """See `Network.check_settings`."""
    names = [
        re.sub(r"^/?r/", "", word.strip().strip("/"), flags=re.IGNORECASE) for word in _listed(settings, "subreddits")
    ]
    for name in names:
        if not _SUBREDDIT.fullmatch(name):
            raise InvalidInput(f"{name[:40]!r} cannot be a subreddit: write its name as in reddit.com/r/NAME.")
    queries = [" ".join(line.split()) for line in _listed(settings, "queries")]
    for number, query in enumerate(queries, start=1):
        if len(query) > _LONGEST_QUERY:
            raise InvalidInput(f"Search {number} has {len(query):,} characters; Reddit takes {_LONGEST_QUERY} at most.")
    kept: dict[str, list[str]] = {
        "subreddits": list({name.lower(): name for name in names}.values()),
        "queries": list(dict.fromkeys(query for query in queries if query)),
    }
    if 2 * len(kept["subreddits"]) + len(kept["queries"]) > _MOST:
        raise InvalidInput(
            f"That is more than Reddit's limit of requests allows; follow {_MOST // 2} subreddits at most."
        )
    return dict(kept)


def _listed(settings: Mapping[str, str | bool | list[str]], name: str) -> list[str]:
    entered = settings.get(name) or []
    return entered.splitlines() if isinstance(entered, str) else entered if isinstance(entered, list) else []


def _grant(answer: Mapping[str, Any], refresh: str, more: dict[str, str]) -> Grant:
    access = answer.get("access_token")
    if not isinstance(access, str) or not _TOKEN.fullmatch(access):
        raise GiveUp("Reddit's answer has no usable access token")
    told, seconds = answer.get("refresh_token"), answer.get("expires_in")
    lasts = dt.timedelta(seconds=min(seconds, 31_536_000)) if isinstance(seconds, int) and seconds > 0 else None
    expires = dt.datetime.now(dt.UTC) + lasts if lasts else None
    return Grant(access, told if isinstance(told, str) and told else refresh, expires, more)


def _entered(fields: Mapping[str, str], name: str, label: str) -> str:
    value = fields.get(name, "").strip()
    if not _TOKEN.fullmatch(value):
        raise InvalidInput(f"{label}: paste it as Reddit shows it, without blanks.")
    return value
