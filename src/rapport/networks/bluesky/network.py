"""`Bluesky`: the parts of this folder as one `Network`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Literal

from rapport.core.reply import Act, Picture, Reply
from rapport.networks.base import Account, Capabilities, Connected, Field, Identity, Page, Rechecked, Sent, Step
from rapport.networks.bluesky import form, push, recheck
from rapport.networks.bluesky.act import ACTS, do_act, edit_post, remove_post
from rapport.networks.bluesky.jetstream import first_cursor
from rapport.networks.bluesky.parse import NAME
from rapport.networks.bluesky.pull import LIVE, pull_list, streams_of
from rapport.networks.bluesky.richtext import MOST_GRAPHEMES, counted_length
from rapport.networks.bluesky.stream import listen
from rapport.networks.bluesky.upload import LIMITS, upload_image
from rapport.networks.contract import BaseNetwork
from rapport.networks.http import GuardedSession


class Bluesky(BaseNetwork):
    """See `rapport.networks.contract.Network`."""

    name: str = NAME
    title: str = "Bluesky"
    summary: str = "Mentions, replies, quotes, searches and hashtags, live; replies in your own voice."
    connection: Literal["code", "form"] = "form"
    capabilities: Capabilities = Capabilities(
        streaming=True,
        hashtags=True,
        idempotent_push=True,
        max_length=MOST_GRAPHEMES,
        visibilities=push.VISIBILITIES,
        # the key never runs out; but a reply that a person took back on Bluesky must not come back days later
        idempotent_for=86_400,
        recheck_within=recheck.WITHIN,
        recheck_most=recheck.MOST,
        acts=ACTS,
        removes=True,
        edits=True,
        edits_anew=True,
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
        if stream == LIVE:
            # heard by `stream` only, which replays from this cursor what it missed
            return iter((Page(stream=LIVE, posts=(), cursor=cursor or first_cursor(dt.datetime.now(dt.UTC))),))
        return pull_list(account, stream, cursor, session)

    def stream(
        self, account: Account, cursors: Mapping[str, str], session: GuardedSession, pause: Callable[[float], None]
    ) -> Iterator[Page]:
        return listen(account, cursors, session, pause)

    def recheck(self, account: Account, ids: Mapping[str, str], session: GuardedSession) -> Rechecked:
        return recheck.recheck_posts(account, ids, session, dt.datetime.now(dt.UTC))

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
        del since, besides  # the reply has one place, and it is there or not
        return push.find_reply(account, reply, key, session)

    def id_at(self, server: str, account_id: str, link: str) -> str:
        return push.id_at(account_id, link)

    def act(self, account: Account, act: Act, key: str, session: GuardedSession) -> Sent:
        if act.kind not in ACTS:
            return super().act(account, act, key, session)
        del key  # what it is about names its record
        return do_act(account, act, session)

    def remove(self, account: Account, external_id: str, session: GuardedSession) -> None:
        remove_post(account, external_id, session)

    def edit(self, account: Account, external_id: str, reply: Reply, key: str, session: GuardedSession) -> Sent:
        return edit_post(account, external_id, reply, key, session)

    def upload(self, account: Account, picture: Picture, content: bytes, kind: str, session: GuardedSession) -> str:
        del picture  # the post tells of its words
        return upload_image(account, content, kind, session)

    def verify(self, account: Account, session: GuardedSession) -> Identity:
        return form.identify(account, session)

    def length(self, text: str) -> int:
        return counted_length(text)

    def connect(self, fields: Mapping[str, str], session: GuardedSession) -> Connected:
        return form.connect(fields, session)

    def check_settings(
        self, settings: Mapping[str, str | bool | list[str]], account: Account, session: GuardedSession
    ) -> dict[str, str | int | bool | list[str]]:
        del account
        return form.check_settings(settings, session)

    def renew(self, account: Account, session: GuardedSession) -> tuple[str, dt.datetime | None]:
        return form.renew(account, session)
