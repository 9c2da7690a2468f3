"""Every route x everybody: who is let in, who is refused, and that a refusal tells nothing."""

from __future__ import annotations

import base64
import datetime as dt
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec
import pytest
from django.db import transaction
from django.http import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from rapport.core.decision import Decision, Score
from rapport.core.decision import Outcome as Judged
from rapport.core.decision import Route as Way
from rapport.core.reading import Reading
from rapport.core.roles import may

Door = Literal["open", "person", "own"]


@dataclass(frozen=True)
class Route:
    """One row of the table.

    `right`: a right of core.roles for routes of a workspace; "open" for everybody; "person" for anybody who signed
    in; "own" for what belongs to the person alone: without such a thing it is missing for them too.
    """

    right: str
    methods: tuple[str, ...] = ("GET",)
    #: name of the argument -> name of the object in `World`
    takes: dict[str, str] = field(default_factory=dict)
    #: the form; a value that names an object in `World` stands for its id
    data: dict[str, Any] = field(default_factory=dict)
    #: roles that hold the right and are refused all the same, with 404, and why
    except_for: dict[str, str] = field(default_factory=dict)


A_PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGNgaGgAAAGEAQFWjyAjAAAAAElFTkSuQmCC"
)
POST = ("POST",)
BOTH = ("GET", "POST")
CONVERSATION = {"pk": "conversation"}
TALKS = {"conversation", "quarantined", "folded"}
NOT_THEIRS = dict.fromkeys(("agent", "restricted", "advocate"), "may take back their own word alone")
OWN = dict.fromkeys(("admin", "lead", "agent", "restricted", "advocate", "viewer"), "is somebody else's own")
OWN_WORDS = dict.fromkeys(("admin", "lead", "agent", "restricted", "advocate"), "are somebody else's own words")
NOT_THEIR_ABSENCE = dict.fromkeys(("agent", "restricted", "advocate"), "say of their own absence alone")
AS_SEEN = "sees their baskets alone, and this belongs to none"

ROUTES: dict[str, Route] = {
    # the process
    "healthz": Route("open"),
    "readyz": Route("open"),
    # networks bring their news; each proves itself by a signature (tests/web/test_hooks.py)
    "hook": Route("open", BOTH, {"slug": "workspace", "channel": "channel_slug"}),
    # signing in
    "sign_in_link": Route("open", BOTH, {"token": "token"}),
    "account_signup": Route("open", BOTH),
    "account_login": Route("open", BOTH),
    "account_logout": Route("open", BOTH),
    "account_inactive": Route("open"),
    "account_reset_password": Route("open", BOTH),
    "account_reset_password_done": Route("open"),
    "account_reset_password_from_key": Route("open", BOTH, {"uidb36": "uid", "key": "token"}),
    "account_reset_password_from_key_done": Route("open"),
    "mfa_authenticate": Route("open", BOTH),
    "mfa_login_webauthn": Route("open", BOTH),
    # one's own account
    "home": Route("person"),
    "profile": Route("person", BOTH),
    "own_keys": Route("person", BOTH),
    "help": Route("person"),
    "help_page": Route("person", takes={"page": "help page"}),
    "choose_password": Route("person", BOTH),
    "account_reauthenticate": Route("person", BOTH),
    "account_change_password": Route("person", BOTH),
    "account_set_password": Route("person", BOTH),
    "mfa_index": Route("person"),
    "mfa_reauthenticate": Route("person", BOTH),
    "mfa_activate_totp": Route("person", BOTH),
    "mfa_deactivate_totp": Route("own", BOTH),
    "mfa_view_recovery_codes": Route("own"),
    "mfa_generate_recovery_codes": Route("person", BOTH),
    "mfa_download_recovery_codes": Route("own"),
    "mfa_list_webauthn": Route("person"),
    "mfa_add_webauthn": Route("person", BOTH),
    "mfa_reauthenticate_webauthn": Route("person", BOTH),
    "mfa_remove_webauthn": Route("own", BOTH, {"pk": "passkey"}),
    "mfa_edit_webauthn": Route("own", BOTH, {"pk": "passkey"}),
    "connect_callback": Route("person", takes={"network": "network"}),
    # the desk
    "inbox:home": Route("read"),
    "inbox:basket": Route("read", takes={"basket": "basket"}),
    "inbox:ready": Route("read", takes={"ready": "ready_list"}),
    "inbox:promises": Route("read"),
    "inbox:search": Route("read"),
    "inbox:counts": Route("read"),
    "inbox:search_words": Route("read"),
    "inbox:views": Route("read"),
    "inbox:view": Route("read", takes={"pk": "shared_view"}),
    "inbox:view_save": Route("read", POST, data={"name": "Kept", "b": "care"}),
    "inbox:view_change": Route("read", POST, {"pk": "shared_view"}, {"do": "up"}),
    "ledger": Route("audit"),
    "ledger_check": Route("audit", POST),
    "ledger_csv": Route("audit"),
    "ledger_jsonl": Route("audit"),
    "inbox:palette": Route("read"),
    "inbox:undo": Route("note", POST),
    "inbox:bulk_bar": Route("triage"),
    "inbox:bulk": Route("triage", POST, data={"verb": "resolve", "id": "conversation"}),
    "inbox:events": Route("read"),
    "inbox:faces": Route("read"),
    "inbox:beat": Route("read", POST, CONVERSATION, {"token": "a1"}),
    "inbox:take_over": Route("draft", POST, CONVERSATION, {"token": "a1"}),
    "inbox:hold": Route("hold", BOTH),
    "inbox:conversation": Route("read", takes=CONVERSATION),
    "inbox:passed_rules": Route("read", takes=CONVERSATION),
    "inbox:same_words_here": Route("configure", takes=CONVERSATION),
    "inbox:assign": Route("triage", POST, CONVERSATION),
    "inbox:snooze": Route("triage", POST, CONVERSATION, {"until": "hour"}),
    "inbox:resolve": Route("triage", POST, CONVERSATION),
    "inbox:reopen": Route("triage", POST, CONVERSATION),
    "inbox:unfold": Route("triage", POST, {"pk": "folded"}),
    "inbox:move": Route("triage", POST, CONVERSATION, {"basket": "care"}),
    "inbox:prioritise": Route("triage", POST, CONVERSATION, {"priority": "2"}),
    "inbox:score": Route("triage", POST, CONVERSATION, {"value": "70"}),
    "inbox:named": Route("read"),
    "inbox:names": Route("note", takes=CONVERSATION),
    "inbox:note_edit": Route(
        "note", POST, {**CONVERSATION, "note": "own_note"}, {"text": "other"}, except_for=OWN_WORDS
    ),
    "inbox:note": Route("note", POST, CONVERSATION, {"note": "a word"}),
    "inbox:readings": Route("read", takes={**CONVERSATION, "post": "post"}),
    "inbox:correct": Route("draft", POST, {**CONVERSATION, "post": "post"}, {"set": "spam=true"}),
    "inbox:withdraw": Route(
        "draft", POST, {**CONVERSATION, "post": "post"}, {"correction": "correction"}, except_for=NOT_THEIRS
    ),
    "inbox:draft": Route("draft", POST, CONVERSATION, {"text": "Hello"}),
    "inbox:begin_from": Route("draft", takes=CONVERSATION),
    "inbox:versions": Route("draft", takes=CONVERSATION),
    "inbox:restore": Route("draft", POST, CONVERSATION, {"version": "version"}, except_for=OWN_WORDS),
    "inbox:share": Route("draft", POST, CONVERSATION, {"text": "Hello", "shared": "1"}),
    "inbox:confirm": Route("draft", POST, CONVERSATION, {"text": "Sorry"}),
    "inbox:drafts": Route("draft"),
    "inbox:snippets": Route("draft", takes=CONVERSATION),
    "inbox:begin": Route("draft", POST, CONVERSATION, {"begin": "reply_slug"}),
    "inbox:thread": Route("draft", POST, CONVERSATION, {"text": "Hello", "channel": "channel"}),
    "inbox:image_add": Route("draft", POST, CONVERSATION),
    "inbox:image_drop": Route("draft", POST, {**CONVERSATION, "image": "image"}, except_for=OWN_WORDS),
    "inbox:image": Route("read", takes={"pk": "image"}),
    "inbox:propose": Route("draft", POST, CONVERSATION, {"text": "Hello"}),
    "inbox:send": Route("send", POST, CONVERSATION, {"text": "Hello"}),
    "inbox:retry": Route("send", POST, CONVERSATION, {"delivery": "delivery"}),
    "inbox:cancel": Route("send", POST, CONVERSATION, {"delivery": "delivery"}),
    "inbox:act": Route("send", POST, CONVERSATION, {"kind": "like", "post": "post"}),
    "inbox:delete_sent": Route("send", POST, CONVERSATION, {"delivery": "delivery"}),
    "inbox:edit_sent": Route("send", POST, CONVERSATION, {"delivery": "delivery", "text": "Other words"}),
    "inbox:there": Route("send", POST, CONVERSATION, {"delivery": "delivery", "link": "https://a.example/1"}),
    "inbox:again": Route("send", POST, CONVERSATION, {"delivery": "delivery"}),
    "inbox:hand_over": Route("send", POST, CONVERSATION, {"delivery": "delivery"}),
    "inbox:take_back_handover": Route("send", POST, CONVERSATION, {"delivery": "delivery"}),
    "inbox:let_through": Route("hold", POST, CONVERSATION, {"delivery": "delivery"}),
    "inbox:person": Route("read", takes={"pk": "person"}),
    "inbox:take": Route("note", POST, {**CONVERSATION, "effect": "effect"}),
    "inbox:dismiss": Route("note", POST, {**CONVERSATION, "effect": "effect"}),
    "inbox:put_back": Route("note", POST, {**CONVERSATION, "effect": "dismissed"}),
    "inbox:task_about": Route("note", POST, CONVERSATION, {"title": "Call"}),
    "inbox:task_about_done": Route("note", POST, {**CONVERSATION, "task": "task"}),
    "inbox:tasks": Route("read"),
    "inbox:task_new": Route("note", POST, data={"title": "Call"}),
    "inbox:task": Route("note", BOTH, {"pk": "task"}, {"title": "Ring"}),
    "inbox:task_settle": Route("note", POST, {"pk": "task"}, {"how": "done"}),
    "inbox:step": Route("triage", POST, {"pk": "person", "step": "step"}, {"way": "acknowledged"}),
    "inbox:ignore": Route("people", POST, {"pk": "person"}, {"ignored": "yes", "reason": "insults us"}),
    "inbox:suppress": Route("people", POST, {"pk": "person"}, {"reason": "asked us"}),
    "inbox:relationship": Route("people", POST, {"pk": "person"}, {"relationship": "customer"}),
    "inbox:people": Route("read"),
    "person_data": Route("export", takes={"pk": "person"}),
    "person_export": Route("export", POST, {"pk": "person"}, {"reason": "asked by mail"}),
    "person_erase": Route("erase", POST, {"pk": "person"}, {"reason": "asked by mail", "typed": "Nadia"}),
    "channel_forget": Route("erase", POST, {"pk": "channel"}, {"typed": "Fernway"}),
    "person_jobs": Route("export"),
    "person_job": Route("export", takes={"pk": "person_job"}),
    "person_job_file": Route("export", takes={"pk": "person_job"}),
    "inbox:person_note": Route("note", POST, {"pk": "person"}, {"text": "Calls on Mondays"}),
    "inbox:person_note_remove": Route("note", POST, {"pk": "person"}, {"note": "person_note"}, except_for=NOT_THEIRS),
    "inbox:person_fields": Route("people", POST, {"pk": "person"}, {"field-1": ""}),
    "inbox:person_consent": Route(
        "people", POST, {"pk": "person"}, {"purpose": "quote", "given": "yes", "source": "said"}
    ),
    "inbox:join": Route("people", BOTH, {"pk": "person"}, {"with": "double", "evidence": "They said so"}),
    "inbox:automated": Route("people", POST, {"pk": "joined"}, {"handle": "handle", "word": "no"}),
    "inbox:split": Route("people", POST, {"pk": "joined"}, {"join": "join"}),
    "inbox:split_handle": Route("people", POST, {"pk": "joined"}, {"handle": "handle"}),
    # drafts that wait
    "approvals": Route("send"),
    "approval_send": Route("send", POST, {"pk": "proposal"}),
    "approval_return": Route("send", POST, {"pk": "proposal"}, {"reason": "Warmer, please"}),
    "plans": Route("configure"),
    "plan_new": Route("configure", BOTH),
    "plan": Route("configure", BOTH, {"pk": "plan"}),
    "inbox:plan_begin": Route("note", POST, CONVERSATION, {"plan": "plan"}),
    # surveys; the page behind a link is open to whoever has it (tests/web/test_public_survey.py)
    "survey_page": Route("open", BOTH, {"token": "token"}),
    "surveys": Route("configure"),
    "survey_new": Route("configure", BOTH),
    "survey": Route("configure", BOTH, {"pk": "survey"}),
    "survey_results": Route("configure", takes={"pk": "survey"}),
    "inbox:survey_ask": Route("draft", POST, CONVERSATION, {"survey": "csat"}),
    "inbox:survey_take_back": Route("draft", POST, {**CONVERSATION, "invitation": "invitation"}),
    # discretion
    "articles": Route("policy"),
    "article_new": Route("policy", BOTH),
    "article": Route("policy", BOTH, {"pk": "article"}),
    "article_delete": Route("policy", POST, {"pk": "article"}),
    "allowances": Route("policy", BOTH),
    "allowance_delete": Route("policy", POST, {"pk": "allowance"}),
    "inbox:offer": Route("draft", POST, CONVERSATION, {"what": "refund", "ask": "lead", "reason": "rain"}),
    "inbox:offer_answer": Route("draft", POST, {**CONVERSATION, "offer": "offered"}, {"becomes": "agreed"}),
    "offers": Route("allow"),
    "offer_report": Route("allow"),
    "offer_decide": Route("allow", POST, {"pk": "offer"}, {"how": "allow"}),
    # what somebody is told of
    "settings": Route("read"),
    "notices": Route("read"),
    "notice": Route("read", takes={"pk": "notice"}, except_for=OWN),
    "notices_read": Route("read", POST),
    "notice_settings": Route("read", BOTH),
    "notices_off": Route("read", BOTH, {"way": "way"}),
    "device_add": Route("read", POST, data={"endpoint": "https://push.example/1", "p256dh": "k", "auth": "s"}),
    "device_remove": Route("read", POST, {"pk": "device"}, except_for=OWN),
    # settings
    "channels": Route("channels"),
    "connect_choose": Route("channels"),
    "connect": Route("channels", BOTH, {"network": "network"}),
    "judge_check": Route("release", POST, {"pk": "check"}, {"basket": ""}),
    "new_secret": Route("channels", POST, {"pk": "webhook"}),
    "see_gaps": Route("channels", POST, {"pk": "channel"}),
    "channel": Route("channels", BOTH, {"pk": "channel"}),
    "disconnect": Route("channels", POST, {"pk": "channel"}),
    "limits": Route("channels", BOTH, {"pk": "channel"}),
    "topics": Route("configure"),
    "topic_new": Route("configure", BOTH),
    "topic_preview": Route("configure", POST, data={"topic": "topic", "query": "delay"}),
    "topic": Route("configure", BOTH, {"pk": "topic"}),
    "topic_apply": Route("configure", BOTH, {"pk": "topic"}),
    "topic_delete": Route("configure", POST, {"pk": "topic"}),
    "rules": Route("configure"),
    "rules_version": Route("configure", takes={"version": "rule_version"}),
    "rules_restore": Route("publish", POST, {"version": "rule_version"}),
    "rules_file": Route("configure", takes={"version": "rule_version"}),
    "rule_draft_new": Route("configure", BOTH),
    "rule_draft": Route("configure", takes={"pk": "rule_draft"}),
    "rule_draft_beside": Route("configure", takes={"pk": "rule_draft"}),
    "rule_draft_run": Route("configure", POST, {"pk": "rule_draft"}, {"hours": "1"}),
    "rule_draft_publish": Route("publish", BOTH, {"pk": "rule_draft"}),
    "rule_draft_catch_up": Route("configure", POST, {"pk": "rule_draft"}, {"how": "keep"}),
    "rule_draft_rename": Route("configure", POST, {"pk": "rule_draft"}, {"name": "Other"}),
    "rule_draft_delete": Route("configure", POST, {"pk": "rule_draft"}),
    "rule_draft_file": Route("configure", takes={"pk": "rule_draft"}),
    "back_test_begin": Route("configure", POST, {"pk": "rule_draft"}, {"days": "7"}),
    "back_test": Route("configure", takes={"pk": "back_test"}),
    "back_test_stop": Route("configure", POST, {"pk": "back_test"}),
    "rule_list": Route("configure"),
    "rule_page": Route("configure", except_for=dict.fromkeys(("owner", "admin", "lead"), "no rule is named")),
    "rule_text": Route("configure", BOTH),
    "rule_check": Route("configure", POST),
    "rule_words": Route("configure"),
    "rule_rows": Route("configure", BOTH),
    "rule_preview": Route("configure", POST),
    "rule_group": Route("configure", POST, data={"name": "Shop", "revision": "1"}),
    "rule_table": Route("configure", BOTH),
    "rule_packs": Route("configure"),
    "rule_pack": Route("configure", BOTH, {"pack": "pack"}),
    "score": Route("configure", BOTH),
    "score_preview": Route("configure", POST),
    "score_learnt": Route("configure"),
    "score_restore": Route("configure", POST, {"version": "rule_version"}),
    "readings": Route("configure", BOTH),
    "readings_preview": Route("configure", POST),
    "readings_cost": Route("configure"),
    "readings_team": Route("configure", BOTH),
    "readings_use": Route("configure", POST, {"version": "rule_version"}),
    "readings_shipped": Route("configure", POST),
    "corrections": Route("configure"),
    "corrections_export": Route("configure"),
    "correction_withdraw": Route("configure", POST, {"pk": "correction"}),
    "baskets": Route("configure"),
    "basket_new": Route("configure", BOTH),
    "basket": Route("configure", BOTH, {"pk": "own_basket"}),
    "basket_archive": Route("configure", POST, {"pk": "own_basket"}, {"into": "praise"}),
    "basket_back": Route("configure", POST, {"pk": "archived"}),
    "person_field_list": Route("configure"),
    "person_field_new": Route("configure", BOTH, data={"name": "Birthday", "kind": "date"}),
    "person_field": Route("configure", BOTH, {"pk": "person_field"}, {"name": "Size"}),
    "person_field_delete": Route("configure", POST, {"pk": "person_field"}),
    "basket_people": Route("team", POST, {"pk": "own_basket"}),
    "basket_member": Route("configure", BOTH, {"pk": "member"}),
    "absences": Route("draft", BOTH),
    "absence_end": Route("draft", POST, {"pk": "absence"}, except_for=NOT_THEIR_ABSENCE),
    "absence_hand_back": Route("draft", POST, {"pk": "absence"}, except_for=NOT_THEIR_ABSENCE),
    "same_words": Route("configure"),
    "posts": Route("read"),
    "post_new": Route("draft", BOTH, data={"text": "Hello"}),
    "post_draft": Route("draft", BOTH, {"pk": "own_post"}, {"do": "save"}, except_for=OWN_WORDS),
    "post_image": Route("read", takes={"pk": "own_post", "image": "own_image"}, except_for=OWN),
    "post_act": Route("send", POST, {"pk": "said_post"}, {"do": "cancel"}),
    "campaigns": Route("send"),
    "campaign_new": Route("campaign", BOTH),
    "campaign": Route("send", takes={"pk": "campaign"}),
    "campaign_change": Route("campaign", BOTH, {"pk": "campaign"}),
    "campaign_find": Route("campaign", POST, {"pk": "campaign"}),
    "campaign_move": Route("campaign", POST, {"pk": "campaign"}, {"how": "run"}),
    "campaign_work": Route("send", POST, {"pk": "campaign"}, {"skip": "campaign_post"}),
    "campaign_text": Route("send", POST, {"pk": "campaign", "post": "campaign_post"}, {"text": "Hello"}),
    "brands": Route("configure", BOTH),
    "brand_remove": Route("configure", POST, {"pk": "brand"}),
    "replies": Route("configure"),
    "reply_new": Route("configure", BOTH),
    "reply": Route("configure", BOTH, {"pk": "reply"}),
    "reply_delete": Route("configure", POST, {"pk": "reply"}),
    "team": Route("team"),
    "invite": Route("team", BOTH),
    "member": Route("team", BOTH, {"pk": "member"}),
    "member_link": Route("team", POST, {"pk": "member"}),
    "approval_rules": Route("team"),
    "approval_rule_new": Route("team", BOTH),
    "approval_rule": Route("team", BOTH, {"pk": "approval_rule"}),
    "approval_rule_act": Route("team", POST, {"pk": "approval_rule"}, {"do": "up"}),
    "drafting": Route("configure"),
    "drafting_save": Route("channels", POST),
    "acknowledgement": Route("channels", BOTH),
    "webhooks": Route("channels"),
    "webhook_new": Route("channels", BOTH),
    "webhook": Route("channels", BOTH, {"pk": "hook"}),
    "webhook_act": Route("channels", POST, {"pk": "hook"}, {"do": "pause"}),
    "webhook_secret": Route("channels", POST, {"pk": "hook"}),
    "webhook_delete": Route("channels", POST, {"pk": "hook"}),
    "webhook_retry": Route("channels", POST, {"pk": "call"}),
    "audit": Route("audit"),
    # quarantine
    "quarantine": Route("release"),
    "take_out": Route("release", POST, {"pk": "quarantined"}, {"basket": "care"}),
    "retry_message": Route("release", POST, {"pk": "message"}, except_for={"agent": AS_SEEN}),
}


@dataclass
class World:
    """One object of every kind in Fernway, and the same kinds in the other workspace."""

    cast: Any
    here: dict[str, Any]
    there: dict[str, Any]
    #: conversations of Fernway in a basket that only those see who see all
    elsewhere: int


def own_post_of(member: Any, channel: Any, now: dt.datetime) -> dict[str, Any]:
    """One in the making, with an image, and one that waits to leave."""
    from rapport.actions import attachments, own_posts
    from rapport.actions.own_posts import Typed

    made = own_posts.save_post(member, None, Typed("We open on Saturday.", [(channel, "")]), now=now)
    image = attachments.keep_post_image(member, made, A_PICTURE, now=now)
    other = own_posts.save_post(member, None, Typed("The lift runs again.", [(channel, "")]), now=now)
    [said] = own_posts.send_post(member, other, version=other.version, now=now)
    return {"own_post": made.pk, "own_image": image.pk, "said_post": said.pk}


def campaign_of(conversation: Any, post: Any, now: dt.datetime) -> dict[str, Any]:
    """One that runs, with one post."""
    from rapport.store.models import Campaign, CampaignPost

    workspace = conversation.workspace
    campaign = Campaign.objects.create(workspace=workspace, name="Late", query="late", state="running", at=now)
    found = CampaignPost.objects.create(workspace=workspace, campaign=campaign, post=post, conversation=conversation)
    return {"campaign": campaign.pk, "campaign_post": found.pk}


def an_image(member: Any, conversation: Any, now: dt.datetime) -> int:
    from rapport.actions.attachments import keep_image

    return keep_image(member, conversation, A_PICTURE, now=now).pk


def promised(conversation: Any, hired: Any, now: dt.datetime) -> dict[str, Any]:
    """Articles, offers and surveys of a conversation."""
    from rapport.store.models import Allowance, Article, Invitation, Offer, StepPlan, Survey

    workspace = conversation.workspace
    here: dict[str, Any] = {"workspace": workspace, "conversation": conversation, "person": conversation.person}
    wish = {**here, "what": "refund", "by": hired, "at": now}
    survey = Survey.objects.create(workspace=workspace, slug="csat", name="How was it?", changed_at=now)
    asked = {**here, "survey": survey, "digest": workspace.slug, "made_at": now, "expires_at": now}
    return {
        "article": Article.objects.create(workspace=workspace, title="Rain", text="Dry it", changed_at=now).pk,
        "allowance": Allowance.objects.create(workspace=workspace, role="viewer", what="refund").pk,
        "offer": Offer.objects.create(**wish, state="asked").pk,
        "offered": Offer.objects.create(**wish, state="offered").pk,
        "survey": survey.pk,
        "plan": StepPlan.objects.create(workspace=workspace, name="After care", changed_at=now).pk,
        "invitation": Invitation.objects.create(**asked).pk,
    }


def populate(member: Any, now: dt.datetime) -> dict[str, Any]:
    from rapport.actions.basket_archive import Kept
    from rapport.actions.corrections import correct
    from rapport.actions.outbound import save_prepared_reply
    from rapport.actions.people import join_people
    from rapport.networks.webhook.secret import rotate
    from rapport.store.models import (
        Absence,
        Approval,
        ApprovalRule,
        AuditEntry,
        BackTest,
        Basket,
        BusMessage,
        Channel,
        Check,
        Conversation,
        Delivery,
        Draft,
        DraftVersion,
        Escalation,
        Handle,
        Membership,
        Note,
        Notification,
        Outcome,
        Person,
        Post,
        PushSubscription,
        RuleDraft,
        RuleEffect,
        RuleSet,
        SavedView,
        ScoreWeights,
        Task,
        TeamModel,
        Topic,
        User,
        Webhook,
        WebhookCall,
    )
    from rapport.store.secrets import seal

    workspace = member.workspace
    slug = workspace.slug
    care = Basket.objects.of(workspace).get(slug="care")
    channel = Channel.objects.create(
        workspace=workspace, network="mastodon", slug="brand", name="Brand", state="connected", external_id=slug
    )
    person = Person.objects.create(workspace=workspace, name="Nadia", first_seen=now, last_seen=now)
    talk = {"workspace": workspace, "network": "mastodon", "channel": channel, "person": person, "basket": care}
    topic = Topic.objects.create(workspace=workspace, slug="t", name="T", query="delay", updated_at=now)
    reply = save_prepared_reply(member, f"r-{slug}", "R", "Hello", now=now)
    hired = Membership.objects.create(
        workspace=workspace, user=User.objects.create_user(f"x@{slug}.example"), role="agent"
    )
    message = BusMessage.objects.create(workspace=workspace, payload=b"[]", size=1, state="quarantined", created_at=now)
    RuleSet.objects.create(workspace=workspace, version=len(slug) + 100, document="", created_at=now)
    rule_draft = RuleDraft.objects.create(
        workspace=workspace, name="Rain", document="", created_at=now, updated_at=now, author=member, updated_by=member
    )
    back_test = BackTest.objects.create(workspace=workspace, since=now, until=now, asked_at=now)
    ScoreWeights.objects.create(workspace=workspace, version=len(slug) + 100, created_at=now)
    TeamModel.objects.create(
        workspace=workspace, version=len(slug) + 100, state="made", asked_at=now, weights=b"x", in_force=True
    )
    conversation = Conversation.objects.create(state="open", **talk)
    handle = Handle.objects.create(
        workspace=workspace, person=person, network="mastodon", external_id="n", handle="nadia"
    )
    post = Post.objects.create(
        workspace=workspace, channel=channel, handle=handle, conversation_id=conversation.pk, network="mastodon",
        external_id="1", kind="post", text="Hello", created_at=now, seen_at=now, sort_at=now,
    )  # fmt: skip
    judged = Judged(
        "mastodon", "1", (), Reading("mastodon", "1"), Score(), Decision("care"), Way("care"), decided_at=now
    )
    Outcome.objects.create(
        post=post, workspace=workspace, sentiment="neutral", language="en", score=0, basket="care", priority="medium",
        body=msgspec.json.encode(judged).decode(), processed_at=now,
    )  # fmt: skip
    correction = correct(member, post, "irony", "true", now=now)
    approval = Approval.objects.create(
        workspace=workspace, conversation=conversation, channel=channel, target=post, person=member, text="Hi",
        digest="0", approved_at=now, sequence=1, chain="0",
    )  # fmt: skip
    delivery = Delivery.objects.create(
        workspace=workspace, approval=approval, channel=channel, conversation=conversation, state="failed",
        idempotency_key=slug, next_try_at=now, queued_at=now,
    )  # fmt: skip

    def meet(name: str) -> Any:
        met = Person.objects.create(workspace=workspace, name=name, first_seen=now, last_seen=now)
        Handle.objects.create(workspace=workspace, person=met, network="bluesky", external_id=name, handle=name)
        Conversation.objects.create(state="open", **{**talk, "person": met})
        return met

    joined = meet("olga")
    join = join_people(member, joined, meet("olga.o"), "Her profile says so", now=now)
    webhook = Channel.objects.create(
        workspace=workspace, network="webhook", slug="orders", name="Orders", state="connected", external_id=slug,
        token=seal(rotate("", now)),
    )  # fmt: skip
    aside = Conversation.objects.create(state="quarantined", **talk)
    check = Check.objects.create(workspace=workspace, conversation=aside, day=now.date(), population=1)
    proposal = Draft.objects.create(
        workspace=workspace, conversation=conversation, author=hired, text="Hi", proposed=True, updated_at=now
    )
    notice = Notification.objects.create(
        workspace=workspace, membership=member, event="assigned", text="Yours", first_at=now, last_at=now
    )
    device = PushSubscription.objects.create(
        workspace=workspace, membership=member, endpoint="https://push.example/0", digest=slug, created_at=now
    )
    held = {"workspace": workspace, "conversation": conversation, "post": post.pk, "rule": "R", "verb": "note"}
    proposed = RuleEffect.objects.create(**held, argument="y", level="suggest", state="proposed", at=now)
    dismissed = RuleEffect.objects.create(**held, argument="x", level="suggest", state="dismissed", at=now)
    task = Task.objects.create(workspace=workspace, title="Call", conversation=conversation, basket=care, made_at=now)
    step = Escalation.objects.create(
        workspace=workspace, person=person, post=post.pk, conversation=conversation, step="first", rule="R", at=now
    )
    hook = Webhook.objects.create(
        workspace=workspace, slug="crm", url="https://crm.example/", secret="", created_at=now
    )
    call = WebhookCall.objects.create(
        workspace=workspace, webhook=hook, key=slug, body="{}", state="failed", next_try_at=now, queued_at=now
    )
    archived = AuditEntry.objects.create(
        workspace=workspace, verb="basket.archive", subject="basket", subject_id=str(care.pk), at=timezone.now(),
        detail={"name": "Care", "was": msgspec.to_builtins(Kept({}, [], "", "", {}, care.pk))},
    )  # fmt: skip
    return {
        **promised(conversation, hired, now),
        "hook": hook.pk,
        "shared_view": SavedView.objects.create(workspace=workspace, name="All", asked={"b": "care"}, at=now).pk,
        "call": call.pk,
        "own_basket": care.pk,
        "own_note": Note.objects.create(
            workspace=workspace, conversation=conversation, author=member, text="A word", at=now
        ).pk,
        "approval_rule": ApprovalRule.objects.create(workspace=workspace, role="agent", changed_at=now).pk,
        "version": DraftVersion.objects.create(
            workspace=workspace, conversation=conversation, author=member, text="Earlier", source="own", at=now
        ).pk,
        "archived": archived.pk,
        "absence": Absence.objects.create(workspace=workspace, membership=hired, since=now).pk,
        "effect": proposed.pk,
        "dismissed": dismissed.pk,
        "task": task.pk,
        "step": step.pk,
        "proposal": proposal.pk,
        "rule_draft": rule_draft.pk,
        "back_test": back_test.pk,
        "notice": notice.pk,
        "device": device.pk,
        "way": "mail",
        "channel": channel.pk,
        "person": person.pk,
        "double": meet("nadia.n").pk,
        "person_field": person.workspace.person_fields.create(slug="size", name="Size").pk,
        "person_job": person.workspace.person_jobs.create(
            person=person.pk, kind="export", reason="asked by mail", asked_at=now, state="done"
        ).pk,
        "person_note": person.notes.create(workspace=workspace, author=member, text="Calls", at=now).pk,
        "joined": joined.pk,
        "join": join.pk,
        "handle": Handle.objects.of(workspace).get(handle="olga.o").pk,
        "conversation": conversation.pk,
        "image": an_image(member, conversation, now),
        "quarantined": aside.pk,
        "folded": Conversation.objects.create(state="folded", **talk).pk,
        "topic": topic.pk,
        **campaign_of(conversation, post, now),
        **own_post_of(member, channel, now),
        "brand": workspace.brand_handles.create(network="mastodon", key="acme", name="Acme", at=now).pk,
        "reply": reply.pk,
        "reply_slug": reply.slug,
        "member": hired.pk,
        "message": message.pk,
        "rule_version": len(slug) + 100,
        "delivery": delivery.pk,
        "post": post.pk,
        "correction": correction.pk,
        "basket": "care",
        "ready_list": "praise",
        "pack": "shop",
        "check": check.pk,
        "webhook": webhook.pk,
        "network": "mastodon",
        "help page": "inbox",
        "workspace": slug,
        "channel_slug": "brand",
        "token": "no-such-token",
        "uid": "1",
        "passkey": 1,
    }


@pytest.fixture
def world(cast: Any, now: dt.datetime) -> World:
    from rapport.store.models import Basket, Channel, Conversation

    here, there = populate(cast.alice, now), populate(cast.charlie, now)
    sales = Basket.objects.of(cast.workspace).get(slug="sales")
    channel = Channel.objects.get(pk=here["channel"])
    hidden = Conversation.objects.create(
        workspace=cast.workspace, network="mastodon", channel=channel, basket=sales, state="quarantined"
    )
    return World(cast, here, there, hidden.pk)


def walk(patterns: list[Any], space: str = "") -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{space}{pattern.namespace}:" if pattern.namespace else space
            yield from walk(pattern.url_patterns, inner)
        elif isinstance(pattern, URLPattern):
            yield f"{space}{pattern.name}" if pattern.name else f"{space}unnamed {pattern.pattern}"


def address(world: World, name: str, kinds: dict[str, Any], slug: str = "fernway") -> str:
    route = ROUTES[name]
    arguments = {argument: kinds[kind] for argument, kind in route.takes.items()}
    in_workspace = route.right not in {"open", "person", "own"}
    return reverse(name, kwargs={"slug": slug, **arguments} if in_workspace else arguments)


def form(route: Route, kinds: dict[str, Any]) -> dict[str, Any]:
    return {name: kinds.get(value, value) for name, value in route.data.items()}


def ask(client: Client, method: str, url: str, data: dict[str, Any]) -> HttpResponseBase:
    """One request; what it changes is undone, so that the next person and the next route find the same world."""
    with transaction.atomic():
        answer = client.get(url) if method == "GET" else client.post(url, data)
        transaction.set_rollback(True)
    return answer


def verdict(answer: HttpResponseBase) -> str:
    if answer.status_code == 302 and str(answer.headers["Location"]).startswith("/account/login/"):
        return "sign in"
    return {403: "forbidden", 404: "missing", 405: "wrong method"}.get(answer.status_code, "let in")


def plain(answer: Any) -> bytes:
    """The body without what differs by design (csrf tokens)."""
    return re.sub(rb'name="csrfmiddlewaretoken" value="[^"]*"', b"", answer.content)


def test_every_route_stands_in_the_table() -> None:
    found = set(walk(get_resolver().url_patterns))
    # programs come in by another door: tests/api/test_matrix.py walks their routes
    assert {name for name in found if not name.startswith("api:")} == set(ROUTES)


IN_WORKSPACE = sorted(name for name, route in ROUTES.items() if route.right not in {"open", "person", "own"})
#: the stream reads on a connection of its own, so it has a test of its own
IN_TURN = [name for name in IN_WORKSPACE if name != "inbox:events"]
WITH_ROW = [
    name for name in IN_WORKSPACE if any(isinstance(k, str) and k in {"pk", "version"} for k in ROUTES[name].takes)
]
#: routes that one test asks in one world: to make a world takes as long as asking a route of everybody
TOGETHER = 20


def in_parts(names: list[str]) -> list[Any]:
    """The routes for the tests that ask several of them; what fails is said by route, method and person."""
    parts = [names[at : at + TOGETHER] for at in range(0, len(names), TOGETHER)]
    return [pytest.param(part, id=f"{part[0]} to {part[-1]}") for part in parts]


@pytest.fixture
def entered(enter: Callable[[Any], Client]) -> Callable[[Any], Client]:
    """As `enter`, once for each person: their requests come one after the other from the same browser."""
    open_browsers: dict[int, Client] = {}

    def sign_in(member: Any) -> Client:
        if member.pk not in open_browsers:
            open_browsers[member.pk] = enter(member)
        return open_browsers[member.pk]

    return sign_in


@pytest.mark.parametrize("names", in_parts(IN_TURN))
def test_a_route_lets_in_exactly_the_roles_that_hold_its_right(
    names: list[str], world: World, entered: Callable[[Any], Client]
) -> None:
    wrong = {}
    for name in names:
        route = ROUTES[name]
        url = address(world, name, world.here)
        for method in route.methods:
            for who, client, expected in everybody(route, world, entered):
                seen = verdict(ask(client, method, url, form(route, world.here)))
                if seen != expected:
                    wrong[f"{method} {name} by {who}"] = f"{seen}, expected {expected}"
    assert wrong == {}


@pytest.mark.django_db(transaction=True)  # what the stream reads is committed
def test_the_stream_of_events_lets_in_exactly_those_who_read(world: World, entered: Callable[[Any], Client]) -> None:
    people = everybody(ROUTES["inbox:events"], world, entered)
    url = address(world, "inbox:events", world.here)
    assert {who: verdict(client.get(url)) for who, client, _ in people} == {who: word for who, _, word in people}


def everybody(route: Route, world: World, entered: Callable[[Any], Client]) -> list[tuple[str, Client, str]]:
    """Each person, their browser, and what a route has to answer them."""
    people = []
    for who, member in world.cast.colleagues.items():
        held = may(member.role, route.right)  # type: ignore[arg-type]
        word = "missing" if member.role in route.except_for else "let in" if held else "forbidden"
        people.append((who, entered(member), word))
    return [
        *people,
        ("anonymous", Client(), "sign in"),
        ("charlie", entered(world.cast.charlie), "missing"),
        ("fred", entered(world.cast.fred), "missing"),
    ]


@pytest.mark.parametrize("names", in_parts(IN_WORKSPACE))
def test_a_workspace_that_is_not_ours_answers_like_one_that_does_not_exist(
    names: list[str], world: World, entered: Callable[[Any], Client]
) -> None:
    for name in names:
        route = ROUTES[name]
        for member in (world.cast.charlie, world.cast.fred):
            client = entered(member)
            for method in route.methods:
                asked = f"{method} {name} by {member.user.email}"
                foreign = ask(client, method, address(world, name, world.here), form(route, world.here))
                missing = ask(client, method, address(world, name, world.here, slug="nowhere"), form(route, world.here))
                assert foreign.status_code == missing.status_code == 404, asked
                assert foreign.content == missing.content, asked  # type: ignore[attr-defined]


@pytest.mark.parametrize("names", in_parts(WITH_ROW))
def test_a_row_of_another_workspace_answers_like_one_that_does_not_exist(
    names: list[str], world: World, entered: Callable[[Any], Client]
) -> None:
    client = entered(world.cast.alice)
    for name in names:
        route = ROUTES[name]
        for method in route.methods:
            foreign = ask(client, method, address(world, name, world.there), form(route, world.there))
            assert foreign.status_code == 404, f"{method} {name}"
            for missing_id in (999_999_999, 2**63 - 1, 2**64):
                kinds = {kind: missing_id for arg, kind in route.takes.items() if arg in {"pk", "version"}}
                url = address(world, name, {**world.there, **kinds})
                missing = ask(client, method, url, form(route, world.there))
                assert missing.status_code == 404, f"{method} {name} {missing_id}"
                assert foreign.content == missing.content, f"{method} {name} {missing_id}"  # type: ignore[attr-defined]


@pytest.mark.parametrize("names", in_parts([n for n in WITH_ROW if ROUTES[n].takes.get("pk") in TALKS]))
def test_a_conversation_in_a_basket_that_is_not_open_answers_like_one_that_does_not_exist(
    names: list[str], world: World, entered: Callable[[Any], Client]
) -> None:
    for name in names:
        route = ROUTES[name]
        kind = route.takes["pk"]
        for member in (world.cast.amir, world.cast.rita, world.cast.ada):
            if not may(member.role, route.right):  # type: ignore[arg-type]
                continue
            client = entered(member)
            for method in route.methods:
                asked = f"{method} {name} by {member.user.email}"
                elsewhere = address(world, name, {**world.here, kind: world.elsewhere})
                hidden = ask(client, method, elsewhere, form(route, world.here))
                nowhere = address(world, name, {**world.here, kind: 999_999_999})
                missing = ask(client, method, nowhere, form(route, world.here))
                assert (hidden.status_code, missing.status_code) == (404, 404), asked
                assert hidden.content == missing.content, asked  # type: ignore[attr-defined]


def test_a_page_of_ones_own_is_for_those_who_signed_in(world: World, entered: Callable[[Any], Client]) -> None:
    for name, route in ROUTES.items():
        if route.right not in {"person", "own"}:
            continue
        for method in route.methods:
            url = address(world, name, world.here)
            assert verdict(ask(Client(), method, url, {})) == "sign in", f"{method} {name}"
            seen = verdict(ask(entered(world.cast.amir), method, url, {}))
            assert seen in ({"missing", "let in"} if route.right == "own" else {"let in"}), f"{method} {name}"


def test_a_former_member_is_out_with_the_next_click(
    cast: Any, enter: Callable[[Any], Client], now: dt.datetime
) -> None:
    from rapport.actions.accounts import change_member

    client = enter(cast.lea)
    page = reverse("topics", kwargs={"slug": "fernway"})
    assert client.get(page).status_code == 200
    change_member(cast.alice, cast.lea, role="lead", active=False, baskets=[], now=now)
    assert client.get(page).status_code == 404


def test_htmx_is_sent_to_the_sign_in_page_as_a_whole(cast: Any) -> None:
    where = {"HX-Request": "true", "HX-Current-URL": "http://testserver/w/fernway/b/care/"}
    answer = Client().get(reverse("topics", kwargs={"slug": "fernway"}), headers=where)
    assert answer.status_code == 204
    assert answer.headers["HX-Redirect"] == "/account/login/?next=%2Fw%2Ffernway%2Fb%2Fcare%2F"
    assert answer.content == b""


def test_a_refusal_names_colleagues_who_can_help(cast: Any, enter: Callable[[Any], Client]) -> None:
    answer = enter(cast.amir).get(reverse("team", kwargs={"slug": "fernway"}))
    assert answer.status_code == 403
    assert "Ask Alice or Ben" in answer.content.decode()


def test_a_route_of_the_library_that_we_do_not_use_is_closed(client: Client, cast: Any) -> None:
    client.force_login(cast.alice.user)
    for closed in ("signup/", "email/", "confirm-email/", "confirm-email/abc/", "login/code/confirm/", "3rdparty/"):
        assert client.get(f"/account/{closed}").status_code == 404, closed


# ------------------------------------------------------------------ an outsourced agent and the rest of the house

#: words that stand only in what lies outside the baskets of Rita: none of them may reach her, on any page
FOREIGN = ("zanzibar", "zugzwang", "quentin", "zelda", "quagga")


def plant(world: World, now: dt.datetime) -> dict[str, int]:
    """Real content beyond Rita's basket, of every kind, some of it about people and posts that she does see."""
    from rapport.store.models import (
        Absence,
        Approval,
        Basket,
        BasketMember,
        Channel,
        Conversation,
        Delivery,
        Draft,
        Escalation,
        Handle,
        Membership,
        Note,
        Notification,
        Outcome,
        Person,
        PersonMerge,
        Post,
        Promise,
        RuleEffect,
        RuleSet,
        Task,
        Topic,
        User,
    )

    workspace, rita = world.cast.workspace, world.cast.rita
    far = Basket.objects.of(workspace).get(slug="sales")
    far.slug, far.name, far.purpose = "zanzibar", "Zanzibar", "Zanzibar trade"
    far.save()
    zelda = Membership.objects.create(
        workspace=workspace, user=User.objects.create_user("zelda@fernway.example", name="Zelda Zugzwang"), role="agent"
    )
    BasketMember.objects.create(workspace=workspace, basket=far, membership=zelda)
    channel = Channel.objects.get(pk=world.here["channel"])
    near = Conversation.objects.get(pk=world.here["conversation"])
    nadia = near.person
    assert nadia is not None
    stranger = Person.objects.create(workspace=workspace, name="Quentin Quagga", first_seen=now, last_seen=now)
    Topic.objects.create(workspace=workspace, slug="zanzibar", name="Zanzibar", query="zugzwang", updated_at=now)
    document = """
[[rule]]
name = "Care first"
when = 'complaint >= 0.7'
then = ["basket:care", "notify:zelda"]

[[rule]]
name = "Zanzibar trade"
when = 'text matches "zugzwang"'
then = ["basket:zanzibar"]
"""
    rules = RuleSet.objects.create(workspace=workspace, version=900, document=document, created_at=now)
    talks = []
    for number, person in enumerate((nadia, stranger, stranger)):
        handle = Handle.objects.filter(person=person).first() or Handle.objects.create(
            workspace=workspace, person=person, network="mastodon", external_id="q", handle="quentin"
        )
        talk = Conversation.objects.create(
            workspace=workspace, network="mastodon", channel=channel, person=person, basket=far, assignee=zelda,
            state="folded" if number == 2 else "open", preview="zugzwang", why="zugzwang 0.93", last_post_at=now,
            opened_at=now, waiting_since=now, copies=1 if number == 1 else 0,
        )  # fmt: skip
        post = Post.objects.create(
            workspace=workspace, channel=channel, handle=handle, conversation_id=talk.pk, network="mastodon",
            external_id=f"zz{number}", kind="post", text="zugzwang in Zanzibar", created_at=now, seen_at=now,
            sort_at=now, copy_of=world.here["post"] if number == 2 else None,
        )  # fmt: skip
        judged = Judged(
            "mastodon", f"zz{number}", ("zanzibar",), Reading("mastodon", "1"), Score(), Decision("zanzibar"),
            Way("zanzibar"), decided_at=now,
        )  # fmt: skip
        Outcome.objects.create(
            post=post, workspace=workspace, sentiment="negative", language="en", score=0, basket="zanzibar",
            priority="medium", body=msgspec.json.encode(judged).decode(), processed_at=now, why="zugzwang",
        )  # fmt: skip
        Note.objects.create(workspace=workspace, conversation=talk, author=zelda, text="zugzwang note", at=now)
        Draft.objects.create(
            workspace=workspace, conversation=talk, author=zelda, text="zugzwang draft", proposed=True, updated_at=now
        )
        talks.append((talk, post))
    (shared, said), (other, _), _ = talks
    near.decided_by = world.here["post"]
    near.save()
    # the rules as Rita's own conversation met them
    decision = Decision("care", rule_set=rules.version, tried=2)
    mine = Judged("mastodon", "1", (), Reading("mastodon", "1"), Score(), decision, Way("care"), decided_at=now)
    Outcome.objects.filter(post=world.here["post"]).update(body=msgspec.json.encode(mine).decode())
    approval = Approval.objects.create(
        workspace=workspace, conversation=shared, channel=channel, target=said, person=zelda, text="zugzwang reply",
        digest="z", approved_at=now, sequence=900, chain="z",
    )  # fmt: skip
    Delivery.objects.create(
        workspace=workspace, approval=approval, channel=channel, conversation=shared, state="sent",
        idempotency_key="zugzwang", next_try_at=now, queued_at=now,
    )  # fmt: skip
    task = Task.objects.create(
        workspace=workspace, title="zugzwang task", person=nadia, conversation=shared, basket=far, assignee=zelda,
        made_by=zelda, made_at=now, due_at=now,
    )  # fmt: skip
    step = Escalation.objects.create(
        workspace=workspace, person=nadia, conversation=shared, post=said.pk, step="zugzwang", rule="Zanzibar trade",
        at=now, note="zugzwang",
    )  # fmt: skip
    effect = RuleEffect.objects.create(
        workspace=workspace, conversation=shared, post=said.pk, rule="Zanzibar trade", verb="tag", argument="zugzwang",
        level="suggest", state="proposed", at=now,
    )  # fmt: skip
    absence = Absence.objects.create(workspace=workspace, membership=zelda, since=now, note="zugzwang", deputy=zelda)
    Promise.objects.create(
        workspace=workspace, conversation=shared, basket=far, kind="first", minutes=10, used=99, started_at=now,
        broken_at=now,
    )  # fmt: skip
    join = PersonMerge.objects.create(
        workspace=workspace, kept=nadia.pk, absorbed=stranger.pk + 10_000, handles=[], conversations=[shared.pk],
        known={"name": "Quentin Quagga"}, before={}, evidence="zugzwang evidence", by=zelda, at=now,
    )  # fmt: skip
    nadia.known_to = zelda
    nadia.save()
    notice = Notification.objects.create(
        workspace=workspace, membership=rita, event="rule", bundle="zugzwang", text="Zanzibar trade: zugzwang",
        conversation=shared, first_at=now, last_at=now,
    )  # fmt: skip
    return {
        "conversation": shared.pk, "person": stranger.pk, "task": task.pk, "effect": effect.pk, "notice": notice.pk,
        "folded": talks[2][0].pk, "post": said.pk, "other": other.pk,
        "step": step.pk, "join": join.pk, "member": zelda.pk, "absence": absence.pk,
    }  # fmt: skip


def found_words(answer: Any) -> set[str]:
    """The foreign words that an answer tells, in its body or its headers."""
    told = str(dict(answer.headers))
    if not answer.streaming:
        told += answer.content.decode("utf-8", "replace")
    return {word for word in FOREIGN if word in told.lower()}


def test_a_restricted_agent_meets_no_word_of_other_baskets_on_any_route(
    world: World, enter: Callable[[Any], Client], now: dt.datetime
) -> None:
    plant(world, now)
    rita = enter(world.cast.rita)
    # whoever sees all meets them, so the words are there to be found
    everywhere = enter(world.cast.lea)
    assert found_words(everywhere.get("/w/fernway/b/zanzibar/")) >= {"zanzibar", "zugzwang", "quentin"}
    told = {}
    for name in IN_WORKSPACE:
        route = ROUTES[name]
        if name == "inbox:events":
            continue
        for method in route.methods:
            answer = ask(rita, method, address(world, name, world.here), form(route, world.here))
            if words := found_words(answer):
                told[f"{method} {name} ({answer.status_code})"] = words
    for where in (
        "search/?q=zugzwang", "search/?q=quentin", "search/?q=zugzwang&state=folded", "tasks/?tab=team",
        f"c/{world.here['conversation']}/?b=zanzibar", "counts?b=zanzibar", "lists/complaints/",
        f"people/{world.here['person']}/join?q=quentin",
    ):  # fmt: skip
        # what somebody typed stands in the box again
        answer = rita.get(f"/w/fernway/{where}")
        typed = {word for word in FOREIGN if word in where}
        if words := found_words(answer) - typed:
            told[where] = words
    assert told == {}


def test_a_restricted_agent_reaches_no_row_of_other_baskets_by_its_address(
    world: World, enter: Callable[[Any], Client], now: dt.datetime
) -> None:
    planted = plant(world, now)
    rita = enter(world.cast.rita)
    let_in = {}
    for name in IN_WORKSPACE:
        route = ROUTES[name]
        foreign = {kind for kind in (*route.takes.values(), *route.data.values()) if kind in planted}
        if not foreign or not may("restricted", route.right):  # type: ignore[arg-type]
            continue
        for kind in foreign:
            kinds = {**world.here, kind: planted[kind]}
            for method in route.methods:
                answer = ask(rita, method, address(world, name, kinds), form(route, kinds))
                if answer.status_code < 400:
                    let_in[f"{method} {name} {kind}"] = answer.status_code
    assert let_in == {}
    assert rita.get("/w/fernway/b/zanzibar/").status_code == 404
    about = f"/w/fernway/c/{world.here['conversation']}/"
    assert rita.post(f"{about}assign", {"assignee": planted["member"]}).status_code == 404
    assert rita.post(f"{about}move", {"basket": "zanzibar"}).status_code == 404


def test_programs_of_a_restricted_agent_read_no_more_than_they_do(
    world: World, client: Client, now: dt.datetime
) -> None:
    from rapport.actions.api import create_token

    planted = plant(world, now)
    _row, shown = create_token(world.cast.rita, "x", now=now)
    token = {"Authorization": f"Bearer {shown}"}
    for where in (
        "conversations", "conversations?state=folded", f"conversations/{world.here['conversation']}",
        f"conversations/{planted['conversation']}", "topics", "openapi.json", "conversations?basket=zanzibar",
    ):  # fmt: skip
        answer = client.get(f"/api/v1/{where}", headers=token)
        assert not found_words(answer) - {word for word in FOREIGN if word in where}, where
    own = client.get(f"/api/v1/conversations/{world.here['conversation']}", headers=token)
    assert (own.status_code, own.json()["explanation"]["steps"]) == (200, [])


def test_pages_of_a_restricted_agent_hear_that_something_happened_elsewhere_and_not_what(
    world: World, now: dt.datetime
) -> None:
    from rapport.actions.desk import add_note
    from rapport.store.models import Conversation, DeskEvent
    from rapport.web.inbox.events import scope_of, told

    planted = plant(world, now)
    add_note(world.cast.lea, Conversation.objects.get(pk=planted["conversation"]), "Hello", now=now)
    heard = told(DeskEvent.objects.latest("pk"), scope_of(world.cast.rita))
    assert (heard["kind"], heard["conversations"], heard["baskets"]) == ("conversations", [], [])
