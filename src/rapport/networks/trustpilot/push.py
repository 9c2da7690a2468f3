"""Answering a review on Trustpilot, and finding the answer again."""

from __future__ import annotations

import datetime as dt

from rapport.core.errors import GiveUp, InvalidPost, RetryLater
from rapport.core.reply import Reply
from rapport.networks.base import Account, Sent
from rapport.networks.http import GuardedSession
from rapport.networks.payload import same_text
from rapport.networks.trustpilot.parse import REVIEW, answer_of
from rapport.networks.trustpilot.wire import Missing, Trust

MAX_LENGTH = 10_000  # our own bound: Trustpilot documents none
_SITE = "https://www.trustpilot.com/reviews"


def push_reply(account: Account, reply: Reply, session: GuardedSession, now: dt.datetime) -> Sent:
    """See `Network.push`. A review has one answer: one that a colleague wrote on Trustpilot is not written over."""
    author = str(account.settings.get("business_user_id") or "")
    if not author:
        raise GiveUp("write the id of the business user who answers into the settings of this account")
    there = find_reply(account, reply, session, now, refuse_other=True)
    if there is not None:
        return there
    body = {"authorBusinessUserId": author, "message": reply.text}
    Trust.of(account, session, now).write(f"/v1/private/reviews/{reply.target}/reply", body)
    return _sent(reply)


def find_reply(
    account: Account, reply: Reply, session: GuardedSession, now: dt.datetime, refuse_other: bool = False
) -> Sent | None:
    """See `Network.find`: the review tells its answer."""
    if not REVIEW.fullmatch(reply.target):
        raise GiveUp("a reply needs the review that it answers")
    review = Trust.of(account, session, now).read(f"/v1/private/reviews/{reply.target}")
    try:
        words = answer_of(review)
    except InvalidPost as error:
        raise RetryLater(f"the review cannot be read: {error}") from None
    if words is not None and same_text(words, reply.text):
        return _sent(reply)
    if words and refuse_other:
        raise GiveUp("the review has an answer already; change that one on Trustpilot, a review has only one")
    return None


def remove_answer(account: Account, external_id: str, session: GuardedSession, now: dt.datetime) -> None:
    """See `Network.remove`: developers.trustpilot.com, Service Reviews API, "Delete a reply to a review"."""
    review, _, rest = external_id.partition("/")
    if rest != "reply" or not REVIEW.fullmatch(review):
        raise GiveUp(f"{external_id[:40]!r} is no answer to a review on Trustpilot")
    trust = Trust.of(account, session, now)
    try:
        if answer_of(trust.read(f"/v1/private/reviews/{review}")) is not None:
            trust.delete(f"/v1/private/reviews/{review}/reply")
    except Missing:
        return
    except InvalidPost as error:
        raise RetryLater(f"the review cannot be read: {error}") from None


def _sent(reply: Reply) -> Sent:
    return Sent(f"{reply.target}/reply", f"{_SITE}/{reply.target}")
