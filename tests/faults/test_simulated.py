"""A network that does everything wrong, and a listener that dies while it reads it: nothing missing, nothing twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
RUNS, EVENTS = 4, 2_000
#: of each run: what must not be
WRONG = (
    "missing", "not_gone", "stale", "twice", "unread", "read_though_gone", "words_kept_of_deleted", "out_of_order",
    "without_conversation", "conversations_twice", "left_on_bus",
)  # fmt: skip


@pytest.mark.skipif("RAPPORT_DATABASE_URL" in os.environ, reason="each run has a fresh SQLite database of its own")
def test_nothing_is_missing_and_nothing_twice_whatever_the_network_does(tmp_path: Path) -> None:
    """`python tests/faults/simulated.py 50 20000` is the whole of it: a million events."""
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("simulated.py")), str(RUNS), str(EVENTS), "101"],
        env={**os.environ, "TMPDIR": str(tmp_path)}, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    runs = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(runs) == RUNS
    assert sum(run["killed"] for run in runs) >= 2 * RUNS
    for run in runs:
        assert run["expected"] > EVENTS / 2
        assert {name: run[name] for name in WRONG} == dict.fromkeys(WRONG, 0), run
