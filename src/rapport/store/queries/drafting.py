"""How far drafts are taken, by where they came from; and how a service does that writes some."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import msgspec
from django.db.models import Avg, Count

from rapport.store.models import AuditEntry, DraftingSettings, DraftSource, DraftUse, DraftVersion, Workspace

#: how far back it is measured
DAYS = 30
FAILURES = 5


class Taken(msgspec.Struct, frozen=True):
    """What became of the drafts of one source, or of one among its names."""

    source: str
    #: of the prepared reply, the article or the model; "" for a whole source
    name: str
    #: outcome -> how many
    counts: dict[str, int]
    #: mean share of words that changed in those that were edited; None = none was
    distance: float | None

    @property
    def offered(self) -> int:
        """How many were offered."""
        return sum(self.counts.values())

    def share(self, outcome: str) -> float:
        """Part of the offered ones with this outcome, 0 to 1."""
        return self.counts.get(outcome, 0) / self.offered if self.offered else 0.0

    @property
    def as_is(self) -> float:
        """Part that went out word for word."""
        return self.share("as_is")

    @property
    def edited(self) -> float:
        """Part that people made their own."""
        return self.share("edited")

    @property
    def thrown(self) -> float:
        """Part of which hardly a word was left."""
        return self.share("thrown")

    @property
    def unused(self) -> float:
        """Part that was there while the answer began elsewhere."""
        return self.share("unused")


def measure_drafts(workspace: Workspace, now: dt.datetime) -> list[Taken]:
    """By source, the most offered first, each followed by its names where it has several. Two queries."""
    rows = DraftUse.objects.of(workspace).filter(at__gt=now - dt.timedelta(days=DAYS))
    counted = list(rows.values_list("source", "name", "outcome").annotate(n=Count("pk")))
    edited = rows.filter(outcome=DraftUse.Outcome.EDITED)
    far = {(source, name): (n, mean) for source, name, n, mean in edited.values_list("source", "name").annotate(
        n=Count("pk"), mean=Avg("distance"))}  # fmt: skip
    found: list[Taken] = []
    sources: dict[str, list[Taken]] = {}
    for source, name in sorted({(source, name) for source, name, _, _ in counted}):
        counts = {outcome: n for own, called, outcome, n in counted if (own, called) == (source, name)}
        sources.setdefault(source, []).append(Taken(source, name, counts, far.get((source, name), (0, None))[1]))
    for source, names in sorted(sources.items(), key=lambda each: -sum(one.offered for one in each[1])):
        counts = {outcome: sum(one.counts.get(outcome, 0) for one in names) for outcome in DraftUse.Outcome.values}
        found.append(Taken(source, "", counts, _mean(far.get((source, one.name), (0, None)) for one in names)))
        if len(names) > 1:
            found += sorted(names, key=lambda one: -one.offered)
    return found


def _mean(parts: Iterable[tuple[int, float | None]]) -> float | None:
    known = [(n, mean) for n, mean in parts if mean is not None]
    total = sum(n for n, _ in known)
    return sum(n * mean for n, mean in known) / total if total else None


def drafting_of(workspace: Workspace, now: dt.datetime) -> DraftingSettings:
    """The settings of the service; off where nobody has made any."""
    found = DraftingSettings.objects.of(workspace).select_related("changed_by__user").first()
    return found or DraftingSettings(workspace=workspace, changed_at=now)


def count_written(workspace: Workspace, now: dt.datetime) -> int:
    """How many drafts a service wrote within `DAYS` days."""
    rows = DraftVersion.objects.of(workspace).filter(author=None, source=DraftSource.SERVICE)
    return rows.filter(at__gt=now - dt.timedelta(days=DAYS)).count()


def newest_failures(workspace: Workspace) -> list[AuditEntry]:
    """Why the service wrote nothing, the newest first."""
    return list(AuditEntry.objects.of(workspace).filter(verb="drafting.fail").order_by("-pk")[:FAILURES])
