"""How alike two replies are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.core.guard import essence, similarity

LONG = "we looked into this and your refund was sent back to the card you paid with on monday"


def alike(one: str, other: str) -> float:
    return similarity(essence(one), essence(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Hi Ann, " + LONG, "Hi Bob, " + LONG),
        ("@ann " + LONG, LONG + " @bob@example.social"),
        (LONG + " https://a.example/1", LONG + " https://b.example/2"),
        (LONG, " ".join(reversed(LONG.split()))),
        ("ご連絡ありがとうございます。すぐに確認いたします。", "ご連絡ありがとうございます!すぐに確認いたします!"),
    ],
)
def test_what_a_template_changes_by_itself_does_not_make_a_text_another(one: str, other: str) -> None:
    assert alike(one, other) == 1.0


def test_one_word_in_twenty_leaves_a_text_nearly_the_same_and_a_third_does_not() -> None:
    assert 0.9 <= alike(LONG, LONG.replace("monday", "friday")) < 1
    assert alike(LONG, "we looked into this and your parcel is lost; a new one leaves our house today") < 0.9


@given(st.text(max_size=60), st.text(max_size=60))
def test_similarity_lies_between_0_and_1_is_symmetric_and_1_for_itself(one: str, other: str) -> None:
    assert 0 <= alike(one, other) == alike(other, one) <= 1
    assert alike(one, one) == 1
