"""`Trustpilot`: the parts of this folder as one `Network`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping
from typing import Literal

from rapport.core.reply import Reply
from rapport.networks.base import Account, Capabilities, Connected, Field, Identity, Page, Sent, Step
from rapport.networks.contract import BaseNetwork
from rapport.networks.http import GuardedSession
from rapport.networks.trustpilot import form, push
from rapport.networks.trustpilot.parse import NAME
from rapport.networks.trustpilot.pull import pull_pages


class Trustpilot(BaseNetwork):
    """See `rapport.networks.contract.Network`."""

    name: str = NAME
    title: str = "Trustpilot"
    summary: str = "Reviews of your business, with their stars; your answers beside them."
    connection: Literal["code", "form"] = "form"
    capabilities: Capabilities = Capabilities(
        streaming=False,
        hashtags=False,
        idempotent_push=False,
        max_length=push.MAX_LENGTH,
        visibilities=("public",),
        removes=True,
    )
    connect_fields: tuple[Field, ...] = form.FIELDS
    guide: tuple[Step, ...] = form.GUIDE
    settings_fields: tuple[Field, ...] = form.SETTINGS

    def streams(self, account: Account) -> tuple[str, ...]:
        del account
        return ("reviews",)

    def pull(self, account: Account, stream: str, cursor: str, session: GuardedSession) -> Iterator[Page]:
        return pull_pages(account, stream, cursor, session, dt.datetime.now(dt.UTC))

    def push(self, account: Account, reply: Reply, key: str, session: GuardedSession) -> Sent:
        del key  # Trustpilot takes none
        return push.push_reply(account, reply, session, dt.datetime.now(dt.UTC))

    def find(
        self,
        account: Account,
        reply: Reply,
        since: dt.datetime,
        key: str,
        session: GuardedSession,
        besides: Collection[str] = (),
    ) -> Sent | None:
        del since, key, besides  # a review has one answer, whenever it was written
        return push.find_reply(account, reply, session, dt.datetime.now(dt.UTC))

    def remove(self, account: Account, external_id: str, session: GuardedSession) -> None:
        push.remove_answer(account, external_id, session, dt.datetime.now(dt.UTC))

    def verify(self, account: Account, session: GuardedSession) -> Identity:
        return form.identify(account, session, dt.datetime.now(dt.UTC))

    def connect(self, fields: Mapping[str, str], session: GuardedSession) -> Connected:
        return form.connect(fields, session, dt.datetime.now(dt.UTC))

    def check_settings(
        self, settings: Mapping[str, str | bool | list[str]], account: Account, session: GuardedSession
    ) -> dict[str, str | int | bool | list[str]]:
        del account, session
        return form.check_settings(settings)

    def renew(self, account: Account, session: GuardedSession) -> tuple[str, dt.datetime | None]:
        return form.renew(account, session, dt.datetime.now(dt.UTC))
