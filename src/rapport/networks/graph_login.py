"""Connecting a page of Facebook, or the Instagram account that belongs to one: Facebook Login, code flow.

code -> token of the person (an hour) -> long-lived token of the person (60 days) -> token of the page, which lives as
long as the person's. What is kept is a `Grant`: the page's token, the person's long-lived one to renew it with, and
the app's id and secret, which proofs and the signatures of webhooks need.

Source: Meta's "Manually Build a Login Flow", "Long-Lived Access Tokens", "Pages API, Get Started".
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec

from rapport.core.errors import GiveUp, InvalidInput, InvalidPost, NetworkError, Reauthorise, RetryLater, Unconfirmed
from rapport.networks.base import Account, Field, Grant, Handshake, Step
from rapport.networks.graph import GRAPH, VERSION, Graph
from rapport.networks.http import GuardedSession
from rapport.networks.payload import take

_DIALOG = "https://www.facebook.com"
_LIFE = dt.timedelta(days=60)  # of a long-lived token, where Meta does not say
_MOST_PAGES = 10  # of a hundred pages each
_APP_ID = re.compile(r"[0-9]{5,30}")
_SECRET = re.compile(r"[0-9A-Za-z]{16,128}")

APP_FIELDS = (
    Field(name="app_id", label="App ID", help="From the dashboard of your app at developers.facebook.com."),
    Field(
        name="app_secret",
        label="App secret",
        kind="secret",
        help="App settings, Basic. With it Rapport proves its requests and checks that webhooks are from Meta.",
    ),
)
PAGE_FIELD = Field(
    name="page",
    label="Page",
    required=False,
    help="Name or number of the page. Leave it empty when the person who signs in has only one.",
)


def app_steps(network: str) -> tuple[Step, ...]:
    """The steps that pages and Instagram accounts share; `network` is the word in our callback address."""
    return (
        Step("Make an app of the type Business at Meta for Developers.", "https://developers.facebook.com/apps/"),
        Step("In App settings, Basic, copy the app id and the app secret into this form."),
        Step(
            "Under Facebook Login for Business, Settings, add to the valid OAuth redirect URIs: the address of your "
            f"desk, followed by /connect/{network}/callback/."
        ),
        Step(
            "For accounts that are not your own, ask for advanced access to each permission in App Review.",
            "https://developers.facebook.com/docs/app-review",
        ),
    )


class PageToken(msgspec.Struct):
    """One page of `/me/accounts`."""

    id: str
    access_token: str
    name: str = ""
    username: str | None = None
    link: str | None = None
    instagram_business_account: dict[str, Any] | None = None


class _Token(msgspec.Struct):
    access_token: str
    expires_in: int | None = None


def begin(
    fields: Mapping[str, str], redirect_uri: str, state: str, scopes: Mapping[str, str], session: GuardedSession
) -> Handshake:
    """See `Network.authorize_url`. `scopes` are the rights to ask for, each with its reason."""
    app_id, secret = fields.get("app_id", "").strip(), fields.get("app_secret", "").strip()
    if not _APP_ID.fullmatch(app_id):
        raise InvalidInput("The app id is a number; copy it from App settings, Basic.")
    if not _SECRET.fullmatch(secret):
        raise InvalidInput("The app secret is a word of letters and digits; show and copy it in App settings, Basic.")
    server = stand_in(fields, session)
    query = {
        "client_id": app_id,
        "redirect_uri": redirect_uri,
        "state": state,
        "scope": ",".join(scopes),
        "response_type": "code",
    }
    kept = {
        "server": server,
        "app_id": app_id,
        "app_secret": secret,
        "redirect_uri": redirect_uri,
        "page": fields.get("page", "").strip(),
    }
    dialog = _DIALOG if server == GRAPH else server
    return Handshake(f"{dialog}/{VERSION}/dialog/oauth?{urlencode(query)}", kept)


def stand_in(fields: Mapping[str, str], session: GuardedSession) -> str:
    """Meta's own server, or one that stands in for it, which only a session that may call it can name."""
    named = fields.get("server", "").rstrip("/")
    return named if named and session.is_allowed(named) else GRAPH


def trade_code(
    kept: Mapping[str, str], code: str, scopes: Mapping[str, str], session: GuardedSession, now: dt.datetime
) -> tuple[Grant, list[PageToken]]:
    """The code that came back -> a grant of the person, and the pages that they may speak for.

    Raises `Reauthorise` when the code is no good or a right was not granted.
    """
    app = {"client_id": kept["app_id"], "client_secret": kept["app_secret"]}
    form = {**app, "redirect_uri": kept["redirect_uri"], "code": code}
    wire = Graph(kept["server"], "", "", session)
    try:
        short = take(wire.write("oauth/access_token", form), _Token)
    except GiveUp as error:
        raise Reauthorise(f"The code was not accepted, start the connection again. ({error})") from error
    except InvalidPost as error:
        raise GiveUp(f"Meta's answer has no usable token: {error}") from None
    grant = _lengthen(kept["server"], app, short.access_token, session, now)
    person = Graph(kept["server"], grant.refresh, kept["app_secret"], session)
    _check_rights(person, scopes)
    return grant, list_pages(person)


def _lengthen(server: str, app: Mapping[str, str], token: str, session: GuardedSession, now: dt.datetime) -> Grant:
    """A token of the person -> a grant with a long-lived one as what renews it; the page's token is still to come."""
    form = {**app, "grant_type": "fb_exchange_token", "fb_exchange_token": token}
    try:
        found = take(Graph(server, "", "", session).write("oauth/access_token", form), _Token)
    except InvalidPost as error:
        raise GiveUp(f"Meta's answer has no usable token: {error}") from None
    life = dt.timedelta(seconds=found.expires_in) if found.expires_in and 0 < found.expires_in < 10**9 else _LIFE
    more = {"app_id": app["client_id"], "app_secret": app["client_secret"]}
    return Grant(access="", refresh=found.access_token, expires_at=now + life, more=more)


def _check_rights(person: Graph, scopes: Mapping[str, str]) -> None:
    told = person.read("me/permissions").get("data")
    entries = [entry for entry in told if isinstance(entry, dict)] if isinstance(told, list) else []
    granted = {str(entry.get("permission")) for entry in entries if entry.get("status") == "granted"}
    missing = [f"{scope} ({reason})" for scope, reason in scopes.items() if scope not in granted]
    if missing:
        raise Reauthorise(f"These rights were not granted: {'; '.join(missing)}. Connect again and allow all of them.")


def list_pages(person: Graph) -> list[PageToken]:
    """The pages for which the person may speak, each with its own token."""
    fields = "id,name,username,link,access_token,instagram_business_account{id,username,name}"
    pages: list[PageToken] = []
    for items, _ in person.pages("me/accounts", {"fields": fields, "limit": 100}, _MOST_PAGES):
        for item in items:
            try:
                pages.append(take(item, PageToken))
            except InvalidPost:
                continue  # a page without a token: the person has no role there that may speak
    return pages


def choose_page(pages: list[PageToken], wanted: str, what: str = "page") -> PageToken:
    """The page that was meant: by number, name or address; the only one where nothing was written.

    Raises `InvalidInput` that names those there are.
    """
    if not pages:
        raise InvalidInput(f"The person who signed in has no {what} for which they may speak.")
    word = wanted.strip().removeprefix("@").casefold()
    names = ", ".join(f"{page.name} ({page.id})" for page in pages[:20])
    if not word:
        if len(pages) > 1:
            raise InvalidInput(f"There are several. Write which {what} is meant, by name or number: {names}")
        return pages[0]
    for page in pages:
        instagram = (page.instagram_business_account or {}).get("username")
        known = {page.id, page.name.casefold(), (page.username or "").casefold(), str(instagram or "").casefold()}
        if word in known:
            return page
    raise InvalidInput(f"{wanted[:100]!r} is none of them. There are: {names}")


def renew(account: Account, session: GuardedSession, now: dt.datetime) -> tuple[str, dt.datetime | None]:
    """See `Network.renew`: the person's token for another 60 days, and the page's that hangs on it."""
    old = Grant.decode(account.token)
    page_id = old.more.get("page_id", account.account_id)
    if not old.refresh:
        raise Reauthorise("This account was connected without what renews its access. Connect it again.")
    app = {"client_id": old.more.get("app_id", ""), "client_secret": old.more.get("app_secret", "")}
    try:
        grant = _lengthen(account.server, app, old.refresh, session, now)
        pages = list_pages(Graph(account.server, grant.refresh, app["client_secret"], session))
    except Unconfirmed as error:
        raise RetryLater(str(error)) from error  # asking for the same token twice does no harm
    except GiveUp as error:
        raise Reauthorise(f"Meta does not renew the access. Connect the account again. ({error})") from error
    page = next((page for page in pages if page.id == page_id), None)
    if page is None:
        raise Reauthorise("The person who connected the page has no role on it any more. Connect it again.")
    renewed = Grant(page.access_token, grant.refresh, grant.expires_at, {**grant.more, "page_id": page_id})
    return renewed.encode(), renewed.expires_at


def subscribe(graph: Graph, page: str, fields: tuple[str, ...]) -> bool:
    """Have Meta bring us what happens on the page; False when it will not, and then it is read every minute only."""
    try:
        return graph.write(f"{page}/subscribed_apps", {"subscribed_fields": ",".join(fields)}).get("success") is True
    except NetworkError:
        return False
