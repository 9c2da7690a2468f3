"""Connecting a page: the whole login against what stands in for Meta, and the renewal of its token."""

from __future__ import annotations

import datetime as dt
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from graph_server import APP, LONG_TOKEN, NOON, PAGE, PAGE_TOKEN, SECRET, USER_TOKEN, V, error, listing
from rapport.core.errors import InvalidInput, Reauthorise, RetryLater
from rapport.networks import graph_login as login
from rapport.networks.base import Account, Grant
from rapport.networks.facebook import form
from rapport.networks.facebook.network import Facebook
from rapport.networks.http import GuardedSession
from stand_in import Call, StandIn, Told

BACK = "https://desk.fernway.example/connect/facebook/callback"
GOOD = {"app_id": APP, "app_secret": SECRET}


def tokens(call: Call) -> dict[str, object] | Told:
    """The token endpoint: a code for a token of an hour, and that for one of sixty days."""
    if call.form.get("grant_type") == "fb_exchange_token":
        if call.form["fb_exchange_token"] not in {USER_TOKEN, LONG_TOKEN}:
            return Told(400, error(190, 463))
        return {"access_token": LONG_TOKEN, "token_type": "bearer", "expires_in": 5_183_944}
    if call.form.get("code") != "good" or call.form.get("redirect_uri") != BACK:
        return Told(400, error(100, 36009, "This authorization code has been used."))
    return {"access_token": USER_TOKEN, "token_type": "bearer", "expires_in": 5_000}


def page_entry(identifier: str = PAGE, name: str = "Fernway", **more: object) -> dict[str, object]:
    return {"id": identifier, "name": name, "access_token": PAGE_TOKEN, "tasks": ["MODERATE", "MESSAGING"], **more}


def prepare(graph: StandIn, *pages: dict[str, object], without: str = "") -> None:
    rights = [{"permission": scope, "status": "declined" if scope == without else "granted"} for scope in form.SCOPES]
    graph.say("POST", f"{V}/oauth/access_token", tokens)
    graph.say("GET", f"{V}/me/permissions", {"data": rights})
    graph.say("GET", f"{V}/me/accounts", listing(*(pages or (page_entry(username="fernway"),))))
    graph.say("POST", f"{V}/{PAGE}/subscribed_apps", {"success": True})


def kept(graph: StandIn, session: GuardedSession, **fields: str) -> dict[str, str]:
    return form.begin({**GOOD, "server": graph.url, **fields}, BACK, "state-1", session).kept


def test_the_way_to_meta_names_the_app_the_rights_and_the_state(session: GuardedSession) -> None:
    url = urlsplit(form.begin(GOOD, BACK, "state-1", session).url)
    query = {name: values[0] for name, values in parse_qs(url.query).items()}
    assert (url.netloc, url.path) == ("www.facebook.com", f"{V}/dialog/oauth")
    assert query["scope"].split(",") == list(form.SCOPES)
    assert (query["client_id"], query["redirect_uri"], query["state"], query["response_type"]) == (
        APP, BACK, "state-1", "code",
    )  # fmt: skip
    assert SECRET not in url.query


@pytest.mark.parametrize("wrong", [{"app_id": "my app"}, {"app_id": ""}, {"app_secret": ""}, {"app_secret": "a b"}])
def test_a_field_that_makes_no_sense_is_refused_with_the_remedy(session: GuardedSession, wrong: dict[str, str]) -> None:
    with pytest.raises(InvalidInput, match="App settings, Basic"):
        form.begin(GOOD | wrong, BACK, "s", session)


def test_only_a_session_that_may_call_it_can_name_another_server_than_meta_s() -> None:
    with GuardedSession() as outside:
        assert form.begin({**GOOD, "server": "http://127.0.0.1:1"}, BACK, "s", outside).kept["server"] == (
            "https://graph.facebook.com"
        )


def test_a_code_becomes_a_connected_page_that_tells_what_happens(graph: StandIn, session: GuardedSession) -> None:
    prepare(graph)
    connected = form.finish(kept(graph, session), "good", session, NOON)
    grant = Grant.decode(connected.token)
    assert (connected.identity.account_id, connected.identity.handle) == (PAGE, "fernway")
    assert (grant.access, grant.refresh) == (PAGE_TOKEN, LONG_TOKEN)
    assert connected.expires_at == NOON + dt.timedelta(seconds=5_183_944)
    assert len(str(connected.settings["verify_token"])) >= 20
    asked = graph.asked("POST", f"{V}/{PAGE}/subscribed_apps")[0].form["subscribed_fields"].split(",")
    assert {"feed", "mention", "messages"} <= set(asked)
    assert SECRET not in repr(connected)


def test_a_page_that_is_not_told_of_is_still_connected_and_read(graph: StandIn, session: GuardedSession) -> None:
    prepare(graph)
    graph.say("POST", f"{V}/{PAGE}/subscribed_apps", Told(403, error(200)))
    assert form.finish(kept(graph, session), "good", session, NOON).settings["subscribed"] is False


def test_a_bad_code_and_a_missing_right_are_said_with_the_remedy(graph: StandIn, session: GuardedSession) -> None:
    prepare(graph, without="pages_messaging")
    with pytest.raises(Reauthorise, match=r"pages_messaging .reading messages"):
        form.finish(kept(graph, session), "good", session, NOON)
    with pytest.raises(Reauthorise, match="start the connection again"):
        form.finish(kept(graph, session), "used", session, NOON)


def test_of_several_pages_the_one_that_was_meant_is_taken(graph: StandIn, session: GuardedSession) -> None:
    prepare(graph, page_entry("1", "Other"), {"id": "2", "name": "No token"}, page_entry(username="fernway"))
    for name in ("Fernway", "fernway", "@fernway", PAGE):
        assert form.finish(kept(graph, session, page=name), "good", session, NOON).identity.account_id == PAGE
    for name in ("", "Nobody", "No token"):
        with pytest.raises(InvalidInput, match=r"Other .1., Fernway"):
            form.finish(kept(graph, session, page=name), "good", session, NOON)


def test_a_person_without_pages_is_told_so(graph: StandIn, session: GuardedSession) -> None:
    prepare(graph)
    graph.say("GET", f"{V}/me/accounts", {"data": []})
    with pytest.raises(InvalidInput, match="no page"):
        form.finish(kept(graph, session), "good", session, NOON)


def test_a_token_is_renewed_with_what_was_kept_and_a_lost_role_is_said(
    graph: StandIn, page: Account, session: GuardedSession
) -> None:
    prepare(graph)
    token, expires = login.renew(page, session, NOON)
    grant = Grant.decode(token)
    assert (grant.access, grant.refresh, grant.more["app_secret"]) == (PAGE_TOKEN, LONG_TOKEN, SECRET)
    assert expires == NOON + dt.timedelta(seconds=5_183_944)
    assert login.renew(msgspec.structs.replace(page, token=token), session, NOON)[0] == token
    graph.say("GET", f"{V}/me/accounts", listing(page_entry("1", "Other")))
    with pytest.raises(Reauthorise, match="no role"):
        login.renew(page, session, NOON)


def test_a_dead_token_is_said_and_a_lost_answer_is_asked_again(
    graph: StandIn, page: Account, session: GuardedSession
) -> None:
    graph.say("POST", f"{V}/oauth/access_token", Told(400, error(190, 460)))
    with pytest.raises(Reauthorise, match="password"):
        login.renew(page, session, NOON)
    graph.say("POST", f"{V}/oauth/access_token", Told(hang_up=True))
    with pytest.raises(RetryLater):
        login.renew(page, session, NOON)
    with pytest.raises(Reauthorise, match="Connect it again"):
        login.renew(msgspec.structs.replace(page, token="bare"), session, NOON)


def test_who_a_token_speaks_for(graph: StandIn, page: Account, session: GuardedSession) -> None:
    graph.say("GET", f"{V}/me", {"id": PAGE, "name": "Fernway", "username": "fernway"})
    assert form.identify(page, session).handle == "fernway"
    graph.say("GET", f"{V}/me", Told(400, error(190)))
    with pytest.raises(Reauthorise):
        form.identify(page, session)


def test_the_verify_token_can_be_chosen_and_is_never_empty(page: Account, session: GuardedSession) -> None:
    facebook = Facebook()
    assert (
        facebook.check_settings({"verify_token": "a-good-long-word"}, page, session)["verify_token"]
        == "a-good-long-word"
    )
    assert facebook.check_settings({"verify_token": ""}, page, session)["verify_token"] == "meatyhamhock1"
    with pytest.raises(InvalidInput):
        facebook.check_settings({"verify_token": "short"}, page, session)


def test_every_right_has_its_reason_and_the_guide_leads_to_meta_s_own_pages() -> None:
    assert all(len(reason) > 20 for reason in form.SCOPES.values())
    assert all(step.url is None or step.url.startswith("https://") for step in form.GUIDE)
