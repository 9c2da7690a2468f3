"""Reads of corrections: for the line, for a model of the team's own, for pages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from rapport.core.understand.corrected import Corrected, text_key
from rapport.store.models import Correction, Workspace
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
    votes: dict[tuple[str, str], dict[int | None, str]] = {}
    texts: dict[str, str] = {}
    rows = in_force(workspace).filter(post__deleted=False).order_by("pk")
    for key, reading, value, by, text in rows.values_list(
        "text_key", "reading", "value", "by", "post__text"
    ).iterator():
        if key not in texts:
            if text_key(text) != key:
                continue
            texts[key] = text
        said = votes.setdefault((key, reading), {})
        said.pop(by, None)  # the newest word stands last
        said[by] = value
    for (key, reading), said in votes.items():
        yield texts[key], reading, _majority(list(said.values()))


def _majority(values: list[str]) -> str:
    """The value that most say, the latest of them where several are said as often."""
    counted = Counter(values)
    most = max(counted.values())
    return next(value for value in reversed(values) if counted[value] == most)
