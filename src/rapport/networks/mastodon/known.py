"""Looking again at posts that speak to us: what was edited, deleted or taken down while nobody listened.

No list of Mastodon tells of these, and the live stream tells of them once. So the cursor of the notifications keeps
the newest posts that were read, and they are read again whenever a line is opened, and now and then beside it.
"""

from __future__ import annotations

from urllib.parse import quote

import msgspec

from rapport.core.errors import GiveUp, InvalidPost
from rapport.core.post import Post
from rapport.networks.mastodon.parse import parse_status, split_items
from rapport.networks.mastodon.wire import Refused, Wire

MOST_KNOWN = 40
_BATCH = 20  # the most that a server gives of a list of ids
_SINGLES, _FEW_SINGLES = 20, 3  # posts that are asked for one by one


class Known(msgspec.Struct, frozen=True, array_like=True):
    """A post as it was when it was read."""

    id: str
    #: the server's id of its author, and `Author.key`
    account: str
    author: str
    edited: str = ""
    #: its author was taken down
    hidden: bool = False


class Changes(msgspec.Struct):
    """What became of the known posts."""

    known: list[Known]
    edited: list[bytes] = []
    deleted: list[str] = []
    suspended: list[str] = []
    restored: list[str] = []


class _Who(msgspec.Struct):
    id: str | int
    suspended: bool | None = None


class _Status(msgspec.Struct):
    id: str | int
    account: _Who
    edited_at: str | None = None


class _Told(msgspec.Struct):
    status: _Status | None = None


_told = msgspec.json.Decoder(_Told, strict=False)
_status = msgspec.json.Decoder(_Status, strict=False)
_who = msgspec.json.Decoder(_Who, strict=False)


def known_of(item: bytes, post: Post) -> Known:
    """A notification and the post that it tells of -> what is kept of it. Raises `msgspec.MsgspecError`."""
    status = _told.decode(item).status
    if status is None:
        raise msgspec.ValidationError("the notification tells of no post")
    return Known(post.id, str(status.account.id), post.author.key, status.edited_at or "")


def is_taken_down(item: bytes) -> bool:
    """Whether a notification tells of a post whose author the server has suspended."""
    try:
        status = _told.decode(item).status
    except msgspec.MsgspecError:
        return False
    return status is not None and bool(status.account.suspended)


def remember(known: list[Known], *new: Known) -> list[Known]:
    """The newest `MOST_KNOWN`, each once, the newest at the end."""
    kept = {entry.id: entry for entry in known}
    for entry in new:
        kept.pop(entry.id, None)
        kept[entry.id] = entry
    return list(kept.values())[-MOST_KNOWN:]


def look_again(wire: Wire, known: list[Known], singles: int = _SINGLES) -> Changes:
    """Read the known posts once more. Raises any `NetworkError` but `Unconfirmed`.

    `singles`: how many of those that no list brings are asked for one by one, the newest first.
    """
    found, gone = _read(wire, [entry.id for entry in known], singles)
    changes = Changes([])
    closed: dict[str, bool] = {}  # account -> taken down
    for entry in known:
        item = found.get(entry.id)
        status = None if item is None else _decode(item)
        if status is not None and not status.account.suspended:
            _compare(entry, status, item or b"", changes)
        elif status is None and entry.id not in gone:
            changes.known.append(entry)  # nobody said what became of it
        else:
            if entry.account not in closed:
                closed[entry.account] = status is not None or _is_closed(wire, entry.account)
            if closed[entry.account]:
                changes.known.append(msgspec.structs.replace(entry, hidden=True))
                if not entry.hidden and entry.author not in changes.suspended:
                    changes.suspended.append(entry.author)
            else:
                changes.deleted.append(entry.id)
    return changes


def look_at_newest(wire: Wire, known: list[Known]) -> Changes:
    """As `look_again`, for the newest posts and few requests: what a stream did not tell is found with the next read.

    Of an edit a server tells only those who follow its author, and a desk follows nobody.
    """
    newest = [entry for entry in known if not entry.hidden][-_BATCH:]
    changes = look_again(wire, newest, _FEW_SINGLES)
    looked_at = {entry.id for entry in newest}
    kept = {entry.id: entry for entry in changes.known}
    changes.known = [kept.get(entry.id, entry) for entry in known if entry.id in kept or entry.id not in looked_at]
    return changes


def _compare(entry: Known, status: _Status, item: bytes, changes: Changes) -> None:
    """A post that is there, beside what is known of it."""
    if entry.hidden and entry.author not in changes.restored:
        changes.restored.append(entry.author)
    if (status.edited_at or "") != entry.edited or entry.hidden:
        changes.edited.append(item)
    changes.known.append(msgspec.structs.replace(entry, edited=status.edited_at or "", hidden=False))


def edited_posts(changes: Changes, domain: str, ours: str) -> tuple[list[Post], list[str]]:
    """The edited posts, and a line for each that cannot be read."""
    posts: list[Post] = []
    rejected: list[str] = []
    for item in changes.edited:
        try:
            posts.append(parse_status(item, domain, ours))
        except InvalidPost as error:
            rejected.append(f"edit: {error}")
    return posts, rejected


def _read(wire: Wire, ids: list[str], singles: int) -> tuple[dict[str, bytes], set[str]]:
    """(Those that are there, as JSON; those that are certainly not). Some may be in neither.

    A server that knows no lists of ids may answer with nothing, so what a list leaves out is asked for by itself.
    """
    found: dict[str, bytes] = {}
    gone: set[str] = set()
    try:
        for start in range(0, len(ids), _BATCH):
            found |= _by_id(split_items(wire.read("/api/v1/statuses", {"id[]": ids[start : start + _BATCH]})))
    except (GiveUp, InvalidPost):
        found = {}
    for identifier in [each for each in ids if each not in found][-singles:]:
        try:
            found |= _by_id([wire.read(f"/api/v1/statuses/{quote(identifier, safe='')}")])
        except Refused as error:
            if error.status in {404, 410}:
                gone.add(identifier)
    return found, gone


def _by_id(items: list[bytes]) -> dict[str, bytes]:
    decoded = ((_decode(item), item) for item in items)
    return {str(status.id): item for status, item in decoded if status is not None}


def _decode(item: bytes) -> _Status | None:
    try:
        return _status.decode(item)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _is_closed(wire: Wire, account: str) -> bool:
    """The server has suspended or forgotten this account."""
    try:
        return bool(_who.decode(wire.read(f"/api/v1/accounts/{quote(account, safe='')}")).suspended)
    except Refused as error:
        return error.status in {404, 410}
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return False
