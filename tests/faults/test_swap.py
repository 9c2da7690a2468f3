"""Rules change under two workers while posts stream in: no post is lost or decided by half a set."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tables import fresh_database

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]
VERSIONS = 12


def test_each_post_is_decided_by_one_version_whole_and_the_newest_is_in_force_at_once(tmp_path: Path) -> None:
    environment = {
        **os.environ, "RAPPORT_DATA": str(tmp_path), "DJANGO_SETTINGS_MODULE": "rapport.config.django",
        # what the killed worker had in hand is not waited for a minute
        "RAPPORT_LEASE_SECONDS": "10",
    }  # fmt: skip
    if url := environment.get("RAPPORT_DATABASE_URL"):
        environment["RAPPORT_DATABASE_URL"] = fresh_database(url, "faults_swap")
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("swap.py")), str(VERSIONS)],
        env=environment, capture_output=True, text=True, timeout=360, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    found = json.loads(done.stdout.splitlines()[-1])
    print(found)
    assert found["outcomes"] == found["posts"] == 60 * (VERSIONS + 1)
    assert found["mixed"] == 0
    assert found["versions"] == VERSIONS + 1
    # Rules are looked at before each batch: what a worker had in hand when they changed is still the old ones'. A
    # second on a quiet machine; the bound has room for a busy one.
    assert found["late"] < 15
    assert found["tried"] > 0, "the trial went on beside the line, whichever worker died"
