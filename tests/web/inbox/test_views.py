"""Saved views: a list under a name, of one person or for all, and nothing that reaches for columns."""

from __future__ import annotations

from typing import Any

import pytest

from rapport.actions import views
from rapport.core.errors import InvalidInput, NotAllowed
from rapport.core.felt import mood_number
from rapport.store.models import SavedView

pytestmark = pytest.mark.django_db
ROOT = "/w/fernway/"
KEPT = {"b": "care", "mood": "negative", "sort": "waiting"}


def keep(client: Any, **fields: str) -> Any:
    return client.post(f"{ROOT}views/save", {"name": "Angry", **KEPT, **fields})


def test_a_list_is_kept_and_stands_in_the_navigation_and_the_palette(cast: Any, enter: Any, many: Any) -> None:
    many(1, preview="angry", mood=mood_number("negative"))
    many(1, preview="calm", mood=mood_number("positive"))
    client = enter(cast.amir)
    answer = keep(client)
    view = SavedView.objects.get()
    assert answer.headers["Location"] == f"{ROOT}b/care/?sort=waiting&mood=negative&view={view.pk}"
    page = client.get(answer.headers["Location"])
    listing = page.context["listing"]
    assert [row.conversation.preview for row in listing.rows] == ["angry"]
    assert (listing.title, listing.differs) == ("Angry", False)
    assert 'aria-current="page" title="Angry"' in page.content.decode()
    assert client.get(f"{ROOT}views/{view.pk}/").headers["Location"] == answer.headers["Location"]
    found = client.get(f"{ROOT}palette/", {"q": "angr"}).context["groups"]
    assert [entry.label for group in found for entry in group.entries if group.name == "places"] == ["Angry"]
    # other filters are seen as a change, and can be kept in place of the old ones
    changed = client.get(f"{ROOT}b/care/?mood=positive&view={view.pk}").context["listing"]
    assert (changed.title, changed.differs) == ("Angry", True)
    client.post(f"{ROOT}views/save", {"b": "care", "mood": "positive", "over": view.pk})
    assert SavedView.objects.get().asked == {"b": "care", "mood": "positive"}


@pytest.mark.parametrize(
    "hostile",
    [
        {"author__password__startswith": "p"}, {"_connector": "OR"}, {"sort": "score__gt"}, {"state": "merged"},
        {"b": "../x"}, {"b": ""}, {"list": "complaints"}, {"q": "words"}, {"show": "50"}, {"view": "1"},
        {"person__handles__handle": "nadia"}, {"tab": "all); DROP TABLE"}, {"mood": "negative\x00"},
    ],
)  # fmt: skip
def test_a_filter_that_no_list_has_is_refused_whole(cast: Any, enter: Any, hostile: dict[str, str]) -> None:
    answer = keep(enter(cast.amir), **hostile)
    assert answer.status_code == 400
    assert not SavedView.objects.exists()


@pytest.mark.parametrize("name", ["assignee__user__password__startswith", "_connector", "_negated", "person__name"])
@pytest.mark.parametrize("path", ["b/care/", "lists/praise/", "search/"])
def test_an_address_that_reaches_for_columns_is_refused(cast: Any, enter: Any, path: str, name: str) -> None:
    answer = enter(cast.amir).get(f"{ROOT}{path}?{name}=pbkdf2")
    assert answer.status_code == 400
    assert "is no filter of a list" in answer.content.decode()


def test_what_lies_wrongly_in_the_table_leads_nowhere(cast: Any, enter: Any, now: Any) -> None:
    for number, asked in enumerate([{"b": "care", "x__y": "1"}, {"b": ["care"]}, {}, {"b": "care", "mood": {"a": 1}}]):
        SavedView.objects.create(workspace=cast.workspace, owner=cast.amir, name=str(number), asked=asked, at=now)
    client = enter(cast.amir)
    assert client.get(f"{ROOT}b/care/").context["nav"].views == []
    for view in SavedView.objects.all():
        assert client.get(f"{ROOT}views/{view.pk}/").status_code == 400
    assert client.get(f"{ROOT}views/").content.decode().count("is no filter") == 3


def test_shared_views_are_the_leads_and_seen_by_whoever_sees_their_basket(cast: Any, enter: Any, now: Any) -> None:
    with pytest.raises(NotAllowed):
        views.save_view(cast.amir, "All", {"b": "care"}, shared=True, now=now)
    shared = views.save_view(cast.lea, "Shared", {"b": "care"}, shared=True, now=now)
    views.save_view(cast.lea, "Selling", {"b": "sales"}, shared=True, now=now)
    own = views.save_view(cast.lea, "Shared", {"b": "care"}, shared=False, now=now)

    def names(member: Any) -> list[str]:
        page = enter(member).get(f"{ROOT}b/care/")
        return [view.name for view, _asked, _address in page.context["nav"].views]

    assert names(cast.lea) == ["Shared", "Shared", "Selling"]
    assert names(cast.rita) == names(cast.amir) == ["Shared"]
    for view, status in ((shared, 400), (own, 404)):
        assert enter(cast.amir).get(f"{ROOT}views/{view.pk}/").status_code == (302 if status == 400 else 404)
        answer = enter(cast.amir).post(f"{ROOT}views/{view.pk}/change", {"do": "remove"})
        assert answer.status_code == (303 if status == 400 else 404)
    assert SavedView.objects.count() == 3
    with pytest.raises(NotAllowed):
        views.change_view(cast.charlie, shared, name="Mine", now=now)


def test_names_are_one_each_and_places_can_be_changed(cast: Any, enter: Any, now: Any) -> None:
    made = [views.save_view(cast.amir, name, {"b": "care"}, shared=False, now=now) for name in ("a", "b", "c")]
    with pytest.raises(InvalidInput, match="already"):
        views.save_view(cast.amir, " a ", {"b": "care"}, shared=False, now=now)
    client = enter(cast.amir)

    def order() -> str:
        return "".join(SavedView.objects.order_by("position").values_list("name", flat=True))

    client.post(f"{ROOT}views/{made[2].pk}/change", {"do": "up"})
    assert order() == "acb"
    client.post(f"{ROOT}views/{made[1].pk}/change", {"do": "down"})
    assert order() == "acb"
    client.post(f"{ROOT}views/{made[0].pk}/change", {"do": "rename", "name": "z"})
    assert order() == "zcb"
    client.post(f"{ROOT}views/{made[0].pk}/change", {"do": "remove"})
    assert order() == "cb"


def test_there_are_only_so_many_views(cast: Any, now: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "MOST", 2)
    for name in "ab":
        views.save_view(cast.amir, name, {"b": "care"}, shared=False, now=now)
    with pytest.raises(InvalidInput, match="2 views"):
        views.save_view(cast.amir, "c", {"b": "care"}, shared=False, now=now)


def test_rows_stand_together_by_basket_or_person_where_the_first_of_them_stood(
    cast: Any, enter: Any, many: Any
) -> None:
    many(1, basket="care", preview="one", score=90)
    many(1, basket="sales", preview="two", score=80)
    third = many(1, basket="care", preview="three", score=70)[0]
    alone = many(1, basket="care", preview="four", score=60)[0]
    alone.person = None
    alone.save()
    client = enter(cast.lea)
    found = client.get(f"{ROOT}search/?q=person&group=basket").context["listing"]
    parts = [(part.title, [row.conversation.preview for row in part.rows]) for part in found.parts]
    assert parts == [("Care", ["one", "three"]), ("Sales", ["two"])]
    by_person = client.get(f"{ROOT}b/care/?group=person").context["listing"]
    assert [part.title for part in by_person.parts] == ["Person 0", "Person 0", "Nobody known"]
    assert third.preview in client.get(f"{ROOT}b/care/?group=basket").content.decode()


def test_conversations_by_when_they_began(cast: Any, enter: Any, many: Any, now: Any) -> None:
    rows = [many(1, preview=name)[0] for name in ("first", "second", "third")]
    rows[0].last_post_at = now.replace(year=2027)
    rows[0].save()
    listing = enter(cast.lea).get(f"{ROOT}b/care/?sort=created").context["listing"]
    assert [row.conversation.preview for row in listing.rows] == ["third", "second", "first"]
