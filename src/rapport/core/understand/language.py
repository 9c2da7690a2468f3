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

#: Words that hold sentences together. On a short text, one of them makes sure of what pycld2 says, and lingua, which
#: takes five times as long as everything else here, need not be asked. Written from grammars, not fitted to any posts.
GLUE = {
    code: frozenset(words.split())
    for code, words in {
        "en": "the and is are was were been you your my we they their this that these those it it's its i i'm have has "
        "had do does did don't can can't could would should will won't what when where why how who which with "
        "from for of to in on at by not just but if there here he she his her them our us about an be",
        "es": "el la los las un una unos unas y o es son está están fue ser que qué de del en con por para no se lo le "
        "les su sus mi mis tu tus me te nos yo él ella pero como cómo cuando cuándo donde más muy este esta esto "
        "ya hay porque al sin sobre todo todos",
        "fr": "le la les un une des et ou est sont était être que qui de du dans en avec pour par pas ne se ce cette "
        "ces son sa ses mon ma mes ton ta je tu il elle nous vous ils mais comme quand où plus très au aux sur "
        "sans c'est j'ai n'est qu'il y'a on",
        "de": "der die das den dem des ein eine einen einem einer und oder ist sind war waren sein dass daß nicht kein "
        "keine ich du er sie es wir ihr mich mir dich dir uns euch mein meine dein mit von für auf aus bei nach "
        "zu zum zur im am an in aber wie wann wo warum wer noch auch schon nur sehr hat habe haben wird werden "
        "kann",
        "it": "il lo la i gli le un uno una e è sono era essere che chi di del della dei delle nel nella con per da "
        "dal non si mi ti ci vi io tu lui lei noi voi ma come quando dove più molto questo questa anche perché "
        "al alla sul ho hai ha abbiamo hanno",
        "pt": "o a os as um uma uns umas e é são foi ser estar está que de do da dos das no na nos nas em com por para "
        "pra não se lhe seu sua meu minha eu tu você ele ela nós vocês mas como quando onde mais muito este esta "
        "isso já também porque ao sem sobre tem",
        "nl": "de het een en of is zijn was waren niet geen ik jij je hij zij ze we wij jullie mijn jouw uw met van "
        "voor op uit bij naar te in aan maar hoe wanneer waar waarom wie nog ook al heel erg heeft heb hebben "
        "wordt kan dat dit deze die er",
        "tr": "ve bir bu şu o ben sen biz siz onlar için ile de da mi mı mu mü ne neden nasıl nerede çok daha ama "
        "fakat değil var yok gibi kadar her hiç ki sonra önce bana sana",
        "id": "yang dan di ke dari ini itu untuk dengan tidak ada saya aku kamu dia kami kita mereka akan sudah belum "
        "bisa juga tapi karena apa kenapa bagaimana sangat lebih pada atau nya gak ga",
    }.items()
}
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")

_NOT_LETTERS = bytes(sign for sign in range(128) if not chr(sign).isalpha())
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
        letters = _count_letters(words)
        if letters < 2:
            return (plain_code(told), TOLD) if told else UNKNOWN
        code, share = _ask_cld2(words)
        if share:
            if (letters >= SHORT and code in self._likely) or letters >= LONG or not _LATIN.search(words):
                return code, share
            if code in self._likely and code not in self._compared:
                return code, share / 2
            if code in GLUE and self._holds_together(words, code):
                return code, share
        return self._ask_lingua(words, told)

    def _holds_together(self, words: str, code: str) -> bool:
        """Whether the text has more of the glue of this language than of any other that it may be in."""
        found = _WORD.findall(words.lower().replace("\u2019", "'"))
        most = sum(word in GLUE[code] for word in found)
        return most > 0 and all(
            most > sum(word in glue for word in found)
            for other, glue in GLUE.items()
            if other != code and other in self._compared
        )

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
    words = _NOT_LANGUAGE.sub(" ", text[:MAX_LOOKED_AT])
    return (words if words.isprintable() else _UNPRINTABLE.sub(" ", words)).strip()


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


def _code_of(language: Language) -> str:
    return plain_code(language.iso_code_639_1.name)
