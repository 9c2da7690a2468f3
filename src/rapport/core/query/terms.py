"""One word or one quotation of a query -> what it asks for."""

from __future__ import annotations

import re
from itertools import groupby

from rapport.core.errors import InvalidQuery
from rapport.core.query.fields import read_field
from rapport.core.query.nodes import Handle, Node, Phrase, Placed, Tag, Wildcard, Word
from rapport.core.text import Words, fold, is_spaceless, is_word_character, words

_FIELD = re.compile(r"([^\W\d]\w*):(.*)", re.DOTALL)
_QUOTED = re.compile(r"(?:([^\W\d]\w*):)?.(.*).", re.DOTALL)
_ESCAPED = re.compile(r"\\([\"\\])")
_INNER_QUESTION_MARK = re.compile(r"\w\?+\w")

MIN_STEM = 3  # characters of a wildcard that are no * or ?


def read_word(text: str, position: int) -> Node:
    """A term without quotes: a word, hashtag, handle, wildcard or field. Raises `InvalidQuery`."""
    field = _FIELD.fullmatch(text)
    if field:
        return read_field(field[1], field[2], position)
    if len(text) > 1 and text[0] in "-!":
        raise InvalidQuery(f'"{text[0]}" does not exclude here', position, f"NOT {text[1:41]}")
    if "~" in text:
        raise InvalidQuery('"~" is no operator here', position, "NEAR/5 between two words")
    if "*" in text or "?" in text:
        return _joined(_read_wildcards(text, position))
    return _joined(_read_plain(text)) if words(text).words else _refuse_wordless(text, position)


def read_quoted(text: str, position: int) -> Node:
    """A term in quotes, perhaps with a field before it. A phrase may hold *, not ?. Raises `InvalidQuery`."""
    match = _QUOTED.fullmatch(text)
    assert match is not None, "the lexer lets nothing else through"
    content = _ESCAPED.sub(r"\1", match[2])
    if match[1]:
        return read_field(match[1], content, position)
    if _INNER_QUESTION_MARK.search(content):
        raise InvalidQuery(
            "? is no wildcard inside quotes", position, "* inside quotes, or the words outside joined with ONEAR/1"
        )
    parts: list[Placed] = []
    for piece in content.split():
        parts += _read_wildcards(piece.replace("?", " "), position) if "*" in piece else _read_plain(piece)
    return _joined(parts) if parts else _refuse_wordless(content, position)


def _joined(parts: list[Placed]) -> Placed:
    return parts[0] if len(parts) == 1 else Phrase(tuple(parts))


def _refuse_wordless(text: str, position: int) -> Node:
    if not text.strip():
        raise InvalidQuery("these quotes are empty", position, "words between them")
    raise InvalidQuery(
        f'"{text[:20]}" has no letters or digits', position, f'a word; for exact characters write raw:"{text[:20]}"'
    )


def _read_plain(text: str) -> list[Placed]:
    """The words of a piece of the query, each as what it asks for; spaceless characters that touch are one."""
    found = words(text)
    if found.words and found.words[0][0] == "@" and text[0] in "@＠":
        name = fold(text).partition("'")[0].rstrip(".,;:!?")
        return [Handle(name, tuple(found.words))]
    tag_by_first = {first: (tag, last) for tag, first, last in found.tags}
    parts: list[Placed] = []
    position = 0
    while position < len(found.words):
        if position in tag_by_first:
            tag, position = tag_by_first[position]
            parts.append(Tag(tag))
        else:
            part, position = _read_one(found, position)
            parts.append(part)
        position += 1
    return parts


def _read_one(found: Words, position: int) -> tuple[Placed, int]:
    """The word at `position`, and the last position that belongs to it."""
    word = found.words[position]
    if word[0] == "@":
        return Handle(word, (word,)), position
    if not is_spaceless(word):
        return Word(word), position
    last = position
    while last + 1 in found.glued:
        last += 1
    return Word("".join(found.words[position : last + 1]), spaceless=True), last


def _read_wildcards(text: str, position: int) -> list[Placed]:
    """As `_read_plain`, with * and ? as part of words."""
    folded = fold(text)
    parts: list[Placed] = []
    for inside, run in groupby(folded, lambda c: c in "*?'#@" or is_word_character(c)):
        piece = "".join(run).strip("'")
        if not inside or not piece:
            continue
        if "*" not in piece and "?" not in piece:
            parts += _read_plain(piece)
            continue
        stem = [c for c in piece.lstrip("#@") if c not in "*?"]
        if any(map(is_spaceless, stem)):
            raise InvalidQuery(
                f'"{piece[:20]}": a word in a script without spaces is found inside longer ones anyway',
                position,
                "it without * and ?",
            )
        if "#" in stem or "@" in stem:
            raise InvalidQuery(f'"{piece[:20]}": # and @ only begin a word', position, "a blank before them")
        if len(stem) < MIN_STEM:
            raise InvalidQuery(
                f'"{piece[:20]}" is too short for a wildcard', position, f"{MIN_STEM} letters or digits beside * and ?"
            )
        sign = piece[0] if piece[0] in "#@" else ""
        parts.append(Wildcard(sign + re.sub(r"\*+", "*", piece.lstrip("#@"))))
    return parts
