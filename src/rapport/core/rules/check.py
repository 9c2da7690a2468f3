"""Names and types of an expression: every fault that can be found before a post arrives is found here."""

from __future__ import annotations

import datetime as dt
import re

import re2

from rapport.core.rules.fields import FIELDS, FUNCTIONS, HISTORY, Field, Type
from rapport.core.rules.syntax import (
    AllOf,
    AnyOf,
    Call,
    Compare,
    Fault,
    Has,
    Inside,
    Items,
    Matches,
    Name,
    Node,
    Not,
    Number,
    Span,
    Text,
    Truth,
    nearest,
)

#: Characters in one pattern.
MAX_PATTERN = 1_000
#: A program of this many instructions may not owe more than three quarters of them to counted repeats. Time is
#: linear in the text, but the factor is the size of the program, and `(a?){500}` makes it grow without being long.
MAX_REPEATED = 300
#: Memory that one compiled pattern may take, in bytes (program and state tables).
PATTERN_MEMORY = 1 << 20

_COUNTED = re.compile(r"(?<!\\)\{\d+(?:,\d*)?\}")

_WORDS: dict[Type, str] = {
    "number": "a number",
    "text": "a text",
    "bool": "true or false",
    "time": "a moment",
    "duration": "a duration",
    "texts": "a list of texts",
    "numbers": "a list of numbers",
    "times": "a list of moments",
}
_ORDERED = ("number", "time")


def check_condition(node: Node) -> None:
    """Refuse (`Fault`) a condition that names something unknown or compares what cannot be compared."""
    if isinstance(node, AllOf | AnyOf):
        for part in node.parts:
            check_condition(part)
    elif isinstance(node, Not):
        check_condition(node.inner)
    elif isinstance(node, Compare | Inside | Matches | Has | Truth):
        type_of(node)
    else:
        found = type_of(node)
        if found != "bool":
            raise Fault(f"{_shown(node)} is {_WORDS[found]}; compare it with something", node.at, _example(node, found))


def type_of(node: Node) -> Type:  # noqa: PLR0911 - one line for each kind of node
    """The type of a value. Raises `Fault` where a part of it is wrong."""
    match node:
        case Number():
            return "number"
        case Span():
            return "duration"
        case Text():
            return "text"
        case Truth():
            return "bool"
        case Name():
            return _field(node).type
        case Items():
            return _items(node)
        case Call():
            return _call(node)
        case Compare():
            return _compare(node)
        case Inside():
            return _inside(node)
        case Matches():
            return _matches(node)
        case Has():
            return _has(node)
        case _:
            check_condition(node)
            return "bool"


def field_of(node: Node) -> Field | None:
    """The field that a node names, if it names one."""
    return FIELDS.get(node.name) if isinstance(node, Name) else None


def compile_pattern(pattern: str, at: int) -> re2._Regexp:
    """A pattern that searches in UTF-8 without regard to case, in time linear in the text (RE2).

    Raises `Fault` for a pattern that RE2 does not take or that is too large.
    """
    if len(pattern) > MAX_PATTERN:
        raise Fault(f"the pattern has {len(pattern):,} characters; at most {MAX_PATTERN:,} are taken", at)
    options = re2.Options()
    options.case_sensitive = False
    options.never_capture = True
    options.log_errors = False
    options.max_mem = PATTERN_MEMORY
    try:
        compiled = re2.compile(pattern.encode("utf-8", "replace"), options)
    except re2.error as error:
        reason = error.args[0] if error.args else "not understood"
        reason = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise Fault(f"the pattern is refused: {reason}", at) from None
    once = _COUNTED.sub("+", pattern)
    if compiled.programsize > MAX_REPEATED and once != pattern and compiled.programsize > 4 * _size(once, options):
        raise Fault("the pattern repeats too much; shorten its counts in braces", at)
    return compiled


def _size(pattern: str, options: re2.Options) -> int:
    try:
        return int(re2.compile(pattern.encode("utf-8", "replace"), options).programsize)
    except re2.error:  # a brace that was no count: then nothing is known, and nothing is allowed for
        return 1


def moment_of(node: Call) -> dt.datetime:
    """The moment in `time("...")`. Raises `Fault` when it is none or has no time zone."""
    argument = node.arguments[0] if len(node.arguments) == 1 else None
    if not isinstance(argument, Text):
        raise Fault("time takes one text", node.at, 'time("2026-11-21T10:00:00Z")')
    try:
        moment = dt.datetime.fromisoformat(argument.value)
    except ValueError:
        raise Fault("this is not a moment", argument.at, '"2026-11-21T10:00:00Z"') from None
    if moment.tzinfo is None:
        raise Fault("this moment has no time zone", argument.at, f'"{moment.isoformat()}Z"')
    return moment


def _field(node: Name) -> Field:
    found = FIELDS.get(node.name)
    if found is None:
        known = [*FIELDS, *FUNCTIONS]
        last = node.name.rpartition(".")[2]
        guess = nearest(node.name, known) or next((name for name in FIELDS if name.endswith(f".{last}")), "")
        if node.name in FUNCTIONS:
            raise Fault(f"{node.name} is a function", node.at, FUNCTIONS[node.name].form)
        raise Fault(f"there is no field {node.name}", node.at, guess)
    return found


def _items(node: Items) -> Type:
    if not node.values:
        raise Fault("the list is empty", node.at)
    types = [type_of(value) for value in node.values]
    for value, found in zip(node.values, types, strict=True):
        if not isinstance(value, Number | Text):
            raise Fault("a list holds numbers or texts in quotes", value.at)
        if found != types[0]:
            raise Fault(f"{_WORDS[found]} in a list that began with {_WORDS[types[0]]}", value.at)
    return "numbers" if types[0] == "number" else "texts"


def _call(node: Call) -> Type:
    function = FUNCTIONS.get(node.function)
    if function is None:
        raise Fault(f"there is no function {node.function}", node.at, nearest(node.function, FUNCTIONS))
    if node.function == "time":
        moment_of(node)
    elif node.function == "count":
        _count(node)
    else:
        if len(node.arguments) != 1:
            raise Fault(f"{node.function} takes one field", node.at, function.form)
        found = type_of(node.arguments[0])
        if node.function == "hours_since" and found != "time":
            raise Fault(f"hours_since takes a moment, and this is {_WORDS[found]}", node.arguments[0].at, function.form)
        if node.function == "known" and field_of(node.arguments[0]) is None:
            raise Fault("known takes a field", node.arguments[0].at, function.form)
    return function.type


def _count(node: Call) -> None:
    form = FUNCTIONS["count"].form
    if len(node.arguments) not in (1, 2):
        raise Fault("count takes a list and a duration", node.at, form)
    items, *rest = node.arguments
    found = type_of(items)
    if found not in ("times", "texts") or field_of(items) is None:
        raise Fault(f"count takes a list field, and this is {_WORDS[found]}", items.at, form)
    if not rest:
        return
    if found != "times":
        raise Fault("only moments can be counted within a duration", rest[0].at, f"count({_shown(items)})")
    if not isinstance(rest[0], Span):
        raise Fault("the second argument of count is a duration", rest[0].at, "30 days")
    if rest[0].seconds > HISTORY.total_seconds():
        raise Fault(f"history is kept for {HISTORY.days} days", rest[0].at, f"{HISTORY.days} days")


def _compare(node: Compare) -> Type:
    for side in (node.left, node.right):
        if isinstance(side, AllOf | AnyOf | Not | Compare | Inside | Matches | Has):
            raise Fault("a condition cannot be compared; join conditions with and, or, not", side.at)
    left, right = type_of(node.left), type_of(node.right)
    if all(isinstance(side, Number | Span | Text | Truth) for side in (node.left, node.right)):
        raise Fault("this compares two fixed values; name a field on one side", node.at)
    if left != right:
        message = f"{_shown(node.left)} is {_WORDS[left]} and cannot be compared with {_WORDS[right]}"
        hours = "a number of hours" if left == "number" and right == "duration" else ""
        raise Fault(message, node.right.at, hours)
    if left in ("texts", "numbers", "times"):
        raise Fault(f"{_shown(node.left)} is {_WORDS[left]}; ask count() of it, or has", node.at)
    if node.operator not in ("==", "!=") and left not in _ORDERED:
        raise Fault(f"{_WORDS[left]} has no order", node.at, "==")
    _check_choices(node.left, node.right)
    _check_choices(node.right, node.left)
    return "bool"


def _inside(node: Inside) -> Type:
    left, right = type_of(node.left), type_of(node.right)
    if right not in ("texts", "numbers"):
        raise Fault(f"in needs a list, and this is {_WORDS[right]}", node.right.at, '["one", "two"]')
    if left != right.removesuffix("s"):
        raise Fault(f"{_shown(node.left)} is {_WORDS[left]}, and this is {_WORDS[right]}", node.right.at)
    if isinstance(node.right, Items):
        for value in node.right.values:
            _check_choices(node.left, value)
    return "bool"


def _matches(node: Matches) -> Type:
    left = type_of(node.left)
    if left != "text":
        raise Fault(f"matches needs a text, and {_shown(node.left)} is {_WORDS[left]}", node.left.at)
    if not isinstance(node.right, Text):
        raise Fault("matches needs a pattern in quotes", node.right.at)
    compile_pattern(node.right.value, node.right.at)
    return "bool"


def _has(node: Has) -> Type:
    left = type_of(node.left)
    if left != "texts":
        instead = f'{_shown(node.left)} matches "..."' if left == "text" else ""
        raise Fault(f"has needs a list of texts, and {_shown(node.left)} is {_WORDS[left]}", node.left.at, instead)
    if field_of(node.left) is None:
        raise Fault("has needs a field on its left", node.left.at, "in")
    if not isinstance(node.right, Text):
        raise Fault("has needs a text in quotes", node.right.at)
    return "bool"


def _check_choices(named: Node, value: Node) -> None:
    """A field with a fixed set of values is compared with one of them, or the rule could never match."""
    field = field_of(named)
    if field and field.choices and isinstance(value, Text) and value.value not in field.choices:
        guess = nearest(value.value, field.choices) or " or ".join(field.choices)
        raise Fault(f'{field.name} is never "{value.value}"', value.at, guess)


def _shown(node: Node) -> str:
    match node:
        case Name():
            return node.name
        case Call():
            return f"{node.function}()"
        case _:
            return "this"


def _example(node: Node, found: Type) -> str:
    name = _shown(node)
    if name == "this":
        return ""
    return {
        "number": f"{name} >= 0.7",
        "text": f'{name} == "..."',
        "texts": f'{name} has "..."',
        "times": f"count({name}, 30 days) > 0",
        "time": f"hours_since({name}) > 24",
    }.get(found, "")
