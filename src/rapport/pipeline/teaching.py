"""Learning a workspace's own model in the background, while the line goes on."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable
from threading import Thread
from time import monotonic

import msgspec
from django.db import OperationalError, connection

from rapport.actions.team_model import claim_team_model, fail_team_model, finish_team_model, note_progress
from rapport.core.post import Post
from rapport.core.understand import load_reader
from rapport.core.understand.team import pack
from rapport.store.mapping import post_of
from rapport.store.models import TeamModel, Workspace
from rapport.store.queries.snapshot import read_share
from rapport.store.queries.team_model import read_said
from rapport.training.team import HEADS, Lesson, Said, learn

log = logging.getLogger(__name__)

#: seconds between two looks whether a model is asked for
LOOK = 1.0
#: what somebody reads whose model could not be learnt; the log has the rest
FAILED = "The training broke off. The log of the worker says why; nothing has changed."


class Teacher:
    """Learns the models that people ask for, one at a time, in a thread of its own."""

    def __init__(self, name: str, clock: Callable[[], dt.datetime], share: float) -> None:
        """`share`: as for the worker; it holds where a workspace says nothing of its own."""
        self.name = name
        self.clock = clock
        self.share = share
        self._looked = 0.0
        self._thread: Thread | None = None

    def look(self) -> None:
        """Begin, at most once a second, where a model is asked for and none is being learnt here."""
        if monotonic() - self._looked < LOOK or (self._thread is not None and self._thread.is_alive()):
            return
        self._looked = monotonic()
        row = claim_team_model(self.name, now=self.clock())
        if row is not None:
            self._thread = Thread(target=self._teach_apart, args=(row,), name="teacher", daemon=True)
            self._thread.start()

    def _teach_apart(self, row: TeamModel) -> None:
        try:
            teach(row, self.clock, self.share)
        except OperationalError:
            log.exception("model %s: the database does not answer; it is learnt anew in a while", row.pk)
        finally:
            connection.close()


def teach(
    row: TeamModel,
    clock: Callable[[], dt.datetime],
    share: float,
    watch: Callable[[str, int], object] = lambda step, percent: None,
) -> Lesson | None:
    """Learn a model that was claimed, and keep it; None where it failed, which the row then says. `watch` is told how
    far it is, in percent, as the row is.
    """

    def tell(step: str, percent: int) -> None:
        note_progress(row, step, percent, now=clock())
        watch(step, percent)

    try:
        return _teach(row, clock, share, tell)
    except OperationalError:
        raise
    except Exception:  # the outermost place: a model that cannot be learnt must not stop the line
        log.exception("model %s could not be learnt", row.pk)
        fail_team_model(row, FAILED, now=clock())
        return None


def gather(workspace: Workspace) -> list[Said]:
    """What people corrected and let stand, ready to be learnt from."""
    posts: dict[int, Post] = {}
    said = []
    for row, reading, value, corrected in read_said(workspace, HEADS):
        if row.pk not in posts:
            posts[row.pk] = post_of(row)
        said.append(Said(posts[row.pk], reading, value, corrected))
    return said


def _teach(
    row: TeamModel, clock: Callable[[], dt.datetime], share: float, tell: Callable[[str, int], None]
) -> Lesson | None:
    tell("gather", 2)
    said = gather(row.workspace)
    own = read_share(row.workspace_id)
    reader = load_reader(row.workspace.languages, share if own is None else own)
    tell("read", 10)
    lesson = learn(said, reader, lambda reading, done, of: tell(reading, 20 + 75 * done // of))
    finish_team_model(
        row,
        [msgspec.to_builtins(each) for each in lesson.figures],
        pack(lesson.difference) if lesson.difference is not None else None,
        beside=reader.version,
        corrections=sum(one.corrected for one in said),
        stood=len({(one.post.network, one.post.id) for one in said if not one.corrected}),
        now=clock(),
    )
    return lesson
