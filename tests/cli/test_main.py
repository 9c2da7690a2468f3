"""The command as a whole: help, exit statuses, errors in one plain line."""

import argparse
import sys
from types import ModuleType

import pytest

from rapport.cli.main import COMMANDS, Command, load, main
from rapport.core.errors import InvalidInput


def command_that(monkeypatch: pytest.MonkeyPatch, raises: BaseException) -> None:
    """A command "fail" that raises."""

    def run(_: argparse.Namespace) -> int:
        raise raises

    module = ModuleType("failing_command")
    module.configure = lambda parser: None  # type: ignore[attr-defined]
    module.run = run  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "failing_command", module)
    monkeypatch.setitem(COMMANDS, "fail", Command("failing_command", "fails"))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name, "--help"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"usage: rapport {name}")
    assert "options:" in shown


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_the_two_functions_that_one_needs(name: str) -> None:
    module = load(name)
    assert callable(module.configure)
    assert callable(module.run)


def test_help_lists_every_command_without_loading_any(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert [name for name in COMMANDS if f"\n    {name}" not in shown] == []


@pytest.mark.parametrize("words", [[], ["fly"], ["import"], ["import", "x.csv"], ["web", "--port", "99999"]])
def test_wrong_arguments_end_with_status_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    assert "usage: rapport" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (InvalidInput("the file is packed"), 2, "rapport: the file is packed\n"),
        (FileNotFoundError(2, "No such file or directory", "x.csv"), 2, "rapport: x.csv: No such file or directory\n"),
        (SystemExit("RAPPORT_BATCH: must be more than 0"), 2, "rapport: RAPPORT_BATCH: must be more than 0\n"),
        (SystemExit(3), 3, ""),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_what_a_person_can_mend_is_one_line(
    error: BaseException,
    status: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    command_that(monkeypatch, error)
    assert main(["fail"]) == status
    assert capsys.readouterr().err == said


def test_a_database_that_refuses_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from django.db import OperationalError

    command_that(monkeypatch, OperationalError("disk I/O error"))
    assert main(["fail"]) == 2
    assert capsys.readouterr().err.startswith("rapport: the database refused: disk I/O error.")


def test_a_defect_of_ours_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    command_that(monkeypatch, ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        main(["fail"])
