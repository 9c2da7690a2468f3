"""Workspaces, the people who work in them, and the record of what they did."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.utils.timezone import now

from rapport.core.roles import ROLES, Right, is_outside, may, sees_every_basket
from rapport.store.models.scoped import ScopedQuerySet


class UserManager(BaseUserManager["User"]):
    """Makes users; an address is the login."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """A user who signs in with `email`; without a password only a sign-in link opens the account."""
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> User:
        """Addresses compare without regard to case."""
        return self.get(email__iexact=username)


class User(AbstractBaseUser):
    """Somebody who can sign in. What they may do is in their memberships, never here."""

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120, blank=True)
    #: IANA name; times are shown in it
    timezone = models.CharField(max_length=64, default="UTC")
    language = models.CharField(max_length=16, default="en")
    theme = models.CharField(
        max_length=8, default="auto", choices=[("auto", "auto"), ("light", "light"), ("dark", "dark")]
    )
    #: single-letter keys; off for those whose tools or hands they get in the way of (WCAG 2.1.4)
    shortcuts = models.BooleanField(default=True)
    #: their own keys: name of an act -> key ("" = none); null = the shipped ones
    keys = models.JSONField(null=True, blank=True)
    #: where they go once a conversation is dealt with: "next", "list" or "stay"; null = the shipped way
    after = models.CharField(max_length=8, null=True, blank=True)
    is_active = models.BooleanField(default=True)
    joined_at = models.DateTimeField(default=now)

    objects: ClassVar[UserManager] = UserManager()
    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    def __str__(self) -> str:
        return self.name or self.email


class Workspace(models.Model):
    """A brand or a client: everything else belongs to exactly one."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=120)
    timezone = models.CharField(max_length=64, default="UTC")
    #: ISO 639-1 codes of the languages spoken with it; empty means all
    languages = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(default=now)
    #: rises with every change of topics, rules or prepared replies; workers compare it before each batch
    config_version = models.PositiveIntegerField(default=1)
    #: core.score.Weights as JSON, those in force; empty = the shipped ones. `ScoreWeights` keeps the versions
    score_weights = models.JSONField(default=dict, blank=True)
    #: rises with every correction of a reading that is made or taken back; null = there was none
    corrections_version = models.PositiveIntegerField(null=True, blank=True)
    #: when and why everything going out is held; null = nothing is held
    held_at = models.DateTimeField(null=True, blank=True)
    hold_reason = models.CharField(max_length=300, blank=True)

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """One person's place in one workspace."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=[(role, role) for role in ROLES])
    active = models.BooleanField(default=True)
    #: open conversations that this person takes at once; 0 = no limit
    capacity = models.PositiveIntegerField(default=0)
    #: ISO 639-1 codes of the languages that they answer in; empty = not said
    languages = models.JSONField(default=list, blank=True)
    #: what they are good at, in words that rules use: ["refunds"]
    skills = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(default=now)

    objects = ScopedQuerySet["Membership"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "user"], name="one_membership")]

    def __str__(self) -> str:
        return str(self.user)

    def may(self, right: Right) -> bool:
        """Whether the role holds the right; a former member holds none. True alone is yes, whatever the table says."""
        return self.active is True and self.user.is_active is True and may(self.role, right) is True

    @property
    def is_outside(self) -> bool:
        """Whether this person is of another firm, and sees nothing but their own baskets."""
        return is_outside(self.role)

    @property
    def sees_every_basket(self) -> bool:
        """Whether basket membership narrows what this person sees."""
        return sees_every_basket(self.role) is True


class SignInLink(models.Model):
    """A link that signs one person in, once: for the first start, and for invitations."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sign_in_links")
    #: SHA-256 of the token; the token itself is shown once and kept nowhere
    digest = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)


class AuditEntry(models.Model):
    """Who did what to what, and when. Written by every action, changed by none."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="audit_entries")
    #: null when the machine did it
    actor = models.ForeignKey(Membership, on_delete=models.SET_NULL, null=True, blank=True)
    verb = models.CharField(max_length=64)
    #: "conversation", "channel", ...
    subject = models.CharField(max_length=32, blank=True)
    subject_id = models.CharField(max_length=64, blank=True)
    detail = models.JSONField(default=dict)
    at = models.DateTimeField()

    objects = ScopedQuerySet["AuditEntry"].as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["workspace", "-at"]),
            models.Index(fields=["workspace", "subject", "subject_id"]),
            # what people did, among a hundred times as much that the machine did
            models.Index(fields=["workspace", "-id"], condition=models.Q(actor__isnull=False), name="acts_of_people"),
        ]


class Hold(models.Model):
    """A time in which nothing of a workspace went out: who began and who ended it, and what was known.

    `Workspace.held_at` says whether one stands now; a sender asks nothing else.
    """

    class Way(models.TextChoices):
        """Where the switch was pressed."""

        DESK = "desk"
        API = "api"
        CLI = "cli"

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="holds", db_index=False)
    began_at = models.DateTimeField()
    by = models.ForeignKey(
        Membership, on_delete=models.SET_NULL, null=True, blank=True, db_index=False, related_name="+"
    )
    via = models.CharField(max_length=8, choices=Way.choices, default=Way.DESK)
    reason = models.CharField(max_length=300)
    #: what we know by now, in front of everybody who opens a conversation while it stands
    known = models.TextField(blank=True)
    #: null = it stands
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(
        Membership, on_delete=models.SET_NULL, null=True, blank=True, db_index=False, related_name="+"
    )

    objects = ScopedQuerySet["Hold"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace"], condition=models.Q(ended_at__isnull=True), name="one_hold_at_a_time"
            )
        ]
        indexes = [models.Index(fields=["workspace", "-began_at"], name="holds_by_time")]
