"""What may leave the house: prepared replies, drafts, approvals, deliveries."""

from __future__ import annotations

from django.db import models

from rapport.store.models.accounts import Membership, Workspace
from rapport.store.models.desk import Conversation
from rapport.store.models.listening import Channel, Post
from rapport.store.models.scoped import ScopedQuerySet


class PreparedReply(models.Model):
    """A text to begin from; the person makes it theirs before it goes out."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="prepared_replies")
    slug = models.SlugField(max_length=80)
    name = models.CharField(max_length=200)
    text = models.TextField()

    objects = ScopedQuerySet["PreparedReply"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "slug"], name="one_prepared_reply_slug")]
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Draft(models.Model):
    """A text in the making, kept on the server: the machine's one and each person's own."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="drafts")
    #: null = prepared by the machine
    author = models.ForeignKey(Membership, on_delete=models.CASCADE, null=True, blank=True)
    text = models.TextField(blank=True)
    #: name of the prepared reply that it came from
    template = models.CharField(max_length=200, blank=True)
    #: the newest inbound post when it was written; an answer to less than the whole is flagged
    based_on = models.ForeignKey(Post, on_delete=models.SET_NULL, null=True)
    #: its author may not send; a lead is asked to
    proposed = models.BooleanField(default=False)
    updated_at = models.DateTimeField()

    objects = ScopedQuerySet["Draft"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["conversation", "author"], name="one_draft_a_person"),
            models.UniqueConstraint(
                fields=["conversation"], condition=models.Q(author__isnull=True), name="one_machine_draft"
            ),
        ]
        indexes = [
            # the few that wait for somebody who may send, among one of the machine in nearly every conversation
            models.Index(fields=["workspace"], condition=models.Q(proposed=True), name="proposed"),
        ]


class DraftReturn(models.Model):
    """A draft that its author proposed and a lead gave back, with the reason and the words as they were then."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="returns")
    author = models.ForeignKey(Membership, on_delete=models.CASCADE, db_index=False, related_name="+")
    by = models.ForeignKey(Membership, on_delete=models.SET_NULL, null=True, db_index=False, related_name="+")
    text = models.TextField()
    reason = models.CharField(max_length=300)
    at = models.DateTimeField()

    objects = ScopedQuerySet["DraftReturn"].as_manager()


class Approval(models.Model):
    """A person's word: this text, to this post, from this account. Chained, so that none can vanish unseen.

    The one word that no person read before it left is an acknowledgement: it stands here as the machine's, with the
    admin whose standing word allowed it.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="approvals")
    channel = models.ForeignKey(Channel, on_delete=models.PROTECT)
    #: the post that is answered
    target = models.ForeignKey(Post, on_delete=models.PROTECT)
    #: who read and approved it; null for a machine's word
    person = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, blank=True)
    #: "acknowledgement" for a machine's word; null for a person's
    machine = models.CharField(max_length=24, null=True, blank=True)
    #: the admin who turned a machine's word on, in these words; null for a person's
    standing_word = models.ForeignKey(
        Membership, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    text = models.TextField()
    visibility = models.CharField(max_length=16, default="public")
    #: handles that the reply addresses, as approved
    to = models.JSONField(default=list)
    #: core.reply.Reply.digest of exactly this text, target and account
    digest = models.CharField(max_length=64)
    #: the guard's verdict at the approval (msgspec JSON)
    verdict = models.TextField(default="{}")
    #: the machine's draft that it began from, to measure how far people edit; empty = their own words
    drafted = models.TextField(blank=True)
    template = models.CharField(max_length=200, blank=True)
    #: names of guard rules that a lead set aside for this reply, on record
    despite = models.JSONField(default=list)
    approved_at = models.DateTimeField()
    #: position in the workspace's chain, from 1
    sequence = models.PositiveIntegerField()
    #: SHA-256 over the previous entry's hash and this entry
    chain = models.CharField(max_length=64)

    objects = ScopedQuerySet["Approval"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "sequence"], name="one_place_in_the_chain"),
            # a person's word or a machine's, never both and never nobody's
            models.CheckConstraint(
                condition=models.Q(person__isnull=False, machine__isnull=True, standing_word__isnull=True)
                | models.Q(person__isnull=True, machine__isnull=False, standing_word__isnull=False),
                name="one_who_speaks",
            ),
        ]


class Delivery(models.Model):
    """The way of one approved reply to its network. Exactly one effect, and a state that says so."""

    class State(models.TextChoices):
        QUEUED = "queued"
        #: claimed by a sender, the lease runs
        SENDING = "sending"
        SENT = "sent"
        #: the request went out and no answer came; settled by reading the network, never by sending again
        UNCONFIRMED = "unconfirmed"
        FAILED = "failed"
        #: the guard holds it; `cause` says which rule and what to do
        HELD = "held"
        CANCELLED = "cancelled"

    MOVES: dict[str, frozenset[str]] = {
        "queued": frozenset({"sending", "held", "cancelled"}),
        "sending": frozenset({"sent", "queued", "unconfirmed", "failed", "held", "cancelled"}),
        "unconfirmed": frozenset({"sent", "failed", "queued", "unconfirmed"}),
        "held": frozenset({"queued", "cancelled"}),
        "failed": frozenset({"queued", "cancelled"}),
        "sent": frozenset(),
        "cancelled": frozenset(),
    }

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    approval = models.OneToOneField(Approval, on_delete=models.PROTECT, related_name="delivery")
    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, related_name="deliveries")
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="deliveries")
    state = models.CharField(max_length=12, choices=State.choices, default=State.QUEUED)
    #: stored before the first try; the network sees the same key on every try
    idempotency_key = models.CharField(max_length=64, unique=True)
    #: rises with every claim; only the newest holder may settle
    fence = models.PositiveIntegerField(default=0)
    claimed_by = models.CharField(max_length=64, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField()
    #: set just before the request leaves; from here on the effect is possible
    pushed_at = models.DateTimeField(null=True, blank=True)
    #: why it is where it is, as a sentence with the remedy
    cause = models.CharField(max_length=500, blank=True)
    external_id = models.CharField(max_length=500, blank=True)
    url = models.TextField(blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    queued_at = models.DateTimeField()

    objects = ScopedQuerySet["Delivery"].as_manager()

    class Meta:
        indexes = [models.Index(fields=["state", "next_try_at"])]


class Attempt(models.Model):
    """One try of a delivery, for the story of what happened."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="tries")
    fence = models.PositiveIntegerField()
    #: "claimed", "pushed", "sent", "retry", "unconfirmed", "failed", "held", "reconciled"
    step = models.CharField(max_length=16)
    detail = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField()

    objects = ScopedQuerySet["Attempt"].as_manager()
