"""Networks on loopback that keep what they took, and lose answers as the plan says.

Four servers in one process of their own, so that the kill of a sender cannot take them along: see `cases.SERVERS`.
They speak the wire of Mastodon, Bluesky and X as far as answering and looking for answers needs it, so that the real
code of these networks runs. An account is known by its token; everything else about it the caller brings.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import http.client
import itertools
import json
import os
import signal
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from faults.matrix.cases import SERVERS, Board, die_with_parent
from wires import Caller, byte_server

#: seconds on the clock of the matrix
LEASE = 60.0
KEY_LASTS = 3600.0
RETRY_AFTER = 20
JSON = "Content-Type: application/json"
#: which of the wire faults leave the post on the server
TAKEN = frozenset(
    {"well", "504 taken", "silence taken", "reset taken", "half answer", "beyond the lease", "broken answer"}
)


@dataclass
class Said:
    """One post of ours on a server. Times: `at` on the clock of the matrix, `received` on the machine's."""

    server: str
    account: str
    id: str
    text: str
    parent: str
    #: the key that came with it, "" where the network knows none
    key: str
    at: float
    received: float
    #: seconds until the server shows it in a list
    hidden: float = 0.0
    record: dict[str, Any] = field(default_factory=dict)


class Refused(Exception):
    """An answer other than 200, with its body."""

    def __init__(self, status: str, body: Any) -> None:
        super().__init__(status)
        self.status, self.body = status, body


class Server:
    """One of the four."""

    def __init__(self, name: str, board: Board) -> None:
        self.name, self.board = name, board
        self.said: list[Said] = []
        #: text -> what the wire does at each request that would write it, in turn
        self.wires: dict[str, list[str]] = {}
        #: text -> seconds until it is shown
        self.hidden: dict[str, float] = {}
        self.seen: list[tuple[str, str]] = []
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)

    def answer(self, caller: Caller) -> None:
        received = time.time()
        parts = urlsplit(caller.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        token = (caller.header("Authorization") or "").removeprefix("Bearer ")
        write = WRITES.get((self.name, parts.path)) if caller.line.startswith("POST") else None
        if write is None:
            with self._lock:
                status, body = _tell(lambda: READS[self.name](self, parts.path, query, token))
            caller.send(status, json.dumps(body).encode(), JSON)
            return
        said = write(self, caller, token)
        said.received = received
        with self._lock:
            wires = self.wires.get(said.text, [])
            wire = wires.pop(0) if wires else "well"
            self.seen.append((said.text, wire))
            status, body = _tell(lambda: self._take(said)) if wire in TAKEN else ("", None)
        self._speak(caller, wire, status, json.dumps(body).encode())

    def _take(self, said: Said) -> Any:
        """The post is on the server from here on; a key or a record that is known adds nothing."""
        said.at = self.board.now()
        if self.name == "records":
            there = next((each for each in self.said if each.id == said.id), None)
            if there is not None and there.record != said.record:
                raise Refused("400 Bad Request", {"error": "InvalidSwap", "message": "Record was at another one"})
        elif self.name == "keys":
            there = next((each for each in self.said if each.key == said.key and said.at - each.at < KEY_LASTS), None)
        else:
            there = None
        if there is None:
            said.id = said.id or f"{int(said.at * 1000)}{next(self._numbers):04d}"
            said.hidden = self.hidden.get(said.text, 0.0) if self.name == "late" else 0.0
            self.said.append(said)
        return SHAPES[self.name](there or said)

    def _speak(self, caller: Caller, wire: str, status: str, body: bytes) -> None:
        if wire in {"well", "beyond the lease"}:
            if wire != "well":
                self.board.leap(LEASE + 5)
            caller.send(status, body, JSON)
        elif wire == "429":
            caller.send("429 Too Many Requests", b'{"error": "slow down"}', JSON, f"Retry-After: {RETRY_AFTER}")
        elif wire == "401":
            caller.send("401 Unauthorized", b'{"error": "InvalidToken", "title": "Unauthorized"}', JSON)
        elif wire[:3] in {"502", "504"}:
            caller.send(f"{wire[:3]} Bad Gateway", b"<html>bad gateway</html>")
        elif wire == "broken answer":
            caller.send("200 OK", body[: len(body) // 2], JSON)
        elif wire == "silence taken":
            with contextlib.suppress(OSError):
                caller.socket.recv(1)  # until they hang up
            raise ConnectionError
        else:
            if wire == "half answer":
                head = f"HTTP/1.1 200 OK\r\n{JSON}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
                caller.socket.sendall(head + body[: len(body) // 2])
            caller.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            caller.socket.close()
            raise ConnectionError

    def shown(self, account: str) -> list[Said]:
        """Posts of an account that the server shows now, newest first."""
        now = self.board.now()
        return [each for each in self.said[::-1] if each.account == account and each.at + each.hidden <= now]


def _tell(answer: Callable[[], Any]) -> tuple[str, Any]:
    try:
        return "200 OK", answer()
    except Refused as refused:
        return refused.status, refused.body


def moment(seconds: float) -> str:
    return dt.datetime.fromtimestamp(seconds, dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


# ---------------------------------------------------------------- Mastodon


def _write_status(server: Server, caller: Caller, token: str) -> Said:
    form = {name: values[-1] for name, values in parse_qs(caller.body.decode()).items()}
    key = caller.header("Idempotency-Key") or ""
    return Said(server.name, token, "", form["status"], form.get("in_reply_to_id", ""), key, 0.0, 0.0)


def _status(said: Said) -> dict[str, Any]:
    account = {"id": said.account, "acct": said.account, "username": said.account, "display_name": "Fernway"}
    return {
        "id": said.id, "created_at": moment(said.at), "account": account, "content": f"<p>{said.text}</p>",
        "uri": f"http://127.0.0.1/{said.id}", "url": f"http://127.0.0.1/{said.id}", "visibility": "public",
        "in_reply_to_id": said.parent, "mentions": [], "tags": [], "media_attachments": [], "sensitive": False,
    }  # fmt: skip


def _read_statuses(server: Server, path: str, query: dict[str, str], token: str) -> Any:
    account = path.split("/")[4]
    older = [each for each in server.shown(account) if "max_id" not in query or int(each.id) < int(query["max_id"])]
    return [_status(each) for each in older[: int(query.get("limit", "20"))]]


# ---------------------------------------------------------------- Bluesky


def _write_record(server: Server, caller: Caller, token: str) -> Said:
    body = json.loads(caller.body)
    uri, record = f"at://{body['repo']}/{body['collection']}/{body['rkey']}", body["record"]
    parent = record["reply"]["parent"]["uri"]
    return Said(server.name, body["repo"], uri, record["text"], parent, body["rkey"], 0.0, 0.0, record=record)


def _commit(said: Said) -> dict[str, Any]:
    return {"uri": said.id, "cid": f"cid-{said.id[-13:]}"}


def _read_records(server: Server, path: str, query: dict[str, str], token: str) -> Any:
    if path.endswith("getPosts"):
        uri = query["uris"]
        return {"posts": [{"uri": uri, "cid": f"cid-{uri[-13:]}", "record": {}, "viewer": {}}]}
    uri = f"at://{query['repo']}/{query['collection']}/{query['rkey']}"
    found = next((each for each in server.said if each.id == uri), None)
    if found is None:
        raise Refused("400 Bad Request", {"error": "RecordNotFound", "message": "Could not locate record"})
    return {"uri": uri, "cid": f"cid-{uri[-13:]}", "value": found.record}


# ---------------------------------------------------------------- X


def _write_tweet(server: Server, caller: Caller, token: str) -> Said:
    body = json.loads(caller.body)
    return Said(server.name, token, "", body["text"], body["reply"]["in_reply_to_tweet_id"], "", 0.0, 0.0)


def _tweet(said: Said) -> dict[str, Any]:
    return {"data": {"id": said.id, "text": said.text}}


def _read_tweets(server: Server, path: str, query: dict[str, str], token: str) -> Any:
    account = unquote(path.split("/")[3])
    since = query.get("start_time", "")
    found = [each for each in server.shown(account) if moment(each.at) >= since]
    start, most = int(query.get("pagination_token", "0")), int(query.get("max_results", "10"))
    page = [
        {
            "id": each.id, "text": each.text, "author_id": account, "created_at": moment(each.at),
            "edit_history_post_ids": [each.id], "referenced_posts": [{"type": "replied_to", "id": each.parent}],
        }
        for each in found[start : start + most]
    ]  # fmt: skip
    meta: dict[str, Any] = {"result_count": len(page)}
    if len(found) > start + most:
        meta["next_token"] = str(start + most)
    users = [{"id": account, "username": "brand", "name": "Fernway"}]
    return {"data": page, "meta": meta, "includes": {"users": users}}


WRITES: dict[tuple[str, str], Callable[[Server, Caller, str], Said]] = {
    ("keys", "/api/v1/statuses"): _write_status,
    ("records", "/xrpc/com.atproto.repo.putRecord"): _write_record,
    ("none", "/2/tweets"): _write_tweet,
    ("late", "/2/tweets"): _write_tweet,
}
READS: dict[str, Callable[[Server, str, dict[str, str], str], Any]] = {
    "keys": _read_statuses, "records": _read_records, "none": _read_tweets, "late": _read_tweets,
}  # fmt: skip
SHAPES: dict[str, Callable[[Said], Any]] = {"keys": _status, "records": _commit, "none": _tweet, "late": _tweet}


# ---------------------------------------------------------------- the process of the servers


class Networks:
    """The four servers as their caller sees them."""

    def __init__(self, urls: dict[str, str], desk: str, pid: int) -> None:
        self.urls, self._desk, self._pid = urls, desk, pid

    @property
    def allowed(self) -> set[str]:
        return {url.removeprefix("http://") for url in self.urls.values()}

    def plan(self, texts: list[tuple[str, str, list[str], float]]) -> None:
        """Server, text, what the wire does at each request that would write it, and how late it is shown."""
        self._ask("/plan", texts)

    def said(self, account_prefix: str = "") -> list[Said]:
        """Everything that was taken, in the order in which it was."""
        return [Said(**each) for each in self._ask("/said", {"account": account_prefix})]

    def stop(self) -> None:
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)

    def _ask(self, path: str, body: Any) -> Any:
        connection = http.client.HTTPConnection(self._desk, timeout=30)
        try:
            connection.request("POST", path, json.dumps(body))
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()


def start_networks(board: Board) -> Networks:
    """Fork the process of the servers. Its threads end with it, and it ends with its parent."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        die_with_parent()
        try:
            _serve(board, writer)
        finally:
            os._exit(1)
    os.close(writer)
    with os.fdopen(reader) as told:
        places = json.loads(told.readline())
    return Networks(places["urls"], places["desk"], pid)


def _serve(board: Board, writer: int) -> None:
    servers = {name: Server(name, board) for name in SERVERS}

    def desk(caller: Caller) -> None:
        body = json.loads(caller.body)
        told: Any = {}
        if caller.path == "/plan":
            for name, text, wires, hidden in body:
                servers[name].wires.setdefault(text, []).extend(wires)
                servers[name].hidden[text] = hidden
        else:
            found = [each for server in servers.values() for each in server.said]
            told = [asdict(each) for each in found if each.account.startswith(body["account"])]
        caller.send("200 OK", json.dumps(told).encode(), JSON)

    with contextlib.ExitStack() as stack:
        running = {name: stack.enter_context(byte_server(server.answer)) for name, server in servers.items()}
        control = stack.enter_context(byte_server(desk))
        places = {"urls": {name: each.url for name, each in running.items()}, "desk": control.authority}
        os.write(writer, f"{json.dumps(places)}\n".encode())
        os.close(writer)
        threading.Event().wait()
