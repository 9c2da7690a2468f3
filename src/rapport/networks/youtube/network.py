"""`YouTube`: the parts of this folder as one `Network`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping
from typing import Literal

from rapport.core.reply import Reply
from rapport.networks import google
from rapport.networks.base import (
    Account,
    Capabilities,
    Connected,
    Field,
    Handshake,
    Identity,
    Page,
    Rechecked,
    Sent,
    Step,
)
from rapport.networks.contract import BaseNetwork
from rapport.networks.http import GuardedSession
from rapport.networks.youtube import form, push, recheck
from rapport.networks.youtube.act import edit_comment, remove_comment
from rapport.networks.youtube.parse import NAME
from rapport.networks.youtube.pull import pull_pages, recheck_units, streams_of


class YouTube(BaseNetwork):
    """See `rapport.networks.contract.Network`."""

    name: str = NAME
    title: str = "YouTube"
    summary: str = "Comments on your videos, and videos that speak of you; replies in your own voice."
    connection: Literal["code", "form"] = "code"
    capabilities: Capabilities = Capabilities(
        streaming=False,
        hashtags=False,
        idempotent_push=False,
        max_length=push.MAX_LENGTH,
        visibilities=push.VISIBILITIES,
        recheck_within=recheck.WITHIN,
        recheck_most=recheck.MOST,
        removes=True,
        edits=True,
    )
    connect_fields: tuple[Field, ...] = form.FIELDS
    guide: tuple[Step, ...] = form.GUIDE
    settings_fields: tuple[Field, ...] = form.SETTINGS

    def streams(self, account: Account) -> tuple[str, ...]:
        return streams_of(account)

    def pull(self, account: Account, stream: str, cursor: str, session: GuardedSession) -> Iterator[Page]:
        return pull_pages(account, stream, cursor, session, dt.datetime.now(dt.UTC))

    def recheck(self, account: Account, ids: Mapping[str, str], session: GuardedSession) -> Rechecked:
        return recheck.recheck_posts(account, ids, session, dt.datetime.now(dt.UTC))

    def recheck_budget(self, account: Account) -> int | None:
        return recheck_units(account)

    def push(self, account: Account, reply: Reply, key: str, session: GuardedSession) -> Sent:
        del key  # YouTube takes none
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
        del key
        return push.find_reply(account, reply, since, session, dt.datetime.now(dt.UTC), besides)

    def remove(self, account: Account, external_id: str, session: GuardedSession) -> None:
        remove_comment(account, external_id, session, dt.datetime.now(dt.UTC))

    def edit(self, account: Account, external_id: str, reply: Reply, key: str, session: GuardedSession) -> Sent:
        del key  # YouTube takes none
        return edit_comment(account, external_id, reply, session, dt.datetime.now(dt.UTC))

    def verify(self, account: Account, session: GuardedSession) -> Identity:
        return form.identify(account, session, dt.datetime.now(dt.UTC))

    def authorize_url(
        self, fields: Mapping[str, str], redirect_uri: str, state: str, session: GuardedSession
    ) -> Handshake:
        return form.begin(fields, redirect_uri, state, session)

    def exchange(self, kept: Mapping[str, str], code: str, session: GuardedSession) -> Connected:
        return form.finish(kept, code, session, dt.datetime.now(dt.UTC))

    def check_settings(
        self, settings: Mapping[str, str | bool | list[str]], account: Account, session: GuardedSession
    ) -> dict[str, str | int | bool | list[str]]:
        del account, session
        return form.check_settings(settings)

    def renew(self, account: Account, session: GuardedSession) -> tuple[str, dt.datetime | None]:
        return google.renew(account, session, dt.datetime.now(dt.UTC))
