"""Keeps the heads of the ledgers outside of the database, and sends each one away where an address was set."""

from __future__ import annotations

import datetime as dt
import logging
from collections import deque
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from django.core.mail import EmailMessage

from rapport.actions.ledger_heads import Head, due_heads, keep_heads, newest_of, read_heads
from rapport.core.errors import AddressRefused, InvalidInput, NetworkError
from rapport.networks.http import GuardedSession

log = logging.getLogger(__name__)

#: heads that wait for a receiver which does not answer; the oldest go first
MOST_WAITING = 1_000


class HeadKeeper:
    """Looks at every ledger, writes down what is due, and sends it on its way."""

    def __init__(self, path: Path, to: str, session: Callable[[], GuardedSession]) -> None:
        """`to`: an address of the web (each head is posted as JSON) or of mail; "" = nowhere."""
        self.path = path
        self.to = to
        self.session = session
        self._known: dict[int, Head] | None = None
        self._waiting: deque[Head] = deque(maxlen=MOST_WAITING)

    def look(self, *, now: dt.datetime) -> list[Head]:
        """What was written down; nothing where the disk refuses, which is said in the log and tried again."""
        if self._known is None:
            self._known = self._read_known()
        heads = due_heads(self._known, now=now)
        try:
            keep_heads(heads, self.path)
        except OSError as error:
            log.error("the heads of the ledgers cannot be kept in %s: %s", self.path, error.strerror)
            return []
        self._known |= newest_of(heads)
        if self.to:
            self._waiting.extend(heads)
            self._send_waiting()
        return heads

    def _read_known(self) -> dict[int, Head]:
        try:
            return newest_of(read_heads(self.path))
        except InvalidInput:  # the first start, or nothing in it that could be read
            return {}

    def _send_waiting(self) -> None:
        while self._waiting:
            try:
                self._send(self._waiting[0])
            except (AddressRefused, InvalidInput, NetworkError, OSError) as error:
                log.warning("the head of a ledger could not be sent to %s: %s", urlsplit(self.to).hostname or "", error)
                return
            self._waiting.popleft()

    def _send(self, head: Head) -> None:
        body = msgspec.json.encode(head)
        if "://" not in self.to:
            subject = f"Ledger of {head.workspace}: entry {head.sequence}"
            EmailMessage(subject, body.decode(), to=[self.to]).send()
            return
        with self.session() as session:
            answer = session.post(
                self.to, data=body, headers={"Content-Type": "application/json"}, allow_redirects=False
            )
        if not 200 <= answer.status_code < 300:
            raise InvalidInput(f"the receiver answered {answer.status_code}")
