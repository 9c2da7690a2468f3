"""Reading a real mailbox: nothing is lost between two reads, whatever happened to the folder meanwhile."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from email.message import EmailMessage

import msgspec
import pytest

from dovecot import MailServer
from rapport.core.errors import AddressRefused, GiveUp, InvalidInput, Reauthorise, RetryLater
from rapport.core.post import Post
from rapport.networks.base import Account, Page
from rapport.networks.http import GuardedSession, Limits
from rapport.networks.mail import pull
from rapport.networks.mail.account import open_imap
from rapport.networks.mail.imap import Imap, decode_name, encode_name
from rapport.networks.mail.network import Mail
from rapport.networks.mail.pull import pull_pages

INBOX = "folder:INBOX"


class Reader:
    """Somebody who reads a stream again and again, and keeps the cursor."""

    def __init__(self, account: Account, session: GuardedSession, stream: str = INBOX) -> None:
        self.account, self.session, self.stream, self.cursor = account, session, stream, ""

    def pages(self) -> Iterator[Page]:
        for page in pull_pages(self.account, self.stream, self.cursor, self.session):
            self.cursor = page.cursor
            yield page

    def posts(self) -> list[Post]:
        return [post for page in self.pages() for post in page.posts]

    def ids(self) -> list[str]:
        return [post.id for post in self.posts()]


@pytest.fixture
def reader(support: Account, guarded: GuardedSession) -> Reader:
    return Reader(support, guarded)


@pytest.mark.parametrize("security", ["plain", "starttls", "tls"])
def test_mails_come_in_order_once_each_over_every_kind_of_connection(
    mail: MailServer, guarded: GuardedSession, security: str
) -> None:
    account = mail.account(security=security)
    reader = Reader(account, guarded)
    assert reader.posts() == []
    said = [mail.say(f"number {number}", account.handle) for number in range(3)]
    assert reader.ids() == said
    assert reader.ids() == []
    later = mail.say("later", account.handle)
    assert reader.ids() == [later]


def test_between_two_reads_the_server_is_left_alone_for_as_long_as_the_settings_say(
    mail: MailServer, guarded: GuardedSession
) -> None:
    account = mail.account(every="900")
    reader = Reader(account, guarded)
    assert len(list(reader.pages())) == 1
    said = mail.say("in the meantime", account.handle)
    assert list(reader.pages()) == []
    reader.cursor = json.dumps(json.loads(reader.cursor) | {"looked": json.loads(reader.cursor)["looked"] - 901})
    assert reader.ids() == [said]
    reader.cursor = json.dumps(json.loads(reader.cursor) | {"looked": 2**40})  # a clock that was put right since
    assert len(list(reader.pages())) == 1


def test_reading_marks_nothing_as_seen(mail: MailServer, reader: Reader) -> None:
    mail.say("hello", reader.account.handle)
    reader.posts()
    with mail.client(reader.account.handle) as client:
        client.select()
        assert client.search(None, "UNSEEN")[1] == [b"1"]


def test_what_is_expunged_stays_said_and_spoils_nothing(mail: MailServer, reader: Reader) -> None:
    for number in range(4):
        mail.say(f"number {number}", reader.account.handle)
    assert len(reader.ids()) == 4
    with mail.client(reader.account.handle) as client:
        client.select()
        client.store("1:3", "+FLAGS", r"(\Deleted)")
        client.expunge()
    pages = list(reader.pages())
    assert [(page.posts, page.deleted) for page in pages] == [((), ())]
    new = mail.say("new", reader.account.handle)
    assert reader.ids() == [new]


def test_a_first_read_is_bounded_and_says_so(mail: MailServer, reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pull, "FIRST_PULL", 5)
    monkeypatch.setattr(pull, "PAGE_SIZE", 2)
    said = [mail.say(f"number {number}", reader.account.handle) for number in range(8)]
    pages = list(reader.pages())
    assert [post.id for page in pages for post in page.posts] == said[3:]
    assert [page.more for page in pages] == [True, True, False]
    assert pages[0].gap is not None
    assert "newest 5" in pages[0].gap.reason
    assert pages[1].gap is None
    assert reader.ids() == []


def test_a_read_that_broke_off_goes_on_where_it_was(
    mail: MailServer, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader.posts()
    monkeypatch.setattr(pull, "PAGE_SIZE", 2)
    said = [mail.say(f"number {number}", reader.account.handle) for number in range(6)]
    first = next(reader.pages())
    assert [post.id for post in first.posts] == said[:2]
    assert reader.ids() == said[2:]


def anew(mail: MailServer, address: str, folder: str) -> None:
    """The folder is numbered anew: deleted, and there again with the same mails."""
    mails = mail.mails(address, folder)
    with mail.client(address) as client:
        client.delete(folder)
        client.create(folder)
        for content in mails:
            client.append(folder, "", None, content)


def test_a_folder_that_was_numbered_anew_is_read_on_by_the_ids_of_its_mails(
    mail: MailServer, guarded: GuardedSession
) -> None:
    account = mail.account(folders=["Desk"])
    reader = Reader(account, guarded, "folder:Desk")

    def put(number: int) -> str:
        with mail.client(account.handle) as client:
            client.create("Desk")
            client.append("Desk", "", None, plain(f"<n{number}@customer.example>"))
        return f"n{number}@customer.example"

    old = [put(number) for number in range(3)]
    assert reader.ids() == old
    anew(mail, account.handle, "Desk")
    new = put(3)
    (page,) = reader.pages()
    assert page.gap is None
    assert [post.id for post in page.posts][-1] == new
    assert reader.ids() == []


def test_a_folder_that_lost_what_was_read_last_shows_the_gap(mail: MailServer, guarded: GuardedSession) -> None:
    account = mail.account(folders=["Desk"])
    reader = Reader(account, guarded, "folder:Desk")
    with mail.client(account.handle) as client:
        client.create("Desk")
        client.append("Desk", "", None, plain("<old@customer.example>"))
        assert reader.ids() == ["old@customer.example"]
        client.delete("Desk")
        client.create("Desk")
        client.append("Desk", "", None, plain("<new@customer.example>"))
    (page,) = reader.pages()
    assert [post.id for post in page.posts] == ["new@customer.example"]
    assert page.gap is not None
    assert page.gap.since is not None
    assert "not in it any more" in page.gap.reason


@pytest.mark.parametrize("change", [{"next": 1000}, {"modseq": 10**9}, {"validity": 1}])
def test_a_cursor_that_is_ahead_of_the_folder_or_of_another_one_loses_nothing(
    mail: MailServer, reader: Reader, change: dict[str, int]
) -> None:
    mail.say("one", reader.account.handle)
    reader.posts()
    said = mail.say("two", reader.account.handle)
    reader.cursor = json.dumps(json.loads(reader.cursor) | change)
    assert said in reader.ids()
    assert reader.ids() == []


@pytest.mark.parametrize("cursor", ["x", "[]", '{"next":"a"}', "null"])
def test_a_cursor_that_cannot_be_read_begins_anew(mail: MailServer, reader: Reader, cursor: str) -> None:
    said = mail.say("one", reader.account.handle)
    reader.cursor = cursor
    assert reader.ids() == [said]


def plain(message_id: str = "<plain@customer.example>", body: str = "Hello") -> bytes:
    head = f"From: ann@customer.example\r\nSubject: x\r\nMessage-ID: {message_id}\r\n"
    return f"{head}Date: {dt.datetime.now(dt.UTC):%a, %d %b %Y %H:%M:%S} +0000\r\n\r\n{body}\r\n".encode()


def test_of_a_big_mail_the_words_are_read_and_the_attachment_stays(mail: MailServer, reader: Reader) -> None:
    message = EmailMessage()
    message["From"], message["Subject"], message["Message-ID"] = "ann@customer.example", "big", "<big@customer.example>"
    message.set_content("the words")
    message.add_alternative("<p>the <b>words</b></p>", subtype="html")
    message.add_attachment(b"\0" * 6_000_000, maintype="video", subtype="mp4", filename="noise.mp4")
    mail.deliver(message.as_bytes(), reader.account.handle)
    carried: list[int] = []
    original = Imap.fetch

    def counting(self: Imap, uids: list[int], what: str) -> object:
        found = original(self, uids, what)
        carried.append(
            sum(len(value) for values in found.values() for value in values.values() if isinstance(value, bytes))
        )
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Imap, "fetch", counting)
        (post,) = reader.posts()
    assert post.text == "big\n\nthe words"
    assert [(media.kind, media.alt) for media in post.media] == [("video", "noise.mp4 (video/mp4, 6.0 MB)")]
    assert sum(carried) < 5_000


def test_of_an_endless_text_the_beginning_is_read(mail: MailServer, reader: Reader) -> None:
    mail.deliver(plain(body="endless words " * 400_000), reader.account.handle)
    (post,) = reader.posts()
    assert len(post.text) <= 100_000
    assert post.text.endswith("[The rest is in the mailbox.]")


def test_a_mail_that_cannot_be_a_post_is_named_and_the_others_come(mail: MailServer, reader: Reader) -> None:
    one = mail.say("one", reader.account.handle)
    with mail.client(reader.account.handle) as client:
        client.append("INBOX", "", None, b"Subject: from nobody\r\n\r\nx\r\n")
    two = mail.say("two", reader.account.handle)
    (page,) = reader.pages()
    assert [post.id for post in page.posts] == [one, two]
    assert [line.partition(":")[0] for line in page.rejected] == ["mail 2"]
    assert "no address" in page.rejected[0]


REPORT = """From: MAILER-DAEMON@relay.example
Subject: Undelivered Mail Returned to Sender
Message-ID: <report@relay.example>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="B"

--B
Content-Type: text/plain

The address does not exist:
> 550 5.1.1 unknown
--B
Content-Type: message/delivery-status

Final-Recipient: rfc822; ann@customer.example
--B
Content-Type: %s

From: support@fernway.example
Message-ID: <ours@fernway.example>
Subject: Re: help

the words
--B--
"""


@pytest.mark.parametrize("kind", ["message/rfc822", "text/rfc822-headers"])
def test_a_report_that_a_mail_did_not_arrive_stands_in_its_conversation(
    mail: MailServer, reader: Reader, kind: str
) -> None:
    mail.deliver((REPORT % kind).replace("\n", "\r\n").encode(), reader.account.handle)
    (post,) = reader.posts()
    assert (post.in_reply_to, post.thread, post.author.bot) == ("ours@fernway.example", "ours@fernway.example", True)
    assert post.text.startswith("Undelivered Mail Returned to Sender\n\nThe address does not exist:\n> 550 5.1.1")


def test_what_colleagues_send_from_their_own_program_is_ours(mail: MailServer, guarded: GuardedSession) -> None:
    account = mail.account()
    with mail.client(account.handle) as client:
        content = plain("<mine@fernway.example>").replace(b"ann@customer.example", account.handle.encode())
        client.append("Sent", r"\Seen", None, content)
    (post,) = Reader(account, guarded, "sent").posts()
    assert (post.author.ours, post.author.key) == (True, account.handle)


def test_folders_with_names_in_any_script_are_read(mail: MailServer, guarded: GuardedSession) -> None:
    name = 'Kundschaft/Größe & "mehr" 日本'
    account = mail.account(folders=[name])
    with mail.client(account.handle) as client:
        client.create('"{}"'.format(encode_name(name).replace('"', '\\"')))
        client.append('"{}"'.format(encode_name(name).replace('"', '\\"')), "", None, plain())
    assert Mail().streams(account) == (f"folder:{name}", "sent")
    assert len(Reader(account, guarded, f"folder:{name}").posts()) == 1
    with open_imap(account, guarded) as imap:
        assert name in [folder for folder, _ in imap.folders()]


@pytest.mark.parametrize("name", ["INBOX", "a&b", "Größe", "日本", "&-", "a&AOk-b", "😀"])
def test_the_name_of_a_folder_survives_its_way_there_and_back(name: str) -> None:
    assert encode_name(name).isascii()
    assert decode_name(encode_name(name).encode()) == name


# ---------------------------------------------------------------- what can be wrong


def test_every_failure_says_what_to_do_next(mail: MailServer, support: Account, guarded: GuardedSession) -> None:
    def read(account: Account, session: GuardedSession = guarded, stream: str = INBOX) -> list[Page]:
        return list(pull_pages(account, stream, "", session))

    with pytest.raises(Reauthorise, match="user name and password"):
        read(msgspec.structs.replace(support, token="wrong"))
    for token in ("a\r\nb LOGOUT", "nul\0", "\x1b"):
        with pytest.raises(Reauthorise):
            read(msgspec.structs.replace(support, token=token))
    with pytest.raises(GiveUp, match="no folder 'Nowhere'"):
        read(support, stream="folder:Nowhere")
    for stream in ("", "folder:", "other"):
        with pytest.raises(InvalidInput):
            read(support, stream=stream)
    with pytest.raises(RetryLater), GuardedSession(allow={"127.0.0.1:1"}) as other:
        read(msgspec.structs.replace(support, server="imap://127.0.0.1:1"), other)
    with pytest.raises(GiveUp, match="name no server"):
        read(msgspec.structs.replace(support, server=""))


def test_no_password_goes_over_a_line_that_is_not_secure(mail: MailServer, support: Account) -> None:
    with GuardedSession() as session, pytest.raises(GiveUp, match="choose TLS"):
        list(pull_pages(support, INBOX, "", session))
    secure = mail.account(security="tls")
    with GuardedSession() as session, pytest.raises(AddressRefused):
        list(pull_pages(secure, INBOX, "", session))


def test_a_certificate_that_does_not_hold_ends_the_connection(mail: MailServer) -> None:
    for security in ("tls", "starttls"):
        account = mail.account(security=security)
        with GuardedSession(allow=mail.allowed, limits=Limits(total=5.0)) as session:
            with pytest.raises(RetryLater, match="certificate"):
                list(pull_pages(account, INBOX, "", session))
            session.verify = mail.cafile
            elsewhere = msgspec.structs.replace(account, server=account.server.replace("localhost", "127.0.0.1"))
            with pytest.raises(RetryLater, match="certificate"):
                list(pull_pages(elsewhere, INBOX, "", session))
