"""The tree of a plain query, without the grammar: most queries are words, operators and quotations and nothing else.

What the grammar (grammar.lark) needs some 30 us for takes a few here, so that a query can be added while posts come in.
Whatever is not plain, or wrong in any way, is left to the grammar, which knows what to say about it. A property test
holds the two against each other.
"""

from __future__ import annotations

import re

from rapport.core.errors import InvalidQuery
from rapport.core.query.lexer import is_special
from rapport.core.query.nodes import And, Near, Node, Not, Or, Phrase, Placed, Word
from rapport.core.query.terms import read_quoted, read_word

MAX_DISTANCE = 1_000
_MOST_PIECES = 100
#: groups, quotes of other keyboards and escapes are for the grammar
_NOT_PLAIN = re.compile(r'[()（）“”„\\]|:"')
_PIECE = re.compile(r'"[^"]*"|[^\s"]+')
_NEAR = re.compile(r"(O?)NEAR/([0-9]{1,4})")


def read_plain(text: str) -> Node | None:
    """The same tree as the grammar's, or None where that has to read the query."""
    if _NOT_PLAIN.search(text) or text.count('"') % 2:
        return None
    pieces = _PIECE.findall(text)
    if len(pieces) > _MOST_PIECES:
        return None
    try:
        return _read(pieces)
    except InvalidQuery:
        return None


def _read(pieces: list[str]) -> Node | None:
    """One pass from left to right; `parts` are those of the AND that is being read."""
    alternatives: list[Node] = []
    parts: list[Node] = []
    wanting = True
    negated = False
    near: re.Match[str] | None = None
    for piece in pieces:
        if piece in {"AND", "OR"}:
            if wanting:
                return None
            if piece == "OR":
                alternatives.append(_all_of(parts))
                parts = []
            wanting = True
        elif piece == "NOT":
            if negated or near:
                return None
            wanting = negated = True
        elif is_special(piece):
            near = _NEAR.fullmatch(piece)
            if near is None or wanting or not isinstance(parts[-1], Placed):
                return None
            wanting = True
        else:
            term = _read_term(piece)
            if near is not None:
                pair = _near(parts.pop(), near, term)
                if pair is None:
                    return None
                term, near = pair, None
            parts.append(Not(term) if negated else term)
            wanting = negated = False
    if wanting:
        return None
    alternatives.append(_all_of(parts))
    return alternatives[0] if len(alternatives) == 1 else Or(tuple(alternatives))


def _near(left: Node, sign: re.Match[str], right: Node) -> Near | None:
    distance = int(sign[2])
    if not isinstance(left, Placed) or not isinstance(right, Placed) or not 1 <= distance <= MAX_DISTANCE:
        return None
    return Near(left, right, distance, sign[1] == "O")


def _all_of(parts: list[Node]) -> Node:
    return parts[0] if len(parts) == 1 else And(tuple(parts))


def _read_term(piece: str) -> Node:
    if piece[0] != '"':
        return Word(piece.lower()) if piece.isascii() and piece.isalnum() else read_word(piece, 0)
    words = piece[1:-1].split()
    if words and piece.isascii() and "".join(words).isalnum():
        found = tuple([Word(word.lower()) for word in words])
        return found[0] if len(found) == 1 else Phrase(found)
    return read_quoted(piece, 0)
