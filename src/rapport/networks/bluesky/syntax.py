"""The identifiers of the AT Protocol: DIDs, handles, record keys, TIDs, at:// addresses, times. Pure.

As specified on atproto.com/specs (did, handle, nsid, record-key, tid, at-uri-scheme) and, for times, in the lexicon
format `datetime`; held against Bluesky's own interoperability tests.
"""

from __future__ import annotations

import datetime as dt
import re

import msgspec

POSTS = "app.bsky.feed.post"

_DID = re.compile(r"did:[a-z]+:[a-zA-Z0-9._:%-]*[a-zA-Z0-9._-]", re.ASCII)
_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_HANDLE = re.compile(rf"(?:{_LABEL}\.)+[a-zA-Z](?:[a-zA-Z0-9-]{{0,61}}[a-zA-Z0-9])?", re.ASCII)
_FIRST = r"[a-zA-Z](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_NSID = re.compile(rf"{_FIRST}(?:\.{_LABEL})+\.[a-zA-Z][a-zA-Z0-9]{{0,62}}", re.ASCII)
_RECORD_KEY = re.compile(r"[a-zA-Z0-9_~.:-]{1,512}", re.ASCII)
_TID = re.compile(r"[234567a-j][234567a-z]{12}", re.ASCII)
_TIME = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:)(\d\d)((?:\.\d{1,20})?)(Z|[+-]\d\d:\d\d)",
    re.ASCII,
)
_ALPHABET = "234567abcdefghijklmnopqrstuvwxyz"
_CLOCK_BITS = 10


class Address(msgspec.Struct, frozen=True):
    """What an at:// address names."""

    #: a DID or a handle
    authority: str
    collection: str = ""
    record_key: str = ""

    @property
    def uri(self) -> str:
        return "/".join(filter(None, (f"at://{self.authority}", self.collection, self.record_key)))


def is_did(text: str) -> bool:
    """Whether this is a DID by its spelling; nobody is asked whether it exists."""
    return len(text) <= 2048 and _DID.fullmatch(text) is not None


def is_handle(text: str) -> bool:
    """Whether this is a handle by its spelling: a host name with at least two parts."""
    return len(text) <= 253 and _HANDLE.fullmatch(text) is not None


def is_nsid(text: str) -> bool:
    """Whether this names a kind of record or a method: "app.bsky.feed.post"."""
    return len(text) <= 317 and _NSID.fullmatch(text) is not None


def is_record_key(text: str) -> bool:
    """Whether a record may be called so within its collection."""
    return text not in {".", ".."} and _RECORD_KEY.fullmatch(text) is not None


def is_tid(text: str) -> bool:
    """Whether this is a record key that holds a time."""
    return _TID.fullmatch(text) is not None


def parse_address(text: str) -> Address | None:
    """An at:// address -> its parts; None when it is none."""
    if len(text) > 8192 or not text.startswith("at://"):
        return None
    parts = text[5:].split("/")
    if len(parts) > 3 or not (is_did(parts[0]) or is_handle(parts[0])):
        return None
    if (len(parts) > 1 and not is_nsid(parts[1])) or (len(parts) > 2 and not is_record_key(parts[2])):
        return None
    return Address(*parts)


def web_address(uri: str) -> str | None:
    """The page on bsky.app that shows a post; None when the address names no post."""
    address = parse_address(uri)
    if address is None or address.collection != POSTS or not address.record_key:
        return None
    return f"https://bsky.app/profile/{address.authority}/post/{address.record_key}"


def parse_time(text: str) -> dt.datetime | None:
    """A time as the protocol writes it -> aware, in UTC; None for anything else.

    Digits beyond microseconds are cut; the year 0, which the protocol allows and Python does not have, is None.
    """
    found = _TIME.fullmatch(text)
    if found is None or found[4] == "-00:00":
        return None
    # a leap second has no place in a datetime; a tenth of a millisecond before it is close enough
    second, fraction = ("59", ".9999") if found[2] == "60" else (found[2], found[3])
    try:
        return dt.datetime.fromisoformat(f"{found[1]}{second}{fraction[:7]}{found[4]}").astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None


def write_time(moment: dt.datetime) -> str:
    """An aware moment as Bluesky writes it: in UTC, with milliseconds."""
    return moment.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def decode_tid(tid: str) -> int:
    """The microseconds since 1970 in a TID. Raises `ValueError` when it is none."""
    if not is_tid(tid):
        raise ValueError(f"{tid!r} is no TID")
    value = 0
    for letter in tid:
        value = value << 5 | _ALPHABET.index(letter)
    return value >> _CLOCK_BITS


def written_before(record_key: str, moment: dt.datetime) -> bool:
    """Whether a record is older than this; one whose key holds no time counts as old."""
    return not is_tid(record_key) or decode_tid(record_key) < moment.timestamp() * 1_000_000


def encode_tid(microseconds: int, clock: int) -> str:
    """A TID from microseconds since 1970 (53 bits) and the number of a clock (10 bits)."""
    value = (microseconds & (1 << 53) - 1) << _CLOCK_BITS | clock & (1 << _CLOCK_BITS) - 1
    return "".join(_ALPHABET[value >> shift & 31] for shift in range(60, -1, -5))
