"""The one switch across processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from faults.test_kill import fresh_database

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


def test_a_hold_stops_three_senders_within_a_second(tmp_path: Path) -> None:
    environment = {**os.environ, "RAPPORT_DATA": str(tmp_path), "DJANGO_SETTINGS_MODULE": "rapport.config.django"}
    if url := environment.get("RAPPORT_DATABASE_URL"):
        environment["RAPPORT_DATABASE_URL"] = fresh_database(url, "faults_hold")
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("hold.py"))],
        env=environment, capture_output=True, text=True, timeout=170, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    found = json.loads(done.stdout.splitlines()[-1])
    print(found)
    assert found["ended"] == [0, 0, 0]
    assert found["before"] >= 30
    assert found["later"] == found["twice"] == 0
    assert found["left"] >= 100, "too little was left to prove anything"
    assert found["sent"] == found["before"] + found["after"]
    assert found["beside_the_silent"] >= 20, "a silent account held up the others"
