"""`Feeds`: the parts of this folder as one `Network`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from typing import Literal

from rapport.networks.base import Account, Capabilities, Connected, Field, Identity, Page, Step
from rapport.networks.contract import BaseNetwork
from rapport.networks.feeds import form
from rapport.networks.feeds.hosts import Hosts
from rapport.networks.feeds.parse import NAME
from rapport.networks.feeds.pull import pull_pages, streams_of
from rapport.networks.http import GuardedSession


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class Feeds(BaseNetwork):
    """See `rapport.networks.contract.Network`."""

    name: str = NAME
    title: str = "Feeds"
    summary: str = "News, blogs and forums by RSS, Atom or JSON Feed: every new item of as many feeds as you like."
    connection: Literal["code", "form"] = "form"
    capabilities: Capabilities = Capabilities(
        streaming=False, hashtags=False, idempotent_push=False, max_length=0, visibilities=("public",), replies=False
    )
    connect_fields: tuple[Field, ...] = form.FIELDS
    guide: tuple[Step, ...] = form.GUIDE
    settings_fields: tuple[Field, ...] = form.SETTINGS

    def __init__(self, clock: Callable[[], dt.datetime] = _now, hosts: Hosts | None = None) -> None:
        self._clock = clock
        self._hosts = hosts or Hosts()

    def streams(self, account: Account) -> tuple[str, ...]:
        return streams_of(account)

    def pull(self, account: Account, stream: str, cursor: str, session: GuardedSession) -> Iterator[Page]:
        return pull_pages(account, stream, cursor, session, self._hosts, self._clock)

    def verify(self, account: Account, session: GuardedSession) -> Identity:
        del session  # feeds are read by everybody: there is no token that could die
        return Identity(account.handle, account.account_id)

    def connect(self, fields: Mapping[str, str], session: GuardedSession) -> Connected:
        return form.connect(fields, session, self._clock())

    def check_settings(
        self, settings: Mapping[str, str | bool | list[str]], account: Account, session: GuardedSession
    ) -> dict[str, str | int | bool | list[str]]:
        return form.check_settings(settings, account.settings, session, self._clock())
