"""Resources of the YouTube Data API v3 -> `Post`. Pure; raises `InvalidPost` and nothing else.

Ids of posts: a comment has YouTube's own (an answer is "TOP.ANSWER"), a video is "video:ID". A top comment begins a
conversation of its own; the video it stands under is told by its address.
"""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import msgspec

from rapport.core.post import Author, Media, Metrics, Post
from rapport.networks.base import Account
from rapport.networks.payload import clean_id, moment, required_moment, take

NAME = "youtube"
_SITE = "https://www.youtube.com"
_MOST = 10**9  # answers of a thread; a larger number is a broken one
_MENTION = re.compile(r"(?<![\w@.])@([\w.-]{3,30})")
_HASHTAG = re.compile(r"(?<![\w#&])#(\w{1,100})")


class _ChannelId(msgspec.Struct):
    value: str | None = None


class _CommentSnippet(msgspec.Struct, rename="camel"):
    published_at: str
    text_display: str | None = None
    text_original: str | None = None
    author_display_name: str | None = None
    author_channel_id: _ChannelId | None = None
    author_channel_url: str | None = None
    video_id: str | None = None
    parent_id: str | None = None
    like_count: int | None = None
    updated_at: str | None = None
    moderation_status: str | None = None


class _Comment(msgspec.Struct):
    id: str
    snippet: _CommentSnippet


class _ThreadSnippet(msgspec.Struct, rename="camel"):
    top_level_comment: Any
    total_reply_count: int | None = None
    video_id: str | None = None


class _Replies(msgspec.Struct):
    comments: list[Any] | None = None


class _Thread(msgspec.Struct):
    id: str
    snippet: _ThreadSnippet
    replies: _Replies | None = None


class Thread(msgspec.Struct, frozen=True):
    """A comment thread, its comments still to be read one by one."""

    id: str
    top: Any
    answers: list[Any]
    #: how many answers there are, those that are not here included
    total: int
    video: str


class _VideoId(msgspec.Struct, rename="camel"):
    video_id: str | None = None


class _Thumbnail(msgspec.Struct):
    url: str | None = None


class _VideoSnippet(msgspec.Struct, rename="camel"):
    published_at: str
    channel_id: str
    title: str | None = None
    description: str | None = None
    channel_title: str | None = None
    thumbnails: dict[str, _Thumbnail] | None = None


class _Found(msgspec.Struct):
    id: _VideoId
    snippet: _VideoSnippet


def parse_thread(item: Any) -> Thread:
    """An item of commentThreads."""
    told = take(item, _Thread)
    answers = (told.replies.comments if told.replies else None) or []
    total = told.snippet.total_reply_count
    return Thread(
        id=clean_id(told.id),
        top=told.snippet.top_level_comment,
        answers=answers,
        total=max(min(total or 0, _MOST), len(answers)),
        video=told.snippet.video_id or "",
    )


def parse_comment(item: Any, account: Account, video: str = "", replies: int = 0) -> Post:
    """An item of comments, or the comments of a thread. `video` is of its thread: answers do not name theirs."""
    told = take(item, _Comment)
    snippet, identifier = told.snippet, clean_id(told.id)
    parent = snippet.parent_id or (identifier.partition(".")[0] if "." in identifier else None)
    text = snippet.text_display if snippet.text_display is not None else snippet.text_original or ""
    created = required_moment(snippet.published_at, "publishedAt")
    updated = moment(snippet.updated_at)
    return Post(
        network=NAME,
        id=identifier,
        url=comment_url(snippet.video_id or video, identifier),
        kind="comment",
        text=text,
        created_at=created,
        edited_at=updated if updated is not None and updated > created else None,
        author=_author(snippet, identifier, account),
        in_reply_to=parent,
        thread=parent or identifier,
        mentions=tuple(name.rstrip(".-") for name in _MENTION.findall(text)),
        hashtags=tuple(_HASHTAG.findall(text)),
        metrics=Metrics(likes=max(snippet.like_count or 0, 0), replies=replies),
        visibility="public" if snippet.moderation_status in {None, "published"} else "private",
    )


def parse_video(item: Any, account: Account) -> Post | None:
    """An item of a search; None for what is no video. Titles come with their markup characters escaped."""
    told = take(item, _Found)
    if not told.id.video_id:
        return None
    snippet = told.snippet
    text = "\n\n".join(unescape(part) for part in (snippet.title or "", snippet.description or "") if part)
    pictures = snippet.thumbnails or {}
    picture = next((pictures[size].url for size in ("high", "medium", "default") if size in pictures), None)
    channel = clean_id(snippet.channel_id, "channelId")
    return Post(
        network=NAME,
        id=f"video:{told.id.video_id}",
        url=f"{_SITE}/watch?v={told.id.video_id}",
        text=text,
        created_at=required_moment(snippet.published_at, "publishedAt"),
        author=Author(
            id=channel,
            name=unescape(snippet.channel_title or ""),
            url=f"{_SITE}/channel/{channel}",
            ours=channel == account.account_id,
        ),
        thread=f"video:{told.id.video_id}",
        mentions=tuple(name.rstrip(".-") for name in _MENTION.findall(text)),
        hashtags=tuple(_HASHTAG.findall(text)),
        media=(Media("video", picture, unescape(snippet.title or "")),) if picture else (),
    )


def comment_url(video: str, comment: str) -> str | None:
    """Where a comment is seen."""
    return f"{_SITE}/watch?v={video}&lc={comment}" if video else None


def next_page(answer: dict[str, Any]) -> str:
    """The token of the next page, "" on the last."""
    token = answer.get("nextPageToken")
    return token if isinstance(token, str) else ""


def items_of(answer: dict[str, Any]) -> list[Any]:
    """The items of a list; nothing where there is no list."""
    found = answer.get("items")
    return found if isinstance(found, list) else []


def _author(snippet: _CommentSnippet, comment: str, account: Account) -> Author:
    """Names are "@handle" today and free text on old comments; the channel is what stays."""
    shown = snippet.author_display_name or ""
    channel = snippet.author_channel_id.value if snippet.author_channel_id else None
    handle = shown.removeprefix("@") if shown.startswith("@") and " " not in shown else ""
    if not channel:
        return Author(id=f"hidden:{comment}", handle=handle, name=shown or "Somebody on YouTube")
    ours = channel == account.account_id
    return Author(id=channel, handle=handle, name=shown, url=snippet.author_channel_url, ours=ours)
