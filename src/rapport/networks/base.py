"""What a network is to the rest of the house: five structs and one Protocol.

A network reads and writes through a `GuardedSession` that it is handed; it keeps no state of its own, knows no
database and no other network. Everything that must survive a restart travels in the structs below: the cursor of a
stream, the settings of an account, what is kept between the two halves of an authorisation.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from typing import Literal, Protocol

import msgspec

from rapport.core.post import Post
from rapport.core.reply import Reply
from rapport.networks.http import GuardedSession


class Account(msgspec.Struct, frozen=True):
    """One of our accounts on one network, ready to be read from and spoken through."""

    #: database id of the channel
    channel: int
    #: origin of the server, without a trailing slash: "https://mastodon.social"
    server: str
    #: without a leading @; with the server where the network writes it so: "brand@mastodon.social"
    handle: str
    #: the network's own id of the account
    account_id: str
    token: str
    #: what the network asked to keep when the account was connected, and what an admin chose (hashtags to follow)
    settings: dict[str, str | int | bool | list[str]] = {}

    def __repr__(self) -> str:
        """Everything but the token: an account may end in a log."""
        return f"Account(channel={self.channel}, server={self.server!r}, handle={self.handle!r})"


class Page(msgspec.Struct, frozen=True):
    """A piece of one stream. Store the posts and the cursor in one transaction, then ask for the next page."""

    #: the stream that it belongs to, as `Network.streams` names it
    stream: str
    #: oldest first
    posts: tuple[Post, ...]
    #: where to go on; opaque JSON. After a crash, pulling from it misses nothing and may repeat posts
    cursor: str
    #: true: the network has more at this moment
    more: bool = False
    #: a sentence for the screen when something is known to be missing, None when the stream is whole
    gap: str | None = None
    #: ids of posts that their authors deleted
    deleted: tuple[str, ...] = ()
    #: one line for each item that could not be read as a post, with its id where it had one
    rejected: tuple[str, ...] = ()


class Sent(msgspec.Struct, frozen=True):
    """A reply that is on the network."""

    id: str
    url: str | None = None


class Capabilities(msgspec.Struct, frozen=True):
    """What a network offers; the desk shows nothing that is not here."""

    streaming: bool
    hashtags: bool
    #: true: repeating a push with the same key within `idempotent_for` seconds has one effect
    idempotent_push: bool
    #: in the network's own way of counting (`Network.length`); a server may differ (`settings["max_length"]`)
    max_length: int
    visibilities: tuple[str, ...]
    idempotent_for: int = 0


class Field(msgspec.Struct, frozen=True):
    """One field of the form that connects an account."""

    name: str
    label: str
    kind: Literal["text", "server", "secret"] = "text"
    help: str = ""


class Identity(msgspec.Struct, frozen=True):
    """Who a token speaks for."""

    handle: str
    account_id: str
    name: str = ""
    url: str | None = None
    bot: bool = False


class Handshake(msgspec.Struct, frozen=True):
    """The first half of an authorisation: send the person to `url`, keep `kept` for the second half."""

    url: str
    #: holds secrets: store it encrypted and bound to the person's session, use it once, delete it
    kept: dict[str, str]

    def __repr__(self) -> str:
        """Without what is kept: it holds secrets."""
        return "Handshake()"


class Connected(msgspec.Struct, frozen=True):
    """The second half of an authorisation: all that a channel needs."""

    server: str
    identity: Identity
    token: str
    settings: dict[str, str | int | bool | list[str]] = {}

    def __repr__(self) -> str:
        """Everything but the token."""
        return f"Connected(server={self.server!r}, handle={self.identity.handle!r})"


class Network(Protocol):
    """One network. Every method that takes a session may raise any `NetworkError`, typed by what to do next."""

    #: the word in `Post.network`
    name: str
    #: for people
    title: str
    capabilities: Capabilities
    #: what the form asks before an account can be connected
    connect_fields: tuple[Field, ...]

    def streams(self, account: Account) -> tuple[str, ...]:
        """The streams that are worth reading for this account: "notifications", "hashtag:NAME", ..."""
        ...

    def pull(self, account: Account, stream: str, cursor: str, session: GuardedSession) -> Iterator[Page]:
        """Everything since `cursor` ("" for the first time), oldest page first, until the network has no more.

        At least one page is yielded, so that a quiet stream also proves that it was read.
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

    def push(self, account: Account, reply: Reply, key: str, session: GuardedSession) -> Sent:
        """Send the reply, exactly as approved. `key` is stored by the caller before the first try.

        `RetryLater`: it did not take effect. `GiveUp`: refused for good. `Unconfirmed`: it may have taken effect;
        call `find` before anything else.
        """
        ...

    def find(
        self, account: Account, reply: Reply, since: dt.datetime, key: str, session: GuardedSession
    ) -> Sent | None:
        """The reply if it is on the network, sent after `since`; None when it is certainly not.

        Raises `Unconfirmed` when what the network shows does not go back to `since`.
        """
        ...

    def verify(self, account: Account, session: GuardedSession) -> Identity:
        """Who the account's token speaks for now. Raises `Reauthorise` when it is dead."""
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
        """The code that came back with the person -> a connected account. `kept` is from `authorize_url`."""
        ...
