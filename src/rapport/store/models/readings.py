"""What people said of what the machine read."""

from __future__ import annotations

from django.db import models

from rapport.store.models.accounts import Membership, Workspace
from rapport.store.models.listening import Post
from rapport.store.models.scoped import ScopedQuerySet


class Correction(models.Model):
    """One person's word on one reading of one post. It holds for every post that says the same (`text_key`)."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False)
    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="corrections")
    #: core.understand.corrected.text_key of the words that were corrected
    text_key = models.CharField(max_length=32)
    #: one of core.understand.corrected.READINGS
    reading = models.CharField(max_length=24)
    #: a mood, a language code, "true" or "false"
    value = models.CharField(max_length=8)
    #: what the machine said instead, and which model
    was = models.CharField(max_length=8)
    model = models.CharField(max_length=64, blank=True)
    #: core.understand.corrected.measured of the machine's reading: what taking the correction back restores
    machine = models.JSONField(default=list)
    by = models.ForeignKey(Membership, on_delete=models.SET_NULL, null=True, related_name="corrections")
    at = models.DateTimeField()
    #: taken back, or replaced by a later word of the same person
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedQuerySet["Correction"].as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["workspace", "text_key"], name="corrected_text"),
            models.Index(fields=["workspace", "reading", "id"], name="corrected_reading"),
            models.Index(
                fields=["workspace", "id"], condition=models.Q(withdrawn_at__isnull=True), name="correction_in_force"
            ),
        ]
