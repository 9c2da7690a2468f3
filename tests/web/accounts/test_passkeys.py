"""Passkeys in a real browser, under the real content security policy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = "/usr/bin/chromium"
PASSWORD = "correct horse battery"
FLAGS = ("headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking")

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def page(cast: Any, live_server: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A page at http://localhost (the one place where browsers take passkeys without https), with a virtual key."""
    if not Path(CHROMIUM).exists():
        pytest.skip("no Chromium here; `make test-deps` installs it")
    from django.core.cache import cache
    from playwright.sync_api import sync_playwright

    cache.clear()
    # playwright runs an event loop in this thread; the fixtures that clean the tables up are sync code all the same
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[f"--{flag}" for flag in FLAGS])
        context = browser.new_context(base_url=live_server.url.replace("127.0.0.1", "localhost"))
        opened = context.new_page()
        opened.set_default_timeout(15_000)
        wire = context.new_cdp_session(opened)
        wire.send("WebAuthn.enable")
        key = {
            "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
            "isUserVerified": True, "automaticPresenceSimulation": True,
        }  # fmt: skip
        wire.send("WebAuthn.addVirtualAuthenticator", {"options": key})
        yield opened
        browser.close()


def sign_in(page: Any) -> None:
    page.goto("/account/login/")
    page.fill("#id_login", "lea@fernway.example")
    page.fill("#id_password", PASSWORD)
    page.click("button.main")
    page.wait_for_url("**/w/fernway/**")


def add_passkey(page: Any) -> None:
    page.goto("/account/2fa/webauthn/add/")
    page.fill("#id_password", PASSWORD)
    page.click("button.main")
    page.wait_for_selector("#mfa_webauthn_add")
    page.fill("#id_name", "work laptop")
    page.check("#id_passwordless")
    page.click("#mfa_webauthn_add")
    page.wait_for_url("**/account/2fa/recovery-codes/")


def test_a_passkey_is_added_and_opens_the_desk_without_a_password(page: Any) -> None:
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if "Policy" in message.text else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    sign_in(page)
    add_passkey(page)
    page.goto("/account/2fa/webauthn/")
    assert "work laptop" in page.inner_text("main")
    assert "Signs you in without a password" in page.inner_text("main")
    page.context.clear_cookies()
    page.goto("/account/login/")
    page.click("#passkey_login")
    page.wait_for_url("**/w/fernway/**")
    assert complaints == [], "nothing that the content security policy stopped"


def test_with_a_passkey_the_password_alone_is_not_enough(page: Any) -> None:
    sign_in(page)
    add_passkey(page)
    page.context.clear_cookies()
    page.goto("/account/login/")
    page.fill("#id_login", "lea@fernway.example")
    page.fill("#id_password", PASSWORD)
    page.click("button.main")
    page.wait_for_url("**/account/2fa/authenticate/")
    page.click("#mfa_webauthn_authenticate")
    page.wait_for_url("**/w/fernway/**")


def test_a_passkey_that_does_not_come_is_said_on_the_page(page: Any) -> None:
    page.goto("/account/login/")
    # the virtual key knows nobody here yet, and a browser that is told no gives an error at once
    page.evaluate(
        "() => { navigator.credentials.get = async () => { throw new DOMException('no', 'NotAllowedError') } }"
    )
    page.click("#passkey_login")
    page.wait_for_selector("#key-trouble", state="visible")
