"""`rapport import` from outside: what it stores, says, rejects and returns."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

import tables
from cli.running import rapport, tally

REAL = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder whose tables the first import made."""
    folder = tmp_path_factory.mktemp("import") / "data"
    done = rapport(folder, "import", "-", "--channel", "first", typed=post("0"))
    assert (done.returncode, tally(done)["new"]) == (0, 1), done.stderr
    return folder


def post(id_: str, network: str = "x", **fields: Any) -> str:
    author = {"handle": "ann"}
    made = {"network": network, "id": id_, "text": "hello", "created_at": "2026-01-01T09:00:00Z", "author": author}
    return json.dumps(made | fields) + "\n"


def rows(data: Path, sql: str) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(data / "rapport.sqlite3")
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def test_the_first_import_makes_folder_keys_and_workspace_for_their_owner_alone(data: Path) -> None:
    assert data.stat().st_mode & 0o077 == 0
    for name in ("secret.key", "token.keys", "rapport.sqlite3"):
        assert (data / name).stat().st_mode & 0o077 == 0, name
    assert rows(data, "SELECT slug FROM store_workspace") == [("default",)]


def test_a_second_import_of_the_same_file_brings_nothing_new(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "posts.jsonl"
    file.write_text("".join(post(f"twice-{number}") for number in range(1203)))
    first = rapport(data, "import", file, "--channel", "twice")
    again = rapport(data, "import", file, "--channel", "twice")
    assert tally(first) == {"read": 1203, "new": 1203, "known": 0, "rejected": 0, "rejects": None}
    assert tally(again) == {"read": 1203, "new": 0, "known": 1203, "rejected": 0, "rejects": None}
    assert (first.returncode, again.returncode) == (0, 0)
    assert first.stderr == ""


def test_rejects_have_line_and_reason_and_go_away_when_mended(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "posts.jsonl"
    file.write_text(post("r1") + "nonsense\n" + post("r2") + '{"network":"x"}\n')
    done = rapport(data, "import", file, "--channel", "rejects")
    assert done.returncode == 1
    assert tally(done) == {"read": 4, "new": 2, "known": 0, "rejected": 2, "rejects": f"{file}.rejects.jsonl"}
    rejects = [json.loads(line) for line in Path(f"{file}.rejects.jsonl").read_text().splitlines()]
    assert [each["line"] for each in rejects] == [2, 4]
    assert all(each["reason"] for each in rejects)
    file.write_text(post("r1") + post("r2"))
    assert tally(rapport(data, "import", file, "--channel", "rejects"))["rejects"] is None
    assert not Path(f"{file}.rejects.jsonl").exists()


def test_rejects_of_standard_input_land_in_the_current_folder(data: Path, tmp_path: Path) -> None:
    done = rapport(data, "import", "-", "--channel", "stdin", folder=tmp_path, typed=post("s1") + "{\n")
    assert tally(done)["rejects"] == "stdin.rejects.jsonl"
    assert (tmp_path / "stdin.rejects.jsonl").exists()


def test_a_review_and_its_reply_count_as_one_row(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "reviews.csv"
    file.write_text(
        "Name,Review ID,Review Title,Review Text,Rating,Review Time,Reply Text,Company Domain\n"
        "Acme,rev1,Slow,It came late,2,2025-10-06T13:56:28Z,Sorry!,acme.test\n"
    )
    assert tally(rapport(data, "import", file, "--channel", "reviews"))["new"] == 1
    found = rows(data, "SELECT external_id, kind, ours, in_reply_to FROM store_post WHERE network = 'trustpilot'")
    assert sorted(found) == [("rev1", "review", 0, ""), ("rev1/reply", "reply", 1, "rev1")]


def test_each_network_of_a_mixed_file_gets_its_own_channel(data: Path) -> None:
    typed = post("m1", "mastodon") + post("m2", "bluesky") + post("m3", "mastodon")
    assert tally(rapport(data, "import", "-", "--channel", "mixed", typed=typed))["new"] == 3
    found = rows(data, "SELECT slug, network FROM store_channel WHERE slug LIKE 'mixed%' ORDER BY slug")
    assert found == [("mixed", "mastodon"), ("mixed-bluesky", "bluesky")]


def test_process_puts_the_posts_into_conversations_at_once(data: Path) -> None:
    typed = post("p1", text="My parcel never arrived, I want a refund!")
    done = rapport(data, "import", "-", "--channel", "processed", "--process", typed=typed)
    assert done.returncode == 0, done.stderr
    assert rows(data, "SELECT conversation_id FROM store_post WHERE external_id = 'p1'")[0][0]
    assert rows(data, "SELECT count(*) FROM store_busmessage") == [(0,)]


@pytest.mark.parametrize(
    ("words", "typed", "said"),
    [
        (["missing.csv", "--channel", "a"], "", "rapport: missing.csv: No such file or directory\n"),
        (["-", "--channel", "a b"], post("1"), "rapport: --channel 'a b': only letters"),
        (["-", "--channel", "a", "--workspace", "acme"], post("1"), "there are: default"),
        (["-", "--channel", "a"], "a,b,c\n1,2,3\n", "rapport: this is no table that I know."),
    ],
)
def test_what_cannot_start_says_so_in_one_line(data: Path, words: list[str], typed: str, said: str) -> None:
    done = rapport(data, "import", *words, typed=typed)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_several_workspaces_are_listed_and_one_can_be_named(data: Path) -> None:
    connection = sqlite3.connect(data / "rapport.sqlite3")
    with connection:
        connection.execute(
            "INSERT INTO store_workspace (slug, name, timezone, languages, created_at, config_version, hold_reason, "
            "score_weights) VALUES ('acme', 'Acme', 'UTC', '[]', '2026-01-01', 1, '', '{}')"
        )
    try:
        asked = rapport(data, "import", "-", "--channel", "which", typed=post("w1"))
        named = rapport(data, "import", "-", "--channel", "which", "--workspace", "acme", typed=post("w1"))
    finally:
        with connection:
            for table in ("busmessage", "post", "handle", "person", "auditentry", "deskevent", "channel"):
                connection.execute(
                    f"DELETE FROM store_{table} WHERE workspace_id = (SELECT id FROM store_workspace WHERE slug='acme')"
                )
            connection.execute("DELETE FROM store_workspace WHERE slug = 'acme'")
        connection.close()
    assert asked.returncode == 2
    assert "name one with --workspace: acme, default" in asked.stderr
    assert (named.returncode, tally(named)["new"]) == (0, 1)


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "new", "known"),
    [("03_twcs/threads.csv", 8137, 0), ("02_airline/airline_tweets.csv", 9431, 98)],
)
def test_the_real_files_are_taken_in_whole_and_once(tmp_path: Path, name: str, new: int, known: int) -> None:
    file = REAL / name
    if not file.exists():
        pytest.skip(f"the real data is not beside the project: {name}")
    tables.lay(tmp_path / "data")
    first = tally(rapport(tmp_path / "data", "import", file, "--channel", "real"))
    again = tally(rapport(tmp_path / "data", "import", file, "--channel", "real"))
    assert (first["new"], first["known"], first["rejected"]) == (new, known, 0)
    assert (again["new"], again["known"], again["rejected"]) == (0, new + known, 0)
