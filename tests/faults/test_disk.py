"""A disk that is full or broken: everything stops aloud, nothing is acknowledged, and later nothing is lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

EIO = "OperationalError: disk I/O error"
FULL = "OperationalError: database or disk is full"


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What `disk.py` did and saw, on SQLite: the faults are those of its files."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAPPORT_")}
    environment |= {"RAPPORT_DATA": str(tmp_path_factory.mktemp("disk"))}
    environment |= {"DJANGO_SETTINGS_MODULE": "rapport.config.django"}
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("disk.py"))],
        env=environment, capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return said


def test_an_approval_is_written_whole_or_not_at_all_and_the_ledger_goes_on(found: dict[str, Any]) -> None:
    assert found["approving"] == {
        "said": EIO, "full": FULL, "stood": [0, 0, 0], "approvals": 0, "deliveries": 0, "chain": True,
    }  # fmt: skip


def test_what_was_heard_and_its_cursor_are_stored_together_or_neither(found: dict[str, Any]) -> None:
    assert found["hearing"] == {"eio": [EIO, True, 40, 0, "after-eio"], "full": [FULL, True, 40, 0, "after-full"]}


def test_a_batch_that_could_not_be_recorded_is_not_acknowledged_and_done_once_later(found: dict[str, Any]) -> None:
    assert found["working"] == {"said": [EIO, EIO], "between": 0, "left": 1, "done": 3, "outcomes": 3}


def test_nothing_leaves_that_cannot_be_written_down_and_what_left_is_found_again(found: dict[str, Any]) -> None:
    sending = found["sending"]
    # no room at the claim, before the request, after it
    assert sending["steps"] == [[EIO, 0], [EIO, 0], [EIO, 1]]
    assert (sending["after"], sending["end"]) == (["sending", True], "sent")
    assert sending["there"] == ["Sorry, a new one leaves today."]


def test_the_loop_says_so_and_goes_on(found: dict[str, Any]) -> None:
    assert found["looping"] == {"steps": 3, "told": 2, "written": 1}


def test_no_file_is_left_half_written_and_the_person_is_told(found: dict[str, Any]) -> None:
    keeping = found["keeping"]
    status, said, rows, files = keeping["image"]
    assert (status, "no room" in said, rows) == (507, True, 0)
    assert files == 1, "the one that was there before, and no half one"
    assert (keeping["again"], keeping["whole"]) == (200, True)
    assert keeping["export"] == [False, "failed", "", 0]
    assert keeping["anew"] is True


def test_over_the_web_and_the_interface_it_is_an_error_and_the_next_try_has_its_effect_once(
    found: dict[str, Any],
) -> None:
    assert found["asking"] == {"page": 500, "sent": 0, "api": 503, "between": 0, "new": [1, True, 1]}
