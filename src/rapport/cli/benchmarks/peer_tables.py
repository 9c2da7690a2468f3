"""The tables of `put-together`: what ours keep of posts, authors and outcomes, with the same unique keys and indexes.

They belong to no installed application, so no migration knows them; they are made in the peer's own database alone.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Author(models.Model):
    """Who writes."""

    network = models.CharField(max_length=32)
    external_id = models.CharField(max_length=500)
    handle = models.CharField(max_length=500)
    name = models.CharField(max_length=500)
    bio = models.TextField()
    followers = models.BigIntegerField(null=True)
    bot = models.BooleanField()
    ours = models.BooleanField()

    class Meta:
        app_label = "put_together"
        constraints = [models.UniqueConstraint(fields=["network", "external_id"], name="one_peer_author")]


class Post(models.Model):
    """What they write."""

    author = models.ForeignKey(Author, on_delete=models.CASCADE, db_index=False)
    network = models.CharField(max_length=32)
    external_id = models.CharField(max_length=500)
    kind = models.CharField(max_length=16)
    text = models.TextField()
    lang = models.CharField(max_length=16)
    url = models.TextField()
    created_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    in_reply_to = models.CharField(max_length=500)
    rating = models.FloatField(null=True)
    visibility = models.CharField(max_length=16)
    extra = models.TextField()

    class Meta:
        app_label = "put_together"
        constraints = [models.UniqueConstraint(fields=["network", "external_id"], name="one_peer_post")]
        indexes = [models.Index(fields=["author", "created_at"], name="peer_post_of_author")]


class Outcome(models.Model):
    """What was made of a post."""

    post = models.OneToOneField(Post, on_delete=models.CASCADE, primary_key=True)
    sentiment = models.CharField(max_length=8)
    score = models.FloatField()
    basket = models.CharField(max_length=64)
    priority = models.CharField(max_length=8)
    quarantined = models.BooleanField()
    draft = models.CharField(max_length=80)
    why = models.CharField(max_length=500)
    body = models.TextField()
    processed_at = models.DateTimeField()

    objects: ClassVar[models.Manager[Outcome]] = models.Manager()

    class Meta:
        app_label = "put_together"


class TopicMatch(models.Model):
    """A query that a post answers."""

    topic = models.PositiveIntegerField()
    post = models.ForeignKey(Post, on_delete=models.CASCADE)

    class Meta:
        app_label = "put_together"
        constraints = [models.UniqueConstraint(fields=["topic", "post"], name="one_peer_match")]


TABLES = (Author, Post, Outcome, TopicMatch)
