"""Every action leaves an audit row: the test walks all of them, and fails for one that it does not know."""

from __future__ import annotations

import datetime as dt
import importlib
import inspect
import io
import pkgutil
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from PIL import Image

import rapport.actions
from conftest import NOON
from rapport.actions import (
    absences,
    accounts,
    acknowledge,
    acts,
    api,
    approval_rules,
    articles,
    attachments,
    back_tests,
    basket_archive,
    baskets,
    brands,
    bulk,
    campaign_posts,
    campaigns,
    checks,
    consents,
    corrections,
    dealing,
    delivery,
    desk,
    draft_returns,
    drafting,
    drafts,
    effects,
    erasure,
    exports,
    hearing,
    held,
    holds,
    keys,
    ladder,
    limits,
    listening,
    mentions,
    notice_ways,
    notices,
    offers,
    outbound,
    own_posts,
    people,
    person_fields,
    person_jobs,
    person_notes,
    presence,
    promises,
    proposals,
    purges,
    readings,
    rematch,
    rule_drafts,
    rules,
    score,
    snippets,
    steps,
    survey_links,
    surveys,
    tags,
    tasks,
    team_model,
    undo,
    unknown,
    views,
    webhooks,
)
from rapport.bus.base import Batch
from rapport.core.acknowledge import EXAMPLE
from rapport.core.decision import Crisis, Decision, Effect, Score
from rapport.core.decision import Outcome as Judged
from rapport.core.decision import Route as Way
from rapport.core.guard.policy import Override
from rapport.core.notices import Quiet
from rapport.core.post import Author, Post
from rapport.core.promises import Terms
from rapport.core.reading import Reading
from rapport.core.rhythm import Silence
from rapport.core.rules import default_document
from rapport.core.score import Weights
from rapport.core.surveys import Question, tokens_in
from rapport.core.tasks import Step
from rapport.core.thresholds import Thresholds
from rapport.networks.base import Page, Rechecked
from rapport.store.models import (
    Allowance,
    ApprovalRule,
    Article,
    Attachment,
    AuditEntry,
    BackTest,
    Basket,
    BusMessage,
    Campaign,
    CampaignPost,
    Channel,
    Check,
    Conversation,
    Delivery,
    Draft,
    DraftingSettings,
    DraftVersion,
    Escalation,
    Handle,
    Invitation,
    Membership,
    Note,
    Offer,
    Person,
    PersonJob,
    PostDraft,
    PreparedReply,
    PushSubscription,
    RuleDraft,
    RuleEffect,
    SavedView,
    StepPlan,
    Survey,
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
    "accounts": {"check_timezone", "find_sign_in_link", "held_by", "tasks_of"},
    "api": {"digest_of"},
    "audit": {
        "write_audit",
        "write_audits",
        "announce",
        "require",
        "require_conversation",
        "require_delivery",
        "sees",
    },
    "people": {"require_person"},
    # to look is no deed, and the reply that puts the pen down is on record itself
    "presence": {"look_at", "leave", "put_down", "clear_away"},
    "person_fields": {"read_value"},
    # steps of a stop, of its end, and of a batch in which somebody says it
    "suppressions": {"keep_suppression", "end_suppression"},
    # telling is a step of what is told, and a look at one's own bell is no deed
    "notices": {
        "about_one",
        "announce_read",
        "notify",
        "notify_assigned",
        "notify_of_answer",
        "notify_of_delivery",
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
    # what was begun from is put down with the reply, which is on record itself; old words go with their time
    # a step of writing a note
    "mentions": {"keep_mentions"},
    # a claim says only that one was asked about, and what came of it is on record
    "drafting": {"claim_wish", "may_leave"},
    "drafts": {"author_of", "began_from", "check_word", "forget_versions", "note_use", "same_words"},
    "outbound": {"check_despite", "describe", "queue", "check_text"},
    "limits": {"reserve", "give_back"},
    # steps of an approval and of the delivery that comes of it; files, and what becomes of those that nobody sent
    "attachments": {
        "media_of",
        "check_images",
        "send_along",
        "send_with_post",
        "content_of",
        "remove_files",
        "clear_unsent",
    },
    "parts": {"takes_threads", "compose", "told_of_images", "end_part", "keep_keys", "new_key"},
    "ledger": {
        "chain_hash",
        "act_digest",
        "append",
        "append_decision",
        "append_erasure",
        "blank",
        "digest_now",
        "erased_by",
        "seal",
        "sealed_of",
    },
    "ledger_check": {"verify"},
    # steps of an erasure, which writes its own row when it is done, and of an export
    "forgetting": {
        "empty_audit",
        "empty_joins",
        "empty_undone_tasks",
        "empty_ledger",
        "empty_offers",
        "forget_attachments",
        "forget_conversations",
        "forget_exports",
        "forget_reach",
        "forget_rows",
        "forget_tasks",
        "overwriting",
        "sweep_words",
    },
    "person_jobs": {"ours"},
    "purges": {"is_purged"},
    # steps of a post that is taken down
    "taken_down": {"forget_told", "with_reposts"},
    "erasure": {"forget_person", "word_to_type"},
    "exports": {"counts_of", "zip_of"},
    "export_files": {"export_file", "remove_exports", "sweep_folder", "write_export"},
    "rematch": {"look_up_rematch"},
    "basket_archive": {"find_in_the_way", "read_ids", "write_ids"},
    "campaigns": {"require_state"},
    # words for what is made, in a language
    "shipped": {"names_of_pack", "say_pack", "say_shipped"},
    "own_posts": {"read_place"},
    "post_sheet": {
        "asked_for_post",
        "entry_of",
        "images_of",
        "judge_entry",
        "network_of",
        "posting_channels",
        "said_by",
        "seen_drafts",
        "ways_of",
    },
    # outside of the database, and said in the log
    "ledger_heads": {"due_heads", "heads_file", "keep_heads", "newest_of", "read_heads"},
    "baskets": {"check_languages", "check_skills", "free_slug"},
    # steps of what moves a conversation: that act writes the row
    "promises": {"change_terms", "keep_promises"},
    "dealing": {"settle_batch", "news_of"},
    "rule_days": {"is_thrown_away", "note_override", "take_back_overrides"},
    "proposals": {"is_done_here", "right_of", "said"},
    # a count of how often somebody began from it
    "snippets": {"note_begun"},
    "tasks": {"require_task"},
    "back_tests": {"note_progress"},
    "rules": {"check_document", "put_in_force", "read_anew"},
    "team_model": {"note_progress"},
    "webhooks": {"secret_of", "tell"},
    "tags": {"clean_tag", "rule_of_tag", "tag_by_rules"},
    # a deed is part of the act that writes the row
    "undo": {"note_deed", "plain", "newest_deed", "forget_deeds"},
    "undo_others": {"is_of_others", "restore", "deeds_on_others", "standing"},  # parts of undo.undo
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

    def sent(self) -> Delivery:
        claimed = self.claimed()
        delivery.settle_sent(claimed, "77", "", None, self.bus, now=NOON)
        AuditEntry.objects.all().delete()
        return Delivery.objects.get(pk=claimed.pk)

    def claimed(self, pushed: bool = True) -> Delivery:
        self.approve()
        claimed = delivery.claim("sender", dt.timedelta(minutes=1), now=NOON)
        assert claimed is not None
        if pushed:
            delivery.mark_pushed(claimed, now=NOON)
        return claimed

    def asked(self, state: str = "unconfirmed") -> Delivery:
        """A reply whose fate a person is asked about, or one that belongs on the site."""
        one = self.claimed()
        Delivery.objects.filter(pk=one.pk).update(state=state, unknown_at=NOON, held_by="x-handover", claimed_by="")
        AuditEntry.objects.all().delete()
        one.refresh_from_db()
        return one

    def batch(self) -> Batch:
        hearing.hear(self.channel, [Post("mastodon", "2", "Hi", NOON, Author(id="n"))], self.bus, now=NOON)
        batch = self.bus.claim("w", NOON, dt.timedelta(minutes=1))
        assert batch is not None
        return batch

    def process(self, batch: Batch) -> Any:
        from rapport.pipeline.line import process

        return process([post for _, post in batch.posts], self.worker.snapshot(batch), NOON)


def a_picture() -> bytes:
    raw = io.BytesIO()
    Image.new("RGB", (2, 2)).save(raw, "PNG")
    return raw.getvalue()


def image(world: World) -> Attachment:
    kept = attachments.keep_image(world.alice, world.conversation, a_picture(), now=NOON)
    AuditEntry.objects.all().delete()
    return kept


def promised(world: World) -> World:
    """An answer within half an hour is promised where the conversation lies."""
    care = world.conversation.basket
    assert care is not None
    wish = baskets.Wish(care.name, terms=Terms(first=(30, 30, 30, 30)), push=True)
    baskets.save_basket(world.alice, care, wish, now=NOON)
    AuditEntry.objects.all().delete()
    return world


def spare(world: World) -> Basket:
    """A basket that no rule names."""
    return baskets.save_basket(world.alice, None, baskets.Wish("Press"), now=NOON)


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


def x_account(world: World) -> Any:
    """The workspace, in which the account that everything was heard through is of X and was disconnected."""
    listening.disconnect_channel(world.alice, world.channel, now=NOON)
    Channel.objects.update(network="x")
    return world.workspace


def person_job(world: World, kind: str) -> PersonJob:
    """An export or erasure that a worker has begun."""
    if kind == "erase":
        erasure.ask_erasure(world.alice, world.person, "asked by mail", "Nadia", now=NOON)
    else:
        exports.ask_export(world.alice, world.person, "asked by mail", now=NOON)
    job = person_jobs.claim_job("w", now=NOON)
    assert job is not None
    AuditEntry.objects.all().delete()
    return job


def size_field(world: Any) -> Any:
    return world.workspace.person_fields.create(slug="size", name="Size")


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


def let_through(world: World) -> Any:
    one = world.approve()
    holds.hold_everything(world.alice, "storm", now=NOON)
    AuditEntry.objects.all().delete()
    return holds.let_through(world.alice, one, now=NOON)


def let_go(world: World) -> Any:
    one = world.claimed(pushed=False)
    delivery.settle_held(one, "crisis-hold: storm", "crisis-hold", now=NOON)
    AuditEntry.objects.all().delete()
    return held.let_go(now=NOON)


def settle_heard(world: World) -> Any:
    world.asked()
    ours = Post(
        "mastodon", "9", "@nadia I look into it now.", NOON, Author(id="id-fernway", ours=True), in_reply_to="1"
    )
    hearing.hear(world.channel, [ours], world.bus, now=NOON)
    world.worker.drain()
    AuditEntry.objects.all().delete()
    return delivery.settle_heard(world.bus, now=NOON)


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


def a_view(world: World) -> SavedView:
    for name in ("Before", "Kept"):
        made = views.save_view(world.alice, name, {"b": "care"}, shared=True, now=NOON)
    AuditEntry.objects.filter(verb="view.save").delete()
    return made


def a_note(world: World) -> Note:
    note = desk.add_note(world.alice, world.conversation, "Called", now=NOON)
    AuditEntry.objects.all().delete()
    return note


def an_approval_rule(world: World) -> ApprovalRule:
    return approval_rules.save_approval_rule(
        world.alice, None, role="agent", basket=None, channel=None, condition="", approver="lead", four_eyes=True,
        active=True, now=NOON,
    )  # fmt: skip


def a_wish(world: World) -> drafting.Wish:
    settings = DraftingSettings.objects.create(workspace=world.workspace, model="m", changed_at=NOON)
    newest = newest_inbound(world.conversation)
    assert newest is not None
    Draft.objects.create(
        workspace=world.workspace, conversation=world.conversation, source="service", updated_at=NOON, based_on=newest
    )
    Conversation.objects.filter(pk=world.conversation.pk).update(waiting_since=NOON)
    return drafting.Wish(settings, world.conversation, newest)


def a_draft(world: World) -> RuleDraft:
    draft = rule_drafts.begin_draft(world.alice, "Rain", "# none\n", now=NOON)
    AuditEntry.objects.all().delete()
    return draft


def beside(world: World) -> RuleDraft:
    draft = rule_drafts.run_beside(world.alice, a_draft(world), NOON + dt.timedelta(hours=1), now=NOON)
    AuditEntry.objects.all().delete()
    return draft


def a_plan(world: World) -> StepPlan:
    made = steps.save_plan(world.alice, None, "After care", [Step("Ask how it is", 3)], now=NOON)
    AuditEntry.objects.all().delete()
    return made


def a_survey(world: World) -> Survey:
    made = surveys.save_survey(world.alice, None, name="CSAT", questions=[Question("score", "How?")], now=NOON)
    AuditEntry.objects.all().delete()
    return made


def invited(world: World) -> str:
    """A link in Alice's draft; the line with it."""
    draft = surveys.put_into_draft(world.alice, world.conversation, a_survey(world), now=NOON)
    AuditEntry.objects.all().delete()
    return draft.text


def answered(world: World) -> object:
    (token,) = tokens_in(invited(world))
    Invitation.objects.update(approval=world.approve().approval)
    AuditEntry.objects.all().delete()
    return surveys.answer_survey(token, {"q0": "5"}, now=NOON)


def an_article(world: World) -> Article:
    made = articles.save_article(world.alice, None, kind="help", title="Rain", text="Dry it", now=NOON)
    AuditEntry.objects.all().delete()
    return made


def an_allowance(world: World) -> Allowance:
    made = articles.save_allowance(world.alice, "lead", "refund", Decimal(40), "EUR", now=NOON)
    AuditEntry.objects.all().delete()
    return made


def an_offer(world: World, ask: bool = False) -> Offer:
    """Ben's: an agent has no limit of his own, so that he asks; Alice's word stands."""
    an_allowance(world)
    by = world.ben if ask else world.alice
    made = offers.make_offer(by, world.conversation, "refund", Decimal(5), "EUR", "Rain", ask=ask, now=NOON)
    AuditEntry.objects.all().delete()
    return made


def a_post(world: World) -> PostDraft:
    typed = own_posts.Typed("We open on Saturday.", [(world.channel, "")])
    return own_posts.save_post(world.alice, None, typed, now=NOON)


def a_campaign(world: World, state: str = "running", waits: bool = True) -> Campaign:
    """It looks for parcels, and has found one."""
    terms = campaigns.Terms("Parcels", "parcel")
    made = campaigns.save_campaign(world.alice, None, terms, [("A", "Hello {first_name}")], now=NOON)
    if waits:
        campaigns.find_posts(world.alice, made, now=NOON)
    Campaign.objects.filter(pk=made.pk).update(state=state)
    AuditEntry.objects.all().delete()
    return Campaign.objects.get(pk=made.pk)


def found_post(world: World, state: str = "waiting") -> CampaignPost:
    a_campaign(world)
    CampaignPost.objects.update(state=state)
    return CampaignPost.objects.get()


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
def ours_again() -> Post:
    return Post("mastodon", "again", "Ours", NOON, Author(id="fernway", ours=True))


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
    "accounts.save_keys": lambda w: accounts.save_keys(w.alice.user, {"resolve": "h"}, now=NOON),
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
    "hearing.bring_back": lambda w: (
        hearing.hear(w.channel, [ours_again()], w.bus, now=NOON),
        hearing.take_down(w.channel, ["again"], now=NOON),
        AuditEntry.objects.all().delete(),
        hearing.bring_back(w.channel, ours_again(), w.bus, now=NOON),
    ),
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
    "survey_links.bind_survey_links": lambda w: (
        line := invited(w),
        approval := w.approve().approval,
        AuditEntry.objects.all().delete(),
        setattr(approval, "text", line),
        survey_links.bind_survey_links(w.alice, w.conversation, approval, now=NOON),
    ),
    "steps.save_plan": lambda w: steps.save_plan(w.alice, None, "After care", [Step("Ask", 3)], now=NOON),
    "steps.begin_plan": lambda w: steps.begin_plan(w.alice, w.conversation, a_plan(w), now=NOON),
    "steps.end_steps": lambda w: (
        steps.begin_plan(w.alice, w.conversation, a_plan(w), now=NOON - dt.timedelta(days=1)),
        AuditEntry.objects.all().delete(),
        steps.end_steps(w.workspace, now=NOON),
    ),
    "surveys.save_survey": lambda w: surveys.save_survey(
        w.alice, None, name="CSAT", questions=[Question("score", "How?")], now=NOON
    ),
    "surveys.put_into_draft": lambda w: surveys.put_into_draft(w.alice, w.conversation, a_survey(w), now=NOON),
    "surveys.take_back_invitation": lambda w: (
        invited(w),
        surveys.take_back_invitation(w.alice, Invitation.objects.get(), now=NOON),
    ),
    "surveys.answer_survey": answered,
    "articles.save_article": lambda w: articles.save_article(
        w.alice, None, kind="policy", title="Rain", text="Dry it", now=NOON
    ),
    "articles.delete_article": lambda w: articles.delete_article(w.alice, an_article(w), now=NOON),
    "articles.save_allowance": lambda w: articles.save_allowance(w.alice, "agent", "refund", None, "", now=NOON),
    "articles.delete_allowance": lambda w: articles.delete_allowance(w.alice, an_allowance(w), now=NOON),
    "offers.make_offer": lambda w: (
        an_allowance(w),
        offers.make_offer(w.alice, w.conversation, "refund", now=NOON),
    ),
    "offers.decide_offer": lambda w: offers.decide_offer(w.alice, an_offer(w, ask=True), True, now=NOON),
    "offers.answer_offer": lambda w: offers.answer_offer(w.alice, an_offer(w), "declined", now=NOON),
    "absences.save_absence": lambda w: absences.save_absence(w.ben, w.ben, since=NOON, until=None, now=NOON),
    "absences.end_absence": lambda w: absences.end_absence(
        w.ben, absences.save_absence(w.ben, w.ben, since=NOON, until=None, now=NOON), now=NOON
    ),
    "absences.hand_back": lambda w: (
        desk.assign(w.alice, w.conversation, w.ben, now=NOON),
        AuditEntry.objects.all().delete(),
        absences.hand_back(w.alice, w.ben, now=NOON),
    ),
    "basket_archive.archive_basket": lambda w: basket_archive.archive_basket(w.alice, spare(w), w.basket, now=NOON),
    "basket_archive.bring_back_basket": lambda w: (
        entry := basket_archive.archive_basket(w.alice, spare(w), w.basket, now=NOON),
        AuditEntry.objects.all().delete(),
        basket_archive.bring_back_basket(w.alice, entry, now=NOON),
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
    "presence.take_over": lambda w: presence.take_over(w.alice, w.conversation, token="a1", now=NOON),
    "drafts.save_draft": lambda w: drafts.save_draft(w.alice, w.conversation, "Dear", now=NOON),
    "notices.note_crisis": lambda w: notices.note_crisis(w.workspace, Crisis(0.5, 60, 4.0, 3), now=NOON),
    "notice_ways.save_wishes": lambda w: notice_ways.save_wishes(w.alice, {}, Quiet(), now=NOON),
    "notice_ways.turn_off": lambda w: notice_ways.turn_off(w.alice, "mail", now=NOON),
    "notice_ways.add_device": a_device,
    "notice_ways.remove_device": lambda w: notice_ways.remove_device(w.alice, a_device(w), now=NOON),
    "notice_ways.claim_due": a_due_mail,
    "notice_ways.give_back": lambda w: notice_ways.give_back(a_due_mail(w), NOON, now=NOON),
    "draft_returns.return_draft": lambda w: (
        drafts.save_draft(w.ben, w.conversation, "Dear", now=NOON),
        drafts.propose_draft(w.ben, w.conversation, now=NOON),
        AuditEntry.objects.all().delete(),
        draft_returns.return_draft(w.alice, Draft.objects.get(author=w.ben), "Warmer", now=NOON),
    ),
    "approval_rules.save_approval_rule": an_approval_rule,
    "approval_rules.move_approval_rule": lambda w: approval_rules.move_approval_rule(
        w.alice, (an_approval_rule(w), an_approval_rule(w))[1], up=True, now=NOON
    ),
    "approval_rules.delete_approval_rule": lambda w: approval_rules.delete_approval_rule(
        w.alice, an_approval_rule(w), now=NOON
    ),
    "mentions.edit_note": lambda w: mentions.edit_note(w.alice, w.conversation, a_note(w), "other", now=NOON),
    "mentions.remove_note": lambda w: mentions.remove_note(w.alice, w.conversation, a_note(w), now=NOON),
    "drafting.save_drafting": lambda w: drafting.save_drafting(
        w.alice, enabled=False, url="", key=None, model="", prompt="", baskets=[], now=NOON
    ),
    "drafting.put_machine_draft": lambda w: drafting.put_machine_draft(a_wish(w), "Sorry", now=NOON),
    "drafting.note_failure": lambda w: drafting.note_failure(a_wish(w), "no answer", now=NOON),
    "drafts.share_draft": lambda w: (
        drafts.save_draft(w.alice, w.conversation, "Dear", now=NOON),
        AuditEntry.objects.all().delete(),
        drafts.share_draft(w.alice, w.conversation, True, now=NOON),
    ),
    "drafts.restore_draft": lambda w: drafts.restore_draft(
        w.alice,
        w.conversation,
        DraftVersion.objects.create(
            workspace=w.workspace, conversation=w.conversation, author=w.alice, text="Earlier", source="own", at=NOON
        ),
        now=NOON,
    ),
    "drafts.confirm_draft": lambda w: (
        Draft.objects.create(
            workspace=w.workspace, conversation=w.conversation, text="Sorry", source="service", updated_at=NOON
        ),
        drafts.confirm_draft(w.alice, w.conversation, "Sorry", now=NOON),
    ),
    "drafts.propose_draft": lambda w: (
        drafts.save_draft(w.alice, w.conversation, "Dear", now=NOON),
        AuditEntry.objects.all().delete(),
        drafts.propose_draft(w.alice, w.conversation, now=NOON),
    ),
    "outbound.save_prepared_reply": lambda w: outbound.save_prepared_reply(w.alice, "hi", "Hi", "Hi", now=NOON),
    "outbound.delete_prepared_reply": lambda w: outbound.delete_prepared_reply(
        w.alice, PreparedReply.objects.of(w.workspace)[0], now=NOON
    ),
    "outbound.approve": World.approve,
    "attachments.keep_image": lambda w: attachments.keep_image(w.alice, w.conversation, a_picture(), now=NOON),
    "attachments.describe_image": lambda w: attachments.describe_image(w.alice, image(w), "A box", now=NOON),
    "attachments.drop_image": lambda w: attachments.drop_image(w.alice, image(w), now=NOON),
    "acts.approve_act": lambda w: acts.approve_act(
        w.alice, "like", conversation=w.conversation, post=newest_inbound(w.conversation), channel=w.channel, now=NOON
    ),
    "acts.delete_sent": lambda w: acts.delete_sent(w.alice, w.sent(), now=NOON),
    "acts.edit_sent": lambda w: acts.edit_sent(w.alice, w.sent(), "@nadia Better words.", now=NOON),
    "outbound.cancel_delivery": lambda w: outbound.cancel_delivery(w.alice, w.approve(), now=NOON),
    "outbound.retry_delivery": retry,
    "held.let_go": let_go,
    "held.requeue_held": lambda w: held.requeue_held(w.workspace, rule="crisis-hold", now=NOON),
    "limits.save_limits": lambda w: limits.save_limits(w.alice, w.channel, Override(pile_on=3), now=NOON),
    "holds.hold_everything": lambda w: holds.hold_everything(w.alice, "storm", now=NOON),
    "holds.release_hold": lambda w: holds.release_hold(w.alice, now=NOON),
    "holds.let_through": let_through,
    "delivery.settle_unknown": lambda w: delivery.settle_unknown(w.claimed(), "nobody knows", now=NOON),
    "delivery.settle_heard": settle_heard,
    "unknown.say_it_is_there": lambda w: unknown.say_it_is_there(
        w.alice, w.asked(), link="https://a.example/1", now=NOON
    ),
    "unknown.send_again": lambda w: unknown.send_again(w.alice, w.asked(), now=NOON),
    "unknown.hand_over": lambda w: unknown.hand_over(w.alice, w.asked("held"), now=NOON),
    "unknown.take_back_handover": lambda w: unknown.take_back_handover(w.alice, w.asked(), now=NOON),
    "delivery.claim": lambda w: w.claimed(pushed=False),
    "delivery.mark_pushed": push,
    "delivery.settle_sent": lambda w: delivery.settle_sent(
        w.claimed(), "77", "", Post("mastodon", "77", "x", NOON, Author(id="us", ours=True)), w.bus, now=NOON
    ),
    "delivery.settle_later": lambda w: delivery.settle_later(w.claimed(), "429", NOON, now=NOON),
    "delivery.settle_dropped": lambda w: delivery.settle_dropped(w.claimed(), "late", now=NOON),
    "delivery.settle_failed": lambda w: delivery.settle_failed(w.claimed(), "gone", now=NOON),
    "delivery.settle_held": lambda w: delivery.settle_held(w.claimed(), "pace", "pace", now=NOON),
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
    "people.lift_suppression": lambda w: people.lift_suppression(w.alice, w.person, "asked for a call", now=NOON),
    "people.set_relationship": lambda w: people.set_relationship(w.alice, w.person, "customer", now=NOON),
    "people.say_automated": lambda w: people.say_automated(w.alice, w.person.handles.get(), False, now=NOON),
    "person_fields.save_field": lambda w: person_fields.save_field(w.alice, "Size", "text", now=NOON),
    "person_fields.delete_field": lambda w: person_fields.delete_field(w.alice, size_field(w), now=NOON),
    "person_fields.set_value": lambda w: person_fields.set_value(w.alice, w.person, size_field(w), "42", now=NOON),
    "person_notes.add_person_note": lambda w: person_notes.add_person_note(w.alice, w.person, "Calls", now=NOON),
    "person_notes.remove_person_note": lambda w: person_notes.remove_person_note(
        w.alice, w.person.notes.create(workspace=w.workspace, text="Calls", at=NOON), now=NOON
    ),
    "consents.set_consent": lambda w: consents.set_consent(w.alice, w.person, "quote", True, "by phone", now=NOON),
    "consents.withdraw_consent": lambda w: consents.withdraw_consent(
        w.alice,
        w.person.consents.create(workspace=w.workspace, purpose="quote", given=True, source="by phone", at=NOON),
        now=NOON,
    ),
    "person_jobs.ask_job": lambda w: person_jobs.ask_job(w.alice, w.person, "export", "asked by mail", now=NOON),
    "person_jobs.claim_job": lambda w: (
        exports.ask_export(w.alice, w.person, "asked by mail", now=NOON),
        AuditEntry.objects.all().delete(),
        person_jobs.claim_job("w", now=NOON),
    ),
    "person_jobs.claim_one": lambda w: person_jobs.claim_one(
        exports.ask_export(w.alice, w.person, "asked by mail", now=NOON), "w", now=NOON
    ),
    "purges.ask_purge": lambda w: purges.ask_purge(
        w.alice, listening.disconnect_channel(w.alice, w.channel, now=NOON), "Fernway", now=NOON
    ),
    "purges.begin_due_purges": lambda w: purges.begin_due_purges(x_account(w), now=NOON + dt.timedelta(days=9)),
    "purges.carry_on_purges": lambda w: (
        purges.begin_due_purges(x_account(w), now=NOON + dt.timedelta(days=9)),
        AuditEntry.objects.all().delete(),
        [purges.carry_on_purges(w.workspace, now=NOON + dt.timedelta(days=9)) for _ in range(4)],
    ),
    "person_jobs.fail_job": lambda w: person_jobs.fail_job(person_job(w, "export"), "no", now=NOON),
    "erasure.ask_erasure": lambda w: erasure.ask_erasure(w.alice, w.person, "asked by mail", "Nadia", now=NOON),
    "erasure.erase_some": lambda w: (w.approve(), erasure.erase_some(person_job(w, "erase"), now=NOON)),
    "erasure.finish_erasure": lambda w: erasure.finish_erasure(person_job(w, "erase"), now=NOON),
    "exports.ask_export": lambda w: exports.ask_export(w.alice, w.person, "asked by mail", now=NOON),
    "exports.make_export": lambda w: exports.make_export(person_job(w, "export"), now=NOON),
    "exports.note_fetched": lambda w: exports.note_fetched(
        w.alice, exports.make_export(person_job(w, "export"), now=NOON), now=NOON
    ),
    "exports.sweep_exports": lambda w: (
        exports.make_export(person_job(w, "export"), now=NOON),
        AuditEntry.objects.all().delete(),
        exports.sweep_exports(now=NOON + exports.KEPT),
    ),
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
    "campaigns.save_campaign": lambda w: (
        a_campaign(w, "draft")
        and campaigns.save_campaign(
            w.alice, Campaign.objects.get(), campaigns.Terms("Late", "late"), [("A", "Hi")], now=NOON
        )
    ),
    "own_posts.save_post": a_post,
    "own_posts.propose_post": lambda w: own_posts.propose_post(w.alice, a_post(w), now=NOON),
    "own_posts.return_post": lambda w: own_posts.return_post(
        w.alice, own_posts.propose_post(w.alice, a_post(w), now=NOON), "shorter", now=NOON
    ),
    "own_posts.drop_post": lambda w: own_posts.drop_post(w.alice, a_post(w), now=NOON),
    "own_posts.send_post": lambda w: own_posts.send_post(w.alice, a_post(w), version=1, now=NOON),
    "attachments.keep_post_image": lambda w: attachments.keep_post_image(w.alice, a_post(w), a_picture(), now=NOON),
    "campaigns.find_posts": lambda w: campaigns.find_posts(w.alice, a_campaign(w, "draft", False), now=NOON),
    "campaigns.run_campaign": lambda w: campaigns.run_campaign(w.alice, a_campaign(w, "draft"), now=NOON),
    "campaigns.stop_campaign": lambda w: campaigns.stop_campaign(w.alice, a_campaign(w), "wrong price", now=NOON),
    "campaigns.finish_campaign": lambda w: campaigns.finish_campaign(w.alice, a_campaign(w), now=NOON),
    "campaigns.delete_campaign": lambda w: campaigns.delete_campaign(w.alice, a_campaign(w, "draft"), now=NOON),
    "campaign_posts.give_posts": lambda w: campaign_posts.give_posts(w.alice, [found_post(w)], w.ben, now=NOON),
    "campaign_posts.save_post_text": lambda w: campaign_posts.save_post_text(w.alice, found_post(w), "Hi", now=NOON),
    "campaign_posts.skip_post": lambda w: campaign_posts.skip_post(w.alice, found_post(w), "theirs", now=NOON),
    "campaign_posts.take_up_post": lambda w: campaign_posts.take_up_post(w.alice, found_post(w, "skipped"), now=NOON),
    "campaign_posts.send_post": lambda w: campaign_posts.send_post(
        w.alice, found_post(w), "@nadia Here.", version=w.conversation.version, now=NOON
    ),
    "campaign_posts.send_posts": lambda w: campaign_posts.send_posts(
        w.alice, [campaign_posts.Press(found_post(w), "@nadia Here.", w.conversation.version)], now=NOON
    ),
    "views.save_view": lambda w: views.save_view(w.alice, "Kept", {"b": "care"}, shared=False, now=NOON),
    "views.change_view": lambda w: views.change_view(w.alice, a_view(w), name="Other", now=NOON),
    "views.shift_view": lambda w: views.shift_view(w.alice, a_view(w), up=True, now=NOON),
    "views.remove_view": lambda w: views.remove_view(w.alice, a_view(w), now=NOON),
    "brands.add_brand": lambda w: brands.add_brand(w.alice, "mastodon", "@acme", "Acme", now=NOON),
    "brands.remove_brand": lambda w: brands.remove_brand(
        w.alice, w.workspace.brand_handles.create(network="mastodon", key="acme", at=NOON), now=NOON
    ),
    "bulk.change": lambda w: bulk.change(w.alice, [w.conversation.pk], "resolve", now=NOON),
    "tags.add_tag": lambda w: tags.add_tag(w.alice, w.conversation, "vip", now=NOON),
    "tags.remove_tag": lambda w: (
        tags.add_tag(w.alice, w.conversation, "vip", now=NOON),
        AuditEntry.objects.all().delete(),
        tags.remove_tag(w.alice, w.conversation, "vip", now=NOON),
    ),
    "undo.undo": lambda w: (
        desk.resolve(w.alice, w.conversation, now=NOON),
        AuditEntry.objects.all().delete(),
        undo.undo(w.alice, undo.Deed.objects.get(), now=NOON),
    ),
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
    "snippets.save_snippet": lambda w: snippets.save_snippet(
        w.alice, "hello", "Hello", "Hello!", language="en", baskets=[w.basket], now=NOON
    ),
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
