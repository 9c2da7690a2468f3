"""What people said of what the machine read, and how a workspace wants to be read."""

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


class TeamModel(models.Model):
    """One version of a workspace's own model: asked for, learnt by a worker, and put in force by a person.

    States: waiting -> running -> made, or failed. A worker claims it by a conditional UPDATE; a claim that is not
    renewed for a while can be claimed anew, so that a process that dies loses nothing.
    """

    class State(models.TextChoices):
        WAITING = "waiting"
        RUNNING = "running"
        #: learnt; `weights` is null where nothing was better than what ships
        MADE = "made"
        FAILED = "failed"

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="team_models", db_index=False)
    version = models.PositiveIntegerField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    asked_at = models.DateTimeField()
    #: null: from the command line
    asked_by = models.ForeignKey(Membership, on_delete=models.SET_NULL, null=True, related_name="team_models")
    #: who learns it, and when they last said how far they are
    claimed_by = models.CharField(max_length=64, blank=True)
    claimed_at = models.DateTimeField(null=True, blank=True)
    #: percent, and the reading that is being learnt
    progress = models.PositiveSmallIntegerField(default=0)
    step = models.CharField(max_length=24, blank=True)
    made_at = models.DateTimeField(null=True, blank=True)
    #: the shipped model that it was learnt beside
    beside = models.CharField(max_length=64, blank=True)
    #: corrections that it was learnt from, and readings that people let stand
    corrections = models.PositiveIntegerField(default=0)
    stood = models.PositiveIntegerField(default=0)
    #: training.team.Figures of every reading that was corrected, as JSON
    figures = models.JSONField(default=list)
    #: core.understand.team.pack
    weights = models.BinaryField(null=True)
    #: the readings of this workspace are made with it; at most one is
    in_force = models.BooleanField(default=False)
    #: why it failed, in words for a person
    problem = models.CharField(max_length=300, blank=True)

    objects = ScopedQuerySet["TeamModel"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "version"], name="one_team_model_version"),
            models.UniqueConstraint(
                fields=["workspace"], condition=models.Q(in_force=True), name="one_team_model_in_force"
            ),
            models.UniqueConstraint(
                fields=["workspace"],
                condition=models.Q(state__in=["waiting", "running"]),
                name="one_team_model_in_the_making",
            ),
        ]
        ordering = ["-version"]


class ReadingSettings(models.Model):
    """From which certainty readings count for a workspace, and how many posts get a second look."""

    workspace = models.OneToOneField(
        Workspace, on_delete=models.CASCADE, primary_key=True, related_name="reading_settings"
    )
    #: core.thresholds.Thresholds as JSON; what is missing has its shipped value
    thresholds = models.JSONField(default=dict)
    #: 0 to 1; null = as the deployment says (RAPPORT_DEEP_SHARE)
    share = models.FloatField(null=True, blank=True)
    changed_at = models.DateTimeField()
    changed_by = models.ForeignKey(Membership, on_delete=models.SET_NULL, null=True, related_name="+")

    objects = ScopedQuerySet["ReadingSettings"].as_manager()
