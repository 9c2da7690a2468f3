"""Operators of the search box: each finds what a look at every row finds, and nothing out of sight."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from conftest import NOON
from rapport.core.felt import intent_bit, mood_number
from rapport.core.search import SearchProblem, parse_search
from rapport.store.queries import search, searching
from rapport.store.queries.desk import LISTED, visible_conversations

pytestmark = pytest.mark.django_db
TODAY = dt.date(2026, 11, 21)


def found(member: Any, asked: str) -> set[str]:
    rows = searching.search(member, parse_search(asked), today=TODAY, zone=dt.UTC)
    return set(rows.values_list("preview", flat=True))


@pytest.fixture
def talks(alice: Any, ben: Any, channel: Any, hear: Callable[..., Any], make_post: Callable[..., Any]) -> None:
    """Three conversations with words, in two baskets and two networks."""
    from rapport.actions.tags import add_tag
    from rapport.store.models import Basket, Conversation

    said = {
        "nadia": "My parcel was left in the rain and the refund is late",
        "omar": "Late again: the rain was in the parcel that left",
        "pia": "What a lovely parcel, thank you",
    }
    for name, text in said.items():
        hear(make_post(text, author=name))
    rows = {row.person.name: row for row in Conversation.objects.select_related("person")}
    baskets = {basket.slug: basket for basket in Basket.objects.of(alice.workspace)}
    fields: dict[str, dict[str, Any]] = {
        "Nadia": {
            "basket": baskets["care"], "state": "open", "assignee": ben, "mood": mood_number("negative"),
            "intents": intent_bit("complaint"), "last_post_at": NOON,
        },
        "Omar": {
            "basket": baskets["care"], "state": "snoozed", "assignee": None, "network": "bluesky",
            "mood": mood_number("negative"), "intents": None, "last_post_at": NOON - dt.timedelta(days=3),
        },
        "Pia": {
            "basket": baskets["sales"], "state": "open", "assignee": None, "mood": None, "intents": 0,
            "automated": True, "last_post_at": NOON - dt.timedelta(days=40),
        },
    }  # fmt: skip
    for name, values in fields.items():
        Conversation.objects.filter(pk=rows[name].pk).update(**values, preview=name)
    add_tag(alice, Conversation.objects.get(preview="Nadia"), "vip", now=NOON)


FINDS = [
        ("parcel", "Nadia Omar Pia"), ('"left in the rain"', "Nadia"), ('parcel -"in the rain"', "Omar Pia"),
        ("parcel -late", "Pia"), ("tag:vip", "Nadia"), ("-tag:vip in:care", "Omar"), ("tag:VIP parcel", "Nadia"),
        ("in:care", "Nadia Omar"), ("in:Care in:sales", "Nadia Omar Pia"), ("-in:care parcel", "Pia"),
        ("from:nadia", "Nadia"), ("from:nad from:omar", "Nadia Omar"), ("-from:nadia late", "Omar"),
        ("from:nobodythere", ""), ("is:open", "Nadia Pia"), ("-is:open", "Omar"),
    ("is:open is:snoozed rain", "Nadia Omar"),
        ("is:automated", "Pia"), ("-is:automated parcel", "Nadia Omar"), ("has:negative", "Nadia Omar"),
        ("has:complaint", "Nadia"), ("-has:complaint", "Omar Pia"), ("-has:negative", "Pia"),
        ("has:negative has:complaint", "Nadia"), ("after:2026-11-20", "Nadia"), ("after:7d", "Nadia Omar"),
        ("before:2026-11", "Pia"), ("before:today parcel", "Omar Pia"), ("assignee:ben", "Nadia"),
        ("assignee:me", ""), ("assignee:nobody", "Omar Pia"), ("-assignee:nobody", "Nadia"),
        ("-rain is:open", "Pia"), ('-"left in the rain" in:care', "Omar"), ("is:resolved", ""), ("", ""),
]  # fmt: skip


def test_each_operator_finds_what_it_says(alice: Any, talks: None) -> None:
    for asked, expected in FINDS:
        assert found(alice, asked) == set(expected.split()), asked


def test_every_way_to_look_keeps_to_what_one_sees(alice: Any, ben: Any, talks: None) -> None:
    from rapport.store.models import BasketMember

    BasketMember.objects.of(alice.workspace).filter(membership=ben).exclude(basket__slug="sales").delete()
    seen = set(visible_conversations(ben).filter(state__in=LISTED).values_list("preview", flat=True))
    assert seen == {"Nadia", "Pia"}  # assigned to Ben, and his basket
    for asked in ("network:mastodon", "network:mastodon parcel", "-network:mastodon", "is:open -rain", "tag:vip"):
        assert found(ben, asked) == found(alice, asked) & seen, asked


WRONG = [
        ("x in:nowhere", "care, questions"), ("network:myspace", "mastodon"), ("assignee:zoe", "me, nobody, Alice"),
        ("after:soon", "2026-11-30"), ("-rain", "what to look for"),
]  # fmt: skip


def test_a_name_that_nothing_has_is_answered_with_those_that_there_are(alice: Any, talks: None) -> None:
    for asked, words in WRONG:
        with pytest.raises(SearchProblem, match=words):
            found(alice, asked)


def test_baskets_and_colleagues_out_of_sight_are_not_named(alice: Any, ben: Any, talks: None) -> None:
    from rapport.store.models import BasketMember

    BasketMember.objects.of(alice.workspace).filter(membership=ben).exclude(basket__slug="care").delete()
    with pytest.raises(SearchProblem) as caught:
        found(ben, "in:sales")
    assert "There is: care." in str(caught.value)


def test_a_search_by_operators_costs_few_queries(alice: Any, talks: None, django_assert_max_num_queries: Any) -> None:
    for asked in ("in:care", "tag:vip in:care", "from:nadia is:open", "network:mastodon -rain"):
        with django_assert_max_num_queries(36):  # a walk asks once for each basket and state
            found(alice, asked)


SAID = (
    "My parcel was left in the rain, the refund is late", "Zwölf Straßen weiter, naïve café", "荷物が届きません",
    "it's O'Brien's re-order, 50% off!", "снова опоздал поезд", "พัสดุ ยังไม่มา", "#Rain #parcel @fernway 🙁🙁",
    "Refunds refunded refunding", "the the the end", "", "in the rain again and again",
)  # fmt: skip
ASKED = (
    ("parcel", (), ()), ("the ra", (), ()), ("re", (), ()), ("ref", (), ()), ("refund late", (), ()), ("cafe", (), ()),
     ("straßen", (), ()), ("", ("in the rain",), ()), ("parcel", ("in the rain",), ()),
    ("again", ("in the rain",), ("left",)), ("the", (), ("parcel",)), ("the", (), ("in the rain",)), ("届き", (), ()),
    ("荷物", (), ("届き",)), ("поезд", (), ()), ("поез", (), ()), ("พัสดุ", (), ()), ("o brien", (), ()), ("50", (), ()),
    ("🙁", (), ()), ("the end", (), ()), ("the the", (), ()), ("person", (), ()), ("nadia", (), ()), ("ЗДЕСЬ", (), ()),
)  # fmt: skip


def test_what_is_read_is_found_as_by_the_index(
    alice: Any, channel: Any, hear: Callable[..., Any], make_post: Callable[..., Any]
) -> None:
    from rapport.store.models import Conversation

    for number, text in enumerate(SAID):
        hear(make_post(text, author=f"nadia{number}" if number % 2 else f"omar{number}"))
    every = list(Conversation.objects.values_list("pk", flat=True))
    assert len(every) > len(SAID) // 2
    hits = 0
    for words, phrases, without in ASKED:
        given = {"phrases": phrases, "without": without}
        indexed = search.find_conversations(alice.workspace_id, words, list, **given)
        among = search.find_among(every, words, **given)
        assert set(among) == set(indexed), (words, phrases, without)
        hits += len(among)
    assert hits > len(ASKED)


def test_words_beside_a_rare_operator_are_looked_for_where_it_leads(
    alice: Any, talks: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("looked everywhere")

    asked = [line for line in FINDS if line[0].startswith(("tag:", "from:")) or "network:" in line[0]]
    asked += [("tag:vip rain", "Nadia"), ('from:nadia "left in the rain"', "Nadia"), ("from:omar parcel -late", "")]
    monkeypatch.setattr(searching, "find_conversations", refuse)
    for words, expected in asked:
        assert found(alice, words) == set(expected.split()), words
    monkeypatch.setattr(searching, "READ", 0)
    with pytest.raises(AssertionError, match="everywhere"):
        found(alice, "tag:vip rain")
