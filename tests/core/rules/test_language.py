"""Functions, arithmetic, and what a rule can ask beyond the post: the conversation, the ladder, the clock."""

from __future__ import annotations

import datetime as dt
import re
import zoneinfo
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapport.core.decision import NEW, ConversationFacts, PersonFacts, Score, Step
from rapport.core.errors import InvalidRule
from rapport.core.post import Author, Metrics, Post
from rapport.core.reading import Emotion, Intent, Reading, Sentiment
from rapport.core.rules import Circumstances, compile_rules
from rapport.core.rules.fields import FIELDS, MOST_SEARCHED
from rapport.core.rules.functions import FUNCTIONS

NOW = dt.datetime(2026, 11, 21, 23, 30, tzinfo=dt.UTC)


def ago(**span: float) -> dt.datetime:
    return NOW - dt.timedelta(**span)


POST = Post(
    "mastodon", "1", "RT: Still waiting for my REFUND, straße 5?", ago(hours=2),
    Author(id="7", handle="ann", name="Ann", bio="tea", followers=4_000, following=100),
    hashtags=("Fail", "rain"), mentions=("fernway",), metrics=Metrics(likes=10, reposts=4),
)  # fmt: skip
READING = Reading(
    "mastodon", "1", intent=Intent(complaint=0.9, praise=0.2),
    sentiment=Sentiment("negative", 0.8, 0.15, 0.05), emotion=Emotion(anger=0.4),
)  # fmt: skip
FACTS = PersonFacts(
    last_seen=ago(hours=48), first_seen=ago(days=80), negative=(ago(days=40), ago(days=3), ago(days=1)),
    posts=(ago(days=1), ago(days=3)), answers=(ago(days=2), ago(hours=5)),
    escalations=(("first", ago(days=30)), ("second", ago(days=2))),
)  # fmt: skip
TALK = ConversationFacts(
    4, "pending", "care", assigned=True, opened_at=ago(days=4), waiting_since=ago(minutes=95),
    posts=(ago(days=4), ago(minutes=95)), negative=(ago(days=4),), answers=(ago(days=3),),
)  # fmt: skip


def document(when: str) -> str:
    return f"[[rule]]\nname = 'One'\nwhen = '''{when}'''\nthen = ['tag:hit', 'basket:care']\n"


def given_for(talk: ConversationFacts = TALK, post: Post = POST, facts: PersonFacts = FACTS, zone: Any = dt.UTC) -> Any:
    at = Circumstances(NOW, zone=zone)
    return (post, READING, Score(40.0), facts, ("recall", "shop"), at, (), talk)


def step(when: str, **changes: Any) -> Step:
    """The step of a single rule; what `decide` keeps of it must agree."""
    rules = compile_rules(document(when))
    arguments = given_for(**changes)
    decision, (found,) = rules.decide(*arguments), rules.explain(*arguments)
    kept = found.matched or found.because[0].startswith("error: ")
    assert decision.trace == ((found,) if kept else ())
    return found


@pytest.mark.parametrize(
    ("when", "because"),
    [
        ('contains(text, "refund")', 'contains(text, "refund"): "REFUND"'),
        ('contains(text, "still wait")', 'contains(text, "still wait"): "Still wait"'),
        ('contains(text, "5?")', 'contains(text, "5?"): "5?"'),
        ('contains(text, "STRASSE") or contains(text, "STRAßE")', 'contains(text, "STRAßE"): "straße"'),
        ('starts_with(text, "rt:")', 'starts_with(text, "rt:"): "RT:"'),
        ('ends_with(text, "?")', 'ends_with(text, "?"): "?"'),
        ('not starts_with(text, "waiting")', 'starts_with(text, "waiting") is false'),
        ("not contains(author.bio, '''coffee''')".replace("'''", '"'), 'contains(author.bio, "coffee") is false'),
        ('contains(text, "refund") == true', 'contains(text, "refund") true == true'),
        (
            'starts_with(text, "rt") != ends_with(text, "!")',
            'starts_with(text, "rt") true != ends_with(text, "!") false',
        ),
        ("length(text) > 20", "length(text) 42 > 20"),
        ("words(text) == 8", "words(text) 8 == 8"),
        ("minutes_since(conversation.waiting_since) >= 90", "minutes_since(conversation.waiting_since) 95 >= 90"),
        ("days_since(person.first_seen) < 90", "days_since(person.first_seen) 80 < 90"),
        ("hours_since(last(person.answers)) < 6", "hours_since(last(person.answers)) 5 < 6"),
        (
            'hours_until(time("2026-11-23T11:30:00Z")) == 36',
            'hours_until(time("2026-11-23T11:30:00Z")) 36 == 36',
        ),
        ('any_of(topics, ["fault", "recall"])', 'topics has "recall"'),
        ('all_of(topics, ["shop", "recall"])', 'topics has all of ["shop", "recall"]'),
        ('none_of(hashtags, ["#Ad", "win"])', 'hashtags has none of ["#Ad", "win"]'),
        ('any_of(hashtags, ["#FAIL"])', 'hashtags has "fail"'),
        ("max(complaint, anger, praise) >= 0.9", "max(complaint, anger, praise) 0.9 >= 0.9"),
        ("min(complaint, anger) < 0.5", "min(complaint, anger) 0.4 < 0.5"),
        ("likes + reposts * 2 >= 18", "likes + (reposts * 2) 18 >= 18"),
        ("(likes + reposts) * 2 == 28", "(likes + reposts) * 2 28 == 28"),
        ("author.followers / author.following > 39", "author.followers / author.following 40 > 39"),
        ("likes -3 == 7 and likes-3 == 7 and -likes < -9.5", "0 - likes -10 < -9.5"),
        ("max(complaint, anger) - praise > 0.6", "max(complaint, anger) - praise 0.7 > 0.6"),
        ("person.last_seen < now - 1 days", "person.last_seen 2026-11-19 23:30:00 < now - 1 day 2026-11-20 23:30:00"),
        ("now - person.last_seen > 36 hours", "now - person.last_seen 2 days > 36 hours"),
        ("now - created_at <= 2 hours", "now - created_at 2 hours <= 2 hours"),
        ("not conversation.new", "conversation.new is false"),
        ('conversation.state in ["open", "pending"]', 'conversation.state "pending" in ["open", "pending"]'),
        ('conversation.basket == "care"', 'conversation.basket "care" == "care"'),
        ("conversation.assigned and not conversation.acknowledged", "conversation.acknowledged is false"),
        ("count(conversation.negative, 7 days) == 1", "count(conversation.negative, 7 days) 1 == 1"),
        ("count(conversation.posts, 2 hours) == 1", "count(conversation.posts, 2 hours) 1 == 1"),
        ("count(conversation.answers) >= 1", "count(conversation.answers) 1 >= 1"),
        ("hours_since(conversation.opened_at) == 96", "hours_since(conversation.opened_at) 96 == 96"),
        ("count(person.answers, 1 days) == 1", "count(person.answers, 1 day) 1 == 1"),
        ("count(person.escalations, 7 days) == 1", "count(person.escalations, 7 days) 1 == 1"),
        ('person.step == "second"', 'person.step "second" == "second"'),
        ('person.steps has "first"', 'person.steps has "first"'),
        ("clock.hour == 23 and clock.minute == 30", "clock.minute 30 == 30"),
        ('clock.weekday in ["saturday", "sunday"]', 'clock.weekday "saturday" in ["saturday", "sunday"]'),
        ('clock.date == "2026-11-21" and clock.month == 11', "clock.month 11 == 11"),
    ],
)
def test_each_form_matches_and_says_what_it_found(when: str, because: str) -> None:
    found = step(when)
    assert found.matched
    assert found.because[-1] == because


@pytest.mark.parametrize(
    ("when", "because"),
    [
        ('contains(author.bio, "coffee")', 'contains(author.bio, "coffee") is false'),
        ('any_of(topics, ["fault"])', 'topics has none of ["fault"]'),
        ('all_of(topics, ["shop", "tea", "fault"])', 'topics lacks "fault"'),
        ('none_of(topics, ["shop"])', 'topics has "shop"'),
        ("likes / replies > 1", "error: likes / replies divides by zero"),
        ("rating * 2 > 1", "rating * 2 unknown"),
        ("max(rating, likes) > 1", "max(rating, likes) unknown"),
        ("now - author.joined > 1 days".replace("author.joined", "last(conversation.answers)"), ""),
    ],
)
def test_what_does_not_match_says_why(when: str, because: str) -> None:
    found = step(when)
    assert not found.matched or not because
    assert not because or found.because == (because,)


def test_what_is_not_known_is_unknown_and_breaks_nothing() -> None:
    nobody = PersonFacts()
    assert step("hours_since(last(person.answers)) < 6", facts=nobody).because == (
        "hours_since(last(person.answers)) unknown",
    )
    assert step("now - person.last_seen > 1 days", facts=nobody).because == ("now - person.last_seen unknown",)
    assert step('conversation.state == "open"', talk=NEW).because == ("conversation.state unknown",)
    assert step("conversation.new", talk=NEW).matched
    assert not step("conversation.new", talk=ConversationFacts(posts=(NOW,))).matched
    assert step('person.step == ""', facts=nobody).matched


def test_the_clock_is_that_of_the_workspace() -> None:
    zone = zoneinfo.ZoneInfo("Asia/Kolkata")
    assert step("clock.hour == 5 and clock.minute == 0", zone=zone).matched
    assert step('clock.weekday == "sunday" and clock.date == "2026-11-22"', zone=zone).matched


def test_a_number_beyond_counting_breaks_the_rule_and_no_other() -> None:
    huge = " * ".join(["author.followers"] * 25)
    many = Post("mastodon", "1", "x", NOW, Author(id="7", followers=2**53))
    assert step(f"{huge} > 1", post=many).because[0].startswith("error: ")


def test_words_beyond_the_searched_part_of_a_text_are_not_looked_for() -> None:
    late = Post("mail", "1", "x" * (MOST_SEARCHED - 3) + " refund", NOW, Author(id="7"))
    assert not step('contains(text, "refund")', post=late).matched
    assert step('contains(text, "re")', post=late).matched
    assert not step('text matches "refund"', post=late).matched


@pytest.mark.parametrize(
    ("when", "needle", "message", "suggestion"),
    [
        ('contains(text, "")', '""', "text is empty", ""),
        ("contains(text, author.name)", "author.name", "takes a text in quotes", 'contains(text, "refund")'),
        ('contains(likes, "a")', "likes", "takes a text, and this is a number", 'contains(text, "refund")'),
        (f'contains(text, "{"x" * 81}")', '"xx', "at most 80 are sought", ""),
        ('"refund" in text', "text", "in needs a list, and this is a text", 'contains(text, "refund")'),
        ('text contains "refund"', "contains", "does not fit here", 'contains(text, "...")'),
        ("contians(text)", "contians", "no function contians", "contains"),
        ("length()  > 1", "length", "takes 1 argument, and this is 0", "length(text)"),
        ("length(likes) > 1", "likes", "takes a text, and this is a number", "length(text)"),
        ("max(complaint) > 1", "max", "takes 2 or more arguments, and this is 1", "max(complaint, anger, negative)"),
        ("max(complaint, text) > 1", "text", "takes a number, and this is a text", "max(complaint, anger, negative)"),
        ("last(topics) < now", "topics", "a list of moments, and this is a list of texts", "last(person.answers)"),
        ("any_of(text, ['a'])", "text", "a list of texts, and this is a text", FUNCTIONS["any_of"].form),
        ("any_of(topics, [1])", "[1]", "takes a list of texts in quotes", FUNCTIONS["any_of"].form),
        ("hours_since(3) > 1", "3", "takes a moment, and this is a number", "hours_since(person.last_seen)"),
        ("text + 1 > 2", "text", "a text + a number cannot be worked out", ""),
        ("now + now > now", "now >", "a moment + a moment cannot be worked out", "now - 2 days"),
        ("now - 2 > now", "2", "a moment - a number cannot be worked out", "now - 2 days"),
        ("2 days * 2 > 3 days", "2 >", "a duration * a number cannot be worked out", ""),
        ("likes / 0 > 1", "0 ", "divides by zero", ""),
        ("likes + 1", "likes", "is a number; compare it", ""),
        ("now - created_at > 2", "2", "cannot be compared with a number", ""),
        ("1 + 1 == 2", "1 + 1", "compares two fixed values", ""),
        ("(likes > 1) + 1 > 2", "likes", "a condition cannot be compared", ""),
        ("likes > 99999999999999999999", "9999", "number is too large; at most 9007199254740992", ""),
        ("conversation.state == 'opn'", "'opn'", 'conversation.state is never "opn"', "open"),
        ("clock.date == '24.12.'", "'24.12.'", 'clock.date is never "24.12."', '"2026-12-24"'),
        ("clock.weekday == 'Monday'", "'Monday'", 'clock.weekday is never "Monday"', "monday"),
        ("convesation.new", "convesation.new", "no field convesation.new", "conversation.new"),
        ("likes ** 2 > 1", "* 2", "does not fit here", ""),
        ("person.negative > 3", "3", "cannot be compared with a number", "count(person.negative, 30 days)"),
        ("hours_since(person.last_seen) > 2 days", "2 days", "cannot be compared with a duration", "48"),
        ("minutes_since(created_at) > 1 hours", "1 hours", "cannot be compared with a duration", "60"),
        ("person.last_seen > 2 days", "2 days", "with a duration", "now - person.last_seen > 2 days"),
        ("now > '2026-01-01'", "'2026", "cannot be compared with a text", 'time("2026-11-21T10:00:00Z")'),
        ("topics == 'recall'", "'recall'", "cannot be compared with a text", 'topics has "recall"'),
        ("topics in ['recall']", "topics", "is a list itself", 'any_of(topics, ["...", "..."])'),
        ("count(mentions) > 1 and mentions > 2", "2", "with a number", "count(mentions)"),
        ("kind == 'mail' or 'review'", "'review'", "compare it with something", 'in ["...", "..."]'),
        ("kind in ('mail', 'review')", ",", "does not fit here", "[ ] around a list"),
        ("author.followers", "author", "compare it with something", "author.followers >= 10"),
        ("score", "score", "compare it with something", "score >= 10"),
        ("urgency", "urgency", "compare it with something", "urgency >= 0.7"),
        ("urgency > 0,7", ",7", "does not fit here", "a point, as 0.5"),
        ("urgency > .7", ".7", "is not part of the language", "a digit before the point, as 0.5"),
        ("urgency > 70%", "%", "is not part of the language", "a share from 0 to 1, as 0.7"),
        ("clock.hour between 9", "between", "does not fit here", "two comparisons, joined with and"),
        ("len(text) > 3", "len", "no function len", "length"),
        ("lower(text) == 'a'", "lower", "no function lower", "contains"),
    ],
)  # fmt: skip
def test_a_fault_is_reported_at_its_place_with_what_would_be_right(
    when: str, needle: str, message: str, suggestion: str
) -> None:
    text = document(when)
    with pytest.raises(InvalidRule) as caught:
        compile_rules(text)
    error = caught.value
    assert message in error.message
    assert (error.line, error.suggestion) == (3, suggestion)
    line = text.split("\n")[2]
    assert error.column == line.index(needle, len("when = '''")) + 1


# ------------------------------------------------------------------ against Python
NUMBERS = {"likes": 10, "reposts": 4, "author.following": 100, "complaint": 0.9, "praise": 0.2}
LEAVES = st.one_of(
    st.sampled_from(sorted(NUMBERS)).map(lambda name: (name, float(NUMBERS[name]))),
    st.integers(0, 50).map(lambda value: (str(value), float(value))),
)


def joined(inner: st.SearchStrategy[tuple[str, Any]]) -> st.SearchStrategy[tuple[str, Any]]:
    def work(sign: str, one: tuple[str, Any], two: tuple[str, Any]) -> tuple[str, Any]:
        text = f"({one[0]} {sign} {two[0]})"
        if one[1] is None or two[1] is None or (sign == "/" and not two[1]):
            return text, None
        return text, {"+": one[1] + two[1], "-": one[1] - two[1], "*": one[1] * two[1]}.get(
            sign, one[1] / two[1] if two[1] else None
        )

    return st.builds(work, st.sampled_from("+-*/"), inner, inner)


@given(st.recursive(LEAVES, joined, max_leaves=8))
def test_arithmetic_is_that_of_python_and_division_by_zero_breaks_the_rule(expression: tuple[str, Any]) -> None:
    written, expected = expression
    bound = 10 if expected is None else 10 + round(expected, 9)
    if re.search(r"/ 0\b", written):  # refused before it is tried
        return
    found = step(f"likes + {written} >= {bound:f} - 0.000001")
    if expected is None:
        assert found.because[0].startswith("error: ")
    else:
        assert found.matched


@given(
    st.text("aB ß?.*()\\|é", min_size=1, max_size=4).filter(lambda text: text[-1] != "\\"),
    st.text("aAbB ß?.*()\\É", max_size=12),
)
def test_what_a_text_contains_is_what_stands_in_it(sought: str, text: str) -> None:
    rules = compile_rules(
        "".join(
            document(f'{name}(text, "{sought}")').replace("One", name).replace("tag:hit", f"tag:{name}")
            for name in ("contains", "starts_with", "ends_with")
        )
    )
    post = Post("mastodon", "1", text, NOW, Author(id="7"))
    low, text = sought.lower(), text.lower()
    expected = {"contains": low in text, "starts_with": text.startswith(low), "ends_with": text.endswith(low)}
    assert set(rules.decide(*given_for(post=post)).tags) == {name for name, holds in expected.items() if holds}


TOKENS = [*FIELDS, '"a"', '"a+"', '["a", "b"]', "1", "-0.5", "30 days", "true", 'time("2026-01-01T00:00:00Z")']
VALUES = st.one_of(
    st.sampled_from(TOKENS),
    st.builds("{}({})".format, st.sampled_from(sorted(FUNCTIONS)), st.sampled_from(TOKENS)),
    st.builds(
        "{}({}, {})".format, st.sampled_from(sorted(FUNCTIONS)), st.sampled_from(TOKENS), st.sampled_from(TOKENS)
    ),
    st.builds("({} {} {})".format, st.sampled_from(TOKENS), st.sampled_from("+-*/"), st.sampled_from(TOKENS)),
)
ANYTHING = st.one_of(
    VALUES,
    st.builds("{} {} {}".format, VALUES, st.sampled_from(["==", "!=", "<", ">=", "in", "has", "matches"]), VALUES),
)


@given(st.lists(ANYTHING, min_size=1, max_size=3), st.sampled_from([" and ", " or ", " and not "]))
@settings(max_examples=400)
def test_whatever_is_put_together_is_refused_or_decides(parts: list[str], word: str) -> None:
    """Values of every kind in every place: what passes the check can be compiled, tried and explained."""
    for when in [*parts, word.join(parts)]:
        try:
            rules = compile_rules(document(when))
        except InvalidRule:
            continue
        for facts, talk in ((FACTS, TALK), (PersonFacts(), NEW)):
            arguments = given_for(facts=facts, talk=talk)
            decision, steps = rules.decide(*arguments), rules.explain(*arguments)
            kept = tuple(one for one in steps if one.matched or one.because[0].startswith("error: "))
            assert decision.trace == kept
            assert all(one.matched or "divides by zero" in one.because[0] for one in kept)


def test_long_lists_and_texts_that_begin_alike_are_told_apart() -> None:
    """The index shares one look-up among rules that ask the same; what it knows them by must not be shortened."""
    names = [f"topic-{number}" for number in range(8)]
    first, second = (", ".join(f'"{name}"' for name in [*names, last]) for last in ("recall", "other"))
    rules = compile_rules(
        document(f"any_of(topics, [{first}])") + document(f"any_of(topics, [{second}])").replace("One", "Two")
    )
    assert [one.rule for one in rules.decide(*given_for()).trace] == ["One"]


def test_reasons_are_short_phrases() -> None:
    def why(when: str, **changes: Any) -> str:
        return compile_rules(document(when)).decide(*given_for(**changes)).why

    assert why('contains(text, "refund") and words(text) > 3') == 'says "REFUND" and 8 words'
    assert why("hours_since(last(person.answers)) > 4") == "last answered 5 hours ago"
    assert why('any_of(topics, ["recall", "shop"])') == "topic recall and shop"
    assert why("conversation.new", talk=NEW) == "a new conversation"
    assert why('clock.weekday == "saturday" and clock.hour > 20') == "on Saturday and hour 23"
    assert why("max(complaint, anger) > 0.5") == "max(complaint, anger) 0.9"
    assert why("not contains(text, 'tea')".replace("'", '"')) == "One"


def test_every_function_and_field_is_used_in_this_file_or_the_one_on_deciding() -> None:
    here = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    assert [name for name in FUNCTIONS if f"{name}(" not in here] == []
    assert [name for name in FIELDS if name.startswith(("conversation.", "clock.")) and name not in here] == []
