"""The ledger of approvals: every entry hangs on the one before it, so that none can be changed or taken out unseen.

Two forms of an entry. The first (`form` null) is of before other acts than replies were known: its hash covers the
text, target and account (`digest`), who and when. The second covers everything that was decided: what kind of act it
is, the guard's verdict and the rules that were set aside, the conversation, the machine's draft that it began from,
who asked for it, images and parts. Both are read for as long as there are ledgers.

An erased entry has no word of or to a person left, and none of their rows. What its hash covered of these stands in
`verdict` instead (`Sealed`): the digest of the words, and the numbers that rows had which are gone. So the chain still
computes. That it was blanked, and no hand did it, is said by a later entry of kind "erase", which names it with its
hash (`append_erasure`).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Sequence

import msgspec

from rapport.actions.audit import write_audit
from rapport.core.parts import whole
from rapport.core.reply import Reply
from rapport.core.voice_index import sketch
from rapport.store.models import Approval, Delivery, Membership, Workspace
from rapport.store.queries.acts import KINDS, act_of

FORM = 2
#: the verbs of the audit that tell of an entry: what the chain is held against
VERBS = (
    "reply.approve", "reply.acknowledge", "reply.settle", "reply.let_through", "reply.handover", "act.approve",
    "person.erase",
)  # fmt: skip
_VERB_OF = {"settle": "reply.settle", "release": "reply.let_through", "handover": "reply.handover"}


def chain_hash(previous: str, approval: Approval) -> str:
    """SHA-256 over the entry before and what this one says, in the form that it was written in."""
    who = str(approval.person_id)
    if approval.machine:
        who = f"{approval.machine} on the standing word of {approval.standing_word_id}"
    about = sealed_of(approval) if approval.erased_at else seal(approval)
    parts = [
        previous, str(approval.workspace_id), str(approval.sequence), approval.digest, who,
        str(about.target), str(approval.channel_id), approval.approved_at.astimezone(dt.UTC).isoformat(),
    ]  # fmt: skip
    if approval.form is not None:
        parts.append(_second_form(approval, about))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _second_form(approval: Approval, about: Sealed) -> str:
    return _canonical(
        {
            "form": approval.form,
            "kind": approval.act,
            "conversation": about.conversation,
            "handle": about.handle,
            "subject": approval.subject_id,
            "asked_by": approval.asked_by_id,
            "despite": approval.despite,
            "words": about.sealed,
        }
    )


def _canonical(said: dict[str, object]) -> str:
    return json.dumps(said, sort_keys=True, ensure_ascii=True, separators=(",", ":"))


# ------------------------------------------------------------------ erasure


class Sealed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the chain covers of an entry and an erasure takes away; kept in `verdict` of an erased one."""

    #: SHA-256 of the words that `digest` does not cover; "" in the first form, which covers none of them
    sealed: str = ""
    #: row ids as they were when it was written
    target: int | None = None
    conversation: int | None = None
    handle: int | None = None


def seal(approval: Approval) -> Sealed:
    """Of an entry that still has its words."""
    if approval.form is None:
        return Sealed(target=approval.target_id)
    words = {
        "verdict": approval.verdict,
        "drafted": approval.drafted,
        "template": approval.template,
        "media": approval.media,
        "parts": approval.parts,
    }
    digest = hashlib.sha256(_canonical(words).encode()).hexdigest()
    return Sealed(digest, approval.target_id, approval.conversation_id, approval.handle_id)


def sealed_of(approval: Approval) -> Sealed:
    """Of an entry that was erased; an empty one where somebody changed what stands there."""
    try:
        return msgspec.json.decode(approval.verdict, type=Sealed)
    except msgspec.DecodeError:
        return Sealed()


#: what an erased entry has in these fields
BLANK: dict[str, object] = {
    "text": "", "to": [], "drafted": "", "template": "", "media": None, "parts": None, "fingerprint": None,
    "target_id": None, "conversation_id": None, "handle_id": None,
}  # fmt: skip


def blank(approval: Approval, now: dt.datetime) -> None:
    """Take the words out of an entry, and the rows that it points at. The caller tells of it: `append_erasure`."""
    approval.verdict = msgspec.json.encode(seal(approval)).decode()
    approval.erased_at = now
    for name, value in BLANK.items():
        setattr(approval, name, value)
    approval.save(update_fields=["verdict", "erased_at", *BLANK])


def append_erasure(by: Membership, rows: Sequence[Approval], *, now: dt.datetime) -> Approval:
    """Blank these entries and say so in the chain, in one entry on the word of `by`.

    The caller holds a transaction and the lock of the workspace's row. `rows`: at least one, none erased before, none
    of kind "erase"; all have a channel, and the new entry stands under that of the first.
    """
    told = [[row.sequence, row.chain] for row in rows]
    for row in rows:
        blank(row, now)
    text = json.dumps({"erased": told}, separators=(",", ":"))
    entry = append(
        Approval(
            workspace_id=by.workspace_id, channel_id=rows[0].channel_id, person=by, kind=Approval.Kind.ERASE, text=text,
            digest=act_digest("erase", rows[0].channel_id, None, "", text), approved_at=now,
        )
    )  # fmt: skip
    write_audit(by.workspace_id, by, "person.erase", entry, now, digest=entry.digest, entries=len(rows))
    return entry


def erased_by(entry: Approval) -> list[tuple[int, str]]:
    """(sequence, chain) of what an entry of kind "erase" says it blanked; nothing where it cannot be read."""
    try:
        told = msgspec.json.decode(entry.text, type=dict[str, list[tuple[int, str]]])
    except msgspec.DecodeError:
        return []
    return told.get("erased", [])


# ------------------------------------------------------------------ what is written


def act_digest(kind: str, channel: int, subject: int | None, target: str, text: str) -> str:
    """SHA-256 over an entry that is no reply: `kind`, account, the delivery it is about, the post, and its words."""
    parts = [kind, str(channel), str(subject or ""), target, text]
    canonical = b"".join(len(raw).to_bytes(8, "big") + raw for raw in (part.encode() for part in parts))
    return hashlib.sha256(canonical).hexdigest()


def append(approval: Approval) -> Approval:
    """Put an entry at the end of its workspace's chain. The caller holds the lock of the workspace's row."""
    last = Approval.objects.of(approval.workspace_id).order_by("-sequence").first()
    approval.sequence, approval.form = (last.sequence + 1 if last else 1), FORM
    if approval.act in ("reply", "edit", "post"):
        # a look-up that the chain does not cover
        approval.fingerprint = sketch(whole(approval.parts or (), approval.text))
    approval.chain = chain_hash(last.chain if last else "", approval)
    approval.save()
    return approval


def append_decision(by: Membership, delivery: Delivery, kind: str, text: str, *, now: dt.datetime) -> Approval:
    """What a person decided about a reply that is approved already: `kind` of "settle", "release" or "handover"."""
    workspace = Workspace.objects.select_for_update(no_key=True).get(pk=by.workspace_id)
    about = delivery.approval
    target = about.target if kind == "handover" else None
    entry = append(
        Approval(
            workspace=workspace, conversation_id=delivery.conversation_id, channel_id=delivery.channel_id,
            target=target, person=by, kind=kind, subject=delivery, text=text, visibility=about.visibility,
            digest=act_digest(kind, delivery.channel_id, delivery.pk, target.external_id if target else "", text),
            approved_at=now,
        )
    )  # fmt: skip
    write_audit(
        workspace, by, _VERB_OF[kind], entry, now, conversation=delivery.conversation_id, delivery=delivery.pk,
        digest=entry.digest,
    )  # fmt: skip
    return entry


def digest_now(approval: Approval, reply: Reply | None) -> str:
    """The digest of this entry by the rows as they are; `reply`: as it would go out, for an entry that is one."""
    if reply is not None:
        return reply.digest
    if approval.kind in KINDS:
        return act_of(approval).digest
    target = approval.target.external_id if approval.target else ""
    return act_digest(approval.act, approval.channel_id, approval.subject_id, target, approval.text)
