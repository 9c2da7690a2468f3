"""Programs that knock at the door: their tokens, and the answers that they were given."""

from __future__ import annotations

import datetime as dt

from django.db import models

from rapport.store.models.accounts import Membership, Workspace
from rapport.store.models.scoped import ScopedQuerySet

#: how exact `last_used_at` is: a program that calls ten times a second must not cost ten writes
USE_STEP = dt.timedelta(minutes=1)


class ApiTokenQuerySet(ScopedQuerySet["ApiToken"]):
    """Tokens, and which of them still open the door."""

    def usable(self) -> ApiTokenQuerySet:
        """Not revoked, and of somebody who works there now."""
        return self.filter(revoked_at__isnull=True, membership__active=True, membership__user__is_active=True)

    def note_use(self, token: ApiToken, now: dt.datetime) -> None:
        """Remember that the token was used, to within `USE_STEP`."""
        if token.last_used_at is None or now - token.last_used_at >= USE_STEP:
            self.filter(pk=token.pk).update(last_used_at=now)


class ApiToken(models.Model):
    """What a program shows instead of a password. It acts as one member: their role and baskets, as they are now."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="api_tokens")
    #: what it is for, in the words of whoever made it
    name = models.CharField(max_length=120)
    #: SHA-256 of the token; the token itself is shown once and kept nowhere
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = ApiTokenQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name


class KeptAnswer(models.Model):
    """The answer to a call that must have its effect once; the row is claimed in the transaction of the effect."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    token = models.ForeignKey(ApiToken, on_delete=models.CASCADE, related_name="answers", db_index=False)
    #: the Idempotency-Key that the program chose
    key = models.CharField(max_length=255)
    #: SHA-256 of address and raw body: the same key for something else is a mistake
    digest = models.CharField(max_length=64)
    #: the answer as JSON, repeated byte for byte
    body = models.TextField(blank=True)
    created_at = models.DateTimeField()

    objects = ScopedQuerySet["KeptAnswer"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["token", "key"], name="one_answer_a_key")]
        indexes = [models.Index(fields=["token", "created_at"])]
