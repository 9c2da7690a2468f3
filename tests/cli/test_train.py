"""`rapport train` for a workspace: what it tells, and that it runs where nothing else is installed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import tables
from cli.running import rapport
from rapport.cli.train_team import as_json, tell
from rapport.store.models import TeamModel
from rapport.training.team import LEAST_CORRECTED

POST = {"network": "x", "id": "1", "text": "My parcel is broken", "created_at": "2026-11-20T10:00:00Z",
        "author": {"handle": "nadia"}}  # fmt: skip


def figures(**changed: Any) -> dict[str, Any]:
    told = {
        "reading": "intent.complaint", "corrected": 40, "stood": 200, "shipped_right": 4, "team_right": 30,
        "shipped_kept": 200, "team_kept": 196, "tried": True, "taken": True, "reason": "",
    }  # fmt: skip
    return told | changed


def model(*readings: dict[str, Any], weights: bytes | None = b"x") -> TeamModel:
    return TeamModel(version=3, figures=list(readings), weights=weights, corrections=40, stood=200, beside="heads-x")


def test_a_line_for_each_reading_says_what_came_of_it() -> None:
    lines = tell(model(figures(), figures(reading="irony", corrected=12, tried=False, reason="few corrected")), True)
    assert lines[1].startswith(
        "complaint  of 40 corrected 4 right before, 30 now; of 200 that stood 200 kept before, 196"
    )
    assert lines[1].endswith("taken")
    assert lines[2] == f"irony      not taken: {LEAST_CORRECTED - 12} more corrections are needed before it is tried"
    assert "team-3 is in force" in lines[3]


def test_what_is_kept_back_or_not_better_is_said() -> None:
    assert "not in force" in tell(model(figures()), False)[-1]
    worse = tell(model(figures(taken=False, reason="overturns"), weights=None), False)
    assert "overturns nearly as many" in worse[1]
    assert worse[-1] == "The shipped model stays as it is."
    assert "Nothing to learn from yet" in tell(model(weights=None), False)[1]


def test_the_object_for_programs_holds_all_figures() -> None:
    told = as_json(model(figures()), True)
    assert (told["version"], told["in_force"], told["readings"][0]["team_right"]) == (3, True, 30)
    assert json.dumps(told)


@pytest.mark.slow
def test_it_runs_on_a_data_folder_and_says_when_there_is_nothing_to_learn(tmp_path: Path) -> None:
    (tmp_path / "posts.jsonl").write_text(json.dumps(POST) + "\n", encoding="utf-8")
    data = tmp_path / "data"
    tables.lay(data)
    assert rapport(data, "import", tmp_path / "posts.jsonl", "--channel", "file", "--process").returncode == 0
    done = rapport(data, "train", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) | {"beside": ""} == {
        "version": 1, "beside": "", "corrections": 0, "stood": 0, "readings": [], "in_force": False,
    }  # fmt: skip
    missing = rapport(data, "train", "--workspace", "nowhere")
    assert missing.returncode == 2
    assert "there is no workspace 'nowhere'" in missing.stderr
