"""A private PostgreSQL server for the benchmarks, from a Python package; it listens on a socket in a folder alone."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg


class PostgresqlDatabases:
    """Each database is one of the server's own; settings of the server are its defaults."""

    def __init__(self, address: str, folder: Path) -> None:
        self._address = address
        self._folder = folder
        self._made = 0

    def fresh(self, template: str = "") -> dict[str, str]:
        """See `line.Database`. The one before is dropped."""
        if self._made:
            self._run(f"DROP DATABASE IF EXISTS bench_{self._made} WITH (FORCE)")
        self._made += 1
        self._run(f"CREATE DATABASE bench_{self._made} TEMPLATE {template or 'template0'}")
        return self._settings(f"bench_{self._made}")

    def template(self) -> tuple[str, dict[str, str]]:
        """See `line.Database`."""
        self._run("CREATE DATABASE bench_kept")
        return "bench_kept", self._settings("bench_kept")

    def _settings(self, name: str) -> dict[str, str]:
        parts = urlsplit(self._address)
        return {
            "RAPPORT_DATA": str(self._folder / "data"),
            "RAPPORT_DATABASE_URL": urlunsplit(parts._replace(path=f"/{name}")),
        }

    def _run(self, statement: str) -> None:
        with psycopg.connect(self._address, autocommit=True) as connection:
            connection.execute(statement.encode())


@contextlib.contextmanager
def private_server() -> Iterator[PostgresqlDatabases]:
    """Start the server, stop it at the end."""
    folder = Path(tempfile.mkdtemp(prefix="rapport-bench-"))
    # as root, the server runs as a user of its own, who must be able to reach the folder
    folder.chmod(0o755)
    with warnings.catch_warnings():
        # it looks for a folder of the session's user, which a container has not; nothing is kept there
        warnings.filterwarnings("ignore", "XDG_RUNTIME_DIR")
        from pgserver.postgres_server import get_server

        server = get_server(folder / "server", cleanup_mode="stop")
    try:
        yield PostgresqlDatabases(server.get_uri(), folder)
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)
