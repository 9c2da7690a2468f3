"""Discretion: what policy says, what a role may offer beyond it, what was offered, agreed and kept."""

from __future__ import annotations

from django.db import models

from rapport.store.models.accounts import Membership, Workspace
from rapport.store.models.desk import Conversation
from rapport.store.models.listening import Topic
from rapport.store.models.outbound import Approval
from rapport.store.models.people import Person
from rapport.store.models.scoped import ScopedQuerySet


class Article(models.Model):
    """A short text beside conversations of its topics: what policy says, or help that a draft can be made of."""

    class Kind(models.TextChoices):
        #: for colleagues alone
        POLICY = "policy"
        #: fit to be said to people outside
        HELP = "help"

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="articles", db_index=False)
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.POLICY)
    title = models.CharField(max_length=200)
    text = models.TextField()
    #: where the whole of it stands
    link = models.TextField(blank=True)
    #: ISO 639-1 code; empty = for every language
    language = models.CharField(max_length=16, blank=True)
    active = models.BooleanField(default=True)
    changed_by = models.ForeignKey(Membership, on_delete=models.SET_NULL, null=True, db_index=False, related_name="+")
    changed_at = models.DateTimeField()

    objects = ScopedQuerySet["Article"].as_manager()

    class Meta:
        indexes = [models.Index(fields=["workspace", "kind", "title"], name="articles_by_title")]
        ordering = ["title"]

    def __str__(self) -> str:
        return self.title


class ArticleTopic(models.Model):
    """A topic whose conversations show an article."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False)
    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="topics", db_index=False)
    topic = models.ForeignKey(Topic, on_delete=models.CASCADE, related_name="+")

    objects = ScopedQuerySet["ArticleTopic"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["article", "topic"], name="one_topic_of_an_article")]


class Allowance(models.Model):
    """What a role may offer beyond policy by its own judgement, and up to where."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="allowances", db_index=False)
    role = models.CharField(max_length=16)
    #: slug of what is offered: "refund", "voucher", "callback"
    what = models.CharField(max_length=63)
    #: in `currency`; null = it has no amount, or no limit
    most = models.DecimalField(max_digits=10, decimal_places=2, null=True, blank=True)
    #: ISO 4217
    currency = models.CharField(max_length=3, blank=True)
    note = models.CharField(max_length=300, blank=True)

    objects = ScopedQuerySet["Allowance"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "role", "what"], name="one_allowance")]


class Offer(models.Model):
    """Something beyond policy for one person: asked for, offered, agreed, and whether it came to be.

    It outlives the person, without their name or any word: what was given stays in the books of the house.
    """

    class State(models.TextChoices):
        #: above what the colleague may offer: waits for a lead
        ASKED = "asked"
        ALLOWED = "allowed"
        REFUSED = "refused"
        #: said to the person, who has not answered
        OFFERED = "offered"
        AGREED = "agreed"
        DECLINED = "declined"
        #: it came to be, or it did not
        KEPT = "kept"
        BROKEN = "broken"

    MOVES: dict[str, frozenset[str]] = {
        "asked": frozenset({"allowed", "refused"}),
        "allowed": frozenset({"offered", "declined"}),
        "refused": frozenset({"asked"}),
        "offered": frozenset({"agreed", "declined"}),
        "agreed": frozenset({"kept", "broken", "declined"}),
        "declined": frozenset(),
        "kept": frozenset(),
        "broken": frozenset({"kept"}),
    }

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="offers", db_index=False)
    conversation = models.ForeignKey(
        Conversation, on_delete=models.SET_NULL, null=True, blank=True, related_name="offers"
    )
    person = models.ForeignKey(Person, on_delete=models.SET_NULL, null=True, blank=True, related_name="offers")
    #: slug of what is offered: `Allowance.what`
    what = models.CharField(max_length=63)
    #: in `currency`; null = it has none
    amount = models.DecimalField(max_digits=10, decimal_places=2, null=True, blank=True)
    #: ISO 4217
    currency = models.CharField(max_length=3, blank=True)
    state = models.CharField(max_length=8, choices=State.choices)
    #: why it is right here; blanked by an erasure
    reason = models.CharField(max_length=300, blank=True)
    by = models.ForeignKey(Membership, on_delete=models.SET_NULL, null=True, db_index=False, related_name="+")
    at = models.DateTimeField()
    #: the lead who allowed or refused it, and in which words
    decided_by = models.ForeignKey(
        Membership, on_delete=models.SET_NULL, null=True, blank=True, db_index=False, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    decision = models.CharField(max_length=300, blank=True)
    #: the reply that it was said in
    approval = models.ForeignKey(Approval, on_delete=models.SET_NULL, null=True, blank=True, related_name="offers")
    agreed_at = models.DateTimeField(null=True, blank=True)
    #: when somebody is asked whether it came to be; null = nobody is
    ask_at = models.DateTimeField(null=True, blank=True)
    #: what came of it; blanked by an erasure
    outcome = models.CharField(max_length=300, blank=True)
    outcome_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedQuerySet["Offer"].as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["workspace", "state", "ask_at"], name="offers_waiting"),
            models.Index(fields=["workspace", "-at"], name="offers_by_time"),
        ]
