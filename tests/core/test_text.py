"""Words of a text: folding, tokens, and their places in the original."""

from __future__ import annotations

import csv
import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.core.text import fold, is_spaceless, tokens, words

DATA = Path(__file__).parents[2].parent / "shared" / "data"

PIECES = [
    "a",
    "é",
    "e\u0301",
    "ß",
    "İ",
    "ﬁ",
    "½",
    "é",
    "航",
    "班",
    "ｶﾞ",
    "น้ำ",
    "हि",
    "й",
    "ς",
    "각",
    "\u1100\u1161\u11a8",
]
JOINERS = ["'", "’", "#", "@", "＃", " ", "_", ".", "\u00ad", "\u200d", "\u200b", "❤️", "1️⃣", "\u0301", "\ud800", "\0"]
scripts = st.lists(st.sampled_from(PIECES + JOINERS), max_size=12).map("".join) | st.text(max_size=40)


def places(text: str) -> list[str]:
    found = tokens(text)
    return [text[start:end] for start, end in zip(found.starts, found.ends, strict=True)]


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Café ÉCOLE", "cafe ecole"),
        ("Ｆｕｌｌ ﬁne", "full fine"),
        ("straße STRASSE", "strasse strasse"),
        ("Łódź Ørsted cœur", "lodz orsted coeur"),
        ("йод ёж", "йод ёж"),
        ("ガギグ ｶﾞ", "ガギグ ガ"),
        ("ΌΧΙ σοφός", "όχι σοφόσ"),
        ("İstanbul DIŞ dış", "istanbul dis dis"),
        ("won’t", "won't"),
        ("de\u00adlay\u200d", "delay"),
    ],
)
def test_folding_drops_case_width_and_accents_of_latin_letters_alone(text: str, folded: str) -> None:
    assert fold(text) == folded


def test_folding_every_character_twice_changes_nothing_more() -> None:
    folded = (fold(chr(code)) for code in range(0x32000))  # above this, only Han and private use
    changing = [once for once in folded if fold(once) != once]
    assert changing == []


@given(scripts)
def test_folding_twice_changes_nothing_more(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(scripts)
def test_composed_and_decomposed_texts_have_the_same_words(text: str) -> None:
    composed, decomposed = words(unicodedata.normalize("NFC", text)), words(unicodedata.normalize("NFD", text))
    assert composed == decomposed


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Don't 'quote' rock'n'roll a''b", ["don't", "quote", "rock'n'roll", "a", "b"]),
        ("snake_case 3pm 1,5", ["snake_case", "3pm", "1", "5"]),
        ("@united's #Delay's x", ["@united", "delay's", "x"]),
        ("a#b c@d ## @", ["a", "b", "c", "@d"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("新iPhone 15手机", ["新", "iphone", "15", "手", "机"]),
        ("❤️ 1️⃣ ½", ["1", "1", "2"]),
        ("", []),
    ],
)
def test_words_are_runs_of_letters_digits_and_underscores(text: str, expected: list[str]) -> None:
    assert words(text).words == expected


def test_a_hashtag_is_kept_whole_beside_its_words() -> None:
    found = words("late #Delay's #航班iPhone")
    assert found.tags == [("#delay", 1, 1), ("#航班iphone", 2, 4)]


def test_touching_characters_of_spaceless_scripts_are_glued_and_others_are_not() -> None:
    found = words("航班 延误a了 #航班")
    assert found.words == ["航", "班", "延", "误", "a", "了", "航", "班"]
    assert found.glued == {1, 3, 7}
    assert is_spaceless("航")
    assert not is_spaceless("й")


def test_places_point_into_the_original_text() -> None:
    text = "Won’t “Ｆｕｌｌ” e\u0301t #Café @Ann's 航班 ㎏½"
    assert places(text) == ["Won’t", "Ｆｕｌｌ", "e\u0301t", "#Café", "@Ann's", "航", "班", "㎏½", "½"]


@given(scripts)
def test_words_with_and_without_places_are_the_same(text: str) -> None:
    found, placed = words(text), tokens(text)
    assert (placed.words, placed.tags, placed.glued) == (found.words, found.tags, found.glued)
    assert len(placed.starts) == len(placed.ends) == len(found.words)


@given(scripts)
def test_each_place_holds_its_word_and_places_follow_each_other(text: str) -> None:
    found = tokens(text)
    for word, part in zip(found.words, places(text), strict=True):
        assert word in fold(part)
    assert all(0 <= start < end <= len(text) for start, end in zip(found.starts, found.ends, strict=True))
    assert found.starts == sorted(found.starts)


@given(st.text(st.characters(max_codepoint=127), max_size=60))
def test_the_short_path_for_ascii_reads_as_the_long_one_does(text: str) -> None:
    longer = words(text + " é")
    assert longer.words[:-1] == words(text).words
    assert longer.tags == words(text).tags


@given(st.text(max_size=10), st.text(max_size=10))
def test_a_blank_separates_whatever_stands_on_its_sides(left: str, right: str) -> None:
    assert words(f"{left} . {right}").words == words(left).words + words(right).words


def test_a_hundred_thousand_marks_on_one_letter_are_one_word() -> None:
    assert words("e" + "\u0301" * 100_000).words == ["e"]


@pytest.mark.data
def test_real_tweets_give_the_words_of_a_plain_expression() -> None:
    source = DATA / "02_airline" / "airline_tweets.csv"
    if not source.exists():
        pytest.skip("the real tweets are not beside the project")
    with source.open(encoding="utf-8", newline="") as rows:
        texts = [row["text"] for row in csv.DictReader(rows)]
    for text in (text for text in texts if text.isascii()):
        plain = re.findall(r"[#@]?\w+(?:'\w+)*", text.lower())
        expected = [word.split("'")[0] if word[0] == "@" else word.lstrip("#") for word in plain]
        assert words(text).words == expected
