"""`Mail`: the parts of this folder as one `Network`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Literal

from rapport.core.reply import Picture, Reply
from rapport.networks.base import Account, Capabilities, Connected, Field, Identity, Page, Sent, Step
from rapport.networks.contract import BaseNetwork
from rapport.networks.http import GuardedSession
from rapport.networks.mail import form, push
from rapport.networks.mail.attach import LIMITS, carry
from rapport.networks.mail.parse import NAME
from rapport.networks.mail.pull import pull_pages, streams_of
from rapport.networks.mail.stream import listen


class Mail(BaseNetwork):
    """See `rapport.networks.contract.Network`."""

    name: str = NAME
    title: str = "Mail"
    summary: str = "A mailbox of the team, live over IMAP; replies from its address."
    connection: Literal["code", "form"] = "form"
    capabilities: Capabilities = Capabilities(
        streaming=True,
        hashtags=False,
        idempotent_push=False,
        max_length=push.MAX_LENGTH,
        visibilities=("direct",),
        media=LIMITS,
    )
    connect_fields: tuple[Field, ...] = form.FIELDS
    guide: tuple[Step, ...] = form.GUIDE
    settings_fields: tuple[Field, ...] = form.SETTINGS

    def streams(self, account: Account) -> tuple[str, ...]:
        return streams_of(account)

    def pull(self, account: Account, stream: str, cursor: str, session: GuardedSession) -> Iterator[Page]:
        return pull_pages(account, stream, cursor, session)

    def stream(
        self, account: Account, cursors: Mapping[str, str], session: GuardedSession, pause: Callable[[float], None]
    ) -> Iterator[Page]:
        return listen(account, cursors, session, pause)

    def push(self, account: Account, reply: Reply, key: str, session: GuardedSession) -> Sent:
        return push.push_reply(account, reply, key, session)

    def find(
        self,
        account: Account,
        reply: Reply,
        since: dt.datetime,
        key: str,
        session: GuardedSession,
        besides: Collection[str] = (),
    ) -> Sent | None:
        del reply, since, besides  # the key alone names it
        return push.find_reply(account, key, session)

    def upload(self, account: Account, picture: Picture, content: bytes, kind: str, session: GuardedSession) -> str:
        del account, picture, session  # it travels in the mail
        return carry(content, kind)

    def verify(self, account: Account, session: GuardedSession) -> Identity:
        return form.identify(account, session)

    def connect(self, fields: Mapping[str, str], session: GuardedSession) -> Connected:
        return form.connect(fields, session)

    def check_settings(
        self, settings: Mapping[str, str | bool | list[str]], account: Account, session: GuardedSession
    ) -> dict[str, str | int | bool | list[str]]:
        return form.check_settings(settings, account, session)
