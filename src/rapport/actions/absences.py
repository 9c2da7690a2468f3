"""Who is away, until when, and who stands in; one's own absence, or that of a colleague as their lead."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from rapport.actions.audit import announce, require, write_audit
from rapport.actions.dealing import news_of
from rapport.actions.notices import tell
from rapport.actions.promises import keep_promises
from rapport.core.errors import InvalidInput, NotAllowed
from rapport.core.route import Given
from rapport.store.models import Absence, Conversation, Membership, Workspace
from rapport.store.queries.load import Room, absent

#: further away is a wrong year, and may be no moment in another zone
FARTHEST = dt.timedelta(days=3653)
#: conversations that one act hands back
MOST = 1_000


def save_absence(
    by: Membership,
    member: Membership,
    *,
    since: dt.datetime,
    until: dt.datetime | None,
    deputy: Membership | None = None,
    note: str = "",
    now: dt.datetime,
) -> Absence:
    """Somebody takes no work from `since` to `until` (None: until they say that they are back).

    The desk gives them nothing meanwhile; what comes from people whom they know goes to the deputy. What they have
    stays with them until somebody hands it back (`hand_back`). Raises `InvalidInput`.
    """
    _require(by, member)
    if until is not None and until <= since:
        raise InvalidInput("The end must lie after the beginning.")
    if until is not None and until <= now:
        raise InvalidInput("This absence would be over already.")
    if since > now + dt.timedelta(days=731):
        raise InvalidInput("At most two years ahead.")
    if since < now - FARTHEST or (until is not None and until > now + FARTHEST):
        raise InvalidInput("The beginning and the end lie within ten years of today.")
    if deputy is not None:
        if deputy.pk == member.pk:
            raise InvalidInput("Somebody else must stand in.")
        if deputy.workspace_id != by.workspace_id or deputy.may("draft") is not True:
            raise InvalidInput("Who stands in must be a colleague who may write replies.")
    with transaction.atomic():
        absence = Absence.objects.create(
            workspace_id=by.workspace_id, membership=member, since=since, until=until, deputy=deputy,
            note=note.strip()[:200],
        )  # fmt: skip
        write_audit(
            by.workspace, by, "absence.save", absence, now, member=member.pk, since=since.isoformat(),
            until=until.isoformat() if until else None, deputy=deputy.pk if deputy else None,
        )  # fmt: skip
        announce(by.workspace, now, kind="config")
    return absence


def end_absence(by: Membership, absence: Absence, *, now: dt.datetime) -> None:
    """They are back, or do not go: one that has begun ends now, one that lies ahead is taken out."""
    _require(by, absence.membership)
    with transaction.atomic():
        rows = Absence.objects.of(by.workspace).select_for_update()
        row = rows.filter(pk=absence.pk).exclude(until__lte=now).first()
        if row is None:
            raise InvalidInput("This absence is over already.")
        write_audit(by.workspace, by, "absence.end", row, now, member=row.membership_id)
        if row.since >= now:
            row.delete()
        else:
            Absence.objects.filter(pk=row.pk).update(until=now)
        announce(by.workspace, now, kind="config")


def hand_back(by: Membership, member: Membership, *, deputy: Membership | None = None, now: dt.datetime) -> int:
    """What a colleague has open goes to their deputy as far as there is room, the rest to its baskets; how many.

    A deputy who is away too takes none.
    """
    _require(by, member)
    if deputy is not None and (deputy.workspace_id != by.workspace_id or deputy.may("draft") is not True):
        raise InvalidInput("Who stands in must be a colleague who may write replies.")
    with transaction.atomic():
        Workspace.objects.select_for_update(no_key=True).only("pk").get(pk=by.workspace_id)
        if deputy is not None and deputy.pk in dict(absent(by.workspace_id, now)):
            deputy = None
        room = Room(by.workspace_id)
        theirs = Conversation.objects.of(by.workspace).filter(assignee=member, state=Conversation.State.OPEN)
        first = list(theirs.order_by("waiting_since", "pk").values_list("pk", flat=True)[:MOST])
        # held in the order of their ids, as everything that holds several
        held = {each.pk: each for each in theirs.select_for_update(no_key=True).filter(pk__in=first).order_by("pk")}
        talks = [held[pk] for pk in first if pk in held]
        for talk in talks:
            talk.assignee = deputy if deputy is not None and room.take(deputy.pk, talk.pk) else None
            talk.touched_at = now
            write_audit(
                by.workspace, by, "conversation.assign", talk, now,
                before={"assignee": member.pk}, after={"assignee": talk.assignee_id},
            )  # fmt: skip
        Conversation.objects.bulk_update(talks, ["assignee", "touched_at"], batch_size=200)
        if deputy is not None and deputy.pk != by.pk:
            tell(
                by.workspace_id,
                news_of([Given(each.pk, deputy.pk, "stands in") for each in talks if each.assignee]),
                now=now,
            )
        keep_promises(by.workspace_id, [talk.pk for talk in talks], now=now)
        if talks:
            announce(by.workspace, now, [talk.pk for talk in talks], [talk.basket_id for talk in talks])
    return len(talks)


def _require(by: Membership, member: Membership) -> None:
    """One's own absence is one's own word; that of others is said by a lead or an admin."""
    if member.workspace_id != by.workspace_id:
        raise NotAllowed("This member belongs to another workspace.")
    if member.pk != by.pk:
        require(by, "configure")
    elif by.may("read") is not True:
        raise NotAllowed("You do not work here any more.")
