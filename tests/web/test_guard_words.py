"""The guard speaks the language of the reader, and the table of its sentences is whole."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
from django.utils import translation

from rapport.actions.outbound import describe
from rapport.core.guard import RULES, GuardFacts, Policy, SentText, check
from rapport.core.reply import Finding, Reply, Verdict
from rapport.core.unfit import Unfit
from rapport.web.guard_words import AFTER, NAMES, SENTENCES, patterns, rule_name, said_cause, said_reason, said_remedy

NOW = dt.datetime(2026, 11, 21, 10, tzinfo=dt.UTC)
TEXT = "I looked it up: your order leaves tomorrow morning."


def verdicts() -> Iterator[Verdict]:
    """Verdicts in which every rule speaks, in every way that it has."""
    recent = tuple(SentText(TEXT, person, 2, NOW - dt.timedelta(days=1)) for person in (7,))
    facts = [
        {"unread": True, "person_suppressed": "asked us to stop", "person_bot": True, "target_deleted": True},
        {"person_bot": True, "person_bot_reason": "a post every minute", "channel_state": "off"},
        {"channel_state": "reauthorise", "channel_reason": "401", "hold_reason": "recall"},
        {"channel_state": "off", "channel_reason": "moved", "hold_reason": "recall", "let_through": True},
        {"channel_state": "reauthorise", "images_without_words": 1, "brand_replies_since_last_word": 4},
        {"recent_texts": recent, "unanswered_times": (NOW - dt.timedelta(hours=1),) * 4},
        {"recent_texts": (SentText(TEXT, 8, 1, NOW - dt.timedelta(days=2)),), "despite": frozenset({"near-same"})},
        {"recent_texts": (SentText(TEXT, 0, 1, NOW - dt.timedelta(days=2)),)},
        {"sent_times": (NOW - dt.timedelta(minutes=1),) * 400},
        *({"unfit": Unfit("voucher", why, "keep it")} for why in ("refused", "declined", "leaving", "disliked")),
    ]
    for each in facts:
        yield check(Reply("mastodon", 1, "1", TEXT, approved_by=5), GuardFacts(person=7, **each), Policy(), NOW)
    texts = ["", "a\x00b", "x" * 60_000, "e\u0301" * 299, "Buy $AAPL and $MSFT"]
    for network in ("mastodon", "bluesky", "x"):
        for text in texts:
            yield check(Reply(network, 1, "1", text, (text, text)), GuardFacts(), Policy(), NOW)
    said = (SentText(TEXT, 0, 1, NOW - dt.timedelta(days=2)),)
    yield check(Reply("mastodon", 1, "", TEXT), GuardFacts(person=-1, recent_texts=said), Policy(), NOW)
    costs = Policy(day_budget=10, month_budget=10)
    yield check(Reply("x", 1, "1", TEXT), GuardFacts(addressed_us=False, spent_today=9, spent_this_month=9), costs, NOW)
    yield check(Reply("x", 1, "1", TEXT), GuardFacts(app_times=(NOW - dt.timedelta(hours=1),) * 10_000), Policy(), NOW)
    old = GuardFacts(last_word_at=NOW - dt.timedelta(days=90))
    for network in ("facebook", "instagram"):
        yield check(Reply(network, 1, "1", TEXT, visibility="direct"), old, Policy(), NOW)
        many = (NOW - dt.timedelta(minutes=1),) * 6_000
        yield check(Reply(network, 1, "1", TEXT), GuardFacts(sent_times=many), Policy(), NOW)


FINDINGS: list[Finding] = [found for verdict in verdicts() for found in verdict.findings]


def test_every_rule_has_its_sentences_and_all_of_them_are_met() -> None:
    assert set(SENTENCES) == set(RULES)
    met = set()
    for found in FINDINGS:
        reason = found.reason.partition(": ")[2] if "part" in found.values else found.reason
        for tail in AFTER:
            reason = reason.removesuffix(f" {tail}")
        for text in filter(None, (reason, found.remedy)):
            fitting = [(one, match) for one, pattern in patterns(found.rule) if (match := pattern.fullmatch(text))]
            assert fitting, (found.rule, text)
            template, match = fitting[0]
            assert (template % match.groupdict() if match.groupdict() else template) == text
            met.add((found.rule, template))
    assert {(rule, each) for rule, rows in SENTENCES.items() for each in rows} == met


def test_english_is_the_words_of_the_guard_and_german_says_them_all_anew() -> None:
    for found in FINDINGS:
        with translation.override("en"):
            assert (said_reason(found), said_remedy(found)) == (found.reason, found.remedy)
        with translation.override("de"):
            assert said_reason(found) != found.reason
            assert not found.remedy or said_remedy(found) != found.remedy


@pytest.mark.parametrize("language", ["en", "de"])
def test_what_a_delivery_waits_for_is_said_with_the_names_of_the_rules(language: str) -> None:
    for verdict in verdicts():
        cause = describe(verdict)
        if len(cause) == 500 or not cause:
            continue
        with translation.override(language):
            said = said_cause(cause)
            for found in verdict.findings:
                if found.standing != "allow":
                    name = rule_name(found.rule)
                    sentence = f": {said_reason(found)} {said_remedy(found)}".strip()
                    assert f"{name[1:]}{sentence}" in said
                    assert f"{found.rule}: " not in said or found.rule == name
    with translation.override("en"):
        assert said_cause("Given up. channel-off: Gone.") == "Given up. Account off: Gone."
    with translation.override("de"):
        assert said_cause("422 Unprocessable") == "422 Unprocessable"


def test_every_rule_has_a_short_name_of_its_own_in_english_and_german() -> None:
    assert set(NAMES) == set(RULES)
    assert len(set(NAMES.values())) == len(NAMES)
    with translation.override("de"):
        assert rule_name("near-same") == "fast dieselben Worte"
        assert {rule for rule in NAMES if rule_name(rule) == NAMES[rule]} == set()
        assert rule_name("of-later") == "of-later"
