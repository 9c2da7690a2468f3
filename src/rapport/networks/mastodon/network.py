"""`Mastodon`: the parts of this folder as one `Network`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Literal

from rapport.core.reply import Act, Picture, Reply
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
from rapport.networks.mastodon import form, push, recheck
from rapport.networks.mastodon.act import ACTS, do_act, edit_status, remove_status
from rapport.networks.mastodon.parse import NAME
from rapport.networks.mastodon.pull import domain_of, pull_pages, streams_of
from rapport.networks.mastodon.stream import listen
from rapport.networks.mastodon.upload import LIMITS, upload_image
from rapport.networks.mastodon.wire import Wire


class Mastodon(BaseNetwork):
    """See `rapport.networks.contract.Network`."""

    name: str = NAME
    title: str = "Mastodon"
    summary: str = "Mentions, conversations, hashtags and searches, live; replies in your own voice."
    connection: Literal["code", "form"] = "code"
    capabilities: Capabilities = Capabilities(
        streaming=True,
        hashtags=True,
        idempotent_push=True,
        max_length=500,
        visibilities=push.VISIBILITIES,
        idempotent_for=3600,
        watch_every=2.0,  # a server allows 300 requests in 5 minutes
        recheck_within=recheck.WITHIN,
        recheck_most=recheck.MOST,
        acts=ACTS,
        removes=True,
        edits=True,
        media=LIMITS,
        threads=True,
        posts=("public", "unlisted", "private"),
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

    def recheck(self, account: Account, ids: Mapping[str, str], session: GuardedSession) -> Rechecked:
        return recheck.recheck_posts(account, ids, session)

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
        del key  # Mastodon shows it to nobody
        return push.find_reply(account, reply, since, session, besides)

    def id_at(self, server: str, account_id: str, link: str) -> str:
        return push.id_at(server, link)

    def act(self, account: Account, act: Act, key: str, session: GuardedSession) -> Sent:
        if act.kind not in ACTS:
            return super().act(account, act, key, session)
        del key  # each says what is to be, not what is to change
        return do_act(account, act, session)

    def remove(self, account: Account, external_id: str, session: GuardedSession) -> None:
        remove_status(account, external_id, session)

    def edit(self, account: Account, external_id: str, reply: Reply, key: str, session: GuardedSession) -> Sent:
        del key
        return edit_status(account, external_id, reply, session)

    def upload(self, account: Account, picture: Picture, content: bytes, kind: str, session: GuardedSession) -> str:
        return upload_image(account, picture, content, kind, session)

    def verify(self, account: Account, session: GuardedSession) -> Identity:
        return form.identify(Wire.of(account, session), domain_of(account))

    def own_key(self, account: Account) -> str:
        return account.handle.lower()

    def length(self, text: str) -> int:
        return push.counted_length(text)

    def check_settings(
        self, settings: Mapping[str, str | bool | list[str]], account: Account, session: GuardedSession
    ) -> dict[str, str | int | bool | list[str]]:
        del account, session
        return form.check_settings(settings)

    def authorize_url(
        self, fields: Mapping[str, str], redirect_uri: str, state: str, session: GuardedSession
    ) -> Handshake:
        return form.begin(fields, redirect_uri, state, session)

    def exchange(self, kept: Mapping[str, str], code: str, session: GuardedSession) -> Connected:
        return form.finish(kept, code, session)
