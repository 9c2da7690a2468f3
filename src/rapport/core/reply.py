"""`Draft`, `Reply`, `Verdict`: what may leave the house, and what the guard says about it."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Literal

import msgspec

Standing = Literal["allow", "hold", "refuse"]


class Draft(msgspec.Struct, frozen=True, gc=False):
    """A text that waits for a person. The machine may write one; only a person can approve it."""

    text: str
    #: "machine", or the membership id of the person who wrote it
    author: str = "machine"
    #: name of the prepared reply that it came from
    template: str = ""
    #: id on the network of the newest inbound post that it takes into account
    based_on: str | None = None


class Reply(msgspec.Struct, frozen=True, gc=False):
    """Exactly what would go out: text, target and account. Its `digest` is what a person approves."""

    network: str
    #: database id of the channel (our account) that speaks
    channel: int
    #: id on the network of the post that is answered
    target: str
    text: str
    visibility: str = "public"
    #: handles that the reply addresses, without @
    to: tuple[str, ...] = ()
    #: membership id of the person who approved it; None means that nobody did
    approved_by: int | None = None

    @property
    def digest(self) -> str:
        """SHA-256 over text, target and account in a canonical form; any change to one of them changes it."""
        parts = [self.network, str(self.channel), self.target, self.visibility, *self.to, self.text]
        canonical = b"".join(len(raw).to_bytes(8, "big") + raw for raw in (part.encode() for part in parts))
        return hashlib.sha256(canonical).hexdigest()


class Finding(msgspec.Struct, frozen=True, gc=False):
    """One check of the guard: which rule, what it says, and what to do about it."""

    rule: str
    standing: Standing
    reason: str
    remedy: str = ""


class Verdict(msgspec.Struct, frozen=True, gc=False):
    """The guard's word on one reply. `standing` is the strictest of the findings."""

    standing: Standing = "allow"
    findings: tuple[Finding, ...] = ()
    #: when a held reply may go out by itself (pace), None when a person has to act
    retry_at: dt.datetime | None = None
