"""The desk in a real browser: live pages, keys, phone, and nothing that axe or the CSP object to."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

import tables

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PASSWORD = "correct horse battery"
HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A desk of its own, as the environment that it runs in."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("RAPPORT_", "DJANGO_"))}
    data = tmp_path_factory.mktemp("desk")
    tables.lay(data)
    env = {**clean, "RAPPORT_DATA": str(data), "RAPPORT_BASE_URL": address}
    subprocess.run([sys.executable, str(HERE / "browser_desk.py"), PASSWORD], env=env, check=True, timeout=120)
    return env


@pytest.fixture(scope="module")
def desk(house: dict[str, str]) -> Iterator[str]:
    """The desk, served as in production; its address."""
    address = house["RAPPORT_BASE_URL"]
    command = [
        sys.executable,
        "-m",
        "uvicorn",
        "rapport.config.asgi:application",
        "--port",
        address.rpartition(":")[2],
        "--log-level",
        "error",
    ]
    server = subprocess.Popen(command, env=house)
    try:
        wait_for(f"{address}/healthz")
        yield address
    finally:
        server.terminate()
        try:
            server.wait(timeout=20)
        except subprocess.TimeoutExpired:  # it waits for pages that still listen to it
            server.kill()
            server.wait()


def wait_for(address: str) -> None:
    for _ in range(100):
        try:
            with urlopen(address, timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"{address} does not answer")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield chromium
        chromium.close()


class Seat:
    """One signed-in person at one screen; collects what the browser complains about."""

    def __init__(self, browser: Any, address: str, email: str, **screen: Any) -> None:
        self.address = address
        self.complaints: list[str] = []
        screen.setdefault("viewport", {"width": 1440, "height": 860})
        self.context = browser.new_context(**screen)
        self.page = self.context.new_page()
        self.page.goto(f"{address}/account/login/")
        self.page.fill("input[name=login]", email)
        self.page.fill("input[name=password]", PASSWORD)
        self.page.locator("input[name=password]").press("Enter")
        self.page.wait_for_url("**/w/**")
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def go(self, path: str) -> Any:
        self.page.goto(f"{self.address}{path}")
        self.page.wait_for_selector("html[data-live=on]")
        return self.page

    def first(self, place: int = 0) -> str:
        """Opens the first conversation of Care, or another one that no colleague writes in; its path."""
        page = self.go("/w/fernway/b/care/")
        page.locator("[data-row]").nth(place).click()
        page.wait_for_selector("#main[data-conversation]")
        path: str = page.evaluate("location.pathname + location.search")
        return path


@pytest.fixture
def alice(browser: Any, desk: str) -> Iterator[Seat]:
    seat = Seat(browser, desk, "alice@fernway.example")
    yield seat
    seat.context.close()


@pytest.fixture
def ben(browser: Any, desk: str) -> Iterator[Seat]:
    seat = Seat(browser, desk, "ben@fernway.example")
    yield seat
    seat.context.close()


def test_a_colleague_s_note_appears_while_words_caret_and_focus_stay(alice: Seat, ben: Seat) -> None:
    path = alice.first()
    mine, theirs = alice.go(path), ben.go(path)
    mine.click("#reply-text")
    mine.keyboard.press("Control+A")
    mine.keyboard.type("Half a sentence")
    mine.keyboard.press("Home")
    for _ in range(5):
        mine.keyboard.press("ArrowRight")
    theirs.keyboard.press("n")
    theirs.keyboard.type("the depot changed its carrier")
    theirs.keyboard.press("Control+Enter")
    theirs.wait_for_selector(".note:has-text('changed its carrier')")
    mine.wait_for_selector(".note:has-text('changed its carrier')")
    state = "[document.activeElement.id, document.activeElement.value, document.activeElement.selectionStart]"
    assert mine.evaluate(state) == ["reply-text", "Half a sentence", 5]
    assert alice.complaints == []


def test_words_are_kept_on_the_server_shortly_after_typing_stops(alice: Seat) -> None:
    path = alice.first()
    page = alice.go(path)
    page.fill("#reply-text", "Kept without a click")
    page.wait_for_selector("#reply-state:has-text('Saved')", timeout=5000)
    page = alice.go(path)
    assert page.input_value("#reply-text") == "Kept without a click"


def test_the_counter_in_the_page_agrees_with_the_server(alice: Seat) -> None:
    path = alice.first()
    page = alice.go(path)
    texts = (
        "plain",
        "👩\u200d👩\u200d👧\u200d👦 é e\u0301 🇸🇪",
        "see https://example.com/" + "a" * 90 + " now",
        "@ann@example.social hi",
        "漢字かな",
    )
    for text in texts:
        page.fill("#reply-text", text)
        at_once = page.inner_text("#left")
        page.wait_for_selector("#reply-state:has-text('Saved')", timeout=5000)
        assert page.inner_text("#left") == at_once, text


def test_the_day_s_work_is_done_by_keys(alice: Seat) -> None:
    page = alice.go("/w/fernway/b/care/")
    keys = page.keyboard
    keys.press("j")
    keys.press("j")
    second = page.evaluate("document.activeElement.dataset.row")
    keys.press("k")
    assert page.evaluate("document.activeElement.dataset.row") != second
    keys.press("o")
    page.wait_for_selector("#main[data-conversation]")
    for key, menu in (("a", "a"), ("s", "s"), ("m", "m")):
        keys.press(key)
        assert page.evaluate("document.querySelector('details[data-menu][open]').dataset.menu") == menu
        keys.press("Escape")
        assert page.evaluate("document.querySelector('details[data-menu][open]')") is None
    keys.press("r")
    assert page.evaluate("document.activeElement.id") == "reply-text"
    keys.press("Escape")
    keys.press("?")
    assert page.evaluate("document.querySelector('#keys').open")
    keys.press("Escape")
    keys.press("/")
    assert page.evaluate("document.activeElement.id") == "find"
    keys.type("j")
    assert page.input_value("#find") == "j"
    keys.press("Escape")
    keys.press("g")
    keys.press("2")
    page.wait_for_url("**/b/questions/")
    page.wait_for_selector("html[data-ready=yes]")
    keys.press("g")
    keys.press("Shift+N")  # a capital takes two keys on a real keyboard
    page.wait_for_url("**/named/")
    assert alice.complaints == []


def test_own_keys_do_what_the_shipped_ones_did_and_the_page_shows_them(ben: Seat) -> None:
    page = ben.page
    page.goto(f"{ben.address}/me/keys/")
    page.fill("#id_next", "h")
    page.fill("#id_assign", "1")
    page.fill("#id_go", "t")
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_selector(".toast, .notice")
    ben.first()
    keys = page.keyboard
    first = page.evaluate("document.querySelector('[data-row]').dataset.row")
    keys.press("j")  # given away
    assert page.evaluate("document.activeElement.dataset.row ?? ''") in ("", first)
    keys.press("1")
    assert page.evaluate("document.querySelector('details[data-menu][open]').dataset.menu") == "a"
    assert page.locator("details[data-menu=a] > summary kbd").inner_text() == "1"
    keys.press("Escape")
    keys.press("h")
    page.wait_for_function("document.activeElement.matches('[data-row]')")
    keys.press("t")
    keys.press("2")
    page.wait_for_url("**/b/questions/")
    page.goto(f"{ben.address}/me/keys/")
    page.get_by_role("button", name="All as shipped").click()
    page.wait_for_selector(".toast, .notice")
    assert ben.complaints == []


def test_done_goes_on_to_the_next_one_and_pressed_again_at_once_is_for_that_one(alice: Seat) -> None:
    page = alice.go("/w/fernway/b/care/")
    order = page.evaluate("[...document.querySelectorAll('[data-row]')].map((row) => row.dataset.row)")
    page.locator("[data-row]").first.click()
    page.wait_for_selector(f"#main[data-conversation='{order[0]}'][data-state=open]")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    for key in "ee":
        page.keyboard.press(key)
    page.wait_for_selector(f"#main[data-conversation='{order[2]}'][data-state=open]")
    page.wait_for_selector("[data-row]", state="visible")
    acts = [url.split("/c/")[1].split("?")[0] for url in sent if url.split("?")[0].endswith(("/resolve", "/reopen"))]
    assert acts == [f"{order[0]}/resolve", f"{order[1]}/resolve"]
    page.keyboard.press("j")
    page.keyboard.press("e")  # meant for the fourth, which is not on the page yet
    page.wait_for_selector(f"#main[data-conversation='{order[4]}'][data-state=open]")
    acts = [url for url in sent if not url.endswith("/here")]  # pages say beside that they are still open
    assert f"/c/{order[3]}/resolve" in acts[-1]
    for each in (order[0], order[1], order[3]):
        alice.go(f"/w/fernway/c/{each}/?b=care&state=resolved")
        page.keyboard.press("e")
        page.wait_for_selector("#main[data-state=open]")
    assert alice.complaints == []


def test_done_twice_with_nothing_to_go_on_to_does_not_undo_it(alice: Seat) -> None:
    page = alice.go("/w/fernway/b/sales/")
    alone = page.locator("[data-row]")
    assert alone.count() == 1
    alone.click()
    page.wait_for_selector("#main[data-conversation][data-state=open]:focus")  # all of it is there
    sent: list[str] = []
    held: list[Any] = []
    page.on("request", lambda request: sent.append(request.url) if "/c/" in request.url else None)
    page.route("**/resolve?*", lambda route: held.append(route))  # noqa: PLW0108  (playwright marks what it is given)  # noqa: PLW0108  (it asks how many arguments)
    page.keyboard.press("e")
    for _ in range(500):
        if held:
            break
        page.wait_for_timeout(20)
    assert held, sent
    for key in "ee":
        page.keyboard.press(key)
    held[0].continue_()
    page.wait_for_selector("#main[data-state=resolved]")
    page.wait_for_selector("[data-row]", state="detached")  # the list was read again: the answer is all there
    assert [url.split("?")[0].rsplit("/", 1)[1] for url in sent if "resolve" in url or "reopen" in url] == ["resolve"]
    page.keyboard.press("e")
    page.wait_for_selector("#main[data-state=open]")
    assert alice.complaints == []


def hold(page: Any, address: str) -> list[Any]:
    """Requests to this address wait in the list until the test lets them go on."""
    held: list[Any] = []
    page.route(address, lambda route: held.append(route))  # noqa: PLW0108  (playwright marks what it is given)
    return held


def wait_until_held(page: Any, held: list[Any], count: int = 1) -> None:
    for _ in range(500):
        if len(held) >= count:
            return
        page.wait_for_timeout(20)
    raise AssertionError(f"{len(held)} of {count} came")


def test_an_answer_that_comes_late_takes_nobodys_place(alice: Seat) -> None:
    page = alice.go("/w/fernway/b/care/")
    order = [row.get_attribute("data-row") for row in page.locator("[data-row]").all()]
    slow = hold(page, f"**/c/{order[1]}/?*")
    page.locator(f"[data-row='{order[0]}']").click()
    page.wait_for_selector(f"#main[data-conversation='{order[0]}']")
    # the second is asked for, then the third, whose answer comes first
    page.locator(f"[data-row='{order[1]}']").click()
    wait_until_held(page, slow)
    page.locator(f"[data-row='{order[2]}']").click()
    page.wait_for_selector(f"#main[data-conversation='{order[2]}']:focus")
    # somebody types in the search meanwhile, and goes on there
    page.locator("#find").focus()
    with page.expect_response(f"**/c/{order[1]}/?*"):
        slow[0].continue_()
    page.wait_for_timeout(300)
    assert page.locator("#main").get_attribute("data-conversation") == order[2]
    assert f"/c/{order[2]}/" in page.url
    assert page.locator("#find:focus").count() == 1
    assert alice.complaints == []


def test_what_is_pressed_in_one_conversation_never_lands_in_another(alice: Seat) -> None:
    page = alice.go("/w/fernway/b/care/")
    order = [row.get_attribute("data-row") for row in page.locator("[data-row]").all()]
    page.locator(f"[data-row='{order[0]}']").click()
    page.wait_for_selector(f"#main[data-conversation='{order[0]}']:focus")
    slow = hold(page, "**/resolve?*")
    page.keyboard.press("e")
    wait_until_held(page, slow)
    page.locator(f"[data-row='{order[1]}']").click()
    page.wait_for_selector(f"#main[data-conversation='{order[1]}']")
    page.fill("#reply-text", "Words for the second one")
    slow[0].continue_()
    page.wait_for_selector("#toasts .notice:has-text('Undo')")
    page.wait_for_timeout(300)
    assert page.locator("#main").get_attribute("data-conversation") == order[1]
    assert page.input_value("#reply-text") == "Words for the second one"
    assert f"/c/{order[1]}/" in (page.locator("#reply").get_attribute("hx-post") or "")
    # the keys are not dead
    page.locator("#reply-text").press("Escape")
    page.keyboard.press("z")
    page.wait_for_selector(f"[data-row='{order[0]}']")
    assert alice.complaints == []


def test_a_half_filled_form_stays_when_the_conversation_is_read_again(alice: Seat) -> None:
    page = alice.go("/w/fernway/b/care/")
    page.locator("[data-row]").nth(2).click()
    page.wait_for_selector("#main[data-conversation]:focus")
    page.locator(".todo summary:has-text('Something to be done')").click()
    page.fill("#todo-title", "Call the carrier")
    page.locator("#todo-due").focus()
    # a colleague notes something
    page.evaluate(
        """async () => {
            const body = new URLSearchParams({ note: "Seen in the yard" });
            const headers = { "X-CSRFToken": Rapport.csrf() };
            await fetch(`${location.pathname}note`, { method: "POST", body, headers });
        }"""
    )
    page.wait_for_selector("#thread .note:has-text('Seen in the yard')")
    assert page.input_value("#todo-title") == "Call the carrier"
    page.locator("#todo-title").press("Enter")
    page.wait_for_selector(".todo li:has-text('Call the carrier')")
    assert page.input_value("#todo-title") == ""
    assert alice.complaints == []


def test_a_reply_is_sent_and_stands_in_the_thread(alice: Seat) -> None:
    page = alice.go("/w/fernway/b/care/")
    page.locator("[data-row]").last.click()
    page.wait_for_selector("#main[data-conversation]")
    page.fill("#reply-text", "I am sorry, a new parcel leaves today.")
    page.locator("#reply-text").press("Control+Enter")
    page.wait_for_selector(".way:has-text('a new parcel leaves today')")
    assert page.input_value("#reply-text") == ""
    assert page.locator(".way footer").inner_text().strip().endswith("queued · entry 1")


def test_a_prepared_reply_is_begun_from_by_keys_and_asks_before_it_replaces_words(alice: Seat) -> None:
    page = alice.go(alice.first())
    keys = page.keyboard
    page.fill("#reply-text", "My own words")
    keys.press("Escape")
    keys.press("p")
    keys.press("ArrowDown")
    keys.press("Enter")
    page.wait_for_selector("#ask:has-text('would replace what you wrote')")
    assert page.input_value("#reply-text") == "My own words"
    page.click("text=Keep mine")
    assert page.evaluate("document.activeElement.id") == "reply-text"
    keys.press("Escape")
    keys.press("p")
    keys.press("Enter")
    page.wait_for_selector("#ask [name=replace]")
    keys.press("Enter")
    page.wait_for_selector("#reply-state:has-text('Draft from')")
    assert "Hello Person" in page.input_value("#reply-text")
    assert page.locator("#ask button").count() == 0
    assert alice.complaints == []


def test_enter_on_what_is_still_being_looked_up_takes_its_first_when_it_is_here(alice: Seat) -> None:
    from playwright.sync_api import expect

    page = alice.go(alice.first())
    page.fill("#reply-text", "")
    keys = page.keyboard
    keys.press("Escape")
    held: list[Any] = []
    page.route("**/begin-from?*", lambda route: held.append(route))  # noqa: PLW0108  (playwright marks what it is given)
    with page.expect_request("**/begin-from?*"):
        keys.press("p")
        keys.press("Enter")
    page.wait_for_selector("#words-like a.item:focus")
    held.pop().continue_()
    expect(page.locator("#reply-text")).to_have_value(re.compile("Person"))
    assert page.locator("#main[data-conversation]").count() == 1

    # who went on to another one stays there
    page.fill("#reply-text", "")
    page.reload()
    page.wait_for_selector("#main[data-conversation]")
    with page.expect_request("**/begin-from?*"):
        keys.press("p")
        keys.press("ArrowDown")
    page.wait_for_selector("#snippets .item:focus")
    chosen = page.evaluate("document.activeElement.value")
    held.pop().continue_()
    page.wait_for_selector("#words-like :not(a)")
    assert page.evaluate("document.activeElement.value") == chosen
    assert alice.complaints == []


def test_everything_that_matters_works_without_scripts(browser: Any, desk: str) -> None:
    seat = Seat(browser, desk, "ben@fernway.example", java_script_enabled=False)
    page = seat.page
    page.goto(f"{desk}/w/fernway/b/care/?tab=all")
    page.locator("[data-row]").nth(3).click()
    page.wait_for_url("**/c/**")
    page.locator("label[for=mode-note]").click()
    page.fill("#note-text", "called the depot by telephone")
    page.click("text=Add note")
    page.wait_for_selector(".note:has-text('called the depot by telephone')")
    page.locator("details[data-menu=a] summary").click()
    page.click("button[value=me]")
    page.wait_for_selector(".talk .head:has-text('yours')")
    page.fill("#reply-text", "Words of my own")
    page.click("#begin-button")
    page.click("#begin-from button[value=thanks]")
    page.wait_for_selector("#ask button[name=replace]")
    assert page.input_value("#reply-text") == "Words of my own"
    page.click("#ask button[name=replace]")
    page.wait_for_selector("#reply-text:has-text('made our day')")
    page.fill("#reply-text", "A new parcel leaves today, sorry for the wet one.")
    page.click("text=Send as Ben")
    page.wait_for_selector(".way:has-text('A new parcel leaves today')")
    page.locator(".acts form[data-key=e] button").click()
    page.wait_for_selector("#main[data-state=resolved]")
    page.locator(".who h2 a").click()
    page.click("text=Join with")
    page.fill("input[name=q]", "person")  # anybody else
    page.click("form[role=search] button:has-text('Search')")
    page.locator("a:has-text('Compare')").first.click()
    page.fill("#evidence", "They said so")
    page.click("text=Join: they are one person")
    page.click("summary:has-text('Undo')")
    page.click("text=Yes, undo it")
    page.wait_for_selector("text=They are two again")
    seat.context.close()


def test_a_near_copy_is_opened_and_answered_on_its_own(alice: Seat) -> None:
    page = alice.go("/w/fernway/b/sales/")
    page.locator("[data-row]:has-text('4 near-copies')").click()
    page.wait_for_selector("#main[data-conversation] .copies")
    page.locator(".copies a").first.click()
    page.wait_for_selector("#main[data-state=folded]")
    page.wait_for_selector("html[data-live=on]")
    for key in "rnp":
        page.keyboard.press(key)  # nothing to write in: nothing happens
    page.click("text=Answer on its own")
    page.wait_for_selector("#main[data-state=open] #reply-text")
    page.wait_for_selector("[data-row]:has-text('3 near-copies')")
    page.click(".thread .shared a")
    page.wait_for_selector(".copies:has-text('3 near-copies')")
    assert alice.complaints == []


def violations(page: Any) -> list[tuple[str, str]]:
    from axe_playwright_python.sync_playwright import Axe

    return [(each["id"], each["nodes"][0]["html"]) for each in Axe().run(page).response["violations"]]


def test_one_key_corrects_a_reading_and_another_takes_it_back(alice: Seat) -> None:
    page = alice.go(alice.first())
    page.keyboard.press("c")
    page.wait_for_selector("#readings:popover-open .toggle[data-letter=n]:focus")
    assert violations(page) == []
    page.keyboard.press("p")
    page.wait_for_selector("#readings .toggle[data-letter=p][aria-pressed=true]:focus")
    page.wait_for_selector("#thread .corrected:has-text('Mood: positive, corrected by Alice Moor')")
    page.keyboard.press("z")
    page.wait_for_selector("#readings .toggle[data-letter=n][aria-pressed=true]")
    page.wait_for_selector("#thread .corrected", state="detached")
    page.keyboard.press("j")  # nothing behind the sheet hears a key
    assert page.evaluate("document.querySelector('#readings').matches(':popover-open')")
    page.keyboard.press("Escape")
    page.wait_for_selector("#readings:popover-open", state="detached")
    assert alice.complaints == []


def test_marks_say_what_they_carried_and_one_key_shows_them(alice: Seat) -> None:
    page = alice.go(alice.first())
    chip = page.locator("[data-carried=complaint]").first
    assert not chip.is_visible()
    page.keyboard.press("w")
    chip.focus()
    page.wait_for_selector(".msg.lighting mark.lit[data-why~=complaint]")
    assert page.locator("mark.lit:not([data-why~=complaint])").count() == 0
    assert violations(page) == []
    page = alice.go("/w/fernway/b/care/")
    assert page.evaluate("document.documentElement.dataset.marks") == "on"  # the browser remembers
    page.keyboard.press("f")
    page.wait_for_selector("details[data-menu=f][open] .item:focus")
    assert violations(page) == []
    page.keyboard.press("Enter")
    page.wait_for_url("**mood=negative**")
    assert alice.complaints == []


def test_on_a_phone_one_region_shows_at_a_time(browser: Any, desk: str) -> None:
    seat = Seat(browser, desk, "alice@fernway.example", viewport={"width": 390, "height": 844})
    page = seat.go("/w/fernway/b/care/")
    assert page.locator("#list").is_visible()
    page.locator("[data-row]").first.click()
    page.wait_for_selector(".app.reading #main[data-conversation]")
    assert not page.locator("#list").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.locator("[data-back]").click()
    page.wait_for_selector("#list", state="visible")
    assert seat.complaints == []
    seat.context.close()


@pytest.mark.parametrize("alone", [False, True])
def test_on_a_phone_what_was_done_is_undone_beside_it_and_on_the_list_one_goes_back_to(
    browser: Any, desk: str, alone: bool
) -> None:
    from playwright.sync_api import expect

    seat = Seat(browser, desk, "alice@fernway.example", viewport={"width": 390, "height": 844}, has_touch=True)
    page = seat.go("/w/fernway/b/care/")
    address = page.locator("[data-row]").nth(1).get_attribute("href")
    number = page.locator("[data-row]").nth(1).get_attribute("data-row")
    if alone:
        seat.go(address.partition("?")[0])
    else:
        page.locator("[data-row]").nth(1).tap()
    page.wait_for_selector(f".app.reading #main[data-conversation='{number}'][data-state=open]")
    undo = page.locator("#toasts").get_by_role("button", name="Undo")
    page.get_by_role("button", name="Resolve").tap()
    page.wait_for_selector("#main[data-state=resolved]")
    undo.tap()
    page.wait_for_selector("#main[data-state=open]")
    expect(undo).to_have_count(0)
    page.get_by_role("button", name="Resolve").tap()
    page.wait_for_selector("#main[data-state=resolved]")
    expect(undo).to_be_visible()
    page.locator("[data-back]").tap()
    page.wait_for_selector("#list", state="visible")
    expect(page.locator(f"[data-row='{number}']")).to_have_count(0)
    undo.tap()
    page.wait_for_selector(f"[data-row='{number}']")
    page.reload()
    page.wait_for_selector("html[data-ready=yes]")
    expect(undo).to_have_count(0)  # taken back, it is not offered again
    assert seat.complaints == []
    seat.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 1100, 390])
def test_axe_finds_nothing(browser: Any, desk: str, width: int, scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    seat = Seat(browser, desk, "alice@fernway.example", viewport={"width": width, "height": 860}, color_scheme=scheme)
    path = seat.first()
    person = seat.page.locator(".who h2 a").get_attribute("href")
    seat.page.goto(f"{desk}{person}join?q=person")
    other = seat.page.locator("a:has-text('Compare')").first.get_attribute("href").split("=")[1]
    first = seat.go("/w/fernway/b/sales/").locator("[data-row]:has-text('near-copies')").get_attribute("href")
    copy = seat.go(first).locator(".copies a").first.get_attribute("href")
    for address in (
        "/w/fernway/b/care/",
        "/w/fernway/b/sales/",
        path,
        first,
        copy,
        person,
        f"{person}join?q=person",
        f"{person}join?with={other}",
        "/w/fernway/search/?q=parcel",
        "/w/fernway/hold/",
    ):
        page = seat.page
        page.goto(f"{desk}{address}")
        page.wait_for_selector("html[data-ready=yes]")
        if page.locator("#why").count():
            page.locator("#why > summary").click()
        if page.locator("#begin-button").count():
            page.click("#begin-button")
        wrong = Axe().run(page).response["violations"]
        assert [(each["id"], each["nodes"][0]["html"]) for each in wrong] == [], address
    assert seat.complaints == []
    seat.context.close()


def test_the_palette_does_and_several_are_chosen_changed_and_put_back_by_keys(alice: Seat) -> None:
    from playwright.sync_api import expect

    page = alice.go("/w/fernway/b/care/")
    page.wait_for_selector("html[data-ready]")
    before = page.locator("[data-row]").count()
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.wait_for_selector("#bulk-count:has-text('1 chosen')")
    page.locator("[data-row]").nth(2).click(modifiers=["Shift"])
    page.wait_for_selector("#bulk-count:has-text('3 chosen')")
    page.keyboard.press("e")
    page.wait_for_selector("#toasts:has-text('3 conversations changed')")
    expect(page.locator("[data-row]")).to_have_count(before - 3)
    assert page.locator("#bulk").is_hidden()
    page.keyboard.press("z")
    page.wait_for_selector("#toasts:has-text('Undone on 3 conversations')")
    expect(page.locator("[data-row]")).to_have_count(before)
    page.locator("[data-row]").first.click()
    page.wait_for_selector("#main[data-conversation]")
    page.keyboard.press("Control+k")
    page.keyboard.type("write a note")
    page.keyboard.press("Enter")
    page.wait_for_selector("#note-text:focus")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    page.wait_for_selector("#palette-list [role=option]")
    page.keyboard.press("Escape")
    page.wait_for_selector("#palette:not([open])", state="attached")
    page.locator("[data-menu=m] summary").click()
    page.locator("[name=priority]:not(:disabled)").first.click()
    page.locator("#toasts [data-deeds]").click()
    page.wait_for_selector("#toasts:has-text('Undone: the priority')")
    assert alice.complaints == []


def test_two_at_one_conversation_see_each_other_and_one_takes_the_pen_over(alice: Seat, ben: Seat) -> None:
    path = alice.first()
    mine, theirs = alice.go(path), ben.go(path)
    mine.wait_for_selector("header .here:has-text('Ben Noll is looking')", state="attached")
    theirs.click("#reply-text")
    theirs.keyboard.press("Control+A")
    theirs.keyboard.type("We send a new parcel")
    mine.wait_for_selector("header .here:has-text('Ben Noll is writing')", state="attached")
    mine.wait_for_selector("#others-words:has-text('We send a new parcel')")
    assert mine.evaluate("document.querySelector('#reply-text').readOnly") is True
    mine.click("[data-take-over]")
    theirs.wait_for_selector("#seat:has-text('is writing here')")
    assert theirs.input_value("#reply-text") == "We send a new parcel"
    assert mine.evaluate("document.querySelector('#reply-text').readOnly") is False
    theirs.close()
    mine.wait_for_selector("header .here:not(:has(.at))", state="attached")
    assert alice.complaints == []


def test_nothing_typed_or_pressed_is_lost_without_a_connection(ben: Seat) -> None:
    path = ben.first(2)
    page = ben.page
    page.locator("label[for=mode-note]").click()
    page.fill("#note-text", "She called twice")
    page.locator("label[for=mode-reply]").click()
    page.context.set_offline(True)
    page.fill("#reply-text", "The last words before the line broke")
    page.locator("details[data-menu=a] summary").first.click()
    page.locator(".acts button[name=assignee][value=me]").click()
    page.wait_for_selector("#toasts [data-again]")
    assert "nothing was changed" in page.locator("#toasts").inner_text()
    page.context.set_offline(False)
    page.locator("#toasts [data-again]").click()
    page.wait_for_selector("#main .head small:has-text('yours')")
    assert page.input_value("#reply-text") == "The last words before the line broke"
    # the last moment before a reload, before anything was saved
    page.context.set_offline(True)
    page.fill("#reply-text", "The very last words")
    page.context.set_offline(False)
    page.reload()
    page.wait_for_selector("html[data-ready=yes]")
    assert page.input_value("#reply-text") == "The very last words"
    assert page.input_value("#note-text") == "She called twice"
    page.goto(f"{ben.address}{path}")
    page.wait_for_selector("html[data-ready=yes]")
    page.locator("label[for=mode-note]").click()
    page.locator("#jot .btn.main").click()
    page.wait_for_selector(".thread :text('She called twice')")
    assert page.input_value("#note-text") == ""
    page.locator("label[for=mode-reply]").click()
    with page.expect_response("**/draft"):
        page.fill("#reply-text", "")
    ben.complaints.clear()  # what a browser without a connection says of it


def test_an_open_page_goes_on_to_the_conversation_that_its_own_became_part_of(
    alice: Seat, house: dict[str, str]
) -> None:
    page = alice.go("/w/fernway/b/care/")
    rows = {
        page.locator(f"[data-row]:has-text('Person {number}')").first.get_attribute("data-row"): str(number)
        for number in (7, 8)
    }
    lives, gone = sorted(rows, key=int)
    page = alice.go(f"/w/fernway/c/{lives}/")
    with page.expect_response("**/draft"):
        page.fill("#reply-text", "Of the first one")
    page = alice.go(f"/w/fernway/c/{gone}/")
    page.locator("label[for=mode-note]").click()
    page.fill("#note-text", "She called twice")
    page.locator("label[for=mode-reply]").click()
    with page.expect_response("**/draft"):
        page.fill("#reply-text", "Kept on the server")
    page.wait_for_selector("#reply-state:has-text('Saved')")
    # the last words are not saved yet when the page goes on
    page.route("**/draft", lambda route: route.abort())
    page.fill("#reply-text", "Kept on the server, and not yet")
    command = [sys.executable, str(HERE / "browser_desk.py"), "join", rows[lives], rows[gone]]
    subprocess.run(command, env=house, check=True, timeout=120)
    page.wait_for_url(f"**/c/{lives}/")
    page.wait_for_selector("html[data-ready=yes]")
    assert page.input_value("#reply-text") == "Of the first one\n\nKept on the server, and not yet"
    assert page.input_value("#note-text") == "She called twice"
    page.unroute("**/draft")
    with page.expect_response("**/draft") as saved:
        page.locator("#reply-text").press("End")
        page.keyboard.type("!")
    assert f"/c/{lives}/" in saved.value.url
    alice.complaints.clear()  # what a browser says of the request that was held up


def test_what_is_typed_while_something_is_sent_stays(alice: Seat) -> None:
    page = alice.go("/w/fernway/b/care/")
    page.locator("[data-row]").nth(3).click()
    page.wait_for_selector("#main[data-conversation]:focus")
    page.locator("label[for=mode-note]").click()
    slow = hold(page, "**/note?*")
    page.fill("#note-text", "She called.")
    page.locator("#note-text").press("Control+Enter")
    wait_until_held(page, slow)
    page.locator("#note-text").press("End")
    page.keyboard.type(" And again")
    slow[0].continue_()
    page.wait_for_selector("#thread .note:has-text('She called.')")
    page.wait_for_timeout(300)
    assert page.input_value("#note-text") == "And again"
    page.fill("#note-text", "")
    page.locator("label[for=mode-reply]").click()
    slow, drafts = hold(page, "**/send?*"), hold(page, "**/draft")
    page.fill("#reply-text", "Your parcel number three hundred comes on Monday morning.")
    page.locator("#reply-text").press("Control+Enter")
    wait_until_held(page, slow)
    page.locator("#reply-text").press("End")
    page.keyboard.type(" By bike")
    page.wait_for_timeout(1_200)  # longer than the pause after which a draft is kept
    assert drafts == []
    page.unroute("**/draft")
    with page.expect_response("**/draft") as kept:
        slow[0].continue_()
    assert "text=By%20bike&" in (kept.value.request.post_data or "")
    assert page.input_value("#reply-text") == "By bike"
    page.fill("#reply-text", "")
    assert alice.complaints == []
