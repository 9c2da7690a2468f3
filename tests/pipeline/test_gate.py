"""No path sends a reply without a person's approval of exactly this text, target and account.

A state machine plays people, a sender and a hostile database user in any order; what reaches the network is compared
with what was approved.
"""

from __future__ import annotations

import collections
import contextlib
import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from conftest import NOON
from rapport.actions import accounts, hearing, listening, outbound, people
from rapport.bus.table import TableBus
from rapport.core.errors import GiveUp, NetworkError, RapportError, Reauthorise, RetryLater, Unconfirmed
from rapport.core.post import Author, Post
from rapport.core.reply import Reply
from rapport.networks.base import Account, Capabilities, Page, Sent
from rapport.networks.contract import BaseNetwork
from rapport.pipeline.sender import Sender
from rapport.store.models import Approval, Basket, Channel, Conversation, Delivery, Draft, Membership, Person, User
from rapport.store.queries.outbound import newest_inbound

pytestmark = pytest.mark.django_db

TEXTS = ["Sorry about the parcel, I look into it.", "Thank you!", "A new one is on its way.", "", "  "]
FAULTS: list[NetworkError | None] = [
    None, None, None, None, None, None,
    RetryLater("busy", 5), GiveUp("no"), Reauthorise("revoked"), Unconfirmed("time-out"),
]  # fmt: skip


class Wire(BaseNetwork):
    """A network that writes down what reaches it and keeps keys as Mastodon does. `lost`: it took it in silence."""

    name = "mastodon"
    title = "Wire"
    capabilities = Capabilities(True, True, True, 500, ("public",), idempotent_for=3600)
    connect_fields = ()

    def __init__(self) -> None:
        self.effects: dict[str, Reply] = {}
        self.pushes: list[Reply] = []
        self.fault: NetworkError | None = None
        self.lost = False

    def push(self, account: Account, reply: Reply, key: str, session: Any) -> Sent:
        approver = Membership.objects.get(pk=reply.approved_by)
        assert approver.may("send"), "sent for somebody who may not send any more"
        assert not approver.workspace.held_at, "sent while everything is held"
        assert not Person.objects.filter(handles__handle=reply.to[0]).exclude(suppressed_reason="").exists()
        SEEN["pushed"] += 1
        self.pushes.append(reply)
        fault, self.fault = self.fault, None
        if fault is None or (isinstance(fault, Unconfirmed) and self.lost):
            self.effects.setdefault(key, reply)
        if fault is not None:
            raise fault
        return Sent(id=f"sent-{key}")

    def find(self, account: Account, reply: Reply, since: dt.datetime, key: str, session: Any) -> Sent | None:
        return Sent(id=f"sent-{key}") if key in self.effects else None

    def streams(self, account: Account) -> tuple[str, ...]:
        return ()

    def pull(self, account: Account, stream: str, cursor: str, session: Any) -> Iterator[Page]:
        return iter(())


class Gate(RuleBasedStateMachine):
    """People of every role, the sender, faults of the network, and somebody who changes rows behind our back."""

    wire: Wire

    @initialize()
    def open_the_desk(self) -> None:
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.now = NOON
        self.wire = Wire()
        networks: Mapping[str, Any] = {"mastodon": self.wire}
        self.bus = TableBus()
        self.sender = Sender(networks, lambda: None, self.bus, lambda: self.now, dt.timedelta(minutes=1))  # type: ignore[arg-type, return-value]
        user = User.objects.create_user("gate-owner@fernway.example", name="Olga")
        workspace = accounts.create_workspace(user, "Gate", now=NOON)
        self.members = [Membership.objects.get(workspace=workspace)]
        baskets = list(Basket.objects.of(workspace))
        for role in ("lead", "agent", "restricted", "advocate", "viewer"):
            member, _ = accounts.invite(self.members[0], f"{role}@gate.example", role, role, baskets, now=NOON)
            self.members.append(member)
        self.channel = listening.connect_channel(
            self.members[0], "mastodon", server="https://gate.example", handle="gate", external_id="g", name="Gate",
            token="t", now=NOON,
        )  # fmt: skip
        self.hear(0)
        self.hear(1)
        # one that goes its way, so that every example has seen the wire
        self.approve_as_people_do(0, 0, list("abcdefgh"))
        self.send(None, False, 1)

    def teardown(self) -> None:
        if hasattr(self, "atomic"):
            transaction.set_rollback(True)
            self.atomic.__exit__(None, None, None)

    @rule(number=st.integers(0, 3))
    def hear(self, number: int) -> None:
        from rapport.pipeline.worker import Worker

        author = Author(id=f"n{number}", handle=f"nadia{number}", name="Nadia")
        post = Post("mastodon", f"{number}-{self.now.timestamp()}", "My parcel is broken @gate", self.now, author)
        hearing.hear(self.channel, [post], self.bus, now=self.now)
        worker = Worker(self.bus, lambda: self.now, dt.timedelta(minutes=1))
        worker._readers = READERS  # loaded once for all examples
        worker.drain()

    @rule(who=st.integers(0, 5), which=st.integers(0, 5), text=st.sampled_from(TEXTS))
    def write_a_draft(self, who: int, which: int, text: str) -> None:
        with contextlib.suppress(RapportError):
            outbound.save_draft(self.members[who], self.conversation(which), text, now=self.now)
            outbound.propose_draft(self.members[who], self.conversation(which), now=self.now)

    @rule(who=st.integers(0, 5), which=st.integers(0, 5), text=st.sampled_from(TEXTS), stale=st.booleans())
    def approve(self, who: int, which: int, text: str, stale: bool) -> None:
        conversation = self.conversation(which)
        target = newest_inbound(conversation)
        assert target is not None
        version = conversation.version - (1 if stale else 0)
        before = Approval.objects.count()
        try:
            outbound.approve(
                self.members[who],
                conversation,
                text,
                target=target,
                channel=self.channel,
                version=version,
                now=self.now,
            )
        except RapportError:
            assert Approval.objects.count() == before
        else:
            assert self.members[who].role in {"owner", "lead", "agent", "advocate"}
            assert text.strip()
            assert not stale

    @rule(who=st.sampled_from([0, 1, 2]), which=st.integers(0, 5), words=st.permutations("abcdefgh"))
    def approve_as_people_do(self, who: int, which: int, words: list[str]) -> None:
        text = " ".join(word * (4 + place) for place, word in enumerate(words))
        self.approve(who, which, text, False)

    @rule(words=st.permutations("abcdefgh"), field=st.sampled_from(["text", "to", "visibility"]))
    def change_what_was_approved_in_the_database(self, words: list[str], field: str) -> None:
        self.approve_as_people_do(0, 0, words)
        waiting = Approval.objects.filter(delivery__state="queued")
        waiting.update(**{field: {"text": "Buy our coins", "to": ["stranger"], "visibility": "direct"}[field]})
        self.send(None, False, 1)

    @rule(words=st.permutations("abcdefgh"), role=st.sampled_from(["viewer", "restricted"]))
    def demote_the_approver_before_it_leaves(self, words: list[str], role: str) -> None:
        self.approve_as_people_do(1, 0, words)
        self.change_somebody(1, role, True)
        self.send(None, False, 1)
        self.change_somebody(1, "lead", True)

    @rule(which=st.integers(0, 5))
    def make_a_delivery_without_an_approval_of_it(self, which: int) -> None:
        # the table itself refuses: a delivery has exactly one approval, an approval exactly one delivery
        approval = Approval.objects.first()
        if approval is None:
            return
        with contextlib.suppress(Exception), transaction.atomic():
            Delivery.objects.create(
                workspace=approval.workspace, approval=approval, channel=self.channel,
                conversation=approval.conversation, idempotency_key=f"forged-{which}", next_try_at=self.now,
                queued_at=self.now,
            )  # fmt: skip

    @rule(who=st.integers(1, 5), role=st.sampled_from(["viewer", "restricted", "agent"]), active=st.booleans())
    def change_somebody(self, who: int, role: str, active: bool) -> None:
        baskets = list(Basket.objects.of(self.channel.workspace_id))
        accounts.change_member(
            self.members[0], self.members[who], role=role, active=active, baskets=baskets, now=self.now
        )

    @rule(reason=st.sampled_from(["asked us to stop", "", ""]))
    def suppress(self, reason: str) -> None:
        person = Person.objects.of(self.channel.workspace_id).first()
        assert person is not None
        people.suppress_person(self.members[0], person, reason, now=self.now)

    @rule(hold=st.sampled_from([True, False, False]))
    def hold(self, hold: bool) -> None:
        owner = Membership.objects.get(pk=self.members[0].pk)
        if hold:
            outbound.hold_everything(owner, "storm", now=self.now)
        else:
            outbound.release_hold(owner, now=self.now)

    @rule(who=st.integers(0, 5), which=st.integers(0, 5), cancel=st.booleans())
    def cancel_or_retry(self, who: int, which: int, cancel: bool) -> None:
        deliveries = list(Delivery.objects.all())
        if deliveries:
            act = outbound.cancel_delivery if cancel else outbound.retry_delivery
            with contextlib.suppress(RapportError):
                act(self.members[who], deliveries[which % len(deliveries)], now=self.now)

    @rule(fault=st.sampled_from(FAULTS), lost=st.booleans(), minutes=st.integers(0, 20))
    def send(self, fault: NetworkError | None, lost: bool, minutes: int) -> None:
        self.now += dt.timedelta(minutes=minutes, seconds=1)
        self.wire.fault, self.wire.lost = fault, lost
        held = Membership.objects.get(pk=self.members[0].pk).workspace.held_at
        pushes = len(self.wire.pushes)
        unconfirmed = Delivery.objects.filter(state="unconfirmed").exists()
        for _ in range(6):
            self.sender.send_once()
        if held and not unconfirmed:
            assert len(self.wire.pushes) == pushes

    @rule()
    def connect_again(self) -> None:
        Channel.objects.filter(pk=self.channel.pk).update(state="connected", paused_until=None)
        self.channel.refresh_from_db()

    @invariant()
    def what_left_was_approved(self) -> None:
        if not hasattr(self, "wire"):
            return
        digests = set(Approval.objects.values_list("digest", flat=True))
        SEEN["rewritten and kept back"] += Delivery.objects.filter(
            state="failed", cause__startswith="This is not"
        ).count()
        SEEN["demoted and kept back"] += Delivery.objects.filter(state="held", cause__contains="may not send").count()
        for reply in self.wire.pushes:
            assert reply.approved_by is not None
            assert reply.digest in digests
            assert reply.text != "Buy our coins"

    @invariant()
    def each_approval_has_one_effect_at_most(self) -> None:
        if not hasattr(self, "wire"):
            return
        keys = dict(Delivery.objects.values_list("idempotency_key", "state"))
        assert set(self.wire.effects) <= set(keys)
        assert {key for key, state in keys.items() if state == "sent"} <= set(self.wire.effects)

    def conversation(self, which: int) -> Conversation:
        found = list(Conversation.objects.of(self.channel.workspace_id).order_by("pk"))
        return found[which % len(found)]


READERS: dict[tuple[str, ...], Any] = {}
SEEN: collections.Counter[str] = collections.Counter()


@pytest.mark.slow
def test_nothing_leaves_without_a_persons_approval() -> None:
    Draft.objects.all().delete()
    run_state_machine_as_test(
        Gate,
        settings=settings(
            max_examples=30, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
    # a machine that never came to the point would prove nothing
    assert SEEN["pushed"] >= 20, SEEN
    assert SEEN["rewritten and kept back"], SEEN
    assert SEEN["demoted and kept back"], SEEN
