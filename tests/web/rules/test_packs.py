"""A pack is shown with what it changes, and goes into a draft with all that it needs."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from conftest import NOON
from rapport.actions.rule_drafts import begin_draft
from rapport.actions.rules import check_document
from rapport.core.rules import default_document
from rapport.core.rules.pack import PACKS, add_pack, read_pack
from rapport.store.models import Basket, PreparedReply, RuleDraft, RuleSet

pytestmark = pytest.mark.django_db

PAGE = "/w/fernway/settings/rules/packs/"


@pytest.fixture
def browser(alice: Any) -> Client:
    client = Client()
    client.force_login(alice.user)
    return client


def words(page: bytes) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page.decode()).split())


def test_every_pack_is_offered(browser: Client) -> None:
    shown = words(browser.get(PAGE).content)
    assert all(read_pack(slug).about in shown for slug in PACKS)


def test_a_pack_says_what_it_would_change_make_and_fire_on(browser: Client, hear: Any, make_post: Any) -> None:
    urgent = "My parcel never arrived, terrible service, I need it today, please help now"
    hear(make_post(urgent), make_post("You are terrible, I am so angry and disappointed"))
    shown = words(browser.get(f"{PAGE}shop/").content)
    assert "Of the newest 2 posts here they would put 50.0 % into a basket" in shown
    assert "Shop: complains again, or cannot wait makes its priority urgent, puts the tag pressing on it 1" in shown
    assert "Shop: where is my order puts it into the basket Care" in shown
    assert "prepares an answer from “Where is my order”" in shown
    assert "added: name = &quot;Shop: refund or return&quot;" in shown
    assert RuleDraft.objects.count() == 0


def test_a_pack_goes_into_a_draft_with_its_baskets_and_replies(
    browser: Client, alice: Any, hear: Any, make_post: Any
) -> None:
    hear(make_post("Hello you"))
    PreparedReply.objects.create(workspace=alice.workspace, slug="press", name="Ours", text="Our own words")
    answer = browser.post(f"{PAGE}public-body/")
    draft = RuleDraft.objects.get()
    assert answer.headers["Location"].endswith(f"/settings/rules/list/?draft={draft.pk}")
    assert draft.document == add_pack(default_document(), read_pack("public-body"))
    assert {"press", "formal-requests"} <= set(Basket.objects.values_list("slug", flat=True))
    assert PreparedReply.objects.get(slug="press").text == "Our own words"
    assert PreparedReply.objects.filter(slug="formal").exists()
    check_document(alice.workspace, draft.document)
    assert RuleSet.objects.count() == 1
    assert "added" in words(browser.get(f"{PAGE}public-body/?draft={draft.pk}").content)
    listed = words(browser.get(answer.headers["Location"]).content)
    assert "This is a draft" in listed
    assert "Public body: danger" in listed
    assert "rules did not fire in 30 days: Our own post , Ignored person" in listed
    assert " , Public body: danger" not in listed


def test_a_pack_is_added_to_the_draft_that_one_works_on(browser: Client, alice: Any) -> None:
    draft = begin_draft(alice, "Autumn", "# mine\n", now=NOON)
    browser.post(f"{PAGE}shop/", {"draft": draft.pk})
    draft.refresh_from_db()
    assert draft.document.startswith("# mine\n")
    assert "Shop: payment" in draft.document
    assert RuleDraft.objects.count() == 1
    broken = begin_draft(alice, "Broken", "[[rule", now=NOON)
    browser.post(f"{PAGE}agency/", {"draft": broken.pk})
    assert not Basket.objects.filter(slug="clients").exists()


def test_a_pack_that_is_not_there_is_missing(browser: Client) -> None:
    assert browser.get(f"{PAGE}bakery/").status_code == 404
