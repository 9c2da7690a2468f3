"""Near-copies in the store: who was the first to say it, who repeated it, and how many are folded into an entry.

A post that starts a conversation and says nearly what an open entry said already is a copy of the first post of that
entry (`Post.copy_of`). All of this happens under the lock of the workspace, so two workers see one order.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec
from django.db import connection

from rapport.core.copies import ALIKE, KEPT, MOST, Window, fingerprints, likeness, shingles
from rapport.core.decision import PRIORITIES, Outcome
from rapport.core.post import Post
from rapport.store.models import Conversation, Fingerprint, Workspace
from rapport.store.models import Post as PostRow
from rapport.store.queries.ingest import StoredPost
from rapport.store.queries.sql import adapt, insert_rows, moment, open_cursor, select_in, update_rows
from rapport.store.queries.threads import Linked


class Recent(msgspec.Struct, frozen=True):
    """What a worker brings along to recognise near-copies in a batch."""

    #: the first texts of the last days, as far as this worker has read them
    window: Window
    #: the fingerprint of each post of the batch, in its order; empty for one that is not judged
    digests: Sequence[bytes]


class _Said(NamedTuple):
    """What a post said, as far as it decides who is folded into whom."""

    shingles: frozenset[str]
    at: dt.datetime
    basket: str
    quarantined: bool
    #: place in `PRIORITIES`
    priority: int
    conversation: int

    def takes_in(self, other: _Said) -> bool:
        """Whether whoever sees this one need not see the other: the same words, to the same people, no less urgent."""
        return (
            (self.basket, self.quarantined) == (other.basket, other.quarantined)
            and self.priority >= other.priority
            and self.conversation != other.conversation
            and abs(self.at - other.at) <= KEPT
            and likeness(self.shingles, other.shingles) >= ALIKE
        )


def find_copies(
    workspace_id: int,
    posts: Sequence[tuple[int, Post]],
    outcomes: Sequence[Outcome | None],
    stored: Mapping[int, StoredPost],
    linked: Linked,
    recent: Recent,
    now: dt.datetime,
) -> dict[int, int]:
    """Recognise the near-copies in a batch: their row id -> that of the first post. Stores both, and new fingerprints.

    A copy is folded only into what people can see in its stead: an open entry (or, for what the rules put aside, one
    in the quarantine) of the same basket, at least as urgent, that was said within `KEPT` of it.
    """
    learn_fingerprints(workspace_id, recent.window, now)
    _judge_edited(workspace_id, posts, stored, linked, now)
    judged = _choose_judged(posts, outcomes, stored, linked, recent)
    near = {each.row: recent.window.near(each.digest) for each in judged}
    wanted = {first for found in near.values() for first in found}
    firsts = _read_firsts(wanted)
    for each in wanted - firsts.keys():
        recent.window.forget(each)
    copies = _pair(judged, near, firsts, linked, now)
    fresh = [(each.row, each.digest) for each in judged if each.row not in copies]
    _store_fingerprints(workspace_id, fresh, now)
    update_rows("store_post", ("copy_of",), [(first, row) for row, first in copies.items()])
    return copies


class _Judged(NamedTuple):
    """A post that may be a copy, or that later ones may be copies of."""

    row: int
    post: Post
    outcome: Outcome
    digest: bytes


def _choose_judged(
    posts: Sequence[tuple[int, Post]],
    outcomes: Sequence[Outcome | None],
    stored: Mapping[int, StoredPost],
    linked: Linked,
    recent: Recent,
) -> list[_Judged]:
    """The posts that begin a conversation now, in which nobody of ours spoke and which no colleague is to get."""
    begun = linked.new.keys() - {linked.conversations[row] for row, post in posts if post.author.ours}
    return [
        _Judged(row, post, outcome, digest)
        for (row, post), outcome, digest in zip(posts, outcomes, recent.digests, strict=True)
        if digest
        and outcome is not None
        and outcome.route.person is None
        and linked.conversations[row] in begun
        and stored[row].conversation is None
    ]


def _pair(
    judged: Sequence[_Judged],
    near: Mapping[int, Sequence[int]],
    firsts: dict[int, _Said],
    linked: Linked,
    now: dt.datetime,
) -> dict[int, int]:
    """Row id of a copy -> that of the first one that takes it in: one of `firsts` that is `near`, or an earlier one of
    this batch (which is then added to `firsts`).
    """
    copies: dict[int, int] = {}
    here = Window()
    made: dict[int, _Judged] = {}
    for one in judged:
        candidates = [each for each in near[one.row] if each in firsts] + here.near(one.digest)
        if candidates:
            this = _said(one, linked, now)
            for each in candidates:
                if each not in firsts:
                    firsts[each] = _said(made[each], linked, now)
                if firsts[each].takes_in(this):
                    copies[one.row] = each
                    break
        if one.row not in copies:
            here.add(one.row, one.digest, now)
            made[one.row] = one
    return copies


def _said(one: _Judged, linked: Linked, now: dt.datetime) -> _Said:
    decision = one.outcome.decision
    return _Said(
        frozenset(shingles(one.post.text)), min(one.post.created_at, now), one.outcome.route.basket,
        decision.quarantined, PRIORITIES.index(decision.priority), linked.conversations[one.row],
    )  # fmt: skip


def _read_firsts(posts: Collection[int]) -> dict[int, _Said]:
    """Those of `posts` whose conversation is in front of people, or in the quarantine with them."""
    rows = select_in(
        "SELECT p.id, p.text, p.sort_at, o.basket, c.state, c.priority, c.id FROM store_post p "
        "JOIN store_outcome o ON o.post_id = p.id JOIN store_conversation c ON c.id = p.conversation_id "
        "WHERE p.id {among} AND NOT p.deleted AND p.copy_of IS NULL AND c.state IN ('open', 'quarantined')",
        [],
        sorted(posts),
    )
    return {
        row: _Said(
            frozenset(shingles(text)),
            moment(at),
            basket,
            state == Conversation.State.QUARANTINED,
            priority,
            conversation,
        )
        for row, text, at, basket, state, priority, conversation in rows
    }


def learn_fingerprints(workspace_id: int, window: Window, now: dt.datetime) -> None:
    """Bring `window` up to date with what any worker has stored since it was read last."""
    window.forget_before(now - KEPT)
    with open_cursor() as cursor:
        cursor.execute(
            "SELECT id, post_id, digest, at FROM store_fingerprint WHERE workspace_id = %s AND id > %s "
            "ORDER BY id DESC LIMIT %s",
            [workspace_id, window.newest, MOST],
        )
        rows = cursor.fetchall()
    for row, post, digest, at in reversed(rows):
        if moment(at) >= now - KEPT:
            window.add(post, bytes(digest), moment(at))
        window.newest = row


def _store_fingerprints(workspace_id: int, fresh: Sequence[tuple[int, bytes]], now: dt.datetime) -> None:
    at = adapt(now)
    rows = [(workspace_id, row, digest, at) for row, digest in fresh]
    insert_rows("store_fingerprint", ("workspace_id", "post_id", "digest", "at"), rows)


def _judge_edited(
    workspace_id: int,
    posts: Sequence[tuple[int, Post]],
    stored: Mapping[int, StoredPost],
    linked: Linked,
    now: dt.datetime,
) -> None:
    """Take newer wordings over: a copy that says something else stands for itself, and a first one for nobody else.

    Whoever stands for a group now is added to `linked`, to be opened.
    """
    edited = {row: post.text for row, post in posts if post.edited_at and stored[row].read}
    if not edited:
        return
    rows = sorted(edited)
    repeated = select_in(
        "SELECT p.id, f.text, f.conversation_id FROM store_post p JOIN store_post f ON f.id = p.copy_of "
        "WHERE p.id {among}",
        [],
        rows,
    )
    parted = [(row, entry) for row, text, entry in repeated if not _are_alike(edited[row], text)]
    update_rows("store_post", ("copy_of",), [(None, row) for row, _ in parted])
    copied = select_in("SELECT copy_of, text FROM store_post WHERE copy_of {among} AND NOT deleted", [], rows)
    left = {first for first, text in copied if not _are_alike(edited[first], text)}
    heirs = promote_copies(workspace_id, left, now)
    linked.conversations.update(heirs)
    recount([entry for _, entry in parted if entry] + [linked.conversations[row] for row in (*left, *heirs)])
    firsts = Fingerprint.objects.of(workspace_id).filter(post__in=rows)
    known = sorted(firsts.values_list("post_id", flat=True))
    firsts.delete()
    digests = zip(known, fingerprints([edited[row] for row in known]), strict=True)
    _store_fingerprints(workspace_id, [(row, digest) for row, digest in digests if digest], now)


def _are_alike(one: str, other: str) -> bool:
    return likeness(frozenset(shingles(one)), frozenset(shingles(other))) >= ALIKE


def count_folded(steps: Mapping[int, int]) -> list[int]:
    """Add to the counts of the entries: row id of a first post -> how many were folded into it just now, or left it.

    Returns the conversations that were counted anew.
    """
    places = dict(select_in("SELECT id, conversation_id FROM store_post WHERE id {among}", [], sorted(steps)))
    sums: dict[int, int] = defaultdict(int)
    for first, step in steps.items():
        if places.get(first) is not None:
            sums[places[first]] += step
    with connection.cursor() as cursor:
        cursor.executemany(
            "UPDATE store_conversation SET copies = CASE WHEN COALESCE(copies, 0) + %s > 0 "
            "THEN COALESCE(copies, 0) + %s END WHERE id = %s",
            [(step, step, conversation) for conversation, step in sums.items()],
        )
    return list(sums)


def recount(conversations: Iterable[int]) -> None:
    """Count anew how many conversations are folded into each of these."""
    with connection.cursor() as cursor:
        cursor.executemany(
            "UPDATE store_conversation SET copies = (SELECT NULLIF(COUNT(DISTINCT p.conversation_id), 0) "
            "FROM store_post f JOIN store_post p ON p.copy_of = f.id "
            "JOIN store_conversation c ON c.id = p.conversation_id "
            "WHERE f.conversation_id = store_conversation.id AND c.state = 'folded') WHERE id = %s",
            [(each,) for each in conversations],
        )


def entries_of(conversations: Collection[int]) -> list[int]:
    """The conversations whose first posts are repeated in these."""
    rows = select_in(
        "SELECT DISTINCT f.conversation_id FROM store_post p JOIN store_post f ON f.id = p.copy_of "
        "WHERE p.conversation_id {among} AND f.conversation_id IS NOT NULL",
        [],
        sorted(conversations),
    )
    return [row[0] for row in rows]


def promote_copies(workspace_id: int, gone: Collection[int], now: dt.datetime) -> dict[int, int]:
    """The first of a group is gone: the next one who said it takes its place, so that nobody is hidden behind nothing.

    `gone`: row ids of posts. Returns row id -> conversation of those who stand for their groups now.
    """
    rows = select_in(
        "SELECT p.copy_of, p.id, p.conversation_id, p.text, c.state FROM store_post p "
        "JOIN store_conversation c ON c.id = p.conversation_id WHERE p.copy_of {among} AND NOT p.deleted ORDER BY p.id",
        [],
        sorted(gone),
    )
    heirs: dict[int, tuple[int, int, str]] = {}
    groups: dict[int, list[int]] = defaultdict(list)
    for first, row, conversation, text, state in rows:
        groups[first].append(row)
        if state == Conversation.State.FOLDED and first not in heirs:
            heirs[first] = (row, conversation, text)
    moved = [(heir[0], row) for first, heir in heirs.items() for row in groups[first]]
    update_rows("store_post", ("copy_of",), [(None if heir == row else heir, row) for heir, row in moved])
    for row, _, text in heirs.values():
        for digest in filter(None, fingerprints([text])):
            Fingerprint.objects.update_or_create(
                post_id=row, defaults={"workspace_id": workspace_id, "digest": digest, "at": now}
            )
    return {row: conversation for row, conversation, _ in heirs.values()}


def sweep_fingerprints(now: dt.datetime) -> None:
    """Forget fingerprints that are old, too many, or of posts that nobody may see any more."""
    Fingerprint.objects.filter(at__lt=now - KEPT).delete()
    for workspace in Workspace.objects.values_list("pk", flat=True):
        rows = Fingerprint.objects.of(workspace)
        beyond = rows.order_by("-pk").values_list("pk", flat=True)[MOST : MOST + 1].first()
        if beyond is not None:
            rows.filter(pk__lte=beyond).delete()
    deleted = PostRow.objects.filter(pk__in=Fingerprint.objects.values("post"), deleted=True)
    Fingerprint.objects.filter(post__in=deleted).delete()
