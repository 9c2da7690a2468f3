"""`rapport match`, run as a program of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import argparse, sys
from rapport.cli.match import configure, run
parser = argparse.ArgumentParser()
configure(parser)
status = run(parser.parse_args())
assert not any(name.split(".")[0] == "django" for name in sys.modules), "matching needs no Django"
sys.exit(status)
"""
QUERIES = '{"id":"delays","query":"delay*"}\n{"id":7,"query":"bag NOT found"}\n'


def line(number: int, text: str) -> str:
    post = {
        "network": "x",
        "id": str(number),
        "text": text,
        "created_at": "2026-11-21T10:00:00Z",
        "author": {"id": "7"},
    }
    return json.dumps(post | {"unheard_of": 1})


def match(folder: Path, *arguments: str, queries: str = QUERIES, posts: str = "") -> subprocess.CompletedProcess[str]:
    (folder / "queries.jsonl").write_text(queries, "utf-8")
    command = [sys.executable, "-c", PROGRAM, "--queries", str(folder / "queries.jsonl"), *arguments]
    return subprocess.run(command, input=posts, capture_output=True, text=True, encoding="utf-8", check=False)


def test_each_post_is_answered_in_order_with_the_ids_as_they_were_written(tmp_path: Path) -> None:
    posts = "\n".join([line(1, "Delayed, and my bag is gone"), "", line(2, "hello"), line(3, "bag found")])
    done = match(tmp_path, posts=posts)
    assert [json.loads(row) for row in done.stdout.splitlines()] == [
        {"network": "x", "id": "1", "queries": ["delays", 7]},
        {"network": "x", "id": "2", "queries": []},
        {"network": "x", "id": "3", "queries": []},
    ]
    assert (done.returncode, done.stderr) == (0, "")


def test_a_file_and_standard_input_give_the_same(tmp_path: Path) -> None:
    posts = "".join(line(number, "late bag" * (number % 2)) + "\n" for number in range(2_500))
    (tmp_path / "posts.jsonl").write_text(posts, "utf-8")
    from_file = match(tmp_path, str(tmp_path / "posts.jsonl"))
    assert from_file.stdout == match(tmp_path, "-", posts=posts).stdout
    assert len(from_file.stdout.splitlines()) == 2_500


def test_a_bad_line_is_named_and_the_others_are_matched(tmp_path: Path) -> None:
    done = match(tmp_path, posts="\n".join([line(1, "delay"), '{"network":"x"}', "nonsense", line(4, "bag")]))
    assert [json.loads(row)["id"] for row in done.stdout.splitlines()] == ["1", "4"]
    assert "line 2" in done.stderr
    assert "line 3" in done.stderr
    assert done.returncode == 1


def test_bad_queries_are_all_named_with_id_and_position_and_nothing_is_matched(tmp_path: Path) -> None:
    queries = QUERIES + '{"id":"open","query":"late (bag"}\n{"id":"delays","query":"x"}\n{"id":"none"}\n'
    done = match(tmp_path, queries=queries, posts=line(1, "delay"))
    assert done.returncode == 2
    assert done.stdout == ""
    assert "line 3: query open: at character 6" in done.stderr
    assert "line 4: query delays: this id was used before" in done.stderr
    assert "line 5" in done.stderr


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    done = match(tmp_path, str(tmp_path / "absent.jsonl"))
    assert done.returncode == 2
    assert "absent.jsonl" in done.stderr
