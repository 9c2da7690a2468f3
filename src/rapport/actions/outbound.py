"""Out of the house: drafts, a person's approval, and the one switch that holds everything.

Only `approve` makes a delivery, it takes a person, and what they approve is bound to the exact text, target and
account. What the sender does with a delivery afterwards is in `actions/delivery.py`.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from collections.abc import Collection

import msgspec
from django.db import transaction
from django.db.models import F, Q
from django.utils.text import slugify

from rapport.actions.audit import announce, require, require_conversation, write_audit
from rapport.actions.held import requeue_held
from rapport.actions.notices import notify_of_proposal, notify_of_sent_drafts
from rapport.actions.rule_days import is_thrown_away, note_override
from rapport.core.draft import check_template
from rapport.core.errors import GuardRefused, InvalidInput, NotAllowed, Stale
from rapport.core.guard import OVERRIDABLE, Policy, check
from rapport.core.reply import Reply, Verdict
from rapport.store.models import (
    Approval,
    Channel,
    Conversation,
    Delivery,
    Draft,
    Membership,
    Post,
    PreparedReply,
    Workspace,
)
from rapport.store.queries.outbound import newest_inbound, prepare_draft, read_guard_facts, reply_of

MAX_DRAFT = 50_000  # characters


# ---------------------------------------------------------------- drafts


def save_draft(by: Membership, conversation: Conversation, text: str, *, begun: str = "", now: dt.datetime) -> Draft:
    """Keep what somebody is writing. One draft a person and conversation; an empty text clears it.

    `begun`: slug of the prepared reply that they chose to begin from; else what a rule chose, or what they began from
    before. The pages call this at every pause in typing: the audit has one row when the draft comes into being and one
    when it is emptied, none for the steps between.
    """
    require_conversation(by, conversation, "draft")
    if len(text) > MAX_DRAFT:
        raise InvalidInput(f"The draft has {len(text):,} characters; at most {MAX_DRAFT:,} are kept.")
    text = text.replace("\x00", "")
    with transaction.atomic():
        known = Draft.objects.of(by.workspace).select_for_update().filter(conversation=conversation, author=by).first()
        prepared = prepare_draft(conversation, by, begun)
        template = prepared.template if prepared else ""
        draft, _ = Draft.objects.update_or_create(
            conversation=conversation,
            author=by,
            defaults={
                "workspace": by.workspace,
                "text": text,
                "template": template if begun or known is None else known.template,
                "based_on": newest_inbound(conversation),
                "updated_at": now,
            },
        )
        if bool(text.strip()) is not bool(known and known.text.strip()):
            write_audit(by.workspace, by, "draft.save" if text.strip() else "draft.empty", conversation, now)
    return draft


def propose_draft(by: Membership, conversation: Conversation, *, now: dt.datetime) -> Draft:
    """Ask a lead to read and send the draft: for those who may write but not send."""
    require_conversation(by, conversation, "draft")
    with transaction.atomic():
        draft = Draft.objects.of(by.workspace).filter(conversation=conversation, author=by).first()
        if draft is None or not draft.text.strip():
            raise InvalidInput("Write something first.")
        draft.proposed, draft.updated_at = True, now
        draft.save(update_fields=["proposed", "updated_at"])
        write_audit(by.workspace, by, "draft.propose", conversation, now)
        notify_of_proposal(by, conversation, now=now)
        announce(by.workspace, now, [conversation.pk], [conversation.basket_id])
    return draft


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


def approve(
    by: Membership,
    conversation: Conversation,
    text: str,
    *,
    target: Post,
    channel: Channel,
    version: int,
    despite: Collection[str] = (),
    begun: str = "",
    now: dt.datetime,
) -> Delivery:
    """A person sends exactly this text, to this post, from this account.

    `version`: the version of the conversation that the person looked at. `despite`: rules of the guard that a lead sets
    aside for this reply, on record. `begun`: slug of the prepared reply that they chose to begin from; else what a rule
    chose. Raises `Stale` when somebody spoke since, `GuardRefused` when the guard says no,
    `NotAllowed` and `InvalidInput`.
    """
    require_conversation(by, conversation, "send")
    _check_place(by, conversation, target, channel)
    _check_despite(by, despite)
    text = _check_text(text)
    with transaction.atomic():
        workspace = Workspace.objects.select_for_update().get(pk=by.workspace_id)
        row = Conversation.objects.of(workspace).select_for_update().get(pk=conversation.pk)
        if row.version != version:
            raise Stale("Somebody spoke here since you looked. Read what is new, then send again.")
        reply = reply_of(channel, target, text, by)
        verdict = check(reply, read_guard_facts(reply, row, target, channel, workspace, despite, now), Policy(), now)
        if verdict.standing == "refuse":
            raise GuardRefused(verdict)
        approval = _write_approval(by, row, reply, target, channel, verdict, despite, begun, now)
        delivery = _queue(approval, verdict, now)
        _note_draft(by, row, approval, begun, now)
        notify_of_sent_drafts(by, row, text, now=now)
        Draft.objects.of(workspace).filter(conversation=row).filter(Q(author=by) | Q(proposed=True)).delete()
        Conversation.objects.filter(pk=row.pk).update(version=F("version") + 1, touched_at=now)
        if row.assignee_id is None:
            Conversation.objects.filter(pk=row.pk).update(assignee=by)
        write_audit(workspace, by, "reply.approve", approval, now, conversation=row.pk, digest=approval.digest)
        announce(workspace, now, [row.pk], [row.basket_id])
    return delivery


def _note_draft(by: Membership, conversation: Conversation, approval: Approval, begun: str, now: dt.datetime) -> None:
    """Whether the prepared reply that a rule chose was of no use to the person who answered."""
    chosen = conversation.draft_slug
    if not chosen or not approval.drafted:
        return
    if begun and begun != chosen:
        note_override(by, conversation, "draft", chosen, begun, now=now)
    elif is_thrown_away(approval.drafted, approval.text):
        note_override(by, conversation, "draft", chosen, "", now=now)


def _check_text(text: str) -> str:
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


def _check_despite(by: Membership, despite: Collection[str]) -> None:
    if not despite:
        return
    if not by.may("configure"):
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
    begun: str,
    now: dt.datetime,
) -> Approval:
    last = Approval.objects.of(by.workspace_id).order_by("-sequence").first()
    prepared = prepare_draft(conversation, by, begun)
    approval = Approval(
        workspace=by.workspace, conversation=conversation, channel=channel, target=target, person=by,
        text=reply.text, visibility=reply.visibility, to=list(reply.to), digest=reply.digest,
        verdict=msgspec.json.encode(verdict).decode(), despite=sorted(despite),
        drafted=prepared.text if prepared else "", template=prepared.template if prepared else "",
        approved_at=now, sequence=last.sequence + 1 if last else 1,
    )  # fmt: skip
    approval.chain = chain_hash(last.chain if last else "", approval)
    approval.save()
    return approval


def chain_hash(previous: str, approval: Approval) -> str:
    """SHA-256 over the entry before and everything that this one says; a changed or missing entry breaks the chain."""
    who = str(approval.person_id)
    if approval.machine:
        who = f"{approval.machine} on the standing word of {approval.standing_word_id}"
    parts = [
        previous, str(approval.workspace_id), str(approval.sequence), approval.digest, who,
        str(approval.target_id), str(approval.channel_id), approval.approved_at.astimezone(dt.UTC).isoformat(),
    ]  # fmt: skip
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _queue(approval: Approval, verdict: Verdict, now: dt.datetime) -> Delivery:
    held = verdict.standing == "hold" and verdict.retry_at is None
    return Delivery.objects.create(
        workspace_id=approval.workspace_id,
        approval=approval,
        channel_id=approval.channel_id,
        conversation_id=approval.conversation_id,
        state=Delivery.State.HELD if held else Delivery.State.QUEUED,
        cause=describe(verdict) if verdict.standing == "hold" else "",
        idempotency_key=uuid.uuid4().hex,
        next_try_at=verdict.retry_at or now,
        queued_at=now,
    )


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


def retry_delivery(by: Membership, delivery: Delivery, *, despite: Collection[str] = (), now: dt.datetime) -> Delivery:
    """Put a held or failed reply back into the queue; the guard looks at it again before it leaves."""
    _check_despite(by, despite)
    if despite:
        approval = delivery.approval
        approval.despite = sorted({*approval.despite, *despite})
        approval.save(update_fields=["despite"])
    return _decide(by, delivery, Delivery.State.QUEUED, "delivery.retry", "", now)


def _decide(by: Membership, delivery: Delivery, state: str, verb: str, cause: str, now: dt.datetime) -> Delivery:
    require_conversation(by, delivery.conversation, "send")
    possible = [source for source, targets in Delivery.MOVES.items() if state in targets]
    possible = [source for source in possible if source not in {"sending", "unconfirmed"}]
    with transaction.atomic():
        changed = Delivery.objects.of(by.workspace).filter(pk=delivery.pk, state__in=possible).update(
            state=state, cause=cause, next_try_at=now, pushed_at=None, claimed_by="", lease_until=None
        )  # fmt: skip
        if not changed:
            raise InvalidInput("This reply is on its way or settled already; look at its state again.")
        write_audit(by.workspace, by, verb, delivery, now)
        announce(by.workspace, now, [delivery.conversation_id])
    delivery.refresh_from_db()
    return delivery


# ---------------------------------------------------------------- the one switch


def hold_everything(by: Membership, reason: str, *, now: dt.datetime) -> Workspace:
    """Stop every queue of the workspace at once; nothing goes out until `release_hold`."""
    require(by, "hold")
    workspace = by.workspace
    with transaction.atomic():
        workspace.held_at, workspace.hold_reason = now, reason.strip()[:300] or "Held by hand"
        workspace.save(update_fields=["held_at", "hold_reason"])
        write_audit(workspace, by, "workspace.hold", workspace, now, reason=workspace.hold_reason)
        announce(workspace, now, kind="config")
    return workspace


def release_hold(by: Membership, *, now: dt.datetime) -> Workspace:
    """Let the queues run again; what the hold stopped goes back into them."""
    require(by, "hold")
    workspace = by.workspace
    with transaction.atomic():
        workspace.held_at, workspace.hold_reason = None, ""
        workspace.save(update_fields=["held_at", "hold_reason"])
        requeue_held(workspace, rule="crisis-hold", now=now)
        write_audit(workspace, by, "workspace.release", workspace, now)
        announce(workspace, now, kind="config")
    return workspace
