"""Which language a text is in: pycld2 for most, lingua for what is too short or too mixed for it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property

import pycld2
from lingua import Language, LanguageDetector, LanguageDetectorBuilder

UNKNOWN = ("und", 0.0)

#: What lingua chooses from where a workspace has not named two languages or more. More would cost memory (about
#: 20 MB a language) and turn short texts into languages that nobody writes to a brand.
MAIN_LANGUAGES = ("en", "es", "fr", "de", "it", "pt", "nl", "tr", "ar", "hi", "ja", "id")

#: Languages that pycld2 is believed on from `SHORT` letters on where a workspace has named none; the others that it
#: knows (Corsican, Interlingua, Scots) are on short texts nearly always a mistaken Italian or English.
LIKELY = frozenset(MAIN_LANGUAGES) | {
    *("af", "am", "az", "be", "bg", "bn", "bs", "ca", "cs", "da", "el", "et", "eu", "fa", "fi", "ga", "gl", "gu"),
    *("he", "hr", "hu", "hy", "is", "ka", "kk", "km", "kn", "ko", "ky", "lo", "lt", "lv", "mk", "ml", "mn", "mr"),
    *("ms", "my", "ne", "no", "pa", "pl", "ps", "ro", "ru", "sd", "si", "sk", "sl", "so", "sq", "sr", "sv", "sw"),
    *("ta", "te", "th", "tl", "uk", "ur", "uz", "vi", "zh"),
}
#: Letters below which pycld2 needs a second opinion on Latin script, and from which on it is believed whatever it says.
SHORT = 40
LONG = 150
#: Characters that are looked at; a language shows early.
MAX_LOOKED_AT = 1_000
#: Share of the text, in percent, that has to be in one language for pycld2 to be believed.
SURE_SHARE = 70
#: Confidence in what the network says, where the text itself does not show it.
TOLD = 0.3
#: Confidence of lingua below which nothing is claimed.
TOO_UNSURE = 0.05

_NOT_LANGUAGE = re.compile(r"https?:?\S*|www\.\S+|\bRT\b|[@#]\w+|&\w+;|\\u[0-9a-fA-F]{4}")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]+")
_RENAMED = {"iw": "he", "jw": "jv", "in": "id", "ji": "yi", "mo": "ro", "sh": "sr", "nb": "no", "nn": "no"}


class LanguageFinder:
    """Finds languages, favouring those of a workspace (ISO 639-1 codes; none means all)."""

    def __init__(self, languages: Iterable[str] = ()) -> None:
        self.languages = tuple(dict.fromkeys(plain_code(code) for code in languages))
        self._likely = frozenset(self.languages) or LIKELY
        self._compared = self.languages if len(self.languages) > 1 else (*self.languages, *MAIN_LANGUAGES)

    def find(self, text: str, told: str | None = None) -> tuple[str, float]:
        """Text -> (ISO 639-1 code or "und", confidence 0..1). `told` is what the network says; it decides only where
        the text does not. Never raises.
        """
        words = strip(text)
        letters = sum(map(str.isalpha, words))
        if letters < 2:
            return (plain_code(told), TOLD) if told else UNKNOWN
        code, share = _ask_cld2(words)
        if share:
            if (letters >= SHORT and code in self._likely) or letters >= LONG or not _LATIN.search(words):
                return code, share
            if code in self._likely and code not in self._compared:
                return code, share / 2
        return self._ask_lingua(words, told)

    def _ask_lingua(self, words: str, told: str | None) -> tuple[str, float]:
        best = self._lingua.compute_language_confidence_values(words)[0]
        if best.value < TOO_UNSURE:
            return (plain_code(told), TOLD) if told else UNKNOWN
        return plain_code(best.language.iso_code_639_1.name), round(best.value, 4)

    @cached_property
    def _lingua(self) -> LanguageDetector:
        chosen = {language for language in Language.all() if _code_of(language) in self._compared}
        if len(chosen) < 2:  # lingua refuses to choose from fewer
            chosen |= {Language.ENGLISH, Language.SPANISH}
        return LanguageDetectorBuilder.from_languages(*sorted(chosen, key=_code_of)).build()


def strip(text: str) -> str:
    """What is left to tell a language by: no addresses, handles, hashtags or characters that upset pycld2."""
    return _UNPRINTABLE.sub(" ", _NOT_LANGUAGE.sub(" ", text[:MAX_LOOKED_AT])).strip()


def plain_code(code: str) -> str:
    """Any spelling of a code ("zh-Hant", "en_GB", "iw") -> ISO 639-1."""
    short = re.split("[-_]", code, maxsplit=1)[0].lower()
    return _RENAMED.get(short, short)


def _ask_cld2(words: str) -> tuple[str, float]:
    """pycld2's word and the share of the text that it holds for; a share of 0 where it is not to be relied on."""
    try:
        reliable, _, details = pycld2.detect(words)
    except pycld2.error:
        return UNKNOWN
    _, code, share, _ = details[0]
    if not reliable or share < SURE_SHARE:
        return UNKNOWN
    return plain_code(code), share / 100


def _code_of(language: Language) -> str:
    return plain_code(language.iso_code_639_1.name)
