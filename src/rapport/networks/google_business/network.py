"""`GoogleBusiness`: the parts of this folder as one `Network`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping
from typing import Literal

from rapport.core.reply import Reply
from rapport.networks import google
from rapport.networks.base import Account, Capabilities, Connected, Field, Handshake, Identity, Page, Sent, Step
from rapport.networks.contract import BaseNetwork
from rapport.networks.every import check_every
from rapport.networks.google_business import form, push
from rapport.networks.google_business.parse import NAME
from rapport.networks.google_business.pull import pull_pages
from rapport.networks.http import GuardedSession


class GoogleBusiness(BaseNetwork):
    """See `rapport.networks.contract.Network`."""

    name: str = NAME
    title: str = "Google Business reviews"
    summary: str = "Reviews of one of your locations on Google, with their stars; your answers beside them."
    connection: Literal["code", "form"] = "code"
    capabilities: Capabilities = Capabilities(
        streaming=False,
        hashtags=False,
        idempotent_push=True,
        idempotent_for=3600,  # an answer is put in its one place, so the same words again change nothing
        max_length=push.MAX_BYTES,
        visibilities=("public",),
        removes=True,
        edits=True,
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
        del key
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

    def edit(self, account: Account, external_id: str, reply: Reply, key: str, session: GuardedSession) -> Sent:
        del key  # Google takes none
        return push.edit_answer(account, external_id, reply, session, dt.datetime.now(dt.UTC))

    def verify(self, account: Account, session: GuardedSession) -> Identity:
        return form.identify(account, session, dt.datetime.now(dt.UTC))

    def length(self, text: str) -> int:
        """Google counts bytes."""
        return len(text.encode())

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
        return check_every(settings)

    def renew(self, account: Account, session: GuardedSession) -> tuple[str, dt.datetime | None]:
        return google.renew(account, session, dt.datetime.now(dt.UTC))
