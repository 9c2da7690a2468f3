"""Finding the language of short and messy text."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapport.core.understand.language import UNKNOWN, LanguageFinder, plain_code, strip

ANY = LanguageFinder()
SOME = LanguageFinder(["en", "de", "fr", "es"])
SHARED = Path(__file__).parents[3].parent / "shared" / "data"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("The train was late again and nobody told us why, we waited for two hours", "en"),
        ("Der Zug war schon wieder zu spät und niemand hat uns gesagt, warum das so ist", "de"),
        ("Le train était encore en retard et personne ne nous a dit pourquoi, merci bien", "fr"),
        ("El tren llegó tarde otra vez y nadie nos dijo por qué, llevamos dos horas esperando", "es"),
        ("Il treno era di nuovo in ritardo e nessuno ci ha detto perché, aspettiamo da ore", "it"),
        ("Поезд снова опоздал, и никто не сказал нам, почему мы ждём уже два часа", "ru"),
        ("電車がまた遅れて、誰も理由を教えてくれませんでした。もう二時間も待っています", "ja"),
        ("רכבת איחרה שוב ואף אחד לא אמר לנו למה", "he"),
        ("Toget var forsinket igjen, og ingen fortalte oss hvorfor vi måtte vente i to timer", "no"),
    ],
)
def test_a_clear_sentence_is_found(text: str, code: str) -> None:
    assert ANY.find(text)[0] == code


@pytest.mark.parametrize(
    ("text", "code"), [("wo ist mein Paket?", "de"), ("where is my parcel?", "en"), ("¿dónde está?", "es")]
)
def test_a_short_text_is_found_among_the_languages_of_the_workspace(text: str, code: str) -> None:
    assert SOME.find(text)[0] == code


def test_a_short_text_whose_glue_agrees_needs_no_second_opinion() -> None:
    finder = LanguageFinder()
    assert finder.find("where is my parcel?")[0] == "en"
    assert "_lingua" not in vars(finder)
    assert finder.find("perdu")[0] == "fr"
    assert "_lingua" in vars(finder)


def test_handles_addresses_and_hashtags_do_not_count() -> None:
    assert strip("@thebrand https://x.example/the/of/and #thanks RT") == ""
    assert ANY.find("@thebrand https://x.example/the/of/and #thanks") == UNKNOWN


def test_what_the_network_says_decides_only_where_the_text_does_not() -> None:
    assert ANY.find("👍👍", "pt-BR") == ("pt", 0.3)
    assert ANY.find("The train was late again and nobody told us why that was so", "pt")[0] == "en"


@pytest.mark.parametrize(
    ("code", "plain"), [("zh-Hant", "zh"), ("iw", "he"), ("EN_gb", "en"), ("nb", "no"), ("pt-BR", "pt")]
)
def test_codes_come_in_many_spellings(code: str, plain: str) -> None:
    assert plain_code(code) == plain


@pytest.mark.parametrize(
    "text", ["", " ", "\x00\x01", "\ud800", "\ufdd0\uffff", "12345", "...", "\u202e\u2066abc", "a" * 99_999]
)
def test_odd_text_gives_an_answer(text: str) -> None:
    code, confidence = ANY.find(text)
    assert 2 <= len(code) <= 3
    assert 0 <= confidence <= 1


@given(st.text(st.characters(), max_size=200))
@settings(max_examples=150, deadline=None)
def test_no_text_at_all_upsets_it(text: str) -> None:
    code, confidence = SOME.find(text)
    assert code.islower()
    assert 0 <= confidence <= 1
    assert SOME.find(text) == (code, confidence)


def test_one_language_alone_is_compared_with_the_main_ones() -> None:
    finder = LanguageFinder(["de"])
    assert finder.find("wo ist mein Paket?")[0] == "de"
    assert finder.find("where is my parcel?")[0] == "en"


def test_a_language_that_lingua_does_not_know_does_no_harm() -> None:
    assert LanguageFinder(["xx", "yy"]).find("short words here")[0] in {"en", "es"}


@pytest.mark.data
def test_naughty_strings_give_an_answer() -> None:
    path = SHARED / "11_hostile" / "blns.json"
    if not path.exists():
        pytest.skip("the real data is not beside the project")
    for text in json.loads(path.read_text("utf-8")):
        code, confidence = ANY.find(text)
        assert code
        assert 0 <= confidence <= 1
