"""A service review of the Trustpilot API -> `Post`. Pure; raises `InvalidPost` and nothing else.

A review's id is Trustpilot's own; our answer is "REVIEW/reply".
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from rapport.core.errors import InvalidPost
from rapport.core.post import Author, Metrics, Post
from rapport.networks.base import Account
from rapport.networks.payload import clean_id, moment, required_moment, take

NAME = "trustpilot"
REVIEW = re.compile(r"[0-9A-Za-z]{1,64}")
_SITE = "https://www.trustpilot.com"


class _Consumer(msgspec.Struct, rename="camel"):
    id: str | None = None
    display_name: str | None = None
    number_of_reviews: int | None = None


class _Answer(msgspec.Struct, rename="camel"):
    text: str | None = None
    created_at: str | None = None
    updated_at: str | None = None
    author_business_user_name: str | None = None


class _Review(msgspec.Struct, rename="camel"):
    id: str
    created_at: str
    consumer: _Consumer | None = None
    stars: int | None = None
    title: str | None = None
    text: str | None = None
    language: str | None = None
    updated_at: str | None = None
    company_reply: _Answer | None = None
    number_of_likes: int | None = None
    is_verified: bool | None = None


def parse_review(item: Any, account: Account) -> tuple[Post, Post | None]:
    """A review -> the review, and our answer to it where there is one."""
    told = take(item, _Review)
    if not REVIEW.fullmatch(told.id):
        raise InvalidPost("id", f"{told.id[:40]!r} is no id of a review")
    created, updated = required_moment(told.created_at, "createdAt"), moment(told.updated_at)
    if told.stars is not None and not 1 <= told.stars <= 5:
        raise InvalidPost("stars", "lie outside of 1 to 5")
    title, text = (told.title or "").strip(), (told.text or "").strip()
    if title and text.startswith(title.rstrip("….").rstrip()):
        title = ""  # Trustpilot makes the title of the first words where the person gave none
    review = Post(
        network=NAME,
        id=told.id,
        url=f"{_SITE}/reviews/{told.id}",
        kind="review",
        text="\n\n".join(part for part in (title, text) if part),
        lang=told.language,
        created_at=created,
        edited_at=updated if updated is not None and updated > created else None,
        author=_author(told.consumer, told.id),
        thread=told.id,
        metrics=Metrics(likes=max(told.number_of_likes or 0, 0)),
        rating=None if told.stars is None else float(told.stars),
    )
    return review, _answer(told, account)


def stamp_of(item: Any) -> str:
    """What changes when the review or its answer does."""
    told = take(item, _Review)
    reply = told.company_reply
    return f"{told.updated_at or ''}/{(reply.updated_at or reply.created_at or '') if reply else ''}"


def answer_of(item: Any) -> str | None:
    """The words of the answer to a review; None where there is none. Raises `InvalidPost`."""
    reply = take(item, _Review).company_reply
    return None if reply is None else reply.text or ""


def _author(consumer: _Consumer | None, review: str) -> Author:
    identifier = consumer.id if consumer else None
    name = (consumer.display_name if consumer else None) or ""
    if not identifier:
        return Author(id=f"hidden:{review}", name=name or "Somebody on Trustpilot")
    url = f"{_SITE}/users/{identifier}" if REVIEW.fullmatch(identifier) else None
    count = consumer.number_of_reviews if consumer else None
    return Author(id=clean_id(identifier, "consumer.id"), name=name, url=url, posts=count)


def _answer(told: _Review, account: Account) -> Post | None:
    reply = told.company_reply
    created = moment(reply.created_at) if reply else None
    if reply is None or created is None or not reply.text:
        return None
    updated = moment(reply.updated_at)
    return Post(
        network=NAME,
        id=f"{told.id}/reply",
        url=f"{_SITE}/reviews/{told.id}",
        kind="reply",
        text=reply.text,
        created_at=created,
        edited_at=updated if updated is not None and updated > created else None,
        author=Author(
            id=account.account_id, handle=account.handle, name=reply.author_business_user_name or "", ours=True
        ),
        in_reply_to=told.id,
        thread=told.id,
    )
