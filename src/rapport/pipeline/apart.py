"""Long work that people ask for, done in a thread beside the line of a worker."""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Thread
from time import monotonic
from typing import Generic, TypeVar

from django.db import OperationalError, connection

log = logging.getLogger(__name__)

#: seconds between two looks whether something is asked for
LOOK = 1.0

J = TypeVar("J")


class Apart(Generic[J]):
    """Does jobs of one kind, one at a time."""

    def __init__(self, name: str, claim: Callable[[], J | None], do: Callable[[J], object]) -> None:
        """`claim` answers a job that is nobody else's, or None; `do` carries it out and says in its row what failed."""
        self.name = name
        self._claim = claim
        self._do = do
        self._looked = 0.0
        self._thread: Thread | None = None

    def look(self) -> None:
        """Begin, at most once a second, where a job is asked for and none is being done here."""
        if monotonic() - self._looked < LOOK or (self._thread is not None and self._thread.is_alive()):
            return
        self._looked = monotonic()
        job = self._claim()
        if job is not None:
            self._thread = Thread(target=self._run, args=(job,), name=self.name, daemon=True)
            self._thread.start()

    def _run(self, job: J) -> None:
        try:
            self._do(job)
        except OperationalError:
            log.exception("%s: the database does not answer; it is begun anew in a while", self.name)
        finally:
            connection.close()
