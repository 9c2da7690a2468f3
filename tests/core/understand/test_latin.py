"""Telling languages apart by a table of words and letters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.core.understand.latin import LETTERS_WEIGH, UNIT, Latin, load_latin, squeeze_letters, threes_of, words_of

CODES = ("en", "de", "it")
WORDS = {"the": [30, -10, -20], "die": [-25, 40, -15], "no": [10, -30, 20], "so": [20, 20, -40]}
LETTERS = {"sch": [-20, 40, -20], "gli": [-20, -20, 40], " th": [40, -20, -20]}
SMALL = Latin(CODES, WORDS, LETTERS)
ALL = SMALL.places(CODES)


def added_up(words: list[str]) -> list[float]:
    """What `judge` adds up, the plain way."""
    sums = [0.0] * len(CODES)
    for word in words:
        rows = [WORDS[word]] if word in WORDS else []
        if not rows:
            rows = [[round(LETTERS_WEIGH * n) for n in LETTERS[three]] for three in threes_of(word) if three in LETTERS]
        sums = [total + sum(row[place] for row in rows) for place, total in enumerate(sums)]
    return sums


@given(st.lists(st.sampled_from([*WORDS, "thorn", "schiff", "figli", "xyz"]), min_size=1, max_size=500))
def test_words_and_letters_are_added_up_however_many_there_are(words: list[str]) -> None:
    verdict = SMALL.judge(" ".join(words), ALL)
    if set(words) == {"xyz"}:
        assert verdict is None
        return
    assert verdict is not None
    *_, second, first = sorted(added_up(words))
    assert verdict.lead == pytest.approx((first - second) / UNIT)
    assert added_up(words)[CODES.index(verdict.code)] == first
    assert verdict.known == pytest.approx(sum(word in WORDS for word in words) / len(words))


def test_only_the_languages_asked_about_are_compared() -> None:
    assert SMALL.judge("die die", ALL)[0] == "de"  # type: ignore[index]
    assert SMALL.judge("die die", SMALL.places(["en", "it", "sv"]))[0] == "it"  # type: ignore[index]
    assert SMALL.judge("die die", SMALL.places(["de", "sv"])) is None


def test_letters_are_looked_at_only_when_wanted() -> None:
    assert SMALL.judge("schule", ALL, letters=False) is None
    assert SMALL.judge("schule", ALL)[0] == "de"  # type: ignore[index]


@pytest.mark.parametrize("text", ["", "   ", "123 !!", "😀", "字"])
def test_what_has_nothing_to_go_by_gets_no_verdict(text: str) -> None:
    assert SMALL.judge(text, ALL) is None


@pytest.mark.parametrize("text", ["soooo", "sooo", "THEEEE", "nooooooo"])
def test_a_stretched_word_is_the_word(text: str) -> None:
    plain = squeeze_letters(text.lower(), 1)
    assert SMALL.judge(text, ALL)[:2] == SMALL.judge(plain, ALL)[:2]  # type: ignore[index]


def test_words_are_in_lower_case_and_squeezed() -> None:
    assert words_of("Sooooo GOOD, it's_2 nice") == ["soo", "good", "it", "s", "nice"]


def test_the_table_that_comes_along_is_whole() -> None:
    latin = load_latin()
    assert latin.codes == ("en", "es", "fr", "de", "it", "pt", "hi")
    every = latin.places(latin.codes)
    for text, code in {"where is my": "en", "dónde está mi": "es", "où est mon": "fr", "wo ist mein": "de"}.items():
        assert latin.judge(text, every)[0] == code  # type: ignore[index]
