"""The peers of the rules benchmark are given the same conditions, and answer alike."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from rapport.cli.benchmarks.corpus import load_corpus
from rapport.cli.benchmarks.rulebook import Written, as_document, make_rules
from rapport.cli.benchmarks.rules_peers import (
    Driven,
    Untold,
    alternatives,
    as_jsonlogic,
    as_zen,
    asked,
    datalogic,
    facts_of,
    zen,
)
from rapport.cli.benchmarks.rules_work import make_cases, names_in
from rapport.core.decision import Score
from rapport.core.rules import Circumstances, compile_rules
from rapport.core.rules.fields import Case
from rapport.core.rules.syntax import parse

NOWHERE = Path("/nowhere/at/all")


@pytest.fixture(scope="module")
def work() -> tuple[list[Written], list[Case]]:
    corpus = load_corpus(200, NOWHERE)
    return make_rules(500, names_in(corpus.posts)), make_cases(corpus)


@pytest.mark.parametrize(("module", "build"), [("datalogic_py", datalogic), ("zen", zen)])
def test_a_peer_finds_the_rules_that_we_find(
    work: tuple[list[Written], list[Case]], module: str, build: Callable[[Sequence[Written]], Driven]
) -> None:
    pytest.importorskip(module)
    rules, cases = work
    ours, peer, names = compile_rules(as_document(rules)), build(rules), asked(rules)
    # neither can look for whole words
    assert set(peer.left_out) == {rule.name for rule in rules if "\\b" in rule.when}
    stops = {rule.name for rule in rules if rule.stop}
    found = 0
    for case in cases:
        at = Circumstances(case.now)
        decision = ours.decide(case.post, case.reading, Score(case.score), case.person, case.topics, at)
        theirs = peer.decide(peer.prepare(facts_of(case, names)))
        kept = list(itertools.takewhile(lambda each: each[0] not in stops, theirs))
        kept += theirs[len(kept) : len(kept) + 1]
        trace = [step for step in decision.trace if step.rule not in peer.left_out]
        assert [step.rule for step in trace] == [name for name, _ in kept]
        assert [step.actions for step in trace] == [tuple(actions) for _, actions in kept]
        found += len(kept)
    assert found > len(cases)


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("refund|money back", ["refund", "money back"]),
        ("cancel(led|ed)?", ["cancel"]),
        ("gift ?card", ["giftcard", "gift card"]),
        ("lost (?:bag|luggage)", ["lost bag", "lost luggage"]),
        ("app (is )?(late|delayed)", ["app late", "app delayed", "app is late", "app is delayed"]),
    ],
)
def test_a_simple_pattern_is_the_words_that_it_finds(pattern: str, words: list[str]) -> None:
    assert sorted(alternatives(pattern)) == sorted(words)


@pytest.mark.parametrize("translate", [as_jsonlogic, as_zen])
@pytest.mark.parametrize("when", ['text matches "a+"', "hours_since(person.last_seen) > 3"])
def test_what_a_peer_has_no_words_for_is_named(translate: Callable[[Any], object], when: str) -> None:
    with pytest.raises(Untold):
        translate(parse(when))
