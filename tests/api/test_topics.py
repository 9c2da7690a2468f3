"""Topics for programs: what each found, with and without machines."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from api.conftest import Program
from rapport.core.post import Author
from rapport.store.models import Topic


def test_topics_tell_what_they_found_with_and_without_machines(
    sync: Program, alice: Any, hear: Any, make_post: Any, now: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rapport.api.door.read_clock", lambda: now)
    for name in ("delay", "thanks"):
        Topic.objects.create(workspace=alice.workspace, slug=name, name=name, query=name, updated_at=now)
    alice.workspace.config_version += 1
    alice.workspace.save()
    hear(
        *[make_post("A delay", author=Author(id=f"r{n}", handle=f"r{n}", bot=True)) for n in range(3)],
        make_post("A delay", author="ann"),
        make_post("thanks"),
    )

    def told(**asked: str) -> list[tuple[str, int, int, float]]:
        found = sync.get("topics", **asked).json()["topics"]
        return [(each["slug"], each["found"], each["automated"], each["share"]) for each in found]

    assert told() == [("delay", 4, 3, 0.8), ("thanks", 1, 0, 0.2)]
    assert told(automated="without") == [("delay", 1, 3, 0.5), ("thanks", 1, 0, 0.5)]
    assert sync.get("topics", automated="no").status_code == 400
    assert sync.get("topics", days="91").status_code == 400
