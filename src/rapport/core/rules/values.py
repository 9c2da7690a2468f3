"""The values of an expression: how each is read from a `Case`, and how it is called in a trace."""

from __future__ import annotations

import operator
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from rapport.core.rules import words
from rapport.core.rules.check import moment_of
from rapport.core.rules.fields import FIELDS, Case, fold
from rapport.core.rules.syntax import Call, Items, Name, Node, Number, Span, Text, Truth

#: Reads one value; None when it is unknown.
Read = Callable[[Case], Any]

_CONSTANTS = (Number, Span, Text, Truth, Items)


def is_constant(node: Node) -> bool:
    """Does it stand for the same value in every case?"""
    return isinstance(node, _CONSTANTS) or (isinstance(node, Call) and node.function == "time")


def constant_of(node: Node) -> Any:
    """The value of a constant node that is no list."""
    match node:
        case Number() | Text() | Truth():
            return node.value
        case Span():
            return node.seconds
        case Call():
            return moment_of(node)
    raise TypeError(node)


def reader(node: Node) -> Read:
    """A value of a checked expression -> the function that reads it from a case."""
    match node:
        case Name():
            source = FIELDS[node.name].source
            return operator.attrgetter(source) if isinstance(source, str) else source
        case Call(function="hours_since"):
            return _hours_since(reader(node.arguments[0]))
        case Call(function="known"):
            read = reader(node.arguments[0])
            return lambda case: read(case) is not None
        case Call(function="count"):
            return _count(node)
        case _:
            constant = constant_of(node)
            return lambda case: constant


def _hours_since(read: Read) -> Read:
    def hours(case: Case) -> float | None:
        moment = read(case)
        return None if moment is None else max(0.0, (case.now - moment).total_seconds() / 3600)

    return hours


def _count(node: Call) -> Read:
    read = reader(node.arguments[0])
    if len(node.arguments) == 1:
        return lambda case: len(read(case))
    span = node.arguments[1]
    assert isinstance(span, Span)  # by check
    window = timedelta(seconds=span.seconds)

    def count(case: Case) -> int:
        moments = read(case)
        # Each is looked at: posts of one batch can arrive out of order, and most people have none or a few.
        return sum(map((case.now - window).__lt__, moments)) if moments else 0

    return count


def folding(read: Read) -> Read:
    """The same value as handles and hashtags are compared."""

    def folded(case: Case) -> str | None:
        value = read(case)
        return None if value is None else fold(value)

    return folded


def encoding(node: Node) -> Read:
    """A text in UTF-8, for the patterns."""
    if isinstance(node, Name) and node.name == "text":
        return _encoded_text
    read = reader(node)

    def encoded(case: Case) -> bytes | None:
        value = read(case)
        return None if value is None else value.encode("utf-8", "replace")

    return encoded


def _encoded_text(case: Case) -> bytes:
    if case.encoded is None:
        case.encoded = case.post.text.encode("utf-8", "replace")
    return case.encoded


def label(node: Node) -> str:
    """How a value is called in the trace: as it was written."""
    match node:
        case Name():
            return node.name
        case Call():
            return f"{node.function}({', '.join(label(argument) for argument in node.arguments)})"
        case Span():
            return node.written
        case Items():
            return f"[{', '.join(label(value) for value in node.values[:5])}{', ...' if len(node.values) > 5 else ''}]"
        case Number():
            return repr(node.value)
        case Text() | Truth():
            return words.show(node.value)
    raise TypeError(node)
