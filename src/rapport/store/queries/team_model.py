"""Reads around a workspace's own model: what it is learnt from, which one is in force, how far one in the making is."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Iterator

from django.db.models import QuerySet

from rapport.core.understand.corrected import is_corrected, value_of
from rapport.store.models import Approval, AuditEntry, Correction, Post, TeamModel, Workspace
from rapport.store.queries.corrections import corrected_posts, in_force
from rapport.store.queries.readings import read_counting, read_judged
from rapport.store.queries.sql import chunks

#: Acts of people that are looked through for the posts that they had before them, the newest; and posts that count.
MOST_ACTS, MOST_STOOD = 20_000, 4_000
#: Posts that are read in one query.
_STEP = 500

#: (post with its handle, reading, value, whether somebody corrected it): what `training.team.Said` is made of
Row = tuple[Post, str, str, bool]


def read_said(workspace: Workspace, readings: Iterable[str]) -> Iterator[Row]:
    """Of these readings, what people corrected, and how they stood where people acted on a post and let them stand."""
    wanted = frozenset(readings)
    corrected = [row for row in corrected_posts(workspace) if row[2] in wanted]
    posts = dict(_posts({pk for pk, _, _, _ in corrected}))
    for pk, _, reading, value in corrected:
        if pk in posts:
            yield posts[pk], reading, value, True
    counting = read_counting(workspace.pk)
    names = sorted({reading for _, _, reading, _ in corrected})
    for _, row in _posts(find_acted_on(workspace)):
        judged = read_judged(row.outcome.body)
        if judged is not None and judged.reading.model:
            read = judged.reading
            for name in names:
                value = value_of(read, name, counting)
                # between both lines nobody can say what they let stand, nor where the mood toward a brand was shown
                shown = value == value_of(read, name) and not (judged.toward and name == "sentiment")
                if shown and not is_corrected(read, name):
                    yield row, name, value, False


def find_acted_on(workspace: Workspace, most: int = MOST_STOOD) -> list[int]:
    """Row ids of the posts that somebody had before them when they answered, assigned, noted, put off or resolved, or
    corrected another reading. At most `most`, chosen by a hash of their ids: always the same ones, and no kind of them.
    """
    acted = _acts(workspace)
    answers = Approval.objects.of(workspace).filter(target__isnull=False).order_by("-pk")
    found: set[int] = set(answers.values_list("target", flat=True)[:MOST_ACTS])
    found.update(in_force(workspace).order_by("-pk").values_list("post", flat=True)[:MOST_ACTS])
    for some in chunks(sorted(acted), _STEP):
        rows = Post.objects.of(workspace).filter(conversation_id__in=some, ours=False).exclude(kind="repost")
        told = rows.order_by("sort_at").values_list("pk", "conversation_id", "seen_at")
        # of each conversation the last one that was there then: what they looked at
        newest = {conversation: pk for pk, conversation, seen in told if seen <= acted[conversation or 0]}
        found.update(newest.values())
    return sorted(found, key=lambda pk: hashlib.sha256(str(pk).encode()).digest())[:most]


def _acts(workspace: Workspace) -> dict[int, dt.datetime]:
    """Conversation -> when somebody last acted on it; of the newest acts."""
    rows = AuditEntry.objects.of(workspace).filter(actor__isnull=False).order_by("-pk")
    last: dict[int, dt.datetime] = {}
    for subject, number, at in rows.values_list("subject", "subject_id", "at")[:MOST_ACTS]:
        if subject == "conversation" and number:
            last.setdefault(int(number), at)
    return last


def _posts(ids: Iterable[int]) -> Iterator[tuple[int, Post]]:
    """Those that somebody else wrote, that are there still and were read, by their ids."""
    for some in chunks(list(ids), _STEP):
        rows = Post.objects.filter(pk__in=some, ours=False, deleted=False, outcome__isnull=False)
        yield from ((row.pk, row) for row in rows.select_related("handle", "outcome").order_by("pk"))


# ------------------------------------------------------------------ versions


def list_team_models(workspace: Workspace) -> QuerySet[TeamModel]:
    """Every version, newest first, without their weights."""
    rows = TeamModel.objects.of(workspace).select_related("asked_by__user").defer("weights")
    return rows.order_by("-version")


def team_version(workspace_id: int) -> int:
    """The version that is in force; 0 while the shipped model reads alone."""
    rows = TeamModel.objects.of(workspace_id).filter(in_force=True)
    return rows.values_list("version", flat=True).first() or 0


def read_weights(workspace_id: int, version: int) -> bytes:
    """The packed weights of a version (`core.understand.team.pack`); empty where it has none."""
    rows = TeamModel.objects.of(workspace_id).filter(version=version)
    return bytes(rows.values_list("weights", flat=True).first() or b"")


def count_waiting(workspace: Workspace) -> int:
    """Corrections that were made since the newest model was learnt."""
    made = list_team_models(workspace).filter(state=TeamModel.State.MADE).values_list("asked_at", flat=True).first()
    rows: QuerySet[Correction] = in_force(workspace)
    return rows.filter(at__gt=made).count() if made else rows.count()
