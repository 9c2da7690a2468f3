"""What passes between a network and the rest of the house.

Everything that must survive a restart travels in these structs: the cursor of a stream, the settings of an account,
what is kept between the two halves of an authorisation.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from contextlib import suppress
from typing import Literal

import msgspec

from rapport.core.post import Post
from rapport.core.reply import ActKind


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


class MediaLimits(msgspec.Struct, frozen=True):
    """Which images a network takes with one post."""

    #: images of one post
    most: int
    #: "image/png"
    kinds: tuple[str, ...]
    #: of one file
    max_bytes: int
    #: characters of the words that tell what is to be seen; 0: it takes none
    max_alt: int = 0
    #: with direct messages too
    direct: bool = True


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
    #: `receive` takes what the network brings by itself
    webhook: bool = False
    #: seconds within which each post that we keep must have been looked at again (`recheck`); 0: never
    recheck_within: float = 0.0
    #: ids that one `recheck` may be asked about
    recheck_most: int = 0
    #: what `act` does; deleting and editing are told by the two below
    acts: frozenset[ActKind] = frozenset()
    #: `remove` takes what we sent off the network
    removes: bool = False
    #: a rule may propose these acts; false: the network wants that a person alone decides what to do them with
    acts_proposed: bool = True
    #: what of these direct messages take too: "acts", "removes", "edits"
    direct: frozenset[Literal["acts", "removes", "edits"]] = frozenset({"acts", "removes", "edits"})
    #: `edit` gives what we sent other words ...
    edits: bool = False
    #: ... and does so by putting a new post in its place: answers to the old one lose what they hang on
    edits_anew: bool = False
    #: `upload` takes images, and `push` sends them along; None: it takes none
    media: MediaLimits | None = None
    #: `push` takes a post of our own, to nobody: in these visibilities, the first where nothing is chosen; (): none
    posts: tuple[str, ...] = ()
    #: what such a post needs besides: "room" or "topic", as `place_of_post` reads it; "": the account is the place
    post_place: Literal["", "room", "topic"] = ""
    #: a reply of ours can be answered by another one of ours, so that a thread of several posts can go out
    threads: bool = False


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
