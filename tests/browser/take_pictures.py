"""Take the pictures of docs/images from a fresh demo desk: `python tests/browser/take_pictures.py [FOLDER]`.

The desk is real (`rapport up --demo` in a folder of its own), so the pictures show what a newcomer sees. Sources that
listen stand beside those of the demo: feeds of a site on loopback, two watched folders, one of which is taken away.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from feed_site import Site, entry, feed_site
from servers import free_port

SIZES = {"wide": (1440, 900), "phone": (390, 844)}
EMAIL, PASSWORD = "ola@fernway.example", "correct horse battery"


#: a topic, and its query changed and not yet saved: the page shows what that would add and drop
TOPIC = "Delivery"
CHANGED = "(parcel OR deliver* OR tracking OR courier OR late) NOT refund"
#: a draft of the weights that is not yet saved: the page shows what it would do
SCORE = {"mood": "9", "reach": "18"}
CAMPAIGN = {
    "name": "Deep snow", "query": "sinks AND snow", "variant1": "Kind",
    "text1": "Hello {first_name}, we look into it right now. {agent}", "variant2": "Short",
    "text2": "Sorry, {first_name}! Which one do you have?",
}  # fmt: skip
#: what invented papers and an invented till say, minutes ago -> words
PRESS = {
    190: "Five rucksacks on the same ridge: Fernway, two others, and what rain does to a zip.",
    75: "Fernway opens its repair workshop in Leeds to visitors, twice a month.",
    12: "Recall watch: nothing new this week. Fernway still looks into seams of the Skylark jacket.",
}
TILL = {
    60: "Asked for the Skylark in green again, third time today. Is it coming back?",
    25: "Brought back a Fernway pack with a torn strap and left with it mended. Very happy.",
}


def take_days(folder: Path) -> None:
    """What test_days.py works on: drafts to approve, a campaign, everything held, the ledger, a phone."""
    from playwright.sync_api import sync_playwright

    from browser.test_days import Seat, days_desk, days_server

    data = Path(tempfile.mkdtemp(prefix="rapport-days-"))
    with days_server() as server, days_desk(data, server) as desk, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--headless", "--no-sandbox", "--disable-gpu"]
        )
        lea = Seat(browser, desk, "lea")
        page = lea.go("approvals/")
        shoot(page, folder / "approvals-wide-light.png")
        page = lea.go("campaigns/new/")
        for name, value in CAMPAIGN.items():
            page.fill(f"[name={name}]", value)
        page.click("main form button.main")
        page.click("button[value=run]")
        lea.press("j", "r")
        shoot(page, folder / "campaign-wide-light.png")
        for words in ("Thank you, that made our day.", "So good to hear, enjoy the tent!"):
            page = lea.go("b/praise/?tab=all")
            page.locator("[data-row]").first.click()
            page.fill("#reply-text", words)
            page.locator("#reply-text").press("Control+Enter")
            page.wait_for_selector(f".us:has-text('{words}')")
            if words.startswith("Thank"):
                page = lea.go("hold/")
                page.fill("#reason", "The carrier lost a lorry")
                page.fill("#known", "Lorry 14 of Monday, with forty parcels. All of them are paid back today.")
                page.click("text=Hold everything now")
        lea.go("hold/")
        shoot(page, folder / "hold-wide-dark.png", scheme="dark")
        lea.go("ledger/")
        shoot(page, folder / "ledger-wide-light.png", scheme="light")
        rita = Seat(browser, desk, "rita", viewport=dict(zip(("width", "height"), SIZES["phone"], strict=True)))
        shoot(rita.go("b/questions/"), folder / "outside-phone-light.png")
        rita.page.locator("[data-row]").last.click()
        rita.page.wait_for_selector("#reply-text")
        shoot(rita.page, folder / "ask-a-lead-phone-dark.png", scheme="dark")
        browser.close()
    shutil.rmtree(data, ignore_errors=True)


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[2] / "docs" / "images"
    data, shops = Path(tempfile.mkdtemp(prefix="rapport-pictures-")), Path(tempfile.mkdtemp(prefix="shops-"))
    port = free_port()
    take_days(folder)
    with feed_site() as site:
        environment = {
            **os.environ,
            "RAPPORT_ADMIN_EMAIL": EMAIL,
            "RAPPORT_ADMIN_PASSWORD": PASSWORD,
            "RAPPORT_BASE_URL": f"http://127.0.0.1:{port}",
            "RAPPORT_ALLOW_PRIVATE": site.authority,
            "RAPPORT_WATCH_DIRS": str(shops),
        }
        command = [sys.executable, "-m", "rapport.cli.main", "up", "--demo", "--data", str(data), "--port", str(port)]
        desk = subprocess.Popen(command, env=environment)
        try:
            wait(f"http://127.0.0.1:{port}/readyz")
            time.sleep(8)  # the line works through the sample
            take(f"http://127.0.0.1:{port}", folder, site, shops)
        finally:
            desk.send_signal(signal.SIGINT)
            desk.wait(timeout=20)
            for made in (data, shops):
                shutil.rmtree(made, ignore_errors=True)


def wait(address: str) -> None:
    from urllib.request import urlopen

    for _ in range(300):
        try:
            with urlopen(address, timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    raise SystemExit(f"{address} does not answer")


def connect_sources(page: Any, desk: str, site: Site, shops: Path) -> None:
    """Connect them as a person does, on the settings pages; then one of the folders goes away."""
    now = dt.datetime.now(dt.UTC)
    said = [(now - dt.timedelta(minutes=ago), words) for ago, words in PRESS.items()]
    entries = [entry(number, words, at=at) for number, (at, words) in enumerate(said, 1)]
    connect(page, desk, "feeds", feeds=site.feed("/outdoors", *reversed(entries)), name="Outdoor press")
    for name, posts in (("leeds", TILL), ("york", {})):
        watched = shops / name
        watched.mkdir()
        lines = [_till_line(number, now - dt.timedelta(minutes=ago), posts[ago]) for number, ago in enumerate(posts, 1)]
        (watched / "till.jsonl").write_text("".join(lines), encoding="utf-8")
        connect(page, desk, "folder", folder=str(watched), name=f"Shop in {name.title()}")
    time.sleep(6)
    shutil.rmtree(shops / "york")
    for _ in range(60):  # the next look finds that it is gone
        page.goto(f"{desk}/w/fernway/settings/channels/")
        if page.get_by_text("cannot be opened").count():
            return
        time.sleep(1)
    raise SystemExit("nobody noticed that a folder is gone")


def connect(page: Any, desk: str, network: str, **fields: str) -> None:
    page.goto(f"{desk}/w/fernway/settings/channels/connect/{network}/")
    for name, value in fields.items():
        page.fill(f"[name={name}]", value)
    page.locator("main form button.main").first.click()
    page.wait_for_url("**/settings/channels/*/")


def _till_line(number: int, at: dt.datetime, words: str) -> str:
    post = {"network": "shop", "id": str(number), "text": words, "created_at": at.isoformat()}
    return json.dumps(post | {"author": {"handle": "leeds", "name": "Shop in Leeds"}}) + "\n"


def take(desk: str, folder: Path, site: Site, shops: Path) -> None:
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--headless", "--no-sandbox", "--disable-gpu"]
        )
        state = sign_in(browser, desk)
        connect_sources(browser.new_context(storage_state=state).new_page(), desk, site, shops)
        for size in ("wide", "phone"):
            for theme in ("light", "dark"):
                width, height = SIZES[size]
                context = browser.new_context(
                    viewport={"width": width, "height": height},
                    color_scheme=theme,
                    storage_state=state,
                    is_mobile=size == "phone",
                )
                photograph(context.new_page(), desk, folder, f"{size}-{theme}")
                context.close()
        browser.close()


def sign_in(browser: Any, desk: str) -> Any:
    context = browser.new_context()
    page = context.new_page()
    page.goto(desk)
    page.fill("input[name=login]", EMAIL)
    page.fill("input[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/w/**")
    return context.storage_state()


def photograph(page: Any, desk: str, folder: Path, kind: str) -> None:
    """Inbox (with a conversation open where there is room), conversation, Sources, a topic, the score; once the pages
    about rules.
    """
    page.goto(f"{desk}/w/fernway/b/care/")
    page.wait_for_selector("[data-row]")
    rows = page.locator("[data-row]")
    chosen = rows.filter(has_text="third time").first
    address = (chosen if chosen.count() else rows.first).get_attribute("href")
    if kind.startswith("phone"):
        shoot(page, folder / f"inbox-{kind}.png")
        page.goto(desk + str(address))
        shoot(page, folder / f"conversation-{kind}.png")
    else:
        page.goto(desk + str(address))
        shoot(page, folder / f"inbox-{kind}.png")
        page.locator(".why a, .why summary").first.click()
        shoot(page, folder / f"conversation-{kind}.png")
    page.goto(f"{desk}/w/fernway/settings/channels/")
    shoot(page, folder / f"sources-{kind}.png")
    page.goto(f"{desk}/w/fernway/settings/topics/")
    page.get_by_text(TOPIC, exact=True).first.click()
    page.wait_for_selector("#topic-form")
    page.wait_for_timeout(2500)  # the count over the stored posts
    if kind.startswith("wide"):
        page.set_viewport_size({"width": SIZES["wide"][0], "height": 1500})  # the change stands below
        page.fill("[name=query]", CHANGED)
        page.wait_for_timeout(2500)
    shoot(page, folder / f"topic-{kind}.png")
    page.set_viewport_size(dict(zip(("width", "height"), SIZES[kind.partition("-")[0]], strict=True)))
    if kind.startswith("wide"):
        page.goto(f"{desk}/w/fernway/settings/score/")
        page.set_viewport_size({"width": SIZES["wide"][0], "height": 1420})
        for name, points in SCORE.items():
            page.fill(f"#id_{name}", points)
        page.wait_for_timeout(1500)  # the last posts are weighed anew
        shoot(page, folder / f"score-{kind}.png")
    if kind == "wide-light":
        page.set_viewport_size(dict(zip(("width", "height"), SIZES["wide"], strict=True)))
        photograph_rules(page, f"{desk}/w/fernway/settings", folder, kind)


def photograph_rules(page: Any, settings: str, folder: Path, kind: str) -> None:
    """The editors, what a draft would have done, a basket."""
    page.goto(f"{settings}/rules/edit/")
    page.wait_for_timeout(1500)  # the text is checked
    shoot(page, folder / f"rules-{kind}.png")
    page.goto(f"{settings}/rules/edit/table/")
    shoot(page, folder / f"rules-table-{kind}.png")
    page.goto(f"{settings}/rules/list/")
    page.get_by_role("link", name="Complaint", exact=True).click()
    shoot(page, folder / f"rule-{kind}.png")
    page.goto(f"{settings}/rules/")
    page.get_by_role("link", name="Refunds before everything else").click()
    page.locator("a[href*='/rules/tests/']").first.click()
    page.set_viewport_size({"width": SIZES["wide"][0], "height": 1150})
    shoot(page, folder / f"back-test-{kind}.png")
    page.goto(f"{settings}/baskets/")
    page.get_by_role("link", name="Care", exact=True).last.click()
    page.set_viewport_size({"width": SIZES["wide"][0], "height": 2000})
    shoot(page, folder / f"basket-{kind}.png")


def shoot(page: Any, path: Path, scheme: str = "") -> None:
    if scheme:
        page.emulate_media(color_scheme=scheme)
    page.wait_for_timeout(900)
    page.screenshot(path=str(path))
    print(path.name)


if __name__ == "__main__":
    main()
