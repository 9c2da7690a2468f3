"""Rules written to hurt: each is refused at its place, with words that say what is wrong, before it can cost anything.

`pytest -s` prints how long each took.
"""

from __future__ import annotations

import time

import pytest

from rapport.core.errors import InvalidRule
from rapport.core.rules import compile_rules
from rapport.core.rules.document import MAX_DOCUMENT


def rule(when: str = "true", then: str = '["tag:x"]', name: str = "One") -> str:
    return f"[[rule]]\nname = '{name}'\nwhen = '''{when}'''\nthen = {then}\n"


SLOW = "[ab]*a" + "[ab]" * 200 + "zz"

#: what is tried -> (the document, line, what the refusal says)
HOSTILE: dict[str, tuple[str, int, str]] = {
    # patterns
    "a repeat of a repeat": (rule('text matches "((a{30}){30}){30}"'), 3, "the pattern is refused"),
    "a repeat beyond counting": (rule('text matches "a{100000}"'), 3, "the pattern is refused: invalid repetition"),
    "five hundred options": (rule('text matches "(a?){500}b"'), 3, "the pattern repeats too much"),
    "a program of a megabyte": (rule('text matches "' + "\\pL" * 250 + '"'), 3, "pattern too large"),
    "a back reference": (rule('text matches "(a+)\\1"'), 3, "the pattern is refused: invalid escape"),
    "a look ahead": (rule('text matches "(?=a)a*a*a*b"'), 3, "the pattern is refused: invalid perl operator"),
    "an open bracket": (rule('text matches "((((a"'), 3, "the pattern is refused: missing )"),
    "a pattern of two thousand characters": (rule(f'text matches "{"a+" * 1000}"'), 3, "2,000 characters"),
    "patterns that each may run long": (
        rule(" or ".join(f'text matches "{n}{SLOW}"' for n in range(4))), 3, "4,000,000 are allowed",
    ),
    "rules that together may run long": (
        "".join(rule(f'text matches "{n}{SLOW}"', name=str(n)) for n in range(20)), 47, "20,000,000 are allowed",
    ),
    # nesting
    "nine hundred times not": (rule("not " * 900 + "author.bot"), 3, "more than 30 levels deep"),
    "a call in a call in a call": (rule("max(1, " * 400 + "likes" + ")" * 400 + " > 1"), 3, "more than 30 levels deep"),
    "a sum of a thousand parts": (rule("likes" + " + likes" * 450 + " > 1"), 3, "more than 30 levels deep"),
    "brackets that never close": (rule("(" * 3_000), 3, "the condition ends too early"),
    "lists in lists": ("a = " + "[" * 20_000 + "]" * 20_000, 1, "nested too deeply"),
    "tables in tables": ("a = " + "{a=" * 5_000, 1, "nested too deeply"),
    "a key of many dots": ("a." * 50_000 + "a = 1", 1, "this many dots"),
    "a key of many dots in quotes": ('"a".' * 50_000 + "a = 1", 1, "this many dots"),
    "a key of many dots and escapes": ("[" + '"\\"" . ' * 50_000 + "a]", 1, "this many dots"),
    # size
    "a list of five hundred and one": (rule("kind in [" + '"post",' * 501 + "]"), 3, "501 items; at most 500"),
    "a call with six hundred arguments": (rule("max(" + "likes," * 600 + "likes) > 1"), 3, "601 items; at most 500"),
    "a condition of five thousand characters": (rule("author.bot or " * 360 + "true"), 3, "at most 4,000 are read"),
    "two thousand and one rules": ("".join(rule(name=str(n)) for n in range(2_001)), 8_001, "at most 2,000"),
    "twenty-one actions": (rule(then=str([f"tag:{n}" for n in range(21)])), 4, "at most 20 in one rule"),
    "a document beyond the bound": ("#" * (MAX_DOCUMENT + 1), 1, "at most 500,000 are read"),
    "a note that fills a page": (rule(then=f'["note:{"x" * 100_000}"]'), 4, "at most 500 are kept"),
    # numbers
    "a number of four thousand digits": (rule("likes > " + "9" * 3_900), 3, "this number is too large"),
    "powers of powers": (rule("9 ** 9 ** 9 > likes"), 3, "* does not fit here"),
    "a version beyond any integer": ("version = 1" + "0" * 5_000, 1, "not TOML"),
    "a version that is no number": ("version = nan", 1, "version must be a whole number"),
    "a division by zero": (rule("likes / 0 > 1"), 3, "this divides by zero"),
    "a time without end": (rule("count(person.posts, 999999 weeks) > 1"), 3, "history is kept for 90 days"),
    # wrong types
    "a number held against a text": (rule('complaint >= "high"'), 3, "is a number and cannot be compared with a text"),
    "an action that is a number": (rule(then="[7]"), 4, "an action is a text"),
    "a condition that is a table": ("[[rule]]\nname = 'x'\nwhen = {a = 1}\nthen = ['tag:x']\n", 3, "must be a text"),
    # characters
    "letters that look alike": (rule("соmplaint > 0.5"), 3, "is not part of the language"),
    "digits of another script": (rule("complaint > ０.5"), 3, "is not part of the language"),
    "invisible characters": (rule("author\u200b.bot"), 3, "is not part of the language"),
    "text that runs backwards": (rule(name="safe\u202etxt.exe"), 2, "a name is one line"),
    "a NUL in the document": (rule("author.bot\x00"), 3, "not TOML"),
    "a NUL by escape": ("[[rule]]\nname = 'x'\nwhen = \"author.bot\\u0000\"\nthen = ['tag:x']\n", 3, "is not part of"),
    "a line break in an action": (rule(then='["note:a\\nb"]'), 4, "one line without control characters"),
    # doubles and names
    "a key twice": ("[[rule]]\nname = 'x'\nname = 'y'\n", 3, "not TOML: cannot overwrite a value"),
    "a key with a dot in quotes": ('"version.x" = 1\n' + rule(), 1, "there is no key version.x"),
    "a key of a rule with a dot in quotes": (rule() + '"name.x" = "Two"\n', 5, "a rule has no key name.x"),
    "a rule twice": (rule() + rule(), 6, "already taken by the rule on line 2"),
    "code": (rule('__import__("os").system("id")'), 3, "'.' is not part of the language"),
    "what stands behind a field": (rule("author.__class__ == 1"), 3, "there is no field author.__class__"),
    "an assignment": (rule("author.bot = true"), 3, "= is not part of the language"),
    "a loop": (rule("[likes for likes in topics]"), 3, "does not fit here"),
}  # fmt: skip


@pytest.mark.parametrize("what", HOSTILE)
def test_a_rule_written_to_hurt_is_refused_with_its_place_and_its_fault(what: str) -> None:
    document, line, message = HOSTILE[what]
    before = time.process_time()
    with pytest.raises(InvalidRule) as caught:
        compile_rules(document)
    took = time.process_time() - before
    print(f"{what}: {took * 1e3:.1f} ms: {str(caught.value)[:150]}")
    assert message in caught.value.message
    assert caught.value.line == line
    assert took < 2  # measured in milliseconds; a machine under load may take longer, and no bomb takes seconds


def test_a_pattern_that_makes_other_engines_hang_is_taken_because_it_cannot_here() -> None:
    compile_rules(rule('text matches "(a+)+$" and text matches "(x+x+)+y" and text matches "(a|aa)+$"'))


@pytest.mark.parametrize(
    "document",
    [rule() + " " * 400_000 + "\n", 'fallback = """' + "\\\n" * 200_000 + 'care"""\n' + rule()],
    ids=["a line of blanks", "a text broken over two hundred thousand lines"],
)
def test_a_long_document_that_says_little_is_read_in_no_time(document: str) -> None:
    before = time.process_time()
    compile_rules(document)
    assert time.process_time() - before < 2  # tenths of a second; an hour if it grew with the square


@pytest.mark.parametrize("asked", ["score > {}.5", 'author.name == "{}"'])
def test_a_set_with_a_bound_of_its_own_in_each_comparison_is_compiled_in_no_time(asked: str) -> None:
    document = "".join(
        rule(" or ".join(asked.format(number * 15 + part) for part in range(15)), name=str(number))
        for number in range(400)
    )
    before = time.process_time()
    compile_rules(document)
    assert time.process_time() - before < 5  # half a second; it was ten, and grew with the cube
