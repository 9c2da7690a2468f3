"""A small Reddit on loopback with the manners of the real one, the trap of the removed anchor included. It refuses what
Reddit refuses: requests without a token, with a plain user agent, with a limit beyond a hundred.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from rapport.networks.base import Account, Grant
from wires import Caller, byte_server

JSON = "Content-Type: application/json"
AGENT = "server:rapport-desk:"


class FakeReddit:
    """What Reddit holds, and what it was asked."""

    def __init__(self) -> None:
        self.url = self.authority = ""
        #: path -> things, newest first
        self.lists: dict[str, list[dict[str, Any]]] = {}
        self.asked: list[tuple[str, dict[str, str], dict[str, str], str]] = []
        self.faults: dict[str, list[tuple[str, Any, tuple[str, ...]]]] = {}
        self.headers: tuple[str, ...] = ("x-ratelimit-remaining: 99.0", "x-ratelimit-reset: 500")
        #: removed between the page that named them and the next
        self.vanishing: list[str] = []
        self.granted = "identity read privatemessages history submit edit vote"
        #: what this account voted up
        self.votes: set[str] = set()
        self._numbers = itertools.count(1)

    def comment(self, path: str, body: str, ago: float = 0.0, **more: Any) -> str:
        name = f"t1_c{next(self._numbers)}"
        data = {"name": name, "author": "ann", "body": body, "body_html": f'<div class="md"><p>{body}</p></div>'}
        data |= {"parent_id": "t3_p1", "link_id": "t3_p1", "edited": False, "score": 3, "subreddit": "trains"}
        data |= {"permalink": f"/r/trains/comments/p1/late/{name[3:]}/"}
        return self._put(path, "t1", data, ago, more)

    def topic(self, path: str, title: str, ago: float = 0.0, **more: Any) -> str:
        name = f"t3_p{next(self._numbers) + 100}"
        data = {"name": name, "author": "ben", "title": title, "selftext": "", "is_self": True, "edited": False}
        data |= {"permalink": f"/r/trains/comments/{name[3:]}/x/", "num_comments": 2, "score": 5, "url": "https://x.y/"}
        return self._put(path, "t3", data | {"selftext_html": None, "subreddit": "trains"}, ago, more)

    def message(self, path: str, body: str, ago: float = 0.0, **more: Any) -> str:
        name = f"t4_m{next(self._numbers)}"
        data = {"name": name, "author": "ann", "dest": "brand", "subject": "My bag", "body": body, "was_comment": False}
        data |= {"body_html": f"<p>{body}</p>", "parent_id": None, "first_message_name": None, "context": ""}
        return self._put(path, "t4", data, ago, more)

    def find(self, name: str) -> dict[str, Any]:
        return next(each["data"] for things in self.lists.values() for each in things if each["data"]["name"] == name)

    def refuse(self, path: str, status: str, body: Any = None, *headers: str, times: int = 1) -> None:
        self.faults.setdefault(path, []).extend([(status, body or {}, headers)] * times)

    def answer(self, caller: Caller) -> None:
        parts = urlsplit(caller.path)
        path = unquote(parts.path)
        params = {name: values[0] for name, values in parse_qs(parts.query).items()}
        form = {name: values[0] for name, values in parse_qs(caller.body.decode()).items()}
        authorization = caller.header("Authorization") or ""
        self.asked.append((path, params, form, authorization))
        if self.faults.get(path):
            status, told, headers = self.faults[path].pop(0)
            caller.send(status, json.dumps(told).encode(), JSON, *headers)
        elif not (caller.header("User-Agent") or "").startswith(AGENT):
            caller.send("429 Too Many Requests", b"{}", JSON)
        elif not self._is_known(path, authorization):
            caller.send("401 Unauthorized", b'{"message": "Unauthorized", "error": 401}', JSON)
        elif int(params.get("limit", 1)) > 100:
            caller.send("400 Bad Request", b"{}", JSON)
        else:
            caller.send("200 OK", json.dumps(self._told(path, params, form)).encode(), JSON, *self.headers)

    def _is_known(self, path: str, authorization: str) -> bool:
        if path.endswith("access_token"):
            return authorization.startswith("Basic ")
        return authorization in {"Bearer access", "Bearer fresh"}

    def _put(self, path: str, kind: str, data: dict[str, Any], ago: float, more: dict[str, Any]) -> str:
        data["created_utc"] = dt.datetime.now(dt.UTC).timestamp() - ago
        things = self.lists.setdefault(path, [])
        things.append({"kind": kind, "data": data | more})
        things.sort(key=lambda each: each["data"]["created_utc"], reverse=True)
        return str(data["name"])

    def _told(self, path: str, params: dict[str, str], form: dict[str, str]) -> Any:
        if path == "/api/v1/me":
            return {"name": "brand", "id": "abc"}
        if path.endswith("access_token"):
            told = {"access_token": "fresh", "expires_in": 3600, "scope": self.granted, "token_type": "bearer"}
            return told | ({"refresh_token": "keep"} if form["grant_type"] == "authorization_code" else {})
        if path == "/api/comment":
            target = form["thing_id"]
            lists = (
                ("/message/sent", self.message) if target.startswith("t4_") else ("/user/brand/comments", self.comment)
            )
            name = lists[1](lists[0], form["text"], author="brand", parent_id=target)
            return {"json": {"errors": [], "data": {"things": [{"kind": name[:2], "data": self.find(name)}]}}}
        if path in ("/api/vote", "/api/del", "/api/editusertext"):
            return self._changed(path, form)
        if path == "/api/info":
            known = [each for things in self.lists.values() for each in things]
            return self._listing([each for each in known if each["data"]["name"] in params["id"].split(",")], None)
        things = self.lists.get(path, [])
        if path.endswith("/overview"):
            things = things + self.lists.get(path.replace("overview", "comments"), [])
            things.sort(key=lambda each: each["data"]["created_utc"], reverse=True)
        return self._slice(things[:1000], params)

    def _changed(self, path: str, form: dict[str, str]) -> Any:
        if path == "/api/vote":  # the same again changes nothing
            (self.votes.add if form["dir"] == "1" else self.votes.discard)(form["id"])
            return {}
        said = self.find(form.get("id") or form["thing_id"])
        if path == "/api/editusertext":
            said.update(body=form["text"], edited=dt.datetime.now(dt.UTC).timestamp())
            return {"json": {"errors": [], "data": {"things": []}}}
        if said["author"] == "brand":
            said.update(author="[deleted]", body="[deleted]")
        return {}  # whatever became of it; what is deleted keeps its place

    def _slice(self, things: list[dict[str, Any]], params: dict[str, str]) -> Any:
        names = [each["data"]["name"] for each in things]
        start = 0
        if "after" in params:
            if params["after"] not in names or params["after"] in self.vanishing:
                return self._listing([], None)
            start = names.index(params["after"]) + 1
        end = start + int(params.get("limit", "25"))
        return self._listing(things[start:end], names[end - 1] if end < len(names) else None)

    def _listing(self, things: list[dict[str, Any]], after: str | None) -> Any:
        return {"kind": "Listing", "data": {"children": things, "after": after, "before": None, "dist": len(things)}}


@contextlib.contextmanager
def reddit_server() -> Iterator[FakeReddit]:
    fake = FakeReddit()
    with byte_server(fake.answer) as server:
        fake.url, fake.authority = server.url, server.authority
        yield fake


def account_at(url: str, **settings: str | int | bool | list[str]) -> Account:
    grant = Grant("access", "refresh", more={"client_id": "id", "client_secret": "secret"})
    return Account(
        channel=1, server=url, handle="brand", account_id="abc", token=grant.encode(), settings=dict(settings)
    )


@contextlib.contextmanager
def reddit() -> Iterator[tuple[FakeReddit, Account, Callable[[str], str], Callable[[str], int]]]:
    """As the contract suite plays it: the server, our account, how a stranger speaks, how often we answered."""
    with reddit_server() as fake:

        def answers(target: str) -> int:
            said = fake.lists.get("/user/brand/comments", [])
            return sum(each["data"]["parent_id"] == target for each in said)

        yield fake, account_at(fake.url), lambda text: fake.comment("/message/inbox", f"u/brand {text}"), answers
