"""What a Jetstream says, and which of it is ours to hear. Pure.

A Jetstream tells of every post on the network, in JSON, with the time in microseconds as its cursor
(bluesky-social/jetstream, the wire of `/subscribe`, which old and new servers speak alike). It can be asked for one
kind of record, posts, and for authors; not for "whoever mentions us". So all posts come, and what is ours is picked
here: posts that mention, answer or quote us, our own, those with the words that are followed, all deletions, and of
authors whom we have heard whether their account still stands.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from rapport.core.post import MAX_ID
from rapport.core.text import fold, is_spaceless
from rapport.networks.bluesky.parse import refers_to
from rapport.networks.bluesky.syntax import POSTS, Address, is_did

#: Bluesky's own, in the order in which they are tried; the cursor is a time and holds for each of them
PUBLIC = (
    "wss://jetstream.us-east.bsky.network",
    "wss://jetstream.us-west.bsky.network",
    "wss://jetstream2.us-east.bsky.network",
    "wss://jetstream1.us-west.bsky.network",
)
#: how far back they replay (`--cursor-lookback`); an older cursor is moved up without a word
LOOKBACK = dt.timedelta(hours=36)
#: how far a new connection starts before the last event: servers see one event at slightly different times
REWIND = 5_000_000  # microseconds
#: bytes of one event; the server is asked to leave longer ones out, a post is far shorter
LONGEST_MESSAGE = 500_000
MOST_KNOWN = 2_000  # authors of whom we remember that we heard them

_HIDDEN = frozenset({"takendown", "suspended", "deactivated", "deleted"})
_TERM = re.compile(r'"([^"]+)"|(\S+)')
_OPERATOR = re.compile(r"-\S|(?:from|to|mentions|lang|domain|url|since|until|did|is|has):\S", re.IGNORECASE)


class _Commit(msgspec.Struct):
    operation: str = ""
    collection: str = ""
    rkey: str = ""
    record: Any = None


class _Status(msgspec.Struct):
    active: bool = True
    status: str | None = None


class Event(msgspec.Struct):
    """One message of a Jetstream."""

    did: str
    time_us: int
    kind: str = ""
    commit: _Commit | None = None
    account: _Status | None = None

    @property
    def at(self) -> dt.datetime:
        return moment_of(self.time_us)

    @property
    def uri(self) -> str:
        """The address of the record that the event is about."""
        return Address(self.did, POSTS, self.commit.rkey if self.commit else "").uri


class Cursor(msgspec.Struct, omit_defaults=True):
    """What is kept between two connections."""

    #: the time of the last event, in microseconds since 1970; 0: nothing was heard yet
    us: int = 0
    #: the authors whom we heard last, newest last, without "did:plc:"
    known: list[str] = []


#: "deleted": of somebody whom we have heard; "elsewhere": a post of anybody else
Verdict = Literal["post", "deleted", "elsewhere", "suspended", "restored", ""]
_decoder = msgspec.json.Decoder(Event)


def read_event(message: str | bytes | None) -> Event | None:
    """A message -> the event; None for one that is none (or that this version does not know)."""
    if message is None:
        return None
    try:
        event = _decoder.decode(message)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    return event if 0 < event.time_us < 1 << 53 else None


def moment_of(microseconds: int) -> dt.datetime:
    """Microseconds since 1970 -> aware, in UTC."""
    return dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=microseconds)


def microseconds_of(moment: dt.datetime) -> int:
    """The other way round."""
    return (moment - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1)


def first_cursor(now: dt.datetime) -> str:
    """The cursor of an account that is new: everything from now on."""
    return msgspec.json.encode(Cursor(us=microseconds_of(now))).decode()


def query_of(cursor: int) -> str:
    """The path and query of a subscription; `cursor` 0 starts now."""
    limits = f"wantedCollections={POSTS}&maxMessageSizeBytes={LONGEST_MESSAGE - 1}"
    return f"/subscribe?{limits}" + (f"&cursor={cursor}" if cursor else "")


class Watch:
    """What one account wants to hear of a Jetstream."""

    def __init__(
        self,
        did: str,
        searches: Iterable[str],
        hashtags: Iterable[str],
        known: Iterable[str] = (),
        handle: str = "",
    ) -> None:
        self._did = did
        # some programs write a mention without marking it: Bluesky tells nobody of those
        self._handle = re.compile(rf"(?<![\w.@-])@{re.escape(handle.lower())}(?![\w-]|\.\w)") if handle else None
        self._searches = [terms for terms in map(_terms, searches) if terms]
        self._hashtags = {fold(name) for name in hashtags}
        #: a dict for its order
        self._known = dict.fromkeys(known)

    def judge(self, event: Event) -> Verdict:
        """What an event is to us; "" for nothing."""
        if event.kind == "account" and event.account is not None and self.knows(event.did):
            if event.account.active:
                return "restored"
            return "suspended" if event.account.status in _HIDDEN else ""
        commit = event.commit
        if event.kind != "commit" or commit is None or commit.collection != POSTS or not commit.rkey:
            return ""
        if commit.operation == "delete":
            return self._judge_deletion(event)
        # Bluesky itself passes over updates of posts: they are not edits that anybody sees
        if commit.operation == "create" and self._wants(event.did, commit.record):
            return "post"
        return ""

    def _judge_deletion(self, event: Event) -> Verdict:
        if event.did == self._did or self.knows(event.did):
            return "deleted"
        return "elsewhere" if len(event.uri) <= MAX_ID and is_did(event.did) else ""

    def knows(self, did: str) -> bool:
        """Whether we have heard this author."""
        return _short(did) in self._known

    def remember(self, did: str) -> None:
        """We have heard this author: what they delete is for us to hear."""
        short = _short(did)
        self._known.pop(short, None)
        self._known[short] = None
        while len(self._known) > MOST_KNOWN:
            del self._known[next(iter(self._known))]

    @property
    def known(self) -> list[str]:
        """For the cursor."""
        return list(self._known)

    def _wants(self, did: str, record: Any) -> bool:
        if not isinstance(record, dict):
            return False
        return did == self._did or refers_to(record, self._did) or self._says(record)

    def _says(self, record: dict[str, Any]) -> bool:
        text = record.get("text")
        if not isinstance(text, str):
            return False
        if self._handle is not None and "@" in text and self._handle.search(text.lower()):
            return True
        if not (self._searches or self._hashtags):
            return False
        folded = fold(text)
        if any(all(term.search(folded) for term in terms) for terms in self._searches):
            return True
        return bool(self._hashtags) and not self._hashtags.isdisjoint(_hashtags(record, folded))


def _hashtags(record: dict[str, Any], folded: str) -> set[str]:
    """The hashtags in a record, folded: those of the text and those that stand beside it."""
    beside = record.get("tags")
    named = [fold(tag).lstrip("#") for tag in beside if isinstance(tag, str)] if isinstance(beside, list) else []
    return {word.lstrip("#").rstrip(".,;:!?") for word in folded.split() if word.startswith("#")} | set(named)


def _terms(search: str) -> list[re.Pattern[str]]:
    """A search of Bluesky -> patterns that must all be found in a folded text.

    [] for one with operators (from:, lang:, -word, ...): only Bluesky's own search understands those, so such a search
    is read from its lists and not from the stream.
    """
    patterns = []
    for phrase, word in _TERM.findall(search):
        if word and _OPERATOR.match(word):
            return []
        said = fold(phrase or word).strip()
        if not said:
            continue
        escaped = r"\s+".join(map(re.escape, said.split()))
        # in scripts without spaces a word has no edges
        edges = ("", "") if is_spaceless(said) else (r"(?<!\w)", r"(?!\w)")
        patterns.append(re.compile(f"{edges[0]}{escaped}{edges[1]}"))
    return patterns


def _short(did: str) -> str:
    return did.removeprefix("did:plc:")
