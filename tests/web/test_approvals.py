"""A restricted agent writes, a lead reads: sends it, changes it, or gives it back with a reason."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from rapport.actions.drafts import propose_draft, save_draft
from rapport.pipeline.notice_words import words_of
from rapport.store.models import Basket, Conversation, Delivery, Draft, DraftReturn, Notification, Post

pytestmark = pytest.mark.django_db

PAGE = "/w/fernway/approvals/"


@pytest.fixture
def draft(cast: Any, hear: Callable[..., Any], make_post: Callable[..., Any], now: dt.datetime) -> Draft:
    """What Rita wrote to Nadia, and asks to be sent."""
    hear(make_post("My parcel is broken, @fernway!"))
    talk = Conversation.objects.get()
    assert talk.basket is not None
    assert talk.basket.slug == "care"
    save_draft(cast.rita, talk, "Sorry, Nadia, a new one is on its way.", now=now)
    return propose_draft(cast.rita, talk, now=now)


def form(draft: Draft, **changes: str) -> dict[str, str]:
    post = Post.objects.filter(conversation_id=draft.conversation_id, ours=False).latest("pk")
    version = str(Conversation.objects.get(pk=draft.conversation_id).version)
    talk = str(draft.conversation_id)
    return {"version": version, "target": str(post.pk), "conversation": talk, "text": draft.text, **changes}


def told(member: Any) -> list[str]:
    stored = Notification.objects.filter(membership=member).order_by("pk").values_list("text", flat=True)
    return [words_of(text) for text in stored]


def test_the_lead_is_told_and_sees_the_draft_beside_what_it_answers(
    cast: Any, enter: Callable[[Any], Client], draft: Draft
) -> None:
    assert told(cast.lea) == ["Rita asks you to send an answer to Nadia in Care"]
    assert told(cast.rita) == told(cast.alice) == []
    page = enter(cast.lea).get(PAGE).content.decode()
    for words in ("My parcel is broken", "Sorry, Nadia, a new one is on its way.", "written by Rita", "Send as Lea"):
        assert words in page
    assert 'To approve</span><span class="count">1<' in page


def test_sent_as_it_is_it_is_the_leads_word_and_the_author_hears_so(
    cast: Any, enter: Callable[[Any], Client], draft: Draft
) -> None:
    lea = enter(cast.lea)
    assert lea.post(f"{PAGE}{draft.pk}/send/", form(draft)).headers["Location"] == PAGE
    delivery = Delivery.objects.get()
    assert (delivery.approval.person, delivery.approval.text) == (cast.lea, draft.text)
    assert told(cast.rita) == ["Lea sent your answer as you wrote it: Nadia in Care"]
    assert "Nothing waits" in lea.get(PAGE).content.decode()


def test_changed_before_it_goes_out_the_author_hears_that_too(
    cast: Any, enter: Callable[[Any], Client], draft: Draft
) -> None:
    enter(cast.lea).post(f"{PAGE}{draft.pk}/send/", form(draft, text="Sorry! A new one left this morning."))
    assert Delivery.objects.get().approval.text == "Sorry! A new one left this morning."
    assert told(cast.rita) == ["Lea changed your answer and sent it: Nadia in Care"]


def test_returned_it_comes_back_with_the_reason_and_can_be_proposed_again(
    cast: Any, enter: Callable[[Any], Client], draft: Draft, now: dt.datetime
) -> None:
    lea, rita = enter(cast.lea), enter(cast.rita)
    lea.post(f"{PAGE}{draft.pk}/return/", {"reason": "Say when it  arrives"})
    assert told(cast.rita) == ["Lea returned your draft: Say when it arrives"]
    assert "Nothing waits" in lea.get(PAGE).content.decode()
    page = rita.get(f"/w/fernway/c/{draft.conversation_id}/").content.decode()
    assert "Lea returned this: Say when it arrives" in page
    assert "Sorry, Nadia, a new one is on its way." in page
    assert DraftReturn.objects.get().text == draft.text
    rita.post(f"/w/fernway/c/{draft.conversation_id}/propose", {"text": "It arrives on Monday, Nadia."})
    page = rita.get(f"/w/fernway/c/{draft.conversation_id}/").content.decode()
    assert "A lead is asked to read and send this" in page
    assert "returned this" not in page
    assert "It arrives on Monday, Nadia." in lea.get(PAGE).content.decode()


def test_a_reason_is_asked_for(cast: Any, enter: Callable[[Any], Client], draft: Draft) -> None:
    answer = enter(cast.lea).post(f"{PAGE}{draft.pk}/return/", {"reason": "  "})
    assert answer.status_code == 422
    assert "Say in a few words what should be different." in answer.content.decode()
    assert Draft.objects.get(pk=draft.pk).proposed


def test_what_was_said_meanwhile_is_read_before_the_draft_goes_out(
    cast: Any,
    enter: Callable[[Any], Client],
    draft: Draft,
    hear: Callable[..., Any],
    make_post: Callable[..., Any],
) -> None:
    lea, seen = enter(cast.lea), form(draft)
    first = Post.objects.get()
    hear(make_post("It arrived after all!", id="99", in_reply_to=first.external_id))
    answer = lea.post(f"{PAGE}{draft.pk}/send/", {**seen, "text": "My own words"})
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "They wrote again" in page
    assert "My own words" in page
    assert not Delivery.objects.exists()


def test_one_that_was_answered_meanwhile_goes_out_once(cast: Any, enter: Callable[[Any], Client], draft: Draft) -> None:
    lea, ben, seen = enter(cast.lea), enter(cast.ben), form(draft)
    assert lea.post(f"{PAGE}{draft.pk}/send/", seen).status_code == 302
    answer = ben.post(f"{PAGE}{draft.pk}/send/", {**seen, "text": "Ben took an hour to write this."})
    assert answer.status_code == 409
    page = answer.content.decode()
    assert "Lea sent an answer meanwhile. Your words are kept here." in page
    assert "Ben took an hour to write this.</textarea>" in page
    assert Delivery.objects.count() == 1


def test_one_that_was_returned_meanwhile_is_not_sent_and_the_words_and_the_reason_are_kept(
    cast: Any, enter: Callable[[Any], Client], draft: Draft
) -> None:
    lea, ben, seen = enter(cast.lea), enter(cast.ben), form(draft, text="Ben took an hour to write this.")
    lea.post(f"{PAGE}{draft.pk}/return/", {"reason": "Warmer"})
    answer = ben.post(f"{PAGE}{draft.pk}/send/", seen)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Lea gave this draft back meanwhile: “Warmer” Your words are kept here." in page
    assert "Ben took an hour to write this.</textarea>" in page
    answer = ben.post(f"{PAGE}{draft.pk}/return/", {"reason": "Name the day", "conversation": seen["conversation"]})
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Lea gave this draft back meanwhile: “Warmer” Nobody was sent your reason: “Name the day”" in page
    assert not Delivery.objects.exists()
    assert DraftReturn.objects.count() == 1


def test_a_restricted_agent_neither_sends_nor_returns_nor_sees_the_list(
    cast: Any, enter: Callable[[Any], Client], draft: Draft
) -> None:
    rita = enter(cast.rita)
    assert rita.get(PAGE).status_code == 403
    assert rita.post(f"{PAGE}{draft.pk}/send/", form(draft)).status_code == 403
    assert rita.post(f"{PAGE}{draft.pk}/return/", {"reason": "x"}).status_code == 403
    assert rita.post(f"/w/fernway/c/{draft.conversation_id}/send", form(draft)).status_code == 403
    assert not Delivery.objects.exists()


def test_drafts_in_baskets_that_one_does_not_see_wait_for_others(
    cast: Any, enter: Callable[[Any], Client], draft: Draft
) -> None:
    Conversation.objects.update(basket=Basket.objects.of(cast.workspace).get(slug="sales"))
    amir = enter(cast.amir)
    assert "Nothing waits" in amir.get(PAGE).content.decode()
    for step in ("send", "return"):
        sent = {**form(draft), "reason": "x"}
        assert amir.post(f"{PAGE}{draft.pk}/{step}/", sent).status_code == 404
    assert "Sorry, Nadia" in enter(cast.lea).get(PAGE).content.decode()
