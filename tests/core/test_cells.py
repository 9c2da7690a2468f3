from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.core.cells import defuse


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "  @x", "-"])
def test_what_looks_like_a_formula_begins_with_an_apostrophe(cell: str) -> None:
    assert defuse(cell) == f"'{cell}"


@given(st.one_of(st.none(), st.integers(), st.text()))
def test_no_cell_begins_as_a_formula_does_and_no_word_is_lost(cell: object) -> None:
    text = defuse(cell)
    assert not text.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert not text.lstrip().startswith(("=", "+", "-", "@"))
    assert text.removeprefix("'") == ("" if cell is None else str(cell)).replace("\x00", "").removeprefix("'")
