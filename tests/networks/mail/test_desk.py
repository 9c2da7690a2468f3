"""One conversation by mail, through the whole house: heard, answered by a person, answered again."""

from __future__ import annotations

import datetime as dt
import email
import email.policy
from typing import Any

import pytest

from dovecot import PASSWORD, MailServer
from rapport.actions.acknowledge import save_acknowledgement
from rapport.actions.listening import connect_channel
from rapport.actions.outbound import approve
from rapport.core.acknowledge import EXAMPLE
from rapport.networks.http import GuardedSession
from rapport.networks.mail.network import Mail
from rapport.pipeline.listener import Listener
from rapport.pipeline.sender import Sender
from rapport.pipeline.worker import Worker
from rapport.store.models import Channel, Conversation, Delivery, Post

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
MINUTE = dt.timedelta(minutes=1)


def clock() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@pytest.fixture
def channel(alice: Any, mail: MailServer, guarded: GuardedSession) -> Channel:
    """A mailbox that Alice connected with the form."""
    like = mail.account(security="tls")
    fields = {
        "address": like.handle, "name": "Fernway", "password": PASSWORD, "imap_host": "localhost",
        "imap_port": str(mail.imaps), "smtp_host": "localhost", "smtp_port": str(mail.smtps),
    }  # fmt: skip
    connected = Mail().connect(fields, guarded)
    return connect_channel(
        alice, "mail", server=connected.server, handle=connected.identity.handle,
        external_id=connected.identity.account_id, name=connected.identity.name, token=connected.token,
        settings=connected.settings | {"every": "0"}, now=clock(),
    )  # fmt: skip


def test_a_conversation_by_mail_goes_there_and_back_as_one(
    alice: Any, bus: Any, channel: Channel, mail: MailServer, guarded: GuardedSession
) -> None:
    networks = {"mail": Mail()}
    listener = Listener(networks, lambda: guarded, bus, clock, MINUTE)
    worker = Worker(bus, clock, MINUTE)
    sender = Sender(networks, lambda: guarded, bus, clock, MINUTE)

    def hear() -> None:
        listener.pull(channel)
        worker.drain()

    asked = mail.say("My train was late for the third time. Where do I get my money back?", channel.handle)
    hear()
    conversation = Conversation.objects.get()
    target = Post.objects.get(external_id=asked)
    approve(
        alice, conversation, "I am sorry. Here is how.\n\nAlice", target=target, channel=channel,
        version=conversation.version, now=clock(),
    )  # fmt: skip
    assert sender.send_once()
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.external_id) == (Delivery.State.SENT, mail_id(mail))
    assert mail.submitted[-1][1] == ["ann@customer.example"]
    hear()  # the copy among the sent mails is the post that stands there already
    mail.say(
        "Thank you!\n\nOn Sat, 21 Nov 2026 at 10:00, Fernway <x@fernway.example> wrote:\n> I am sorry.",
        channel.handle, Subject="Re: A question", In_Reply_To=f"<{delivery.external_id}>",
        References=f"<{asked}> <{delivery.external_id}>",
    )  # fmt: skip
    hear()
    assert Conversation.objects.count() == 1
    texts = list(Post.objects.order_by("pk").values_list("text", "handle__ours"))  # mails tell their time in seconds
    assert texts == [
        ("A question\n\nMy train was late for the third time. Where do I get my money back?", False),
        ("I am sorry. Here is how.\n\nAlice", True),
        ("Thank you!", False),
    ]


def test_an_automatic_word_says_so_in_its_headers_and_no_other_machine_is_given_one(
    alice: Any, bus: Any, channel: Channel, mail: MailServer, guarded: GuardedSession
) -> None:
    save_acknowledgement(
        alice, enabled=True, texts={"": EXAMPLE}, help_links="https://help.example/", by_rules=False,
        baskets=["care", "questions"], now=clock(),
    )  # fmt: skip
    networks = {"mail": Mail()}
    listener = Listener(networks, lambda: guarded, bus, clock, MINUTE)
    worker = Worker(bus, clock, MINUTE)
    sender = Sender(networks, lambda: guarded, bus, clock, MINUTE)
    before = len(mail.submitted)
    need = "My parcel is broken, third time!"

    def go_round() -> int:
        listener.pull(channel)
        worker.drain()
        while sender.send_once():
            pass
        worker.drain()
        return len(mail.submitted) - before

    asked = mail.say(need, channel.handle)
    assert go_round() == 1
    envelope, recipients, content = mail.submitted[-1]
    said = email.message_from_bytes(content, policy=email.policy.default)
    # RFC 3834, section 3: whom it goes to, what it answers, and by what other machines know it
    assert (envelope, recipients) == (channel.handle, ["ann@customer.example"])
    assert said["Auto-Submitted"] == "auto-replied"
    assert (said["In-Reply-To"], said["References"]) == (f"<{asked}>", f"<{asked}>")
    assert said["Subject"] == "Re: A question"
    assert said["List-Id"] is said["List-Unsubscribe"] is said["Precedence"] is None
    # Ann's holiday program knows no RFC 3834 and answers it all the same, again and again
    for number in range(2):
        mail.say(
            f"I am away. {need} ({number})", channel.handle, Auto_Submitted="auto-replied", Subject="Away",
            In_Reply_To=str(said["Message-ID"]),
        )  # fmt: skip
        assert go_round() == 1
    # section 2: who must not be answered, each of them somebody of whom we have not heard yet
    machines: list[dict[str, str]] = [
        {"Auto_Submitted": "auto-generated"},
        {"Auto_Submitted": "auto-replied (vacation)"},
        {"Precedence": "bulk"},
        {"Precedence": "junk"},
        {"X_Auto_Response_Suppress": "All"},
        {"sender": "Nobody <no-reply@shop.example>"},
        {"sender": "Mail <MAILER-DAEMON@shop.example>"},
    ]
    answered = []
    for number, fields in enumerate(machines):
        given = {"sender": f"Someone <someone{number}@customer.example>", **fields}
        mail.say(f"{need} ({number})", channel.handle, Subject=f"Parcel {number}", **given)
        if go_round() != 1:
            answered.append(fields)
            before = len(mail.submitted) - 1
    assert answered == []
    # and a person is, once more
    mail.say(need, channel.handle, "Eve <eve@customer.example>", Subject="Another parcel")
    assert go_round() == 2


def mail_id(mail: MailServer) -> str:
    """The Message-ID of what was submitted last."""
    head = mail.submitted[-1][2].decode().partition("\r\n\r\n")[0]
    return head.partition("Message-ID: <")[2].partition(">")[0]
