"""Conversations: recording what the line decided, and everything that people do with them."""

from __future__ import annotations

import datetime as dt
import hashlib
import zoneinfo
from collections.abc import Collection, Iterator, Sequence

import msgspec
from django.db import transaction

from rapport.actions.acknowledge import acknowledge
from rapport.actions.audit import announce, require, require_conversation, write_audit
from rapport.actions.dealing import settle_batch
from rapport.actions.effects import carry_out
from rapport.actions.mentions import keep_mentions
from rapport.actions.notices import Heard, notify_assigned, notify_of_rules
from rapport.actions.promises import keep_promises
from rapport.actions.rule_days import note_override
from rapport.actions.suppressions import keep_suppression
from rapport.actions.tags import rule_of_tag, tag_by_rules
from rapport.actions.undo import NOTE, note_deed, plain
from rapport.bus.base import Batch, Bus
from rapport.core.decision import Outcome as Decided
from rapport.core.errors import InvalidInput, NotAllowed
from rapport.core.guard import stop_words
from rapport.core.post import Post
from rapport.core.thresholds import Thresholds
from rapport.store.models import (
    Basket,
    BusMessage,
    Conversation,
    Membership,
    Note,
    Outcome,
    Person,
    Suppression,
    Workspace,
)
from rapport.store.queries.accounts import note_accounts
from rapport.store.queries.acknowledge import plan_of
from rapport.store.queries.automated import set_apart
from rapport.store.queries.conversations import refresh, words_of
from rapport.store.queries.desk import visible_colleagues
from rapport.store.queries.effects import find_addressed, find_fired
from rapport.store.queries.fingerprints import Recent, entries_of, find_copies, recount
from rapport.store.queries.ingest import StoredPost, read_stored
from rapport.store.queries.moods import count_moods
from rapport.store.queries.outcomes import note_presence, store_outcomes
from rapport.store.queries.readings import read_counting
from rapport.store.queries.rule_days import count_rules
from rapport.store.queries.score import machine_score
from rapport.store.queries.shadows import Beside, count_beside
from rapport.store.queries.sql import redone_if_lost
from rapport.store.queries.threads import Linked, link_posts

MAX_NOTE = 10_000  # characters


class Recorded(msgspec.Struct, frozen=True):
    """What came of one batch. `kept` False: the claim was lost, another worker does it, nothing was written."""

    kept: bool
    conversations: tuple[int, ...] = ()
    merged: int = 0


def record(
    batch: Batch, outcomes: Sequence[Decided], bus: Bus, *, now: dt.datetime, recent: Recent | None = None,
    beside: Sequence[Beside] = (),
) -> Recorded:  # fmt: skip
    """Write the outcomes of a batch and acknowledge it, in one transaction: exactly one effect.

    Threads become conversations, each one gets its basket, score and reason, and is opened, reopened or put aside.
    `recent`: what near-copies are recognised by; without it none are. `beside`: what drafts that run beside
    the rules in force made of the batch.
    """
    # lost with the power, it is done again from the posts, which `hear` has made last
    with redone_if_lost():
        # one worker at a time per workspace: two of them must not open the same thread twice
        workspace = Workspace.objects.select_for_update(no_key=True).only("pk", "timezone").get(pk=batch.workspace)
        if not bus.acknowledge(batch):
            return Recorded(kept=False)
        told = _hold_against_store(batch, outcomes)
        recent = _of_those_left(recent, batch, told)
        counting = read_counting(workspace.pk)
        automated = _keep_outcomes(workspace, told, counting, now)
        linked = link_posts(workspace.pk, told.posts, told.stored)
        copies = (
            find_copies(workspace.pk, told.posts, told.standing, told.stored, linked, recent, now) if recent else {}
        )
        words = words_of(told.posts, told.standing, told.stored, copies, counting, automated=automated)
        seen = refresh(workspace.pk, linked, words, now)
        _suppress_who_asked(batch, now)
        notify_of_rules(workspace.pk, told.news(linked), now=now)
        _follow_rules(workspace.pk, told, linked, copies, automated, now)
        _tag(workspace.pk, told, linked, now)
        seen += settle_batch(workspace.pk, seen, linked.merged, now=now)
        if beside:
            count_beside(workspace.pk, beside, told.counted(), now)
        # pages of those that became part of another one go on to it
        announce(workspace, now, [*seen, *linked.merged])
        write_audit(
            workspace, None, "posts.record", None, now,
            posts=len(told.posts), conversations=len(set(linked.conversations.values())), new=len(linked.new),
            merged=len(linked.merged), copies=len(copies),
        )  # fmt: skip
    return Recorded(kept=True, conversations=tuple(seen), merged=len(linked.merged))


class _Told(msgspec.Struct, frozen=True):
    """A batch held against the store: its posts as they lie there by now, and what of the outcomes still counts."""

    posts: list[tuple[int, Post]]
    stored: dict[int, StoredPost]
    #: of each post; None: meanwhile it was deleted, or a newer wording of it was read
    standing: list[Decided | None]
    #: (row of the post, outcome) of those that count
    made: list[tuple[int, Decided]]

    def fresh(self) -> Iterator[tuple[int, Post, Decided | None]]:
        """Every post with its outcome; None also for what is read once more: it had its effects the first time."""
        for (row, post), outcome in zip(self.posts, self.standing, strict=True):
            yield row, post, None if self.stored[row].read else outcome

    def news(self, linked: Linked) -> list[Heard]:
        """What colleagues are told of: where a rule says so, and where the route gave it to one of them."""
        return [
            Heard(linked.conversations[row], outcome, post.created_at)
            for row, post, outcome in self.fresh()
            if outcome is not None and (outcome.decision.notify or outcome.route.person)
        ]

    def counted(self) -> list[int | None]:
        """Rows of the posts that drafts of rules are held against; None for the others."""
        return [row if outcome is not None and not post.author.ours else None for row, post, outcome in self.fresh()]


def _hold_against_store(batch: Batch, outcomes: Sequence[Decided]) -> _Told:
    stored = read_stored([row for row, _ in batch.posts])
    # the rows of somebody who was erased meanwhile are gone
    pairs = [(told, outcome) for told, outcome in zip(batch.posts, outcomes, strict=True) if told[0] in stored]
    posts = [told for told, _ in pairs]
    standing = [outcome if stored[row].is_answered_by(post) else None for (row, post), outcome in pairs]
    made = [(row, outcome) for (row, _), outcome in zip(posts, standing, strict=True) if outcome is not None]
    return _Told(posts, stored, standing, made)


def _of_those_left(recent: Recent | None, batch: Batch, told: _Told) -> Recent | None:
    """What near-copies are recognised by, for the posts that are still there."""
    if recent is None or len(told.posts) == len(batch.posts):
        return recent
    digests = [digest for (row, _), digest in zip(batch.posts, recent.digests, strict=True) if row in told.stored]
    return Recent(recent.window, digests)


def _keep_outcomes(workspace: Workspace, told: _Told, counting: Thresholds, now: dt.datetime) -> frozenset[int]:
    """Store the outcomes and everything that is counted with them; the handles that look automated."""
    accounts = note_accounts(told.made, told.stored)
    if accounts.turned:
        set_apart(workspace.pk, accounts.turned, now)
    store_outcomes(workspace.pk, told.made, told.stored, counting, now)
    count_rules(workspace.pk, told.made, zoneinfo.ZoneInfo(workspace.timezone), now)
    note_presence(told.posts, told.stored, now)
    count_moods(workspace.pk, told.made, told.stored, accounts.automated, now)
    return accounts.automated


def _follow_rules(
    workspace_id: int,
    told: _Told,
    linked: Linked,
    copies: Collection[int],
    automated: Collection[int],
    now: dt.datetime,
) -> None:
    """What rules do besides sorting, and the one word that a machine may say."""
    fired = find_fired(told.posts, told.made, told.stored, linked, copies, automated)
    if fired:
        carry_out(workspace_id, fired, now=now)
    plan = plan_of(workspace_id)
    if plan is not None and not plan.by_rules:
        addressed = find_addressed(told.posts, told.made, told.stored, linked, copies, automated)
        acknowledge(workspace_id, addressed, plan, now=now)


def _tag(workspace_id: int, told: _Told, linked: Linked, now: dt.datetime) -> None:
    """The tags of rules on the conversations of what they decided; no write where no rule tags."""
    tags: dict[int, list[tuple[str, str]]] = {}
    for row, outcome in told.made:
        if outcome.decision.tags and row in linked.conversations:
            found = tags.setdefault(linked.conversations[row], [])
            found += [(tag.lower(), rule_of_tag(outcome.decision, tag)) for tag in outcome.decision.tags]
    if tags:
        tag_by_rules(workspace_id, tags, now=now)


def _suppress_who_asked(batch: Batch, now: dt.datetime) -> None:
    """Whoever tells us to stop is left alone from then on, at once and for good."""
    asked = [row for row, post in batch.posts if not post.author.ours and stop_words(post.text)]
    for person in Person.objects.of(batch.workspace).filter(handles__posts__in=asked).distinct() if asked else ():
        person.suppressed_reason = "asked us to stop"
        person.save(update_fields=["suppressed_reason"])
        keep_suppression(person, person.suppressed_reason, Suppression.Source.WORD, None, now=now)
        write_audit(batch.workspace, None, "person.suppress", person, now, reason=person.suppressed_reason)


def assign(
    by: Membership, conversation: Conversation, assignee: Membership | None, *, note: str = "", now: dt.datetime
) -> Conversation:
    """Give a conversation to a colleague, or back to the basket (None); `note`: what they should know."""
    if assignee is not None:
        if assignee.workspace_id != by.workspace_id or not assignee.active:
            raise NotAllowed("This colleague is not an active member of the workspace.")
        if by.is_outside and not visible_colleagues(by).filter(pk=assignee.pk).exists():
            raise NotAllowed("This colleague does not work in your baskets.")
        if assignee.may("draft") is not True:
            raise InvalidInput(f"{assignee} may not write replies; choose somebody who may.")
    with transaction.atomic():
        _hand_over(by, conversation, note, now)
        row = _change(by, conversation, "conversation.assign", now, assignee=assignee)
        notify_assigned(by, row, now=now)
    return row


def snooze(by: Membership, conversation: Conversation, until: dt.datetime, *, now: dt.datetime) -> Conversation:
    """Out of the list until a time, or until they speak again."""
    if until <= now:
        raise InvalidInput("Choose a time that lies ahead.")
    if until > now + dt.timedelta(days=366):
        raise InvalidInput("At most a year ahead.")
    return _change(by, conversation, "conversation.snooze", now, state=Conversation.State.SNOOZED, snoozed_until=until)


def resolve(by: Membership, conversation: Conversation, *, now: dt.datetime) -> Conversation:
    """Done, until they speak again."""
    # what a person said of its score was said of the words that are dealt with now
    again = {} if conversation.score_by_hand is None else {"score_by_hand": None, "score": machine_score(conversation)}
    return _change(
        by, conversation, "conversation.resolve", now,
        state=Conversation.State.RESOLVED, snoozed_until=None, settled_at=now, waiting_since=None, **again,
    )  # fmt: skip


def reopen(by: Membership, conversation: Conversation, *, now: dt.datetime) -> Conversation:
    """Back into the list."""
    if conversation.state == Conversation.State.FOLDED:
        return unfold(by, conversation, now=now)
    with transaction.atomic():
        row = _change(by, conversation, "conversation.reopen", now, state=Conversation.State.OPEN, snoozed_until=None)
        if conversation.state == Conversation.State.QUARANTINED:
            note_override(by, row, "quarantine", "quarantine", row.basket.slug if row.basket else "", now=now)
    return row


def move(
    by: Membership, conversation: Conversation, basket: Basket, *, note: str = "", now: dt.datetime
) -> Conversation:
    """Into another basket; the next word of theirs does not move it back. `note`: what they should know there."""
    _check_basket(by, basket)
    with transaction.atomic():
        _hand_over(by, conversation, note, now)
        moved = _change(by, conversation, "conversation.move", now, basket=basket)
        if conversation.basket and conversation.basket_id != basket.pk:
            note_override(by, moved, "basket", conversation.basket.slug, basket.slug, now=now)
    return moved


def prioritise(by: Membership, conversation: Conversation, priority: int, *, now: dt.datetime) -> Conversation:
    """How soon it should be answered (0 low to 3 urgent), until their next word: the rules say it anew then."""
    if priority not in Conversation.Priority.values:
        raise InvalidInput("Priorities are low, medium, high and urgent.")
    return _change(by, conversation, "conversation.prioritise", now, priority=priority)


def put_aside(by: Membership, conversation: Conversation, *, now: dt.datetime) -> Conversation:
    """Into the quarantine, with the others that rules put aside."""
    return _change(
        by, conversation, "conversation.put_away", now, state=Conversation.State.QUARANTINED, snoozed_until=None
    )


def take_out(by: Membership, conversation: Conversation, basket: Basket, *, now: dt.datetime) -> Conversation:
    """Out of the quarantine into a basket: the rule was wrong about it."""
    require(by, "release")
    _check_basket(by, basket)
    if conversation.state != Conversation.State.QUARANTINED:
        raise InvalidInput("This conversation is not in the quarantine any more.")
    with transaction.atomic():
        taken = _change(by, conversation, "conversation.take_out", now, state=Conversation.State.OPEN, basket=basket)
        note_override(by, taken, "quarantine", "quarantine", basket.slug, now=now)
    return taken


def unfold(by: Membership, conversation: Conversation, *, now: dt.datetime) -> Conversation:
    """Out of the fold of near-copies: this person is answered on their own."""
    if conversation.state != Conversation.State.FOLDED:
        raise InvalidInput("This conversation is not folded into another one any more.")
    return _change(by, conversation, "conversation.unfold", now, state=Conversation.State.OPEN, opened_at=now)


def _hand_over(by: Membership, conversation: Conversation, note: str, now: dt.datetime) -> None:
    """The note comes first: whoever moves a conversation away may not see it any more."""
    if note.strip():
        add_note(by, conversation, note, now=now)


def _check_basket(by: Membership, basket: Basket) -> None:
    # any basket of the workspace: handing over to a department that one does not work in is what moving is for
    if basket.workspace_id != by.workspace_id:
        raise NotAllowed("This basket belongs to another workspace.")


def add_note(by: Membership, conversation: Conversation, text: str, *, key: str = "", now: dt.datetime) -> Note:
    """Say something to colleagues that never leaves the house.

    `key`: made by the page for this note; the same person's note with the same key is that note, written once.
    """
    require_conversation(by, conversation, "note")
    text = text.strip()
    if not text:
        raise InvalidInput("The note is empty.")
    if len(text) > MAX_NOTE:
        raise InvalidInput(f"The note has {len(text):,} characters; at most {MAX_NOTE:,} fit.")
    own_key = hashlib.sha256(f"{by.pk}:{key}".encode()).hexdigest()[:32] if key else None
    with transaction.atomic():
        # the same note twice at one moment: the second waits here, and finds the first
        Conversation.objects.of(by.workspace).select_for_update().only("pk").get(pk=conversation.pk)
        sent = Note.objects.of(by.workspace).filter(conversation=conversation, key=own_key) if own_key else None
        if sent is not None and (written := sent.first()):
            return written
        note = Note.objects.create(
            workspace=by.workspace, conversation=conversation, author=by, text=text.replace("\x00", ""), at=now,
            key=own_key,
        )  # fmt: skip
        Conversation.objects.filter(pk=conversation.pk).update(touched_at=now)
        write_audit(by.workspace, by, "conversation.note", conversation, now, note=note.pk)
        keep_mentions(by, note, conversation, now=now)
        note_deed(by, "conversation.note", [(conversation.pk, {NOTE: None}, {NOTE: note.pk})], now=now)
        announce(by.workspace, now, [conversation.pk], [conversation.basket_id])
    return note


def wake_snoozed(workspace: Workspace, *, now: dt.datetime) -> int:
    """Bring back every conversation whose snooze has run out; returns how many."""
    with transaction.atomic():
        due = list(
            Conversation.objects.of(workspace)
            .select_for_update()
            .filter(state=Conversation.State.SNOOZED, snoozed_until__lte=now)[:500]
        )
        for conversation in due:
            conversation.state, conversation.snoozed_until = Conversation.State.OPEN, None
            conversation.save(update_fields=["state", "snoozed_until"])
            write_audit(workspace, None, "conversation.wake", conversation, now)
        if due:
            keep_promises(workspace.pk, [row.pk for row in due], now=now)
            Conversation.objects.filter(pk__in=[row.pk for row in due]).update(touched_at=now)
            announce(workspace, now, [row.pk for row in due], [row.basket_id for row in due])
    return len(due)


def retry_message(by: Membership, message: BusMessage, bus: Bus, *, now: dt.datetime) -> None:
    """Put a post that failed five times back on the line."""
    require(by, "release")
    if message.workspace_id != by.workspace_id:
        raise NotAllowed("This post belongs to another workspace.")
    with transaction.atomic():
        bus.release(message)
        write_audit(by.workspace, by, "post.retry", message, now)


def _change(by: Membership, conversation: Conversation, verb: str, now: dt.datetime, **fields: object) -> Conversation:
    require_conversation(by, conversation, "triage")
    with transaction.atomic():
        row = Conversation.objects.of(by.workspace).select_for_update().get(pk=conversation.pk)
        target = str(fields.get("state", row.state))
        if target != row.state and target not in Conversation.MOVES[row.state]:
            raise InvalidInput(f"A conversation that is {row.state} cannot become {target}.")
        if target != row.state and _is_aside(row):
            require(by, "release")
        if target == Conversation.State.OPEN != row.state and row.assignee and row.assignee.may("draft") is not True:
            fields.setdefault("assignee", None)  # whoever had it has left meanwhile
        before = {name: plain(getattr(row, name)) for name in fields}
        for name, value in fields.items():
            setattr(row, name, value)
        row.touched_at = now
        row.save(update_fields=[*fields, "touched_at"])
        keep_promises(by.workspace_id, [row.pk], now=now)
        if before.get("state") == Conversation.State.FOLDED != target:
            recount(entries_of([row.pk]))
        after = {name: plain(value) for name, value in fields.items()}
        write_audit(by.workspace, by, verb, row, now, before=before, after=after)
        note_deed(by, verb, [(row.pk, before, after)], now=now)
        announce(by.workspace, now, [row.pk], [conversation.basket_id, row.basket_id])
    return row


def _is_aside(row: Conversation) -> bool:
    """Whether it lies in the quarantine, also where the rules put it there as a near-copy in a fold."""
    if row.state == Conversation.State.FOLDED:
        return Outcome.objects.of(row.workspace_id).filter(post=row.decided_by, quarantined=True).exists()
    return row.state == Conversation.State.QUARANTINED
