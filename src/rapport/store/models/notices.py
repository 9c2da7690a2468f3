"""What colleagues are told, by which way, and when they want to be left in peace."""

from __future__ import annotations

from django.db import models

from rapport.store.models.accounts import Membership, Workspace
from rapport.store.models.desk import Conversation
from rapport.store.models.scoped import ScopedQuerySet


class Notification(models.Model):
    """Something that one colleague should know. What is alike and near in time is one row with a count."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False)
    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="notifications")
    #: core.notices.EVENTS: "assigned", "promise", "rule", ...
    event = models.CharField(max_length=16)
    #: what belongs together is told together: "rule:Storm watch", "basket:care"
    bundle = models.CharField(max_length=200, blank=True)
    #: the newest conversation that it is about
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    #: how many things it stands for
    count = models.PositiveIntegerField(default=1)
    #: one line for a person, in the words of the newest
    text = models.CharField(max_length=300)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, blank=True)
    #: when it goes out next by mail and by push, and when it last did; null = it does not, it never did. Whoever sends
    #: it takes the first away and sets the second, before the message leaves
    mail_at = models.DateTimeField(null=True, blank=True)
    mailed_at = models.DateTimeField(null=True, blank=True)
    push_at = models.DateTimeField(null=True, blank=True)
    pushed_at = models.DateTimeField(null=True, blank=True)
    #: while it is pushed: ids of the devices that are still to be told, each taken off just before; null = all
    push_left = models.JSONField(null=True, blank=True)

    objects = ScopedQuerySet["Notification"].as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["membership", "read_at", "-last_at"], name="notices_of"),
            models.Index(fields=["mail_at"], condition=models.Q(mail_at__isnull=False), name="notices_to_mail"),
            models.Index(fields=["push_at"], condition=models.Q(push_at__isnull=False), name="notices_to_push"),
        ]
        constraints = [
            # what comes more of while nobody looked raises the count of one row, whoever writes at the same moment
            models.UniqueConstraint(
                fields=["membership", "event", "bundle"],
                condition=models.Q(read_at__isnull=True),
                name="one_unread_bundle",
            )
        ]


class NotificationSettings(models.Model):
    """How one colleague wants to be told."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False)
    membership = models.OneToOneField(Membership, on_delete=models.CASCADE, related_name="notification_settings")
    #: event -> the ways that are on: {"assigned": ["desk", "mail"]}; what is missing has its shipped value
    ways = models.JSONField(default=dict)
    #: core.notices.Quiet as JSON: no mail and no push within these hours; empty = never quiet
    quiet = models.JSONField(default=dict)
    changed_at = models.DateTimeField()

    objects = ScopedQuerySet["NotificationSettings"].as_manager()


class PushSubscription(models.Model):
    """A browser that one colleague lets us wake (Web Push, RFC 8030)."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False)
    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="push_subscriptions")
    endpoint = models.TextField()
    #: SHA-256 of the endpoint: one row for each browser
    digest = models.CharField(max_length=64)
    #: public key and secret of the browser, base64url (RFC 8291)
    p256dh = models.CharField(max_length=128)
    auth = models.CharField(max_length=64)
    #: what the browser calls itself, for the list of devices
    device = models.CharField(max_length=120, blank=True)
    created_at = models.DateTimeField()
    failures = models.PositiveIntegerField(default=0)

    objects = ScopedQuerySet["PushSubscription"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["membership", "digest"], name="one_browser")]
