"""The pages of what goes out, of policy, surveys and the ledger in a real browser, as tests/web/test_look.py does."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from web.test_look import CHROMIUM, FLAGS, look

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
SAME = "we are sorry for this and look into your case as soon as we can"


def answer(cast: Any, channel: Any, now: dt.datetime) -> list[Any]:
    """Everybody who wrote was told the same, and it left; answers the conversations."""
    from rapport.actions.outbound import approve
    from rapport.store.models import Conversation, Delivery, Post

    rows = list(Conversation.objects.order_by("pk"))
    for row in rows:
        target = Post.objects.get(conversation_id=row.pk)
        approve(cast.lea, row, f"@x {SAME}", target=target, channel=channel, version=row.version, now=now)
    Delivery.objects.update(state="sent")
    for row in rows:
        row.refresh_from_db()
    return rows


def furnish_policy(cast: Any, talk: Any, now: dt.datetime) -> list[str]:
    """An article, limits, an offer in each list, a rule about approvals, a plan of steps, another firm."""
    from rapport.actions.approval_rules import save_approval_rule
    from rapport.actions.articles import save_allowance, save_article
    from rapport.actions.brands import add_brand
    from rapport.actions.offers import answer_offer, make_offer
    from rapport.actions.steps import save_plan
    from rapport.core.tasks import Step

    article = save_article(
        cast.lea, None, kind="help", title="Rain", text="Dry it, then write to us.", link="https://x.example/r", now=now
    )
    save_allowance(cast.alice, "agent", "refund", Decimal(40), "EUR", "Once a year", now=now)
    make_offer(cast.amir, talk, "refund", Decimal(60), "EUR", "Third time in a row", ask=True, now=now)
    make_offer(cast.amir, talk, "refund", Decimal(10), "EUR", now=now)
    agreed = make_offer(cast.amir, talk, "refund", Decimal(20), "EUR", now=now)
    answer_offer(cast.amir, answer_offer(cast.amir, agreed, "agreed", now=now), "kept", now=now)
    rule = save_approval_rule(
        cast.alice, None, role="agent", basket=None, channel=None, condition="author.followers > 10000",
        approver="lead", four_eyes=True, active=True, now=now,
    )  # fmt: skip
    plan = save_plan(cast.lea, None, "After care", [Step("Ask again", 2)], now=now)
    add_brand(cast.lea, "mastodon", "other@firm.example", "Other firm", now=now)
    return [
        "offers/", "offers/?tab=past", "offers/report/", "settings/articles/",
        f"settings/articles/{article.pk}/", "settings/allowances/", "settings/approvals/",
        f"settings/approvals/{rule.pk}/", "settings/steps/", f"settings/steps/{plan.pk}/", "settings/brands/",
    ]  # fmt: skip


def furnish_surveys(cast: Any, channel: Any, talks: list[Any], now: dt.datetime) -> list[str]:
    """A survey that one person answered and another is asked; the last address is the link of the latter."""
    from rapport.actions.outbound import approve
    from rapport.actions.surveys import answer_survey, put_into_draft, save_survey
    from rapport.core.surveys import Question, tokens_in
    from rapport.store.models import Post

    asked = [Question("score", "How was it?"), Question("choice", "Where?", ("Shop", "Web")), Question("text", "Why?")]
    survey = save_survey(cast.lea, None, name="How was it?", questions=asked, thanks="Thank you.", now=now)
    tokens = []
    for talk in talks[:2]:
        text = put_into_draft(cast.lea, talk, survey, now=now).text
        target = Post.objects.get(conversation_id=talk.pk, ours=False)
        approve(cast.lea, talk, text, target=target, channel=channel, version=talk.version, now=now)
        tokens.append(tokens_in(text)[0])
    answer_survey(tokens[0], {"q0": "4", "q1": "Web", "q2": "Quick, but wet"}, now=now)
    own = [f"settings/surveys/{page}" for page in ("", f"{survey.pk}/", f"{survey.pk}/results/")]
    return [*own, f"/s/{tokens[1]}/"]


def furnish_outgoing(cast: Any, channel: Any, now: dt.datetime) -> list[str]:
    """A campaign that runs, and a post of our own in the making."""
    from rapport.actions.campaigns import Terms, find_posts, run_campaign, save_campaign
    from rapport.actions.own_posts import Typed, save_post

    wordings = [("One", "Hello {first_name}, we look into it."), ("Two", "Hi {first_name}, thank you for telling us.")]
    campaign = save_campaign(cast.alice, None, Terms("Lamps", query="lamp OR kettle"), wordings, now=now)
    find_posts(cast.alice, campaign, now=now)
    run_campaign(cast.alice, campaign, now=now)
    draft = save_post(cast.alice, None, Typed("We open on Saturday.", ways=[(channel, "")]), now=now)
    return [
        "campaigns/", "campaigns/new/", f"campaigns/{campaign.pk}/", "posts/", f"posts/draft/{draft.pk}/",
        f"settings/channels/{channel.pk}/limits/",
    ]  # fmt: skip


def furnish_own(cast: Any, talks: list[Any], now: dt.datetime) -> list[str]:
    """What one person finds: a note that names them, drafts, a view, a task, keys; and the report of an erasure."""
    from rapport.actions.desk import add_note
    from rapport.actions.drafts import save_draft
    from rapport.actions.listening import save_topic
    from rapport.actions.tasks import make_task
    from rapport.actions.views import save_view
    from rapport.store.models import Approval, PersonJob

    add_note(cast.lea, talks[0], "@Alice please look at this", now=now)
    save_draft(cast.alice, talks[1], "Dear Bob, half of it is written", now=now)
    view = save_view(cast.alice, "Angry", {"q": "angry"}, shared=True, now=now)
    task = make_task(cast.alice, "Call the depot", now=now)
    topic = save_topic(cast.alice, "", "Ann's words", "author:ann", now=now)
    named = {kind: [] for kind in ("rules", "groups", "drafts", "approvals", "campaigns")}
    job = PersonJob.objects.create(
        workspace=cast.workspace, person=0, kind="erase", reason="asked by mail", asked_by=cast.ben, asked_at=now,
        state="done", done_at=now,
        report={"removed": {"Post": 1}, "named_in": {**named, "version": 0, "topics": [topic.pk], "views": [view.pk]}},
    )  # fmt: skip
    entry = Approval.objects.order_by("sequence")[0]
    cast.alice.user.keys = {"resolve": "h", "like": ""}
    cast.alice.user.save(update_fields=["keys"])
    return [
        "named/", "drafts/", "views/", f"tasks/{task.pk}/", f"person-jobs/{job.pk}/", "hold/", "same-words/",
        f"ledger/?entry={entry.sequence}", "settings/drafting/", f"c/{talks[2].pk}/", "/me/keys/",
    ]  # fmt: skip


def furnish_work(cast: Any, channel: Any, hear: Any, make_post: Callable[..., Any], now: dt.datetime) -> list[str]:
    """One of everything; answers the addresses."""
    said = (
        ("ann", "My lamp came broken, where is my refund?"), ("bob", "Nobody answers the phone at your shop in Leeds!"),
        ("cleo", "The kettle leaks and the colour is wrong."), ("dan", "I was charged twice for the same jacket."),
    )  # fmt: skip
    hear(*(make_post(text, author=name) for name, text in said))
    talks = answer(cast, channel, now)
    hear(make_post("My lamp flickers. Is that how it should be?", author="eva"))
    found = [
        *furnish_policy(cast, talks[2], now), *furnish_surveys(cast, channel, talks, now),
        *furnish_outgoing(cast, channel, now), *furnish_own(cast, talks, now),
        "settings/baskets/new/", "settings/articles/new/", "settings/steps/new/", "settings/approvals/new/",
        "posts/new/", "palette/", "approvals/", "promises/", "notices/", "notices/settings/", "people/", "tasks/",
        "search/?q=lamp",
    ]  # fmt: skip
    return [page if page.startswith("/") else f"/w/fernway/{page}" for page in found]


def test_axe_finds_nothing_on_the_pages_of_work(
    cast: Any, channel: Any, hear: Any, make_post: Any, live_server: Any, enter: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not Path(CHROMIUM).exists():
        pytest.skip("no Chromium here; `make test-deps` installs it")
    from django.utils import timezone
    from playwright.sync_api import sync_playwright

    addresses = furnish_work(cast, channel, hear, make_post, timezone.now())
    client = enter(cast.alice)
    assert {address: code for address in addresses if (code := client.get(address).status_code) != 200} == {}
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    wrong: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[f"--{flag}" for flag in FLAGS])
        context = browser.new_context(base_url=live_server.url)
        context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])
        page = context.new_page()
        page.on("console", lambda message: wrong.append(message.text) if "Policy" in message.text else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        for address in addresses:
            wrong += look(page, address)
        browser.close()
    assert wrong == []
