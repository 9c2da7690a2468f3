# ruff: noqa: E501  # a table is read by its rows
"""The rows that the house was given for the guard, each held against the table: what it says and when it would pass."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.core.errors import InvalidInput
from rapport.core.guard import NETWORKS, RULES, GuardFacts, Policy, SentText, Window, check, check_act
from rapport.core.guard.cashtags import count_cashtags
from rapport.core.guard.policy import DAY, HOUR, MINUTE, Override
from rapport.core.reply import Act, Finding, Reply, Verdict

NOW = dt.datetime(2026, 11, 21, 10, tzinfo=dt.UTC)
TOMORROW, DECEMBER = dt.datetime(2026, 11, 22, tzinfo=dt.UTC), dt.datetime(2026, 12, 1, tzinfo=dt.UTC)
TEXT = "I looked it up: your order leaves tomorrow morning."


def reply(network: str = "mastodon", text: str = TEXT, **fields: Any) -> Reply:
    return Reply(network, 1, "111", text, **{"approved_by": 5, **fields})


def weigh(one: Reply, policy: Policy | None = None, **facts: Any) -> Verdict:
    return check(one, GuardFacts(person=7, **facts), policy or Policy(), NOW)


def finding(verdict: Verdict, rule: str) -> Finding:
    return next(found for found in verdict.findings if found.rule == rule)


def ago(**span: float) -> dt.datetime:
    return NOW - dt.timedelta(**span)


#: row of the table -> windows (most, seconds) that must all be there; direct ones under "NETWORK direct"
PACE = {
    "x": {(100, 15 * MINUTE), (300, 3 * HOUR)},
    "x direct": {(15, 15 * MINUTE), (1_440, DAY)},
    "mastodon": {(300, 3 * HOUR)},
    "bluesky": {(5_000, HOUR), (35_000, DAY)},
    "instagram": {(25, DAY)},
    "linkedin": {(100, DAY)},
}
#: a reply, what is known, what it would do -> rule, standing, when it would pass
ROWS: list[tuple[str, Reply, dict[str, Any], dict[str, Any], str, str, dt.datetime | None]] = [
    ("a person sends", reply(approved_by=None), {}, {}, "human-only", "refuse", None),
    ("stop suppresses at once", reply(), {"person_suppressed": "asked us to stop"}, {}, "suppressed", "refuse", None),
    ("the same words, 0.9, 7 days", reply(), {"recent_texts": (SentText(TEXT, 8, 1, ago(days=2)),)}, {}, "near-same", "hold", NOW + dt.timedelta(days=5)),
    ("between colleagues too", reply(), {"recent_texts": (SentText(TEXT, 7, 2, ago(days=1)),)}, {}, "near-same", "hold", NOW + dt.timedelta(days=6)),
    ("2 replies by brands", reply(), {"brand_replies_since_last_word": 2}, {}, "pile-on", "hold", None),
    ("cap per person and day", reply(), {"unanswered_times": (ago(hours=20), ago(hours=5), ago(hours=1))}, {}, "person-cap", "hold", NOW + dt.timedelta(hours=4)),
    ("a crisis stops every queue", reply(), {"hold_reason": "recall"}, {}, "crisis-hold", "hold", None),
    ("X: only who mentioned us", reply("x"), {"addressed_us": False}, {}, "x-handover", "hold", None),
    ("X: one cashtag", reply("x", "Buy $AAPL and $MSFT"), {}, {}, "x-cashtag", "refuse", None),
    ("X: $0.01 when summoned", reply("x"), {"spent_today": 991}, {"day_budget": 1_000}, "budget", "hold", TOMORROW),
    ("X: $0.015 a post", reply("x"), {"spent_today": 986, "addressed_us": False}, {"day_budget": 1_000, "answers_anyone": True}, "budget", "hold", TOMORROW),
    ("X: $0.20 with a link", reply("x", "See https://a.example"), {"spent_this_month": 801}, {"month_budget": 1_000}, "budget", "hold", DECEMBER),
    ("X: dearer than the budget", reply("x", "See https://a.example"), {}, {"day_budget": 199}, "budget", "hold", None),
    ("X: direct messages", reply("x", visibility="direct"), {"sent_times": (ago(minutes=5),) * 15}, {}, "pace", "hold", NOW + dt.timedelta(minutes=10)),
    ("Mastodon: 300 in 3 hours", reply(), {"sent_times": (ago(hours=2),) * 300}, {}, "pace", "hold", NOW + dt.timedelta(hours=1)),
    ("Bluesky: points, a create costs 3", reply("bluesky"), {"sent_times": (ago(minutes=30),) * 1_666}, {}, "pace", "hold", NOW + dt.timedelta(minutes=30)),
    ("Bluesky: a deletion costs 1", reply("bluesky"), {"sent_times": (ago(minutes=30),) * 4_998, "sent_kinds": ("delete",) * 4_998}, {}, "pace", "hold", NOW + dt.timedelta(minutes=30)),
    ("LinkedIn: the day begins at 00:00 UTC", reply("linkedin"), {"sent_times": (ago(hours=9),) * 100}, {}, "pace", "hold", TOMORROW),
    ("Messenger: 24 hours", reply("messenger", visibility="direct"), {"last_word_at": ago(hours=24)}, {}, "window", "refuse", None),
    ("Messenger: 7 days with the tag", reply("messenger", visibility="direct"), {"last_word_at": ago(days=7), "may_tag": True}, {}, "window", "refuse", None),
    ("Instagram: the machine has no tag", reply("instagram", visibility="direct", approved_by=None), {"last_word_at": ago(days=2), "may_tag": True, "acknowledgement": True}, {}, "window", "refuse", None),
    ("Instagram: 25 a day", reply("instagram"), {"sent_times": (ago(hours=4),) * 25}, {}, "pace", "hold", NOW + dt.timedelta(hours=20)),
]  # fmt: skip
#: as little less as there is: each of these passes
NEARLY: list[tuple[str, Reply, dict[str, Any], dict[str, Any]]] = [
    ("7 days ago", reply(), {"recent_texts": (SentText(TEXT, 8, 1, ago(days=7)),)}, {}),
    ("one brand", reply(), {"brand_replies_since_last_word": 1}, {}),
    ("a day ago", reply(), {"unanswered_times": (ago(days=1), ago(hours=5), ago(hours=1))}, {}),
    ("let through", reply(), {"hold_reason": "recall", "let_through": True}, {}),
    ("an app of the higher kind", reply("x"), {"addressed_us": False}, {"answers_anyone": True}),
    ("a direct message", reply("x", visibility="direct"), {"addressed_us": False}, {}),
    ("one cashtag", reply("x", "Buy $AAPL, not MSFT"), {}, {}),
    ("to the last tenth of a cent", reply("x"), {"spent_today": 990, "spent_this_month": 990}, {"day_budget": 1_000, "month_budget": 1_000}),
    ("a network without a price", reply(), {"spent_today": 9}, {"day_budget": 0}),
    ("299", reply(), {"sent_times": (ago(hours=2),) * 299}, {}),
    ("1,665 creates", reply("bluesky"), {"sent_times": (ago(minutes=30),) * 1_665}, {}),
    ("yesterday", reply("linkedin"), {"sent_times": (ago(hours=10, seconds=1),) * 100}, {}),
    ("23 hours", reply("messenger", visibility="direct"), {"last_word_at": ago(hours=23)}, {}),
    ("6 days with the tag", reply("messenger", visibility="direct"), {"last_word_at": ago(days=6), "may_tag": True}, {}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("row", "one", "facts", "chosen", "rule", "standing", "passes_at"), ROWS, ids=[r[0] for r in ROWS]
)
def test_a_row_of_the_table_is_found_under_its_rule_with_the_time_at_which_it_would_pass(
    row: str, one: Reply, facts: dict[str, Any], chosen: dict[str, Any], rule: str, standing: str, passes_at: Any
) -> None:
    verdict = weigh(one, Policy().with_numbers(one.network, Override(**chosen)), **facts)
    found = finding(verdict, rule)
    assert [each.rule for each in verdict.findings] == [rule]
    assert (found.standing, found.passes_at) == (standing, passes_at)
    assert verdict.standing == standing == RULES[rule].standing
    # by itself it goes out only where the pace alone is in the way
    assert verdict.retry_at == (passes_at if rule == "pace" else None)
    assert all(value in found.reason or name not in ("why", "price", "percent") for name, value in found.values.items())


@pytest.mark.parametrize(("row", "one", "facts", "chosen"), NEARLY, ids=[row[0] for row in NEARLY])
def test_what_is_just_within_a_row_of_the_table_passes(
    row: str, one: Reply, facts: dict[str, Any], chosen: dict[str, Any]
) -> None:
    assert weigh(one, Policy().with_numbers(one.network, Override(**chosen)), **facts).standing == "allow"


@pytest.mark.parametrize("name", PACE)
def test_the_windows_of_a_network_are_those_that_it_publishes(name: str) -> None:
    network, _, direct = name.partition(" ")
    windows = NETWORKS[network].windows("direct" if direct else "public")
    assert {(window.most, window.seconds) for window in windows} == PACE[name]


@given(st.text(alphabet="$aAbBzZ 1._\t\n,!\u200f\u2028é", max_size=60))
def test_cashtags_are_counted_as_the_network_finds_them(text: str) -> None:
    from rapport.networks.x.entities import find_cashtags

    assert count_cashtags(text) == len(find_cashtags(text))


def test_numbers_of_one_account_stand_before_the_table_and_senseless_ones_are_refused() -> None:
    policy = Policy().with_numbers("x", Override(pile_on=1, person_day=9, pace=(Window(1, 60),), max_length=100))
    assert (policy.pile_on, policy.person_day, policy.of("x").max_length, policy.of("x").pace) == (
        1,
        9,
        100,
        (Window(1, 60),),
    )
    assert policy.of("mastodon") == NETWORKS["mastodon"]
    assert Policy().with_numbers("x", None) == Policy()
    for chosen in (
        {"pile_on": 0},
        {"person_day": 0},
        {"near_same": 0.2},
        {"day_budget": -1},
        {"max_length": 0},
        {"near_same_days": 0},
    ):
        with pytest.raises(InvalidInput):
            Policy().with_numbers("x", Override(**chosen))


def test_a_verdict_of_before_reads_as_one_of_today_and_keeps_its_values() -> None:
    old = b'{"standing":"hold","findings":[{"rule":"pace","standing":"hold","reason":"x","remedy":""}],"retry_at":null}'
    assert msgspec.json.decode(old, type=Verdict).findings[0].values == {}
    verdict = weigh(reply(text="x" * 501))
    assert msgspec.json.decode(msgspec.json.encode(verdict), type=Verdict) == verdict
    assert finding(verdict, "too-long").values == {"used": "501", "most": "500", "over": "1"}


def test_ten_thousand_posts_of_one_app_in_a_day_are_all_that_any_of_its_accounts_may_send() -> None:
    # by hand: one every 8 seconds fills 80,000 of 86,400 seconds; the first leaves the window 6,400 seconds from now
    times = tuple(ago(seconds=80_000 - 8 * n) for n in range(10_000))
    assert weigh(reply("x"), app_times=times[1:]).standing == "allow"
    held = weigh(reply("x"), app_times=times)
    assert (held.standing, held.retry_at) == ("hold", NOW + dt.timedelta(seconds=6_400))
    assert "The app that speaks for this account has used 10,000 posts" in finding(held, "pace").reason
    # a thread of three needs room for three: the third post leaves the window 16 seconds after the first
    thread = weigh(reply("x", parts=("one", "two", "three")), app_times=times)
    assert thread.retry_at == NOW + dt.timedelta(seconds=6_416)
    # what is older than a day counts no more, messages have numbers of their own, other networks have none
    assert weigh(reply("x"), app_times=(ago(days=1), *times[1:])).standing == "allow"
    assert weigh(reply("x", visibility="direct"), app_times=times).standing == "allow"
    assert weigh(reply("mastodon"), app_times=times).standing == "allow"


@pytest.mark.parametrize("network", ["x", "mastodon", "bluesky", "facebook"])
@pytest.mark.parametrize("kind", ["like", "boost", "follow", "delete"])
def test_an_account_may_be_allowed_fewer_acts_of_one_kind(network: str, kind: Any) -> None:
    policy = Policy().with_numbers(network, Override(acts={kind: (Window(2, DAY),)}))
    done = (ago(hours=20), ago(hours=3))
    act = Act(kind, network, 1, target="7", approved_by=1)
    full = check_act(act, GuardFacts(sent_times=done, sent_kinds=(kind, kind)), policy, NOW)
    assert (full.standing, full.retry_at) == ("hold", NOW + dt.timedelta(hours=4))
    assert check_act(act, GuardFacts(sent_times=done, sent_kinds=(kind, "reply")), policy, NOW).standing == "allow"
    assert check_act(act, GuardFacts(sent_times=done, sent_kinds=(kind, kind)), Policy(), NOW).standing == "allow"
    # the numbers of the network hold besides: more is not to be had by a greater one
    many = tuple(ago(seconds=n) for n in range(1_700))
    more = Policy().with_numbers(network, Override(acts={kind: (Window(100_000, DAY),)}))
    held = GuardFacts(sent_times=many, sent_kinds=(kind,) * 1_700)
    assert check_act(act, held, more, NOW).standing == check_act(act, held, Policy(), NOW).standing


@pytest.mark.parametrize("acts", [
    {"like": (Window(0, DAY),)}, {"like": (Window(1, 0),)}, {"like": (Window(1, DAY + 1),)}, {"reply": (Window(1, DAY),)},
])  # fmt: skip
def test_numbers_of_acts_that_make_no_sense_are_refused(acts: Any) -> None:
    with pytest.raises(InvalidInput):
        Policy().with_numbers("x", Override(acts=acts))
