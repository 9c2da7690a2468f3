"""The ledger and the deliveries for programs."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from acts_cast import Seat, Sets
from api.conftest import Program
from rapport.actions.accounts import invite
from rapport.actions.acts import approve_act
from rapport.store.models import Approval, Basket, Conversation
from rapport.store.queries.outbound import newest_inbound


@pytest.fixture
def seat(alice: Any, conversation: Conversation, channel: Any, bus: Any, now: dt.datetime) -> Seat:
    seat = Seat(alice, channel, Sets(), bus, now)
    seat.answer()
    post = newest_inbound(conversation)
    assert post is not None
    approve_act(alice, "like", conversation=conversation, post=post, channel=channel, now=now)
    return seat


def test_entries_come_with_who_what_when_and_the_chain(sync: Program, seat: Seat) -> None:
    told = sync.get("ledger").json()
    assert [(each["sequence"], each["kind"], each["who"]) for each in told["entries"]] == [
        (2, "like", "Alice"), (1, "reply", "Alice"),
    ]  # fmt: skip
    rows = {row.sequence: row for row in Approval.objects.all()}
    assert told["head"] == rows[2].chain
    assert [each["chain"] for each in told["entries"]] == [rows[2].chain, rows[1].chain]
    assert [(each["state"], each["verdict"]) for each in told["entries"]] == [("queued", "allow"), ("sent", "allow")]
    first = sync.get("ledger", limit="1").json()
    assert first["next"] == "2"
    assert [each["sequence"] for each in sync.get("ledger", limit="1", cursor="2").json()["entries"]] == [1]
    assert [each["sequence"] for each in sync.get("ledger", kind="like").json()["entries"]] == [2]
    assert sync.get("ledger", until="2020-01-01T00:00:00Z").json()["entries"] == []


@pytest.mark.parametrize(
    "asked",
    [
        {"kind": "x"}, {"since": "yesterday"}, {"since": "2026-11-22"}, {"since": "0001-01-01T00:00:00+14:00"},
        {"limit": "0"}, {"cursor": "-1"}, {"person__user__password__startswith": "a"},
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused(sync: Program, seat: Seat, asked: dict[str, str]) -> None:
    assert sync.get("ledger", **asked).status_code == 400


def test_deliveries_are_those_of_the_conversations_that_the_member_sees(
    sync: Program, program: Any, seat: Seat, alice: Any, now: dt.datetime
) -> None:
    told = sync.get("deliveries").json()["deliveries"]
    assert [(each["kind"], each["state"], each["entry"]) for each in told] == [
        ("like", "queued", 2),
        ("reply", "sent", 1),
    ]
    assert [each["kind"] for each in sync.get("deliveries", state="sent").json()["deliveries"]] == ["reply"]
    assert sync.get("deliveries", state="lost").status_code == 400
    elsewhere = [Basket.objects.of(alice.workspace).exclude(pk=seat.talk.basket_id)[0]]
    member, _ = invite(alice, "amir@fernway.example", "Amir", "agent", elsewhere, now=now)
    assert program(member).get("deliveries").json()["deliveries"] == []
    assert program(member).get("ledger").status_code == 403
