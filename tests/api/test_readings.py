"""Thresholds and the team's own model by programs."""

from __future__ import annotations

from typing import Any

import pytest

from api.conftest import Program
from rapport.actions.team_model import claim_team_model, finish_team_model
from rapport.core.thresholds import Thresholds
from rapport.store.models import ReadingSettings
from rapport.store.queries.readings import read_counting
from rapport.store.queries.team_model import team_version


def test_thresholds_are_read_and_set(sync: Program, alice: Any) -> None:
    before = sync.get("thresholds").json()
    assert (before["thresholds"]["complaint"], before["share"]) == (0.5, None)
    made = sync.put("thresholds", {"thresholds": {"complaint": 0.7}, "share": 0.2})
    assert made.status_code == 200, made.content
    assert made.json() == sync.get("thresholds").json()
    assert (made.json()["thresholds"]["complaint"], made.json()["share_in_force"]) == (0.7, 0.2)
    assert read_counting(alice.workspace_id) == Thresholds(complaint=0.7)
    assert sync.put("thresholds", {}).json() == before


@pytest.mark.parametrize(
    "body",
    [
        {"thresholds": {"complaint": 0}},
        {"thresholds": {"anything": 0.5}},
        {"share": 2},
        {"thresholds": {"spam": "x"}},
        [],
    ],
)
def test_what_cannot_be_set_is_refused_with_a_sentence(sync: Program, alice: Any, body: Any) -> None:
    refused = sync.put("thresholds", body)
    assert refused.status_code == 400
    assert len(refused.json()["detail"]) > 10
    assert not ReadingSettings.objects.exists()


def test_a_model_is_asked_for_used_and_given_back(sync: Program, alice: Any, now: Any) -> None:
    assert sync.get("team-model").json() == {"in_force": 0, "waiting": 0, "versions": []}
    asked = sync.post("team-model", {}).json()["versions"]
    assert [(each["version"], each["state"]) for each in asked] == [(1, "waiting")]
    assert sync.put("team-model", {"version": 1}).status_code == 400
    row = claim_team_model("w", now=now)
    assert row is not None
    figures = {
        "reading": "spam", "corrected": 40, "stood": 90, "shipped_right": 1, "team_right": 30, "shipped_kept": 90,
        "team_kept": 89, "tried": True, "taken": True, "reason": "", "mended": 30,
    }  # fmt: skip
    finish_team_model(row, [figures], b"x", beside="heads", corrections=40, stood=90, now=now)
    used = sync.put("team-model", {"version": 1}).json()
    assert (used["in_force"], used["versions"][0]["readings"][0]["team_right"]) == (1, 30)
    assert team_version(alice.workspace_id) == 1
    assert sync.put("team-model", {"version": 0}).json()["in_force"] == 0
    assert sync.put("team-model", {"version": 0}).json()["in_force"] == 0
    assert sync.put("team-model", {"version": 9}).status_code == 404
