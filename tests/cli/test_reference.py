"""The reference names every command, option, setting and layout that there is."""

import argparse
import re
from pathlib import Path

import msgspec
import pytest

from rapport.cli.main import COMMANDS, build_parser
from rapport.networks.files.layouts import TABLES, Layout
from rapport.settings import Settings

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


def section(page: str, heading: str) -> str:
    text = (REFERENCE / page).read_text(encoding="utf-8")
    found = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"{page} has no section {heading!r}"
    return found[1]


def options(command: str) -> set[str]:
    parser = build_parser(command)
    commands = next(each for each in parser._actions if isinstance(each, argparse._SubParsersAction))
    return {
        option
        for action in commands.choices[command]._actions
        if action.help != argparse.SUPPRESS
        for option in action.option_strings
        if option.startswith("--") and option != "--help"
    }


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_and_option_is_documented(command: str) -> None:
    text = section("commands.md", command)
    assert {option for option in options(command) if f"{option}" not in text} == set()


def test_no_command_is_documented_that_does_not_exist() -> None:
    text = (REFERENCE / "commands.md").read_text(encoding="utf-8")
    headings = set(re.findall(r"^## (.+)$", text, re.MULTILINE))
    assert headings - {"Exit status"} == set(COMMANDS)


def test_every_setting_is_documented_with_its_default_and_no_other() -> None:
    text = (REFERENCE / "settings.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(RAPPORT_\w+)` \| (.+?) \|", text, re.MULTILINE))
    fields = {f"RAPPORT_{field.name.upper()}": field.default for field in msgspec.structs.fields(Settings)}
    assert set(rows) == set(fields)
    for name, default in fields.items():
        shown = rows[name].strip("`")
        if isinstance(default, float):
            assert float(shown) == default, name
        elif default == "":
            assert shown in {"empty", "made"}, name
        else:
            assert shown == str(default).replace("False", "false"), name


@pytest.mark.parametrize("layout", TABLES, ids=lambda layout: layout.title)
def test_every_layout_is_documented_with_its_columns(layout: Layout) -> None:
    text = section("import.md", layout.title)
    assert [name for name in (*layout.required, *layout.optional) if f"`{name}`" not in text] == []
