"""Payloads of the documented shape with made-up content; src/rapport/networks/facebook/payloads.md says whence."""

from __future__ import annotations

from typing import Any

from graph_server import ANN, NOON, PAGE, at, listing, seconds

POST_ID = f"{PAGE}_900001"
COMMENT_ID, ANSWER_ID = "900001_501", "900001_502"
MILLI = int(NOON.timestamp() * 1000)


def comment(number: int = 501, minutes: float = 5, text: str = "Where is my parcel, @Fernway?", **more: Any) -> Any:
    return {
        "id": f"900001_{number}",
        "message": text,
        "created_time": at(minutes),
        "from": {"id": ANN, "name": "Ann Field"},
        "permalink_url": f"https://www.facebook.com/fernway/posts/900001?comment_id={number}",
        "like_count": 2,
        "comment_count": 1,
        "is_hidden": False,
        "message_tags": [{"id": PAGE, "name": "Fernway", "type": "page", "offset": 21, "length": 8}],
        "attachment": {
            "type": "photo",
            "title": "A wet parcel",
            "url": "https://www.facebook.com/photo.php?fbid=1",
            "media": {"image": {"src": "https://scontent.example/1.jpg", "height": 10, "width": 10}},
        },
        **more,
    }


def post(number: int = 900001, minutes: float = 60, comments: Any = None, **more: Any) -> Any:
    found = {
        "id": f"{PAGE}_{number}",
        "message": "New routes from Monday.",
        "created_time": at(minutes),
        "from": {"id": PAGE, "name": "Fernway"},
        "permalink_url": f"https://www.facebook.com/fernway/posts/{number}",
        "is_hidden": False,
        "attachments": {
            "data": [
                {
                    "type": "photo",
                    "description": "A green bus",
                    "unshimmed_url": "https://www.facebook.com/photo/2",
                    "media": {"image": {"src": "https://scontent.example/2.jpg"}},
                }
            ]
        },
        **more,
    }
    return found | ({"comments": comments} if comments else {})


def change(field: str = "feed", **value: Any) -> Any:
    """A delivery with one change."""
    base = {
        "from": {"id": ANN, "name": "Ann Field"},
        "post": {
            "status_type": "added_photos",
            "is_published": True,
            "updated_time": "2026-11-21T11:55:00+0000",
            "permalink_url": "https://www.facebook.com/fernway/posts/900001",
            "promotion_status": "inactive",
            "id": POST_ID,
        },
        "message": "Where is my parcel?",
        "post_id": POST_ID,
        "comment_id": COMMENT_ID,
        "created_time": seconds(5),
        "item": "comment",
        "parent_id": POST_ID,
        "verb": "add",
    }
    changes = [{"field": field, "value": base | value}]
    return {"object": "page", "entry": [{"id": PAGE, "time": seconds(4), "changes": changes}]}


def messaging(*events: Any) -> Any:
    return {"object": "page", "entry": [{"id": PAGE, "time": MILLI, "messaging": list(events)}]}


def event(sender: str = ANN, recipient: str = PAGE, **what: Any) -> Any:
    return {"sender": {"id": sender}, "recipient": {"id": recipient}, "timestamp": MILLI - 60_000, **what}


TEXT = event(message={"mid": "m_AbC1", "text": "Is anybody there?"})
PICTURE = event(
    message={
        "mid": "m_AbC2",
        "attachments": [{"type": "image", "payload": {"url": "https://scontent.example/3.jpg"}}],
        "reply_to": {"mid": "m_AbC1"},
    }
)
ECHO = event(PAGE, ANN, message={"mid": "m_AbC3", "text": "We are.", "is_echo": True, "app_id": 1})
EDIT = event(message_edit={"mid": "m_AbC1", "text": "Is anybody there today?", "num_edit": 1})
POSTBACK = event(postback={"mid": "m_AbC4", "title": "Talk to a person", "payload": "HUMAN"})
READ = event(read={"watermark": MILLI})
REACTION = event(reaction={"mid": "m_AbC1", "action": "react", "emoji": "❤", "reaction": "love"})


def stored(mid: str = "m_AbC1", minutes: float = 5, sender: str = ANN, text: str = "Is anybody there?") -> Any:
    """A message of the Conversations API."""
    other = PAGE if sender != PAGE else ANN
    return {
        "id": mid,
        "created_time": at(minutes),
        "from": {"name": "Ann Field" if sender == ANN else "Fernway", "email": "x@facebook.com", "id": sender},
        "to": {"data": [{"name": "x", "email": "y@facebook.com", "id": other}]},
        "message": text,
    }


def conversation(*messages: Any, minutes: float = 5, after: str = "", number: int = 1) -> Any:
    return {"id": f"t_{number}", "updated_time": at(minutes), "messages": listing(*messages, after=after)}
