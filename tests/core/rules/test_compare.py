"""Two rule sets held against each other say what each says alone, and name what differs."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from rapport.core.decision import NEW, Decision, Effect, PersonFacts, Score
from rapport.core.post import Author, Post
from rapport.core.reading import Intent, Reading, Sentiment, Toward
from rapport.core.rules import Circumstances, compile_rules
from rapport.core.rules.compare import Change, Pair, differences
from rapport.core.rules.fields import Case
from rapport.core.rules.trial import EXAMPLES, Decided, Mention, Trial

NOW = dt.datetime(2026, 11, 21, 10, tzinfo=dt.UTC)
CONDITIONS = (
    "complaint >= 0.5",
    "complaint >= 0.7",
    "praise > 0.2 or complaint < 0.3",
    "author.followers > 100 and complaint >= 0.4",
    "not author.bot",
    'text matches "rain"',
    'toward.sentiment == "negative"',
    'topics has "recall"',
    "count(person.negative, 30 days) >= 1",
    "true",
)
ACTIONS = (
    "basket:care",
    "basket:praise",
    "priority:high",
    "tag:a",
    "tag:b",
    "notify:duty",
    "draft:sorry",
    "quarantine",
)

MORE = ("", "", "enabled = false\n", "group = 'g'\n", "autonomy = 'observe'\n", "autonomy = 'suggest'\n")


def rule(name: str, when: str, then: tuple[str, ...], stop: bool = False, more: str = "") -> str:
    actions = ", ".join(f"'{action}'" for action in then)
    return f"[[rule]]\nname = '{name}'\nwhen = '''{when}'''\nthen = [{actions}]\nstop = {str(stop).lower()}\n{more}"


@st.composite
def documents(draw: st.DrawFn) -> str:
    found = []
    for number in range(draw(st.integers(0, 6))):
        then = draw(st.lists(st.sampled_from(ACTIONS), min_size=1, max_size=3, unique_by=lambda one: one.split(":")[0]))
        stop = draw(st.booleans())
        more = draw(st.sampled_from(MORE))
        found.append(rule(f"r{number}", draw(st.sampled_from(CONDITIONS)), tuple(then), stop, more))
    on = str(draw(st.booleans())).lower()
    return f"fallback = 'care'\n[[group]]\nname = 'g'\non = {on}\nwhen = 'author.bot'\n" + "".join(found)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    # a text where a number belongs breaks every rule that compares it
    complaint: Any = draw(st.sampled_from([0.1, 0.45, 0.6, 0.9, "broken"]))
    return a_case(
        complaint=complaint,
        praise=draw(st.sampled_from([0.0, 0.5])),
        text=draw(st.sampled_from(["left in the rain", "hello"])),
        followers=draw(st.sampled_from([None, 5, 500])),
        bot=draw(st.booleans()),
        topics=draw(st.sampled_from([(), ("recall",)])),
        negative=draw(st.sampled_from([(), (NOW - dt.timedelta(days=3),)])),
        toward=draw(st.sampled_from([None, "negative", "positive"])),
    )


def a_case(
    complaint: Any = 0.9, praise: float = 0.0, text: str = "hello", followers: int | None = None, bot: bool = False,
    topics: tuple[str, ...] = (), negative: tuple[dt.datetime, ...] = (), toward: str | None = None,
) -> Case:  # fmt: skip
    author = Author(id="7", handle="ann", followers=followers, bot=bot)
    reading = Reading("mastodon", "1", intent=Intent(complaint=complaint, praise=praise))
    return Case(
        Post("mastodon", "1", text, NOW, author), author, reading, reading.intent, reading.sentiment, reading.emotion,
        PersonFacts(negative=negative), 40.0, frozenset(topics), NOW, True, frozenset(),
        Sentiment(toward) if toward else reading.sentiment, NEW, dt.UTC,
    )  # fmt: skip


def alone(document: str, case: Case) -> Decision:
    """What one set says by itself."""
    toward = () if case.toward is case.sentiment else (Toward("t", "T", case.toward or Sentiment()),)
    at = Circumstances(NOW)
    return compile_rules(document).decide(
        case.post, case.reading, Score(case.score), case.person, case.topics, at, toward
    )


def bare(decision: Decision) -> Decision:
    return msgspec.structs.replace(decision, trace=(), why="", tried=0)


@settings(max_examples=40)
@given(documents(), documents(), st.lists(cases(), max_size=6))
def test_a_pair_says_of_each_case_what_its_sets_say_alone(before: str, after: str, found: list[Case]) -> None:
    pair = Pair(before, after)
    for case in found:
        verdict = pair.judge(case)
        one, two = alone(before, case), alone(after, case)
        assert (bare(verdict.before), bare(verdict.after)) == (bare(one), bare(two))
        assert verdict.changes == differences(one, two)
        for fired, rules, decision in (
            (verdict.fired_before, pair.before, one),
            (verdict.fired_after, pair.after, two),
        ):
            assert [rules.rules[n].name for n in fired.matched] == [s.rule for s in decision.trace if s.matched]
            assert [rules.rules[n].name for n in fired.broken] == [s.rule for s in decision.trace if not s.matched]


@settings(max_examples=20)
@given(documents(), st.lists(cases(), min_size=1, max_size=6))
def test_a_set_held_against_itself_differs_in_nothing(document: str, found: list[Case]) -> None:
    pair = Pair(document, document)
    assert [pair.judge(case).changes for case in found] == [()] * len(found)


def test_each_kind_of_difference_is_named_with_both_sides() -> None:
    before = Decision("care", "high", draft="sorry", notify=("duty",), tags=("a", "b"), person="known")
    after = Decision(
        "praise", tags=("b", "c"), quarantined=True, skills=("german",), why="other words", rule_set=9,
        effects=(Effect("r", "task", "2 days: call", "act"),),
    )  # fmt: skip
    assert differences(before, after) == (
        Change("basket", "care", "praise"),
        Change("priority", "high", "medium"),
        Change("person", "known", ""),
        Change("quarantine", "shown", "quarantined"),
        Change("draft", "sorry", ""),
        Change("skill", "", "german"),
        Change("tag", "a", ""),
        Change("tag", "", "c"),
        Change("notify", "duty", ""),
        Change("does:task", "", "act: 2 days: call"),
    )


def test_another_rule_that_does_the_same_is_no_difference() -> None:
    one = Decision("care", effects=(Effect("old name", "task", "call"),), why="a", tried=3)
    two = Decision("care", effects=(Effect("new name", "task", "call"),), why="b", tried=4)
    assert differences(one, two) == ()


BEFORE = rule("Complaint", "complaint >= 0.5", ("basket:care", "priority:high")) + rule("Old", "true", ("tag:old",))
AFTER = rule("Complaint", "complaint >= 0.7", ("basket:care", "priority:high")) + rule("New", "praise > 0", ("tag:x",))


def mention(row: int, complaint: Any, hour: int = 5, **decided: Any) -> Mention:
    values: dict[str, Any] = {"basket": "care", "priority": "high", "rule_set": 3} | decided
    return Mention(row, hour, a_case(complaint=complaint), Decided(**values))


def test_a_trial_counts_what_changes_with_its_newest_examples() -> None:
    trial = Trial(Pair("fallback = 'questions'\n" + BEFORE, "fallback = 'questions'\n" + AFTER, 3))
    for row in range(1, 31):
        trial.look([mention(row, 0.6, hour=row % 3)])
    trial.look([mention(31, 0.9)])
    report = trial.report()
    assert (report.seen, report.different) == (31, 31)
    assert report.kinds == {"basket": 30, "priority": 30, "tag": 31}
    moved = next(each for each in report.tallies if each.kind == "basket")
    assert (moved.before, moved.after, moved.count) == ("care", "questions", 30)
    assert moved.examples == tuple(range(30, 30 - EXAMPLES, -1))
    rules = {each.rule: (each.before, each.after) for each in report.rules}
    assert rules == {"Complaint": (31, 1), "Old": (31, None), "New": (None, 0)}
    load = {each.basket: (each.before, each.after) for each in report.load}
    assert [sum(side) for side in load["care"]] == [31, 1]
    assert [sum(side) for side in load["questions"]] == [0, 30]
    assert load["questions"][1][:6] == (10, 10, 10, 0, 0, 0)


def test_a_trial_tells_what_it_left_out_what_broke_and_what_was_decided_otherwise_in_its_day() -> None:
    trial = Trial(Pair(BEFORE, AFTER, 3))
    trial.look([Mention(1, 0, None, Decided(), "deleted")])
    trial.look([mention(2, "broken")])
    trial.look([mention(3, 0.9, basket="praise", rule_set=2)])
    trial.look([mention(4, 0.9, rule_set=2)])
    report = trial.report()
    assert report.left_out == {"deleted": 1}
    assert (report.seen, report.drifted) == (3, 1)
    broken = next(each for each in report.rules if each.rule == "Complaint")
    assert (broken.broken_before, broken.broken_after) == (1, 1)
    assert broken.error


@settings(max_examples=25)
@given(documents(), documents(), st.lists(cases(), max_size=8))
def test_the_counts_of_a_trial_add_up(before: str, after: str, found: list[Case]) -> None:
    trial = Trial(Pair(before, after))
    trial.look([Mention(row, row % 168, case, Decided()) for row, case in enumerate(found)])
    report = trial.report()
    assert report.seen == len(found)
    for side in ("before", "after"):
        assert sum(sum(getattr(each, side)) for each in report.load) == len(found)
    assert all(each.count >= len(each.examples) > 0 for each in report.tallies)
    assert report.different == sum(bool(differences(alone(before, case), alone(after, case))) for case in found)
