"""Real servers for the tests, on loopback, each stopped by the test that started it.

with mastodon_server() as server:
    server.post("ann", "@brand still waiting")
"""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

ACCOUNTS = ("brand", "ann", "ben", "colleague")


@dataclass
class MastodonServer:
    """A running `mastodon_mock`. `url` is its origin, `authority` its "host:port"."""

    url: str
    pid: int
    #: username -> token
    tokens: dict[str, str]
    #: username -> id
    ids: dict[str, str] = field(default_factory=dict)

    @property
    def authority(self) -> str:
        return self.url.removeprefix("http://")

    def call(self, method: str, path: str, user: str | None = None, **kwargs: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.tokens[user]}"} if user else {}
        headers |= kwargs.pop("headers", {})
        with requests.Session() as session:
            session.trust_env = False
            response = session.request(method, self.url + path, headers=headers, timeout=10, **kwargs)
        response.raise_for_status()
        return response.json() if response.content else None

    def post(self, user: str, text: str, **fields: str) -> dict[str, Any]:
        """A status by one of `ACCOUNTS`; `fields` are those of the API (in_reply_to_id, visibility, ...)."""
        status: dict[str, Any] = self.call("POST", "/api/v1/statuses", user, data={"status": text, **fields})
        return status

    def statuses(self, user: str) -> list[dict[str, Any]]:
        """The newest forty statuses of an account."""
        found: list[dict[str, Any]] = self.call("GET", f"/api/v1/accounts/{self.ids[user]}/statuses?limit=40", user)
        return found

    def fault(self, path: str, effect: dict[str, Any], methods: tuple[str, ...] = ("POST",), count: int = 1) -> None:
        """The next `count` requests of that kind fail as `effect` says: {"type": "status", "status": 500}."""
        rule = {"match": {"methods": list(methods), "path": path}, "effect": effect, "count": count}
        self.call("POST", "/api/v1/_mock/faults", json=rule)

    def clear_faults(self) -> None:
        self.call("DELETE", "/api/v1/_mock/faults")


@contextlib.contextmanager
def mastodon_server(heartbeat: float = 0.2, accounts: Sequence[str] = ACCOUNTS) -> Iterator[MastodonServer]:
    """A fresh Mastodon API server with these accounts (token "NAME_token"), in memory, on a free port."""
    folder = Path(tempfile.mkdtemp(prefix="rapport-mastodon-"))
    port = free_port()
    tokens = {name: f"{name}_token" for name in accounts}
    config = folder / "mock.toml"
    config.write_text(_mastodon_config(f"127.0.0.1:{port}", tokens, heartbeat))
    command = [sys.executable, "-m", "mastodon_mock", "serve", "--config", str(config), "--in-memory"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--log-level", "warning"]
    log = (folder / "log").open("wb")
    process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
    try:
        server = MastodonServer(f"http://127.0.0.1:{port}", process.pid, tokens)
        wait_for_port(port, process, folder / "log")
        for name in accounts:
            server.ids[name] = server.call("GET", "/api/v1/accounts/verify_credentials", name)["id"]
        yield server
    finally:
        stop(process)
        log.close()
        shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    """A port of loopback that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for_port(port: int, process: subprocess.Popen[bytes], log: Path, seconds: float = 60.0) -> None:
    """Until the process listens. Raises with its log when it ends or takes too long."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise RuntimeError(f"the server did not start: {log.read_text(errors='replace')[-2000:]}")


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process that we started, by force if it does not listen (mastodon_mock does not while it streams)."""
    process.terminate()
    try:
        process.wait(timeout=2)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _mastodon_config(domain: str, tokens: dict[str, str], heartbeat: float) -> str:
    lines = [f'domain = "{domain}"', 'url_scheme = "http"', "[streaming]", f"heartbeat_seconds = {heartbeat}"]
    for name, token in tokens.items():
        lines += ["[[seed.accounts]]", f'username = "{name}"', f'display_name = "{name.title()}"']
        lines += [f"access_token = {json.dumps(token)}"]
    return "\n".join(lines) + "\n"
