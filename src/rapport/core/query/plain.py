"""The tree of a plain query, without the grammar: most queries are words, operators, groups and quotations.

What the grammar (grammar.lark) needs some 30 us for takes a few here, so that a query can be added while posts come in.
What is not plain, or wrong in any way, is left to the grammar, which knows what to say about it. A property test
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
_MOST_GROUPS = 20
#: quotes and parentheses of other keyboards, and escapes, are for the grammar
_NOT_PLAIN = re.compile(r'[（）“”„\\]|:"')
_PIECE = re.compile(r'"[^"]*"|[()]|[^\s"()]+')
_NEAR = re.compile(r"(O?)NEAR/([0-9]{1,4})")


def read_plain(text: str) -> Node | None:
    """The same tree as the grammar's, or None where that has to read the query."""
    if _NOT_PLAIN.search(text) or text.count('"') % 2 or text.count("(") > _MOST_GROUPS:
        return None
    pieces = _PIECE.findall(text)
    if len(pieces) > _MOST_PIECES:
        return None
    pieces.reverse()
    try:
        root = _read(pieces, closed=False)
    except InvalidQuery:
        return None
    return None if pieces else root


def _read(pieces: list[str], closed: bool) -> Node | None:  # noqa: C901, PLR0912  (one for each kind of piece)
    """One group, taken from the end of `pieces`, with its closing parenthesis where there must be one (`closed`)."""
    alternatives: list[Node] = []
    parts: list[Node] = []
    wanting = True
    negated = False
    near: re.Match[str] | None = None
    while pieces and pieces[-1] != ")":
        piece = pieces.pop()
        if piece in {"AND", "OR"}:
            if wanting:
                return None
            if piece == "OR":
                alternatives.append(_joined(parts, And))
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
            term = _read(pieces, closed=True) if piece == "(" else _read_term(piece)
            if near is not None and term is not None:
                term, near = _near(parts.pop(), near, term), None
            if term is None:
                return None
            parts.append(_negated(term) if negated else term)
            wanting = negated = False
    if wanting or bool(pieces) is not closed:
        return None
    if closed:
        pieces.pop()
    return _joined([*alternatives, _joined(parts, And)], Or)


def _near(left: Node, sign: re.Match[str], right: Node) -> Near | None:
    distance = int(sign[2])
    if not isinstance(left, Placed) or not isinstance(right, Placed) or not 1 <= distance <= MAX_DISTANCE:
        return None
    return Near(left, right, distance, sign[1] == "O")


def _negated(node: Node) -> Node:
    return node.part if isinstance(node, Not) else Not(node)


def _joined(parts: list[Node], kind: type[And] | type[Or]) -> Node:
    """Groups of the same operator are in line with the others."""
    if len(parts) == 1:
        return parts[0]
    return kind(tuple([each for part in parts for each in (part.parts if isinstance(part, kind) else (part,))]))


def _read_term(piece: str) -> Node:
    if piece[0] != '"':
        return Word(piece.lower()) if piece.isascii() and piece.isalnum() else read_word(piece, 0)
    words = piece[1:-1].split()
    if words and piece.isascii() and "".join(words).isalnum():
        found = tuple([Word(word.lower()) for word in words])
        return found[0] if len(found) == 1 else Phrase(found)
    return read_quoted(piece, 0)
