"""Posts of our own, from the first word to the approval: what we say to nobody in particular.

Each account that says it is one approval of one person, an entry of the ledger and a delivery, which the sender takes
to its network as it does replies. Nothing leaves without `send_post`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence

import msgspec
from django.db import transaction

from rapport.actions.attachments import remove_files, send_with_post
from rapport.actions.audit import announce, require, write_audit
from rapport.actions.ledger import append
from rapport.actions.notices import notify
from rapport.actions.outbound import check_despite, check_text, queue
from rapport.actions.post_sheet import (
    asked_for_post,
    entry_of,
    images_of,
    judge_entry,
    network_of,
    said_by,
    ways_of,
)
from rapport.core.approvals import may_approve
from rapport.core.errors import GuardRefused, InvalidInput, NotAllowed, Stale
from rapport.core.notice_text import write_notice
from rapport.networks.base import Account
from rapport.store.models import Channel, Delivery, Membership, PostDraft, Workspace
from rapport.store.queries.acts import act_of
from rapport.store.queries.notices import leads_of

MAX_TEXT = 50_000  # characters
#: posts of our own that one person has in the making
MOST_DRAFTS = 50


class Typed(msgspec.Struct, frozen=True):
    """What stands in the form."""

    text: str = ""
    #: the accounts that shall say it, each with its place as it was entered
    ways: Sequence[tuple[Channel, str]] = ()
    visibility: str = "public"
    #: the name of the author stands below it
    signed: bool = False


def save_post(
    by: Membership, draft: PostDraft | None, typed: Typed, *, version: int | None = None, now: dt.datetime
) -> PostDraft:
    """Keep what is being written; None: a new one. Whoever may send may change what waits for their word.

    The pages call this at every pause in typing: the audit has a row when the draft comes into being. `version`: of the
    draft that they began from; raises `Stale` where other words stand by now.
    """
    require(by, "draft")
    text = typed.text.replace("\x00", "").replace("\r\n", "\n")
    if len(text) > MAX_TEXT:
        raise InvalidInput(f"The draft has {len(text):,} characters; at most {MAX_TEXT:,} are kept.")
    if any(channel.workspace_id != by.workspace_id for channel, _ in typed.ways):
        raise NotAllowed("This account belongs to another workspace.")
    written: dict[str, object] = {
        "text": text, "visibility": typed.visibility[:16], "signed": typed.signed,
        "channels": [{"channel": channel.pk, "place": place.strip()[:500]} for channel, place in typed.ways],
    }  # fmt: skip
    with transaction.atomic():
        if draft is None:
            if PostDraft.objects.of(by.workspace).filter(author=by).count() >= MOST_DRAFTS:
                raise InvalidInput(f"You have {MOST_DRAFTS} posts in the making: delete one that you do not need.")
            draft = PostDraft.objects.create(workspace=by.workspace, author=by, updated_at=now, **written)
            write_audit(by.workspace, by, "post_draft.make", draft, now)
            return draft
        row = _lock(by, draft)
        if any(getattr(row, name) != value for name, value in written.items()):
            if version is not None and version != row.version:
                raise Stale("A colleague changed these words meanwhile; theirs stand.")
            for name, value in written.items():
                setattr(row, name, value)
            row.version, row.updated_at = row.version + 1, now
            row.save()
    return row


def drop_post(by: Membership, draft: PostDraft, *, now: dt.datetime) -> None:
    """Throw one's own away, with its images."""
    require(by, "draft")
    with transaction.atomic():
        row = _lock(by, draft)
        if row.author_id != by.pk:
            raise NotAllowed("These are the words of a colleague: give them back instead.")
        remove_files(row.images.filter(approval__isnull=True))
        write_audit(by.workspace, by, "post_draft.delete", row, now)
        row.delete()


def propose_post(by: Membership, draft: PostDraft, *, now: dt.datetime) -> PostDraft:
    """Ask somebody who may send it to read it and to give their word."""
    require(by, "draft")
    with transaction.atomic():
        row = _lock(by, draft)
        if row.author_id != by.pk:
            raise NotAllowed("These are the words of a colleague.")
        if not row.text.strip():
            raise InvalidInput("Write something first.")
        if not row.channels:
            raise InvalidInput("Choose the accounts that shall say it.")
        row.proposed, row.returned, row.version, row.updated_at = True, "", row.version + 1, now
        row.save(update_fields=["proposed", "returned", "version", "updated_at"])
        write_audit(by.workspace, by, "post_draft.propose", row, now)
        text = write_notice("asks-post", by=str(by), text=row.text[:80])
        told = leads_of(by.workspace_id, None)
        notify(by.workspace, told, "proposal", bundle=f"post:{row.pk}", text=text, by=by, now=now)
        announce(by.workspace, now, kind="config")
    return row


def return_post(by: Membership, draft: PostDraft, reason: str, *, now: dt.datetime) -> PostDraft:
    """Give what waits for approval back to its author, who reads why."""
    require(by, "send")
    reason = " ".join(reason.split())[:300]
    if not reason:
        raise InvalidInput("Say what should be different.")
    with transaction.atomic():
        row = _lock(by, draft)
        if not row.proposed:
            raise InvalidInput("This waits for nobody's word any more.")
        row.proposed, row.returned, row.version, row.updated_at = False, reason, row.version + 1, now
        row.save(update_fields=["proposed", "returned", "version", "updated_at"])
        write_audit(by.workspace, by, "post_draft.return", row, now, reason=reason)
        _tell_author(by, row, "returned", reason, now)
        announce(by.workspace, now, kind="config")
    return row


def send_post(
    by: Membership, draft: PostDraft, *, version: int, despite: Collection[str] = (), now: dt.datetime
) -> list[Delivery]:
    """A person says exactly this from each of its accounts: one approval and one delivery for each, or none at all.

    `version`: of the draft that the person has read. Raises `Stale` where it changed since, `GuardRefused` where the
    guard says no to one of them, `NotAllowed` and `InvalidInput`.
    """
    require(by, "send")
    check_despite(by, despite)
    with transaction.atomic():
        workspace = Workspace.objects.select_for_update(no_key=True).get(pk=by.workspace_id)
        row = _lock(by, draft)
        if row.version != version:
            raise Stale("A colleague has changed these words since you looked. Read them, then send again.")
        row.text = check_text(row.text)
        ways, images = ways_of(row), images_of(row)
        if not ways:
            raise InvalidInput("Choose the accounts that shall say it.")
        deliveries = []
        for number, (channel, entered) in enumerate(ways):
            _check_word(by, row, channel)
            channel.workspace = workspace
            entry = entry_of(row, by, channel, read_place(channel, entered), images, despite, now)
            verdict = judge_entry(entry, images, now)
            if verdict.standing == "refuse":
                raise GuardRefused(verdict)
            entry.digest = act_of(entry).digest
            entry.verdict = msgspec.json.encode(verdict).decode()
            append(entry)
            send_with_post(entry, images, copies=number + 1 < len(ways))
            deliveries.append(queue(entry, verdict, now))
            write_audit(workspace, by, "act.approve", entry, now, kind="post", digest=entry.digest)
        if row.author_id != by.pk:
            _tell_author(by, row, "sent-post", "", now)
        row.delete()
        announce(workspace, now, kind="config")
    return deliveries


def read_place(channel: Channel, entered: str) -> str:
    """What a person entered as the place on this account, as the network knows it. Raises `InvalidInput`."""
    account = Account(
        channel=channel.pk, server=channel.server, handle=channel.handle, account_id=channel.external_id, token="",
        settings=channel.settings,
    )  # fmt: skip
    return network_of(channel).place_of_post(account, entered)


def _check_word(by: Membership, draft: PostDraft, channel: Channel) -> None:
    """Whether the word of `by` is enough for it on this account. Raises `InvalidInput` that says whose is."""
    rule, own = asked_for_post(draft.author, channel), draft.author_id == by.pk
    if may_approve(rule, by.role, own_words=own):
        return
    who = "an admin" if rule is not None and rule.approver == "admin" else "a lead"
    if own:
        raise InvalidInput(f"What you write here needs the word of {who} too. Ask for it; your words are kept.")
    raise InvalidInput(f"What {draft.author} wrote here is approved by {who}.")


def _tell_author(by: Membership, draft: PostDraft, said: str, reason: str, now: dt.datetime) -> None:
    text = write_notice(said, by=str(by), reason=reason, text=said_by(draft)[:80])
    notify(by.workspace, [draft.author], "answer", bundle=f"post:{draft.pk}", text=text, by=by, now=now)


def _lock(by: Membership, draft: PostDraft) -> PostDraft:
    """The row, locked. Raises `NotAllowed` where it is not theirs to touch, `InvalidInput` where it is gone."""
    if draft.workspace_id != by.workspace_id:
        raise NotAllowed("This belongs to another workspace.")
    rows = PostDraft.objects.of(by.workspace).select_for_update(of=("self",)).select_related("author__user")
    row = rows.filter(pk=draft.pk).first()
    if row is None:
        raise InvalidInput("This was sent or deleted meanwhile; look among the posts.")
    if row.author_id != by.pk and not (row.proposed and by.may("send") is True):
        raise NotAllowed("These are the words of a colleague.")
    return row
