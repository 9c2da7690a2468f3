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

#: what Meta says of an object that is gone
_NO_OBJECT = Told(400, error(100, 33))


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

    def find(self, number: str) -> dict[str, Any] | None:
        return next((item for item in self.items if str(item["number"]) == number), None)

    def words(self, number: str) -> str | None:
        """What stands under a number, None where nothing does."""
        found = self.find(number)
        return None if found is None else str(found["text"])

    def drop(self, number: str) -> None:
        self.items = [item for item in self.items if str(item["number"]) != number]


def _knows(token: str, dead: Told) -> Callable[[Callable[[Call], Any]], Callable[[Call], Any]]:
    """Answers that a server gives to those who have the token; `dead` to all others."""

    def only(answer: Callable[[Call], Any]) -> Callable[[Call], Any]:
        return lambda call: answer(call) if call.headers.get("authorization") == f"Bearer {token}" else dead

    return only


def _post_alone(identifier: str, post: str) -> dict[str, Any] | None:
    return {"id": identifier} if identifier == post else None


def _together(call: Call, one: Callable[[str], dict[str, Any] | None]) -> Any:
    """Several objects by `ids`: all of them, or a refusal where one is not there."""
    found = {each: one(each) for each in call.query["ids"].split(",")}
    return _NO_OBJECT if None in found.values() else found


def _change_on_facebook(said: _Said, likes: set[str], call: Call, place: str) -> Any:
    """What the reference pages "Object Likes" and "Comment" tell of POST and DELETE."""
    identifier = place.removesuffix("/likes")
    item = said.find(identifier.rpartition("_")[2])
    if item is None:
        return _NO_OBJECT
    if place.endswith("/likes"):
        (likes.add if call.method == "POST" else likes.discard)(identifier)
    elif call.method == "DELETE":
        said.drop(str(item["number"]))
    else:
        item["text"] = call.form["message"]
    return {"success": True}


@contextlib.contextmanager
def facebook() -> Iterator[Played]:
    said = _Said()
    post = "900001"

    def shape(item: dict[str, Any]) -> dict[str, Any]:
        who = {"id": PAGE, "name": "Fernway"} if item["ours"] else {"id": ANN, "name": "Ann Field"}
        more = {"parent": {"id": item["parent"]}} if item["parent"] else {}
        found = facebook_payloads.comment(item["number"], 0, item["text"], created_time=item["at"], **more)
        return {**found, "from": who, "permalink_url": None}

    likes: set[str] = set()

    def one(identifier: str) -> dict[str, Any] | None:
        """A comment as whoever asks sees it (Graph API reference, "Comment": user_likes), or the post above it."""
        item = said.find(identifier.removeprefix(f"{post}_"))
        return shape(item) | {"user_likes": identifier in likes} if item else _post_alone(identifier, f"{PAGE}_{post}")

    def read(place: str) -> Any:
        if place == f"{PAGE}/feed":
            old = facebook_payloads.post(minutes=60 * 24 * 400)
            return listing(old | {"comments": listing(*map(shape, said.items[::-1]))})
        if place.endswith("/comments"):
            return listing(*map(shape, said.under(place.removesuffix("/comments"))))
        if place.startswith(f"{post}_"):
            return one(place) or _NO_OBJECT
        return listing() if place.startswith(PAGE) else {"id": place}

    def answer(call: Call) -> Any:
        place = call.path.removeprefix(f"{V}/")
        if call.method == "POST" and place.endswith("/comments"):
            item = said.add(call.form["message"], True, place.removesuffix("/comments"))
            return {"id": f"{post}_{item['number']}"}
        if call.method != "GET":
            return _change_on_facebook(said, likes, call, place)
        if "ids" in call.query:
            return _together(call, one)
        return {"id": PAGE, "name": "Fernway", "username": "fernway"} if place == "me" else read(place)

    with stand_in() as server:
        server.kept = {"said": said, "likes": likes}
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

    def one(number: str) -> dict[str, Any] | None:
        item = said.find(number)
        return shape(item) if item else None

    def answer(call: Call) -> Any:
        place = call.path.removeprefix(f"{V}/")
        if call.method == "POST":
            return {"id": str(said.add(call.form["message"], True, place.removesuffix("/replies"))["number"])}
        if "ids" in call.query:
            return _together(call, one)
        if place.isdecimal() and place != IG and (call.method == "DELETE" or "text" in call.query.get("fields", "")):
            found = one(place) or _NO_OBJECT  # Graph API reference, "IG Comment"
            if call.method == "DELETE" and found is not _NO_OBJECT:
                said.drop(place)
                return {"success": True}
            return found
        return read(place)

    def read(place: str) -> Any:
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
        server.kept = {"said": said}
        account = graph_server.account_on(server, "instagram", every="0")
        yield Played(server, account, lambda text: str(said.add(text, False)["number"]), said.answers)


def _one_on_youtube(said: _Said, shape: Callable[[dict[str, Any]], dict[str, Any]], call: Call) -> Any:
    """A single comment: comments.list with id, comments.update, comments.delete."""
    identifier = call.json["id"] if call.method == "PUT" else call.query["id"]
    item = said.find(identifier.removeprefix("Ugx").rpartition(".")[2])
    if call.method == "GET":
        return youtube_payloads.comments(*([shape(item)] if item else []))
    if item is None:
        return google_server.refused(404, "commentNotFound")
    if call.method == "DELETE":
        said.drop(str(item["number"]))
        return Told(204, b"")
    item["text"] = call.json["snippet"]["textOriginal"]
    return shape(item)


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
        if call.method != "GET" or "id" in call.query:
            return _one_on_youtube(said, shape, call)
        if call.path.endswith("/channels"):
            return youtube_payloads.channel()
        if call.path.endswith("/commentThreads"):
            return youtube_payloads.threads(*map(thread, said.under("")))
        return youtube_payloads.comments(*map(shape, said.under(call.query.get("parentId", "-"))))

    with stand_in() as server:
        server.always = _knows(google_server.ACCESS, google_server.refused(401, "authError"))(answer)
        server.kept = {"said": said}
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
        if call.method == "DELETE":
            if not said.under(review):
                return google_server.refused(404)
            said.items = [item for item in said.items if item["parent"] != review]
            return {}
        found = [item for item in said.under("") if f"R{item['number']}" == review]
        return shape(found[0]) if found else google_server.refused(404)

    with stand_in() as server:
        server.always = _knows(google_server.ACCESS, google_server.refused(401))(answer)
        server.kept = {"said": said}
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
        if call.method == "DELETE":  # Service Reviews API, "Delete a reply to a review"
            said.items = [item for item in said.items if item["parent"] != review]
            return Told(204, b"")
        found = [item for item in said.under("") if f"r{item['number']}" == review]
        return shape(found[0]) if found else Told(404, {"message": "not found"})

    with stand_in() as server:
        server.always = _knows("made-up-access", Told(401, {"fault": {"faultstring": "Invalid access token"}}))(answer)
        token = Grant("made-up-access", "", dt.datetime.now(dt.UTC) + dt.timedelta(hours=1), {"api_key": "k"}).encode()
        server.kept = {"said": said}
        kept = {"business_user_id": "507f191e810c19729de860ea", "every": "0"}
        account = Account(1, server.url, "fernway.example", unit, token, kept)
        yield Played(server, account, lambda text: f"r{said.add(text, False)['number']}", said.answers)


def _with_token(account: Account, token: Grant) -> Account:
    return Account(1, account.server, account.handle, account.account_id, token.encode(), account.settings)
