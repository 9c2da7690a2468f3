"""`rapport up` as a process tree: starts, serves, heals, and leaves nothing behind."""

import contextlib
import os
import re
import signal
import socket
import sqlite3
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

import tables
from cli.running import command, environment, rapport

T = TypeVar("T")
pytestmark = pytest.mark.slow


class Desk:
    """A running `rapport up`, and what it has printed. `fresh`: it makes its tables itself, else they are there."""

    def __init__(self, data: Path, *words: object, fresh: bool = False, **settings: str) -> None:
        self.data = data
        data.parent.mkdir(parents=True, exist_ok=True)
        if not fresh:
            tables.lay(data)
        self.log = data.parent / "up.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                command("up", "--port", 0, *words), env=environment(data, **settings), cwd=data.parent,
                stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip

    @property
    def said(self) -> str:
        return self.log.read_text()

    @property
    def url(self) -> str:
        return wait_for(lambda: re.search(r"Rapport is at (\S+)", self.said), "the banner", 60, self)[1]

    def parts(self) -> dict[str, int]:
        """Command -> process id of every child, read from /proc."""
        found = {}
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                words = (entry / "cmdline").read_bytes().split(b"\0")
                if b"rapport.cli.main" in words and str(self.data).encode() in words and b"up" not in words:
                    found[words[words.index(b"rapport.cli.main") + 1].decode()] = int(entry.name)
        return found

    def get(self, path: str) -> int:
        try:
            with urllib.request.urlopen(f"{self.url}{path}", timeout=5) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code
        except OSError:
            return 0

    def stop(self, how: int = signal.SIGTERM) -> int:
        self.process.send_signal(how)
        return self.process.wait(15)


def wait_for(look: Callable[[], T], what: str, seconds: float, desk: Desk) -> T:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.1)
    pytest.fail(f"{what} did not come within {seconds:g} s; it said:\n{desk.said}")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    desk = Desk(tmp_path_factory.mktemp("up") / "data", fresh=True)
    try:
        wait_for(lambda: desk.get("/healthz") == 200, "the web part", 60, desk)
        yield desk
    finally:
        desk.process.kill()
        desk.process.wait()


def test_the_first_start_prints_a_link_that_leads_in(running: Desk) -> None:
    link = re.search(r"(http://127\.0\.0\.1:\d+)(/sign-in/\S+)", running.said)
    assert link, running.said
    assert running.get(link[2]) == 200
    assert running.data.stat().st_mode & 0o077 == 0
    assert (running.data / "secret.key").stat().st_mode & 0o077 == 0


def test_every_part_runs(running: Desk) -> None:
    wait_for(lambda: set(running.parts()) == {"web", "work", "send", "listen"}, "all parts", 10, running)


def test_a_second_start_on_the_same_folder_says_what_to_do(running: Desk) -> None:
    second = rapport(running.data, "up", "--port", 0)
    assert second.returncode == 2
    assert "choose another folder with --data" in second.stderr
    assert second.stderr.count("\n") == 1


def test_a_port_that_is_taken_says_what_to_do(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = rapport(tmp_path / "data", "up", "--port", port)
    assert done.returncode == 2
    assert done.stderr == (
        f"rapport: port {port} on 127.0.0.1 is taken; stop what uses it, or choose another with --port {port + 1}\n"
    )


def test_an_import_into_the_running_desk_is_read_at_once(running: Desk) -> None:
    post = (
        '{"network":"x","id":"live","text":"My parcel is lost","created_at":"2026-01-01T09:00:00Z",'
        '"author":{"handle":"ann"}}'
    )
    assert rapport(running.data, "import", "-", "--channel", "live", typed=post).returncode == 0

    def read() -> object:
        with contextlib.closing(sqlite3.connect(running.data / "rapport.sqlite3")) as connection:
            return connection.execute("SELECT conversation_id FROM store_post WHERE external_id='live'").fetchone()[0]

    wait_for(read, "the conversation", 10, running)


def test_a_part_that_is_killed_is_started_again(running: Desk) -> None:
    wait_for(lambda: "work" in running.parts(), "the worker", 10, running)
    before = running.parts()["work"]
    os.kill(before, signal.SIGKILL)
    wait_for(lambda: running.parts().get("work", before) != before, "another worker", 15, running)
    assert "The worker ended by SIGKILL; it is started again in 1 s." in running.said


def test_a_signal_stops_everything_within_ten_seconds_and_it_starts_again(tmp_path: Path) -> None:
    for how, settings in ((signal.SIGTERM, {}), (signal.SIGINT, {"RAPPORT_ADMIN_EMAIL": "ann@example.org"})):
        desk = Desk(tmp_path / "data", **settings)
        wait_for(lambda desk=desk: desk.get("/healthz") == 200, "the web part", 60, desk)
        wait_for(lambda desk=desk: len(desk.parts()) == 4, "all parts", 30, desk)
        begin = time.monotonic()
        assert desk.stop(how) == 0
        assert time.monotonic() - begin < 10
        assert desk.parts() == {}
        wait_for(lambda desk=desk: "Rapport has stopped." in desk.said, "the last word", 2, desk)


def test_children_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "data")
    wait_for(lambda: desk.get("/healthz") == 200, "the web part", 60, desk)
    wait_for(lambda: len(desk.parts()) == 4, "all parts", 30, desk)
    desk.process.kill()
    desk.process.wait()
    wait_for(lambda: not desk.parts(), "the end of the children", 12, desk)


def test_a_replay_runs_beside_the_rest_and_ends(tmp_path: Path) -> None:
    file = tmp_path / "day.csv"
    file.write_text(
        "tweet_id,name,text,tweet_created\n"
        "2,bob,second,2015-02-24 11:36:52 -0800\n"
        "1,ann,first,2015-02-24 11:35:52 -0800\n"
    )
    desk = Desk(tmp_path / "data", "--replay", file, "--speed", 60)
    wait_for(lambda: "The replay is over." in desk.said, "the end of the replay", 60, desk)
    assert desk.stop() == 0
    with contextlib.closing(sqlite3.connect(tmp_path / "data" / "rapport.sqlite3")) as connection:
        found = connection.execute("SELECT text, created_at FROM store_post ORDER BY created_at").fetchall()
    assert [text for text, _ in found] == ["first", "second"]
    assert all(created > "2026" for _, created in found)


def test_a_replay_of_a_file_that_cannot_be_read_is_refused_before_the_start(tmp_path: Path) -> None:
    done = rapport(tmp_path / "data", "up", "--port", 0, "--replay", "missing.csv")
    assert (done.returncode, done.stderr) == (2, "rapport: missing.csv: No such file or directory\n")


def test_the_first_admin_can_come_from_the_settings(tmp_path: Path) -> None:
    tables.lay(tmp_path / "weak")
    weak = rapport(
        tmp_path / "weak", "up", "--port", 0, RAPPORT_ADMIN_EMAIL="a@example.org", RAPPORT_ADMIN_PASSWORD="1"
    )
    assert weak.returncode == 2
    assert weak.stderr.startswith("rapport: RAPPORT_ADMIN_PASSWORD: ")
    desk = Desk(
        tmp_path / "data", RAPPORT_ADMIN_EMAIL="ann@example.org", RAPPORT_ADMIN_PASSWORD="a long walk in the rain"
    )
    wait_for(lambda: "Sign in as ann@example.org" in desk.said, "the banner", 60, desk)
    assert "/sign-in/" not in desk.said
    assert desk.stop() == 0
