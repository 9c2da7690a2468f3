"""Hearing posts, connecting accounts, standing queries."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import msgspec
from django.db import transaction
from django.db.models import F
from django.utils.text import slugify

from rapport.actions.accounts import check_timezone
from rapport.actions.audit import announce, require, write_audit
from rapport.actions.held import requeue_held
from rapport.bus.base import Bus
from rapport.core.errors import InvalidInput, NotAllowed
from rapport.core.post import Post
from rapport.core.query import compile_topics
from rapport.store.models import Channel, Cursor, Membership, Outcome, Topic, Workspace
from rapport.store.models import Post as PostRow
from rapport.store.queries.conversations import refresh
from rapport.store.queries.ingest import store_posts
from rapport.store.queries.sql import chunks
from rapport.store.queries.threads import Linked
from rapport.store.secrets import seal


class Heard(msgspec.Struct, frozen=True):
    """What came of one call of `hear`."""

    new: int
    known: int
    changed: int = 0


def hear(
    channel: Channel,
    posts: Sequence[Post],
    bus: Bus,
    *,
    now: dt.datetime,
    stream: str = "",
    cursor: str | None = None,
    gap: str = "",
) -> Heard:
    """Store posts, move the cursor of `stream`, hand the new ones to the bus: all of it or nothing.

    Posts that are known already change nothing, except that an edit or a deletion on the network is taken over.
    """
    with transaction.atomic():
        fresh = store_posts(channel, posts, now) if posts else []
        changed = _take_over_changes(channel, posts, {row for row, _ in fresh}) if len(fresh) < len(posts) else []
        if cursor is not None:
            Cursor.objects.update_or_create(
                channel=channel,
                stream=stream,
                defaults={"workspace_id": channel.workspace_id, "value": cursor, "moved_at": now, "gap": gap[:300]},
            )
        if fresh or changed:
            bus.append(channel.workspace_id, [*fresh, *changed], now)
            write_audit(
                channel.workspace_id,
                None,
                "posts.hear",
                channel,
                now,
                new=len(fresh),
                changed=len(changed),
                stream=stream,
            )
    return Heard(len(fresh), len(posts) - len(fresh), len(changed))


def _take_over_changes(channel: Channel, posts: Sequence[Post], new: set[int]) -> list[tuple[int, Post]]:
    """Edits and deletions of posts that we have; returns those whose text must be read again."""
    notable = {post.id: post for post in posts if post.deleted or post.edited_at}
    again: list[tuple[int, Post]] = []
    for part in chunks(list(notable), 500):
        rows = PostRow.objects.of(channel.workspace_id).filter(network=channel.network, external_id__in=part)
        for row in rows.exclude(pk__in=new):
            post = notable[row.external_id]
            if post.deleted and not row.deleted:
                row.deleted, row.text, row.extra = True, "", "{}"
                row.save(update_fields=["deleted", "text", "extra"])
                again.append((row.pk, msgspec.structs.replace(post, text="")))
            elif not row.deleted and post.edited_at and (row.edited_at is None or post.edited_at > row.edited_at):
                row.text, row.edited_at = post.text, post.edited_at
                row.save(update_fields=["text", "edited_at"])
                again.append((row.pk, post))
    return again


def take_down(channel: Channel, ids: Sequence[str], *, now: dt.datetime) -> int:
    """Their authors deleted these posts: hide them at once and forget their words; returns how many we had."""
    with transaction.atomic():
        rows = list(
            PostRow.objects.of(channel.workspace_id).filter(network=channel.network, external_id__in=ids, deleted=False)
        )
        PostRow.objects.filter(pk__in=[row.pk for row in rows]).update(deleted=True, text="", extra="{}")
        # what was read in their words goes with them, and no list shows their beginning any more
        Outcome.objects.filter(post__in=rows).delete()
        linked = Linked()
        linked.conversations = {row.pk: row.conversation_id for row in rows if row.conversation_id}
        refresh(channel.workspace_id, linked, {}, now)
        write_audit(channel.workspace_id, None, "posts.take_down", channel, now, count=len(rows))
        announce(channel.workspace_id, now, [row.conversation_id for row in rows if row.conversation_id])
    return len(rows)


def open_file_channel(workspace: Workspace, slug: str, network: str, *, now: dt.datetime) -> Channel:
    """The channel `slug`; made when it is missing, as one that is only filled from files."""
    with transaction.atomic():
        channel = Channel.objects.of(workspace).filter(slug=slug).first()
        if channel is None:
            channel = Channel.objects.create(
                workspace=workspace, slug=slug, name=slug, network=network, state=Channel.State.OFF,
                state_reason="filled from files; nothing is sent from it", state_at=now, timezone=workspace.timezone,
            )  # fmt: skip
            _renew_configuration(workspace)
            write_audit(workspace, None, "channel.open", channel, now, network=network)
            announce(workspace, now, kind="config")
    return channel


def connect_channel(
    by: Membership,
    network: str,
    *,
    server: str,
    handle: str,
    external_id: str,
    name: str,
    token: str,
    settings: dict[str, object] | None = None,
    now: dt.datetime,
) -> Channel:
    """Connect an account of ours, or connect it again. An account belongs to one workspace only."""
    require(by, "channels")
    with transaction.atomic():
        same = Channel.objects.filter(network=network, server=server, external_id=external_id)
        # one that was disconnected (it has no token) is free for another workspace
        if same.exclude(workspace=by.workspace).exclude(token=b"").exists():
            raise InvalidInput("This account is connected to another workspace. Disconnect it there first.")
        channel = same.filter(workspace=by.workspace).select_for_update().first()
        if channel is None:
            channel = Channel(
                workspace=by.workspace, network=network, server=server, external_id=external_id,
                slug=_free_slug(by.workspace, f"{network}-{handle}"), timezone=by.workspace.timezone,
                settings=settings or {}, name=name,
            )  # fmt: skip
        channel.handle = handle
        channel.token = seal(token)
        channel.state, channel.state_reason, channel.state_at = Channel.State.CONNECTED, "", now
        channel.paused_until = None
        channel.save()
        _renew_configuration(by.workspace)
        requeue_held(by.workspace, rule="channel-off", channel=channel, now=now)
        write_audit(by.workspace, by, "channel.connect", channel, now, network=network, handle=handle, server=server)
        announce(by.workspace, now, kind="config")
    return channel


def change_channel(
    by: Membership, channel: Channel, *, name: str, timezone: str, settings: dict[str, object], now: dt.datetime
) -> Channel:
    """Rename a channel, set its time zone and what it listens to."""
    require(by, "channels")
    _same_workspace(by, channel.workspace_id)
    check_timezone(timezone)
    with transaction.atomic():
        channel.name, channel.timezone, channel.settings = name.strip() or channel.name, timezone, settings
        channel.save(update_fields=["name", "timezone", "settings"])
        write_audit(by.workspace, by, "channel.change", channel, now, name=channel.name, settings=settings)
        announce(by.workspace, now, kind="config")
    return channel


def disconnect_channel(by: Membership, channel: Channel, *, now: dt.datetime) -> Channel:
    """Forget the token and stop pulling and pushing. What was said stays."""
    require(by, "channels")
    _same_workspace(by, channel.workspace_id)
    with transaction.atomic():
        channel.token, channel.state, channel.state_at = b"", Channel.State.OFF, now
        channel.state_reason = f"disconnected by {by}"
        channel.save(update_fields=["token", "state", "state_reason", "state_at"])
        write_audit(by.workspace, by, "channel.disconnect", channel, now)
        announce(by.workspace, now, kind="config")
    return channel


def ask_to_reconnect(channel: Channel, reason: str, *, now: dt.datetime) -> Channel:
    """The token is dead: say so, keep the queue, and wait for somebody to connect the account again."""
    with transaction.atomic():
        channel.state, channel.state_reason, channel.state_at = Channel.State.REAUTHORISE, reason[:500], now
        channel.save(update_fields=["state", "state_reason", "state_at"])
        write_audit(channel.workspace_id, None, "channel.reauthorise", channel, now, reason=reason[:500])
        announce(channel.workspace_id, now, kind="config")
    return channel


def pause_channel(channel: Channel, until: dt.datetime, reason: str, *, now: dt.datetime) -> Channel:
    """The network asked for a pause: this account, and no other, waits until then."""
    with transaction.atomic():
        channel.paused_until, channel.state_reason = until, reason[:500]
        channel.save(update_fields=["paused_until", "state_reason"])
        write_audit(
            channel.workspace_id, None, "channel.pause", channel, now, until=until.isoformat(), reason=reason[:500]
        )
    return channel


def save_topic(by: Membership, slug: str, name: str, query: str, active: bool = True, *, now: dt.datetime) -> Topic:
    """Add or change a standing query; in force with the next batch. Raises `InvalidQuery` with its position."""
    require(by, "configure")
    if not name.strip():
        raise InvalidInput("A topic needs a name.")
    compile_topics([(slug or "new", query)])
    with transaction.atomic():
        slug = slug or _free_topic_slug(by.workspace, name)
        topic, _ = Topic.objects.update_or_create(
            workspace=by.workspace,
            slug=slug,
            defaults={"name": name.strip()[:200], "query": query, "active": active, "updated_at": now},
        )
        _renew_configuration(by.workspace)
        write_audit(by.workspace, by, "topic.save", topic, now, query=query, active=active)
        announce(by.workspace, now, kind="config")
    return topic


def delete_topic(by: Membership, topic: Topic, *, now: dt.datetime) -> None:
    """Stop listening for it; its matches go with it, the posts stay."""
    require(by, "configure")
    _same_workspace(by, topic.workspace_id)
    with transaction.atomic():
        write_audit(by.workspace, by, "topic.delete", topic, now, slug=topic.slug, query=topic.query)
        topic.delete()
        _renew_configuration(by.workspace)
        announce(by.workspace, now, kind="config")


def _renew_configuration(workspace: Workspace) -> None:
    Workspace.objects.filter(pk=workspace.pk).update(config_version=F("config_version") + 1)


def _same_workspace(by: Membership, workspace_id: int) -> None:
    if workspace_id != by.workspace_id:
        raise NotAllowed("This belongs to another workspace.")


def _free_slug(workspace: Workspace, wish: str) -> str:
    base = slugify(wish)[:70] or "channel"
    taken = set(Channel.objects.of(workspace).filter(slug__startswith=base).values_list("slug", flat=True))
    return next(slug for slug in [base, *(f"{base}-{n}" for n in range(2, 1000))] if slug not in taken)


def _free_topic_slug(workspace: Workspace, wish: str) -> str:
    base = slugify(wish)[:70] or "topic"
    taken = set(Topic.objects.of(workspace).filter(slug__startswith=base).values_list("slug", flat=True))
    return next(slug for slug in [base, *(f"{base}-{n}" for n in range(2, 1000))] if slug not in taken)
