"""A desk started as a newcomer starts it, and a real browser before it."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

import tables
from servers import free_port

EMAIL, PASSWORD = "ola@fernway.example", "correct horse battery"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@contextlib.contextmanager
def running_desk(folder: Path, **settings: str) -> Iterator[str]:
    """`rapport up` on `folder`/data, with an admin; its address. Stopped cleanly, or the test fails."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith(("RAPPORT_", "DJANGO_"))},
        "RAPPORT_BASE_URL": address,
        "RAPPORT_ADMIN_EMAIL": EMAIL,
        "RAPPORT_ADMIN_PASSWORD": PASSWORD,
        **settings,
    }
    command = [sys.executable, "-m", "rapport.cli.main", "up", "--data", str(folder / "data"), "--port", str(port)]
    tables.lay(folder / "data")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            wait_until(lambda: answers(f"{address}/readyz"), 60)
            yield address
        finally:
            process.send_signal(signal.SIGINT)
            try:
                assert process.wait(timeout=20) == 0
            finally:
                process.kill()


@contextlib.contextmanager
def open_page(address: str) -> Iterator[Any]:
    """A page of a headless Chromium; skips the test where there is none."""
    if CHROMIUM is None:
        pytest.skip("no Chromium; `make test-deps` installs it")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"],
        )
        page = browser.new_page(viewport={"width": 1440, "height": 900}, base_url=address)
        page.set_default_timeout(15_000)
        yield page
        browser.close()


def sign_in(page: Any) -> None:
    """As the admin, with the password."""
    page.goto("/")
    page.fill("input[name=login]", EMAIL)
    page.fill("input[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/w/**")


def answers(address: str) -> bool:
    """Whether anything but an error comes from there."""
    try:
        with urlopen(address, timeout=2):
            return True
    except OSError:
        return False


def wait_until(check: Callable[[], Any], seconds: float) -> None:
    """Look until it holds; fails after that many seconds."""
    end = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.1)
