"""Webhooks across a receiver that stalls and a caller that is killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from faults.test_kill import fresh_database

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


def test_a_stalling_receiver_delays_no_other_and_a_killed_caller_loses_no_call(tmp_path: Path) -> None:
    environment = {**os.environ, "RAPPORT_DATA": str(tmp_path), "DJANGO_SETTINGS_MODULE": "rapport.config.django"}
    if url := environment.get("RAPPORT_DATABASE_URL"):
        environment["RAPPORT_DATABASE_URL"] = fresh_database(url, "faults_calls")
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("calls.py"))],
        env=environment, capture_output=True, text=True, timeout=170, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    found = json.loads(done.stdout.splitlines()[-1])
    slow, prompt = found["asked"]
    # one call of the silent receiver was under way, and all of the other one's had arrived in their order
    assert found["before"] == [slow[:1], prompt]
    assert (found["killed"], found["ended"]) == (-9, 0)
    # the call that the kill cut off came again with its id, and nothing else came twice
    assert sorted(found["heard"][0]) == sorted([slow[0], *slow])
    assert found["heard"][1] == prompt
    assert set(found["states"]) == {"sent"}
