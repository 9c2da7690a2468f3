"""Lanes: steps side by side in threads, one at a time for each key, so that a slow one holds up nobody else."""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable
from queue import SimpleQueue
from threading import Condition, Thread

from django.db import close_old_connections, connection

log = logging.getLogger(__name__)


class Lanes:
    """At most `most` threads, each with a database connection of its own that it closes at its end.

    One thread, the one that made it, starts steps and asks; `close` waits for those that run.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._steps: SimpleQueue[tuple[Hashable, Callable[[], None]] | None] = SimpleQueue()
        self._threads: list[Thread] = []
        self._changed = Condition()
        self._busy: set[Hashable] = set()
        self._failures: list[Exception] = []
        self._ended = 0

    @property
    def busy(self) -> frozenset[Hashable]:
        """Keys with a step that has not ended."""
        with self._changed:
            return frozenset(self._busy)

    def start(self, key: Hashable, step: Callable[[], None]) -> None:
        """Take a step for `key` in a lane of its own. Raises `ValueError` where one runs already, or all are taken."""
        with self._changed:
            if key in self._busy or len(self._busy) >= self.most:
                raise ValueError(f"there is no free lane for {key!r}")
            self._busy.add(key)
            if len(self._threads) < len(self._busy):
                thread = Thread(target=self._run, name=f"lane-{len(self._threads) + 1}")
                self._threads.append(thread)
                thread.start()
        self._steps.put((key, step))

    @property
    def ended(self) -> int:
        """How many steps have ended so far."""
        with self._changed:
            return self._ended

    def wait(self, ended: int, seconds: float) -> None:
        """Until more than `ended` steps have ended, at most `seconds`."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended > ended, seconds)

    def raise_failure(self) -> None:
        """Raise what a step has raised, oldest first, once each."""
        with self._changed:
            failure = self._failures.pop(0) if self._failures else None
        if failure is not None:
            raise failure

    def close(self) -> None:
        """Wait for the steps that run; nothing can be started afterwards. What they raise is logged."""
        for _ in self._threads:
            self._steps.put(None)
        for thread in self._threads:
            thread.join()
        for failure in self._failures:
            log.error("a step failed while the lanes were closing", exc_info=failure)

    def _run(self) -> None:
        try:
            while (job := self._steps.get()) is not None:
                self._take(*job)
        finally:
            connection.close()

    def _take(self, key: Hashable, step: Callable[[], None]) -> None:
        failure: Exception | None = None
        try:
            close_old_connections()
            step()
        except Exception as error:  # noqa: BLE001  # whoever runs the lanes hears of it and decides
            connection.close()
            failure = error
        with self._changed:
            self._busy.discard(key)
            self._ended += 1
            if failure is not None:
                self._failures.append(failure)
            self._changed.notify_all()
