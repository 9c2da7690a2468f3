"""Connecting an Instagram account: what the form asks, the guide beside it, and the two halves of the login."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import msgspec

from rapport.core.errors import GiveUp, InvalidInput
from rapport.networks import graph_login as login
from rapport.networks.base import Account, Connected, Field, Grant, Handshake, Identity, Step
from rapport.networks.graph import Graph
from rapport.networks.graph_door import VERIFY_TOKEN, new_verify_token
from rapport.networks.graph_inbox import EVERY
from rapport.networks.http import GuardedSession
from rapport.networks.payload import name_of

#: the rights that are asked for, each with the reason
SCOPES = {
    "instagram_basic": "who the account is, its media and the comments under them",
    "instagram_manage_comments": "answering comments and mentions with the replies that a person approved, and "
    "deleting those replies",
    "instagram_manage_messages": "reading messages and answering them within Meta's time",
    "pages_show_list": "which pages, and with them which Instagram accounts, the person may speak for",
    "pages_read_engagement": "reading through the page that the account belongs to",
    "pages_manage_metadata": "having Meta tell what is new at once (webhooks)",
}
#: Instagram's own fields are subscribed to for the app; this turns deliveries on for the page behind the account
SUBSCRIBED = ("messages",)
FIELDS = (
    *login.APP_FIELDS,
    msgspec.structs.replace(
        login.PAGE_FIELD,
        label="Account",
        help="The Instagram name, or the page that it belongs to. Leave it empty when there is only one.",
    ),
)
GUIDE = (
    Step(
        "Make the Instagram account a professional one and join it with a Facebook page.",
        "https://www.facebook.com/business/help/connect-instagram-to-page",
    ),
    Step("In the Instagram app, Settings, Messages: allow connected tools access to messages."),
    *login.app_steps("instagram"),
    Step("Connect: sign in as somebody who has a role on that page, choose page and account, allow what is asked."),
    Step(
        "In the app, Webhooks, Instagram: give Meta the callback address and the verify token that stand in the "
        "settings of the connected account, and subscribe to comments, mentions and messages.",
        "https://developers.facebook.com/docs/instagram-platform/webhooks",
    ),
)
SETTINGS = (
    Field(
        name="human_agent",
        label="Answer messages for up to 7 days",
        kind="flag",
        required=False,
        help="Only if Meta has granted the app the feature Human Agent. Answers after 24 hours then bear that tag; it "
        "is for words that a person wrote, and Rapport sends no others.",
    ),
    EVERY,
    VERIFY_TOKEN,
)


def begin(fields: Mapping[str, str], redirect_uri: str, state: str, session: GuardedSession) -> Handshake:
    """See `Network.authorize_url`."""
    return login.begin(fields, redirect_uri, state, SCOPES, session)


def finish(kept: Mapping[str, str], code: str, session: GuardedSession, now: dt.datetime) -> Connected:
    """See `Network.exchange`. Also asks Meta to bring what happens."""
    grant, pages = login.trade_code(kept, code, SCOPES, session, now)
    joined = [page for page in pages if page.instagram_business_account]
    if pages and not joined:
        raise InvalidInput("None of the pages is joined with a professional Instagram account. Join them first.")
    page = login.choose_page(joined, kept.get("page", ""), "Instagram account")
    told = page.instagram_business_account or {}
    identifier, username = name_of(told, "id"), name_of(told, "username")
    if not identifier or not username:
        raise GiveUp("Meta does not say which Instagram account belongs to the page")
    token = Grant(page.access_token, grant.refresh, grant.expires_at, {**grant.more, "page_id": page.id})
    graph = Graph(kept["server"], token.access, kept["app_secret"], session)
    settings: dict[str, str | int | bool | list[str]] = {
        "page_id": page.id,
        "verify_token": new_verify_token(),
        "human_agent": False,
        "subscribed": login.subscribe(graph, page.id, SUBSCRIBED),
    }
    identity = _identity(identifier, username, name_of(told, "name"))
    return Connected(kept["server"], identity, token.encode(), settings, token.expires_at)


def identify(account: Account, session: GuardedSession) -> Identity:
    """See `Network.verify`."""
    told = Graph.of(account, session).read(account.account_id, {"fields": "id,username,name"})
    identifier, username = name_of(told, "id"), name_of(told, "username")
    if not identifier or not username:
        raise GiveUp("Meta does not say whose token this is")
    return _identity(identifier, username, name_of(told, "name"))


def _identity(identifier: str, username: str, name: str) -> Identity:
    return Identity(username, identifier, name, f"https://www.instagram.com/{username}/")
