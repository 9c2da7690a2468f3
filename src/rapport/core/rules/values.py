"""The values of an expression: how each is read from a `Case`, and how it is called in a trace."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from rapport.core.rules import words
from rapport.core.rules.check import compile_pattern, type_of
from rapport.core.rules.fields import FIELDS, MOST_MOMENTS, MOST_SEARCHED, Case, fold
from rapport.core.rules.functions import moment_of
from rapport.core.rules.syntax import Arithmetic, Call, Items, Name, Node, Number, Span, Text, Truth, parts_of
from rapport.core.text import words as find_words

#: Reads one value; None when it is unknown.
Read = Callable[[Case], Any]

_CONSTANTS = (Number, Span, Text, Truth, Items)
_SIGNS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}


def is_constant(node: Node) -> bool:
    """Does it stand for the same value in every case?"""
    return isinstance(node, _CONSTANTS) or (isinstance(node, Call) and node.function == "time")


def constant_of(node: Node) -> Any:
    """The value of a constant node that is no list."""
    match node:
        case Number() | Text() | Truth():
            return node.value
        case Span():
            return timedelta(seconds=node.seconds)
        case Call():
            return moment_of(node)
    raise TypeError(node)


def reader(node: Node) -> Read:
    """A value of a checked expression -> the function that reads it from a case."""
    match node:
        case Name():
            source = FIELDS[node.name].source
            return operator.attrgetter(source) if isinstance(source, str) else source
        case Arithmetic():
            return _worked_out(node)
        case Call() if not is_constant(node):
            return _CALLS[node.function](node)
        case _:
            constant = constant_of(node)
            return lambda case: constant


def _worked_out(node: Arithmetic) -> Read:
    """Numbers as fractions of the machine, so that no product can grow without bound."""
    left, right, work = reader(node.left), reader(node.right), _SIGNS[node.operator]
    numbers = type_of(node.left) == type_of(node.right) == "number"
    shown = told(node)

    def worked_out(case: Case) -> Any:
        one, two = left(case), right(case)
        if one is None or two is None:
            return None
        if not numbers:
            return work(one, two)
        try:
            found = work(float(one), float(two))
        except ZeroDivisionError:
            raise ZeroDivisionError(f"{shown} divides by zero") from None
        if not math.isfinite(found):
            raise OverflowError(f"{shown} is beyond what can be counted")
        return found

    return worked_out


def _since(seconds: int, sign: int = 1) -> Callable[[Call], Read]:
    """The time from a moment to now (`sign` -1: from now to it) in units of so many seconds, never below 0."""

    def compile_since(node: Call) -> Read:
        read = reader(node.arguments[0])

        def since(case: Case) -> float | None:
            moment = read(case)
            return None if moment is None else max(0.0, sign * (case.now - moment).total_seconds() / seconds)

        return since

    return compile_since


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
        return sum(map((case.now - window).__lt__, moments[-MOST_MOMENTS:])) if moments else 0

    return count


def _last(node: Call) -> Read:
    read = reader(node.arguments[0])
    return lambda case: max(read(case)[-MOST_MOMENTS:], default=None)


def _length(node: Call) -> Read:
    read = reader(node.arguments[0])

    def length(case: Case) -> int | None:
        text = read(case)
        return None if text is None else len(text)

    return length


def _words(node: Call) -> Read:
    read = reader(node.arguments[0])
    if node.arguments[0] == Name(at=node.arguments[0].at, name="text"):
        return _words_of_text

    def count_words(case: Case) -> int | None:
        text = read(case)
        return None if text is None else len(find_words(text[:MOST_SEARCHED]).words)

    return count_words


def _words_of_text(case: Case) -> int:
    if case.words is None:
        case.words = len(find_words(case.post.text[:MOST_SEARCHED]).words)
    return case.words


def sought_in(node: Call) -> frozenset[str]:
    """The texts of `any_of`, `all_of` and `none_of` as they stand in the list."""
    field, items = node.arguments
    assert isinstance(items, Items)  # by check
    folded = isinstance(field, Name) and FIELDS[field.name].folded
    return frozenset(fold(str(constant_of(value))) if folded else str(constant_of(value)) for value in items.values)


def _any_of(node: Call) -> Read:
    read, sought = reader(node.arguments[0]), sought_in(node)
    return lambda case: not sought.isdisjoint(read(case))


def _all_of(node: Call) -> Read:
    read, sought = reader(node.arguments[0]), sought_in(node)
    return lambda case: sought.issubset(read(case))


def _none_of(node: Call) -> Read:
    read, sought = reader(node.arguments[0]), sought_in(node)
    return lambda case: sought.isdisjoint(read(case))


def _best(choose: Callable[[list[Any]], Any]) -> Callable[[Call], Read]:
    def compile_best(node: Call) -> Read:
        reads = tuple(map(reader, node.arguments))

        def best(case: Case) -> Any:
            found = [read(case) for read in reads]
            return None if None in found else choose(found)

        return best

    return compile_best


def pattern_of(node: Call) -> str:
    """The pattern that stands for `contains`, `starts_with` or `ends_with`."""
    sought = str(constant_of(node.arguments[1]))
    quoted = "".join(letter if letter.isalnum() or letter in " _" else f"\\x{{{ord(letter):x}}}" for letter in sought)
    return {"contains": quoted, "starts_with": rf"\A{quoted}", "ends_with": rf"{quoted}\z"}[node.function]


def _contains(node: Call) -> Read:
    """Where the answer is compared with another yes or no; alone it is a pattern by now (`plain`)."""
    read, search = encoding(node.arguments[0]), compile_pattern(pattern_of(node), node.at).search

    def contains(case: Case) -> bool | None:
        text = read(case)
        return None if text is None else search(text) is not None

    return contains


def _known(node: Call) -> Read:
    read = reader(node.arguments[0])
    return lambda case: read(case) is not None


_CALLS: dict[str, Callable[[Call], Read]] = {
    "contains": _contains,
    "starts_with": _contains,
    "ends_with": _contains,
    "minutes_since": _since(60),
    "hours_since": _since(3_600),
    "days_since": _since(86_400),
    "hours_until": _since(3_600, -1),
    "count": _count,
    "last": _last,
    "length": _length,
    "words": _words,
    "any_of": _any_of,
    "all_of": _all_of,
    "none_of": _none_of,
    "max": _best(max),
    "min": _best(min),
    "known": _known,
}


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
        return None if value is None else value[:MOST_SEARCHED].encode("utf-8", "replace")

    return encoded


def _encoded_text(case: Case) -> bytes:
    if case.encoded is None:
        case.encoded = case.post.text[:MOST_SEARCHED].encode("utf-8", "replace")
    return case.encoded


def told(node: Node) -> str:  # noqa: PLR0911 - one line for each kind of value
    """How a value is called in the trace: as it was written, long texts and lists shortened."""
    match node:
        case Name():
            return node.name
        case Call():
            return f"{node.function}({', '.join(map(told, node.arguments))})"
        case Span():
            return node.written
        case Items():
            return f"[{', '.join(map(told, node.values[:5]))}{', ...' if len(node.values) > 5 else ''}]"
        case Arithmetic():
            parts = (f"({told(part)})" if isinstance(part, Arithmetic) else told(part) for part in parts_of(node))
            return f" {node.operator} ".join(parts)
        case Number():
            return repr(node.value)
        case Text() | Truth():
            return words.show(node.value)
    raise TypeError(node)


def label(node: Node) -> str:
    """A name that two values share only if they are the same."""
    match node:
        case Call():
            return f"{node.function}({', '.join(map(label, node.arguments))})"
        case Items():
            return f"[{', '.join(map(label, node.values))}]"
        case Text():
            return repr(node.value)
        case Arithmetic():
            return f"({label(node.left)} {node.operator} {label(node.right)})"
    return told(node)


def fetching(paths: Sequence[str]) -> Callable[[Case], tuple[Any, ...]]:
    """The attributes at these paths, all in one go."""
    if len(paths) > 1:
        return operator.attrgetter(*paths)
    reads = [operator.attrgetter(path) for path in paths]
    return lambda case: tuple([read(case) for read in reads])


def path_of(node: Node) -> str | None:
    """The path of an attribute that needs nothing but to be fetched."""
    source = FIELDS[node.name].source if isinstance(node, Name) else None
    return source if isinstance(source, str) else None
