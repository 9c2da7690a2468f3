"""The reference page is the tables."""

from __future__ import annotations

import msgspec
import pytest

from rapport.core.decision import Decision
from rapport.core.reading import Emotion, Intent, Sentiment
from rapport.core.rules.fields import FIELDS
from rapport.core.rules.reference import render


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
