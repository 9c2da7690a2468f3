"""What the interface answers, as structs: the document describes them, the views fill them."""

from __future__ import annotations

import datetime as dt

import msgspec

from rapport.core.decision import Score, Step
from rapport.core.post import Post
from rapport.core.reading import Reading, Toward
from rapport.core.thresholds import SHIPPED, Thresholds
from rapport.store.queries.ledger import DeliveryLine, LedgerEntry


class Named(msgspec.Struct, frozen=True):
    """Somebody, by id and name."""

    id: int
    name: str


class ConversationLine(msgspec.Struct, frozen=True):
    """One conversation in a list."""

    id: int
    network: str
    #: slug of the channel that brought it
    channel: str
    #: slug of its basket
    basket: str | None
    #: open, pending, snoozed, resolved or quarantined
    state: str
    #: low, medium, high or urgent
    priority: str
    #: how pressing, 0 to 100
    score: float
    #: why it is in this basket, in one sentence
    why: str
    #: the beginning of their newest post
    preview: str
    #: who we talk with
    person: Named | None
    #: the colleague who looks after it (membership id)
    assignee: Named | None
    opened_at: dt.datetime | None
    #: the oldest post of theirs that nobody has answered
    waiting_since: dt.datetime | None
    last_post_at: dt.datetime | None
    #: everybody outside who speaks in it looks automated
    automated: bool
    #: rises whenever somebody speaks
    version: int
    #: its page on the desk
    page: str


class ConversationList(msgspec.Struct, frozen=True):
    """A page of a list, newest first."""

    conversations: tuple[ConversationLine, ...]
    #: the cursor of the next page; null on the last one
    next: str | None


class Said(msgspec.Struct, frozen=True):
    """One post of a conversation with what the machine made of it."""

    post: Post
    #: null until the post has been read
    reading: Reading | None
    score: Score | None
    #: slugs of the topics that matched
    topics: tuple[str, ...] = ()
    #: the mood toward what topics listen for, where the text names somebody else too
    toward: tuple[Toward, ...] = ()


class Remark(msgspec.Struct, frozen=True):
    """A note among colleagues."""

    text: str
    at: dt.datetime
    #: null when the author's membership is gone
    author: Named | None


class OwnDraft(msgspec.Struct, frozen=True):
    """The draft of the member that the token acts as."""

    text: str
    #: colleagues who may send are asked to look at it
    proposed: bool
    updated_at: dt.datetime
    #: id on the network of the newest post that it takes into account
    based_on: str | None


class Explanation(msgspec.Struct, frozen=True):
    """Why the conversation is where it is."""

    why: str
    #: every rule that was tried, in order, with the values that it found
    steps: tuple[Step, ...] = ()
    #: rules that were tried and can no longer be told about
    untold: int = 0


class ConversationWhole(msgspec.Struct, frozen=True):
    """One conversation with everything said in it."""

    conversation: ConversationLine
    #: the newest 400, oldest first
    posts: tuple[Said, ...]
    #: earlier posts that are not shown
    hidden: int
    #: how many shared a post of the thread
    reposts: int
    explanation: Explanation
    notes: tuple[Remark, ...]
    draft: OwnDraft | None


class DraftBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A draft that a person will edit and send."""

    text: str
    #: the text of the draft that stands there now; empty: there is none
    replaces: str = ""
    #: show it to colleagues who may send
    propose: bool = False


class HoldBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why everything is to be held."""

    #: at most 300 characters; every colleague reads it beside what waits
    reason: str
    #: what is known by now; null leaves it as it is
    known: str | None = None


class HoldNow(msgspec.Struct, frozen=True):
    """Whether everything going out is held."""

    held: bool
    since: dt.datetime | None
    reason: str
    known: str
    #: who began it; null when nothing is held, or when their membership is gone
    by: Named | None
    #: replies that have not left, whatever holds them
    waiting: int


class TopicVoice(msgspec.Struct, frozen=True):
    """What one topic found in a period."""

    slug: str
    name: str
    query: str
    #: it is listened for
    active: bool
    #: posts that it found, without those left out
    found: int
    #: its part of what all topics found, 0 to 1
    share: float
    #: of all that it found, how many posts are from accounts that look automated
    automated: int
    #: of `found`, how many posts feel bad and how many feel good toward it
    negative: int = 0
    positive: int = 0


class TopicList(msgspec.Struct, frozen=True):
    """Every topic, most found first."""

    #: the period
    days: int
    topics: tuple[TopicVoice, ...]


class CorrectionBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a reading of a post should have been."""

    network: str
    #: of the post, on its network
    id: str
    #: sentiment, intent.complaint, urgency and so on
    reading: str
    #: a mood, a language code, "true" or "false"; null takes the member's own word back
    value: str | None


class CorrectionLine(msgspec.Struct, frozen=True):
    """One person's word on one reading; it holds for every post that says the same."""

    id: int
    network: str
    #: id of the post on its network
    post: str
    #: its words; empty when it was deleted since
    text: str
    reading: str
    #: a mood, a language code, "true" or "false"
    value: str
    #: what the machine had said
    was: str
    #: which model that was
    model: str
    #: null when the colleague's membership is gone
    by: Named | None
    at: dt.datetime
    #: when it was taken back
    withdrawn_at: dt.datetime | None


class CorrectionList(msgspec.Struct, frozen=True):
    """A page of corrections, newest first."""

    corrections: tuple[CorrectionLine, ...]
    #: the cursor of the next page; null on the last one
    next: str | None


class ReadingsBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From which certainty readings count, and how many posts get a second look."""

    #: what is left out is as it ships
    thresholds: Thresholds = SHIPPED
    #: of the posts that matter, 0 to 1; null: as the deployment says
    share: float | None = None


class ReadingsInForce(msgspec.Struct, frozen=True):
    """How posts of this workspace are read."""

    thresholds: Thresholds
    #: what the workspace set; null: as the deployment says
    share: float | None
    #: what holds
    share_in_force: float


class OwnModelReading(msgspec.Struct, frozen=True):
    """How one reading of a team's own model was judged, on texts that were left out when it was learnt."""

    #: sentiment, intent.complaint, urgency and so on
    reading: str
    #: texts that were corrected, and texts on which the reading stood
    corrected: int
    stood: int
    #: of the corrected ones, how many the shipped model and the team's read as corrected
    shipped_right: int
    team_right: int
    #: of those that stood, how many each reads as they stood
    shipped_kept: int
    team_kept: int
    #: it was learnt and judged at all
    tried: bool
    taken: bool
    #: why it was not taken: few corrected, few stood, not better, overturns, gives up
    reason: str


class OwnModelVersion(msgspec.Struct, frozen=True):
    """One version of a team's own model."""

    version: int
    #: waiting, running, made or failed
    state: str
    #: percent
    progress: int
    #: why it failed
    problem: str
    #: the shipped model that it was learnt beside
    beside: str
    asked_at: dt.datetime
    made_at: dt.datetime | None
    #: corrections, and posts on which readings stood, that it was learnt from
    corrections: int
    stood: int
    readings: tuple[OwnModelReading, ...]


class OwnModel(msgspec.Struct, frozen=True):
    """The team's own model: what is in force, and the newest versions."""

    #: the version in force; 0: the shipped model alone
    in_force: int
    #: corrections that have not been learnt from yet
    waiting: int
    versions: tuple[OwnModelVersion, ...]


class OwnModelBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which version is to be in force."""

    #: 0: the shipped model alone
    version: int


class LedgerList(msgspec.Struct, frozen=True):
    """A page of the ledger, newest first."""

    entries: tuple[LedgerEntry, ...]
    #: hash of the newest entry of all; keep it elsewhere, and nobody can make the chain anew unseen
    head: str
    #: how many entries there are
    length: int
    #: the cursor of the next page; null on the last one
    next: str | None


class DeliveryList(msgspec.Struct, frozen=True):
    """A page of deliveries, newest first."""

    deliveries: tuple[DeliveryLine, ...]
    #: the cursor of the next page; null on the last one
    next: str | None
