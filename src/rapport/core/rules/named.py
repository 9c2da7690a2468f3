"""Which rules of a document name an account: what somebody has to look through after an erasure. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rapport.core.rules.actions import ACTIONS
from rapport.core.rules.edit import Kind, Piece, pieces
from rapport.core.rules.syntax import Fault, Node, Text, parse, parts_of
from rapport.core.traces import Traces

#: arguments that name things of the house
_OF_THE_HOUSE = ("basket", "priority", "skill", "draft", "webhook", "survey", "escalate", "person")
#: a sign of a pattern, which would run into the word behind it: \bjoe
_SIGN = re.compile(r"\\[A-Za-z]")


def rules_that_name(document: str, names: Traces, kind: Kind = "rule") -> list[int]:
    """Places, from 0, of the rules (or groups) in whose name, comments, condition or actions one of these names stands.

    Names of fields and of baskets do not count. Raises `ValueError` for what is no TOML.
    """
    return [piece.number for piece in pieces(document, kind) if any(map(names.are_in, _texts(document, piece)))]


def expression_names(expression: str, names: Traces) -> bool:
    """Whether one of these names stands in a text of this condition."""
    return any(map(names.are_in, _literals(expression)))


def _texts(document: str, piece: Piece) -> Iterator[str]:
    yield piece.name
    yield str(piece.values.get("note", ""))
    for line in document[piece.start : piece.end].split("\n"):
        if line.lstrip().startswith("#"):
            yield line
    yield from _literals(str(piece.values.get("when", "")))
    for written in piece.then:
        verb, _colon, argument = written.partition(":")
        if verb in ACTIONS and verb not in _OF_THE_HOUSE:
            yield argument


def _literals(expression: str) -> Iterator[str]:
    try:
        tree = parse(expression)
    except Fault:
        yield expression
        return
    yield from _in(tree)


def _in(node: Node) -> Iterator[str]:
    if isinstance(node, Text):
        yield _SIGN.sub(" ", node.value)
    for part in parts_of(node):
        yield from _in(part)
