"""A small X on loopback: timelines, search, messages, rules, the stream and the token endpoint, with the manners of the
documented API (newest first, since_id, until_id, tokens, limits in headers) and refusals on demand.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
import json
import queue
import re
import select
import socket
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

from multipart import read_form
from rapport.networks.base import Account, Grant
from rapport.networks.x.cursor import id_at
from wires import Caller, byte_server

NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)
OURS = "4242"
JSON = "Content-Type: application/json"


class FakeX:
    """What X holds, and what it was asked."""

    def __init__(self) -> None:
        self.url = self.authority = ""
        self.posts: dict[str, dict[str, Any]] = {}
        self.users: dict[str, dict[str, Any]] = {}
        self.events: list[dict[str, Any]] = []
        self.rules: list[dict[str, str]] = []
        self.lines: queue.Queue[bytes | None] = queue.Queue()
        self.asked: list[tuple[str, dict[str, str], Any, str]] = []
        #: path -> refusals to give, one a request: (status, body, headers)
        self.faults: dict[str, list[tuple[str, Any, tuple[str, ...]]]] = {}
        self.headers: tuple[str, ...] = ()
        self.problems: list[dict[str, Any]] = []
        #: the search index of X is late by these posts
        self.unindexed: set[str] = set()
        self.stopped = False
        #: images that were brought: content, type, alt, and whether all of it is there
        self.images: dict[str, dict[str, Any]] = {}
        #: what X says of images that it is not done with, one an answer
        self.working: list[dict[str, Any]] = []
        #: what the server takes as a token
        self.tokens = {"user-token", "app-token", "new"}
        #: ("likes", id), ("retweets", id), ("following", id): what this account has done
        self.marks: set[tuple[str, str]] = set()
        self._numbers = itertools.count(1)

    def user(self, identifier: str, username: str, **more: Any) -> None:
        self.users[identifier] = {"id": identifier, "username": username, "name": username.title(), **more}

    def post(self, text: str, author: str = "7", at: dt.datetime | None = None, **more: Any) -> str:
        identifier = str(int(id_at(at or dt.datetime.now(dt.UTC))) + next(self._numbers))
        created = (at or dt.datetime.now(dt.UTC)).isoformat().replace("+00:00", "Z")
        data = {
            "id": identifier,
            "text": text,
            "author_id": author,
            "created_at": created,
            "conversation_id": identifier,
        }
        self.posts[identifier] = data | {"edit_history_post_ids": [identifier]} | more
        return identifier

    def message(self, text: str, sender: str = "7", at: dt.datetime | None = None, conversation: str = "7-4242") -> str:
        at = at or dt.datetime.now(dt.UTC)
        identifier = str(int(id_at(at)) + next(self._numbers))
        event = {"id": identifier, "event_type": "MessageCreate", "text": text, "sender_id": sender}
        self.events.append(event | {"dm_conversation_id": conversation, "created_at": at.isoformat()})
        return identifier

    def refuse(self, path: str, status: str, body: Any = None, *headers: str, times: int = 1) -> None:
        self.faults.setdefault(path, []).extend([(status, body or {}, headers)] * times)

    def count(self, path: str) -> int:
        return sum(asked[0] == path for asked in self.asked)

    def answer(self, caller: Caller) -> None:
        parts = urlsplit(caller.path)
        params = {name: values[0] for name, values in parse_qs(parts.query).items()}
        body = self._body(caller)
        self.asked.append((parts.path, params, body, caller.header("Authorization") or ""))
        fault = self.faults.get(parts.path)
        if fault:
            status, told, headers = fault.pop(0)
            caller.send(status, json.dumps(told).encode(), JSON, *headers)
        elif not parts.path.startswith("/2/oauth2/") and self.asked[-1][3].removeprefix("Bearer ") not in self.tokens:
            caller.send("401 Unauthorized", b'{"title": "Unauthorized", "detail": "Unauthorized"}', JSON)
        elif parts.path == "/2/tweets/search/stream":
            self._stream(caller)
        elif caller.method == "DELETE" or re.fullmatch(r"/2/users/\d+/(likes|retweets|following)", parts.path):
            self._act(caller, parts.path, body)
        else:
            caller.send("200 OK", json.dumps(self._told(parts.path, params, body)).encode(), JSON, *self.headers)

    def _act(self, caller: Caller, path: str, body: Any) -> None:
        """What a person does on X, and takes back: the same answer to a second one; what is gone answers 404."""
        place = re.fullmatch(r"/2/users/\d+/(likes|retweets|following)(?:/(\d+))?", path)
        gone = path.removeprefix("/2/tweets/")
        if place and caller.method == "DELETE":
            self.marks.discard((place[1], place[2]))
        elif place:
            self.marks.add((place[1], body.get("tweet_id") or body["target_user_id"]))
        elif gone not in self.posts or self.posts[gone]["author_id"] != OURS:
            caller.send("404 Not Found", b'{"title": "Not Found Error", "detail": "Could not find tweet"}', JSON)
            return
        else:
            del self.posts[gone]
        caller.send("200 OK", b'{"data": {"done": true}}', JSON)

    def _body(self, caller: Caller) -> Any:
        kind = caller.header("Content-Type") or ""
        if kind.startswith("multipart/form-data"):
            fields, files = read_form(kind, caller.body)
            return fields | {name: content for name, (_, _, content) in files.items()}
        if "json" in kind:
            return json.loads(caller.body)
        return {name: values[0] for name, values in parse_qs(caller.body.decode()).items()}

    def _media(self, path: str, params: dict[str, str], body: Any) -> Any:
        """The chunked upload of API v2 and the words of an image, as docs.x.com and X's OpenAPI description tell.

        Ids are digits, the key beside them "3_ID"; a piece has the number of its place and at most five million bytes;
        the end is a request without a body; X may say that it is still at work (`working`).
        """
        if path == "/2/media/upload":
            return {"data": {"id": params["media_id"], "processing_info": self.working.pop(0)}}
        if path.endswith("/initialize"):
            assert set(body) <= {"media_type", "media_category", "total_bytes", "shared", "additional_owners"}
            assert body["media_category"] == "tweet_image"
            identifier = str(1_146_654_567_674_912_000 + next(self._numbers))
            kept = {"content": b"", "type": body["media_type"], "size": body["total_bytes"], "alt": "", "whole": False}
            self.images[identifier] = kept
            return {"data": {"id": identifier, "media_key": f"3_{identifier}", "expires_after_secs": 86_400}}
        if path == "/2/media/metadata":
            self.images[body["id"]]["alt"] = body["metadata"]["alt_text"]["text"]
            return {"data": {"id": body["id"], "associated_metadata": body["metadata"]}}
        identifier, step = path.split("/")[-2:]
        image = self.images[identifier]
        if step == "append":
            assert set(body) == {"media", "segment_index"}
            assert len(body["media"]) <= 5_000_000
            assert len(image["content"]) == int(body["segment_index"]) * 1_000_000
            image["content"] += body["media"]
            return {"data": {"expires_at": 1_700_086_400}}
        assert body == {}
        image["whole"] = len(image["content"]) == image["size"]
        told: dict[str, Any] = {"id": identifier, "media_key": f"3_{identifier}", "size": image["size"]}
        return {"data": told | ({"processing_info": self.working.pop(0)} if self.working else {})}

    def _told(self, path: str, params: dict[str, str], body: Any) -> Any:  # noqa: PLR0911  # one line an endpoint
        if path.endswith("/mentions"):
            return self._page([each for each in self.posts.values() if "@brand" in each["text"]], params)
        if path.startswith("/2/users/") and path.endswith("/tweets"):
            return self._page([each for each in self.posts.values() if each["author_id"] == OURS], params)
        if path == "/2/tweets/search/recent":
            words = params["query"].lower()
            found = [each for each in self.posts.values() if words in each["text"].lower()]
            return self._page([each for each in found if each["id"] not in self.unindexed], params)
        if path == "/2/dm_events" or path.endswith("/dm_events"):
            return self._page(self.events, params)
        if path == "/2/tweets/search/stream/rules":
            return self._rules(body)
        if path.startswith("/2/media/"):
            return self._media(path, params, body)
        if path == "/2/tweets":
            assert set(body) <= {"text", "reply", "media"}
            answered = [{"type": "replied_to", "id": body["reply"]["in_reply_to_tweet_id"]}] if "reply" in body else []
            more = {"referenced_posts": answered} if answered else {}  # X leaves out what is empty
            shown = body.get("media", {}).get("media_ids", [])
            assert all(self.images[each]["whole"] for each in shown)
            text = body["text"] + (" https://t.co/aBc123" if shown else "")  # X puts the address of the images there
            made = self.post(text, OURS, attachments={"media_keys": shown}, **more)
            return {"data": {"id": made, "text": text}}
        if path.startswith("/2/dm_conversations/"):
            return {"data": {"dm_event_id": self.message(body["text"], OURS), "dm_conversation_id": path.split("/")[3]}}
        if path == "/2/users/me":
            return {"data": {"id": OURS, "username": "brand", "name": "Brand"}}
        return {"access_token": "new", "refresh_token": "rotated", "expires_in": 7200, "scope": body.get("granted", "")}

    def _page(self, items: list[dict[str, Any]], params: dict[str, str]) -> Any:
        items = sorted(items, key=lambda each: int(each["id"]), reverse=True)
        if "since_id" in params:
            items = [each for each in items if int(each["id"]) > int(params["since_id"])]
        if "until_id" in params:
            items = [each for each in items if int(each["id"]) < int(params["until_id"])]
        start = int(params.get("pagination_token", "0"))
        size = int(params.get("max_results", "10"))
        page = items[start : start + size]
        authors = {each.get("author_id") or each.get("sender_id") for each in page}
        meta: dict[str, Any] = {"result_count": len(page)}
        if len(items) > start + size:
            meta["next_token"] = str(start + size)
        told = {
            "data": page,
            "meta": meta,
            "includes": {"users": [self.users[each] for each in authors if each in self.users]},
        }
        return told | ({"errors": self.problems} if self.problems else {})

    def _rules(self, body: Any) -> Any:
        for added in (body or {}).get("add", ()):
            self.rules.append({"id": str(next(self._numbers)), **added})
        gone = (body or {}).get("delete", {}).get("ids", ())
        self.rules = [rule for rule in self.rules if rule["id"] not in gone]
        return {"data": self.rules, "meta": {"sent": NOW.isoformat()}}

    def _stream(self, caller: Caller) -> None:
        caller.socket.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n")
        while (line := self._next_line(caller)) is not None:
            caller.socket.sendall(line + b"\r\n")
        caller.socket.shutdown(socket.SHUT_RDWR)

    def _next_line(self, caller: Caller) -> bytes | None:
        """None when the stream shall end, or nobody reads it any more: then the lines are for the next connection."""
        while not self.stopped:
            if select.select([caller.socket], [], [], 0)[0]:
                return None
            with contextlib.suppress(queue.Empty):
                return self.lines.get(timeout=0.02)
        return None


@contextlib.contextmanager
def x_server() -> Iterator[FakeX]:
    fake = FakeX()
    fake.user("7", "ann", public_metrics={"followers_count": 12})
    fake.user(OURS, "brand")
    with byte_server(fake.answer) as server:
        fake.url, fake.authority = server.url, server.authority
        yield fake
        fake.stopped = True


def account_at(url: str, **settings: str | int | bool | list[str]) -> Account:
    grant = Grant(
        "user-token", "refresh", more={"client_id": "id", "client_secret": "sec ret", "app_token": "app-token"}
    )
    return Account(
        channel=1, server=url, handle="brand", account_id=OURS, token=grant.encode(),
        settings={"queries": ["delay"], "reads_a_day": 100_000, **settings},
    )  # fmt: skip


@contextlib.contextmanager
def x() -> Iterator[tuple[FakeX, Account, Callable[[str], str], Callable[[str], int]]]:
    """As the contract suite plays it: the server, our account, how a stranger speaks, how often we answered."""
    with x_server() as fake:

        def answers(target: str) -> int:
            wanted = [{"type": "replied_to", "id": target}]
            return sum(post.get("referenced_posts") == wanted for post in fake.posts.values())

        account = account_at(fake.url, queries=[])
        yield fake, account, lambda text: fake.post(f"@brand {text}"), answers
