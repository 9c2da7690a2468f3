"""Conversations for programs: what they see, and the draft that they may leave."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from api.conftest import Program
from rapport.store.models import Approval, Basket, Conversation, Delivery, Draft


def numbered(channel: Any, basket: Any, count: int) -> list[int]:
    return [
        Conversation.objects.create(
            workspace=channel.workspace, network="mastodon", channel=channel, basket=basket, state="open"
        ).pk
        for _ in range(count)
    ]


def test_a_conversation_is_told_with_its_readings_its_reason_and_its_notes(
    sync: Program, alice: Any, conversation: Any, now: dt.datetime
) -> None:
    from rapport.actions.desk import add_note

    add_note(alice, conversation, "Called her", now=now)
    told = sync.get(f"conversations/{conversation.pk}").json()
    assert told["conversation"]["basket"] == conversation.basket.slug
    assert told["conversation"]["page"] == f"/w/fernway/c/{conversation.pk}/"
    assert told["conversation"]["person"]["name"] == "Nadia"
    said = told["posts"][0]
    assert said["post"]["text"].startswith("My parcel is broken")
    assert said["post"]["author"]["handle"] == "nadia"
    assert said["reading"]["sentiment"]["label"] == "negative"
    assert said["score"]["value"] == pytest.approx(told["conversation"]["score"])
    assert told["explanation"]["why"] == conversation.why
    assert any(step["matched"] for step in told["explanation"]["steps"])
    assert [(note["text"], note["author"]["name"]) for note in told["notes"]] == [("Called her", "Alice")]
    assert told["draft"] is None


def test_pages_show_every_conversation_once_while_others_come_in(sync: Program, channel: Any) -> None:
    care = Basket.objects.of(channel.workspace).get(slug="care")
    ids = numbered(channel, care, 7)
    seen: list[int] = []
    query = {"limit": "3"}
    while True:
        page = sync.get("conversations", **query).json()
        seen += [line["id"] for line in page["conversations"]]
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
        numbered(channel, care, 1)
    assert seen == ids[::-1]


def test_a_list_is_narrowed_by_basket_and_state(sync: Program, channel: Any) -> None:
    baskets = {basket.slug: basket for basket in Basket.objects.of(channel.workspace)}
    care, sales = numbered(channel, baskets["care"], 1)[0], numbered(channel, baskets["sales"], 1)[0]
    Conversation.objects.filter(pk=sales).update(state="resolved")
    hidden = numbered(channel, baskets["care"], 4)
    for pk, state in zip(hidden, ("folded", "quarantined", "merged", "unopened"), strict=True):
        Conversation.objects.filter(pk=pk).update(state=state)

    def listed(**query: str) -> list[int]:
        return [line["id"] for line in sync.get("conversations", **query).json()["conversations"]]

    assert listed() == [sales, care]
    assert listed(basket="sales") == [sales]
    assert listed(state="open") == [care]
    assert listed(basket="sales", state="open") == []
    assert listed(state="folded") == hidden[:1]


def test_conversations_of_machines_say_so_and_can_be_left_out(sync: Program, channel: Any) -> None:
    care = Basket.objects.of(channel.workspace).get(slug="care")
    ids = numbered(channel, care, 3)
    Conversation.objects.filter(pk=ids[0]).update(automated=True)
    Conversation.objects.filter(pk=ids[1]).update(automated=False)
    told = {line["id"]: line["automated"] for line in sync.get("conversations").json()["conversations"]}
    assert told == {ids[0]: True, ids[1]: False, ids[2]: False}
    kept = sync.get("conversations", automated="without").json()["conversations"]
    assert [line["id"] for line in kept] == [ids[2], ids[1]]
    assert sync.get("conversations", automated="only").status_code == 400


def test_a_page_costs_the_same_queries_whatever_its_length(
    sync: Program, channel: Any, django_assert_max_num_queries: Any
) -> None:
    numbered(channel, Basket.objects.of(channel.workspace).get(slug="care"), 30)
    with django_assert_max_num_queries(3):
        assert len(sync.get("conversations").json()["conversations"]) == 30


def test_a_program_sees_the_baskets_of_its_member_alone(
    alice: Any, channel: Any, program: Any, now: dt.datetime
) -> None:
    from rapport.actions.accounts import invite

    baskets = {basket.slug: basket for basket in Basket.objects.of(alice.workspace)}
    agent, _ = invite(alice, "amir@fernway.example", "Amir", "agent", [baskets["care"]], now=now)
    care, sales = numbered(channel, baskets["care"], 1)[0], numbered(channel, baskets["sales"], 1)[0]
    his = program(agent)
    assert [line["id"] for line in his.get("conversations").json()["conversations"]] == [care]
    missing = his.get("conversations/999999")
    assert missing.status_code == 404
    assert his.get(f"conversations/{sales}").content == missing.content
    assert his.get("conversations", basket="sales").content == missing.content
    assert his.get("conversations", basket="no-such").content == missing.content
    assert his.get("conversations", basket="a\x00b").content == missing.content
    assert his.post(f"conversations/{sales}/draft", {"text": "Hello"}).content == missing.content


@pytest.mark.parametrize("pk", ["0", "9223372036854775808", "9" * 30, "9" * 5000])
def test_a_number_that_no_row_can_have_is_missing(sync: Program, pk: str) -> None:
    answer = sync.get(f"conversations/{pk}")
    assert answer.status_code == 404
    assert answer.content == sync.get("conversations/999999").content


def test_a_conversation_that_became_part_of_another_leads_there(sync: Program, channel: Any) -> None:
    care = Basket.objects.of(channel.workspace).get(slug="care")
    kept, gone = numbered(channel, care, 2)
    Conversation.objects.filter(pk=gone).update(state="merged", merged_into=kept)
    answer = sync.get(f"conversations/{gone}")
    assert (answer.status_code, answer.headers["Location"]) == (308, f"/api/v1/conversations/{kept}")
    assert sync.post(f"conversations/{gone}/draft", {"text": "Hello"}).status_code == 404


def test_a_draft_waits_for_a_person_and_sends_nothing(sync: Program, alice: Any, conversation: Any) -> None:
    answer = sync.post(f"conversations/{conversation.pk}/draft", {"text": "Dear Nadia"})
    assert answer.status_code == 200
    told = answer.json()
    assert (told["text"], told["proposed"], told["based_on"]) == ("Dear Nadia", False, "1")
    draft = Draft.objects.get()
    assert (draft.author, draft.text) == (alice, "Dear Nadia")
    assert sync.get(f"conversations/{conversation.pk}").json()["draft"]["text"] == "Dear Nadia"
    assert not Approval.objects.exists()
    assert not Delivery.objects.exists()


def test_a_draft_can_be_shown_to_those_who_send(sync: Program, conversation: Any) -> None:
    answer = sync.post(f"conversations/{conversation.pk}/draft", {"text": "Dear Nadia", "propose": True})
    assert answer.json()["proposed"] is True
    assert sync.post(f"conversations/{conversation.pk}/draft", {"text": " ", "propose": True}).status_code == 409


def test_a_draft_never_takes_the_place_of_words_that_the_program_has_not_seen(
    sync: Program, alice: Any, conversation: Any, now: dt.datetime
) -> None:
    from rapport.actions.drafts import save_draft

    where = f"conversations/{conversation.pk}/draft"
    save_draft(alice, conversation, "What Alice typed", now=now)
    assert sync.post(where, {"text": "Dear Nadia"}).status_code == 409
    assert sync.post(where, {"text": "Dear Nadia", "replaces": "something else"}).status_code == 409
    assert Draft.objects.get().text == "What Alice typed"
    assert sync.post(where, {"text": "Dear Nadia", "replaces": "What Alice typed"}).status_code == 200
    assert sync.post(where, {"text": "Dear Nadia"}).status_code == 200, "the same again changes nothing"
    assert Draft.objects.get().text == "Dear Nadia"


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b"{}", "body"), (b"[]", "body"), (b"null", "body"), (b'{"text":1}', "body.text"),
        (b'{"text":null}', "body.text"), (b'{"text":"a","send":true}', "body"), (b'{"text":"a","author":1}', "body"),
        (b'{"text":"a","role":"owner"}', "body"), (b'{"text":"a","workspace":2}', "body"),
        (b'{"text":"a","text":"b"}', "body"), (b'{"text":"\\ud800"}', "body"), (b'{"text":"a"} {}', "body"),
        (b'{"text":', "body"), (b'{"text":"a","propose":1}', "body.propose"), (b"\xff", "body"),
        (b'{"x":' * 50_000, "body"),
    ],
)  # fmt: skip
def test_a_draft_says_its_text_and_nothing_that_it_may_not(
    sync: Program, conversation: Any, body: bytes, place: str
) -> None:
    answer = sync.post(f"conversations/{conversation.pk}/draft", body)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["place"] == place
    assert not Draft.objects.exists()


def test_a_draft_that_is_too_long_is_refused(sync: Program, conversation: Any) -> None:
    answer = sync.post(f"conversations/{conversation.pk}/draft", {"text": "x" * 50_001})
    assert answer.status_code == 400
    assert "50,000" in answer.json()["detail"]
