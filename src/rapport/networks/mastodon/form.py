"""Connecting an account: the OAuth code flow of a Mastodon server, with PKCE.

handshake = begin({"server": "mastodon.social"}, redirect_uri, state, session)    # registers Rapport there
... the person comes back to redirect_uri with the same state and a code ...
connected = finish(handshake.kept, code, session)
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

import mastodon
import msgspec

from rapport.core.errors import GiveUp, InvalidInput, NetworkError, Reauthorise
from rapport.networks.base import Connected, Field, Handshake, Identity, Step
from rapport.networks.entered import read_origin
from rapport.networks.http import GuardedSession
from rapport.networks.mastodon.parse import full_handle
from rapport.networks.mastodon.wire import Wire, cause

#: the rights that are asked for, each with the reason
SCOPES = {
    "read:accounts": "who the token speaks for, and our own posts, to find a reply whose answer was lost",
    "read:statuses": "hashtags, conversations, and the posts around one that speaks to us",
    "read:follows": "whether somebody blocked the account: posts of theirs that are not shown are not deleted",
    "read:search": "the searches that are followed",
    "read:notifications": "the posts that mention us, and the live stream of them",
    "write:statuses": "sending the replies that a person approved, and sharing a post on",
    "write:media": "images that go with a reply",
    "write:favourites": "likes, each pressed by a person",
    "write:follows": "following somebody, each time pressed by a person",
}
FIELDS = (
    Field(
        name="server",
        label="Server",
        kind="server",
        help="Where the account lives: mastodon.social, or the whole handle @brand@mastodon.social.",
    ),
)
GUIDE = (
    Step("Write the name of the server where the account lives."),
    Step("Sign in there with the account that shall speak for you, and allow what Rapport asks for."),
    Step("You come back here by yourself; the first posts arrive within a minute."),
)
SETTINGS = (
    Field(
        name="hashtags",
        label="Hashtags to follow",
        kind="words",
        required=False,
        help="Beside posts that mention the account. Separate them with spaces.",
    ),
    Field(
        name="searches",
        label="Searches to follow",
        kind="lines",
        required=False,
        help="One a line. Only a server with full-text search finds them, in posts whose authors allow it.",
    ),
)
_HASHTAG = re.compile(r"\w{1,100}")
_LONGEST_SEARCH = 150  # characters
_TOKEN = re.compile(r"[\x21-\x7e]{1,1000}")


class _Statuses(msgspec.Struct):
    max_characters: int | None = None


class _Urls(msgspec.Struct):
    streaming: str | None = None


class _Configuration(msgspec.Struct):
    statuses: _Statuses = msgspec.field(default_factory=_Statuses)
    urls: _Urls = msgspec.field(default_factory=_Urls)


class _Instance(msgspec.Struct):
    domain: str | None = None
    configuration: _Configuration = msgspec.field(default_factory=_Configuration)


def begin(fields: Mapping[str, str], redirect_uri: str, state: str, session: GuardedSession) -> Handshake:
    """See `Network.authorize_url`. Registers Rapport as an application of that server."""
    server = read_server(fields.get("server", ""), session)
    form = {"client_name": "Rapport", "redirect_uris": redirect_uri, "scopes": " ".join(SCOPES)}
    app = Wire(server, "", session).submit("/api/v1/apps", form)
    client_id = _required(app, "client_id")
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
        "server": server,
        "client_id": client_id,
        "client_secret": _required(app, "client_secret"),
        "redirect_uri": redirect_uri,
        "verifier": verifier,
    }
    return Handshake(f"{server}/oauth/authorize?{urlencode(query)}", kept)


def finish(kept: Mapping[str, str], code: str, session: GuardedSession) -> Connected:
    """See `Network.exchange`. Raises `Reauthorise` when the code is no good or a right was not granted."""
    server = kept["server"]
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "client_id": kept["client_id"],
        "client_secret": kept["client_secret"],
        "redirect_uri": kept["redirect_uri"],
        "code_verifier": kept["verifier"],
        "scope": " ".join(SCOPES),
    }
    try:
        answer = Wire(server, "", session).submit("/oauth/token", form)
    except GiveUp as error:
        raise Reauthorise(f"the code was not accepted, start the connection again: {error}") from error
    token = _required(answer, "access_token")
    missing = _missing_scopes(str(answer.get("scope") or ""))
    if missing:
        raise Reauthorise(f"the server did not grant {', '.join(missing)}; connect again and allow all that is asked")
    wire = Wire(server, token, session)
    settings = _read_settings(wire)
    domain = str(settings.get("domain") or urlsplit(server).hostname)
    return Connected(server, identify(wire, domain), token, settings)


def check_settings(settings: Mapping[str, str | bool | list[str]]) -> dict[str, str | int | bool | list[str]]:
    """See `Network.check_settings`. Hashtags come without #, once each, in the order given; searches once each."""
    kept: dict[str, str | int | bool | list[str]] = dict(settings)
    found: dict[str, str] = {}
    words = settings.get("hashtags", [])
    for word in words if isinstance(words, list) else []:
        tag = word.lstrip("#＃")
        if not _HASHTAG.fullmatch(tag) or tag.isdigit():
            raise InvalidInput(f"“{word}” is no hashtag: letters, digits and _ only.")
        found.setdefault(tag.casefold(), tag)
    kept["hashtags"] = list(found.values())
    lines = settings.get("searches", [])
    searches = [" ".join(line.split()) for line in lines] if isinstance(lines, list) else []
    for place, line in enumerate(searches, 1):
        if len(line) > _LONGEST_SEARCH:
            raise InvalidInput(f"line {place}: a search has at most {_LONGEST_SEARCH} characters")
    kept["searches"] = list(dict.fromkeys(line for line in searches if line))
    return kept


def identify(wire: Wire, domain: str) -> Identity:
    """Who the token of this wire speaks for; `domain` makes the handle whole."""
    client = wire.client()
    try:
        account: Any = client.account_verify_credentials()
    except mastodon.MastodonError as error:
        raise cause(error) from error
    told = account if isinstance(account, dict) else {}
    acct, identifier = str(told.get("acct") or ""), str(told.get("id") or "")
    if not acct or not identifier:
        raise GiveUp(f"{urlsplit(wire.server).hostname} does not say whose token this is")
    return Identity(
        handle=full_handle(acct, domain),
        account_id=identifier,
        name=str(told.get("display_name") or ""),
        url=told.get("url"),
        bot=bool(told.get("bot")),
    )


def read_server(entered: str, session: GuardedSession) -> str:
    """What a person typed -> the origin of a server: a host, an address of any page there, or a whole handle.

    Plain http is taken only for a server that the session was explicitly allowed to call.
    """
    text = entered.strip()
    return read_origin(text if "://" in text else text.rpartition("@")[2], session)


def _read_settings(wire: Wire) -> dict[str, str | int | bool | list[str]]:
    """What the server says of itself, as far as it does: max_length, domain, streaming."""
    try:
        told = msgspec.json.decode(wire.read("/api/v2/instance"), type=_Instance)
    except (NetworkError, msgspec.MsgspecError, UnicodeDecodeError):
        return {}  # older and related servers have no such page; the defaults of Mastodon hold
    found = {
        "max_length": told.configuration.statuses.max_characters,
        "domain": told.domain,
        "streaming": told.configuration.urls.streaming,
    }
    return {name: value for name, value in found.items() if value}


def _missing_scopes(granted: str) -> list[str]:
    """Which of our scopes a grant leaves out; an answer without scopes is taken as whole (RFC 6749, 5.1)."""
    given = set(granted.split())
    return [scope for scope in SCOPES if given and scope not in given and scope.partition(":")[0] not in given]


def _required(answer: Mapping[str, Any], name: str) -> str:
    value = answer.get(name)
    if not isinstance(value, str) or not _TOKEN.fullmatch(value):
        raise GiveUp(f"the server's answer has no usable {name}: it may be no Mastodon server")
    return value
