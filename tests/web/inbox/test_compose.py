"""Writing and sending: kept words, the guard's word, one approval for exactly this text."""

import json
from typing import Any

import pytest

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true", "HX-Target": "work"}


def here(row: Any, act: str = "") -> str:
    return f"/w/fernway/c/{row.pk}/{act}"


@pytest.fixture
def form(complaint: Any) -> dict[str, str]:
    """What the composer sends."""
    from rapport.store.models import Post

    target = Post.objects.get(conversation_id=complaint.pk)
    text = "@nadia I am sorry. The carrier is changed from today, your refund is on its way."
    return {
        "text": text, "target": str(target.pk), "channel": str(complaint.channel_id), "version": str(complaint.version)
    }  # fmt: skip


def deliveries() -> list[Any]:
    from rapport.store.models import Delivery

    return list(Delivery.objects.select_related("approval").order_by("pk"))


def test_a_prepared_draft_waits_in_the_box(cast: Any, enter: Any, complaint: Any) -> None:
    complaint.draft_slug = "sorry"
    complaint.save()
    page = enter(cast.amir).get(here(complaint)).content.decode()
    assert "Draft from “Something went wrong”" in page
    assert "@nadia" in page
    assert "I am Amir and I look after this now." in page
    assert "Send as Amir" in page


def test_words_are_kept_on_the_server_and_judged(cast: Any, enter: Any, complaint: Any, form: dict[str, str]) -> None:
    answer = enter(cast.amir).post(here(complaint, "draft"), form, headers=HTMX)
    told = json.loads(answer.headers["HX-Trigger"])["desk-saved"]
    assert told["say"].startswith("Saved ")
    assert told["left"].endswith("of 500 left")
    assert "The guard has nothing against it" in answer.content.decode()
    page = enter(cast.amir).get(here(complaint)).content.decode()
    assert form["text"] in page
    assert "Saved" in page


def test_colleagues_do_not_write_into_one_another_s_box(
    cast: Any, enter: Any, complaint: Any, form: dict[str, str]
) -> None:
    enter(cast.amir).post(here(complaint, "draft"), form, headers=HTMX)
    assert form["text"] not in enter(cast.lea).get(here(complaint)).content.decode()


def test_the_counter_counts_as_the_network_does(cast: Any, enter: Any, complaint: Any, form: dict[str, str]) -> None:
    family = "👩\u200d👩\u200d👧\u200d👦"
    for text, left in (
        ("a" * 510, "10 too many for 500"),
        (family * 3, "497 of 500 left"),
        ("https://a.example/" + "x" * 300, "477 of 500 left"),
    ):
        answer = enter(cast.amir).post(here(complaint, "draft"), {**form, "text": text}, headers=HTMX)
        assert json.loads(answer.headers["HX-Trigger"])["desk-saved"]["left"] == left


def test_send_puts_exactly_these_words_on_their_way(
    cast: Any, enter: Any, complaint: Any, form: dict[str, str]
) -> None:
    part = enter(cast.amir).post(here(complaint, "send"), form, headers=HTMX)
    assert part.status_code == 200
    (sent,) = deliveries()
    assert sent.approval.text == form["text"]
    assert sent.approval.person == cast.amir
    body = part.content.decode()
    assert "queued" in body
    assert form["text"] not in body[body.index('id="reply-text"') :]


def test_when_the_conversation_moved_on_the_words_stay_and_nothing_leaves(
    cast: Any, enter: Any, complaint: Any, form: dict[str, str]
) -> None:
    from rapport.store.models import Conversation

    Conversation.objects.update(version=complaint.version + 1)
    part = enter(cast.amir).post(here(complaint, "send"), form, headers=HTMX)
    assert part.status_code == 409
    assert deliveries() == []
    body = part.content.decode()
    assert "moved on while you wrote" in body
    assert form["text"] in body
    assert f'name="version" value="{complaint.version + 1}"' in body


def test_what_the_guard_refuses_stays_in_the_box_with_the_reason(
    cast: Any, enter: Any, complaint: Any, form: dict[str, str]
) -> None:
    long = "so sorry " * 80
    part = enter(cast.amir).post(here(complaint, "send"), {**form, "text": long}, headers=HTMX)
    assert part.status_code == 422
    assert deliveries() == []
    body = part.content.decode()
    assert "does not let this out" in body
    assert 'aria-invalid="true"' in body
    assert long.strip() in body


def test_nobody_is_answered_who_asked_us_to_stop(cast: Any, enter: Any, complaint: Any, form: dict[str, str]) -> None:
    from rapport.store.models import Person

    Person.objects.update(suppressed_reason="asked us to stop")
    client = enter(cast.alice)
    assert 'id="reply-text"' not in client.get(here(complaint)).content.decode()
    assert client.post(here(complaint, "send"), form, headers=HTMX).status_code == 422
    assert deliveries() == []


@pytest.mark.parametrize("field", ["target", "channel", "version"])
@pytest.mark.parametrize("value", ["", "0", "-1", "x", "99999999999999999999", "١"])
def test_a_form_that_was_tampered_with_sends_nothing(
    cast: Any, enter: Any, complaint: Any, form: dict[str, str], field: str, value: str
) -> None:
    answer = enter(cast.amir).post(here(complaint, "send"), {**form, field: value}, headers=HTMX)
    assert answer.status_code in {409, 422}
    assert deliveries() == []


def test_a_post_of_another_conversation_is_no_target(
    cast: Any, enter: Any, complaint: Any, form: dict[str, str], hear: Any, make_post: Any
) -> None:
    from rapport.store.models import Post

    hear(make_post("Where is my parcel? Terrible service, I am angry", author="zoe"))
    other = Post.objects.exclude(conversation_id=complaint.pk).get()
    answer = enter(cast.amir).post(here(complaint, "send"), {**form, "target": str(other.pk)}, headers=HTMX)
    assert answer.status_code == 422
    assert deliveries() == []


def test_who_may_not_send_asks_a_lead(cast: Any, enter: Any, complaint: Any, form: dict[str, str]) -> None:
    rita = enter(cast.rita)
    page = rita.get(here(complaint)).content.decode()
    assert "Ask a lead to send" in page
    assert "Send as" not in page
    assert f'hx-post="{here(complaint, "propose")}' in page
    assert f'hx-post="{here(complaint, "send")}' not in page
    assert rita.post(here(complaint, "send"), form).status_code == 403
    assert rita.post(here(complaint, "propose"), form, headers=HTMX).status_code == 200
    lead = enter(cast.lea).get(here(complaint)).content.decode()
    assert "Rita asks you to send this" in lead
    assert form["text"] in lead
    assert deliveries() == []


def test_a_failed_reply_shows_its_cause_and_can_be_tried_again_or_taken_back(
    cast: Any, enter: Any, complaint: Any, form: dict[str, str]
) -> None:
    from rapport.store.models import Delivery

    client = enter(cast.amir)
    client.post(here(complaint, "send"), form, headers=HTMX)
    (sent,) = deliveries()
    Delivery.objects.update(state="failed", cause="The server refused it: too long.")
    page = client.get(here(complaint)).content.decode()
    assert "The server refused it: too long." in page
    client.post(here(complaint, "retry"), {"delivery": sent.pk}, headers=HTMX)
    assert deliveries()[0].state == "queued"
    client.post(here(complaint, "cancel"), {"delivery": sent.pk}, headers=HTMX)
    assert deliveries()[0].state == "cancelled"
    assert "taken back" in client.get(here(complaint)).content.decode()


def test_a_reply_that_the_network_showed_us_stands_once_and_is_confirmed(
    cast: Any, enter: Any, complaint: Any, form: dict[str, str], now: Any
) -> None:
    from rapport.store.models import Delivery, Handle, Person, Post

    client = enter(cast.amir)
    client.post(here(complaint, "send"), form, headers=HTMX)
    Delivery.objects.update(state="sent", external_id="net-1", sent_at=now)
    assert "sent and confirmed" not in client.get(here(complaint)).content.decode()
    us = Person.objects.create(workspace=cast.workspace, name="Fernway", first_seen=now, last_seen=now)
    handle = Handle.objects.create(workspace=cast.workspace, person=us, network="mastodon", external_id="us", ours=True)
    Post.objects.create(
        workspace=cast.workspace, channel=complaint.channel, handle=handle, conversation_id=complaint.pk, ours=True,
        network="mastodon", external_id="net-1", kind="reply", text=form["text"], created_at=now, seen_at=now,
        sort_at=now,
    )  # fmt: skip
    page = client.get(here(complaint)).content.decode()
    assert "sent and confirmed" in page
    assert page.count('class="msg us') == 1


def test_the_hold_stops_everything_and_says_so_beside_each_box(cast: Any, enter: Any, complaint: Any) -> None:
    client = enter(cast.amir)
    assert client.get("/w/fernway/hold/").status_code == 200
    client.post("/w/fernway/hold/", {"reason": "recall of the blue jacket"})
    cast.workspace.refresh_from_db()
    assert cast.workspace.held_at is not None
    assert "recall of the blue jacket" in client.get(here(complaint)).content.decode()
    client.post("/w/fernway/hold/", {"release": "yes"})
    cast.workspace.refresh_from_db()
    assert cast.workspace.held_at is None


@pytest.fixture
def prepared(cast: Any, now: Any) -> Any:
    """A prepared reply that no rule chose."""
    from rapport.actions.outbound import save_prepared_reply

    return save_prepared_reply(cast.alice, "carrier", "Carrier", "Hello {first_name}, the carrier has it.", now=now)


FILLED = "@nadia Hello Nadia, the carrier has it."


def test_a_prepared_reply_fills_the_box_with_the_names_put_in(
    cast: Any, enter: Any, complaint: Any, form: dict[str, str], prepared: Any
) -> None:
    client = enter(cast.amir)
    assert "Carrier" in client.get(here(complaint)).content.decode()
    for typed in ("", "  \r\n ", FILLED):
        given = {**form, "text": typed, "begin": "carrier", "begun": "carrier" if typed == FILLED else ""}
        answer = client.post(here(complaint, "begin"), given, headers=HTMX)
        told = answer.json()
        assert (told["text"], told["begun"]) == (FILLED, "carrier")
    assert client.post(here(complaint, "begin"), {**form, "begin": "nothing"}, headers=HTMX).status_code == 404


def test_words_that_a_person_typed_are_not_replaced_unasked(
    cast: Any, enter: Any, complaint: Any, form: dict[str, str], prepared: Any
) -> None:
    client = enter(cast.amir)
    part = client.post(here(complaint, "begin"), {**form, "begin": "carrier"}, headers=HTMX).content.decode()
    assert "“Carrier” would replace what you wrote" in part
    assert FILLED not in part
    page = client.post(here(complaint, "begin"), {**form, "begin": "carrier"}).content.decode()
    assert form["text"] in page
    assert 'name="replace" value="carrier"' in page
    page = client.post(here(complaint, "begin"), {**form, "replace": "carrier"}).content.decode()
    box = page[page.index('id="reply-text"') :]
    assert FILLED in box
    assert form["text"] not in box


def test_the_text_that_the_rule_prepared_is_nobody_s_own(
    cast: Any, enter: Any, complaint: Any, form: dict[str, str], prepared: Any
) -> None:
    complaint.draft_slug = "sorry"
    complaint.save()
    client = enter(cast.amir)
    text = client.get(here(complaint)).context["composer"].text
    assert text
    answer = client.post(here(complaint, "begin"), {**form, "text": text, "begin": "carrier"}, headers=HTMX)
    assert answer.json()["text"] == FILLED


def test_what_a_reply_began_from_goes_with_draft_and_approval(
    cast: Any, enter: Any, complaint: Any, form: dict[str, str], prepared: Any
) -> None:
    from rapport.store.models import Draft

    complaint.draft_slug = "sorry"
    complaint.save()
    client = enter(cast.amir)
    client.post(here(complaint, "draft"), {**form, "begun": "carrier"}, headers=HTMX)
    client.post(here(complaint, "draft"), form, headers=HTMX)
    assert Draft.objects.get().template == "Carrier"
    page = client.get(here(complaint)).content.decode()
    assert 'name="begun" value="carrier"' in page
    client.post(here(complaint, "send"), {**form, "begun": "carrier"}, headers=HTMX)
    (sent,) = deliveries()
    assert (sent.approval.template, sent.approval.drafted) == ("Carrier", FILLED)


def test_writing_leaves_one_row_in_the_audit_and_emptying_another(
    cast: Any, enter: Any, complaint: Any, form: dict[str, str]
) -> None:
    from rapport.store.models import AuditEntry

    client = enter(cast.amir)
    for text in ("", "D", "De", "Dear", " ", "", "D", "De"):
        client.post(here(complaint, "draft"), {**form, "text": text}, headers=HTMX)
    verbs = AuditEntry.objects.filter(verb__startswith="draft.").order_by("pk").values_list("verb", flat=True)
    assert list(verbs) == ["draft.save", "draft.empty", "draft.save"]
