"""The embedded bus: a table beside the posts, in the same transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence

import msgspec
from django.db import connection, transaction

from rapport.bus.base import MAX_TRIES, WAITS, Batch
from rapport.core.post import Post
from rapport.store.models import BusMessage
from rapport.store.queries.sql import adapt, open_cursor, redone_if_lost

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(tuple[tuple[int, Post], ...])


class TableBus:
    """`Bus` over `BusMessage` rows: claimed by conditional UPDATE, fenced by the count of attempts."""

    def __init__(self, size: int = 200) -> None:
        self.size = size

    def append(self, workspace: int, posts: Sequence[tuple[int, Post]], now: dt.datetime) -> None:
        """Add posts in messages of at most `size`, inside the caller's transaction."""
        self._insert(workspace, [posts[at : at + self.size] for at in range(0, len(posts), self.size)], 0, "", now)

    def claim(self, worker: str, now: dt.datetime, lease: dt.timedelta) -> Batch | None:
        """Take the oldest free message. A message that killed its worker often enough is set aside here."""
        # a claim that is lost with the power is made again: nobody has to wait for the disk here
        with redone_if_lost(), connection.cursor() as cursor:
            locking = "FOR UPDATE SKIP LOCKED" if connection.vendor == "postgresql" else ""
            cursor.execute(
                "UPDATE store_busmessage SET state = 'claimed', claimed_by = %s, lease_until = %s, "
                "attempts = attempts + 1 WHERE id = (SELECT id FROM store_busmessage WHERE (state = 'ready' "
                "AND (lease_until IS NULL OR lease_until <= %s)) OR (state = 'claimed' AND lease_until < %s) "
                "ORDER BY id LIMIT 1 {locking}) "
                "RETURNING id, workspace_id, payload, attempts, size".replace("{locking}", locking),
                [worker, adapt(now + lease), adapt(now), adapt(now)],
            )
            row = cursor.fetchone()
            if row is None:
                return None
            batch = Batch(row[0], row[1], _decoder.decode(bytes(row[2])), row[3], worker)
            # A batch of many whose worker vanished twice holds something that kills: look at its posts one by one.
            if batch.attempt > MAX_TRIES or (batch.attempt > 2 and row[4] > 1):
                self._take_apart(batch, "the worker vanished while it held this", now)
                return self.claim(worker, now, lease)
            return batch

    def acknowledge(self, batch: Batch) -> bool:
        """Delete the message if this claim still holds it."""
        deleted, _ = BusMessage.objects.filter(
            pk=batch.id, attempts=batch.attempt, claimed_by=batch.worker, state=BusMessage.State.CLAIMED
        ).delete()
        return deleted == 1

    def fail(self, batch: Batch, error: str, now: dt.datetime) -> str:
        """Free the message for another try; split a batch into posts, so that one bad post holds up no other."""
        with transaction.atomic():
            return self._take_apart(batch, error, now)

    def release(self, message: BusMessage) -> None:
        """A person asks for another five tries of a post that was set aside."""
        BusMessage.objects.filter(pk=message.pk, state=BusMessage.State.QUARANTINED).update(
            state=BusMessage.State.READY, attempts=0, claimed_by="", lease_until=None
        )

    def forget(
        self, workspace: int, is_theirs: Callable[[int, Post], bool], only: str | None = None
    ) -> tuple[int, int]:
        """Take posts, told by row id and post, out of every message that was not acknowledged (`only`: of this state),
        inside the caller's transaction. Returns how many messages went, and how many are left without theirs.

        Whoever holds such a message finds its posts gone when their outcomes are stored.
        """
        gone = emptied = 0
        rows = BusMessage.objects.of(workspace)
        for row in (rows.filter(state=only) if only else rows).iterator(chunk_size=100):
            posts = _decoder.decode(bytes(row.payload))
            left = [(post_id, post) for post_id, post in posts if not is_theirs(post_id, post)]
            if len(left) == len(posts):
                continue
            mine = BusMessage.objects.filter(pk=row.pk)
            if left:
                emptied += mine.update(payload=_encoder.encode(left), size=len(left), error="")
            else:
                gone += mine.delete()[0]
        return gone, emptied

    def _take_apart(self, batch: Batch, error: str, now: dt.datetime) -> str:
        mine = BusMessage.objects.filter(pk=batch.id, attempts=batch.attempt, claimed_by=batch.worker)
        if len(batch.posts) > 1:
            if not mine.delete()[0]:
                return "lost"
            self._insert(batch.workspace, [[post] for post in batch.posts], batch.attempt, error, now)
            return "split"
        done = batch.attempt >= MAX_TRIES
        changed = mine.update(
            state=BusMessage.State.QUARANTINED if done else BusMessage.State.READY,
            claimed_by="",
            # a fault of the moment (a disk, a table, a release gone wrong) must not set aside everything in one second
            lease_until=None if done else now + WAITS[batch.attempt - 1],
            error=error[:5000],
        )
        return "lost" if not changed else "quarantined" if done else "retried"

    def _insert(
        self, workspace: int, parts: Sequence[Sequence[tuple[int, Post]]], attempts: int, error: str, now: dt.datetime
    ) -> None:
        rows = [
            (workspace, _encoder.encode(part), len(part), "ready", attempts, "", error[:5000], adapt(now))
            for part in parts
        ]
        with open_cursor() as cursor:
            cursor.executemany(
                "INSERT INTO store_busmessage (workspace_id, payload, size, state, attempts, claimed_by, error, "
                "created_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
                rows,
            )
