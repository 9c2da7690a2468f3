"""Which language a text is in.

Where most words stand in our own table (`latin`) and speak for one language, that is all. Else pycld2 is asked, and
what the two agree on counts; where they do not, whoever is surer; and lingua, which takes ten times as long as both,
where neither is sure.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cached_property
from math import exp, inf

import pycld2
from lingua import Language, LanguageDetector, LanguageDetectorBuilder

from rapport.core.understand.latin import Verdict, load_latin, squeeze_letters

UNKNOWN = ("und", 0.0)

#: What lingua chooses from where a workspace has not named two languages or more. More would cost memory (about
#: 20 MB a language) and turn short texts into languages that nobody writes to a brand.
MAIN_LANGUAGES = ("en", "es", "fr", "de", "it", "pt", "nl", "tr", "ar", "hi", "ja", "id")

#: Languages that pycld2 is believed on from `SHORT` letters on where a workspace has named none; the others that it
#: knows (Corsican, Interlingua, Scots) are on short texts nearly always a mistaken neighbour.
LIKELY = frozenset(MAIN_LANGUAGES) | {
    *("af", "am", "az", "be", "bg", "bn", "bs", "ca", "cs", "da", "el", "et", "eu", "fa", "fi", "ga", "gl", "gu"),
    *("he", "hr", "hu", "hy", "is", "ka", "kk", "km", "kn", "ko", "ky", "lo", "lt", "lv", "mk", "ml", "mn", "mr", "ms"),
    *("my", "ne", "no", "pa", "pl", "ps", "ro", "ru", "sd", "si", "sk", "sl", "so", "sq", "sr", "sv", "sw", "ta"),
    *("te", "th", "tl", "uk", "ur", "uz", "vi", "zh"),
}
#: Languages that are not written in Latin letters; a text that is cannot be in them. (Hindi is written in both.)
OTHER_SCRIPTS = frozenset(
    {
        *("am", "ar", "be", "bg", "bn", "el", "fa", "gu", "he", "hy", "ja", "ka", "kk", "km", "kn", "ko", "ky", "lo"),
        *("mk", "ml", "mn", "mr", "my", "ne", "pa", "ps", "ru", "sd", "si", "ta", "te", "th", "uk", "ur", "zh"),
    }
)
#: Letters below which pycld2 needs a second opinion on Latin script, and from which on it is believed whatever it says.
SHORT = 40
LONG = 150
#: Characters that are looked at; a language shows early.
MAX_LOOKED_AT = 1_000
#: Share of the text, in percent, that has to be in one language for pycld2 to be believed.
SURE_SHARE = 70
#: Where our table knows more than half of the words, and they speak for one language with this lead (natural logarithm,
#: see `latin`), nobody else is asked.
PLAIN_LEAD, PLAIN_SHARE = 10.0, 0.5
#: Lead of our table from which on it is believed besides: where nothing speaks against it; where pycld2 is sure of
#: another language that the table knows; where pycld2 would guess something else; where pycld2 is sure of, or would
#: guess, a language that the table does not know, and words, not letters alone, speak for one that it knows.
LEADS = 1.0
LEADS_SURE = 3.0
LEADS_ALONE = 4.0
LEADS_AGAINST = 12.0
#: How steeply confidence rises with the lead; fitted on the training posts.
RISE = 0.7
#: Confidence in what the network says, where the text itself does not show it.
TOLD = 0.3
#: Confidence of lingua below which nothing is claimed.
TOO_UNSURE = 0.05
#: Confidence where the script alone speaks.
BY_SCRIPT = 0.8

_NOT_LETTERS = bytes(sign for sign in range(128) if not chr(sign).isalpha())
_NOT_LANGUAGE = re.compile(r"https?:?\S*|www\.\S+|RT\b|[@#]\w+|&\w+;|\\u[0-9a-fA-F]{4}")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f\u1e00-\u1eff]")
#: a letter of another script; signs and emoji are none
_OTHER = re.compile(r"[\u0370-\u1cff\u2c00-\u2dff\u3005-\ua4cf\ua4d0-\ud7ff\uf900-\ufdff\ufe70-\ufefc\uff66-\uffdc]")
#: one sign of these says as much as three letters
_DENSE = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]")
#: letters in Latin shapes: "𝓗𝓮𝓵𝓵𝓸", "Ｈｅｌｌｏ"
_SHAPED = re.compile("[\uff21-\uff5a\U0001d400-\U0001d7ff]")
_ARABIC = re.compile("[\u0620-\u064a]")
#: letters of Arabic script that Arabic has not: Persian, Urdu, Pashto, Kurdish, Sindhi
_BEYOND_ARABIC = re.compile("[\u0671-\u06d3\u06d5]")
_BY_SCRIPT = (
    ("ja", re.compile("[\u3041-\u30fa]")),
    ("ko", re.compile("[\uac00-\ud7a3]")),
    ("zh", re.compile("[\u3400-\u9fff]")),
    ("th", re.compile("[\u0e01-\u0e2e]")),
    ("he", re.compile("[\u05d0-\u05ea]")),
    ("el", re.compile("[\u03ac-\u03ce]")),
    ("hi", re.compile("[\u0904-\u0939]")),
)
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]+")
_RENAMED = {"iw": "he", "jw": "jv", "in": "id", "ji": "yi", "mo": "ro", "sh": "sr", "nb": "no", "nn": "no"}


class LanguageFinder:
    """Finds languages, favouring those of a workspace (ISO 639-1 codes; none means all)."""

    def __init__(self, languages: Iterable[str] = ()) -> None:
        self.languages = tuple(dict.fromkeys(plain_code(code) for code in languages))
        self._likely = frozenset(self.languages) or LIKELY
        several = len(self.languages) > 1
        self._compared = frozenset(self.languages if several else (*self.languages, *MAIN_LANGUAGES))
        self._latin = load_latin()
        self._places = self._latin.places(self._compared)
        #: what a text in Latin letters may be in although our table does not know it
        self._strangers = self._compared - OTHER_SCRIPTS - frozenset(self._latin.codes)
        #: of these, what a workspace has named; some are so near to what the table knows that they share most words
        self._neighbours = self._strangers - frozenset(MAIN_LANGUAGES)

    def get_ready(self) -> None:
        """Load lingua's models now: they take a second or two, which the first doubtful text would wait."""
        self._ask_lingua("cedar parcel", None)

    def find(self, text: str, told: str | None = None) -> tuple[str, float]:
        """Text -> (ISO 639-1 code or "und", confidence 0..1). `told` is what the network says; it decides only where
        the text does not. Never raises.
        """
        words = strip(text)
        plain = self._latin.judge(words, self._places, letters=False)
        if plain and plain.lead >= PLAIN_LEAD and plain.known > PLAIN_SHARE and not self._neighbours:
            return plain.code, round(_confidence(plain.lead), 4)
        letters = _count_letters(words)
        if letters >= 2 and not words.isascii():
            if _SHAPED.search(words):
                words = unicodedata.normalize("NFKC", words)
            if _OTHER.search(words):
                latin = len(_LATIN.findall(words))
                if letters - latin + 2 * len(_DENSE.findall(words)) >= latin:
                    return self._find_by_script(words, told)
                words, letters = _OTHER.sub(" ", words), latin
        if letters < 2:
            return _told(told)
        return self._find_latin(words, letters, plain, told)

    def _find_by_script(self, words: str, told: str | None) -> tuple[str, float]:
        """For text that is mostly in other letters than Latin."""
        arabic = "ar" in self._likely and _ARABIC.search(words) is not None
        if arabic and not _BEYOND_ARABIC.search(words):
            return "ar", BY_SCRIPT
        words = _LATIN.sub(" ", words)
        code, share = _ask_cld2(words)
        if share and (code in self._likely or not arabic):
            return code, share
        if arabic:
            return "ar", BY_SCRIPT / 2
        found = next((code for code, letter in _BY_SCRIPT if code in self._likely and letter.search(words)), None)
        return (found, BY_SCRIPT / 2) if found else self._ask_lingua(words, told)

    def _find_latin(self, words: str, letters: int, plain: Verdict | None, told: str | None) -> tuple[str, float]:
        """For text in Latin letters; `plain`: what the words that our table knows say."""
        code, share = _ask_cld2(words)
        likely = share > 0 and code in self._likely
        agreed = likely and plain is not None and plain.code == code
        if agreed or (share and letters >= LONG) or (likely and letters >= SHORT and code not in self._latin.codes):
            return code, share
        verdict = self._latin.judge(words, self._places)
        if verdict is not None and not (likely and verdict.code == code):
            if verdict.lead >= self._lead_needed(words, plain, verdict, code if likely else None):
                return verdict.code, round(_confidence(verdict.lead), 4)
            verdict = None
        if likely and (verdict or letters >= SHORT):
            return code, share
        if likely and code not in self._compared:
            return code, share / 2
        return self._ask_lingua(squeeze_letters(words), told)

    def _lead_needed(self, words: str, plain: Verdict | None, verdict: Verdict, sure: str | None) -> float:
        """The lead with which our table is believed; `sure`: another language that pycld2 is sure of."""
        if sure in self._latin.codes:
            return LEADS_SURE
        if sure is None and not self._strangers:
            return LEADS
        guess = sure or _guess_with_cld2(words)
        if guess == verdict.code:
            return LEADS
        if guess in self._strangers or sure:
            by_words = plain is not None and plain.code == verdict.code and plain.lead >= LEADS
            return LEADS_AGAINST if by_words else inf
        return LEADS_ALONE

    def _ask_lingua(self, words: str, told: str | None) -> tuple[str, float]:
        best = self._lingua.compute_language_confidence_values(words)[0]
        if best.value < TOO_UNSURE:
            return _told(told)
        return plain_code(best.language.iso_code_639_1.name), round(best.value, 4)

    @cached_property
    def _lingua(self) -> LanguageDetector:
        chosen = {language for language in Language.all() if _code_of(language) in self._compared}
        if len(chosen) < 2:  # lingua refuses to choose from fewer
            chosen |= {Language.ENGLISH, Language.SPANISH}
        return LanguageDetectorBuilder.from_languages(*sorted(chosen, key=_code_of)).build()


def strip(text: str) -> str:
    """What is left to tell a language by: no addresses, handles, hashtags or characters that upset pycld2."""
    words = _NOT_LANGUAGE.sub(" ", text[:MAX_LOOKED_AT])
    return (words if words.isprintable() else _UNPRINTABLE.sub(" ", words)).strip()


def _confidence(lead: float) -> float:
    return 1 / (1 + exp(-RISE * lead))


def _told(told: str | None) -> tuple[str, float]:
    return (plain_code(told), TOLD) if told else UNKNOWN


def _count_letters(words: str) -> int:
    if words.isascii():
        return len(words.encode().translate(None, _NOT_LETTERS))
    return sum(map(str.isalpha, words))


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


def _guess_with_cld2(words: str) -> str:
    """What pycld2 says if it must say something."""
    try:
        return plain_code(pycld2.detect(words, bestEffort=True)[2][0][1])
    except pycld2.error:
        return "un"


def _code_of(language: Language) -> str:
    return plain_code(language.iso_code_639_1.name)
