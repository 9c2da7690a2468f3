from __future__ import annotations

import datetime as dt
from typing import get_args

import pytest

from rapport.core.guard import TAKES_BACK, GuardFacts, Policy, SentText, check_act
from rapport.core.reply import Act, ActKind

NOON = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
KINDS = sorted(set(get_args(ActKind)) - {"post"})


def act(kind: str, network: str = "mastodon", by: int | None = 1, text: str = "") -> Act:
    words = text or ("Better words for Ann." if kind == "edit" else "")
    return Act(kind, network, 1, target="7", text=words, approved_by=by)  # type: ignore[arg-type]


def rules(found: Act, facts: GuardFacts) -> dict[str, str]:
    return {each.rule: each.standing for each in check_act(found, facts, Policy(), NOON).findings}


@pytest.mark.parametrize("kind", KINDS)
def test_no_act_leaves_without_a_person_whatever_a_lead_sets_aside(kind: str) -> None:
    facts = GuardFacts(despite=frozenset({"human-only"}), acknowledgement=False)
    assert rules(act(kind, by=None), facts)["human-only"] == "refuse"
    assert check_act(act(kind), GuardFacts(), Policy(), NOON).standing == "allow"


@pytest.mark.parametrize("kind", KINDS)
def test_the_switch_and_a_lost_account_hold_every_act(kind: str) -> None:
    assert rules(act(kind), GuardFacts(hold_reason="recall", channel_state="off")) == {
        "crisis-hold": "hold", "channel-off": "hold",
    }  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_what_takes_back_goes_to_those_who_asked_us_to_stop_and_nothing_else_does(kind: str) -> None:
    found = rules(act(kind), GuardFacts(person_suppressed="asked us to stop"))
    assert found == ({} if kind in TAKES_BACK else {"suppressed": "refuse"})


def test_a_post_that_is_gone_is_neither_liked_nor_shared() -> None:
    assert rules(act("like"), GuardFacts(target_deleted=True)) == {"deleted": "refuse"}
    assert rules(act("boost"), GuardFacts(target_deleted=True)) == {"deleted": "refuse"}
    assert rules(act("delete"), GuardFacts(target_deleted=True)) == {}


def test_the_new_words_of_an_edit_are_looked_at_as_those_of_a_reply() -> None:
    twin = SentText("We are sorry, a new parcel is on its way to you.", 9, 1, NOON - dt.timedelta(hours=1))
    facts = GuardFacts(recent_texts=(twin,), person=3, brand_replies_since_last_word=5)
    same = "We are sorry, a new parcel is on its way to you!"
    assert rules(act("edit", text=same), facts) == {"near-same": "hold"}
    assert rules(act("edit", text="x" * 501), GuardFacts()) == {"too-long": "refuse"}
    assert rules(act("edit", text=" \u200b "), GuardFacts()) == {"empty": "refuse"}


@pytest.mark.parametrize(("network", "kind", "most", "minutes"), [
    ("x", "delete", 50, 15), ("x", "like", 50, 15), ("mastodon", "delete", 30, 30), ("mastodon", "follow", 400, 1440),
])  # fmt: skip
def test_each_kind_has_the_pace_of_its_network_and_says_when_it_goes_on(
    network: str, kind: str, most: int, minutes: int
) -> None:
    first = NOON - dt.timedelta(seconds=most)
    times = tuple(first + dt.timedelta(seconds=n) for n in range(most))
    full = GuardFacts(sent_times=times, sent_kinds=(kind,) * most)
    verdict = check_act(act(kind, network), full, Policy(), NOON)
    assert verdict.standing == "hold"
    assert verdict.retry_at == first + dt.timedelta(minutes=minutes)
    less = GuardFacts(sent_times=times[1:], sent_kinds=(kind,) * (most - 1))
    assert check_act(act(kind, network), less, Policy(), NOON).standing == "allow"
    others = GuardFacts(sent_times=times, sent_kinds=("reply",) * most)
    assert check_act(act(kind, network), others, Policy(), NOON).standing == "allow"


def test_where_points_are_counted_every_kind_takes_from_the_same_ones() -> None:
    # 1,666 likes cost 4,998 of 5,000 points an hour: two deletions fit, no third, and no like
    times = tuple(NOON - dt.timedelta(seconds=n) for n in range(1666))
    facts = GuardFacts(sent_times=times, sent_kinds=("like",) * 1666)
    assert rules(act("delete", "bluesky"), facts) == {}
    assert rules(act("like", "bluesky"), facts) == {"pace": "hold"}
    assert rules(act("edit", "bluesky"), facts) == {"pace": "hold"}
