"""The word lists of the package, and the search for their terms."""

from __future__ import annotations

from importlib import resources

import pytest

from rapport.core.understand.features import extract
from rapport.core.understand.vocabulary import LANGUAGES, READINGS, Entry, Vocabulary, load_vocabularies

VOCABULARIES = load_vocabularies()


def found(text: str, language: str = "en") -> list[str]:
    features = extract(text)
    return [" ".join(features.words[hit.start : hit.end]) for hit in VOCABULARIES[language].find(features)]


def weights(vocabulary: Vocabulary, text: str, reading: str) -> float:
    place = READINGS.index(reading)
    return sum(weight for hit in vocabulary.find(extract(text)) for mark, weight in hit.entry.marks if mark == place)


def test_the_longest_phrase_wins_over_its_words() -> None:
    assert found("thanks for nothing") == ["thanks for nothing"]


def test_a_phrase_may_begin_inside_another_and_reach_beyond_it() -> None:
    assert "still not" in found("still not working")
    assert "not working" in found("still not working")


def test_a_stretched_word_is_found() -> None:
    english = VOCABULARIES["en"]
    assert english.find(extract("looooove")) == english.find(extract("love"))
    assert english.find(extract("sooo goood")) == english.find(extract("so good"))


def test_a_phrase_keeps_what_its_words_say_of_other_readings() -> None:
    english = VOCABULARIES["en"]
    assert weights(english, "why is my", "complaint") > 0
    assert weights(english, "why is my", "question") > 0


def test_signs_common_to_all_languages_are_in_every_vocabulary() -> None:
    for vocabulary in VOCABULARIES.values():
        assert weights(vocabulary, "?", "question") > 0
        assert weights(vocabulary, "😡", "anger") > 0


def test_a_word_means_what_it_means_in_its_language() -> None:
    german = VOCABULARIES["de"].find(extract("die bad war toll"))
    assert [hit.entry.valence > 0 for hit in german] == [True]  # "toll"; neither "die" nor "bad" is English here


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_words_for_every_intent(language: str) -> None:
    marked = {
        mark for name in _terms(f"{language}.tsv") for hit in _hits(language, name) for mark, _ in hit.entry.marks
    }
    for reading in ("complaint", "question", "request", "praise", "purchase", "report", "urgency", "personal"):
        assert READINGS.index(reading) in marked


@pytest.mark.parametrize("table", ["common.tsv", "vader.tsv", *(f"{language}.tsv" for language in LANGUAGES)])
def test_every_line_of_a_table_can_be_found_in_a_text(table: str) -> None:
    for term in _terms(table):
        words = extract(term).words
        assert words, f"{table}: {term!r} is no token"
        assert words != ["0"], f"{table}: {term!r} would be found in every number"


def test_the_licence_of_vader_is_shipped_with_its_words() -> None:
    folder = resources.files("rapport.core.understand.tables")
    assert "The MIT License" in (folder / "LICENSE-VADER.txt").read_text("utf-8")


def test_a_text_without_terms_finds_nothing() -> None:
    assert Vocabulary({("oh", "no"): Entry()}).find(extract("oh")) == []
    assert Vocabulary({}).find(extract("")) == []


def _terms(table: str) -> list[str]:
    text = (resources.files("rapport.core.understand.tables") / table).read_text("utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [term for line in lines for term in line.split("\t")[2].split(" | ")]


def _hits(language: str, text: str) -> list:  # type: ignore[type-arg]
    return VOCABULARIES[language].find(extract(text))
