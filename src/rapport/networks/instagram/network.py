"""`Instagram`: the parts of this folder as one `Network`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping
from typing import Literal

from rapport.core.reply import Reply
from rapport.networks import graph_door as door
from rapport.networks import graph_login as login
from rapport.networks.base import (
    Account,
    Answer,
    Capabilities,
    Connected,
    Field,
    Handshake,
    Identity,
    Incoming,
    Page,
    Rechecked,
    Sent,
    Step,
)
from rapport.networks.contract import BaseNetwork
from rapport.networks.http import GuardedSession
from rapport.networks.instagram import form, push, recheck
from rapport.networks.instagram.act import remove_comment
from rapport.networks.instagram.parse import NAME, read_entry
from rapport.networks.instagram.pull import STREAMS, pull_pages


class Instagram(BaseNetwork):
    """See `rapport.networks.contract.Network`."""

    name: str = NAME
    title: str = "Instagram"
    summary: str = "Comments, mentions, story mentions and messages, as they happen; replies in your own voice."
    connection: Literal["code", "form"] = "code"
    capabilities: Capabilities = Capabilities(
        streaming=False,
        hashtags=False,
        idempotent_push=False,
        max_length=push.MAX_LENGTH,
        visibilities=push.VISIBILITIES,
        webhook=True,
        recheck_within=recheck.WITHIN,
        recheck_most=recheck.MOST,
        removes=True,
        direct=frozenset(),
    )
    connect_fields: tuple[Field, ...] = form.FIELDS
    guide: tuple[Step, ...] = form.GUIDE
    settings_fields: tuple[Field, ...] = form.SETTINGS

    def streams(self, account: Account) -> tuple[str, ...]:
        del account
        return STREAMS

    def pull(self, account: Account, stream: str, cursor: str, session: GuardedSession) -> Iterator[Page]:
        return pull_pages(account, stream, cursor, session, dt.datetime.now(dt.UTC))

    def recheck(self, account: Account, ids: Mapping[str, str], session: GuardedSession) -> Rechecked:
        return recheck.recheck_posts(account, ids, session)

    def push(self, account: Account, reply: Reply, key: str, session: GuardedSession) -> Sent:
        del key  # the Graph API takes none
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
        return push.find_reply(account, reply, since, session, besides)

    def remove(self, account: Account, external_id: str, session: GuardedSession) -> None:
        remove_comment(account, external_id, session)

    def verify(self, account: Account, session: GuardedSession) -> Identity:
        return form.identify(account, session)

    def authorize_url(
        self, fields: Mapping[str, str], redirect_uri: str, state: str, session: GuardedSession
    ) -> Handshake:
        return form.begin(fields, redirect_uri, state, session)

    def exchange(self, kept: Mapping[str, str], code: str, session: GuardedSession) -> Connected:
        return form.finish(kept, code, session, dt.datetime.now(dt.UTC))

    def check_settings(
        self, settings: Mapping[str, str | bool | list[str]], account: Account, session: GuardedSession
    ) -> dict[str, str | int | bool | list[str]]:
        del session
        return door.check_settings(settings, account)

    def renew(self, account: Account, session: GuardedSession) -> tuple[str, dt.datetime | None]:
        return login.renew(account, session, dt.datetime.now(dt.UTC))

    def receive(self, account: Account, incoming: Incoming) -> Answer:
        return door.receive(account, incoming, "instagram", read_entry)
