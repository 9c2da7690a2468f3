"""The editors of rules in a real browser: words to choose from, errors underlined, rows that follow what is asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = "/usr/bin/chromium"
FLAGS = ("headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking")
HERE = "/w/fernway/settings/rules/edit/"

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def page(cast: Any, hear: Any, make_post: Any, live_server: Any, enter: Any, monkeypatch: Any) -> Iterator[Any]:
    """A page of a lead, with some posts stored; what the console says is a failure."""
    if not Path(CHROMIUM).exists():
        pytest.skip("no Chromium here; `make test-deps` installs it")
    from playwright.sync_api import sync_playwright

    hear(*[make_post(f"Number {number}", kind="reply" if number % 2 else "post") for number in range(6)])
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
        opened.on("dialog", lambda dialog: dialog.accept())
        yield opened
        heard = list(said)  # what is cut off by the end of the browser is no fault of a page
        browser.close()
    # a form that is refused is answered with 422, which the browser calls an error; a preview still under way when the
    # page is left is given up, and htmx says so
    mute = ("422", "htmx:afterRequest", "htmx:sendError")
    assert [line for line in heard if not any(each in line for each in mute)] == []


def test_words_are_offered_under_the_caret_and_errors_are_underlined(page: Any) -> None:
    from playwright.sync_api import expect

    page.goto(HERE)
    page.wait_for_load_state("networkidle")  # the words of the language are there
    text, choices, told = page.locator("textarea.code"), page.locator("#choices"), page.locator("#editor-said")
    expect(told).to_contain_text("no fault")
    text.fill('[[rule]]\nname = "A"\nwhen = \'\'\nthen = ["tag:a"]\n')
    text.evaluate("area => area.setSelectionRange(28, 28)")
    text.press_sequentially("foll")
    expect(choices).to_be_visible()
    expect(choices.locator("[aria-selected=true] code")).to_have_text("author.followers")
    text.press("Escape")
    expect(choices).to_be_hidden()
    text.press_sequentially("o")
    text.press("ArrowDown")
    expect(choices.locator("[aria-selected=true] code")).to_have_text("author.following")
    text.press("Enter")
    expect(text).to_have_value('[[rule]]\nname = "A"\nwhen = \'author.following\'\nthen = ["tag:a"]\n')
    expect(told).to_contain_text("line 3, column 9")
    expect(page.locator(".under mark")).to_have_text("author.following")
    expect(page.locator(".gutter .bad")).to_have_text("3")
    text.press_sequentially(" >= 5")
    text.press("Escape")
    expect(told).to_have_text("1 rule, no fault.")
    expect(page.locator(".under mark")).to_have_count(0)


def test_rows_follow_what_is_asked_and_the_preview_counts(page: Any) -> None:
    from playwright.sync_api import expect

    page.goto(f"{HERE}rule/")
    expect(page.locator("#tried .num")).to_have_text("0")
    page.get_by_label("Row 1: what is asked").select_option("kind")
    expect(page.locator("select[name=value]")).to_have_value("post")
    page.get_by_label("Row 1: value").select_option("reply")
    expect(page.locator("#tried .num")).to_have_text("3")
    page.get_by_role("button", name="Row", exact=True).click()
    expect(page.get_by_label("Row 2: what is asked")).to_be_visible()
    page.get_by_role("button", name="Remove row 2").click()
    expect(page.get_by_label("Row 2: what is asked")).to_have_count(0)
    page.fill("#id_name", "Replies")
    page.get_by_label("Action 1: what", exact=True).select_option("Care")
    page.get_by_role("button", name="Save as a draft").click()
    expect(page.get_by_role("heading", name="Replies")).to_be_visible()
    expect(page.get_by_label("Row 1: value")).to_have_value("reply")
