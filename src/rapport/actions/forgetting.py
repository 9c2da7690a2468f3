"""The steps of an erasure: what of a person goes out of which table. `actions.erasure` says when, and for whom.

Each function runs inside the caller's transaction, under the lock of the workspace, and can be done again: what is
gone already is not found a second time. What was done is counted by table in a `Tally`.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

from django.db import connection, transaction
from django.db.models import F, Q, QuerySet

from rapport.actions.attachments import remove_files
from rapport.actions.audit import announce
from rapport.actions.export_files import remove_exports
from rapport.actions.ledger import append_erasure
from rapport.core.traces import Traces, without_words
from rapport.store.models import (
    Acknowledgement,
    Approval,
    Attachment,
    Attempt,
    AuditEntry,
    CampaignPost,
    Conversation,
    Correction,
    Delivery,
    DeliveryPart,
    Draft,
    Handle,
    Membership,
    Notification,
    Offer,
    Outcome,
    Person,
    PersonJob,
    PersonMerge,
    Post,
    RuleDay,
    RuleEffect,
    Task,
    ThreadLink,
    Workspace,
)
from rapport.store.queries.conversations import refresh
from rapport.store.queries.deleted import write_erased
from rapport.store.queries.erasure import HOLDERS, Reach, entries_about, merged_into, model_of, reach
from rapport.store.queries.fingerprints import entries_of, recount
from rapport.store.queries.sql import chunks, update_rows
from rapport.store.queries.threads import Linked

#: pages of an index that are merged before others may write
MERGED = 500
#: entries of the ledger that one entry of an erasure names
TOLD = 200
#: a claim of a sender that ran out so long ago is nobody's any more
LAPSED = dt.timedelta(minutes=10)
_NOT_GONE = (Delivery.State.QUEUED, Delivery.State.HELD, Delivery.State.FAILED, Delivery.State.UNCONFIRMED)


@contextlib.contextmanager
def overwriting() -> Iterator[None]:
    """On SQLite: what is deleted meanwhile is overwritten in the file, and not only marked as free."""
    if connection.vendor != "sqlite":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA secure_delete=ON")
        try:
            yield
        finally:
            cursor.execute("PRAGMA secure_delete=OFF")


def sweep_words(renew: Callable[[], object]) -> None:
    """On SQLite: words that no text has any more go out of the index of the search too, a part at a time.

    The index finds them no longer as soon as their text is gone; its file keeps them until parts are merged.
    `renew` is called after each part.
    """
    if connection.vendor != "sqlite":
        return
    for table in ("store_post", "store_handle", "store_person"):
        pages = -MERGED
        for _ in range(100_000):
            with overwriting(), transaction.atomic(), connection.cursor() as cursor:
                before = connection.connection.total_changes
                cursor.execute(f"INSERT INTO {table}_words({table}_words, rank) VALUES ('merge', %s)", [pages])  # noqa: S608  (our names)
                done = connection.connection.total_changes - before < 2
            renew()
            if done:
                break
            pages = MERGED


class StillLeaving(Exception):
    """A reply to them is leaving the house at this moment: the erasure waits until that is settled."""


class Tally:
    """How many rows went or were emptied, by table."""

    def __init__(self, report: Mapping[str, Mapping[str, int]]) -> None:
        """`report`: what was counted before (`PersonJob.report`)."""
        self.removed: Counter[str] = Counter(report.get("removed", {}))
        self.blanked: Counter[str] = Counter(report.get("blanked", {}))

    def remove(self, told: tuple[int, Mapping[str, int]]) -> None:
        """What `QuerySet.delete` answered."""
        for label, count in told[1].items():
            if count:
                self.removed[label.rpartition(".")[2]] += count

    def blank(self, table: str, count: int) -> None:
        """So many rows were emptied."""
        if count:
            self.blanked[table] += count


def forget_conversations(
    person: Person, handles: Collection[Handle], talks: Collection[int], by: Membership, tally: Tally, now: dt.datetime
) -> None:
    """Everything of theirs in these conversations. Raises `StillLeaving`."""
    found = reach(person, handles, talks)
    forget_reach(person.workspace_id, found, by, tally, now)
    Conversation.objects.of(person.workspace_id).filter(pk__in=found.shared, person=person).update(person=None)


def forget_reach(workspace: int, found: Reach, by: Membership, tally: Tally, now: dt.datetime) -> None:
    """Everything that `found` says. Raises `StillLeaving`."""
    entries = entries_about(found, workspace)
    empty_ledger(entries, by, tally, now)
    # a way to the network without an entry that was found (a settled act in a conversation that goes)
    Delivery.objects.of(workspace).filter(conversation__in=found.theirs).update(conversation=None)
    _forget_texts(workspace, found, tally)
    _forget_posts(workspace, found, tally, now)
    empty_audit(
        workspace,
        {
            "conversation": found.theirs, "post": found.posts, "approval": [row.pk for row in entries],
            "delivery": _ways(entries),
        },
        tally,
    )  # fmt: skip
    _empty_audit_of_others(workspace, found, tally)
    _forget_talks(workspace, found, tally)
    announce(workspace, now, [*found.shared, *found.theirs])


def _ways(entries: Iterable[Approval]) -> list[int]:
    return list(Delivery.objects.filter(approval__in=[row.pk for row in entries]).values_list("pk", flat=True))


# ------------------------------------------------------------------ the ledger


def empty_ledger(entries: Sequence[Approval], by: Membership, tally: Tally, now: dt.datetime) -> None:
    """Blank these entries and say so in the chain; what has not left is taken back. Raises `StillLeaving`."""
    for part in chunks(entries, TOLD):
        ids = [row.pk for row in part]
        ways = Delivery.objects.filter(approval__in=ids)
        rows = list(ways.select_for_update(of=("self",)).only("pk", "state", "lease_until"))
        if any(_is_leaving(row, now) for row in rows):
            raise StillLeaving
        waiting = ways.filter(state__in=[*_NOT_GONE, Delivery.State.SENDING])
        waiting.update(state=Delivery.State.CANCELLED, fence=F("fence") + 1, claimed_by="", lease_until=None)
        ways.update(conversation=None, cause="", external_id="", url="", held_by=None)
        DeliveryPart.objects.filter(delivery__in=rows).update(external_id="", url="")
        Attempt.objects.filter(delivery__in=rows).exclude(detail="").update(detail="")
        tally.remove(forget_attachments(Attachment.objects.filter(approval__in=ids)))
        append_erasure(by, list(part), now=now)
        tally.blank("Approval", len(part))
        tally.blank("Delivery", len(rows))


def _is_leaving(row: Delivery, now: dt.datetime) -> bool:
    held = row.lease_until is None or row.lease_until > now - LAPSED
    return row.state == Delivery.State.SENDING and held


def forget_attachments(rows: Iterable[Attachment]) -> tuple[int, dict[str, int]]:
    """Images with their files."""
    gone = remove_files(rows)
    return gone, {"Attachment": gone}


# ------------------------------------------------------------------ words of others


def _forget_texts(workspace: int, found: Reach, tally: Tally) -> None:
    """What colleagues and machines wrote in conversations in which others speak too, where it is about this person."""
    if not found.shared:
        return
    for holder in HOLDERS:
        if not holder.texts:
            continue
        rows = model_of(holder.table)._default_manager.filter(workspace=workspace, conversation__in=found.shared)
        named = [
            row for row in rows.iterator(chunk_size=500)
            if any(found.traces.are_in(getattr(row, text)) for text in holder.texts)
        ]  # fmt: skip
        if holder.table == "Attachment":
            tally.remove(forget_attachments(row for row in named if isinstance(row, Attachment)))
        elif holder.table == "Task":
            forget_tasks(workspace, Q(pk__in=[row.pk for row in named]), tally)
        elif named:
            tally.remove(model_of(holder.table)._default_manager.filter(pk__in=[row.pk for row in named]).delete())
        empty_audit(workspace, {holder.table.lower(): [row.pk for row in named]}, tally)
    for part in chunks(found.posts, 500):
        tally.remove(RuleEffect.objects.of(workspace).filter(post__in=part).delete())
        tally.remove(Acknowledgement.objects.of(workspace).filter(post__in=part).delete())
        tally.remove(Draft.objects.of(workspace).filter(based_on__in=part).delete())


# ------------------------------------------------------------------ posts


def _forget_posts(workspace: int, found: Reach, tally: Tally, now: dt.datetime) -> None:
    entries = entries_of(found.theirs)
    _end_groups_that_are_dealt_with(workspace, found)
    for part in chunks(found.posts, 500):
        # as if their authors had deleted them: those who said the same come out from behind them
        Post.objects.filter(pk__in=part).update(text="", extra="{}", deleted=True)
        Outcome.objects.filter(post__in=part).delete()
        RuleDay.objects.of(workspace).filter(last_post__in=part).update(last_post=None)
        broken = RuleDay.objects.of(workspace).filter(broken_post__in=part)
        tally.blank("RuleDay", broken.update(broken_post=None, error=""))
    seen = {*found.shared, *_heads(found)}
    _refresh(workspace, found.posts, seen, now)
    forget_rows(workspace, found.posts, found.named, tally, now if found.for_good else None)
    for part in chunks([external for _, external in found.named], 500):
        # what others answered is not there any more; on some networks its id holds that of the account
        others = Post.objects.of(workspace).filter(conversation_id__in=found.shared)
        others.filter(in_reply_to__in=part).update(in_reply_to="")
        others.filter(thread__in=part).update(thread="")
    _refresh_left(workspace, found.shared, now)
    recount([*entries, *found.shared])


def forget_rows(
    workspace: int, posts: Sequence[int], named: Sequence[tuple[str, str]], tally: Tally, now: dt.datetime | None
) -> None:
    """The rows of these posts. A keyed digest of each keeps it from coming in again (`now` None: it may)."""
    if now is not None:
        write_erased(workspace, named, now)
    for names in chunks(list(named), 500):
        externals = [external for _, external in names]
        tally.remove(ThreadLink.objects.of(workspace).filter(external_id__in=externals).delete())
    corrected = False
    for part in chunks(posts, 500):
        corrected |= Correction.objects.filter(post__in=part).exists()
        Post.objects.of(workspace).filter(copy_of__in=part).update(copy_of=None)
        answered = CampaignPost.objects.of(workspace).filter(post__in=part)
        empty_audit(workspace, {"campaignpost": list(answered.values_list("pk", flat=True))}, tally)
        tally.remove(Post.objects.filter(pk__in=part).delete())
    if corrected:
        # readings of the same words by others are made anew without theirs
        Workspace.objects.filter(pk=workspace).update(corrections_version=F("corrections_version") + 1)


def _end_groups_that_are_dealt_with(workspace: int, found: Reach) -> None:
    """Who said the same as a post whose conversation was resolved is dealt with too, and must not come back as new."""
    ended = Conversation.objects.of(workspace).filter(
        pk__in=found.theirs, state=Conversation.State.RESOLVED, copies__isnull=False
    )
    firsts = Post.objects.of(workspace).filter(conversation_id__in=list(ended.values_list("pk", flat=True)))
    copies = Post.objects.of(workspace).filter(copy_of__in=list(firsts.values_list("pk", flat=True)))
    behind = Conversation.objects.of(workspace).filter(
        pk__in=list(copies.values_list("conversation_id", flat=True)), state=Conversation.State.FOLDED
    )
    behind.update(state=Conversation.State.RESOLVED)


def _heads(found: Reach) -> list[int]:
    """Conversations of theirs behind which others are folded."""
    rows = Conversation.objects.filter(pk__in=found.theirs, copies__isnull=False)
    return list(rows.values_list("pk", flat=True))


def _refresh(workspace: int, posts: Sequence[int], talks: Collection[int], now: dt.datetime) -> None:
    linked = Linked()
    for part in chunks(posts, 500):
        rows = Post.objects.filter(pk__in=part, conversation_id__in=talks)
        linked.conversations |= {pk: talk for pk, talk in rows.values_list("pk", "conversation_id") if talk is not None}
    if linked.conversations:
        refresh(workspace, linked, {}, now)


def _refresh_left(workspace: int, talks: Collection[int], now: dt.datetime) -> None:
    """Bring conversations in line with what is left in them."""
    linked = Linked()
    linked.conversations = {talk: talk for talk in talks}
    if talks:
        refresh(workspace, linked, {}, now)


# ------------------------------------------------------------------ conversations


def _forget_talks(workspace: int, found: Reach, tally: Tally) -> None:
    rows = Conversation.objects.of(workspace)
    rows.filter(pk__in=merged_into(found.shared)).update(preview="", why="", person=None)
    forget_tasks(workspace, Q(conversation__in=found.theirs), tally)
    empty_offers(workspace, Q(conversation__in=found.theirs), tally)
    tally.remove(forget_attachments(Attachment.objects.filter(conversation__in=found.theirs)))
    tally.remove(rows.filter(pk__in=found.theirs).delete())


def forget_tasks(workspace: int, which: Q, tally: Tally) -> None:
    """Tasks, with what the audit tells of them."""
    tasks = list(Task.objects.of(workspace).filter(which).values_list("pk", flat=True))
    for part in chunks(tasks, 500):
        # a reminder holds the title, and may be of no conversation
        reminders = Notification.objects.of(workspace).filter(event="task", bundle__in=[f"task:{pk}" for pk in part])
        tally.remove(reminders.delete())
        tally.remove(Task.objects.filter(pk__in=part).delete())
    empty_audit(workspace, {"task": tasks}, tally)


def empty_undone_tasks(workspace: int, traces: Traces, tally: Tally) -> None:
    """What the audit tells of tasks that were taken back, and of no others: their rows are gone, and whom they were
    about with them.
    """
    told = AuditEntry.objects.of(workspace).filter(subject="task")
    undone = set(told.filter(verb="task.undo").values_list("subject_id", flat=True))
    stand = {str(pk) for pk in Task.objects.of(workspace).filter(pk__in=map(int, undone)).values_list("pk", flat=True)}
    for part in chunks(sorted(undone - stand), 500):
        rows = told.filter(subject_id__in=part).values_list("pk", "detail")
        _write_details([(pk, detail) for pk, detail in rows if _tells(traces, detail)], tally)


def empty_offers(workspace: int, which: Q, tally: Tally) -> None:
    """What was given stays in the books, without a name or a word."""
    rows = list(Offer.objects.of(workspace).filter(which).values_list("pk", flat=True))
    nothing = {"person": None, "conversation": None, "reason": "", "decision": "", "outcome": ""}
    tally.blank("Offer", Offer.objects.filter(pk__in=rows).update(**nothing))
    empty_audit(workspace, {"offer": rows}, tally)


def forget_exports(workspace: int, people: Collection[int], tally: Tally) -> None:
    """Files that exports of them left in the data folder."""
    rows = PersonJob.objects.of(workspace).filter(person__in=people).exclude(path="")
    remove_exports(list(rows))
    tally.blank("PersonJob", rows.update(path="", expires_at=None))


# ------------------------------------------------------------------ the audit


def empty_audit(workspace: int, about: Mapping[str, Collection[int]], tally: Tally) -> None:
    """Take every word out of the entries about these rows (kind of row -> ids); who did what and when stays."""
    for subject, ids in about.items():
        for part in chunks([str(each) for each in ids], 500):
            rows = AuditEntry.objects.of(workspace).filter(subject=subject, subject_id__in=part)
            _write_details(rows.values_list("pk", "detail"), tally)


def empty_joins(workspace: int, merges: QuerySet[PersonMerge], tally: Tally) -> None:
    """What the audit tells of these joins stands with the person who was kept, undone or not: who the other one was,
    by which accounts, and what told that they are one.
    """
    rows = list(merges.values_list("pk", "kept", "absorbed"))
    joins, people = {pk for pk, _, _ in rows}, {str(person) for _, *both in rows for person in both}
    for part in chunks(sorted(people), 500):
        found = AuditEntry.objects.of(workspace).filter(subject="person", subject_id__in=part)
        told = found.values_list("pk", "detail")
        _write_details([(pk, detail) for pk, detail in told if detail.get("join") in joins], tally)


def _empty_audit_of_others(workspace: int, found: Reach, tally: Tally) -> None:
    """In conversations in which others speak too: the entries that name them or repeat their words."""
    for part in chunks([str(each) for each in found.shared], 500):
        rows = AuditEntry.objects.of(workspace).filter(subject="conversation", subject_id__in=part)
        told = rows.values_list("pk", "detail").iterator(chunk_size=500)
        _write_details(((pk, detail) for pk, detail in told if _tells(found.traces, detail)), tally)


def _tells(traces: Traces, detail: object) -> bool:
    if isinstance(detail, dict):
        return any(_tells(traces, value) for value in detail.values())
    if isinstance(detail, list):
        return any(_tells(traces, value) for value in detail)
    return isinstance(detail, str) and traces.are_in(detail)


def _write_details(rows: Iterable[tuple[int, object]], tally: Tally) -> None:
    changed = [(left, pk) for pk, detail in rows if (left := without_words(detail)) != detail]
    on_server = connection.vendor == "postgresql"
    update_rows(
        "store_auditentry", ("detail",), [(left if on_server else json.dumps(left), pk) for left, pk in changed]
    )
    tally.blank("AuditEntry", len(changed))
