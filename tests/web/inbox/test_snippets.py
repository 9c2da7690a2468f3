"""Prepared replies where they are of use: of the basket and the language, by their words and by what was asked."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from rapport.actions.snippets import save_snippet
from rapport.store.models import Basket, Conversation, Post, PreparedReply, ReplyBasket


@pytest.fixture
def replies(cast: Any, complaint: Conversation, now: Any) -> None:
    """Five, of which three fit Nadia's complaint, which lies in Care and is in English."""
    PreparedReply.objects.all().delete()
    care, sales = (Basket.objects.of(cast.workspace).get(slug=slug) for slug in ("care", "sales"))
    for name, text, language, baskets in (
        ("Refund", "We send the money for the parcel back today.", "en", [care]),
        ("Wet parcel", "A parcel that stood in the rain is replaced.", "", []),
        ("Zürich", "Come by at our shop there.", "", [care, sales]),
        ("Erstattung", "Das Geld kommt heute.", "de", []),
        ("Price list", "Here is what it costs.", "", [sales]),
    ):
        save_snippet(cast.lea, "", name, text, language=language, baskets=baskets, now=now)
    Post.objects.update(lang="en")


def found(client: Client, row: Conversation, words: str) -> list[str]:
    shown = client.get(f"/w/fernway/c/{row.pk}/snippets", {"q": words}, headers={"HX-Request": "true"}).content.decode()
    return [name for name in ("Refund", "Wet parcel", "Zürich", "Erstattung", "Price list") if f">{name}<" in shown]


def test_only_those_of_the_basket_and_the_language_are_offered(
    replies: None, cast: Any, enter: Any, complaint: Conversation
) -> None:
    amir = enter(cast.amir)
    shown = amir.get(f"/w/fernway/c/{complaint.pk}/").content.decode()
    for name, there in (("Refund", True), ("Wet parcel", True), ("Zürich", True), ("Erstattung", False)):
        assert (f">{name}<" in shown) is there, name
    assert found(amir, complaint, "") == ["Refund", "Wet parcel", "Zürich"]
    Post.objects.update(lang="de")
    assert found(amir, complaint, "") == ["Wet parcel", "Zürich", "Erstattung"]


def test_words_find_by_name_and_text_whatever_their_case_and_accents(
    replies: None, cast: Any, enter: Any, complaint: Conversation
) -> None:
    amir = enter(cast.amir)
    assert found(amir, complaint, "ZURICH") == ["Zürich"]
    assert found(amir, complaint, "parcel") == ["Refund", "Wet parcel"]
    assert found(amir, complaint, "parcel mon") == ["Refund"]
    assert found(amir, complaint, "price") == []
    assert found(amir, complaint, "<script>") == []
    page = amir.get(f"/w/fernway/c/{complaint.pk}/snippets", {"q": "parcel"}).content.decode()
    assert "Begin from a prepared reply" in page


def test_what_they_wrote_brings_the_nearest_to_the_top(
    replies: None, cast: Any, enter: Any, complaint: Conversation
) -> None:
    shown = enter(cast.amir).get(
        f"/w/fernway/c/{complaint.pk}/snippets", headers={"HX-Request": "true"}
    ).content.decode()  # fmt: skip
    assert shown.index(">Wet parcel<") < shown.index(">Zürich<")


def test_those_that_are_begun_from_are_counted_and_a_change_is_found_at_once(
    replies: None, cast: Any, enter: Any, complaint: Conversation
) -> None:
    amir, lea = enter(cast.amir), enter(cast.lea)
    reply = PreparedReply.objects.get(name="Zürich")
    for _ in range(2):
        amir.post(f"/w/fernway/c/{complaint.pk}/begin", {"begin": reply.slug}, headers={"HX-Request": "true"})
    reply.refresh_from_db()
    assert reply.used == 2
    assert "begun from 2 times" in lea.get("/w/fernway/settings/replies/").content.decode()
    form = {
        "name": "Zürich",
        "text": "Winterthur, too",
        "language": "en",
        "baskets": [ReplyBasket.objects.filter(reply=reply)[0].basket_id],
    }
    assert lea.post(f"/w/fernway/settings/replies/{reply.pk}/", form).status_code == 302
    assert found(amir, complaint, "winterthur") == ["Zürich"]
    assert ReplyBasket.objects.filter(reply=reply).count() == 1
    assert "Winterthur" in lea.get("/w/fernway/settings/replies/?q=winter").content.decode()
    assert "Winterthur" not in lea.get("/w/fernway/settings/replies/?q=refund").content.decode()


def test_a_basket_of_another_workspace_is_no_choice(replies: None, cast: Any, enter: Any) -> None:
    foreign = Basket.objects.of(cast.charlie.workspace).first()
    form = {"name": "X", "text": "Y", "baskets": [foreign.pk]}
    assert enter(cast.lea).post("/w/fernway/settings/replies/new/", form).status_code == 422
