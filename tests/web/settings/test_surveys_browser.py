"""The page of a survey in a real browser, without scripts: it shows what a kind of question needs, one at first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

CHROMIUM = "/usr/bin/chromium"
FLAGS = ("headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking")

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def test_a_question_is_added_and_choices_are_asked_for_where_there_are_some(
    cast: Any, live_server: Any, enter: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not Path(CHROMIUM).exists():
        pytest.skip("no Chromium here; `make test-deps` installs it")
    from playwright.sync_api import expect, sync_playwright

    from rapport.store.models import Survey

    session = enter(cast.lea).cookies["sessionid"].value
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[f"--{flag}" for flag in FLAGS])
        context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
        context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
        page = context.new_page()
        page.goto("/w/fernway/settings/surveys/new/")
        expect(page.locator("[name^=text]:visible")).to_have_count(1)
        expect(page.locator("[name^=choices]:visible")).to_have_count(0)
        page.fill("[name=name]", "Tent")
        page.get_by_text("Add a question").locator("visible=true").click()
        expect(page.locator("[name^=text]:visible")).to_have_count(1)
        page.select_option("[name=kind1]", "text")
        expect(page.locator("[name=text1]")).to_be_visible()
        expect(page.locator("[name=choices1]")).to_be_hidden()
        page.select_option("[name=kind1]", "choice")
        page.fill("[name=text1]", "What was it about?")
        page.fill("[name=choices1]", "Tents\nBags")
        page.get_by_text("Save").locator("visible=true").click()
        page.wait_for_url("**/settings/surveys/")
        made = Survey.objects.get()
        page.goto(f"/w/fernway/settings/surveys/{made.pk}/")
        expect(page.locator("[name=choices1]")).to_be_visible()
        expect(page.locator("[name=choices0]")).to_be_hidden()
        expect(page.get_by_text("Add a question").locator("visible=true")).to_have_count(1)
        browser.close()
    chosen = {"kind": "choice", "text": "What was it about?", "choices": ["Tents", "Bags"]}
    assert made.questions == [{"kind": "score", "text": "How happy are you with our answer?"}, chosen]
