"""What is known of one person, as a file for them: JSON with a version, and a page that says the same. Pure.

The fields are documented in docs/reference/person-file.md. A later version adds fields and takes none away.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import msgspec

FORMAT = "rapport.person"
VERSION = 1


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """One account of theirs on one network, as the network last told it."""

    network: str
    id: str
    handle: str
    name: str
    url: str
    bio: str
    followers: int | None
    following: int | None
    verified: bool
    #: it is treated as a machine, and what spoke for that
    automated: bool
    reasons: tuple[str, ...]


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """One post of theirs, and what a machine read in it."""

    network: str
    id: str
    url: str
    at: dt.datetime
    edited_at: dt.datetime | None
    kind: str
    visibility: str
    text: str
    language: str
    rating: float | None
    in_reply_to: str
    #: addresses of what was attached
    media: tuple[str, ...]
    conversation: int | None
    #: deleted or hidden on the network
    hidden: bool
    #: negative, neutral or positive; "" = it was not read
    mood: str
    score: float | None
    priority: str
    basket: str
    why: str
    #: names of the topics that it matched
    topics: tuple[str, ...]
    #: what colleagues said it is instead: "sentiment: positive"
    corrected: tuple[str, ...]


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What the house approved to be said to them, or done with a post of theirs."""

    #: "reply", or another kind of act
    kind: str
    at: dt.datetime
    network: str
    #: the account that spoke
    account: str
    text: str
    #: id on the network of the post that it answers
    answers: str
    conversation: int | None
    #: of its way out; "" = it had none
    state: str
    sent_at: dt.datetime | None
    url: str
    #: said by a machine, not by a colleague
    machine: bool


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """What a colleague wrote down. `about`: "person", or "conversation 41"."""

    at: dt.datetime
    about: str
    text: str


class Talk(msgspec.Struct, frozen=True, kw_only=True):
    """One conversation with them."""

    id: int
    network: str
    state: str
    basket: str
    opened_at: dt.datetime | None
    last_post_at: dt.datetime | None
    tags: tuple[str, ...]


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One decision or fact about them: `what` in a few words, and what was written down with it."""

    at: dt.datetime
    what: str
    text: str
    ended_at: dt.datetime | None = None


class PersonFile(msgspec.Struct, frozen=True, kw_only=True):
    """Everything; the names of colleagues are left out."""

    format: str = FORMAT
    version: int = VERSION
    made_at: dt.datetime
    workspace: str
    name: str
    about: str
    relationship: str
    first_seen: dt.datetime
    last_seen: dt.datetime
    accounts: tuple[Account, ...] = ()
    #: field of the house -> what they have in it
    fields: Mapping[str, str] = {}
    conversations: tuple[Talk, ...] = ()
    posts: tuple[Said, ...] = ()
    answers: tuple[Answer, ...] = ()
    notes: tuple[Note, ...] = ()
    #: what they allowed or refused
    consents: tuple[Entry, ...] = ()
    #: that nothing goes to them, or that nobody answers them
    left_alone: tuple[Entry, ...] = ()
    tasks: tuple[Entry, ...] = ()
    offers: tuple[Entry, ...] = ()
    surveys: tuple[Entry, ...] = ()
    #: steps of the ladder that they reached
    escalations: tuple[Entry, ...] = ()
    #: joins of what was taken for several people
    joins: tuple[Entry, ...] = ()


def write_json(file: PersonFile) -> bytes:
    """The file, indented, UTF-8."""
    return msgspec.json.format(msgspec.json.encode(file), indent=2)


_TITLES = {
    "accounts": "Accounts", "fields": "Fields", "conversations": "Conversations", "posts": "What they said",
    "answers": "What was said to them", "notes": "Notes", "consents": "What they allowed or refused",
    "left_alone": "Left alone", "tasks": "Tasks", "offers": "Offers", "surveys": "Surveys",
    "escalations": "Steps of the ladder", "joins": "Joins",
}  # fmt: skip
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1a1d21}"
    "h2{margin-top:2.5rem}article{border-top:1px solid #d5d9de;padding:.75rem 0}"
    "dl{display:grid;grid-template-columns:10rem 1fr;gap:.1rem 1rem;margin:0}dt{color:#5a626c}dd{margin:0;"
    "overflow-wrap:anywhere;white-space:pre-wrap}@media(max-width:40rem){dl{grid-template-columns:1fr}}"
)


def write_page(file: PersonFile) -> bytes:
    """The same as a page to be read: without scripts, and nothing in it is loaded from elsewhere."""
    told = msgspec.to_builtins(file)
    head = {name: value for name, value in told.items() if name not in _TITLES}
    sections = [_section(title, told[name]) for name, title in _TITLES.items()]
    title = escape(f"{file.name or 'A person'}, as {file.workspace} knows them")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{title}</title><style>{_STYLE}</style></head>\n<body><h1>{title}</h1>\n{_facts(head)}\n"
        + "\n".join(sections)
        + "\n</body></html>\n"
    ).encode()


def _section(title: str, rows: Sequence[Mapping[str, Any]] | Mapping[str, Any]) -> str:
    if isinstance(rows, Mapping):
        body = _facts(rows) if rows else "<p>Nothing.</p>"
        return f"<section><h2>{escape(title)}</h2>\n{body}</section>"
    body = "\n".join(f"<article>{_facts(row)}</article>" for row in rows) or "<p>Nothing.</p>"
    return f"<section><h2>{escape(title)} ({len(rows):,})</h2>\n{body}</section>"


def _facts(row: Mapping[str, Any]) -> str:
    told = [(name, _word(value)) for name, value in row.items()]
    lines = [
        f'<dt>{escape(name.replace("_", " "))}</dt><dd dir="auto">{escape(value)}</dd>' for name, value in told if value
    ]
    return f"<dl>{''.join(lines)}</dl>"


def _word(value: object) -> str:
    """A value in words; "" for what says nothing."""
    if isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, (list, tuple)):
        return ", ".join(str(each) for each in value)
    return "" if value is None else str(value)
