"""What becomes of real and broken mails, as a page: docs/reference/mail-conformance.md.

    .venv/bin/python tests/mail_conformance.py EMAILS.tar.gz > docs/reference/mail-conformance.md

EMAILS.tar.gz holds the test mails of CPython's email package, of the Ruby library mail, and of zapier's
email-reply-parser. No words of the mails are shown but the few by which the expectations of the last are told.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import sys
import tarfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from rapport.core.errors import InvalidPost
from rapport.core.post import Post, admit
from rapport.networks.mail.letter import read_letter
from rapport.networks.mail.parse import Mailbox, parse_letter
from rapport.networks.mail.quotes import strip_history

NOW = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC)
REPLIES = "email_reply_parser"


@dataclass
class Expectation:
    """What the tests of email-reply-parser expect of one of its mails."""

    shown: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    #: the beginning of the SHA-256 of the whole answer, where they expect it to the letter
    exact: str = ""
    #: nothing may be taken off
    whole: bool = False


EXPECTED = {
    "correct_sig": Expectation(shown=("a correct --",), hidden=("rick",)),
    "email_1_1": Expectation(shown=("folks",), hidden=("riak-users",)),
    "email_1_2": Expectation(shown=("Hi,", "You can list the keys"), hidden=("-Abhishek", "riak-users")),
    "email_1_3": Expectation(shown=("Oh thanks",), hidden=("riak-users",)),
    "email_1_4": Expectation(shown=("Awesome",), hidden=("Loader",)),
    "email_1_5": Expectation(whole=True),
    "email_1_6": Expectation(shown=("I get",), hidden=("Corey",)),
    "email_1_7": Expectation(shown=(":+1:",), hidden=("Steps 0-2",)),
    "email_1_8": Expectation(shown=("I will reply", "and under"), hidden=("Hey there",)),
    "email_2_1": Expectation(exact="6877eb4e"),
    "email_2_2": Expectation(exact="c56b35a1"),
    "email_2_3": Expectation(exact="86c33993"),
    "email_gmail": Expectation(exact="372b6168"),
    "email_headers_no_delimiter": Expectation(exact="52528a94"),
    "email_iPhone": Expectation(hidden=("Sent from",)),
    "email_one_is_not_on": Expectation(shown=("One outstanding",), hidden=("On Oct 1",)),
    "email_partial_quote_header": Expectation(shown=("On your remote", "telnet", "This should connect")),
    "email_sig_delimiter_in_middle_of_line": Expectation(whole=True),
    "greedy_on": Expectation(shown=("On your remote",), hidden=("On 9 Jan",)),
    "pathological": Expectation(shown=("onto something",)),
}


def mails_in(archive: Path) -> Iterator[tuple[str, bytes]]:
    """Every mail of the archive with its path in it, by name; its folders hold text files and one Python file."""
    with tarfile.open(archive) as files:
        for member in sorted(files.getmembers(), key=lambda member: member.name):
            source = files.extractfile(member) if member.isfile() else None
            if source is not None and not member.name.endswith(".py"):
                yield member.name.removeprefix("./"), source.read()


def read_mail(raw: bytes) -> Post | InvalidPost:
    """A mail as the product reads it: a post, or why it is none."""
    try:
        return admit(parse_letter(read_letter(raw), Mailbox(), NOW), NOW)
    except InvalidPost as error:
        return error


def meets(name: str, text: str) -> bool:
    """Whether what is left of a mail of email-reply-parser is what its tests expect."""
    expected = EXPECTED[name]
    told = strip_history(text).text
    return (
        all(words in told for words in expected.shown)
        and not any(words in told for words in expected.hidden)
        and (not expected.exact or hashlib.sha256(told.encode()).hexdigest().startswith(expected.exact))
        and (not expected.whole or told == text.strip())
    )


def page_of(archive: Path) -> str:
    """The page, in Markdown."""
    rows, replies, counts = [], [], Counter[str]()
    for path, raw in mails_in(archive):
        name = PurePosixPath(path)
        if REPLIES in name.parts:
            text = raw.decode()
            verdict = ("as expected" if meets(name.stem, text) else "not as expected") if name.stem in EXPECTED else "-"
            counts[verdict] += 1
            kept = len(strip_history(text).text)
            replies.append(f"| {name.stem} | {len(text):,} | {kept:,} | {verdict} |")
            continue
        found = read_mail(raw)
        if isinstance(found, InvalidPost):
            counts["refused"] += 1
            rows.append(f"| {name.parent.name}/{name.name} | refused: {found} | | | |")
        else:
            counts["parsed"] += 1
            sender = "machine" if found.author.bot else "person"
            rows.append(
                f"| {name.parent.name}/{name.name} | parsed | {sender} | {len(found.text):,} | {len(found.media)} |"
            )
    return _PAGE.format(
        mails=counts["parsed"] + counts["refused"],
        parsed=counts["parsed"],
        refused=counts["refused"],
        rows="\n".join(rows),
        checked=counts["as expected"] + counts["not as expected"],
        met=counts["as expected"],
        unchecked=counts["-"],
        replies="\n".join(replies),
    )


_PAGE = """# Mails of all kinds

What becomes of the test mails of other mail software, broken ones among them. The page is made by
`.venv/bin/python tests/mail_conformance.py EMAILS.tar.gz`, and a test holds it against what the code does. The same
mails also go through a real IMAP server; all but two, whose boundaries and heads are broken, give the same post there.

## Parsed or refused

The mails of CPython's `email` package (PSF-2.0) and of the Ruby library `mail` (MIT): {mails} mails, {parsed} parsed,
{refused} refused with a reason, none that crashed. *Text* counts characters, the subject included, without quoted
history and signature.

| mail | result | sender | text | attachments |
|---|---|---|---|---|
{rows}

A mail is refused only where it names no address that it could have come from. A mail server adds a `Return-Path` to
what it delivers, so that mails that arrived in a mailbox are refused even more rarely.

## History, signatures and footers taken off

The mails of zapier's `email-reply-parser` (MIT), with what its own tests expect: {met} of {checked} as expected; its
tests say nothing about the other {unchecked}. The rules were written with these mails at hand, so this shows that they
hold, not how they do on mails that nobody has looked at. One difference is on purpose: where somebody answers between
quoted lines, email-reply-parser shows the quotes as well, and Rapport only what the sender wrote, because topics and
moods are read from it.

| mail | characters | kept | |
|---|---|---|---|
{replies}
"""

if __name__ == "__main__":
    sys.stdout.write(page_of(Path(sys.argv[1])))
