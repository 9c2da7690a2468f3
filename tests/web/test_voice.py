"""What is worth knowing of one's own words: beside the box while one writes, and on a page for leads."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from rapport.actions.outbound import approve
from rapport.store.models import Channel, Conversation, Delivery, Post

SAME = "we are sorry for this and look into your case as soon as we can"


@pytest.fixture
def answered(cast: Any, channel: Channel, hear: Any, make_post: Callable[..., Any]) -> list[Conversation]:
    """Four people with different complaints were told the same by two colleagues, in words a little turned round."""
    said = (
        ("ann", "My lamp came broken, where is my refund?"), ("bob", "Nobody answers the phone at your shop in Leeds!"),
        ("cleo", "The kettle leaks and the colour is wrong."), ("dan", "I was charged twice for the same jacket."),
    )  # fmt: skip
    hear(*(make_post(text, author=name) for name, text in said))
    rows = list(Conversation.objects.order_by("pk"))
    for at, row in enumerate(rows):
        target = Post.objects.get(conversation_id=row.pk)
        by = cast.lea if at % 2 else cast.ben
        sent = approve(by, row, f"@x {SAME}", target=target, channel=channel, version=row.version, now=timezone.now())
        Delivery.objects.filter(pk=sent.pk).update(state="sent")
    return rows


def write(client: Client, row: Conversation, text: str) -> str:
    target = Post.objects.filter(conversation_id=row.pk, ours=False).latest("pk")
    form = {"text": text, "target": target.pk, "channel": row.channel_id}
    return client.post(f"/w/fernway/c/{row.pk}/draft", form, headers={"HX-Request": "true"}).content.decode()


def test_while_writing_the_nearest_text_and_the_open_question_stand_beside_the_box(
    answered: list[Conversation], cast: Any, enter: Any, hear: Any, make_post: Callable[..., Any]
) -> None:
    hear(make_post("My chair is late. When does it come?", author="eva"))
    row = Conversation.objects.latest("pk")
    lea = enter(cast.lea)
    told = write(lea, row, f"@eva {SAME.replace('as soon as', 'whenever')} for you")
    assert "% the same as what" in told
    assert "wrote to" in told
    assert "They ask “When does it come?”" in told
    held = write(lea, row, f"@eva {SAME}")
    assert "Nearly the same words" in held  # the guard says it, so the hint does not say it again
    assert "the same as what" not in held
    own = write(lea, row, "@eva Eva, your chair leaves Leeds tonight and comes on Monday at ten.")
    assert "They ask" not in own
    assert "could go to anybody" not in own


def test_a_lead_sees_what_went_to_several_people_nearly_alike(
    answered: list[Conversation], cast: Any, enter: Any
) -> None:
    shown = enter(cast.lea).get("/w/fernway/same-words/").content.decode()
    for told in ("to 4 people", "said 4 times", SAME, "Lea · 2", "Ben · 2", "The kettle leaks"):
        assert told in shown, told
    Delivery.objects.filter(conversation__in=answered[:2]).update(state="cancelled")
    assert "Nobody repeats themselves" in enter(cast.lea).get("/w/fernway/same-words/?days=7").content.decode()
    assert enter(cast.amir).get("/w/fernway/same-words/").status_code == 403


def test_a_sent_message_whose_words_went_to_others_is_marked_for_leads(
    answered: list[Conversation], cast: Any, enter: Any, make_post: Callable[..., Any]
) -> None:
    row, lea = answered[1], enter(cast.lea)
    entry = Delivery.objects.get(conversation=row).approval_id
    here = f"/w/fernway/c/{row.pk}/"
    page = lea.get(here).content.decode()
    assert f'hx-get="{here}same-words?of={entry}"' in page
    assert f'id="alike-{entry}"' in page
    chips = lea.get(f"{here}same-words?of={entry},{entry + 1},x").content.decode()
    assert chips.count("the same words to 4 people") == 1
    link = f"/w/fernway/same-words/?days=30&amp;said={entry}#family-1"
    assert f'href="{link}"' in chips
    assert "same-words" not in enter(cast.amir).get(here).content.decode().partition("<main")[2]
    assert enter(cast.amir).get(f"{here}same-words?of={entry}").status_code == 403
    # with two people it is no family any more; what was taken back, and what is of another conversation, is not told
    Delivery.objects.filter(conversation__in=answered[2:]).update(state="cancelled")
    assert "the same words" not in lea.get(f"{here}same-words?of={entry}").content.decode()
    assert "said-alike" not in lea.get(f"/w/fernway/c/{answered[3].pk}/").content.decode()


def test_the_page_begins_with_the_family_that_was_asked_for(
    answered: list[Conversation], cast: Any, enter: Any
) -> None:
    other = "your parcel left our house today and should be with you on Monday morning"
    for row in answered[:3]:
        row.refresh_from_db()
        target = Post.objects.filter(conversation_id=row.pk, ours=False).latest("pk")
        sent = approve(
            cast.lea, row, f"@x {other}", target=target, channel=row.channel, version=row.version, now=timezone.now()
        )
        Delivery.objects.filter(pk=sent.pk).update(state="sent")
    lea = enter(cast.lea)
    usual = lea.get("/w/fernway/same-words/").content.decode()
    assert usual.index(SAME) < usual.index(other)
    asked = lea.get(f"/w/fernway/same-words/?said={sent.approval_id}").content.decode()
    assert asked.index(other) < asked.index(SAME)


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_the_chip_comes_after_the_page_stays_and_leads_to_the_family(
    answered: list[Conversation], cast: Any, enter: Any, live_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no Chromium on this machine")
    from playwright.sync_api import expect, sync_playwright

    session = enter(cast.lea).cookies["sessionid"].value
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    wrong: list[str] = []
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        context = browser.new_context(viewport={"width": 1440, "height": 860})
        context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(f"{live_server.url}/w/fernway/c/{answered[0].pk}/")
        chip = page.locator(".said-alike a", has_text="the same words to 4 people")
        expect(chip).to_have_count(1)
        before = page.evaluate("Number(document.documentElement.dataset.refreshed || 0)")
        page.evaluate("Rapport.refresh({ talk: true })")
        page.wait_for_function("before => Number(document.documentElement.dataset.refreshed || 0) > before", arg=before)
        expect(chip).to_have_count(1)
        # another conversation, put in the place of this one
        page.evaluate(
            "address => htmx.ajax('GET', address, { target: '#work', swap: 'morph:innerHTML settle:0ms' })",
            f"/w/fernway/c/{answered[1].pk}/",
        )
        page.wait_for_selector(f"#main[data-conversation='{answered[1].pk}']")
        expect(chip).to_have_count(1)
        entry = Delivery.objects.get(conversation=answered[1]).approval_id
        expect(page.locator(f"#alike-{entry} a")).to_have_count(1)
        chip.click()
        page.wait_for_url(f"**/same-words/?days=30&said={entry}#family-1")
        page.wait_for_selector("#family-1:has-text('to 4 people')")
        browser.close()
    assert wrong == []
