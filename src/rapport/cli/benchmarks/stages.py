"""A clock on the stages of the line: how long each takes, what lies inside another one counted there alone."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from typing import Any

#: (module, name) of what is timed, and what it is called in the table. One that is called inside another is shown
#: below it.
STAGES: tuple[tuple[str, str, str], ...] = (
    ("rapport.cli.benchmarks.line_ours", "decode", "decode"),
    ("rapport.cli.benchmarks.line_ours", "hear", "hear"),
    ("rapport.store.queries.ingest", "store_handles", "people"),
    ("rapport.actions.hearing", "store_posts", "posts"),
    ("rapport.actions.hearing", "write_audit", "audit"),
    ("rapport.bus.table", "TableBus.append", "bus"),
    ("rapport.bus.table", "TableBus.claim", "claim and decode"),
    ("rapport.pipeline.worker", "Worker.snapshot", "snapshot"),
    ("rapport.pipeline.worker", "Worker._configuration", "configuration"),
    ("rapport.pipeline.worker", "read_team_load", "team load"),
    ("rapport.pipeline.worker", "read_person_facts", "what is known of the authors"),
    ("rapport.pipeline.worker", "read_crowds", "who speaks in their threads"),
    ("rapport.pipeline.line", "match", "match"),
    ("rapport.pipeline.line", "understand", "understand"),
    ("rapport.core.understand.language", "LanguageFinder.find", "language"),
    ("rapport.pipeline.line", "feel", "moods toward topics"),
    ("rapport.pipeline.line", "suspect", "accounts"),
    ("rapport.pipeline.line", "keep", "what is kept"),
    ("rapport.pipeline.line", "remember", "remember"),
    ("rapport.pipeline.line", "gather", "gather threads"),
    ("rapport.pipeline.line", "weigh", "score"),
    ("rapport.pipeline.line", "decide", "decide"),
    ("rapport.pipeline.line", "send_to", "route"),
    ("rapport.pipeline.worker", "fingerprint", "fingerprint"),
    ("rapport.pipeline.worker", "record", "record"),
    ("rapport.bus.table", "TableBus.acknowledge", "acknowledge"),
    ("rapport.actions.desk", "store_outcomes", "outcomes and topics"),
    ("rapport.actions.desk", "note_presence", "first and last seen"),
    ("rapport.actions.desk", "count_moods", "moods of the hours"),
    ("rapport.actions.desk", "link_posts", "threads"),
    ("rapport.actions.desk", "find_copies", "near-copies"),
    ("rapport.actions.desk", "refresh", "conversations"),
    ("rapport.store.queries.conversations", "read_words", "read their posts"),
    ("rapport.actions.desk", "_suppress_who_asked", "who asked to stop"),
    ("rapport.actions.desk", "announce", "announce"),
    ("rapport.actions.desk", "write_audit", "audit"),
    ("django.db.backends.base.base", "BaseDatabaseWrapper._commit", "commit"),
)


class Stages:
    """Puts clocks on `STAGES` for the rest of the process."""

    def __init__(self) -> None:
        #: "record/threads" -> seconds
        self.seconds: dict[str, float] = {}
        self._path: list[str] = []
        #: for each stage that is running, the seconds that went into stages inside it
        self._inside: list[float] = []

    def attach(self) -> None:
        """Wrap every function of `STAGES`; a name that is gone raises AttributeError."""
        for module, name, label in STAGES:
            place: Any = importlib.import_module(module)
            *owners, attribute = name.split(".")
            for owner in owners:
                place = getattr(place, owner)
            setattr(place, attribute, self._timed(getattr(place, attribute), label))

    def clear(self) -> None:
        """Forget what was measured."""
        self.seconds.clear()

    def _timed(self, original: Callable[..., Any], label: str) -> Callable[..., Any]:
        def timed(*args: Any, **kwargs: Any) -> Any:
            self._path.append(label)
            self._inside.append(0.0)
            start = time.perf_counter()
            try:
                return original(*args, **kwargs)
            finally:
                took = time.perf_counter() - start
                path = "/".join(self._path)
                self.seconds[path] = self.seconds.get(path, 0.0) + took - self._inside.pop()
                self._path.pop()
                if self._inside:
                    self._inside[-1] += took

        return timed


def as_table(stages: dict[str, float], total: float, posts: int) -> str:
    """The stages as lines with share and time per post, in the order of the line; each contains those below it."""
    ranks = {label: number for number, (_, _, label) in reversed(list(enumerate(STAGES)))}
    places = sorted(_with_parents(stages), key=lambda path: [ranks[label] for label in path.split("/")])
    rows = [("stage", "share", "us a post")]
    for path in places:
        inside = sum(took for other, took in stages.items() if other == path or other.startswith(path + "/"))
        rows.append(_row("  " * path.count("/") + path.rpartition("/")[2], inside, total, posts))
        if any(other.startswith(path + "/") for other in stages) and stages.get(path):
            rows.append(_row("  " * (path.count("/") + 1) + "(itself)", stages[path], total, posts))
    rows.append(_row("outside all stages", total - sum(stages.values()), total, posts))
    rows.append(_row("everything", total, total, posts))
    width = max(len(row[0]) for row in rows)
    return "\n".join(f"{name:<{width}}  {share:>7}  {each:>9}" for name, share, each in rows)


def _with_parents(stages: dict[str, float]) -> set[str]:
    return {"/".join(path.split("/")[: depth + 1]) for path in stages for depth in range(path.count("/") + 1)}


def _row(name: str, seconds: float, total: float, posts: int) -> tuple[str, str, str]:
    return name, f"{seconds / total:.1%}", f"{seconds / posts * 1e6:,.1f}"
