"""The page of the score in a real browser: sliders and numbers follow each other, and the preview follows both."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rapport.core.post import Author

CHROMIUM = "/usr/bin/chromium"
FLAGS = ("headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking")

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def page(cast: Any, hear: Any, make_post: Any, live_server: Any, enter: Any, monkeypatch: Any) -> Iterator[Any]:
    """The page with two posts to try weights on; what the console says is a failure."""
    if not Path(CHROMIUM).exists():
        pytest.skip("no Chromium here; `make test-deps` installs it")
    from playwright.sync_api import sync_playwright

    hear(
        make_post("My parcel is broken and nobody answers me, this is a disgrace! @fernway"),
        make_post("I love my Fernway rucksack", author=Author(id="s", handle="star", name="Star", followers=10**6)),
    )
    session = enter(cast.lea).cookies["sessionid"].value
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    said: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[f"--{flag}" for flag in FLAGS])
        context = browser.new_context(base_url=live_server.url, reduced_motion="reduce")
        context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
        opened = context.new_page()
        opened.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
        opened.on("pageerror", lambda error: said.append(str(error)))
        opened.goto("/w/fernway/settings/score/")
        yield opened
        browser.close()
    assert said == []


def test_a_weight_is_moved_by_keyboard_the_preview_follows_and_ctrl_enter_saves(page: Any, cast: Any) -> None:
    from axe_playwright_python.sync_playwright import Axe
    from playwright.sync_api import expect

    first = page.locator(".placed .line-said").first
    expect(first).to_contain_text("Nadia")
    slider = page.get_by_label("Mood, slider")
    slider.focus()
    page.keyboard.press("Home")
    expect(page.locator("#id_mood")).to_have_value("0")
    expect(page.locator("[data-total]")).to_have_text("81")
    page.fill("#id_reach", "60")
    expect(slider).to_have_value("0")
    expect(page.locator("#score-sum")).to_contain_text("Take away 33 points")
    page.get_by_role("button", name="Fit to 100").click()
    expect(page.locator("#score-sum .errors")).to_be_empty()
    expect(first).to_contain_text("Star")
    assert float(page.inner_text("[data-total]")) <= 100
    page.click(".shares summary")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    page.focus("#id_note")
    page.keyboard.press("Enter")  # a habit, not a wish
    expect(page.locator("text=in force").first).to_be_visible()
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("text=Version 1 is saved and in force")
    cast.workspace.refresh_from_db()
    assert cast.workspace.score_weights["mood"] == 0
