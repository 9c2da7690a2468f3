"""Where a conversation goes."""

from __future__ import annotations

import datetime as dt
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import NOON
from rapport.core.decision import Decision, PersonFacts, Route
from rapport.core.route import STRATEGIES, Given, Member, Strategy, TeamLoad, Waiting, deal, route, too_many


def ago(minutes: int) -> dt.datetime:
    return NOON - dt.timedelta(minutes=minutes)


TEAM = TeamLoad({"care": (Member(1, 3, 5), Member(2, 5, 5), Member(4, 90, 0)), "sales": (Member(3, 0, 5),)})


@pytest.mark.parametrize(
    ("known_to", "basket", "person"),
    [
        (1, "care", 1),
        (4, "care", 4),  # no capacity set: no limit
        (2, "care", None),  # at capacity
        (3, "care", None),  # works elsewhere
        (3, "sales", 3),
        (1, "nowhere", None),
        (None, "care", None),
    ],
)
def test_it_goes_to_whoever_knows_the_person_if_they_work_there_and_have_room(
    known_to: int | None, basket: str, person: int | None
) -> None:
    found = route(Decision(basket), PersonFacts(known_to=known_to), TEAM)
    assert (found.basket, found.person) == (basket, person)
    assert bool(found.reason) == (known_to is not None)


def test_what_is_quarantined_is_nobodys() -> None:
    assert route(Decision("care", quarantined=True), PersonFacts(known_to=1), TEAM) == Route("care")


def test_whom_a_rule_names_comes_before_who_knows_them() -> None:
    team = TeamLoad(TEAM.members, {"ben@fernway.example": 4})
    found = route(Decision("care", person="Ben@fernway.example"), PersonFacts(known_to=1), team)
    assert (found.person, found.reason) == (4, "named by a rule")
    assert route(Decision("sales", person="ben@fernway.example"), PersonFacts(), team).person is None
    nobody = route(Decision("care", person="eve@fernway.example"), PersonFacts(known_to=1), team)
    assert nobody.person is None
    assert "does not work in this basket" in nobody.reason


def test_a_rule_may_ask_for_whoever_knows_them() -> None:
    assert route(Decision("care", person="known"), PersonFacts(known_to=1), TEAM).person == 1
    assert "nobody does" in route(Decision("care", person="known"), PersonFacts(), TEAM).reason


def test_for_who_is_away_their_deputy_stands_in_if_they_have_room() -> None:
    away = Member(1, away=True, deputy=2)
    for deputy, expected in [(Member(2), 2), (Member(2, 1, 1), None), (Member(2, away=True), None)]:
        team = TeamLoad({"care": (away, deputy)})
        found = route(Decision("care"), PersonFacts(known_to=1), team)
        assert found.person == expected
        assert "away" in found.reason


def test_the_highest_priority_is_dealt_first_and_of_equals_the_oldest() -> None:
    waiting = [Waiting(1, 1, ago(5)), Waiting(2, 1, ago(9)), Waiting(3, 3, ago(1))]
    assert [each.conversation for each in deal(waiting, [Member(7)], "least_loaded", NOON)] == [3, 2, 1]
    # an hour of waiting weighs as much as a step of priority
    assert [each.conversation for each in deal([Waiting(1, 0, ago(61)), Waiting(2, 1, ago(0))], [Member(7)],
                                               "least_loaded", NOON)] == [1, 2]  # fmt: skip


def test_in_turn_it_goes_to_who_was_given_something_longest_ago() -> None:
    team = [Member(1, given_at=ago(1)), Member(2, given_at=ago(3)), Member(3)]
    waiting = [Waiting(each, 1, ago(10 - each)) for each in range(5)]
    assert [each.member for each in deal(waiting, team, "round_robin", NOON)] == [3, 2, 1, 3, 2]


def test_the_least_loaded_is_the_one_with_most_room_for_what_they_take() -> None:
    team = [Member(1, 4, 10), Member(2, 3, 4)]
    given_to = [each.member for each in deal([Waiting(n, 1, ago(9 - n)) for n in range(4)], team, "least_loaded", NOON)]
    assert given_to == [1, 1, 1, 1]  # 0.4, 0.5, 0.6, 0.7 of ten, against 0.75 of four


def test_skill_and_language_choose_and_fall_back_with_a_reason() -> None:
    team = [
        Member(1, languages=frozenset({"en"}), skills=frozenset({"refunds"})),
        Member(2, languages=frozenset({"de", "en"}), skills=frozenset({"refunds"})),
        Member(3, skills=frozenset()),
    ]
    german = Waiting(1, 1, ago(1), "de", frozenset({"refunds"}))
    assert deal([german], team, "skill", NOON) == [Given(1, 2, "is good at it, and has least of those")]
    french = german._replace(language="fr")
    (found,) = deal([french], team, "skill", NOON)
    assert "nobody here" in found.reason
    # full: it waits for a while for who is good at it, then goes to another
    team[1] = team[1]._replace(open=1, capacity=1)
    assert deal([german], team, "skill", NOON) == []
    (found,) = deal([german._replace(since=ago(31))], team, "skill", NOON)
    assert found.member != 2
    assert "too long" in found.reason


def test_what_somebody_let_lie_goes_to_another_if_there_is_one() -> None:
    lain = Waiting(1, 1, ago(90), known_to=5, not_to=5)
    assert deal([lain], [Member(5), Member(6, 8)], "least_loaded", NOON)[0].member == 6
    assert deal([lain], [Member(5), Member(6, away=True)], "least_loaded", NOON)[0].member == 5


def test_of_a_full_basket_the_newest_go_on() -> None:
    waiting = [Waiting(each, 1, ago(10 - each)) for each in range(4)]
    assert [each.id for each in too_many(waiting, held=5, capacity=3)] == [3, 2]
    assert too_many(waiting, held=5, capacity=0) == []
    assert len(too_many(waiting, held=9, capacity=2)) == 4  # what somebody has stays with them


members = st.lists(
    st.builds(
        Member,
        id=st.integers(1, 6),
        open=st.integers(0, 6),
        capacity=st.integers(0, 6),
        languages=st.frozensets(st.sampled_from(["de", "en"])),
        skills=st.frozensets(st.sampled_from(["refunds", "legal"])),
        away=st.booleans(),
        deputy=st.one_of(st.none(), st.integers(1, 6)),
        given_at=st.one_of(st.none(), st.integers(0, 90).map(ago)),
        takes=st.booleans(),
    ),
    max_size=6,
    unique_by=lambda member: member.id,
)
queues = st.lists(
    st.builds(
        Waiting,
        id=st.integers(1, 40),
        priority=st.integers(0, 3),
        since=st.integers(0, 200).map(ago),
        language=st.sampled_from(["", "de", "fr"]),
        skills=st.frozensets(st.sampled_from(["refunds", "legal"])),
        known_to=st.one_of(st.none(), st.integers(1, 6)),
        not_to=st.one_of(st.none(), st.integers(1, 6)),
    ),
    max_size=20,
    unique_by=lambda one: one.id,
)


@settings(max_examples=150)
@given(queues, members, st.sampled_from(STRATEGIES), st.randoms(use_true_random=False))
def test_nobody_gets_more_than_they_have_room_for_and_the_order_of_asking_changes_nothing(
    queue: list[Waiting], team: list[Member], strategy: Strategy, random: Random
) -> None:
    given_out = deal(queue, team, strategy, NOON)
    for member in team:
        got = sum(each.member == member.id for each in given_out)
        assert not (member.away and got)
        # who takes nothing by turn gets people whom they, or those for whom they stand in, know
        known_here = {member.id, *(other.id for other in team if other.deputy == member.id)}
        assert member.takes or got <= sum(one.known_to in known_here for one in queue)
        assert not member.capacity or got == 0 or member.open + got <= member.capacity
    assert len({each.conversation for each in given_out}) == len(given_out)
    random.shuffle(queue)
    random.shuffle(team)
    assert deal(queue, team, strategy, NOON) == given_out


@settings(max_examples=40)
@given(st.integers(0, 2**32), st.sampled_from(STRATEGIES))
def test_where_there_is_room_for_all_nobody_waits_for_ever(seed: int, strategy: Strategy) -> None:
    """A desk of three is given ten hours of work that just fits it: urgent words come all the time, and still the
    quietest one is served within hours.
    """
    random = Random(seed)
    team = [
        Member(1, 0, 3, skills=frozenset({"refunds"})),
        Member(2, 0, 3, languages=frozenset({"de"})),
        Member(3, 0, 3),
    ]
    hands: list[tuple[dt.datetime, int]] = []  # (when it is resolved, who has it)
    queue: list[Waiting] = []
    now, number, longest = NOON, 0, dt.timedelta()
    while number < 180 or queue:
        hands = [(until, who) for until, who in hands if until > now]
        for _ in range(random.choice((0, 1, 1, 2, 2)) if number < 180 else 0):
            number += 1
            skills = frozenset({"refunds"}) if random.random() < 0.3 else frozenset[str]()
            language = random.choice(["de", "en", ""])
            queue.append(Waiting(number, random.choice((0, 3, 3, 3)), now, language, skills))
        busy = [member._replace(open=sum(who == member.id for _, who in hands)) for member in team]
        for conversation, member, _reason in deal(queue, busy, strategy, now):
            hands.append((now + dt.timedelta(minutes=random.randint(10, 25)), member))
            longest = max(longest, now - next(one.since for one in queue if one.id == conversation))
            queue = [one for one in queue if one.id != conversation]
        assert all(sum(who == member.id for _, who in hands) <= member.capacity for member in team)
        now += dt.timedelta(minutes=3)
        assert now < NOON + dt.timedelta(days=2), "somebody waits for ever"
    assert longest < dt.timedelta(hours=5)
