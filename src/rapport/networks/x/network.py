"""`X`: the parts of this folder as one `Network`."""

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
from rapport.networks.x import form, push, recheck
from rapport.networks.x.act import ACTS, do_act, remove_post
from rapport.networks.x.cursor import RECHECK, share
from rapport.networks.x.parse import NAME
from rapport.networks.x.pull import pull_pages, streams_of
from rapport.networks.x.stream import listen
from rapport.networks.x.upload import LIMITS, upload_image
from rapport.networks.x.wire import Wire


class X(BaseNetwork):
    """See `rapport.networks.contract.Network`."""

    name: str = NAME
    title: str = "X"
    summary: str = "Mentions, searches of the last week, private messages; replies to those who spoke to you."
    connection: Literal["code", "form"] = "code"
    capabilities: Capabilities = Capabilities(
        streaming=True,
        hashtags=False,
        idempotent_push=False,
        max_length=push.MAX_LENGTH,
        visibilities=push.VISIBILITIES,
        recheck_within=recheck.WITHIN,
        recheck_most=recheck.MOST,
        acts=ACTS,
        removes=True,
        direct=frozenset({"removes"}),
        media=LIMITS,
        threads=True,
        posts=("public",),
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
        return recheck.recheck_posts(account, ids, session, dt.datetime.now(dt.UTC))

    def recheck_budget(self, account: Account) -> int | None:
        return share(account, RECHECK)

    def push(self, account: Account, reply: Reply, key: str, session: GuardedSession) -> Sent:
        del key  # X has no use for one
        return push.push_reply(account, reply, session)

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

    def upload(self, account: Account, picture: Picture, content: bytes, kind: str, session: GuardedSession) -> str:
        return upload_image(account, picture, content, kind, session)

    def id_at(self, server: str, account_id: str, link: str) -> str:
        return push.id_at(link)

    def act(self, account: Account, act: Act, key: str, session: GuardedSession) -> Sent:
        if act.kind not in ACTS:
            return super().act(account, act, key, session)
        del key  # X has no use for one
        return do_act(account, act, session)

    def remove(self, account: Account, external_id: str, session: GuardedSession) -> None:
        remove_post(account, external_id, session)

    def verify(self, account: Account, session: GuardedSession) -> Identity:
        return form.identify(Wire.of(account, session))

    def length(self, text: str) -> int:
        return push.counted_length(text)

    def authorize_url(
        self, fields: Mapping[str, str], redirect_uri: str, state: str, session: GuardedSession
    ) -> Handshake:
        del session  # nothing is asked of X before the person goes there
        return form.begin(fields, redirect_uri, state)

    def exchange(self, kept: Mapping[str, str], code: str, session: GuardedSession) -> Connected:
        return form.finish(kept, code, session)

    def renew(self, account: Account, session: GuardedSession) -> tuple[str, dt.datetime | None]:
        return form.renew(account, session)

    def check_settings(
        self, settings: Mapping[str, str | bool | list[str]], account: Account, session: GuardedSession
    ) -> dict[str, str | int | bool | list[str]]:
        del session
        return form.check_settings(settings, account)
