"""What rules did or proposed beyond sorting, and the work that came of it."""

from __future__ import annotations

from django.db import models

from rapport.store.models.accounts import Membership, Workspace
from rapport.store.models.desk import Basket, Conversation
from rapport.store.models.outbound import Delivery
from rapport.store.models.people import Person
from rapport.store.models.policy import Offer
from rapport.store.models.scoped import ScopedQuerySet


class RuleEffect(models.Model):
    """One action of a rule on one conversation, apart from sorting: done, proposed to people, or only noted."""

    class State(models.TextChoices):
        #: the rule only observes: shown in the reasons, and nothing follows
        NOTED = "noted"
        #: waits for a person who takes or dismisses it
        PROPOSED = "proposed"
        TAKEN = "taken"
        DISMISSED = "dismissed"
        #: done by the machine
        DONE = "done"
        #: the guard or the budget of the conversation stopped it; `cause` says why
        REFUSED = "refused"

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="effects")
    #: row id of the post that the rule fired on
    post = models.BigIntegerField()
    rule = models.CharField(max_length=200)
    #: core.rules.actions.Verb and its argument
    verb = models.CharField(max_length=16)
    argument = models.CharField(max_length=500, blank=True)
    #: core.decision.Autonomy that it had in the end
    level = models.CharField(max_length=8)
    state = models.CharField(max_length=10, choices=State.choices)
    cause = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField()
    #: who took or dismissed it
    by = models.ForeignKey(Membership, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedQuerySet["RuleEffect"].as_manager()

    class Meta:
        constraints = [
            # a rule does a thing once to a conversation, however many posts come: no loop can grow out of it
            models.UniqueConstraint(fields=["conversation", "verb", "argument", "post"], name="one_effect_of_a_post")
        ]
        indexes = [models.Index(fields=["workspace", "state", "-at"], name="effects_waiting")]


class StepPlan(models.Model):
    """Steps over days: what is done after how many of them, and whether a word of theirs ends it."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="step_plans", db_index=False)
    name = models.CharField(max_length=120)
    #: list of core.tasks.Step as JSON
    steps = models.JSONField(default=list)
    #: what is left of it is not done once they speak again
    until_word = models.BooleanField(default=True)
    active = models.BooleanField(default=True)
    changed_by = models.ForeignKey(Membership, on_delete=models.SET_NULL, null=True, db_index=False, related_name="+")
    changed_at = models.DateTimeField()

    objects = ScopedQuerySet["StepPlan"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "name"], name="one_step_plan")]
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Task(models.Model):
    """Something to be done by a date: a promise to come back, a ticket for another team, an idea for the product."""

    class Kind(models.TextChoices):
        TASK = "task"
        TICKET = "ticket"
        IDEA = "idea"

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False)
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.TASK)
    title = models.CharField(max_length=300)
    conversation = models.ForeignKey(
        Conversation, on_delete=models.SET_NULL, null=True, blank=True, related_name="tasks"
    )
    person = models.ForeignKey(Person, on_delete=models.SET_NULL, null=True, blank=True, related_name="tasks")
    #: whose basket sees it, where nobody is named
    basket = models.ForeignKey(Basket, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    assignee = models.ForeignKey(Membership, on_delete=models.SET_NULL, null=True, blank=True, related_name="tasks")
    due_at = models.DateTimeField(null=True, blank=True)
    #: the rule that made it; empty = a person did
    rule = models.CharField(max_length=200, blank=True)
    made_by = models.ForeignKey(Membership, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    made_at = models.DateTimeField()
    done_by = models.ForeignKey(Membership, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    done_at = models.DateTimeField(null=True, blank=True)
    #: given up, with the reason
    dropped = models.CharField(max_length=300, blank=True)
    #: somebody was told that it is due
    reminded_at = models.DateTimeField(null=True, blank=True)
    #: the offer whose outcome it asks for
    offer = models.ForeignKey(Offer, on_delete=models.SET_NULL, null=True, blank=True, related_name="tasks")
    #: it is a step of this plan
    plan = models.ForeignKey(StepPlan, on_delete=models.SET_NULL, null=True, blank=True, db_index=False)
    #: it ends by itself once they speak again; null = it does not
    until_word = models.BooleanField(null=True, blank=True)

    objects = ScopedQuerySet["Task"].as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["workspace", "assignee", "due_at"], condition=models.Q(done_at__isnull=True), name="tasks_open"
            ),
            models.Index(
                fields=["workspace", "-done_at"], condition=models.Q(done_at__isnull=False), name="tasks_done"
            ),
            models.Index(
                fields=["workspace"], condition=models.Q(done_at__isnull=True, until_word=True), name="tasks_until_word"
            ),
        ]


class Webhook(models.Model):
    """An address of another program that rules can tell of a conversation (Standard Webhooks)."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="webhooks")
    slug = models.SlugField(max_length=63)
    url = models.TextField()
    #: encrypted (actions.keys); what calls are signed with
    secret = models.TextField()
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    #: calls that failed in a row, and the last reason
    failures = models.PositiveIntegerField(default=0)
    problem = models.CharField(max_length=300, blank=True)

    objects = ScopedQuerySet["Webhook"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "slug"], name="one_webhook_slug")]
        ordering = ["slug"]


class WebhookCall(models.Model):
    """One call of a webhook on its way; tried again until it is taken or given up."""

    class State(models.TextChoices):
        QUEUED = "queued"
        SENDING = "sending"
        SENT = "sent"
        FAILED = "failed"

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False)
    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="calls")
    #: the same on every try, so that the receiver can tell a repeat (webhook-id)
    key = models.CharField(max_length=64, unique=True)
    body = models.TextField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.QUEUED)
    tries = models.PositiveSmallIntegerField(default=0)
    fence = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField()
    queued_at = models.DateTimeField()
    #: taken by the receiver, or given up
    settled_at = models.DateTimeField(null=True, blank=True)
    cause = models.CharField(max_length=300, blank=True)

    objects = ScopedQuerySet["WebhookCall"].as_manager()

    class Meta:
        indexes = [models.Index(fields=["state", "next_try_at"], name="calls_waiting")]


class Escalation(models.Model):
    """A step of the ladder that somebody's negative words reached, and what became of it."""

    class Way(models.TextChoices):
        #: nobody has looked yet
        OPEN = ""
        ACKNOWLEDGED = "acknowledged"
        REPORTED = "reported"
        HANDED = "handed"
        IGNORED = "ignored"

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False)
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="escalations")
    conversation = models.ForeignKey(Conversation, on_delete=models.SET_NULL, null=True, related_name="+")
    #: row id of the post that reached it
    post = models.BigIntegerField()
    #: the name that the rule gave the step: "first", "second"
    step = models.CharField(max_length=63)
    rule = models.CharField(max_length=200)
    #: negative posts of the person within 90 days when it was reached, this one with them, on all networks
    count = models.PositiveIntegerField(default=0)
    at = models.DateTimeField()
    way = models.CharField(max_length=12, choices=Way.choices, default=Way.OPEN, blank=True)
    handled_by = models.ForeignKey(Membership, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    handled_at = models.DateTimeField(null=True, blank=True)
    note = models.CharField(max_length=300, blank=True)

    objects = ScopedQuerySet["Escalation"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "post", "step"], name="one_escalation")]
        indexes = [models.Index(fields=["workspace", "way", "-at"], name="escalations_open")]


class Ignoring(models.Model):
    """The decision not to answer a person: who took it, why, until when, and whether it was looked at again.

    `Person.ignored` says whether one stands now.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False)
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="ignorings")
    reason = models.CharField(max_length=300)
    by = models.ForeignKey(Membership, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField()
    #: it ends by itself then; null = it stands until somebody ends it
    until = models.DateTimeField(null=True, blank=True)
    #: somebody is asked then whether it is still right
    review_at = models.DateTimeField(null=True, blank=True)
    reviewed_at = models.DateTimeField(null=True, blank=True)
    reviewed_by = models.ForeignKey(Membership, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True)
    #: the task that asks for the review
    task = models.OneToOneField(Task, on_delete=models.SET_NULL, null=True, blank=True, related_name="ignoring")
    #: null with `ended_at`: its time was over
    ended_by = models.ForeignKey(Membership, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    objects = ScopedQuerySet["Ignoring"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["person"], condition=models.Q(ended_at__isnull=True), name="one_ignoring_at_a_time"
            )
        ]


class AcknowledgementSettings(models.Model):
    """Whether a machine may say once that a person will answer, and in which words. Off until an admin turns it on."""

    workspace = models.OneToOneField(
        Workspace, on_delete=models.CASCADE, primary_key=True, related_name="acknowledgement_settings"
    )
    enabled = models.BooleanField(default=False)
    #: true: only where a rule says "acknowledge"; false: whatever opens a conversation in one of `baskets`
    by_rules = models.BooleanField(default=False)
    #: language code -> text with {name} {hours} {help}; "" = for all others
    texts = models.JSONField(default=dict)
    #: addresses of help pages, one a line
    help_links = models.TextField(blank=True)
    #: slugs of the baskets in which it may; a support context is asked for
    baskets = models.JSONField(default=list)
    changed_at = models.DateTimeField()
    changed_by = models.ForeignKey(Membership, on_delete=models.SET_NULL, null=True, related_name="+")

    objects = ScopedQuerySet["AcknowledgementSettings"].as_manager()


class Acknowledgement(models.Model):
    """The one word that a machine said in a conversation."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False)
    conversation = models.OneToOneField(Conversation, on_delete=models.CASCADE, related_name="acknowledgement")
    #: row id of the post that it answers
    post = models.BigIntegerField()
    delivery = models.OneToOneField(Delivery, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    text = models.TextField()
    at = models.DateTimeField()

    objects = ScopedQuerySet["Acknowledgement"].as_manager()
