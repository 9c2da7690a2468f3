"""A rule is changed in the browser while a thousand posts a second come in: nothing is lost, nothing decided twice or
by half a set, and what comes after the change goes where the new rule says.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from browser.screens import open_page, running_desk, sign_in, wait_until
from cli.running import command, environment

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]
#: posts a second, and for how long
RATE, SECONDS = 1_000, 4
NEW_RULE = """[[rule]]
name = "The storm"
when = 'text matches "street lamp"'
then = ["basket:sales"]
stop = true

"""


def unlike(number: int) -> str:
    """Eight words that no other number has, so that no post is folded as the copy of another."""
    return " ".join(f"w{number * 7919 % 99_991 + place * 13}x{(number + place) % 97}" for place in range(8))


@pytest.fixture
def storm(tmp_path: Path) -> Path:
    """Posts of as many people, a thousandth of a second apart."""
    start = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
    path = tmp_path / "storm.jsonl"
    with path.open("w") as file:
        for number in range(RATE * SECONDS):
            at = start + dt.timedelta(seconds=number / RATE)
            post = {
                "network": "mastodon", "id": f"lamp-{number}", "created_at": at.isoformat(),
                "text": f"The street lamp {unlike(number)} is broken, who mends it?",
                "author": {"id": f"neighbour-{number}", "handle": f"n{number}@example.social"},
            }  # fmt: skip
            file.write(json.dumps(post) + "\n")
    return path


def rows(data: Path, sql: str) -> list[tuple[Any, ...]]:
    with contextlib.closing(sqlite3.connect(data / "rapport.sqlite3", timeout=30)) as connection:
        return list(connection.execute(sql))


@contextlib.contextmanager
def replaying(data: Path, storm: Path) -> Iterator[subprocess.Popen[str]]:
    with (data.parent / "replay.log").open("w") as log:
        words = command("replay", storm, "--data", data)
        process = subprocess.Popen(words, env=environment(data), stdout=log, stderr=log, text=True)
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def test_a_rule_changed_under_a_storm_holds_from_the_next_batch_on(tmp_path: Path, storm: Path) -> None:
    data = tmp_path / "data"
    outcomes = "SELECT COUNT(*) FROM store_outcome"
    with running_desk(tmp_path) as address, open_page(address) as page:
        sign_in(page)
        page.goto("/w/default/settings/rules/edit/")
        text = page.input_value("textarea[name=document]")
        head, mark, rest = text.partition("[[rule]]")
        page.fill("textarea[name=document]", f"{head}{NEW_RULE}{mark}{rest}")
        with replaying(data, storm) as replay:
            wait_until(lambda: rows(data, outcomes) > [(RATE,)], 60)
            page.click("button:has-text('Save and put in force')")
            page.wait_for_selector("text=is saved, and in force")
            page.goto("/w/default/b/sales/")
            page.wait_for_selector("[data-row] >> text=street lamp", timeout=60_000)
            assert replay.wait(timeout=120) == 0
        wait_until(lambda: rows(data, "SELECT COUNT(*) FROM store_busmessage") == [(0,)], 120)

    assert rows(data, outcomes) == [(RATE * SECONDS,)], "nothing is lost, and nothing is there twice"
    sql = "SELECT rule_set, basket, COUNT(*), MIN(processed_at), MAX(processed_at) FROM store_outcome GROUP BY 1, 2"
    old, new = sorted(rows(data, sql))
    assert new[0] == old[0] + 1, "each post was decided by one version, whole"
    assert (old[1] == "sales", new[1]) == (False, "sales")
    [(saved,)] = rows(data, f"SELECT created_at FROM store_ruleset WHERE version = {new[0]}")
    assert new[3] > saved
    # A batch that was on its way is still the old rules'; none that begins later is.
    late = (dt.datetime.fromisoformat(old[4]) - dt.datetime.fromisoformat(saved)).total_seconds()
    print(f"{old[2]:,} posts by the old rules, the last {late:+.2f} s after the save; {new[2]:,} by the new ones")
    assert late < 5, "in force with the next batch, not some time"
