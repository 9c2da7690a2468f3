"""Corrections by programs: said, read, taken back, and bounded by what the member sees."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from api.conftest import Program
from rapport.store.models import Basket, Correction, Outcome

SAID = {"network": "mastodon", "id": "1", "reading": "sentiment", "value": "positive"}


def test_a_program_corrects_and_reads_what_was_corrected(sync: Program, conversation: Any) -> None:
    made = sync.post("corrections", SAID)
    assert made.status_code == 200
    told = made.json()
    assert (told["reading"], told["value"], told["by"]["name"], told["post"]) == ("sentiment", "positive", "Alice", "1")
    assert Outcome.objects.get().sentiment == "positive"
    assert sync.get("corrections").json() == {"corrections": [told], "next": None}
    assert sync.get("corrections", reading="spam").json()["corrections"] == []


def test_null_takes_the_member_s_own_word_back_and_nobody_else_s(
    alice: Any, ben: Any, sync: Program, program: Callable[[Any], Program], conversation: Any
) -> None:
    sync.post("corrections", SAID)
    nothing = program(ben).post("corrections", {**SAID, "value": None})
    assert (nothing.status_code, "nothing" in nothing.json()["detail"]) == (400, True)
    assert sync.post("corrections", {**SAID, "value": None}).json()["withdrawn_at"]
    assert Outcome.objects.get().sentiment != "positive"
    assert sync.get("corrections").json()["corrections"] == []


@pytest.mark.parametrize(
    "changed", [{"reading": "mood"}, {"value": "angry"}, {"value": 1}, {"reading": "spam"}, {"more": "x"}]
)
def test_what_cannot_be_said_is_refused_with_a_sentence(
    sync: Program, conversation: Any, changed: dict[str, Any]
) -> None:
    refused = sync.post("corrections", {**SAID, **changed})
    assert refused.status_code == 400
    assert len(refused.json()["detail"]) > 10
    assert not Correction.objects.exists()


def test_a_post_out_of_sight_answers_like_one_that_does_not_exist(
    ben: Any, charlie: Any, program: Callable[[Any], Program], conversation: Any, sync: Program
) -> None:
    from rapport.store.models import BasketMember

    BasketMember.objects.filter(membership=ben).exclude(basket__slug="sales").delete()
    conversation.basket = Basket.objects.of(conversation.workspace_id).get(slug="care")
    conversation.save()
    missing = sync.post("corrections", {**SAID, "id": "none"})
    for member in (ben, charlie):
        refused = program(member).post("corrections", SAID)
        assert (refused.status_code, refused.content) == (404, missing.content)
    assert sync.post("corrections", {**SAID, "network": "\x00"}).status_code == 404


def test_pages_of_corrections_hold_each_once(sync: Program, conversation: Any) -> None:
    for reading in ("spam", "irony", "urgency"):
        sync.post("corrections", {**SAID, "reading": reading, "value": "true"})
    first = sync.get("corrections", limit="2").json()
    rest = sync.get("corrections", limit="2", cursor=first["next"]).json()
    readings = [each["reading"] for each in [*first["corrections"], *rest["corrections"]]]
    assert (readings, rest["next"]) == (["urgency", "irony", "spam"], None)
    for query in ({"limit": "0"}, {"limit": "501"}, {"cursor": "x"}, {"reading": "x"}, {"else": "1"}):
        assert sync.get("corrections", **query).status_code == 400


def test_another_method_is_told_both(sync: Program, conversation: Any) -> None:
    refused = sync.client.delete("/api/v1/corrections", headers=sync.headers({}))
    assert (refused.status_code, refused.headers["Allow"]) == (405, "GET, HEAD, POST")
