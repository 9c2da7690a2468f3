"""One pass over a text: its tokens as written and as looked up. Every reading starts from here."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

#: Characters that are read. What somebody wants stands near the start, and a mail can be as long as a novel.
MAX_READ = 10_000

#: letters, digits and the marks that are no letters of their own but stand inside words: vowel signs of Indic scripts
#: and Arabic, accents
_LETTER = r"[\w\u0300-\u036f\u0610-\u061a\u064b-\u065f\u0900-\u0963\u0971-\u0dff]"
_WORD = rf"@?{_LETTER}+(?:['’]{_LETTER}+)*"
_EMOTICON = r"[:;=]['\-]?[()\[\]DPpSs/\\|*3oO](?!\w)|<3|</3|\^_+\^|-_+-"
_SIGNS = "[!?.;¿؟？！]{1,3}"
_EMOJI = "[\u203c\u2049\u2122\u2139\u231a-\u23ff\u25aa-\u27bf\u2b05-\u2b55\U0001f170-\U0001faff]"
_TOKEN = re.compile(rf"#?(https?://\S+|{_WORD}|{_EMOTICON}|{_SIGNS}|{_EMOJI})")
#: Looking for each costs a third of a regular expression that asks for any letter three times.
_TRIPLES = tuple(letter * 3 for letter in "aeiouyhlmnprstfgkwz")
_RUN = re.compile(r"([^\W\d_])\1{2,}")
#: accents, the short vowels and lengthening stroke of Arabic, and the selectors that only change how an emoji looks
_ACCENTS = re.compile("[\u0300-\u036f\u0610-\u061a\u0640\u064b-\u065f\ufe0e\ufe0f]")


class Features(NamedTuple):
    """The tokens of a text, in order. `words` and `written` run in parallel."""

    #: folded for look-up: lower case, Latin accents gone, a number is "0"
    words: list[str]
    #: as the author wrote them, without a leading #
    written: list[str]
    #: some word holds a letter three times in a row: "sooo"
    stretched: bool


def fold(text: str) -> str:
    """Lower case, without accents (Latin, Arabic) and without typographic apostrophes."""
    if text.isascii():
        return text.lower()
    bare = _ACCENTS.sub("", unicodedata.normalize("NFKD", text.replace("’", "'")))
    return bare.casefold()


def extract(text: str) -> Features:
    """The features of the first `MAX_READ` characters. Tokens: words with inner apostrophes, handles with their @,
    addresses, emoji, emoticons, and up to three of `!?.;`. A hashtag is read as its word.
    """
    written = _TOKEN.findall(text[:MAX_READ])
    if not written:
        return Features([], [], False)
    # Joined once, folded once and cut again: three times as fast as a call for each token. No token holds a newline.
    joined = fold("\n".join(written))
    words = ["0" if word.isdecimal() else word for word in joined.split("\n")]
    return Features(words, written, any(triple in joined for triple in _TRIPLES))


def squeeze(word: str) -> tuple[str, str]:
    """A stretched word in the two spellings that it may stand for: "cooool" -> ("cool", "col")."""
    return _RUN.sub(r"\1\1", word), _RUN.sub(r"\1", word)


def locate(text: str) -> list[tuple[str, int, int]]:
    """Every token of the text with its place: (folded, start, end). A hashtag's place leaves out its #."""
    found = list(_TOKEN.finditer(text[:MAX_READ]))
    words = extract(text).words
    return [(word, match.start(1), match.end(1)) for word, match in zip(words, found, strict=True)]
