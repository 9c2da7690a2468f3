"""Whole days at the desk, each of one person in one browser: an agent, a lead, a restricted agent with a phone.

The desk is `rapport up` before a real Mastodon API server: what is sent is looked for there.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from playwright.sync_api import expect

import tables
from browser.screens import CHROMIUM, running_desk, wait_until
from servers import MastodonServer, mastodon_server

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]

PASSWORD = "correct horse battery"
HERE = Path(__file__).parent
CARE = [
    "My parcel is late for the second time and nobody tells me why. I am really angry.",
    "The lamp came broken. This is the third one, where is my refund?",
    "Charged twice for one order. Unacceptable, I want my money back.",
    "The zip of the jacket broke on its first day, so disappointing.",
    "Nobody answers the phone for days. Terrible service!",
    "The kettle leaks and the shop says it is my fault. Awful.",
    "Wrong size again. I am tired of sending things back.",
]
PRAISE = ["What a jacket, thank you!", "Your workshop mended my tent for nothing. Wonderful."]
QUESTIONS = [
    "Do you ship to Norway?",
    "Which of the two tents is lighter?",
    "Is the workshop in Leeds open on Sundays?",
    "Can I change the address of an order?",
]
THINGS = [
    "lamp",
    "kettle",
    "chair",
    "table",
    "carpet",
    "bicycle",
    "helmet",
    "jacket",
    "tent",
    "stove",
    "rope",
    "torch",
    "map",
    "boots",
    "gloves",
    "scarf",
    "hat",
    "bottle",
    "knife",
    "compass",
    "mattress",
    "pillow",
    "blanket",
    "backpack",
    "harness",
    "paddle",
    "canoe",
    "sled",
    "skis",
    "poles",
    "goggles",
    "socks",
    "shirt",
    "belt",
    "watch",
    "radio",
    "charger",
    "hammock",
    "tarp",
    "whistle",
]


def said_by() -> dict[str, list[str]]:
    """basket -> what its people say; each by somebody else."""
    return {
        "praise": PRAISE,
        "care": CARE,
        "questions": QUESTIONS,
        "sales": [f"The {thing} sinks in deep snow" for thing in THINGS],
    }


@contextlib.contextmanager
def days_server() -> Iterator[MastodonServer]:
    """A Mastodon API server with an account for each of `said_by`, and the house's."""
    people = [f"{basket}{number}" for basket, texts in said_by().items() for number in range(len(texts))]
    with mastodon_server(accounts=("fernway", *people)) as server:
        yield server


@contextlib.contextmanager
def days_desk(folder: Path, mastodon: MastodonServer) -> Iterator[str]:
    """A desk with people, posts and what leads set up long ago; its address."""
    said = []
    for basket, texts in said_by().items():
        for number, text in enumerate(texts):
            who = f"{basket}{number}"
            post = mastodon.post(who, f"@fernway {text}")
            said.append([basket, post["id"], mastodon.ids[who], who, f"@fernway {text}"])
    tables.lay(folder / "data")
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("RAPPORT_", "DJANGO_"))}
    environment |= {"RAPPORT_DATA": str(folder / "data"), "RAPPORT_ALLOW_PRIVATE": mastodon.authority}
    given = {
        "password": PASSWORD, "server": mastodon.url, "token": mastodon.tokens["fernway"],
        "account": mastodon.ids["fernway"], "said": said,
    }  # fmt: skip
    seed = [sys.executable, str(HERE / "days_desk.py")]
    subprocess.run(seed, env=environment, input=json.dumps(given).encode(), check=True, timeout=120)
    with running_desk(folder, RAPPORT_ALLOW_PRIVATE=mastodon.authority) as address:
        yield address


@pytest.fixture(scope="module")
def mastodon() -> Iterator[MastodonServer]:
    with days_server() as server:
        yield server


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, mastodon: MastodonServer) -> Iterator[str]:
    with days_desk(tmp_path_factory.mktemp("days"), mastodon) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("no Chromium; `make test-deps` installs it")
    from playwright.sync_api import sync_playwright

    expect.set_options(timeout=15_000)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"]
        )
        yield chromium
        chromium.close()


class Seat:
    """One signed-in person at one screen; collects what the browser complains about."""

    #: (desk, name) -> cookies of who signed in before
    known: ClassVar[dict[tuple[str, str], Any]] = {}

    def __init__(self, browser: Any, address: str, name: str, **screen: Any) -> None:
        screen.setdefault("viewport", {"width": 1440, "height": 900})
        kept = self.known.get((address, name))
        self.context = browser.new_context(base_url=address, reduced_motion="reduce", storage_state=kept, **screen)
        self.page = self.context.new_page()
        self.page.set_default_timeout(15_000)
        self.complaints: list[str] = []
        if kept is None:
            self.sign_in(name)
            self.known[address, name] = self.context.storage_state()
        self.page.on("console", self.hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def hear(self, message: Any) -> None:
        if "Failed to load resource" not in message.text:  # said of every refusal, and of a line that broke
            self.complaints.append(message.text)

    def sign_in(self, name: str) -> None:
        self.page.goto("/account/login/")
        self.page.fill("input[name=login]", f"{name}@fernway.example")
        self.page.fill("input[name=password]", PASSWORD)
        self.page.locator("input[name=password]").press("Enter")
        self.page.wait_for_url("**/w/**")

    def go(self, path: str) -> Any:
        self.page.goto(f"/w/fernway/{path}")
        self.page.wait_for_selector("html[data-ready=yes]")
        return self.page

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def opened(self) -> str:
        """Which conversation is on the page."""
        return str(self.page.locator("#main").get_attribute("data-conversation"))

    def violations(self) -> list[tuple[str, str]]:
        from axe_playwright_python.sync_playwright import Axe

        found = Axe().run(self.page).response["violations"]
        return [(each["id"], each["nodes"][0]["html"]) for each in found]

    def check_looks(self, *schemes: str) -> None:
        """Nothing that axe objects to on this page; in the dark where asked."""
        for scheme in schemes or ("light",):
            self.page.emulate_media(color_scheme=scheme)
            assert self.violations() == [], (self.page.url, scheme)


def said_on(server: MastodonServer) -> list[str]:
    """What the house's account said on the server, newest first, without markup."""
    return [re.sub(r"<[^>]+>", "", each["content"]) for each in server.statuses("fernway")]


def test_the_day_of_an_agent(browser: Any, desk: str, mastodon: MastodonServer) -> None:
    seat = Seat(browser, desk, "amir")
    page = seat.go("b/care/")
    rows = page.locator("[data-row]")
    expect(rows).to_have_count(len(CARE))
    order = rows.evaluate_all("rows => rows.map((row) => row.dataset.row)")
    main = page.locator("#main")

    # the list by key, the first one opened, its reason read
    seat.press("j", "j", "k", "o")
    expect(main).to_have_attribute("data-conversation", order[0])
    page.locator("#why > summary").click()
    expect(page.locator("#why")).to_contain_text("complaint")
    seat.check_looks("light", "dark")

    # the guard finds it too long; mended, it goes out and is seen there
    seat.press("r")
    page.fill("#reply-text", "We are sorry. " * 40)
    expect(page.locator("#checks .bad")).to_contain_text("Shorten it by")
    page.fill("#reply-text", "@care I am sorry about all this. Which order is it? I will look at once.")
    expect(page.locator("#checks .bad")).to_have_count(0)
    seat.press("Control+Enter")
    expect(page.locator(".msg.us .sent").first).to_be_visible()
    wait_until(lambda: any("Which order is it?" in each for each in said_on(mastodon)), 15)

    seat.press("Escape", "j")
    expect(main).to_have_attribute("data-conversation", order[1])
    begin_from_a_prepared_reply(seat)
    name_a_colleague(seat, browser, desk)
    write_down_a_task(seat)
    put_aside_and_take_back(seat)
    lose_the_line_while_typing(seat)
    ask_for_their_opinion(seat)
    tag_three_and_find_them(seat)
    keep_the_list_as_a_view(seat)
    assert seat.complaints == []
    seat.context.close()


def begin_from_a_prepared_reply(seat: Seat) -> None:
    """By "/" and a few letters."""
    page = seat.page
    page.fill("#reply-text", "")
    page.locator("#reply-text").press_sequentially("/")
    expect(page.locator("#snippet-find")).to_be_focused()
    page.keyboard.type("thank")
    expect(page.locator("#snippets .item").first).to_contain_text("Thank")
    page.locator("#snippet-find").press("Enter")
    expect(page.locator("#reply-text")).not_to_have_value("")


def name_a_colleague(seat: Seat, browser: Any, desk: str) -> None:
    """In a note; she is told."""
    page = seat.page
    seat.press("Escape", "n")
    page.locator("#note-text").press_sequentially("Do you know her, @noo")
    expect(page.locator("#note-names li")).to_have_count(1)
    # a colleague does something meanwhile: the conversation is read again below the list
    before = page.locator("html").get_attribute("data-refreshed")
    page.evaluate("Rapport.refresh({ talk: true })")
    expect(page.locator("html")).not_to_have_attribute("data-refreshed", before or "")
    expect(page.locator("#note-names li")).to_have_count(1)
    seat.press("Enter")
    expect(page.locator("#note-text")).to_have_value("Do you know her, @Noor Haddad ")
    seat.press("Control+Enter")
    expect(page.locator("#thread .note")).to_contain_text("Do you know her")
    noor = Seat(browser, desk, "noor")
    expect(noor.go("notices/").locator("main")).to_contain_text("Amir")
    noor.context.close()


def write_down_a_task(seat: Seat) -> None:
    """With the day by which it is done."""
    page = seat.page
    page.locator(".todo summary").click()
    page.fill("#todo-title", "Call her about the refund")
    page.fill("#todo-due", f"{dt.datetime.now(dt.UTC) + dt.timedelta(days=3):%Y-%m-%dT%H:%M}")
    page.click(".todo .btn.main")
    expect(page.locator(".todo li")).to_contain_text("Call her about the refund")


def put_aside_and_take_back(seat: Seat) -> None:
    """By two keys."""
    page = seat.page
    seat.press("s")
    seat.press("Enter")
    expect(page.locator("#main")).to_have_attribute("data-state", "snoozed")
    seat.press("z")
    expect(page.locator("#main")).to_have_attribute("data-state", "open")


def lose_the_line_while_typing(seat: Seat) -> None:
    """Nothing is lost."""
    page = seat.page
    seat.press("r")
    seat.context.set_offline(True)
    page.fill("#reply-text", "The words before the line broke")
    seat.context.set_offline(False)
    page.reload()
    page.wait_for_selector("html[data-ready=yes]")
    expect(page.locator("#reply-text")).to_have_value("The words before the line broke")


def ask_for_their_opinion(seat: Seat) -> None:
    """A link to the survey comes behind what is written."""
    page = seat.page
    page.click("#surveys button:has-text('Put a link')")
    expect(page.locator("#reply-text")).to_have_value(
        re.compile(r"The words before the line broke\s.*/s/\S+", re.DOTALL)
    )


def tag_three_and_find_them(seat: Seat) -> None:
    """A mistake in the search says what is meant."""
    page = seat.page
    seat.go("b/care/")
    seat.press("j", "j", "j", "x", "j", "x", "j", "x")
    expect(page.locator("#bulk-count")).to_contain_text("3")
    page.locator("#bulk [data-menu=bulk-t] summary").click()
    page.fill("#bulk-tag", "broken")
    page.click("#bulk [data-bulk=tag]")
    expect(page.locator(".chip", has_text="broken")).to_have_count(3)
    seat.press("Escape", "/")
    page.keyboard.type("tga:broken")
    seat.press("Enter")
    expect(page.locator("#list")).to_contain_text("tag:")
    page.fill("#find", "tag:broken")
    seat.press("Enter")
    expect(page.locator("[data-row]")).to_have_count(3)


def keep_the_list_as_a_view(seat: Seat) -> None:
    """Of one's own."""
    page = seat.page
    page.locator("details.menu:has(#view-name) > summary").click()
    page.fill("#view-name", "What broke")
    seat.press("Enter")
    expect(page.locator("#nav")).to_contain_text("What broke")
    seat.check_looks()


def test_the_day_of_a_restricted_agent_on_a_phone(browser: Any, desk: str) -> None:
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    seat = Seat(browser, desk, "rita", **phone)
    page = seat.go("")
    expect(page).to_have_url(re.compile("/b/questions/"))
    rows = page.locator("[data-row]")
    expect(rows).to_have_count(len(QUESTIONS))
    seat.check_looks()
    fits = "document.documentElement.scrollWidth <= innerWidth"
    assert page.evaluate(fits)

    # the house beside her own basket is not there for her, whatever she types as an address
    expect(page.locator("[data-basket][href], a[data-basket]")).to_have_count(1)
    lea = Seat(browser, desk, "lea")
    foreign = lea.go("b/care/?tab=all").locator("[data-row]").first.get_attribute("data-row")
    for place in (f"c/{foreign}/", "b/care/"):
        assert page.request.get(f"/w/fernway/{place}").status == 404
    for place in ("settings/rules/", "settings/team/", "settings/channels/", "approvals/", "ledger/", "hold/"):
        assert page.request.get(f"/w/fernway/{place}").status == 403, place
    page.goto("/w/fernway/palette/")
    offered = page.locator("main a.item").evaluate_all("links => links.map((link) => link.getAttribute('href'))")
    assert offered
    assert [each for each in offered if not page.request.get(each).ok] == []

    # she asks a lead to send what she wrote; the keyboard of a phone has no Ctrl
    seat.go("b/questions/")
    rows.filter(has_text="change the address").tap()
    expect(page.locator("#main")).to_have_attribute("data-conversation", re.compile(r"\d+"))
    address = page.url
    assert page.evaluate(fits)
    page.fill("#reply-text", "Yes, until it is packed. Tell me the new one, please.")
    page.locator("#reply .btn.main").tap()
    expect(page.locator("#composer")).to_contain_text("A lead is asked to read and send this")
    expect(page.locator(".msg.us")).to_have_count(0)

    # it comes back with a reason, and she writes it anew
    card = lea.go("approvals/").locator(".proposal", has_text="change the address")
    card.locator("details summary").click()
    card.locator("input[name=reason]").fill("Say by when")
    card.locator("details .btn").click()
    expect(lea.page.locator("main")).to_contain_text("Returned to Rita Voss")
    lea.context.close()
    seat.go("notices/")
    expect(page.locator("main")).to_contain_text("Say by when")
    page.goto(address)
    expect(page.locator("#composer")).to_contain_text("Lea Brandt returned this: Say by when")
    expect(page.locator("#reply-text")).to_have_value(re.compile("until it is packed"))
    seat.check_looks("dark", "light")
    page.fill("#reply-text", "Yes, until noon today. Tell me the new one, please.")
    page.locator("#reply .btn.main").tap()
    expect(page.locator("#composer")).to_contain_text("A lead is asked to read and send this")
    page.locator("[data-back]").tap()
    expect(rows.first).to_be_visible()
    seat.context.close()


def test_the_day_of_a_lead(browser: Any, desk: str, mastodon: MastodonServer) -> None:
    seat = Seat(browser, desk, "lea")
    approve_by_keys(seat, mastodon)
    allow_an_offer(seat, browser, desk)
    hold_and_let_out(seat, mastodon)
    read_the_ledger(seat)

    # a rule is changed, and what came of offers read
    page = seat.go("settings/rules/edit/")
    document = page.input_value("textarea[name=document]")
    page.fill("textarea[name=document]", f"{document}\n# the winter of the lorry\n")
    page.click("button:has-text('Save and put in force')")
    expect(page.locator("main")).to_contain_text("is saved, and in force")
    seat.go("offers/report/")
    expect(page.locator("tbody")).to_contain_text("oucher")
    seat.check_looks()
    seat.context.close()


def approve_by_keys(seat: Seat, mastodon: MastodonServer) -> None:
    """Three drafts: one as it is, one changed, one given back with a reason."""
    page = seat.page
    seat.go("approvals/")
    cards = page.locator(".proposal")

    def take(words: str) -> Any:
        seat.press(*"kkkkk")
        card = cards.filter(has_text=words)
        for _ in range(5):
            if card.evaluate("card => card === document.activeElement"):
                break
            seat.press("j")
        expect(card).to_be_focused()
        return card

    expect(cards.filter(has_text=QUESTIONS[0])).to_have_count(1)
    seat.check_looks()
    take(QUESTIONS[0])
    seat.press("r", "Control+Enter")
    expect(cards.filter(has_text=QUESTIONS[0])).to_have_count(0)
    mended = take(QUESTIONS[1])
    seat.press("r")
    mended.locator("textarea").fill("The blue one: it weighs less than two kilos.")
    seat.press("Control+Enter")
    expect(cards.filter(has_text=QUESTIONS[1])).to_have_count(0)
    take(QUESTIONS[2])
    seat.press("b")
    page.keyboard.type("Kinder, please")
    seat.press("Enter")
    expect(cards.filter(has_text=QUESTIONS[2])).to_have_count(0)
    wait_until(lambda: sum("two kilos" in each or "four days" in each for each in said_on(mastodon)) == 2, 15)


def allow_an_offer(seat: Seat, browser: Any, desk: str) -> None:
    """An agent asks for more than they may offer."""
    page = seat.page
    noor = Seat(browser, desk, "noor")
    theirs = noor.go("b/care/?tab=all")
    theirs.locator("[data-row]").last.click()
    expect(theirs.locator("#main")).to_have_attribute("data-conversation", re.compile(r"\d+"))
    noor.press("v")
    theirs.fill("#offer-amount", "50")
    theirs.fill("#offer-reason", "Third time")
    theirs.click("#offer-new button[name=ask]")
    expect(theirs.locator(".offer")).to_contain_text("50")
    seat.go("offers/")
    seat.check_looks()
    page.click("button[name=how][value=allow]")
    expect(page.locator("main")).to_contain_text("Nothing waits")
    expect(theirs.locator(".offer .btn", has_text="It is said to them")).to_be_visible()
    noor.context.close()


def hold_and_let_out(seat: Seat, mastodon: MastodonServer) -> None:
    """Everything is held while two answers are written; one is let out, then all."""
    page = seat.page
    seat.go("hold/")
    page.fill("#reason", "The carrier lost a lorry")
    page.fill("#known", "Lorry 14, forty parcels")
    page.click("text=Hold everything now")
    expect(page.locator("main")).to_contain_text("Held: The carrier lost a lorry")
    for number, words in ((1, "We look for the lorry now."), (2, "The boots went with it, sorry; more tomorrow.")):
        page = seat.go("b/praise/?tab=all")
        page.locator("[data-row]").nth(-number).click()
        expect(page.locator("#main .head-lines")).to_contain_text("Lorry 14, forty parcels")
        page.fill("#reply-text", words)
        page.locator("#reply-text").press("Control+Enter")
        expect(page.locator(".way", has_text=words)).to_contain_text("held")
    seat.go("hold/")
    seat.check_looks()
    page.locator("li.line", has_text="We look for the lorry").locator("button[name=let_through]").click()
    wait_until(lambda: any("look for the lorry" in each for each in said_on(mastodon)), 20)
    assert not any("The boots went with it" in each for each in said_on(mastodon))
    page.select_option("#a-minute", "0")
    page.click("text=Let everything go out again")
    wait_until(lambda: any("The boots went with it" in each for each in said_on(mastodon)), 20)


def read_the_ledger(seat: Seat) -> None:
    """It names what was let out, and is whole."""
    page = seat.page
    seat.go("ledger/")
    seat.check_looks()
    expect(page.locator("tbody tr", has_text="The boots went with it").first).to_be_visible()
    page.locator(".chain button").click()
    expect(page.locator(".notice.good")).to_contain_text("as they were approved")


def test_forty_posts_of_a_campaign_are_answered_one_after_the_other_by_key(
    browser: Any, desk: str, mastodon: MastodonServer
) -> None:
    seat = Seat(browser, desk, "lea")
    page = seat.go("campaigns/new/")
    for name, value in {"name": "Deep snow", "query": "sinks AND snow", "variant1": "Kind", "text1": "Hello"}.items():
        page.fill(f"[name={name}]", value)
    page.click("main form button.main")
    cards = page.locator("[data-post]:has([data-text])")
    expect(page.locator("[data-left]")).to_have_text(str(len(THINGS)))
    page.click("button[value=run]")
    expect(page.locator("button[name=one]").first).to_be_enabled()
    seat.check_looks()
    seat.press("j", "r")
    for left in range(len(THINGS), 0, -1):
        if not cards.count():
            seat.go(page.url.split("/w/fernway/")[1])
            seat.press("j", "r")
        card = page.locator("[data-post]:has([data-text]:focus)")
        expect(card).to_have_count(1)
        thing = str(card.locator("blockquote").inner_text()).split()[2]
        at = THINGS.index(thing)
        page.keyboard.press("Control+A")
        page.keyboard.insert_text(
            f"A {thing} wants {THINGS[at - 1]}, {THINGS[at - 7]} and {THINGS[at - 13]}; number {at * 37}."
        )
        page.keyboard.press("Control+Enter")
        expect(page.locator("[data-left]")).to_have_text(str(left - 1))
    wait_until(lambda: sum(" wants " in each for each in said_on(mastodon)) == len(THINGS), 60)
    seat.context.close()
