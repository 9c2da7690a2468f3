"""A small crash matrix: every fault of a process once, on four kinds of network. `make crash-matrix` is the whole."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from faults.matrix.cases import SERVERS, WIRES, plan, process_faults

pytestmark = [pytest.mark.slow, pytest.mark.timeout(500)]
DELIVERIES = 48


def test_a_whole_plan_has_every_cell_and_a_small_one_every_fault_server_and_wire() -> None:
    everything = {case.cell for case in plan(2000, 7)}
    assert len(everything) == len(SERVERS) * len(WIRES) * len(process_faults())
    small = plan(DELIVERIES, 7)
    assert {case.cell[2:] for case in small} == {cell[2:] for cell in everything}
    assert {case.server for case in small} == set(SERVERS)
    assert {case.wire for case in small} == set(WIRES)


@pytest.mark.skipif("RAPPORT_DATABASE_URL" in os.environ, reason="`make crash-matrix` runs the whole on PostgreSQL")
def test_no_reply_is_lost_or_doubled_whatever_fails(tmp_path: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "rapport.config.django"}
    done = subprocess.run(
        [sys.executable, str(Path(__file__).parent / "matrix" / "run.py"), str(DELIVERIES), "7"],
        env=environment, capture_output=True, text=True, timeout=480, check=False,
    )  # fmt: skip
    assert done.stdout, done.stderr[-4000:]
    found = json.loads(done.stdout.splitlines()[-1])
    # what a busy machine or the order of the senders has a say in is counted by `make crash-matrix`
    never = ("doubled", "lost", "without_cause")
    assert not any(found["broken"][name] for name in never), found["findings"]
    assert found["deliveries"] == DELIVERIES
    # who of several senders gets which reply is chance, so some faults find nobody whom they could befall
    assert found["killed"] >= 10
    assert found["stopped"] >= 10
