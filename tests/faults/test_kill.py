"""`kill -9` at every step: nothing lost, nothing twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tables import fresh_database

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
#: each step before and after three times; `python tests/faults/rounds.py worker 400` goes on for as long as you like
ROUNDS = {"worker": 66, "sender": 60}


def run(which: str, folder: Path) -> dict[str, Any]:
    environment = {**os.environ, "RAPPORT_DATA": str(folder), "DJANGO_SETTINGS_MODULE": "rapport.config.django"}
    if url := environment.get("RAPPORT_DATABASE_URL"):
        environment["RAPPORT_DATABASE_URL"] = fresh_database(url, f"faults_{which}")
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("rounds.py")), which, str(ROUNDS[which]), "7"],
        env=environment, capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    print(which, found)
    return found


def test_a_worker_that_dies_at_any_step_loses_no_post_and_doubles_none(tmp_path: Path) -> None:
    found = run("worker", tmp_path)
    assert found["killed"] >= 55
    assert found["posts"] == found["outcomes"] == found["expected"]
    assert found["unread"] == found["left_on_bus"] == found["mixed"] == 0
    assert found["conversations"] == found["threads"]


def test_a_sender_that_dies_at_any_step_sends_every_reply_exactly_once(tmp_path: Path) -> None:
    found = run("sender", tmp_path)
    assert found["killed"] >= 45
    assert found["states"] == ["sent"]
    assert found["answered_once"] == found["deliveries"] == ROUNDS["sender"]
    assert found["answered_twice"] == found["forgotten"] == 0
    assert found["own_posts"] == ROUNDS["sender"]
    assert found["reconciled"] > 0
