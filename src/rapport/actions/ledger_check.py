"""Whether every entry of a ledger is still what was approved, and none is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import msgspec

from rapport.actions.ledger import BLANK, VERBS, Sealed, chain_hash, digest_now, erased_by, sealed_of
from rapport.actions.ledger_heads import Head
from rapport.store.models import Approval, AuditEntry, Workspace
from rapport.store.queries.parts import reply_as_approved

#: entries that are read at a time
STEP = 1000
#: shows how far a walk is, and hands on what it is given
Watch = Callable[[Iterator[Approval]], Iterable[Approval]]


class Finding(NamedTuple):
    """What the ledger of one workspace looks like."""

    workspace: str
    #: approvals that were read: all of them, or those up to the first broken one
    entries: int
    #: the first place that does not fit, None where all do
    sequence: int | None = None
    what: str = ""
    #: those among them whose words an erasure took away
    erased: int = 0

    def __str__(self) -> str:
        if self.sequence is not None:
            return f"{self.workspace}: entry {self.sequence} is broken: {self.what}"
        whole = f"{self.workspace}: {self.entries} approvals, every one as it was approved"
        return f"{whole}; {self.erased} of them erased." if self.erased else f"{whole}."


def verify(workspace: Workspace, watch: Watch = lambda rows: rows, heads: Iterable[Head] = ()) -> Finding:
    """Walk the chain from its first entry to the last that the audit knows of.

    `heads`: those that were kept outside of the database (`ledger_heads`), of any workspace: each must still stand.
    """
    kept: dict[int, set[str]] = {}
    for head in heads:
        if head.id == workspace.pk:
            kept.setdefault(head.sequence, set()).add(head.chain)
    rows = Approval.objects.of(workspace).select_related("target__handle", "channel", "person").order_by("sequence")
    previous, place = "", 0
    #: erased so far -> its hash and when; what an entry of an erasure names is taken out
    blanked: dict[int, Approval] = {}
    erased = 0
    for place, approval in enumerate(watch(rows.iterator(chunk_size=STEP)), 1):
        if approval.sequence != place:
            return Finding(workspace.slug, place - 1, place, f"it is missing; the next one is {approval.sequence}.")
        if what := _differs(approval) or _is_foreign(previous, approval, kept.pop(place, None)):
            return Finding(workspace.slug, place, place, what)
        if approval.erased_at is not None:
            blanked[place] = approval
            erased += 1
        elif approval.kind == Approval.Kind.ERASE and (wrong := _account_for(approval, blanked)):
            return Finding(workspace.slug, place, *wrong)
        previous = approval.chain
    if blanked:
        return Finding(workspace.slug, place, min(blanked), "its words are gone, and no erasure tells of it.")
    if kept:
        what = f"it is missing; the heads kept outside of the database tell of {max(kept)} entries."
        return Finding(workspace.slug, place, place + 1, what)
    return _end(workspace, place, erased)


def _account_for(entry: Approval, blanked: dict[int, Approval]) -> tuple[int, str] | None:
    """Take what an erasure names out of `blanked`; the first place where it does not fit what stands there."""
    told = erased_by(entry)
    if not told:
        return entry.sequence, "it is an erasure, and names no entry."
    for sequence, chain in told:
        row = blanked.pop(sequence, None)
        if row is None:
            return sequence, f"entry {entry.sequence} says that its words were erased, and it is not so."
        if row.chain != chain or row.erased_at != entry.approved_at:
            return sequence, f"it is not the entry that the erasure in {entry.sequence} names."
    return None


def _differs(approval: Approval) -> str:
    """What is no longer as it was approved; empty when everything is."""
    if approval.erased_at is not None:
        return _is_not_blank(approval)
    reply = None
    if approval.kind is None:
        if approval.target is None:
            return "it answers no post any more, and it was not erased."
        reply = reply_as_approved(approval)
    if digest_now(approval, reply) == approval.digest:
        return ""
    return "its text, target or account is not what was approved (the digest differs)."


def _is_foreign(previous: str, approval: Approval, kept: set[str] | None) -> str:
    """Why it is not the entry that stood in this place; `kept`: hashes that it is known by outside, None = none."""
    if chain_hash(previous, approval) != approval.chain:
        return "it does not follow from the entry before: one of the two was changed, moved or put in."
    if kept is not None and kept != {approval.chain}:
        return "it is not the one that was kept outside of the database: the ledger was made anew."
    return ""


def _is_not_blank(approval: Approval) -> str:
    """What stands in an erased entry that no erasure leaves there."""
    if approval.kind == Approval.Kind.ERASE:
        return "it tells of an erasure and was blanked itself."
    about = sealed_of(approval)
    if approval.form is None and about != Sealed(target=about.target):
        return "it was erased, and something was put into it since."
    if approval.verdict != msgspec.json.encode(about).decode():
        return "it was erased, and what its hash is made of was changed since."
    if any(getattr(approval, name) != value for name, value in BLANK.items()):
        return "it was erased, and something was put into it since."
    return ""


def _end(workspace: Workspace, last: int, erased: int) -> Finding:
    """The chain against the audit, which tells of every approval: the end may be cut off, or the whole made anew."""
    there = {
        str(pk): (sequence, digest)
        for pk, sequence, digest in Approval.objects.of(workspace).values_list("pk", "sequence", "digest")
    }
    told = AuditEntry.objects.of(workspace).filter(verb__in=VERBS).order_by("pk")
    for entry in told.iterator(chunk_size=STEP):
        sequence, digest = there.pop(entry.subject_id, (0, ""))
        if not sequence:
            what = f"it is missing; the audit tells of it on {entry.at:%Y-%m-%d at %H:%M} UTC."
            return Finding(workspace.slug, last, last + 1, what)
        if digest != entry.detail.get("digest"):
            what = f"the audit of {entry.at:%Y-%m-%d at %H:%M} UTC tells of another reply."
            return Finding(workspace.slug, last, sequence, what)
    if there:
        return Finding(workspace.slug, last, min(there.values())[0], "the audit does not tell of it.")
    return Finding(workspace.slug, last, erased=erased)
