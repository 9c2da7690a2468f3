"""The head of a mail: lines of bytes that anybody can have written -> names, addresses, ids and times.

Nothing here raises; what cannot be read is left out.
"""

from __future__ import annotations

import datetime as dt
import quopri
import re
from email.utils import parsedate_to_datetime

import msgspec

from rapport.networks.mail.charsets import decode_base64, decode_text

MOST_BYTES = 65_536  # of one head; what comes after is not read
_MOST_LINES = 2_000
_MOST_ADDRESSES = 100
_MOST_IDS = 200
_LONGEST_ADDRESS = 254  # RFC 5321, 4.5.3.1.3, less the angle brackets

_WORD = re.compile(r"=\?([\w\-.:+]{1,40})(?:\*[\w\-]{1,40})?\?([bBqQ])\?([^?\s]*(?: [^?\s]*)*)\?=")
_IDS = re.compile(r"<([^<>\s]{1,500})>")
_SPACE = re.compile(r"\s+")
#: controls, and the characters that turn the direction of what is around them
_INVISIBLE = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069]")
_LOCAL = re.compile(r"[^\s\x00-\x1f\x7f-\x9f@<>(),;:\"\[\]\\]+")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")


class Address(msgspec.Struct, frozen=True):
    """A mailbox as a header names it."""

    #: as people read it, without controls and changes of direction
    name: str
    #: lower case; the domain in ASCII ("xn--..." shows a name in foreign letters for what it is)
    address: str


class Head(msgspec.Struct, frozen=True):
    """The header fields of one mail in their order: (name in lower case, value in one line, still encoded)."""

    fields: tuple[tuple[str, str], ...]

    def first(self, name: str) -> str:
        """The first field of that name, "" where there is none."""
        return next((value for known, value in self.fields if known == name), "")

    def every(self, name: str) -> list[str]:
        """All fields of that name."""
        return [value for known, value in self.fields if known == name]

    def text(self, name: str) -> str:
        """The first field of that name as people read it."""
        return decode_words(self.first(name))

    def addresses(self, name: str) -> list[Address]:
        """The mailboxes in all fields of that name."""
        return [found for value in self.every(name) for found in read_addresses(value)][:_MOST_ADDRESSES]

    def ids(self, name: str) -> list[str]:
        """Message ids, without their angle brackets."""
        return [found for value in self.every(name) for found in _IDS.findall(value)][:_MOST_IDS]

    def moment(self, name: str) -> dt.datetime | None:
        """A date and time, in UTC; without a zone it is taken for UTC."""
        try:
            found = parsedate_to_datetime(self.first(name))
            return (found if found.tzinfo else found.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
        except (ValueError, TypeError, OverflowError, IndexError):
            return None


def read_head(raw: bytes) -> Head:
    """The bytes before the first empty line -> the fields. Lines that are no field are skipped."""
    fields: list[list[str]] = []
    lines = raw[:MOST_BYTES].replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n", _MOST_LINES)
    for line in lines[:_MOST_LINES]:
        if not line.strip():
            if fields:
                break
            continue
        text = decode_text(line, "")
        name, colon, value = text.partition(":")
        if text[0] in " \t":
            if fields:
                fields[-1][1] += f" {text.strip()}"
        elif colon and name.strip() and " " not in name.strip():
            fields.append([name.strip().lower(), value.strip()])
    return Head(tuple((name, value) for name, value in fields))


def decode_words(value: str) -> str:
    """A header value with encoded words (RFC 2047) -> what people read, in one line."""
    parts: list[tuple[str, bytes | str]] = []  # (charset, bytes) of encoded words, ("", text) between them
    end = 0
    for word in _WORD.finditer(value):
        between = value[end : word.start()]
        if between.strip() or not parts or not parts[-1][0]:
            parts.append(("", between))
        charset, how, payload = word[1].lower(), word[2].lower(), word[3].encode("utf-8", "replace")
        raw = decode_base64(payload) if how == "b" else quopri.decodestring(payload, header=True)
        if parts and parts[-1][0] == charset:  # one letter may lie in two words
            before = parts.pop()[1]
            raw = (before if isinstance(before, bytes) else b"") + raw
        parts.append((charset, raw))
        end = word.end()
    parts.append(("", value[end:]))
    text = "".join(decode_text(part, charset) if isinstance(part, bytes) else part for charset, part in parts)
    return visible(text)


def visible(text: str) -> str:
    """One line of what people see: no controls, no characters that turn the direction of others."""
    return _SPACE.sub(" ", _INVISIBLE.sub(" ", text)).strip()


def read_addresses(value: str) -> list[Address]:
    """The mailboxes of an address list (RFC 5322, 3.4), as far as they are addresses. Groups are taken apart."""
    found = []
    for piece in _split(value[:MOST_BYTES]):
        name, address = _name_and_address(piece)
        clean = clean_address(address)
        if clean is not None:
            found.append(Address(name=decode_words(name)[:500], address=clean))
    return found[:_MOST_ADDRESSES]


def clean_address(address: str) -> str | None:
    """An address in the form that is compared; None where it is none that mail can be sent to."""
    local, at, domain = address.strip().rpartition("@")
    local = local.strip('"') if re.fullmatch(r'"[^"\\]*"', local) else local
    if not at or not local or len(address) > _LONGEST_ADDRESS or not _LOCAL.fullmatch(local):
        return None
    labels = [_ascii_label(label) for label in domain.strip().rstrip(".").lower().split(".")]
    if not all(labels):
        return None
    return f"{local.lower()}@{'.'.join(labels)}"


def _ascii_label(label: str) -> str:
    """One label of a domain in ASCII, "" for what is none."""
    try:
        ascii_label = label if label.isascii() else label.encode("idna").decode("ascii")
    except UnicodeError:
        return ""
    return ascii_label if _LABEL.fullmatch(ascii_label) else ""


def _split(value: str) -> list[str]:
    """An address list at its commas, semicolons and group names; quotes kept whole."""
    pieces: list[str] = []
    piece: list[str] = []
    comment: list[str] = []
    quoted, depth, angle, skip = False, 0, False, False
    for letter in value:
        if skip:
            skip = False
        elif letter == "\\" and (quoted or depth):
            skip = True
            if depth:
                continue
        elif quoted:
            quoted = letter != '"'
        elif depth or letter == "(":
            depth += (letter == "(") - (letter == ")")
            comment.append(letter)
            continue
        elif letter == '"':
            quoted = True
        elif letter in "<>":
            angle = letter == "<"
        elif letter in ",;:" and not angle:
            if letter != ":":
                pieces.append(_with_comment(piece, comment))
            piece, comment = [], []
            continue
        piece.append(letter)
    return [text for text in (*pieces, _with_comment(piece, comment)) if text.strip()][:_MOST_ADDRESSES]


def _with_comment(piece: list[str], comment: list[str]) -> str:
    """An address alone takes the comment beside it as its name: the way of the eighties."""
    text = "".join(piece).strip()
    name = re.sub(r'[()<>"\\]', " ", "".join(comment)).strip()
    return f'"{name}" <{text}>' if text and name and "<" not in text else text


def _name_and_address(piece: str) -> tuple[str, str]:
    """One mailbox -> its name (quotes taken off) and its address, both as they were written."""
    before, opened, after = piece.rpartition("<")
    if not opened:
        return "", piece.strip()
    address = after.partition(">")[0].strip()
    address = address.rpartition(":")[2] if address.startswith("@") else address  # an old source route
    name = before.strip()
    if len(name) > 1 and name[0] == '"' and name[-1] == '"':
        name = re.sub(r"\\(.)", r"\1", name[1:-1])
    return name, address
