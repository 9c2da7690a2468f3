"""Connecting an Instagram account through the page that it belongs to."""

from __future__ import annotations

import pytest

from graph_server import APP, IG, LONG_TOKEN, NOON, PAGE, PAGE_TOKEN, SECRET, USER_TOKEN, V, listing
from rapport.core.errors import InvalidInput, Reauthorise
from rapport.networks import graph_login as login
from rapport.networks.base import Account, Grant
from rapport.networks.http import GuardedSession
from rapport.networks.instagram import form
from stand_in import Call, StandIn

BACK = "https://desk.fernway.example/connect/instagram/callback"


def tokens(call: Call) -> dict[str, object]:
    token = LONG_TOKEN if call.form.get("grant_type") == "fb_exchange_token" else USER_TOKEN
    return {"access_token": token, "token_type": "bearer"}


def prepare(graph: StandIn, without: str = "", joined: bool = True) -> dict[str, object]:
    rights = [{"permission": scope, "status": "granted"} for scope in form.SCOPES if scope != without]
    page: dict[str, object] = {"id": PAGE, "name": "Fernway Ltd", "access_token": PAGE_TOKEN}
    if joined:
        page["instagram_business_account"] = {"id": IG, "username": "fernway", "name": "Fernway"}
    graph.say("POST", f"{V}/oauth/access_token", tokens)
    graph.say("GET", f"{V}/me/permissions", {"data": rights})
    graph.say("GET", f"{V}/me/accounts", listing(page, {"id": "5", "name": "Alone", "access_token": "t"}))
    graph.say("POST", f"{V}/{PAGE}/subscribed_apps", {"success": True})
    return page


def kept(graph: StandIn, session: GuardedSession, page: str = "") -> dict[str, str]:
    fields = {"app_id": APP, "app_secret": SECRET, "server": graph.url, "page": page}
    return form.begin(fields, BACK, "state", session).kept


def test_the_account_behind_the_page_is_connected_and_renewed_by_the_page(
    graph: StandIn, session: GuardedSession
) -> None:
    prepare(graph)
    for name in ("", "fernway", "Fernway Ltd", "@fernway"):
        connected = form.finish(kept(graph, session, name), "good", session, NOON)
        assert (connected.identity.account_id, connected.identity.handle) == (IG, "fernway")
        assert connected.settings["page_id"] == PAGE
    account = Account(1, graph.url, "fernway", IG, connected.token, connected.settings)
    renewed, expires = login.renew(account, session, NOON)
    assert (Grant.decode(renewed).access, Grant.decode(renewed).more["page_id"]) == (PAGE_TOKEN, PAGE)
    assert expires is not None
    graph.say("GET", f"{V}/{IG}", {"id": IG, "username": "fernway", "name": "Fernway"})
    assert form.identify(account, session) == connected.identity


def test_a_page_without_instagram_and_a_missing_right_are_said(graph: StandIn, session: GuardedSession) -> None:
    prepare(graph, joined=False)
    with pytest.raises(InvalidInput, match="Join them first"):
        form.finish(kept(graph, session), "good", session, NOON)
    prepare(graph, without="instagram_manage_comments")
    with pytest.raises(Reauthorise, match="instagram_manage_comments"):
        form.finish(kept(graph, session), "good", session, NOON)
