"""Colleagues at the desk: who looks and who writes, what each can undo, the lists that they keep."""

from __future__ import annotations

from django.db import models

from rapport.store.models.accounts import Membership, Workspace
from rapport.store.models.desk import Conversation
from rapport.store.models.scoped import ScopedQuerySet


class Presence(models.Model):
    """A colleague has this conversation open. It says so again every few seconds; what is older says nothing."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="present", db_index=False)
    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="+")
    seen_at = models.DateTimeField()
    #: when they last typed here; null = they only look
    writing_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedQuerySet["Presence"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["conversation", "membership"], name="one_presence")]
        indexes = [models.Index(fields=["seen_at"], name="presence_age")]


class ComposerClaim(models.Model):
    """Whose turn it is to write in a conversation. It ends unless it is renewed; a colleague may take over."""

    conversation = models.OneToOneField(
        Conversation, on_delete=models.CASCADE, primary_key=True, related_name="composer_claim"
    )
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False)
    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="+")
    #: of the page that holds it: one person with two windows writes in one of them
    token = models.CharField(max_length=32)
    claimed_at = models.DateTimeField()
    until = models.DateTimeField()

    objects = ScopedQuerySet["ComposerClaim"].as_manager()


class Deed(models.Model):
    """One act of a colleague at the desk, with what was there before: enough to undo it."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False)
    by = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="deeds", db_index=False)
    #: verb of the audit entry: "conversation.assign"
    verb = models.CharField(max_length=64)
    #: [[row id of the conversation, {field: before}, {field: after}], ...]; undone where `after` still stands
    rows = models.JSONField(default=list)
    at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedQuerySet["Deed"].as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["by", "-at"], name="deeds_of"),
            models.Index(fields=["at"], name="deeds_age"),
        ]


class SavedView(models.Model):
    """A list with its filters under a name: of one colleague, or for all."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="saved_views", db_index=False)
    #: null = shared with everybody in the workspace
    owner = models.ForeignKey(
        Membership, on_delete=models.CASCADE, null=True, blank=True, related_name="saved_views", db_index=False
    )
    name = models.CharField(max_length=80)
    #: web.inbox.list.Asked, checked whenever it is read
    asked = models.JSONField(default=dict)
    position = models.PositiveIntegerField(default=0)
    #: who made it
    by = models.ForeignKey(
        Membership, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    at = models.DateTimeField()

    objects = ScopedQuerySet["SavedView"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "owner", "name"], name="one_view_of_a_name"),
            # null equals nothing, so that the one above says nothing of shared ones
            models.UniqueConstraint(
                fields=["workspace", "name"], condition=models.Q(owner__isnull=True), name="one_shared_view_of_a_name"
            ),
        ]
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name
