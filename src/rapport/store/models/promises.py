"""Who is away, and the promises of time that run."""

from __future__ import annotations

from django.db import models

from rapport.store.models.accounts import Membership, Workspace
from rapport.store.models.desk import Basket, Conversation
from rapport.store.models.scoped import ScopedQuerySet


class Absence(models.Model):
    """A time in which a colleague takes no work; a deputy stands in for the people whom they know."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False)
    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="absences")
    since = models.DateTimeField()
    #: null = until they say that they are back
    until = models.DateTimeField(null=True, blank=True)
    deputy = models.ForeignKey(Membership, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    note = models.CharField(max_length=200, blank=True)

    objects = ScopedQuerySet["Absence"].as_manager()

    class Meta:
        indexes = [models.Index(fields=["workspace", "since"], name="absences")]


class Promise(models.Model):
    """One promise of time to one person, running in the business minutes of its basket."""

    class Kind(models.TextChoices):
        FIRST = "first"
        NEXT = "next"
        RESOLUTION = "resolution"

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="promises")
    basket = models.ForeignKey(Basket, on_delete=models.SET_NULL, null=True, related_name="+")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    #: business minutes promised, and used before the running stretch began
    minutes = models.PositiveIntegerField()
    used = models.FloatField(default=0)
    started_at = models.DateTimeField()
    #: since when the present stretch runs; null while it is paused because we wait for them
    running_since = models.DateTimeField(null=True, blank=True)
    #: when the promise runs out if nothing changes; null while it is paused
    due_at = models.DateTimeField(null=True, blank=True)
    #: when people are warned
    warn_at = models.DateTimeField(null=True, blank=True)
    warned_at = models.DateTimeField(null=True, blank=True)
    #: it ran out before it was kept
    broken_at = models.DateTimeField(null=True, blank=True)
    #: answered, resolved or given up: it runs no more
    ended_at = models.DateTimeField(null=True, blank=True)
    #: ended because what was promised was done, in time or late
    done = models.BooleanField(default=False)

    objects = ScopedQuerySet["Promise"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["conversation", "kind"],
                condition=models.Q(ended_at__isnull=True),
                name="one_promise_of_a_kind",
            )
        ]
        indexes = [
            models.Index(
                fields=["workspace", "due_at"], condition=models.Q(ended_at__isnull=True), name="promises_running"
            ),
            models.Index(fields=["workspace", "-broken_at"], name="promises_broken"),
            # how many were kept, and how many are late: counted on the index alone, one stretch a basket and kind
            models.Index(
                fields=["workspace", "basket", "kind", "ended_at"],
                condition=models.Q(done=True, broken_at__isnull=True),
                name="kept_promises",
            ),
            models.Index(
                fields=["workspace", "basket", "kind"],
                condition=models.Q(ended_at__isnull=True, broken_at__isnull=False),
                name="promises_late",
            ),
        ]
