"""Reads about people: who somebody is, how they felt lately, what there was between us."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from django.db.models import Count, Exists, OuterRef

from rapport.store.models import Conversation, Handle, Membership, Outcome, Person, Post
from rapport.store.models.scoped import ScopedQuerySet
from rapport.store.queries.desk import visible_conversations

MOODS = 12  # messages in the mood strip
EARLIER = 6  # earlier conversations in the panel


class Mood(msgspec.Struct, frozen=True):
    """One message in the strip, oldest first."""

    #: negative, neutral or positive
    label: str
    #: 0..1, how strongly
    strength: float
    post: Post


class Profile(msgspec.Struct, frozen=True):
    """What the panel beside a conversation shows."""

    person: Person
    handles: list[Handle]
    moods: list[Mood]
    #: counts of all their messages by label
    negative: int
    neutral: int
    positive: int
    #: newest first, without the one that is open
    earlier: list[Conversation]
    conversations: int

    @property
    def messages(self) -> int:
        """How many messages were read."""
        return self.negative + self.neutral + self.positive


def visible_people(member: Membership) -> ScopedQuerySet[Person]:
    """People with at least one conversation in sight; a whole-workspace role sees all of them."""
    rows = Person.objects.of(member.workspace_id)
    if member.sees_every_basket is True:
        return rows
    # asked of each person: to be among all who are visible, SQLite would gather every conversation of the workspace
    return rows.filter(Exists(visible_conversations(member).filter(person=OuterRef("pk"))))


def visible_posts(member: Membership, person: Person) -> ScopedQuerySet[Post]:
    """What this person wrote, as far as its conversations are in sight."""
    rows = Post.objects.of(member.workspace_id).filter(handle__person=person, ours=False, deleted=False)
    if member.sees_every_basket is True:
        return rows
    return rows.filter(conversation_id__in=visible_conversations(member).filter(person=person).values("pk"))


def profile(member: Membership, person: Person, besides: Conversation | None = None) -> Profile:
    """Everything about `person` that this member may see, in five queries."""
    posts = visible_posts(member, person)
    outcomes = Outcome.objects.of(member.workspace_id).filter(post__in=posts)
    counted = dict(outcomes.order_by().values_list("sentiment").annotate(found=Count("pk")))
    talks = visible_conversations(member).filter(person=person).exclude(state__in=["merged", "unopened"])
    earlier = talks.exclude(pk=besides.pk) if besides else talks
    newest = list(earlier.select_related("basket").order_by("-last_post_at")[: EARLIER + 1])
    return Profile(
        person=person,
        handles=list(
            Handle.objects.of(member.workspace_id)
            .filter(person=person)
            .select_related("bot_word_by__user")
            .order_by("network", "pk")
        ),
        moods=_moods(outcomes.select_related("post").order_by("-post__sort_at")[:MOODS]),
        negative=counted.get("negative", 0),
        neutral=counted.get("neutral", 0),
        positive=counted.get("positive", 0),
        earlier=newest[:EARLIER],
        conversations=earlier.count() if len(newest) > EARLIER else len(newest),
    )


class _SentimentOnly(msgspec.Struct):
    label: str = "neutral"
    negative: float = 0.0
    neutral: float = 1.0
    positive: float = 0.0


class _ReadingOnly(msgspec.Struct):
    sentiment: _SentimentOnly = msgspec.field(default_factory=_SentimentOnly)


class _BodyOnly(msgspec.Struct):
    reading: _ReadingOnly = msgspec.field(default_factory=_ReadingOnly)


_decoder = msgspec.json.Decoder(_BodyOnly)


def _moods(newest_first: Sequence[Outcome] | ScopedQuerySet[Outcome]) -> list[Mood]:
    moods = []
    for outcome in newest_first:
        try:
            felt = _decoder.decode(outcome.body).reading.sentiment
        except msgspec.MsgspecError:
            felt = _SentimentOnly()
        strength = {"negative": felt.negative, "positive": felt.positive}.get(outcome.sentiment, 0.3)
        moods.append(Mood(outcome.sentiment, strength, outcome.post))
    return moods[::-1]
