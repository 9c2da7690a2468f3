"""One conversation by mail, through the whole house: heard, answered by a person, answered again."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from dovecot import PASSWORD, MailServer
from rapport.actions.listening import connect_channel
from rapport.actions.outbound import approve
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


def mail_id(mail: MailServer) -> str:
    """The Message-ID of what was submitted last."""
    head = mail.submitted[-1][2].decode().partition("\r\n\r\n")[0]
    return head.partition("Message-ID: <")[2].partition(">")[0]
