"""A mail taken apart: its head and its leaves, whether they came whole (`read_letter`) or by structure (`structure`).

A leaf of a big mail comes without its body (`body` None) until it is asked for, or with the beginning of it.
"""

from __future__ import annotations

import email
import email.message
import email.policy
from collections.abc import Iterator, Mapping, Sequence
from email.utils import collapse_rfc2231_value, decode_params

import msgspec

from rapport.core.errors import InvalidPost
from rapport.networks.mail.charsets import decode_text, decode_transfer
from rapport.networks.mail.headers import Head, decode_words, read_head, visible

#: what a delivery report carries of the mail that it is about
_REPORTED = frozenset({"message/rfc822", "message/global", "text/rfc822-headers", "message/global-headers"})
MOST_LEAVES = 200
MOST_TEXTS = 8
MOST_DEPTH = 30
_MACHINE_PARTS = frozenset({"message/delivery-status", "message/disposition-notification", "text/rfc822-headers"})


class Leaf(msgspec.Struct, frozen=True):
    """A part of a mail that holds something itself."""

    #: where it is, as IMAP counts: "1", "2.1"
    path: str
    #: "text/plain"
    type: str
    #: its parameters, lower-case names: charset, format, delsp, name, ...
    params: Mapping[str, str] = {}
    encoding: str = ""
    #: "attachment", "inline" or ""
    disposition: str = ""
    filename: str = ""
    #: bytes, as they were sent where `encoding` says how
    size: int = 0
    #: path of the innermost multipart/alternative around it, "" where there is none
    alternative: str = ""
    #: its bytes or their beginning, as they were sent where `encoding` says how
    body: bytes | None = None

    @property
    def is_text(self) -> bool:
        """Words that belong to the mail itself."""
        return self.type in {"text/plain", "text/html"} and self.disposition != "attachment" and not self.is_file

    @property
    def is_file(self) -> bool:
        """It has a name and says that it is no running text."""
        return bool(self.filename) and (self.disposition == "attachment" or not self.type.startswith("text/"))

    def text(self) -> str:
        """Its words, "" while it has no body."""
        if self.body is None:
            return ""
        words = decode_text(decode_transfer(self.body, self.encoding), self.params.get("charset", ""))
        words = words.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")
        flowed = self.type == "text/plain" and self.params.get("format", "").lower() == "flowed"
        return unflow(words, self.params.get("delsp", "").lower() == "yes") if flowed else words


class Letter(msgspec.Struct, frozen=True):
    """One mail."""

    head: Head
    leaves: tuple[Leaf, ...]
    #: of the outermost part: "multipart/report"
    type: str = "text/plain"

    def texts(self) -> list[Leaf]:
        """The leaves that are the words of the mail, in order; of alternatives all that could be chosen."""
        return [leaf for leaf in self.leaves if leaf.is_text and leaf.type not in _MACHINE_PARTS][:MOST_TEXTS]

    def files(self) -> list[Leaf]:
        """The leaves that are not: attachments, pictures, calendars, forwarded mails."""
        texts = {leaf.path for leaf in self.leaves if leaf.is_text}
        return [leaf for leaf in self.leaves if leaf.path not in texts and leaf.type not in _MACHINE_PARTS]

    def reported(self) -> Leaf | None:
        """Of a delivery report the part that holds the mail that it is about, or the head of it."""
        if self.type != "multipart/report":
            return None
        return next((leaf for leaf in self.leaves if leaf.type in _REPORTED), None)

    def words(self) -> list[Leaf]:
        """`texts`, of alternatives the plain one, unless it is blank."""
        chosen = []
        for leaf in self.texts():
            rivals = [other for other in self.texts() if leaf.alternative and other.alternative == leaf.alternative]
            plain = any(other.type == "text/plain" and other.text().strip() for other in rivals)
            if not rivals or leaf.type == ("text/plain" if plain else "text/html"):
                chosen.append(leaf)
        return chosen


def read_letter(raw: bytes) -> Letter:
    """A whole mail -> its parts. Raises `InvalidPost` for one that is nested beyond reading."""
    try:
        message = email.message_from_bytes(raw, policy=email.policy.compat32)
        leaves = tuple(leaf for leaf, _ in zip(_leaves_of(message, "", "", 0), range(MOST_LEAVES), strict=False))
    except RecursionError:
        raise InvalidPost("mail", "nested too deeply") from None
    return Letter(head=read_head(raw), leaves=leaves, type=message.get_content_type())


def _leaves_of(message: email.message.Message, path: str, alternative: str, depth: int) -> Iterator[Leaf]:
    if depth > MOST_DEPTH:
        raise InvalidPost("mail", f"nested more than {MOST_DEPTH} deep")
    kind = message.get_content_type()
    payload = message.get_payload()
    if kind.startswith("multipart/") and isinstance(payload, list):
        around = (path or "0") if kind == "multipart/alternative" else alternative
        for number, child in enumerate(payload, 1):
            if isinstance(child, email.message.Message):
                yield from _leaves_of(child, f"{path}.{number}" if path else str(number), around, depth + 1)
        return
    yield _leaf(message, path or "1", kind, alternative)


def _leaf(message: email.message.Message, path: str, kind: str, alternative: str) -> Leaf:
    decoded = message.get_payload(decode=True)
    body = decoded if isinstance(decoded, bytes) else _head_within(message)
    for name, value in message.raw_items():
        if name.lower() in {"content-type", "content-disposition"}:  # bytes that are no ASCII would be lost
            written = str(value).encode("utf-8", "surrogateescape")
            message.replace_header(name, decode_text(written, ""))
    params = _plain_params(message.get_params([], "content-type")[1:])
    disposition = _plain_params(message.get_params([], "content-disposition")[1:])
    return Leaf(
        path=path,
        type=kind if not kind.startswith("multipart/") else "text/plain",  # a multipart without its boundary
        params=params,
        disposition=(message.get_content_disposition() or "")[:50],
        filename=file_name(disposition.get("filename") or params.get("name") or ""),
        size=len(decoded) if isinstance(decoded, bytes) else 0,
        alternative=alternative,
        body=body,
    )


def _head_within(message: email.message.Message) -> bytes:
    """The head of the mail in a message/rfc822."""
    payload = message.get_payload()
    inner = payload[0] if isinstance(payload, list) and payload else None
    fields = inner.raw_items() if isinstance(inner, email.message.Message) else ()
    return "".join(f"{name}: {value}\n" for name, value in fields).encode("utf-8", "surrogateescape")


def _plain_params(params: Sequence[tuple[str, str | tuple[str | None, str | None, str]]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in params:
        try:
            found.setdefault(name.lower(), collapse_rfc2231_value(value)[:1_000])
        except (LookupError, ValueError, TypeError):
            continue
    return found


def read_params(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """Parameters as they were written, RFC 2231 pieces included -> by name."""
    try:
        decoded = decode_params([("", ""), *((name.lower(), f'"{value}"') for name, value in pairs)])[1:]
    except (ValueError, LookupError, TypeError):
        decoded = [(name, value) for name, value in pairs if "*" not in name]
    found = _plain_params(decoded)
    return {name: value.strip('"') for name, value in found.items()}


def file_name(written: str) -> str:
    """The name of an attachment as people see it: no folders, no controls, at most 200 characters."""
    name = decode_words(written.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))
    return visible(name.replace("\\", "/").rpartition("/")[2])[:200]


def unflow(text: str, delsp: bool) -> str:
    """format=flowed (RFC 3676) -> paragraphs in one line each; quotes keep their depth."""
    lines: list[tuple[int, str]] = []
    open_depth: int | None = None
    for line in text.split("\n"):
        rest = line.lstrip(">")
        depth = len(line) - len(rest)
        rest = rest.removeprefix(" ")
        flows = rest.endswith(" ") and rest != "-- "
        body = rest[:-1] if flows and delsp else rest
        if open_depth == depth and rest != "-- ":
            lines[-1] = (depth, lines[-1][1] + body)
        else:
            lines.append((depth, body))
        open_depth = depth if flows else None
    return "\n".join(f"{'>' * depth} {line}" if depth else line for depth, line in lines)
