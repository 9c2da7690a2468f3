"""No path sends a reply without a person's approval of exactly this text, target and account.

A state machine plays people, a sender and a hostile database user in any order; what reaches the network is compared
with what was approved.
"""

from __future__ import annotations

import collections
import contextlib
import datetime as dt
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

import pytest
from django.db import transaction
from django.db.models import Q
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from acts_cast import ALL
from conftest import NOON
from rapport.actions import (
    accounts,
    acts,
    bulk,
    drafts,
    erasure,
    hearing,
    holds,
    listening,
    outbound,
    own_posts,
    people,
    person_jobs,
    proposals,
    unknown,
)
from rapport.actions.api import leave_draft
from rapport.bus.table import TableBus
from rapport.core.errors import GiveUp, NetworkError, RapportError, Reauthorise, RetryLater, Unconfirmed
from rapport.core.parts import CUT
from rapport.core.post import Author, Post
from rapport.core.reply import Act, Reply
from rapport.networks.base import Account, Capabilities, Page, Sent
from rapport.networks.contract import BaseNetwork
from rapport.pipeline.person_jobs import carry_out
from rapport.pipeline.sender import Sender
from rapport.store.models import (
    Approval,
    Basket,
    Channel,
    Conversation,
    Delivery,
    DeliveryPart,
    Draft,
    Membership,
    Person,
    RuleEffect,
    User,
)
from rapport.store.queries.acts import act_of, person_of
from rapport.store.queries.outbound import newest_inbound
from rapport.store.queries.parts import reply_as_approved

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
    capabilities = Capabilities(
        True, True, True, 500, ("public",), idempotent_for=3600, acts=ALL, removes=True, edits=True
    )
    connect_fields = ()

    def __init__(self) -> None:
        self.effects: dict[str, Reply | None] = {}
        self.dark = False
        self.pushes: list[Reply] = []
        self.fault: NetworkError | None = None
        self.lost = False
        #: what was done beside replies: the key of its delivery, and what
        self.acts: list[tuple[str, str]] = []
        #: ("like", what) that stand
        self.marks: set[tuple[str, str]] = set()

    def _look_at(self, key: str, approver: int | None) -> Delivery:
        """What must be so of everything that reaches the network."""
        member = Membership.objects.get(pk=approver)
        assert member.may("send"), "done for somebody who may not send any more"
        delivery = Delivery.objects.select_related("approval").get(idempotency_key=key)
        let_out, held_at = delivery.let_through_at, member.workspace.held_at
        assert not held_at or (let_out and let_out >= held_at), "done while everything is held"
        assert delivery.approval.person_id == approver
        assert delivery.state == "sending"
        return delivery

    def _meet(self, kind: str, key: str, do: Callable[[], None]) -> None:
        SEEN[kind] += 1
        self.acts.append((key, kind))
        fault, self.fault = self.fault, None
        if fault is None or (isinstance(fault, Unconfirmed) and self.lost):
            do()
        if fault is not None:
            raise fault

    def act(self, account: Account, act: Act, key: str, session: Any) -> Sent:
        delivery = self._look_at(key, act.approved_by)
        assert act.digest == delivery.approval.digest
        person = person_of(delivery.approval)
        assert act.kind.startswith("un") or (person and not person.suppressed_reason), "toward who asked us to stop"
        mark = (act.kind.removeprefix("un"), act.target or act.handle)
        change = self.marks.discard if act.kind.startswith("un") else self.marks.add
        self._meet(act.kind, key, lambda: change(mark))
        return Sent(act.target or act.handle)

    def edit(self, account: Account, external_id: str, reply: Reply, key: str, session: Any) -> Sent:
        delivery = self._look_at(key, reply.approved_by)
        assert reply.text == delivery.approval.text
        assert reply.text != "Buy our coins"
        assert Person.objects.get(handles__handle=reply.to[0]).suppressed_reason == ""
        self._meet("edit", key, lambda: None)
        return Sent(external_id)

    def remove(self, account: Account, external_id: str, session: Any) -> None:
        on_it = Delivery.objects.get(state="sending", approval__kind="delete")
        self._look_at(on_it.idempotency_key, on_it.approval.person_id)
        assert act_of(on_it.approval).target == external_id
        self._meet("delete", on_it.idempotency_key, lambda: None)

    def push(self, account: Account, reply: Reply, key: str, session: Any) -> Sent:
        approver = Membership.objects.get(pk=reply.approved_by)
        assert approver.may("send"), "sent for somebody who may not send any more"
        on_it = Delivery.objects.filter(Q(idempotency_key=key) | Q(parts__key=key)).distinct().get()
        let_out, held_at = on_it.let_through_at, approver.workspace.held_at
        assert not held_at or (let_out and let_out >= held_at), "sent while everything is held"
        if reply.to:
            assert not Person.objects.filter(handles__handle=reply.to[0]).exclude(suppressed_reason="").exists()
        else:
            self._look_at_post(reply, key)
        SEEN["pushed"] += 1
        self.pushes.append(reply)
        fault, self.fault = self.fault, None
        if fault is None or (isinstance(fault, Unconfirmed) and self.lost):
            self.effects.setdefault(key, reply)
        if fault is not None:
            raise fault
        return Sent(id=f"sent-{key}")

    def _look_at_post(self, reply: Reply, key: str) -> None:
        delivery = Delivery.objects.filter(Q(idempotency_key=key) | Q(parts__key=key)).get()
        entry = delivery.approval
        assert (entry.kind, entry.person_id, delivery.state) == ("post", reply.approved_by, "sending")
        assert act_of(entry).digest == entry.digest
        assert reply_as_approved(entry).to == ()
        assert reply.text in (entry.parts or [entry.text])
        SEEN["post" if not entry.parts else "thread"] += 1

    def find(
        self, account: Account, reply: Reply, since: dt.datetime, key: str, session: Any, besides: Collection[str] = ()
    ) -> Sent | None:
        if self.dark:
            raise Unconfirmed("it shows nothing")
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
        # one whose approver may not send any more, and one of each act that there is
        self.demote_the_approver_before_it_leaves(list("hgfedcba"), "viewer")
        self.say_something_of_our_own(0, list("badcfehg"), False, False)
        self.say_something_of_our_own(0, list("cdabghef"), False, True)
        self.send(None, False, 1)
        for kind in ("like", "boost", "follow"):
            self.like_share_or_follow(0, 0, kind)
        self.edit_or_delete_what_was_sent(0, 0, TEXTS[0])
        self.send(None, False, 1)
        self.edit_or_delete_what_was_sent(0, 0, None)
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
            drafts.save_draft(self.members[who], self.conversation(which), text, now=self.now)
            drafts.propose_draft(self.members[who], self.conversation(which), now=self.now)

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

    @rule(who=st.integers(0, 5), words=st.permutations("abcdefgh"), asks=st.booleans(), thread=st.booleans())
    def say_something_of_our_own(self, who: int, words: list[str], asks: bool, thread: bool) -> None:
        text = " ".join(word * (3 + place) for place, word in enumerate(words))
        member = Membership.objects.get(pk=self.members[who].pk)
        before = Approval.objects.count()
        typed = own_posts.Typed(f"{text}\n{CUT}\nand more" if thread else text, [(self.channel, "")])
        try:
            draft = own_posts.save_post(member, None, typed, now=self.now)
            if asks:
                draft = own_posts.propose_post(member, draft, now=self.now)
                member = Membership.objects.get(pk=self.members[(who + 1) % 6].pk)
            assert Approval.objects.count() == before, "a draft is no approval"
            own_posts.send_post(member, draft, version=draft.version, now=self.now)
        except RapportError:
            assert Approval.objects.count() == before
        else:
            assert member.may("send")

    @rule(words=st.permutations("abcdefgh"), field=st.sampled_from(["text", "to", "parts"]))
    def change_a_post_in_the_database(self, words: list[str], field: str) -> None:
        self.say_something_of_our_own(0, words, False, False)
        waiting = Approval.objects.filter(delivery__state="queued", kind="post")
        changed: dict[str, Any] = {"text": "Buy our coins", "to": ["elsewhere"], "parts": ["Buy our coins", "now"]}
        waiting.update(**{field: changed[field]})
        self.send(None, False, 1)

    @rule(who=st.integers(0, 5), which=st.integers(0, 5), kind=st.sampled_from(sorted(ALL)))
    def like_share_or_follow(self, who: int, which: int, kind: str) -> None:
        conversation = self.conversation(which)
        post = newest_inbound(conversation)
        assert post is not None
        before, member = Approval.objects.count(), Membership.objects.get(pk=self.members[who].pk)
        try:
            acts.approve_act(member, kind, conversation=conversation, post=post, channel=self.channel, now=self.now)
        except RapportError:
            assert Approval.objects.count() == before
        else:
            assert member.may("send")

    @rule(who=st.integers(0, 5), which=st.integers(0, 5), text=st.sampled_from([*TEXTS, None]))
    def edit_or_delete_what_was_sent(self, who: int, which: int, text: str | None) -> None:
        deliveries = list(Delivery.objects.filter(approval__kind=None))
        before, member = Approval.objects.count(), Membership.objects.get(pk=self.members[who].pk)
        if not deliveries:
            return
        sent = deliveries[which % len(deliveries)]
        try:
            if text is None:
                acts.delete_sent(member, sent, now=self.now)
            else:
                acts.edit_sent(member, sent, text, now=self.now)
        except RapportError:
            assert Approval.objects.count() == before
        else:
            assert member.may("send")
            assert sent.state == "sent"

    @rule(who=st.integers(0, 5), which=st.integers(0, 5), verb=st.sampled_from(["like", "boost", "follow", "note"]))
    def take_what_a_rule_proposes(self, who: int, which: int, verb: str) -> None:
        conversation = self.conversation(which)
        post = newest_inbound(conversation)
        assert post is not None
        before = Approval.objects.count()
        effect, _ = RuleEffect.objects.get_or_create(  # once for each post, as the table asks
            workspace=self.channel.workspace, conversation=conversation, post=post.pk, verb=verb, argument="x",
            defaults={"rule": "Praise", "level": "suggest", "state": "proposed", "at": self.now},
        )  # fmt: skip
        assert Approval.objects.count() == before, "a proposal is no approval"
        member = Membership.objects.get(pk=self.members[who].pk)
        with contextlib.suppress(RapportError):
            proposals.take(member, effect, now=self.now)
        if Approval.objects.count() > before:
            assert member.may("send")
            assert verb != "note"

    @rule(who=st.integers(0, 5), verb=st.sampled_from(["resolve", "snooze", "assign", "move"]))
    def change_many_at_once(self, who: int, verb: str) -> None:
        before = Approval.objects.count()
        ids = list(Conversation.objects.of(self.channel.workspace_id).values_list("pk", flat=True))
        with contextlib.suppress(RapportError):
            bulk.change(
                self.members[who], ids, verb, now=self.now, until=self.now + dt.timedelta(days=1), assignee=None,
                basket=Basket.objects.of(self.channel.workspace_id)[0],
            )  # fmt: skip
        assert Approval.objects.count() == before

    @rule(who=st.integers(0, 5), which=st.integers(0, 5), propose=st.booleans())
    def a_program_leaves_a_draft(self, who: int, which: int, propose: bool) -> None:
        before = Approval.objects.count()
        with contextlib.suppress(RapportError):
            leave_draft(
                self.members[who], self.conversation(which), "Words of a program", propose=propose,
                now=self.now,
            )  # fmt: skip
        assert Approval.objects.count() == before

    @rule(which=st.integers(0, 5), field=st.sampled_from(["text", "kind", "visibility"]))
    def change_an_act_in_the_database(self, which: int, field: str) -> None:
        self.like_share_or_follow(0, which, "like")
        waiting = Approval.objects.filter(delivery__state="queued", kind="like")
        changed = {"text": "Buy our coins", "kind": "boost", "visibility": "direct"}
        waiting.update(**{field: changed[field]})
        rewritten = set(waiting.model.objects.filter(delivery__state="queued").values_list("delivery__pk", flat=True))
        self.send(None, False, 1)
        SEEN["act rewritten"] += Delivery.objects.filter(
            pk__in=rewritten, state="failed", cause__startswith="This is not"
        ).count()

    @rule(who=st.integers(0, 5))
    def erase_somebody(self, who: int) -> None:
        person = Person.objects.of(self.channel.workspace_id).order_by("pk").first()
        member = Membership.objects.get(pk=self.members[who].pk)
        before = Approval.objects.count()
        if person is None:
            return
        with contextlib.suppress(RapportError):
            erasure.ask_erasure(member, person, "asked by mail", erasure.word_to_type(person), now=self.now)
            job = person_jobs.claim_job("w", now=self.now)
            assert job is not None
            assert member.may("erase")
            SEEN["erased"] += 1
            carry_out(job, lambda: self.now, pause=lambda _: None)
        assert Approval.objects.exclude(kind="erase").count() <= before
        self.hear(0)  # so that there is somebody to answer

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
        if reason:
            people.suppress_person(self.members[0], person, reason, now=self.now)
        else:
            people.lift_suppression(self.members[0], person, "they wrote again", now=self.now)

    @rule(hold=st.sampled_from([True, False, False]))
    def hold(self, hold: bool) -> None:
        owner = Membership.objects.get(pk=self.members[0].pk)
        if hold:
            holds.hold_everything(owner, "storm", now=self.now)
        else:
            holds.release_hold(owner, now=self.now)

    @rule(who=st.integers(0, 5), which=st.integers(0, 5), cancel=st.booleans())
    def cancel_or_retry(self, who: int, which: int, cancel: bool) -> None:
        deliveries = list(Delivery.objects.all())
        if deliveries:
            act = outbound.cancel_delivery if cancel else outbound.retry_delivery
            with contextlib.suppress(RapportError):
                act(self.members[who], deliveries[which % len(deliveries)], now=self.now)

    @rule(who=st.integers(0, 5), which=st.integers(0, 5))
    def let_one_through(self, who: int, which: int) -> None:
        deliveries = list(Delivery.objects.filter(state__in=["held", "queued"]))
        if deliveries:
            with contextlib.suppress(RapportError):
                member = Membership.objects.get(pk=self.members[who].pk)
                holds.let_through(member, deliveries[which % len(deliveries)], now=self.now)

    @rule(who=st.integers(0, 5), there=st.booleans(), minutes=st.integers(0, 90))
    def say_what_became_of_one_that_nobody_can_tell(self, who: int, there: bool, minutes: int) -> None:
        self.wire.dark, self.wire.lost = True, False
        self.approve_as_people_do(0, 0, list("hgfedcba"))
        self.wire.fault = Unconfirmed("time-out")
        for _ in range(9):
            self.now += dt.timedelta(minutes=5 + minutes)
            self.sender.send_once()
        self.wire.dark = False
        for delivery in Delivery.objects.filter(unknown_at__isnull=False):
            SEEN["asked"] += 1
            with contextlib.suppress(RapportError):
                if there:
                    unknown.say_it_is_there(self.members[who], delivery, link="https://a.example/1", now=self.now)
                    self.wire.effects.setdefault(delivery.idempotency_key, None)  # a person saw it there
                else:
                    unknown.send_again(self.members[who], delivery, now=self.now)

    @rule(fault=st.sampled_from(FAULTS), lost=st.booleans(), minutes=st.integers(0, 20))
    def send(self, fault: NetworkError | None, lost: bool, minutes: int) -> None:
        self.now += dt.timedelta(minutes=minutes, seconds=1)
        self.wire.fault, self.wire.lost = fault, lost
        held = Membership.objects.get(pk=self.members[0].pk).workspace.held_at
        pushes = len(self.wire.pushes)
        unconfirmed = Delivery.objects.filter(state="unconfirmed").exists()
        for _ in range(6):
            self.sender.send_once()
        if held and not unconfirmed and not Delivery.objects.filter(let_through_at__gte=held).exists():
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
        for key, kind in self.wire.acts:
            done = Approval.objects.get(delivery__idempotency_key=key)
            assert (done.kind, done.person is not None) == (kind, True)
        for reply in self.wire.pushes:
            assert reply.approved_by is not None
            assert reply.digest in digests or not reply.to
            assert reply.text != "Buy our coins"

    @invariant()
    def each_approval_has_one_effect_at_most(self) -> None:
        if not hasattr(self, "wire"):
            return
        keys = dict(Delivery.objects.filter(approval__parts__isnull=True).values_list("idempotency_key", "state"))
        parts = set(DeliveryPart.objects.values_list("key", flat=True))
        assert set(self.wire.effects) <= set(keys) | parts
        done = {key for key, _ in self.wire.acts}
        assert {key for key, state in keys.items() if state == "sent"} <= set(self.wire.effects) | done

    def conversation(self, which: int) -> Conversation:
        rows = Conversation.objects.of(self.channel.workspace_id).order_by("pk")
        found = [row for row in rows if newest_inbound(row) is not None]
        return found[which % len(found)]


READERS: dict[tuple[str, ...], Any] = {}
SEEN: collections.Counter[str] = collections.Counter()


@pytest.mark.slow
def test_nothing_leaves_without_a_persons_approval() -> None:
    Draft.objects.all().delete()
    run_state_machine_as_test(
        Gate,
        settings=settings(
            max_examples=20, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
    # a machine that never came to the point would prove nothing
    assert SEEN["pushed"] >= 20, SEEN
    assert SEEN["rewritten and kept back"], SEEN
    assert SEEN["demoted and kept back"], SEEN
    assert SEEN["asked"], SEEN
    for kind in ("like", "boost", "follow", "edit", "delete", "post", "thread"):
        assert SEEN[kind], SEEN
