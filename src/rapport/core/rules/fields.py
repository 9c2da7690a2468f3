"""What a rule can ask about: the table of fields and the `Case` that they are read from.

The table is the single source: the compiler checks names and types against it, the evaluator reads values
through it, and `docs/reference/rules.md` is printed from it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Literal

import msgspec
import re2

from rapport.core.decision import NEW, ConversationFacts, PersonFacts
from rapport.core.post import MAX_ITEMS, TO_US, Author, Post
from rapport.core.reading import Emotion, Intent, Reading, Sentiment
from rapport.core.threads import MOST_SAID

#: number, text, true or false, a moment, a length of time, a list of texts, numbers or moments.
Type = Literal["number", "text", "bool", "time", "duration", "texts", "numbers", "times"]

#: How long the store keeps the times in `PersonFacts`; `count` over a longer span would be wrong.
HISTORY = dt.timedelta(days=90)

#: Moments of one history that `count` and `last` look at, the newest first; whoever has more is a machine.
MOST_MOMENTS = 1_000
#: Characters at the beginning of a text that patterns and words are looked for in; the longest posts of networks are
#: shorter, and only pages of mail and forums are not.
MOST_SEARCHED = 20_000
#: Topics that one post can match as far as a bound of cost is concerned.
MOST_TOPICS = 1_000

#: What an evaluation can raise although names and types were checked: values that break the contract of their
#: struct (a naive time, a text where a number belongs, None where nothing may be unknown).
EVALUATION_ERRORS = (TypeError, ValueError, AttributeError, LookupError, ArithmeticError, re2.error)


class Case(msgspec.Struct, gc=False):
    """Everything that one decision is made from. The parts of a reading are lifted up for speed."""

    post: Post
    author: Author
    reading: Reading
    intent: Intent
    sentiment: Sentiment
    emotion: Emotion
    person: PersonFacts
    score: float
    topics: frozenset[str]
    now: dt.datetime
    business_hours: bool
    #: our own handles in lower case, without @; empty when they are not known
    handles: frozenset[str] = frozenset()
    #: the mood toward us or toward the brand of a topic; None where it is that of the whole text
    toward: Sentiment | None = None
    #: what was known of the conversation that the post belongs to
    conversation: ConversationFacts = NEW
    #: in which the clock is told
    zone: dt.tzinfo = dt.UTC
    #: `post.text` in UTF-8, made once for all patterns
    encoded: bytes | None = None
    #: (field, pattern) -> what the pattern found, None for nothing; each is searched once
    found: dict[tuple[str, str], str | None] = {}
    #: `now` on the wall clock of the workspace, made once
    local: dt.datetime | None = None
    #: how many words the text has, counted once
    words: int | None = None


class Field(msgspec.Struct, frozen=True):
    """One name that a rule can use."""

    name: str
    type: Type
    #: what it means, for the reference page
    meaning: str
    #: where the value comes from: a dotted path inside `Case`, or a function of the case
    source: str | Callable[[Case], Any]
    #: the value may be unknown (None): every comparison with it is then false
    unknown: bool = False
    #: compared in lower case and without a leading @ or #
    folded: bool = False
    #: the only values that it can have
    choices: tuple[str, ...] = ()
    #: a list with at most so many values; of a longer one the newest are looked at
    most: int = 0
    #: (how its texts look, an example), for one that is not free
    shape: tuple[str, str] | None = None


def _language(case: Case) -> str | None:
    found = case.reading.language
    return (case.post.lang if found == "und" else found) or None


def _mentions(case: Case) -> list[str]:
    return [fold(item) for item in case.post.mentions]


def _hashtags(case: Case) -> list[str]:
    return [fold(item) for item in case.post.hashtags]


def _has_media(case: Case) -> bool:
    return bool(case.post.media)


def _has_link(case: Case) -> bool:
    return bool(case.post.links)


def _has_mention(case: Case) -> bool:
    return bool(case.post.mentions)


def _has_hashtag(case: Case) -> bool:
    return bool(case.post.hashtags)


def _handle(case: Case) -> str:
    return fold(case.author.handle)


def _bio(case: Case) -> str | None:
    return case.author.bio


def _addressed(case: Case) -> bool:
    post = case.post
    if post.kind in TO_US or post.visibility == "direct":
        return True
    if post.mentions:
        return not case.handles or any(fold(handle) in case.handles for handle in post.mentions)
    return post.kind == "reply"


def _steps(case: Case) -> list[str]:
    return [step for step, _ in case.person.escalations]


def _step(case: Case) -> str:
    reached = case.person.escalations
    return reached[-1][0] if reached else ""


def _escalations(case: Case) -> list[dt.datetime]:
    return [at for _, at in case.person.escalations]


def _is_new(case: Case) -> bool:
    talk = case.conversation
    return talk.id is None and not talk.posts and not talk.answers


def _state(case: Case) -> str | None:
    return case.conversation.state or None


def _basket(case: Case) -> str | None:
    return case.conversation.basket or None


def _clock(read: Callable[[dt.datetime], Any]) -> Callable[[Case], Any]:
    def on_the_wall(case: Case) -> Any:
        if case.local is None:
            case.local = case.now.astimezone(case.zone)
        return read(case.local)

    return on_the_wall


@lru_cache(maxsize=4_096)
def fold(text: str) -> str:
    """How handles and hashtags are compared: lower case, no leading @ or #."""
    return text.lstrip("@#").casefold()


def _toward(mood: str) -> Callable[[Case], Any]:
    return lambda case: getattr(case.toward or case.sentiment, mood)


def _moments(name: str, meaning: str, source: Callable[[Case], Any] | None = None, most: int = MOST_MOMENTS) -> Field:
    return Field(name, "times", meaning, source or name, most=most)


_KINDS = ("post", "reply", "repost", "quote", "review", "message", "comment", "topic", "mail")
_VISIBILITIES = ("public", "unlisted", "private", "direct")
_LABELS = ("negative", "neutral", "positive")
_STATES = ("unopened", "open", "pending", "snoozed", "resolved", "quarantined", "folded")
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

_POST = (
    Field("text", "text", "the plain text of the post", "post.text"),
    Field("kind", "text", "what sort of post it is", "post.kind", choices=_KINDS),
    Field("network", "text", "where it was written: mastodon, bluesky, x, ...", "post.network", folded=True),
    Field("language", "text", "the language of the text as a code: en, de, ja", _language, unknown=True, folded=True),
    Field("visibility", "text", "who can see it", "post.visibility", choices=_VISIBILITIES),
    Field("rating", "number", "stars of a review, 1 to 5", "post.rating", unknown=True),
    Field("likes", "number", "likes when we last read the post", "post.metrics.likes"),
    Field("reposts", "number", "reposts when we last read the post", "post.metrics.reposts"),
    Field("replies", "number", "replies when we last read the post", "post.metrics.replies"),
    Field("created_at", "time", "when it was written", "post.created_at"),
    Field("has_media", "bool", "an image, a video or a sound is attached", _has_media),
    Field("has_link", "bool", "it contains a link", _has_link),
    Field("has_mention", "bool", "it mentions somebody", _has_mention),
    Field("has_hashtag", "bool", "it carries a hashtag", _has_hashtag),
    Field("mentions", "texts", "handles that it mentions", _mentions, folded=True, most=MAX_ITEMS),
    Field("hashtags", "texts", "its hashtags", _hashtags, folded=True, most=MAX_ITEMS),
    Field(
        "addressed",
        "bool",
        "it speaks to us: a message, comment, mail, review or direct post; a post that mentions one of our handles "
        "(any handle, while ours are not known); a reply that mentions nobody",
        _addressed,
    ),
)
_AUTHOR = (
    Field("author.handle", "text", "handle of the author", _handle, folded=True),
    Field("author.name", "text", "display name of the author", "author.name"),
    Field("author.bio", "text", "what they write about themselves", _bio, unknown=True),
    Field("author.followers", "number", "how many follow them", "author.followers", unknown=True),
    Field("author.following", "number", "how many they follow", "author.following", unknown=True),
    Field("author.posts", "number", "how many posts they have written", "author.posts", unknown=True),
    Field("author.verified", "bool", "the network says that they are who they claim to be", "author.verified"),
    Field("author.bot", "bool", "the account says that it is automated", "author.bot"),
    Field(
        "author.bot_score",
        "number",
        "how likely the account is automated, 0 to 1, as [judged](readings.md#accounts)",
        "person.bot_score",
        unknown=True,
    ),
    Field("author.ours", "bool", "one of our own connected accounts", "author.ours"),
)
_PERSON = (
    Field("person.ignored", "bool", "a colleague decided to ignore them", "person.ignored"),
    Field("person.suppressed", "bool", "they asked us to stop writing to them", "person.suppressed"),
    Field("person.relationship", "text", "customer, prospect, journalist, ... or empty", "person.relationship"),
    Field("person.first_seen", "time", "their first post that we know of", "person.first_seen", unknown=True),
    Field("person.last_seen", "time", "their latest post before this one", "person.last_seen", unknown=True),
    Field("person.conversations", "number", "earlier conversations with them", "person.conversations"),
    _moments("person.negative", "times of their earlier negative posts, 90 days back"),
    _moments("person.positive", "times of their earlier positive posts, 90 days back"),
    _moments("person.posts", "times of all their earlier posts, 90 days back"),
    _moments("person.answers", "times of our answers to them, 90 days back"),
    _moments("person.escalations", "when they reached a step of the escalation ladder, 90 days back", _escalations),
    Field("person.steps", "texts", "the steps that they reached, 90 days back", _steps, most=MOST_MOMENTS),
    Field("person.step", "text", "the step that they reached last, or empty", _step),
)
_CONVERSATION = (
    Field("conversation.new", "bool", "the post begins a conversation", _is_new),
    Field("conversation.state", "text", "where it stands", _state, unknown=True, choices=_STATES),
    Field("conversation.basket", "text", "slug of the basket that it lies in", _basket, unknown=True),
    Field("conversation.assigned", "bool", "a colleague has it", "conversation.assigned"),
    Field("conversation.acknowledged", "bool", "the automatic word was said in it", "conversation.acknowledged"),
    Field("conversation.opened_at", "time", "when it was opened", "conversation.opened_at", unknown=True),
    Field(
        "conversation.waiting_since", "time", "their oldest word that nobody has answered",
        "conversation.waiting_since", unknown=True,
    ),
    _moments("conversation.posts", "times of their earlier posts in it", most=MOST_SAID),
    _moments("conversation.negative", "times of those among them that were negative", most=MOST_SAID),
    _moments("conversation.answers", "times of our answers in it", most=MOST_SAID),
)  # fmt: skip
_READING = (
    Field("complaint", "number", "how likely the text complains, 0 to 1", "intent.complaint"),
    Field("question", "number", "how likely it asks something, 0 to 1", "intent.question"),
    Field("request", "number", "how likely it asks us to do something, 0 to 1", "intent.request"),
    Field("praise", "number", "how likely it praises, 0 to 1", "intent.praise"),
    Field("purchase", "number", "how likely the author wants to buy, 0 to 1", "intent.purchase"),
    Field("report", "number", "how likely it reports a fault or an incident, 0 to 1", "intent.report"),
    Field("urgency", "number", "how soon it needs an answer, 0 to 1", "reading.urgency"),
    Field("irony", "number", "how likely it means the opposite, 0 to 1", "reading.irony"),
    Field("offensive", "number", "how likely it is offensive, 0 to 1", "reading.offensive"),
    Field("hate", "number", "how likely it attacks a group of people, 0 to 1", "reading.hate"),
    Field("spam", "number", "how likely it is spam, 0 to 1", "reading.spam"),
    Field("personal", "number", "how much it asks for a personal answer, 0 to 1", "reading.personal"),
    Field("sentiment", "text", "the most probable mood", "sentiment.label", choices=_LABELS),
    Field("negative", "number", "how negative it feels, 0 to 1", "sentiment.negative"),
    Field("neutral", "number", "how neutral it feels, 0 to 1", "sentiment.neutral"),
    Field("positive", "number", "how positive it feels, 0 to 1", "sentiment.positive"),
    Field(
        "toward.sentiment",
        "text",
        "the most probable mood toward us, or toward the brand of the topic that found it; that of the whole text "
        "where nobody else is [named](readings.md#toward-one-of-several)",
        _toward("label"),
        choices=_LABELS,
    ),
    Field("toward.negative", "number", "how negative it is toward them, 0 to 1", _toward("negative")),
    Field("toward.neutral", "number", "how neutral it is toward them, 0 to 1", _toward("neutral")),
    Field("toward.positive", "number", "how positive it is toward them, 0 to 1", _toward("positive")),
    Field("anger", "number", "how angry it sounds, 0 to 1", "emotion.anger"),
    Field("joy", "number", "how joyful it sounds, 0 to 1", "emotion.joy"),
    Field("optimism", "number", "how hopeful it sounds, 0 to 1", "emotion.optimism"),
    Field("sadness", "number", "how sad it sounds, 0 to 1", "emotion.sadness"),
)
_DESK = (
    Field("score", "number", "how pressing the post is, 0 to 100", "score"),
    Field("topics", "texts", "slugs of the topics that it matched", "topics", most=MOST_TOPICS),
    Field("now", "time", "the moment of the decision", "now"),
    Field("business_hours", "bool", "the desk is staffed at this moment", "business_hours"),
    Field("clock.hour", "number", "the hour in the workspace's time zone, 0 to 23", _clock(lambda at: at.hour)),
    Field("clock.minute", "number", "the minute, 0 to 59", _clock(lambda at: at.minute)),
    Field(
        "clock.weekday", "text", "the day of the week", _clock(lambda at: _WEEKDAYS[at.weekday()]), choices=_WEEKDAYS
    ),
    Field(
        "clock.date",
        "text",
        "the day as a text",
        _clock(lambda at: at.date().isoformat()),
        shape=(r"\d{4}-\d\d-\d\d", "2026-12-24"),
    ),
    Field("clock.month", "number", "the month, 1 to 12", _clock(lambda at: at.month)),
)

#: (heading, fields) in the order of the reference page.
GROUPS: tuple[tuple[str, tuple[Field, ...]], ...] = (
    ("The post", _POST),
    ("Its author", _AUTHOR),
    ("What we know about the person", _PERSON),
    ("The conversation before this post", _CONVERSATION),
    ("What was read from the text", _READING),
    ("The desk", _DESK),
)
FIELDS: dict[str, Field] = {field.name: field for _, fields in GROUPS for field in fields}
