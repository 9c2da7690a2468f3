"""What the guard says about a reply."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.core.errors import InvalidInput
from rapport.core.guard import NETWORKS, OVERRIDABLE, RULES, GuardFacts, Policy, SentText, Window, check
from rapport.core.reply import Reply, Verdict

NOW = dt.datetime(2026, 11, 21, 10, tzinfo=dt.UTC)
REPLY = Reply(
    "mastodon", 1, "111", "I looked it up: your order leaves tomorrow morning with the first lorry.", approved_by=5
)


def verdict_on(reply: Reply = REPLY, policy: Policy | None = None, **facts: Any) -> Verdict:
    return check(reply, GuardFacts(person=7, **facts), policy or Policy(), NOW)


def rules_of(verdict: Verdict) -> list[tuple[str, str]]:
    return [(finding.rule, finding.standing) for finding in verdict.findings]


def with_text(text: str, **changes: Any) -> Reply:
    return msgspec.structs.replace(REPLY, text=text, **changes)


def ago(**span: float) -> dt.datetime:
    return NOW - dt.timedelta(**span)


def test_an_approved_reply_with_nothing_against_it_may_go() -> None:
    assert verdict_on() == Verdict()


@pytest.mark.parametrize(
    ("facts", "rule", "standing"),
    [
        ({"person_suppressed": "asked us to stop"}, "suppressed", "refuse"),
        ({"target_deleted": True}, "deleted", "refuse"),
        ({"channel_state": "off"}, "channel-off", "hold"),
        ({"channel_state": "reauthorise", "channel_reason": "token revoked"}, "channel-off", "hold"),
        ({"hold_reason": "a boycott"}, "crisis-hold", "hold"),
        ({"brand_replies_since_last_word": 2}, "pile-on", "hold"),
        ({"person_bot": True}, "bot", "allow"),
        ({"max_length": 20}, "too-long", "refuse"),
    ],
)
def test_each_fact_against_a_reply_is_found_under_its_own_rule(facts: dict[str, Any], rule: str, standing: str) -> None:
    verdict = verdict_on(**facts)
    assert rules_of(verdict) == [(rule, standing)]
    assert verdict.standing == standing == RULES[rule].standing
    assert verdict.retry_at is None
    assert verdict.findings[0].reason
    assert verdict.findings[0].remedy


@pytest.mark.parametrize("text", ["", "  \n\t", "\u200b\u200d\ufeff", "\u202e\u00a0"])
def test_a_reply_without_a_visible_character_is_refused(text: str) -> None:
    assert rules_of(verdict_on(with_text(text))) == [("empty", "refuse")]


@pytest.mark.parametrize("text", ["a\x00b", "half \ud83d of an emoji"])
def test_characters_that_cannot_be_sent_are_refused(text: str) -> None:
    assert rules_of(verdict_on(with_text(text))) == [("unreadable", "refuse")]


def test_one_reply_by_a_brand_is_no_pile_on() -> None:
    assert verdict_on(brand_replies_since_last_word=1).standing == "allow"


def test_the_length_is_counted_as_the_network_counts() -> None:
    link = "https://shop.example/" + "x" * 600
    assert verdict_on(with_text(f"See {link}")).standing == "allow"
    assert verdict_on(with_text(f"See {link}", network="bluesky")).standing == "refuse"
    assert verdict_on(with_text("語" * 140, network="x")).standing == "allow"
    assert rules_of(verdict_on(with_text("語" * 141, network="x"))) == [("too-long", "refuse")]
    many_bytes = "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466" * 200
    assert rules_of(verdict_on(with_text(many_bytes, network="bluesky"))) == [("too-long", "refuse")]


# ------------------------------------------------------------------ pace
def test_a_full_window_holds_the_reply_until_its_oldest_entry_leaves() -> None:
    policy = Policy().override("mastodon", pace=(Window(3, 60), Window(5, 3600)))
    times = (ago(seconds=50), ago(seconds=30), ago(seconds=10))
    verdict = verdict_on(policy=policy, sent_times=times)
    assert rules_of(verdict) == [("pace", "hold")]
    assert verdict.retry_at == NOW + dt.timedelta(seconds=10)
    assert verdict_on(policy=policy, sent_times=times[:2]).standing == "allow"


def test_the_slowest_of_several_full_windows_decides_when() -> None:
    policy = Policy().override("mastodon", pace=(Window(1, 60), Window(2, 3600)))
    verdict = verdict_on(policy=policy, sent_times=(ago(minutes=30), ago(seconds=20)))
    assert verdict.retry_at == NOW + dt.timedelta(minutes=30)


def test_a_reply_held_by_pace_and_by_something_else_waits_for_a_person() -> None:
    policy = Policy().override("mastodon", pace=(Window(1, 60),))
    verdict = verdict_on(policy=policy, sent_times=(NOW,), hold_reason="a boycott")
    assert (verdict.standing, verdict.retry_at) == ("hold", None)


@given(
    st.lists(st.integers(0, 7200), max_size=30),
    st.lists(st.builds(Window, st.integers(1, 10), st.integers(1, 5000)), min_size=1, max_size=3),
)
def test_at_the_time_that_is_named_the_pace_allows_and_a_second_before_it_does_not(
    seconds: list[int], windows: list[Window]
) -> None:
    policy = Policy().override("mastodon", pace=tuple(windows))
    facts = GuardFacts(sent_times=tuple(ago(seconds=each) for each in seconds))
    verdict = check(REPLY, facts, policy, NOW)
    if verdict.standing == "allow":
        for window in windows:
            assert sum(each < window.seconds for each in seconds) < window.most
    else:
        assert verdict.retry_at is not None
        assert verdict.retry_at > NOW
        assert check(REPLY, facts, policy, verdict.retry_at).standing == "allow"
        assert check(REPLY, facts, policy, verdict.retry_at - dt.timedelta(seconds=1)).standing == "hold"


def test_direct_messages_have_the_narrower_window_where_the_network_has_one() -> None:
    times = tuple(ago(seconds=each) for each in range(20))
    assert verdict_on(with_text("Hello", network="x"), sent_times=times).standing == "allow"
    assert verdict_on(with_text("Hello", network="x", visibility="direct"), sent_times=times).standing == "hold"


# ------------------------------------------------------------------ the same words
def sent(text: str, person: int = 8, channel: int = 1, **span: float) -> SentText:
    return SentText(text, person, channel, ago(**(span or {"days": 1})))


@pytest.mark.parametrize(
    "twin",
    [
        sent(REPLY.text),
        sent("@bob@example.social " + REPLY.text.upper()),
        sent("Hello Bob, " + REPLY.text + " https://shop.example/track/77"),
        sent(REPLY.text.replace("first", "second")),
        sent(REPLY.text, person=7, channel=2),
    ],
)
def test_nearly_the_same_words_to_another_person_or_from_another_account_are_held(twin: SentText) -> None:
    verdict = verdict_on(recent_texts=(twin,))
    assert rules_of(verdict) == [("near-same", "hold")]


@pytest.mark.parametrize(
    "other",
    [
        sent("Your parcel was damaged, which is our fault; a new one is on its way to you."),
        sent(REPLY.text, person=7),
        sent(REPLY.text, days=7, seconds=1),
    ],
)
def test_other_words_the_same_person_or_a_week_gone_are_not_held(other: SentText) -> None:
    assert verdict_on(recent_texts=(other,)).standing == "allow"


def test_a_lead_may_set_aside_what_is_ours_and_nothing_else() -> None:
    despite = frozenset(RULES)
    facts = {
        "recent_texts": (sent(REPLY.text),),
        "brand_replies_since_last_word": 4,
        "unanswered_times": (ago(hours=1),) * 3,
    }
    verdict = verdict_on(despite=despite, **facts)
    assert rules_of(verdict) == [("near-same", "allow"), ("pile-on", "allow"), ("person-cap", "allow")]
    assert verdict.standing == "allow"
    assert frozenset({"near-same", "pile-on", "person-cap", "unfit-offer"}) == OVERRIDABLE
    everything = verdict_on(
        msgspec.structs.replace(REPLY, text="", approved_by=None),
        despite=despite,
        person_suppressed="asked us to stop",
        target_deleted=True,
        channel_state="off",
        hold_reason="a boycott",
        sent_times=(NOW,) * 300,
    )
    assert [rule for rule, standing in rules_of(everything) if standing == "allow"] == []
    assert everything.standing == "refuse"


# ------------------------------------------------------------------ a person at the front
FACTS = st.builds(
    GuardFacts,
    sent_times=st.lists(st.integers(0, 9000).map(lambda seconds: ago(seconds=seconds)), max_size=5).map(tuple),
    person=st.none() | st.integers(1, 9),
    person_suppressed=st.sampled_from(["", "asked us to stop"]),
    person_bot=st.booleans(),
    brand_replies_since_last_word=st.integers(0, 4),
    hold_reason=st.sampled_from(["", "a boycott"]),
    target_deleted=st.booleans(),
    channel_state=st.sampled_from(["connected", "off", "reauthorise", "???"]),
    max_length=st.none() | st.integers(1, 100),
    despite=st.sets(st.sampled_from([*RULES, "anything"])).map(frozenset),
)
REPLIES = st.builds(
    Reply,
    network=st.sampled_from([*NETWORKS, "somewhere"]),
    channel=st.integers(1, 3),
    target=st.just("111"),
    text=st.text(max_size=200),
    visibility=st.sampled_from(["public", "direct"]),
    approved_by=st.none() | st.integers(1, 9),
)
POLICIES = st.sampled_from([Policy(), Policy(near_same=2.0, pile_on=10**9), Policy(networks={})])


@given(REPLIES, FACTS, POLICIES)
def test_no_facts_and_no_policy_let_a_reply_out_that_nobody_approved(
    reply: Reply, facts: GuardFacts, policy: Policy
) -> None:
    nobody = check(msgspec.structs.replace(reply, approved_by=None), facts, policy, NOW)
    assert nobody.standing == "refuse"
    assert "human-only" in [finding.rule for finding in nobody.findings]


@given(REPLIES, FACTS, POLICIES)
def test_the_standing_is_the_strictest_of_the_findings_and_each_names_a_rule(
    reply: Reply, facts: GuardFacts, policy: Policy
) -> None:
    verdict = check(reply, facts, policy, NOW)
    standings = {finding.standing for finding in verdict.findings}
    strictest = next((each for each in ("refuse", "hold") if each in standings), "allow")
    assert verdict.standing == strictest
    assert {finding.rule for finding in verdict.findings} <= set(RULES)
    if facts.person_suppressed or facts.target_deleted:
        assert verdict.standing == "refuse"
    if facts.hold_reason or facts.channel_state != "connected":
        assert verdict.standing != "allow"
    assert verdict.retry_at is None or verdict.standing == "hold"


def test_an_override_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(InvalidInput, match="at least 1 character"):
        Policy().override("mastodon", max_length=0)
    with pytest.raises(InvalidInput, match="at least one window"):
        Policy().override("mastodon", pace=(Window(0, 60),))


def test_an_override_changes_one_network_and_leaves_the_table_alone() -> None:
    changed = Policy().override("mastodon", max_length=5000)
    assert (changed.of("mastodon").max_length, changed.of("x").max_length) == (5000, 280)
    assert Policy().of("mastodon").max_length == 500
