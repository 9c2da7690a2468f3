"""What is known of a person on their page and beside a conversation, and the list of people."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from conftest import NOON
from rapport.actions.person_fields import save_field, set_value
from rapport.actions.person_notes import add_person_note
from rapport.store.models import Consent, Handle, Person, PersonNote, PersonValue

pytestmark = pytest.mark.django_db
ROOT = "/w/fernway/people/"


def test_a_note_a_field_and_a_consent_are_written_on_the_page_and_seen_beside_the_conversation(
    cast: Any, enter: Any, complaint: Any
) -> None:
    size = save_field(cast.lea, "Size", "number", now=NOON)
    client, address = enter(cast.amir), f"{ROOT}{complaint.person_id}/"
    client.post(f"{address}note", {"text": "Calls on <b>Mondays</b>"})
    client.post(f"{address}fields", {f"field-{size.pk}": "42,5"})
    client.post(f"{address}consent", {"purpose": "quote", "given": "yes", "source": "her post"})
    page, beside = client.get(address).content.decode(), client.get(f"/w/fernway/c/{complaint.pk}/").content.decode()
    for words in ("Calls on &lt;b&gt;Mondays", "42.5", "to be quoted by name", "her post"):
        assert words in page
    for words in ("Calls on &lt;b&gt;Mondays", "42.5"):
        assert words in beside
    refused = client.post(f"{address}fields", {f"field-{size.pk}": "large"}, follow=True).content.decode()
    assert "Size is a number" in refused
    client.post(f"{address}consent", {"withdraw": str(Consent.objects.get().pk)})
    assert Consent.objects.get().withdrawn_at is not None
    client.post(f"{address}note/remove", {"note": str(PersonNote.objects.get().pk)})
    assert b"Mondays" not in client.get(address).content


def test_an_outsourced_agent_sees_nothing_of_what_the_house_knows(cast: Any, enter: Any, complaint: Any) -> None:
    add_person_note(cast.lea, complaint.person, "Sister of the mayor", now=NOON)
    set_value(cast.lea, complaint.person, save_field(cast.lea, "Size", "text", now=NOON), "forty-two", now=NOON)
    for address in (f"{ROOT}{complaint.person_id}/", f"/w/fernway/c/{complaint.pk}/"):
        assert b"mayor" in enter(cast.amir).get(address).content
        outside = enter(cast.rita).get(address).content
        assert b"mayor" not in outside
        assert b"forty-two" not in outside


def test_saved_fields_take_back_nothing_that_a_colleague_wrote_meanwhile(cast: Any, enter: Any, complaint: Any) -> None:
    size, shoe = (save_field(cast.lea, name, "text", now=NOON) for name in ("Size", "Shoe"))
    address = f"{ROOT}{complaint.person_id}/"
    page = enter(cast.amir).get(address).content.decode()
    assert page.count(f'name="was-{size.pk}" value=""') == 1
    set_value(cast.lea, complaint.person, size, "42", now=NOON)
    fields = {f"field-{size.pk}": "", f"was-{size.pk}": "", f"field-{shoe.pk}": "brown", f"was-{shoe.pk}": ""}
    enter(cast.amir).post(f"{address}fields", fields)
    assert dict(PersonValue.objects.values_list("field", "value")) == {size.pk: "42", shoe.pk: "brown"}
    fields |= {f"field-{size.pk}": "44"}
    told = enter(cast.amir).post(f"{address}fields", fields, follow=True).content.decode()
    assert "Size was changed by a colleague meanwhile, and that stands. Yours was: 44" in told
    assert PersonValue.objects.get(field=size).value == "42"


def crowd(workspace: Any, many: int) -> list[Person]:
    """People with a handle each, in the order in which we met them."""
    seen = {"workspace": workspace, "first_seen": NOON, "last_seen": NOON}
    people = [Person.objects.create(name=f"Walker {number:03}", **seen) for number in range(many)]
    for person in people:
        Handle.objects.create(
            workspace=workspace, person=person, network="mastodon", external_id=str(person.pk), handle=f"w{person.pk}"
        )
    return people


def test_the_list_is_paged_and_reads_no_more_for_more_people(cast: Any, enter: Any) -> None:
    people = crowd(cast.workspace, 3)
    client = enter(cast.lea)
    client.get(ROOT)
    with CaptureQueriesContext(
        connection,
    ) as few:
        client.get(ROOT)
    people += crowd(cast.workspace, 60)
    with CaptureQueriesContext(connection) as more:
        first = client.get(ROOT)
    assert len(more) == len(few)
    second = client.get(f"{ROOT}?{first.context['older']}")
    seen = [row.person for page in (first, second) for row in page.context["rows"]]
    assert seen == people[::-1]
    assert second.context["older"] == ""


def test_the_list_is_narrowed_by_words_state_relationship_and_field(cast: Any, enter: Any) -> None:
    one, two, three = crowd(cast.workspace, 3)
    Person.objects.filter(pk=one.pk).update(suppressed_reason="asked us", relationship="customer")
    Person.objects.filter(pk=two.pk).update(ignored=True, known_to=cast.lea)
    size = save_field(cast.lea, "Size", "text", now=NOON)
    set_value(cast.lea, three, size, "42", now=NOON)
    client = enter(cast.lea)
    for query, expected in (
        ("q=walker", [three, two, one]), ("q=walker+001", [two]), (f"q=w{three.pk}", [three]), ("q=nobody", []),
        ("state=suppressed", [one]), ("state=ignored", [two]), ("state=known", [two]), ("relationship=customer", [one]),
        (f"field={size.pk}", [three]), (f"field={size.pk}&value=42", [three]), (f"field={size.pk}&value=4", []),
        ("state=__class__&relationship=person__password&field=x&before=-1", [three, two, one]),
        (f"q=walker&before={two.pk}", [one]),
    ):  # fmt: skip
        assert [row.person for row in client.get(f"{ROOT}?{query}").context["rows"]] == expected, query


def test_the_list_has_those_alone_whose_conversations_one_sees(
    cast: Any, enter: Any, complaint: Any, many: Any
) -> None:
    hidden = many(1, basket="sales")[0].person
    for member in (cast.amir, cast.rita):
        assert [row.person for row in enter(member).get(ROOT).context["rows"]] == [complaint.person]
    assert hidden in [row.person for row in enter(cast.lea).get(ROOT).context["rows"]]


def test_fields_are_made_changed_and_deleted_in_the_settings(cast: Any, enter: Any, complaint: Any) -> None:
    client, root = enter(cast.lea), "/w/fernway/settings/people/"
    client.post(f"{root}new/", {"name": "Colour", "kind": "choice", "choices": "red\nblue\n"})
    field = cast.workspace.person_fields.get()
    assert field.choices == ["red", "blue"]
    client.post(f"{root}{field.pk}/", {"name": "Favourite colour", "choices": "red\ngreen"})
    field.refresh_from_db()
    assert (field.name, field.kind, field.choices) == ("Favourite colour", "choice", ["red", "green"])
    assert client.post(f"{root}new/", {"name": "favourite colour", "kind": "text"}).status_code == 422
    set_value(cast.lea, complaint.person, field, "green", now=NOON + dt.timedelta(hours=1))
    told = client.post(f"{root}{field.pk}/delete/", follow=True).content.decode()
    assert "1 people had something in it" in told
