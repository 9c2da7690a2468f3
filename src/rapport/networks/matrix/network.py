"""`Matrix`: the parts of this folder as one `Network`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Literal

from rapport.core.reply import Act, Picture, Reply
from rapport.networks.base import Account, Capabilities, Connected, Field, Identity, Page, Sent, Step
from rapport.networks.contract import BaseNetwork
from rapport.networks.http import GuardedSession
from rapport.networks.matrix import form, push
from rapport.networks.matrix.act import ACTS, do_act, edit_message, remove_message
from rapport.networks.matrix.parse import NAME
from rapport.networks.matrix.pull import STREAM, pull_pages
from rapport.networks.matrix.stream import listen
from rapport.networks.matrix.upload import LIMITS, upload_image
from rapport.networks.matrix.wire import Wire


class Matrix(BaseNetwork):
    """See `rapport.networks.contract.Network`."""

    name: str = NAME
    title: str = "Matrix"
    summary: str = "The rooms that your account is in, and private conversations, live; replies in your own voice."
    connection: Literal["code", "form"] = "form"
    capabilities: Capabilities = Capabilities(
        streaming=True,
        hashtags=False,
        idempotent_push=True,
        max_length=push.MAX_LENGTH,
        visibilities=push.VISIBILITIES,
        acts=ACTS,
        removes=True,
        edits=True,
        idempotent_for=3600,  # the specification names no time; Synapse keeps transactions for a day
        media=LIMITS,
        posts=("public",),
        post_place="room",
    )
    connect_fields: tuple[Field, ...] = form.FIELDS
    guide: tuple[Step, ...] = form.GUIDE
    settings_fields: tuple[Field, ...] = form.SETTINGS

    def place_of_post(self, account: Account, entered: str) -> str:
        return form.read_room(account, entered)

    def own_key(self, account: Account) -> str:
        return account.handle.lower()

    def streams(self, account: Account) -> tuple[str, ...]:
        del account  # one token of the server covers all rooms
        return (STREAM,)

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
        return push.find_reply(account, reply, since, key, session, besides)

    def upload(self, account: Account, picture: Picture, content: bytes, kind: str, session: GuardedSession) -> str:
        del picture  # the post tells of its words
        return upload_image(account, content, kind, session)

    def act(self, account: Account, act: Act, key: str, session: GuardedSession) -> Sent:
        if act.kind not in ACTS:
            return super().act(account, act, key, session)
        return do_act(account, act, key, session)

    def remove(self, account: Account, external_id: str, session: GuardedSession) -> None:
        remove_message(account, external_id, session)

    def edit(self, account: Account, external_id: str, reply: Reply, key: str, session: GuardedSession) -> Sent:
        return edit_message(account, external_id, reply, key, session)

    def verify(self, account: Account, session: GuardedSession) -> Identity:
        return form.identify(Wire.of(account, session))

    def length(self, text: str) -> int:
        return push.counted_length(text)

    def connect(self, fields: Mapping[str, str], session: GuardedSession) -> Connected:
        return form.connect(fields, session)

    def check_settings(
        self, settings: Mapping[str, str | bool | list[str]], account: Account, session: GuardedSession
    ) -> dict[str, str | int | bool | list[str]]:
        return form.check_settings(settings, account, session)

    def renew(self, account: Account, session: GuardedSession) -> tuple[str, dt.datetime | None]:
        return form.renew(account, session)
