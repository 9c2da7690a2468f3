"""The ledger as it is read: entries with who, what and when, and what became of each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator

import msgspec

from rapport.core.reply import Verdict
from rapport.store.models import Approval, Delivery, Membership, Workspace
from rapport.store.models.scoped import ScopedQuerySet
from rapport.store.queries.desk import visible_conversations

#: entries of one page
PAGE = 50
_RELATED = (
    "person__user", "asked_by__user", "standing_word__user", "channel", "target", "handle", "subject__approval",
    "delivery", "conversation__person",
)  # fmt: skip


class LedgerEntry(msgspec.Struct, frozen=True):
    """One entry of the ledger: who approved what, when, and what became of it."""

    #: its place in the chain, from 1
    sequence: int
    at: dt.datetime
    #: reply, post, like, unlike, boost, unboost, follow, unfollow, delete, edit, handover, settle, release or erase
    kind: str
    #: who read and approved it; of a machine's word the admin whose standing word allowed it
    who: str
    #: "acknowledgement" for a machine's word, else empty
    machine: str
    #: the author of the words, where somebody else approved them
    asked_by: str
    network: str
    #: slug of the account that spoke
    channel: str
    conversation: int | None
    #: id on the network of the post that is answered, liked or shared on
    target: str
    #: the entry that is edited, deleted, settled or let out
    about: int | None
    #: the account that is followed
    handle: str
    to: tuple[str, ...]
    text: str
    #: the texts of a thread of several posts
    parts: tuple[str, ...]
    #: images that go with it
    images: int
    #: the guard's word at the approval: allow, hold or refuse
    verdict: str
    #: rules of the guard that had something to say
    rules: tuple[str, ...]
    #: rules that were set aside
    despite: tuple[str, ...]
    #: state of its delivery; null where nothing leaves
    state: str | None
    sent_at: dt.datetime | None
    #: id and address of what came of it on the network
    external_id: str
    url: str
    #: SHA-256 of what was approved, and of this entry with the one before it
    digest: str
    chain: str
    #: its words were taken away with a person's then
    erased_at: dt.datetime | None


class Wanted(msgspec.Struct, frozen=True):
    """What is asked for; None and "" = everything."""

    kind: str = ""
    #: membership id
    who: int | None = None
    network: str = ""
    since: dt.datetime | None = None
    #: exclusive
    until: dt.datetime | None = None
    entry: int | None = None


def entries(workspace: Workspace, wanted: Wanted) -> ScopedQuerySet[Approval]:
    """Newest first, with all that `told` reads."""
    rows = Approval.objects.of(workspace)
    if wanted.kind:
        rows = rows.filter(kind=None if wanted.kind == "reply" else wanted.kind)
    if wanted.who is not None:
        rows = rows.filter(person=wanted.who)
    if wanted.network:
        rows = rows.filter(channel__network=wanted.network)
    if wanted.since is not None:
        rows = rows.filter(approved_at__gte=wanted.since)
    if wanted.until is not None:
        rows = rows.filter(approved_at__lt=wanted.until)
    if wanted.entry is not None:
        rows = rows.filter(sequence=wanted.entry)
    return rows.select_related(*_RELATED).order_by("-sequence")


def told(row: Approval) -> LedgerEntry:
    """One row, read together with `_RELATED`."""
    delivery: Delivery | None = getattr(row, "delivery", None)
    verdict = _verdict(row)
    return LedgerEntry(
        sequence=row.sequence,
        at=row.approved_at,
        kind=row.act,
        who=str(row.person or row.standing_word or ""),
        machine=row.machine or "",
        asked_by=str(row.asked_by or ""),
        network=row.channel.network,
        channel=row.channel.slug,
        conversation=row.conversation_id,
        target=row.target.external_id if row.target else "",
        about=row.subject.approval.sequence if row.subject else None,
        handle=row.handle.handle if row.handle else "",
        to=tuple(map(str, row.to)),
        text=row.text,
        parts=tuple(map(str, row.parts or ())),
        images=len(row.media or ()),
        verdict=verdict.standing if verdict else "",
        rules=tuple(dict.fromkeys(each.rule for each in verdict.findings)) if verdict else (),
        despite=tuple(map(str, row.despite)),
        state=delivery.state if delivery else None,
        sent_at=delivery.sent_at if delivery else None,
        external_id=delivery.external_id if delivery else "",
        url=delivery.url if delivery else "",
        digest=row.digest,
        chain=row.chain,
        erased_at=row.erased_at,
    )


def _verdict(row: Approval) -> Verdict | None:
    """The guard's word; None where it cannot be read: of an erased entry a seal stands there."""
    if row.erased_at is not None or row.verdict == "{}":
        return None
    try:
        return msgspec.json.decode(row.verdict, type=Verdict)
    except msgspec.MsgspecError:
        return None


#: the columns of an export, in their order
COLUMNS = LedgerEntry.__struct_fields__


def cells(entry: LedgerEntry) -> Iterator[object]:
    """An entry as one row of a table."""
    for name in COLUMNS:
        value = getattr(entry, name)
        if isinstance(value, tuple):
            yield " | ".join(value)
        elif isinstance(value, dt.datetime):
            yield value.astimezone(dt.UTC).isoformat(timespec="seconds")
        else:
            yield value


def in_turn(rows: ScopedQuerySet[Approval], step: int = 500) -> Iterator[LedgerEntry]:
    """All of them, oldest first, however many: read some at a time by their place in the chain."""
    last = 0
    while found := list(rows.filter(sequence__gt=last).order_by("sequence")[:step]):
        yield from map(told, found)
        last = found[-1].sequence


# ------------------------------------------------------------------ deliveries


class DeliveryLine(msgspec.Struct, frozen=True):
    """The way of one approved reply or act to its network."""

    id: int
    #: the entry of the ledger that approved it
    entry: int
    kind: str
    conversation: int | None
    network: str
    #: slug of the account
    channel: str
    #: queued, sending, sent, unconfirmed, failed, held or cancelled
    state: str
    #: why it is where it is, with the remedy
    cause: str
    #: the rule of the guard that holds it
    held_by: str
    queued_at: dt.datetime
    #: when it is tried next, where it is queued
    next_try_at: dt.datetime | None
    sent_at: dt.datetime | None
    attempts: int
    external_id: str
    url: str
    text: str
    who: str


def deliveries(member: Membership, state: str = "") -> ScopedQuerySet[Delivery]:
    """Those of conversations that the member sees, newest first."""
    rows = Delivery.objects.of(member.workspace_id).filter(conversation__in=visible_conversations(member))
    rows = rows.filter(state=state) if state else rows
    return rows.select_related("approval__person__user", "approval__standing_word__user", "channel").order_by("-pk")


def lines(rows: Iterable[Delivery]) -> tuple[DeliveryLine, ...]:
    """Deliveries, read together with their approvals and accounts."""
    return tuple(
        DeliveryLine(
            id=row.pk, entry=row.approval.sequence, kind=row.approval.act, conversation=row.conversation_id,
            network=row.channel.network, channel=row.channel.slug, state=row.state, cause=row.cause,
            held_by=row.held_by or "", queued_at=row.queued_at,
            next_try_at=row.next_try_at if row.state == Delivery.State.QUEUED else None, sent_at=row.sent_at,
            attempts=row.attempts, external_id=row.external_id, url=row.url, text=row.approval.text,
            who=str(row.approval.person or row.approval.standing_word or ""),
        )
        for row in rows
    )  # fmt: skip
