"""Likes in a forum, and changing what was sent there. A forum refuses to do twice what is done: so it is read first."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import msgspec

from rapport.core.errors import GiveUp
from rapport.core.reply import Act, ActKind, Reply
from rapport.networks.base import Account, Sent
from rapport.networks.discourse.parse import split_id
from rapport.networks.discourse.upload import without_images
from rapport.networks.discourse.wire import Refused, Wire
from rapport.networks.http import GuardedSession
from rapport.networks.payload import same_text

ACTS: frozenset[ActKind] = frozenset({"like", "unlike"})
_LIKE = 2  # number of the act in every forum


class _Acted(msgspec.Struct):
    id: int
    acted: bool | None = None
    can_undo: bool | None = None


class _Found(msgspec.Struct):
    """What of a post matters here."""

    id: int
    user_id: int = 0
    raw: str | None = None
    topic_id: int = 0
    post_number: int = 0
    topic_slug: str | None = None
    actions_summary: list[_Acted] = []
    deleted_at: Any = None
    user_deleted: bool = False


def do_act(account: Account, act: Act, session: GuardedSession) -> Sent:
    """See `Network.act`. A forum lets a like be taken back for ten minutes."""
    wire = Wire.of(account, session)
    post = _find(account, wire, act.target)
    if post is None:
        raise GiveUp("the post is not in the forum any more, or this account may not see it")
    mine = next((each for each in post.actions_summary if each.id == _LIKE and each.acted), None)
    if act.kind == "like" and mine is None:
        wire.change("POST", "/post_actions.json", {"id": post.id, "post_action_type_id": _LIKE, "flag_topic": False})
    elif act.kind == "unlike" and mine is not None:
        wire.change("DELETE", f"/post_actions/{post.id}.json", {"post_action_type_id": _LIKE})
    return Sent(act.target)


def remove_post(account: Account, external_id: str, session: GuardedSession) -> None:
    """See `Network.remove`."""
    wire = Wire.of(account, session)
    post = _find(account, wire, external_id)
    if post is not None and not post.deleted_at and not post.user_deleted:
        _check_ours(account, post)
        wire.change("DELETE", f"/posts/{post.id}.json", {})


def edit_post(account: Account, external_id: str, reply: Reply, session: GuardedSession) -> Sent:
    """See `Network.edit`."""
    wire = Wire.of(account, session)
    post = _find(account, wire, external_id)
    if post is None or post.deleted_at or post.user_deleted:
        raise GiveUp("the reply is not in the forum any more; answer anew")
    _check_ours(account, post)
    raw = post.raw or ""
    words = without_images(raw)
    if not same_text(words, reply.text):  # its images stay below the words
        wire.change("PUT", f"/posts/{post.id}.json", {"post": {"raw": reply.text + raw[len(words) :]}})
    return Sent(external_id, f"{account.server}/t/{post.topic_slug or '-'}/{post.topic_id}/{post.post_number}")


def _find(account: Account, wire: Wire, identifier: str) -> _Found | None:
    topic, number = split_id(identifier, urlsplit(account.server).netloc)
    if not topic:
        raise GiveUp(f"{identifier[:100]!r} names no post of this forum")
    try:
        return wire.read(f"/posts/by_number/{topic}/{number}.json", _Found)
    except Refused as error:
        if error.status in (404, 410):
            return None
        raise


def _check_ours(account: Account, post: _Found) -> None:
    if str(post.user_id) != account.account_id:
        raise GiveUp("the post is by somebody else")
