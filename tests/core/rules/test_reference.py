"""The reference page is the tables."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from rapport.core.decision import Decision
from rapport.core.reading import Emotion, Intent, Sentiment
from rapport.core.rules import compile_rules
from rapport.core.rules.fields import FIELDS
from rapport.core.rules.functions import FUNCTIONS, Function
from rapport.core.rules.reference import render

DOCS = Path(__file__).parents[3] / "docs"
BLOCKS = [
    (page.relative_to(DOCS).as_posix(), block)
    for page in sorted(DOCS.rglob("*.md"))
    for block in re.findall(r"```toml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    if "[[rule]]" in block
]


def test_the_reference_page_is_up_to_date(request: pytest.FixtureRequest) -> None:
    page = request.config.rootpath / "docs" / "reference" / "rules.md"
    assert page.read_text(encoding="utf-8") == render(), "run: python -m rapport.core.rules.reference > " + str(page)


def test_every_probability_of_a_reading_is_a_field() -> None:
    names = {*Intent.__struct_fields__, *Emotion.__struct_fields__, *Sentiment.__struct_fields__} - {"label"}
    assert names <= set(FIELDS)


def test_every_field_and_action_is_on_the_page() -> None:
    page = render()
    assert all(f"| `{name}` |" in page for name in FIELDS)
    assert {"basket", "priority", "draft"} <= {field.name for field in msgspec.structs.fields(Decision)}


@pytest.mark.parametrize(("page", "block"), BLOCKS)
def test_every_rule_that_a_page_shows_can_be_used_as_it_stands(page: str, block: str) -> None:
    assert compile_rules(block).rules, page


def test_the_reference_and_the_guide_show_rules() -> None:
    assert {"reference/rules.md", "guide.md"} <= {page for page, _ in BLOCKS}


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=lambda function: str(function.name))
def test_the_form_in_which_a_function_is_shown_can_be_used(function: Function) -> None:
    compile_rules(_rule(function.form + {"bool": "", "number": " >= 1", "time": " < now"}[function.type]))


def test_every_condition_in_the_text_of_the_page_can_be_used() -> None:
    text = render().partition("## Conditions")[2].partition("## Fields")[0].replace("\\|", "|")
    shown = [each for each in re.findall(r"`([^`]+)`", text) if re.search(r"\w (?:[<>=]=?|in|matches|has) |\w\(", each)]
    assert len(shown) >= 9
    for condition in shown:
        compile_rules(_rule(condition))


def _rule(condition: str) -> str:
    return f"[[rule]]\nname = 'x'\nwhen = '''{condition}'''\nthen = ['tag:x']\n"
