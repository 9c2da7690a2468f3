"""Looking at posts again: X tells of deletions to enterprise plans only, and wants them honoured within 24 hours.

A post costs one read of the daily budget; what is asked for brings nothing else. An edited post is a new version under
the id of the first: the newest one is read by itself, once more.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from contextlib import suppress

from rapport.core.errors import InvalidPost, RetryLater
from rapport.core.post import Post
from rapport.networks.base import Account, Rechecked
from rapport.networks.http import GuardedSession
from rapport.networks.x.answer import Answer, Tweet, decode_item, read_answer
from rapport.networks.x.cursor import moment_of
from rapport.networks.x.parse import parse_tweet
from rapport.networks.x.wire import Problem, Wire

MOST = 100
#: what X's developer agreement allows between a deletion there and one here, in seconds
WITHIN = 86_400.0
_FIELDS = ("conversation_id", "created_at", "entities", "id", "lang", "note_post", "text")
#: a post can be edited for an hour; after that its versions are known
_EDITS = dt.timedelta(hours=3)


def recheck_posts(account: Account, ids: Mapping[str, str], session: GuardedSession, now: dt.datetime) -> Rechecked:
    """See `Network.recheck`. Messages cannot be asked for by id and stay unseen."""
    wire = Wire.of(account, session)
    asked = [each for each in ids if each.isascii() and each.isdigit() and len(each) < 20][:MOST]
    if not asked:
        return Rechecked(unseen=tuple(ids))
    answer = _read(wire, asked)
    there = _posts_in(answer)
    standing = [each for each in asked if each in there]
    deleted, hidden = _refused(answer.problems, set(asked) - there.keys())
    latest = [there[each].versions[-1] for each in standing if _was_edited(there[each], now)]
    changed, spent = _newest_versions(account, wire, latest)
    said = {*standing, *deleted, *hidden}
    return Rechecked(
        standing=tuple(standing),
        deleted=tuple(deleted),
        hidden=tuple(hidden),
        unseen=tuple(each for each in ids if each not in said),
        changed=tuple(changed),
        spent=len(there) + spent,
    )


def _read(wire: Wire, ids: list[str], **more: tuple[str, ...]) -> Answer:
    try:
        return read_answer(wire.read("/2/tweets", {"ids": ids, "post.fields": _FIELDS, **more}).content)
    except InvalidPost as error:
        raise RetryLater(f"X gave no readable answer about single posts: {error}") from None


def _posts_in(answer: Answer) -> dict[str, Tweet]:
    found = {}
    for item in answer.items:
        with suppress(InvalidPost):
            tweet = decode_item(item, Tweet)
            found[str(tweet.id)] = tweet
    return found


def _refused(problems: Iterable[Problem], missing: set[str]) -> tuple[list[str], list[str]]:
    """Which of the missing posts X calls gone, and which it keeps from us (protected, suspended, blocked)."""
    kinds: dict[str, set[str]] = {}
    for problem in problems:
        identifier = str(problem.resource_id or problem.value or "")
        if identifier in missing and problem.resource_type in {"tweet", "post"}:
            kinds.setdefault(identifier, set()).add(problem.kind)
    deleted = [each for each, told in kinds.items() if told == {"resource-not-found"}]
    hidden = [each for each, told in kinds.items() if told == {"not-authorized-for-resource"}]
    return deleted, hidden


def _was_edited(tweet: Tweet, now: dt.datetime) -> bool:
    """Edited, and so lately that the edit may be news."""
    edited = moment_of(tweet.versions[-1])
    return len(tweet.versions) > 1 and edited is not None and now - edited < dt.timedelta(seconds=WITHIN) + _EDITS


def _newest_versions(account: Account, wire: Wire, ids: list[str]) -> tuple[list[Post], int]:
    """The posts in their newest wording, and what reading them cost."""
    if not ids:
        return [], 0
    answer = _read(wire, ids[:MOST], expansions=("author_id",))
    posts = []
    for item in answer.items:
        with suppress(InvalidPost):
            posts.append(parse_tweet(item, answer, account.account_id))
    return posts, answer.resources
