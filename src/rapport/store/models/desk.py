"""Baskets, conversations, notes, and the events that keep open pages fresh."""

from __future__ import annotations

from django.db import models

from rapport.store.models.accounts import Membership, Workspace
from rapport.store.models.listening import Channel
from rapport.store.models.people import Person
from rapport.store.models.scoped import ScopedQuerySet


class Basket(models.Model):
    """A place where work of one kind waits."""

    class Tone(models.TextChoices):
        """The colour of its dot and chips."""

        CARE = "care"
        ASK = "ask"
        PRAISE = "praise"
        ACCENT = "accent"
        QUIET = "quiet"

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="baskets")
    slug = models.SlugField(max_length=64)
    name = models.CharField(max_length=120)
    tone = models.CharField(max_length=8, choices=Tone.choices, default=Tone.QUIET)
    position = models.PositiveIntegerField(default=0)
    #: what work belongs here, for the people who sort by hand
    purpose = models.CharField(max_length=300, blank=True)
    #: ISO 639-1 codes of the languages that are answered here; empty = all
    languages = models.JSONField(default=list, blank=True)
    #: core.hours.Hours as JSON; empty = round the clock
    hours = models.JSONField(default=dict, blank=True)
    #: open conversations that the basket holds before more go to `overflow`; 0 = no limit
    capacity = models.PositiveIntegerField(default=0)
    #: core.promises.Terms as JSON; empty = nothing is promised
    promises = models.JSONField(default=dict, blank=True)
    #: core.route.Strategy: how a person is chosen
    strategy = models.CharField(max_length=16, default="known")
    #: true: new work is given to somebody at once; false: people take it themselves
    push = models.BooleanField(default=False)
    #: an assigned conversation that nobody touched for this many minutes goes back to the basket; null = never
    return_after = models.PositiveIntegerField(null=True, blank=True)
    #: where work goes that does not fit, or has waited for `overflow_after` minutes
    overflow = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    overflow_after = models.PositiveIntegerField(null=True, blank=True)

    objects = ScopedQuerySet["Basket"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "slug"], name="one_basket_slug")]
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name


class BasketMember(models.Model):
    """Somebody who works in a basket; narrows what roles below lead see."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    basket = models.ForeignKey(Basket, on_delete=models.CASCADE, related_name="members")
    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="baskets")
    #: when the desk last gave them something out of it; whose turn it is follows from that
    given_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedQuerySet["BasketMember"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["basket", "membership"], name="one_basket_member")]


class Conversation(models.Model):
    """A thread with people outside: one connected chain of replies."""

    class State(models.TextChoices):
        #: only posts of ours so far: nothing that anybody has to look at
        UNOPENED = "unopened"
        OPEN = "open"
        #: we answered and wait for them
        PENDING = "pending"
        SNOOZED = "snoozed"
        RESOLVED = "resolved"
        #: kept out of sight with its reason; a person can take it out
        QUARANTINED = "quarantined"
        #: says what another one said already (`Post.copy_of`): one entry stands for all, with their count
        FOLDED = "folded"
        #: turned out to be part of another one (`merged_into`)
        MERGED = "merged"

    class Priority(models.IntegerChoices):
        LOW = 0
        MEDIUM = 1
        HIGH = 2
        URGENT = 3

    #: which state a person or an event may move it to
    MOVES: dict[str, frozenset[str]] = {
        "unopened": frozenset({"open", "pending", "quarantined", "folded", "merged"}),
        "open": frozenset({"pending", "snoozed", "resolved", "quarantined", "merged"}),
        "pending": frozenset({"open", "snoozed", "resolved", "merged"}),
        "snoozed": frozenset({"open", "pending", "resolved", "merged"}),
        "resolved": frozenset({"open", "merged"}),
        "quarantined": frozenset({"open", "pending", "resolved", "merged"}),
        "folded": frozenset({"open", "pending", "quarantined", "resolved", "merged"}),
        "merged": frozenset(),
    }

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="conversations", db_index=False)
    network = models.CharField(max_length=32)
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="conversations")
    #: who we talk with: the author of its newest inbound post
    person = models.ForeignKey(Person, on_delete=models.SET_NULL, null=True, related_name="conversations")
    # no index of their own for basket and assignee: those below begin with the workspace, and a planner without
    # statistics would take the lone one and walk everything that a colleague ever had
    basket = models.ForeignKey(
        Basket, on_delete=models.PROTECT, null=True, related_name="conversations", db_index=False
    )
    assignee = models.ForeignKey(
        Membership, on_delete=models.SET_NULL, null=True, blank=True, related_name="conversations", db_index=False
    )
    state = models.CharField(max_length=12, choices=State.choices, default=State.UNOPENED)
    snoozed_until = models.DateTimeField(null=True, blank=True)
    priority = models.PositiveSmallIntegerField(choices=Priority.choices, default=Priority.MEDIUM)
    score = models.FloatField(default=0)
    #: what a person set the score to; it then is the score until they take it back or the conversation is resolved
    score_by_hand = models.FloatField(null=True, blank=True)
    #: core.felt of the post that `decided_by` names: number of its mood, bits of its intents; null = nothing was read
    mood = models.SmallIntegerField(null=True, blank=True)
    intents = models.SmallIntegerField(null=True, blank=True)
    #: everybody outside who speaks in it looks automated (Handle.automated); null = none did when it was last looked at
    automated = models.BooleanField(null=True, blank=True)
    #: the beginning of its newest inbound post
    preview = models.CharField(max_length=300, blank=True)
    why = models.CharField(max_length=500, blank=True)
    #: row id of the inbound post that basket, score and why come from
    decided_by = models.BigIntegerField(null=True, blank=True)
    #: slug of the prepared reply that a rule chose
    draft_slug = models.CharField(max_length=80, blank=True)
    #: a person declared everything up to here dealt with (resolved it)
    settled_at = models.DateTimeField(null=True, blank=True)
    opened_at = models.DateTimeField(null=True, blank=True)
    #: the oldest inbound post that nobody has answered; null when the last word is ours
    waiting_since = models.DateTimeField(null=True, blank=True)
    last_post_at = models.DateTimeField(null=True, blank=True)
    #: when the nearest promise to its person runs out (`Promise`); null = none runs
    due_at = models.DateTimeField(null=True, blank=True)
    #: when it was given to its assignee, or one of ours last did something with it; null = never
    touched_at = models.DateTimeField(null=True, blank=True)
    #: rises when somebody speaks here or a reply is approved; a reply written on an older version is told so
    version = models.PositiveIntegerField(default=1)
    merged_into = models.BigIntegerField(null=True, blank=True)
    #: how many conversations are folded into this one; null = none (a default would make SQLite copy the whole table)
    copies = models.PositiveIntegerField(null=True, blank=True)

    objects = ScopedQuerySet["Conversation"].as_manager()

    class Meta:
        indexes = [
            # a list by time; the rest is what its tabs, counts and the order "pressing" are made of, so that none of
            # them reads a row that is not shown
            models.Index(
                fields=[
                    "workspace",
                    "basket",
                    "state",
                    "last_post_at",
                    "score",
                    "priority",
                    "waiting_since",
                    "assignee",
                    "mood",
                    "intents",
                    "automated",
                ],
                include=["id"],
                name="listed",
            ),
            # the counts of the navigation, and a list by waiting time
            models.Index(
                fields=["workspace", "state", "basket", "waiting_since", "assignee", "mood", "intents", "automated"],
                include=["id"],
                name="waiting",
            ),
            # what is somebody's, the newest first
            models.Index(fields=["workspace", "assignee", "state", "last_post_at"], name="assigned"),
            models.Index(fields=["state", "snoozed_until"], name="snoozed"),
            # the few with a promise that runs
            models.Index(
                fields=["workspace", "basket", "state", "due_at"],
                condition=models.Q(due_at__isnull=False),
                name="due",
            ),
        ]


class ScoreCorrection(models.Model):
    """Somebody said how pressing a conversation is; kept, because it says how the factors should be weighed."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="score_corrections")
    #: row id of the post whose score it was
    post = models.BigIntegerField(null=True, blank=True)
    value = models.FloatField()
    #: what the machine said
    was = models.FloatField()
    #: row id of the conversation that it was put right above or below, where somebody compared
    than = models.BigIntegerField(null=True, blank=True)
    by = models.ForeignKey(Membership, on_delete=models.SET_NULL, null=True)
    at = models.DateTimeField()
    #: null = it stands, or its conversation was resolved with it
    removed_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedQuerySet["ScoreCorrection"].as_manager()

    class Meta:
        indexes = [models.Index(fields=["workspace", "at"], name="corrected")]


class ThreadLink(models.Model):
    """Which conversation a post id belongs to, seen or only referred to; how late roots find their replies."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False)
    network = models.CharField(max_length=32)
    #: the id of a post on its network, or "repost:DIGEST" for reposts whose original nobody told us
    external_id = models.CharField(max_length=500)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="links")

    objects = ScopedQuerySet["ThreadLink"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "network", "external_id"], name="one_thread_link")]


class Check(models.Model):
    """One conversation out of the daily random sample of what was put aside, and what a person said of it."""

    class Verdict(models.TextChoices):
        #: nobody has looked yet
        OPEN = ""
        #: rightly put aside
        NOISE = "noise"
        #: somebody should have seen it
        MISSED = "missed"

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="checks")
    #: of the workspace, in its time zone
    day = models.DateField()
    #: out of how many it was drawn
    population = models.PositiveIntegerField()
    verdict = models.CharField(max_length=8, choices=Verdict.choices, default=Verdict.OPEN, blank=True)
    judged_by = models.ForeignKey(Membership, on_delete=models.SET_NULL, null=True, blank=True)
    judged_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedQuerySet["Check"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "day", "conversation"], name="one_check")]


class Note(models.Model):
    """Said among colleagues, never outside."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="notes")
    author = models.ForeignKey(Membership, on_delete=models.SET_NULL, null=True)
    #: the rule that left it; null = a person did
    rule = models.CharField(max_length=200, null=True, blank=True)
    text = models.TextField()
    at = models.DateTimeField()
    #: made by the page that it was written on: the same form sent twice is one note; null = none was given
    key = models.CharField(max_length=32, null=True, blank=True)
    edited_at = models.DateTimeField(null=True, blank=True)
    #: its author took it back; nobody is shown it any more
    removed_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedQuerySet["Note"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["conversation", "key"], condition=models.Q(key__isnull=False), name="one_note_a_form"
            )
        ]


class NoteMention(models.Model):
    """A colleague who is named in a note with their @."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False)
    note = models.ForeignKey(Note, on_delete=models.CASCADE, related_name="mentions", db_index=False)
    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="mentions", db_index=False)

    objects = ScopedQuerySet["NoteMention"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["note", "membership"], name="one_mention_a_note")]
        indexes = [models.Index(fields=["membership", "-note"], name="mentions_of")]


class ConversationTag(models.Model):
    """A word that a rule or a colleague put on a conversation, to find it by."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="tags", db_index=False)
    name = models.CharField(max_length=63)
    #: the rule that put it there; empty = a colleague did
    rule = models.CharField(max_length=200, blank=True)
    by = models.ForeignKey(
        Membership, on_delete=models.SET_NULL, null=True, blank=True, db_index=False, related_name="+"
    )
    at = models.DateTimeField()
    #: a colleague took it away: no rule puts it there again; null = it stands
    removed_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedQuerySet["ConversationTag"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["conversation", "name"], name="one_tag_of_a_name")]
        indexes = [
            models.Index(
                fields=["workspace", "name", "conversation"],
                condition=models.Q(removed_at__isnull=True),
                name="tagged",
            )
        ]


class DeskEvent(models.Model):
    """Something changed that open pages should show. A hint to read again, never the truth itself."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False)
    #: "conversations", "presence", "config"
    kind = models.CharField(max_length=24)
    #: e.g. {"conversations": [1, 2], "baskets": [3]}
    payload = models.JSONField(default=dict)
    at = models.DateTimeField(db_index=True)

    objects = ScopedQuerySet["DeskEvent"].as_manager()

    class Meta:
        indexes = [models.Index(fields=["workspace", "id"])]
