"""The loop that worker, sender, listener and clock run in."""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Event

from django.db import OperationalError, close_old_connections, connection

log = logging.getLogger(__name__)

#: seconds to wait when the database does not answer
DATABASE_PAUSE = 2.0


def keep_going(stop: Event, step: Callable[[], float]) -> None:
    """Call `step` again and again until `stop` is set, waiting as many seconds as it returned.

    A database that is busy, restarting or full is waited for: a step that failed has acknowledged nothing, so nothing
    is lost. Any other error ends the loop, and whoever runs it says so and starts it anew.
    """
    while not stop.is_set():
        try:
            close_old_connections()
            pause = step()
        except OperationalError:
            log.exception("the database does not answer; trying again in a moment")
            connection.close()
            pause = DATABASE_PAUSE
        if pause:
            stop.wait(pause)
