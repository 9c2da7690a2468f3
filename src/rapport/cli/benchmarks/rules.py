"""`rules.N`: which of N rules hold for a post and what they ask for, beside other engines with the same conditions.

Everybody is compiled once, gets the posts in the form that it takes, and answers with the names and actions of the
rules that hold. Before the clock starts the answers are held against ours. `ours-with-reasons` is what the line asks
for: with the trace, in which each comparison is put into words.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from rapport.cli.benchmarks.corpus import load_corpus
from rapport.cli.benchmarks.measure import Options, Result, Run, compare, missing
from rapport.cli.benchmarks.rulebook import Written, as_document, as_predicates, collect_fields, decide, make_rules
from rapport.cli.benchmarks.rules_peers import Driven, asked, datalogic, facts_of, zen
from rapport.cli.benchmarks.rules_work import make_cases, names_in
from rapport.cli.parts import calm_collector
from rapport.core.decision import Decision, Score
from rapport.core.rules import Circumstances, compile_rules
from rapport.core.rules.fields import Case

POSTS = 3_000
#: posts in a run of a peer, for each of which it takes up to a millisecond
FEW = 300
_PEERS: tuple[tuple[str, str, Callable[[Sequence[Written]], Driven], int], ...] = (
    ("datalogic-py", "datalogic_py", datalogic, POSTS),
    ("zen-engine", "zen", zen, FEW),
)


def measure(name: str, options: Options) -> Result:
    """Decisions in a second of processor time against the number of rules that `name` ends with."""
    corpus = load_corpus(options.count(POSTS))
    rules = make_rules(int(name.rpartition(".")[2]), names_in(corpus.posts))
    cases = make_cases(corpus)
    compiled, predicates = compile_rules(as_document(rules)), as_predicates(rules)
    work = [(case.post, case.reading, Score(case.score), case.person, case.topics, _around(case)) for case in cases]
    decisions = [compiled.decide(*each) for each in work]
    fields = [collect_fields(case) for case in cases]
    result = Result(name=name, unit="decisions/s", posts=len(cases), source=corpus.source)
    result.notes = [
        f"{_mean(decisions):.1f} rules hold for a post on average",
        "rates are by the time of the processor; the peers get their fields ready made and parsed",
    ]
    contestants = {
        "ours": _timed(lambda case: compiled.settle(_fresh(case)), cases),
        "ours-with-reasons": _timed(lambda each: compiled.decide(*each), work),
        "plain-python": _timed(lambda each: decide(predicates, each), fields),
    }
    for peer, module, build, count in _PEERS:
        if reason := missing(module, peer):
            result.skipped_peers[peer] = reason
        else:
            contestants[peer] = _peer(peer, build(rules), rules, cases[:count], decisions, result)
    calm_collector()
    return compare(result, contestants, options)


def _around(case: Case) -> Circumstances:
    return Circumstances(case.now, case.business_hours)


def _fresh(case: Case) -> Case:
    """Without what an earlier decision has left in it: making it is part of the work."""
    return Case(
        case.post, case.author, case.reading, case.intent, case.sentiment, case.emotion, case.person, case.score,
        case.topics, case.now, case.business_hours,
    )  # fmt: skip


def _mean(decisions: Sequence[Decision]) -> float:
    return sum(len(decision.trace) for decision in decisions) / max(1, len(decisions))


def _timed(decide: Callable[[Any], object], work: Sequence[Any]) -> Run:
    def run() -> float:
        start = time.process_time()
        for each in work:
            decide(each)
        return len(work) / (time.process_time() - start)

    return run


def _peer(
    name: str, peer: Driven, rules: Sequence[Written], cases: Sequence[Case], ours: Sequence[Decision], result: Result
) -> Run:
    """A run of the peer, after its answers were held against ours; what must be known of them is noted."""
    names = asked(rules)
    work = [peer.prepare(facts_of(case, names)) for case in cases]
    stops = {rule.name for rule in rules if rule.stop}
    alike = sum(
        _until_stop([name for name, _ in peer.decide(each)], stops)
        == [step.rule for step in decision.trace if step.matched and step.rule not in peer.left_out]
        for each, decision in zip(work, ours, strict=False)
    )
    result.notes.append(f"{name} answers as we do for {alike:,} of {len(work):,} posts")
    if peer.left_out:
        result.notes.append(f"{name} has no words for {len(peer.left_out)} of the rules, and was not given them")
    return _timed(peer.decide, work)


def _until_stop(names: Sequence[str], stops: set[str]) -> list[str]:
    """The peers try every rule; what stands behind one that ends the list does not count."""
    found: list[str] = []
    for name in names:
        found.append(name)
        if name in stops:
            break
    return found
