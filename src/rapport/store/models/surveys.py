"""Surveys: a few questions behind a link, the invitations, the answers."""

from __future__ import annotations

from django.db import models

from rapport.store.models.accounts import Membership, Workspace
from rapport.store.models.desk import Conversation
from rapport.store.models.outbound import Approval
from rapport.store.models.people import Person
from rapport.store.models.scoped import ScopedQuerySet


class Survey(models.Model):
    """A few questions that people outside are asked by a link."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="surveys", db_index=False)
    slug = models.SlugField(max_length=63)
    name = models.CharField(max_length=120)
    #: ISO 639-1 code of its questions; empty = that of the workspace
    language = models.CharField(max_length=16, blank=True)
    #: list of core.surveys.Question as JSON
    questions = models.JSONField(default=list)
    #: what is said when it was answered
    thanks = models.TextField(blank=True)
    active = models.BooleanField(default=True)
    #: how long an invitation is valid
    days = models.PositiveSmallIntegerField(default=14)
    changed_by = models.ForeignKey(
        Membership, on_delete=models.SET_NULL, null=True, blank=True, db_index=False, related_name="+"
    )
    changed_at = models.DateTimeField()

    objects = ScopedQuerySet["Survey"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "slug"], name="one_survey_slug")]
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Invitation(models.Model):
    """One person asked one survey: the link opens it once, until it expires."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False)
    survey = models.ForeignKey(Survey, on_delete=models.CASCADE, related_name="invitations", db_index=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="invitations")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="invitations")
    #: the reply that the link went out with; null = it has not
    approval = models.ForeignKey(Approval, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    #: SHA-256 of the token in the link; the token itself is kept nowhere
    digest = models.CharField(max_length=64, unique=True)
    #: the questions as they were then, so that an answer fits what was asked
    questions = models.JSONField(default=list)
    made_by = models.ForeignKey(Membership, on_delete=models.SET_NULL, null=True, db_index=False, related_name="+")
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True)
    #: taken back, or its reply never left
    void_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedQuerySet["Invitation"].as_manager()

    class Meta:
        indexes = [models.Index(fields=["survey", "-made_at"], name="invitations_by_time")]


class SurveyAnswer(models.Model):
    """What somebody answered, once."""

    invitation = models.OneToOneField(Invitation, on_delete=models.CASCADE, primary_key=True, related_name="answer")
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False)
    #: of the question that asks how satisfied they are; null = none does, or they left it out
    score = models.SmallIntegerField(null=True, blank=True)
    #: one for each question, in their order; null = left out
    answers = models.JSONField(default=list)
    at = models.DateTimeField()

    objects = ScopedQuerySet["SurveyAnswer"].as_manager()

    class Meta:
        indexes = [models.Index(fields=["workspace", "at"], name="survey_answers_by_time")]
