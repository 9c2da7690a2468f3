from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.core.mentions import find_named

NAMES = {1: "Lea Stone", 2: "Ben", 3: "Zoë Müller", 4: "Lea Marsh", 5: "Ana Maria Ruiz"}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("@Ben can you?", [2]),
        ("@ben, @zoe müller: look", [2, 3]),
        ("@Lea Stone and @Lea Marsh", [1, 4]),
        # there are two of that name, and nobody is guessed
        ("@Lea please", []),
        ("ask @Ana", [5]),
        ("@Ana Maria Ruiz!", [5]),
        ("@Benjamin is nobody here", []),
        ("mail ben@ben.example or x@Ben", []),
        ("@Ben @Ben", [2]),
        ("@ Ben", []),
    ],
)
def test_who_is_named_with_their_sign_is_found(text: str, named: list[int]) -> None:
    assert find_named(text, NAMES) == named


@given(st.text(max_size=60), st.dictionaries(st.integers(0, 5), st.text(max_size=12), max_size=4))
def test_whatever_a_note_says_only_known_people_are_named_and_each_once(text: str, names: dict[int, str]) -> None:
    found = find_named(text, names)
    assert set(found) <= set(names)
    assert len(found) == len(set(found))
