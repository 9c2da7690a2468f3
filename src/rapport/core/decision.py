"""`Score`, `Decision`, `Route`, `Outcome`: what follows from a post and its reading, with the reasons.

In JSON, fields that have their default value are left out (`omit_defaults`), because an outcome is kept for every post.
`Score` and `Reading` are always whole.
"""

from __future__ import annotations

import datetime as dt
from typing import Literal

import msgspec

from rapport.core.reading import Reading, Toward

Priority = Literal["low", "medium", "high", "urgent"]
PRIORITIES: tuple[Priority, ...] = ("low", "medium", "high", "urgent")


class Factor(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One named part of a score."""

    #: mood, intent, urgency, reach, relationship, history, rating, waiting, pile_on or crisis
    name: str
    #: what it adds to the score, in points
    points: float
    #: the measured value in a few words for a person: "negative 0.93", "4,120 followers"
    reason: str = ""


class Score(msgspec.Struct, frozen=True, gc=False):
    """How pressing a post is, 0 to 100, and what it is made of. The points of the factors sum to `value`."""

    value: float = 0.0
    factors: tuple[Factor, ...] = ()


#: How far a rule goes by itself: only say that it would (observe), propose to people (suggest), make ready what a
#: person then sends (draft), do it (act). The guard may allow less, never more.
Autonomy = Literal["observe", "suggest", "draft", "act"]
AUTONOMIES: tuple[Autonomy, ...] = ("observe", "suggest", "draft", "act")


class Step(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One rule that was tried on one post."""

    rule: str
    matched: bool
    #: the comparisons that decided it, with the values found: "complaint 0.93 >= 0.7"
    because: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    #: how far the rule goes; of one that observes nothing took effect, of one that suggests nothing but proposals
    level: Autonomy = "act"


class Effect(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One thing that a rule does or proposes, apart from sorting."""

    rule: str
    #: core.rules.actions.Verb
    verb: str
    argument: str = ""
    #: as far as the rule goes
    level: Autonomy = "act"


class Decision(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What the rules decided for one post, with the rules that made it so."""

    basket: str
    priority: Priority = "medium"
    #: slug of the prepared reply to draft from, if a rule named one
    draft: str | None = None
    #: who is told without a person's word; each stands among the effects too
    notify: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    #: true: kept, never deleted, but not in front of a person (the quarantine)
    quarantined: bool = False
    #: one short sentence for the chip and the banner: "complaint 0.93, third negative in 30 days"
    why: str = ""
    rule_set: int = 0
    #: the rules that matched, in order, and those that broke ("error: ..."); `RuleSet.explain` tells of the others too
    trace: tuple[Step, ...] = ()
    #: how many rules were gone through: those that were tried, and those among them that are switched off
    tried: int = 0
    #: address of the colleague whom a rule named, "known" for whoever knows the author; None: the route chooses
    person: str | None = None
    #: what whoever takes it should be good at
    skills: tuple[str, ...] = ()
    #: what follows apart from sorting (a prepared answer stands in `draft`), at most core.rules.firing.MAX_EFFECTS
    effects: tuple[Effect, ...] = ()


class Route(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Where the conversation goes: a basket, and a person where one is meant."""

    basket: str
    #: membership id of the person, None for the basket as a whole
    person: int | None = None
    reason: str = ""


class AccountScore(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """How likely an account is automated."""

    #: 0 to 1
    bot: float
    #: what spoke for it, the strongest first, in words for a person; empty below 0.5
    reasons: tuple[str, ...] = ()


#: moments of each list of a person's history that are kept with a decision; more would grow with the square of what
#: they say
MOST_KEPT = 100


class PersonFacts(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What we knew about an author before this post. Built from the store, passed in as a value."""

    #: database id of the person, None for somebody new
    id: int | None = None
    ignored: bool = False
    suppressed: bool = False
    #: prospect, customer, advocate, detractor, influencer, partner, journalist, colleague, competitor or ""
    relationship: str = ""
    first_seen: dt.datetime | None = None
    last_seen: dt.datetime | None = None
    #: times of their negative, positive and all posts within the last 90 days, newest last
    negative: tuple[dt.datetime, ...] = ()
    positive: tuple[dt.datetime, ...] = ()
    posts: tuple[dt.datetime, ...] = ()
    conversations: int = 0
    #: membership id of the person on our side who knows them
    known_to: int | None = None
    #: how likely the account that speaks is automated, 0 to 1, and what a person said of it (True: automated)
    bot_score: float | None = None
    bot_word: bool | None = None
    #: of its last texts, the shares that nearly repeat an earlier one and that carry a link; None: too few to tell
    copied: float | None = None
    linked: float | None = None
    #: times of our answers to them within the last 90 days, newest last
    answers: tuple[dt.datetime, ...] = ()
    #: steps of the escalation ladder that they reached within the last 90 days, newest last: (step, when)
    escalations: tuple[tuple[str, dt.datetime], ...] = ()
    #: true: of the negative, positive and all posts and of the answers, only the newest `MOST_KEPT` each are left
    cut: bool = False
    #: whether our answers, and the steps of the ladder, were looked up: they are only where a rule asks for them
    answers_read: bool = False
    steps_read: bool = False


class ConversationFacts(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What we knew of the conversation that a post belongs to, before the post. All defaults: a new one."""

    #: database id, None for a new one
    id: int | None = None
    #: unopened, open, pending, snoozed, resolved, quarantined, folded or "" for a new one
    state: str = ""
    #: slug of its basket, "" for none
    basket: str = ""
    #: somebody has it
    assigned: bool = False
    #: a machine said its one word in it
    acknowledged: bool = False
    opened_at: dt.datetime | None = None
    #: the oldest word of theirs that nobody has answered
    waiting_since: dt.datetime | None = None
    #: times of their posts in it, of those that were negative, and of our answers, newest last, at most 100 each
    posts: tuple[dt.datetime, ...] = ()
    negative: tuple[dt.datetime, ...] = ()
    answers: tuple[dt.datetime, ...] = ()


class AuthorFacts(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What the network said of an author at the time; the store keeps only what it says now."""

    followers: int | None = None
    following: int | None = None
    posts: int | None = None
    verified: bool = False
    bot: bool = False


class PileOn(msgspec.Struct, frozen=True, gc=False):
    """How many speak in one thread at once."""

    #: different people who are not us and whose account does not look automated, the author among them if they are one
    people: int
    #: the time in which they spoke
    minutes: int = 60


class Crisis(msgspec.Struct, frozen=True, gc=False):
    """A workspace hears far more negative posts than usual."""

    #: how far from usual: 0 (within what happens) to 1 (never seen)
    level: float
    #: negative posts within the last hours, and how many are usual in these; none from accounts that look automated
    negative: int
    usual: float
    hours: int
    #: negative posts of these hours from accounts that look automated: told, and counted for nothing
    automated: int = 0


#: shared by everybody of whom nothing is known
NOBODY = PersonFacts()
#: shared by all posts that open a conversation
NEW = ConversationFacts()
UNTOLD = AuthorFacts()


class Outcome(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Everything that the line made of one post, and what it was made from where the store would not know it later."""

    network: str
    id: str
    #: slugs of the topics that matched
    topics: tuple[str, ...]
    reading: Reading
    score: Score
    decision: Decision
    route: Route
    #: what was known of the person, a long history cut; None for outcomes of before it was, with more posts than that
    facts: PersonFacts | None = NOBODY
    #: the moment that the rules were given; None for outcomes of before it was kept
    decided_at: dt.datetime | None = None
    author: AuthorFacts = UNTOLD
    #: which version of the post was read; None for the first
    edited_at: dt.datetime | None = None
    #: the desk was staffed
    business_hours: bool = True
    #: our own handles as far as the post could be addressed to one: none are kept where it mentions nobody
    handles: tuple[str, ...] = ()
    #: who else spoke in its thread; None: nobody
    pile_on: PileOn | None = None
    #: what the workspace went through at that moment; None: nothing unusual
    crisis: Crisis | None = None
    #: the version of the weights that its score was made with; 0 for the shipped ones
    weights: int = 0
    #: how likely the author's account is automated; None where nothing told
    account: AccountScore | None = None
    #: the mood toward topics, where it may differ from that of the whole text
    toward: tuple[Toward, ...] = ()
    #: what was known of its conversation; None where no rule asked for it
    conversation: ConversationFacts | None = None
