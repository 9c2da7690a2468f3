"""Colleagues at one conversation: who looks, who writes, and who takes the pen from whom.

A page says every few seconds that it is open. That is written down only when it says something new or the last time is
about to run out, so that fifty open pages cost a few writes a second. Nothing here keeps anybody from reading.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from rapport.actions.audit import announce, require_conversation, write_audit
from rapport.core.errors import InvalidInput
from rapport.store.models import ComposerClaim, Conversation, Membership, Presence, Workspace
from rapport.store.queries.presence import STILL_THERE, claim_of, is_writing

#: a beat younger than this is not written again
FRESH = dt.timedelta(seconds=15)
#: a turn to write ends this long after the last letter
TURN = dt.timedelta(seconds=60)
#: it is renewed when this much of it has gone
RENEW = dt.timedelta(seconds=10)
MAX_TOKEN = 32


def look_at(by: Membership, conversation: Conversation, *, writing: bool, token: str, now: dt.datetime) -> None:
    """`by` has the conversation open, and typed in it just now if `writing`.

    Who types where nobody holds the pen holds it from then on. `token`: of the page, made by it. Leaves no audit row:
    it changes nothing but who is shown to be there.
    """
    require_conversation(by, conversation, "read")
    token = _check_token(token)
    row = Presence.objects.of(by.workspace_id).filter(conversation=conversation, membership=by).first()
    was_there = row is not None and row.seen_at > now - STILL_THERE
    wrote = row is not None and was_there and is_writing(row, now)
    if writing and by.may("draft") is True:
        _claim(by, conversation, token, now)
    else:
        writing = False
    fresh = row is not None and row.seen_at > now - FRESH
    if was_there and fresh and (wrote or not writing):
        return
    with transaction.atomic():
        written: dict[str, object] = {"workspace_id": by.workspace_id, "seen_at": now}
        if writing:
            written["writing_at"] = now
        Presence.objects.update_or_create(conversation=conversation, membership=by, defaults=written)
        if not was_there or writing is not wrote:
            Presence.objects.of(by.workspace_id).filter(seen_at__lt=now - 10 * STILL_THERE).delete()
            announce(by.workspace, now, [conversation.pk], [conversation.basket_id], kind="presence")


def leave(by: Membership, conversation: Conversation, *, token: str, now: dt.datetime) -> None:
    """The page was closed: the pen that this page held is free at once. Leaves no audit row."""
    require_conversation(by, conversation, "read")
    with transaction.atomic():
        gone, _ = Presence.objects.of(by.workspace_id).filter(conversation=conversation, membership=by).delete()
        own = ComposerClaim.objects.of(by.workspace_id).filter(conversation=conversation, membership=by)
        own.filter(token=token).delete()
        if gone:
            announce(by.workspace, now, [conversation.pk], [conversation.basket_id], kind="presence")


def put_down(by: Membership, conversation: Conversation, *, now: dt.datetime) -> None:
    """A reply was sent: the pen is free. Leaves no audit row; the reply has its own."""
    own = ComposerClaim.objects.of(by.workspace_id).filter(conversation=conversation, membership=by)
    if not own.delete()[0]:
        return
    Presence.objects.of(by.workspace_id).filter(conversation=conversation, membership=by).update(writing_at=None)
    announce(by.workspace, now, [conversation.pk], [conversation.basket_id], kind="presence")


def clear_away(member: Membership, *, now: dt.datetime) -> None:
    """What somebody may do here has changed: their face and their pen go at once, and open pages are told. Where they
    still may be, their page says so again within seconds. Leaves no audit row; the change has its own.
    """
    rows = Presence.objects.of(member.workspace_id).filter(membership=member)
    held = ComposerClaim.objects.of(member.workspace_id).filter(membership=member)
    places = {*rows.values_list("conversation", flat=True), *held.values_list("conversation", flat=True)}
    rows.delete()
    held.delete()
    if places:
        baskets = Conversation.objects.filter(pk__in=places).values_list("basket", flat=True)
        announce(member.workspace_id, now, places, baskets, kind="presence")


def take_over(by: Membership, conversation: Conversation, *, token: str, now: dt.datetime) -> None:
    """From now on `by` writes here; the words of the colleague who wrote stay in their draft. On record."""
    require_conversation(by, conversation, "draft")
    token = _check_token(token)
    with transaction.atomic():
        Workspace.objects.select_for_update(no_key=True).get(pk=by.workspace_id)
        held = claim_of(conversation, now)
        ComposerClaim.objects.update_or_create(
            conversation=conversation,
            defaults={
                "workspace_id": by.workspace_id, "membership": by, "token": token, "claimed_at": now,
                "until": now + TURN,
            },
        )  # fmt: skip
        write_audit(
            by.workspace, by, "composer.take_over", conversation, now,
            before=held.membership_id if held else None, after=by.pk,
        )  # fmt: skip
        announce(by.workspace, now, [conversation.pk], [conversation.basket_id], kind="presence")


def _claim(by: Membership, conversation: Conversation, token: str, now: dt.datetime) -> None:
    """Take the pen where it is free, renew it where it is held by this person."""
    held = claim_of(conversation, now)
    if held is not None and held.membership_id != by.pk:
        return
    if held is not None:
        # the window in which they type holds it from now on
        if held.until < now + TURN - RENEW or held.token != token:
            ComposerClaim.objects.filter(pk=held.pk, membership=by).update(until=now + TURN, token=token)
        return
    with transaction.atomic():
        # of two who begin in one instant the second finds the first one's row
        over = ComposerClaim.objects.of(by.workspace_id).filter(conversation=conversation)
        stale = over.select_related("membership__user").select_for_update(of=("self",)).first()
        if stale is not None and claim_of(conversation, now) is None:
            stale.delete()
        ComposerClaim.objects.get_or_create(
            conversation=conversation,
            defaults={
                "workspace_id": by.workspace_id, "membership": by, "token": token, "claimed_at": now,
                "until": now + TURN,
            },
        )  # fmt: skip


def _check_token(token: str) -> str:
    if not token.isascii() or not token.isalnum() or len(token) > MAX_TOKEN:
        raise InvalidInput("The page did not say which page it is. Load it again.")
    return token
