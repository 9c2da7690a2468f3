"""`Draft`, `Reply`, `Act`, `Verdict`: what may leave the house, and what the guard says about it."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from typing import Literal

import msgspec

Standing = Literal["allow", "hold", "refuse"]
#: what a person may do on a network that is no reply
ActKind = Literal["post", "like", "unlike", "boost", "unboost", "follow", "unfollow", "delete", "edit"]


class Draft(msgspec.Struct, frozen=True, gc=False):
    """A text that waits for a person. The machine may write one; only a person can approve it."""

    text: str
    #: "machine", or the membership id of the person who wrote it
    author: str = "machine"
    #: name of the prepared reply that it came from
    template: str = ""
    #: id on the network of the newest inbound post that it takes into account
    based_on: str | None = None


class Picture(msgspec.Struct, frozen=True, gc=False):
    """An image that goes out with a text."""

    #: SHA-256 of the file, exactly as it is sent
    digest: str
    #: what is to be seen, for those who cannot see it
    alt: str = ""
    #: what the network calls it once it was uploaded; bound by no digest
    uploaded: str = ""


class Reply(msgspec.Struct, frozen=True, gc=False):
    """Exactly what would go out: text, target and account. Its `digest` is what a person approves."""

    network: str
    #: database id of the channel (our account) that speaks
    channel: int
    #: id on the network of the post that is answered. Of a post of our own: the place where it goes (a room, a topic
    #: of a forum), "" where the account itself is the place
    target: str
    text: str
    visibility: str = "public"
    #: handles that the reply addresses, without @
    to: tuple[str, ...] = ()
    #: membership id of the person who approved it; None means that nobody did
    approved_by: int | None = None
    media: tuple[Picture, ...] = ()
    #: the texts of a thread of several posts, `text` the first among them; empty: `text` is all. Each goes out as a
    #: reply of its own to the one before
    parts: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """SHA-256 over text, target and account in a canonical form; any change to one of them changes it.

        Form 2 stands only where there are images or several posts: what was approved before keeps its digest.
        """
        if self.media or self.parts:
            where = (self.network, str(self.channel), self.target, self.visibility, self.text)
            return _hash(_FORM_2, where, self.to, _told(self.media), self.parts)
        return _hash(b"", (self.network, str(self.channel), self.target, self.visibility, *self.to, self.text))


class Act(msgspec.Struct, frozen=True, gc=False):
    """What a person does on a network that is no reply: what, to what, from where. They approve its `digest`."""

    kind: ActKind
    network: str
    #: database id of the channel (our account) that acts
    channel: int
    #: id on the network of the post that is liked or shared on, or of ours that is deleted or edited; of a post of our
    #: own the place where it goes, as in a reply
    target: str = ""
    #: `Author.key` of the account that is followed
    handle: str = ""
    #: of a post of our own, and the new words of one that is edited
    text: str = ""
    visibility: str = "public"
    media: tuple[Picture, ...] = ()
    #: as in a reply
    parts: tuple[str, ...] = ()
    #: membership id of the person who approved it; None means that nobody did
    approved_by: int | None = None

    @property
    def digest(self) -> str:
        """SHA-256 over all of it but who approved; never that of a reply."""
        what = (self.kind, self.network, str(self.channel), self.target, self.handle, self.visibility, self.text)
        return _hash(_FORM_ACT, what, _told(self.media), self.parts)


#: what the forms begin with. The first form begins with a length in eight bytes; no text is as long as these would be
_FORM_2, _FORM_ACT = b"reply 2\n", b"action 1"


def _hash(form: bytes, *groups: Sequence[str]) -> str:
    """SHA-256 over every text with its length before it, and, in all forms but the first, groups with their counts."""
    return hashlib.sha256(form + b"".join(_canonical(group, counted=bool(form)) for group in groups)).hexdigest()


def _canonical(group: Sequence[str], counted: bool) -> bytes:
    texts = [text.encode() for text in group]
    count = len(texts).to_bytes(8, "big") if counted else b""
    return count + b"".join(len(text).to_bytes(8, "big") + text for text in texts)


def _told(media: tuple[Picture, ...]) -> tuple[str, ...]:
    return tuple(word for picture in media for word in (picture.digest, picture.alt))


def timed_key(moment: dt.datetime, random: str) -> str:
    """The key of a post of our own: 14 hexadecimal digits of microseconds since 1970, then 18 of a random number.

    A network that wants its names in the order of time (Bluesky) takes the time from here, the same on every try.
    """
    return f"{int(moment.timestamp() * 1_000_000):014x}{random[:18]}"


def begun_at(key: str) -> int:
    """The microseconds of a `timed_key`; 0 for what is none."""
    try:
        return int(key[:14], 16) if len(key) == _KEY else 0
    except ValueError:
        return 0


_KEY = 32


class Finding(msgspec.Struct, frozen=True, gc=False):
    """One check of the guard: which rule, what it says, and what to do about it."""

    rule: str
    standing: Standing
    reason: str
    remedy: str = ""
    #: what stands in `reason`, by name, for those who say it in another language
    values: dict[str, str] = {}
    #: when this alone would let the reply pass; None = a person has to act, or never
    passes_at: dt.datetime | None = None


class Verdict(msgspec.Struct, frozen=True, gc=False):
    """The guard's word on one reply. `standing` is the strictest of the findings."""

    standing: Standing = "allow"
    findings: tuple[Finding, ...] = ()
    #: when a held reply may go out by itself (pace), None when a person has to act
    retry_at: dt.datetime | None = None
