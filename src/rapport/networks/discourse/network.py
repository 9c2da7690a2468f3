"""`Discourse`: the parts of this folder as one `Network`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping
from typing import Literal

from rapport.core.reply import Act, Picture, Reply
from rapport.networks.base import (
    Account,
    Answer,
    Capabilities,
    Connected,
    Field,
    Identity,
    Incoming,
    Page,
    Rechecked,
    Sent,
    Step,
)
from rapport.networks.contract import BaseNetwork
from rapport.networks.discourse import form, push, receive, recheck
from rapport.networks.discourse.act import ACTS, do_act, edit_post, remove_post
from rapport.networks.discourse.parse import NAME
from rapport.networks.discourse.pull import pull_pages, streams_of
from rapport.networks.discourse.upload import LIMITS, upload_image
from rapport.networks.discourse.wire import Wire
from rapport.networks.http import GuardedSession


class Discourse(BaseNetwork):
    """See `rapport.networks.contract.Network`."""

    name: str = NAME
    title: str = "Discourse"
    summary: str = "Mentions, messages, categories, tags and searches of a forum; replies in its topics."
    connection: Literal["code", "form"] = "form"
    capabilities: Capabilities = Capabilities(
        streaming=False,
        hashtags=True,
        idempotent_push=True,
        max_length=push.MAX_LENGTH,
        visibilities=push.VISIBILITIES,
        idempotent_for=120,  # as long as a forum remembers the answer to a request of a key
        webhook=True,
        acts=ACTS,
        removes=True,
        edits=True,
        recheck_within=recheck.WITHIN,
        recheck_most=recheck.MOST,
        media=LIMITS,
        posts=("public",),
        post_place="topic",
    )
    connect_fields: tuple[Field, ...] = form.FIELDS
    guide: tuple[Step, ...] = form.GUIDE
    settings_fields: tuple[Field, ...] = form.SETTINGS

    def place_of_post(self, account: Account, entered: str) -> str:
        return push.read_topic(account, entered)

    def own_key(self, account: Account) -> str:
        return account.handle.lower()

    def streams(self, account: Account) -> tuple[str, ...]:
        return streams_of(account)

    def pull(self, account: Account, stream: str, cursor: str, session: GuardedSession) -> Iterator[Page]:
        return pull_pages(account, stream, cursor, session)

    def recheck(self, account: Account, ids: Mapping[str, str], session: GuardedSession) -> Rechecked:
        return recheck.recheck_posts(account, ids, session)

    def push(self, account: Account, reply: Reply, key: str, session: GuardedSession) -> Sent:
        del key  # a forum knows a repeat by the words
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
        del picture  # the post tells of its words
        return upload_image(account, content, kind, session)

    def act(self, account: Account, act: Act, key: str, session: GuardedSession) -> Sent:
        if act.kind not in ACTS:
            return super().act(account, act, key, session)
        del key  # the post itself says what was done
        return do_act(account, act, session)

    def remove(self, account: Account, external_id: str, session: GuardedSession) -> None:
        remove_post(account, external_id, session)

    def edit(self, account: Account, external_id: str, reply: Reply, key: str, session: GuardedSession) -> Sent:
        del key
        return edit_post(account, external_id, reply, session)

    def verify(self, account: Account, session: GuardedSession) -> Identity:
        return form.identify(Wire.of(account, session))

    def connect(self, fields: Mapping[str, str], session: GuardedSession) -> Connected:
        return form.connect(fields, session)

    def check_settings(
        self, settings: Mapping[str, str | bool | list[str]], account: Account, session: GuardedSession
    ) -> dict[str, str | int | bool | list[str]]:
        return form.check_settings(settings, account, session)

    def receive(self, account: Account, incoming: Incoming) -> Answer:
        return receive.receive(account, incoming)
