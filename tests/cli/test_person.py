"""`rapport person`: a file of everything, and an erasure, at a terminal."""

from __future__ import annotations

import json
import stat
import zipfile
from pathlib import Path
from typing import Any

import pytest

from rapport.cli import person
from rapport.cli.main import main
from rapport.store.models import Person, Post

pytestmark = pytest.mark.django_db
WHO = ["--user", "alice@fernway.example", "--reason", "asked by mail"]


@pytest.fixture(autouse=True)
def heard(alice: Any, ben: Any, hear: Any, make_post: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(person, "load_django", lambda data: None)
    hear(make_post("My parcel is broken", author="nadia"), make_post("Mine is not", author="olga"))


def test_a_file_is_written_for_whoever_asks_and_nobody_else(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    to = tmp_path / "nadia.zip"
    assert main(["person", "export", "mastodon:@Nadia", "--to", str(to), *WHO, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["report"]["held"]["posts"] == 1
    assert stat.S_IMODE(to.stat().st_mode) == 0o600
    with zipfile.ZipFile(to) as packed:
        assert sorted(packed.namelist()) == ["person.html", "person.json"]
        assert json.loads(packed.read("person.json"))["posts"][0]["text"] == "My parcel is broken"
    assert main(["person", "export", "mastodon:nadia", "--to", str(to), *WHO]) == 2


def test_an_erasure_says_what_went_and_what_it_did_not_reach(capsys: pytest.CaptureFixture[str]) -> None:
    nadia = Person.objects.get(name="Nadia")
    assert main(["person", "erase", str(nadia.pk), "--name", "Olga", *WHO]) == 2
    assert main(["person", "erase", str(nadia.pk), "--name", "nadia", *WHO]) == 0
    out = capsys.readouterr().out
    assert "erase" in out
    assert "Post 1" in out
    assert "not reached: backups" in out
    assert [row.text for row in Post.objects.all()] == ["Mine is not"]


@pytest.mark.parametrize("name", ["mastodon:somebody", "nadia", "999999999"])
def test_somebody_who_is_not_there_is_nobody(name: str, tmp_path: Path) -> None:
    assert main(["person", "export", name, "--to", str(tmp_path / "x.zip"), *WHO]) == 2


def test_who_may_not_gets_nothing(tmp_path: Path) -> None:
    by = ["--user", "ben@fernway.example", "--reason", "curious"]
    assert main(["person", "export", "mastodon:nadia", "--to", str(tmp_path / "x.zip"), *by]) == 2
    assert not list(tmp_path.iterdir())
