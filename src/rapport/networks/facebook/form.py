"""Connecting a Facebook page: what the form asks, the guide beside it, and the two halves of the login."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from rapport.core.errors import GiveUp
from rapport.networks import graph_login as login
from rapport.networks.base import Account, Connected, Field, Grant, Handshake, Identity, Step
from rapport.networks.graph import Graph
from rapport.networks.graph_door import VERIFY_TOKEN, new_verify_token
from rapport.networks.graph_inbox import EVERY
from rapport.networks.http import GuardedSession
from rapport.networks.payload import name_of

#: the rights that are asked for, each with the reason
SCOPES = {
    "pages_show_list": "which pages the person who signs in may speak for",
    "pages_read_engagement": "the page's own posts, and who wrote to it",
    "pages_read_user_content": "comments on the page, posts of visitors, posts that mention it",
    "pages_manage_engagement": "answering comments with the replies that a person approved, liking comments, changing "
    "and deleting those replies",
    "pages_manage_metadata": "having Meta tell what is new at once (webhooks)",
    "pages_messaging": "reading messages and answering them within Meta's time",
}
#: what a page brings to our door
SUBSCRIBED = ("feed", "mention", "messages", "message_echoes", "message_edits", "messaging_postbacks")
FIELDS = (*login.APP_FIELDS, login.PAGE_FIELD)
GUIDE = (
    *login.app_steps("facebook"),
    Step("Connect: sign in as somebody who has a role on the page, choose the page, and allow what is asked."),
    Step(
        "In the app, Webhooks, Page: give Meta the callback address and the verify token that stand in the settings of "
        "the connected account, and subscribe to feed, mention, messages, message_echoes and message_edits.",
        "https://developers.facebook.com/docs/graph-api/webhooks/getting-started/webhooks-for-pages",
    ),
)
HUMAN_AGENT = Field(
    name="human_agent",
    label="Answer messages for up to 7 days",
    kind="flag",
    required=False,
    help="Only if Meta has granted the app the feature Human Agent. Answers after 24 hours then bear that tag; it is "
    "for words that a person wrote, and Rapport sends no others.",
)
SETTINGS = (HUMAN_AGENT, EVERY, VERIFY_TOKEN)


def begin(fields: Mapping[str, str], redirect_uri: str, state: str, session: GuardedSession) -> Handshake:
    """See `Network.authorize_url`."""
    return login.begin(fields, redirect_uri, state, SCOPES, session)


def finish(kept: Mapping[str, str], code: str, session: GuardedSession, now: dt.datetime) -> Connected:
    """See `Network.exchange`. Also asks Meta to bring what happens on the page."""
    grant, pages = login.trade_code(kept, code, SCOPES, session, now)
    page = login.choose_page(pages, kept.get("page", ""))
    token = Grant(page.access_token, grant.refresh, grant.expires_at, {**grant.more, "page_id": page.id})
    graph = Graph(kept["server"], token.access, kept["app_secret"], session)
    identity = _identity(page.id, page.name, page.username, page.link)
    settings: dict[str, str | int | bool | list[str]] = {
        "verify_token": new_verify_token(),
        "human_agent": False,
        "subscribed": login.subscribe(graph, page.id, SUBSCRIBED),
    }
    return Connected(kept["server"], identity, token.encode(), settings, token.expires_at)


def identify(account: Account, session: GuardedSession) -> Identity:
    """See `Network.verify`."""
    told = Graph.of(account, session).read("me", {"fields": "id,name,username,link"})
    identifier = name_of(told, "id")
    if not identifier:
        raise GiveUp("Meta does not say whose token this is")
    return _identity(identifier, name_of(told, "name"), name_of(told, "username"), name_of(told, "link"))


def _identity(identifier: str, name: str, username: str | None, link: str | None) -> Identity:
    return Identity(
        handle=username or identifier,
        account_id=identifier,
        name=name,
        url=link or f"https://www.facebook.com/{identifier}",
    )
