"""Codes from an app, recovery codes, and that no way in leads around them."""

from __future__ import annotations

import datetime as dt
import re
import time
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def _fresh_counters() -> None:
    cache.clear()


def code(secret: str, step: int = 0) -> str:
    """The six digits of the app, `step` periods from now."""
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30 + step)))


def inside(client: Client) -> bool:
    return "_auth_user_id" in client.session


def sign_in(client: Client, name: str = "amir") -> Any:
    return client.post("/account/login/", {"login": f"{name}@fernway.example", "password": PASSWORD})


@pytest.fixture
def secret(cast: Any) -> str:
    """Amir turned codes on, through the pages."""
    client = Client()
    sign_in(client)
    confirm = client.get("/account/2fa/totp/activate/")
    assert confirm.headers["Location"].startswith("/account/reauthenticate/"), "the password is asked for again"
    client.post(confirm.headers["Location"], {"password": PASSWORD})
    page = client.get("/account/2fa/totp/activate/").content.decode()
    found = re.search(r'<code class="break">([A-Z2-7]+)</code>', page)
    assert found
    answer = client.post("/account/2fa/totp/activate/", {"code": code(found[1], -1)})
    assert answer.headers["Location"] == "/account/2fa/recovery-codes/"
    return found[1]


def test_after_the_password_the_code_is_asked_for(secret: str) -> None:
    client = Client()
    assert sign_in(client).headers["Location"] == "/account/2fa/authenticate/"
    assert not inside(client)
    client.post("/account/2fa/authenticate/", {"code": code(secret)})
    assert inside(client)


def test_a_wrong_code_does_not_get_in(secret: str) -> None:
    client = Client()
    sign_in(client)
    wrong = f"{(int(code(secret)) + 1) % 1_000_000:06}"
    assert "Incorrect code" in client.post("/account/2fa/authenticate/", {"code": wrong}).content.decode()
    assert not inside(client)


def test_a_code_works_once(secret: str) -> None:
    digits = code(secret)
    first, second = Client(), Client()
    sign_in(first)
    sign_in(second)
    first.post("/account/2fa/authenticate/", {"code": digits})
    assert inside(first)
    second.post("/account/2fa/authenticate/", {"code": digits})
    assert not inside(second)


def test_a_recovery_code_opens_the_account_once(secret: str) -> None:
    owner = Client()
    sign_in(owner)
    owner.post("/account/2fa/authenticate/", {"code": code(secret)})
    owner.post("/account/reauthenticate/", {"password": PASSWORD})
    shown = re.findall(r"<li><code>(\w+)</code></li>", owner.get("/account/2fa/recovery-codes/").content.decode())
    assert len(shown) == 10
    for expected in (True, False):
        client = Client()
        sign_in(client)
        client.post("/account/2fa/authenticate/", {"code": shown[0]})
        assert inside(client) is expected


def test_a_reset_of_the_password_does_not_lead_around_the_code(secret: str, mailoutbox: list[Any]) -> None:
    client = Client()
    mailoutbox.clear()
    client.post("/account/password/reset/", {"email": "amir@fernway.example"})
    path = next(word for word in mailoutbox[0].body.split() if "/password/reset/key/" in word).partition("testserver")[
        2
    ]
    form = client.get(path, follow=True)
    client.post(form.redirect_chain[-1][0], {"password1": "my own sentence", "password2": "my own sentence"})
    assert not inside(client)
    data = {"login": "amir@fernway.example", "password": "my own sentence"}
    assert client.post("/account/login/", data).headers["Location"] == "/account/2fa/authenticate/"
    assert not inside(client)


def test_a_sign_in_link_does_not_lead_around_the_code(secret: str, cast: Any) -> None:
    from rapport.actions.accounts import make_sign_in_link

    token = make_sign_in_link(cast.amir.user, dt.timedelta(hours=1), now=timezone.now())
    client = Client()
    assert client.post(f"/sign-in/{token}/").headers["Location"] == "/account/2fa/authenticate/"
    assert not inside(client)
    assert client.get("/me/password/").headers["Location"].startswith("/account/login/")
    answer = client.post("/account/2fa/authenticate/", {"code": code(secret)})
    assert answer.headers["Location"] == "/me/password/"
    assert inside(client)


def test_secrets_lie_sealed_in_the_database(secret: str, cast: Any) -> None:
    for factor in Authenticator.objects.filter(user=cast.amir.user):
        assert secret not in str(factor.data)
        sealed = factor.data.get("secret") or factor.data.get("seed")
        assert sealed.startswith("gAAAA"), "a Fernet token"


def test_a_second_factor_cannot_be_turned_off_without_asking_again(secret: str, cast: Any, enter: Any) -> None:
    client = enter(cast.amir)
    answer = client.post("/account/2fa/totp/deactivate/")
    assert "reauthenticate" in answer.headers["Location"]
    assert Authenticator.objects.filter(user=cast.amir.user, type="totp").exists()


def test_a_passkey_of_somebody_else_answers_like_one_that_does_not_exist(cast: Any) -> None:
    theirs = Authenticator.objects.create(user=cast.alice.user, type="webauthn", data={"name": "laptop"})
    client = Client()
    sign_in(client)
    client.get("/account/2fa/totp/activate/")
    client.post("/account/reauthenticate/", {"password": PASSWORD})
    for page in ("edit", "remove"):
        for ask in (client.get, client.post):
            foreign = ask(f"/account/2fa/webauthn/keys/{theirs.pk}/{page}/")
            missing = ask(f"/account/2fa/webauthn/keys/999999/{page}/")
            assert (foreign.status_code, missing.status_code) == (404, 404)
            assert foreign.content == missing.content
    assert Authenticator.objects.filter(pk=theirs.pk).exists()
