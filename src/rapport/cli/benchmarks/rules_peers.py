"""The peers of `rules.N`: the same conditions translated into the language of another engine, and that engine driven.

A translation is made from the parsed condition. What a language cannot say is named (`Untold`), and the rule is then
left out for that peer; it is given less to do, never something else.
"""

from __future__ import annotations

import datetime as dt
import itertools
import json
import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from rapport.cli.benchmarks.rulebook import Written
from rapport.core.rules.fields import FIELDS, Case
from rapport.core.rules.syntax import (
    AllOf,
    AnyOf,
    Call,
    Compare,
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
    fields_in,
    parse,
)

#: What one post is to a peer: flat names, JSON values; moments are their age in days, texts as the rules fold them.
Facts = dict[str, Any]
#: Facts of one post in the form that the peer takes -> the rules that hold: (name, actions) of each.
Decide = Callable[[Any], Sequence[tuple[str, Sequence[str]]]]


class Untold(Exception):
    """A condition that the language of the peer has no words for."""


class Driven(NamedTuple):
    """A peer, ready."""

    #: facts -> the form in which it takes them; not timed
    prepare: Callable[[Facts], Any]
    decide: Decide
    #: names of rules that it was not given
    left_out: tuple[str, ...]


def asked(rules: Sequence[Written]) -> tuple[str, ...]:
    """Names of the fields that the conditions ask for."""
    return tuple(sorted(frozenset[str]().union(*(fields_in(parse(rule.when)) for rule in rules))))


def facts_of(case: Case, names: Sequence[str]) -> Facts:
    """The values of these fields for one post."""
    return {_flat(name): _plain(name, case) for name in names}


def _plain(name: str, case: Case) -> Any:
    field = FIELDS[name]
    value = operator.attrgetter(field.source)(case) if isinstance(field.source, str) else field.source(case)
    if field.type == "times":
        return [(case.now - moment) / dt.timedelta(days=1) for moment in value]
    if field.type == "texts":
        return sorted(value)
    return None if isinstance(value, float) and math.isnan(value) else value


def _flat(name: str) -> str:
    return name.replace(".", "_")


# ---------------------------------------------------------------- datalogic-py: JSONLogic, all rules in one array


def datalogic(rules: Sequence[Written]) -> Driven:
    """One compiled array with a condition for each rule, evaluated in a session over data parsed beforehand."""
    from datalogic_py import DataHandle, Engine

    told, left_out = _translated(rules, as_jsonlogic)
    engine = Engine()
    array = engine.compile([condition for _, condition in told])
    evaluate = engine.session().evaluate_data
    found = [(rule.name, rule.then) for rule, _ in told]

    def decide(handle: Any) -> list[tuple[str, Sequence[str]]]:
        return list(itertools.compress(found, evaluate(array, handle)))

    def prepare(facts: Facts) -> Any:
        # JSONLogic has no patterns: text is searched in lower case
        return DataHandle(json.dumps({**facts, "text": facts.get("text", "").lower()}))

    return Driven(prepare, decide, left_out)


def as_jsonlogic(node: Node) -> Any:  # noqa: C901, PLR0911 - one line for each kind of node
    """A condition as JSONLogic. Raises `Untold`."""
    match node:
        case Not():
            return {"!": [as_jsonlogic(node.inner)]}
        case AllOf():
            return {"and": [as_jsonlogic(part) for part in node.parts]}
        case AnyOf():
            return {"or": [as_jsonlogic(part) for part in node.parts]}
        case Compare():
            return _guarded(node, {node.operator: [as_jsonlogic(node.left), as_jsonlogic(node.right)]})
        case Inside():
            return {"in": [as_jsonlogic(node.left), as_jsonlogic(node.right)]}
        case Has(left=held, right=Text(value=wanted)):
            return {"in": [wanted.lstrip("@#").casefold(), as_jsonlogic(held)]}
        case Matches(left=Name(name="text"), right=Text(value=pattern)):
            parts = [{"in": [each, {"var": "text"}]} for each in alternatives(pattern.lower())]
            return {"or": parts} if len(parts) > 1 else parts[0]
        case Call(function="known", arguments=(Name(name=name),)):
            return {"!=": [{"var": _flat(name)}, None]}
        case Call(function="count", arguments=(Name(name=name), Span(seconds=seconds))):
            return {"length": [{"filter": [{"var": _flat(name)}, {"<": [{"var": ""}, seconds / 86_400]}]}]}
        case Items():
            return [as_jsonlogic(value) for value in node.values]
        case Name():
            return {"var": _flat(node.name)}
        case Number() | Text() | Truth():
            return node.value
    raise Untold(type(node).__name__)


def _guarded(node: Compare, made: Any) -> Any:
    """In JSONLogic null is less than one, and here what is unknown is less than nothing."""
    if isinstance(node.left, Name) and FIELDS[node.left.name].unknown and node.operator in ("<", "<=", "!="):
        return {"and": [{"!=": [as_jsonlogic(node.left), None]}, made]}
    return made


def alternatives(pattern: str) -> list[str]:
    """The words that a pattern of plain letters, groups, `|` and `?` finds; none that holds another of them.

    Raises `Untold` for any other pattern.
    """
    words, rest = _spelt(pattern)
    if rest:
        raise Untold(pattern)
    return [word for word in words if not any(other != word and other in word for other in words)]


def _spelt(pattern: str) -> tuple[list[str], str]:
    """The words up to the bracket that closes this group, and what stands behind it."""
    done: list[str] = []
    words = [""]
    while pattern and pattern[0] != ")":
        if pattern[0] == "|":
            done, words, pattern = done + words, [""], pattern[1:]
            continue
        if pattern[0] == "(":
            inner, pattern = _spelt(pattern[1:].removeprefix("?:"))
            pattern = pattern.removeprefix(")")
        elif re.match(r"[\w ]", pattern):
            inner, pattern = [pattern[0]], pattern[1:]
        else:
            raise Untold(pattern)
        if pattern.startswith("?"):
            inner, pattern = ["", *inner], pattern[1:]
        words = [word + more for word in words for more in inner]
    return done + words, pattern


# ---------------------------------------------------------------- zen-engine: a decision table


def zen(rules: Sequence[Written]) -> Driven:
    """One decision table that collects: a row for each rule, a column for each field and one for whole expressions.

    Seventeen times as fast as a table of whole expressions with patterns: the engine compiles a pattern anew each time
    that it searches, so the words of a pattern are searched for one by one.
    """
    from zen import ZenEngine

    told, left_out = _translated(rules, _as_row)
    decision = ZenEngine().create_decision(json.dumps(_as_graph([row for _, row in told])))
    found = {str(number): (rule.name, rule.then) for number, (rule, _) in enumerate(told)}

    def decide(facts: Any) -> list[tuple[str, Sequence[str]]]:
        return [found[row["rule"]] for row in decision.evaluate(facts)["result"]]

    return Driven(lambda facts: json.dumps({**facts, "text": facts.get("text", "").lower()}), decide, left_out)


#: column -> what stands in it; "" holds conditions that are about no field alone
Row = dict[str, str]


def _as_row(node: Node) -> Row:
    """A condition as a row of the table: comparisons of a field with a fixed value in its column, the rest in words."""
    row: Row = {}
    rest: list[str] = []
    for part in node.parts if isinstance(node, AllOf) else (node,):
        name, cell = _as_cell(part)
        if name and name not in row:
            row[name] = cell
        else:
            rest.append(as_zen(part))
    return {**row, "": " and ".join(rest)} if rest else row


def _as_cell(node: Node) -> tuple[str, str]:
    """(field, what its cell says); ("", "") for what needs an expression."""
    match node:
        case Compare(left=Name(name=name), right=Number(value=value)) if not FIELDS[name].unknown:
            return name, f"{node.operator} {value}" if node.operator != "==" else str(value)
        case Compare(left=Name(name=name), right=Text(value=value), operator="=="):
            return name, json.dumps(value)
        case Name(name=name):
            return name, "true"
    return "", ""


def _as_graph(rows: Sequence[Row]) -> Mapping[str, Any]:
    columns = sorted({column for row in rows for column in row}, reverse=True)
    inputs = [
        {"id": column or "when", "name": column, **({"field": _flat(column)} if column else {})} for column in columns
    ]
    table = {
        "hitPolicy": "collect",
        "inputs": inputs,
        "outputs": [{"id": "rule", "name": "rule", "field": "rule"}],
        "rules": [
            {
                "_id": f"r{number}",
                "rule": f'"{number}"',
                **{column or "when": row.get(column, "") for column in columns},
            }
            for number, row in enumerate(rows)
        ],
    }
    place = {"position": {"x": 0, "y": 0}}
    return {
        "nodes": [
            {"id": "in", "name": "in", "type": "inputNode", **place},
            {"id": "table", "name": "table", "type": "decisionTableNode", **place, "content": table},
            {"id": "out", "name": "out", "type": "outputNode", **place},
        ],
        "edges": [
            {"id": "a", "sourceId": "in", "targetId": "table", "type": "edge"},
            {"id": "b", "sourceId": "table", "targetId": "out", "type": "edge"},
        ],
    }


def as_zen(node: Node) -> str:  # noqa: PLR0911 - one line for each kind of node
    """A condition in the expression language of zen. Raises `Untold`."""
    match node:
        case Not():
            return f"not({as_zen(node.inner)})"
        case AllOf() | AnyOf():
            word = " and " if isinstance(node, AllOf) else " or "
            return f"({word.join(as_zen(part) for part in node.parts)})"
        case Compare():
            made = f"{as_zen(node.left)} {node.operator} {as_zen(node.right)}"
            # comparing null ends the whole evaluation with an error
            unknown = isinstance(node.left, Name) and FIELDS[node.left.name].unknown
            return f"({as_zen(node.left)} != null and {made})" if unknown else made
        case Inside():
            return f"{as_zen(node.left)} in {as_zen(node.right)}"
        case Has(left=held, right=Text(value=wanted)):
            return f"{json.dumps(wanted.lstrip('@#').casefold())} in {as_zen(held)}"
        case Matches(left=Name(name="text"), right=Text(value=pattern)):
            return f"({' or '.join(f'contains(text, {json.dumps(each)})' for each in alternatives(pattern.lower()))})"
        case Call(function="known", arguments=(Name() as left,)):
            return f"{as_zen(left)} != null"
        case Call(function="count", arguments=(Name() as left, Span(seconds=seconds))):
            return f"count({as_zen(left)}, # < {seconds / 86_400})"
        case Items():
            return f"[{', '.join(as_zen(value) for value in node.values)}]"
        case Name():
            return _flat(node.name)
        case Number() | Text() | Truth():
            return json.dumps(node.value)
    raise Untold(type(node).__name__)


def _translated(
    rules: Sequence[Written], translate: Callable[[Node], Any]
) -> tuple[list[tuple[Written, Any]], tuple[str, ...]]:
    told: list[tuple[Written, Any]] = []
    left_out: list[str] = []
    for rule in rules:
        try:
            told.append((rule, translate(parse(rule.when))))
        except Untold:
            left_out.append(rule.name)
    return told, tuple(left_out)
