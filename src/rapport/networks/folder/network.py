"""`Folder`: the parts of this folder as one `Network`."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Literal

from rapport.networks.base import Account, Capabilities, Connected, Field, Gap, Identity, Page, Step
from rapport.networks.contract import BaseNetwork
from rapport.networks.folder import form
from rapport.networks.folder.places import open_folder
from rapport.networks.folder.progress import Cursor, decode_cursor
from rapport.networks.folder.read import NAME
from rapport.networks.folder.watch import STREAM, Watch, follow
from rapport.networks.http import GuardedSession


def _nowhere() -> tuple[Path, ...]:
    return ()


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class Folder(BaseNetwork):
    """See `rapport.networks.contract.Network`. `roots`: the folders that may be watched, and what lies below them."""

    name: str = NAME
    title: str = "Watched folder"
    summary: str = "Files of posts that other programs drop on this machine, read as they are written."
    connection: Literal["code", "form"] = "form"
    capabilities: Capabilities = Capabilities(
        streaming=True, hashtags=False, idempotent_push=False, max_length=0, visibilities=("public",), replies=False
    )
    connect_fields: tuple[Field, ...] = form.FIELDS
    guide: tuple[Step, ...] = form.GUIDE
    settings_fields: tuple[Field, ...] = ()

    def __init__(
        self, roots: Callable[[], tuple[Path, ...]] = _nowhere, clock: Callable[[], dt.datetime] = _now
    ) -> None:
        self._roots, self._clock = roots, clock
        #: what is seen of each folder in this process, and which of them somebody looks at just now
        self._watches: dict[str, Watch] = {}
        self._busy: set[str] = set()
        self._lock = threading.Lock()

    def streams(self, account: Account) -> tuple[str, ...]:
        del account
        return (STREAM,)

    def pull(self, account: Account, stream: str, cursor: str, session: GuardedSession) -> Iterator[Page]:
        del session
        with open_folder(_folder_of(account), self._roots()):
            pass  # says what is wrong with it, whoever looks at it
        known = decode_cursor(cursor)
        start = known or Cursor()
        if known is None:
            reason = "The mark of how far files were read was unreadable; those in the folder are read from the start."
            yield Page(stream=stream, posts=(), cursor=start.encode(), gap=Gap(reason))
        watch = self._watch(account)
        if not self._claim(watch.folder):  # a live line reads it
            if watch.error is not None:
                raise watch.error
            yield Page(stream=stream, posts=(), cursor=start.encode())
            return
        try:
            pages = 0
            for page in watch.look(start):
                pages += 1
                yield page
            if not pages:
                yield Page(stream=stream, posts=(), cursor=start.encode())
        finally:
            self._release(watch.folder)

    def stream(
        self, account: Account, cursors: Mapping[str, str], session: GuardedSession, pause: Callable[[float], None]
    ) -> Iterator[Page]:
        del session
        watch = self._watch(account)
        while not self._claim(watch.folder):  # a poll, or a line that is about to end
            pause(0.2)
        try:
            yield from follow(watch, decode_cursor(cursors.get(STREAM, "")) or Cursor(), pause)
        finally:
            self._release(watch.folder)

    def verify(self, account: Account, session: GuardedSession) -> Identity:
        del session
        with open_folder(_folder_of(account), self._roots()):
            return Identity(account.handle, account.account_id)

    def connect(self, fields: Mapping[str, str], session: GuardedSession) -> Connected:
        del session
        return form.connect(fields, self._roots())

    def _watch(self, account: Account) -> Watch:
        folder = _folder_of(account)
        with self._lock:
            known = self._watches.get(folder)
            if known is None or known.source != account.account_id:
                known = self._watches[folder] = Watch(folder, account.account_id, self._roots, self._clock)
            return known

    def _claim(self, folder: str) -> bool:
        """One reader for each folder: two would move each other's files away."""
        with self._lock:
            if folder in self._busy:
                return False
            self._busy.add(folder)
            return True

    def _release(self, folder: str) -> None:
        with self._lock:
            self._busy.discard(folder)


def _folder_of(account: Account) -> str:
    return str(account.settings.get("folder") or "")
