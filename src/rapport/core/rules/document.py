"""A rule document in TOML -> its rules, each condition checked, each fault at its line and column."""

from __future__ import annotations

import bisect
import re
import tomllib
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

import msgspec

from rapport.core.decision import AUTONOMIES, Autonomy
from rapport.core.errors import InvalidRule
from rapport.core.rules.actions import ACTIONS, Action, Known, read_action
from rapport.core.rules.check import check_condition
from rapport.core.rules.cost import RULE_STEPS, SET_STEPS, cost_of
from rapport.core.rules.locate import Section, line_and_column, locate
from rapport.core.rules.syntax import Fault, Node, nearest, parse

#: Bounds of one document. Beyond them it is refused; a desk with more rules should split its workspace.
MAX_DOCUMENT = 500_000  # characters
MAX_RULES = 2_000
MAX_RULE_NAME = 200  # characters
MAX_ACTIONS = 20  # in one rule
MAX_GROUPS = 100
MAX_NOTE = 500  # characters of the note of a group

#: (type, must be there, meaning), for the reader and the reference page.
KEYS: dict[str, tuple[type, bool, str]] = {
    "name": (str, True, "what the rule is called in traces and reports; no two rules share one"),
    "when": (str, True, "the condition"),
    "then": (list, True, "the actions, a list of texts"),
    "stop": (bool, False, "true: no later rule is tried once this one has matched and taken effect"),
    "autonomy": (str, False, f"how far it goes by itself: {', '.join(AUTONOMIES)} (which it is when nothing is said)"),
    "group": (str, False, "the group that it belongs to"),
    "enabled": (bool, False, "false: the rule stays in the document and is not tried"),
}
GROUP_KEYS: dict[str, tuple[type, bool, str]] = {
    "name": (str, True, "what its rules call it"),
    "on": (bool, False, "false: none of its rules is tried"),
    "when": (str, False, "a condition that must hold before that of each of its rules"),
    "note": (str, False, "what it is for, in words for colleagues"),
}
TOP_KEYS: dict[str, tuple[type, str]] = {
    "rule": (list, "the rules, each as a [[rule]] section, tried from top to bottom"),
    "group": (list, "groups of rules, each as a [[group]] section, before or after its rules"),
    "version": (int, "number of this rule set; every decision carries it"),
    "fallback": (str, "the basket of a post for which no rule named one"),
}
_KINDS = {str: "a text in quotes", list: "a list of texts", bool: "true or false", int: "a whole number"}

#: tomllib takes time quadratic in the parts of a dotted key, and no key of ours has any.
_LONG_KEY = re.compile(
    r"""(?m)(?:^[ \t]*(?:\[+[ \t]*)?|[{,][ \t]*)(?:(?:[\w-]+|"(?:\\.|[^"\\\n])*"|'[^'\n]*')[ \t]*\.[ \t]*){9}"""
)
#: Thousands of sections are counted before they are read.
_RULE = re.compile(r"(?m)^[ \t]*\[\[[ \t]*rule[ \t]*\]\]")
_PLACE = re.compile(r" \((?:at line (\d+), column (\d+)|at end of document)\)\Z")
#: The size up to which tomllib takes nested arrays without trouble; no value of ours is nested at all.
_MAX_NESTING = 50


class RuleText(msgspec.Struct, frozen=True):
    """One rule as it stands in the document, understood but not compiled."""

    name: str
    when: str
    condition: Node
    actions: tuple[Action, ...]
    stop: bool
    line: int
    autonomy: Autonomy = "act"
    group: str = ""
    enabled: bool = True
    #: core.rules.cost: steps that it takes at most for one post, the condition of its group with it
    cost: int = 0


class GroupText(msgspec.Struct, frozen=True):
    """One group of rules as it stands in the document."""

    name: str
    on: bool
    #: "" and None where it has none
    when: str
    condition: Node | None
    note: str
    line: int


class RuleDocument(msgspec.Struct, frozen=True):
    """A whole rule set."""

    rules: tuple[RuleText, ...]
    version: int
    #: "" where the document names none
    fallback: str
    #: by name
    groups: Mapping[str, GroupText] = {}


def read_document(document: str, known: Known | None = None, bounded: bool = True) -> RuleDocument:
    """Read and check a rule document against the names that exist. Raises `InvalidRule` at the first fault.

    `bounded` False: it was saved once, and what it costs is no fault any more.
    """
    document = document.replace("\r\n", "\n")  # as tomllib does, so that places agree
    top = load_document(document)
    return _Reader(document, known or Known(), bounded).read(top)


def load_document(document: str) -> dict[str, Any]:
    """What `tomllib` reads, rules or not. Raises `InvalidRule` for what is no TOML, or would take minutes to read."""
    if len(document) > MAX_DOCUMENT:
        raise InvalidRule(f"the document has {len(document):,} characters; at most {MAX_DOCUMENT:,} are read", 1, 1)
    too_long = _LONG_KEY.search(document)
    if too_long:
        raise InvalidRule("a key with this many dots", *line_and_column(document, too_long.start()))
    heads = [head.start() for head in _RULE.finditer(document)]
    if len(heads) > MAX_RULES:
        where = line_and_column(document, heads[MAX_RULES])
        raise InvalidRule(f"{len(heads):,} rules; at most {MAX_RULES:,} are read", *where)
    try:
        return tomllib.loads(document)
    except RecursionError:
        raise InvalidRule("lists are nested too deeply", *line_and_column(document, _deepest(document))) from None
    except ValueError as error:  # TOMLDecodeError, and numbers of thousands of digits
        message = str(error)
        place = _PLACE.search(message)
        if place and place[1]:
            line, column = int(place[1]), int(place[2])
        else:
            line, column = line_and_column(document, len(document) if place else 0)
        text = _PLACE.sub("", message)
        reason = text[:1].lower() + text[1:]
        raise InvalidRule(f"not TOML: {reason}", line, column) from None


def _deepest(document: str) -> int:
    """Where the brackets first go deeper than any rule needs."""
    depth = 0
    for at, letter in enumerate(document):
        depth = max(0, depth + (letter in "[{") - (letter in "]}"))
        if depth > _MAX_NESTING:
            return at
    return 0


class _Reader:
    """One pass over a document that TOML has accepted."""

    def __init__(self, document: str, known: Known, bounded: bool) -> None:
        self.document = document
        self.bounded = bounded
        self.known = known
        self.sections = locate(document)
        self.line_starts = [0, *(end.end() for end in re.finditer("\n", document))]
        #: what rules and groups are called -> the line
        self.names: dict[str, int] = {}
        self.group_names: dict[str, int] = {}
        #: what the condition of each group costs, and what the rules cost that were read so far
        self.group_costs: dict[str, int] = {}
        self.cost = 0

    def read(self, top: dict[str, Any]) -> RuleDocument:
        for section in self.sections[1:]:
            if section.header not in ("[[rule", "[[group"):
                name = section.header.strip("[").partition(".")[0]
                guess = "" if name in ("rule", "group") else nearest(name, ("rule", "group")) or "rule"
                written = section.header + "]" * (1 + section.header.startswith("[["))
                self._fail(f"there is no section {written}", section.at, f"[[{guess}]]" if guess else "")
        self._check_top(top, self.sections[0])
        # the groups first: a rule may stand above the group that it belongs to
        groups = [self._group(*pair) for pair in self._each(top, "group", MAX_GROUPS)]
        rules = tuple(self._rule(*pair) for pair in self._each(top, "rule", MAX_RULES))
        by_name = {group.name: group for group in groups}
        return RuleDocument(rules, top.get("version", 0), top.get("fallback", ""), by_name)

    def _each(self, top: dict[str, Any], kind: str, most: int) -> list[tuple[dict[str, Any], Section]]:
        """What TOML made of the sections of one kind, each with its place."""
        heads = [section for section in self.sections if section.header == f"[[{kind}"]
        found = top.get(kind, [])
        if len(found) != len(heads):
            entry = self.sections[0].entries[kind]
            self._fail(f"write each {kind} as a section of its own, under [[{kind}]]", entry.key_at)
        if len(found) > most:
            self._fail(f"{len(found):,} {kind}s; at most {most:,} are read", heads[most].at)
        return list(zip(found, heads, strict=True))

    def _place(self, at: int) -> tuple[int, int]:
        """Line and column of a character, from 1."""
        line = bisect.bisect_right(self.line_starts, at)
        return line, at - self.line_starts[line - 1] + 1

    def _fail(self, message: str, at: int, suggestion: str = "") -> NoReturn:
        raise InvalidRule(message, *self._place(at), suggestion)

    def _check_top(self, top: dict[str, Any], section: Section) -> None:
        for key, entry in section.entries.items():
            if key not in TOP_KEYS:
                guess = "[[rule]] above it" if key in KEYS else nearest(key, TOP_KEYS)
                self._fail(f"there is no key {key} at the top of the document", entry.key_at, guess)
            self._check_type(key, top[key], TOP_KEYS[key][0], entry.value.at)
        baskets = self.known.baskets
        if baskets is not None and "fallback" in top and top["fallback"] not in baskets:
            guess = nearest(top["fallback"], baskets)
            self._fail(f"there is no basket {top['fallback'][:60]}", section.entries["fallback"].value.at, guess)
        if not 0 <= top.get("version", 0) < 2**31:
            self._fail("version counts from 0 to 2147483647", section.entries["version"].value.at)

    def _check_type(self, key: str, value: Any, wanted: type, at: int) -> None:
        if type(value) is not wanted:  # bool is an int for isinstance
            self._fail(f"{key} must be {_KINDS[wanted]}", at)

    def _rule(self, rule: dict[str, Any], section: Section) -> RuleText:
        self._check_keys("rule", rule, section, KEYS)
        name = self._name(rule["name"], section, self.names, "rule")
        group = self._choice("group", rule["group"], self.group_names, section) if "group" in rule else ""
        condition = self._condition(rule["when"], section)
        return RuleText(
            name=name,
            when=rule["when"],
            condition=condition,
            actions=self._actions(rule["then"], section),
            stop=rule.get("stop", False),
            line=self._place(section.at)[0],
            autonomy=self._choice("autonomy", rule.get("autonomy", "act"), AUTONOMIES, section),
            group=group,
            enabled=rule.get("enabled", True),
            cost=self._weigh(condition, group, section),
        )

    def _group(self, group: dict[str, Any], section: Section) -> GroupText:
        self._check_keys("group", group, section, GROUP_KEYS)
        note = group.get("note", "")
        if len(note) > MAX_NOTE:
            self._fail(f"a note has at most {MAX_NOTE} characters", section.entries["note"].value.at)
        name = self._name(group["name"], section, self.group_names, "group")
        condition = self._condition(group["when"], section) if "when" in group else None
        self.group_costs[name] = cost_of(condition) if condition else 0
        return GroupText(
            name=name,
            on=group.get("on", True),
            when=group.get("when", ""),
            condition=condition,
            note=note,
            line=self._place(section.at)[0],
        )

    def _weigh(self, condition: Node, group: str, section: Section) -> int:
        """What the rule costs; refused where that is too much, by itself or with those above it. One that is switched
        off counts, so that switching it on cannot fail.
        """
        cost = cost_of(condition) + self.group_costs.get(group, 0)
        self.cost += cost
        at = section.entries["when"].value.at
        if self.bounded and cost > RULE_STEPS:
            self._fail(
                f"this rule can take {cost:,} steps for one post; at most {RULE_STEPS:,} are allowed: shorten its "
                "patterns, look for plain words with contains, or split the rule in two",
                at,
            )
        if self.bounded and self.cost > SET_STEPS:
            self._fail(
                f"with this rule the set can take {self.cost:,} steps for one post; at most {SET_STEPS:,} are allowed: "
                "look for plain words with contains where patterns are not needed, and drop rules that never fire",
                at,
            )
        return cost

    def _check_keys(
        self, kind: str, found: dict[str, Any], section: Section, keys: dict[str, tuple[type, bool, str]]
    ) -> None:
        for key, entry in section.entries.items():
            if key not in keys:
                self._fail(f"a {kind} has no key {key}", entry.key_at, nearest(key, keys))
            self._check_type(key, found[key], keys[key][0], entry.value.at)
        for key, (_, needed, _) in keys.items():
            if needed and key not in found:
                self._fail(f"this {kind} has no {key}", section.at)

    def _choice(self, key: str, value: str, choices: Iterable[str], section: Section) -> Any:
        if value not in choices:
            guess = nearest(value, choices) or ("" if key == "group" else " or ".join(choices))
            self._fail(f"there is no {key} {value[:60]!r}", section.entries[key].value.at, guess)
        return value

    def _name(self, name: str, section: Section, taken: dict[str, int], kind: str) -> str:
        at = section.entries["name"].value.at
        if not name.strip():
            self._fail("the name is empty", at)
        if len(name) > MAX_RULE_NAME or not name.isprintable():
            self._fail(f"a name is one line of at most {MAX_RULE_NAME} characters", at)
        line = self._place(at)[0]
        if name in taken:
            self._fail(f'the name "{name}" is already taken by the {kind} on line {taken[name]}', at)
        taken[name] = line
        return name

    def _condition(self, when: str, section: Section) -> Node:
        value = section.entries["when"].value
        try:
            condition = parse(when)
            check_condition(condition)
        except Fault as fault:
            self._fail(fault.message, value.character(fault.at, len(when)), fault.suggestion)
        return condition

    def _actions(self, then: list[Any], section: Section) -> tuple[Action, ...]:
        value = section.entries["then"].value
        if not then:
            self._fail("a rule does something: then is empty", value.at)
        if len(then) > MAX_ACTIONS:
            self._fail(f"{len(then)} actions; at most {MAX_ACTIONS} in one rule", value.at)
        actions: dict[str, Action] = {}
        for written, place in zip(then, value.elements, strict=True):
            if not isinstance(written, str):
                self._fail('an action is a text in quotes: "basket:care"', place.at)
            try:
                action = read_action(written, self.known)
            except Fault as fault:
                self._fail(fault.message, place.character(fault.at, len(written)), fault.suggestion)
            key = action.verb if ACTIONS[action.verb].single else f"{action.verb}:{action.argument}"
            if key in actions:
                self._fail(f"this rule already says {actions[key].written}", place.at)
            actions[key] = action
        return tuple(actions.values())
