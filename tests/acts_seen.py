"""What stands on the servers of the contract suite after acts beside replies, asked of each in its own way.

`SEEN[network](stage, "like", id)` counts our likes of a post; "boost" and "follow" (by `Author.key`) likewise; "text"
gives the words of a post of ours, None where it is gone.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import requests

from rapport.networks.html import plain_text

#: network -> `Author.key` of the stranger who speaks on its stage
STRANGERS: dict[str, Callable[[Any], str]] = {
    "mastodon": lambda stage: f"ann@{stage.server.authority}",
    "bluesky": lambda stage: str(stage.server.account("ann").did),
    "x": lambda stage: "7",
}


def mastodon(stage: Any, what: str, about: str) -> Any:
    server = stage.server
    if what == "follow":
        name = server.ids[about.partition("@")[0]]
        found = server.call("GET", f"/api/v1/accounts/relationships?id[]={name}", "brand")
        return int(found[0]["following"])
    try:
        status = server.call("GET", f"/api/v1/statuses/{about}", "brand")
    except requests.HTTPError:
        return None
    return {
        "like": status["favourites_count"], "boost": status["reblogs_count"],
        "text": plain_text(status["content"])[0],
    }[what]  # fmt: skip


def discourse(stage: Any, what: str, about: str) -> Any:
    number = next(each for each in stage.server.posts if stage.server.place(each) == about)
    post = stage.server.posts[number]
    if what == "like":
        return int(number in stage.server.liked)
    return None if post["deleted_at"] else post["raw"]


def matrix(stage: Any, what: str, about: str) -> Any:
    room, event = about.split("/")
    if what == "like":
        found = [each for each in stage.server.messages("ann", room) if each["type"] == "m.reaction"]
        return sum(each["content"].get("m.relates_to", {}).get("event_id") == event for each in found)
    path = f"/rooms/{quote(room)}/event/{quote(event)}"
    told = stage.server.call("GET", path, "ann")
    if "redacted_because" in told["unsigned"]:
        return None
    newer = [each for each in stage.server.messages("ann", room) if replaces(each) == event]
    return newer[0]["content"]["m.new_content"]["body"] if newer else told["content"]["body"]


def replaces(event: dict[str, Any]) -> str:
    relation = event["content"].get("m.relates_to", {})
    return str(relation.get("event_id")) if relation.get("rel_type") == "m.replace" else ""


def bluesky(stage: Any, what: str, about: str) -> Any:
    brand = stage.server.account("brand")
    if what == "text":
        return next((each["value"]["text"] for each in brand.records() if each["uri"] == about), None)
    name = {"like": "feed.like", "boost": "feed.repost", "follow": "graph.follow"}[what]
    found = brand.call("com.atproto.repo.listRecords", repo=brand.did, collection=f"app.bsky.{name}", limit=100)
    subjects = [each["value"]["subject"] for each in found["records"]]
    return sum((each if what == "follow" else each["uri"]) == about for each in subjects)


def x(stage: Any, what: str, about: str) -> Any:
    if what == "text":
        with contextlib.suppress(KeyError):
            return stage.server.posts[about]["text"]
        return None
    place = {"like": "likes", "boost": "retweets", "follow": "following"}[what]
    return sum(each == (place, about) for each in stage.server.marks)


def comments(stage: Any, what: str, about: str) -> Any:
    """On Facebook, Instagram and YouTube, by the number behind the last sign of an id."""
    if what == "like":
        return sum(each == about for each in stage.server.kept["likes"])
    return stage.server.kept["said"].words(about.removeprefix("Ugx").rpartition(".")[2].rpartition("_")[2])


def reviews(stage: Any, what: str, about: str) -> Any:
    """The answer to a review, of which there is one."""
    assert what == "text"
    found = stage.server.kept["said"].under(about.removesuffix("/reply"))
    return found[0]["text"] if found else None


def reddit(stage: Any, what: str, about: str) -> Any:
    if what == "like":
        return sum(each == about for each in stage.server.votes)
    said = stage.server.find(about)
    return None if said["author"] == "[deleted]" else said["body"]


SEEN: dict[str, Callable[[Any, str, str], Any]] = {
    "bluesky": bluesky, "discourse": discourse, "facebook": comments, "google_business": reviews,
    "instagram": comments, "mastodon": mastodon, "matrix": matrix, "reddit": reddit, "trustpilot": reviews, "x": x,
    "youtube": comments,
}  # fmt: skip
