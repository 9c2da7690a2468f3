"""The reference page is the tables."""

from __future__ import annotations

import pytest

from rapport.core.guard import NETWORKS, RULES
from rapport.core.guard.reference import render


def test_the_reference_page_is_up_to_date(request: pytest.FixtureRequest) -> None:
    page = request.config.rootpath / "docs" / "reference" / "guard.md"
    assert page.read_text(encoding="utf-8") == render(), "run: python -m rapport.core.guard.reference > " + str(page)


def test_every_rule_and_network_is_on_the_page_with_its_source() -> None:
    page = render()
    assert all(f"| `{name}` |" in page for name in RULES)
    assert all(f"| {row.network} |" in page and row.source in page for row in NETWORKS.values())
