"""Connections to the database end with the request: each request runs in a thread of its own that is used once.

A connection that is kept for the next request of its thread would serve nobody. It would stay open until Python happens
to collect it, or as long as a stream lasts; a hundred open pages are then all that PostgreSQL takes.
"""

from __future__ import annotations

import asyncio
from typing import Any

from django.core.signals import request_finished
from django.db import connections


def close_unused(**_signal: Any) -> None:
    """Close the connections of this thread on which no transaction is open.

    In the thread of an event loop nothing is done: no request opens a connection there, and what stands open belongs to
    whoever runs the loop (Django would refuse to close it with SynchronousOnlyOperation).
    """
    if _in_an_event_loop():
        return
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close()


def _in_an_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def close_after_requests() -> None:
    """From now on, each request closes its connections at its end."""
    request_finished.connect(close_unused, dispatch_uid="close_after_requests")
