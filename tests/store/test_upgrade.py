"""What stands in a database of before survives the tables of the desk and the gate, and so does who still writes it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest

PROGRAM = Path(__file__).with_name("upgrade.py")
APPROVALS = 20
DJANGO = {"DJANGO_SETTINGS_MODULE": "rapport.config.django"}


@pytest.fixture
def database(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Settings of an empty database of the kind that these tests run on."""
    address = os.environ.get("RAPPORT_DATABASE_URL", "")
    settings = {"RAPPORT_DATA": str(tmp_path)}
    if not address:
        yield settings
        return
    import psycopg

    name = f"upgrade_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
        yield settings | {"RAPPORT_DATABASE_URL": urlunsplit(urlsplit(address)._replace(path=f"/{name}"))}
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def upgrade(settings: dict[str, str]) -> dict[str, Any]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAPPORT_")}
    command = [sys.executable, str(PROGRAM), str(APPROVALS)]
    ended = subprocess.run(command, env=environment | settings | DJANGO, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr[-3000:]
    found: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return found


@pytest.mark.slow
def test_a_filled_database_of_before_goes_on_with_everything_that_was_in_it(database: dict[str, str]) -> None:
    found = upgrade(database)
    # one answer more than there were: a worker of before, which knows nothing of the new columns, wrote it afterwards
    assert found["rows"] == {"Approval": APPROVALS + 1, "Delivery": APPROVALS + 1, "Draft": 1, "Note": 1, "Post": 1}
    assert found["acts"] == [[None, None, None]]
    # the search of SQLite lives on triggers, and lists on partial indexes: tables made anew would lose both
    assert found["lost"] == []
    # what is somebody's is found newest first from now on
    assert found["changed"] == (
        ["assigned"] if "RAPPORT_DATABASE_URL" in database else ["assigned", "rows of assigned"]
    )
    assert found["found"] == {"tardiness": True, "lateness": False, "marrow": True, "quill": False}
    assert found["refused"] == {
        "a word of nobody": True,
        "a reply to nothing": True,
        "a reply in no conversation": True,
        "a deletion that answers": True,
        "a post of our own": False,
        "an erased reply": False,
        "a like": False,
    }
    assert found["as before"], "the way back leaves something behind"
