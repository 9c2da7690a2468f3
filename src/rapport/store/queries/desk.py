"""Reads of the desk: baskets with counts, lists of conversations."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import msgspec
from django.db.models import (
    Aggregate,
    Case,
    Count,
    Exists,
    ExpressionWrapper,
    F,
    FloatField,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Value,
    When,
)
from django.db.models.expressions import CombinedExpression

from rapport.core import score
from rapport.core.score import SHIPPED, Weights
from rapport.store.models import Basket, BasketMember, Conversation, Handle, Membership, Outcome, Post
from rapport.store.models.scoped import ScopedQuerySet
from rapport.store.queries.accounts import of_automated
from rapport.store.queries.felt import Shares, counters, has_intent, has_mood, shares_in
from rapport.store.queries.prepared import Prepared, PreparedCounts
from rapport.store.queries.sql import moment
from rapport.store.queries.tags import tags_of

Tab = Literal["mine", "unassigned", "all"]
Sort = Literal["pressing", "due", "waiting", "newest", "oldest", "created"]

#: an open conversation that waits longer is shown in red
LATE_AFTER = dt.timedelta(hours=1)
#: what each step of priority adds to the score when a list is sorted by what presses most, so that a rule's word
#: outweighs a shade of the score
PRIORITY_POINTS = 20.0
PAGE = 50
#: a list of more is counted no further: this number stands for "so many or more"
MOST_COUNTED = 10_000
#: the states that a list shows
LISTED = ("open", "pending", "snoozed", "resolved")
#: the states that it can be asked for: near-copies stand in a list as the count of the first one, unless asked for
ON_REQUEST = (*LISTED, "folded")


class BasketCount(msgspec.Struct, frozen=True):
    """One basket in the navigation."""

    id: int
    slug: str
    name: str
    tone: str
    open: int
    #: of the open ones, how many wait longer than `LATE_AFTER`
    late: int


class Counted(NamedTuple):
    """Conversations of one basket in one state."""

    found: int
    #: of these, how many wait longer than `LATE_AFTER`
    late: int = 0
    #: of these, how many complain, and how many are praise in a good mood
    complaints: int = 0
    praise: int = 0


class Row(msgspec.Struct, frozen=True):
    """One conversation in a list."""

    conversation: Conversation
    #: the account they wrote from, with its followers
    handle: Handle | None
    #: how many shared it, and how many of these accounts look automated
    reposts: int
    machines: int = 0
    #: what rules and colleagues put on it
    tags: tuple[str, ...] = ()


class Tally(msgspec.Struct, frozen=True):
    """The numbers above a list; `MOST_COUNTED` stands for that or more."""

    mine: int
    unassigned: int
    all: int
    #: since when the longest waiting one waits
    oldest: dt.datetime | None


def visible_baskets(member: Membership) -> ScopedQuerySet[Basket]:
    """The baskets that this person may know of: all from lead upwards, else those opened to them."""
    rows = Basket.objects.of(member.workspace_id)
    if member.sees_every_basket is True:
        return rows
    own = BasketMember.objects.of(member.workspace_id).filter(membership=member)
    return rows.filter(pk__in=own.values("basket"))


def visible_colleagues(member: Membership) -> ScopedQuerySet[Membership]:
    """The active members whom this person may know of: all; for somebody of another firm those of their baskets."""
    rows = Membership.objects.of(member.workspace_id).filter(active=True, user__is_active=True)
    if not member.is_outside:
        return rows
    near = BasketMember.objects.of(member.workspace_id).filter(basket__in=visible_baskets(member).values("pk"))
    return rows.filter(Q(pk__in=near.values("membership")) | Q(pk=member.pk))


def visible_conversations(member: Membership) -> ScopedQuerySet[Conversation]:
    """The conversations that this person may know of: all from lead upwards, else own baskets and what is theirs."""
    rows = Conversation.objects.of(member.workspace_id)
    return rows if member.sees_every_basket is True else _open_to(rows, member.workspace_id, member.pk)


def _open_to(rows: ScopedQuerySet[Conversation], workspace: int, member: int) -> ScopedQuerySet[Conversation]:
    """Those in the baskets of a member who does not see all, and those that were given to them."""
    own = BasketMember.objects.of(workspace).filter(membership=member)
    return rows.filter(Q(basket__in=own.values("basket")) | Q(assignee=member))


def within_sight(member: Membership) -> Q:
    """`visible_conversations` as a condition on rows that are about a conversation, by their column of that name.

    It reads the conversation of each such row. A test of being among all that are visible makes SQLite gather every
    conversation of the workspace first.
    """
    if member.sees_every_basket is True:
        return Q(conversation__isnull=False)
    own = BasketMember.objects.of(member.workspace_id).filter(membership=member)
    return Q(conversation__basket__in=own.values("basket")) | Q(conversation__assignee=member)


def count_by_basket(member: Membership, now: dt.datetime) -> dict[tuple[int, str], Counted]:
    """(basket id, state) -> conversations, for open and quarantined ones."""
    late = now - LATE_AFTER
    if member.sees_every_basket is True:
        counted = _COUNTED.rows(member.workspace_id, late)
    else:
        counted = _COUNTED_OWN.rows(member.workspace_id, late, member.pk)
    return {(basket or 0, state): Counted(*numbers) for basket, state, *numbers in counted}


def _counted(workspace: int, late: dt.datetime) -> QuerySet[Conversation, tuple[Any, ...]]:
    return _by_basket(Conversation.objects.of(workspace), late)


def _counted_own(workspace: int, late: dt.datetime, member: int) -> QuerySet[Conversation, tuple[Any, ...]]:
    return _by_basket(_open_to(Conversation.objects.of(workspace), workspace, member), late)


def _by_basket(rows: ScopedQuerySet[Conversation], late: dt.datetime) -> QuerySet[Conversation, tuple[Any, ...]]:
    return (
        rows.filter(state__in=[Conversation.State.OPEN, Conversation.State.QUARANTINED], basket__isnull=False)
        .order_by()
        .values_list("basket", "state")
        .annotate(
            found=Count(Value(1)),
            late=Count(Value(1), filter=Q(waiting_since__lt=late)),
            complaints=Count(Value(1), filter=has_intent("complaint")),
            praise=Count(Value(1), filter=has_intent("praise") & has_mood("positive")),
        )
    )


_COUNTED = Prepared(_counted, int, dt.datetime)
_COUNTED_OWN = Prepared(_counted_own, int, dt.datetime, int)


def counted_baskets(baskets: Iterable[Basket], counts: dict[tuple[int, str], Counted]) -> list[BasketCount]:
    """Baskets in their order, with the open conversations of each."""
    return [
        BasketCount(basket.pk, basket.slug, basket.name, basket.tone, *counts.get((basket.pk, "open"), Counted(0))[:2])
        for basket in baskets
    ]


def tally(rows: ScopedQuerySet[Conversation], member: Membership) -> Tally:
    """How many of `rows` are whose, each at most `MOST_COUNTED`: one query, and three more where there are so many."""
    return _tally_in(rows.order_by()[:MOST_COUNTED].aggregate(**_tally_counters(member)), rows, member)


def tally_with_shares(
    rows: ScopedQuerySet[Conversation], member: Membership, place: tuple[int, str] | None = None
) -> tuple[Tally, Shares]:
    """`tally` and the shares of a list that is narrowed to nothing, in one query.

    `place`: the rows are all of one basket (row id) in one state; this is asked most, and compiled once.
    """
    if place is None:
        found = rows.order_by()[:MOST_COUNTED].aggregate(**_tally_counters(member), **counters())
        return _tally_in(found, rows, member), shares_in(found, MOST_COUNTED)
    basket, state = place
    found = _counts_in_state(state).counts(member.workspace_id, basket, member.pk)
    found["oldest"] = moment(found["oldest"]) if found["oldest"] else None
    shares = shares_in(found, MOST_COUNTED)
    if found["all"] < MOST_COUNTED:
        return Tally(found["mine"], found["unassigned"], found["all"], found["oldest"]), shares
    for tab in ("mine", "unassigned"):
        found |= _count_of_tab(state, tab).counts(member.workspace_id, basket, member.pk)
    return Tally(found["mine"], found["unassigned"], found["all"], _oldest(rows)), shares


@functools.cache
def _counts_in_state(state: str) -> PreparedCounts:
    def build(workspace: int, basket: int, member: int) -> tuple[ScopedQuerySet[Conversation], dict[str, Aggregate]]:
        rows = in_state(Conversation.objects.of(workspace).filter(basket=basket), state)
        return rows.order_by()[:MOST_COUNTED], {**_tally_counters(member), **counters()}

    return PreparedCounts(build, int, int, int)


@functools.cache
def _count_of_tab(state: str, tab: Tab) -> PreparedCounts:
    def build(workspace: int, basket: int, member: int) -> tuple[ScopedQuerySet[Conversation], dict[str, Aggregate]]:
        rows = in_state(Conversation.objects.of(workspace).filter(basket=basket), state)
        return of_tab(rows.order_by(), tab, member)[:MOST_COUNTED], {tab: Count("pk")}

    return PreparedCounts(build, int, int, int)


def _tally_counters(member: Membership | int) -> dict[str, Aggregate]:
    return {
        "mine": Count("pk", filter=Q(assignee=member)),
        "unassigned": Count("pk", filter=Q(assignee__isnull=True)),
        "all": Count("pk"),
        "oldest": Min("waiting_since"),
    }


def _tally_in(found: Mapping[str, Any], rows: ScopedQuerySet[Conversation], member: Membership) -> Tally:
    mine, unassigned, oldest = found["mine"], found["unassigned"], found["oldest"]
    if found["all"] == MOST_COUNTED:
        mine = of_tab(rows.order_by(), "mine", member)[:MOST_COUNTED].count()
        unassigned = of_tab(rows.order_by(), "unassigned", member)[:MOST_COUNTED].count()
        oldest = _oldest(rows)
    return Tally(mine, unassigned, found["all"], oldest)


def _oldest(rows: ScopedQuerySet[Conversation]) -> dt.datetime | None:
    waiting = rows.filter(waiting_since__isnull=False).order_by("waiting_since")
    return waiting.values_list("waiting_since", flat=True).first()


def in_state(rows: ScopedQuerySet[Conversation], state: str) -> ScopedQuerySet[Conversation]:
    """The rows in one state; near-copies that the rules put aside stay in the quarantine, with the first of them."""
    rows = rows.filter(state=state)
    if state != Conversation.State.FOLDED:
        return rows
    return rows.exclude(Exists(Outcome.objects.filter(post=OuterRef("decided_by"), quarantined=True)))


def of_tab(rows: ScopedQuerySet[Conversation], tab: Tab, member: Membership | int) -> ScopedQuerySet[Conversation]:
    """The rows of one tab."""
    if tab == "mine":
        return rows.filter(assignee=member)
    if tab == "unassigned":
        return rows.filter(assignee__isnull=True)
    return rows


def in_order(
    rows: ScopedQuerySet[Conversation], sort: Sort, now: dt.datetime, weights: Weights = SHIPPED
) -> ScopedQuerySet[Conversation]:
    """`pressing`: score + points for priority and for waiting; `due`: whose promise runs out first, then those without
    one; `waiting`: who waits longest; `newest` and `oldest`: by their last post; `created`: the conversation that began
    last.
    """
    if sort == "due":
        return rows.order_by(F("due_at").asc(nulls_last=True), F("waiting_since").asc(nulls_last=True), "pk")
    if sort == "waiting":
        return rows.order_by(F("waiting_since").asc(nulls_last=True), "pk")
    if sort == "newest":
        return rows.order_by(F("last_post_at").desc(nulls_last=True), "-pk")
    if sort == "created":
        return rows.order_by("-pk")  # rows are made as conversations begin
    if sort == "oldest":
        return rows.order_by(F("last_post_at").asc(nulls_last=True), "pk")
    return rows.order_by(presses(now, weights).desc(), F("waiting_since").asc(nulls_last=True), "pk")


def presses(now: dt.datetime, weights: Weights) -> ExpressionWrapper[CombinedExpression]:
    """What a list is sorted by, in the database: `pressure` of each row."""
    waited = Case(
        *(
            When(waiting_since__lte=now - dt.timedelta(minutes=least), then=Value(score.waiting_points(least, weights)))
            for least, _share in score.WAITING_STEPS
        ),
        default=Value(0.0),
        output_field=FloatField(),
    )
    return ExpressionWrapper(F("score") + F("priority") * PRIORITY_POINTS + waited, output_field=FloatField())


def pressure(conversation: Conversation, now: dt.datetime, weights: Weights = SHIPPED) -> float:
    """What decides the place of one conversation among the most pressing."""
    waited = waiting_points(conversation.waiting_since, now, weights)
    return conversation.score + conversation.priority * PRIORITY_POINTS + waited


def waiting_points(waiting_since: dt.datetime | None, now: dt.datetime, weights: Weights = SHIPPED) -> float:
    """What waiting adds to the score of one conversation."""
    if waiting_since is None:
        return 0.0
    return score.waiting_points((now - waiting_since) / dt.timedelta(minutes=1), weights)


def _due_first(rows: ScopedQuerySet[Conversation], limit: int) -> list[int]:
    """The first `limit` in the order `due`: the few with a promise by their own index, the others as they wait."""
    waiting = F("waiting_since").asc(nulls_last=True)
    promised = rows.filter(due_at__isnull=False).order_by("due_at", waiting, "pk")
    first = list(promised.values_list("pk", flat=True)[:limit])
    if len(first) == limit:
        return first
    # all that are promised something are found by now: no row has to be read to leave them out
    others = rows.order_by(waiting, "pk").values_list("pk", flat=True)[: limit + len(first)]
    known = set(first)
    return [*first, *(pk for pk in others if pk not in known)][:limit]


def list_rows(rows: ScopedQuerySet[Conversation], limit: int, sort: Sort | None = None) -> tuple[list[Row], bool]:
    """The first `limit` of the ordered `rows` with what a list shows of each, and whether there are more.

    Five queries, however long the list is: the order is found on an index alone, then whole rows are read by id.
    """
    found = _due_first(rows, limit + 1) if sort == "due" else list(rows.values_list("pk", flat=True)[: limit + 1])
    read = Conversation.objects.filter(pk__in=found[:limit]).select_related("person", "basket", "assignee__user")
    by_id = {each.pk: each for each in read}
    shown = [by_id[pk] for pk in found[:limit] if pk in by_id]
    handles = _writing_handles(shown)
    reposts = _count_reposts(shown)
    tags = tags_of([each.pk for each in shown])
    return [
        Row(
            each, handles.get((each.person_id or 0, each.network)), *reposts.get(each.pk, (0, 0)), tags.get(each.pk, ())
        )
        for each in shown
    ], len(found) > limit


def _writing_handles(shown: Sequence[Conversation]) -> dict[tuple[int, str], Handle]:
    if not shown:
        return {}
    people = {each.person_id for each in shown if each.person_id}
    handles = Handle.objects.filter(person__in=people)
    return {(handle.person_id, handle.network): handle for handle in handles}


def _count_reposts(shown: Sequence[Conversation]) -> dict[int, tuple[int, int]]:
    if not shown:
        return {}
    # the conversations are this workspace's; naming it again leads SQLite to the index of the whole workspace
    reposts = Post.objects.filter(conversation_id__in=[each.pk for each in shown], kind="repost", deleted=False)
    machines = Count("pk", filter=of_automated("handle"))
    counted = reposts.order_by().values_list("conversation_id").annotate(found=Count("pk"), machines=machines)
    return {conversation or 0: (found, automated) for conversation, found, automated in counted}


def in_sight(
    member: Membership, conversations: Sequence[int], states: Collection[str] = frozenset(LISTED)
) -> list[int]:
    """Those of `conversations` (row ids) that a list can show to `member`, in the given order: `visible_conversations`
    in one of `states`, decided on rows that were read by their id.
    """
    if not conversations:
        return []
    # with more conditions, SQLite (which has no statistics) walks all rows in these states instead of reading some ids
    rows = Conversation.objects.filter(pk__in=conversations)
    read = rows.values_list("pk", "workspace_id", "state", "decided_by", "basket_id", "assignee_id")
    listed = {pk: row for pk, workspace, state, *row in read if workspace == member.workspace_id and state in states}
    if Conversation.State.FOLDED in states:
        aside = Outcome.objects.filter(post__in=[decided for decided, *_ in listed.values()], quarantined=True)
        hidden = set(aside.values_list("post_id", flat=True))
        listed = {pk: row for pk, row in listed.items() if row[0] not in hidden}
    if member.sees_every_basket is True:
        return [each for each in conversations if each in listed]
    own = set(visible_baskets(member).values_list("pk", flat=True))
    seen = {pk for pk, (_, basket, assignee) in listed.items() if basket in own or assignee == member.pk}
    return [each for each in conversations if each in seen]
