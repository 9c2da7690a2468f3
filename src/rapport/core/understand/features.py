"""One pass over a text: its tokens as written and as looked up. Every reading starts from here."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

#: Characters that are read. What somebody wants stands near the start, and a mail can be as long as a novel.
MAX_READ = 10_000

_EMOTICON = r"[:;=]['\-]?[()\[\]DPpSs/\\|*3oO](?!\w)|<3|</3|\^_+\^|-_+-|[xX]D(?!\w)"
_EMOJI = "[\u203c\u2049\u2122\u2139\u231a-\u23ff\u25aa-\u27bf\u2b05-\u2b55\U0001f170-\U0001faff]"
_TOKEN = re.compile(rf"#?(https?://\S+|{_EMOTICON}|[@$]?\w+(?:['’]\w+)*|[!?.;¿؟？！]{{1,3}}|{_EMOJI})")
_DIGITS = re.compile(r"(?<![^\n$])\d+(?![^\n])")
_LONG_RUN = re.compile(r"([^\W\d_])\1\1")
_RUN = re.compile(r"([^\W\d_])\1{2,}")
_ACCENTS = re.compile("[\u0300-\u036f\ufe0e\ufe0f]")


class Features(NamedTuple):
    """The tokens of a text, in order. `words` and `written` run in parallel."""

    #: folded for look-up: lower case, Latin accents gone, a number is "0"
    words: list[str]
    #: as the author wrote them, without a leading #
    written: list[str]
    #: some word holds a letter three times in a row: "sooo"
    stretched: bool


def fold(text: str) -> str:
    """Lower case, without Latin accents and without typographic apostrophes."""
    if text.isascii():
        return text.lower()
    bare = _ACCENTS.sub("", unicodedata.normalize("NFKD", text.replace("’", "'")))
    return bare.casefold()


def extract(text: str) -> Features:
    """The features of the first `MAX_READ` characters. Tokens: words with inner apostrophes, handles with their @,
    amounts, addresses, emoji, emoticons, and up to three of `!?.;`. A hashtag is read as its word.
    """
    written = _TOKEN.findall(text[:MAX_READ])
    if not written:
        return Features([], [], False)
    # Joined once, folded once and cut again: three times as fast as a call for each token. No token holds a newline.
    joined = fold("\n".join(written))
    stretched = _LONG_RUN.search(joined) is not None
    return Features(_DIGITS.sub("0", joined).split("\n"), written, stretched)


def squeeze(word: str) -> tuple[str, str]:
    """A stretched word in the two spellings that it may stand for: "cooool" -> ("cool", "col")."""
    return _RUN.sub(r"\1\1", word), _RUN.sub(r"\1", word)


def locate(text: str) -> list[tuple[str, int, int]]:
    """Every token of the text with its place: (folded, start, end). A hashtag's place leaves out its #."""
    return [
        (_DIGITS.sub("0", fold(match.group(1))), match.start(1), match.end(1))
        for match in _TOKEN.finditer(text[:MAX_READ])
    ]
