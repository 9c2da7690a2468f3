"""What became of drafts: their earlier words, how far people took them, and the service that may write some."""

from __future__ import annotations

from django.db import models

from rapport.store.models.accounts import Membership, Workspace
from rapport.store.models.desk import Conversation
from rapport.store.models.outbound import Approval, DraftSource
from rapport.store.models.scoped import ScopedQuerySet


class DraftVersion(models.Model):
    """The words of a draft as they were at one time."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False)
    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, related_name="draft_versions", db_index=False
    )
    #: null = the machine's
    author = models.ForeignKey(
        Membership, on_delete=models.CASCADE, null=True, blank=True, db_index=False, related_name="+"
    )
    text = models.TextField()
    source = models.CharField(max_length=12, choices=DraftSource.choices)
    at = models.DateTimeField()

    objects = ScopedQuerySet["DraftVersion"].as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["conversation", "-id"], name="draft_history"),
            models.Index(fields=["at"], name="draft_history_age"),
        ]


class DraftUse(models.Model):
    """What became of one draft that was offered: taken as it was, edited, thrown away or never used."""

    class Outcome(models.TextChoices):
        AS_IS = "as_is"
        EDITED = "edited"
        #: begun from, and hardly a word of it left
        THROWN = "thrown"
        #: offered, and the answer began elsewhere
        UNUSED = "unused"

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="+")
    #: what left instead of it, or out of it; null = nothing did
    approval = models.ForeignKey(Approval, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    source = models.CharField(max_length=12, choices=DraftSource.choices)
    #: of the prepared reply, the article or the model
    name = models.CharField(max_length=200, blank=True)
    by = models.ForeignKey(Membership, on_delete=models.SET_NULL, null=True, db_index=False, related_name="+")
    outcome = models.CharField(max_length=8, choices=Outcome.choices)
    #: share of the words that were changed, 0 (none) to 1 (all); null = nothing left
    distance = models.FloatField(null=True, blank=True)
    at = models.DateTimeField()

    objects = ScopedQuerySet["DraftUse"].as_manager()

    class Meta:
        indexes = [models.Index(fields=["workspace", "source", "at"], name="drafts_by_source")]


class DraftingSettings(models.Model):
    """Whether a service may write drafts, and which. Off until an admin turns it on; it writes nothing but drafts."""

    workspace = models.OneToOneField(
        Workspace, on_delete=models.CASCADE, primary_key=True, related_name="drafting_settings"
    )
    enabled = models.BooleanField(default=False)
    #: of an interface like OpenAI's, up to and without /chat/completions
    url = models.TextField(blank=True)
    #: encrypted (actions.keys)
    key = models.TextField(blank=True)
    model = models.CharField(max_length=120, blank=True)
    #: what it is told of the house before each draft
    prompt = models.TextField(blank=True)
    #: slugs of the baskets in which it is asked; empty = none
    baskets = models.JSONField(default=list, blank=True)
    changed_at = models.DateTimeField()
    changed_by = models.ForeignKey(Membership, on_delete=models.SET_NULL, null=True, db_index=False, related_name="+")

    objects = ScopedQuerySet["DraftingSettings"].as_manager()
