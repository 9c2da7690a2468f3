"""Discretion: the articles beside a conversation, what somebody may offer, what was offered, and what came of it."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache
from typing import Literal

import msgspec
from django.db.models import OuterRef, Q, QuerySet, Subquery

from rapport.core.likeness import Index
from rapport.core.offers import Limit, Money, highest_above, sums_in
from rapport.core.unfit import Unfit, find_unfit, gifts_in
from rapport.store.models import (
    Allowance,
    Article,
    ArticleTopic,
    Conversation,
    Membership,
    Offer,
    Outcome,
    Post,
    Task,
    TopicMatch,
)
from rapport.store.models.scoped import ScopedQuerySet
from rapport.store.queries.desk import within_sight
from rapport.store.queries.marks import EVERYTHING, Marks

#: articles shown beside a conversation; of these, how many for their words alone, and how alike they must be
BESIDE = 4
ALIKE, LEAST = 2, 0.2
#: articles of a workspace that are looked through, the newest
MOST_ARTICLES = 200
#: posts of a conversation whose topics count, the newest
NEWEST = 50
#: posts of theirs in which a voucher is looked for that they did not want, the newest
THEIRS = 20
#: offers shown beside a conversation, and on a page
SHOWN, PAGE = 20, 100
#: offers of one report
COUNTED = 5_000

Tab = Literal["asked", "open", "past"]
TABS: tuple[Tab, ...] = ("asked", "open", "past")
_STATES: dict[Tab, tuple[str, ...]] = {
    "asked": (Offer.State.ASKED,),
    "open": (Offer.State.ALLOWED, Offer.State.OFFERED, Offer.State.AGREED),
    "past": (Offer.State.REFUSED, Offer.State.DECLINED, Offer.State.KEPT, Offer.State.BROKEN),
}
State = Offer.State


class Beside(msgspec.Struct, frozen=True):
    """What policy has to say beside one conversation."""

    articles: list[Article] = []
    #: newest first
    offers: list[Offer] = []
    #: everything that can be offered at this desk -> the member's own limit; None = they have to ask
    limits: dict[str, Limit | None] = {}


class Result(msgspec.Struct, frozen=True):
    """What became of the offers of one kind in one currency."""

    what: str
    currency: str
    made: int = 0
    agreed: int = 0
    declined: int = 0
    kept: int = 0
    broken: int = 0
    #: of those that were asked for
    refused: int = 0
    #: sum of what was agreed
    amount: Decimal = Decimal(0)
    #: how many spoke before and after it, and how many of these in a better or a worse mood
    heard: int = 0
    better: int = 0
    worse: int = 0

    @property
    def share(self) -> float | None:
        """Agreed, of those that have an answer."""
        answered = self.agreed + self.declined
        return self.agreed / answered if answered else None


def visible_articles(member: Membership) -> ScopedQuerySet[Article]:
    """What this member may read: policy is for colleagues; somebody of another firm reads what may be said outside."""
    rows = Article.objects.of(member.workspace_id)
    return rows.filter(kind=Article.Kind.HELP) if member.is_outside else rows


def beside(member: Membership, conversation: Conversation, marks: Marks = EVERYTHING) -> Beside:
    """Everything of it; `marks`: what there is, to read nothing else."""
    return Beside(
        articles=articles_beside(member, conversation) if marks.articles else [],
        offers=offers_of(conversation) if marks.offers else [],
        limits=limits_beside(member) if marks.allowances else {},
    )


def articles_beside(member: Membership, conversation: Conversation) -> list[Article]:
    """The articles of the topics of its newest posts, those of the most posts first; then, where there is room, those
    that speak of the same matter as their newest word.
    """
    posts = Post.objects.of(member.workspace_id).filter(conversation_id=conversation.pk, deleted=False)
    newest = list(posts.order_by("-sort_at").values_list("pk", "ours", "text")[:NEWEST])
    counts: dict[int, int] = defaultdict(int)
    for topic in TopicMatch.objects.filter(post__in=[pk for pk, *_ in newest]).values_list("topic", flat=True):
        counts[topic] += 1
    reached: dict[int, int] = defaultdict(int)
    if counts:
        for article, topic in ArticleTopic.objects.filter(topic__in=counts).values_list("article", "topic"):
            reached[article] = max(reached[article], counts[topic])
    said = Outcome.objects.filter(post__in=[pk for pk, *_ in newest[:5]])
    languages = {*said.values_list("language", flat=True), ""}
    # in another language than theirs it is better than nothing, and comes last
    rows = list(visible_articles(member).filter(active=True).order_by("-changed_at", "-pk")[:MOST_ARTICLES])
    found = [row for row in rows if row.pk in reached]
    found.sort(key=lambda row: (row.language not in languages, -reached[row.pk], row.title.lower()))
    theirs = next((text for _, ours, text in newest if not ours), "")
    return [*found[:BESIDE], *_alike([row for row in rows if row.pk not in reached], theirs)][:BESIDE]


def _alike(rows: list[Article], text: str) -> list[Article]:
    """The articles among `rows` that are about the same thing as a text."""
    if not rows or not text:
        return []
    near = _index(tuple(f"{row.title} {row.text}" for row in rows)).nearest(text, ALIKE, LEAST)
    return [rows[each.position] for each in near]


@lru_cache(maxsize=16)
def _index(texts: tuple[str, ...]) -> Index:
    """Made once for the same texts: nothing of it can be out of date."""
    return Index(texts)


def limits_of(member: Membership) -> dict[str, Limit]:
    """What the member's role may offer by its own judgement."""
    rows = Allowance.objects.of(member.workspace_id).filter(role=member.role)
    return {row.what: Limit(row.what, row.most, row.currency) for row in rows}


def limits_beside(member: Membership) -> dict[str, Limit | None]:
    """Everything that anybody here may offer -> the member's own limit; None where they ask."""
    found: dict[str, Limit | None] = {}
    decides = member.may("allow") is True
    for row in Allowance.objects.of(member.workspace_id).order_by("what"):
        found.setdefault(row.what, Limit(row.what) if decides else None)
        if row.role == member.role:
            found[row.what] = Limit(row.what, row.most, row.currency)
    return found


def offers_of(conversation: Conversation) -> list[Offer]:
    """What was offered in a conversation, newest first."""
    rows = Offer.objects.of(conversation.workspace_id).filter(conversation=conversation)
    return list(rows.select_related("by__user", "decided_by__user").order_by("-at", "-pk")[:SHOWN])


def visible_offers(member: Membership) -> ScopedQuerySet[Offer]:
    """Offers of conversations in sight; whoever decides sees those whose conversation is gone, too."""
    rows = Offer.objects.of(member.workspace_id)
    return rows if member.may("allow") is True else rows.filter(within_sight(member))


def count_asked(member: Membership) -> int:
    """How many offers wait for somebody's decision."""
    return Offer.objects.of(member.workspace_id).filter(state=State.ASKED).count()


def list_offers(member: Membership, tab: Tab) -> list[Offer]:
    """The offers of one tab: what waits, the longest first; else the newest first."""
    rows = visible_offers(member).filter(state__in=_STATES[tab])
    ordered = rows.order_by("at", "pk") if tab == "asked" else rows.order_by("-at", "-pk")
    return list(ordered.select_related("by__user", "decided_by__user", "person", "conversation")[:PAGE])


def settled_sums(conversation: Conversation) -> list[tuple[Decimal, str]]:
    """(amount, currency) of offers here that may be said: within the limit when they were made, or allowed."""
    said = (State.ALLOWED, State.OFFERED, State.AGREED, State.KEPT, State.BROKEN)
    rows = Offer.objects.of(conversation.workspace_id).filter(conversation=conversation, state__in=said)
    return [(amount, currency) for amount, currency in rows.values_list("amount", "currency") if amount is not None]


def declined_kinds(workspace: int, person: int) -> frozenset[str]:
    """What somebody was offered and did not want."""
    rows = Offer.objects.of(workspace).filter(person=person, state=State.DECLINED)
    return frozenset(rows.values_list("what", flat=True))


def sum_above(member: Membership, conversation: Conversation, text: str, target: Post | None) -> Money | None:
    """The highest sum in a reply that is above what the member may offer, and that no lead allowed here."""
    if not sums_in(text):
        return None
    limits = limits_of(member)
    if not limits:
        return None
    return highest_above(text, target.text if target else "", limits, settled_sums(conversation))


def unfit_in(text: str, conversation: Conversation, person: int) -> Unfit | None:
    """Why a voucher or discount that a reply offers does not fit whom it answers, by their newest words here and by
    what they declined before. Nothing is read where it offers none.
    """
    if not gifts_in(text):
        return None
    theirs = Post.objects.of(conversation.workspace_id).filter(
        conversation_id=conversation.pk, ours=False, deleted=False, handle__person=person
    )
    said = list(theirs.order_by("-sort_at").values_list("text", flat=True)[:THEIRS])
    return find_unfit(text, said, declined_kinds(conversation.workspace_id, person))


def open_asks(offer: Offer) -> QuerySet[Task]:
    """The tasks that still ask for the outcome of an offer."""
    return Task.objects.of(offer.workspace_id).filter(offer=offer, done_at__isnull=True)


def promised_to(
    member: Membership, person: int, most: int = 5, but: int | None = None
) -> tuple[list[Task], list[Offer]]:
    """What stands promised to a person: tasks with them by date, and offers that they agreed to or were told of.

    but: a conversation that is left out.
    """
    tasks = Task.objects.of(member.workspace_id).filter(person=person, done_at__isnull=True, kind=Task.Kind.TASK)
    offers = Offer.objects.of(member.workspace_id).filter(person=person, state__in=(State.OFFERED, State.AGREED))
    if member.sees_every_basket is not True:
        tasks = tasks.filter(within_sight(member) | Q(assignee=member))
        offers = offers.filter(within_sight(member))
    if but is not None:
        # of rows without a conversation, `exclude` would be unsure
        tasks = tasks.filter(Q(conversation__isnull=True) | ~Q(conversation=but))
        offers = offers.filter(Q(conversation__isnull=True) | ~Q(conversation=but))
    dated = tasks.filter(due_at__isnull=False, offer=None).select_related("assignee__user").order_by("due_at")
    return list(dated[:most]), list(offers.select_related("by__user").order_by("-at")[:most])


# ---------------------------------------------------------------- what came of it

_MOOD = {"negative": -1, "neutral": 0, "positive": 1}


def report(workspace: int, since: dt.datetime, until: dt.datetime) -> list[Result]:
    """What became of the offers made in a time, by kind and currency, the most frequent first; at most `COUNTED`."""
    theirs = Outcome.objects.filter(
        post__conversation_id=OuterRef("conversation_id"), post__ours=False, post__deleted=False
    )
    before = theirs.filter(post__sort_at__lte=OuterRef("at")).order_by("-post__sort_at")
    after = theirs.filter(post__sort_at__gt=OuterRef("at")).order_by("post__sort_at")
    rows = Offer.objects.of(workspace).filter(at__gte=since, at__lt=until).order_by("-at")
    told = rows.annotate(
        mood_before=Subquery(before.values("sentiment")[:1]), mood_after=Subquery(after.values("sentiment")[:1])
    ).values_list("what", "currency", "state", "amount", "mood_before", "mood_after")
    return sorted(_summed(told[:COUNTED]), key=lambda each: (-each.made, each.what, each.currency))


def _summed(rows: Iterable[tuple[str, str, str, Decimal | None, str | None, str | None]]) -> list[Result]:
    counts: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    amounts: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    names = ("made", "agreed", "declined", "kept", "broken", "refused", "heard", "better", "worse")
    agreed = (State.AGREED, State.KEPT, State.BROKEN)
    for what, currency, state, amount, before, after in rows:
        kind = counts[what, currency]
        kind["made"] += state not in (State.ASKED, State.REFUSED, State.ALLOWED)
        kind["agreed"] += state in agreed
        if state in (State.DECLINED, State.KEPT, State.BROKEN, State.REFUSED):
            kind[state] += 1
        if state in agreed and amount is not None:
            amounts[what, currency] += amount
        if before in _MOOD and after in _MOOD:
            change = _MOOD[after] - _MOOD[before]
            kind["heard"] += 1
            kind["better"] += change > 0
            kind["worse"] += change < 0
    return [
        msgspec.structs.replace(Result(*key), amount=amounts[key], **{name: kind[name] for name in names})
        for key, kind in counts.items()
    ]
