"""The tree of a rule's `when`, and the parser that builds it.

The parser is LALR and builds the nodes while it reads, so neither a long nor a deep expression can exhaust
the stack; `MAX_DEPTH` then bounds what the recursive walks over the tree (`check`, `evaluate`) will meet.
"""

from __future__ import annotations

import difflib
import functools
import importlib.resources
import re
from collections.abc import Iterable
from typing import Any, Literal

import lark
import msgspec

#: Characters in one `when`.
MAX_EXPRESSION = 4_000
#: Levels of `not`, functions, lists and alternating `and`/`or` inside one another.
MAX_DEPTH = 30
#: Values in one list, alternatives in one `or`, conditions in one `and`.
MAX_ITEMS = 500

#: The largest number that can be written; beyond it neighbours are the same to the machine.
MAX_NUMBER = 2**53

Operator = Literal["==", "!=", "<", "<=", ">", ">="]
Sign = Literal["+", "-", "*", "/"]

SECONDS = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400, "week": 604_800}


class Fault(Exception):
    """What is wrong at which character (from 0) of an expression; `document` makes an InvalidRule of it."""

    def __init__(self, message: str, at: int, suggestion: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.at = at
        self.suggestion = suggestion


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """A part of an expression."""

    #: offset of its first character in the expression
    at: int
    #: levels of nodes below and including this one
    depth: int = 1


class Number(Node, frozen=True):
    value: float | int


class Span(Node, frozen=True):
    """A length of time, in seconds, with the words it was written in."""

    seconds: float
    written: str


class Text(Node, frozen=True):
    value: str


class Truth(Node, frozen=True):
    value: bool


class Items(Node, frozen=True):
    values: tuple[Node, ...]


class Name(Node, frozen=True):
    name: str


class Call(Node, frozen=True):
    function: str
    arguments: tuple[Node, ...]


class Arithmetic(Node, frozen=True):
    operator: Sign
    left: Node
    right: Node


class Compare(Node, frozen=True):
    operator: Operator
    left: Node
    right: Node


class Inside(Node, frozen=True):
    """`left in right`."""

    left: Node
    right: Node


class Matches(Node, frozen=True):
    """`left matches right`."""

    left: Node
    right: Node
    #: what was written where a pattern stands for it: 'contains(text, "refund")'
    written: str = ""


class Has(Node, frozen=True):
    """`left has right`."""

    left: Node
    right: Node


class Not(Node, frozen=True):
    inner: Node


class AllOf(Node, frozen=True):
    parts: tuple[Node, ...]


class AnyOf(Node, frozen=True):
    parts: tuple[Node, ...]


def parse(expression: str) -> Node:
    """The text of a `when` -> its tree. Names and types are not looked at yet (`check` does).

    Raises `Fault` with the offset of the first character that does not fit.
    """
    if not expression.strip():
        raise Fault("the condition is empty; write one, or true", 0)
    if len(expression) > MAX_EXPRESSION:
        raise Fault(f"the condition has {len(expression):,} characters; at most {MAX_EXPRESSION:,} are read", 0)
    try:
        tree: Node = _parser().parse(expression)  # type: ignore[assignment]  # the builder returns nodes
    except lark.UnexpectedCharacters as error:
        raise _unexpected_character(expression, error.pos_in_stream or 0) from None
    except lark.UnexpectedToken as error:
        raise _unexpected_token(expression, error) from None
    return tree


def parts_of(node: Node) -> tuple[Node, ...]:
    """The nodes that a node is made of."""
    match node:
        case AllOf() | AnyOf():
            return node.parts
        case Not():
            return (node.inner,)
        case Compare() | Inside() | Matches() | Has() | Arithmetic():
            return (node.left, node.right)
        case Call():
            return node.arguments
        case Items():
            return node.values
    return ()


def fields_in(node: Node) -> frozenset[str]:
    """Every name that an expression reads."""
    if isinstance(node, Name):
        return frozenset({node.name})
    return frozenset().union(*map(fields_in, parts_of(node)))


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that is most like `word`, or "" when none comes near."""
    wanted = word[:100].lower()
    found = difflib.get_close_matches(wanted, list(known), n=3, cutoff=0.6)
    # of words that are about as near, people rarely get the first letter wrong
    alike = {each: difflib.SequenceMatcher(None, wanted, each).ratio() for each in found}
    return max(found, key=lambda each: alike[each] + 0.05 * (each[:1] == wanted[:1]), default="")


@functools.lru_cache(maxsize=1)
def _parser() -> lark.Lark:
    grammar = importlib.resources.files("rapport.core.rules").joinpath("grammar.lark").read_text(encoding="utf-8")
    return lark.Lark(grammar, parser="lalr", maybe_placeholders=False, transformer=_Builder())


class _Builder(lark.Transformer[Any, Node]):
    """One method per rule of the grammar, called by the parser as it recognises each."""

    def number(self, children: list[lark.Token]) -> Node:
        token = children[0]
        return Number(at=_at(token), value=_number(token))

    def span(self, children: list[lark.Token]) -> Node:
        token = children[0]
        amount, unit = re.fullmatch(r"([0-9.]+)\s*([a-z]+?)s?", str(token)).groups()  # type: ignore[union-attr]
        written = f"{amount} {unit}{'' if amount == '1' else 's'}"
        return Span(at=_at(token), seconds=float(amount) * SECONDS[unit], written=written)

    def text(self, children: list[lark.Token]) -> Node:
        token = children[0]
        quote = token[0]
        return Text(at=_at(token), value=token[1:-1].replace("\\" + quote, quote))

    def true(self, children: list[lark.Token]) -> Node:
        return Truth(at=_at(children[0]), value=True)

    def false(self, children: list[lark.Token]) -> Node:
        return Truth(at=_at(children[0]), value=False)

    def name(self, children: list[lark.Token]) -> Node:
        return Name(at=_at(children[0]), name=str(children[0]))

    def call(self, children: list[Any]) -> Node:
        token, *arguments = children
        _check_number(arguments, _at(token))
        return Call(at=_at(token), depth=_above(arguments), function=str(token), arguments=tuple(arguments))

    def items(self, children: list[Any]) -> Node:
        token, *values = children
        _check_number(values, _at(token))
        return Items(at=_at(token), depth=_above(values), values=tuple(values))

    def arithmetic(self, children: list[Any]) -> Node:
        left, operator, right = children
        return Arithmetic(at=left.at, depth=_above([left, right]), operator=str(operator), left=left, right=right)  # type: ignore[arg-type]

    def opposite(self, children: list[Any]) -> Node:
        token, value = children
        if isinstance(value, Number):
            return Number(at=_at(token), value=-value.value)
        zero = Number(at=_at(token), value=0)
        return Arithmetic(at=_at(token), depth=_above([value]), operator="-", left=zero, right=value)

    def compare(self, children: list[Any]) -> Node:
        left, operator, right = children
        return Compare(at=left.at, depth=_above([left, right]), operator=str(operator), left=left, right=right)  # type: ignore[arg-type]

    def inside(self, children: list[Node]) -> Node:
        left, right = children
        return Inside(at=left.at, depth=_above(children), left=left, right=right)

    def outside(self, children: list[Any]) -> Node:
        left, _, right = children
        inner = Inside(at=left.at, depth=_above([left, right]), left=left, right=right)
        return Not(at=left.at, depth=_above([inner]), inner=inner)

    def matches(self, children: list[Node]) -> Node:
        left, right = children
        return Matches(at=left.at, depth=_above(children), left=left, right=right)

    def has(self, children: list[Node]) -> Node:
        left, right = children
        return Has(at=left.at, depth=_above(children), left=left, right=right)

    def negate(self, children: list[Any]) -> Node:
        token, inner = children
        return Not(at=_at(token), depth=_above([inner]), inner=inner)

    def all_of(self, children: list[Node]) -> Node:
        return self._joined(AllOf, children)

    def any_of(self, children: list[Node]) -> Node:
        return self._joined(AnyOf, children)

    @staticmethod
    def _joined(kind: type[AllOf] | type[AnyOf], children: list[Node]) -> Node:
        if len(children) == 1:
            return children[0]
        _check_number(children, children[0].at)
        return kind(at=children[0].at, depth=_above(children), parts=tuple(children))


def _number(token: lark.Token) -> float | int:
    written = token.replace("_", "")
    if len(written.partition(".")[0].lstrip("-0")) > len(str(MAX_NUMBER)) or abs(float(written)) > MAX_NUMBER:
        raise Fault(f"this number is too large; at most {MAX_NUMBER} is taken", _at(token))
    return float(written) if "." in written else int(written)


def _at(token: lark.Token) -> int:
    return token.start_pos or 0


def _above(nodes: list[Any]) -> int:
    """The depth of a node over these; refuses an expression that is nested too deeply."""
    depth = 1 + max((node.depth for node in nodes), default=0)
    if depth > MAX_DEPTH:
        raise Fault(f"the condition is nested more than {MAX_DEPTH} levels deep; split the rule in two", nodes[0].at)
    return int(depth)


def _check_number(nodes: list[Any], at: int) -> None:
    if len(nodes) > MAX_ITEMS:
        raise Fault(f"{len(nodes)} items; at most {MAX_ITEMS} are read", at)


#: What people write out of habit from other languages, and what it is called here.
_HABITS = {
    "=": "==",
    "&&": "and",
    "&": "and",
    "||": "or",
    "|": "or",
    "!": "not",
    "<>": "!=",
    "“": '"',
    "”": '"',
    "„": '"',
    "‘": "'",
    "’": "'",
    "contains": 'contains(text, "...")',
    "like": "matches",
    "is": "==",
    "equals": "==",
    "between": "two comparisons, joined with and",
    "%": "a share from 0 to 1, as 0.7",
    ".": "a digit before the point, as 0.5",
    ";": "and",
}
_KEYWORDS = ("and", "or", "not", "in", "matches", "has", "true", "false")
_EXPECTED = {
    "NAME": "a field",
    "NUMBER": "a number",
    "STRING": "a text in quotes",
    "DURATION": "a duration",
    "OPERATOR": "a comparison",
    "PLUS": "+ - * /",
    "RPAR": "a closing )",
    "RSQB": "a closing ]",
    "COMMA": "a comma",
    "_AND": "and",
    "_OR": "or",
    "$END": "the end",
}


def _unexpected_character(expression: str, at: int) -> Fault:
    for habit in (expression[at : at + 2], expression[at]):
        if habit in _HABITS and not (habit == "." and not expression[at + 1 : at + 2].isdigit()):
            return Fault(f"{habit} is not part of the language", at, _HABITS[habit])
    if expression[at] in "\"'":
        return Fault("the text is not closed on its line", at, expression[at])
    return Fault(f"{expression[at]!r} is not part of the language", at)


def _unexpected_token(expression: str, error: lark.UnexpectedToken) -> Fault:
    token = error.token
    expected = [words for name, words in _EXPECTED.items() if name in (error.accepts or error.expected)]
    wanted = f"; expected {', '.join(expected)}" if expected else ""
    if token.type == "$END":
        return Fault(f"the condition ends too early{wanted}", len(expression.rstrip()))
    word = str(token)
    if token.type == "OPERATOR" and "OPERATOR" not in error.expected:
        return Fault(f"{word} does not fit here; compare two values, and join comparisons with and", _at(token))
    suggestion = _HABITS.get(word.lower(), "")
    if word == ",":
        before = expression[: _at(token)].rstrip()
        suggestion = (
            "a point, as 0.5" if before[-1:].isdigit() and "RPAR" not in error.expected else "[ ] around a list"
        )
    if not suggestion and token.type == "NAME":
        suggestion = nearest(word, _KEYWORDS) if word not in _KEYWORDS else ""
    return Fault(f"{word} does not fit here{wanted}", _at(token), suggestion)
