"""Connecting accounts, what becomes of them, standing queries. Hearing is in `actions.hearing`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import transaction
from django.db.models import F, Q
from django.utils.text import slugify

from rapport.actions.accounts import check_timezone
from rapport.actions.audit import announce, require, write_audit
from rapport.actions.held import requeue_held
from rapport.actions.notices import notify_of_source
from rapport.core.errors import AccessEnded, InvalidInput, NetworkError, NotAllowed
from rapport.core.notice_text import write_notice
from rapport.core.query import compile_topics
from rapport.core.rhythm import Silence
from rapport.store.models import Channel, Cursor, Gap, Membership, Topic, Workspace
from rapport.store.queries.access import ENDED, goes_at, says_end
from rapport.store.queries.topics import compile_hides
from rapport.store.secrets import seal


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
    expires_at: dt.datetime | None = None,
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
        channel.token_expires_at, channel.renewing_until, channel.failures = expires_at, None, 0
        channel.state, channel.state_reason, channel.state_at = Channel.State.CONNECTED, "", now
        channel.paused_until = None
        channel.save()
        Cursor.objects.of(by.workspace).filter(channel=channel).update(paused_until=None, error="")
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


def ask_to_reconnect(channel: Channel, cause: str | NetworkError, *, now: dt.datetime) -> Channel:
    """The token is dead: say so, keep the queue, and wait for somebody to connect the account again.

    Where the network has clearly ended the access, and wants what came from it gone, admins are told by when.
    """
    reason = str(cause)[:500]
    with transaction.atomic():
        row = Channel.objects.select_for_update().get(pk=channel.pk)
        channel.state, channel.state_reason, channel.state_at = Channel.State.REAUTHORISE, reason, now
        channel.settings = {name: value for name, value in row.settings.items() if name != ENDED}
        ended = isinstance(cause, AccessEnded) and says_end(row, now)
        if ended:
            channel.settings[ENDED] = now.isoformat()
        channel.save(update_fields=["state", "state_reason", "state_at", "settings"])
        write_audit(channel.workspace_id, None, "channel.reauthorise", channel, now, reason=reason, ended=ended)
        goes = goes_at(channel)
        if goes is not None:
            text = write_notice("ended", channel=channel.name, reason=reason, day=goes.isoformat())
        else:
            text = write_notice("reconnect", channel=channel.name, reason=reason)
        notify_of_source(channel, text, now=now)
        announce(channel.workspace_id, now, kind="config")
    return channel


def pause_channel(
    channel: Channel, until: dt.datetime, reason: str, *, now: dt.datetime, failures: int | None = None
) -> Channel:
    """The network asked for a pause, or does not answer: this account, and no other, waits until then."""
    with transaction.atomic():
        channel.paused_until, channel.state_reason = until, reason[:500]
        channel.failures = channel.failures if failures is None else failures
        channel.save(update_fields=["paused_until", "state_reason", "failures"])
        write_audit(
            channel.workspace_id, None, "channel.pause", channel, now, until=until.isoformat(), reason=reason[:500]
        )
        announce(channel.workspace_id, now, kind="config")
    return channel


def pause_stream(channel: Channel, stream: str, until: dt.datetime, reason: str, *, now: dt.datetime) -> Cursor:
    """The network's limit for one stream is used up: it waits until then, the account goes on."""
    with transaction.atomic():
        cursor, _ = Cursor.objects.update_or_create(
            channel=channel,
            stream=stream,
            defaults={"paused_until": until, "error": reason[:500]},
            create_defaults={
                "workspace_id": channel.workspace_id, "moved_at": now, "paused_until": until, "error": reason[:500],
            },
        )  # fmt: skip
        write_audit(
            channel.workspace_id, None, "channel.pause", channel, now,
            until=until.isoformat(), reason=reason[:500], stream=stream,
        )  # fmt: skip
    return cursor


def note_stream_error(channel: Channel, stream: str, reason: str, *, now: dt.datetime) -> Cursor:
    """One stream cannot be read, for a reason that waiting does not mend; the others of the account go on."""
    with transaction.atomic():
        cursor, _ = Cursor.objects.update_or_create(
            channel=channel,
            stream=stream,
            defaults={"error": reason[:500]},
            create_defaults={"workspace_id": channel.workspace_id, "moved_at": now, "error": reason[:500]},
        )
        write_audit(channel.workspace_id, None, "channel.error", channel, now, stream=stream, reason=reason[:500])
        announce(channel.workspace_id, now, kind="config")
    return cursor


def claim_renewal(channel: Channel, until: dt.datetime, *, now: dt.datetime) -> bool:
    """Whether this process, and no other before `until`, may renew the token of the channel."""
    with transaction.atomic():
        free = Q(renewing_until=None) | Q(renewing_until__lt=now)
        claimed = Channel.objects.filter(free, pk=channel.pk, token=channel.token).update(renewing_until=until)
        if claimed:
            # written before the network is asked: a process that dies in between leaves its trace
            write_audit(channel.workspace_id, None, "channel.renewing", channel, now)
    return bool(claimed)


def keep_token(
    channel: Channel, token: str, expires_at: dt.datetime | None, *, now: dt.datetime, by: Membership | None = None
) -> Channel:
    """The network gave a new token in the place of the old one; `by`: a person asked for it."""
    if by is not None:
        require(by, "channels")
        _same_workspace(by, channel.workspace_id)
    with transaction.atomic():
        channel.token, channel.token_expires_at, channel.renewing_until = seal(token), expires_at, None
        channel.save(update_fields=["token", "token_expires_at", "renewing_until"])
        write_audit(
            channel.workspace_id, by, "channel.renew", channel, now,
            expires_at=expires_at.isoformat() if expires_at else None,
        )  # fmt: skip
    return channel


def note_silence(channel: Channel, silence: Silence | None, *, now: dt.datetime) -> bool:
    """A source went unusually quiet, or speaks again (None); returns whether that is news."""
    since = silence.since if silence is not None else None
    if (since is None) == (channel.quiet_since is None):
        return False
    with transaction.atomic():
        channel.quiet_since = since
        channel.save(update_fields=["quiet_since"])
        if silence is not None:
            write_audit(
                channel.workspace_id, None, "channel.quiet", channel, now,
                since=silence.since.isoformat(), expected=round(silence.expected, 1), chance=silence.chance,
            )  # fmt: skip
            notify_of_source(channel, write_notice("quiet", channel=channel.name), now=now)
        else:
            write_audit(channel.workspace_id, None, "channel.speaks", channel, now)
        announce(channel.workspace_id, now, kind="config")
    return True


def see_gaps(by: Membership, channel: Channel, *, now: dt.datetime) -> int:
    """A person has seen what is missing from a channel; returns how many stretches there were."""
    require(by, "channels")
    _same_workspace(by, channel.workspace_id)
    with transaction.atomic():
        seen = Gap.objects.of(by.workspace).filter(channel=channel, seen_at=None).update(seen_at=now)
        write_audit(by.workspace, by, "channel.see_gaps", channel, now, count=seen)
        announce(by.workspace, now, kind="config")
    return seen


def save_topic(
    by: Membership,
    slug: str,
    name: str,
    query: str,
    active: bool = True,
    *,
    hides: Sequence[str] | None = None,
    now: dt.datetime,
) -> Topic:
    """Add or change a standing query; in force with the next batch. Raises `InvalidQuery` with its position.

    `hides`: queries whose posts are counted and yet folded away from the lists of the topic; None leaves them as they
    are. Raises `InvalidInput` that names the line for one that cannot be read.
    """
    require(by, "configure")
    if not name.strip():
        raise InvalidInput("A topic needs a name.")
    compile_topics([(slug or "new", query)])
    if hides is not None:
        compile_hides(hides)
    with transaction.atomic():
        slug = slug or _free_topic_slug(by.workspace, name)
        values = {"name": name.strip()[:200], "query": query, "active": active, "updated_at": now}
        if hides is not None:
            values["hides"] = list(hides)
        topic, _ = Topic.objects.update_or_create(workspace=by.workspace, slug=slug, defaults=values)
        _renew_configuration(by.workspace)
        write_audit(by.workspace, by, "topic.save", topic, now, query=query, active=active, hides=topic.hides)
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
