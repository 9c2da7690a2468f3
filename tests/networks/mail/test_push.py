"""Answers over a real server: exactly what was approved, to whom it was approved, once, and found again."""

from __future__ import annotations

import email
import email.policy
import socket
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dovecot import MailServer
from rapport.core.errors import GiveUp, NetworkError, Reauthorise, RetryLater, Unconfirmed
from rapport.core.reply import Reply
from rapport.networks.base import Account
from rapport.networks.http import GuardedSession, Limits
from rapport.networks.mail.network import Mail
from rapport.networks.mail.pull import pull_pages
from rapport.networks.mail.push import _Target as Target
from rapport.networks.mail.push import compose, find_reply, id_of, push_reply

ANN = "ann@customer.example"


def reply_to(target: str, text: str = "Hello Ann,\n\nit is on its way.\n\nBen", **fields: Any) -> Reply:
    return Reply(network="mail", channel=1, target=target, text=text, approved_by=1, to=(ANN,), **fields)


def read(raw: bytes) -> EmailMessage:
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def words(raw: bytes) -> str:
    return read(raw).get_content().replace("\r\n", "\n").removesuffix("\n")


@pytest.fixture
def to_ann(mail: MailServer) -> Iterator[list[bytes]]:
    """What was submitted since the test began."""
    before = len(mail.submitted)
    seen: list[bytes] = []
    yield seen
    seen.extend(content for _, _, content in mail.submitted[before:])


@pytest.mark.parametrize("security", ["plain", "starttls", "tls"])
def test_a_reply_arrives_in_its_thread_and_is_kept_and_found(
    mail: MailServer, guarded: GuardedSession, security: str
) -> None:
    account = mail.account(security=security)
    target = mail.say("Where is it?", account.handle, References="<root@customer.example>")
    reply = reply_to(target)
    assert find_reply(account, "key-1", guarded) is None
    sent = push_reply(account, reply, "key-1", guarded)
    assert find_reply(account, "key-1", guarded) == sent
    sender, recipients, content = mail.submitted[-1]
    message = read(content)
    assert (sender, recipients) == (account.handle, [ANN])
    assert words(content) == reply.text
    assert message["From"] == f"Fernway Support <{account.handle}>"
    assert message["To"] == f"Ann Example <{ANN}>"
    assert message["Subject"] == "Re: A question"
    assert message["Message-ID"] == f"<{sent.id}>"
    assert message["In-Reply-To"] == f"<{target}>"
    assert message["References"].split() == ["<root@customer.example>", f"<{target}>"]
    assert message.get_content_type() == "text/plain"
    assert message.get_content_charset() == "utf-8"
    (kept,) = mail.mails(account.handle, "Sent")
    assert words(kept) == reply.text
    (page,) = pull_pages(account, "sent", "", guarded)
    assert [(post.id, post.author.ours, post.in_reply_to) for post in page.posts] == [(sent.id, True, target)]


def test_a_second_try_with_the_same_key_has_one_effect(
    mail: MailServer, support: Account, guarded: GuardedSession
) -> None:
    target = mail.say("Where is it?", support.handle)
    before = len(mail.submitted)
    first = push_reply(support, reply_to(target), "twice", guarded)
    assert push_reply(support, reply_to(target), "twice", guarded) == first
    assert len(mail.submitted) == before + 1
    push_reply(support, reply_to(target), "another", guarded)
    assert len(mail.submitted) == before + 2


@pytest.mark.parametrize(
    ("verb", "answer", "error"),
    [
        ("MAIL", "451 4.7.1 Greylisted", RetryLater),
        ("MAIL", "550 5.7.1 You may not", GiveUp),
        ("RCPT", "450 4.2.1 Mailbox busy", RetryLater),
        ("RCPT", "550 5.1.1 No such user", GiveUp),
        ("RCPT", "421 4.3.2 Going away", RetryLater),
        ("DATA", "451 4.3.0 Out of order", RetryLater),
        ("DATA", "552 5.3.4 Too big", GiveUp),
        ("DATA", "554 5.7.1 Spam", GiveUp),
        ("MAIL", "530 5.7.0 Sign in first", Reauthorise),
        ("AUTH", "454 4.7.0 Temporary failure", RetryLater),
        ("AUTH", "535 5.7.8 No longer", Reauthorise),
    ],
)
def test_every_refusal_is_typed_and_in_the_servers_own_words(
    mail: MailServer, support: Account, guarded: GuardedSession, verb: str, answer: str, error: type[NetworkError]
) -> None:
    target = mail.say("Where is it?", support.handle)
    before = len(mail.submitted)
    mail.faults[verb] = answer
    with pytest.raises(error, match=answer[:3]):
        push_reply(support, reply_to(target), f"{verb}{answer}", guarded)
    mail.faults.clear()
    assert len(mail.submitted) == before
    assert find_reply(support, f"{verb}{answer}", guarded) is None


def test_an_answer_that_is_lost_after_the_mail_went_out_is_unconfirmed(
    mail: MailServer, support: Account, guarded: GuardedSession
) -> None:
    target = mail.say("Where is it?", support.handle)
    mail.after_data = lambda smtp: smtp.transport.abort()
    with pytest.raises(Unconfirmed):
        push_reply(support, reply_to(target), "lost", guarded)
    mail.after_data = None
    assert words(mail.submitted[-1][2]) == reply_to(target).text  # it did take effect
    assert find_reply(support, "lost", guarded) is None  # and no copy shows it: a person has to be asked
    assert not Mail.capabilities.idempotent_push


def test_a_server_that_keeps_copies_by_itself_shows_the_reply_whose_answer_was_lost(
    mail: MailServer, support: Account, guarded: GuardedSession
) -> None:
    target = mail.say("Where is it?", support.handle)

    def keep_and_hang_up(smtp: Any) -> None:
        with mail.client(support.handle) as client:
            client.append("Sent", r"\Seen", None, mail.submitted[-1][2])
        smtp.transport.abort()

    mail.after_data = keep_and_hang_up
    with pytest.raises(Unconfirmed):
        push_reply(support, reply_to(target), "kept", guarded)
    found = find_reply(support, "kept", guarded)
    assert found is not None
    mail.after_data = None
    assert push_reply(support, reply_to(target), "kept", guarded) == found
    assert len(mail.mails(support.handle, "Sent")) == 1


def test_a_copy_that_cannot_be_kept_does_not_make_the_mail_unsent(mail: MailServer, guarded: GuardedSession) -> None:
    account = mail.account(sent_folder="Nowhere/There is none")
    target = mail.say("Where is it?", account.handle)
    assert push_reply(account, reply_to(target), "no-copy", guarded).id == id_of(account, "no-copy")


def test_a_server_that_is_away_or_refuses_the_password_has_sent_nothing(
    mail: MailServer, support: Account, guarded: GuardedSession
) -> None:
    target = mail.say("Where is it?", support.handle)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    away = msgspec.structs.replace(support, settings=support.settings | {"smtp_port": str(port)})
    with (
        GuardedSession(allow={*mail.allowed, f"127.0.0.1:{port}"}, limits=Limits(total=2.0)) as session,
        pytest.raises(RetryLater),
    ):
        push_reply(away, reply_to(target), "away", session)
    with pytest.raises(Reauthorise):
        push_reply(msgspec.structs.replace(support, token="wrong"), reply_to(target), "wrong", guarded)


# ---------------------------------------------------------------- to whom


def test_nobody_is_written_to_but_whom_was_approved(
    mail: MailServer, support: Account, guarded: GuardedSession
) -> None:
    forged = mail.say("x", support.handle, sender="Evil <evil@elsewhere.example>")
    with pytest.raises(GiveUp, match=r"is from evil@elsewhere\.example"):
        push_reply(support, reply_to(forged), "k1", guarded)
    turned = mail.say("x", support.handle, Reply_To="evil@elsewhere.example")
    push_reply(support, reply_to(turned), "k2", guarded)
    assert mail.submitted[-1][1] == [ANN]
    for address in ("ann@customer.example, evil@elsewhere.example", "evil@x.example\r\nRCPT TO:<a@b.example>", ""):
        with pytest.raises(GiveUp):
            push_reply(support, msgspec.structs.replace(reply_to(turned), to=(address,)), "k3", guarded)


def test_machines_are_not_answered(mail: MailServer, support: Account, guarded: GuardedSession) -> None:
    away = mail.say("I am away", support.handle, Auto_Submitted="auto-replied")
    with pytest.raises(GiveUp, match="loop"):
        push_reply(support, reply_to(away), "k", guarded)


def test_a_mail_that_was_filed_away_is_answered_and_one_that_is_gone_is_not(
    mail: MailServer, support: Account, guarded: GuardedSession
) -> None:
    target = mail.say("Where is it?", support.handle)
    with mail.client(support.handle) as client:
        client.select()
        client.copy("1", "Archive")
        client.store("1", "+FLAGS", r"(\Deleted)")
        client.expunge()
    assert push_reply(support, reply_to(target), "filed", guarded)
    for gone in ("never@customer.example", "no-message-id:0123", "a\r\nb@c", "a b", "ä@x.example"):
        with pytest.raises(GiveUp):
            push_reply(support, reply_to(gone), "gone", guarded)
    with pytest.raises(GiveUp, match="empty"):
        push_reply(support, reply_to(target, " \n"), "empty", guarded)


# ---------------------------------------------------------------- what leaves

ACCOUNT = Account(
    channel=1, server="imaps://i.example:993", handle="support@fernway.example", account_id="support@fernway.example",
    token="x", settings={"name": "Fernway"},
)  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        ".\n..\n.hidden", "From me\n>From you", "x" * 5_000, "trailing   \n\n\n tabs\t\t", "Grüße 🚆 日本語 \u202e",
        "a\r\nb\rc", "-- \nno signature", "\n\nbegins late", "=3D =20", "line\n.\nQUIT\nMAIL FROM:<a@b>",
    ],
)  # fmt: skip
def test_the_text_arrives_as_it_was_approved(
    mail: MailServer, support: Account, guarded: GuardedSession, text: str
) -> None:
    target = mail.say("Where is it?", support.handle)
    push_reply(support, reply_to(target, text), f"text-{text}"[:60], guarded)
    arrived = mail.mails(ANN)[-1]
    assert words(arrived) == text.replace("\r\n", "\n").replace("\r", "\n")
    assert max(map(len, arrived.split(b"\r\n"))) <= 998


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.text(max_size=300),
    name=st.text(max_size=60),
    subject=st.text(max_size=120),
    references=st.lists(st.text(max_size=30), max_size=30),
)
def test_no_value_can_begin_a_header_of_its_own(
    text: str, name: str, subject: str, references: list[str], now: Any
) -> None:
    account = msgspec.structs.replace(ACCOUNT, settings={"name": name})
    target = Target(ANN, name, subject, tuple(references))
    raw = compose(account, reply_to("t@customer.example", text), target, "own@fernway.example", now)
    head, _, body = raw.partition(b"\r\n\r\n")
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert b"\r" not in raw.replace(b"\r\n", b"")
    fields = [line.partition(b":")[0] for line in head.split(b"\r\n") if line[:1] not in {b" ", b"\t"}]
    assert fields == [
        b"Date", b"From", b"To", b"Subject", b"Message-ID", b"In-Reply-To", b"References", b"MIME-Version",
        b"Content-Type", b"Content-Transfer-Encoding",
    ]  # fmt: skip
    message = email.message_from_bytes(raw)
    payload = message.get_payload(decode=True)
    assert isinstance(payload, bytes)
    sent = text.replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "replace")
    assert payload.replace(b"\r\n", b"\n") == sent + b"\n"
    assert body.endswith(b"\r\n")


def test_a_long_thread_keeps_its_root_and_its_end(now: Any) -> None:
    ids = tuple(f"m{number}@customer.example" for number in range(100))
    raw = compose(ACCOUNT, reply_to("last@customer.example"), Target(ANN, "", "x", ids), "own@x.example", now)
    kept = email.message_from_bytes(raw)["References"].split()
    assert (kept[0], kept[-2], kept[-1]) == (f"<{ids[0]}>", f"<{ids[-1]}>", "<last@customer.example>")
    assert len(kept) == 21


def test_the_id_follows_from_the_key_and_says_nothing_of_it() -> None:
    assert id_of(ACCOUNT, "key") == id_of(ACCOUNT, "key") != id_of(ACCOUNT, "other")
    assert id_of(ACCOUNT, "secret-key").endswith("@fernway.example")
    assert "secret" not in id_of(ACCOUNT, "secret-key")
