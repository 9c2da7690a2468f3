"""Payloads of the documented shape with made-up content; src/rapport/networks/instagram/payloads.md says whence."""

from __future__ import annotations

from typing import Any

from graph_server import ANN, IG, NOON, at, listing

MEDIA_ID, COMMENT_ID, ANSWER_ID = "17895695668004550", "17870913679156914", "17870913679156915"
MILLI = int(NOON.timestamp() * 1000)


def comment(
    identifier: str = COMMENT_ID, minutes: float = 5, text: str = "Do you ship to @oslo? #help", **more: Any
) -> Any:
    return {
        "id": identifier,
        "text": text,
        "timestamp": at(minutes),
        "username": "ann.field",
        "from": {"id": ANN, "username": "ann.field"},
        "like_count": 3,
        "hidden": False,
        **more,
    }


def ours(identifier: str = ANSWER_ID, minutes: float = 4, text: str = "We do.", **more: Any) -> Any:
    return comment(identifier, minutes, text, username="fernway", **{"from": {"id": IG, "username": "fernway"}}, **more)


def medium(identifier: str = MEDIA_ID, minutes: float = 60, comments: Any = None, **more: Any) -> Any:
    found = {
        "id": identifier,
        "caption": "A new route #fernway",
        "media_type": "IMAGE",
        "media_url": "https://scontent.example/1.jpg",
        "permalink": "https://www.instagram.com/p/AbC/",
        "timestamp": at(minutes),
        "username": "fernway",
        "like_count": 7,
        "comments_count": 2,
        **more,
    }
    return found | ({"comments": comments} if comments else {})


def change(field: str = "comments", **value: Any) -> Any:
    base = {
        "id": COMMENT_ID,
        "from": {"id": ANN, "username": "ann.field", "self_ig_scoped_id": "1"},
        "media": {"id": MEDIA_ID, "media_product_type": "FEED"},
        "text": "Do you ship to @oslo? #help",
    }
    entry = {"id": IG, "time": int(NOON.timestamp()) - 60, "changes": [{"field": field, "value": base | value}]}
    return {"object": "instagram", "entry": [entry]}


def mention(**value: Any) -> Any:
    payload = change("mentions")
    payload["entry"][0]["changes"][0]["value"] = {"media_id": "17887498072083520", **value}
    return payload


def messaging(*events: Any) -> Any:
    return {"object": "instagram", "entry": [{"id": IG, "time": MILLI, "messaging": list(events)}]}


def event(sender: str = ANN, recipient: str = IG, **message: Any) -> Any:
    return {
        "sender": {"id": sender}, "recipient": {"id": recipient}, "timestamp": MILLI - 60_000, "message": message,
    }  # fmt: skip


TEXT = event(mid="aWdfZAG1=1", text="Hello?")
STORY_MENTION = event(
    mid="aWdfZAG1=2",
    attachments=[{"type": "story_mention", "payload": {"url": "https://lookaside.example/story.jpg"}}],
)
STORY_REPLY = event(
    mid="aWdfZAG1=3", text="Lovely bus", reply_to={"story": {"url": "https://lookaside.example/2.jpg", "id": "17"}}
)
GONE = event(mid="aWdfZAG1=1", is_deleted=True)
UNSUPPORTED = event(mid="aWdfZAG1=4", is_unsupported=True)
ECHO = event(IG, ANN, mid="aWdfZAG1=5", text="Hello!", is_echo=True)


def stored(mid: str = "aWdfZAG1=1", minutes: float = 5, sender: str = ANN, text: str = "Hello?") -> Any:
    names = {ANN: "ann.field", IG: "fernway"}
    other = IG if sender != IG else ANN
    return {
        "id": mid,
        "created_time": at(minutes),
        "from": {"username": names[sender], "id": sender},
        "to": {"data": [{"username": names[other], "id": other}]},
        "message": text,
    }


def conversation(*messages: Any, minutes: float = 5) -> Any:
    return {"id": "aWdfZAG1t", "updated_time": at(minutes), "messages": listing(*messages)}
