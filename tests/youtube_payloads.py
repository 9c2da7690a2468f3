"""Resources of the documented shape with made-up content; src/rapport/networks/youtube/payloads.md says whence."""

from __future__ import annotations

from typing import Any

from google_server import at

CHANNEL, ANN, VIDEO = "UCfernwayfernwayfernway1", "UCannannannannannannannn", "dQw4w9WgXcQ"


def comment(identifier: str = "Ugx1", minutes: float = 5, text: str = "When is the bus, @fernway?", **more: Any) -> Any:
    snippet = {
        "channelId": CHANNEL,
        "videoId": VIDEO,
        "textDisplay": text,
        "textOriginal": text,
        "authorDisplayName": "@ann",
        "authorProfileImageUrl": "https://yt3.example/ann.jpg",
        "authorChannelUrl": f"http://www.youtube.com/channel/{ANN}",
        "authorChannelId": {"value": ANN},
        "canRate": True,
        "viewerRating": "none",
        "likeCount": 2,
        "publishedAt": at(minutes),
        "updatedAt": at(minutes),
        **more,
    }
    return {"kind": "youtube#comment", "etag": "e", "id": identifier, "snippet": snippet}


def ours(identifier: str, minutes: float, text: str, **more: Any) -> Any:
    who = {"authorDisplayName": "@fernway", "authorChannelId": {"value": CHANNEL}}
    return comment(identifier, minutes, text, **who, **more)


def answer(top: str = "Ugx1", number: int = 1, minutes: float = 3, text: str = "I wonder too") -> Any:
    found = comment(f"{top}.9{number}", minutes, text, parentId=top)
    del found["snippet"]["videoId"]  # answers do not name their video
    return found


def thread(
    identifier: str = "Ugx1", minutes: float = 5, answers: tuple[Any, ...] = (), total: int = 0, **more: Any
) -> Any:
    found = {
        "kind": "youtube#commentThread",
        "etag": "e",
        "id": identifier,
        "snippet": {
            "channelId": CHANNEL,
            "videoId": VIDEO,
            "topLevelComment": comment(identifier, minutes, **more),
            "canReply": True,
            "totalReplyCount": max(total, len(answers)),
            "isPublic": True,
        },
    }
    return found | ({"replies": {"comments": list(answers)}} if answers else {})


def threads(*items: Any, token: str = "") -> dict[str, Any]:
    page = {"kind": "youtube#commentThreadListResponse", "etag": "page", "items": list(items)}
    page |= {"pageInfo": {"totalResults": len(items), "resultsPerPage": 100}}
    return page | ({"nextPageToken": token} if token else {})


def comments(*items: Any, token: str = "") -> dict[str, Any]:
    page: dict[str, Any] = {"kind": "youtube#commentListResponse", "etag": "page", "items": list(items)}
    return page | ({"nextPageToken": token} if token else {})


def video(identifier: str = "aaaaaaaaaaa", minutes: float = 30, title: str = "Fernway&#39;s new bus &amp; me") -> Any:
    return {
        "kind": "youtube#searchResult",
        "etag": "e",
        "id": {"kind": "youtube#video", "videoId": identifier},
        "snippet": {
            "publishedAt": at(minutes),
            "channelId": ANN,
            "title": title,
            "description": "A ride. #fernway",
            "thumbnails": {"high": {"url": "https://i.ytimg.example/1.jpg", "width": 480, "height": 360}},
            "channelTitle": "Ann rides",
            "liveBroadcastContent": "none",
        },
    }


def found(*items: Any, token: str = "") -> dict[str, Any]:
    page: dict[str, Any] = {
        "kind": "youtube#searchListResponse",
        "etag": "page",
        "regionCode": "GB",
        "items": list(items),
    }
    return page | ({"nextPageToken": token} if token else {})


def channel() -> dict[str, Any]:
    snippet = {"title": "Fernway", "customUrl": "@fernway", "publishedAt": at(9_999)}
    item = {"kind": "youtube#channel", "etag": "e", "id": CHANNEL, "snippet": snippet}
    return {"kind": "youtube#channelListResponse", "etag": "page", "items": [item]}
