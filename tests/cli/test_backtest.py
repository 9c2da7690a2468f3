"""`rapport backtest`: what a rule file would have done, told at a terminal and to programs."""

from __future__ import annotations

import argparse
import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conftest import NOON
from rapport.actions.rules import save_rules
from rapport.cli import backtest
from rapport.core.errors import InvalidInput
from rapport.core.post import Post

pytestmark = pytest.mark.django_db
LIVE = "fallback = 'care'\n"
FILE = "fallback = 'care'\n[[rule]]\nname = 'Rain'\nwhen = 'text matches \"rain\"'\nthen = ['basket:praise']\n"


@pytest.fixture
def rules(tmp_path: Path, alice: Any, hear: Any, make_post: Callable[..., Post]) -> Path:
    """A rule file, and a desk that has heard two posts."""
    save_rules(alice, LIVE, "", now=NOON)
    hear(make_post("left in the rain"), make_post("hello"))
    path = tmp_path / "rules.toml"
    path.write_text(FILE, encoding="utf-8")
    return path


def run(*words: object) -> int:
    parser = argparse.ArgumentParser()
    backtest.configure(parser)
    return backtest.run(parser.parse_args(list(map(str, words))))


def test_it_tells_in_lines_what_would_have_been_different(rules: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--rules", rules, "--since", "2026-11-01", "--until", "2026-11-30") == 0
    told = capsys.readouterr().out
    assert told.startswith("2 mentions from 2026-11-01 00:00 to 2026-11-30 00:00 UTC")
    assert "1 would be decided differently (50.0%)" in told
    assert "basket: care -> praise" in told
    assert "not there         1" in told


def test_programs_read_the_whole_report(rules: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--rules", rules, "--since", "2026-11-01T00:00:00Z", "--until", "2026-11-30", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["workspace"], found["seen"], found["different"], found["kinds"]) == ("fernway", 2, 1, {"basket": 1})
    assert found["since"] == "2026-11-01T00:00:00Z"
    assert found["left_out"] == {}


def test_a_time_in_which_nothing_was_heard_is_said_to_be_one(rules: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--rules", rules, "--since", "2020-01-01", "--until", "2020-02-01") == 0
    assert "Nothing was heard in this time" in capsys.readouterr().out


def test_what_cannot_be_used_is_refused_with_what_is_wrong(rules: Path, tmp_path: Path) -> None:
    faulty = tmp_path / "faulty.toml"
    faulty.write_text(FILE.replace("text matches", "txt matches"), encoding="utf-8")
    wrong: tuple[tuple[tuple[object, ...], str], ...] = (
        (("--rules", faulty), "line 4, column 9"),
        (("--rules", rules, "--since", "yesterday"), "'yesterday' is no day and no moment"),
        (("--rules", rules, "--since", "2026-02-01", "--until", "2026-01-01"), "--since must lie before --until"),
        (("--rules", rules, "--since", "2020-01-01", "--until", "2026-01-01"), "at most a year"),
        (("--rules", rules, "--since", "0001-01-01"), "1970 to 9000"),
        (("--rules", rules, "--until", "0001-01-01"), "'0001-01-01' lies outside the years 1970 to 9000"),
        (("--rules", rules, "--since", "2026-11-31"), "'2026-11-31' is no day and no moment"),
        (("--rules", rules, "--workspace", "nowhere"), "no workspace 'nowhere'"),
    )
    for words, reason in wrong:
        with pytest.raises(InvalidInput, match=reason):
            run(*words)
    with pytest.raises(FileNotFoundError, match=r"none\.toml"):
        run("--rules", tmp_path / "none.toml")


def test_a_data_folder_that_is_not_there_is_refused_and_not_made(
    rules: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RAPPORT_DATABASE_URL", raising=False)
    with pytest.raises(InvalidInput, match=r"there is no folder .*nowhere: name that of the desk with --data"):
        run("--rules", rules, "--data", tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


def test_days_begin_at_midnight_where_the_workspace_is() -> None:
    from zoneinfo import ZoneInfo

    found = backtest._moment("--since", "2026-11-01", ZoneInfo("Asia/Tokyo"))
    assert found == dt.datetime(2026, 10, 31, 15, tzinfo=dt.UTC)
