"""Names and types of an expression: every fault that can be found before a post arrives is found here."""

from __future__ import annotations

import re

import re2

from rapport.core.rules.fields import FIELDS, Field, Type
from rapport.core.rules.functions import FUNCTIONS, WORDS, check_call
from rapport.core.rules.syntax import (
    SECONDS,
    AllOf,
    AnyOf,
    Arithmetic,
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
    parts_of,
)

#: Characters in one pattern.
MAX_PATTERN = 1_000
#: A program of this many instructions may not owe more than three quarters of them to counted repeats. Time is
#: linear in the text, but the factor is the size of the program, and `(a?){500}` makes it grow without being long.
MAX_REPEATED = 300
#: Memory that one compiled pattern may take, in bytes (program and state tables).
PATTERN_MEMORY = 1 << 20

_COUNTED = re.compile(r"(?<!\\)\{\d+(?:,\d*)?\}")

#: what stands there written out
_WRITTEN: dict[type[Node], Type] = {Number: "number", Span: "duration", Text: "text", Truth: "bool"}
_ORDERED = ("number", "time", "duration")
_COUNTABLE = ("number", "time", "duration")


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
            raise Fault(f"{_shown(node)} is {WORDS[found]}; compare it with something", node.at, _example(node, found))


def type_of(node: Node) -> Type:  # noqa: PLR0911 - one line for each kind of node
    """The type of a value. Raises `Fault` where a part of it is wrong."""
    written = _WRITTEN.get(type(node))
    if written is not None:
        return written
    match node:
        case Name():
            return _field(node).type
        case Items():
            return _items(node)
        case Call():
            return check_call(node, type_of)
        case Arithmetic():
            return _arithmetic(node)
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
            raise Fault(f"{WORDS[found]} in a list that began with {WORDS[types[0]]}", value.at)
    return "numbers" if types[0] == "number" else "texts"


def _arithmetic(node: Arithmetic) -> Type:
    """Numbers with numbers; moments and durations as on a calendar."""
    left, right = _value_type(node.left), _value_type(node.right)
    if left == right == "number":
        if node.operator == "/" and isinstance(node.right, Number) and not node.right.value:
            raise Fault("this divides by zero", node.right.at)
        return "number"
    if node.operator in ("+", "-"):
        if left == "time" and right == "duration":
            return "time"
        if left == right == "time" and node.operator == "-":
            return "duration"
        if left == right == "duration":
            return "duration"
    wrong = node.left if left not in _COUNTABLE else node.right
    message = f"{WORDS[left]} {node.operator} {WORDS[right]} cannot be worked out"
    raise Fault(message, wrong.at, "now - 2 days" if "time" in (left, right) else "")


def _value_type(node: Node) -> Type:
    _refuse_condition(node)
    return type_of(node)


def _refuse_condition(side: Node) -> None:
    if isinstance(side, AllOf | AnyOf | Not | Compare | Inside | Matches | Has):
        raise Fault("a condition cannot be compared; join conditions with and, or, not", side.at)


def _is_fixed(node: Node) -> bool:
    """Does it stand for the same value whatever the post?"""
    # how long it is to a fixed moment changes as time goes by
    if isinstance(node, Name) or (isinstance(node, Call) and node.function.endswith(("_since", "_until"))):
        return False
    parts = parts_of(node)
    return all(map(_is_fixed, parts)) if parts else True


def _compare(node: Compare) -> Type:
    left, right = _value_type(node.left), _value_type(node.right)
    if _is_fixed(node.left) and _is_fixed(node.right):
        raise Fault("this compares two fixed values; name a field on one side", node.at)
    if left != right:
        message = f"{_shown(node.left)} is {WORDS[left]} and cannot be compared with {WORDS[right]}"
        raise Fault(message, node.right.at, _instead(node, left, right))
    if left in ("texts", "numbers", "times"):
        raise Fault(f"{_shown(node.left)} is {WORDS[left]}; ask count() of it, or has", node.at)
    if node.operator not in ("==", "!=") and left not in _ORDERED:
        raise Fault(f"{WORDS[left]} has no order", node.at, "==")
    _check_choices(node.left, node.right)
    _check_choices(node.right, node.left)
    return "bool"


def _instead(node: Compare, left: Type, right: Type) -> str:
    """What somebody who compares two things that cannot be compared may have meant."""
    name, other = _shown(node.left), node.right
    if isinstance(other, Span):
        unit = node.left.function.partition("_")[0].removesuffix("s") if isinstance(node.left, Call) else ""
        if unit in SECONDS:  # hours_since(...) > 2 days
            return f"{other.seconds / SECONDS[unit]:g}"
        return f"now - {name} > {other.written}" if left == "time" else ""
    if left == "texts" and isinstance(other, Text):
        return f'{name} has "{other.value[:60]}"'
    return {
        ("time", "text"): 'time("2026-11-21T10:00:00Z")',
        ("times", "number"): f"count({name}, 30 days)",
        ("texts", "number"): f"count({name})",
    }.get((left, right), "")


def _inside(node: Inside) -> Type:
    left, right = type_of(node.left), type_of(node.right)
    if right not in ("texts", "numbers"):
        sought = isinstance(node.left, Text) and right == "text"
        instead = f'contains({_shown(node.right)}, "{node.left.value[:60]}")' if sought else '["one", "two"]'  # type: ignore[attr-defined]
        raise Fault(f"in needs a list, and this is {WORDS[right]}", node.right.at, instead)
    if left == right == "texts":
        many = f'any_of({_shown(node.left)}, ["...", "..."])'
        raise Fault(f"{_shown(node.left)} is a list itself", node.left.at, many)
    if left != right.removesuffix("s"):
        raise Fault(f"{_shown(node.left)} is {WORDS[left]}, and this is {WORDS[right]}", node.right.at)
    if isinstance(node.right, Items):
        for value in node.right.values:
            _check_choices(node.left, value)
    return "bool"


def _matches(node: Matches) -> Type:
    left = type_of(node.left)
    if left != "text":
        raise Fault(f"matches needs a text, and {_shown(node.left)} is {WORDS[left]}", node.left.at)
    if not isinstance(node.right, Text):
        raise Fault("matches needs a pattern in quotes", node.right.at)
    compile_pattern(node.right.value, node.right.at)
    return "bool"


def _has(node: Has) -> Type:
    left = type_of(node.left)
    if left != "texts":
        sought = node.right.value[:60] if isinstance(node.right, Text) else "..."
        instead = f'contains({_shown(node.left)}, "{sought}")' if left == "text" else ""
        raise Fault(f"has needs a list of texts, and {_shown(node.left)} is {WORDS[left]}", node.left.at, instead)
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
    if field and field.shape and isinstance(value, Text) and not re.fullmatch(field.shape[0], value.value):
        raise Fault(f'{field.name} is never "{value.value[:60]}"', value.at, f'"{field.shape[1]}"')


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
    if isinstance(node, Text):
        return 'in ["...", "..."]'
    if name == "this":
        return ""
    field = field_of(node)
    bound = "0.7" if field is not None and re.search(r"0 to 1\b", field.meaning) else "10"
    return {
        "number": f"{name} >= {bound}",
        "text": f'{name} == "..."',
        "texts": f'{name} has "..."',
        "times": f"count({name}, 30 days) > 0",
        "time": f"hours_since({name}) > 24",
        "duration": f"{name} > 2 days",
    }.get(found, "")
