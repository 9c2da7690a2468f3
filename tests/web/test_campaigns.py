"""Campaigns on the pages: built, worked through one after the other, or confirmed as a checked list."""

from __future__ import annotations

import datetime as dt
import html
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from rapport.store.models import Approval, Basket, Campaign, CampaignPost, Conversation

THINGS = "lamp kettle chair table carpet bicycle helmet jacket".split()  # noqa: SIM905 - words read best as words
NAMES = ("ann", "bob", "cleo", "dan", "eva", "finn", "gus", "hal")
FORM = {
    "name": "Late deliveries", "query": "late", "per_person": "1", "variant1": "Kind",
    "text1": "Hello {first_name}, we look into it right now. {agent}", "variant2": "Short",
    "text2": "Sorry, {first_name}! Which order is it?", "variant3": "C", "text3": "",
}  # fmt: skip


@pytest.fixture
def said(cast: Any, hear: Any, make_post: Callable[..., Any], now: dt.datetime) -> None:
    """Eight strangers complain, in Care, the lamp last."""
    hear(
        *(
            make_post(
                f"My {thing} from @fernway is late again", author=name, created_at=now - dt.timedelta(minutes=5 + at)
            )
            for at, (thing, name) in enumerate(zip(THINGS, NAMES, strict=True))
        )
    )
    Conversation.objects.update(basket=Basket.objects.of(cast.workspace).get(slug="care"))


@pytest.fixture
def campaign(said: None, cast: Any, enter: Any) -> str:
    """A running one; its address."""
    lea = enter(cast.lea)
    made = lea.post("/w/fernway/campaigns/new/", FORM)
    assert made.status_code == 302
    lea.post(f"{made.url}move/", {"how": "run"})
    return str(made.url)


def boxes(client: Client, address: str) -> dict[str, str]:
    """What stands in the form of the page, as a browser would send it."""
    client.get(address)
    found: dict[str, str] = {}
    for row in CampaignPost.objects.exclude(state__in=["sent", "skipped"]).select_related("conversation"):
        found[f"version-{row.pk}"] = str(row.conversation.version)
        found[f"text-{row.pk}"] = row.text
    return found


def words(row: CampaignPost) -> str:
    return f"@{row.post.handle.handle} about the {row.post.text.split()[1]}, number {row.pk}: it is on its way"


def test_a_lead_builds_it_and_reads_what_was_found_and_left_out(
    said: None, cast: Any, enter: Any, now: dt.datetime
) -> None:
    Conversation.objects.filter(pk=Conversation.objects.order_by("pk")[0].pk).update(state="quarantined")
    lea = enter(cast.lea)
    assert "New campaign" in lea.get("/w/fernway/campaigns/").content.decode()
    wrong = lea.post("/w/fernway/campaigns/new/", FORM | {"text2": "Hello {nmae}"})
    assert (wrong.status_code, "placeholder" in wrong.content.decode()) == (422, True)
    made = lea.post("/w/fernway/campaigns/new/", FORM, follow=True)
    shown = made.content.decode()
    for told in ("7 new posts", "1 lies in the quarantine", "being built", "My chair from", "Hello Bob, we look"):
        assert told in shown, told
    assert "Send, next" not in shown  # it does not run yet
    row = Campaign.objects.get()
    assert "7 to answer" in lea.get("/w/fernway/campaigns/").content.decode()
    amir = enter(cast.amir)
    assert amir.get(f"/w/fernway/campaigns/{row.pk}/").status_code == 404
    assert "Late deliveries" not in amir.get("/w/fernway/campaigns/").content.decode()
    assert enter(cast.rita).get("/w/fernway/campaigns/").status_code == 403


def test_one_is_sent_after_the_other_and_what_was_typed_elsewhere_is_kept(campaign: str, cast: Any, enter: Any) -> None:
    amir = enter(cast.amir)
    [first, second, *_] = CampaignPost.objects.order_by("pk")
    form = boxes(amir, campaign) | {f"text-{first.pk}": words(first), f"text-{second.pk}": "Half a sent"}
    told = amir.post(f"{campaign}answer/", form | {"one": str(first.pk)}, follow=True).content.decode()
    assert "1 reply is on its way" in told
    assert Approval.objects.get().text == words(first)
    second.refresh_from_db()
    assert (second.state, second.text) == ("waiting", "Half a sent")
    assert "Half a sent" in amir.get(campaign).content.decode()


def test_a_script_gets_the_post_as_it_stands_afterwards(campaign: str, cast: Any, enter: Any) -> None:
    amir = enter(cast.amir)
    [first, second, *_] = CampaignPost.objects.order_by("pk")
    script = {"HX-Request": "true"}
    form = boxes(amir, campaign) | {f"text-{first.pk}": words(first)}
    card = amir.post(f"{campaign}answer/", form | {"one": str(first.pk)}, headers=script)
    assert (card.status_code, "on its way" in card.content.decode()) == (200, True)
    assert 'data-waiting="7"' in card.content.decode()
    again = amir.post(f"{campaign}answer/", form | {"one": str(first.pk)}, headers=script)
    assert (again.status_code, "answered in this conversation" in again.content.decode()) == (200, False)
    assert Approval.objects.count() == 1
    nothing = amir.post(f"{campaign}answer/", form | {"skip": str(second.pk)}, headers=script)
    assert (nothing.status_code, nothing["Content-Type"]) == (422, "text/plain")
    why = {"skip": str(second.pk), f"reason-{second.pk}": "<b>a shop</b>"}
    skipped = amir.post(f"{campaign}answer/", form | why, headers=script)
    assert "Left out by Amir: &lt;b&gt;a shop" in skipped.content.decode()
    back = amir.post(f"{campaign}answer/", {"back": str(second.pk)}, headers=script)
    assert "Send, next" in back.content.decode()


def test_a_checked_list_is_confirmed_and_what_is_held_says_why(campaign: str, cast: Any, enter: Any) -> None:
    amir = enter(cast.amir)
    rows = list(CampaignPost.objects.order_by("pk"))
    form: dict[str, Any] = boxes(amir, campaign)
    form |= {f"text-{row.pk}": words(row) for row in rows}
    form[f"text-{rows[1].pk}"] = words(rows[0])
    form |= {"all": "yes", "post": [str(row.pk) for row in rows[:4]]}
    shown = amir.post(f"{campaign}answer/", form, follow=True).content.decode()
    for told in ("3 replies are on their way", "1 stays here and says why", "Held, not sent", "Nearly the same words"):
        assert told in shown, told
    assert Counter(CampaignPost.objects.values_list("state", flat=True)) == {"sent": 3, "held": 1, "waiting": 4}
    form["post"] = [str(rows[5].pk), "999999"]
    assert amir.post(f"{campaign}answer/", form).status_code == 404
    assert Approval.objects.count() == 3
    assert "What came of it" in amir.get(campaign).content.decode()


def test_what_comes_near_to_another_is_said_before_it_is_sent(campaign: str, cast: Any, enter: Any) -> None:
    amir = enter(cast.amir)
    [first, second, *_] = CampaignPost.objects.order_by("pk")
    shown = amir.get(campaign).content.decode()
    assert "above" in shown  # two that wait have the same wording
    same = "we have found it in the shop at the corner and it goes out tonight"
    sent = boxes(amir, campaign) | {f"text-{first.pk}": f"@ann {same}", "one": str(first.pk)}
    amir.post(f"{campaign}answer/", sent)
    told = amir.post(f"{campaign}posts/{second.pk}/text/", {"text": f"@bob {same} for sure"}).content.decode()
    assert "% the same as what Amir wrote to Ann" in told
    second.refresh_from_db()
    assert second.text == f"@bob {same} for sure"
    assert amir.post(f"{campaign}posts/{first.pk}/text/", {"text": "x"}).status_code == 409


def test_a_lead_gives_posts_out_stops_with_a_reason_and_goes_on(campaign: str, cast: Any, enter: Any) -> None:
    lea, amir = enter(cast.lea), enter(cast.amir)
    rows = list(CampaignPost.objects.order_by("pk"))
    give = {"give": "yes", "assignee": str(cast.amir.pk), "post": [str(row.pk) for row in rows[:2]]}
    assert "2 posts for Amir" in lea.post(f"{campaign}answer/", give, follow=True).content.decode()
    mine = amir.get(f"{campaign}?tab=mine").content.decode()
    assert (mine.count("Send, next"), "My lamp" in mine) == (2, True)
    assert amir.post(f"{campaign}answer/", give).status_code == 403
    assert "Say why" in lea.post(f"{campaign}move/", {"how": "stop"}, follow=True).content.decode()
    lea.post(f"{campaign}move/", {"how": "stop", "reason": "The price was wrong"})
    stopped = amir.get(campaign).content.decode()
    assert ("The price was wrong" in stopped, "Send, next" in stopped) == (True, False)
    form = boxes(amir, campaign) | {"one": str(rows[0].pk)}
    assert "The price was wrong" in amir.post(f"{campaign}answer/", form, follow=True).content.decode()
    lea.post(f"{campaign}move/", {"how": "run"})
    assert Campaign.objects.get().state == "running"


def test_an_agent_sees_and_sends_what_lies_in_their_baskets_alone(campaign: str, cast: Any, enter: Any) -> None:
    [first, *_] = CampaignPost.objects.order_by("pk")
    sales = Basket.objects.of(cast.workspace).get(slug="sales")
    Conversation.objects.filter(pk=first.conversation_id).update(basket=sales)
    amir = enter(cast.amir)
    assert "My lamp" not in amir.get(campaign).content.decode()
    form = {"one": str(first.pk), f"text-{first.pk}": "Hello", f"version-{first.pk}": "1"}
    assert amir.post(f"{campaign}answer/", form).status_code == 404
    assert amir.post(f"{campaign}posts/{first.pk}/text/", {"text": "x"}).status_code == 404
    assert not Approval.objects.exists()


def test_a_page_of_forty_costs_as_many_queries_as_one_of_eight(
    campaign: str, cast: Any, enter: Any, hear: Any, make_post: Callable[..., Any], django_assert_max_num_queries: Any
) -> None:
    more = [(thing, f"{name}{at}") for at in range(4) for thing, name in zip(THINGS, NAMES, strict=True)]
    hear(*(make_post(f"{thing} is late", author=name, id=name) for thing, name in more))
    lea = enter(cast.lea)
    lea.post(f"{campaign}find/")
    assert CampaignPost.objects.count() == 40
    CampaignPost.objects.update(text="Short")  # nothing that has to be looked for among what was sent
    with django_assert_max_num_queries(30):
        assert lea.get(campaign).content.decode().count("Send, next") == 40


@pytest.mark.parametrize("day", [{"until": "9999-12-31"}, {"since": "0001-01-01"}])
def test_a_day_of_which_no_clock_tells_the_midnight_is_refused(said: None, cast: Any, enter: Any, day: Any) -> None:
    answer = enter(cast.lea).post("/w/fernway/campaigns/new/", FORM | day)
    assert answer.status_code == 422
    assert not Campaign.objects.exists()


def test_a_page_sent_whole_takes_back_nothing_that_a_colleague_wrote_meanwhile(
    campaign: str, cast: Any, enter: Any
) -> None:
    lea, amir = enter(cast.lea), enter(cast.amir)
    first, second, third = CampaignPost.objects.order_by("pk")[:3]
    page = lea.get(campaign).content.decode()
    fields = re.findall(r'name="((?:was|version)-[0-9]+)" value="([^"]*)"', page)
    found = {name: html.unescape(value) for name, value in fields}
    sent = {**found, **{f"text-{key.removeprefix('was-')}": found[key] for key in found if key.startswith("was-")}}
    theirs = "Dear customer, Amir looked it up: it comes on Monday."
    for row in (second, third):
        amir.post(f"{campaign}posts/{row.pk}/text/", {"text": theirs})
    mine = "Dear customer, Lea is on it."
    answer = lea.post(
        f"{campaign}answer/", {**sent, f"text-{third.pk}": mine, "post": first.pk, "give": "yes"}, follow=True
    )
    assert CampaignPost.objects.get(pk=second.pk).text == theirs
    assert CampaignPost.objects.get(pk=third.pk).text == theirs
    told = answer.content.decode()
    assert told.count("A colleague changed the words for") == 1
    assert mine in told
    # nor does a pause in typing; what was taken out of the box stands in nobody's way
    saved = f"{campaign}posts/{third.pk}/text/"
    answer = lea.post(saved, {"text": mine, "was": found[f"was-{third.pk}"]})
    assert (answer.status_code, "theirs stand" in answer.content.decode()) == (409, True)
    assert amir.post(saved, {"text": "", "was": theirs}).status_code == 200
    assert amir.post(saved, {"text": mine, "was": ""}).status_code == 200
    assert CampaignPost.objects.get(pk=third.pk).text == mine
    # what is sent from the same page goes as it was read
    answer = lea.post(
        f"{campaign}answer/", {**sent, f"text-{third.pk}": theirs, "post": third.pk, "all": ""}, follow=True
    )
    assert "A colleague changed" not in answer.content.decode()
