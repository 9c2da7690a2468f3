"""Drafts: kept at every pause in typing, shared with colleagues, with their history; what became of each."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from rapport.actions.audit import announce, require_conversation, write_audit
from rapport.actions.notices import notify_of_proposal
from rapport.actions.rule_days import is_thrown_away, note_override
from rapport.core.approvals import may_approve
from rapport.core.draft import distance
from rapport.core.errors import InvalidInput, NotAllowed
from rapport.core.parts import whole
from rapport.store.models import (
    Approval,
    Channel,
    Conversation,
    Draft,
    DraftSource,
    DraftUse,
    DraftVersion,
    Membership,
    Post,
    PreparedReply,
)
from rapport.store.queries.approval_rules import asked_for
from rapport.store.queries.drafts import Offered, is_unread_here, machine_draft, take_up
from rapport.store.queries.outbound import newest_inbound

MAX_DRAFT = 50_000  # characters
#: words that stood this long are kept when others take their place
STOOD = dt.timedelta(minutes=1)
#: and so are words of which this share goes at once
MUCH = 0.5
#: earlier words of one draft that are kept, and for how long
MOST_VERSIONS = 30
KEPT = dt.timedelta(days=90)


def save_draft(by: Membership, conversation: Conversation, text: str, *, begun: str = "", now: dt.datetime) -> Draft:
    """Keep what somebody is writing. One draft a person and conversation; an empty text clears it.

    `begun`: what they chose to begin from (`store.queries.drafts.Offered.begun`); else what the machine had put there,
    or what they began from before. The pages call this at every pause in typing: the audit has one row when the draft
    comes into being and one when it is emptied, none for the steps between.
    """
    require_conversation(by, conversation, "draft")
    if len(text) > MAX_DRAFT:
        raise InvalidInput(f"The draft has {len(text):,} characters; at most {MAX_DRAFT:,} are kept.")
    text = text.replace("\x00", "")
    with transaction.atomic():
        known = Draft.objects.of(by.workspace).select_for_update().filter(conversation=conversation, author=by).first()
        written: dict[str, object] = {
            "workspace": by.workspace, "text": text, "based_on": newest_inbound(conversation), "updated_at": now,
        }  # fmt: skip
        if begun or known is None:
            written |= _begun_from(take_up(conversation, by, begun))
        if known is not None:
            _keep_version(known, text, now)
        draft, _ = Draft.objects.update_or_create(conversation=conversation, author=by, defaults=written)
        if bool(text.strip()) is not bool(known and known.text.strip()):
            write_audit(by.workspace, by, "draft.save" if text.strip() else "draft.empty", conversation, now)
            if draft.shared:
                announce(by.workspace, now, [conversation.pk], [conversation.basket_id])
    return draft


def _begun_from(offered: Offered | None) -> dict[str, object]:
    if offered is None:
        return {"source": DraftSource.OWN, "origin": None, "template": "", "model": None, "confirmed_at": None}
    is_reply = offered.source in {DraftSource.RULE, DraftSource.SNIPPET}
    return {
        "source": offered.source, "origin": offered.text, "template": offered.name if is_reply else "",
        "model": offered.model[:64] or None, "confirmed_at": None,
    }  # fmt: skip


def _keep_version(known: Draft, text: str, now: dt.datetime) -> None:
    """Keep the words that stood there, where they stood for a while or most of them go."""
    if not known.text.strip() or " ".join(known.text.split()) == " ".join(text.split()):
        return
    rows = DraftVersion.objects.of(known.workspace_id).filter(conversation=known.conversation_id, author=known.author)
    newest = rows.order_by("-pk").first()
    stood = now - (newest.at if newest else known.updated_at) >= STOOD or newest is None
    if not stood and distance(known.text, text) < MUCH:
        return
    if newest is not None and newest.text == known.text:
        return
    DraftVersion.objects.create(
        workspace_id=known.workspace_id, conversation_id=known.conversation_id, author=known.author, text=known.text,
        source=known.source or DraftSource.OWN, at=now,
    )  # fmt: skip
    old = list(rows.order_by("-pk").values_list("pk", flat=True)[MOST_VERSIONS : MOST_VERSIONS + 10])
    DraftVersion.objects.filter(pk__in=old).delete()


def restore_draft(by: Membership, conversation: Conversation, version: DraftVersion, *, now: dt.datetime) -> Draft:
    """Put earlier words of one's own back; those that stand there now are kept beside them."""
    require_conversation(by, conversation, "draft")
    if version.conversation_id != conversation.pk or version.author_id != by.pk:
        raise NotAllowed("These are not words of yours in this conversation.")
    with transaction.atomic():
        known = Draft.objects.of(by.workspace).select_for_update().filter(conversation=conversation, author=by).first()
        if known is not None and known.text.strip() and known.text != version.text:
            DraftVersion.objects.create(
                workspace=by.workspace, conversation=conversation, author=by, text=known.text,
                source=known.source or DraftSource.OWN, at=now,
            )  # fmt: skip
        draft, _ = Draft.objects.update_or_create(
            conversation=conversation, author=by,
            defaults={
                "workspace": by.workspace, "text": version.text, "based_on": newest_inbound(conversation),
                "updated_at": now,
            },
        )  # fmt: skip
        write_audit(by.workspace, by, "draft.restore", conversation, now, version=version.pk)
        if draft.shared:
            announce(by.workspace, now, [conversation.pk], [conversation.basket_id])
    return draft


def share_draft(by: Membership, conversation: Conversation, shared: bool, *, now: dt.datetime) -> Draft:
    """Show one's draft to everybody who sees the conversation, or to nobody any more."""
    require_conversation(by, conversation, "draft")
    with transaction.atomic():
        draft = Draft.objects.of(by.workspace).select_for_update().filter(conversation=conversation, author=by).first()
        if draft is None or not draft.text.strip():
            raise InvalidInput("Write something first.")
        if bool(draft.shared) is not shared:
            draft.shared = shared
            draft.save(update_fields=["shared"])
            write_audit(by.workspace, by, "draft.share" if shared else "draft.unshare", conversation, now)
            announce(by.workspace, now, [conversation.pk], [conversation.basket_id])
    return draft


def confirm_draft(by: Membership, conversation: Conversation, text: str, *, now: dt.datetime) -> Draft:
    """Say of a service's words that one has read them and that they stand as they are: `text`, exactly these."""
    require_conversation(by, conversation, "draft")
    written = machine_draft(conversation)
    own = Draft.objects.of(by.workspace).filter(conversation=conversation, author=by, source=DraftSource.SERVICE)
    origins = [each for each in [written.text if written else None, *own.values_list("origin", flat=True)] if each]
    if not any(same_words(text, each) for each in origins):
        raise InvalidInput("These are not the words that the service wrote: there is nothing to confirm.")
    with transaction.atomic():
        draft = save_draft(by, conversation, text, begun="service" if written else "", now=now)
        draft.confirmed_at = now
        draft.save(update_fields=["confirmed_at"])
        write_audit(by.workspace, by, "draft.confirm", conversation, now, model=draft.model or "")
    return draft


def same_words(one: str, other: str) -> bool:
    """Whether two texts are the same to a reader: blanks and line breaks apart."""
    return " ".join(one.split()) == " ".join(other.split())


def propose_draft(by: Membership, conversation: Conversation, *, now: dt.datetime) -> Draft:
    """Ask somebody who may approve it to read and send the draft."""
    require_conversation(by, conversation, "draft")
    with transaction.atomic():
        draft = Draft.objects.of(by.workspace).filter(conversation=conversation, author=by).first()
        if draft is None or not draft.text.strip():
            raise InvalidInput("Write something first.")
        if is_unread_here(conversation, draft.text):
            raise InvalidInput("A service wrote these words: change them, or say that you have read them.")
        draft.proposed, draft.updated_at = True, now
        draft.save(update_fields=["proposed", "updated_at"])
        write_audit(by.workspace, by, "draft.propose", conversation, now)
        notify_of_proposal(by, conversation, now=now)
        announce(by.workspace, now, [conversation.pk], [conversation.basket_id])
    return draft


# ---------------------------------------------------------------- what became of them


#: who approved nearly these words of a colleague: more than this share of them changed, and they are another answer
STILL_THEIRS = 0.5


def author_of(by: Membership, conversation: Conversation, text: str, named: Membership | None) -> Membership:
    """Whose words are approved: of the colleague `named` whose draft waits here, else of one who proposed nearly these,
    else of `by`.
    """
    waiting = Draft.objects.of(by.workspace).filter(conversation=conversation, proposed=True, author__isnull=False)
    rows = list(waiting.exclude(author=by).select_related("author__user"))
    for row in rows:
        if row.author is not None and named is not None and row.author_id == named.pk:
            return row.author
    near = min(rows, key=lambda row: distance(row.text, text), default=None)
    if near is None or near.author is None or distance(near.text, text) > STILL_THEIRS:
        return by
    return near.author


def check_word(
    by: Membership, author: Membership, conversation: Conversation, channel: Channel, target: Post, text: str
) -> None:
    """Whether the word of `by` is enough for what `author` wrote. Raises `InvalidInput` that says whose is."""
    rule = asked_for(author, conversation, channel, target)
    if rule is None:
        return
    own = author.pk == by.pk
    if not own and rule.four_eyes:
        row = Draft.objects.of(by.workspace).filter(conversation=conversation, author=author, proposed=True).first()
        if row is not None and distance(row.text, text) > STILL_THEIRS:
            raise InvalidInput(
                "You changed most of it, so these are your words: somebody else has to approve them. "
                "Give the draft back, or change less."
            )
    if may_approve(rule, by.role, own_words=own):
        return
    who = "an admin" if rule.approver == "admin" else "a lead"
    if own:
        raise InvalidInput(f"What you write here needs the word of {who} too. Ask for it; your words are kept.")
    raise InvalidInput(f"What {author} wrote here is approved by {who}.")


def began_from(by: Membership, conversation: Conversation, begun: str, author: Membership) -> Draft:
    """The draft that an answer was made of, as `author` kept it; one that is not stored where they kept none."""
    kept = Draft.objects.of(by.workspace).filter(conversation=conversation, author=author).first()
    if kept is not None and kept.source and (not begun or author.pk != by.pk):
        return kept
    draft = kept or Draft(workspace=by.workspace, conversation=conversation, author=author)
    for name, value in _begun_from(take_up(conversation, author, begun)).items():
        setattr(draft, name, value)
    return draft


def note_use(by: Membership, approval: Approval, begun: Draft, *, now: dt.datetime) -> None:
    """Put down how far the words that were begun from were taken, and which others were not. Within a transaction."""
    conversation = approval.conversation
    if conversation is None:
        return
    rows = []
    if begun.source and begun.source != DraftSource.OWN and begun.origin:
        rows.append(_use(by, approval, begun.source, begun.template or begun.model or "", begun.origin, now))
    written = machine_draft(conversation)
    if written is not None and begun.source != DraftSource.SERVICE:
        rows.append(_use(by, approval, DraftSource.SERVICE, written.model or "", None, now))
    chosen = take_up(conversation, by, conversation.draft_slug) if conversation.draft_slug else None
    if chosen is not None and begun.source != DraftSource.RULE:
        rows.append(_use(by, approval, DraftSource.RULE, chosen.name, None, now))
    DraftUse.objects.bulk_create(rows)
    _note_rule(by, conversation, approval, begun, chosen, now)


def _use(by: Membership, approval: Approval, source: str, name: str, origin: str | None, now: dt.datetime) -> DraftUse:
    """`origin`: the words that were begun from; None = they were offered, and the answer began elsewhere."""
    far = None if origin is None else distance(origin, whole(approval.parts or (), approval.text))
    if origin is None:
        outcome = DraftUse.Outcome.UNUSED
    elif far == 0:
        outcome = DraftUse.Outcome.AS_IS
    else:
        thrown = is_thrown_away(origin, whole(approval.parts or (), approval.text))
        outcome = DraftUse.Outcome.THROWN if thrown else DraftUse.Outcome.EDITED
    return DraftUse(
        workspace_id=approval.workspace_id, conversation=approval.conversation, approval=approval, source=source,
        name=name[:200], by=by, outcome=outcome, distance=far, at=now,
    )  # fmt: skip


def _note_rule(
    by: Membership, conversation: Conversation, approval: Approval, begun: Draft, chosen: Offered | None,
    now: dt.datetime,
) -> None:  # fmt: skip
    """Whether the prepared reply that a rule chose was of no use to the person who answered."""
    if chosen is None:
        return
    if begun.source == DraftSource.RULE:
        if begun.origin and is_thrown_away(begun.origin, whole(approval.parts or (), approval.text)):
            note_override(by, conversation, "draft", conversation.draft_slug, "", now=now)
    elif begun.source == DraftSource.SNIPPET:
        taken = PreparedReply.objects.of(by.workspace).filter(name=begun.template).first()
        name = taken.slug if taken else begun.template
        note_override(by, conversation, "draft", conversation.draft_slug, name, now=now)


def forget_versions(*, now: dt.datetime) -> int:
    """Let go of earlier words that nobody will look for any more; how many. The clock calls it, and it is no deed."""
    return DraftVersion.objects.filter(at__lt=now - KEPT).delete()[0]
