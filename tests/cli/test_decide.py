"""`rapport decide`: posts and a rule file in, decisions with their trace out."""

from __future__ import annotations

import datetime as dt
import io
import json
from pathlib import Path
from typing import Any

import pytest

from rapport.cli.main import main
from rapport.core.rules import default_document


def line(number: int, text: str, **changes: Any) -> str:
    at = dt.datetime.now(dt.UTC) - dt.timedelta(days=10 - number)
    post = {"network": "x", "id": str(number), "text": text, "created_at": at.isoformat(), "author": {"handle": "ann"}}
    return json.dumps(post | changes) + "\n"


def run(*words: str) -> int:
    return main(["decide", *words])


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    path = tmp_path / "rules.toml"
    path.write_text(default_document(), encoding="utf-8")
    return path


def test_posts_come_out_in_order_with_score_decision_and_trace(
    rules: Path, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    posts = tmp_path / "posts.jsonl"
    posts.write_text(
        line(1, "I love this, thank you so much!", mentions=["brand"])
        + line(2, "five stars", rating=5, kind="review")
        + line(3, "buy followers", author={"handle": "us", "ours": True}),
        encoding="utf-8",
    )
    assert run("--rules", str(rules), str(posts)) == 0
    answers = [json.loads(each) for each in capfdbinary.readouterr().out.splitlines()]
    assert [(each["network"], each["id"]) for each in answers] == [("x", "1"), ("x", "2"), ("x", "3")]
    assert [each["decision"]["basket"] for each in answers] == ["praise", "reviews", "noise"]
    assert all(set(each) == {"network", "id", "score", "decision", "trace"} for each in answers)
    assert "trace" not in answers[0]["decision"]
    assert answers[2]["trace"] == [
        {
            "rule": "Our own post",
            "matched": True,
            "because": ["author.ours is true"],
            "actions": ["basket:noise", "priority:low", "tag:ours"],
            "level": "act",
        }
    ]


def test_what_an_author_wrote_earlier_in_the_file_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    path = tmp_path / "rules.toml"
    path.write_text("[[rule]]\nname='again'\nwhen='count(person.posts, 30 days) >= 2'\nthen=['tag:again']\n")
    text = line(1, "one") + line(2, "two") + "\n" + line(3, "three") + line(4, "four", author={"handle": "bob"})
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    assert run("--rules", str(path)) == 0
    answers = [json.loads(each) for each in capfdbinary.readouterr().out.splitlines()]
    assert [each["decision"]["tags"] for each in answers] == [[], [], ["again"], []]


def test_what_was_said_in_the_thread_counts_and_what_follows_is_told_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    path = tmp_path / "rules.toml"
    path.write_text(
        "[[rule]]\nname='more'\nwhen='count(conversation.posts) >= 1'\nthen=['note:Again', 'basket:care']\n"
        "[[rule]]\nname='watched'\nwhen='true'\nthen=['tag:x']\nautonomy='observe'\n"
    )
    text = line(1, "one") + line(2, "two", in_reply_to="1") + line(3, "three")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    assert run("--rules", str(path)) == 0
    answers = [json.loads(each) for each in capfdbinary.readouterr().out.splitlines()]
    note = {"rule": "more", "verb": "note", "argument": "Again", "level": "act"}
    assert [each["decision"]["effects"] for each in answers] == [[], [note], []]
    assert [each["decision"]["tags"] for each in answers] == [[], [], []]
    assert answers[0]["trace"][1]["level"] == "observe"


def test_a_fault_in_the_rules_ends_with_2_and_says_where(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "rules.toml"
    path.write_text("[[rule]]\nname = 'x'\nwhen = 'complant > 1'\nthen = ['tag:a']\n")
    assert run("--rules", str(path)) == 2
    said = capsys.readouterr().err
    assert "rules.toml: line 3, column 9: there is no field complant; did you mean complaint?" in said
    path.write_bytes(b"# caf\xe9\n")
    assert run("--rules", str(path)) == 2
    assert run("--rules", str(tmp_path / "absent.toml")) == 2
    assert run("--rules", str(tmp_path)) == 2
    assert run() == 2
    assert [each.partition(": ")[2] for each in capsys.readouterr().err.splitlines()] == [
        f"{path}: byte 6 is no UTF-8 text; save the file as UTF-8",
        f"{tmp_path / 'absent.toml'}: No such file or directory",
        f"{tmp_path}: Is a directory",
        "name a rule document with --rules, or a starter pack with --pack",
    ]
    assert run("--pack", "bakery") == 2
    assert "invalid choice: 'bakery'" in capsys.readouterr().err


def test_a_line_that_is_no_post_is_named_and_the_others_are_decided(
    rules: Path, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    posts = tmp_path / "posts.jsonl"
    posts.write_text(line(1, "one") + "{}\n" + line(2, "two"), encoding="utf-8")
    assert run("--rules", str(rules), str(posts)) == 1
    out, err = capfdbinary.readouterr()
    assert len(out.splitlines()) == 2
    assert b"line 2: " in err
    assert run("--rules", str(rules), str(tmp_path / "absent.jsonl")) == 2


def test_a_file_as_windows_saves_it_is_read(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    rules, posts = tmp_path / "rules.toml", tmp_path / "posts.jsonl"
    rules.write_bytes(b"\xef\xbb\xbf[[rule]]\r\nname='x'\r\nwhen='true'\r\nthen=['tag:x']\r\n")
    posts.write_text(line(1, "one"))
    assert run("--rules", str(rules), str(posts)) == 0
    assert json.loads(capfdbinary.readouterr().out)["decision"]["tags"] == ["x"]


def test_a_pack_is_tried_with_the_rules_that_ship_or_with_a_file(
    rules: Path, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    posts = tmp_path / "posts.jsonl"
    posts.write_text(line(1, "My flight was cancelled", mentions=["brand"]))
    words = (("--pack", "airline"), ("--rules", str(rules), "--pack", "shop", "--pack", "airline"))
    for each in words:
        assert run(*each, str(posts)) == 0
        assert "disruption" in json.loads(capfdbinary.readouterr().out)["decision"]["tags"]
    assert rules.read_text(encoding="utf-8") == default_document()
    broken = tmp_path / "broken.toml"
    broken.write_text("x = [")
    assert run("--rules", str(broken), "--pack", "shop", str(posts)) == 2
    assert b"broken.toml: " in capfdbinary.readouterr().err


def test_old_posts_can_be_decided_as_of_the_day_they_were_written(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    rules, posts = tmp_path / "rules.toml", tmp_path / "posts.jsonl"
    rules.write_text("[[rule]]\nname='again'\nwhen='count(person.posts, 30 days) >= 1'\nthen=['tag:again']\n")
    posts.write_text("".join(line(day, "one", created_at=f"2015-02-{day:02}T10:00:00Z") for day in (1, 2)))
    found = []
    for at in ("now", "written"):
        assert run("--rules", str(rules), "--at", at, str(posts)) == 0
        answers = [json.loads(each) for each in capfdbinary.readouterr().out.splitlines()]
        found.append([each["decision"]["tags"] for each in answers])
    assert found == [[[], []], [[], ["again"]]]
