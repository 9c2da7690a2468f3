"""The clock: what happens because time passes."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable
from threading import Event

from rapport.actions.desk import wake_snoozed
from rapport.pipeline.loop import keep_going
from rapport.store.models import DeskEvent, SignInLink, Workspace

log = logging.getLogger(__name__)

TICK = 1.0  # seconds
#: how long desk events are kept: an open page that was away for longer reads everything anew
EVENTS = dt.timedelta(hours=1)


class Clock:
    """Wakes snoozed conversations and sweeps what has expired."""

    def __init__(self, clock: Callable[[], dt.datetime]) -> None:
        self.clock = clock
        self._swept = dt.datetime.min.replace(tzinfo=dt.UTC)

    def run_forever(self, stop: Event) -> None:
        """Tick until `stop` is set."""
        keep_going(stop, self.tick)

    def tick(self) -> float:
        """One look at everything that time can change; returns the seconds until the next."""
        now = self.clock()
        for workspace in Workspace.objects.all():
            wake_snoozed(workspace, now=now)
        if now - self._swept > dt.timedelta(minutes=5):
            DeskEvent.objects.filter(at__lt=now - EVENTS).delete()
            SignInLink.objects.filter(expires_at__lt=now - dt.timedelta(days=30)).delete()
            self._swept = now
        return TICK
