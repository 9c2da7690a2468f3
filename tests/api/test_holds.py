"""The switch for programs."""

from __future__ import annotations

from typing import Any

from api.conftest import Program
from rapport.store.models import AuditEntry, Hold, Workspace


def test_a_program_holds_everything_and_lets_it_go_again(sync: Program, alice: Any) -> None:
    assert sync.get("hold").json()["held"] is False
    told = sync.post("hold", {"reason": "Recall of batch 7", "known": "Nobody was hurt."}).json()
    assert (told["held"], told["reason"], told["by"]["name"]) == (True, "Recall of batch 7", "Alice")
    assert Workspace.objects.get().hold_reason == "Recall of batch 7"
    again = sync.post("hold", {"reason": "Recall of batches 7 and 8"}).json()
    assert (again["since"], again["known"]) == (told["since"], "Nobody was hurt.")
    assert sync.delete("hold").json()["held"] is False
    assert sync.delete("hold").status_code == 200
    (kept,) = Hold.objects.all()
    assert (kept.via, kept.reason, kept.ended_by) == ("api", "Recall of batches 7 and 8", alice)
    assert AuditEntry.objects.filter(verb="workspace.release").count() == 1


def test_a_hold_without_a_reason_or_of_another_shape_is_refused(sync: Program) -> None:
    for body in ({"reason": " "}, {}, {"reason": 7}, {"reason": "x", "until": "tomorrow"}, []):
        assert sync.post("hold", body).status_code == 400
    assert not Hold.objects.exists()


def test_who_may_not_hold_may_only_look(program: Any, alice: Any, now: Any) -> None:
    from rapport.actions.accounts import invite

    viewer = program(invite(alice, "vera@fernway.example", "Vera", "viewer", [], now=now)[0])
    assert viewer.get("hold").status_code == 200
    assert viewer.post("hold", {"reason": "Recall"}).status_code == 403
    assert viewer.delete("hold").status_code == 403
