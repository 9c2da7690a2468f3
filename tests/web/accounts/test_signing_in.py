"""The sign-in page: whom it lets in, how it wears down guessing, and where it leads."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def _fresh_counters() -> None:
    cache.clear()


def sign_in(client: Client, email: str, password: str, **extra: Any) -> Any:
    return client.post("/account/login/", {"login": email, "password": password}, **extra)


def inside(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_the_right_password_leads_to_the_desk(cast: Any, client: Client) -> None:
    answer = sign_in(client, "Alice@Fernway.example", PASSWORD)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    assert client.get("/").headers["Location"] == "/w/fernway/"


def test_the_last_workspace_is_remembered_and_forgotten_with_the_membership(cast: Any, enter: Any, now: Any) -> None:
    from rapport.actions.accounts import change_member
    from rapport.store.models import Membership

    there = Membership.objects.create(workspace=cast.charlie.workspace, user=cast.lea.user, role="lead")
    client = enter(cast.lea)
    client.get("/w/other/settings/topics/")
    assert client.get("/").headers["Location"] == "/w/other/"
    change_member(cast.charlie, there, role="lead", active=False, baskets=[], now=now)
    assert client.get("/").headers["Location"] == "/w/fernway/"


def test_somebody_without_a_workspace_is_told_what_to_do(cast: Any, enter: Any) -> None:
    answer = enter(cast.fred).get("/")
    assert answer.status_code == 200
    assert "Ask the person who invited you" in answer.content.decode()


@pytest.mark.parametrize("email", ["alice@fernway.example", "nobody@fernway.example"])
def test_a_wrong_password_says_the_same_for_known_and_unknown_addresses(email: str, cast: Any, client: Client) -> None:
    answer = sign_in(client, email, "wrong")
    assert answer.status_code == 200
    assert "The email address and/or password you specified are not correct." in answer.content.decode()
    assert not inside(client)


def test_a_closed_account_does_not_get_in(cast: Any, client: Client) -> None:
    cast.ben.user.is_active = False
    cast.ben.user.save()
    sign_in(client, "ben@fernway.example", PASSWORD)
    assert not inside(client)


def test_a_closed_account_is_out_with_the_next_click(cast: Any, enter: Any) -> None:
    client = enter(cast.ben)
    cast.ben.user.is_active = False
    cast.ben.user.save()
    assert client.get("/w/fernway/settings/topics/").headers["Location"].startswith("/account/login/")


def test_a_thousand_guesses_from_pretended_addresses_are_throttled(cast: Any, client: Client) -> None:
    refused = 0
    for number in range(1000):
        pretended = f"198.51.{number // 250}.{number % 250}"
        answer = sign_in(client, f"user{number}@fernway.example", "guess", headers={"X-Forwarded-For": pretended})
        refused += answer.status_code == 429 or b"Too many failed login attempts" in answer.content
    assert refused >= 990
    sign_in(client, "alice@fernway.example", PASSWORD, headers={"X-Forwarded-For": "203.0.113.9"})
    assert not inside(client), "the address has used up its tries, whatever it pretends"


def test_a_success_between_failures_leaves_the_counter_of_the_address(cast: Any) -> None:
    for number in range(9):
        sign_in(Client(), f"user{number}@fernway.example", "guess")
    own = Client()
    sign_in(own, "vera@fernway.example", PASSWORD)
    assert inside(own)
    sign_in(Client(), "user9@fernway.example", "guess")
    blocked = sign_in(Client(), "user10@fernway.example", "guess")
    assert "Too many failed login attempts" in blocked.content.decode()


def test_five_wrong_passwords_close_one_account_for_a_while_from_anywhere(cast: Any) -> None:
    for number in range(5):
        sign_in(Client(REMOTE_ADDR=f"198.51.100.{number}"), "alice@fernway.example", "guess")
    client = Client(REMOTE_ADDR="203.0.113.1")
    answer = sign_in(client, "alice@fernway.example", PASSWORD)
    assert "Too many failed login attempts" in answer.content.decode()
    assert not inside(client)


def test_the_page_for_too_many_tries_is_ours(cast: Any, client: Client) -> None:
    for _ in range(40):
        answer = sign_in(client, "", "")
    assert answer.status_code == 429
    assert "Wait five minutes" in answer.content.decode()
    assert answer.headers["Retry-After"] == "300"


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example", "/\\evil.example", "///evil.example", "https://evil.example/", "http:evil.example",
        "\\\\evil.example", "javascript:alert(1)", "http://localhost:9/", " //evil.example", "\t//evil.example",
    ],
)  # fmt: skip
def test_sign_in_leads_to_our_own_pages_only(target: str, cast: Any, client: Client) -> None:
    data = {"login": "alice@fernway.example", "password": PASSWORD, "next": target}
    assert client.post("/account/login/", data).headers["Location"] == "/"


def test_sign_in_leads_back_to_the_page_that_was_asked_for(cast: Any, client: Client) -> None:
    asked = client.get("/w/fernway/settings/topics/?x=1").headers["Location"]
    assert asked == "/account/login/?next=%2Fw%2Ffernway%2Fsettings%2Ftopics%2F%3Fx%3D1"
    data = {"login": "alice@fernway.example", "password": PASSWORD, "next": "/w/fernway/settings/topics/?x=1"}
    assert client.post(asked, data).headers["Location"] == "/w/fernway/settings/topics/?x=1"


def test_nobody_signs_up_by_themselves(db: None, client: Client) -> None:
    from rapport.store.models import User

    data = {"email": "eve@evil.example", "password1": PASSWORD, "password2": PASSWORD}
    assert client.post("/account/signup/", data).status_code == 404
    assert not User.objects.exists()


def test_a_reset_answers_known_and_unknown_addresses_alike(cast: Any, mailoutbox: list[Any]) -> None:
    def ask(email: str) -> tuple[int, str, bytes]:
        client = Client()
        answer = client.post("/account/password/reset/", {"email": email})
        page = client.get(answer.headers["Location"])
        return answer.status_code, answer.headers["Location"], page.content

    known, unknown = ask("alice@fernway.example"), ask("nobody@fernway.example")
    assert known == unknown
    assert [mail.to for mail in mailoutbox] == [["alice@fernway.example"], ["nobody@fernway.example"]]
    assert "ask an admin of your workspace to invite you" in mailoutbox[1].body


def test_a_reset_by_mail_sets_a_password_and_works_once(cast: Any, client: Client, mailoutbox: list[Any]) -> None:
    client.post("/account/password/reset/", {"email": "alice@fernway.example"})
    path = next(word for word in mailoutbox[0].body.split() if "/password/reset/key/" in word).partition("testserver")[
        2
    ]
    form = client.get(path, follow=True)
    chosen = {"password1": "a sentence of my own", "password2": "a sentence of my own"}
    client.post(form.redirect_chain[-1][0], chosen)
    assert not inside(client), "a reset opens no session by itself"
    assert "used up" in Client().get(path, follow=True).content.decode()
    sign_in(client, "alice@fernway.example", "a sentence of my own")
    assert inside(client)


def test_a_form_from_another_site_is_refused(cast: Any) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(cast.alice.user)
    answer = strict.post("/w/fernway/settings/topics/new/", {"name": "x", "query": "delay"})
    assert answer.status_code == 403
    assert "This form is too old" in answer.content.decode()


def test_every_page_carries_the_strict_headers(cast: Any, client: Client) -> None:
    for path in ("/account/login/", "/w/fernway/", "/nowhere"):
        headers = client.get(path).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert headers["Referrer-Policy"] == "same-origin"
        assert "private" in headers["Cache-Control"]
        assert "no-store" in headers["Cache-Control"]
        assert "camera=()" in headers["Permissions-Policy"]
