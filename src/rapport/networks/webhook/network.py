"""`Webhook`: the parts of this folder as one `Network`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Literal, cast

from rapport.core.errors import Reauthorise
from rapport.networks.base import Account, Answer, Capabilities, Connected, Field, Identity, Incoming, Page, Step
from rapport.networks.contract import BaseNetwork
from rapport.networks.http import GuardedSession
from rapport.networks.webhook import form
from rapport.networks.webhook.parse import NAME
from rapport.networks.webhook.receive import answer_delivery
from rapport.networks.webhook.secret import decode_secrets, newest_secret, rotate


class Webhook(BaseNetwork):
    """See `rapport.networks.contract.Network`. It brings and is never asked: `streams` is empty."""

    name: str = NAME
    title: str = "Webhook"
    summary: str = "Posts from any program of yours: it sends them here, signed, as soon as they are written."
    connection: Literal["code", "form"] = "form"
    capabilities: Capabilities = Capabilities(
        streaming=False,
        hashtags=False,
        idempotent_push=False,
        max_length=0,
        visibilities=("public",),
        replies=False,
        webhook=True,
    )
    connect_fields: tuple[Field, ...] = cast("tuple[Field, ...]", form.FieldsWithSecret())
    guide: tuple[Step, ...] = form.GUIDE
    settings_fields: tuple[Field, ...] = ()

    def streams(self, account: Account) -> tuple[str, ...]:
        del account
        return ()

    def pull(self, account: Account, stream: str, cursor: str, session: GuardedSession) -> Iterator[Page]:
        del account, session
        yield Page(stream=stream, posts=(), cursor=cursor)

    def verify(self, account: Account, session: GuardedSession) -> Identity:
        del session
        if not decode_secrets(account.token):
            raise Reauthorise("this webhook has no secret any more; connect it again and give the sender the new one")
        return Identity(account.handle, account.account_id)

    def connect(self, fields: Mapping[str, str], session: GuardedSession) -> Connected:
        del session  # nothing can be tried: the other side comes to us
        return form.connect(fields)

    def renew(self, account: Account, session: GuardedSession) -> tuple[str, dt.datetime | None]:
        """A token with a new secret (`secret.newest_secret`); the one before is valid for another day."""
        del session
        return rotate(account.token, dt.datetime.now(dt.UTC)), None

    def sender_secret(self, token: str) -> str:
        return newest_secret(token)

    def receive(self, account: Account, incoming: Incoming) -> Answer:
        return answer_delivery(account, incoming)
