"""Several conversations at once, and undo, as a browser sends them."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from rapport.store.models import Task

pytestmark = pytest.mark.django_db
ROOT = "/w/fernway/"


def states(rows: list[Any]) -> list[str]:
    for row in rows:
        row.refresh_from_db()
    return [row.state for row in rows]


def test_many_are_changed_and_put_back_with_one_press(cast: Any, enter: Any, many: Any) -> None:
    rows, client = many(3), enter(cast.amir)
    answer = client.post(f"{ROOT}bulk/", {"verb": "resolve", "id": [row.pk for row in rows]}).json()
    assert (answer["say"], answer["done"], answer["kept"]) == ("3 conversations changed.", 3, 0)
    assert states(rows) == ["resolved"] * 3
    undone = client.post(f"{ROOT}undo", {"deed": answer["deed"]}, headers={"HX-Request": "true"})
    assert json.loads(undone["HX-Trigger"])["desk-changed"]["say"] == "Undone on 3 conversations: the resolving."
    assert states(rows) == ["open"] * 3


def test_one_that_is_hidden_and_none_is_changed(cast: Any, enter: Any, many: Any) -> None:
    rows = [*many(2), *many(1, basket="sales")]
    client = enter(cast.amir)
    hidden = client.post(f"{ROOT}bulk/", {"verb": "resolve", "id": [row.pk for row in rows]})
    missing = client.post(f"{ROOT}bulk/", {"verb": "resolve", "id": [rows[0].pk, 10**12]})
    assert (hidden.status_code, missing.status_code) == (404, 404)
    assert states(rows) == ["open"] * 3


@pytest.mark.parametrize(("verb", "value", "status"), [
    ("assign", "me", 200), ("assign", "", 200), ("assign", "99999999", 404), ("assign", "x", 404),
    ("snooze", "tomorrow", 200), ("snooze", "", 400), ("snooze", "2026-13-45", 400),
    ("move", "praise", 200), ("move", "nowhere", 404), ("prioritise", "3", 200), ("prioritise", "9", 400),
    ("tag", "Late delivery", 200), ("tag", "", 400), ("untag", "late", 200), ("delete", "", 400), ("", "", 400),
])  # fmt: skip
def test_every_verb_takes_its_own_and_refuses_the_rest(
    cast: Any, enter: Any, many: Any, verb: str, value: str, status: int
) -> None:
    row = many(1)[0]
    answer = enter(cast.lea).post(f"{ROOT}bulk/", {"verb": verb, "value": value, "id": row.pk})
    assert answer.status_code == status


def test_nothing_chosen_is_said_and_not_an_error_of_ours(cast: Any, enter: Any) -> None:
    answer = enter(cast.lea).post(f"{ROOT}bulk/", {"verb": "resolve"})
    assert answer.status_code == 400
    assert answer.json()["say"] == "Choose at least one conversation."


def test_the_bar_offers_colleagues_and_baskets_that_one_may_know_of(cast: Any, enter: Any) -> None:
    bar = enter(cast.lea).get(f"{ROOT}bulk/bar/").content.decode()
    assert f'data-bulk="assign" data-value="{cast.amir.pk}"' in bar
    assert 'data-bulk="move" data-value="sales"' in bar
    assert 'data-value="sales"' not in enter(cast.rita).get(f"{ROOT}bulk/bar/").content.decode()


def test_boxes_stand_only_before_those_who_may_use_them(cast: Any, enter: Any, many: Any) -> None:
    many(1)
    assert "data-pick" in enter(cast.amir).get(f"{ROOT}b/care/").content.decode()
    assert "data-pick" not in enter(cast.vera).get(f"{ROOT}b/care/").content.decode()


def test_what_was_done_on_a_conversation_is_said_with_a_way_back(cast: Any, enter: Any, complaint: Any) -> None:
    client = enter(cast.lea)
    for act, form in (("resolve", {}), ("reopen", {}), ("assign", {"assignee": "me"}), ("note", {"note": "x"})):
        answer = client.post(f"{ROOT}c/{complaint.pk}/{act}", form, headers={"HX-Request": "true"})
        assert json.loads(answer["HX-Trigger"])["desk-changed"]["undo"], act
    undone = client.post(f"{ROOT}undo", headers={"HX-Request": "true"})
    assert json.loads(undone["HX-Trigger"])["desk-changed"]["say"] == "Undone: the note."
    assert json.loads(client.post(f"{ROOT}undo", headers={"HX-Request": "true"})["HX-Trigger"])["desk-changed"]


def test_with_nothing_to_undo_it_says_so_and_another_s_deed_is_not_there(cast: Any, enter: Any, complaint: Any) -> None:
    lea, amir = enter(cast.lea), enter(cast.amir)
    said = json.loads(lea.post(f"{ROOT}undo", headers={"HX-Request": "true"})["HX-Trigger"])
    assert said == {"desk-problem": {"say": "There is nothing to undo."}}
    answer = lea.post(f"{ROOT}c/{complaint.pk}/resolve", headers={"HX-Request": "true"})
    deed = json.loads(answer["HX-Trigger"])["desk-changed"]["undo"]
    assert amir.post(f"{ROOT}undo", {"deed": deed}).status_code == 404
    assert lea.post(f"{ROOT}undo", {"deed": deed}).status_code == 303


def test_pages_without_a_list_offer_to_take_back_what_was_done_on_them(cast: Any, enter: Any, complaint: Any) -> None:
    client = enter(cast.amir)

    def offered(address: str) -> list[str]:
        page = client.get(f"/w/fernway/{address}").content.decode()
        return re.findall(r'action="/w/fernway/undo">.*?name="deed" value="(\d+)">Undo<', page)

    client.post("/w/fernway/tasks/new", {"title": "Call back", "kind": "task", "assignee": str(cast.amir.pk)})
    task = Task.objects.get()
    assert len(offered("tasks/")) == 1
    assert offered("tasks/") == []  # said once
    client.post(f"/w/fernway/tasks/{task.pk}/settle", {"how": "done"})
    [deed] = offered("tasks/")
    assert client.post("/w/fernway/undo", {"deed": deed}).headers["Location"] == "/w/fernway/tasks/"
    task.refresh_from_db()
    assert task.done_at is None
    assert offered("tasks/") == []
    person = f"people/{complaint.person_id}/"
    client.post(f"/w/fernway/{person}note", {"text": "Prefers mail"})
    [deed] = offered(person)
    client.post("/w/fernway/undo", {"deed": deed})
    assert "Prefers mail" not in client.get(f"/w/fernway/{person}").content.decode()
    # a conversation that is open alone, without scripts
    client.post(f"/w/fernway/c/{complaint.pk}/resolve")
    [deed] = offered(f"c/{complaint.pk}/")
    client.post("/w/fernway/undo", {"deed": deed})
    complaint.refresh_from_db()
    assert complaint.state == "open"


def test_what_leaves_one_s_sight_is_said_on_the_page_that_comes(cast: Any, enter: Any, complaint: Any) -> None:
    client = enter(cast.amir)
    answer = client.post(f"{ROOT}c/{complaint.pk}/move", {"basket": "sales"}, headers={"HX-Request": "true"})
    assert (answer.status_code, answer["HX-Redirect"]) == (204, ROOT)
    page = client.get(ROOT, follow=True).content.decode()
    assert "Moved to Sales." in page
    assert 'name="deed"' not in page
