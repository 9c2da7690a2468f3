"""Every page of accounts and settings in a real browser: axe is content, nothing scrolls sideways, the policy holds."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = "/usr/bin/chromium"
FLAGS = ("headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking")
VIEWS = [(1360, 860, "light"), (390, 844, "dark")]
#: what is wrong for a thumb: tables that go on beyond the edge and do not say so, buttons of text too low to hit
ON_A_PHONE = """() => [
  ...[...document.querySelectorAll(".table-wrap")].filter((each) => each.scrollWidth > each.clientWidth + 1
    && !getComputedStyle(each).backgroundImage.includes("gradient"))
    .map((each) => `table without a shade: ${each.ariaLabel}`),
  ...[...document.querySelectorAll("table.cards td")].filter((each) => each.checkVisibility()
    && each.getBoundingClientRect().right > innerWidth).map((each) => `cut off: ${each.textContent}`),
  ...[...document.querySelectorAll(".btn")].filter((each) => each.checkVisibility()
    && each.getBoundingClientRect().height < 40).map((each) => `low button: ${each.textContent.trim()}`),
  ...[...document.querySelectorAll("main select")].filter((each) => each.checkVisibility()
    && each.getBoundingClientRect().height < 32).map((each) => `low choice: ${each.name}`),
]"""

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def furnish_drafts(cast: Any, now: dt.datetime, post: int) -> list[str]:
    """Drafts of rules and their trials, with a post as the example; answers the addresses below the settings."""
    from django.utils import timezone

    from rapport.actions.rule_drafts import begin_draft, run_beside
    from rapport.actions.rules import save_rules
    from rapport.core.rules import default_document
    from rapport.store.models import BackTest, ShadowDifference

    draft = begin_draft(cast.lea, "Rain", default_document().replace("0.5", "0.6"), now=now)
    run_beside(cast.lea, draft, timezone.now() + dt.timedelta(days=1), now=timezone.now())
    moved = {"kind": "basket", "before": "care", "after": "praise", "count": 2, "examples": [post]}
    ShadowDifference.objects.create(workspace=cast.workspace, draft=draft, **moved)
    faulty = begin_draft(cast.lea, "Faulty", "[[rule]]\nname = 'x'\n", now=now)
    save_rules(cast.alice, default_document() + "\n# ours again\n", "", now=now)
    hours = [1, *[0] * 167]
    rain = {"rule": "Rain", "before": 2, "after": 4, "broken_after": 1, "error": "no number"}
    report = {
        "seen": 9, "different": 2, "kinds": {"basket": 2}, "left_out": {"edited": 1}, "drifted": 1, "tallies": [moved],
        "rules": [rain, {"rule": "New", "after": 1}],
        "load": [{"basket": "care", "before": hours, "after": [*hours[1:], 1]}],
        "promises": [{"basket": "care", "before": 4, "late_before": 1, "after": 2, "late_after": 2}],
    }  # fmt: skip
    trials = [
        BackTest.objects.create(
            workspace=cast.workspace, draft=draft, document=draft.document, against=2, since=now, until=now,
            state=state, asked_at=now, done_at=now, seen=3, total=9, report=report,
        )
        for state in ("done", "running")
    ]  # fmt: skip
    drafts = ["new/", f"{draft.pk}/", f"{faulty.pk}/", f"{draft.pk}/publish/"]
    return [*(f"rules/drafts/{page}" for page in drafts), *(f"rules/tests/{trial.pk}/" for trial in trials)]


def furnish(cast: Any, now: dt.datetime) -> list[str]:
    """One of everything, so that no page is empty; answers the addresses."""
    from django.utils import timezone

    from rapport.actions import baskets
    from rapport.actions.absences import save_absence
    from rapport.actions.basket_archive import archive_basket
    from rapport.actions.drafts import propose_draft, save_draft
    from rapport.actions.listening import ask_to_reconnect, connect_channel, save_topic
    from rapport.actions.notice_ways import add_device
    from rapport.actions.notices import notify
    from rapport.actions.rules import save_rules
    from rapport.core.hours import Hours
    from rapport.core.promises import Terms
    from rapport.core.rules import default_document
    from rapport.store.models import (
        Basket,
        BusMessage,
        Conversation,
        Correction,
        Cursor,
        Gap,
        Handle,
        Person,
        Post,
        PreparedReply,
        Promise,
        Task,
    )

    account = {"server": "https://social.example", "handle": "fernway", "token": "t", "now": now}
    channel = connect_channel(cast.alice, "mastodon", external_id="1", name="Fernway", **account)
    Cursor.objects.create(workspace=cast.workspace, channel=channel, stream="notifications", moved_at=now)
    Gap.objects.create(
        workspace=cast.workspace, channel=channel, stream="notifications", noticed_at=now, reason="An hour."
    )
    dead = connect_channel(cast.alice, "mastodon", external_id="2", name="Fernway again", **account)
    ask_to_reconnect(dead, "the token was revoked", now=now)
    topic = save_topic(cast.alice, "", "Delays", "delay OR late", now=now)
    save_rules(cast.alice, default_document() + "\n# ours\n", "ours", now=now)
    reply = PreparedReply.objects.of(cast.workspace).first()
    assert reply is not None
    BusMessage.objects.create(
        workspace=cast.workspace, payload=b"[]", size=1, state="quarantined", error="ValueError: x", created_at=now
    )
    sam = Person.objects.create(workspace=cast.workspace, name="Sam", first_seen=now, last_seen=now)
    aside = Conversation.objects.create(
        workspace=cast.workspace, network="mastodon", channel=channel, state="quarantined", why="spam 0.97",
        person=sam,
        basket=Basket.objects.of(cast.workspace).get(slug="noise"), preview="Buy", last_post_at=now,
    )  # fmt: skip
    post = Post.objects.create(
        workspace=cast.workspace, channel=channel, conversation_id=aside.pk, network="mastodon", external_id="1",
        handle=Handle.objects.create(workspace=cast.workspace, person=sam, network="mastodon", external_id="sam"),
        kind="post", text="Buy", created_at=now, seen_at=now, sort_at=now,
    )  # fmt: skip
    Correction.objects.create(
        workspace=cast.workspace, post=post, text_key="0", reading="spam", value="false", was="true", by=cast.lea,
        at=now,
    )  # fmt: skip
    office = Hours("Europe/Berlin", (*(((540, 1020),),) * 4, ((1320, 1800),), (), ()), "DE", "BE")
    wish = baskets.Wish("Care", terms=Terms(first=(480, 240, 60, 30)), hours=office, push=True, strategy="skill")
    basket = baskets.save_basket(cast.lea, Basket.objects.of(cast.workspace).get(slug="care"), wish, now=now)
    spare, gone = (baskets.save_basket(cast.lea, None, baskets.Wish(name), now=now) for name in ("Press", "Old"))
    archive_basket(cast.lea, gone, spare, now=timezone.now())
    baskets.describe_member(cast.lea, cast.amir, capacity=5, languages=["de"], skills=["refunds"], now=now)
    save_absence(cast.lea, cast.amir, since=now, until=None, deputy=cast.rita, note="Ill", now=now)
    Promise.objects.create(
        workspace=cast.workspace, conversation=Conversation.objects.of(cast.workspace)[0], basket=basket, kind="first",
        minutes=30, used=75, started_at=now, broken_at=timezone.now(),
    )  # fmt: skip
    # a promise to them, so that their page says so
    Task.objects.create(
        workspace=cast.workspace, person=sam, title="Call back", due_at=now, made_by=cast.lea, made_at=now
    )
    open_one = Conversation.objects.create(
        workspace=cast.workspace, network="mastodon", channel=channel, state="open", person=sam,
        basket=Basket.objects.of(cast.workspace).get(slug="care"), last_post_at=now,
    )  # fmt: skip
    Post.objects.create(
        workspace=cast.workspace, channel=channel, conversation_id=open_one.pk, network="mastodon", external_id="2",
        handle=post.handle, kind="post", text="Still broken", created_at=now, seen_at=now, sort_at=now,
    )  # fmt: skip
    save_draft(cast.rita, open_one, "Sorry!", now=now)
    propose_draft(cast.rita, open_one, now=now)
    notify(cast.workspace, [cast.alice], "rule", text="Storm", now=now, conversation=open_one, count=12)
    add_device(cast.alice, "https://push.example/1", "k", "s", "Firefox", now=now)
    pages = [
        "", "channels/", f"channels/{channel.pk}/", f"channels/{dead.pk}/", "channels/connect/",
        "channels/connect/mastodon/", "topics/", "topics/new/", f"topics/{topic.pk}/", "rules/", "rules/2/", "score/",
        "replies/", "replies/new/", f"replies/{reply.pk}/", "team/", "team/invite/", f"team/{cast.amir.pk}/",
        f"baskets/{basket.pk}/", f"baskets/{spare.pk}/", "baskets/", f"baskets/people/{cast.amir.pk}/",
        "absences/", "../promises/",
        "audit/", "corrections/", "readings/", "../quarantine/", "../notices/", "../notices/settings/",
        "../people/", f"../people/{sam.pk}/", "people/", "people/new/",
        "webhooks/", "webhooks/new/", "acknowledgement/", "../tasks/",
        "../notices/off/mail/", "../approvals/", "../posts/new/",
        "surveys/new/", f"channels/{channel.pk}/limits/", *furnish_drafts(cast, now, post.pk),
        "rules/list/", "rules/rule/?name=Complaint", "rules/edit/", "rules/edit/rule/?name=Spam", "rules/edit/table/",
        "rules/packs/", "rules/packs/shop/",
    ]  # fmt: skip
    own = [
        "/me/",
        "/account/password/change/",
        "/account/2fa/",
        "/account/2fa/webauthn/",
        "/account/logout/",
        "/nowhere",
    ]
    return [f"/w/fernway/settings/{page}" for page in pages] + own


def furnish_person(cast: Any, now: dt.datetime) -> list[str]:
    """A person whose data was asked for, and an account that was disconnected; answers the addresses."""
    from rapport.store.models import Channel, Person, PersonJob

    person = Person.objects.create(workspace=cast.workspace, name="Nadia", first_seen=now, last_seen=now)
    report = {"removed": {"Post": 12, "Note": 1}, "blanked": {"Approval": 2}, "unreached": ["backups", "networks"]}
    job = PersonJob.objects.create(
        workspace=cast.workspace, person=person.pk, kind="erase", reason="asked by mail", asked_by=cast.ben,
        asked_at=now, state="done", done_at=now, report=report,
    )  # fmt: skip
    off = Channel.objects.create(workspace=cast.workspace, network="x", slug="off", name="Old account", state="off")
    root = "/w/fernway/"
    return [
        f"{root}people/{person.pk}/data/", f"{root}person-jobs/", f"{root}person-jobs/{job.pk}/",
        f"{root}settings/channels/{off.pk}/",
    ]  # fmt: skip


def look(page: Any, address: str) -> list[str]:
    """What is wrong with a page."""
    from axe_playwright_python.sync_playwright import Axe

    found: list[str] = []
    for width, height, scheme in VIEWS:
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.goto(address)
        view = f"{address} {width} {scheme}"
        found += [
            f"{view}: {broken['id']} {broken['nodes'][0]['html'][:100]}"
            for broken in Axe().run(page).response["violations"]
        ]
        if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            found.append(f"{view}: scrolls sideways")
        if width < 760:
            found += [f"{view}: {what}" for what in page.evaluate(ON_A_PHONE)]
    return found


def test_axe_finds_nothing_and_the_policy_stops_nothing(
    cast: Any, now: dt.datetime, live_server: Any, enter: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not Path(CHROMIUM).exists():
        pytest.skip("no Chromium here; `make test-deps` installs it")
    from playwright.sync_api import sync_playwright

    addresses = furnish(cast, now) + furnish_person(cast, now)
    session = enter(cast.alice).cookies["sessionid"].value
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    wrong: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[f"--{flag}" for flag in FLAGS])
        context = browser.new_context(base_url=live_server.url)
        page = context.new_page()
        page.on("console", lambda message: wrong.append(message.text) if "Policy" in message.text else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        for address in ("/account/login/", "/account/password/reset/", "/sign-in/used/"):
            wrong += look(page, address)
        context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
        for address in addresses:
            wrong += look(page, address)
        browser.close()
    assert wrong == []
