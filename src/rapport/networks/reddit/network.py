"""`Reddit`: the parts of this folder as one `Network`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping
from typing import Literal

from rapport.core.reply import Act, Reply
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
from rapport.networks.reddit import form, push, recheck
from rapport.networks.reddit.act import ACTS, do_act, edit_comment, remove_comment
from rapport.networks.reddit.parse import NAME
from rapport.networks.reddit.pull import pull_pages, streams_of
from rapport.networks.reddit.wire import Wire


class Reddit(BaseNetwork):
    """See `rapport.networks.contract.Network`."""

    name: str = NAME
    title: str = "Reddit"
    summary: str = "Answers, mentions and messages, the subreddits and searches that you choose; replies as comments."
    connection: Literal["code", "form"] = "code"
    capabilities: Capabilities = Capabilities(
        streaming=False,
        hashtags=False,
        idempotent_push=False,
        max_length=push.MAX_LENGTH,
        visibilities=push.VISIBILITIES,
        recheck_within=recheck.WITHIN,
        recheck_most=recheck.MOST,
        acts=ACTS,
        acts_proposed=False,
        removes=True,
        edits=True,
        direct=frozenset(),
    )
    connect_fields: tuple[Field, ...] = form.FIELDS
    guide: tuple[Step, ...] = form.GUIDE
    settings_fields: tuple[Field, ...] = form.SETTINGS

    def own_key(self, account: Account) -> str:
        return account.handle.lower()

    def streams(self, account: Account) -> tuple[str, ...]:
        return streams_of(account)

    def pull(self, account: Account, stream: str, cursor: str, session: GuardedSession) -> Iterator[Page]:
        return pull_pages(account, stream, cursor, session)

    def recheck(self, account: Account, ids: Mapping[str, str], session: GuardedSession) -> Rechecked:
        return recheck.recheck_posts(account, ids, session)

    def push(self, account: Account, reply: Reply, key: str, session: GuardedSession) -> Sent:
        del key  # Reddit has no use for one
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

    def act(self, account: Account, act: Act, key: str, session: GuardedSession) -> Sent:
        if act.kind not in ACTS:
            return super().act(account, act, key, session)
        del key  # Reddit takes none
        return do_act(account, act, session)

    def remove(self, account: Account, external_id: str, session: GuardedSession) -> None:
        remove_comment(account, external_id, session)

    def edit(self, account: Account, external_id: str, reply: Reply, key: str, session: GuardedSession) -> Sent:
        del key
        return edit_comment(account, external_id, reply, session)

    def verify(self, account: Account, session: GuardedSession) -> Identity:
        return form.identify(Wire.of(account, session))

    def authorize_url(
        self, fields: Mapping[str, str], redirect_uri: str, state: str, session: GuardedSession
    ) -> Handshake:
        del session  # nothing is asked of Reddit before the person goes there
        return form.begin(fields, redirect_uri, state)

    def exchange(self, kept: Mapping[str, str], code: str, session: GuardedSession) -> Connected:
        return form.finish(kept, code, session)

    def renew(self, account: Account, session: GuardedSession) -> tuple[str, dt.datetime | None]:
        return form.renew(account, session)

    def check_settings(
        self, settings: Mapping[str, str | bool | list[str]], account: Account, session: GuardedSession
    ) -> dict[str, str | int | bool | list[str]]:
        del account, session
        return form.check_settings(settings)
