"""The team: who comes in, in which role, and who can change that."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from rapport.store.models import Conversation, Membership, Task, User

BASE = "/w/fernway/settings/team/"
NEW = {"email": "new@fernway.example", "name": "Nia", "role": "agent", "baskets": ["care", "sales"]}


def test_an_invitation_shows_its_link_once_and_the_link_works(cast: Any, enter: Any) -> None:
    client = enter(cast.ben)
    page = client.post(f"{BASE}invite/", NEW).content.decode()
    found = re.search(r'value="http://127.0.0.1:8000(/sign-in/[\w-]+/)"', page)
    assert found
    member = Membership.objects.get(user__email="new@fernway.example")
    assert member.role == "agent"
    assert sorted(opened.basket.slug for opened in member.baskets.all()) == ["care", "sales"]
    assert found[1] not in client.get(f"{BASE}{member.pk}/").content.decode()
    newcomer = Client()
    newcomer.post(found[1])
    assert newcomer.session["_auth_user_id"] == str(member.user_id)


def test_somebody_who_has_a_password_gets_no_link(cast: Any, enter: Any) -> None:
    page = enter(cast.ben).post(f"{BASE}invite/", {**NEW, "email": "charlie@other.example"}).content.decode()
    assert "/sign-in/" not in page
    assert "signs in with the password that they have" in page
    assert Membership.objects.filter(user__email="charlie@other.example", workspace=cast.workspace).exists()


def test_somebody_who_is_here_already_is_not_invited_twice_and_the_form_stays(cast: Any, enter: Any) -> None:
    answer = enter(cast.ben).post(f"{BASE}invite/", {**NEW, "email": "AMIR@fernway.example"})
    assert answer.status_code == 422
    assert "is a member already" in answer.content.decode()
    assert "AMIR@fernway.example" in answer.content.decode()


@pytest.mark.parametrize(
    "change",
    [{"role": "emperor"}, {"baskets": ["nowhere"]}, {"email": "no address"}, {"email": "a@b.example\r\nBcc: x@y"}],
)
def test_an_invitation_that_makes_no_sense_is_refused(change: dict[str, Any], cast: Any, enter: Any) -> None:
    people = User.objects.count()
    assert enter(cast.ben).post(f"{BASE}invite/", {**NEW, **change}).status_code == 422
    assert User.objects.count() == people


@pytest.mark.parametrize("extra", ["workspace", "is_active", "password", "user"])
def test_a_field_that_the_form_does_not_have_is_refused(extra: str, cast: Any, enter: Any) -> None:
    assert enter(cast.ben).post(f"{BASE}invite/", {**NEW, extra: "1"}).status_code == 400
    assert not User.objects.filter(email="new@fernway.example").exists()


def test_role_and_baskets_are_changed(cast: Any, enter: Any) -> None:
    data = {"role": "lead", "active": "on", "capacity": "12", "baskets": ["praise"]}
    assert enter(cast.ben).post(f"{BASE}{cast.amir.pk}/", data).headers["Location"] == BASE
    cast.amir.refresh_from_db()
    assert (cast.amir.role, cast.amir.capacity) == ("lead", 12)
    assert [opened.basket.slug for opened in cast.amir.baskets.all()] == ["praise"]


@pytest.mark.parametrize("data", [{"role": "admin", "active": "on"}, {"role": "owner"}])
def test_the_last_owner_can_neither_step_down_nor_leave(data: dict[str, str], cast: Any, enter: Any) -> None:
    answer = enter(cast.alice).post(f"{BASE}{cast.alice.pk}/", {**data, "capacity": "0"})
    assert answer.status_code == 422
    assert "last owner" in answer.content.decode()
    cast.alice.refresh_from_db()
    assert (cast.alice.role, cast.alice.active) == ("owner", True)


def test_an_admin_makes_no_owner_and_touches_none(cast: Any, enter: Any) -> None:
    client = enter(cast.ben)
    for pk in (cast.ben.pk, cast.alice.pk):
        answer = client.post(
            f"{BASE}{pk}/", {"role": "owner" if pk == cast.ben.pk else "viewer", "active": "on", "capacity": "0"}
        )
        assert answer.status_code == 422
        assert "owner" in answer.content.decode()
    assert client.post(f"{BASE}{cast.alice.pk}/link/").status_code == 403
    cast.alice.refresh_from_db()
    cast.ben.refresh_from_db()
    assert (cast.alice.role, cast.ben.role) == ("owner", "admin")


def test_a_link_for_somebody_who_works_elsewhere_too_is_refused(cast: Any, enter: Any) -> None:
    Membership.objects.create(workspace=cast.charlie.workspace, user=cast.amir.user, role="viewer")
    answer = enter(cast.ben).post(f"{BASE}{cast.amir.pk}/link/")
    assert answer.status_code == 403
    assert "/sign-in/" not in answer.content.decode()


def test_no_link_is_made_for_somebody_who_left(cast: Any, enter: Any) -> None:
    assert enter(cast.ben).post(f"{BASE}{cast.fred.pk}/link/").status_code == 400


def test_the_list_costs_the_same_for_many(cast: Any, enter: Any, django_assert_max_num_queries: Any) -> None:
    for number in range(30):
        user = User.objects.create_user(f"u{number}@fernway.example", name=f"U{number}")
        Membership.objects.create(workspace=cast.workspace, user=user, role="agent")
    client = enter(cast.ben)
    client.get(BASE)
    with django_assert_max_num_queries(10):
        assert "U29" in client.get(BASE).content.decode()


def test_the_page_says_what_went_back_when_somebody_leaves(
    cast: Any, enter: Any, hear: Any, make_post: Any, now: Any
) -> None:
    member = cast.amir
    hear(make_post("My parcel is broken, @fernway!"))
    Conversation.objects.update(assignee=member)
    for title in ("One", "Two"):
        Task.objects.create(workspace=cast.workspace, title=title, assignee=member, made_at=now)
    given = {"role": "agent", "baskets": ["care"], "capacity": 0}
    page = enter(cast.ben).post(f"{BASE}{member.pk}/", given, follow=True).content.decode()
    assert "1 conversation went back to its basket." in page
    assert "2 tasks went back to their baskets or to whoever asked for them." in page
