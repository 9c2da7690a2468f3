"""Words of a text: how they are folded for comparison, and where they stand in the original.

A token is a maximal run of letters, digits and underscore with inner apostrophes; a leading # or @ belongs to it.
Words are compared folded: NFKC, case folded, Latin accents dropped, apostrophes made alike, invisible joiners left out.
Scripts that are written without spaces (Chinese, Japanese, Thai, ...) give one word for each character, and `glued`
tells which of them touch, so that a run of them can be found as a substring.

Texts in ASCII, and those that can be spelt so, take a short path (one regular expression). Others are cut into chunks
at ASCII white space and punctuation: chunks in ASCII take the short path too, and what the others hold is remembered,
because words come again.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

import msgspec

#: one tag: its folded text with the leading #, and the first and last position of its words
Tag = tuple[str, int, int]


class Words(msgspec.Struct, frozen=True, gc=False):
    """The folded words of a text, in order; the index of a word is its position."""

    #: a plain word or the word of a hashtag ("delay"), a handle with its sign ("@ann"), or one spaceless character
    words: list[str]
    #: hashtags, which stand in `words` too, without the #
    tags: list[Tag]
    #: positions of spaceless characters that follow the one before without a gap
    glued: frozenset[int]


class Tokens(Words, frozen=True, gc=False):
    """`Words` with their place in the original text: word i is `text[starts[i]:ends[i]]`, its # or @ included."""

    starts: list[int]
    ends: list[int]


def fold(text: str) -> str:
    """The form in which texts are compared. `fold(fold(x)) == fold(x)`; the length may change."""
    if text.isascii():
        return text.lower()
    return "".join([_folded(cluster)[0] for cluster in _clusters(text)])


def words(text: str) -> Words:
    """The folded words of `text` without their places: what matching needs."""
    if text.isascii():
        return _ascii_words(text)
    plain = _spelt_in_ascii(text)
    if plain is not None:
        return _ascii_words(plain)
    found: list[str] = []
    tags: list[Tag] = []
    glued: list[int] = []
    start = 0
    for match in _FOREIGN_CHUNK.finditer(text):
        if match.start() > start:
            _add(_ascii_words(text[start : match.start()]), found, tags, glued)
        chunk, start = match[0], match.end()
        _add(_remembered(chunk) if len(chunk) <= _LONGEST_REMEMBERED else _read(chunk), found, tags, glued)
    if start < len(text):
        _add(_ascii_words(text[start:]), found, tags, glued)
    return Words(found, tags, frozenset(glued) if glued else _NONE)


def _add(piece: Words, found: list[str], tags: list[Tag], glued: list[int]) -> None:
    """Put the words of the next piece of a text behind those before it."""
    if piece.tags or piece.glued:
        base = len(found)
        tags += [(tag, base + first, base + last) for tag, first, last in piece.tags]
        glued += [base + position for position in piece.glued]
    found += piece.words


def tokens(text: str) -> Tokens:
    """The folded words of `text` with their places: what marking on the screen needs."""
    found = words(text)
    starts: list[int] = []
    ends: list[int] = []
    for chunk in _CHUNK.finditer(text):
        piece = _read(chunk[0])
        starts += [chunk.start() + start for start in piece.starts]
        ends += [chunk.start() + end for end in piece.ends]
    return Tokens(found.words, found.tags, found.glued, starts, ends)


def is_spaceless(word: str) -> bool:
    """Whether a folded word is written in a script without spaces, and so is found inside longer runs."""
    return _shape(word[:1]) == "s"


def is_word_character(character: str) -> bool:
    """Whether one folded character can stand in a word (an apostrophe only can between others, so it is False)."""
    return _shape(character) in {"w", "s", "m"}


# ---------------------------------------------------------------- the short path

_NONE: frozenset[int] = frozenset()
#: @brand's
_OWNING_HANDLE = re.compile(r"@[A-Za-z0-9_]+'")
_ASCII_WORD = re.compile(r"[#@]?[a-z0-9_]+(?:'[a-z0-9_]+)*")


def _ascii_words(text: str) -> Words:
    found = _ASCII_WORD.findall(text.lower())
    tags: list[Tag] = []
    if "'" in text and _OWNING_HANDLE.search(text):
        found = [word.partition("'")[0] if word[0] == "@" else word for word in found]
    if "#" in text:
        for position, word in enumerate(found):
            if word[0] == "#":
                tags.append((_without_possessive(word), position, position))
                found[position] = word[1:]
    return Words(found, tags, _NONE)


def _without_possessive(name: str) -> str:
    """@brand's names @brand, and #brand's the tag #brand: no network has apostrophes in either."""
    return name.partition("'")[0]


# ---------------------------------------------------------------- the way from the long path to the short one

_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]+")


def _spelt_in_ascii(text: str) -> str | None:
    """A text in ASCII with the same words, or None: there is none.

    Curly quotes, dashes, emoji, accents on Latin letters: what is folded to ASCII, or stands in no word at all.
    """
    for run in _BEYOND_ASCII.findall(text):
        if len(run) > _LONGEST_REMEMBERED or _run_in_ascii(run) is None:
            return None
    return _BEYOND_ASCII.sub(lambda match: _run_in_ascii(match[0]) or "", text)


@lru_cache(maxsize=1 << 14)
def _run_in_ascii(run: str) -> str | None:
    if run[0] not in _INVISIBLE and _joins_the_one_before(run[0]):
        return None  # what it is folded to depends on the letter before it
    spelt: list[str] = []
    for cluster in _clusters(run):
        for character, shape in zip(*_folded(cluster), strict=True):
            if character > "\x7f" and shape != " ":
                return None
            spelt.append(" " if shape == " " else character)
    return "".join(spelt)


# ---------------------------------------------------------------- the long path

#: Words and what may turn into words: ASCII that cannot is where a text is cut. Nothing composes across such a cut.
_CHUNK = re.compile(r"[#@]?(?:[0-9A-Za-z_']|[^\x00-\x7f])+")
#: A chunk with a character beyond ASCII. What lies between two of them takes the short path. No chunk begins behind a
#: character that may turn into a word; without saying so a long run would be tried from each of its characters.
_FOREIGN_CHUNK = re.compile(r"(?:[#@]|(?<![0-9A-Za-z_']))[0-9A-Za-z_']*+[^\x00-\x7f](?:[0-9A-Za-z_']|[^\x00-\x7f])*")
#: Longer chunks (sentences without spaces, hostile runs) hardly come again and would fill the memory.
_LONGEST_REMEMBERED = 48
_LONGEST_REMEMBERED_CLUSTER = 4

#: Over a string of shapes (see `_shape`), one letter for each folded character.
_UNIT = re.compile(r"[#@][ws][wsm]*(?:'[ws][wsm]*)*|w[wm]*(?:'w[wm]*)*|s")
_UNIT_OF_TAG = re.compile(r"w[wm]*(?:'w[wm]*)*|s")


def _read(chunk: str) -> Tokens:
    """The words of one chunk, with places relative to it."""
    folded, shapes, starts, ends = _folded_with_origin(chunk)
    found = Tokens([], [], _NONE, [], [])
    glued: list[int] = []
    previous_end = -1

    def add(word: str, first: int, last: int) -> None:
        found.words.append(word)
        found.starts.append(starts[first])
        found.ends.append(ends[last])

    for match in _UNIT.finditer(shapes):
        first, end = match.span()
        if shapes[first] == "@":
            add(_without_possessive(folded[first:end]), first, end - 1)
        elif shapes[first] == "#":
            position = len(found.words)
            for unit in _UNIT_OF_TAG.finditer(shapes, first + 1, end):
                if shapes[unit.start()] == "s" and previous_end == unit.start():
                    glued.append(len(found.words))
                previous_end = unit.end() if shapes[unit.start()] == "s" else -1
                # the # is marked together with the first word of its tag
                add(folded[unit.start() : unit.end()], unit.start() - (len(found.words) == position), unit.end() - 1)
            found.tags.append((_without_possessive(folded[first:end]), position, len(found.words) - 1))
        elif shapes[first] == "s":
            if previous_end == first:
                glued.append(len(found.words))
            previous_end = end
            add(folded[first:end], first, end - 1)
        else:
            add(folded[first:end], first, end - 1)
    return msgspec.structs.replace(found, glued=frozenset(glued))


_remembered = lru_cache(maxsize=1 << 15)(_read)


def _folded_with_origin(chunk: str) -> tuple[str, str, list[int], list[int]]:
    """Fold a chunk; each folded character with its shape and the start and end of what it came from."""
    if chunk.isascii():
        count = len(chunk)
        shapes = "".join([_shape(character) for character in chunk])
        return chunk.lower(), shapes, list(range(count)), list(range(1, count + 1))
    folded: list[str] = []
    shapes_of: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    start = 0
    for cluster in _clusters(chunk):
        text, shape = _folded(cluster)
        end = start + len(cluster)
        folded.append(text)
        shapes_of.append(shape)
        starts += [start] * len(text)
        ends += [end] * len(text)
        start = end
    return "".join(folded), "".join(shapes_of), starts, ends


def _clusters(text: str) -> Iterator[str]:
    """Cut a text where normalisation cannot reach across: before every character that joins nothing before it."""
    start = 0
    for index, character in enumerate(text):
        if character > "\xac" and index and _joins_the_one_before(character):
            continue
        if index:
            yield text[start:index]
        start = index
    if text:
        yield text[start:]


@lru_cache(maxsize=1 << 16)
def _joins_the_one_before(character: str) -> bool:
    """A mark, a conjoining Hangul vowel or final, or something invisible that belongs to the word around it."""
    first = unicodedata.normalize("NFKD", character)[0]
    return unicodedata.category(first)[0] == "M" or "\u1160" <= first <= "\u11ff" or character in _INVISIBLE


def _folded(cluster: str) -> tuple[str, str]:
    """One cluster folded, and the shapes of its characters."""
    return _remembered_cluster(cluster) if len(cluster) <= _LONGEST_REMEMBERED_CLUSTER else _fold_cluster(cluster)


def _fold_cluster(cluster: str) -> tuple[str, str]:
    text = cluster.translate(_DROP)
    text = unicodedata.normalize("NFKC", text).casefold()
    kept: list[str] = []
    accents_go = False
    for character in unicodedata.normalize("NFKD", text):
        if unicodedata.category(character) not in {"Mn", "Me"}:
            accents_go = character in _DIGITS or unicodedata.name(character, "").startswith("LATIN ")
        elif accents_go:
            continue
        kept.append(character)
    text = unicodedata.normalize("NFKC", "".join(kept).translate(_DROP).translate(_ALIKE))
    return text, "".join([_shape(character) for character in text])


_remembered_cluster = lru_cache(maxsize=1 << 15)(_fold_cluster)

_DIGITS = frozenset("0123456789")
#: Latin letters whose stroke or ligature is no separate mark in Unicode, and the apostrophes that keyboards produce.
_ALIKE = str.maketrans(
    {"ø": "o", "đ": "d", "ł": "l", "ħ": "h", "ŧ": "t", "ı": "i", "æ": "ae", "œ": "oe"} | dict.fromkeys("‘’ʼ", "'")
)
#: Soft hyphen, joiners and variation selectors: nobody sees them, so they must not keep a word from being found.
_INVISIBLE = frozenset(
    "\u00ad\u034f\u200c\u200d\u2060\ufeff"
    + "".join(map(chr, (*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
)
_DROP = dict.fromkeys(map(ord, _INVISIBLE))

#: Blocks of scripts that are written without spaces between words.
_SPACELESS = re.compile(
    "["
    "\u0e00-\u0eff"  # Thai, Lao
    "\u1000-\u109f\ua9e0-\ua9ff\uaa60-\uaa7f"  # Myanmar
    "\u1780-\u17ff"  # Khmer
    "\u1950-\u19df\u1a20-\u1aaf\u1b00-\u1b7f\ua980-\ua9df"  # Tai Le, New Tai Lue, Tai Tham, Balinese, Javanese
    "\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3041-\u30ff\u3105-\u312f\u31a0-\u31bf\u31f0-\u31ff"  # kana, bopomofo
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"  # Han
    "\U0001b000-\U0001b16f\U00020000-\U0003ffff"  # kana and Han outside the basic plane
    "]"
)


@lru_cache(maxsize=1 << 16)
def _shape(character: str) -> str:
    """w: letter, digit or underscore; s: the same in a spaceless script; m: mark; ' # @ themselves; blank: the rest."""
    if character in {"'", "#", "@"}:
        return character
    if character.isalnum() or character == "_":
        return "s" if _SPACELESS.match(character) else "w"
    if unicodedata.category(character)[0] == "M" if character else False:
        return "s" if _SPACELESS.match(character) else "m"
    return " "
