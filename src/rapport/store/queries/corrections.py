"""Reads of corrections: for the line, for a model of the team's own, for pages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

import msgspec
from django.db.models import Count, F, Q

from rapport.core.understand.corrected import READINGS, Corrected, text_key
from rapport.store.models import Correction, Post, Workspace
from rapport.store.models.scoped import ScopedQuerySet

#: corrections of a workspace that the line knows at once: the newest ones; training takes all
MOST_KNOWN = 20_000


def in_force(workspace: Workspace | int) -> ScopedQuerySet[Correction]:
    """Those that nobody took back."""
    return Correction.objects.of(workspace).filter(withdrawn_at__isnull=True)


def corrections_version(workspace_id: int) -> int:
    """Rises with every correction that is made or taken back; 0 before the first."""
    return Workspace.objects.values_list("corrections_version", flat=True).get(pk=workspace_id) or 0


def read_corrections(workspace_id: int, most: int = MOST_KNOWN) -> dict[str, Corrected]:
    """Text key -> reading -> value, the newest word on each; of the newest `most` corrections."""
    found: dict[str, dict[str, str]] = {}
    newest = in_force(workspace_id).order_by("-pk").values_list("text_key", "reading", "value")
    for key, reading, value in newest[:most]:
        found.setdefault(key, {}).setdefault(reading, value)
    return {key: dict(values) for key, values in found.items()}


def training_rows(workspace: Workspace | int) -> Iterator[tuple[str, str, str]]:
    """(text, reading, value) of everything that people corrected, each text and reading once, in the order in which
    they were first corrected.

    `reading` and `value` as in `core.understand.corrected`. Of one person the newest word counts; where people differ,
    the majority, and the newest word where there is none. Left out: what was taken back, posts that were deleted since,
    and posts that were edited to say something else.
    """
    return ((text, reading, value) for _, text, reading, value in corrected_posts(workspace))


def corrected_posts(workspace: Workspace | int) -> Iterator[tuple[int, str, str, str]]:
    """As `training_rows`, each with the row id of the post that was corrected first before it."""
    votes: dict[tuple[str, str], dict[int | None, str]] = {}
    texts: dict[str, tuple[int, str]] = {}
    rows = in_force(workspace).filter(post__deleted=False).order_by("pk")
    for key, reading, value, by, post, text in rows.values_list(
        "text_key", "reading", "value", "by", "post", "post__text"
    ).iterator():
        if key not in texts:
            if text_key(text) != key:
                continue
            texts[key] = post, text
        said = votes.setdefault((key, reading), {})
        said.pop(by, None)  # the newest word stands last
        said[by] = value
    for (key, reading), said in votes.items():
        yield *texts[key], reading, _majority(list(said.values()))


def _majority(values: list[str]) -> str:
    """The value that most say, the latest of them where several are said as often."""
    counted = Counter(values)
    most = max(counted.values())
    return next(value for value in reversed(values) if counted[value] == most)


def corrections_on(workspace: Workspace, posts: Iterable[Post]) -> dict[int, list[Correction]]:
    """Row id of a post -> what people said of its words, the newest word on each reading; no row where nobody did."""
    if not workspace.corrections_version:
        return {}
    keys = {post.pk: text_key(post.text) for post in posts if not post.deleted and not post.ours}
    rows = in_force(workspace).filter(text_key__in={key for key in keys.values() if key})
    standing: dict[str, dict[str, Correction]] = {}
    for row in rows.select_related("by__user").order_by("pk"):
        standing.setdefault(row.text_key, {})[row.reading] = row
    return {
        pk: sorted(standing[key].values(), key=lambda row: READINGS.index(row.reading))
        for pk, key in keys.items()
        if key in standing
    }


class Disagreement(msgspec.Struct, frozen=True):
    """How often people saw one reading otherwise than the machine."""

    reading: str
    #: corrections in force
    count: int
    #: of these, how many say something else than the machine did
    otherwise: int


def count_disagreements(workspace: Workspace) -> list[Disagreement]:
    """For each reading that was corrected, in the order of `READINGS`."""
    counted = (
        in_force(workspace)
        .order_by()
        .values_list("reading")
        .annotate(count=Count("pk"), otherwise=Count("pk", filter=~Q(value=F("was"))))
    )
    found = [Disagreement(*row) for row in counted if row[0] in READINGS]
    return sorted(found, key=lambda each: READINGS.index(each.reading))


def list_corrections(
    workspace: Workspace,
    *,
    reading: str = "",
    by: int | None = None,
    withdrawn: bool = False,
    before: int | None = None,
) -> ScopedQuerySet[Correction]:
    """Newest first, each with its post and who said it; `before`: only rows with a lower id."""
    rows = Correction.objects.of(workspace).filter(withdrawn_at__isnull=not withdrawn)
    if reading:
        rows = rows.filter(reading=reading)
    if by is not None:
        rows = rows.filter(by=by)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    return rows.select_related("post__handle", "by__user").order_by("-pk")
