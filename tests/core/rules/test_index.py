"""Whatever rules ask and posts say: what the index leaves out cannot match, and what it settles does."""

from __future__ import annotations

import datetime as dt
import json
import operator
import re
from operator import attrgetter
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapport.core.decision import NEW, ConversationFacts, PersonFacts, Score
from rapport.core.post import Author, Metrics, Post
from rapport.core.reading import Emotion, Intent, Reading, Sentiment
from rapport.core.rules import Circumstances, RuleSet, compile_rules
from rapport.core.rules.fields import FIELDS, Case, Field
from rapport.core.rules.index import REMEMBERED
from rapport.core.rules.patterns import TOGETHER, Patterns, group_patterns
from rapport.core.rules.syntax import (
    AllOf,
    AnyOf,
    Arithmetic,
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
    parse,
)

NOW = dt.datetime(2026, 11, 21, 10, tzinfo=dt.UTC)
NAIVE = dt.datetime(2026, 1, 1)  # noqa: DTZ001 - a moment that breaks its contract

# ------------------------------------------------------------------ any rule over any field and function


def of_type(*types: str) -> list[Field]:
    return [field for field in FIELDS.values() if field.type in types]


SIGNS = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
BOUNDS = st.sampled_from([-1, 0, 0.3, 0.5, 0.7, 1, 1.0, 3, 10, 50, 4999, 5000, 5000.5, 9007199254740992])
NUMBERS = st.sampled_from([field.name for field in of_type("number")])
LISTS = st.sampled_from([field.name for field in of_type("texts")])
TIMES = st.sampled_from([field.name for field in of_type("times")])
MOMENTS = st.sampled_from([field.name for field in of_type("time")])
TEXTS = st.sampled_from(of_type("text"))
WORDS = st.sampled_from(
    ["ann", "@Ann", "brand", "FAIL", "#fail", "en", "DE", "x", "recall", "shop", "still", "waiting"]
)
QUOTED = WORDS.map(json.dumps)


@st.composite
def number_asked(draw: st.DrawFn) -> str:
    one, other, third = draw(NUMBERS), draw(NUMBERS), draw(NUMBERS)
    forms = [one, one, one, f"max({one}, {other})", f"min({one}, {other}, {third})", f"{one} + {other}"]
    forms += [f"{one} / {other}", f"{one} * 2 - {other}", "length(text)", "words(text)"]
    value = draw(st.sampled_from(forms))
    sign, bound = draw(SIGNS), draw(BOUNDS)
    return draw(st.sampled_from([f"{value} {sign} {bound}", f"{bound} {sign} {value}", f"{value} {sign} {other}"]))


@st.composite
def text_asked(draw: st.DrawFn) -> str:
    field = draw(TEXTS)
    only = field.choices or (field.shape or ())[1:]
    values = st.sampled_from(only) if only else WORDS
    word, other = json.dumps(draw(values)), json.dumps(draw(values))
    pattern = json.dumps(
        draw(st.sampled_from(["still", "(?-i)STILL", "a|^$", "w(ait|a)", "vip", "x{2,3}", r"\\Qah", "n\\z"]))
    )
    function = draw(st.sampled_from(["contains", "starts_with", "ends_with"]))
    return draw(
        st.sampled_from(
            [
                f"{field.name} == {word}",
                f"{word} != {field.name}",
                f"{field.name} in [{word}, {other}]",
                f"{field.name} not in [{word}]",
                f"{field.name} matches {pattern}",
                f"{function}({field.name}, {word})",
            ]
        )
    )


@st.composite
def list_asked(draw: st.DrawFn) -> str:
    held, one, other = draw(LISTS), draw(QUOTED), draw(QUOTED)
    function = draw(st.sampled_from(["any_of", "all_of", "none_of"]))
    sign, bound = draw(SIGNS), draw(st.sampled_from([0, 1, 2]))
    forms = [f"{held} has {one}", f"{one} in {held}", f"{function}({held}, [{one}, {other}])"]
    forms += [f"{one} not in {held}", f"count({held}) {sign} {bound}", f"author.handle in {held}"]
    return draw(st.sampled_from(forms))


@st.composite
def time_asked(draw: st.DrawFn) -> str:
    times, moment, sign = draw(TIMES), draw(MOMENTS), draw(SIGNS)
    span = draw(st.sampled_from(["1 hour", "2 days", "30 days", "90 days"]))
    function = draw(st.sampled_from(["minutes_since", "hours_since", "days_since", "hours_until"]))
    forms = [f"count({times}, {span}) {sign} {draw(st.sampled_from([0, 1, 2]))}", f"count({times}) {sign} 1"]
    forms += [f"{function}({moment}) {sign} 24", f"now - {moment} > {span}", f"{moment} < now"]
    forms += [f"last({times}) < now", f"known({moment})", 'now > time("2026-01-01T00:00:00Z")']
    return draw(st.sampled_from(forms))


YES_NO = st.sampled_from([field.name for field in of_type("bool")])
CONDITIONS = st.one_of(
    number_asked(),
    text_asked(),
    list_asked(),
    time_asked(),
    YES_NO,
    YES_NO.map(lambda name: f"{name} == false"),
    NUMBERS.map(lambda name: f"known({name})"),
    st.sampled_from(["true", "false"]),
)


def wider(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    parts = st.lists(inner, min_size=2, max_size=4)
    return st.one_of(
        inner.map(lambda one: f"not ({one})"),
        parts.map(lambda many: " and ".join(f"({one})" for one in many)),
        parts.map(lambda many: " or ".join(f"({one})" for one in many)),
    )


def as_document(rules: list[tuple[str, tuple[str, ...], bool]]) -> str:
    return "".join(
        f"[[rule]]\nname = '{number}'\nwhen = '''{when}'''\nthen = {list(then)}\nstop = {str(stop).lower()}\n"
        for number, (when, then, stop) in enumerate(rules)
    )


ACTIONS = st.sampled_from([("tag:a", "tag:b"), ("basket:care",), ("basket:sales", "priority:high"), ("notify:duty",)])
RULES = st.lists(
    st.tuples(st.recursive(CONDITIONS, wider, max_leaves=6), ACTIONS, st.integers(0, 5).map(lambda n: n == 0)),
    min_size=1,
    max_size=10,
)

# ------------------------------------------------------------------ any post

SHARES = st.sampled_from([0.0, 0.3, 0.5, 0.6999, 0.7, 1.0])
#: not what the vocabulary promises: a number that is none, a text in its place, a whole number
BROKEN = st.one_of(SHARES, st.sampled_from([float("nan"), "much", 1, None]))
AGO = st.sampled_from([NOW, NOW - dt.timedelta(hours=1), NOW - dt.timedelta(days=3), NOW - dt.timedelta(days=40)])


def histories(moments: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(moments, max_size=3).map(tuple)


def structs(kind: type, **parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries({}, optional=parts).map(lambda given: kind(**given))


def cases(shares: st.SearchStrategy[Any], moments: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    """What `decide` takes."""
    counts = st.sampled_from([None, 0, 3, 10, 4999, 5000, 5001])
    author = structs(
        Author, handle=st.sampled_from(["Ann", "@bob"]), name=WORDS, bio=st.sampled_from([None, "a VIP"]),
        followers=counts, posts=counts, bot=st.booleans(), ours=st.booleans(),
    )  # fmt: skip
    post = st.builds(
        Post, network=st.sampled_from(["x", "mastodon"]), id=st.just("1"),
        text=st.sampled_from(["", "Still waiting", "aha", "\ud800 still", "xx won"]), created_at=AGO, author=author,
        kind=st.sampled_from(["post", "reply", "mail"]), lang=st.sampled_from([None, "de"]),
        rating=st.sampled_from([None, 1.0, 3.0]), mentions=histories(WORDS), hashtags=histories(WORDS),
        metrics=structs(Metrics, likes=st.integers(0, 3), replies=st.integers(0, 2)),
    )  # fmt: skip
    sentiment = st.builds(Sentiment, st.sampled_from(["negative", "neutral", "positive"]), shares, shares, shares)
    reading = st.builds(
        Reading, st.just("x"), st.just("1"), language=st.sampled_from(["und", "en", "de"]), sentiment=sentiment,
        emotion=structs(Emotion, anger=shares, joy=shares),
        intent=structs(Intent, complaint=shares, question=shares, praise=shares), urgency=shares, spam=shares,
    )  # fmt: skip
    person = structs(
        PersonFacts, ignored=st.booleans(), last_seen=moments, bot_score=st.sampled_from([None, 0.5]),
        negative=histories(moments), posts=histories(moments), answers=histories(moments),
        relationship=st.sampled_from(["", "journalist"]), conversations=st.integers(0, 2),
    )  # fmt: skip
    talk = structs(
        ConversationFacts, id=st.just(5), state=st.sampled_from(["", "open"]), basket=st.sampled_from(["", "care"]),
        assigned=st.booleans(), waiting_since=moments, posts=histories(moments),
    )  # fmt: skip
    topics = st.sampled_from([(), ("recall",), ("recall", "shop")])
    around = st.builds(
        Circumstances, st.just(NOW), st.booleans(), handles=st.sampled_from([frozenset(), frozenset({"brand"})])
    )
    return st.tuples(
        post, reading, shares.map(Score), person, topics, around, st.just(()), st.one_of(st.just(NEW), talk)
    )


def case_of(given_: tuple[Any, ...]) -> Case:
    post, reading, score, person, topics, at, _, talk = given_
    return Case(
        post, post.author, reading, reading.intent, reading.sentiment, reading.emotion, person, score.value,
        frozenset(topics), at.now, at.business_hours, at.handles, reading.sentiment, talk, at.zone,
    )  # fmt: skip


def check(rules: RuleSet, given_: tuple[Any, ...]) -> bool:
    """Deciding, explaining and settling must agree. Whether anything broke on the way."""
    decision, steps = rules.decide(*given_), rules.explain(*given_)
    kept = tuple(one for one in steps if one.matched or one.because[0].startswith("error: "))
    assert decision.trace == kept
    assert decision.tried == len(steps)
    broke = any(not one.matched for one in kept)
    ruling = rules.settle(case_of(given_))
    if ruling is not None and not broke:
        assert ruling.names == tuple(one.rule for one in kept)
        assert ruling.actions == tuple(one.actions for one in kept)
        assert msgspec.structs.replace(ruling.decision, trace=kept, why=decision.why) == decision
    return broke or ruling is None


@given(RULES, st.lists(cases(SHARES, AGO), min_size=1, max_size=3))
@settings(max_examples=150)
def test_what_is_settled_is_what_is_decided_and_explained(
    rules: list[tuple[str, tuple[str, ...], bool]], given_: list[tuple[Any, ...]]
) -> None:
    compiled = compile_rules(as_document(rules))
    divides = any("/" in when for when, _, _ in rules)
    for each in given_:
        assert divides or not check(compiled, each)


# ------------------------------------------------------------------ against the meaning of the words, read naively


def folded(value: Any) -> Any:
    return value.lstrip("@#").lower() if isinstance(value, str) else value


def meaning(node: Node, case: Case) -> Any:  # noqa: C901, PLR0911, PLR0912 - one line for each kind of part
    """What the reference says of a condition or value, without regard to speed; None for an unknown value."""
    match node:
        case AllOf():
            return all(meaning(part, case) for part in node.parts)
        case AnyOf():
            return any(meaning(part, case) for part in node.parts)
        case Not():
            return not meaning(node.inner, case)
        case Number() | Text() | Truth():
            return node.value
        case Span():
            return dt.timedelta(seconds=node.seconds)
        case Items():
            return [meaning(value, case) for value in node.values]
        case Name():
            source = FIELDS[node.name].source
            return attrgetter(source)(case) if isinstance(source, str) else source(case)
        case Call():
            return called(node.function, node.arguments, case)
    left, right = meaning(node.left, case), meaning(node.right, case)  # type: ignore[attr-defined]
    if left is None or right is None:
        return None if isinstance(node, Arithmetic) else False
    if any(isinstance(side, Name) and FIELDS[side.name].folded for side in (node.left, node.right)):  # type: ignore[attr-defined]
        left, right = (
            [folded(each) for each in side] if isinstance(side, list) else folded(side) for side in (left, right)
        )
    match node:
        case Compare() | Arithmetic():
            return PYTHON[node.operator](left, right)
        case Inside():
            return left in right
        case Has():
            return right in left
        case Matches():
            return found_in(left, right)
    raise TypeError(node)


PYTHON: dict[str, Any] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv,
}  # fmt: skip


def found_in(text: str, pattern: str) -> bool:
    exact = pattern.startswith("(?-i)")
    plain = pattern.removeprefix("(?-i)").replace("\\Q", "").replace("\\z", "\\Z")
    return re.search(plain, text, 0 if exact else re.IGNORECASE) is not None


def called(function: str, arguments: tuple[Node, ...], case: Case) -> Any:  # noqa: C901, PLR0911, PLR0912 - as above
    first, *more = [meaning(argument, case) for argument in arguments]
    if isinstance(arguments[0], Name) and FIELDS[arguments[0].name].folded and function.endswith("_of"):
        first, more = [folded(each) for each in first], [[folded(each) for each in more[0]]]
    match function:
        case "known":
            return first is not None
        case "time":
            return dt.datetime.fromisoformat(first)
        case "count":
            return len(first) if not more else sum(each > NOW - more[0] for each in first)
        case "last":
            return max(first, default=None)
        case "any_of":
            return bool(set(first) & set(more[0]))
        case "all_of":
            return set(more[0]) <= set(first)
        case "none_of":
            return not set(first) & set(more[0])
    if first is None or None in more:
        return None
    match function:
        case "max" | "min":
            return (max if function == "max" else min)(first, *more)
        case "contains":
            return more[0].lower() in first.lower()
        case "starts_with":
            return first.lower().startswith(more[0].lower())
        case "ends_with":
            return first.lower().endswith(more[0].lower())
        case "length":
            return len(first)
        case "words":
            return len(first.split())
        case "hours_until":
            return max(0.0, (first - NOW).total_seconds() / 3_600)
    unit = {"minutes_since": 60, "hours_since": 3_600, "days_since": 86_400}[function]
    return max(0.0, (NOW - first).total_seconds() / unit)


@given(st.lists(st.recursive(CONDITIONS, wider, max_leaves=6), min_size=1, max_size=6), cases(SHARES, AGO))
@settings(max_examples=200)
def test_a_condition_means_what_the_reference_says_of_its_words(whens: list[str], given_: tuple[Any, ...]) -> None:
    steps = compile_rules(as_document([(when, ("tag:a",), False) for when in whens])).explain(*given_)
    for when, step in zip(whens, steps, strict=True):
        try:
            expected = bool(meaning(parse(when), case_of(given_)))
        except ZeroDivisionError:
            assert step.because[0].startswith("error: ")
        else:
            assert step.matched == expected, (when, step.because)


@given(RULES, cases(BROKEN, st.one_of(AGO, st.just(NAIVE))))
@settings(max_examples=100)
def test_values_that_break_their_contract_break_rules_alone(
    rules: list[tuple[str, tuple[str, ...], bool]], given_: tuple[Any, ...]
) -> None:
    check(compile_rules(as_document(rules)), given_)


@given(
    RULES,
    st.one_of(st.lists(cases(SHARES, AGO), max_size=5), st.lists(cases(BROKEN, st.one_of(AGO, st.just(NAIVE))))),
)
@settings(max_examples=150)
def test_many_cases_at_once_are_looked_up_as_each_alone(
    rules: list[tuple[str, tuple[str, ...], bool]], given_: list[tuple[Any, ...]]
) -> None:
    index = compile_rules(as_document(rules)).index
    found = [case_of(each) for each in given_]
    assert index.look_all(found) == [index.look(case) for case in found]


@pytest.mark.parametrize(
    ("when", "holds"),
    [
        ('topics has "recall" and topics has "shop"', False),
        ('topics has "recall" and not topics has "shop"', True),
        ('all_of(topics, ["recall", "shop"])', False),
        ('any_of(topics, ["recall", "shop"]) and none_of(topics, ["shop"])', True),
        ('any_of(topics, ["recall", "tea"]) and any_of(topics, ["shop", "sale"])', False),
        ('not (topics has "recall" and topics has "tea")', True),
        ('text matches "still" and text matches "refund"', False),
        ('text matches "still" and text matches "waiting"', True),
        ('text matches "still" and author.bio matches "vip"', False),
        ('not text matches "refund" and contains(text, "ill wait")', True),
        ("complaint > 0.7 or complaint < 0.7", False),
        ("not (complaint < 0.7) and complaint <= 0.7", True),
        ("complaint == 0.7 and complaint != 0.70001", True),
        ("author.followers > 9007199254740992", True),
        ("author.followers >= 9007199254740992 and author.followers < 9007199254740992", False),
        ("known(rating) or rating > 3 or not rating <= 3", True),
        ("likes / replies > 1 or complaint > 0.5", True),
        ("count(topics) == 1 and count(person.posts, 1 hour) == 0", True),
    ],
)
def test_the_index_is_sure_only_of_what_holds(when: str, holds: bool) -> None:
    post = Post(
        "x", "1", "Still waiting", NOW, Author(handle="ann", followers=2**53 + 1), metrics=Metrics(likes=3, replies=1)
    )
    given_ = (
        post, Reading("x", "1", intent=Intent(complaint=0.7)), Score(), PersonFacts(), ("recall",), Circumstances(NOW),
        (), NEW,
    )  # fmt: skip
    rules = compile_rules(as_document([(when, ("tag:a",), False)]))
    assert not check(rules, given_)
    assert rules.decide(*given_).tags == (("a",) if holds else ())


# ------------------------------------------------------------------ what is remembered, and what is searched together


NOTHING = Intent()


def a_case(text: str = "", handle: str = "ann", intent: Intent = NOTHING) -> Case:
    post = Post("x", "1", text, NOW, Author(handle=handle))
    reading = Reading("x", "1", intent=intent)
    return case_of((post, reading, Score(), PersonFacts(), (), Circumstances(NOW), (), NEW))


def test_one_combination_of_rules_has_one_ruling() -> None:
    rules = compile_rules(as_document([("complaint > 0.5", ("tag:a",), False), ("question > 0.5", ("tag:b",), False)]))
    first = rules.settle(a_case(intent=Intent(complaint=0.9)))
    assert rules.settle(a_case("other words", intent=Intent(complaint=0.6))) is first
    assert first is not None
    assert (first.names, first.actions, first.decision.tags) == (("0",), (("tag:a",),), ("a",))
    other = rules.settle(a_case(intent=Intent(complaint=0.9, question=0.9)))
    assert other is not None
    assert other.names == ("0", "1")


def test_what_is_remembered_has_a_bound() -> None:
    conditions = [(f"complaint == 0.{n:02}", ("tag:a",), False) for n in range(1, 13)]
    conditions += [(f"{name} > 0.5", ("tag:a",), False) for name in ("question", "praise", "request", "report")]
    conditions += [(f"{name} > 0.5", ("tag:a",), False) for name in ("purchase",)]
    rules = compile_rules(
        as_document([*conditions, *[(f'author.handle == "{n}"', ("tag:b",), False) for n in range(20)]])
    )
    found = set()
    for n in range(13):
        for bits in range(32):
            for who in range(12):
                names = ("question", "praise", "request", "report", "purchase")
                intents = {name: 0.9 for place, name in enumerate(names) if bits >> place & 1}
                ruling = rules.settle(a_case(handle=str(who), intent=Intent(complaint=n / 100, **intents)))
                assert ruling is not None
                found.add(ruling.numbers)
    assert len(found) > REMEMBERED
    assert len(rules.rulings.known) <= REMEMBERED


@pytest.mark.parametrize("text", ["", "no such word", "still", "a refund, and Still WAITING", "won"])
def test_patterns_searched_together_find_what_each_finds_alone(text: str) -> None:
    patterns = ["still", "refund|money back", "(?-i)STILL", "^$", "wait(ing|ed)?", "\\Qa(\\E", "n\\z", "[xyz]+"]
    encoded = text.encode()
    alone = [number for number, one in enumerate(patterns) if Patterns([one]).find(encoded)]
    assert sorted(Patterns(patterns).find(encoded)) == alone


def test_patterns_of_plain_words_share_one_automaton_however_many_they_are() -> None:
    plain = [f"product{number} (is |was )?(late|lost)" for number in range(100)]
    plain += [r"\b(?:lawyer|sue you|injur(?:y|ed))\b", r"50\x{25} off", "(?:won’t|can’t) (?:come|work)"]
    wild = [f"[a-z]+{number}[a-z]*(x|y)+" for number in range(100)] + ["(?-i)Sue", "(?i:sue)"]
    groups = group_patterns([*plain, *wild, "é" * (TOGETHER - 1)])
    assert groups[-1] == plain
    assert [one for group in groups[:-1] for one in group] == wild
    assert len(groups) > 2
