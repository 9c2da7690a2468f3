"""The page of the ledger: entries, filters, the check, and what is taken out."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from typing import Any

import pytest
from django.utils import timezone

from acts_cast import Seat, Sets
from rapport.actions.acts import delete_sent
from rapport.store.models import Approval

PAGE = "/w/fernway/ledger/"


@pytest.fixture
def seat(cast: Any, hear: Any, make_post: Any, channel: Any, bus: Any) -> Seat:
    """A reply with a formula in it, and its deletion."""
    hear(make_post("My parcel is broken, @fernway", id="1"))
    seat = Seat(cast.alice, channel, Sets(), bus, timezone.now())
    sent = seat.answer('=HYPERLINK("https://evil.example") <b>Nadia</b>')
    delete_sent(cast.alice, sent, now=seat.now)
    seat.send()
    return seat


def body(answer: Any) -> str:
    return (b"".join(answer.streaming_content) if answer.streaming else answer.content).decode()


def test_entries_say_who_approved_what_and_what_became_of_it(cast: Any, enter: Any, seat: Seat) -> None:
    client = enter(cast.lea)
    shown = body(client.get(PAGE))
    for words in ("entry-1", "entry-2", "&lt;b&gt;Nadia", "deletion", "of entry 1", "Alice", "let it out"):
        assert words in shown
    only = body(client.get(PAGE, {"entry": "1"}))
    assert "entry-1" in only
    assert "entry-2" not in only


@pytest.mark.parametrize(
    ("asked", "entries"),
    [
        ({"kind": "delete"}, {2}), ({"kind": "reply"}, {1}), ({"kind": "like"}, set()),
        ({"network": "mastodon"}, {1, 2}),
        ({"network": "x"}, set()), ({"until": "2020-01-01"}, set()), ({"since": "2020-01-01"}, {1, 2}),
        ({"since": "0001-01-01", "until": "9999-12-31"}, {1, 2}), ({"who": "1 OR 1=1", "kind": "x' --"}, {1, 2}),
        ({"entry": "99999999999999999999"}, {1, 2}), ({"before": "2"}, {1}),
    ],
)  # fmt: skip
def test_filters_leave_what_fits_and_ignore_what_makes_no_sense(
    cast: Any, enter: Any, seat: Seat, asked: dict[str, str], entries: set[int]
) -> None:
    shown = body(enter(cast.lea).get(PAGE, asked))
    assert {number for number in (1, 2) if f'id="entry-{number}"' in shown} == entries


def test_the_chain_is_checked_from_the_page(cast: Any, enter: Any, seat: Seat) -> None:
    client = enter(cast.lea)
    assert "All 2 entries are as they were approved." in body(client.post(f"{PAGE}check"))
    Approval.objects.filter(sequence=1).update(text="Buy our coins")
    assert "Entry 1 is broken" in body(client.post(f"{PAGE}check"))


def test_what_is_taken_out_says_the_same_and_no_cell_is_a_formula(cast: Any, enter: Any, seat: Seat) -> None:
    client = enter(cast.lea)
    rows = list(csv.DictReader(io.StringIO(body(client.get(f"{PAGE}export.csv")).removeprefix("\ufeff"))))
    assert [row["kind"] for row in rows] == ["reply", "delete"]
    assert rows[0]["text"].startswith("'=HYPERLINK")
    lines = [json.loads(line) for line in body(client.get(f"{PAGE}export.jsonl")).splitlines()]
    assert [line["sequence"] for line in lines] == [1, 2]
    assert lines[0]["text"].startswith("=HYPERLINK")
    assert [line["chain"] for line in lines] == list(
        Approval.objects.order_by("sequence").values_list("chain", flat=True)
    )
    assert dt.datetime.fromisoformat(lines[0]["at"]).tzinfo is not None
    only = body(client.get(f"{PAGE}export.jsonl", {"kind": "delete"}))
    assert [json.loads(line)["about"] for line in only.splitlines()] == [1]


def test_the_ledger_of_another_workspace_is_not_there(cast: Any, enter: Any, seat: Seat) -> None:
    client = enter(cast.charlie)
    assert client.get(PAGE).status_code == 404
    assert 'id="entry-' not in body(client.get("/w/other/ledger/"))


def test_a_rule_of_the_guard_stands_there_by_a_short_name_with_its_id(cast: Any, enter: Any, seat: Seat) -> None:
    finding = {"rule": "near-same", "standing": "hold", "reason": "Nearly the same words.", "remedy": ""}
    verdict = json.dumps({"standing": "hold", "findings": [finding]})
    Approval.objects.filter(sequence=1).update(verdict=verdict, despite=["pile-on"])
    shown = body(enter(cast.lea).get(PAGE))
    assert 'data-rule="near-same">nearly the same words</span>' in shown
    assert 'title="pile-on">many answers by brands</span>' in shown
