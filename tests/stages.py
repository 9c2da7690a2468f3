"""Small stateful servers for the contract suite: vendors' APIs that remember what was said, as documented.

Each is a context manager that gives (server, account, speak, answers): `speak(text)` lets a stranger say something to
us and gives the id of the post; `answers(id)` counts ours to it.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import facebook_payloads
import google_server
import graph_server
import instagram_payloads
import youtube_payloads
from graph_server import ANN, IG, PAGE, V, error, listing
from rapport.networks.base import Account, Grant
from stand_in import Call, StandIn, Told, stand_in


class Played(NamedTuple):
    server: StandIn
    account: Account
    speak: Callable[[str], str]
    answers: Callable[[str], int]


class _Said:
    """What was said on a vendor's server, in order, a second apart and all of it in the last minutes."""

    def __init__(self) -> None:
        self.items: list[dict[str, Any]] = []
        self._numbers = itertools.count(1)
        self._start = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=4)

    def add(self, text: str, ours: bool, parent: str = "") -> dict[str, Any]:
        number = next(self._numbers)
        at = self._start + dt.timedelta(seconds=number)
        item = {"number": number, "at": at.strftime("%Y-%m-%dT%H:%M:%SZ"), "text": text, "ours": ours, "parent": parent}
        self.items.append(item)
        return item

    def under(self, parent: str) -> list[dict[str, Any]]:
        return [item for item in self.items[::-1] if item["parent"] == parent]

    def answers(self, target: str) -> int:
        return sum(item["ours"] for item in self.under(target))


def _knows(token: str, dead: Told) -> Callable[[Callable[[Call], Any]], Callable[[Call], Any]]:
    """Answers that a server gives to those who have the token; `dead` to all others."""

    def only(answer: Callable[[Call], Any]) -> Callable[[Call], Any]:
        return lambda call: answer(call) if call.headers.get("authorization") == f"Bearer {token}" else dead

    return only


@contextlib.contextmanager
def facebook() -> Iterator[Played]:
    said = _Said()
    post = "900001"

    def shape(item: dict[str, Any]) -> dict[str, Any]:
        who = {"id": PAGE, "name": "Fernway"} if item["ours"] else {"id": ANN, "name": "Ann Field"}
        more = {"parent": {"id": item["parent"]}} if item["parent"] else {}
        found = facebook_payloads.comment(item["number"], 0, item["text"], created_time=item["at"], **more)
        return {**found, "from": who, "permalink_url": None}

    def answer(call: Call) -> Any:
        place = call.path.removeprefix(f"{V}/")
        if call.method == "POST":
            item = said.add(call.form["message"], True, place.removesuffix("/comments"))
            return {"id": f"{post}_{item['number']}"}
        if place == "me":
            return {"id": PAGE, "name": "Fernway", "username": "fernway"}
        if place == f"{PAGE}/feed":
            old = facebook_payloads.post(minutes=60 * 24 * 400)
            return listing(old | {"comments": listing(*map(shape, said.items[::-1]))})
        if place.endswith("/comments"):
            return listing(*map(shape, said.under(place.removesuffix("/comments"))))
        return listing() if place.startswith(PAGE) else {"id": place}

    with stand_in() as server:
        server.always = _knows(graph_server.PAGE_TOKEN, Told(400, error(190)))(answer)
        account = graph_server.account_on(server, "facebook", every="0")
        yield Played(server, account, lambda text: f"{post}_{said.add(text, False)['number']}", said.answers)


@contextlib.contextmanager
def instagram() -> Iterator[Played]:
    said = _Said()

    def shape(item: dict[str, Any]) -> dict[str, Any]:
        make = instagram_payloads.ours if item["ours"] else instagram_payloads.comment
        found = make(str(item["number"]), 0, item["text"], timestamp=item["at"])
        return found | ({"parent_id": item["parent"]} if item["parent"] else {})

    def answer(call: Call) -> Any:
        place = call.path.removeprefix(f"{V}/")
        if call.method == "POST":
            return {"id": str(said.add(call.form["message"], True, place.removesuffix("/replies"))["number"])}
        if place == IG:
            return {"id": IG, "username": "fernway", "name": "Fernway"}
        if place == f"{IG}/media":
            tops = [
                shape(item) | {"replies": listing(*map(shape, said.under(str(item["number"]))))}
                for item in said.under("")
            ]
            return listing(instagram_payloads.medium(minutes=60 * 24 * 400, comments=listing(*tops)))
        if place.endswith("/replies"):
            return listing(*map(shape, said.under(place.removesuffix("/replies"))))
        return listing() if place.startswith((IG, PAGE)) else {"id": place}

    with stand_in() as server:
        server.always = _knows(graph_server.PAGE_TOKEN, Told(400, error(190)))(answer)
        account = graph_server.account_on(server, "instagram", every="0")
        yield Played(server, account, lambda text: str(said.add(text, False)["number"]), said.answers)


@contextlib.contextmanager
def youtube() -> Iterator[Played]:
    said = _Said()

    def shape(item: dict[str, Any]) -> dict[str, Any]:
        times = {"publishedAt": item["at"], "updatedAt": item["at"]}
        if item["ours"]:
            identifier = f"{item['parent']}.{item['number']}"
            return dict(youtube_payloads.ours(identifier, 0, item["text"], parentId=item["parent"], **times))
        return dict(youtube_payloads.comment(f"Ugx{item['number']}", 0, item["text"], **times))

    def thread(item: dict[str, Any]) -> dict[str, Any]:
        answers = tuple(map(shape, said.under(f"Ugx{item['number']}")))
        found = youtube_payloads.thread(f"Ugx{item['number']}", 0, answers)
        found["snippet"]["topLevelComment"] = shape(item)
        return dict(found)

    def answer(call: Call) -> Any:
        if call.method == "POST":
            snippet = call.json["snippet"]
            return shape(said.add(snippet["textOriginal"], True, snippet["parentId"]))
        if call.path.endswith("/channels"):
            return youtube_payloads.channel()
        if call.path.endswith("/commentThreads"):
            return youtube_payloads.threads(*map(thread, said.under("")))
        return youtube_payloads.comments(*map(shape, said.under(call.query.get("parentId", "-"))))

    with stand_in() as server:
        server.always = _knows(google_server.ACCESS, google_server.refused(401, "authError"))(answer)
        account = google_server.account_on(server, youtube_payloads.CHANNEL, every="0")
        token = Grant(google_server.ACCESS, google_server.REFRESH, dt.datetime.now(dt.UTC) + dt.timedelta(hours=1))
        account = _with_token(account, token)
        yield Played(server, account, lambda text: f"Ugx{said.add(text, False)['number']}", said.answers)


@contextlib.contextmanager
def google_business() -> Iterator[Played]:
    said = _Said()
    location = "accounts/101/locations/202"

    def shape(item: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {
            "name": f"{location}/reviews/R{item['number']}", "reviewId": f"R{item['number']}",
            "reviewer": {"displayName": "Ann Field"}, "starRating": "TWO", "comment": item["text"],
            "createTime": item["at"], "updateTime": item["at"],
        }  # fmt: skip
        for reply in said.under(f"R{item['number']}"):
            found["reviewReply"] = {"comment": reply["text"], "updateTime": reply["at"]}
        return found

    def answer(call: Call) -> Any:
        if call.path == "/v1/locations/202":
            return {"name": "locations/202", "title": "Fernway Oslo"}
        rest = call.path.removeprefix(f"/v4/{location}/reviews").strip("/")
        if not rest:
            return {"reviews": [shape(item) for item in said.under("")]}
        review = rest.removesuffix("/reply")
        if call.method == "PUT":
            said.items = [item for item in said.items if item["parent"] != review]  # one review has one answer
            return {"comment": said.add(call.json["comment"], True, review)["text"]}
        found = [item for item in said.under("") if f"R{item['number']}" == review]
        return shape(found[0]) if found else google_server.refused(404)

    with stand_in() as server:
        server.always = _knows(google_server.ACCESS, google_server.refused(401))(answer)
        account = google_server.account_on(server, location, every="0")
        token = Grant(google_server.ACCESS, google_server.REFRESH, dt.datetime.now(dt.UTC) + dt.timedelta(hours=1))
        yield Played(
            server, _with_token(account, token), lambda text: f"R{said.add(text, False)['number']}", said.answers
        )


@contextlib.contextmanager
def trustpilot() -> Iterator[Played]:
    said = _Said()
    unit = "46d6a890000064000500e0c3"

    def shape(item: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {
            "id": f"r{item['number']}", "consumer": {"id": "c1", "displayName": "Ann F."}, "stars": 2,
            "title": "", "text": item["text"], "language": "en", "createdAt": item["at"], "updatedAt": None,
        }  # fmt: skip
        for reply in said.under(found["id"]):
            found["companyReply"] = {"text": reply["text"], "createdAt": reply["at"], "updatedAt": None}
        return found

    def answer(call: Call) -> Any:
        if call.path == "/v1/business-units/find":
            return {"id": unit, "displayName": "Fernway"}
        if call.path.endswith(f"{unit}/reviews"):
            is_first = call.query.get("page", "1") == "1"
            return {"reviews": [shape(item) for item in said.under("")] if is_first else []}
        review = call.path.removeprefix("/v1/private/reviews/").removesuffix("/reply")
        if call.method == "POST":
            said.add(call.json["message"], True, review)
            return Told(201, b"")
        found = [item for item in said.under("") if f"r{item['number']}" == review]
        return shape(found[0]) if found else Told(404, {"message": "not found"})

    with stand_in() as server:
        server.always = _knows("made-up-access", Told(401, {"fault": {"faultstring": "Invalid access token"}}))(answer)
        token = Grant("made-up-access", "", dt.datetime.now(dt.UTC) + dt.timedelta(hours=1), {"api_key": "k"}).encode()
        kept = {"business_user_id": "507f191e810c19729de860ea", "every": "0"}
        account = Account(1, server.url, "fernway.example", unit, token, kept)
        yield Played(server, account, lambda text: f"r{said.add(text, False)['number']}", said.answers)


def _with_token(account: Account, token: Grant) -> Account:
    return Account(1, account.server, account.handle, account.account_id, token.encode(), account.settings)
