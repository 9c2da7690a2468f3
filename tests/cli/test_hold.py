"""`rapport hold`: the switch at a terminal."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rapport.cli import hold
from rapport.cli.main import main
from rapport.store.models import Hold, Workspace

pytestmark = pytest.mark.django_db


def test_everything_is_held_told_of_and_let_go(
    alice: Any, ben: Any, charlie: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(hold, "load_django", lambda data: None)
    assert main(["hold", "status"]) == 0
    assert capsys.readouterr().out.splitlines() == ["fernway: nothing is held", "other: nothing is held"]
    assert main(["hold", "on", "Recall", "--user", "ben@fernway.example", "--known", "Batch 7"]) == 0
    assert capsys.readouterr().out.startswith("fernway: held since ")
    assert main(["hold", "status", "--json"]) == 1
    told = {each["workspace"]: each["reason"] for each in json.loads(capsys.readouterr().out) if each["held"]}
    assert told == {"fernway": "Recall"}
    (kept,) = Hold.objects.all()
    assert (kept.by, kept.via, kept.known) == (ben, "cli", "Batch 7")
    assert main(["hold", "off", "--user", "alice@fernway.example"]) == 0
    assert main(["hold", "status", "--workspace", "fernway"]) == 0


def test_nobody_holds_who_does_not_work_here_or_may_not(
    alice: Any, monkeypatch: pytest.MonkeyPatch, now: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    from rapport.actions.accounts import invite

    monkeypatch.setattr(hold, "load_django", lambda data: None)
    invite(alice, "vera@fernway.example", "Vera", "viewer", [], now=now)
    for email in ("nobody@fernway.example", "vera@fernway.example"):
        assert main(["hold", "on", "Recall", "--user", email]) == 2
    assert main(["hold", "status", "--workspace", "nowhere"]) == 2
    assert Workspace.objects.get().held_at is None
