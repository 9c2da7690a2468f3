"""The door for programs: who is let in, how fast, and that a refusal is a problem that tells nothing."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core.cache import cache
from django.db import OperationalError, connection
from django.http import HttpResponse
from django.test import Client

from api.conftest import Program, a_post
from rapport.api import door
from rapport.store.models import ApiToken, AuditEntry, Channel

MEDIA = "application/problem+json"


def is_problem(answer: HttpResponse, status: int) -> dict[str, Any]:
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == MEDIA
    told: dict[str, Any] = answer.json()
    assert told["status"] == status
    assert told["type"] == "about:blank"
    assert told["title"]
    assert told["detail"]
    return told


def test_a_token_is_kept_as_its_digest_alone(sync: Program, db: None) -> None:
    assert sync.token.startswith("rapport_")
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM store_apitoken")
        assert sync.token not in str(cursor.fetchall())
        cursor.execute("SELECT * FROM store_auditentry")
        assert sync.token not in str(cursor.fetchall())


@pytest.mark.parametrize(
    "shown",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer no-such-token-at-all",
        "Basic YTpi",
        "Token {0}",
        "Bearer {0}x",
        "{0}",
        "Bearer é",
    ],
)
def test_without_a_good_token_nobody_is_let_in(sync: Program, shown: str) -> None:
    headers = {"Authorization": shown.format(sync.token)} if shown else {}
    answer = Client().get("/api/v1/conversations", headers=headers)
    is_problem(answer, 401)
    assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="rapport"')


def test_the_scheme_is_read_in_any_case(sync: Program) -> None:
    answer = Client().get("/api/v1/conversations", headers={"Authorization": f"bearer {sync.token}"})
    assert answer.status_code == 200


def test_a_browser_that_is_signed_in_is_a_stranger_here(alice: Any) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice.user)
    is_problem(browser.get("/api/v1/conversations"), 401)
    is_problem(browser.post("/api/v1/posts?channel=x", b"[]", content_type="application/json"), 401)


def test_a_token_needs_no_csrf_token(sync: Program) -> None:
    sync.client = Client(enforce_csrf_checks=True)
    assert sync.hand_in(a_post()).status_code == 200


def test_a_revoked_token_opens_nothing_and_answers_like_one_that_never_was(sync: Program, now: dt.datetime) -> None:
    from rapport.actions.api import revoke_token

    token = ApiToken.objects.get()
    revoke_token(token, now=now)
    revoke_token(token, now=now)
    refused = sync.get("conversations")
    assert is_problem(refused, 401) == is_problem(Program("rapport_" + "x" * 43).get("conversations"), 401)
    assert AuditEntry.objects.filter(verb="token.revoke").count() == 1


def test_a_token_dies_with_the_membership(alice: Any, ben: Any, program: Any, now: dt.datetime) -> None:
    from rapport.actions.accounts import change_member

    theirs = program(ben)
    assert theirs.get("conversations").status_code == 200
    change_member(alice, ben, role="agent", active=False, baskets=[], now=now)
    is_problem(theirs.get("conversations"), 401)
    # somebody who is let in again makes new ones
    change_member(alice, ben, role="agent", active=True, baskets=[], now=now)
    is_problem(theirs.get("conversations"), 401)
    assert ApiToken.objects.get().revoked_at == now


def test_the_role_is_read_at_every_call(alice: Any, ben: Any, program: Any, now: dt.datetime) -> None:
    from rapport.actions.accounts import change_member

    theirs = program(ben)
    is_problem(theirs.hand_in(a_post()), 403)
    change_member(alice, ben, role="admin", active=True, baskets=[], now=now)
    assert theirs.hand_in(a_post(), key="k").status_code == 200
    change_member(alice, ben, role="viewer", active=True, baskets=[], now=now)
    # not even the answer of before
    is_problem(theirs.hand_in(a_post(), key="k"), 403)


def test_nobody_who_has_left_gets_a_token(alice: Any, ben: Any, now: dt.datetime) -> None:
    from rapport.actions.accounts import change_member
    from rapport.actions.api import create_token
    from rapport.core.errors import InvalidInput

    change_member(alice, ben, role="agent", active=False, baskets=[], now=now)
    with pytest.raises(InvalidInput):
        create_token(ben, "Sync", now=now)


def test_use_is_noted_once_a_minute(sync: Program, monkeypatch: pytest.MonkeyPatch, now: dt.datetime) -> None:
    for seconds, noted in ((0, 0), (30, 0), (61, 61)):
        monkeypatch.setattr(door, "read_clock", lambda seconds=seconds: now + dt.timedelta(seconds=seconds))
        sync.get("conversations")
        assert ApiToken.objects.get().last_used_at == now + dt.timedelta(seconds=noted)


def test_six_hundred_calls_a_minute_and_token(
    sync: Program, alice: Any, program: Any, monkeypatch: pytest.MonkeyPatch, now: dt.datetime
) -> None:
    at = now + dt.timedelta(seconds=15)
    monkeypatch.setattr(door, "read_clock", lambda: at)
    digest = ApiToken.objects.get().digest
    assert [door.take_turn(digest, at) for _ in range(door.PACE)] == [0] * 600
    answer = sync.get("conversations")
    is_problem(answer, 429)
    assert answer.headers["Retry-After"] == "45"
    assert program(alice).get("conversations").status_code == 200, "another token has a pace of its own"
    at += dt.timedelta(seconds=45)
    assert sync.get("conversations").status_code == 200
    cache.clear()


@pytest.mark.parametrize(
    "path", ["", "/", "/v1", "/v1/", "/v1/nowhere", "/v2/posts", "/v1/posts/", "/v1/conversations/x"]
)
def test_every_address_below_api_that_is_none_is_a_problem(path: str, db: None) -> None:
    for ask in (Client().get, Client().post):
        is_problem(ask(f"/api{path}"), 404)


def test_a_page_that_does_not_exist_is_still_a_page(db: None) -> None:
    assert Client().get("/apiary").headers["Content-Type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize("method", ["put", "patch", "delete", "options", "trace"])
@pytest.mark.parametrize("path", ["posts", "conversations", "conversations/1", "conversations/1/draft", "openapi.json"])
def test_another_method_is_refused_with_those_there_are(path: str, method: str, sync: Program) -> None:
    answer = getattr(sync.client, method)(f"/api/v1/{path}", headers=sync.headers({}))
    is_problem(answer, 405)
    assert answer.headers["Allow"] in {"POST", "GET, HEAD"}


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("conversations?author__password__startswith=a", "query.author__password__startswith"),
        ("conversations?_connector=OR", "query._connector"),
        ("conversations?limit=1&limit=2", "query.limit"),
        ("conversations?limit=0", "query.limit"),
        ("conversations?limit=101", "query.limit"),
        ("conversations?limit=1e1", "query.limit"),
        ("conversations?limit=%D9%A1", "query.limit"),
        ("conversations?cursor=-1", "query.cursor"),
        ("conversations?cursor=99999999999999999999", "query.cursor"),
        ("conversations?cursor=9999999999999999999", "query.cursor"),
        ("conversations?state=quarantined", "query.state"),
        ("conversations?state=%00", "query.state"),
        ("conversations/1?workspace=other", "query.workspace"),
        ("openapi.json?token=x", "query.token"),
    ],
)
def test_a_parameter_that_makes_no_sense_is_refused_with_place_and_remedy(sync: Program, path: str, place: str) -> None:
    told = is_problem(sync.client.get(f"/api/v1/{path}", headers=sync.headers({})), 400)
    assert told["errors"][0]["place"] == place
    assert told["errors"][0]["reason"]
    assert told["errors"][0]["remedy"]


def test_a_mistake_of_ours_is_a_problem_and_tells_nothing_of_the_inside(sync: Program) -> None:
    def broken(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "store_conversation" in sql:
            raise ValueError("secret path")
        return execute(sql, params, many, context)

    sync.client = Client(raise_request_exception=False)
    with connection.execute_wrapper(broken):
        answer = sync.get("conversations")
    is_problem(answer, 500)
    assert "secret path" not in answer.content.decode()


def test_a_database_that_is_busy_asks_for_another_try(sync: Program) -> None:
    def busy(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "store_keptanswer" in sql:
            raise OperationalError("database is locked")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(busy):
        answer = sync.hand_in(a_post())
    is_problem(answer, 503)
    assert answer.headers["Retry-After"] == "2"
    assert not Channel.objects.exists()


def test_a_host_that_is_not_ours_is_a_problem_too(settings: Any, db: None) -> None:
    settings.ALLOWED_HOSTS = ["desk.example"]
    is_problem(Client().get("/api/v1/openapi.json", headers={"Host": "evil.example"}), 400)


def test_no_token_of_a_channel_is_ever_answered(sync: Program, alice: Any, conversation: Any, now: dt.datetime) -> None:
    from rapport.actions.listening import connect_channel

    connect_channel(
        alice, "mastodon", server="https://x.example", handle="fernway", external_id="canary", name="F",
        token="canary-token", now=now,
    )  # fmt: skip
    for path in ("conversations", f"conversations/{conversation.pk}", "openapi.json"):
        answer = sync.get(path)
        assert answer.status_code == 200
        assert b"canary" not in answer.content
