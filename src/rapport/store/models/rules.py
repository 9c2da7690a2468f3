"""Rule sets and weights of the score: every version is kept."""

from __future__ import annotations

from django.db import models

from rapport.store.models.accounts import Membership, Workspace
from rapport.store.models.scoped import ScopedQuerySet


class RuleSet(models.Model):
    """One version of the rules. The newest active one is in force."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="rule_sets")
    version = models.PositiveIntegerField()
    document = models.TextField()
    note = models.CharField(max_length=300, blank=True)
    author = models.ForeignKey(Membership, on_delete=models.SET_NULL, null=True)
    created_at = models.DateTimeField()

    objects = ScopedQuerySet["RuleSet"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "version"], name="one_rule_set_version")]
        ordering = ["-version"]


class ScoreWeights(models.Model):
    """One version of the weights of the score. The newest is in force; `Workspace.score_weights` repeats it."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="weights", db_index=False)
    version = models.PositiveIntegerField()
    #: core.score.Weights as JSON; fields that are missing have their shipped value
    weights = models.JSONField(default=dict)
    note = models.CharField(max_length=300, blank=True)
    author = models.ForeignKey(Membership, on_delete=models.SET_NULL, null=True)
    created_at = models.DateTimeField()

    objects = ScopedQuerySet["ScoreWeights"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "version"], name="one_version_of_weights")]
        ordering = ["-version"]
