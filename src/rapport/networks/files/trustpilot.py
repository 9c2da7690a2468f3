"""Trustpilot reviews, in the two layouts that exports come in: with the company's replies, and without."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from rapport.core.errors import InvalidPost
from rapport.core.post import Author, Metrics, Post
from rapport.networks.files.cells import as_count, as_id, as_rating, as_time, derived_id

NETWORK = "trustpilot"
TITLE_FULL = "Trustpilot reviews with replies"
REQUIRED_FULL = ("Review Title", "Review Text", "Rating", "Review Time")
OPTIONAL_FULL = ("Review ID", "Name", "Company Domain", "Reply Text", "Language", "Likes", "Is Verified")
TITLE_PLAIN = "Trustpilot reviews"
REQUIRED_PLAIN = ("brand", "text", "rating", "title", "published")
OPTIONAL_PLAIN = ("id", "likes")

#: the file does not say when a company replied: right after the review keeps the order and invents no waiting time
REPLY_AFTER = dt.timedelta(seconds=1)


def parse_full(row: Mapping[str, str]) -> tuple[Post, ...]:
    """One row -> the review, and the company's reply (ours) where there is one. Raises `InvalidPost`."""
    domain, name = row.get("Company Domain", "").strip().removeprefix("www."), row.get("Name", "").strip()
    review = _review(
        id_=as_id(row.get("Review ID", ""), "Review ID"),
        company=domain or name,
        title=row["Review Title"],
        text=row["Review Text"],
        rating=as_rating(row["Rating"], "Rating"),
        when=as_time(row["Review Time"], "Review Time"),
        likes=as_count(row.get("Likes", "")),
        lang=row.get("Language", "").strip() or None,
    )
    answer = row.get("Reply Text", "").strip()
    if not answer:
        return (review,)
    if not (domain or name):
        raise InvalidPost("Company Domain", "a reply needs to say which company wrote it")
    reply = Post(
        network=NETWORK,
        id=f"{review.id}/reply",
        text=answer,
        created_at=review.created_at + REPLY_AFTER,
        author=Author(id=domain or name, handle=domain or name, name=name, ours=True),
        kind="reply",
        in_reply_to=review.id,
        thread=review.id,
    )
    return (review, reply)


def parse_plain(row: Mapping[str, str]) -> tuple[Post, ...]:
    """One row -> the review. Raises `InvalidPost`."""
    review = _review(
        id_=as_id(row.get("id", ""), "id"),
        company=row["brand"].strip(),
        title=row["title"],
        text=row["text"],
        rating=as_rating(row["rating"], "rating"),
        when=as_time(row["published"], "published"),
        likes=as_count(row.get("likes", "")),
        lang=None,
    )
    return (review,)


def _review(
    *, id_: str, company: str, title: str, text: str, rating: float, when: dt.datetime, likes: int, lang: str | None
) -> Post:
    body = with_title(title.strip(), text.strip())
    key = id_ or derived_id(company, when.isoformat(), body)
    return Post(
        network=NETWORK,
        id=key,
        text=body,
        created_at=when,
        # the exports leave out who wrote a review: each is a person of its own
        author=Author(id=f"reviewer-{key}", name="A reviewer"),
        url=f"https://www.trustpilot.com/reviews/{id_}" if id_.isalnum() and id_.isascii() else None,
        kind="review",
        lang=lang,
        mentions=(company,) if company else (),
        metrics=Metrics(likes=likes),
        rating=rating,
    )


def with_title(title: str, text: str) -> str:
    """Title and text in one; a title that only repeats the beginning of the text is left out."""
    opening = title.rstrip(". …")
    if not opening or text.startswith(opening):
        return text or title
    return f"{title}\n\n{text}" if text else title
