"""Fifty open pages: none misses a change. (`make live-clients` does the same for ten minutes, with the times.)"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest


@pytest.mark.slow
def test_fifty_open_pages_miss_no_change_and_hold_no_connection_to_the_database() -> None:
    spec = importlib.util.spec_from_file_location("live_clients", Path(__file__).parent / "live_clients.py")
    assert spec is not None
    assert spec.loader is not None
    live = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(live)
    found = live.measure(1.0, clients=50, pace=4.0)
    assert (found["clients"], found["changes"], found["missed"]) == (50, 4, 0)
    # as many open pages as somebody likes must not use up what a database takes
    assert found["connections"] <= 25
