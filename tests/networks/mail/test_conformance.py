"""Real and broken mails of other mail software: read as a file, and through a real IMAP server."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from dovecot import MailServer
from mail_conformance import EXPECTED, REPLIES, mails_in, meets, page_of, read_mail
from rapport.core.errors import InvalidPost
from rapport.core.post import Post
from rapport.networks.http import GuardedSession
from rapport.networks.mail.pull import pull_pages

pytestmark = pytest.mark.data

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def archive(real_data: Path) -> Path:
    return real_data / "11_hostile" / "emails.tar.gz"


def test_the_page_of_results_is_what_the_code_does(archive: Path) -> None:
    told = (ROOT / "docs" / "reference" / "mail-conformance.md").read_text(encoding="utf-8")
    assert told == page_of(archive)


def test_every_mail_is_read_or_refused_quickly(archive: Path) -> None:
    mails = list(mails_in(archive))
    assert len(mails) > 100
    for name, raw in mails:
        began = time.process_time()
        found = read_mail(raw)
        assert isinstance(found, Post) or str(found), name
        assert time.process_time() - began < 1.0, name


def test_answers_are_taken_out_of_their_history_as_expected(archive: Path) -> None:
    texts = {Path(name).stem: raw.decode() for name, raw in mails_in(archive) if REPLIES in name}
    assert [name for name in EXPECTED if not meets(name, texts[name])] == []


def test_a_real_server_hands_out_the_same_posts(archive: Path, mail: MailServer, guarded: GuardedSession) -> None:
    account = mail.account(folders=["Kept"])
    wanted: list[Post] = []
    refused = 0
    with mail.client(account.handle) as client:
        client.create("Kept")
        for name, raw in mails_in(archive):
            if REPLIES in name:
                continue
            client.append("Kept", "", None, raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
            found = read_mail(raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
            if isinstance(found, InvalidPost):
                refused += 1
            else:
                wanted.append(found)
    pages = list(pull_pages(account, "folder:Kept", "", guarded))
    posts = [post for page in pages for post in page.posts]
    assert len(posts) == len(wanted)
    assert sum(len(page.rejected) for page in pages) == refused
    different = {
        ours.id
        for ours, theirs in zip(wanted, posts, strict=True)
        for field in ("id", "author", "text", "in_reply_to", "thread", "mentions", "links", "html")
        if getattr(ours, field) != getattr(theirs, field)
    }
    # a boundary without its dashes, and a head that breaks off: the server takes them apart in another place
    assert len(different) == 2
