from __future__ import annotations

from itertools import product
from typing import get_args

import pytest

from rapport.core.decision import AUTONOMIES, Autonomy
from rapport.core.guard.autonomy import INSIDE, OUTWARD, SORTING, ActFacts, allow, stands_against
from rapport.core.rules.actions import Verb

AGAINST = ("ours", "ignored", "suppressed", "automated", "crisis", "held")


def test_the_guard_knows_every_verb_of_the_rule_language() -> None:
    known = INSIDE | SORTING | OUTWARD | {"ignore", "acknowledge"}
    assert set(get_args(Verb)) <= known


@pytest.mark.parametrize("verb", sorted(OUTWARD))
def test_nothing_reaches_a_person_outside_without_a_colleague(verb: str) -> None:
    for asked in AUTONOMIES:
        assert allow(verb, asked, ActFacts(acknowledging=True)).level != "act"


@pytest.mark.parametrize("verb", [*sorted(OUTWARD), "acknowledge"])
@pytest.mark.parametrize("fact", AGAINST)
def test_nothing_is_even_proposed_toward_those_who_must_be_left_alone(verb: str, fact: str) -> None:
    allowed = allow(verb, "act", ActFacts(acknowledging=True, **{fact: True}))
    assert allowed.level is None
    assert allowed.cause == stands_against(ActFacts(**{fact: True}))


def test_only_the_acknowledgement_may_go_out_by_itself_and_only_where_it_is_turned_on() -> None:
    assert allow("acknowledge", "act", ActFacts(acknowledging=True)).level == "act"
    refused = allow("acknowledge", "act", ActFacts())
    assert refused.level is None
    assert "not turned on" in refused.cause


def test_to_ignore_somebody_is_proposed_and_never_done() -> None:
    assert {allow("ignore", asked, ActFacts()).level for asked in ("suggest", "draft", "act")} == {"suggest"}


@pytest.mark.parametrize("verb", sorted(INSIDE | SORTING | OUTWARD | {"ignore", "acknowledge"}))
def test_the_guard_allows_less_and_never_more_than_the_rule_asks(verb: str) -> None:
    for values in product([False, True], repeat=len(AGAINST)):
        facts = ActFacts(acknowledging=True, **dict(zip(AGAINST, values, strict=True)))
        for asked in AUTONOMIES:
            level = allow(verb, asked, facts).level
            if level is not None:
                assert AUTONOMIES.index(level) <= AUTONOMIES.index(asked)


def test_a_rule_that_only_observes_does_nothing_whoever_it_is_about() -> None:
    observe: Autonomy = "observe"
    assert allow("boost", observe, ActFacts(suppressed=True)).level == "observe"


def test_an_action_that_the_guard_does_not_know_is_not_done() -> None:
    refused = allow("publish", "act", ActFacts())
    assert refused.level is None
    assert "publish" in refused.cause


def test_our_own_post_is_no_remark_that_the_ladder_counts() -> None:
    assert allow("escalate", "act", ActFacts(ours=True)).level is None
    assert allow("task", "act", ActFacts(ours=True)).level == "act"
