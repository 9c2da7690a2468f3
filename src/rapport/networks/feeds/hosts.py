"""Politeness towards hosts: many feeds of one channel live on one server, and it shall not notice.

What is kept here is courtesy, not progress: losing it in a restart harms nothing, so it stands in no cursor.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

BURST = 20  # requests at once
A_SECOND = 1.0  # requests a second after that
_MOST_HOSTS = 5_000


class Hosts:
    """A bucket of permissions for each host, refilled by time. Safe to share between threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, burst: int = BURST) -> None:
        self._clock, self._burst = clock, float(burst)
        #: host -> (permissions left, when that was counted)
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._held: dict[str, float] = {}
        self._lock = threading.Lock()

    def admits(self, host: str) -> bool:
        """Whether one more request may go to this host now; if so it is counted."""
        with self._lock:
            now = self._clock()
            if self._held.get(host, now) > now:
                return False
            left, counted = self._buckets.pop(host, (self._burst, now))
            left = min(self._burst, left + (now - counted) * A_SECOND)
            admitted = left >= 1
            self._buckets[host] = (left - 1 if admitted else left, now)
            while len(self._buckets) > _MOST_HOSTS:
                self._buckets.popitem(last=False)
            return admitted

    def hold(self, host: str, seconds: float) -> None:
        """The host asked for a pause: none of its feeds is asked for until then."""
        with self._lock:
            now = self._clock()
            self._held = {name: until for name, until in self._held.items() if until > now}
            self._held[host] = now + seconds
