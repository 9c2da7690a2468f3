"""Files dropped into a folder: read whole, once, as they grow, and put aside; nothing outside is ever opened."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from rapport.core.errors import GiveUp, InvalidInput, RetryLater
from rapport.networks.base import Account, Page
from rapport.networks.folder import watch
from rapport.networks.folder.network import Folder
from rapport.networks.folder.places import VARIABLE, find_root, read_roots
from rapport.networks.folder.read import PAGE_LINES
from rapport.networks.http import GuardedSession


def post(number: int, **changed: Any) -> str:
    made = {
        "network": "shop",
        "id": str(number),
        "text": f"Word {number}",
        "created_at": "2026-11-21T10:00:00Z",
        "author": {"id": "7", "handle": "nadia"},
    }
    return json.dumps(made | changed)


class Drop:
    """A watched folder, and somebody who reads it by looks at moments of their own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.path = root / "drop"
        self.path.mkdir()
        self.network = Folder(roots=lambda: (self.root,))
        connected = self.network.connect({"folder": str(self.path)}, GuardedSession())
        self.account = Account(1, "", "drop", connected.identity.account_id, "", connected.settings)
        self.cursor = ""

    def write(self, name: str, *lines: str, end: str = "\n", calm: float = 60.0) -> Path:
        file = self.path / name
        file.write_text("\n".join(lines) + (end if lines else ""), encoding="utf-8")
        self.age(file, calm)
        return file

    def age(self, file: Path, seconds: float) -> None:
        """As if it had been written so long ago."""
        moment = time.time() - seconds
        os.utime(file, (moment, moment))

    def look(self) -> list[Page]:
        pages = []
        for page in self.network.pull(self.account, "files", self.cursor, GuardedSession()):
            self.cursor = page.cursor
            pages.append(page)
        return pages

    def texts(self) -> list[str]:
        return [each.text for page in self.look() for each in page.posts]

    def names(self, place: str = "") -> list[str]:
        there = self.path / place
        return sorted(each.name for each in there.iterdir() if each.is_file()) if there.is_dir() else []


@pytest.fixture
def drop(tmp_path: Path) -> Drop:
    return Drop(tmp_path.resolve())


def test_a_file_is_read_and_put_aside(drop: Drop) -> None:
    drop.write("a.jsonl", post(1), post(2))
    assert drop.texts() == ["Word 1", "Word 2"]
    assert (drop.names(), drop.names("done")) == ([], ["a.jsonl"])
    assert drop.look()[0].posts == ()


def test_the_oldest_file_is_read_first(drop: Drop) -> None:
    drop.write("a.jsonl", post(2), calm=30)
    drop.write("b.jsonl", post(1), calm=90)
    drop.write("c.ndjson", post(3), calm=10)
    assert drop.texts() == ["Word 1", "Word 2", "Word 3"]


def test_a_file_that_is_being_written_waits_until_it_is_calm(drop: Drop) -> None:
    file = drop.write("a.jsonl", post(1), calm=0)
    assert drop.texts() == []
    drop.network = Folder(roots=lambda: (drop.root,))
    drop.age(file, 1)
    assert drop.texts() == ["Word 1"]
    assert drop.names() == ["a.jsonl"], "calm enough to be read, not yet to be put aside"
    drop.network = Folder(roots=lambda: (drop.root,))
    drop.age(file, 3)
    drop.look()
    assert drop.names("done") == ["a.jsonl"]


def test_a_file_that_keeps_growing_is_followed(drop: Drop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "PATIENT", 0.05)
    heard = []
    with (drop.path / "log.jsonl").open("w", encoding="utf-8") as file:
        for number in range(6):
            file.write(post(number) + "\n" + post(100 + number)[:20])
            file.flush()
            time.sleep(0.06)
            heard += drop.texts()
            file.write(post(100 + number)[20:] + "\n")
    assert heard[:3] == ["Word 0", "Word 100", "Word 1"]
    drop.age(drop.path / "log.jsonl", 10)
    drop.network = Folder(roots=lambda: (drop.root,))
    heard += drop.texts()
    assert sorted(heard) == sorted(f"Word {n + extra}" for n in range(6) for extra in (0, 100))
    assert drop.names("done") == ["log.jsonl"]


def test_what_is_written_after_the_move_is_read_too(drop: Drop) -> None:
    file = drop.write("a.jsonl", post(1))
    with file.open("a", encoding="utf-8") as held:
        drop.age(file, 60)
        assert drop.texts() == ["Word 1"]
        assert drop.names("done") == ["a.jsonl"]
        held.write(post(2) + "\n" + "rubbish\n" + post(3) + "\n")
    assert drop.texts() == ["Word 2", "Word 3"]
    assert drop.texts() == []
    assert drop.names("done") == ["a.jsonl", "a.jsonl.rejects.jsonl"]


def test_lines_that_cannot_be_read_are_told_beside_the_file(drop: Drop) -> None:
    drop.write("a.jsonl", post(1), "rubbish", "", post(2, rating=9), post(3))
    (page, _) = drop.look()
    assert [each.text for each in page.posts] == ["Word 1", "Word 3"]
    assert page.rejected[1] == "a.jsonl, line 4: rating: 9.0 is outside 1 to 5"
    assert drop.names("done") == ["a.jsonl", "a.jsonl.rejects.jsonl"]
    rejects = [json.loads(line) for line in (drop.path / "done/a.jsonl.rejects.jsonl").read_text().splitlines()]
    assert [each["line"] for each in rejects] == [2, 4]
    assert rejects[0]["excerpt"] == "rubbish"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (gzip.compress(post(1).encode()), "packed (gzip)"),
        (b"PK\x03\x04rest", "packed (zip)"),
        (post(1).encode("utf-16"), "UTF-16"),
        (f"[{post(1)}]".encode(), "JSON list"),
        (b"id,text\n1,Hello\n", "JSON"),
        (b"\xe9\xff\n" * 3, "malformed"),
        (b"[" * 100_000 + b"\n", "JSON list"),
        (b'{"a":' * 100_000 + b"\n", "nested too deeply"),
    ],
)
def test_a_file_without_a_single_post_is_refused(drop: Drop, content: bytes, reason: str) -> None:
    file = drop.path / "x.jsonl"
    file.write_bytes(content)
    drop.age(file, 60)
    pages = drop.look()
    assert any(reason in line for page in pages for line in page.rejected) or "UTF-8" in pages[0].rejected[0]
    assert (drop.names(), drop.names("refused")) == ([], ["x.jsonl", "x.jsonl.rejects.jsonl"])
    assert drop.look()[0].rejected == ()


def test_a_line_beyond_all_bounds_costs_only_itself(drop: Drop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rapport.networks.folder.read.MAX_LINE", 1000)
    drop.write("a.jsonl", post(1), post(2, text="x" * 5000), post(3))
    (page, *_) = drop.look()
    assert [each.text for each in page.posts] == ["Word 1", "Word 3"]
    assert "longer than" in page.rejected[0]


def test_half_a_line_at_the_end_waits_and_a_whole_one_does_not(drop: Drop, monkeypatch: pytest.MonkeyPatch) -> None:
    drop.write("whole.jsonl", post(1), end="")
    assert drop.texts() == ["Word 1"]
    drop.write("half.jsonl", post(2), post(3)[:-20], end="")
    assert drop.texts() == ["Word 2"]
    assert drop.names() == ["half.jsonl"]
    monkeypatch.setattr(watch, "_TORN", 0.0)
    (page, *_) = drop.look()
    assert page.rejected
    assert "half.jsonl" in drop.names("done")


def test_other_files_are_left_alone(drop: Drop) -> None:
    for name in (".a.jsonl", "a.jsonl.part", "notes.txt", "b.csv", "c.rejects.jsonl"):
        drop.write(name, post(1))
    (drop.path / "d.jsonl").mkdir()
    os.mkfifo(drop.path / "pipe.jsonl")
    assert drop.texts() == []
    assert len(drop.names()) == 5


def test_a_second_file_of_the_same_name_is_another_file(drop: Drop) -> None:
    for number in range(3):
        drop.write("a.jsonl", post(number))
        assert drop.texts() == [f"Word {number}"]
    assert drop.names("done") == ["a-2.jsonl", "a-3.jsonl", "a.jsonl"]


def test_a_file_that_became_shorter_is_read_again_and_says_so(drop: Drop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "SETTLED", 1000.0)
    file = drop.write("a.jsonl", post(1), post(2))
    drop.look()
    with file.open("r+", encoding="utf-8") as held:
        held.truncate(0)
        held.write(post(3) + "\n")
    drop.age(file, 60)
    (page,) = drop.look()
    assert "became shorter" in page.gap.reason
    assert [each.text for each in page.posts] == ["Word 3"]


def test_nobody_speaks_for_another_network(drop: Drop) -> None:
    drop.write("a.jsonl", post(1, network="mastodon", in_reply_to="9", thread="8"))
    ((found,),) = [page.posts for page in drop.look() if page.posts]
    source = drop.account.account_id
    assert found.network == "folder"
    assert (found.id, found.in_reply_to, found.thread) == tuple(f"{source}:mastodon/{n}" for n in ("1", "9", "8"))
    assert found.author.key == f"{source}:mastodon/7"


def test_a_large_file_comes_in_pages_and_goes_on_where_it_was(drop: Drop) -> None:
    drop.write("a.jsonl", *(post(n) for n in range(PAGE_LINES * 3 + 10)))
    first = next(drop.network.pull(drop.account, "files", "", GuardedSession()))
    assert (len(first.posts), first.more) == (PAGE_LINES, True)
    drop.cursor = first.cursor
    drop.network = Folder(roots=lambda: (drop.root,))
    assert len(drop.texts()) == PAGE_LINES * 2 + 10


@pytest.mark.parametrize("lost", range(6))
def test_a_page_that_was_never_stored_comes_again_and_no_refused_line_is_told_twice(drop: Drop, lost: int) -> None:
    lines = [post(n) if n % 7 else "rubbish" for n in range(PAGE_LINES * 2 + 50)]
    drop.write("a.jsonl", *lines)
    heard: list[str] = []
    for attempt in range(20):
        drop.network = Folder(roots=lambda: (drop.root,))
        for place, page in enumerate(drop.network.pull(drop.account, "files", drop.cursor, GuardedSession())):
            if place == lost % 3 and attempt < lost:
                break  # killed before it was stored
            heard += [each.text for each in page.posts]
            drop.cursor = page.cursor
    assert heard == [f"Word {n}" for n in range(len(lines)) if n % 7]
    rejects = (drop.path / "done/a.jsonl.rejects.jsonl").read_text().splitlines()
    assert [json.loads(line)["line"] - 1 for line in rejects] == [n for n in range(len(lines)) if n % 7 == 0]


def test_a_move_that_was_cut_in_half_is_finished(drop: Drop) -> None:
    drop.write("a.jsonl", post(1), "rubbish")
    pull = drop.network.pull(drop.account, "files", "", GuardedSession())
    drop.cursor = next(pull).cursor
    pull.close()
    (drop.path / "done").mkdir()
    (drop.path / ".a.jsonl.rejects.jsonl").rename(drop.path / "done/a.jsonl.rejects.jsonl")
    assert drop.texts() == []
    assert drop.names("done") == ["a.jsonl", "a.jsonl.rejects.jsonl"]


def test_a_file_that_was_moved_just_before_a_kill_is_forgotten(drop: Drop) -> None:
    drop.write("a.jsonl", post(1))
    pages = list(drop.network.pull(drop.account, "files", "", GuardedSession()))
    drop.cursor = pages[0].cursor  # the page after the move was never stored
    assert '"a.jsonl"' in drop.cursor
    assert drop.texts() == []
    assert '"a.jsonl"' not in drop.cursor


def test_killed_again_and_again_it_reads_every_line_once(drop: Drop, tmp_path: Path) -> None:
    stored = tmp_path / "stored.json"
    chance = random.Random(7)
    bad = 0
    for number in range(6):
        lines = [post(number * 10_000 + n) for n in range(PAGE_LINES * 3)]
        lines[5::100] = ["rubbish"] * len(lines[5::100])
        bad += len(lines[5::100])
        drop.write(f"{number}.jsonl", *lines)
    script = str(Path(__file__).with_name("crashing_reader.py"))
    deadline = time.monotonic() + 60
    kills = 0
    while drop.names() and time.monotonic() < deadline:
        with subprocess.Popen([sys.executable, script, str(drop.path), str(stored)], stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == b"reading\n"
            time.sleep(chance.random() * 0.05)
            child.send_signal(signal.SIGKILL)
        kills += 1
    assert drop.names() == []
    ids = json.loads(stored.read_text())["ids"]
    assert len(ids) == len(set(ids)) == 6 * PAGE_LINES * 3 - bad
    rejects = [
        line
        for name in drop.names("done")
        if "rejects" in name
        for line in (drop.path / "done" / name).read_text().splitlines()
    ]
    assert len(rejects) == bad
    assert kills >= 3, "it was never killed in the middle"


# ---------------------------------------------------------------- live


def test_a_post_shows_by_the_live_line_and_a_poll_beside_the_line_moves_nothing(drop: Drop) -> None:
    stop = threading.Event()

    class Over(Exception):
        pass

    def pause(seconds: float) -> None:
        if stop.wait(seconds):
            raise Over

    heard: list[tuple[float, str]] = []

    def follow() -> None:
        try:
            for page in drop.network.stream(drop.account, {"files": ""}, GuardedSession(), pause):
                heard.extend((time.monotonic(), each.text) for each in page.posts)
        except Over:
            return

    thread = threading.Thread(target=follow)
    thread.start()
    try:
        written: dict[str, float] = {}
        for number in range(3):
            hidden = drop.path / f".{number}.jsonl"
            hidden.write_text(post(number) + "\n")
            hidden.rename(drop.path / f"{number}.jsonl")
            written[f"Word {number}"] = time.monotonic()
            time.sleep(0.3)
            assert [each for page in drop.look() for each in page.posts] == []
        deadline = time.monotonic() + 10
        while (len(heard) < 3 or drop.names()) and time.monotonic() < deadline:
            time.sleep(0.05)
    finally:
        stop.set()
        thread.join()
    assert sorted(text for _, text in heard) == ["Word 0", "Word 1", "Word 2"]
    assert max(moment - written[text] for moment, text in heard) < 10.0
    assert drop.names("done") == ["0.jsonl", "1.jsonl", "2.jsonl"]


def test_a_folder_that_went_away_is_waited_for_and_the_poll_says_so(drop: Drop) -> None:
    waits: list[float] = []

    def pause(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 1:
            drop.path.rename(drop.root / "elsewhere")
        if len(waits) == 3:
            (drop.root / "elsewhere").rename(drop.path)
            drop.write("a.jsonl", post(1))

    pages = drop.network.stream(drop.account, {}, GuardedSession(), pause)
    assert next(pages).posts[0].text == "Word 1"
    assert waits == [0.5, 5.0, 5.0]
    pages.close()
    drop.path.rename(drop.root / "gone")
    with pytest.raises(RetryLater, match="cannot be opened"):
        drop.look()


def test_a_file_that_cannot_be_moved_is_told_by_the_poll(drop: Drop) -> None:
    drop.write("a.jsonl", post(1))
    (drop.path / "done").write_text("in the way")

    class Over(Exception):
        pass

    def pause(seconds: float) -> None:
        if seconds == 5.0:
            with pytest.raises(GiveUp, match="no folder that files can be moved to"):
                drop.look()
            raise Over

    with pytest.raises(Over):
        list(drop.network.stream(drop.account, {}, GuardedSession(), pause))


# ---------------------------------------------------------------- where it may look


@pytest.fixture
def secret(tmp_path: Path) -> Iterator[Path]:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "s.jsonl").write_text(post(666) + "\n")
    os.utime(outside / "s.jsonl", (1, 1))
    return outside


@pytest.mark.parametrize(
    "path",
    ["/etc", "relative", "", "/", "{root}/../outside", "{root}/drop/../../outside", "{root}x", "{root}\0/x", "//etc"],
)
def test_a_path_outside_the_allowed_roots_is_refused(tmp_path: Path, path: str) -> None:
    root = tmp_path / "root"
    root.mkdir()
    network = Folder(roots=lambda: (root,))
    with pytest.raises(InvalidInput):
        network.connect({"folder": path.format(root=root)}, GuardedSession())
    account = Account(1, "", "x", "folder-1", "", {"folder": path.format(root=root)})
    with pytest.raises(GiveUp):
        list(network.pull(account, "files", "", GuardedSession()))


def test_no_link_leads_out(tmp_path: Path, secret: Path) -> None:
    root = tmp_path / "root"
    (root / "real").mkdir(parents=True)
    (root / "link").symlink_to(secret)
    (root / "real/inner").symlink_to(secret)
    (root / "real/s.jsonl").symlink_to(secret / "s.jsonl")
    (root / "real/done").symlink_to(secret)
    network = Folder(roots=lambda: (root,))
    for path in (root / "link", root / "real/inner"):
        with pytest.raises(InvalidInput, match="is a link"):
            network.connect({"folder": str(path)}, GuardedSession())
    account = Account(1, "", "x", "folder-1", "", {"folder": str(root / "real")})
    assert [page.posts for page in network.pull(account, "files", "", GuardedSession())] == [()]
    own = root / "real/a.jsonl"
    own.write_text(post(1) + "\n")
    os.utime(own, (1, 1))
    with pytest.raises(GiveUp, match="no folder that files can be moved to"):
        list(network.pull(account, "files", "", GuardedSession()))
    assert sorted(each.name for each in secret.iterdir()) == ["s.jsonl"]


def test_a_file_that_is_swapped_for_a_link_while_it_is_looked_at_is_not_opened(drop: Drop, secret: Path) -> None:
    drop.write("a.jsonl", post(1))
    real_open = os.open

    def swap(path: Any, *args: Any, **kwargs: Any) -> int:
        if path == "a.jsonl":
            (drop.path / "a.jsonl").unlink()
            (drop.path / "a.jsonl").symlink_to(secret / "s.jsonl")
        return real_open(path, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "open", swap)
        assert "Word 666" not in drop.texts()


def test_refused_lines_are_not_written_through_a_link(drop: Drop, secret: Path) -> None:
    drop.write("a.jsonl", "rubbish")
    (drop.path / ".a.jsonl.rejects.jsonl").symlink_to(secret / "s.jsonl")
    with pytest.raises(RetryLater, match="cannot be written"):
        drop.look()
    assert (secret / "s.jsonl").read_text() == post(666) + "\n"


def test_a_root_that_the_operator_took_back_is_not_read(tmp_path: Path) -> None:
    drop = Drop(tmp_path.resolve())
    drop.write("a.jsonl", post(1))
    drop.network = Folder(roots=tuple)
    with pytest.raises(GiveUp, match=VARIABLE):
        drop.look()


def test_the_roots_are_whole_paths_between_commas_with_links_resolved(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    real = (tmp_path / "real").resolve()
    assert read_roots(f"{tmp_path}/link,relative, /srv/other") == (real, Path("/srv/other").resolve())
    assert read_roots("") == ()
    assert find_root(f"{real}/a/b/", (real,)) == (real, ("a", "b"))


def test_the_folders_of_a_deployment_are_those_that_its_settings_name(tmp_path: Path, settings: Any) -> None:
    from rapport import wiring  # what it wires stands in the registry

    drop = tmp_path / "drop"
    drop.mkdir()
    for allowed in ("", str(tmp_path / "other")):
        settings.RAPPORT = msgspec.structs.replace(settings.RAPPORT, watch_dirs=allowed)
        with pytest.raises(InvalidInput, match=VARIABLE):
            wiring.NETWORKS["folder"].connect({"folder": str(drop)}, GuardedSession())
    settings.RAPPORT = msgspec.structs.replace(settings.RAPPORT, watch_dirs=str(tmp_path))
    found = wiring.NETWORKS["folder"].connect({"folder": str(drop)}, GuardedSession())
    assert found.settings == {"folder": str(drop)}
    with pytest.raises(InvalidInput, match="no folder may be watched"):
        Folder().connect({"folder": str(drop)}, GuardedSession())


def test_names_that_no_cursor_can_hold_are_told_once(drop: Drop) -> None:
    long = drop.write("x" * 230 + ".jsonl", post(1))
    strange = Path(os.fsdecode(os.fsencode(drop.path) + b"/caf\xe9.jsonl"))
    strange.write_text(post(2) + "\n")
    for file in (long, strange):
        drop.age(file, 60)
    told = [line for page in drop.look() for line in page.rejected]
    assert len(told) == 2
    assert all("rename it" in line for line in told)
    assert [line for page in drop.look() for line in page.rejected] == []


def test_a_folder_that_cannot_be_written_is_refused_with_the_remedy(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        target = Path("/proc/self/task")  # not even root writes there
        network = Folder(roots=lambda: (target,))
        with pytest.raises(InvalidInput, match="nothing can be written"):
            network.connect({"folder": str(target)}, GuardedSession())
        return
    tmp_path.chmod(0o500)
    with pytest.raises(InvalidInput, match="nothing can be written"):
        Folder(roots=lambda: (tmp_path.resolve(),)).connect({"folder": str(tmp_path.resolve())}, GuardedSession())


def test_the_time_of_a_post_in_the_far_future_is_refused(drop: Drop) -> None:
    ahead = (dt.datetime.now(dt.UTC) + dt.timedelta(days=400)).isoformat()
    drop.write("a.jsonl", post(1), post(2, created_at=ahead))
    (page, *_) = drop.look()
    assert len(page.posts) == 1
    assert "future" in page.rejected[0]
