"""Every action leaves an audit row: the test walks all of them, and fails for one that it does not know."""

from __future__ import annotations

import datetime as dt
import importlib
import inspect
import pkgutil
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

import rapport.actions
from conftest import NOON
from rapport.actions import (
    absences,
    accounts,
    acknowledge,
    api,
    back_tests,
    baskets,
    checks,
    corrections,
    dealing,
    delivery,
    desk,
    draft_returns,
    effects,
    hearing,
    held,
    keys,
    ladder,
    listening,
    notice_ways,
    notices,
    outbound,
    people,
    promises,
    proposals,
    readings,
    rematch,
    rule_drafts,
    rules,
    score,
    tasks,
    team_model,
    webhooks,
)
from rapport.bus.base import Batch
from rapport.core.acknowledge import EXAMPLE
from rapport.core.decision import Crisis, Decision, Effect, Score
from rapport.core.decision import Outcome as Judged
from rapport.core.decision import Route as Way
from rapport.core.notices import Quiet
from rapport.core.post import Author, Post
from rapport.core.promises import Terms
from rapport.core.reading import Reading
from rapport.core.rhythm import Silence
from rapport.core.rules import default_document
from rapport.core.score import Weights
from rapport.core.thresholds import Thresholds
from rapport.networks.base import Page, Rechecked
from rapport.store.models import (
    AuditEntry,
    BackTest,
    Basket,
    BusMessage,
    Channel,
    Check,
    Conversation,
    Delivery,
    Draft,
    Escalation,
    Handle,
    Membership,
    Person,
    PreparedReply,
    PushSubscription,
    RuleDraft,
    RuleEffect,
    Task,
    TeamModel,
    Topic,
    Webhook,
    WebhookCall,
)
from rapport.store.models import Post as StoredPost
from rapport.store.queries.effects import Fired
from rapport.store.queries.outbound import newest_inbound

pytestmark = pytest.mark.django_db

#: functions of the action modules that read or compute and write nothing, or that are a step of writing an audit row
NOT_ACTIONS = {
    "acknowledge": {"asked_by_rules"},
    "accounts": {"check_timezone", "find_sign_in_link"},
    "api": {"digest_of"},
    "audit": {"write_audit", "announce", "require", "require_conversation", "sees"},
    # telling is a step of what is told, and a look at one's own bell is no deed
    "notices": {
        "about_one",
        "announce_read",
        "notify",
        "notify_assigned",
        "notify_of_answer",
        "notify_of_delivery",
        "notify_of_due_tasks",
        "notify_of_proposal",
        "notify_of_rules",
        "notify_of_sent_drafts",
        "notify_of_source",
        "read_about",
        "read_notices",
        "take_back",
        "tell",
    },
    "notice_ways": {"note_failure", "sweep_notices"},
    "outbound": {"chain_hash", "describe"},
    "rematch": {"look_up_rematch"},
    "baskets": {"check_languages", "check_skills"},
    # steps of what moves a conversation: that act writes the row
    "promises": {"change_terms", "keep_promises"},
    "dealing": {"settle_batch"},
    "rule_days": {"is_thrown_away", "note_override"},
    "proposals": {"right_of", "said"},
    "tasks": {"require_task"},
    "back_tests": {"note_progress"},
    "rules": {"check_document", "put_in_force", "read_anew"},
    "team_model": {"note_progress"},
    "webhooks": {"secret_of", "tell"},
}


class World:
    """Everything that an action may need, made fresh for each."""

    def __init__(self, alice: Membership, ben: Membership, channel: Channel, bus: Any, worker: Any) -> None:
        self.alice, self.ben, self.channel, self.bus, self.worker = alice, ben, channel, bus, worker
        self.workspace = alice.workspace
        post = Post(
            "mastodon", "1", "My parcel is broken, @fernway!", NOON, Author(id="n", handle="nadia", name="Nadia")
        )
        hearing.hear(channel, [post], bus, now=NOON)
        worker.drain()
        self.conversation = Conversation.objects.get()
        self.person = Person.objects.get()
        self.basket = Basket.objects.of(self.workspace).get(slug="praise")

    def approve(self) -> Delivery:
        target = newest_inbound(self.conversation)
        assert target is not None
        return outbound.approve(
            self.alice, self.conversation, "@nadia I look into it now.", target=target, channel=self.channel,
            version=Conversation.objects.get(pk=self.conversation.pk).version, now=NOON,
        )  # fmt: skip

    def claimed(self, pushed: bool = True) -> Delivery:
        self.approve()
        claimed = delivery.claim("sender", dt.timedelta(minutes=1), now=NOON)
        assert claimed is not None
        if pushed:
            delivery.mark_pushed(claimed, now=NOON)
        return claimed

    def batch(self) -> Batch:
        hearing.hear(self.channel, [Post("mastodon", "2", "Hi", NOON, Author(id="n"))], self.bus, now=NOON)
        batch = self.bus.claim("w", NOON, dt.timedelta(minutes=1))
        assert batch is not None
        return batch

    def process(self, batch: Batch) -> Any:
        from rapport.pipeline.line import process

        return process([post for _, post in batch.posts], self.worker.snapshot(batch), NOON)


def promised(world: World) -> World:
    """An answer within half an hour is promised where the conversation lies."""
    care = world.conversation.basket
    assert care is not None
    wish = baskets.Wish(care.name, terms=Terms(first=(30, 30, 30, 30)), push=True)
    baskets.save_basket(world.alice, care, wish, now=NOON)
    AuditEntry.objects.all().delete()
    return world


def quarantine(world: World) -> Conversation:
    Conversation.objects.update(state="quarantined")
    return Conversation.objects.get()


def folded(world: World) -> Conversation:
    Conversation.objects.update(state="folded")
    return Conversation.objects.get()


def snoozed(world: World) -> int:
    desk.snooze(world.alice, world.conversation, NOON + dt.timedelta(hours=1), now=NOON)
    AuditEntry.objects.all().delete()
    return desk.wake_snoozed(world.workspace, now=NOON + dt.timedelta(hours=2))


def poisoned(world: World) -> BusMessage:
    batch = world.batch()
    BusMessage.objects.filter(pk=batch.id).update(state="quarantined")
    return BusMessage.objects.get()


def link(world: World) -> str:
    return accounts.make_sign_in_link(world.alice.user, dt.timedelta(hours=1), now=NOON)


def neighbour(world: World) -> Person:
    """Somebody else, on another network."""
    person = Person.objects.create(workspace=world.workspace, name="Nadia O", first_seen=NOON, last_seen=NOON)
    Handle.objects.create(
        workspace=world.workspace, person=person, network="bluesky", external_id="did:n", handle="nadia.example"
    )
    return person


def joined(world: World) -> Any:
    merge = people.join_people(world.alice, world.person, neighbour(world), "Her profile says so", now=NOON)
    AuditEntry.objects.all().delete()
    return merge


def rain(world: World) -> Topic:
    return listening.save_topic(world.alice, "", "Rain", "rain", now=NOON)


def record(world: World) -> Any:
    batch = world.batch()
    AuditEntry.objects.all().delete()
    return desk.record(batch, world.process(batch), world.bus, now=NOON)


def retry(world: World) -> Any:
    one = world.claimed()
    delivery.settle_failed(one, "no", now=NOON)
    AuditEntry.objects.all().delete()
    return outbound.retry_delivery(world.alice, one, now=NOON)


def push(world: World) -> Any:
    one = world.claimed(pushed=False)
    AuditEntry.objects.all().delete()
    return delivery.mark_pushed(one, now=NOON)


def in_the_making(world: World) -> TeamModel:
    team_model.ask_team_model(world.alice, now=NOON)
    row = team_model.claim_team_model("w", now=NOON)
    assert row is not None
    AuditEntry.objects.all().delete()
    return row


def team_made(world: World) -> TeamModel:
    row = in_the_making(world)
    team_model.finish_team_model(row, [], b"x", beside="", corrections=0, stood=0, now=NOON)
    AuditEntry.objects.all().delete()
    return row


def fired(world: World, verb: str = "note", argument: str = "x") -> Fired:
    """A rule that fired on Nadia's post."""
    post = StoredPost.objects.get()
    decision = Decision("care", effects=(Effect("A rule", verb, argument),))
    outcome = Judged("mastodon", "1", (), Reading("mastodon", "1"), Score(), decision, Way("care"))
    said = Post("mastodon", "1", "x", NOON, Author(id="n"))
    return Fired(post.pk, world.conversation.pk, world.person.pk, said, outcome, automated=False)


def turn_on(world: World) -> object:
    return acknowledge.save_acknowledgement(
        world.alice, enabled=True, texts={"": EXAMPLE}, help_links="", baskets=["care"], by_rules=False, now=NOON
    )


def addressed(world: World) -> Fired:
    """Nadia's post, as a message to us."""
    return msgspec.structs.replace(fired(world), said=Post("mastodon", "1", "x", NOON, Author(id="n"), kind="message"))


def proposal(world: World) -> RuleEffect:
    """A rule proposes a like."""
    effect = Effect("A rule", "like", "", "suggest")
    post = fired(world)
    outcome = msgspec.structs.replace(post.outcome, decision=Decision("care", effects=(effect,)))
    effects.carry_out(world.workspace.pk, [msgspec.structs.replace(post, outcome=outcome)], now=NOON)
    AuditEntry.objects.all().delete()
    return RuleEffect.objects.get()


def task(world: World) -> Task:
    made = tasks.make_task(world.alice, "Call", conversation=world.conversation, now=NOON)
    AuditEntry.objects.all().delete()
    return made


def hook(world: World) -> Webhook:
    made, _ = webhooks.add_webhook(world.alice, "crm", "https://crm.example/in", now=NOON)
    AuditEntry.objects.all().delete()
    return made


def claimed_call(world: World) -> WebhookCall:
    webhooks.try_webhook(world.alice, hook(world), now=NOON)
    call = webhooks.claim_call(dt.timedelta(minutes=1), now=NOON)
    assert call is not None
    AuditEntry.objects.all().delete()
    return call


def a_device(world: World) -> PushSubscription:
    return notice_ways.add_device(world.alice, "https://push.example/1", "k", "s", "Firefox", now=NOON)


def a_due_mail(world: World) -> Any:
    notices.notify(world.workspace, [world.alice], "task", text="Due", now=NOON)
    claimed = notice_ways.claim_due("mail", now=NOON + dt.timedelta(hours=1))
    assert claimed is not None
    return claimed


def a_draft(world: World) -> RuleDraft:
    draft = rule_drafts.begin_draft(world.alice, "Rain", "# none\n", now=NOON)
    AuditEntry.objects.all().delete()
    return draft


def beside(world: World) -> RuleDraft:
    draft = rule_drafts.run_beside(world.alice, a_draft(world), NOON + dt.timedelta(hours=1), now=NOON)
    AuditEntry.objects.all().delete()
    return draft


def a_trial(world: World) -> BackTest:
    made = back_tests.ask_back_test(world.alice, a_draft(world), NOON - dt.timedelta(days=1), NOON, now=NOON)
    AuditEntry.objects.all().delete()
    return made


def trial_claimed(world: World) -> BackTest:
    a_trial(world)
    row = back_tests.claim_back_test("w", now=NOON)
    assert row is not None
    AuditEntry.objects.all().delete()
    return row


#: name -> what calls it; each must write at least one audit row
WALK: dict[str, Callable[[World], Any]] = {
    "accounts.create_workspace": lambda w: accounts.create_workspace(w.alice.user, "Second", now=NOON),
    "accounts.invite": lambda w: accounts.invite(w.alice, "new@fernway.example", "New", "agent", [], now=NOON),
    "accounts.change_member": lambda w: accounts.change_member(
        w.alice, w.ben, role="lead", active=True, baskets=[], now=NOON
    ),
    "accounts.make_sign_in_link": link,
    "accounts.redeem_sign_in_link": lambda w: accounts.redeem_sign_in_link(link(w), now=NOON),
    "accounts.save_profile": lambda w: accounts.save_profile(
        w.alice.user, name="A", timezone="Europe/Berlin", theme="dark", language="en", shortcuts=True, now=NOON
    ),
    "hearing.hear": lambda w: hearing.hear(
        w.channel, [Post("mastodon", "9", "x", NOON, Author(id="z"))], w.bus, now=NOON
    ),
    "hearing.hear_page": lambda w: hearing.hear_page(
        w.channel, Page("home", (Post("mastodon", "9", "x", NOON, Author(id="z")),), "1"), w.bus, now=NOON
    ),
    "hearing.receive": lambda w: hearing.receive(
        w.channel, "d1", [Page("home", (Post("mastodon", "9", "x", NOON, Author(id="z")),), "1")], w.bus, now=NOON
    ),
    "hearing.hide_authors": lambda w: hearing.hide_authors(w.channel, ["n"], now=NOON),
    "hearing.show_authors": lambda w: (
        hearing.hide_authors(w.channel, ["n"], now=NOON),
        AuditEntry.objects.all().delete(),
        hearing.show_authors(w.channel, ["n"], w.bus, now=NOON),
    ),
    "hearing.settle_recheck": lambda w: hearing.settle_recheck(w.channel, Rechecked(deleted=("1",)), w.bus, now=NOON),
    "hearing.take_down": lambda w: hearing.take_down(w.channel, ["1"], now=NOON),
    "keys.reseal_everything": lambda w: keys.reseal_everything(now=NOON),
    "listening.open_file_channel": lambda w: listening.open_file_channel(w.workspace, "file", "x", now=NOON),
    "listening.connect_channel": lambda w: listening.connect_channel(
        w.alice, "mastodon", server="https://a.example", handle="a", external_id="1", name="A", token="t", now=NOON
    ),
    "listening.change_channel": lambda w: listening.change_channel(
        w.alice, w.channel, name="B", timezone="UTC", settings={}, now=NOON
    ),
    "listening.disconnect_channel": lambda w: listening.disconnect_channel(w.alice, w.channel, now=NOON),
    "listening.ask_to_reconnect": lambda w: listening.ask_to_reconnect(w.channel, "revoked", now=NOON),
    "listening.pause_channel": lambda w: listening.pause_channel(w.channel, NOON, "429", now=NOON),
    "listening.pause_stream": lambda w: listening.pause_stream(w.channel, "home", NOON, "429", now=NOON),
    "listening.note_stream_error": lambda w: listening.note_stream_error(w.channel, "home", "403", now=NOON),
    "listening.claim_renewal": lambda w: listening.claim_renewal(w.channel, NOON, now=NOON),
    "listening.keep_token": lambda w: listening.keep_token(w.channel, "new", None, now=NOON),
    "listening.note_silence": lambda w: listening.note_silence(w.channel, Silence(NOON, 9.0, 0.0001), now=NOON),
    "listening.see_gaps": lambda w: listening.see_gaps(w.alice, w.channel, now=NOON),
    "listening.save_topic": lambda w: listening.save_topic(w.alice, "", "Rain", "rain", now=NOON),
    "listening.delete_topic": lambda w: listening.delete_topic(
        w.alice, Topic.objects.create(workspace=w.workspace, slug="s", name="S", query="s", updated_at=NOON), now=NOON
    ),
    "rematch.begin_rematch": lambda w: (
        topic := rain(w),
        AuditEntry.objects.all().delete(),
        rematch.begin_rematch(w.alice, topic, now=NOON),
    ),
    "rematch.carry_on_rematches": lambda w: (
        rematch.begin_rematch(w.alice, rain(w), now=NOON),
        AuditEntry.objects.exclude(verb="topic.rematch").delete(),
        rematch.carry_on_rematches(w.workspace, now=NOON),
        AuditEntry.objects.filter(verb="topic.rematch").delete(),
    ),
    "checks.draw_sample": lambda w: (
        quarantine(w),
        AuditEntry.objects.all().delete(),
        checks.draw_sample(w.workspace, lambda rows, count: list(rows)[:count], now=NOON),
    ),
    "checks.judge_check": lambda w: checks.judge_check(
        w.alice,
        Check.objects.create(workspace=w.workspace, conversation=quarantine(w), day=NOON.date(), population=1),
        basket=w.basket,
        now=NOON,
    ),
    "corrections.correct": lambda w: corrections.correct(
        w.alice, StoredPost.objects.get(), "sentiment", "positive", now=NOON
    ),
    "corrections.withdraw": lambda w: (
        made := corrections.correct(w.alice, StoredPost.objects.get(), "sentiment", "positive", now=NOON),
        AuditEntry.objects.all().delete(),
        corrections.withdraw(w.alice, made, now=NOON),
    ),
    "desk.record": record,
    "absences.save_absence": lambda w: absences.save_absence(w.ben, w.ben, since=NOON, until=None, now=NOON),
    "absences.end_absence": lambda w: absences.end_absence(
        w.ben, absences.save_absence(w.ben, w.ben, since=NOON, until=None, now=NOON), now=NOON
    ),
    "absences.hand_back": lambda w: (
        desk.assign(w.alice, w.conversation, w.ben, now=NOON),
        AuditEntry.objects.all().delete(),
        absences.hand_back(w.alice, w.ben, now=NOON),
    ),
    "baskets.save_basket": lambda w: baskets.save_basket(w.alice, None, baskets.Wish("Press"), now=NOON),
    "baskets.set_people": lambda w: baskets.set_people(w.alice, w.basket, [w.ben], now=NOON),
    "baskets.describe_member": lambda w: baskets.describe_member(
        w.alice, w.ben, capacity=3, languages=["de"], skills=["refunds"], now=NOON
    ),
    "dealing.tend_baskets": lambda w: dealing.tend_baskets(promised(w).workspace, now=NOON),
    "promises.warn": lambda w: promises.warn(promised(w).workspace, now=NOON + dt.timedelta(minutes=25)),
    "promises.mark_broken": lambda w: promises.mark_broken(promised(w).workspace, now=NOON + dt.timedelta(minutes=31)),
    "desk.assign": lambda w: desk.assign(w.alice, w.conversation, w.ben, now=NOON),
    "desk.snooze": lambda w: desk.snooze(w.alice, w.conversation, NOON + dt.timedelta(hours=1), now=NOON),
    "desk.resolve": lambda w: desk.resolve(w.alice, w.conversation, now=NOON),
    "desk.reopen": lambda w: desk.reopen(w.alice, w.conversation, now=NOON),
    "desk.move": lambda w: desk.move(w.alice, w.conversation, w.basket, now=NOON),
    "desk.prioritise": lambda w: desk.prioritise(w.alice, w.conversation, 3, now=NOON),
    "desk.put_aside": lambda w: desk.put_aside(w.alice, w.conversation, now=NOON),
    "proposals.take": lambda w: proposals.take(w.alice, proposal(w), now=NOON),
    "proposals.dismiss": lambda w: proposals.dismiss(w.alice, proposal(w), now=NOON),
    "proposals.put_back": lambda w: (
        effect := proposals.dismiss(w.alice, proposal(w), now=NOON),
        AuditEntry.objects.all().delete(),
        proposals.put_back(w.alice, effect, now=NOON),
    ),
    "desk.take_out": lambda w: desk.take_out(w.alice, quarantine(w), w.basket, now=NOON),
    "desk.unfold": lambda w: desk.unfold(w.alice, folded(w), now=NOON),
    "desk.add_note": lambda w: desk.add_note(w.alice, w.conversation, "Called", now=NOON),
    "desk.wake_snoozed": snoozed,
    "desk.retry_message": lambda w: desk.retry_message(w.alice, poisoned(w), w.bus, now=NOON),
    "outbound.save_draft": lambda w: outbound.save_draft(w.alice, w.conversation, "Dear", now=NOON),
    "notices.note_crisis": lambda w: notices.note_crisis(w.workspace, Crisis(0.5, 60, 4.0, 3), now=NOON),
    "notice_ways.save_wishes": lambda w: notice_ways.save_wishes(w.alice, {}, Quiet(), now=NOON),
    "notice_ways.turn_off": lambda w: notice_ways.turn_off(w.alice, "mail", now=NOON),
    "notice_ways.add_device": a_device,
    "notice_ways.remove_device": lambda w: notice_ways.remove_device(w.alice, a_device(w), now=NOON),
    "notice_ways.claim_due": a_due_mail,
    "notice_ways.give_back": lambda w: notice_ways.give_back(a_due_mail(w), NOON, now=NOON),
    "draft_returns.return_draft": lambda w: (
        outbound.save_draft(w.ben, w.conversation, "Dear", now=NOON),
        outbound.propose_draft(w.ben, w.conversation, now=NOON),
        AuditEntry.objects.all().delete(),
        draft_returns.return_draft(w.alice, Draft.objects.get(author=w.ben), "Warmer", now=NOON),
    ),
    "outbound.propose_draft": lambda w: (
        outbound.save_draft(w.alice, w.conversation, "Dear", now=NOON),
        AuditEntry.objects.all().delete(),
        outbound.propose_draft(w.alice, w.conversation, now=NOON),
    ),
    "outbound.save_prepared_reply": lambda w: outbound.save_prepared_reply(w.alice, "hi", "Hi", "Hi", now=NOON),
    "outbound.delete_prepared_reply": lambda w: outbound.delete_prepared_reply(
        w.alice, PreparedReply.objects.of(w.workspace)[0], now=NOON
    ),
    "outbound.approve": World.approve,
    "outbound.cancel_delivery": lambda w: outbound.cancel_delivery(w.alice, w.approve(), now=NOON),
    "outbound.retry_delivery": retry,
    "held.requeue_held": lambda w: held.requeue_held(w.workspace, rule="crisis-hold", now=NOON),
    "outbound.hold_everything": lambda w: outbound.hold_everything(w.alice, "storm", now=NOON),
    "outbound.release_hold": lambda w: outbound.release_hold(w.alice, now=NOON),
    "delivery.claim": lambda w: w.claimed(pushed=False),
    "delivery.mark_pushed": push,
    "delivery.settle_sent": lambda w: delivery.settle_sent(
        w.claimed(), "77", "", Post("mastodon", "77", "x", NOON, Author(id="us", ours=True)), w.bus, now=NOON
    ),
    "delivery.settle_later": lambda w: delivery.settle_later(w.claimed(), "429", NOON, now=NOON),
    "delivery.settle_dropped": lambda w: delivery.settle_dropped(w.claimed(), "late", now=NOON),
    "delivery.settle_failed": lambda w: delivery.settle_failed(w.claimed(), "gone", now=NOON),
    "delivery.settle_held": lambda w: delivery.settle_held(w.claimed(), "pace", now=NOON),
    "delivery.settle_unconfirmed": lambda w: delivery.settle_unconfirmed(w.claimed(), "time-out", NOON, now=NOON),
    "people.ignore_person": lambda w: people.ignore_person(w.alice, w.person, "insults us", now=NOON),
    "people.stop_ignoring": lambda w: people.stop_ignoring(w.alice, w.person, now=NOON),
    "people.keep_ignoring": lambda w: (
        people.ignore_person(w.alice, w.person, "insults us", now=NOON),
        AuditEntry.objects.all().delete(),
        people.keep_ignoring(w.alice, w.person, now=NOON),
    ),
    "people.end_lapsed_ignorings": lambda w: (
        people.ignore_person(w.alice, w.person, "insults us", until=NOON + dt.timedelta(days=1), now=NOON),
        AuditEntry.objects.all().delete(),
        people.end_lapsed_ignorings(w.workspace, now=NOON + dt.timedelta(days=2)),
    ),
    "people.suppress_person": lambda w: people.suppress_person(w.alice, w.person, "asked", now=NOON),
    "people.set_relationship": lambda w: people.set_relationship(w.alice, w.person, "customer", now=NOON),
    "people.say_automated": lambda w: people.say_automated(w.alice, w.person.handles.get(), False, now=NOON),
    "people.join_people": lambda w: people.join_people(w.alice, w.person, neighbour(w), "She said so", now=NOON),
    "people.split_people": lambda w: people.split_people(w.alice, joined(w), now=NOON),
    "people.split_handle": lambda w: (
        Handle.objects.create(workspace=w.workspace, person=w.person, network="bluesky", external_id="did:n"),
        people.split_handle(w.alice, Handle.objects.get(network="mastodon", person=w.person), now=NOON),
    ),
    "api.create_token": lambda w: api.create_token(w.alice, "Sync", now=NOON),
    "api.revoke_token": lambda w: (
        token := api.create_token(w.alice, "Sync", now=NOON)[0],
        AuditEntry.objects.all().delete(),
        api.revoke_token(token, now=NOON),
    ),
    "api.hand_in": lambda w: (
        token := api.create_token(w.alice, "Sync", now=NOON)[0],
        AuditEntry.objects.all().delete(),
        api.hand_in(token, "x", [], [], w.bus, key="k", digest="d", now=NOON),
    ),
    "api.leave_draft": lambda w: api.leave_draft(w.alice, w.conversation, "Dear", now=NOON),
    "score.save_weights": lambda w: score.save_weights(w.alice, Weights(reach=0), "no reach", now=NOON),
    "score.set_score": lambda w: score.set_score(w.alice, w.conversation, 80, now=NOON),
    "score.clear_score": lambda w: (
        score.set_score(w.alice, w.conversation, 80, now=NOON),
        AuditEntry.objects.all().delete(),
        score.clear_score(w.alice, w.conversation, now=NOON),
    ),
    "readings.save_reading_settings": lambda w: readings.save_reading_settings(
        w.alice, Thresholds(complaint=0.7), 0.1, now=NOON
    ),
    "team_model.ask_team_model": lambda w: team_model.ask_team_model(w.alice, now=NOON),
    "team_model.ask_from_command_line": lambda w: team_model.ask_from_command_line(w.workspace, now=NOON),
    "team_model.claim_team_model": lambda w: (
        team_model.ask_team_model(w.alice, now=NOON),
        AuditEntry.objects.all().delete(),
        team_model.claim_team_model("w", now=NOON),
    ),
    "team_model.finish_team_model": lambda w: team_model.finish_team_model(
        in_the_making(w), [], None, beside="", corrections=0, stood=0, now=NOON
    ),
    "team_model.fail_team_model": lambda w: team_model.fail_team_model(in_the_making(w), "no", now=NOON),
    "team_model.use_team_model": lambda w: team_model.use_team_model(w.alice, team_made(w), now=NOON),
    "team_model.use_from_command_line": lambda w: team_model.use_from_command_line(team_made(w), now=NOON),
    "team_model.withdraw_team_model": lambda w: (
        team_model.use_team_model(w.alice, team_made(w), now=NOON),
        AuditEntry.objects.all().delete(),
        team_model.withdraw_team_model(w.alice, now=NOON),
    ),
    "acknowledge.save_acknowledgement": turn_on,
    "acknowledge.acknowledge": lambda w: (
        turn_on(w),
        AuditEntry.objects.all().delete(),
        Conversation.objects.update(state="open", basket=Basket.objects.get(slug="care", workspace=w.workspace)),
        acknowledge.acknowledge(w.workspace.pk, [addressed(w)], now=NOON),
    ),
    "effects.carry_out": lambda w: effects.carry_out(w.workspace.pk, [fired(w)], now=NOON),
    "tasks.make_task": lambda w: tasks.make_task(w.alice, "Call", now=NOON),
    "tasks.change_task": lambda w: tasks.change_task(w.alice, task(w), "Ring", assignee=w.ben, due_at=None, now=NOON),
    "tasks.finish_task": lambda w: tasks.finish_task(w.alice, task(w), now=NOON),
    "tasks.drop_task": lambda w: tasks.drop_task(w.alice, task(w), "solved", now=NOON),
    "tasks.reopen_task": lambda w: (
        done := tasks.finish_task(w.alice, task(w), now=NOON),
        AuditEntry.objects.all().delete(),
        tasks.reopen_task(w.alice, done, now=NOON),
    ),
    "tasks.remind_of_tasks": lambda w: (
        tasks.make_task(w.alice, "Call", due_at=NOON, now=NOON),
        AuditEntry.objects.all().delete(),
        tasks.remind_of_tasks(w.workspace, now=NOON),
    ),
    "tasks.open_for_rules": lambda w: effects.carry_out(w.workspace.pk, [fired(w, "ticket")], now=NOON),
    "ladder.reach_steps": lambda w: effects.carry_out(w.workspace.pk, [fired(w, "escalate")], now=NOON),
    "ladder.handle_step": lambda w: (
        effects.carry_out(w.workspace.pk, [fired(w, "escalate")], now=NOON),
        AuditEntry.objects.all().delete(),
        ladder.handle_step(w.alice, Escalation.objects.get(), "acknowledged", "", now=NOON),
    ),
    "webhooks.add_webhook": lambda w: webhooks.add_webhook(w.alice, "crm", "https://crm.example/in", now=NOON),
    "webhooks.change_webhook": lambda w: webhooks.change_webhook(w.alice, hook(w), "https://b.example/", now=NOON),
    "webhooks.pause_webhook": lambda w: webhooks.pause_webhook(w.alice, hook(w), True, now=NOON),
    "webhooks.renew_secret": lambda w: webhooks.renew_secret(w.alice, hook(w), now=NOON),
    "webhooks.delete_webhook": lambda w: webhooks.delete_webhook(w.alice, hook(w), now=NOON),
    "webhooks.try_webhook": lambda w: webhooks.try_webhook(w.alice, hook(w), now=NOON),
    "webhooks.retry_call": lambda w: (
        one := claimed_call(w),
        webhooks.settle_given_up(one, "no", close=False, now=NOON),
        AuditEntry.objects.all().delete(),
        webhooks.retry_call(w.alice, one, now=NOON),
    ),
    "webhooks.queue_for_rules": lambda w: (
        hook(w),
        effects.carry_out(w.workspace.pk, [fired(w, "webhook", "crm")], now=NOON),
    ),
    "webhooks.claim_call": lambda w: (
        webhooks.try_webhook(w.alice, hook(w), now=NOON),
        AuditEntry.objects.all().delete(),
        webhooks.claim_call(dt.timedelta(minutes=1), now=NOON),
    ),
    "webhooks.settle_taken": lambda w: webhooks.settle_taken(claimed_call(w), now=NOON),
    "webhooks.settle_again": lambda w: webhooks.settle_again(claimed_call(w), "503", NOON, now=NOON),
    "webhooks.settle_given_up": lambda w: webhooks.settle_given_up(claimed_call(w), "410", close=True, now=NOON),
    "back_tests.ask_back_test": lambda w: back_tests.ask_back_test(
        w.alice, a_draft(w), NOON - dt.timedelta(days=1), NOON, now=NOON
    ),
    "back_tests.stop_back_test": lambda w: back_tests.stop_back_test(w.alice, a_trial(w), now=NOON),
    "back_tests.claim_back_test": lambda w: (a_trial(w), back_tests.claim_back_test("w", now=NOON)),
    "back_tests.finish_back_test": lambda w: back_tests.finish_back_test(trial_claimed(w), {}, 0, now=NOON),
    "back_tests.fail_back_test": lambda w: back_tests.fail_back_test(trial_claimed(w), "no", now=NOON),
    "rule_drafts.begin_draft": lambda w: rule_drafts.begin_draft(w.alice, "Rain", now=NOON),
    "rule_drafts.save_draft": lambda w: rule_drafts.save_draft(w.alice, a_draft(w), "# more\n", 1, now=NOON),
    "rule_drafts.rename_draft": lambda w: rule_drafts.rename_draft(w.alice, a_draft(w), "Snow", now=NOON),
    "rule_drafts.delete_draft": lambda w: rule_drafts.delete_draft(w.alice, a_draft(w), now=NOON),
    "rule_drafts.publish_draft": lambda w: rule_drafts.publish_draft(w.alice, a_draft(w), "rain", 1, 1, now=NOON),
    "rule_drafts.run_beside": lambda w: rule_drafts.run_beside(
        w.alice, a_draft(w), NOON + dt.timedelta(hours=1), now=NOON
    ),
    "rule_drafts.stop_beside": lambda w: rule_drafts.stop_beside(w.alice, beside(w), now=NOON),
    "rules.save_rules": lambda w: rules.save_rules(w.alice, default_document(), "same", now=NOON),
}


def public_actions() -> set[str]:
    found = set()
    for module_info in pkgutil.iter_modules(rapport.actions.__path__):
        module = importlib.import_module(f"rapport.actions.{module_info.name}")
        for name, thing in inspect.getmembers(module, inspect.isfunction):
            if thing.__module__ != module.__name__ or name.startswith("_"):
                continue
            if name not in NOT_ACTIONS.get(module_info.name, set()):
                found.add(f"{module_info.name}.{name}")
    return found


def test_the_walk_knows_every_action() -> None:
    assert public_actions() == set(WALK)


@pytest.mark.parametrize("name", sorted(WALK))
def test_every_action_leaves_an_audit_row(
    name: str, alice: Membership, ben: Membership, channel: Channel, bus: Any, worker: Any
) -> None:
    world = World(alice, ben, channel, bus, worker)
    before = set(AuditEntry.objects.values_list("pk", flat=True))
    WALK[name](world)
    assert set(AuditEntry.objects.values_list("pk", flat=True)) - before
