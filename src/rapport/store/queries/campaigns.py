"""Campaigns: the posts that a search finds, what speaks against answering each, who works on what, what came of it."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from django.db.models import Count, QuerySet

from rapport.core.campaigns import Found, Outcome, Reason
from rapport.core.draft import prepare
from rapport.core.felt import mood_number
from rapport.store.models import (
    Campaign,
    CampaignPost,
    Channel,
    Conversation,
    Delivery,
    Membership,
    Post,
    TopicMatch,
    Variant,
)
from rapport.store.queries.desk import within_sight
from rapport.store.queries.outbound import address
from rapport.store.queries.sql import chunks, moment
from rapport.store.queries.topics import READ_AT_MOST, walk

#: posts that a search looks at closely; the newest of those that match
CANDIDATES = 2_000
#: posts of a page of work
PAGE = 40
#: conversations that can be answered
_ANSWERABLE = ("open", "pending", "snoozed", "resolved")
#: what stands in the way of a second answer: everything but what failed or was taken back
_UNDER_WAY = ("queued", "sending", "unconfirmed", "sent", "held")


class Search(NamedTuple):
    """What a search found."""

    #: row ids of posts that match, within the span of time
    posts: list[int]
    #: posts that were looked at
    read: int
    #: there are older posts that nobody looked at, or more that match than are looked at closely
    capped: bool


def search(campaign: Campaign) -> Search:
    """The posts that the query or the topic of a campaign finds. Raises `InvalidQuery`."""
    if not campaign.query.strip():
        return _of_topic(campaign)
    found: list[int] = []
    read = 0
    for looked_at, matching in walk(campaign.workspace_id, campaign.query):
        read += looked_at
        found += [row.id for row in matching if _within(campaign, moment(row.sort_at))]
        if len(found) > CANDIDATES:
            return Search(found[:CANDIDATES], read, True)
    if campaign.topic_id is not None:
        of_topic = set(_matched(campaign).filter(post_id__in=found).values_list("post_id", flat=True))
        found = [post for post in found if post in of_topic]
    return Search(found, read, read >= READ_AT_MOST)


def _of_topic(campaign: Campaign) -> Search:
    rows = _matched(campaign).filter(post_id__in=_spanned(campaign)).order_by("-post_id")
    found = list(rows.values_list("post_id", flat=True)[: CANDIDATES + 1])
    return Search(found[:CANDIDATES], len(found), len(found) > CANDIDATES)


def _matched(campaign: Campaign) -> QuerySet[TopicMatch]:
    return TopicMatch.objects.of(campaign.workspace_id).filter(topic=campaign.topic)


def _spanned(campaign: Campaign) -> QuerySet[Post, int]:
    rows = Post.objects.of(campaign.workspace_id)
    if campaign.since:
        rows = rows.filter(sort_at__gte=campaign.since)
    if campaign.until:
        rows = rows.filter(sort_at__lt=campaign.until)
    return rows.values_list("pk", flat=True)


def _within(campaign: Campaign, said_at: dt.datetime) -> bool:
    after = campaign.since is None or said_at >= campaign.since
    return after and (campaign.until is None or said_at < campaign.until)


# ---------------------------------------------------------------- what speaks against answering


def weigh_found(campaign: Campaign, ids: Sequence[int]) -> list[Found]:
    """Each post with what speaks against answering it now; those that the campaign has already are not among them."""
    rows = list(_read_posts(campaign.workspace_id, ids, campaign))
    talks = {row.conversation_id for row in rows if row.conversation_id}
    answerable = _in_states(campaign.workspace_id, talks)
    said = _newest_words(campaign.workspace_id, talks)
    networks = {channel.network for channel in speaking(campaign)}
    elsewhere = set(
        CampaignPost.objects.of(campaign.workspace_id)
        .filter(campaign__state=Campaign.State.RUNNING, state__in=["waiting", "held"], conversation__in=talks)
        .exclude(campaign=campaign)
        .values_list("conversation_id", flat=True)
    )
    found = []
    for row in rows:
        reason = why_not(row, answerable=answerable, speaking=networks, said=said)
        if reason is None and row.conversation_id in elsewhere:
            reason = "elsewhere"
        found.append(Found(row.pk, row.handle.person_id, row.sort_at, reason))
    return found


def _read_posts(workspace: int, ids: Sequence[int], campaign: Campaign) -> Iterable[Post]:
    had = set(CampaignPost.objects.filter(campaign=campaign).values_list("post_id", flat=True))
    for some in chunks([each for each in ids if each not in had], 500):
        yield from Post.objects.of(workspace).filter(pk__in=some, deleted=False).select_related("handle__person")


def why_not(
    post: Post, *, answerable: Collection[int], speaking: Collection[str], said: Mapping[int, dt.datetime]
) -> Reason | None:
    """Why this post is not answered in a campaign; None = nothing speaks against it.

    `answerable`: conversations that people look at; `speaking`: networks with an account of ours; `said`: conversation
    -> when we last answered in it. `post` comes with its handle and person.
    """
    person, talk = post.handle.person, post.conversation_id
    tests: tuple[tuple[bool, Reason], ...] = (
        (post.ours or post.handle.ours, "ours"),
        (post.kind == "repost", "shared"),
        (talk is None or talk not in answerable, "unopened"),
        (bool(person.suppressed_reason), "suppressed"),
        (person.ignored, "ignored"),
        (post.handle.automated, "automated"),
        (post.network not in speaking, "no-account"),
        (talk is not None and talk in said and said[talk] > post.sort_at, "answered"),
    )
    return next((reason for holds, reason in tests if holds), None)


def why_not_any_more(row: CampaignPost) -> Reason | None:
    """As `why_not`, for one post of a campaign at the moment of its send. `row.post` comes with handle and person."""
    talks = {row.conversation_id}
    return why_not(
        row.post,
        answerable=_in_states(row.workspace_id, talks),
        speaking={channel.network for channel in speaking(row.campaign)},
        said=_newest_words(row.workspace_id, talks),
    )


def _in_states(workspace: int, talks: Collection[int]) -> set[int]:
    found: set[int] = set()
    for some in chunks(sorted(talks), 500):
        rows = Conversation.objects.of(workspace).filter(pk__in=some, state__in=_ANSWERABLE)
        found.update(rows.values_list("pk", flat=True))
    return found


def _newest_words(workspace: int, talks: Collection[int]) -> dict[int, dt.datetime]:
    """Conversation -> when we last spoke in it, or approved what is on its way; a machine's word is none."""
    said: dict[int, dt.datetime] = {}
    for some in chunks(sorted(talks), 500):
        ways = Delivery.objects.of(workspace).filter(conversation__in=some, state__in=_UNDER_WAY)
        ways = ways.filter(approval__machine__isnull=True, approval__kind__isnull=True)
        machines = Delivery.objects.filter(conversation__in=some, approval__machine__isnull=False)
        by_machine = set(machines.exclude(external_id="").values_list("external_id", flat=True))
        posts = Post.objects.of(workspace).filter(conversation_id__in=some, ours=True, deleted=False)
        posts = posts.exclude(kind="repost")
        heard = [
            (talk, at)
            for talk, at, external in posts.values_list("conversation_id", "sort_at", "external_id")
            if external not in by_machine
        ]
        for talk, at in [*heard, *ways.values_list("conversation_id", "queued_at")]:
            if talk is not None and (talk not in said or at > said[talk]):
                said[talk] = at
    return said


def conversations_of(campaign: Campaign, posts: Sequence[int]) -> dict[int, int]:
    """Post -> the conversation that it is in, for those that are in one."""
    found: dict[int, int] = {}
    for some in chunks(posts, 500):
        rows = Post.objects.of(campaign.workspace_id).filter(pk__in=some)
        found.update((post, talk) for post, talk in rows.values_list("pk", "conversation_id") if talk is not None)
    return found


def speaking(campaign: Campaign) -> list[Channel]:
    """Accounts that answer in it: its own one, or all that are connected, by name."""
    rows = Channel.objects.of(campaign.workspace_id).exclude(handle="")
    if campaign.channel_id is not None:
        return list(rows.filter(pk=campaign.channel_id))
    return list(rows.filter(state=Channel.State.CONNECTED).order_by("name", "pk"))


def account_for(row: CampaignPost, accounts: Sequence[Channel]) -> Channel | None:
    """The account that answers this post: that of its conversation where it may, else the first of the network."""
    fit = [channel for channel in accounts if channel.network == row.post.network]
    return next((channel for channel in fit if channel.pk == row.conversation.channel_id), fit[0] if fit else None)


# ---------------------------------------------------------------- the work


def seen_posts(member: Membership, campaign: Campaign) -> QuerySet[CampaignPost]:
    """The posts of a campaign that lie in conversations which this person sees."""
    rows = CampaignPost.objects.of(member.workspace_id).filter(within_sight(member), campaign=campaign)
    return rows.select_related(
        "post__handle__person", "conversation__basket", "conversation__assignee__user", "variant", "assignee__user",
        "by__user", "approval__delivery",
    )  # fmt: skip


def count_states(rows: QuerySet[CampaignPost]) -> dict[str, int]:
    """State -> how many posts."""
    return dict(rows.order_by().values_list("state").annotate(n=Count("pk")))


def listed(member: Membership) -> list[tuple[Campaign, dict[str, int]]]:
    """The campaigns that this person may work on, newest first, each with its posts in sight by state."""
    rows = Campaign.objects.of(member.workspace_id).select_related("made_by__user", "topic").order_by("-at", "-pk")
    if not member.may("campaign"):
        rows = rows.exclude(state=Campaign.State.DRAFT)
    shown = list(rows[:200])
    counted: dict[int, dict[str, int]] = defaultdict(lambda: dict.fromkeys(CampaignPost.State.values, 0))
    posts = CampaignPost.objects.of(member.workspace_id).filter(within_sight(member), campaign__in=shown)
    for campaign, state, n in posts.order_by().values_list("campaign", "state").annotate(n=Count("pk")):
        counted[campaign][state] = n
    return [(row, counted[row.pk]) for row in shown]


def words_for(row: CampaignPost, variant: Variant | None, member: Membership) -> str:
    """What waits in the box of a post: what a colleague wrote there, else its wording with the names filled in."""
    if row.text or variant is None:
        return row.text
    handle = row.post.handle
    text = prepare(
        variant.text,
        name=handle.person.name or handle.name,
        handle=handle.handle,
        agent=member.user.name or member.user.email.partition("@")[0],
        brand=member.workspace.name,
    )
    return address(row.post, text)


# ---------------------------------------------------------------- what came of it


def read_outcomes(campaign: Campaign) -> list[Outcome]:
    """What came of each post that was answered in a campaign: their first word after ours, and its mood."""
    rows = list(
        CampaignPost.objects.of(campaign.workspace_id)
        .filter(campaign=campaign, state=CampaignPost.State.SENT)
        .exclude(approval__delivery__state__in=["failed", "cancelled"])
        .select_related("post__handle", "post__outcome", "approval__delivery")
    )
    first: dict[int, Post] = {}
    talks: dict[int, list[CampaignPost]] = defaultdict(list)
    for row in rows:
        talks[row.conversation_id].append(row)
    for some in chunks(sorted(talks), 500):
        theirs = Post.objects.of(campaign.workspace_id).filter(conversation_id__in=some, ours=False, deleted=False)
        theirs = theirs.filter(sort_at__gt=min(_left_at(row) for talk in some for row in talks[talk]))
        theirs = theirs.exclude(kind="repost").select_related("handle", "outcome").order_by("sort_at", "pk")
        for post in theirs:
            for row in talks[post.conversation_id or 0]:
                if post.handle.person_id == row.post.handle.person_id and post.sort_at > _left_at(row):
                    first.setdefault(row.pk, post)
    return [_outcome(row, first.get(row.pk)) for row in rows]


def _left_at(row: CampaignPost) -> dt.datetime:
    """When our word went out, or was approved where it has not yet."""
    delivery = row.approval.delivery if row.approval else None
    at = (delivery.sent_at or delivery.queued_at) if delivery else row.decided_at
    return at or row.post.sort_at


def _outcome(row: CampaignPost, answer: Post | None) -> Outcome:
    return Outcome(
        variant=row.variant_id,
        answered_after=(answer.sort_at - _left_at(row)).total_seconds() if answer else None,
        mood_before=_mood(row.post),
        mood_after=_mood(answer) if answer else None,
    )


def _mood(post: Post) -> int | None:
    number = mood_number(post.outcome.sentiment) if hasattr(post, "outcome") else 0
    return number - 2 if number else None
