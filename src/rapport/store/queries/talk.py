"""One conversation as it is read: every post, note and delivery in the order of time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Literal

import msgspec
from django.db.models import Exists, OuterRef

from rapport.core.decision import Outcome as Judgement
from rapport.store.models import (
    ApprovalRule,
    Channel,
    Conversation,
    Delivery,
    Draft,
    DraftSource,
    Invitation,
    Membership,
    Note,
    Post,
)
from rapport.store.queries.acts import NO_ACTS, Acts, Changed, DoneHere, sort_acts
from rapport.store.queries.desk import visible_baskets, visible_colleagues, visible_conversations
from rapport.store.queries.marks import EVERYTHING, Marks
from rapport.store.queries.surveys import invitations_of

#: posts read of one conversation at the most; a thread beyond it shows its newest
MAX_POSTS = 400
#: near-copies that are listed with the one that stands for them
MAX_COPIES = 100

EntryKind = Literal["theirs", "ours", "note", "delivery", "survey"]


class Entry(msgspec.Struct, frozen=True):
    """One thing in the thread."""

    kind: EntryKind
    at: dt.datetime
    post: Post | None = None
    #: what the line made of the post
    judgement: Judgement | None = None
    note: Note | None = None
    #: the way of our reply; with `post` once the network has shown it to us
    delivery: Delivery | None = None
    #: the post that this one answers, where that is not the one right above
    answers: Post | None = None
    #: it answers a post that we never saw
    answers_unseen: bool = False
    #: a survey that they answered
    invitation: Invitation | None = None
    #: what we did with a post of theirs: liked it, shared it on
    done: DoneHere | None = None
    #: what became of our reply after it was sent: edited, deleted
    changed: Changed | None = None


class Talk(msgspec.Struct, frozen=True):
    """A conversation with all that its page shows, but for the person."""

    conversation: Conversation
    entries: list[Entry]
    #: posts that share one of the thread's
    reposts: list[Post]
    #: the post that basket, score and reason come from, with what the line made of it
    decided: Post | None
    judgement: Judgement | None
    #: what is earlier and was not read: posts, notes, answers to surveys
    hidden: int
    own_draft: Draft | None
    #: row id of an account -> whether it is followed, by the newest of our acts
    follows: dict[int, Delivery]
    #: drafts of colleagues who may not send, put before those who may
    proposed: list[Draft]
    #: drafts that colleagues show to everybody who sees the conversation
    shared: list[Draft]
    #: what a service wrote, where it stands
    machine_draft: Draft | None
    #: how many replies this person sent here: a composer of before the last one is not kept
    own_sends: int
    #: the newest of those that say nearly the same and are folded into this one; `Conversation.copies` counts all
    copies: list[Post]
    #: the first post that said nearly the same, where this one is a near-copy and the first can be looked at
    copy_of: Post | None
    #: links to surveys that stand, the newest first
    invited: list[Invitation]
    #: what there is around it
    marks: Marks

    @property
    def newest_inbound(self) -> Post | None:
        """What a reply answers unless somebody chooses another post."""
        newest_first = reversed(self.entries)
        return next((e.post for e in newest_first if e.kind == "theirs" and e.post and not e.post.deleted), None)

    @property
    def answered(self) -> bool:
        """Whether a reply of ours to their newest word is on its way."""
        newest = self.newest_inbound
        return newest is not None and any(
            e.delivery.queued_at >= newest.sort_at
            and e.delivery.state not in {"failed", "cancelled"}
            and not e.delivery.approval.machine
            for e in self.entries
            if e.delivery
        )

    def newest(self, count: int) -> list[Entry]:
        """The last `count` entries, and before them our replies that still wait for somebody or for the network."""
        return [entry for entry in self.entries[:-count] if _is_open(entry)] + self.entries[-count:]

    def inbound_post(self, pk: int) -> Post | None:
        """The post `pk` of theirs, if it can be answered."""
        return next(
            (e.post for e in self.entries if e.kind == "theirs" and e.post and e.post.pk == pk and not e.post.deleted),
            None,
        )

    def posts_after(self, post: Post | None) -> list[Entry]:
        """What they said after `post`; nothing where `post` is None."""
        if post is None:
            return []
        mark = (post.sort_at, post.pk)
        theirs = [e for e in self.entries if e.kind == "theirs" and e.post and not e.post.deleted]
        return [e for e in theirs if e.post and (e.post.sort_at, e.post.pk) > mark]


def read_talk(
    conversation: Conversation, member: Membership, marks: Marks = EVERYTHING, newest: int = MAX_POSTS, to: int = 0
) -> Talk:
    """What is said in `conversation`, in five queries, and up to four more where it is long or near-copies are folded.

    `marks`: what there is of it, to read nothing else. `newest`: posts that are enough; where what they say is answered
    above them (the post `to`, the one that a kept draft was made for, their last word), up to `MAX_POSTS` are read.
    """
    drafts = _drafts(conversation) if marks.drafts else []
    own_draft = next((draft for draft in drafts if draft.author_id == member.pk), None)
    said = _said(conversation, newest)
    needed = {to, own_draft.based_on_id if own_draft else None} - {0, None}
    if said.hidden and newest < MAX_POSTS and not said.reaches(needed):
        said = _said(conversation, MAX_POSTS)
    deliveries = _deliveries(conversation) if marks.deliveries else []
    acts = sort_acts(deliveries) if any(each.approval.kind for each in deliveries) else NO_ACTS
    deliveries = [each for each in deliveries if each.approval.kind is None]
    notes = _notes(conversation) if marks.notes else []
    invited = invitations_of(conversation) if marks.invitations else []
    answered = [Entry("survey", row.answered_at, invitation=row) for row in invited if row.answered_at]
    entries = sorted([*_entries(said, notes, deliveries, acts), *answered], key=_place)
    after = [entry for entry in entries if not said.is_before(entry)]
    decided = _decided(conversation, said)
    return Talk(
        conversation=conversation,
        entries=after,
        reposts=[post for post in said.reposts if not post.deleted],
        decided=decided,
        judgement=judge(decided) if decided else None,
        hidden=said.hidden + sum(entry.delivery is None for entry in entries) - sum(e.delivery is None for e in after),
        own_draft=own_draft,
        follows=acts.follows,
        proposed=[draft for draft in drafts if draft.proposed and draft.author_id != member.pk],
        shared=[draft for draft in drafts if draft.shared and not draft.proposed and _is_of_another(draft, member)],
        machine_draft=next((each for each in drafts if each.author_id is None and _is_of_service(each)), None),
        own_sends=sum(delivery.approval.person_id == member.pk for delivery in deliveries),
        copies=_copies(conversation, member) if conversation.copies else [],
        copy_of=_first_to_say_it(said.posts, member),
        invited=invited,
        marks=marks,
    )


class Said(msgspec.Struct, frozen=True):
    """The newest posts of a conversation, oldest first."""

    posts: list[Post]
    #: the posts that share one of the thread's
    reposts: list[Post]
    #: posts that are earlier and were not read
    hidden: int = 0
    #: the newest of those
    before: Post | None = None
    #: until when nothing is shown at all; None = from the first note on
    floor: dt.datetime | None = None
    #: posts that these answer, read or not, by their ids on the network
    answered: dict[str, Post] = {}

    def reaches(self, needed: set[int | None]) -> bool:
        """Whether these posts are among them, and one of theirs that can be answered."""
        has_inbound = any(not post.ours and not post.deleted for post in self.posts)
        return has_inbound and needed <= {post.pk for post in self.posts}

    def is_before(self, entry: Entry) -> bool:
        """Whether this belongs to the time of what was not read. A reply of ours that still waits never does."""
        return self.floor is not None and entry.at <= self.floor and not entry.post and not _is_open(entry)


def _is_open(entry: Entry) -> bool:
    return entry.delivery is not None and entry.delivery.state not in {Delivery.State.SENT, Delivery.State.CANCELLED}


def _said(conversation: Conversation, newest: int) -> Said:
    rows = Post.objects.of(conversation.workspace_id).filter(conversation_id=conversation.pk)
    with_author = rows.select_related("handle", "outcome").order_by("-sort_at", "-pk")
    found = list(with_author.exclude(kind="repost")[: newest + 1])
    reposts = list(with_author.filter(kind="repost")[:MAX_POSTS])[::-1]
    if not found:
        # a thread of reposts alone: then the repost is what was said
        found, reposts = reposts[: -newest - 1 : -1], []
    hidden = rows.exclude(kind="repost").count() - newest if len(found) > newest else 0
    posts = found[:newest][::-1]
    known = {post.external_id: post for post in found}
    above = {post.in_reply_to for post in posts if post.in_reply_to} - known.keys() if hidden else set()
    further = rows.filter(network=conversation.network, external_id__in=above).select_related("handle") if above else ()
    before = found[newest] if hidden else None
    floor = before.sort_at if before and newest < MAX_POSTS else None
    return Said(posts, reposts, hidden, before, floor, known | {post.external_id: post for post in further})


def _decided(conversation: Conversation, said: Said) -> Post | None:
    """The post that decided where the conversation is, with its outcome."""
    known = next((post for post in [*said.posts, *said.reposts] if post.pk == conversation.decided_by), None)
    if known is not None or conversation.decided_by is None or not said.hidden:
        return known
    rows = Post.objects.of(conversation.workspace_id).filter(conversation_id=conversation.pk)
    return rows.select_related("handle", "outcome").filter(pk=conversation.decided_by).first()


def _is_of_another(draft: Draft, member: Membership) -> bool:
    return (
        draft.author is not None and draft.author_id != member.pk and draft.author.active and bool(draft.text.strip())
    )


def _is_of_service(draft: Draft) -> bool:
    return draft.source == DraftSource.SERVICE and bool(draft.text)


def _notes(conversation: Conversation) -> list[Note]:
    rows = Note.objects.of(conversation.workspace_id).filter(conversation=conversation, removed_at=None)
    return list(rows.select_related("author__user"))


def _deliveries(conversation: Conversation) -> list[Delivery]:
    rows = Delivery.objects.of(conversation.workspace_id).filter(conversation=conversation)
    return list(
        rows.select_related(
            "approval__person__user",
            "approval__standing_word__user",
            "approval__asked_by__user",
            "approval__target__handle",
            "channel",
        )
    )


def _drafts(conversation: Conversation) -> list[Draft]:
    rows = Draft.objects.of(conversation.workspace_id).filter(conversation=conversation)
    return list(rows.select_related("author__user", "based_on"))


def _copies(conversation: Conversation, member: Membership) -> list[Post]:
    """The newest posts that are folded into it, in sight of `member`; of a wave of thousands no more is read."""
    posts = Post.objects.of(conversation.workspace_id)
    said = list(posts.filter(conversation_id=conversation.pk).order_by("-sort_at").values_list("pk", flat=True))
    rows = posts.filter(copy_of__in=said[:MAX_POSTS], deleted=False)
    newest = list(rows.select_related("handle").order_by("-pk")[: 2 * MAX_COPIES])
    # read by their ids alone: with more conditions, SQLite walks every conversation in this state instead
    places = Conversation.objects.filter(pk__in=[post.conversation_id for post in newest if post.conversation_id])
    own = None if member.sees_every_basket is True else set(visible_baskets(member).values_list("pk", flat=True))
    shown = {
        pk
        for pk, state, basket, assignee in places.values_list("pk", "state", "basket_id", "assignee_id")
        if state == Conversation.State.FOLDED and (own is None or basket in own or assignee == member.pk)
    }
    return [post for post in newest if post.conversation_id in shown][:MAX_COPIES]


def _first_to_say_it(talking: list[Post], member: Membership) -> Post | None:
    firsts = [post.copy_of for post in talking if post.copy_of and not post.deleted]
    rows = Post.objects.of(member.workspace_id).filter(pk__in=firsts[:1], deleted=False)
    found = rows.select_related("handle").first() if firsts else None
    if found is None or not visible_conversations(member).filter(pk=found.conversation_id or 0).exists():
        return None
    return found


def judge(post: Post) -> Judgement | None:
    """What the line made of a post that was read together with its outcome; None before that or when unreadable."""
    outcome = getattr(post, "outcome", None)
    if outcome is None:
        return None
    try:
        return msgspec.json.decode(outcome.body, type=Judgement)
    except msgspec.MsgspecError:
        return None


def _place(entry: Entry) -> tuple[dt.datetime, int]:
    return entry.at, entry.post.pk if entry.post else 0


def _entries(said: Said, notes: Iterable[Note], deliveries: list[Delivery], acts: Acts) -> list[Entry]:
    ways = {delivery.external_id: delivery for delivery in deliveries if delivery.external_id}
    replaced = _put_elsewhere(ways, deliveries, acts)
    for delivery in deliveries:
        if delivery.approval.parts:
            ways |= {part.external_id: delivery for part in delivery.parts.all() if part.external_id}
    entries: list[Entry] = []
    above = said.before
    for post in said.posts:
        if post.external_id in replaced:
            continue
        way = ways.pop(post.external_id, None) if post.ours else None
        answered = said.answered.get(post.in_reply_to) if post.in_reply_to else None
        branches = answered is not None and above is not None and answered.pk != above.pk
        entries.append(
            Entry(
                kind="ours" if post.ours else "theirs",
                at=post.sort_at,
                post=post,
                judgement=judge(post),
                delivery=way,
                answers=answered if branches else None,
                answers_unseen=bool(post.in_reply_to) and answered is None,
                done=acts.on_posts.get(post.pk),
                changed=acts.on_sent.get(way.pk) if way else None,
            )
        )
        above = post
    shown = {
        entry.delivery.pk
        for entry in entries
        # a thread that stands in the middle is shown with the posts that have not left
        if entry.delivery and (not entry.delivery.approval.parts or entry.delivery.state == Delivery.State.SENT)
    }
    entries += [Entry("note", note.at, note=note) for note in notes]
    entries += [
        Entry(
            "delivery", delivery.sent_at or delivery.queued_at, delivery=delivery, changed=acts.on_sent.get(delivery.pk)
        )
        for delivery in deliveries
        if delivery.pk not in shown
    ]
    return entries


def _put_elsewhere(ways: dict[str, Delivery], deliveries: list[Delivery], acts: Acts) -> set[str]:
    """Where an edit put a new post in the place of the old one: the old ids; `ways` leads from the new one."""
    gone: set[str] = set()
    for delivery in deliveries:
        changed = acts.on_sent.get(delivery.pk)
        places = [delivery.external_id, *(each.external_id for each in changed.sent_edits)] if changed else []
        newest = next((each for each in reversed(places) if each), "")
        older = {each for each in places if each and each != newest}
        if older:
            ways[newest] = delivery
            gone |= older
    return gone


def speaking_channels(conversation: Conversation) -> list[Channel]:
    """Accounts of ours on the conversation's network: connected ones first, then its own.

    One that is off or must be connected again may be chosen too: the guard holds the reply and says how to mend it, so
    nobody's words wait in the box alone. A channel that is only filled from files has no account. Each says in `asking`
    whether there are rules about who approves.
    """
    asking = ApprovalRule.objects.filter(workspace=OuterRef("workspace"), active=True)
    rows = Channel.objects.of(conversation.workspace_id).annotate(asking=Exists(asking)).select_related("policy")
    found = rows.filter(network=conversation.network).exclude(handle="")
    own = conversation.channel_id
    return sorted(found, key=lambda channel: (channel.state != "connected", channel.pk != own, channel.name))


def colleagues(member: Membership) -> list[Membership]:
    """Active members to whom this one may give a conversation."""
    members = visible_colleagues(member)
    return sorted(
        (member for member in members.select_related("user") if member.may("draft")), key=lambda each: str(each).lower()
    )
