"""Clocks of an open page go on by themselves, with the words of the server; the hour is moved, nobody waits for it."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from django.template import Context, Template
from django.utils import translation

from rapport.web.templatetags.clock_words import clock_words
from rapport.web.templatetags.desk_frame import since

CHROMIUM = "/usr/bin/chromium"
FLAGS = ("headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking")
CLOCKS = Path(__file__).parents[3] / "src" / "rapport" / "web" / "static" / "clocks.js"
NOW = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC)
PAGE = """{% load promise_words desk_frame %}<html lang="{{ language }}"><body data-clock="{{ words }}">
<p id="soon">{% due soon %}</p><p id="later">{% due later %}</p><p id="late">{% due late %}</p>
<p id="waits">{% moment late "waits" %}</p><p id="ago">{% moment old "ago" %}</p><p id="clock">{% moment old %}</p>
</body></html>"""


@pytest.mark.django_db
def test_a_page_of_the_desk_carries_the_words(cast: Any, enter: Any) -> None:
    page = enter(cast.amir).get("/w/fernway/b/care/").content.decode()
    assert "clocks.js" in page
    assert "due in {time}" in page


def test_the_words_are_those_of_the_server() -> None:
    words = json.loads(clock_words())
    for days in (1, 2, 5, 59):
        kind = "one" if days == 1 else "other"
        assert words["day"][kind].replace("{n}", str(days)) == since(NOW - dt.timedelta(days=days), NOW)


def words_of(page: Any) -> dict[str, str]:
    return {each: page.inner_text(f"#{each}") for each in ("soon", "later", "late", "waits", "ago", "clock")}


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "de"])
def test_minutes_go_by_without_a_request_and_nothing_is_announced(language: str) -> None:
    if not Path(CHROMIUM).exists():
        pytest.skip("no Chromium here; `make test-deps` installs it")
    from playwright.sync_api import sync_playwright

    # what the page shows `passed` seconds later is what the server would have said then
    def said(passed: int) -> str:
        times = {"soon": 5, "later": 185, "late": -50, "old": -2 * 24 * 60 + 10}
        given = {name: NOW + dt.timedelta(minutes=minutes) for name, minutes in times.items()}
        words = json.loads(clock_words()) | {"at": NOW.timestamp()}
        context = {**given, "now": NOW + dt.timedelta(seconds=passed), "language": language, "words": json.dumps(words)}
        return Template(PAGE).render(Context(context))

    with translation.override(language), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[f"--{flag}" for flag in FLAGS])
        page, later = browser.new_page(), browser.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        # the clock of this person is a day ahead of the server's
        page.clock.install(time=NOW + dt.timedelta(days=1))
        page.set_content(said(0))
        page.add_script_tag(path=CLOCKS)
        gone = 0
        for passed in (3 * 60, 4 * 60 + 40, 5 * 60 + 20, 8 * 60, 130 * 60, 26 * 3600):
            page.clock.fast_forward((passed + 5 - gone) * 1000)
            gone = passed + 5
            later.set_content(said(gone))
            assert words_of(page) == words_of(later), passed
            for each in ("soon", "later", "late"):
                tone = f"document.querySelector('#{each} .chip').className.trim()"
                assert page.evaluate(tone) == later.evaluate(tone), (passed, each)
        assert page.evaluate("document.querySelector('#soon use').getAttribute('href')").endswith("#circle-alert")
        assert page.evaluate("document.querySelectorAll('[aria-live],[role=status],[role=timer]').length") == 0
        assert asked == []
        browser.close()
