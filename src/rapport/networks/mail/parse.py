"""A mail -> `Post`. Pure; raises `InvalidPost` and nothing else.

What each field becomes stands in payloads.md. The id is the Message-ID without its angle brackets, so that answers
find what they answer whichever mailbox they lie in.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re

import msgspec

from rapport.core.errors import InvalidPost
from rapport.core.post import MAX_HTML, MAX_TEXT, Author, Media, Post
from rapport.networks.mail.charsets import decode_transfer
from rapport.networks.mail.headers import Address, read_head, visible
from rapport.networks.mail.letter import Leaf, Letter
from rapport.networks.mail.machines import Machine, is_no_reply, machine_behind
from rapport.networks.mail.markup import read_markup
from rapport.networks.mail.quotes import strip_history

NAME = "mail"
NO_ID = "no-message-id:"
#: a mail that claims to be older than this when it arrives has its clock wrong, or lies
_SLOWEST = dt.timedelta(days=7)
_FASTEST = dt.timedelta(hours=24)
_MOST_LINKS = 200
_MOST_MENTIONS = 50

_REPLY = re.compile(
    r"\s*(?:re|aw|sv|vs|antw|ant|odp|r|rif|res|ynt|ref|回复|答复|回覆)\s*(?:\[\d+\])?\s*[:：]", re.IGNORECASE
)
_FORWARD = re.compile(r"\s*(?:fwd?|wg|tr|rv|enc|i|doorst|vl|vb|转发)\s*[:：]", re.IGNORECASE)
_LINK = re.compile(r"https?://[^\s<>\"'\])}]{3,2000}", re.IGNORECASE)
_RESULT = re.compile(r"\b(dmarc|dkim|spf)\s*=\s*([a-z]+)", re.IGNORECASE)
_NAMED_KINDS = {
    "application/ms-tnef": "Outlook's winmail.dat, which only Outlook opens",
    "application/vnd.ms-tnef": "Outlook's winmail.dat, which only Outlook opens",
    "text/calendar": "an invitation",
    "message/rfc822": "a mail that was attached",
    "application/pgp-encrypted": "an encrypted mail",
    "application/pkcs7-mime": "an encrypted or signed mail",
}


class Mailbox(msgspec.Struct, frozen=True):
    """What is known of our side when a mail is read."""

    #: addresses that are ours, lower case
    ours: frozenset[str] = frozenset()
    #: it lies in the folder of sent mail: whoever put it there has our password
    is_sent: bool = False
    #: name by which our own server signs its Authentication-Results; "" = none is believed
    authority: str = ""


def parse_letter(letter: Letter, mailbox: Mailbox, arrived: dt.datetime) -> Post:
    """One mail -> the post. `arrived` (aware) is when the mail server took it.

    Raises `InvalidPost` when it names nobody who sent it.
    """
    head = letter.head
    sender = _sender(letter)
    machine = machine_behind(letter, sender.address)
    answers = _answers(letter)
    roots = head.ids("references")
    text, html, links = _words(letter, answers is not None and letter.reported() is None)
    return Post(
        network=NAME,
        id=message_id(letter),
        kind="mail",
        text=text,
        html=html,
        lang=_language(head.first("content-language")),
        created_at=_written(head.moment("date"), arrived),
        author=_author(letter, mailbox, sender, machine),
        in_reply_to=answers,
        thread=roots[0] if roots else answers,
        mentions=_addressed(letter),
        links=links,
        media=tuple(_media(leaf) for leaf in letter.files()),
        visibility="direct",
    )


def message_id(letter: Letter) -> str:
    """The Message-ID; for a mail without one a hash of its head, which is the same whenever it is read."""
    ids = letter.head.ids("message-id")
    if ids:
        return ids[0]
    written = letter.head.first("message-id").strip().strip("<>")
    if written and len(written) <= 400 and not re.search(r"[\s\x00-\x1f\x7f]", written):
        return written
    lines = "\n".join(f"{name}:{value}" for name, value in letter.head.fields)
    return f"{NO_ID}{hashlib.sha256(lines.encode('utf-8', 'surrogatepass')).hexdigest()[:40]}"


def subject_of(letter: Letter) -> str:
    """The subject in one line, "" where there is none."""
    return letter.head.text("subject")[:1_000]


def reply_subject(subject: str) -> str:
    """The subject of an answer: "Re: " once, in front of whatever there was."""
    return subject if _REPLY.match(subject) else f"Re: {subject}".strip()


def _sender(letter: Letter) -> Address:
    for name in ("from", "sender", "return-path"):
        found = letter.head.addresses(name)
        if found:
            return found[0]
    if letter.type == "multipart/report" or letter.head.first("return-path").strip() == "<>":
        return Address(name="Mail system", address="mailer-daemon@unknown.invalid")
    raise InvalidPost("from", "the mail names no address that it could have come from")


def _author(letter: Letter, mailbox: Mailbox, sender: Address, machine: Machine) -> Author:
    """Who it is from. Its key is the address; a claim that our own server disproved has a key of its own.

    So has an automatic answer: it is not the person whose address it bears.
    """
    if mailbox.is_sent:
        return _named(sender, sender.address, ours=True)
    proven = _proven(letter, mailbox.authority)
    claims_us = sender.address in mailbox.ours
    if claims_us and proven:
        return _named(sender, sender.address, ours=True)
    behind = next((found for found in letter.head.addresses("reply-to") if found.address not in mailbox.ours), None)
    if behind is not None and (claims_us or is_no_reply(sender.address)) and machine != "bounce":
        # a form on a website, or a system that speaks for a person: the person is whom an answer should reach
        # (anybody can type any address there, so it is not the customer of that address until somebody says so)
        via = f"{behind.name or sender.name} (through {sender.address})".strip()
        return _named(Address(name=via, address=behind.address), f"unproven:{behind.address}", bot=bool(machine))
    if claims_us or proven is False:
        name = f"{sender.name} (sender not proven)".strip()
        return _named(Address(name=name, address=sender.address), f"unproven:{sender.address}", bot=bool(machine))
    if machine == "answer":
        name = f"{sender.name} (automatic reply)".strip()
        return _named(Address(name=name, address=sender.address), f"automatic:{sender.address}", bot=True)
    return _named(sender, sender.address, bot=bool(machine))


def _named(who: Address, key: str, ours: bool = False, bot: bool = False) -> Author:
    return Author(id=key, handle=who.address, name=who.name, ours=ours, bot=bot)


def _proven(letter: Letter, authority: str) -> bool | None:
    """What our own server says about the sender: proven, disproved, or None where it says nothing.

    Only the topmost Authentication-Results (RFC 8601) that bears its name counts: anybody can write the others.
    """
    if not authority:
        return None
    for value in letter.head.every("authentication-results"):
        name, _, results = value.partition(";")
        if name.lower().split()[:1] != [authority.lower()]:
            continue
        told = {method.lower(): result.lower() for method, result in reversed(_RESULT.findall(results))}
        if told.get("dmarc") in {"pass", "fail"}:
            return bool(told["dmarc"] == "pass")
        return None
    return None


def _answers(letter: Letter) -> str | None:
    """The id of the mail that this one answers: In-Reply-To, else the last of References.

    A report that a mail did not arrive answers that mail, so that it stands in its conversation.
    """
    ids = letter.head.ids("in-reply-to")[:1] or letter.head.ids("references")[-1:]
    reported = letter.reported()
    if not ids and reported is not None and reported.body is not None:
        ids = read_head(decode_transfer(reported.body, reported.encoding)).ids("message-id")
    return ids[0] if ids else None


def _written(date: dt.datetime | None, arrived: dt.datetime) -> dt.datetime:
    """When it was written, as far as that can be believed; else when it arrived."""
    if date is None or not arrived - _SLOWEST <= date <= arrived + _FASTEST:
        return arrived
    return date


def _words(letter: Letter, answers: bool) -> tuple[str, str | None, tuple[str, ...]]:
    """The words as people read them, the HTML as it came, and the links."""
    subject = subject_of(letter)
    pieces: list[str] = []
    links: list[str] = []
    for leaf in letter.words():
        text = leaf.text()
        if leaf.type == "text/html":
            text, found = read_markup(text)
            links += found
        if text.strip():
            pieces.append(text.strip("\n"))
    whole = "\n\n".join(pieces)
    is_forward = bool(_FORWARD.match(subject))
    told = strip_history(whole, is_reply=not is_forward and (answers or bool(_REPLY.match(subject))))
    opens = not (answers and _REPLY.match(subject))
    text = f"{subject}\n\n{told.text}".strip() if opens else told.text
    links += _LINK.findall(told.text)
    html = next((leaf.text()[:MAX_HTML] for leaf in letter.texts() if leaf.type == "text/html"), None)
    kept = tuple(dict.fromkeys(link.rstrip(".,;:!?") for link in links if link in told.text))[:_MOST_LINKS]
    return _bounded(text), html or None, kept


def _bounded(text: str) -> str:
    if len(text) <= MAX_TEXT:
        return text
    return f"{text[: MAX_TEXT - 40].rstrip()}\n\n[The rest is in the mailbox.]"


def _addressed(letter: Letter) -> tuple[str, ...]:
    """Everybody whom the mail is addressed to, the list that it came through included."""
    found = [who.address for name in ("to", "cc", "list-post") for who in letter.head.addresses(name)]
    return tuple(dict.fromkeys(found))[:_MOST_MENTIONS]


def _media(leaf: Leaf) -> Media:
    """An attachment by its name: it stays in the mailbox."""
    main = leaf.type.partition("/")[0]
    what = _NAMED_KINDS.get(leaf.type, leaf.type)
    size = _size(leaf.size * 73 // 100 if leaf.encoding == "base64" else leaf.size)
    told = f"{leaf.filename or 'without a name'} ({what}{size})"
    return Media(kind=main if main in {"image", "video", "audio"} else "file", alt=visible(told)[:500])


def _size(size: int) -> str:
    """The size as people say it."""
    if size >= 1_000_000:
        return f", {size / 1_000_000:.1f} MB"
    return f", {max(size // 1000, 1)} kB" if size else ""


def _language(value: str) -> str | None:
    tag = value.partition(",")[0].strip()
    return tag.lower() if re.fullmatch(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*", tag) else None
