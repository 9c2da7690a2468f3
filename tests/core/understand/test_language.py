"""Finding the language of short and messy text."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapport.core.understand.language import MAX_LOOKED_AT, UNKNOWN, LanguageFinder, plain_code, strip

ANY = LanguageFinder()
SOME = LanguageFinder(["en", "de", "fr", "es"])
EIGHT = LanguageFinder(["ar", "de", "en", "es", "fr", "hi", "it", "pt"])
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


def test_a_short_text_of_common_words_needs_no_second_opinion() -> None:
    finder = LanguageFinder()
    assert finder.find("where is my parcel?")[0] == "en"
    assert finder.find("ma dove sono i miei soldi, vergogna")[0] == "it"
    assert "_lingua" not in vars(finder)
    assert finder.find("perdu")[0] == "fr"
    assert "_lingua" in vars(finder)


NOISE = ("@the_and_of", "https://the.example/and/of", "#thisisnottheone", "😀😡🎉", "123 4567", "&amp;", "RT")


@pytest.mark.parametrize("noise", NOISE)
@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("ancora niente pacco, che vergogna", "it"),
        ("wo bleibt mein Paket, ich warte seit Tagen", "de"),
        ("cadê minha encomenda, vocês não respondem", "pt"),
        ("toujours pas de colis, c'est honteux", "fr"),
        ("وين الطلب مالي صار اسبوع", "ar"),
    ],
)
def test_what_is_no_language_does_not_sway_it(text: str, code: str, noise: str) -> None:
    for finder in (ANY, EIGHT):
        assert finder.find(f"{noise} {text} {noise} {noise} {noise}")[0] == code


@pytest.mark.parametrize(
    ("text", "code"),
    [("daaaaanke euch, suuuuper", "de"), ("graaaazie milleeeee", "it"), ("noooo waaaay it brooooke again", "en")],
)
def test_stretched_words_are_read_as_what_they_are_stretched_from(text: str, code: str) -> None:
    assert EIGHT.find(text)[0] == code


@pytest.mark.parametrize(
    "text",
    [
        "mujhe abhi tak order nahi mila, kya kar rahe ho aap log",
        "bhai refund kab aayega yaar, 2 hafte ho gaye",
        "service bilkul bekar hai, customer care wale phone nahi uthate",
    ],
)
def test_hindi_in_latin_letters_is_hindi_where_hindi_is_to_be_expected(text: str) -> None:
    assert ANY.find(text)[0] == EIGHT.find(text)[0] == "hi"
    assert SOME.find(text)[0] != "hi"


@pytest.mark.parametrize(
    "text", ["thank you bhai, you made my day", "the aap store is down again and nobody answers my mails"]
)
def test_a_word_of_hindi_in_an_english_post_leaves_it_english(text: str) -> None:
    assert EIGHT.find(text)[0] == "en"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("الطلب متأخر جدا please help", "ar"),
        ("My order is late again يا رب", "en"),
        ("新しい iPhone 15 Pro が届きました", "ja"),
        ("سفارش من هنوز نرسیده و کسی جواب نمی‌دهد", "fa"),
        ("میرا آرڈر ابھی تک نہیں آیا، کوئی جواب نہیں دیتا", "ur"),
        ("و أوباما و بوش؟؟", "ar"),
        ("मेरा ऑर्डर अभी तक नहीं आया", "hi"),
        ("สั่งของไปแล้ว", "th"),
        ("감사합니다", "ko"),
    ],
)
def test_the_script_of_most_of_the_letters_decides(text: str, code: str) -> None:
    assert ANY.find(text)[0] == code


def test_letters_in_fancy_shapes_are_letters() -> None:
    assert ANY.find("𝓦𝓱𝓮𝓻𝓮 𝓲𝓼 𝓶𝔂 𝓹𝓪𝓻𝓬𝓮𝓵, 𝔂𝓸𝓾 𝓹𝓻𝓸𝓶𝓲𝓼𝓮𝓭")[0] == "en"


@pytest.mark.parametrize(
    ("languages", "text", "code"),
    [
        (["en", "nl"], "waar blijft mijn pakket, niemand antwoordt", "nl"),
        (["de", "sv"], "var är mitt paket, ingen svarar", "sv"),
        (["es", "ca"], "on és el meu paquet, ningú no respon", "ca"),
        (["en", "id"], "paket saya belum sampai, kapan dikirim", "id"),
        (["en", "tr"], "kargom hala gelmedi, kimse cevap vermiyor", "tr"),
        ([], "waar blijft mijn pakket, niemand antwoordt", "nl"),
        ([], "kargom hala gelmedi, kimse cevap vermiyor", "tr"),
    ],
)
def test_languages_that_our_table_does_not_know_are_still_found(languages: list[str], text: str, code: str) -> None:
    assert LanguageFinder(languages).find(text)[0] == code


@pytest.mark.parametrize(
    "piece", ["a", "word ", "@", "@a", "http", "ا", "字", "e\u0301", "&amp", "𝓐", "\u200d", "\ud83d\x00"]
)
def test_a_megabyte_costs_no_more_than_its_beginning(piece: str) -> None:
    text = piece * (1_000_000 // len(piece))
    began = time.process_time()
    found = EIGHT.find(text)
    assert time.process_time() - began < 2
    assert found == EIGHT.find(text[:MAX_LOOKED_AT])


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


@given(
    st.text(st.characters(), max_size=200)
    | st.text(st.sampled_from("aeiounrstlàéñß اينर字か𝓐Ａ\u0301\u200d\x00\ud800@#&. "), max_size=200)
)
@settings(max_examples=300, deadline=None)
def test_no_text_at_all_upsets_it(text: str) -> None:
    for finder in (ANY, EIGHT):
        code, confidence = finder.find(text)
        assert (2 <= len(code) <= 3, 0 <= confidence <= 1) == (True, True)
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
