"""What programs may do: hand in posts, and leave a draft for a person. Nothing here approves or sends."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import secrets
from collections.abc import Sequence

import msgspec
from django.db import IntegrityError, transaction
from django.utils.text import slugify

from rapport.actions.audit import require, require_conversation, write_audit
from rapport.actions.drafts import propose_draft, save_draft
from rapport.actions.hearing import hear
from rapport.actions.listening import open_file_channel
from rapport.bus.base import Bus
from rapport.core.errors import InvalidInput, Stale
from rapport.core.post import Post
from rapport.store.models import ApiToken, Channel, Conversation, Draft, KeptAnswer, Membership, Workspace

#: every token begins with it, so that scanners for leaked secrets can find one
PREFIX = "rapport_"
#: how long the answer to a key is repeated; afterwards the key is free again
KEPT = dt.timedelta(days=7)
_SLUG = re.compile(r"[A-Za-z0-9_-]{1,80}")


class KeyReused(InvalidInput):
    """The Idempotency-Key belongs to another call."""


class Rejected(msgspec.Struct, frozen=True):
    """A post of the list that could not be taken in."""

    #: its place in the list, from 0
    index: int
    field: str
    reason: str


class Taken(msgspec.Struct, frozen=True):
    """What became of the posts that a program handed in."""

    #: items in the list
    read: int
    new: int
    known: int
    rejected: tuple[Rejected, ...] = ()


# ---------------------------------------------------------------- tokens


def create_token(member: Membership, name: str, *, now: dt.datetime) -> tuple[ApiToken, str]:
    """A token that acts as `member`, made on the machine itself, and its text: shown once, kept nowhere."""
    name = name.strip()
    if not name:
        raise InvalidInput("A token needs a name that says what it is for.")
    if not member.active or not member.user.is_active:
        raise InvalidInput(f"{member.user.email} does not work in {member.workspace.slug} any more.")
    text = PREFIX + secrets.token_urlsafe(32)
    with transaction.atomic():
        token = ApiToken.objects.create(
            workspace=member.workspace, membership=member, name=name[:120], digest=digest_of(text), created_at=now
        )
        write_audit(member.workspace, None, "token.create", token, now, name=token.name, email=member.user.email)
    return token, text


def revoke_token(token: ApiToken, *, now: dt.datetime) -> ApiToken:
    """From now on the token opens nothing. Revoking it twice changes nothing."""
    with transaction.atomic():
        if ApiToken.objects.filter(pk=token.pk, revoked_at__isnull=True).update(revoked_at=now):
            write_audit(token.workspace_id, None, "token.revoke", token, now, name=token.name)
    token.refresh_from_db()
    return token


def digest_of(text: str) -> str:
    """SHA-256 of a token: 256 random bits need no slow hash."""
    return hashlib.sha256(text.encode()).hexdigest()


# ---------------------------------------------------------------- posts


def hand_in(
    token: ApiToken,
    slug: str,
    posts: Sequence[Post],
    rejected: Sequence[Rejected],
    bus: Bus,
    *,
    key: str,
    digest: str,
    now: dt.datetime,
) -> tuple[KeptAnswer, bool]:
    """Hear `posts` through the channel `slug`, once for each `key`; the answer, and whether it was given before.

    `digest` stands for everything else that was asked. The key is claimed, the posts are heard and the answer is kept
    in one transaction: a call that breaks off has no effect and leaves its key free, and of calls side by side one
    works while the others wait for its answer. Raises `KeyReused`, `NotAllowed` and `InvalidInput`.
    """
    by = token.membership
    require(by, "import")
    if not _SLUG.fullmatch(slug):
        raise InvalidInput("The name of a channel is made of letters, digits, - and _, at most 80.")
    with transaction.atomic():
        KeptAnswer.objects.of(by.workspace).filter(token=token, created_at__lt=now - KEPT).delete()
        answer, first = KeptAnswer.objects.of(by.workspace).get_or_create(
            token=token, key=key, defaults={"workspace": by.workspace, "digest": digest, "created_at": now}
        )
        if not first:
            if answer.digest != digest:
                raise KeyReused("This Idempotency-Key was used for another list or channel. Choose a new one.")
            return answer, True
        taken = _hear_all(by.workspace, slug, posts, rejected, bus, now)
        answer.body = msgspec.json.encode(taken).decode()
        answer.save(update_fields=["body"])
        write_audit(
            by.workspace, by, "posts.hand_in", token, now,
            channel=slug, new=taken.new, known=taken.known, rejected=len(taken.rejected),
        )  # fmt: skip
    return answer, False


def _hear_all(
    workspace: Workspace,
    slug: str,
    posts: Sequence[Post],
    rejected: Sequence[Rejected],
    bus: Bus,
    now: dt.datetime,
) -> Taken:
    by_network: dict[str, list[Post]] = {}
    for post in posts:
        by_network.setdefault(post.network, []).append(post)
    new = known = 0
    for network, group in by_network.items():
        heard = hear(_open_channel(workspace, slug, network, now), group, bus, now=now)
        new, known = new + heard.new, known + heard.known
    return Taken(len(posts) + len(rejected), new, known, tuple(rejected))


def _open_channel(workspace: Workspace, slug: str, network: str, now: dt.datetime) -> Channel:
    """The channel `slug`; for a second network in the same list, `slug-network` beside it, as an import does."""
    channel = _open_or_find(workspace, slug, network, now)
    if channel.network == network:
        return channel
    beside = f"{slug[:40]}-{slugify(network)[:30] or 'other'}"
    channel = _open_or_find(workspace, beside, network, now)
    if channel.network != network:
        raise InvalidInput(f"The channel {beside!r} is one of {channel.network}. Choose another name.")
    return channel


def _open_or_find(workspace: Workspace, slug: str, network: str, now: dt.datetime) -> Channel:
    try:
        with transaction.atomic():
            return open_file_channel(workspace, slug, network, now=now)
    except IntegrityError:  # another call made it in the same moment
        return open_file_channel(workspace, slug, network, now=now)


# ---------------------------------------------------------------- drafts


def leave_draft(
    by: Membership,
    conversation: Conversation,
    text: str,
    *,
    replaces: str = "",
    propose: bool = False,
    now: dt.datetime,
) -> Draft:
    """A draft that a person then edits and sends; with `propose` colleagues who may send are shown it too.

    It never takes the place of words that the program has not seen: `replaces` is the text that stands there now.
    Raises `Stale` when another one does.
    """
    require_conversation(by, conversation, "draft")
    with transaction.atomic():
        # the conversation is the lock: a draft that is not there yet cannot be locked
        Conversation.objects.of(by.workspace).select_for_update().get(pk=conversation.pk)
        present = Draft.objects.of(by.workspace).filter(conversation=conversation, author=by).first()
        there = present.text if present else ""
        if there.strip() and there not in {replaces, text}:
            raise Stale("Another draft stands there. Read it, then name its text in `replaces` to replace it.")
        draft = save_draft(by, conversation, text, now=now)
        if propose:
            draft = propose_draft(by, conversation, now=now)
    return draft
