"""One person, many handles."""

from __future__ import annotations

from django.db import models

from rapport.core.understand.accounts import PROBABLE, is_automated
from rapport.store.models.accounts import Membership, Workspace
from rapport.store.models.scoped import ScopedQuerySet


class Person(models.Model):
    """Somebody out there, whichever networks they use."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="people")
    name = models.CharField(max_length=500, blank=True)
    about = models.TextField(blank=True)
    #: prospect, customer, advocate, detractor, influencer, partner, journalist, colleague, competitor or ""
    relationship = models.CharField(max_length=24, blank=True)
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField()
    #: deliberately not answered; a person decided so
    ignored = models.BooleanField(default=False)
    #: asked us to stop: nothing goes to them any more; empty = they did not
    suppressed_reason = models.CharField(max_length=300, blank=True)
    #: the colleague who knows them
    known_to = models.ForeignKey(Membership, on_delete=models.SET_NULL, null=True, blank=True)

    objects = ScopedQuerySet["Person"].as_manager()

    def __str__(self) -> str:
        return self.name


class Handle(models.Model):
    """One account of a person on one network, as its last post told it."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="handles", db_index=False)
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="handles")
    network = models.CharField(max_length=32)
    #: the network's stable id (its handle where it has none)
    external_id = models.CharField(max_length=500)
    handle = models.CharField(max_length=500, blank=True)
    name = models.CharField(max_length=500, blank=True)
    url = models.TextField(blank=True)
    bio = models.TextField(blank=True)
    followers = models.BigIntegerField(null=True, blank=True)
    following = models.BigIntegerField(null=True, blank=True)
    verified = models.BooleanField(default=False)
    bot = models.BooleanField(default=False)
    ours = models.BooleanField(default=False)
    #: how likely it is automated, 0 to 1, by its latest post (core.understand.accounts); null = nothing told
    bot_score = models.FloatField(null=True, blank=True)
    #: what spoke for it, one reason a line; null where nothing told (a column that is null can be added on SQLite
    #: without making the table anew, which would lose the triggers of the search)
    bot_reasons = models.TextField(null=True, blank=True)
    #: what a person said of it, which stands above the score: true = automated; null = nobody said
    bot_word = models.BooleanField(null=True, blank=True)
    bot_word_by = models.ForeignKey(Membership, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    bot_word_at = models.DateTimeField(null=True, blank=True)
    #: since when the network shows this account to nobody; its words are hidden until it comes back
    suspended_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedQuerySet["Handle"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "network", "external_id"], name="one_handle")]
        indexes = [
            # the few that look automated, and a few that a person spoke for (store.queries.automated)
            models.Index(
                fields=["workspace"],
                condition=models.Q(bot=True) | models.Q(bot_word=True) | models.Q(bot_score__gte=PROBABLE),
                name="automated_handle",
            )
        ]

    def __str__(self) -> str:
        return f"@{self.handle or self.external_id}"

    @property
    def automated(self) -> bool:
        """Whether it is treated as a machine: it says so, a person said so, or it is probably one."""
        return is_automated(self.bot, self.bot_word, self.bot_score)

    @property
    def reasons(self) -> list[str]:
        """Why it is probably automated, the strongest first."""
        return (self.bot_reasons or "").splitlines()


class PersonMerge(models.Model):
    """Two that turned out to be one person: who said so, on what evidence, and all that it takes to undo it.

    The row of the person who was joined is gone while the join stands, so both are kept by their number.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    #: row id of the person whom the other was joined to; may be joined to a third one by now
    kept = models.BigIntegerField()
    #: row id of the person who was joined, and will have it again when the join is undone
    absorbed = models.BigIntegerField()
    #: core.identity.Known of the person who was joined, as JSON
    known = models.JSONField()
    #: core.identity.Known of the person kept, just before
    before = models.JSONField()
    #: row ids of the handles that moved
    handles = models.JSONField(default=list)
    #: row ids of the conversations that moved
    conversations = models.JSONField(default=list)
    #: how we know that they are one
    evidence = models.TextField()
    by = models.ForeignKey(Membership, on_delete=models.SET_NULL, null=True)
    at = models.DateTimeField()
    #: null = it stands
    undone_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedQuerySet["PersonMerge"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["absorbed"], condition=models.Q(undone_at__isnull=True), name="joined_to_one_person"
            )
        ]
        indexes = [models.Index(fields=["workspace", "kept"])]
