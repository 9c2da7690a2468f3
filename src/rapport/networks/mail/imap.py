"""A mailbox over IMAP (RFC 3501, 9051): what pull, stream, push and find need of it, with typed errors.

imaplib speaks the protocol; the bytes go through a `Wire`. IMAPClient, which parses more, was looked at: it opens its
own sockets, sets no bounds to what a server sends and logs all traffic; `structure` is what we would have taken of it.
"""

from __future__ import annotations

import base64
import datetime as dt
import imaplib
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, cast

import msgspec

from rapport.core.errors import GiveUp, NetworkError, Reauthorise, RetryLater
from rapport.networks.http import GuardedSession
from rapport.networks.mail.structure import Item, Value, read_fetch
from rapport.networks.mail.wire import Server, Wire

_LATER = re.compile(
    r"\[(?:UNAVAILABLE|INUSE|LIMIT|OVERQUOTA|SERVERBUG)\b|too many|try again|temporar|rate", re.IGNORECASE
)
_LIST = re.compile(rb'\((?P<flags>[^)]*)\) (?:"(?:[^"\\]|\\.)*"|NIL) (?P<name>.+)', re.DOTALL)
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
_EVENT = re.compile(rb"\* \d+ (?:EXISTS|RECENT)\b", re.IGNORECASE)


class Withheld(RetryLater):
    """The server refused a mail that it says it has: it may be damaged, or the server out of order."""


class Folder(msgspec.Struct, frozen=True):
    """A folder as it was when it was opened."""

    #: changes when the server numbers its mails anew
    validity: int
    #: how many mails are in it
    count: int
    #: the number that the next mail will get; 0 where the server does not say
    next_uid: int
    #: rises with every change (CONDSTORE); 0 where the server does not say
    modseq: int


class _Client(imaplib.IMAP4):
    """imaplib over a `Wire`: the methods that it documents as its way to the network."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        super().__init__(wire.server.host, wire.server.port)

    def open(self, host: str = "", port: int = 143, timeout: float | None = None) -> None:
        del timeout
        self.host, self.port = host, port
        self.sock = cast(Any, self.wire)

    def read(self, size: int) -> bytes:
        return self.wire.read(size)

    def readline(self) -> bytes:
        return self.wire.readline()

    def send(self, data: Any) -> None:
        self.wire.restart()
        self.wire.sendall(bytes(data))

    def shutdown(self) -> None:
        self.wire.close()

    def secure(self) -> None:
        """STARTTLS; what the server said before it is forgotten."""
        kind, answer = self._simple_command("STARTTLS")
        if kind != "OK":
            raise self.error(answer[-1])
        self.wire.secure()
        self._get_capabilities()

    def _log(self, line: bytes) -> None:
        """imaplib keeps the last ten lines for debugging; a password is among them."""


class Imap:
    """One signed-in connection. Use as a context manager; every method may raise a `NetworkError`."""

    def __init__(self, server: Server, user: str, password: str, session: GuardedSession) -> None:
        self.server = server
        self._is_idle = False
        with _typed(server):
            wire = Wire(server, session)
            try:
                self._client = _Client(wire)
                if server.security == "starttls":
                    self._require("STARTTLS", "choose TLS on its own port instead")
                    self._client.secure()
            except BaseException:
                wire.close()
                raise
        self.wire = wire
        try:
            self._sign_in(user, password)
        except BaseException:
            wire.close()
            raise

    def __enter__(self) -> Imap:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Sign out and hang up. Never raises. Who is idle just leaves: the server would wait for DONE first."""
        if self._is_idle:
            self.wire.close()
            return
        with suppress(imaplib.IMAP4.error, OSError, ValueError):
            self.wire.seconds = min(self.wire.seconds, 2.0)
            self._client.logout()
        self.wire.close()

    def can(self, capability: str) -> bool:
        """Whether the server says that it offers this."""
        return capability in self._client.capabilities

    def folders(self) -> list[tuple[str, frozenset[str]]]:
        """Every folder with its flags in lower case: those of RFC 6154 say what it is for ("\\sent")."""
        with _typed(self.server):
            kind, items = self._client.list('""', '"*"')
            if kind != "OK":
                raise RetryLater(f"{self.server} does not name its folders: {_said(items)}")
        found = []
        for item in items:
            line = item[0] + item[1] if isinstance(item, tuple) else item
            match = _LIST.match(re.sub(rb"\{\d+\}", b"", line)) if line else None
            if match:
                raw = match["name"].strip()
                if raw[:1] == b'"':
                    raw = re.sub(rb"\\(.)", rb"\1", raw[1:-1])
                found.append((decode_name(raw), frozenset(match["flags"].decode("ascii", "replace").lower().split())))
        return found

    def open(self, folder: str) -> Folder:
        """Open a folder to read; nothing is marked as seen. Raises `GiveUp` when there is none of that name."""
        with _typed(self.server):
            kind, answer = self._client.select(quote(encode_name(folder)), readonly=True)
            if kind != "OK":
                text = _said(answer)
                if _LATER.search(text):
                    raise RetryLater(f"{self.server} does not open {folder!r} now: {text}")
                raise GiveUp(f"{self.server} has no folder {folder!r}: {text}. Change the folders of this source")
            return Folder(
                validity=self._told("UIDVALIDITY"),
                count=_number(answer[-1]),
                next_uid=self._told("UIDNEXT"),
                modseq=self._told("HIGHESTMODSEQ"),
            )

    def search(self, *criteria: str) -> list[int]:
        """The numbers (UIDs) of the mails that meet the criteria, lowest first."""
        with _typed(self.server):
            kind, items = self._client.uid("SEARCH", *criteria)
            if kind != "OK":
                raise RetryLater(f"{self.server} could not search: {_said(items)}")
            words = b" ".join(item for item in items if isinstance(item, bytes)).split()
        return sorted({int(word) for word in words if word.isdigit()})

    def find(self, message_id: str) -> list[int]:
        """The mails of the open folder with this Message-ID; none for an id that no search can name."""
        if not message_id.isascii() or _CONTROLS.search(message_id):
            return []
        return self.search("HEADER", "Message-ID", quote(f"<{message_id}>"))

    def uids_of(self, first: int, last: int) -> list[int]:
        """The UIDs of the mails in these places of the open folder, counted from 1."""
        with _typed(self.server):
            kind, items = self._client.fetch(f"{first}:{last}", "(UID)")
            if kind != "OK":
                raise Withheld(f"{self.server} does not say which mails it has: {_said(items)}")
            return sorted(
                _number(found.get("UID")) for found in read_fetch(cast("list[Item]", items)) if "UID" in found
            )

    def fetch(self, uids: Sequence[int], what: str) -> dict[int, dict[str, Value]]:
        """These parts of these mails, by UID. Mails that are gone are missing in the answer. Raises `Withheld`."""
        with _typed(self.server):
            kind, items = self._client.uid("FETCH", ",".join(map(str, uids)), what)
            if kind != "OK":
                raise Withheld(f"{self.server} does not hand out a mail: {_said(items)}")
            found: dict[int, dict[str, Value]] = {}
            for message in read_fetch(cast("list[Item]", items)):
                uid = _number(message.get("UID"))
                if uid in uids:
                    found.setdefault(uid, {}).update(message)
        return found

    def append(self, folder: str, raw: bytes, now: dt.datetime) -> None:
        """Put a mail into a folder, marked as seen."""
        with _typed(self.server):
            kind, answer = self._client.append(
                quote(encode_name(folder)), r"(\Seen)", imaplib.Time2Internaldate(now), raw
            )
            if kind != "OK":
                raise GiveUp(f"{self.server} keeps no copy in {folder!r}: {_said(answer)}")

    def has_grown(self, folder: Folder) -> bool:
        """Whether the server said, beside its answers to commands, that more mails are in the open folder than then."""
        return self._told("EXISTS") > folder.count

    def begin_idle(self) -> tuple[bytes, bool]:
        """Have the server tell by itself what happens in the open folder (RFC 2177).

        Gives the tag to end it with, and whether something happened meanwhile.
        """
        with _typed(self.server):
            tag: bytes = self._client._new_tag()
            self._client.send(tag + b" IDLE\r\n")
            self._is_idle = True
            happened = False
            while not (line := self._line()).startswith(b"+"):
                happened = bool(_EVENT.match(line)) or happened
                if line.startswith(tag):
                    raise GiveUp(f"{self.server} does not tell of new mails by itself: {line[:200]!r}")
            return tag, happened

    def wait(self, seconds: float) -> bool:
        """While idle: whether something happened within so many seconds."""
        with _typed(self.server):
            happened = False
            while self.wire.wait(0.0 if happened else seconds):
                self.wire.restart()
                happened = bool(_EVENT.match(self._line())) or happened
            return happened

    def end_idle(self, tag: bytes) -> bool:
        """Back to commands; whether something happened meanwhile."""
        with _typed(self.server):
            self._client.send(b"DONE\r\n")
            happened = False
            while not (line := self._line()).startswith(tag):
                happened = bool(_EVENT.match(line)) or happened
            self._client.tagged_commands.pop(tag, None)
            self._is_idle = False
            return happened

    def _line(self) -> bytes:
        line = self.wire.readline()
        if not line or line.upper().startswith(b"* BYE"):
            raise RetryLater(f"{self.server} ended the connection: {line.decode('utf-8', 'replace').strip()}")
        return line

    def _sign_in(self, user: str, password: str) -> None:
        if self._client.state == "AUTH":
            return
        if _CONTROLS.search(user + password):
            raise Reauthorise("the user name or the password holds a character that no mail server takes")
        with _typed(self.server):
            try:
                if self.can("AUTH=PLAIN"):
                    self._client.authenticate("PLAIN", lambda _: f"\0{user}\0{password}".encode())
                elif self.can("LOGINDISABLED") or not (user + password).isascii():
                    raise GiveUp(f"{self.server} takes no password over this connection: choose TLS")
                else:
                    self._client.login(quote(user), quote(password))
            except imaplib.IMAP4.abort:
                raise
            except imaplib.IMAP4.error as error:
                text = _clip(str(error))
                if _LATER.search(text):
                    raise RetryLater(f"{self.server} does not let us sign in now: {text}") from None
                raise Reauthorise(f"{self.server} does not take the user name and password: {text}") from None
            self._client._get_capabilities()  # servers tell more to those who signed in
            if self.can("CONDSTORE") and self.can("ENABLE"):
                self._client.enable("CONDSTORE")

    def _require(self, capability: str, remedy: str) -> None:
        if not self.can(capability):
            raise GiveUp(f"{self.server} does not offer {capability}: {remedy}")

    def _told(self, code: str) -> int:
        _, values = self._client.response(code)
        return _number(values[-1] if values else None)


@contextmanager
def _typed(server: Server) -> Iterator[None]:
    """What goes wrong below becomes a `NetworkError`: nothing that reads has an effect."""
    try:
        yield
    except NetworkError:
        raise
    except (imaplib.IMAP4.error, OSError, EOFError) as error:
        raise RetryLater(f"{server} did not answer as it should: {_clip(str(error))}") from error
    except (ValueError, TypeError, IndexError) as error:
        raise RetryLater(f"{server} answered what cannot be read: {_clip(str(error))}") from error


def quote(text: str) -> str:
    """A string of the protocol. Raises `ValueError` for one with controls: a line end would begin a new command."""
    if _CONTROLS.search(text):
        raise ValueError("a control character in a string")
    return '"{}"'.format(text.replace("\\", "\\\\").replace('"', '\\"'))


def encode_name(name: str) -> str:
    """The name of a folder as IMAP writes it: modified UTF-7 (RFC 3501, 5.1.3)."""
    parts = re.split(r"([^\x20-\x7e]+)", name)
    for place, part in enumerate(parts):
        if place % 2:
            raw = base64.b64encode(part.encode("utf-16-be", "replace")).rstrip(b"=").decode()
            parts[place] = f"&{raw.replace('/', ',')}-"
        else:
            parts[place] = part.replace("&", "&-")
    return "".join(parts)


def decode_name(raw: bytes) -> str:
    """What `encode_name` made; anything else is read as UTF-8."""

    def letters(match: re.Match[str]) -> str:
        if not match[1]:
            return "&"
        try:
            code = match[1].replace(",", "/")
            return base64.b64decode(code + "=" * (-len(code) % 4)).decode("utf-16-be")
        except (ValueError, UnicodeDecodeError):
            return match[0]

    return re.sub(r"&([A-Za-z0-9+,]*)-", letters, raw.decode("utf-8", "replace"))


def _said(answer: Sequence[Any]) -> str:
    last = answer[-1] if answer else b""
    return _clip(last.decode("utf-8", "replace") if isinstance(last, bytes) else str(last))


def _clip(text: str) -> str:
    return re.sub(r"[\x00-\x1f\x7f]+", " ", text).strip()[:300]


def _number(value: Any) -> int:
    """A number of the protocol; 0 for anything else."""
    return int(value) if isinstance(value, bytes) and value.isdigit() and len(value) < 20 else 0
