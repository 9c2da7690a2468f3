"""A database with every migration in it, made once and copied: running the migrations takes ten seconds each time.

The copy is known by what made it (migrations, models, versions of the packages that bring tables): a changed migration
makes a new one. Whoever copies it still runs `migrate` on it, which then has nothing left to do.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "build" / "tables"
#: seconds
KEPT = 24 * 3600.0
#: name of the database that PostgreSQL copies; set by `with_postgresql.py`
TEMPLATE = "RAPPORT_TEST_TEMPLATE"
_MIGRATE = """
import django
from django.core.management import call_command
django.setup()
call_command("migrate", verbosity=0)
call_command("createcachetable", verbosity=0)
"""


def fingerprint() -> str:
    """What a database is made of, as a name."""
    versions = (version("django"), version("django-allauth"), sqlite3.sqlite_version)
    told = hashlib.sha256(f"{versions} {_MIGRATE}".encode())
    store = ROOT / "src" / "rapport" / "store"
    for path in sorted([*store.glob("migrations/*.py"), *store.glob("models/*.py")]):
        told.update(f"\n{path.relative_to(ROOT)}\n".encode() + path.read_bytes())
    return told.hexdigest()[:24]


def migrate(**settings: str) -> None:
    """Run the migrations in a process of their own, with these settings."""
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "rapport.config.django", **settings}
    subprocess.run([sys.executable, "-c", _MIGRATE], env=environment, check=True)


def sqlite_file() -> Path:
    """An SQLite file with all tables and no rows of ours."""
    found = FOLDER / f"{fingerprint()}.sqlite3"
    FOLDER.mkdir(parents=True, exist_ok=True)
    with _alone():
        if not found.exists():
            for old in FOLDER.glob("*.sqlite3"):
                if old.stat().st_mtime < time.time() - KEPT:  # another run may be using it
                    old.unlink()
            _make(found)
    return found


def _make(place: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        migrate(RAPPORT_DATA=folder, RAPPORT_DATABASE_URL="")
        made = Path(folder) / "copy.sqlite3"
        with closing(sqlite3.connect(Path(folder) / "rapport.sqlite3")) as connection:
            connection.execute("VACUUM INTO ?", [str(made)])
        shutil.move(made, place.with_suffix(".new"))
        place.with_suffix(".new").rename(place)


@contextmanager
def _alone() -> Iterator[None]:
    """One process at a time: the others wait for what it makes."""
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def lay(data: Path | None = None) -> None:
    """Put the tables into a data folder of SQLite that has none yet.

    Without `data`: into RAPPORT_DATA, and not where PostgreSQL is used.
    """
    if data is None and os.environ.get("RAPPORT_DATABASE_URL"):
        return
    folder = data or Path(os.environ["RAPPORT_DATA"])
    place = folder / "rapport.sqlite3"
    if not place.exists():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        shutil.copyfile(sqlite_file(), place)


def fresh_database(url: str, name: str) -> str:
    """A database of PostgreSQL beside the one that `url` names, with all tables where there is a copy; its address."""
    import psycopg

    template = os.environ.get(TEMPLATE, "")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name}")  # our own words
        connection.execute(f"CREATE DATABASE {name}" + (f" TEMPLATE {template}" if template else ""))
    before, _, after = url.partition("?")
    return f"{before.rpartition('/')[0]}/{name}" + (f"?{after}" if after else "")


def fill_test_database() -> None:
    """Put the tables into the database that the test runner has just made and is about to migrate.

    PostgreSQL has copied them itself: see `TEMPLATE` in the settings for the tests.
    """
    from django.db import connection

    if connection.vendor == "sqlite":
        connection.ensure_connection()
        with closing(sqlite3.connect(f"{sqlite_file().as_uri()}?mode=ro", uri=True)) as source:
            source.backup(connection.connection)
