"""What gives a person away in the words of others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.core.traces import RUN, Traces, without_words

NADIA = Traces(
    ["Nadia van Haddad", "@nadia_h"],
    ["My parcel came open and half of it was missing, I am so tired of this.", "Unbelievable!", "no"],
)


@pytest.mark.parametrize(
    "text",
    [
        "Called nadia van haddad twice",
        "see @NADIA_H",
        "Nadia rang again",
        'She wrote: "half of it was missing"',
        "half of, it WAS... missing",
        "One word from her: unbelievable.",
    ],
)
def test_names_and_quotes_are_found(text: str) -> None:
    assert NADIA.are_in(text)


@pytest.mark.parametrize("text", ["", None, "half of it came", "no", "The carrier lost the van", "nadia_hh"])
def test_what_is_of_others_is_left(text: str | None) -> None:
    assert not NADIA.are_in(text)


def test_a_script_without_spaces_is_read_sign_by_sign() -> None:
    said = Traces([], ["荷物が壊れて届きました"])
    assert said.are_in("引用:壊れて届き、とのこと")
    assert not said.are_in("荷物を送りました")


@given(
    st.lists(
        st.sampled_from(["parcel", "open", "half", "missing", "tired", "carrier", "van"]), min_size=RUN, max_size=20
    )
)
def test_whoever_repeats_so_many_words_is_found(words: list[str]) -> None:
    assert Traces([], [" ".join(words)]).are_in("They said, " + ", ".join(words[-RUN:]) + " and left")


def test_a_person_without_names_and_words_is_found_nowhere() -> None:
    assert not Traces(["", "@"], ["", "!!"]).are_in("anything at all")


def test_what_stays_of_a_note_of_the_audit_has_no_words() -> None:
    digest = "ab" * 32
    detail = {
        "reason": "wrote to us", "digest": digest, "conversation": 41, "new": True, "until": None,
        "before": {"name": "Nadia", "basket": 3}, "handles": ["@nadia_h", 7],
    }  # fmt: skip
    assert without_words(detail) == {
        "digest": digest, "conversation": 41, "new": True, "until": None, "before": {"basket": 3}, "handles": [7],
    }  # fmt: skip
