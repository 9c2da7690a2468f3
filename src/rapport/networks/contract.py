"""What a network is to the rest of the house: one Protocol, and `BaseNetwork`, which offers nothing.

A network reads and writes through a `GuardedSession` that it is handed; it keeps no state of its own, knows no
database and no other network. What goes in and out are the structs of `networks.base`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Literal, Protocol

from rapport.core.errors import GiveUp, InvalidInput, Reauthorise
from rapport.core.reply import Act, Picture, Reply
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
from rapport.networks.http import GuardedSession


class Network(Protocol):
    """One network. Every method that takes a session may raise any `NetworkError`, typed by what to do next."""

    #: the word in `Post.network`
    name: str
    #: for people
    title: str
    #: what it brings in, in one line for the page where accounts are connected
    summary: str
    #: "code": the person signs in on the network (`authorize_url`, `exchange`); "form": the form is all (`connect`)
    connection: Literal["code", "form"]
    capabilities: Capabilities
    #: what the form asks before an account can be connected
    connect_fields: tuple[Field, ...]
    #: how to get there, step by step, beside the form
    guide: tuple[Step, ...]
    #: what an admin may choose about a connected account
    settings_fields: tuple[Field, ...]

    def streams(self, account: Account) -> tuple[str, ...]:
        """The streams that are worth reading for this account: "notifications", "hashtag:NAME", ..."""
        ...

    def pull(self, account: Account, stream: str, cursor: str, session: GuardedSession) -> Iterator[Page]:
        """Everything since `cursor` ("" for the first time), oldest page first, until the network has no more.

        At least one page is yielded, so that a quiet stream also proves that it was read; none where the stream is
        not due yet by what the network asked for (a feed that may be fetched once an hour).
        """
        ...

    def stream(
        self, account: Account, cursors: Mapping[str, str], session: GuardedSession, pause: Callable[[float], None]
    ) -> Iterator[Page]:
        """Live pages, for ever: first what was missed since `cursors` (stream -> cursor), then as it happens.

        Reconnects by itself and fills each gap before it goes on. `pause(seconds)` waits, and raises to stop.
        Raises `GiveUp` where the server offers no streaming, `Reauthorise` when the token is dead.
        """
        ...

    def recheck(self, account: Account, ids: Mapping[str, str], session: GuardedSession) -> Rechecked:
        """Look at posts again, by id (each with the `Author.key` that it was stored with), `recheck_most` at most.

        What cannot be answered for certain is `Rechecked.unseen`: an error, whatever it is, deletes nothing. Offered
        where `capabilities.recheck_within` is not 0; elsewhere everything is unseen.
        """
        ...

    def recheck_budget(self, account: Account) -> int | None:
        """Units a day (UTC) that `recheck` may spend, an id costing one at most; None where the network counts none."""
        ...

    def push(self, account: Account, reply: Reply, key: str, session: GuardedSession) -> Sent:
        """Send the reply, exactly as approved. `key` is stored by the caller before the first try.

        `RetryLater`: it did not take effect. `GiveUp`: refused for good. `Unconfirmed`: it may have taken effect;
        call `find` before anything else.
        """
        ...

    def find(
        self,
        account: Account,
        reply: Reply,
        since: dt.datetime,
        key: str,
        session: GuardedSession,
        besides: Collection[str] = (),
    ) -> Sent | None:
        """The reply if it is on the network, sent after `since`; None when it is certainly not.

        `besides`: ids on the network that are known to be other replies of ours, though they say the same.
        Raises `Unconfirmed` when what the network shows does not go back to `since`.
        """
        ...

    def id_at(self, server: str, account_id: str, link: str) -> str:
        """Id of the post of ours that is shown at the address `link`; "" where the address alone does not tell it."""
        ...

    def act(self, account: Account, act: Act, key: str, session: GuardedSession) -> Sent:
        """Do one of `capabilities.acts`, exactly as approved; `Sent.id` is what undoes it, or the post that came of it.

        Done twice it has one effect, and what is so already counts as done. Raises as `push` does; `GiveUp` for an act
        that the network does not offer.
        """
        ...

    def remove(self, account: Account, external_id: str, session: GuardedSession) -> None:
        """Take a post of ours off the network, where `capabilities.removes`. One that is gone counts as removed.

        Raises `GiveUp` where the network refuses, or offers no such thing; it may be called again after any error.
        """
        ...

    def edit(self, account: Account, external_id: str, reply: Reply, key: str, session: GuardedSession) -> Sent:
        """Give a post of ours the words and images of `reply`, where `capabilities.edits`; where it stands from now on.

        Raises as `push` does. With the same key it may be called again after any error.
        """
        ...

    def upload(self, account: Account, picture: Picture, content: bytes, kind: str, session: GuardedSession) -> str:
        """Bring an image (`kind`: "image/png") to the network, where `capabilities.media`.

        Gives what the network calls it, for `Picture.uploaded` of the reply that is pushed next. It shows to nobody
        before that, so it may be called again after any error.
        """
        ...

    def place_of_post(self, account: Account, entered: str) -> str:
        """What a person entered as the place of a post of our own -> `Reply.target`. Asks nobody.

        Raises `InvalidInput` where `capabilities.post_place` asks for one and this is none.
        """
        ...

    def verify(self, account: Account, session: GuardedSession) -> Identity:
        """Who the account's token speaks for now. Raises `Reauthorise` when it is dead."""
        ...

    def own_key(self, account: Account) -> str:
        """`Author.key` of this account, as in the posts of ours that the network tells us of."""
        ...

    def length(self, text: str) -> int:
        """How long the network says this text is, for the composer and the guard."""
        ...

    def authorize_url(
        self, fields: Mapping[str, str], redirect_uri: str, state: str, session: GuardedSession
    ) -> Handshake:
        """Where to send the person who connects an account. `state` comes back with them and must be compared.

        Raises `InvalidInput` when a field makes no sense.
        """
        ...

    def exchange(self, kept: Mapping[str, str], code: str, session: GuardedSession) -> Connected:
        """The code that came back with the person -> a connected account. `kept` is from `authorize_url`.

        `code` is the whole query that came back where the network names it otherwise.
        """
        ...

    def connect(self, fields: Mapping[str, str], session: GuardedSession) -> Connected:
        """A filled-in form -> a connected account, after it was tried. Raises `InvalidInput` with the remedy."""
        ...

    def check_settings(
        self, settings: Mapping[str, str | bool | list[str]], account: Account, session: GuardedSession
    ) -> dict[str, str | int | bool | list[str]]:
        """What an admin chose (`settings_fields`) -> what is kept. Raises `InvalidInput` with the place and remedy."""
        ...

    def renew(self, account: Account, session: GuardedSession) -> tuple[str, dt.datetime | None]:
        """A new token and when it expires. Called by one process at a time. Raises `Reauthorise` when it is dead."""
        ...

    def sender_secret(self, token: str) -> str:
        """What a person gives to whoever sends to `receive`, out of a token; "" where the network knows its own.

        Where there is one, `renew` makes a new one and keeps the old one valid for a while.
        """
        ...

    def receive(self, account: Account, incoming: Incoming) -> Answer:
        """What the network brought to our door. An `Answer` with status 401 for a signature that is not the network's.

        Never raises; reads nothing from the network.
        """
        ...


def not_offered(title: str, what: str) -> GiveUp:
    """What a network says of something that it does not do here: "X takes no like from here; ..."."""
    return GiveUp(f"{title} takes {what} from here; where its own site offers it, do it there")


class BaseNetwork:
    """Defaults for what a network does not offer. Each network overrides what it does."""

    title = "this network"
    connection: Literal["code", "form"] = "form"
    guide: tuple[Step, ...] = ()
    settings_fields: tuple[Field, ...] = ()

    def stream(
        self, account: Account, cursors: Mapping[str, str], session: GuardedSession, pause: Callable[[float], None]
    ) -> Iterator[Page]:
        """See `Network.stream`."""
        del account, cursors, session, pause
        raise GiveUp(f"{self.title} has no live line")

    def recheck(self, account: Account, ids: Mapping[str, str], session: GuardedSession) -> Rechecked:
        """See `Network.recheck`."""
        del account, session
        return Rechecked(unseen=tuple(ids))

    def recheck_budget(self, account: Account) -> int | None:
        """See `Network.recheck_budget`."""
        del account
        return None

    def push(self, account: Account, reply: Reply, key: str, session: GuardedSession) -> Sent:
        """See `Network.push`."""
        del account, reply, key, session
        raise GiveUp(f"{self.title} takes no replies")

    def find(
        self,
        account: Account,
        reply: Reply,
        since: dt.datetime,
        key: str,
        session: GuardedSession,
        besides: Collection[str] = (),
    ) -> Sent | None:
        """See `Network.find`."""
        del account, reply, since, key, session, besides
        return None

    def id_at(self, server: str, account_id: str, link: str) -> str:
        """See `Network.id_at`."""
        del server, account_id, link
        return ""

    def act(self, account: Account, act: Act, key: str, session: GuardedSession) -> Sent:
        """See `Network.act`."""
        del account, key, session
        raise not_offered(self.title, f"no {act.kind}")

    def remove(self, account: Account, external_id: str, session: GuardedSession) -> None:
        """See `Network.remove`."""
        del account, external_id, session
        raise not_offered(self.title, "no deletion of what was sent")

    def edit(self, account: Account, external_id: str, reply: Reply, key: str, session: GuardedSession) -> Sent:
        """See `Network.edit`."""
        del account, external_id, reply, key, session
        raise not_offered(self.title, "no edit of what was sent")

    def upload(self, account: Account, picture: Picture, content: bytes, kind: str, session: GuardedSession) -> str:
        """See `Network.upload`."""
        del account, picture, content, kind, session
        raise not_offered(self.title, "no images")

    def place_of_post(self, account: Account, entered: str) -> str:
        """See `Network.place_of_post`: the account itself is the place."""
        del account, entered
        return ""

    def own_key(self, account: Account) -> str:
        """See `Network.own_key`."""
        return account.account_id

    def length(self, text: str) -> int:
        """See `Network.length`."""
        return len(text)

    def authorize_url(
        self, fields: Mapping[str, str], redirect_uri: str, state: str, session: GuardedSession
    ) -> Handshake:
        """See `Network.authorize_url`."""
        del fields, redirect_uri, state, session
        raise InvalidInput(f"{self.title} is connected with a form")

    def exchange(self, kept: Mapping[str, str], code: str, session: GuardedSession) -> Connected:
        """See `Network.exchange`."""
        del kept, code, session
        raise InvalidInput(f"{self.title} is connected with a form")

    def connect(self, fields: Mapping[str, str], session: GuardedSession) -> Connected:
        """See `Network.connect`."""
        del fields, session
        raise InvalidInput(f"{self.title} is connected by signing in there")

    def check_settings(
        self, settings: Mapping[str, str | bool | list[str]], account: Account, session: GuardedSession
    ) -> dict[str, str | int | bool | list[str]]:
        """See `Network.check_settings`."""
        del account, session
        return dict(settings)

    def renew(self, account: Account, session: GuardedSession) -> tuple[str, dt.datetime | None]:
        """See `Network.renew`."""
        del account, session
        raise Reauthorise(f"the token of {self.title} cannot be renewed")

    def sender_secret(self, token: str) -> str:
        """See `Network.sender_secret`."""
        del token
        return ""

    def receive(self, account: Account, incoming: Incoming) -> Answer:
        """See `Network.receive`."""
        del account, incoming
        return Answer(status=404)
