"""Prints `docs/reference/rules.md` from the tables: `python -m rapport.core.rules.reference`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rapport.core.post import MAX_ITEMS as MAX_POST_ITEMS
from rapport.core.rules.actions import ACTIONS, ERROR_TAG, MAX_AHEAD, MAX_TITLE, MAX_WORDS
from rapport.core.rules.baskets import DEFAULT_BASKETS, FALLBACK
from rapport.core.rules.check import MAX_PATTERN
from rapport.core.rules.cost import PLACE, RULE_STEPS, SET_STEPS, STEP, cost_of, pattern_cost
from rapport.core.rules.document import GROUP_KEYS, KEYS, MAX_ACTIONS, MAX_DOCUMENT, MAX_GROUPS, MAX_RULES, TOP_KEYS
from rapport.core.rules.fields import GROUPS, MOST_MOMENTS, MOST_SEARCHED, Field
from rapport.core.rules.firing import MAX_EFFECTS
from rapport.core.rules.functions import FUNCTIONS
from rapport.core.rules.syntax import MAX_DEPTH, MAX_EXPRESSION, MAX_ITEMS, MAX_NUMBER, parse
from rapport.core.threads import MOST_SAID

_HEAD = """\
# Rules

This page is printed from the tables of `rapport.core.rules`; a test fails when it differs
(`python -m rapport.core.rules.reference > docs/reference/rules.md`).

A rule set is a TOML document of ordered rules:

```toml
[[rule]]
name = "Complaint from someone with reach"
when = 'complaint >= 0.7 and author.followers > 5000 and not person.ignored'
then = ["basket:care", "priority:urgent", "notify:duty"]
stop = true
```

Rules are tried from top to bottom on every post. The first matching rule that names a basket, a person, a priority
or a draft wins that one; everything else that matching rules do adds up. A matching rule with `stop = true` ends
the list. Each decision keeps the rules that matched, with the values that were found; the desk and `rapport decide`
tell the same of every rule that was tried.

What was read from a text is a share from 0 to 1: from 0.5 on it is more likely than not, and the rules that ship ask
for 0.5 to 0.6. Where to write rules, with rules to copy: [edit rules](../howto/edit-rules.md). How to try them on what
was heard before they are in force: [change the rules](../howto/rules.md).
"""

_GROUPS = """\
Rules can belong to a group, which is switched on and off as one and can ask for something first:

```toml
[[group]]
name = "Night"
when = 'not business_hours'
note = "What the team of the day need not see at once"

[[rule]]
name = "Anger at night"
group = "Night"
when = 'anger >= 0.7'
then = ["priority:high", "task:12 hours:Look at it in the morning"]
```

A rule that is switched off, or whose group is, is not tried; the explanation of a decision says so.
"""

_CONDITIONS = """\
## Conditions

| form | true when |
|---|---|
| `a and b`, `a or b`, `not a`, `( )` | as in speech; `not` binds tightest, then `and`, then `or` |
| `complaint >= 0.7`, `==` `!=` `<` `<=` `>` `>=` | both sides have the same type; numbers and moments have an order |
| `kind in ["review", "mail"]`, `not in` | the value is in the list |
| `text matches "refund\\|money back"` | the pattern is found in the text, in upper or lower case alike |
| `topics has "recall"` | the list contains exactly this text |
| `contains(text, "refund")` | the text holds it; see [functions](#functions) |
| `author.bot`, `true`, `false` | a yes-or-no field stands for itself |

Patterns are [RE2](https://github.com/google/re2/wiki/Syntax); `(?-i)` in front of one tells upper from lower case.
Words and patterns are looked for in the first {searched:,} characters of a text.

Numbers can be worked out with `+ - * /` and brackets, moments with durations: `likes + reposts * 2 > 50`,
`now - person.last_seen > 36 hours`, `created_at < now - 2 days`. A division by zero breaks the rule for that post.

Values: numbers (`0.7`, `5_000`), texts in single or double quotes (a backslash stands for itself except before the
closing quote, so patterns are written as they are), durations (`30 days`, `2 hours`; seconds, minutes, hours, days,
weeks), lists (`["a", "b"]`). A number is at most {number:,}.

Handles, hashtags, languages and networks are compared in lower case and without a leading `@` or `#`; all other
texts exactly.

**Unknown values.** Networks do not tell everything. A comparison with an unknown value is false and the trace says
`author.followers unknown`. So `not author.followers > 100` holds for an unknown number too; write
`author.followers <= 100` to ask for a number that is known and small, or `known(author.followers)`.

**A rule that breaks** on a post (a value that breaks its own contract) counts as not matched, its step in the trace
says `error: ...`, the post gets the tag `{tag}`, and the other rules go on.
"""


_AUTONOMY = f"""\
A free text stands in the action as it is: `"note:Call them back: they were cut off twice"`. A note has at most
{MAX_WORDS} characters, a task or title {MAX_TITLE}, on one line. A task is due within {MAX_AHEAD.days} days, in
minutes, hours, days or weeks from the moment of the decision.

**How far a rule goes by itself** is its `autonomy`; each action goes as far as the rule or the last column says,
whichever is less. A rule that asks for more is saved and does what is allowed.

| `autonomy` | sorting (basket, person, priority, skill, tag, quarantine) | a prepared answer | other actions |
|---|---|---|---|
| `observe` | does not happen; the trace says what the rule would have done | no | no |
| `suggest` | is proposed to people | is proposed | are proposed |
| `draft` | happens | is prepared | are made ready and wait for a person |
| `act` (nothing said) | happens | is prepared | happen, as far as the guard allows |

A rule that observes or suggests never ends the list with `stop`, because that would sort. One post has at most
{MAX_EFFECTS} actions apart from sorting; what two rules do alike is done once. What rules do is never looked at by
rules in the same pass, so no loop can grow.
"""


def render() -> str:
    """The whole page."""
    parts = [
        _HEAD,
        _keys(),
        _CONDITIONS.format(tag=ERROR_TAG, searched=MOST_SEARCHED, number=MAX_NUMBER),
        _fields(),
        _functions(),
        _actions(),
        _baskets(),
    ]
    return "\n".join([*parts, _bounds()])


def _table(head: str, rows: Sequence[tuple[str, ...]]) -> str:
    columns = head.count("|") + 1
    lines = [f"| {head} |", "|" + "---|" * columns, *(f"| {' | '.join(row)} |" for row in rows)]
    return "\n".join(lines) + "\n"


def _code(text: str) -> str:
    escaped = text.replace("|", "\\|")
    return f"`{escaped}`"


def _keys() -> str:
    rule = [(_code(key), "yes" if needed else "no", meaning) for key, (_, needed, meaning) in KEYS.items()]
    group = [(_code(key), "yes" if needed else "no", meaning) for key, (_, needed, meaning) in GROUP_KEYS.items()]
    top = [(_code(key), "no", meaning) for key, (_, meaning) in TOP_KEYS.items() if key not in ("rule", "group")]
    return "\n".join(
        [
            _table("key of a rule | needed | meaning", rule),
            _GROUPS,
            _table("key of a group | needed | meaning", group),
            _table("key of the document | needed | meaning", top),
        ]
    )


_TYPES = {
    "number": "number",
    "text": "text",
    "bool": "yes or no",
    "time": "moment",
    "texts": "list of texts",
    "times": "list of moments",
}


def _fields() -> str:
    parts = ["## Fields\n"]
    for heading, fields in GROUPS:
        rows = [(_code(field.name), _TYPES[field.type], _meaning(field)) for field in fields]
        parts.append(f"### {heading}\n\n{_table('field | type | meaning', rows)}")
    return "\n".join(parts)


def _meaning(field: Field) -> str:
    choices = f": {', '.join(field.choices)}" if field.choices else ""
    return f"{field.meaning}{choices}{'; can be unknown' if field.unknown else ''}"


def _functions() -> str:
    rows = [(_code(function.form), _TYPES[function.type], function.meaning) for function in FUNCTIONS.values()]
    return f"## Functions\n\n{_table('function | answers | meaning', rows)}"


def _actions() -> str:
    rows = [(_code(each.form), each.meaning, each.highest) for each in ACTIONS.values()]
    return f"## Actions\n\n{_table('action | does | goes at most as far as', rows)}\n{_AUTONOMY}"


def _baskets() -> str:
    rows = [(_code(basket.slug), basket.name, basket.tone) for basket in DEFAULT_BASKETS]
    return (
        "## Baskets of a new workspace\n\n"
        f"{_table('slug | name | tone', rows)}\n"
        f"A post for which no rule named a basket goes to the `fallback` of the document, else to `{FALLBACK}`.\n"
    )


def _bounds() -> str:
    return (
        "## Bounds\n\n"
        f"A document has at most {MAX_DOCUMENT:,} characters, {MAX_RULES:,} rules and {MAX_GROUPS} groups; a condition "
        f"at most {MAX_EXPRESSION:,} characters, {MAX_DEPTH} levels and {MAX_ITEMS} items in a list; a pattern at most "
        f"{MAX_PATTERN:,} characters; a rule at most {MAX_ACTIONS} actions. What lies beyond is refused with its line "
        "and column.\n\n"
        "**Cost.** When a rule is saved, an upper bound of what it can take for one post is worked out, in steps of "
        f"about {STEP} nanoseconds, the time to read or compare one value. A list counts with the most that is looked "
        f"at of it ({MAX_POST_ITEMS} mentions or hashtags, {MOST_MOMENTS:,} moments of a person, {MOST_SAID} of a "
        f"conversation); `contains` and patterns that stand for words (`refund|cancel(led)?`) with "
        f"{pattern_cost('refund'):,} steps; any other pattern with {PLACE:,} for each of its places, because each can "
        f"be alive at each of the {MOST_SEARCHED:,} characters that are looked at; `words` with "
        f"{cost_of(parse('words(text)')):,}. A rule may take {RULE_STEPS:,} steps and a set {SET_STEPS:,}, "
        f"{SET_STEPS * STEP / 1e9:g} seconds for the worst post that could be written against it; "
        "posts as they come take a thousandth of that.\n"
    )


if __name__ == "__main__":
    sys.stdout.write(render())
