"""Rule documents: what is refused, where, and with which suggestion."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.core.errors import InvalidRule
from rapport.core.rules import DEFAULT_BASKETS, compile_rules, default_document

GOOD = """[[rule]]
name = "One"
when = 'complaint >= 0.7'
then = ["basket:care"]
"""


def refusal(document: str, baskets: list[str] | None = None) -> InvalidRule:
    with pytest.raises(InvalidRule) as caught:
        compile_rules(document, baskets=baskets)
    return caught.value


def fault_of(document: str) -> InvalidRule | None:
    try:
        compile_rules(document)
    except InvalidRule as error:
        return error
    return None


def place(document: str, needle: str) -> tuple[int, int]:
    """Line and column of the first place where `needle` stands."""
    before = document[: document.index(needle)]
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


@pytest.mark.parametrize(
    ("when", "needle", "suggestion"),
    [
        ("complant >= 0.7", "complant", "complaint"),
        ("followers > 10", "followers", "author.followers"),
        ("complaint >= 0.7 and athor.bot", "athor.bot", "author.bot"),
        ('complaint >= "high"', '"high"', ""),
        ("complaint", "complaint", "complaint >= 0.7"),
        ("complaint = 0.7", "= 0.7", "=="),
        ("complaint >= 0.7 && irony < 1", "&&", "and"),
        ("complaint >= 0.7 AND irony < 1", "AND", "and"),
        ('text matches "(a"', '"(a"', ""),
        ('text has "a"', "text", 'contains(text, "a")'),
        ('sentiment == "negativ"', '"negativ"', "negative"),
        ("hoursince(now) > 3", "hoursince", "hours_since"),
        ("count(person.negative, 120 days) > 1", "120 days", "90 days"),
        ("count(mentions, 3 days) > 1", "3 days", "count(mentions)"),
        ("0.2 < complaint < 0.9", "< 0.9", ""),
        ("(complaint > 0.2) == true", "complaint", ""),
        ('["a"] has "a"', '["a"]', "in"),
        ('now > time("2026-01-01")', '"2026-01-01"', '"2026-01-01T00:00:00Z"'),
        ("kind in []", "[]", ""),
        ("3 > 2", "3 > 2", ""),
    ],
)
def test_a_fault_in_a_condition_is_reported_at_its_place_with_the_nearest_name(
    when: str, needle: str, suggestion: str
) -> None:
    line = f"when = '{when}'"
    document = (
        GOOD + f"\n# a comment with [[brackets]] and 'quotes'\n[[rule]]\nname = \"Two\"\n{line}\nthen = ['tag:x']\n"
    )
    error = refusal(document)
    start = line.index(when) + when.index(needle)
    assert (error.line, error.column) == (9, start + 1)
    assert error.suggestion == suggestion


def test_a_fault_in_a_condition_of_several_lines_is_reported_on_its_own_line() -> None:
    document = "[[rule]]\nname = 'x'\nwhen = '''\n  complaint >= 0.7\n  and nothing > 3\n'''\nthen = ['tag:x']\n"
    assert (refusal(document).line, refusal(document).column) == (5, 7)


def test_escapes_before_a_fault_do_not_shift_its_column() -> None:
    line = r'when = "text matches \"a\u0041\" and nope > 1"'
    document = f"[[rule]]\nname = 'x'\n{line}\nthen = ['tag:x']\n"
    assert (refusal(document).line, refusal(document).column) == (3, line.index("nope") + 1)


def test_windows_line_ends_do_not_shift_the_place() -> None:
    document = GOOD.replace("complaint", "complant").replace("\n", "\r\n")
    assert (refusal(document).line, refusal(document).column) == (3, 9)


@pytest.mark.parametrize(
    ("document", "needle", "message", "suggestion"),
    [
        (GOOD.replace("then", "than"), "than", "no key than", "then"),
        (GOOD.replace('name = "One"\n', ""), "[[rule]]", "no name", ""),
        (GOOD.replace("when = 'complaint >= 0.7'\n", ""), "[[rule]]", "no when", ""),
        (GOOD.replace('["basket:care"]', "[]"), "[]", "then is empty", ""),
        (GOOD.replace('["basket:care"]', '"basket:care"'), '"basket:care"', "must be a list", ""),
        (GOOD + "stop = 1\n", "1\n", "must be true or false", ""),
        (GOOD.replace("basket:care", "bucket:care"), "bucket", "no action", "basket:SLUG"),
        (GOOD.replace("basket:care", "priority:hihg"), "hihg", "no priority", "high"),
        (GOOD.replace("basket:care", "quarantine:yes"), ":yes", "no argument", "quarantine"),
        (GOOD.replace("basket:care", "basket:"), ':"]', "needs an argument", "basket:SLUG"),
        (GOOD.replace("basket:care", "tag:two words"), "two words", "is no name", ""),
        (GOOD.replace('"basket:care"', '"basket:care", "basket:sales"'), '"basket:sales"', "already says", ""),
        (GOOD.replace('"basket:care"', "7"), "7]", "an action is a text", ""),
        (GOOD.replace('"One"', '""'), '""', "name is empty", ""),
        ("rules = 3\n" + GOOD, "rules", "no key rules", "rule"),
        ("name = 'x'\n", "name", "no key name", "[[rule]] above it"),
        ("[rules]\nx = 1\n" + GOOD, "[rules]", "no section", "[[rule]]"),
        (GOOD + "[rule.more]\nx = 1\n", "[rule.more]", "no section", ""),
        ("rule = [{name = 'x', when = 'true', then = ['tag:x']}]", "rule", "section of its own", ""),
        ("version = -1\n" + GOOD, "-1", "version counts", ""),
        ("version = 1" + "0" * 5000 + "\n", "version", "not TOML", ""),
    ],
)
def test_a_fault_in_the_document_is_reported_at_its_place(
    document: str, needle: str, message: str, suggestion: str
) -> None:
    error = refusal(document)
    assert message in error.message
    assert (error.line, error.column) == place(document, needle)
    assert error.suggestion == suggestion


def test_two_rules_of_one_name_are_refused_and_the_first_is_named() -> None:
    error = refusal(GOOD + GOOD)
    assert error.line == 6
    assert "line 2" in error.message


def test_an_unknown_basket_is_refused_only_where_the_baskets_are_known() -> None:
    document = GOOD.replace("basket:care", "basket:caer")
    assert compile_rules(document).rules[0].written == ("basket:caer",)
    error = refusal(document, ["care", "sales"])
    assert (error.line, error.column, error.suggestion) == (4, 17, "care")
    assert refusal('fallback = "nowhere"\n' + GOOD, ["care"]).line == 1


def test_a_toml_fault_carries_the_place_that_toml_reports() -> None:
    error = refusal("[[rule]]\nname = x\n")
    assert (error.line, error.column) == (2, 8)
    assert refusal("[[rule]]\nname = ").line == 2


@pytest.mark.parametrize(
    "document",
    [
        "x" * 600_000,
        "a = " + "[" * 100_000,
        "a = " + "[" * 20_000 + "]" * 20_000,
        "a." * 50_000 + "a = 1",
        "[" + "a." * 50_000 + "a]",
        "x = { " + "'a' . " * 20 + "a = 1 }",
        GOOD.replace("complaint >= 0.7", "not " * 900 + "author.bot"),
        GOOD.replace("complaint >= 0.7", "known(" * 500),
        GOOD.replace("complaint >= 0.7", "complaint >= 0.7 or " * 1000 + "author.bot"),
        GOOD.replace("complaint >= 0.7", f'text matches "{"a" * 2000}"'),
        GOOD.replace("complaint >= 0.7", 'text matches "(a?){500}b"'),
        GOOD.replace("complaint >= 0.7", "kind in [" + '"post",' * 501 + "]"),
        "".join(GOOD.replace("One", str(number)) for number in range(2001)),
    ],
)
def test_documents_made_to_exhaust_the_compiler_are_refused_quickly(document: str) -> None:
    before = time.monotonic()
    refusal(document)
    assert time.monotonic() - before < 5


def test_a_condition_in_a_thousand_brackets_is_read_without_recursion() -> None:
    compile_rules(GOOD.replace("complaint >= 0.7", "(" * 1500 + "author.bot" + ")" * 1500))


@given(st.text(max_size=300))
def test_any_text_as_a_condition_compiles_or_is_refused_within_the_document(when: str) -> None:
    quoted = "".join(
        f"\\U{ord(letter):08X}" if not letter.isalnum() and letter != " " else letter
        for letter in when
        if not 0xD800 <= ord(letter) <= 0xDFFF
    )
    document = f'[[rule]]\nname = "x"\nwhen = "{quoted}"\nthen = ["tag:x"]\n'
    error = fault_of(document)
    assert error is None or error.line == 3
    assert error is None or 8 <= error.column <= len(f'when = "{quoted}"') + 1


PIECES = [
    "[[rule]]\n",
    "[rule]\n",
    "name = ",
    "when = ",
    "then = ",
    '"a"',
    "'''",
    '"""',
    "#x\n",
    '"basket:care"',
    "stop = true\n",
]
WORDS = ["complaint", " >= 0.7", " and ", " not ", "\n", "[", "]", "{", "}", ",", "(", ")", "=", ".", "\\", "7", "é"]


@given(st.lists(st.sampled_from(PIECES + WORDS), max_size=40).map("".join))
def test_any_document_compiles_or_is_refused_at_a_place_inside_it(document: str) -> None:
    error = fault_of(document)
    lines = document.split("\n")
    assert error is None or 1 <= error.line <= len(lines)
    assert error is None or 1 <= error.column <= len(lines[error.line - 1]) + 1


def test_the_default_rules_compile_against_the_default_baskets() -> None:
    rules = compile_rules(default_document(), baskets=[basket.slug for basket in DEFAULT_BASKETS])
    assert rules.version == 1
    named = {action.argument for rule in rules.rules for action in rule.actions if action.verb == "basket"}
    assert named == {basket.slug for basket in DEFAULT_BASKETS}
    drafts = {action.argument for rule in rules.rules for action in rule.actions if action.verb == "draft"}
    assert drafts == {"sorry", "thanks", "sales", "answer", "review"}


def test_an_empty_document_is_a_rule_set_without_rules() -> None:
    assert compile_rules("").rules == ()
