"""One house for all of them, the servers that the chosen tests ask for, and the table of times at the end."""

from __future__ import annotations

import contextlib
import os
import statistics
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from feed_site import Site, feed_site
from live.house import House, running_house
from live.newspaper import Newspaper
from live.places import PLACES, POLL, Folder, Mail, Place

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
    if any("everywhere" in getattr(item, "fixturenames", ()) for item in request.session.items):
        wanted = set(PLACES)
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
def house(running: dict[str, Place], site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    allowed = {site.authority}.union(*(place.allowed for place in running.values()))
    settings = {"RAPPORT_ALLOW_PRIVATE": ",".join(sorted(allowed)), "RAPPORT_POLL_SECONDS": str(POLL)}
    if isinstance(mail := running.get("mail"), Mail):
        settings["SSL_CERT_FILE"] = mail.server.cafile  # the certificate of a server that is its own authority
    if isinstance(folder := running.get("folder"), Folder):
        settings["RAPPORT_WATCH_DIRS"] = str(folder.folder)
    with running_house(tmp_path_factory.mktemp("house"), **settings) as running_desk:
        yield running_desk


@pytest.fixture(scope="session")
def connected() -> dict[str, int]:
    """Network -> the channel that a test has connected already."""
    return {}


@pytest.fixture(scope="session")
def everywhere(running: dict[str, Place], house: House, connected: dict[str, int]) -> list[Place]:
    """Every network that can be had here, connected."""
    for name, place in running.items():
        if name not in connected:
            connected[name] = place.connect(house)
    return list(running.values())


@pytest.fixture(scope="session")
def news(house: House, site: Site) -> Iterator[Future[dict[str, float]]]:
    """A feed that is connected at the beginning and goes on while the other tests run: step -> seconds, in the end."""
    feed = Newspaper(site)
    feed.connect(house)
    with ThreadPoolExecutor(1) as editors:
        yield editors.submit(feed.go_on, house)
        feed.stop.set()


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
