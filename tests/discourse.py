"""A small forum for the tests, on loopback: the documented payloads of Discourse, over posts that it keeps.

No registry has a Discourse that a test could start, so this answers as docs.discourse.org and the schemas of the
project (spec/requests/api) say, and refuses what Discourse would refuse: a wrong key, a parameter that it does not
know, words that are too short or were just said.

with forum() as server:
    topic = server.open_topic("ann", "Late again", "My train is late.")
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import html
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from multipart import read_form

KEY = "f00dcafe" * 8
USERS = {"system": -1, "brand": 2, "ann": 3, "ben": 4}
CATEGORIES = [
    {"id": 4, "slug": "general", "name": "General"},
    {"id": 5, "slug": "support", "name": "Support"},
    {"id": 6, "slug": "phones", "name": "Phones", "parent_category_id": 5},
]


class Refusal(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, kind: str, words: str, **extras: Any) -> None:
        super().__init__(words)
        self.status = status
        self.body: dict[str, Any] = {"errors": [words], "error_type": kind} | ({"extras": extras} if extras else {})


@dataclass
class Forum:
    """The posts, and what happens to them. `asked` is every request: (method, path, query)."""

    posts: dict[int, dict[str, Any]] = field(default_factory=dict)
    topics: dict[int, dict[str, Any]] = field(default_factory=dict)
    notifications: list[dict[str, Any]] = field(default_factory=list)
    asked: list[tuple[str, str, dict[str, list[str]]]] = field(default_factory=list)
    keys: set[str] = field(default_factory=lambda: {KEY})
    #: the next requests whose path begins so are refused with this
    faults: list[tuple[str, Refusal]] = field(default_factory=list)
    #: how the list of newest posts is cut: by fifty posts (new) or by fifty numbers (old forums)
    old_lists: bool = False
    holds_posts: bool = False
    #: the answer to these posts is lost on the way
    loses_answers: bool = False
    #: images that were brought: short address -> (type, content)
    images: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    url: str = ""
    #: numbers of the posts that we like
    liked: set[int] = field(default_factory=set)
    _memory: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def host(self) -> str:
        return self.url.removeprefix("http://")

    # -------------------------------------------------------- what people do

    def open_topic(
        self, by: str, title: str, raw: str, category: int = 4, tags: tuple[str, ...] = (), private: bool = False
    ) -> int:
        number = len(self.topics) + 1
        self.topics[number] = {
            "id": number, "title": title, "slug": "a-topic", "category_id": category, "tags": list(tags),
            "archetype": "private_message" if private else "regular", "deleted_at": None, "bumped_at": _now(),
        }  # fmt: skip
        self.add(by, number, raw)
        return number

    def add(self, by: str, topic: int, raw: str, to: int | None = None, **fields: Any) -> int:
        """A post; gives its number through the forum."""
        number = max(self.posts, default=0) + 1
        place = 1 + max((post["post_number"] for post in self.in_topic(topic)), default=0)
        self.posts[number] = {
            "id": number, "name": by.title(), "username": by, "user_id": USERS[by], "created_at": _now(),
            "updated_at": _now(), "raw": raw, "cooked": cook(raw), "post_number": place, "post_type": 1,
            "reply_to_post_number": to, "topic_id": topic, "version": 1, "hidden": False, "deleted_at": None,
            "user_deleted": False, "reply_count": 0, "actions_summary": [{"id": 2, "count": 1}],
        } | fields  # fmt: skip
        self.topics[topic]["bumped_at"] = self.posts[number]["created_at"]
        if by != "brand" and self.topics[topic]["archetype"] == "regular":
            self._notify(number)
        return number

    def edit(self, number: int, raw: str, quietly: bool = False) -> None:
        """`quietly`: within the first minutes, without a new version."""
        post = self.posts[number]
        post |= {"raw": raw, "cooked": cook(raw), "updated_at": _now(), "version": post["version"] + (not quietly)}

    def delete(self, number: int) -> None:
        self.posts[number]["deleted_at"] = _now()

    def in_topic(self, topic: int) -> list[dict[str, Any]]:
        return [post for post in self.posts.values() if post["topic_id"] == topic]

    def place(self, number: int) -> str:
        """The id that Rapport gives to a post."""
        post = self.posts[number]
        return f"{self.host}/t/{post['topic_id']}/{post['post_number']}"

    def _notify(self, number: int) -> None:
        post = self.posts[number]
        answered = [
            each for each in self.in_topic(post["topic_id"]) if each["post_number"] == post["reply_to_post_number"]
        ]
        kind = 1 if "@brand" in post["raw"] else 2 if answered and answered[0]["username"] == "brand" else 0
        if kind:
            self.notify(kind, post["topic_id"], post["post_number"])

    def notify(self, kind: int, topic: int | None, place: int | None) -> None:
        self.notifications.append({
            "id": len(self.notifications) + 1, "user_id": 2, "notification_type": kind, "read": False,
            "created_at": _now(), "post_number": place, "topic_id": topic, "slug": "a-topic",
            "data": {"topic_title": "x", "display_username": "somebody"},
        })  # fmt: skip

    # -------------------------------------------------------- what the forum answers

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: Any) -> Any:
        one = {name: values[0] for name, values in query.items()}
        if method == "POST" and path == "/uploads.json":
            fields, files = body
            assert fields == {"type": "composer", "synchronous": "true"}
            _name, kind, content = files["file"]
            short = f"upload://{hashlib.sha1(content, usedforsecurity=False).hexdigest()}.{kind[6:]}"
            self.images[short] = (kind, content)
            return {"id": len(self.images), "short_url": short, "url": "/uploads/x"}
        if method == "POST" and path == "/posts.json":
            return self._create(body)
        if method != "GET" and (changed := self._change(method, path, body)) is not None:
            return changed
        if method != "GET":
            raise Refusal(404, "not_found", "The requested URL or resource could not be found.")
        routes: list[tuple[str, Any]] = [
            (r"/session/current\.json", lambda: {"current_user": {"id": 2, "username": "brand", "name": "Brand"}}),
            (r"/notifications\.json", lambda: self._notifications(int(one["limit"]), int(one.get("offset", 0)))),
            (r"/posts\.json", lambda: {"latest_posts": self._latest(one, "regular")}),
            (r"/private-posts\.json", lambda: {"private_posts": self._latest(one, "private_message")}),
            (r"/posts/(\d+)\.json", lambda number: self._post(self.posts.get(int(number)))),
            (r"/posts/by_number/(\d+)/(\d+)\.json", self._by_number),
            (r"/t/(\d+)\.json", lambda number: self._topic(int(number))),
            (r"/t/(\d+)/posts\.json", lambda number: self._some(int(number), query["post_ids[]"])),
            (r"/tag/([^/]+)\.json", lambda name: self._tag(name, int(one.get("page", 0)))),
            (r"/site\.json", lambda: {"categories": CATEGORIES}),
            (r"/search\.json", lambda: self._search(one["q"], int(one["page"]))),
            (r"/user_actions\.json", lambda: self._actions(one)),
        ]  # fmt: skip
        for pattern, give in routes:
            if found := re.fullmatch(pattern, path):
                return give(*found.groups())
        raise Refusal(404, "not_found", "The requested URL or resource could not be found.")

    def _change(self, method: str, path: str, body: Any) -> Any:
        """Likes, edits and deletions; what is done already is refused, as a forum does."""
        if (method, path) == ("POST", "/post_actions.json"):
            assert body["post_action_type_id"] == 2
            self._refuse_if(body["id"] in self.liked)
            self.liked.add(body["id"])
            return self.shown(self.posts[body["id"]])
        found = re.fullmatch(r"/(post_actions|posts)/(\d+)\.json", path)
        if not found:
            return None
        number = int(found[2])
        if (method, found[1]) == ("DELETE", "post_actions"):
            self._refuse_if(number not in self.liked)
            self.liked.discard(number)
        elif (method, found[1]) == ("DELETE", "posts"):
            self._refuse_if(bool(self.posts[number]["deleted_at"]))
            self.delete(number)
        elif (method, found[1]) == ("PUT", "posts"):
            assert set(body) == {"post"}
            self.edit(number, body["post"]["raw"])
        return {}

    def _refuse_if(self, done: bool) -> None:
        if done:
            raise Refusal(403, "invalid_access", "You are not permitted to view the requested resource.")

    def _create(self, body: Any) -> Any:
        assert set(body) == {"raw", "topic_id", "reply_to_post_number"}, body
        repeated = self._memory.get(json.dumps(body, sort_keys=True))
        if repeated is not None:
            return repeated
        if len(body["raw"]) < 5:
            raise Refusal(422, "", "Body is too short (minimum is 5 characters)")
        if any(post["raw"] == body["raw"] and post["username"] == "brand" for post in self.posts.values()):
            raise Refusal(422, "", "Body is too similar to what you recently posted")
        if body["topic_id"] not in self.topics:
            raise Refusal(403, "invalid_access", "You are not permitted to view the requested resource.")
        if self.holds_posts:
            return {"action": "enqueued", "success": True, "pending_post": {"id": 1}}
        number = self.add("brand", body["topic_id"], body["raw"], body["reply_to_post_number"])
        self._memory[json.dumps(body, sort_keys=True)] = made = self.shown(self.posts[number])
        return made

    def forget_requests(self) -> None:
        """Two minutes later: a repeated request is a new one."""
        self._memory.clear()

    def shown(self, post: dict[str, Any], raw: bool = False) -> dict[str, Any]:
        topic = self.topics[post["topic_id"]]
        liked = [{"id": 2, "count": 2, "acted": True, "can_undo": True}] if post["id"] in self.liked else None
        more = {
            "topic_slug": topic["slug"],
            **({"actions_summary": liked} if liked else {}),
            "yours": post["username"] == "brand",
            "display_username": post["name"],
        }
        return {name: value for name, value in post.items() if raw or name != "raw"} | more

    def _post(self, post: dict[str, Any] | None) -> Any:
        if post is None or post["deleted_at"]:
            raise Refusal(404, "not_found", "The requested URL or resource could not be found.")
        return self.shown(post, raw=True)

    def _by_number(self, topic: str, place: str) -> Any:
        return self._post(next((p for p in self.in_topic(int(topic)) if p["post_number"] == int(place)), None))

    def _latest(self, query: dict[str, str], archetype: str) -> list[Any]:
        before = int(query.get("before", 0))
        posts = [post for post in self.posts.values() if not post["deleted_at"]]
        posts = [post for post in posts if self.topics[post["topic_id"]]["archetype"] == archetype]
        if before and self.old_lists:
            posts = [post for post in posts if before - 50 < post["id"] <= before]
        elif before:
            posts = [post for post in posts if post["id"] < before]
        newest = sorted(posts, key=lambda post: -int(post["id"]))[:50]
        topics = self.topics
        return [
            self.shown(post, raw=True)
            | {"topic_title": topics[post["topic_id"]]["title"], "category_id": topics[post["topic_id"]]["category_id"]}
            for post in newest
        ]

    def _notifications(self, limit: int, offset: int) -> Any:
        newest = self.notifications[::-1][offset : offset + limit]
        return {"notifications": newest, "total_rows_notifications": len(self.notifications), "seen_notification_id": 0}

    def _topic(self, number: int) -> Any:
        topic = self.topics.get(number)
        if topic is None or topic["deleted_at"]:
            raise Refusal(404, "not_found", "The requested URL or resource could not be found.")
        posts = [post for post in self.in_topic(number) if not post["deleted_at"]]
        stream = {"posts": [self.shown(post) for post in posts[:20]], "stream": [post["id"] for post in posts]}
        return topic | {"post_stream": stream}

    def _some(self, topic: int, numbers: list[str]) -> Any:
        assert len(numbers) <= 20
        found = [post for post in self.in_topic(topic) if str(post["id"]) in numbers and not post["deleted_at"]]
        return {"post_stream": {"posts": [self.shown(post) for post in found]}, "id": topic}

    def _tag(self, name: str, page: int) -> Any:
        found = [topic for topic in self.topics.values() if name in topic["tags"]]
        if not found:
            raise Refusal(404, "not_found", "The requested URL or resource could not be found.")
        found.sort(key=lambda topic: (topic.get("pinned", False), topic["bumped_at"]), reverse=True)
        more = {"more_topics_url": "/tag/more"} if len(found) > 30 * (page + 1) else {}
        return {"topic_list": {"topics": found[30 * page : 30 * (page + 1)]} | more}

    def _search(self, query: str, page: int) -> Any:
        """One post of each topic, unless one topic is named; fifty a page."""
        assert "order:latest" in query
        named = re.search(r"topic:(\d+)", query)
        words = re.sub(r"\S+:\S+", "", query).lower().split()
        found = sorted(self.posts.values(), key=lambda post: -int(post["id"]))
        found = [
            post for post in found if all(word in post["raw"].lower() for word in words) and not post["deleted_at"]
        ]
        if named:
            found = [post for post in found if post["topic_id"] == int(named[1])]
        else:
            found = list({post["topic_id"]: post for post in reversed(found)}.values())[::-1]
            found.sort(key=lambda post: -int(post["id"]))
        posts = [
            {"id": post["id"], "username": post["username"], "blurb": post["raw"], "topic_id": post["topic_id"]}
            for post in found
        ]
        return {"posts": posts[50 * (page - 1) : 50 * page], "topics": [], "grouped_search_result": {"term": query}}

    def _actions(self, query: dict[str, str]) -> Any:
        assert query["filter"] == "4,5"
        offset = int(query["offset"])
        own = [post for post in self.posts.values() if post["username"] == query["username"] and not post["deleted_at"]]
        own = [post for post in own if self.topics[post["topic_id"]]["archetype"] == "regular"][::-1]
        return {"user_actions": [{"action_type": 5, "post_id": post["id"]} for post in own[offset : offset + 30]]}


def cook(raw: str) -> str:
    """What Discourse makes of plain words with mentions."""
    text = html.escape(raw, quote=False)
    text = re.sub(r"@(\w+)", r'<a class="mention" href="/u/\1">@\1</a>', text)
    return f"<p>{text}</p>"


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


@contextlib.contextmanager
def forum() -> Iterator[Forum]:
    """A forum without posts on a free port of loopback."""
    state = Forum()

    class Door(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 65_536  # one packet for an answer: its head alone would wait for the acknowledgement

        def _serve(self) -> None:
            parts = urlsplit(self.path)
            query = parse_qs(parts.query)
            sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            state.asked.append((self.command, parts.path, query))
            headers: dict[str, str] = {}
            try:
                if self.headers.get("Api-Key") not in state.keys or self.headers.get("Api-Username") != "brand":
                    words = "You are not permitted to view the requested resource. The API username or key is invalid."
                    raise Refusal(403, "invalid_access", words)
                for place, (path, refusal) in enumerate(state.faults):
                    if parts.path.startswith(path):
                        del state.faults[place]
                        raise refusal
                kind = self.headers.get("Content-Type") or ""
                form = read_form(kind, sent) if kind.startswith("multipart/form-data") else None
                told = form or (json.loads(sent) if sent else None)
                status, body = 200, state.answer(self.command, parts.path, query, told)
            except Refusal as refusal:
                status, body = refusal.status, refusal.body
                if status == 429:
                    headers["Retry-After"] = "7"
            if self.command == "POST" and state.loses_answers:
                self.close_connection = True
                return
            answer = json.dumps(body).encode()
            self.send_response(status)
            for name, value in {
                "Content-Type": "application/json",
                "Content-Length": str(len(answer)),
                **headers,
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815  (the names of the base class)

        def log_message(self, *_args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    server.daemon_threads = True
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
