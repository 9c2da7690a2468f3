"""Where posts come from, the posts, what was understood, and the embedded bus."""

from __future__ import annotations

from django.db import models
from django.utils.timezone import now

from rapport.store.models.accounts import Workspace
from rapport.store.models.people import Handle
from rapport.store.models.scoped import ScopedQuerySet


class NetworkApp(models.Model):
    """Our registration as an application on one server, made once per server and address of ours."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    network = models.CharField(max_length=32)
    server = models.CharField(max_length=500)
    redirect_uri = models.CharField(max_length=500)
    client_id = models.CharField(max_length=500)
    #: encrypted
    client_secret = models.BinaryField()

    objects = ScopedQuerySet["NetworkApp"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "network", "server", "redirect_uri"], name="one_network_app")
        ]


class Channel(models.Model):
    """One account of ours on one network, or one file that was brought in."""

    class State(models.TextChoices):
        CONNECTED = "connected"
        #: nothing is pulled or pushed: files, or switched off by a person
        OFF = "off"
        #: the token is dead; its queue waits until somebody connects it again
        REAUTHORISE = "reauthorise"

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="channels")
    network = models.CharField(max_length=32)
    slug = models.SlugField(max_length=80)
    name = models.CharField(max_length=200)
    server = models.CharField(max_length=500, blank=True)
    handle = models.CharField(max_length=500, blank=True)
    #: our account's id on the network
    external_id = models.CharField(max_length=500, blank=True)
    #: the access token, encrypted; empty where none is needed
    token = models.BinaryField(default=b"")
    state = models.CharField(max_length=16, choices=State.choices, default=State.OFF)
    #: why it is in this state, in a sentence for a person
    state_reason = models.CharField(max_length=500, blank=True)
    state_at = models.DateTimeField(default=now)
    timezone = models.CharField(max_length=64, default="UTC")
    #: when the token must be renewed at the latest; null: it does not expire by itself
    token_expires_at = models.DateTimeField(null=True, blank=True)
    #: one process is renewing the token; nobody else tries before this moment
    renewing_until = models.DateTimeField(null=True, blank=True)
    #: the source has been unusually quiet since then (its own rhythm says so); null: it has not
    quiet_since = models.DateTimeField(null=True, blank=True)
    #: looks in a row that failed; the next one waits longer
    failures = models.PositiveIntegerField(default=0)
    #: what to listen to, e.g. {"hashtags": ["fernway"]}
    settings = models.JSONField(default=dict, blank=True)
    last_pull_at = models.DateTimeField(null=True, blank=True)
    #: the network asked us to wait until then
    paused_until = models.DateTimeField(null=True, blank=True)

    objects = ScopedQuerySet["Channel"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "slug"], name="one_channel_slug")]

    def __str__(self) -> str:
        return self.name


class Cursor(models.Model):
    """How far one stream of a channel has been read; moves in the transaction that stores the posts."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="cursors")
    stream = models.CharField(max_length=200)
    value = models.TextField(blank=True)
    moved_at = models.DateTimeField()
    #: when the network last answered for this stream, whether it had something new or not
    checked_at = models.DateTimeField(null=True, blank=True)
    #: when the newest post of this stream was said
    last_post_at = models.DateTimeField(null=True, blank=True)
    #: the network asked that this stream, and no other of the account, waits until then
    paused_until = models.DateTimeField(null=True, blank=True)
    #: what went wrong at the last look, as a sentence; empty = nothing
    error = models.CharField(max_length=500, blank=True)

    objects = ScopedQuerySet["Cursor"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["channel", "stream"], name="one_cursor")]


class Gap(models.Model):
    """A stretch of a stream that could not be read and cannot be filled; shown until a person has seen it."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="gaps")
    stream = models.CharField(max_length=200)
    reason = models.CharField(max_length=300)
    #: the stretch, as far as it is known
    since = models.DateTimeField(null=True, blank=True)
    until = models.DateTimeField(null=True, blank=True)
    noticed_at = models.DateTimeField()
    #: a person has seen it
    seen_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedQuerySet["Gap"].as_manager()

    class Meta:
        indexes = [models.Index(fields=["channel", "seen_at"], name="gap_unseen")]


class Tombstone(models.Model):
    """A post that was deleted on its network, whether we had it or not: a create that comes late stays out."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False)
    network = models.CharField(max_length=32)
    external_id = models.CharField(max_length=500)
    at = models.DateTimeField()

    objects = ScopedQuerySet["Tombstone"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "network", "external_id"], name="one_tombstone")]
        indexes = [models.Index(fields=["at"], name="tombstone_age")]


class ChannelHour(models.Model):
    """How many posts a channel brought in an hour, by when they were heard: its rhythm."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False)
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="hours", db_index=False)
    #: the beginning of the hour, UTC
    hour = models.DateTimeField()
    posts = models.PositiveIntegerField(default=0)

    objects = ScopedQuerySet["ChannelHour"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["channel", "hour"], name="one_channel_hour")]


class MoodHour(models.Model):
    """How many posts were said to a workspace in an hour, and how many of them were negative: its usual trouble.

    Accounts that look automated are counted apart; what one said moves when it begins or ceases to look so.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="mood_hours", db_index=False)
    #: the beginning of the hour, UTC
    hour = models.DateTimeField()
    #: by accounts that do not look automated
    posts = models.PositiveIntegerField(default=0)
    negative = models.PositiveIntegerField(default=0)
    #: by accounts that look automated; null = none
    automated = models.PositiveIntegerField(null=True, blank=True)
    automated_negative = models.PositiveIntegerField(null=True, blank=True)

    objects = ScopedQuerySet["MoodHour"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "hour"], name="one_mood_hour")]


class Received(models.Model):
    """A delivery that a network brought to our door: the same one again has no effect."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False)
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, db_index=False)
    delivery = models.CharField(max_length=200)
    at = models.DateTimeField()

    objects = ScopedQuerySet["Received"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["channel", "delivery"], name="one_delivery")]
        indexes = [models.Index(fields=["at"], name="received_age")]


class Post(models.Model):
    """One utterance, once, whoever told us of it and however often."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="posts", db_index=False)
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="posts")
    handle = models.ForeignKey(Handle, on_delete=models.CASCADE, related_name="posts", db_index=False)
    #: set when the post has been recorded; the key of desk.Conversation (no foreign key: tables point one way)
    conversation_id = models.BigIntegerField(null=True, blank=True, db_index=False)
    network = models.CharField(max_length=32)
    external_id = models.CharField(max_length=500)
    kind = models.CharField(max_length=16)
    text = models.TextField()
    lang = models.CharField(max_length=16, blank=True)
    url = models.TextField(blank=True)
    created_at = models.DateTimeField()
    edited_at = models.DateTimeField(null=True, blank=True)
    seen_at = models.DateTimeField()
    #: min(created_at, seen_at): a clock that runs ahead cannot sit on top of the list for years
    sort_at = models.DateTimeField()
    in_reply_to = models.CharField(max_length=500, blank=True)
    thread = models.CharField(max_length=500, blank=True)
    rating = models.FloatField(null=True, blank=True)
    visibility = models.CharField(max_length=16, default="public")
    ours = models.BooleanField(default=False)
    deleted = models.BooleanField(default=False)
    #: row id of the first post that said nearly the same, by somebody else or again; null: it is the first
    copy_of = models.BigIntegerField(null=True, blank=True)
    #: html, mentions, hashtags, links, media, metrics as JSON text (msgspec), read together and never searched
    extra = models.TextField(default="{}")

    objects = ScopedQuerySet["Post"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "network", "external_id"], name="one_post")]
        indexes = [
            models.Index(fields=["conversation_id", "sort_at"]),
            models.Index(fields=["handle", "sort_at"]),
            models.Index(fields=["copy_of"], condition=models.Q(copy_of__isnull=False), name="copies"),
        ]


class Fingerprint(models.Model):
    """What a recent post said, in sixty bytes: the next one that says nearly the same is known by it.

    Only of posts that are the first to say it. Ids rise in the order in which posts were recorded, so that each worker
    can read those that others have stored since it looked.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False)
    post = models.OneToOneField(Post, on_delete=models.CASCADE, related_name="fingerprint")
    #: core.copies.fingerprints
    digest = models.BinaryField()
    #: when it was recorded; kept for core.copies.KEPT
    at = models.DateTimeField()

    objects = ScopedQuerySet["Fingerprint"].as_manager()

    class Meta:
        indexes = [models.Index(fields=["workspace", "id"], name="fingerprint_order")]


class Outcome(models.Model):
    """What the line made of one post: reading, score, decision with its trace."""

    post = models.OneToOneField(Post, on_delete=models.CASCADE, primary_key=True, related_name="outcome")
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False)
    #: negative, neutral or positive, for tallies: the mood that counts for us (`core.felt.counts`)
    sentiment = models.CharField(max_length=8)
    language = models.CharField(max_length=16)
    #: core.felt.intent_bits; null for outcomes of before it was kept, whose conversations have it all the same
    intents = models.SmallIntegerField(null=True, blank=True)
    score = models.FloatField()
    basket = models.CharField(max_length=64)
    priority = models.CharField(max_length=8)
    quarantined = models.BooleanField(default=False)
    why = models.CharField(max_length=500, blank=True)
    #: slug of the prepared reply that a rule chose
    draft = models.CharField(max_length=80, blank=True)
    #: membership id of the colleague whom the route chose; null = the basket as a whole
    routed_to = models.BigIntegerField(null=True, blank=True)
    rule_set = models.PositiveIntegerField(default=0)
    #: core.decision.Outcome as JSON text (msgspec): everything, to be shown and read back
    body = models.TextField()
    processed_at = models.DateTimeField()

    objects = ScopedQuerySet["Outcome"].as_manager()


class Topic(models.Model):
    """A standing query: what we listen for."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="topics", db_index=False)
    slug = models.SlugField(max_length=80)
    name = models.CharField(max_length=200)
    query = models.TextField()
    #: queries whose posts are counted and yet folded away from the lists of this topic (a list that hides)
    hides = models.JSONField(default=list, blank=True)
    active = models.BooleanField(default=True)
    updated_at = models.DateTimeField()

    objects = ScopedQuerySet["Topic"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "slug"], name="one_topic_slug")]
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class TopicMatch(models.Model):
    """A topic that matched a post when it was processed."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False)
    topic = models.ForeignKey(Topic, on_delete=models.CASCADE, related_name="matches", db_index=False)
    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="topic_matches")
    #: number of the mood toward what the topic listens for (`core.felt`); null where the mood of the whole text is it
    mood = models.SmallIntegerField(null=True, blank=True)

    objects = ScopedQuerySet["TopicMatch"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["topic", "post"], name="one_topic_match")]


class BusMessage(models.Model):
    """The embedded bus: a batch of posts on its way through the line. A row exists until it is acknowledged."""

    class State(models.TextChoices):
        READY = "ready"
        CLAIMED = "claimed"
        #: failed as often as it may; kept for a person to look at
        QUARANTINED = "quarantined"

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False)
    #: JSON list of [row id, Post] (msgspec)
    payload = models.BinaryField()
    #: number of posts in it
    size = models.PositiveIntegerField()
    state = models.CharField(max_length=12, choices=State.choices, default=State.READY)
    #: tries so far; the number is the fencing token of the try that runs
    attempts = models.PositiveIntegerField(default=0)
    claimed_by = models.CharField(max_length=64, blank=True)
    #: claimed: until then nobody else may have it; ready: not before then
    lease_until = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField()

    objects = ScopedQuerySet["BusMessage"].as_manager()

    class Meta:
        indexes = [models.Index(fields=["state", "id"])]
