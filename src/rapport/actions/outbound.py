"""Out of the house: drafts, and a person's approval.

Only `approve` makes a delivery, it takes a person, and what they approve is bound to the exact text, target and
account. What the sender does with a delivery afterwards is in `actions/delivery.py`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence

import msgspec
from django.db import transaction
from django.db.models import F, Q
from django.utils.text import slugify

from rapport.actions.attachments import check_images, send_along
from rapport.actions.audit import announce, require, require_conversation, require_delivery, write_audit
from rapport.actions.drafts import author_of, began_from, check_word, note_use
from rapport.actions.ledger import append
from rapport.actions.notices import notify_of_sent_drafts
from rapport.actions.parts import compose, keep_keys, new_key, told_of_images
from rapport.actions.survey_links import bind_survey_links
from rapport.actions.unknown import GIVEN_UP, send_again
from rapport.core.draft import check_template
from rapport.core.errors import GuardRefused, InvalidInput, NotAllowed, Stale
from rapport.core.guard import BY_SENDER, OVERRIDABLE, check, holding_rule
from rapport.core.reply import Reply, Verdict
from rapport.store.models import (
    Approval,
    Attachment,
    Channel,
    Conversation,
    Delivery,
    Draft,
    DraftSource,
    Membership,
    Post,
    PreparedReply,
    Workspace,
)
from rapport.store.queries.drafts import is_unread_here
from rapport.store.queries.outbound import read_guard_facts
from rapport.store.queries.presence import claim_of
from rapport.store.queries.spend import policy_of

# ---------------------------------------------------------------- prepared replies


def save_prepared_reply(by: Membership, slug: str, name: str, text: str, *, now: dt.datetime) -> PreparedReply:
    """Add or change a text that drafts begin from. Raises `InvalidInput` for a placeholder that does not exist."""
    require(by, "configure")
    check_template(text)
    if not name.strip() or not text.strip():
        raise InvalidInput("A prepared reply needs a name and a text.")
    with transaction.atomic():
        reply, _ = PreparedReply.objects.update_or_create(
            workspace=by.workspace,
            slug=slug or _free_slug(by.workspace, name),
            defaults={"name": name.strip()[:200], "text": text},
        )
        write_audit(by.workspace, by, "prepared_reply.save", reply, now)
        announce(by.workspace, now, kind="config")
    return reply


def _free_slug(workspace: Workspace, name: str) -> str:
    """A slug of its own for a new reply: two may have the same name, and a name may have no Latin letter."""
    base = slugify(name)[:70] or "reply"
    taken = set(PreparedReply.objects.of(workspace).filter(slug__startswith=base).values_list("slug", flat=True))
    return next(each for each in [base, *(f"{base}-{n}" for n in range(2, 1000))] if each not in taken)


def delete_prepared_reply(by: Membership, reply: PreparedReply, *, now: dt.datetime) -> None:
    """Drafts that began from it stay."""
    require(by, "configure")
    if reply.workspace_id != by.workspace_id:
        raise NotAllowed("This belongs to another workspace.")
    with transaction.atomic():
        write_audit(by.workspace, by, "prepared_reply.delete", reply, now, slug=reply.slug, text=reply.text)
        reply.delete()
        announce(by.workspace, now, kind="config")


# ---------------------------------------------------------------- a person's word


def approve(  # noqa: PLR0913  # what one press of a person says, each with its name
    by: Membership,
    conversation: Conversation,
    text: str,
    *,
    target: Post,
    channel: Channel,
    version: int,
    despite: Collection[str] = (),
    begun: str = "",
    asked_by: Membership | None = None,
    images: Sequence[Attachment] = (),
    now: dt.datetime,
) -> Delivery:
    """A person sends exactly this text, to this post, from this account.

    `version`: the version of the conversation that the person looked at. `despite`: rules of the guard that a lead sets
    aside for this reply, on record. `begun`: what they chose to begin from (`store.queries.drafts`); else what their
    draft says. `asked_by`: whose proposed draft this is; else whoever proposed nearly these words. `images` go along,
    with the first post where lines of scissors make the text a thread (`core.parts`). Raises `Stale` when
    somebody spoke since or a colleague is writing there now, `GuardRefused` when the guard says no, `NotAllowed` and
    `InvalidInput`.
    """
    require_conversation(by, conversation, "send")
    _check_place(by, conversation, target, channel)
    check_despite(by, despite)
    text = check_text(text)
    with transaction.atomic():
        workspace = Workspace.objects.select_for_update(no_key=True).get(pk=by.workspace_id)
        row = Conversation.objects.of(workspace).select_for_update().get(pk=conversation.pk)
        if row.version != version:
            raise Stale("Somebody spoke here since you looked. Read what is new, then send again.")
        if (claim := claim_of(row, now)) is not None and claim.membership_id != by.pk:
            raise Stale(f"{claim.membership} is writing here. Take over first, then send.")
        images = check_images(by, row, channel.network, images)
        reply = compose(channel, target, text, by, images)
        facts = read_guard_facts(reply, row, target, channel, workspace, despite, now)
        facts = msgspec.structs.replace(facts, unread=is_unread_here(row, text))
        verdict = check(reply, told_of_images(facts, images, channel.network), policy_of(channel), now)
        if verdict.standing == "refuse":
            raise GuardRefused(verdict)
        author = author_of(by, row, text, asked_by)
        check_word(by, author, row, channel, target, text)
        draft = began_from(by, row, begun, author)
        approval = _write_approval(by, row, reply, target, channel, verdict, despite, draft, now)
        send_along(approval, images)
        bind_survey_links(by, row, approval, now=now)
        delivery = queue(approval, verdict, now)
        note_use(by, approval, draft, now=now)
        notify_of_sent_drafts(by, row, text, now=now)
        used = Q(author=by) | Q(proposed=True) | Q(author=None, source=DraftSource.SERVICE)
        Draft.objects.of(workspace).filter(used, conversation=row).delete()
        Conversation.objects.filter(pk=row.pk).update(version=F("version") + 1, touched_at=now)
        if row.assignee_id is None:
            Conversation.objects.filter(pk=row.pk).update(assignee=by)
        write_audit(workspace, by, "reply.approve", approval, now, conversation=row.pk, digest=approval.digest)
        announce(workspace, now, [row.pk], [row.basket_id])
    return delivery


def check_text(text: str) -> str:
    """A text as it would be sent. Raises `InvalidInput` for characters that cannot be."""
    if "\x00" in text or (not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text)):
        raise InvalidInput("The text contains characters that cannot be sent. Type them again instead of pasting them.")
    return text.replace("\r\n", "\n").strip()


def _check_place(by: Membership, conversation: Conversation, target: Post, channel: Channel) -> None:
    if target.workspace_id != by.workspace_id or target.conversation_id != conversation.pk:
        raise NotAllowed("The post that would be answered belongs to another conversation.")
    if channel.workspace_id != by.workspace_id or channel.network != target.network:
        raise NotAllowed("This account cannot answer there; choose one of the same network.")
    if target.ours:
        raise InvalidInput("Choose a post of theirs to answer.")


def check_despite(by: Membership, despite: Collection[str]) -> None:
    """Whether the person may set these rules of the guard aside. Raises `NotAllowed`."""
    if not despite:
        return
    if set(despite) - BY_SENDER and by.may("configure") is not True:
        raise NotAllowed("Only a lead or an admin can set a rule of the guard aside.")
    if unknown := set(despite) - OVERRIDABLE:
        raise NotAllowed(f"Nobody can set this rule aside: {', '.join(sorted(unknown))}.")


def _write_approval(
    by: Membership,
    conversation: Conversation,
    reply: Reply,
    target: Post,
    channel: Channel,
    verdict: Verdict,
    despite: Collection[str],
    draft: Draft,
    now: dt.datetime,
) -> Approval:
    approval = Approval(
        workspace=by.workspace, conversation=conversation, channel=channel, target=target, person=by,
        text=reply.text, visibility=reply.visibility, to=list(reply.to), digest=reply.digest,
        verdict=msgspec.json.encode(verdict).decode(), despite=sorted(despite),
        drafted=draft.origin or "", template=draft.template, approved_at=now, parts=list(reply.parts) or None,
        media=[{"digest": each.digest, "alt": each.alt} for each in reply.media] or None,
        asked_by=draft.author if draft.author_id != by.pk else None,
    )  # fmt: skip
    return append(approval)


def queue(approval: Approval, verdict: Verdict, now: dt.datetime) -> Delivery:
    """The delivery of an entry that was just made: due now, when its pace lets it, or held."""
    held = verdict.standing == "hold" and verdict.retry_at is None
    delivery = Delivery.objects.create(
        workspace_id=approval.workspace_id,
        approval=approval,
        channel_id=approval.channel_id,
        conversation_id=approval.conversation_id,
        state=Delivery.State.HELD if held else Delivery.State.QUEUED,
        cause=describe(verdict) if verdict.standing == "hold" else "",
        held_by=holding_rule(verdict) if held else None,
        idempotency_key=new_key(approval, now),
        next_try_at=verdict.retry_at or now,
        queued_at=now,
    )
    keep_keys(delivery)
    return delivery


def describe(verdict: Verdict) -> str:
    """The findings that stand in the way, each as "rule: reason remedy"."""
    lines = [
        f"{finding.rule}: {finding.reason} {finding.remedy}".strip()
        for finding in verdict.findings
        if finding.standing != "allow"
    ]
    return " ".join(lines)[:500]


def cancel_delivery(by: Membership, delivery: Delivery, *, now: dt.datetime) -> Delivery:
    """Take a reply back that has not left. What is on its way or sent cannot be taken back here."""
    return _decide(by, delivery, Delivery.State.CANCELLED, "delivery.cancel", f"taken back by {by}", now)


def retry_delivery(by: Membership, delivery: Delivery, *, now: dt.datetime) -> Delivery:
    """Put a held or failed reply back into the queue; the guard looks at it again before it leaves.

    What was approved stays as it was: to set a rule of the guard aside, a lead approves it anew. One that may have
    arrived is looked for on the network first.
    """
    if delivery.state == Delivery.State.FAILED and delivery.cause.startswith(GIVEN_UP):
        return send_again(by, delivery, now=now)
    return _decide(by, delivery, Delivery.State.QUEUED, "delivery.retry", "", now)


def _decide(by: Membership, delivery: Delivery, state: str, verb: str, cause: str, now: dt.datetime) -> Delivery:
    require_delivery(by, delivery, "send")
    possible = [source for source, targets in Delivery.MOVES.items() if state in targets]
    possible = [source for source in possible if source not in {"sending", "unconfirmed"}]
    with transaction.atomic():
        changed = Delivery.objects.of(by.workspace).filter(pk=delivery.pk, state__in=possible).update(
            state=state, cause=cause, next_try_at=now, pushed_at=None, claimed_by="", lease_until=None, held_by=None
        )  # fmt: skip
        if not changed:
            raise InvalidInput("This reply is on its way or settled already; look at its state again.")
        write_audit(by.workspace, by, verb, delivery, now)
        announce(by.workspace, now, delivery.talks)
    delivery.refresh_from_db()
    return delivery
