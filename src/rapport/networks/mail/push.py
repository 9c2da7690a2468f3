"""Sending one approved reply over SMTP, and finding it again by the Message-ID that follows from its key.

The mail that is answered is looked up in the mailbox: its subject and references are not part of what was approved,
and the address that is written to must be the one that was.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import quopri
import re
from collections.abc import Sequence
from contextlib import suppress
from email.header import Header
from email.utils import format_datetime, formataddr

import msgspec

from rapport.core.errors import GiveUp, InvalidPost, NetworkError
from rapport.core.reply import Reply
from rapport.networks.base import Account, Sent
from rapport.networks.http import GuardedSession
from rapport.networks.mail.account import address_of, folders_of, mailbox_of, open_imap, open_smtp, setting
from rapport.networks.mail.attach import wrap
from rapport.networks.mail.headers import clean_address, visible
from rapport.networks.mail.imap import Imap
from rapport.networks.mail.letter import Letter
from rapport.networks.mail.machines import machine_behind
from rapport.networks.mail.parse import NO_ID, message_id, parse_letter, reply_subject, subject_of
from rapport.networks.mail.pull import fetch_letters

#: characters of a text; the guard of the desk counts to the same number
MAX_LENGTH = 100_000
_MOST_REFERENCES = 20
_ELSEWHERE = (r"\archive", r"\all", r"\trash", r"\junk")
#: these put a copy of everything into the folder of sent mail themselves
_KEEP_COPIES = ("smtp.gmail.com", "smtp.googlemail.com", "smtp.office365.com", "smtp-mail.outlook.com")
_ID = re.compile(r"[\x21-\x3b\x3d\x3f-\x7e]{1,500}")


class _Target(msgspec.Struct, frozen=True):
    """What is needed of the mail that is answered."""

    #: its sender, as the parser reads it
    address: str
    name: str
    subject: str
    references: tuple[str, ...]


def push_reply(account: Account, reply: Reply, key: str, session: GuardedSession) -> Sent:
    """See `Network.push`."""
    if not reply.text.strip():
        raise GiveUp("an empty mail is not sent")
    own_id = id_of(account, key)
    with open_imap(account, session) as imap:
        if _is_there(imap, account, own_id):
            return Sent(own_id)  # an earlier try with this key took effect
        target = _look_up(imap, account, reply)
        now = dt.datetime.now(dt.UTC)
        raw = compose(account, reply, target, own_id, now)
        with open_smtp(account, session) as smtp:
            if smtp.most_bytes is not None and len(raw) > smtp.most_bytes:
                raise GiveUp(f"{smtp.server} takes mails of at most {smtp.most_bytes:,} bytes")
            smtp.send(address_of(account), [target.address], raw)
        with suppress(NetworkError):  # it is sent: a missing copy must not make anybody send it again
            _keep_copy(imap, account, own_id, raw, now)
    return Sent(own_id)


def find_reply(account: Account, key: str, session: GuardedSession) -> Sent | None:
    """The reply with this key where it lies among the sent mails or in a folder that is read; else None.

    None is no proof: a server that keeps no copies by itself shows nothing of a mail whose sender died before it kept
    one. The capabilities therefore promise no idempotence, and a person is asked before anything is sent again.
    """
    own_id = id_of(account, key)
    with open_imap(account, session) as imap:
        return Sent(own_id) if _is_there(imap, account, own_id) else None


def id_of(account: Account, key: str) -> str:
    """The Message-ID, without brackets, of the mail that is sent with this key."""
    return f"rapport.{hashlib.sha256(key.encode()).hexdigest()[:40]}@{address_of(account).rpartition('@')[2]}"


def compose(account: Account, reply: Reply, target: _Target, own_id: str, now: dt.datetime) -> bytes:
    """The mail as it leaves: exactly the approved text, in UTF-8. No value can begin a header of its own."""
    text = reply.text.replace("\r\n", "\n").replace("\r", "\n")
    body = quopri.encodestring(text.encode("utf-8", "replace")).replace(b"\n", b"\r\n")
    about = ['Content-Type: text/plain; charset="utf-8"', "Content-Transfer-Encoding: quoted-printable"]
    if reply.media:
        about, body = wrap(about, body, reply.media)
    lines = [
        f"Date: {format_datetime(now)}",
        f"From: {_mailbox(setting(account, 'name'), address_of(account))}",
        f"To: {_mailbox(target.name, target.address)}",
        f"Subject: {_encoded('Subject', reply_subject(target.subject))}",
        f"Message-ID: <{own_id}>",
        f"In-Reply-To: <{reply.target}>",
        "References: " + "\r\n ".join(f"<{reference}>" for reference in _chain(target.references, reply.target)),
        # said by a machine: programs that answer by themselves leave it unanswered (RFC 3834)
        *(("Auto-Submitted: auto-replied",) if reply.approved_by is None else ()),
        "MIME-Version: 1.0",
        *about,
    ]
    return "\r\n".join([*lines, "", ""]).encode("utf-8") + body + b"\r\n"


def _chain(references: Sequence[str], answered: str) -> list[str]:
    """The first and the last of the thread, and the mail that is answered (RFC 5322, 3.6.4)."""
    known = [reference for reference in references if _ID.fullmatch(reference) and reference != answered]
    if len(known) > _MOST_REFERENCES:
        known = [known[0], *known[-_MOST_REFERENCES + 1 :]]
    return [*known, answered]


def _mailbox(name: str, address: str) -> str:
    """A name and an address for a header; an address in foreign letters stands alone."""
    shown = visible(name)[:100].rstrip("\\")
    return formataddr((shown, address)) if address.isascii() else f"<{address}>"


def _encoded(field: str, text: str) -> str:
    shown = visible(text)[:500]
    return Header(shown, "us-ascii" if shown.isascii() else "utf-8", header_name=field).encode(linesep="\r\n")


def _look_up(imap: Imap, account: Account, reply: Reply) -> _Target:
    """The mail that is answered. Raises `GiveUp` where it cannot be, or its sender is not whom the reply is for."""
    if reply.target.startswith(NO_ID) or not _ID.fullmatch(reply.target):
        raise GiveUp("the mail has no usable Message-ID, so no answer can refer to it: answer it in a mail program")
    letter = _letter_of(imap, account, reply.target)
    if letter is None:
        raise GiveUp("the mail is in none of the folders any more: move it back to one that is read, then send again")
    try:
        author = parse_letter(letter, mailbox_of(account, False), dt.datetime.now(dt.UTC)).author
    except InvalidPost as error:
        raise GiveUp(f"the mail names nobody who could be answered: {error}") from error
    if machine_behind(letter, author.handle) in {"bounce", "answer"}:
        raise GiveUp("the mail was sent by a machine because of one of ours: answering it would start a loop")
    approved = [clean_address(address) for address in reply.to]
    if approved and approved != [author.handle]:
        raise GiveUp(f"approved was a reply to {', '.join(reply.to)}, but the mail is from {author.handle}")
    if author.handle.endswith(".invalid"):
        raise GiveUp("the mail names no address that could be written to")
    references = (
        *letter.head.ids("references"),
        *([] if letter.head.ids("references") else letter.head.ids("in-reply-to")),
    )
    return _Target(author.handle, _plain_name(author.name), subject_of(letter), references)


def _plain_name(name: str) -> str:
    """The name without what the parser added in brackets."""
    return re.sub(r" ?\((?:through [^()]*|sender not proven|automatic reply)\)$", "", name)


def _letter_of(imap: Imap, account: Account, wanted: str) -> Letter | None:
    """The mail with this Message-ID: in the folders that are read, then where people file mails away."""
    looked: set[str] = set()
    for name in folders_of(account):
        looked.add(name)
        letter = _in_folder(imap, name, wanted)
        if letter is not None:
            return letter
    for name, flags in imap.folders():
        if name not in looked and flags & set(_ELSEWHERE) and r"\noselect" not in flags:
            letter = _in_folder(imap, name, wanted)
            if letter is not None:
                return letter
    return None


def _in_folder(imap: Imap, folder: str, wanted: str) -> Letter | None:
    try:
        imap.open(folder)
    except GiveUp:
        return None  # renamed or deleted meanwhile
    for found in fetch_letters(imap, imap.find(wanted)[:5]):
        if found.letter is not None and message_id(found.letter) == wanted:  # a search finds parts of ids as well
            return found.letter
    return None


def _is_there(imap: Imap, account: Account, own_id: str) -> bool:
    """Whether a mail of ours with this id lies in the mailbox."""
    for folder in dict.fromkeys((setting(account, "sent_folder"), *folders_of(account))):
        if not folder:
            continue
        letter = _in_folder(imap, folder, own_id)
        if letter is not None and any(who.address == address_of(account) for who in letter.head.addresses("from")):
            return True
    return False


def _keep_copy(imap: Imap, account: Account, own_id: str, raw: bytes, now: dt.datetime) -> None:
    """A copy among the sent mails, unless the server put one there itself."""
    folder = setting(account, "sent_folder")
    if not folder or setting(account, "smtp_host").lower() in _KEEP_COPIES:
        return
    if _in_folder(imap, folder, own_id) is None:
        imap.append(folder, raw, now)
