"""A network that is a few sets in memory, for acts beside replies: what reached it, and faults before or after that."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Collection
from typing import Any

from rapport.actions.outbound import approve
from rapport.bus.base import Bus
from rapport.core.errors import NetworkError
from rapport.core.reply import Act, Reply
from rapport.networks.base import Account, Capabilities, Sent
from rapport.networks.contract import BaseNetwork
from rapport.pipeline.sender import Sender
from rapport.store.models import Channel, Conversation, Delivery, Membership
from rapport.store.queries.outbound import newest_inbound

ALL = frozenset({"like", "unlike", "boost", "unboost", "follow", "unfollow"})


class Sets(BaseNetwork):
    """It stands in for Mastodon; `faults` meet the next acts, each with whether the network did it all the same."""

    name = "mastodon"
    title = "Sets"
    capabilities = Capabilities(
        True,
        True,
        True,
        500,
        ("public",),
        idempotent_for=3600,
        acts=ALL,
        removes=True,
        edits=True,  # type: ignore[arg-type]
    )
    connect_fields = ()

    def __init__(self) -> None:
        #: id -> words
        self.posts: dict[str, str] = {}
        #: ("like", what)
        self.marks: set[tuple[str, str]] = set()
        self.asked: list[str] = []
        self.faults: list[tuple[NetworkError, bool]] = []
        #: an edit puts a new post in the place of the old one
        self.anew = False

    def _meet(self, what: str, do: Callable[[], None]) -> None:
        self.asked.append(what)
        fault, done = self.faults.pop(0) if self.faults else (None, True)
        if done:
            do()
        if fault is not None:
            raise fault

    def push(self, account: Account, reply: Reply, key: str, session: Any) -> Sent:
        self._meet("reply", lambda: self.posts.update({f"s-{key}": reply.text}))
        return Sent(f"s-{key}")

    def find(
        self, account: Account, reply: Reply, since: dt.datetime, key: str, session: Any, besides: Collection[str] = ()
    ) -> Sent | None:
        return Sent(f"s-{key}") if f"s-{key}" in self.posts else None

    def act(self, account: Account, act: Act, key: str, session: Any) -> Sent:
        mark = (act.kind.removeprefix("un"), act.target or act.handle)
        self._meet(act.kind, lambda: (self.marks.discard if act.kind.startswith("un") else self.marks.add)(mark))
        return Sent(act.target or act.handle)

    def remove(self, account: Account, external_id: str, session: Any) -> None:
        self._meet("delete", lambda: self.posts.pop(external_id, None) and None)

    def edit(self, account: Account, external_id: str, reply: Reply, key: str, session: Any) -> Sent:
        place = f"e-{key}" if self.anew else external_id

        def write() -> None:
            self.posts.pop(external_id, None)
            self.posts[place] = reply.text

        self._meet("edit", write)
        return Sent(place)


@dataclasses.dataclass
class Seat:
    """A person at one conversation, the network, and a sender whose clock the test moves."""

    by: Membership
    channel: Channel
    network: Sets
    bus: Bus
    now: dt.datetime

    def __post_init__(self) -> None:
        networks: Any = {"mastodon": self.network}
        lease = dt.timedelta(minutes=1)
        self.sender = Sender(networks, lambda: None, self.bus, lambda: self.now, lease)  # type: ignore[arg-type, return-value]

    @property
    def talk(self) -> Conversation:
        return Conversation.objects.get()

    def answer(self, text: str = "@nadia I look into it now.") -> Delivery:
        target = newest_inbound(self.talk)
        assert target is not None
        delivery = approve(
            self.by, self.talk, text, target=target, channel=self.channel, version=self.talk.version,
            despite=["near-same", "pile-on"] if self.by.may("configure") else [], now=self.now,
        )  # fmt: skip
        self.send()
        return fresh(delivery)

    def send(self, times: int = 1, **later: float) -> None:
        self.now += dt.timedelta(**later)
        for _ in range(times):
            self.sender.send_once()


def fresh(delivery: Delivery) -> Delivery:
    delivery.refresh_from_db()
    return delivery
