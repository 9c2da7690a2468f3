"""Answering a review on Google, and finding the answer again."""

from __future__ import annotations

import datetime as dt

import msgspec

from rapport.core.errors import GiveUp, InvalidPost, RetryLater
from rapport.core.reply import Reply
from rapport.networks.base import Account, Sent
from rapport.networks.google import Google, Missing
from rapport.networks.google_business.parse import REVIEW, answer_of
from rapport.networks.google_business.pull import API
from rapport.networks.http import GuardedSession
from rapport.networks.payload import same_text

MAX_BYTES = 4_096  # of UTF-8


def push_reply(account: Account, reply: Reply, session: GuardedSession, now: dt.datetime) -> Sent:
    """See `Network.push`. A review has one answer: one that a colleague wrote on Google is not written over.

    Writing the same answer twice leaves one, so a repeat does no harm.
    """
    _check(reply)
    there = find_reply(account, reply, session, now, refuse_other=True)
    if there is None:
        google = Google.of(account, session, now)
        google.write("PUT", f"{_address(account, reply)}/reply", {}, {"comment": reply.text})
    return Sent(f"{reply.target}/reply")


def find_reply(
    account: Account, reply: Reply, session: GuardedSession, now: dt.datetime, refuse_other: bool = False
) -> Sent | None:
    """See `Network.find`: the review tells its answer."""
    _check(reply)
    review = Google.of(account, session, now).read(_address(account, reply))
    try:
        words = answer_of(review)
    except InvalidPost as error:
        raise RetryLater(f"the review cannot be read: {error}") from None
    if words is not None and same_text(words, reply.text):
        return Sent(f"{reply.target}/reply")
    if words and refuse_other:
        raise GiveUp("the review has an answer already; change that one on Google, a review has only one")
    return None


def remove_answer(account: Account, external_id: str, session: GuardedSession, now: dt.datetime) -> None:
    """See `Network.remove`: accounts.locations.reviews.deleteReply, an empty object; of none it answers 404."""
    google, url = Google.of(account, session, now), f"{API}/{account.account_id}/reviews/{_review_of(external_id)}"
    try:
        if answer_of(google.read(url)) is not None:
            google.delete(f"{url}/reply", {})
    except Missing:
        return
    except InvalidPost as error:
        raise RetryLater(f"the review cannot be read: {error}") from None


def edit_answer(account: Account, external_id: str, reply: Reply, session: GuardedSession, now: dt.datetime) -> Sent:
    """See `Network.edit`: accounts.locations.reviews.updateReply, which changes the answer that is there."""
    reply = msgspec.structs.replace(reply, target=_review_of(external_id))
    _check(reply)
    google, url = Google.of(account, session, now), _address(account, reply)
    try:
        words = answer_of(google.read(url))
    except Missing:
        words = None
    except InvalidPost as error:
        raise RetryLater(f"the review cannot be read: {error}") from None
    if words is None:
        raise GiveUp("the answer is not on Google any more; answer anew")
    if words != reply.text:
        google.write("PUT", f"{url}/reply", {}, {"comment": reply.text})
    return Sent(external_id)


def _review_of(external_id: str) -> str:
    review, _, rest = external_id.partition("/")
    if rest != "reply" or not REVIEW.fullmatch(review):
        raise GiveUp(f"{external_id[:40]!r} is no answer to a review on Google")
    return review


def _address(account: Account, reply: Reply) -> str:
    return f"{API}/{account.account_id}/reviews/{reply.target}"


def _check(reply: Reply) -> None:
    if not REVIEW.fullmatch(reply.target):
        raise GiveUp("a reply needs the review that it answers")
    if len(reply.text.encode()) > MAX_BYTES:
        raise GiveUp(f"Google takes answers of at most {MAX_BYTES:,} bytes; shorten the text")
