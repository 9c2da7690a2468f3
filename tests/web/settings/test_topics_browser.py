"""The page of a topic in a real browser: text and boxes follow each other, errors are underlined, axe is content."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = "/usr/bin/chromium"
FLAGS = ("headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking")

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def page(
    cast: Any, hear: Any, make_post: Any, now: dt.datetime, live_server: Any, enter: Any, monkeypatch: Any
) -> Iterator[Any]:
    """The page of the topic "Delays", with some posts stored; what the console says is a failure."""
    if not Path(CHROMIUM).exists():
        pytest.skip("no Chromium here; `make test-deps` installs it")
    from playwright.sync_api import sync_playwright

    from rapport.actions.listening import save_topic

    topic = save_topic(cast.lea, "", "Delays", "delay OR late", hides=["giveaway"], now=now)
    hear(*[make_post(text) for text in ("a delay", "so late", "delay, a giveaway", "delay and refund", "no news")])
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
        opened.goto(f"/w/fernway/settings/topics/{topic.pk}/")
        yield opened
        browser.close()
    assert said == []


def matches(page: Any, count: int) -> None:
    """Wait until the page says so."""
    from playwright.sync_api import expect

    expect(page.locator(".tally-all b")).to_have_text(str(count))


def test_text_and_boxes_follow_each_other_and_the_count_follows_both(page: Any) -> None:
    from playwright.sync_api import expect

    matches(page, 4)
    assert page.input_value("#id_b_groups") == "delay late"
    page.fill("#id_b_none", "refund")
    matches(page, 3)
    assert page.input_value("#id_query") == "(delay OR late) NOT refund"
    page.fill("#id_query", "delay (refund OR giveaway)")
    matches(page, 2)
    expect(page.locator("#id_b_every")).to_have_value("delay")
    assert (page.input_value("#id_b_groups"), page.input_value("#id_b_none")) == ("refund giveaway", "")
    expect(page.locator("#topic-said")).to_contain_text("2 posts match")
    page.get_by_label("replies").check(force=True)
    matches(page, 0)
    assert page.input_value("#id_query") == "delay (refund OR giveaway) kind:reply"


def test_leaving_machines_out_is_one_switch_that_the_address_keeps_with_what_is_typed(page: Any) -> None:
    from playwright.sync_api import expect

    from rapport.store.models import Handle

    Handle.objects.filter(ours=False).update(bot_word=True)
    page.fill("#id_query", "delay")
    matches(page, 3)
    expect(page.locator(".tally-machines")).to_contain_text("3 of them are from accounts that look automated")
    page.locator("#id_automated").check(force=True)
    matches(page, 0)
    expect(page).to_have_url(re.compile(r"\?automated=without$"))
    expect(page.locator("#id_query")).to_have_value("delay")
    page.locator("#id_automated").uncheck(force=True)
    matches(page, 3)
    expect(page).to_have_url(re.compile(r"/\d+/$"))


def test_a_text_beyond_the_boxes_leads_and_is_never_rewritten(page: Any) -> None:
    page.fill("#id_query", "(delay refund) OR late")
    matches(page, 2)
    page.wait_for_selector("#beyond:visible")
    assert "(delay refund) OR late" in page.inner_text("#beyond")
    assert not page.is_visible("#boxes")
    assert page.input_value("#id_query") == "(delay refund) OR late"
    page.fill("#id_query", "late")
    page.wait_for_selector("#boxes:visible")
    assert page.input_value("#id_b_every") == "late"


def test_an_error_is_underlined_in_the_text_told_and_loses_nothing(page: Any) -> None:
    from playwright.sync_api import expect

    page.fill("#id_query", "🚆 delay OR colour:red late")
    page.wait_for_selector("#query-problem .problem:visible")
    assert page.text_content(".query-under mark") == "🚆"
    page.fill("#id_query", "delay OR colour:red late")
    expect(page.locator(".query-under mark")).to_have_text("colour:red")
    assert "there is no field" in page.inner_text("#query-problem")
    assert page.get_attribute("#query-problem", "role") == "status"
    assert page.get_attribute("#id_query", "aria-invalid") == "true"
    assert page.input_value("#id_query") == "delay OR colour:red late"
    matches(page, 4)  # of the last text that could be read
    # what stands under the text stands exactly under it
    places = page.evaluate(
        "[...document.querySelectorAll('.query-editor > *')].map(e => { const s = getComputedStyle(e);"
        " return [e.clientWidth, s.fontSize, s.lineHeight, s.fontFamily, s.paddingInlineStart, s.letterSpacing] })"
    )
    assert places[0] == places[1]
    page.fill("#id_query", "delay")
    page.wait_for_selector("#query-problem .problem", state="hidden")
    assert page.get_attribute("#id_query", "aria-invalid") is None


def test_the_keyboard_saves_and_progress_shows_until_all_stored_posts_are_read(page: Any, cast: Any) -> None:
    from rapport.actions.rematch import carry_on_rematches
    from rapport.store.models import Topic

    page.fill("#id_query", "refund")
    page.check("#id_apply")
    page.focus("#id_query")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#rematch progress")
    assert Topic.objects.get().query == "refund"
    carry_on_rematches(cast.workspace, now=dt.datetime.now(dt.UTC))
    page.wait_for_selector("text=Applied to 5 stored posts: 0 added, 3 dropped.")


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (1024, "dark"), (390, "dark"), (390, "light")])
def test_axe_finds_nothing_and_nothing_scrolls_sideways(page: Any, width: int, scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    found = []
    for text in ("delay", "(delay refund) OR late", "delay OR colour:red", "nothing*"):
        page.fill("#id_query", text)
        page.wait_for_timeout(700)
        found += [f"{text}: {each['id']} {each['nodes'][0]['html']}" for each in Axe().run(page).response["violations"]]
        if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            found.append(f"{text}: scrolls sideways")
    assert found == []
