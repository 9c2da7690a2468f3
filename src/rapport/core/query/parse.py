"""Text of a query -> `Query`."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any, NoReturn

import msgspec
from lark import Lark, Token, Transformer, UnexpectedToken

from rapport.core.errors import InvalidQuery
from rapport.core.post import Post
from rapport.core.query.lexer import QueryLexer
from rapport.core.query.nodes import And, Either, Near, Node, Not, Or, Placed
from rapport.core.query.plain import MAX_DISTANCE, read_plain
from rapport.core.query.terms import read_quoted, read_word
from rapport.core.query.view import View

#: characters; longer queries take their time anyway
_LONGEST_PLAIN = 1_000


class Query(msgspec.Struct, frozen=True, gc=False):
    """A query that was understood."""

    #: as a person wrote it
    text: str
    root: Node


def parse(text: str) -> Query:
    """Read a query. Raises `InvalidQuery` with the character position and what was expected there."""
    if not text.strip():
        raise InvalidQuery("the query is empty", 0, "a word to look for")
    root = (read_plain(text) if len(text) <= _LONGEST_PLAIN else None) or read_by_grammar(text)
    if not positive_parts(root):
        raise InvalidQuery(
            "the query only says what a post is not", 0, "at least one term outside NOT, as in delay NOT refund"
        )
    return Query(text, root)


def read_by_grammar(text: str) -> Node:
    """The tree of any query. Raises `InvalidQuery`."""
    try:
        root: Node = _parser().parse(text)  # type: ignore[assignment]  # the tree is built into our own nodes
    except UnexpectedToken as error:
        _refuse(error, text)
    return root


def evaluate(query: Query, post: Post) -> bool:
    """Whether `post` matches, without any index: the meaning of the language."""
    return query.root.holds(View(post))


def positive_parts(node: Node, positive: bool = True) -> list[Node]:
    """The terms (words, phrases, fields, NEAR pairs) that speak for a post rather than against it."""
    if isinstance(node, Not):
        return positive_parts(node.part, not positive)
    if isinstance(node, And | Or):
        return [part for child in node.parts for part in positive_parts(child, positive)]
    return [node] if positive else []


@cache
def _parser() -> Lark:
    grammar = files("rapport.core.query").joinpath("grammar.lark").read_text("utf-8")
    return Lark(
        grammar, parser="lalr", lexer=QueryLexer, start="query", transformer=_Builder(), propagate_positions=False
    )


class _Builder(Transformer[Token, Node]):
    """Builds our nodes while lark reads; one method for each line of the grammar."""

    def query(self, parts: list[Node]) -> Node:
        return parts[0]

    def any(self, parts: list[Node]) -> Node:
        return Or(_flat(parts, Or))

    def all(self, parts: list[Node]) -> Node:
        return And(_flat(parts, And))

    def near(self, parts: list[Any]) -> Node:
        left, sign, right = parts[:3]
        if len(parts) > 3:
            raise InvalidQuery(
                "NEAR joins two operands, not three", parts[3].start_pos or 0, "AND between two NEAR pairs"
            )
        distance = int(sign.partition("/")[2])
        place = sign.start_pos or 0
        if not 1 <= distance <= MAX_DISTANCE:
            raise InvalidQuery(f"a distance of {distance}", place, f"a distance from 1 to {MAX_DISTANCE:,}")
        return Near(_operand(left, place), _operand(right, place), distance, sign.startswith("O"))

    def negation(self, parts: list[Node]) -> Node:
        return parts[0].part if isinstance(parts[0], Not) else Not(parts[0])

    def word(self, parts: list[Token]) -> Node:
        return read_word(str(parts[0]), parts[0].start_pos or 0)

    def quoted(self, parts: list[Token]) -> Node:
        return read_quoted(str(parts[0]), parts[0].start_pos or 0)


def _flat(parts: list[Node], kind: type[And] | type[Or]) -> tuple[Node, ...]:
    """Children of the same operator in line with the others: groups need no depth where they mean nothing."""
    flat: list[Node] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, kind) else (part,))
    return tuple(flat)


def _operand(node: Node, place: int) -> Placed:
    if isinstance(node, Placed):
        return node
    if isinstance(node, Or) and all(isinstance(part, Placed) for part in node.parts):
        return Either(tuple(part for part in node.parts if isinstance(part, Placed)))
    expected = "a word, a phrase or an OR group of these"
    if isinstance(node, Not):
        expected = f"{expected}; to exclude the pair write NOT (a NEAR/5 b)"
    raise InvalidQuery("NEAR cannot measure from one of its operands", place, expected)


def _refuse(error: UnexpectedToken, text: str) -> NoReturn:
    token = error.token
    expected = "a word, a phrase in quotes, a field or a group"
    if token.type in {"AND", "OR", "NOT", "NEAR"}:
        raise InvalidQuery(
            f'"{token}" cannot stand here',
            token.start_pos or 0,
            f'{expected} before it; to look for the word itself write "{str(token).lower()}" in quotes',
        ) from None
    if token.type == "$END":
        raise InvalidQuery("the query ends too early", len(text), expected) from None
    raise InvalidQuery(f'"{token}" cannot stand here', token.start_pos or 0, f"{expected} before it") from None
