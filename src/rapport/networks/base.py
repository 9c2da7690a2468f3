"""What a network is to the rest of the house: a few structs, one Protocol, and `BaseNetwork`, which offers nothing.

A network reads and writes through a `GuardedSession` that it is handed; it keeps no state of its own, knows no
database and no other network. Everything that must survive a restart travels in the structs below: the cursor of a
stream, the settings of an account, what is kept between the two halves of an authorisation.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Literal, Protocol

import msgspec

from rapport.core.errors import GiveUp, InvalidInput, Reauthorise
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


class Gap(msgspec.Struct, frozen=True):
    """A stretch of a stream that could not be read and cannot be filled: shown as what it is."""

    #: a sentence for the screen
    reason: str
    #: the stretch, as far as it is known
    since: dt.datetime | None = None
    until: dt.datetime | None = None


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
    #: what is known to be missing before these posts, None when the stream is whole
    gap: Gap | None = None
    #: ids of posts that their authors, or the network, deleted
    deleted: tuple[str, ...] = ()
    #: keys (`Author.key`) of accounts that the network took down or that closed themselves: their words are hidden
    suspended: tuple[str, ...] = ()
    #: keys of accounts that came back
    restored: tuple[str, ...] = ()
    #: one line for each item that could not be read as a post, with its id where it had one
    rejected: tuple[str, ...] = ()
    #: `deleted` comes from a line that tells of everybody's posts: only those that we have are remembered ...
    known_only: bool = False
    #: ... and, for a day, these of them: so young that their beginning may still be on its way to us
    young: tuple[str, ...] = ()


class Rechecked(msgspec.Struct, frozen=True):
    """What became of posts that were looked at again. Each id that was asked about is in one of the four lists.

    Only what the network says for certain is here; whatever is doubtful is `unseen`.
    """

    #: there, and shown to us
    standing: tuple[str, ...] = ()
    #: their authors, or the network, deleted them
    deleted: tuple[str, ...] = ()
    #: of authors whom the network shows to us no more: suspended, closed, gone private, or they blocked us
    hidden: tuple[str, ...] = ()
    #: nobody said what became of them; they are asked for again
    unseen: tuple[str, ...] = ()
    #: posts that stand and may have been edited, as they read now. Without `edited_at`, where the network tells no time
    #: of an edit, another text is one
    changed: tuple[Post, ...] = ()
    #: what it cost of `Network.recheck_budget`
    spent: int = 0


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
    #: replies can be sent; without it the desk offers a link to the place instead of a composer
    replies: bool = True
    #: seconds between two looks (`recheck`) at what was heard in the last minutes, for a network whose live line does
    #: not tell of edits and deletions; the newest posts, however old, are then looked at every minute. 0: it tells, or
    #: looking so often is not allowed
    watch_every: float = 0.0
    #: seconds between two looks at the least, whatever the deployment says; 0: as it says
    look_every: float = 0.0
    #: `receive` takes what the network brings by itself
    webhook: bool = False
    #: seconds within which each post that we keep must have been looked at again (`recheck`); 0: never
    recheck_within: float = 0.0
    #: ids that one `recheck` may be asked about
    recheck_most: int = 0


class Field(msgspec.Struct, frozen=True):
    """One field of a form: of the one that connects an account, or of the settings of a connected one.

    A value is a str; a list of str for "words" (separated by blanks) and "lines" (one a line); a bool for "flag".
    "long" is a text of many lines as it was typed, which the network takes apart by itself; a list that it keeps of it
    is shown one item a line.
    """

    name: str
    label: str
    kind: Literal["text", "server", "secret", "words", "lines", "long", "flag", "choice"] = "text"
    help: str = ""
    required: bool = True
    default: str = ""
    #: of a "choice": (value, label)
    choices: tuple[tuple[str, str], ...] = ()


class Step(msgspec.Struct, frozen=True):
    """One step of the guide beside the form that connects an account: what to do, and where."""

    text: str
    #: an https address of the network's own pages
    url: str | None = None


class Grant(msgspec.Struct, frozen=True, omit_defaults=True):
    """A token that expires, with what renews it, as one string in `Account.token`. Stored encrypted like any token."""

    access: str
    refresh: str = ""
    #: aware; None: it does not expire by itself
    expires_at: dt.datetime | None = None
    #: what else the network's own flow needs again: the client id and secret of the application
    more: dict[str, str] = {}

    def __repr__(self) -> str:
        """Without its secrets."""
        return f"Grant(expires_at={self.expires_at})"

    def encode(self) -> str:
        """The string to keep."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def decode(cls, token: str) -> Grant:
        """What `encode` made; any other string is an access token that does not expire."""
        if token.startswith("{"):
            with suppress(msgspec.MsgspecError):
                return msgspec.json.decode(token, type=cls)
        return cls(access=token)


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
    #: when the token must be renewed at the latest; None: it does not expire by itself
    expires_at: dt.datetime | None = None

    def __repr__(self) -> str:
        """Everything but the token."""
        return f"Connected(server={self.server!r}, handle={self.identity.handle!r})"


class Incoming(msgspec.Struct, frozen=True):
    """One request that a network brought to our door, as it came over the wire."""

    method: str
    query: Mapping[str, str]
    #: names in lower case
    headers: Mapping[str, str]
    #: the raw bytes: signatures are made over these and nothing else
    body: bytes
    #: our clock, aware
    now: dt.datetime


class Answer(msgspec.Struct, frozen=True):
    """What to say to an `Incoming`, and what it brought."""

    status: int = 200
    #: plain text
    body: str = ""
    #: as of a pull; the cursors are stored too
    pages: tuple[Page, ...] = ()
    #: the network's own id of this delivery: the same one again is answered and has no effect. "" = it names none
    delivery: str = ""
    #: seconds after which the network wants to be asked again, sent as Retry-After
    after: int | None = None


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
        self, account: Account, reply: Reply, since: dt.datetime, key: str, session: GuardedSession
    ) -> Sent | None:
        """The reply if it is on the network, sent after `since`; None when it is certainly not.

        Raises `Unconfirmed` when what the network shows does not go back to `since`.
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
        self, account: Account, reply: Reply, since: dt.datetime, key: str, session: GuardedSession
    ) -> Sent | None:
        """See `Network.find`."""
        del account, reply, since, key, session
        return None

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
