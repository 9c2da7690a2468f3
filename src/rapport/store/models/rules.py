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


class RuleDraft(models.Model):
    """A rule set in the making: tried on history and beside the live one, in force only once it is published."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="rule_drafts")
    name = models.CharField(max_length=120)
    document = models.TextField()
    #: the version in force when it was begun or last brought up to date
    base = models.PositiveIntegerField(default=0)
    author = models.ForeignKey(Membership, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    updated_by = models.ForeignKey(Membership, on_delete=models.SET_NULL, null=True, related_name="+")
    updated_at = models.DateTimeField()
    #: rises with every save; a save over somebody else's newer words is refused
    revision = models.PositiveIntegerField(default=1)
    #: it decides beside the live set within this time; null = it does not
    shadow_from = models.DateTimeField(null=True, blank=True)
    shadow_until = models.DateTimeField(null=True, blank=True)
    #: posts that both sets decided, and how many of these differently
    shadow_seen = models.PositiveBigIntegerField(default=0)
    shadow_different = models.PositiveBigIntegerField(default=0)
    #: became this version of the rules; null = not published
    published_as = models.PositiveIntegerField(null=True, blank=True)

    objects = ScopedQuerySet["RuleDraft"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "name"], name="one_draft_of_a_name")]
        ordering = ["-updated_at"]


class ShadowDifference(models.Model):
    """What a draft that runs in the shadow would have done differently, counted by kind, before and after."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False)
    draft = models.ForeignKey(RuleDraft, on_delete=models.CASCADE, related_name="differences")
    #: core.rules.compare.KINDS: "basket", "priority", ...
    kind = models.CharField(max_length=16)
    before = models.CharField(max_length=200, blank=True)
    after = models.CharField(max_length=200, blank=True)
    count = models.PositiveBigIntegerField(default=0)
    #: row ids of the first posts of this kind
    examples = models.JSONField(default=list)

    objects = ScopedQuerySet["ShadowDifference"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["draft", "kind", "before", "after"], name="one_shadow_difference")
        ]


class BackTest(models.Model):
    """A rule set tried on the stored history: who asked, how far it is, what would have been different."""

    class State(models.TextChoices):
        WAITING = "waiting"
        RUNNING = "running"
        DONE = "done"
        STOPPED = "stopped"
        FAILED = "failed"

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="back_tests")
    draft = models.ForeignKey(RuleDraft, on_delete=models.CASCADE, null=True, blank=True, related_name="back_tests")
    document = models.TextField()
    #: the version that it was held against
    against = models.PositiveIntegerField(default=0)
    since = models.DateTimeField()
    until = models.DateTimeField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    asked_by = models.ForeignKey(Membership, on_delete=models.SET_NULL, null=True, related_name="+")
    asked_at = models.DateTimeField()
    claimed_by = models.CharField(max_length=64, blank=True)
    claimed_at = models.DateTimeField(null=True, blank=True)
    #: posts tried so far, and how many there are
    seen = models.PositiveBigIntegerField(default=0)
    total = models.PositiveBigIntegerField(default=0)
    #: core.rules.compare.Report as JSON, once done
    report = models.JSONField(default=dict, blank=True)
    problem = models.CharField(max_length=300, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedQuerySet["BackTest"].as_manager()

    class Meta:
        indexes = [models.Index(fields=["workspace", "-asked_at"], name="back_tests")]


class RuleDay(models.Model):
    """What one rule did on one day: how often it fired, broke, and was overridden by a person."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False)
    rule = models.CharField(max_length=200)
    #: of the workspace, in its time zone
    day = models.DateField()
    fired = models.PositiveIntegerField(default=0)
    #: a person put what it decided elsewhere
    overridden = models.PositiveIntegerField(default=0)
    broken = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField()
    #: row id of the post that it last fired on, and of the one that it last broke on with the error
    last_post = models.BigIntegerField(null=True, blank=True)
    broken_post = models.BigIntegerField(null=True, blank=True)
    error = models.CharField(max_length=500, blank=True)

    objects = ScopedQuerySet["RuleDay"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "rule", "day"], name="one_rule_day")]
