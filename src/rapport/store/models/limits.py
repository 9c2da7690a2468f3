"""What bounds the way out of one house: whose word is asked for besides, numbers of a channel, its budget."""

from __future__ import annotations

from django.db import models

from rapport.store.models.accounts import Membership, Workspace
from rapport.store.models.desk import Basket
from rapport.store.models.listening import Channel
from rapport.store.models.scoped import ScopedQuerySet


class ApprovalRule(models.Model):
    """Who has to approve what others write. What is empty narrows nothing; the first that applies decides.

    What roles without the right to send write is always approved by somebody else, with or without a rule.
    """

    class Approver(models.TextChoices):
        LEAD = "lead"
        ADMIN = "admin"

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="approval_rules", db_index=False)
    position = models.PositiveIntegerField(default=0)
    #: of whoever writes
    role = models.CharField(max_length=16, blank=True)
    basket = models.ForeignKey(Basket, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    #: an expression of the rules (core.rules) about the post that is answered
    condition = models.CharField(max_length=2000, blank=True)
    #: the least role that may approve
    approver = models.CharField(max_length=16, choices=Approver.choices, default=Approver.LEAD)
    #: never its author, whatever their role
    four_eyes = models.BooleanField(default=True)
    active = models.BooleanField(default=True)
    changed_by = models.ForeignKey(Membership, on_delete=models.SET_NULL, null=True, db_index=False, related_name="+")
    changed_at = models.DateTimeField()

    objects = ScopedQuerySet["ApprovalRule"].as_manager()

    class Meta:
        indexes = [models.Index(fields=["workspace", "position"], name="approval_rules_in_order")]
        ordering = ["position", "id"]


class ChannelPolicy(models.Model):
    """Numbers of the guard that an admin set otherwise for one channel, and what it may spend."""

    class Replies(models.TextChoices):
        """Whom the network lets this account answer through its interface."""

        #: the shipped value of the network
        SHIPPED = ""
        #: only those who mentioned or quoted us; others are handed over to the site
        ADDRESSED = "addressed"
        ANYONE = "anyone"

    channel = models.OneToOneField(Channel, on_delete=models.CASCADE, primary_key=True, related_name="policy")
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False)
    #: core.guard.policy.Override as JSON; what is missing has its shipped value
    numbers = models.JSONField(default=dict, blank=True)
    #: null = no budget
    day_cents = models.PositiveIntegerField(null=True, blank=True)
    month_cents = models.PositiveIntegerField(null=True, blank=True)
    replies = models.CharField(max_length=10, choices=Replies.choices, default=Replies.SHIPPED, blank=True)
    changed_by = models.ForeignKey(Membership, on_delete=models.SET_NULL, null=True, db_index=False, related_name="+")
    changed_at = models.DateTimeField()

    objects = ScopedQuerySet["ChannelPolicy"].as_manager()


class Spend(models.Model):
    """What one channel did on one day, by kind, and what that cost."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False)
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="spend", db_index=False)
    #: UTC, as networks count
    day = models.DateField()
    #: "reply", or Approval.Kind
    kind = models.CharField(max_length=12)
    count = models.PositiveIntegerField(default=0)
    cents = models.PositiveIntegerField(default=0)

    objects = ScopedQuerySet["Spend"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["channel", "day", "kind"], name="one_spend")]
