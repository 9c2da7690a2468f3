"""Drafts that decide beside the rules in force: the same posts, the same facts, and nothing but figures comes of it."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Sequence

import msgspec
from django.db import OperationalError

from rapport.core.decision import Outcome
from rapport.core.errors import InvalidRule
from rapport.core.post import Post
from rapport.core.rules import RuleSet, compile_rules
from rapport.core.rules.compare import differences
from rapport.pipeline.line import Snapshot, decide_again
from rapport.store.queries.rules import Shadow, read_shadows
from rapport.store.queries.shadows import Beside

log = logging.getLogger(__name__)


class Running(msgspec.Struct, frozen=True):
    """A draft that runs, compiled."""

    shadow: Shadow
    rules: RuleSet


class Shadows:
    """The drafts that run in this worker. A draft that breaks is left alone until the configuration changes."""

    def __init__(self) -> None:
        #: workspace -> the version of its configuration, and what ran then
        self._known: dict[int, tuple[int, list[Running]]] = {}

    def of(self, workspace: int, version: int, now: dt.datetime) -> list[Running]:
        """What runs beside the rules in force now. `version`: of the configuration; it rises when a run begins."""
        known = self._known.get(workspace)
        if known is None or known[0] != version:
            known = (version, [made for each in read_shadows(workspace, now) if (made := _compiled(each))])
            self._known[workspace] = known
        return [each for each in known[1] if each.shadow.since <= now < each.shadow.until]

    def asks(self, workspace: int, version: int, now: dt.datetime) -> frozenset[str]:
        """The fields that they read, for whoever gathers what is known."""
        return frozenset[str]().union(*(each.rules.asks for each in self.of(workspace, version, now)))

    def decide(
        self, workspace: int, version: int, posts: Sequence[Post], outcomes: Sequence[Outcome], snapshot: Snapshot,
        now: dt.datetime,
    ) -> list[Beside]:  # fmt: skip
        """What each draft would have decided otherwise; never raises for what a draft does."""
        found = []
        for each in self.of(workspace, version, now):
            try:
                decisions = decide_again(posts, outcomes, msgspec.structs.replace(snapshot, rules=each.rules), now)
                changes = [
                    differences(outcome.decision, decision)
                    for outcome, decision in zip(outcomes, decisions, strict=True)
                ]
            except OperationalError:
                raise
            except Exception:  # a draft that is only tried must not stop the line
                log.exception("draft %s broke beside the rules in force", each.shadow.draft)
                self._known[workspace][1].remove(each)
                continue
            found.append(Beside(each.shadow.draft, each.shadow.since, changes))
        return found


def _compiled(shadow: Shadow) -> Running | None:
    try:
        return Running(shadow, compile_rules(shadow.document))
    except InvalidRule:  # the language has moved on since it was checked
        log.exception("draft %s cannot be used", shadow.draft)
        return None
