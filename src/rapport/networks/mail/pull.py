"""Reading the folders of a mailbox, so that nothing is lost between two reads.

A cursor is {"validity", "next", "modseq", "date", "ids", "looked"}: which numbering of the folder it belongs to, the
number of the first mail that was not read, the folder's counter of changes, time and Message-IDs of the newest mails
read, and when the folder was last read to its end.
A folder that was numbered anew, or that went back in time, is read again from that time on; the store drops what it
knows by its Message-ID. What was expunged is not deleted: a mail that somebody filed away was said all the same.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from email.utils import parsedate_to_datetime

import msgspec

from rapport.core.errors import InvalidInput, InvalidPost
from rapport.core.post import Post, admit
from rapport.networks.base import Account, Gap, Page
from rapport.networks.every import pause_of
from rapport.networks.http import GuardedSession
from rapport.networks.mail.account import FOLDER, SENT, folders_of, mailbox_of, open_imap, setting
from rapport.networks.mail.headers import MOST_BYTES, read_head
from rapport.networks.mail.imap import Folder, Imap, Withheld
from rapport.networks.mail.letter import Leaf, Letter, read_letter
from rapport.networks.mail.parse import Mailbox, parse_letter
from rapport.networks.mail.structure import Value, leaves_of

REST = dt.timedelta(seconds=60)  # one read is a sign-in for each folder; the live line brings what is new
FIRST_PULL = 200  # mails of each folder, when a mailbox is new
PAGE_SIZE = 50
MOST_TEXT = 256_000  # bytes of one text part that are read
_MOST_PAGES = 200  # of one pull; the cursor is saved page by page, so the next pull goes on
_AT_ONCE = 4_000_000  # bytes of text parts that one command asks for
_REMEMBERED = 20
_WHOLE = f"(UID BODY.PEEK[]<0.{MOST_TEXT}>)"
_SUMMARY = f"(UID INTERNALDATE BODYSTRUCTURE BODY.PEEK[HEADER]<0.{MOST_BYTES}>)"


class Cursor(msgspec.Struct, frozen=True, omit_defaults=True):
    """See the module."""

    validity: int = 0
    #: 0: nothing was read yet
    next: int = 0
    modseq: int = 0
    date: str = ""
    ids: list[str] = []
    #: seconds since 1970
    looked: int = 0


class _Found(msgspec.Struct):
    """One mail on its way to a post."""

    uid: int
    letter: Letter | None
    arrived: dt.datetime
    reason: str = ""


def streams_of(account: Account) -> tuple[str, ...]:
    """The folders that are read, and the folder of sent mail where there is one."""
    read = tuple(f"{FOLDER}{name}" for name in folders_of(account))
    return (*read, SENT) if setting(account, "sent_folder") else read


def folder_of(account: Account, stream: str) -> str:
    """The folder that a stream reads. Raises `InvalidInput` for a stream that mail does not have."""
    if stream == SENT and setting(account, "sent_folder"):
        return setting(account, "sent_folder")
    if stream.startswith(FOLDER) and len(stream) > len(FOLDER):
        return stream.removeprefix(FOLDER)
    raise InvalidInput(f"mail has no stream {stream!r}")


def pull_pages(account: Account, stream: str, cursor: str, session: GuardedSession) -> Iterator[Page]:
    """See `Network.pull`."""
    name, start = folder_of(account, stream), decode_cursor(cursor)
    if 0 <= dt.datetime.now(dt.UTC).timestamp() - start.looked < pause_of(account, REST).total_seconds():
        return
    with open_imap(account, session) as imap:
        yield from read_folder(imap, account, stream, imap.open(name), start)


def read_folder(imap: Imap, account: Account, stream: str, folder: Folder, cursor: Cursor) -> Iterator[Page]:
    """Everything in the open folder since the cursor, oldest first; one page at least."""
    uids, cursor, gap = _what_is_new(imap, folder, cursor)
    mailbox = mailbox_of(account, stream == SENT)
    pages = [uids[place : place + PAGE_SIZE] for place in range(0, len(uids), PAGE_SIZE)][:_MOST_PAGES] or [[]]
    for number, page in enumerate(pages, 1):
        posts, rejected, arrived = _read_page(imap, page, mailbox)
        is_last = number == len(pages) and number * PAGE_SIZE >= len(uids)
        cursor = _moved(cursor, folder, page, posts, arrived, is_last)
        yield Page(
            stream=stream,
            posts=tuple(posts),
            cursor=msgspec.json.encode(cursor).decode(),
            more=not is_last,
            gap=gap if number == 1 else None,
            rejected=tuple(rejected),
        )


def decode_cursor(cursor: str) -> Cursor:
    """The cursor in a string; one that cannot be read begins anew."""
    try:
        return msgspec.json.decode(cursor, type=Cursor) if cursor else Cursor()
    except msgspec.MsgspecError:
        return Cursor()


def _what_is_new(imap: Imap, folder: Folder, cursor: Cursor) -> tuple[list[int], Cursor, Gap | None]:
    """Numbers of the mails to read, the cursor to go on from, and what cannot be known."""
    if cursor.next == 0:
        uids, gap = _newest(imap, folder)
        return uids, Cursor(validity=folder.validity), gap
    went_back = (folder.next_uid and cursor.next > folder.next_uid) or (folder.modseq and cursor.modseq > folder.modseq)
    if cursor.validity != folder.validity or went_back:
        uids, gap = _resync(imap, folder, cursor)
        return uids, msgspec.structs.replace(cursor, validity=folder.validity, next=0, modseq=0), gap
    if folder.next_uid == cursor.next or folder.count == 0:
        return [], cursor, None
    uids = [uid for uid in imap.search("UID", f"{cursor.next}:*") if uid >= cursor.next]  # "*" is the last in any case
    return uids, cursor, None


def _newest(imap: Imap, folder: Folder) -> tuple[list[int], Gap | None]:
    if folder.count == 0:
        return [], None
    uids = imap.uids_of(max(folder.count - FIRST_PULL + 1, 1), folder.count)
    if folder.count <= FIRST_PULL:
        return uids, None
    return uids, Gap(f"Only the newest {FIRST_PULL} mails of the folder were read when it was connected.")


def _resync(imap: Imap, folder: Folder, cursor: Cursor) -> tuple[list[int], Gap | None]:
    """The folder is not the one that was read: go on by time, and see whether what was read last is in it."""
    since = _moment(cursor.date)
    if since is None or folder.count == 0:
        uids, _ = _newest(imap, folder)
        gap = Gap("The mail server numbered the folder anew; the newest mails were read again.") if uids else None
        return uids, gap
    uids = imap.search("SINCE", _imap_date(since - dt.timedelta(days=1)))
    known = {digest for digest in cursor.ids if digest}
    heads = imap.fetch(uids[: FIRST_PULL * 2], "(UID BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])") if uids and known else {}
    there = {_digest(found) for values in heads.values() for found in _ids_in(values)}
    if not known or known & there:
        return uids, None
    reason = "The mail server numbered the folder anew, and the mails that were read last are not in it any more."
    return uids, Gap(reason, since=since)


def _ids_in(values: dict[str, Value]) -> list[str]:
    raw = next((value for name, value in values.items() if name.startswith("BODY[HEADER")), None)
    return read_head(raw).ids("message-id") if isinstance(raw, bytes) else []


def _moved(
    cursor: Cursor,
    folder: Folder,
    uids: Sequence[int],
    posts: Sequence[Post],
    arrived: dt.datetime | None,
    is_last: bool,
) -> Cursor:
    following = max([cursor.next, *(uid + 1 for uid in uids)])
    if is_last:
        following = max(following, folder.next_uid) or 1
    return Cursor(
        validity=folder.validity,
        next=following,
        modseq=folder.modseq if is_last else cursor.modseq,
        date=arrived.isoformat() if arrived else cursor.date,
        ids=[*cursor.ids, *(_digest(post.id) for post in posts)][-_REMEMBERED:],
        looked=int(dt.datetime.now(dt.UTC).timestamp()) if is_last else 0,
    )


def _digest(message_id: str) -> str:
    return hashlib.sha256(message_id.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _read_page(imap: Imap, uids: Sequence[int], mailbox: Mailbox) -> tuple[list[Post], list[str], dt.datetime | None]:
    """The mails of these numbers as posts, those that cannot be with the reason, and when the newest arrived."""
    posts: list[Post] = []
    rejected: list[str] = []
    newest: dt.datetime | None = None
    now = dt.datetime.now(dt.UTC)
    for found in fetch_letters(imap, uids):
        newest = found.arrived if newest is None else max(newest, found.arrived)
        try:
            if found.letter is None:
                raise InvalidPost("mail", found.reason)
            posts.append(admit(parse_letter(found.letter, mailbox, found.arrived), now))
        except InvalidPost as error:
            rejected.append(f"mail {found.uid}: {error}")
    return posts, rejected, newest


def fetch_letters(imap: Imap, uids: Sequence[int]) -> list[_Found]:
    """The heads, the structure and the beginning of the texts of these mails; attachments stay where they are."""
    summaries = _summaries(imap, uids) if uids else {}
    found = [_summary(imap, uid, summaries[uid]) for uid in sorted(summaries)]
    batch: dict[int, list[str]] = {}
    weight = 0
    filled: dict[int, dict[str, Value]] = {}
    for mail in found:
        texts = [*mail.letter.texts(), mail.letter.reported()] if mail.letter else []
        wanted = [leaf for leaf in texts if leaf is not None]
        if wanted:
            batch[mail.uid] = [leaf.path for leaf in wanted]
            weight += sum(min(leaf.size, MOST_TEXT) for leaf in wanted)
        if weight > _AT_ONCE:
            filled |= _fetch_texts(imap, batch)
            batch, weight = {}, 0
    filled |= _fetch_texts(imap, batch)
    return [_whole_or_filled(imap, mail, filled.get(mail.uid, {})) for mail in found]


def _whole_or_filled(imap: Imap, mail: _Found, parts: dict[str, Value]) -> _Found:
    """The mail with its words. Where the structure shows neither words nor files it is broken: read by ourselves."""
    if mail.letter is None:
        return mail
    leaves = tuple(_filled(leaf, parts) for leaf in mail.letter.leaves)
    letter = msgspec.structs.replace(mail.letter, leaves=leaves)
    if letter.files() or any(leaf.text().strip() for leaf in letter.texts()):
        return msgspec.structs.replace(mail, letter=letter)
    whole = _read_whole(imap, mail.uid, mail.arrived, "")
    return whole if whole.letter is not None else msgspec.structs.replace(mail, letter=letter)


def _summaries(imap: Imap, uids: Sequence[int]) -> dict[int, dict[str, Value]]:
    """The heads and structures by number. A mail that spoils the answer for the others is asked for alone."""
    try:
        found = imap.fetch(uids, _SUMMARY)
    except Withheld:
        found = {}
        if len(uids) == 1:
            raise
    damaged = 0
    for uid in (uid for uid in uids if uid not in found and len(uids) > 1):  # most are expunged meanwhile
        try:
            found |= imap.fetch([uid], _SUMMARY)
        except Withheld:
            damaged += 1
            found[uid] = {}
    if damaged == len(uids):
        raise Withheld(f"{imap.server} hands out no mail at all")
    return found


def _fetch_texts(imap: Imap, wanted: dict[int, list[str]]) -> dict[int, dict[str, Value]]:
    """These parts of these mails; one command for all mails that want the same."""
    groups: dict[tuple[str, ...], list[int]] = {}
    for uid, paths in wanted.items():
        groups.setdefault(tuple(paths), []).append(uid)
    filled: dict[int, dict[str, Value]] = {}
    for wished, uids in groups.items():
        parts = " ".join(f"BODY.PEEK[{path}]<0.{MOST_TEXT}>" for path in wished)
        try:
            filled |= imap.fetch(uids, f"(UID {parts})")
        except Withheld:
            filled |= _fetch_one_by_one(imap, uids, f"(UID {parts})")
    return filled


def _fetch_one_by_one(imap: Imap, uids: Sequence[int], what: str) -> dict[int, dict[str, Value]]:
    """What can be had. A mail whose text is withheld keeps its subject."""
    filled: dict[int, dict[str, Value]] = {}
    for uid in uids:
        with suppress(Withheld):
            filled |= imap.fetch([uid], what)
    return filled


def _filled(leaf: Leaf, parts: dict[str, Value]) -> Leaf:
    body = parts.get(f"BODY[{leaf.path}]<0>", parts.get(f"BODY[{leaf.path}]"))
    return msgspec.structs.replace(leaf, body=body) if isinstance(body, bytes) else leaf


def _summary(imap: Imap, uid: int, values: dict[str, Value]) -> _Found:
    raw = next((value for name, value in values.items() if name.startswith("BODY[HEADER]")), None)
    arrived = _internal_date(values.get("INTERNALDATE"))
    if not isinstance(raw, bytes):
        return _Found(uid, None, arrived, "the server did not hand out its head")
    try:
        kind, leaves = leaves_of(values.get("BODYSTRUCTURE"))
    except ValueError as error:
        return _read_whole(imap, uid, arrived, str(error))
    return _Found(uid, Letter(head=read_head(raw), leaves=leaves, type=kind), arrived)


def _read_whole(imap: Imap, uid: int, arrived: dt.datetime, why: str) -> _Found:
    """A mail whose structure the server does not tell in a way that can be read: its beginning, read by ourselves."""
    try:
        values = imap.fetch([uid], _WHOLE).get(uid, {})
    except Withheld as error:
        return _Found(uid, None, arrived, str(error))
    raw = next((value for name, value in values.items() if name.startswith("BODY[]")), None)
    try:
        letter = read_letter(raw) if isinstance(raw, bytes) else None
    except InvalidPost as error:
        return _Found(uid, None, arrived, str(error))
    return _Found(uid, letter, arrived, f"its structure cannot be read: {why}")


def _internal_date(value: Value) -> dt.datetime:
    """When the server took the mail; now, where it does not say."""
    if isinstance(value, bytes):
        with suppress(ValueError, TypeError, OverflowError):
            return parsedate_to_datetime(value.decode("ascii", "replace")).astimezone(dt.UTC)
    return dt.datetime.now(dt.UTC)


def _imap_date(moment: dt.datetime) -> str:
    month = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")[moment.month - 1]
    return f"{moment.day}-{month}-{moment.year}"


def _moment(text: str) -> dt.datetime | None:
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)
