"""The acknowledgement: where it is turned on, what it is weighed by, and what it did."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

import msgspec
from django.db.models import Q

from rapport.core.acknowledge import FRESH, REST, Wish
from rapport.core.guard.autonomy import ActFacts
from rapport.store.models import (
    Acknowledgement,
    AcknowledgementSettings,
    Approval,
    Channel,
    Conversation,
    Delivery,
    Post,
    Workspace,
)
from rapport.store.queries.conversations import read_words, refresh
from rapport.store.queries.effects import Fired
from rapport.store.queries.threads import Linked

#: conversations of each kind that are looked at for the measure, newest first
MOST_MEASURED = 2_000
#: they came back within this time; they moved to mail within this time
BACK, MOVED = dt.timedelta(days=1), dt.timedelta(days=7)
_ALIVE = (Delivery.State.QUEUED, Delivery.State.SENDING, Delivery.State.UNCONFIRMED, Delivery.State.SENT)


def plan_of(workspace_id: int) -> AcknowledgementSettings | None:
    """What an admin turned on; None where it is off."""
    rows = AcknowledgementSettings.objects.of(workspace_id).filter(enabled=True)
    return rows.select_related("changed_by__user", "workspace").first()


def settings_of(workspace: Workspace, now: dt.datetime) -> AcknowledgementSettings:
    """The settings as they stand; those that ship, not saved, where nobody has changed them."""
    found = AcknowledgementSettings.objects.of(workspace).select_related("changed_by__user").first()
    return found or AcknowledgementSettings(workspace=workspace, changed_at=now)


def read_wishes(
    workspace_id: int, fired: Collection[Fired], facts: dict[int, ActFacts], now: dt.datetime
) -> dict[int, Wish]:
    """Row id of the post -> what is known of it, in five queries for a batch."""
    numbers = {each.conversation for each in fired}
    talks = Conversation.objects.of(workspace_id).select_related("basket", "channel").in_bulk(numbers)
    said = set(Acknowledgement.objects.filter(conversation__in=numbers).values_list("conversation_id", flat=True))
    people = set(
        Acknowledgement.objects.of(workspace_id)
        .filter(conversation__person__in={each.person for each in fired}, at__gt=now - REST)
        .values_list("conversation__person_id", flat=True)
    )
    ours = Post.objects.of(workspace_id).filter(conversation_id__in=numbers, ours=True, deleted=False)
    on_the_way = Delivery.objects.of(workspace_id).filter(conversation__in=numbers, state__in=_ALIVE)
    answered = {
        *ours.values_list("conversation_id", flat=True),
        *on_the_way.filter(approval__machine__isnull=True, approval__kind__isnull=True).values_list(
            "conversation_id", flat=True
        ),
    }
    return {
        each.post: Wish(
            post=each.said,
            basket=basket.slug if (basket := talks[each.conversation].basket) else "",
            state=talks[each.conversation].state,
            facts=facts[each.post],
            handles={*map(str.lower, each.outcome.handles), talks[each.conversation].channel.handle.lower()} - {""},
            said=each.conversation in said or each.person in people,
            answered=each.conversation in answered - said,
        )
        for each in fired
        if each.conversation in talks
    }


def why_not_now(approval: Approval, queued_at: dt.datetime, now: dt.datetime) -> str:
    """Why a machine's word must not leave at this moment any more; "" = it may."""
    word = approval.standing_word
    plan = plan_of(approval.workspace_id)
    if plan is None or word is None or not word.may("channels"):
        return "The acknowledgement was turned off, or whoever turned it on may not do so any more."
    if queued_at < now - FRESH:
        return "It is older than an hour: an automatic word that comes late helps nobody."
    rows = Post.objects.of(approval.workspace_id).filter(conversation_id=approval.conversation_id, ours=True)
    by_people = Delivery.objects.of(approval.workspace_id).filter(
        conversation=approval.conversation_id,
        approval__machine__isnull=True,
        approval__kind__isnull=True,
        state__in=_ALIVE,
    )
    if rows.exists() or by_people.exists():
        return "A person has answered meanwhile."
    return ""


def refresh_acknowledged(delivery: Delivery, now: dt.datetime) -> None:
    """What the network told of our word before we knew its id may have looked like an answer: they wait still."""
    number = delivery.conversation_id
    words = read_words([number]).get(number) if number else None
    if not words or not number:
        return
    linked = Linked()
    linked.conversations = {words[0].post: number}
    refresh(delivery.workspace_id, linked, {}, now)
    Conversation.objects.filter(
        pk=number, state=Conversation.State.PENDING, waiting_since__isnull=False
    ).update(state=Conversation.State.OPEN)  # fmt: skip


# ---------------------------------------------------------------- what it did


class Followed(msgspec.Struct, frozen=True):
    """What became of a group of conversations after their first word, in numbers."""

    conversations: int = 0
    #: the person wrote again in it within `BACK`
    back: int = 0
    #: the person wrote us a mail within `MOVED`
    mailed: int = 0
    #: of those who wrote again: whose next word felt worse, and whose felt better
    angrier: int = 0
    calmer: int = 0

    def share(self, number: int) -> float:
        """Of the conversations, 0 to 1."""
        return number / self.conversations if self.conversations else 0.0


class Measure(msgspec.Struct, frozen=True):
    """Those that were acknowledged beside those in the same baskets and time that were not."""

    days: int
    acknowledged: Followed
    others: Followed
    #: of the deliveries: how many left, and how many were dropped
    sent: int
    dropped: int


def measure(workspace: Workspace, baskets: Collection[str], now: dt.datetime, days: int = 30) -> Measure:
    """What the acknowledgement did within the last days; without baskets, all are compared."""
    since = now - dt.timedelta(days=days)
    rows = Conversation.objects.of(workspace).filter(opened_at__gt=since, person__isnull=False).exclude(state="merged")
    if baskets:
        rows = rows.filter(Q(basket__slug__in=baskets) | Q(acknowledgement__isnull=False))
    made = Delivery.objects.of(workspace).filter(approval__machine="acknowledgement", queued_at__gt=since)
    done = rows.filter(acknowledgement__delivery__state=Delivery.State.SENT)
    return Measure(
        days,
        _follow(workspace, list(done.order_by("-pk").values_list("pk", "person_id")[:MOST_MEASURED])),
        _follow(
            workspace,
            list(
                rows.filter(acknowledgement__isnull=True).order_by("-pk").values_list("pk", "person_id")[:MOST_MEASURED]
            ),
        ),
        made.filter(state=Delivery.State.SENT).count(),
        made.filter(state=Delivery.State.CANCELLED).count(),
    )


_FEELS = {"negative": -1, "neutral": 0, "positive": 1}


def _follow(workspace: Workspace, talks: list[tuple[int, int]]) -> Followed:
    people = dict(talks)
    said: dict[int, list[tuple[dt.datetime, str]]] = {}
    posts = Post.objects.of(workspace).filter(conversation_id__in=people, ours=False, deleted=False)
    for number, person, at, mood in posts.order_by("sort_at", "pk").values_list(
        "conversation_id", "handle__person_id", "sort_at", "outcome__sentiment"
    ):
        if number is not None and people[number] == person:
            said.setdefault(number, []).append((at, mood or "neutral"))
    mails = Post.objects.of(workspace).filter(kind="mail", ours=False, handle__person__in=set(people.values()))
    mailed: dict[int, list[tuple[dt.datetime, int | None]]] = {}
    for person, at, number in mails.values_list("handle__person_id", "sort_at", "conversation_id"):
        mailed.setdefault(person, []).append((at, number))
    back = moved = angrier = calmer = 0
    for number, words in said.items():
        first, feeling = words[0]
        again = [mood for at, mood in words[1:] if at - first <= BACK]
        back += bool(again)
        step = _FEELS.get(again[0], 0) - _FEELS.get(feeling, 0) if again else 0
        angrier, calmer = angrier + (step < 0), calmer + (step > 0)
        later = mailed.get(people[number], [])
        moved += any(first < at <= first + MOVED and other != number for at, other in later)
    return Followed(len(said), back, moved, angrier, calmer)


def speaking_channel(conversation: Conversation) -> Channel | None:
    """The account that it is said from: that which heard them, if it may speak."""
    channel = conversation.channel
    return channel if channel.handle and channel.state == Channel.State.CONNECTED else None
