from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.core.mask import Mask, is_personal

names = st.text(string.ascii_letters + "äöüßéñł", min_size=3, max_size=12)
mails = st.builds(
    "{}@{}.{}".format,
    st.text(string.ascii_letters + string.digits + "._+-", min_size=1, max_size=12),
    st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=10),
    st.sampled_from(["org", "co", "example", "museum"]),
)
phones = st.builds(
    "{}{} {}-{}".format,
    st.sampled_from(["+49 ", "0", "(0) ", "+1 "]),
    st.integers(100, 999),
    st.integers(100, 99999),
    st.integers(10, 999),
)
ibans = st.sampled_from(
    ["DE89 3704 0044 0532 0130 00", "GB29NWBK60161331926819", "FR14 2004 1010 0505 0001 3M02 606", "NL91ABNA0417164300"]
)
between = st.sampled_from([" and ", ", ", "\n", " (", ") ", ": ", " - ", "! ", '"'])


def test_what_is_personal_becomes_a_mark_and_comes_back() -> None:
    mask = Mask(["Ann Lee", "annlee"])
    said = "Hi, Ann here (ann@example.org, @annlee@example.social), order 4711-0815, https://shop.example/o/1?ann"
    hidden = mask.hide(said)
    assert hidden == "Hi, [NAME_1] here ([MAIL_1], [HANDLE_1]), order [NUMBER_1], [LINK_1]"
    assert mask.show(hidden) == said


def test_the_same_thing_has_the_same_mark_in_every_text() -> None:
    mask = Mask(["Ann"])
    assert mask.hide("Ann wrote") == "[NAME_1] wrote"
    assert mask.hide("to Ann and Ann") == "to [NAME_1] and [NAME_1]"
    assert mask.hide("ANN") == "[NAME_2]"
    assert mask.show("[NAME_2] or [NAME_1]") == "ANN or Ann"


@pytest.mark.parametrize(
    "text",
    ["call 0151 2345678", "IBAN DE89 3704 0044 0532 0130 00", "card 4111 1111 1111 1111", "code AB12CD34", "a@b.org"],
)
def test_numbers_codes_and_addresses_belong_to_one_person(text: str) -> None:
    assert is_personal(text)


@pytest.mark.parametrize("text", ["open from 9 to 5", "24/7, 2 days, 50 %", "see https://help.example/late", "Hi Ann"])
def test_hours_and_links_belong_to_everybody(text: str) -> None:
    assert not is_personal(text)


@given(st.lists(names, max_size=4), st.text(max_size=200))
def test_hidden_and_shown_again_a_text_is_what_it_was(known: list[str], text: str) -> None:
    mask = Mask(known)
    assert mask.show(mask.hide(text)) == text


@given(
    st.lists(names, min_size=1, max_size=3),
    st.lists(st.one_of(mails, phones, ibans), min_size=1, max_size=4),
    st.lists(between, min_size=8, max_size=8),
)
def test_nothing_of_a_list_of_names_mails_phones_and_ibans_is_left(
    known: list[str], private: list[str], glue: list[str]
) -> None:
    pieces = [*known, *private]
    text = "".join(f"{glue[at % 8]}{piece}{glue[(at + 1) % 8]}" for at, piece in enumerate(pieces))
    mask = Mask(known)
    hidden = mask.hide(text)
    left = hidden
    for mark in set(mask._hidden):
        left = left.replace(mark, "")
    assert not any(piece.casefold() in left.casefold() for piece in pieces), hidden
    assert not any(letter.isdigit() for letter in left)
    assert mask.show(hidden) == text


def test_a_mark_that_was_never_given_stays_and_is_told() -> None:
    mask = Mask(["Ann"])
    assert mask.hide("Ann says [NAME_1]") == "[NAME_1] says [LITERAL_1]"
    assert mask.show("[NAME_1] [NAME_7]") == "Ann [NAME_7]"
    assert mask.unknown("[NAME_1] [NAME_7]") == ["[NAME_7]"]


@pytest.mark.parametrize("hostile", ["1 " * 40_000, "a1" * 40_000, "@" * 80_000, "a@" * 40_000, "1" + " " * 80_000])
def test_a_hostile_text_is_read_in_one_go(hostile: str) -> None:
    mask = Mask(["Ann"])
    assert mask.show(mask.hide(hostile)) == hostile


def test_a_first_name_that_is_known_takes_a_last_name_along_that_is_not() -> None:
    assert Mask(["Nadia"]).hide("Nadia Khan asks") == "[NAME_1] asks"


def test_only_marks_of_the_kinds_that_are_named_are_given_back() -> None:
    mask = Mask(["Ann"])
    assert mask.hide("Ann, a@b.example") == "[NAME_1], [MAIL_1]"
    assert mask.show("[NAME_1]: [MAIL_1] [NAME_2]", ("NAME",)) == "Ann: … …"
