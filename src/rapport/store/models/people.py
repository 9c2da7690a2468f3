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


class PersonField(models.Model):
    """A field of its own that a workspace keeps of people: a customer number, a size, a birthday."""

    class Kind(models.TextChoices):
        TEXT = "text"
        NUMBER = "number"
        DATE = "date"
        CHOICE = "choice"
        FLAG = "flag"
        LINK = "link"

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="person_fields", db_index=False)
    slug = models.SlugField(max_length=63)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.TEXT)
    #: what a choice is made of
    choices = models.JSONField(default=list, blank=True)
    position = models.PositiveIntegerField(default=0)

    objects = ScopedQuerySet["PersonField"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "slug"], name="one_person_field_slug")]
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name


class PersonValue(models.Model):
    """What a person has in one field."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False)
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="values", db_index=False)
    field = models.ForeignKey(PersonField, on_delete=models.CASCADE, related_name="values", db_index=False)
    #: as text of the kind of the field: a number with a point, a date as 2026-11-22, a flag as "yes" or "no"
    value = models.CharField(max_length=500)
    by = models.ForeignKey(Membership, on_delete=models.SET_NULL, null=True, db_index=False, related_name="+")
    at = models.DateTimeField()

    objects = ScopedQuerySet["PersonValue"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "field"], name="one_person_value")]
        indexes = [models.Index(fields=["field", "value"], name="people_by_value")]


class PersonNote(models.Model):
    """Said among colleagues of a person, whatever the conversation; never outside."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False)
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="notes", db_index=False)
    author = models.ForeignKey(Membership, on_delete=models.SET_NULL, null=True, db_index=False, related_name="+")
    text = models.TextField()
    at = models.DateTimeField()
    #: taken back; nobody is shown it any more
    removed_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedQuerySet["PersonNote"].as_manager()

    class Meta:
        indexes = [models.Index(fields=["person", "-at"], name="notes_on_a_person")]


class Consent(models.Model):
    """What a person allowed or refused us, where they said so, and when they took it back."""

    class Purpose(models.TextChoices):
        #: to be written to without having asked
        CONTACT = "contact"
        SURVEY = "survey"
        #: to be quoted, by name, in our own posts
        QUOTE = "quote"
        NEWSLETTER = "newsletter"

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False)
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="consents", db_index=False)
    purpose = models.CharField(max_length=16, choices=Purpose.choices)
    #: false: they were asked and refused
    given = models.BooleanField()
    #: where they said so: an address of their post, "by phone"
    source = models.CharField(max_length=300)
    by = models.ForeignKey(Membership, on_delete=models.SET_NULL, null=True, db_index=False, related_name="+")
    at = models.DateTimeField()
    #: null = it stands
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedQuerySet["Consent"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["person", "purpose"], condition=models.Q(withdrawn_at__isnull=True), name="one_consent"
            )
        ]
        indexes = [models.Index(fields=["person", "-at"], name="consents_of")]


class Suppression(models.Model):
    """One account that asked us to stop, or that we decided to write to no more, with where that came from.

    It names the account by a keyed digest alone and points at no person: it outlives the erasure of those it protects.
    `Person.suppressed_reason` repeats it for as long as there is a person.
    """

    class Source(models.TextChoices):
        #: they said "stop"
        WORD = "word"
        COLLEAGUE = "colleague"
        #: the network told us (blocked, unsubscribed, #nobot)
        NETWORK = "network"

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False)
    #: HMAC-SHA-256 of network and `Handle.external_id`
    digest = models.CharField(max_length=64)
    reason = models.CharField(max_length=300)
    source = models.CharField(max_length=16, choices=Source.choices)
    at = models.DateTimeField()
    by = models.ForeignKey(
        Membership, on_delete=models.SET_NULL, null=True, blank=True, db_index=False, related_name="+"
    )
    #: null = it stands
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.ForeignKey(
        Membership, on_delete=models.SET_NULL, null=True, blank=True, db_index=False, related_name="+"
    )
    lift_reason = models.CharField(max_length=300, blank=True)

    objects = ScopedQuerySet["Suppression"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "digest"], condition=models.Q(lifted_at__isnull=True), name="one_suppression"
            )
        ]
        indexes = [models.Index(fields=["workspace", "digest", "-at"], name="suppressions_of")]


class BrandHandle(models.Model):
    """An account that speaks for another firm; its answers count when many brands jump on one person."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="brand_handles", db_index=False)
    network = models.CharField(max_length=32)
    #: core.post.Author.key: the network's stable id, its handle where it has none
    key = models.CharField(max_length=500)
    name = models.CharField(max_length=200, blank=True)
    by = models.ForeignKey(
        Membership, on_delete=models.SET_NULL, null=True, blank=True, db_index=False, related_name="+"
    )
    at = models.DateTimeField()

    objects = ScopedQuerySet["BrandHandle"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "network", "key"], name="one_brand_handle")]


class PersonJob(models.Model):
    """Everything of one person put in a file, or taken away: who asked, how far it is, what was done where.

    The person may be gone when it is read, so they are kept by their number alone.
    """

    class Kind(models.TextChoices):
        EXPORT = "export"
        ERASE = "erase"

    class State(models.TextChoices):
        WAITING = "waiting"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="person_jobs", db_index=False)
    #: row id of the person
    person = models.BigIntegerField()
    kind = models.CharField(max_length=8, choices=Kind.choices)
    #: what made us do it ("asked by mail on 3 May"); names nobody, because it stays
    reason = models.CharField(max_length=300)
    asked_by = models.ForeignKey(Membership, on_delete=models.SET_NULL, null=True, db_index=False, related_name="+")
    asked_at = models.DateTimeField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    claimed_by = models.CharField(max_length=64, blank=True)
    claimed_at = models.DateTimeField(null=True, blank=True)
    #: table -> how many rows were put in, blanked or taken away; what is out of reach, in words; what of the house
    #: still names one of their accounts, in numbers (store.queries.named_in). No word of theirs
    report = models.JSONField(default=dict, blank=True)
    problem = models.CharField(max_length=300, blank=True)
    #: of an export: name of its file within the data folder; empty = none, or gone again
    path = models.CharField(max_length=200, blank=True)
    #: when the file is taken away
    expires_at = models.DateTimeField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedQuerySet["PersonJob"].as_manager()

    class Meta:
        constraints = [
            # pressed twice is asked once
            models.UniqueConstraint(
                fields=["workspace", "person", "kind"],
                condition=models.Q(state__in=["waiting", "running"]),
                name="one_job_at_a_time",
            )
        ]
        indexes = [
            models.Index(fields=["state", "asked_at"], name="jobs_waiting"),
            models.Index(fields=["workspace", "-asked_at"], name="jobs_by_time"),
        ]
