"""A real Matrix homeserver for the tests, on loopback, stopped by the test that started it.

with synapse() as server:
    room = server.create_room("ann", invite=["brand"])
    server.say("ann", room, "still waiting")
"""

from __future__ import annotations

import base64
import contextlib
import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests

from servers import free_port, stop, wait_for_port

ACCOUNTS = ("brand", "ann", "ben")
DOMAIN = "rapport.test"
PASSWORD = "correct horse battery"
#: an environment of its own, made by tests/install-deps.sh
PYTHON = Path(__file__).parents[1] / "build" / "venvs" / "synapse" / "bin" / "python"
MISSING = "Synapse is not installed: run `sh tests/install-deps.sh`"

_CONFIG = """\
server_name: {domain}
public_baseurl: http://127.0.0.1:{port}/
report_stats: false
enable_metrics: false
listeners:
  - port: {port}
    type: http
    tls: false
    bind_addresses: ["127.0.0.1"]
    resources: [{{names: [client], compress: false}}]
database: {{name: sqlite3, args: {{database: {folder}/homeserver.db}}}}
log_config: {folder}/log.yaml
media_store_path: {folder}/media
signing_key_path: {folder}/signing.key
macaroon_secret_key: made-up
registration_shared_secret: made-up
enable_registration: true
enable_registration_without_verification: true
trusted_key_servers: []
federation_domain_whitelist: []
presence: {{enabled: false}}
refreshable_access_token_lifetime: 1h
password_config: {{enabled: true}}
url_preview_enabled: false
caches: {{sync_response_cache_duration: 0s}}
rc_message: &plenty {{per_second: 10000, burst_count: 10000}}
rc_registration: *plenty
rc_login: {{address: *plenty, account: *plenty, failed_attempts: *plenty}}
rc_room_creation: *plenty
rc_joins: {{local: *plenty, remote: *plenty}}
rc_invites: {{per_room: *plenty, per_user: *plenty, per_issuer: *plenty}}
"""
_LOG = """\
version: 1
disable_existing_loggers: false
handlers: {console: {class: logging.StreamHandler}}
root: {level: WARNING, handlers: [console]}
"""


@dataclass
class Synapse:
    """A running homeserver. `url` is its origin, `authority` its "host:port"."""

    port: int
    folder: Path
    process: subprocess.Popen[bytes] | None = None
    #: username -> token
    tokens: dict[str, str] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    @property
    def authority(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.authority}"

    def start(self) -> None:
        command = [str(PYTHON), "-m", "synapse.app.homeserver", "--config-path", str(self.folder / "homeserver.yaml")]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log, env=environment)
        wait_for_port(self.port, self.process, self.folder / "log")

    def stop(self) -> None:
        if self.process is not None:
            stop(self.process)
            self.process = None

    def restart(self) -> None:
        self.stop()
        self.start()

    def call(self, method: str, path: str, user: str | None = None, body: Any = None, **query: Any) -> Any:
        """The answer of one request of the client-server API; `path` from behind `/_matrix/client/v3`."""
        headers = {"Authorization": f"Bearer {self.tokens[user]}"} if user else {}
        url = f"{self.url}/_matrix/client/v3{path}"
        with requests.Session() as session:
            session.trust_env = False
            given = None if method == "GET" else body or {}
            response = session.request(method, url, headers=headers, params=query, json=given, timeout=20)
        assert response.ok, f"{method} {path}: {response.status_code} {response.text}"
        return response.json()

    def register(self, name: str) -> None:
        flow = {"auth": {"type": "m.login.dummy"}, "username": name, "password": PASSWORD}
        self.tokens[name] = self.call("POST", "/register", body=flow)["access_token"]
        self.call("PUT", f"/profile/{quote(mxid(name))}/displayname", name, {"displayname": name.title()})

    def create_room(self, by: str, join: Sequence[str] = (), **fields: Any) -> str:
        """A room; those in `join` are invited and accept."""
        room: str = self.call("POST", "/createRoom", by, {"invite": [mxid(name) for name in join], **fields})["room_id"]
        for name in join:
            self.call("POST", f"/join/{quote(room)}", name)
        return room

    def send(self, user: str, room: str, content: dict[str, Any], kind: str = "m.room.message") -> str:
        """An event with this content; gives its id."""
        path = f"/rooms/{quote(room)}/send/{kind}/test-{next(self._numbers)}"
        event: str = self.call("PUT", path, user, content)["event_id"]
        return event

    def say(self, user: str, room: str, text: str, **content: Any) -> str:
        return self.send(user, room, {"msgtype": "m.text", "body": text, **content})

    def edit(self, user: str, room: str, event: str, text: str) -> str:
        content = {
            "msgtype": "m.text",
            "body": f"* {text}",
            "m.new_content": {"msgtype": "m.text", "body": text},
            "m.relates_to": {"rel_type": "m.replace", "event_id": event},
        }
        return self.send(user, room, content)

    def redact(self, user: str, room: str, event: str) -> None:
        self.call("PUT", f"/rooms/{quote(room)}/redact/{quote(event)}/test-{next(self._numbers)}", user)

    def messages(self, user: str, room: str) -> list[dict[str, Any]]:
        """The newest hundred events of a room, newest first."""
        found: list[dict[str, Any]] = self.call("GET", f"/rooms/{quote(room)}/messages", user, dir="b", limit=100)[
            "chunk"
        ]
        return found


def mxid(name: str) -> str:
    """The whole id of one of the accounts."""
    return f"@{name}:{DOMAIN}"


@contextlib.contextmanager
def synapse(accounts: Sequence[str] = ACCOUNTS) -> Iterator[Synapse]:
    """A fresh homeserver with these accounts on a free port. Raises `FileNotFoundError` where it is not installed."""
    if not PYTHON.exists():
        raise FileNotFoundError(MISSING)
    folder = Path(tempfile.mkdtemp(prefix="rapport-synapse-"))
    server = Synapse(free_port(), folder)
    (folder / "homeserver.yaml").write_text(_CONFIG.format(domain=DOMAIN, port=server.port, folder=folder))
    (folder / "log.yaml").write_text(_LOG)
    (folder / "signing.key").write_text(f"ed25519 a_test {_seed()}\n")
    try:
        server.start()
        for name in accounts:
            server.register(name)
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _seed() -> str:
    """32 bytes in unpadded base64, for a key that signs nothing but the events of one test run."""
    return base64.b64encode(os.urandom(32)).rstrip(b"=").decode()


__all__ = ["ACCOUNTS", "DOMAIN", "MISSING", "PASSWORD", "PYTHON", "Synapse", "mxid", "synapse"]
