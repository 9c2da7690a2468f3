"""Learning a workspace's own model in the background, while the line goes on."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable

import msgspec
from django.db import OperationalError

from rapport.actions.team_model import claim_team_model, fail_team_model, finish_team_model, note_progress
from rapport.core.post import Post
from rapport.core.understand import load_reader
from rapport.core.understand.team import pack
from rapport.pipeline.apart import Apart
from rapport.store.mapping import post_of
from rapport.store.models import TeamModel, Workspace
from rapport.store.queries.snapshot import read_share
from rapport.store.queries.team_model import read_said
from rapport.training.team import HEADS, Lesson, Said, learn

log = logging.getLogger(__name__)

#: what somebody reads whose model could not be learnt; the log has the rest
FAILED = "The training broke off. The log of the worker says why; nothing has changed."


def teacher(name: str, clock: Callable[[], dt.datetime], share: float) -> Apart[TeamModel]:
    """Learns the models that people ask for. `share`: as for the worker; it holds where a workspace says nothing."""
    return Apart("teacher", lambda: claim_team_model(name, now=clock()), lambda row: teach(row, clock, share))


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
