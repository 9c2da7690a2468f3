"""One house for all of them, the servers that the chosen tests ask for, and the table of times at the end."""

from __future__ import annotations

import contextlib
import os
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from feed_site import Site, feed_site
from live.house import House, running_house
from live.places import PLACES, Mail, Place

#: (network, step) -> seconds, one for each time that it was measured
TIMES = pytest.StashKey[dict[tuple[str, str], list[float]]]()
STEPS = ("word", "reply", "edit", "deletion", "our answer", "answer to ours", "after a kill", "after a restart")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[TIMES] = {}


@pytest.fixture(scope="session")
def times(pytestconfig: pytest.Config) -> dict[tuple[str, str], list[float]]:
    return pytestconfig.stash[TIMES]


@pytest.fixture(scope="session")
def running(request: pytest.FixtureRequest) -> Iterator[dict[str, Place]]:
    """The servers of the tests that were chosen; a network that this machine does not have is not in it."""
    wanted = {
        item.callspec.params["network"]
        for item in request.session.items
        if isinstance(item, pytest.Function) and hasattr(item, "callspec") and "network" in item.callspec.params
    }
    with contextlib.ExitStack() as stack:
        yield {
            name: stack.enter_context(start()) for name, (start, missing) in PLACES.items()
            if name in wanted and not missing()
        }  # fmt: skip


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    with feed_site() as served:
        yield served


@pytest.fixture(scope="session")
def drop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that may be watched."""
    return tmp_path_factory.mktemp("dropped")


@pytest.fixture(scope="session")
def house(
    running: dict[str, Place], site: Site, drop: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    allowed = {site.authority}.union(*(place.allowed for place in running.values()))
    settings = {"RAPPORT_ALLOW_PRIVATE": ",".join(sorted(allowed)), "RAPPORT_WATCH_DIRS": str(drop)}
    if isinstance(mail := running.get("mail"), Mail):
        settings["SSL_CERT_FILE"] = mail.server.cafile  # the certificate of a server that is its own authority
    with running_house(tmp_path_factory.mktemp("house"), **settings) as running_desk:
        yield running_desk


@pytest.fixture(scope="session")
def connected() -> dict[str, int]:
    """Network -> the channel that a test has connected already."""
    return {}


@pytest.fixture
def place(network: str, running: dict[str, Place]) -> Place:
    if network not in running:
        pytest.skip(PLACES[network][1]())
    return running[network]


@pytest.fixture
def channel(place: Place, house: House, connected: dict[str, int]) -> int:
    """The account of the place, connected by a person, once."""
    if place.name not in connected:
        connected[place.name] = place.connect(house)
    return connected[place.name]


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    times = config.stash[TIMES]
    if not times:
        return
    steps = [step for step in STEPS if any(key[1] == step for key in times)]
    terminalreporter.write_line("")
    terminalreporter.write_line("Seconds from the network having it to the desk showing it (median, worst of several):")
    terminalreporter.write_line(f"| network | {' | '.join(steps)} |")
    terminalreporter.write_line("|---" * (len(steps) + 1) + "|")
    for name in dict.fromkeys(key[0] for key in times):
        cells = [_cell(times.get((name, step), [])) for step in steps]
        terminalreporter.write_line(f"| {name} | {' | '.join(cells)} |")
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    terminalreporter.write_line(f"{os.cpu_count()} cores, load {load} at the end")


def _cell(found: list[float]) -> str:
    if not found:
        return "-"
    if len(found) == 1:
        return f"{found[0]:.2f}"
    return f"{statistics.median(found):.2f}, {max(found):.2f}"
