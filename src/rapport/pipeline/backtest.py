"""Trying rule sets on the stored history, in the background of a worker or in front of a person at a terminal."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable
from time import monotonic
from zoneinfo import ZoneInfo

import msgspec
from django.db import OperationalError

from rapport.actions.back_tests import claim_back_test, fail_back_test, finish_back_test, note_progress
from rapport.core.errors import InvalidRule
from rapport.core.rules import default_document
from rapport.core.rules.compare import Pair
from rapport.core.rules.trial import Promised, Report, Trial
from rapport.pipeline.apart import Apart
from rapport.store.models import BackTest, RuleSet, Workspace
from rapport.store.queries.backtest import estimate_mentions, read_mentions
from rapport.store.queries.load import read_setups

log = logging.getLogger(__name__)

#: seconds between two words on how far a trial is
TELL = 0.5
#: what somebody reads whose trial broke off; the log has the rest
FAILED = "The trial broke off. The log of the worker says why; nothing has changed."

#: told (mentions seen, how many there are); False ends the trial
Watch = Callable[[int, int], bool]


def historian(name: str, clock: Callable[[], dt.datetime]) -> Apart[BackTest]:
    """Does the trials that people ask for."""
    return Apart("historian", lambda: claim_back_test(name, now=clock()), lambda row: carry_out(row, clock))


def carry_out(row: BackTest, clock: Callable[[], dt.datetime], watch: Watch = lambda seen, total: True) -> bool:
    """Do a trial that was claimed, and keep its report; whether it came to its end. What went wrong, the row says."""

    def tell(seen: int, total: int) -> bool:
        return note_progress(row, seen, total, now=clock()) and watch(seen, total)

    try:
        report = try_on_history(row.workspace, row.document, row.since, row.until, tell, row.against)
        return report is not None and finish_back_test(row, msgspec.to_builtins(report), report.seen, now=clock())
    except OperationalError:
        raise
    except InvalidRule as error:
        fail_back_test(row, f"The rules cannot be used: {error}", now=clock())
    except Exception:  # the outermost place: a trial that breaks must not stop the line
        log.exception("trial %s broke off", row.pk)
        fail_back_test(row, FAILED, now=clock())
    return False


def try_on_history(
    workspace: Workspace,
    document: str,
    since: dt.datetime,
    until: dt.datetime,
    watch: Watch,
    against: int | None = None,
) -> Report | None:
    """Decide what was said between two times by the rules in force (or the version `against`) and by a document, and
    tell the difference; None where `watch` ended it. Nothing is read anew and nothing is written.

    Raises `InvalidRule` for a document that cannot be used.
    """
    rules = RuleSet.objects.of(workspace).order_by("-version")
    live = (rules.filter(version=against) if against else rules).first()
    pair = Pair(live.document if live else default_document(), document, live.version if live else 0)
    promised = {
        setup.slug: Promised(setup.terms, setup.hours)
        for setup in read_setups(workspace.pk, until).values()
        if not setup.terms.empty
    }
    trial = Trial(pair, promised)
    total = estimate_mentions(workspace.pk, since, until)
    passed, told = 0, 0.0
    if not watch(0, total):
        return None
    zone = ZoneInfo(workspace.timezone)
    for mentions in read_mentions(workspace.pk, since, until, pair.asks, zone, pair.beyond, waits=bool(promised)):
        trial.look(mentions)
        passed += len(mentions)
        if monotonic() - told >= TELL:
            told = monotonic()
            if not watch(passed, max(passed, total)):
                return None
    return trial.report() if watch(passed, passed) else None
