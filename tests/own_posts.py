"""Posts of our own in the tests of the networks: as the sender hands them over, and the whole way from the desk."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import io
import uuid
from collections.abc import Sequence
from typing import Any

import msgspec
from PIL import Image

from rapport.actions.ledger_check import verify
from rapport.actions.listening import connect_channel
from rapport.actions.own_posts import Typed, save_post, send_post
from rapport.bus.base import Bus
from rapport.core.parts import put_together
from rapport.core.reply import Picture, Reply, timed_key
from rapport.networks.base import Account, Sent
from rapport.networks.contract import Network
from rapport.networks.http import GuardedSession
from rapport.pipeline.listener import Listener
from rapport.pipeline.sender import Sender
from rapport.pipeline.worker import Worker
from rapport.store.models import Delivery, Membership

ALT = "A teal shop window, é"


def new_key() -> str:
    """What the sender gives to every try of one post of our own."""
    return timed_key(dt.datetime.now(dt.UTC), uuid.uuid4().hex)


def post_of_ours(network: Network, text: str, place: str = "", **more: Any) -> Reply:
    """A post that answers nobody; `place`: the room or the topic where there is one."""
    return Reply(network=network.name, channel=1, target=place, text=text, approved_by=1, **more)


def teal() -> bytes:
    """A small image."""
    out = io.BytesIO()
    Image.new("RGB", (30, 20), "teal").save(out, "PNG")
    return out.getvalue()


def with_image(network: Network, account: Account, reply: Reply, session: GuardedSession) -> Reply:
    """The post with an image that was brought to the network, and with its words where the network takes any."""
    content, limits = teal(), network.capabilities.media
    assert limits is not None
    picture = Picture(hashlib.sha256(content).hexdigest(), ALT if limits.max_alt else "")
    brought = network.upload(account, picture, content, "image/png", session)
    return msgspec.structs.replace(reply, media=(msgspec.structs.replace(picture, uploaded=brought),))


class Died(BaseException):
    """The process of the sender was killed."""


class Interrupted:
    """A network that has what it is given, and something happens before we hear of it: push number -> what."""

    def __init__(self, network: Network, faults: dict[int, BaseException]) -> None:
        self.network, self.faults, self.pushes = network, faults, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.network, name)

    def push(self, account: Account, reply: Reply, key: str, session: GuardedSession) -> Sent:
        sent = self.network.push(account, reply, key, session)
        self.pushes += 1
        if self.pushes in self.faults:
            raise self.faults[self.pushes]
        return sent


class Speaker:
    """A person on the desk who says something of our own from a real account, and what takes it there.

    `later` moves the clock of the house on; the network goes by its own.
    """

    def __init__(self, by: Membership, account: Account, network: Any, session: GuardedSession, bus: Bus) -> None:
        self.by, self.network, self.session, self.bus = by, network, session, bus
        self.ahead = dt.timedelta()
        self.channel = connect_channel(
            by, network.name, server=account.server, handle=account.handle, external_id=account.account_id,
            name="Brand", token=account.token, settings=dict(account.settings), now=self.now(),
        )  # fmt: skip
        self.sender = Sender({network.name: network}, lambda: session, bus, self.now, dt.timedelta(minutes=1))

    def now(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC) + self.ahead

    def say(self, texts: Sequence[str], place: str = "") -> Delivery:
        """Write it, with lines of scissors between the posts of a thread, and give one's word; the delivery."""
        text = put_together(list(texts)) if len(texts) > 1 else texts[0]
        draft = save_post(self.by, None, Typed(text, [(self.channel, place)]), now=self.now())
        [delivery] = send_post(self.by, draft, version=draft.version, now=self.now())
        assert delivery.state == "queued", delivery.cause
        return delivery

    def send(self, **later: float) -> None:
        """What is due goes out; a sender that dies over it is followed by another one."""
        self.ahead += dt.timedelta(**later)
        with contextlib.suppress(Died):
            while self.sender.send_once():
                pass

    def hear(self) -> None:
        """What the network tells of comes in."""
        minute = dt.timedelta(minutes=1)
        Listener({self.network.name: self.network}, lambda: self.session, self.bus, self.now, minute).pull(self.channel)
        Worker(self.bus, self.now, minute).drain()

    def check_ledger(self) -> None:
        """Every entry is as it was approved."""
        assert verify(self.by.workspace).sequence is None
