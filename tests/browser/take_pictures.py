"""Take the pictures of docs/images from a fresh demo desk: `python tests/browser/take_pictures.py [FOLDER]`.

The desk is real (`rapport up --demo` in a folder of its own), so the pictures show what a newcomer sees.
"""

from __future__ import annotations

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
from servers import free_port

SIZES = {"wide": (1440, 900), "phone": (390, 844)}
EMAIL, PASSWORD = "ola@fernway.example", "correct horse battery"


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[2] / "docs" / "images"
    data = tempfile.mkdtemp(prefix="rapport-pictures-")
    port = free_port()
    environment = {
        **os.environ,
        "RAPPORT_ADMIN_EMAIL": EMAIL,
        "RAPPORT_ADMIN_PASSWORD": PASSWORD,
        "RAPPORT_BASE_URL": f"http://127.0.0.1:{port}",
    }
    command = [sys.executable, "-m", "rapport.cli.main", "up", "--demo", "--data", data, "--port", str(port)]
    desk = subprocess.Popen(command, env=environment)
    try:
        wait(f"http://127.0.0.1:{port}/readyz")
        time.sleep(8)  # the line works through the sample
        take(f"http://127.0.0.1:{port}", folder)
    finally:
        desk.send_signal(signal.SIGINT)
        desk.wait(timeout=20)
        shutil.rmtree(data, ignore_errors=True)


def wait(address: str) -> None:
    from urllib.request import urlopen

    for _ in range(300):
        try:
            with urlopen(address, timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    raise SystemExit(f"{address} does not answer")


def take(desk: str, folder: Path) -> None:
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--headless", "--no-sandbox", "--disable-gpu"]
        )
        state = sign_in(browser, desk)
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
    """Inbox (with a conversation open where there is room), conversation, settings."""
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
    shoot(page, folder / f"settings-{kind}.png")
    if kind == "wide-light":
        page.goto(f"{desk}/w/fernway/settings/rules/")
        shoot(page, folder / f"rules-{kind}.png")


def shoot(page: Any, path: Path) -> None:
    page.wait_for_timeout(900)
    page.screenshot(path=str(path))
    print(path.name)


if __name__ == "__main__":
    main()
