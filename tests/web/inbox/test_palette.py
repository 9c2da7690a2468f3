"""The command palette: what it finds for whom, what it offers on the open conversation, and that a letter is enough."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from rapport.web.inbox.palette import rank

pytestmark = pytest.mark.django_db
ROOT = "/w/fernway/palette/"


def groups(client: Any, words: str = "", conversation: int | str = "") -> dict[str, list[str]]:
    answer = client.get(ROOT, {"q": words, "c": conversation}, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    return {group.name: [entry.label for entry in group.entries] for group in answer.context["groups"]}


def test_the_beginnings_of_words_find_an_entry_and_better_ones_come_first() -> None:
    assert rank("Assign to Ben Noll", "give", ["ass", "ben"]) == 0
    assert rank("Assign to Ben Noll", "give", ["ben"]) == 1
    assert rank("Assign to Ben Noll", "give", ["give"]) == 3
    assert rank("Assign to Ben Noll", "give", ["oll"]) == 5
    assert rank("Assign to Ben Noll", "give", ["ben", "snooze"]) is None
    assert rank("Größe", "", ["grosse"]) == rank("Größe", "", ["grö"[:2]]) == 0


def test_without_a_letter_it_shows_the_acts_of_the_open_conversation_and_the_baskets(
    cast: Any, enter: Any, complaint: Any
) -> None:
    found = groups(enter(cast.amir), conversation=complaint.pk)
    assert found["acts"][:3] == ["Resolve", "Write a reply", "Write a note"]
    assert {"Assign to me", "Snooze: Tomorrow, 9:00"} <= set(found["acts"])
    assert "Care" in found["places"]
    assert not {"people", "talks"} & set(found)


def test_people_by_name_and_conversations_by_words_are_found(cast: Any, enter: Any, complaint: Any) -> None:
    client = enter(cast.amir)
    assert groups(client, "nadi")["people"]
    assert "left in the rain" in groups(client, "parcel rain")["talks"][0]
    assert "people" not in groups(client, "n")


def test_nobody_finds_what_lies_in_baskets_that_are_not_theirs(cast: Any, enter: Any, many: Any) -> None:
    hidden = many(1, basket="sales", preview="closed secretword")[0]
    hidden.person.name = "Secretword"
    hidden.person.save()
    found = groups(enter(cast.amir), "secretword", hidden.pk)
    assert not {"people", "talks", "acts"} & set(found)
    assert groups(enter(cast.lea), "secretword")["people"] == ["Secretword"]
    assert "Sales" not in groups(enter(cast.amir), "sales").get("places", [])
    nothing, foreign = groups(enter(cast.amir), "", 10**17), groups(enter(cast.amir), "", hidden.pk)
    assert nothing == foreign


@pytest.mark.parametrize(("name", "may", "may_not"), [
    ("vera", set(), {"Resolve", "Write a reply", "Assign to me"}),
    ("rita", {"Write a reply"}, {"Hold everything going out"}),
    ("lea", {"Resolve", "Write a reply"}, set()),
])  # fmt: skip
def test_only_what_the_role_allows_is_offered(
    cast: Any, enter: Any, complaint: Any, name: str, may: set[str], may_not: set[str]
) -> None:
    member = getattr(cast, name)
    if name == "vera":
        from rapport.store.models import BasketMember

        BasketMember.objects.get_or_create(workspace=cast.workspace, basket=complaint.basket, membership=member)
    found = {label for group in groups(enter(member), "", complaint.pk).values() for label in group}
    assert may <= found
    assert not may_not & found


def test_every_act_that_is_offered_works_where_it_is_posted_to(cast: Any, enter: Any, complaint: Any) -> None:
    client = enter(cast.lea)
    labels = ("assign", "snooze", "move", "priority")
    for words in labels:
        answer = client.get(ROOT, {"q": words, "c": complaint.pk}, headers={"HX-Request": "true"})
        acts = [entry for group in answer.context["groups"] for entry in group.entries if entry.post]
        assert acts, words
        for act in acts:
            done = client.post(act.post, {act.name: act.value})
            assert done.status_code == 303, act


def test_acts_follow_the_state(cast: Any, enter: Any, complaint: Any) -> None:
    complaint.state = "resolved"
    complaint.save()
    found = groups(enter(cast.lea), "", complaint.pk)["acts"]
    assert "Reopen" in found
    assert "Resolve" not in found
    assert not [label for label in found if label.startswith("Snooze")]


def test_a_hostile_name_stays_text(cast: Any, enter: Any, many: Any) -> None:
    row = many(1)[0]
    row.person.name = "<img src=x onerror=alert(1)> Zora"
    row.person.save()
    page = enter(cast.lea).get(ROOT, {"q": "zora"}, headers={"HX-Request": "true"}).content.decode()
    assert "<img" not in page
    assert "&lt;img" in page


def test_without_a_script_it_is_a_page_with_links_and_buttons(cast: Any, enter: Any, complaint: Any) -> None:
    page = enter(cast.lea).get(ROOT, {"q": "assign", "c": complaint.pk}).content.decode()
    assert "<html" in page
    assert f'action="/w/fernway/c/{complaint.pk}/assign"' in page


def test_it_costs_few_queries(cast: Any, enter: Any, many: Any, django_assert_max_num_queries: Any) -> None:
    row = many(40)[0]
    client = enter(cast.amir)
    client.get(ROOT)
    # PostgreSQL is told for each search of words how to go about it
    with django_assert_max_num_queries(22 if connection.vendor == "sqlite" else 29):
        groups(client, "person", row.pk)


def test_words_that_no_database_holds_find_nothing_and_harm_nothing(cast: Any, enter: Any) -> None:
    for words in ("\x00", "%", '"', "a" * 4000, "\ud83d", "' OR 1=1", "*", "NEAR("):
        assert enter(cast.lea).get(ROOT, {"q": words.encode("utf-8", "replace").decode()}).status_code == 200


def test_priority_is_set_by_hand_and_nothing_but_the_four_is_taken(cast: Any, enter: Any, complaint: Any) -> None:
    client = enter(cast.amir)
    address = f"/w/fernway/c/{complaint.pk}/priority"
    assert client.post(address, {"priority": "3"}).status_code == 303
    complaint.refresh_from_db()
    assert complaint.priority == 3
    for wrong in ("4", "-1", "", "urgent", "1e3"):
        assert client.post(address, {"priority": wrong}).status_code == 400
    complaint.refresh_from_db()
    assert complaint.priority == 3
