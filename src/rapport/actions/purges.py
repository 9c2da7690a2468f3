"""Everything that was heard through an account, taken away: on an admin's word, or because the network asks for it.

X lets nobody keep what came from it for longer than ten business days after access ended. What is asked for stands in
the settings of the channel (`forget_by`: the membership on whose word), and the clock does it in small steps that can
be done again.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import Exists, OuterRef

from rapport.actions import forgetting
from rapport.actions.audit import announce, require, write_audit
from rapport.actions.erasure import forget_person
from rapport.actions.forgetting import StillLeaving, Tally, overwriting
from rapport.core.errors import InvalidInput, NotAllowed
from rapport.store.models import AuditEntry, Channel, Cursor, Gap, Handle, Membership, Post, Tombstone, Workspace
from rapport.store.queries.access import ENDS, has_ended
from rapport.store.queries.erasure import accounts_of, entries_of_handles, reach_of_channel

#: conversations, and accounts of people, in one step
STEP = 50


def ask_purge(by: Membership, channel: Channel, typed: str, *, now: dt.datetime) -> Channel:
    """Have everything that was heard through a disconnected account taken away; `typed`: its name, to confirm."""
    require(by, "channels")
    require(by, "erase")
    if channel.workspace_id != by.workspace_id:
        raise NotAllowed("This account belongs to another workspace.")
    if channel.state != Channel.State.OFF:
        raise InvalidInput("Disconnect the account first: what is deleted would be heard again.")
    if " ".join(typed.split()).casefold() != " ".join(channel.name.split()).casefold():
        raise InvalidInput(f"Type “{channel.name}” to confirm: what is deleted does not come back.")
    with transaction.atomic():
        _begin(channel, by, now)
    channel.refresh_from_db()
    return channel


def _begin(channel: Channel, by: Membership, now: dt.datetime) -> None:
    row = Channel.objects.select_for_update().get(pk=channel.pk)
    # connected again, nothing is taken away any more: then it was disconnected at another time
    row.settings = {**row.settings, "forget_by": by.pk, "forget_since": row.state_at.isoformat()}
    row.save(update_fields=["settings"])
    write_audit(row.workspace_id, by, "channel.ask_purge", row, now, name=row.name)
    announce(row.workspace_id, now, kind="config")


def begin_due_purges(workspace: Workspace, *, now: dt.datetime) -> int:
    """Accounts of networks that ask for it, whose access ended long enough ago; returns how many begin.

    While another account of the network is connected, access goes on. Access ends where a person disconnects the
    account, and where the network says clearly that it has ended it; a token that died otherwise is no end.
    """
    begun = 0
    for network, after in ENDS.items():
        rows = list(Channel.objects.of(workspace).filter(network=network))
        if not all(has_ended(row) for row in rows):
            continue
        for row in rows:
            by = _who_ended(row)
            due = row.state_at <= now - after and not is_purged(row)
            if by is None or not due or not Post.objects.filter(channel=row).exists():
                continue
            with transaction.atomic():
                _switch_off(row, now)
                _begin(row, by, now)
            begun += 1
    return begun


def _switch_off(channel: Channel, now: dt.datetime) -> None:
    """One that the network ended is disconnected as well: nothing of it can be used any more."""
    row = Channel.objects.select_for_update().get(pk=channel.pk)
    if row.state == Channel.State.REAUTHORISE:
        row.token, row.state, row.state_at = b"", Channel.State.OFF, now
        row.state_reason = f"the network ended the access: {row.state_reason}"[:500]
        row.save(update_fields=["token", "state", "state_reason", "state_at"])
        write_audit(row.workspace_id, None, "channel.disconnect", row, now, reason=row.state_reason)


def _who_ended(channel: Channel) -> Membership | None:
    """Whoever disconnected it, else an owner: what is emptied in the ledger stands under somebody's name."""
    told = AuditEntry.objects.of(channel.workspace_id).filter(
        verb="channel.disconnect", subject="channel", subject_id=str(channel.pk), actor__isnull=False,
        at__gte=channel.state_at,
    )  # fmt: skip
    entry = told.select_related("actor").order_by("-pk").first()
    if entry is not None:
        return entry.actor
    return Membership.objects.of(channel.workspace_id).filter(role="owner", active=True).order_by("pk").first()


def carry_on_purges(workspace: Workspace, *, now: dt.datetime) -> bool:
    """The next step of each that was asked for; whether anything is left to do now."""
    busy = False
    for row in Channel.objects.of(workspace).filter(state=Channel.State.OFF, settings__has_key="forget_by"):
        if not is_purged(row):
            continue
        try:
            busy |= _step(row, now)
        except StillLeaving:
            continue
    return busy


def is_purged(channel: Channel) -> bool:
    """Whether what was heard through it is being taken away."""
    told = channel.settings
    since = told.get("forget_since") == channel.state_at.isoformat()
    return channel.state == Channel.State.OFF and "forget_by" in told and since


def _step(channel: Channel, now: dt.datetime) -> bool:
    with overwriting(), transaction.atomic():
        Workspace.objects.select_for_update(no_key=True).only("pk").get(pk=channel.workspace_id)
        row = Channel.objects.select_for_update().get(pk=channel.pk)
        by = Membership.objects.of(row.workspace_id).filter(pk=row.settings.get("forget_by", 0)).first()
        if by is None:
            return False
        tally = Tally(row.settings.get("forgotten", {}))
        more = _forget_some(row, by, tally, now)
        row.settings = {**row.settings, "forgotten": {"removed": dict(tally.removed), "blanked": dict(tally.blanked)}}
        if not more:
            _finish(row, by, tally, now)
        row.save(update_fields=["settings", "state_reason"])
    return more


def _forget_some(channel: Channel, by: Membership, tally: Tally, now: dt.datetime) -> bool:
    found = reach_of_channel(channel, STEP)
    if found is not None:
        forgetting.forget_reach(channel.workspace_id, found, by, tally, now)
        return True
    silent = ~Exists(Post.objects.filter(handle=OuterRef("pk")))
    handles = Handle.objects.of(channel.workspace_id).filter(silent, network=channel.network)
    rows = list(handles.select_related("person").order_by("pk")[:STEP])
    for handle in rows:
        _forget_account(handle, by, tally, now)
    return bool(rows)


def _forget_account(handle: Handle, by: Membership, tally: Tally, now: dt.datetime) -> None:
    """An account of which nothing is left, and its person where they have no other."""
    mine = accounts_of(handle.person)
    if len(mine) == 1 and not handle.ours:
        forget_person(handle.person, mine, by, tally, now)
        return
    forgetting.empty_ledger(entries_of_handles([handle], handle.workspace_id), by, tally, now)
    tally.remove(Handle.objects.filter(pk=handle.pk).delete())


def _finish(channel: Channel, by: Membership, tally: Tally, now: dt.datetime) -> None:
    for model in (Cursor, Gap):
        tally.remove(model.objects.of(channel.workspace_id).filter(channel=channel).delete())
    if not Channel.objects.of(channel.workspace_id).filter(network=channel.network).exclude(pk=channel.pk).exists():
        tally.remove(Tombstone.objects.of(channel.workspace_id).filter(network=channel.network).delete())
    left = {
        name: value
        for name, value in channel.settings.items()
        if name not in {"forget_by", "forget_since", "forgotten"}
    }
    channel.settings = {**left, "forgotten_at": now.isoformat()}
    channel.state_reason = "disconnected; everything that was heard through it was deleted"
    removed, blanked = sum(tally.removed.values()), sum(tally.blanked.values())
    write_audit(channel.workspace_id, by, "channel.purge", channel, now, removed=removed, blanked=blanked)
    announce(channel.workspace_id, now, kind="config")
