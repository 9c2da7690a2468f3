"""What may leave the house: prepared replies, drafts, approvals, deliveries, and the images that go with them."""

from __future__ import annotations

from django.db import models

from rapport.store.models.accounts import Membership, Workspace
from rapport.store.models.desk import Basket, Conversation
from rapport.store.models.listening import Channel, Post
from rapport.store.models.people import Handle
from rapport.store.models.scoped import ScopedQuerySet


class PreparedReply(models.Model):
    """A text to begin from; the person makes it theirs before it goes out."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="prepared_replies")
    slug = models.SlugField(max_length=80)
    name = models.CharField(max_length=200)
    text = models.TextField()
    #: ISO 639-1 code; null = for every language
    language = models.CharField(max_length=16, null=True, blank=True)
    #: how often somebody began from it; null = never
    used = models.PositiveIntegerField(null=True, blank=True)
    changed_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedQuerySet["PreparedReply"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "slug"], name="one_prepared_reply_slug")]
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class ReplyBasket(models.Model):
    """A basket in which a prepared reply is offered. One with none is offered in every basket."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False)
    reply = models.ForeignKey(PreparedReply, on_delete=models.CASCADE, related_name="baskets", db_index=False)
    basket = models.ForeignKey(Basket, on_delete=models.CASCADE, related_name="+")

    objects = ScopedQuerySet["ReplyBasket"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["reply", "basket"], name="one_basket_of_a_reply")]


class DraftSource(models.TextChoices):
    """Where the words of a draft came from."""

    #: typed by its author
    OWN = "own"
    #: a prepared reply that a rule chose, and one that a person chose
    RULE = "rule"
    SNIPPET = "snippet"
    #: an answer of ours to something like it
    ALIKE = "alike"
    ARTICLE = "article"
    #: a service that writes
    SERVICE = "service"
    CAMPAIGN = "campaign"


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
    #: null = not known: it is of before sources were kept
    source = models.CharField(max_length=12, choices=DraftSource.choices, null=True, blank=True)
    #: the words as they were put there, to measure how far people edit; null = their own from the first letter
    origin = models.TextField(null=True, blank=True)
    #: of a service: the model that wrote it
    model = models.CharField(max_length=64, null=True, blank=True)
    #: a person said of a machine's words that they stand as they are; null = they did not
    confirmed_at = models.DateTimeField(null=True, blank=True)
    #: colleagues are shown it; null = it was never shared
    shared = models.BooleanField(null=True, blank=True)
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


class PostDraft(models.Model):
    """A post of our own in the making, with where it shall go. It is gone once it was approved."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    author = models.ForeignKey(Membership, on_delete=models.CASCADE, db_index=False, related_name="+")
    text = models.TextField(blank=True)
    #: the accounts that shall say it, [{"channel": row id, "place": as it was entered}, ...]
    channels = models.JSONField(default=list)
    visibility = models.CharField(max_length=16, default="public")
    #: the name of its author stands below it
    signed = models.BooleanField(default=False)
    #: its author asks somebody else to read and send it
    proposed = models.BooleanField(default=False)
    #: why it was given back the last time; "" = it was not
    returned = models.CharField(max_length=300, blank=True)
    #: rises with every change: who sends has read exactly this
    version = models.PositiveIntegerField(default=1)
    updated_at = models.DateTimeField()

    objects = ScopedQuerySet["PostDraft"].as_manager()


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
    admin whose standing word allowed it. An erasure blanks the words and keeps the row.
    """

    class Kind(models.TextChoices):
        """What is approved, where it is not a reply."""

        #: of our own, to nobody
        POST = "post"
        LIKE = "like"
        UNLIKE = "unlike"
        BOOST = "boost"
        UNBOOST = "unboost"
        FOLLOW = "follow"
        UNFOLLOW = "unfollow"
        #: what `subject` sent is taken off the network, or gets these words
        DELETE = "delete"
        EDIT = "edit"
        #: a reply that a person sends on the site of the network, because its interface may not
        HANDOVER = "handover"
        #: a person said of a reply whose fate nobody knew that it is there, or that it is to be sent again
        SETTLE = "settle"
        #: one reply was let out although everything is held
        RELEASE = "release"
        #: the words of a person were blanked in entries of this chain
        ERASE = "erase"

    #: kinds that answer no post. They have no target, so that a sender of before they existed sends none as a reply
    WITHOUT_TARGET = ("post", "follow", "unfollow", "delete", "edit", "settle", "release", "erase")

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    #: null only where there is none (a post of our own, a follow), or after an erasure
    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, null=True, blank=True, related_name="approvals"
    )
    channel = models.ForeignKey(Channel, on_delete=models.PROTECT)
    #: the post that is answered, liked or shared on
    target = models.ForeignKey(Post, on_delete=models.PROTECT, null=True, blank=True)
    #: null = a reply
    kind = models.CharField(max_length=12, choices=Kind.choices, null=True, blank=True)
    #: the account that is followed or not any more
    handle = models.ForeignKey(Handle, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    #: the delivery that is edited, deleted, settled or let out
    subject = models.ForeignKey("Delivery", on_delete=models.PROTECT, null=True, blank=True, related_name="acts")
    #: who read and approved it; null for a machine's word
    person = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, blank=True)
    #: "acknowledgement" for a machine's word; null for a person's
    machine = models.CharField(max_length=24, null=True, blank=True)
    #: the admin who turned a machine's word on, in these words; null for a person's
    standing_word = models.ForeignKey(
        Membership, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    #: the author of the words, where somebody else approved them; null = whoever approved them
    asked_by = models.ForeignKey(
        Membership, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    text = models.TextField()
    #: images that go with it, [{"digest": SHA-256, "alt": words}, ...] (`Attachment`); null = none
    media = models.JSONField(null=True, blank=True)
    #: the texts of a thread of several posts, the first among them; null = `text` is all
    parts = models.JSONField(null=True, blank=True)
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
    #: what `chain` covers; null = the first form, which knows replies alone and no verdict (actions.outbound)
    form = models.PositiveSmallIntegerField(null=True, blank=True)
    #: core.voice_index.sketch of the text, to find what says nearly the same; null = none was made
    fingerprint = models.BinaryField(null=True, blank=True)
    #: its words, whom it went to and what it answers were blanked then, on the word of an entry of kind "erase"
    erased_at = models.DateTimeField(null=True, blank=True)

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
            models.CheckConstraint(
                condition=models.Q(erased_at__isnull=False)
                | models.Q(kind__isnull=True, target__isnull=False, conversation__isnull=False)
                # null is in no list, and a check that comes out as null lets everything by
                | models.Q(
                    kind__isnull=False,
                    kind__in=["like", "unlike", "boost", "unboost", "handover"],
                    target__isnull=False,
                )
                | models.Q(
                    kind__isnull=False,
                    kind__in=["post", "follow", "unfollow", "delete", "edit", "settle", "release", "erase"],
                    target__isnull=True,
                ),
                name="answers_or_acts",
            ),
        ]
        # what was said lately: nearly the same words, the share of one person, the ledger by its dates
        indexes = [models.Index(fields=["workspace", "-approved_at"], name="approved_lately")]

    @property
    def act(self) -> str:
        """What is approved: "reply", or one of `Kind`."""
        return self.kind or "reply"

    @property
    def answered(self) -> Post:
        """`target` of what has one for certain: a reply, a like, a boost that was not erased."""
        if self.target is None:
            raise LookupError(f"approval {self.pk} ({self.act}) answers no post")
        return self.target


class Delivery(models.Model):
    """The way of one approved reply or act to its network. Exactly one effect, and a state that says so."""

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
        "unconfirmed": frozenset({"sent", "failed", "queued", "unconfirmed", "cancelled"}),
        "held": frozenset({"queued", "cancelled", "unconfirmed"}),
        "failed": frozenset({"queued", "cancelled", "unconfirmed"}),
        "sent": frozenset(),
        "cancelled": frozenset(),
    }

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    approval = models.OneToOneField(Approval, on_delete=models.PROTECT, related_name="delivery")
    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, related_name="deliveries")
    #: null only where there is none (a post of our own, a follow), or after an erasure
    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, null=True, blank=True, related_name="deliveries"
    )
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
    #: a person let this one out: a hold that began before does not stop it
    let_through_at = models.DateTimeField(null=True, blank=True)
    #: nobody can tell whether the network took it, and a person is asked; `pushed_at` stays
    unknown_at = models.DateTimeField(null=True, blank=True)
    #: who said "it is there" or "send again"; null = nobody had to
    settled_by = models.ForeignKey(
        Membership, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    #: the rule of the guard that holds it; null = none does, or it is of before this was kept
    held_by = models.CharField(max_length=24, null=True, blank=True)
    #: what it cost, in cents of the budget's currency; null = nothing is counted
    cents = models.PositiveIntegerField(null=True, blank=True)

    objects = ScopedQuerySet["Delivery"].as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["state", "next_try_at"]),
            # the few that keep those approved after them in the same conversation back
            models.Index(
                fields=["conversation", "id"],
                condition=models.Q(state__in=["queued", "sending", "unconfirmed"]),
                name="in_line",
            ),
        ]

    @property
    def talk(self) -> Conversation:
        """`conversation` of what has one for certain: a reply that was not erased."""
        if self.conversation is None:
            raise LookupError(f"delivery {self.pk} belongs to no conversation")
        return self.conversation

    @property
    def talks(self) -> list[int]:
        """Row id of its conversation, where it has one: what open pages are told of."""
        return [] if self.conversation_id is None else [self.conversation_id]


class DeliveryPart(models.Model):
    """One post of a thread on its way: where it stopped, it goes on."""

    class State(models.TextChoices):
        WAITING = "waiting"
        #: the request left and no answer is known
        PUSHED = "pushed"
        SENT = "sent"

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False)
    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="parts", db_index=False)
    #: place in `Approval.parts`, from 1
    number = models.PositiveSmallIntegerField()
    #: stored before the first try; the network sees the same key on every try
    key = models.CharField(max_length=64, unique=True)
    state = models.CharField(max_length=12, choices=State.choices, default=State.WAITING)
    #: set just before the request leaves; from here on the effect is possible
    pushed_at = models.DateTimeField(null=True, blank=True)
    external_id = models.CharField(max_length=500, blank=True)
    url = models.TextField(blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedQuerySet["DeliveryPart"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["delivery", "number"], name="one_part_of_a_number")]


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


class Attachment(models.Model):
    """An image that a colleague brought for a reply, made anew from its pixels and kept under a name of ours."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False)
    #: null = for a post of our own
    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, null=True, blank=True, related_name="attachments"
    )
    #: the post of our own that it was brought for; null = for a reply, or it was sent
    own_post = models.ForeignKey(PostDraft, on_delete=models.SET_NULL, null=True, blank=True, related_name="images")
    by = models.ForeignKey(Membership, on_delete=models.SET_NULL, null=True, db_index=False, related_name="+")
    #: SHA-256 of the file as it is kept and sent
    digest = models.CharField(max_length=64)
    #: its name within the data folder, drawn at random; nothing of the name that it came with
    stored = models.CharField(max_length=64, unique=True)
    mime = models.CharField(max_length=40)
    #: pixels
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    #: bytes
    size = models.PositiveIntegerField()
    #: what is to be seen, for those who cannot see it
    alt = models.TextField(blank=True)
    #: left without words on purpose
    no_alt = models.BooleanField(default=False)
    at = models.DateTimeField()
    #: what it left with; null = nothing yet
    approval = models.ForeignKey(Approval, on_delete=models.SET_NULL, null=True, blank=True, related_name="attachments")

    objects = ScopedQuerySet["Attachment"].as_manager()

    class Meta:
        # those that were never sent, to be cleared away
        indexes = [models.Index(fields=["at"], condition=models.Q(approval__isnull=True), name="attachments_unsent")]
