"""What rules do: the actions, how far they go by themselves, groups and switches."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.core.decision import NOBODY, Decision, Effect, Score, Step
from rapport.core.errors import InvalidRule
from rapport.core.post import Author, Post
from rapport.core.reading import Intent, Reading
from rapport.core.rules import Circumstances, compile_rules
from rapport.core.rules.actions import ACTIONS, MAX_TITLE, MAX_WORDS, level_of
from rapport.core.rules.firing import MAX_EFFECTS

NOW = dt.datetime(2026, 11, 21, 10, tzinfo=dt.UTC)
POST = Post("mastodon", "1", "still waiting", NOW, Author(id="7", handle="ann"))
READING = Reading("mastodon", "1", intent=Intent(complaint=0.9))
GIVEN: Any = (POST, READING, Score(), NOBODY, (), Circumstances(NOW))


def rule(*then: str, when: str = "true", name: str = "One", more: str = "") -> str:
    actions = ", ".join(f'"{action}"' for action in then)
    return f"[[rule]]\nname = '{name}'\nwhen = '{when}'\nthen = [{actions}]\n{more}\n"


def decide(document: str) -> Decision:
    return compile_rules(document).decide(*GIVEN)


def explain(document: str) -> tuple[Step, ...]:
    return compile_rules(document).explain(*GIVEN)


def refusal(document: str, **known: Any) -> InvalidRule:
    with pytest.raises(InvalidRule) as caught:
        compile_rules(document, **known)
    return caught.value


EVERY = (
    "basket:care", "person:ann@fernway.example", "priority:high", "skill:refunds", "tag:vip", "draft:sorry",
    "notify:duty", "note:Call them back: cut off twice", "task:2 days:Call them back", "ticket:Refund", "idea:Tea",
    "escalate:second", "acknowledge", "webhook:crm", "boost", "like", "follow", "survey:tent", "ignore",
)  # fmt: skip


def test_sorting_makes_up_the_decision_and_everything_else_follows_from_it() -> None:
    decision = decide(rule(*EVERY, "quarantine"))
    assert (decision.basket, decision.person, decision.priority) == ("care", "ann@fernway.example", "high")
    assert (decision.skills, decision.tags, decision.quarantined) == (("refunds",), ("vip",), True)
    assert (decision.draft, decision.notify) == ("sorry", ("duty",))
    assert [(effect.verb, effect.argument, effect.level) for effect in decision.effects] == [
        ("notify", "duty", "act"),
        ("note", "Call them back: cut off twice", "act"),
        ("task", "2 days:Call them back", "act"),
        ("ticket", "Refund", "act"),
        ("idea", "Tea", "act"),
        ("escalate", "second", "act"),
        ("acknowledge", "", "act"),
        ("webhook", "crm", "act"),
        ("boost", "", "draft"),
        ("like", "", "draft"),
        ("follow", "", "draft"),
        ("survey", "tent", "draft"),
        ("ignore", "", "suggest"),
    ]
    assert {effect.rule for effect in decision.effects} == {"One"}
    assert decision.trace[0].level == "act"


def test_a_rule_that_observes_changes_nothing_and_says_what_it_would_have_done() -> None:
    document = rule(*EVERY, more='autonomy = "observe"\nstop = true') + rule("basket:sales", name="Two")
    decision = decide(document)
    plain = decide(rule("basket:sales", name="Two"))
    assert (decision.basket, decision.why, decision.effects) == ("sales", plain.why, ())
    assert (decision.person, decision.notify, decision.tags, decision.draft) == (None, (), (), None)
    first, second = decision.trace
    assert (first.matched, first.actions, first.level) == (True, EVERY, "observe")
    assert second.level == "act"
    assert explain(document) == decision.trace


def test_a_rule_that_suggests_proposes_its_sorting_and_leaves_the_list_to_go_on() -> None:
    document = rule(
        "basket:care", "tag:vip", "draft:sorry", "ignore", "note:x", more='autonomy = "suggest"\nstop = true'
    )
    decision = decide(document + rule("basket:sales", name="Two"))
    assert (decision.basket, decision.tags, decision.draft) == ("sales", (), None)
    assert decision.effects == tuple(
        Effect("One", verb, argument, "suggest")
        for verb, argument in (("basket", "care"), ("tag", "vip"), ("draft", "sorry"), ("ignore", ""), ("note", "x"))
    )


def test_a_rule_that_drafts_sorts_and_makes_the_rest_ready_for_a_person() -> None:
    decision = decide(rule("basket:care", "draft:sorry", "webhook:crm", "notify:duty", more='autonomy = "draft"'))
    assert (decision.basket, decision.draft, decision.notify) == ("care", "sorry", ())
    assert [(effect.verb, effect.level) for effect in decision.effects] == [("webhook", "draft"), ("notify", "draft")]


@pytest.mark.parametrize("verb", ACTIONS)
def test_no_action_goes_further_than_the_rule_or_the_table_say(verb: Any) -> None:
    assert level_of(verb, "observe") == "observe"
    assert level_of(verb, "act") == ACTIONS[verb].highest
    assert level_of(verb, "suggest") == "suggest"


def test_nothing_that_speaks_to_a_person_or_a_network_is_done_by_a_rule_alone() -> None:
    assert {verb for verb, form in ACTIONS.items() if form.highest != "act"} == {
        "draft", "boost", "like", "follow", "survey", "ignore",
    }  # fmt: skip


def test_what_two_rules_do_alike_is_done_once_and_as_far_as_the_boldest_goes() -> None:
    document = rule("webhook:crm", more='autonomy = "suggest"') + rule("webhook:crm", "note:x", name="Two")
    assert decide(document).effects == (Effect("Two", "webhook", "crm", "act"), Effect("Two", "note", "x", "act"))


def test_one_post_has_a_bounded_number_of_effects_and_the_trace_says_what_was_left_out() -> None:
    document = "".join(rule(*(f"note:{n} {m}" for m in range(20)), name=str(n)) for n in range(4))
    decision = decide(document)
    assert len(decision.effects) == MAX_EFFECTS == 50
    assert decision.trace[2].because[-1] == "10 of its actions left out: at most 50 follow from one post"
    assert decision.trace[3].because[-1].startswith("20 of its actions left out")
    assert explain(document) == decision.trace


# ------------------------------------------------------------------ arguments
@pytest.mark.parametrize(
    ("action", "at", "message", "suggestion"),
    [
        ("persn:ann@fernway.example", "persn", "no action", "person:ADDRESS"),
        ("person:ann", "ann", "is no address", "person:ADDRESS"),
        ("person:ann@fernway.exampel", "ann@", "no colleague", "ann@fernway.example"),
        ("notify:nan@fernway.example", "nan@", "no colleague", "ann@fernway.example"),
        ("notify:two words", "two words", "is no name", ""),
        ("basket:caer", "caer", "no basket", "care"),
        ("draft:sory", "sory", "no prepared reply", "sorry"),
        ("webhook:crn", "crn", "no webhook", "crm"),
        ("survey:tant", "tant", "there is no survey tant", "tent"),
        ("ignore:ann", ":ann", "takes no argument", "ignore"),
        ("note: ", " \"]", "text is empty", ""),
        ("note:" + "x" * (MAX_WORDS + 1), "xxx", "501 characters", ""),
        ("ticket:" + "x" * (MAX_TITLE + 1), "xxx", "301 characters", ""),
        ("note:a\\u0007b", "\\u0007", "one line", ""),
        ("task:2 days", ":2 days", "needs its text", "task:DURATION:TEXT"),
        ("task:soon:Call", "soon", "no time from now", "task:2 days:Call them back"),
        ("task:0 days:Call", "0 days", "after now", "2 days"),
        ("task:9999 weeks:Call", "9999", "within 365 days", "2 days"),
        ("task:2 days:", '"]', "text is empty", ""),
        ("escalate:", ':"]', "needs an argument", "escalate:STEP"),
    ],
)  # fmt: skip
def test_a_fault_in_an_action_is_reported_at_its_place_with_the_nearest_name(
    action: str, at: str, message: str, suggestion: str
) -> None:
    document = rule(action)
    error = refusal(
        document,
        baskets=["care"], people=["ann@fernway.example"], webhooks=["crm"], replies=["sorry"], surveys=["tent"],
    )  # fmt: skip
    line = document.split("\n")[3]
    assert message in error.message
    place = (4, line.index(at, 9) + 1)
    if action == "task:2 days":
        place = (4, line.index('"]') + 1)
    assert (error.line, error.column) == place
    assert error.suggestion == suggestion


def test_names_that_exist_are_taken_and_addresses_whatever_their_case() -> None:
    known: Any = {"baskets": ["care"], "people": ["Ann@fernway.example"], "webhooks": ["crm"], "replies": ["sorry"]}
    known["surveys"] = ["tent"]
    compile_rules(rule(*EVERY, "notify:ann@fernway.example"), **known)
    compile_rules(rule("person:known"), **known)


def test_a_task_is_kept_in_one_form() -> None:
    assert decide(rule("task:90 minutes:Call: again")).effects[0].argument == "90 minutes:Call: again"
    assert decide(rule("task: 1week : Call ")).effects[0].argument == "1week:Call"


# ------------------------------------------------------------------ groups and switches
GROUP = "[[group]]\nname = 'Night'\n"


def test_a_rule_that_is_switched_off_is_not_tried_and_the_explanation_says_so() -> None:
    document = rule("tag:a", more="enabled = false\nstop = true") + rule("tag:b", name="Two")
    decision = decide(document)
    assert (decision.tags, decision.tried, len(decision.trace)) == (("b",), 2, 1)
    first, second = explain(document)
    assert (first.matched, first.because) == (False, ("the rule is switched off",))
    assert second.matched


def test_a_group_is_switched_off_as_one_and_may_stand_behind_its_rules() -> None:
    rules = rule("tag:a", more="group = 'Night'") + rule("tag:b", name="Two", more="group = 'Night'")
    assert decide(rules + GROUP).tags == ("a", "b")
    document = rules + GROUP + "on = false\n" + rule("tag:c", name="Three")
    assert decide(document).tags == ("c",)
    assert explain(document)[1].because == ('the group "Night" is switched off',)
    assert compile_rules(document).asks == frozenset()


def test_the_condition_of_a_group_comes_before_that_of_each_of_its_rules() -> None:
    rules = rule("tag:a", when="complaint > 0.5", more="group = 'Night'") + rule("tag:b", name="Two")
    assert decide(GROUP + "when = 'not author.bot'\n" + rules).tags == ("a", "b")
    document = GROUP + "when = 'author.bot'\n" + rules
    assert decide(document).tags == ("b",)
    assert explain(document)[0].because == ("author.bot is false",)
    assert compile_rules(document).asks == {"author.bot", "complaint"}


@pytest.mark.parametrize(
    ("document", "line", "column", "message", "suggestion"),
    [
        (GROUP + "onn = true\n", 3, 1, "no key onn", "on"),
        (GROUP + "on = 'yes'\n", 3, 6, "must be true or false", ""),
        (GROUP + GROUP, 4, 8, "already taken by the group on line 2", ""),
        ("[[group]]\non = true\n", 1, 1, "this group has no name", ""),
        (GROUP + "when = 'authr.bot'\n", 3, 9, "no field authr.bot", "author.bot"),
        (GROUP + f"note = '{'x' * 501}'\n", 3, 8, "at most 500", ""),
        ("[group]\nname = 'Night'\n", 1, 1, "no section [group]", ""),
        ("[[gruop]]\nname = 'Night'\n", 1, 1, "no section [[gruop]]", "[[group]]"),
        ("group = [{name = 'x'}]\n", 1, 1, "section of", ""),
        (GROUP + rule("tag:a", more="group = 'Nigth'"), 7, 9, "no group 'Nigth'", "Night"),
        (rule("tag:a", more="autonomy = 'sugest'"), 5, 12, "no autonomy 'sugest'", "suggest"),
        (rule("tag:a", more="enabled = 1"), 5, 11, "must be true or false", ""),
        ("".join(f"[[group]]\nname = '{n}'\n" for n in range(101)), 201, 1, "101 groups; at most 100", ""),
    ],
)  # fmt: skip
def test_a_fault_in_a_group_or_a_switch_is_reported_at_its_place(
    document: str, line: int, column: int, message: str, suggestion: str
) -> None:
    error = refusal(document)
    assert message in error.message
    assert (error.line, error.column, error.suggestion) == (line, column, suggestion)


# ------------------------------------------------------------------ against a second, naive evaluator
class Written(msgspec.Struct, frozen=True):
    """One rule as the test means it."""

    when: bool
    then: tuple[str, ...]
    stop: bool
    autonomy: str
    enabled: bool
    group: str


RULES = st.lists(
    st.builds(
        Written,
        when=st.booleans(),
        then=st.lists(
            st.sampled_from(
                [
                    "tag:a",
                    "tag:b",
                    "skill:x",
                    "quarantine",
                    "notify:duty",
                    "note:hello",
                    "like",
                    "ignore",
                    "webhook:crm",
                ]
            ),
            min_size=1,
            max_size=4,
            unique=True,
        ).map(tuple),
        stop=st.sampled_from([False, False, True]),
        autonomy=st.sampled_from(["act", "act", "draft", "suggest", "observe"]),
        enabled=st.sampled_from([True, True, True, False]),
        group=st.sampled_from(["", "", "On", "Off", "Never"]),
    ),
    max_size=8,
)
GROUPS = (
    "[[group]]\nname = 'On'\nwhen = 'not author.bot'\n[[group]]\nname = 'Off'\non = false\n"
    "[[group]]\nname = 'Never'\nwhen = 'author.bot'\n"
)
LEVELS = ["observe", "suggest", "draft", "act"]


def naively(rules: list[Written]) -> tuple[set[str], set[str], bool, dict[tuple[str, str], str], int, list[int]]:
    """Tags, skills, quarantine, effects with their level, how many were gone through, and which matched."""
    tags: set[str] = set()
    skills: set[str] = set()
    hidden, effects, matched = False, dict[tuple[str, str], str](), list[int]()
    for number, each in enumerate(rules):
        if not each.when or not each.enabled or each.group in ("Off", "Never"):
            continue
        matched.append(number)
        if each.autonomy == "observe":
            continue
        for action in each.then:
            verb, _, argument = action.partition(":")
            highest = {"like": "draft", "ignore": "suggest"}.get(verb, "act")
            level = min(each.autonomy, highest, key=LEVELS.index)
            if verb in ("tag", "skill", "quarantine") and each.autonomy != "suggest":
                tags |= {argument} if verb == "tag" else set()
                skills |= {argument} if verb == "skill" else set()
                hidden = hidden or verb == "quarantine"
            else:
                effects[verb, argument] = max(level, effects.get((verb, argument), level), key=LEVELS.index)
        if each.stop and each.autonomy != "suggest":
            return tags, skills, hidden, effects, number + 1, matched
    return tags, skills, hidden, effects, len(rules), matched


@given(RULES)
def test_switches_levels_and_order_mean_what_a_naive_evaluator_says(rules: list[Written]) -> None:
    document = GROUPS + "".join(
        rule(
            *each.then,
            when=str(each.when).lower(),
            name=str(number),
            more=f"stop = {each.stop}\nenabled = {each.enabled}\n".lower()
            + f"autonomy = '{each.autonomy}'\n"
            + (f"group = '{each.group}'" if each.group else ""),
        )
        for number, each in enumerate(rules)
    )
    decision, steps = decide(document), explain(document)
    tags, skills, hidden, effects, tried, matched = naively(rules)
    assert (set(decision.tags), set(decision.skills), decision.quarantined) == (tags, skills, hidden)
    assert {(one.verb, one.argument): one.level for one in decision.effects} == effects
    assert decision.notify == (("duty",) if effects.get(("notify", "duty")) == "act" else ())
    assert (decision.tried, len(steps)) == (tried, tried)
    assert [int(step.rule) for step in decision.trace] == matched
    assert tuple(step for step in steps if step.matched) == decision.trace
    assert all(step.level == rules[int(step.rule)].autonomy for step in steps)
