"""A review of the Google My Business API v4 -> `Post`. Pure; raises `InvalidPost` and nothing else.

A review's id is the last part of its resource name, "accounts/A/locations/L/reviews/ID"; our answer is "ID/reply".
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import msgspec

from rapport.core.errors import InvalidPost
from rapport.core.post import Author, Media, Post
from rapport.networks.base import Account
from rapport.networks.payload import moment, required_moment, take

NAME = "google_business"
REVIEW = re.compile(r"[\w=+-]{1,400}")
_NAME = re.compile(r"accounts/[\w-]{1,60}/locations/[\w-]{1,60}/reviews/([\w=+-]{1,400})")
_STARS = {"ONE": 1.0, "TWO": 2.0, "THREE": 3.0, "FOUR": 4.0, "FIVE": 5.0}
_SAME_MOMENT = dt.timedelta(seconds=5)
#: Google puts its translation before the person's words, or behind them
_TRANSLATED, _ORIGINAL = "(Translated by Google)", "(Original)"


class _Reviewer(msgspec.Struct, rename="camel"):
    display_name: str | None = None
    profile_photo_url: str | None = None
    is_anonymous: bool | None = None


class _Reply(msgspec.Struct, rename="camel"):
    comment: str | None = None
    update_time: str | None = None


class _Item(msgspec.Struct, rename="camel"):
    thumbnail_url: str | None = None
    video_url: str | None = None


class _Review(msgspec.Struct, rename="camel"):
    name: str
    create_time: str
    update_time: str | None = None
    reviewer: _Reviewer | None = None
    star_rating: str | None = None
    comment: str | None = None
    review_reply: _Reply | None = None
    review_media_items: list[_Item] | None = None


def parse_review(item: Any, account: Account) -> tuple[Post, Post | None]:
    """A review -> the review, and our answer to it where there is one."""
    told = take(item, _Review)
    named = _NAME.fullmatch(told.name)
    if named is None:
        raise InvalidPost("name", f"{told.name[:60]!r} is no name of a review")
    created = required_moment(told.create_time, "createTime")
    updated = moment(told.update_time)
    review = Post(
        network=NAME,
        id=named[1],
        url=None,
        kind="review",
        text=original_words(told.comment or ""),
        created_at=created,
        edited_at=updated if updated is not None and updated - created > _SAME_MOMENT else None,
        author=_author(told.reviewer, named[1]),
        thread=named[1],
        media=tuple(
            Media("video" if each.video_url else "image", each.video_url or each.thumbnail_url or "")
            for each in told.review_media_items or ()
        ),
        rating=_STARS.get(told.star_rating or ""),
    )
    return review, _answer(told, account, review)


def original_words(comment: str) -> str:
    """What the person wrote, without Google's translation of it."""
    _, mark, after = comment.partition(_ORIGINAL)
    if mark and comment.startswith(_TRANSLATED):
        return after.strip()
    before, mark, _ = comment.partition(_TRANSLATED)
    return before.strip() if mark and before.strip() else comment


def position_of(post: Post) -> dt.datetime:
    """What Google's list is sorted by: the time of the last change."""
    return post.edited_at or post.created_at


def answer_of(item: Any) -> str | None:
    """The words of the answer to a review; None where there is none. Raises `InvalidPost`."""
    reply = take(item, _Review).review_reply
    return None if reply is None else reply.comment or ""


def _author(reviewer: _Reviewer | None, review: str) -> Author:
    """Google tells a name and no id: each review has an author of its own, or namesakes would be one person."""
    name = reviewer.display_name if reviewer and not reviewer.is_anonymous else None
    return Author(id=f"reviewer:{review}", name=name or "A Google user")


def _answer(told: _Review, account: Account, review: Post) -> Post | None:
    reply = told.review_reply
    at = moment(reply.update_time) if reply else None
    if reply is None or at is None or not reply.comment:
        return None
    return Post(
        network=NAME,
        id=f"{review.id}/reply",
        kind="reply",
        text=reply.comment,
        created_at=at,
        author=Author(id=account.account_id, handle=account.handle, ours=True),
        in_reply_to=review.id,
        thread=review.id,
    )
