"""`rapport rules`: rules out of a desk, and a file held against it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conftest import NOON
from rapport.actions.rules import save_rules
from rapport.actions.surveys import save_survey
from rapport.cli.main import main
from rapport.core.rules import default_document
from rapport.core.surveys import Question

pytestmark = pytest.mark.django_db
MINE = "[[rule]]\nname = 'Rain'\nwhen = 'text matches \"rain\"'\nthen = ['basket:praise']\n"


def test_the_rules_in_force_and_older_ones_are_printed_as_they_are(
    alice: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    save_rules(alice, MINE, "Rain", now=NOON)
    assert main(["rules"]) == 0
    assert capsys.readouterr().out == MINE
    assert main(["rules", "--version", "1", "--workspace", "fernway"]) == 0
    assert capsys.readouterr().out == default_document()


def test_a_file_is_held_against_what_the_desk_has(
    alice: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(MINE, encoding="utf-8")
    assert main(["rules", str(file)]) == 0
    assert capsys.readouterr().out == f"{file}: 1 rules, no fault\n"
    file.write_text(MINE.replace("praise", "prase"), encoding="utf-8")
    assert main(["rules", str(file)]) == 1
    told = capsys.readouterr().out
    assert told.startswith(f"{file}: line 4, column ")
    assert "there is no basket prase; did you mean praise?" in told
    save_survey(alice, None, name="Tent", questions=[Question("score", "How was it?")], now=NOON)
    file.write_text(MINE.replace("basket:praise", "survey:tant"), encoding="utf-8")
    assert main(["rules", str(file)]) == 1
    assert capsys.readouterr().out == f"{file}: line 4, column 17: there is no survey tant; did you mean tent?\n"
    file.write_text(MINE.replace("basket:praise", "survey:tent"), encoding="utf-8")
    assert main(["rules", str(file)]) == 0


def test_what_cannot_be_found_is_named(alice: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    absent = tmp_path / "absent.toml"
    for words, reason in (
        (["--version", "9"], "there is no version 9 of the rules of fernway"),
        ([str(absent)], f"{absent}: No such file or directory"),
        ([str(absent), "--version", "1"], "a file is checked, a version is printed: give one of them"),
        (["--workspace", "nowhere"], "there is no workspace 'nowhere'; there are: fernway"),
    ):
        assert main(["rules", *words]) == 2
        assert capsys.readouterr() == ("", f"rapport: {reason}\n")
