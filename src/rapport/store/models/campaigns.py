"""Campaigns: posts that were found, a text that waits for each, and what came of it."""

from __future__ import annotations

from django.db import models

from rapport.store.models.accounts import Membership, Workspace
from rapport.store.models.desk import Conversation
from rapport.store.models.listening import Channel, Post, Topic
from rapport.store.models.outbound import Approval
from rapport.store.models.scoped import ScopedQuerySet


class Campaign(models.Model):
    """A search for posts with a prepared text for each; people tweak and send, one by one or as a checked list."""

    class State(models.TextChoices):
        #: its posts and texts are still chosen
        DRAFT = "draft"
        RUNNING = "running"
        #: ended by a person before it was through
        STOPPED = "stopped"
        DONE = "done"

    MOVES: dict[str, frozenset[str]] = {
        "draft": frozenset({"running", "stopped"}),
        "running": frozenset({"stopped", "done"}),
        "stopped": frozenset({"running"}),
        "done": frozenset(),
    }

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="campaigns", db_index=False)
    name = models.CharField(max_length=120)
    #: query language (core.query); empty = `topic` alone finds
    query = models.TextField(blank=True)
    topic = models.ForeignKey(Topic, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    #: the account that answers; null = each time the one that its conversation belongs to
    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    #: posts of this time; null = from the first, or up to now and on
    since = models.DateTimeField(null=True, blank=True)
    until = models.DateTimeField(null=True, blank=True)
    #: how often one person is written to, over all of its posts
    per_person = models.PositiveSmallIntegerField(default=1)
    state = models.CharField(max_length=8, choices=State.choices, default=State.DRAFT)
    stop_reason = models.CharField(max_length=300, blank=True)
    #: what the last search left out: {"at": ISO time, "left_out": [[core.campaigns.Reason, how many], ...],
    #: "read": posts looked at, "capped": there are older ones}; null = nothing was looked for yet
    looked = models.JSONField(null=True, blank=True)
    made_by = models.ForeignKey(Membership, on_delete=models.SET_NULL, null=True, db_index=False, related_name="+")
    at = models.DateTimeField()

    objects = ScopedQuerySet["Campaign"].as_manager()

    class Meta:
        indexes = [models.Index(fields=["workspace", "-at"], name="campaigns_by_time")]

    def __str__(self) -> str:
        return self.name


class Variant(models.Model):
    """One wording of a campaign, so that no two people are told the same and each wording can be measured."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False)
    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="variants", db_index=False)
    name = models.CharField(max_length=40)
    text = models.TextField()

    objects = ScopedQuerySet["Variant"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "name"], name="one_variant_of_a_name")]
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class CampaignPost(models.Model):
    """One post that a campaign found, the text that waits for it, and what came of it."""

    class State(models.TextChoices):
        WAITING = "waiting"
        #: a person left it out, with the reason
        SKIPPED = "skipped"
        SENT = "sent"
        #: the guard holds or refuses it as it is; `reason` says why
        HELD = "held"
        REFUSED = "refused"

    MOVES: dict[str, frozenset[str]] = {
        "waiting": frozenset({"skipped", "sent", "held", "refused"}),
        "skipped": frozenset({"waiting"}),
        "held": frozenset({"waiting", "skipped", "sent", "refused"}),
        "refused": frozenset({"waiting", "skipped"}),
        # the campaign was stopped before it had left
        "sent": frozenset({"waiting"}),
    }

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False)
    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="posts", db_index=False)
    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="+")
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="campaign_posts")
    variant = models.ForeignKey(
        Variant, on_delete=models.SET_NULL, null=True, blank=True, related_name="posts", db_index=False
    )
    text = models.TextField(blank=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    reason = models.CharField(max_length=300, blank=True)
    #: whose work it is; null = whoever takes it
    assignee = models.ForeignKey(
        Membership, on_delete=models.SET_NULL, null=True, blank=True, db_index=False, related_name="+"
    )
    #: who sent or skipped it
    by = models.ForeignKey(
        Membership, on_delete=models.SET_NULL, null=True, blank=True, db_index=False, related_name="+"
    )
    approval = models.OneToOneField(
        Approval, on_delete=models.SET_NULL, null=True, blank=True, related_name="campaign_post"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    objects = ScopedQuerySet["CampaignPost"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "post"], name="one_campaign_post")]
        indexes = [models.Index(fields=["campaign", "state", "assignee"], name="campaign_posts_waiting")]
