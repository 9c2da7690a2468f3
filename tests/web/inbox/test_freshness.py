"""What an open page has already is not read again, and what changed always is."""

from __future__ import annotations

import re
from typing import Any

import pytest

from rapport.actions import desk
from rapport.actions.tags import add_tag

pytestmark = pytest.mark.django_db
LIST = {"HX-Request": "true", "HX-Target": "list"}
PATHS = [("/w/fernway/b/care/", LIST), ("/w/fernway/counts", {"HX-Request": "true"})]


@pytest.mark.parametrize(("path", "headers"), PATHS)
def test_the_same_state_is_304_and_another_is_not(
    cast: Any, enter: Any, many: Any, now: Any, path: str, headers: dict[str, str]
) -> None:
    row = many(1)[0]
    client = enter(cast.amir)
    first = client.get(path, headers=headers)
    tag = first.headers["ETag"]
    again = client.get(path, headers={**headers, "If-None-Match": tag})
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)
    assert enter(cast.lea).get(path, headers={**headers, "If-None-Match": tag}).status_code == 200
    add_tag(cast.lea, row, "vip", now=now)
    changed = client.get(path, headers={**headers, "If-None-Match": tag})
    assert changed.status_code == 200
    assert changed.headers["ETag"] != tag
    assert client.get(f"{path}?tab=mine", headers={**headers, "If-None-Match": tag}).status_code == 200


def test_a_whole_page_is_always_read(cast: Any, enter: Any, many: Any) -> None:
    assert "ETag" not in enter(cast.amir).get("/w/fernway/b/care/").headers


def test_counts_are_read_once_for_everybody_who_sees_the_same(
    cast: Any, enter: Any, many: Any, now: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rapport.web.inbox import freshness

    reads = []
    real = freshness.reads.count_by_basket
    monkeypatch.setattr(freshness.reads, "count_by_basket", lambda *told: reads.append(told) or real(*told))
    row = many(3)[0]
    for member in (cast.alice, cast.ben, cast.lea, cast.alice):
        assert ">3<" in enter(member).get("/w/fernway/counts").content.decode()
    assert len(reads) == 1
    amir = enter(cast.amir)
    assert [">3<" in amir.get("/w/fernway/counts").content.decode() for _ in range(2)] == [True, True]
    assert len(reads) == 2
    desk.resolve(cast.lea, row, now=now)
    assert ">2<" in amir.get("/w/fernway/counts").content.decode()
    assert ">2<" in enter(cast.alice).get("/w/fernway/counts").content.decode()


def test_a_row_that_was_rendered_before_shows_what_is_new_and_whose_it_is(
    cast: Any, enter: Any, many: Any, now: Any
) -> None:
    row = many(1)[0]
    amir, lea = enter(cast.amir), enter(cast.lea)
    for client in (amir, lea):
        assert "yours" not in client.get("/w/fernway/b/care/").content.decode()
    desk.assign(cast.amir, row, cast.amir, now=now)
    add_tag(cast.amir, row, "vip", now=now)
    mine, theirs = (client.get("/w/fernway/b/care/").content.decode() for client in (amir, lea))
    assert ("yours" in mine, "yours" in theirs) == (True, False)
    assert "vip" in mine
    assert "vip" in theirs
    # who may not choose rows is not shown boxes that somebody else's list had
    assert "data-pick" in theirs
    assert "data-pick" not in enter(cast.vera).get("/w/fernway/b/care/").content.decode()


@pytest.fixture
def times_read(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """One entry for each time that the rows of a list were read."""
    from rapport.web.inbox import list as lists

    seen: list[Any] = []
    real = lists.reads.list_rows
    monkeypatch.setattr(lists.reads, "list_rows", lambda *told: seen.append(told) or real(*told))
    return seen


def test_a_list_that_many_read_again_is_read_once_and_shown_to_each_as_theirs(
    cast: Any, enter: Any, many: Any, now: Any, times_read: list[Any]
) -> None:
    rows = many(3)
    desk.assign(cast.amir, rows[0], cast.amir, now=now)
    cast.lea.user.language = "de"
    cast.lea.user.save()
    amir, lea, vera = (
        enter(member).get("/w/fernway/b/care/", headers=LIST).content.decode()
        for member in (cast.amir, cast.lea, cast.vera)
    )
    assert len(times_read) == 1
    assert [page.count("data-row=") for page in (amir, lea, vera)] == [3, 3, 3]
    # mine, unassigned, all
    assert [re.findall(r'<span class="num">(\d+)</span></a>', page)[:3] for page in (amir, lea)] == [
        ["1", "2", "3"],
        ["0", "2", "3"],
    ]
    assert ("yours" in amir, "yours" in vera, "data-pick" in vera) == (True, False, False)
    assert ("Unassigned" in amir, "Unassigned" in lea) == (True, False)
    add_tag(cast.amir, rows[1], "vip", now=now)
    assert all(
        "vip" in enter(member).get("/w/fernway/b/care/", headers=LIST).content.decode() for member in cast_of(cast)
    )
    assert len(times_read) == 2


def cast_of(cast: Any) -> list[Any]:
    return [cast.amir, cast.lea, cast.rita, cast.vera, cast.alice]


def test_what_was_read_for_others_opens_no_basket_and_no_other_tab_state_or_workspace(
    cast: Any, enter: Any, many: Any, now: Any, times_read: list[Any]
) -> None:
    from rapport.store.models import BasketMember

    many(2)
    assert enter(cast.lea).get("/w/fernway/b/care/", headers=LIST).status_code == 200
    rita = enter(cast.rita)
    assert rita.get("/w/fernway/b/care/", headers=LIST).content.count(b"data-row=") == 2
    assert len(times_read) == 1
    for asked in ("tab=mine", "tab=unassigned", "state=resolved", "mood=negative", "sort=newest"):
        shown = rita.get(f"/w/fernway/b/care/?{asked}", headers=LIST)
        assert shown.content.count(b"data-row=") == (2 if asked in {"tab=unassigned", "sort=newest"} else 0), asked
    BasketMember.objects.filter(membership=cast.rita).delete()
    assert rita.get("/w/fernway/b/care/", headers=LIST).status_code == 404
    for other in (cast.charlie, cast.fred):
        assert enter(other).get("/w/fernway/b/care/", headers=LIST).status_code == 404
    own = enter(cast.charlie).get("/w/other/b/care/", headers=LIST)
    assert (own.status_code, own.content.count(b"data-row=")) == (200, 0)


def test_a_list_is_read_again_for_its_own_basket_for_all_baskets_and_after_many_events_of_others(cast: Any) -> None:
    from django.utils import timezone

    from rapport.store.models import DeskEvent
    from rapport.web.inbox.freshness import NEWEST, marks_of_basket

    def happen(*baskets: int, kind: str = "conversations") -> str:
        payload = {"baskets": list(baskets)} if baskets else {}
        DeskEvent.objects.create(workspace=cast.workspace, kind=kind, payload=payload, at=timezone.now())
        return marks_of_basket(cast.workspace.pk, 1)

    begun = happen(1)
    while DeskEvent.objects.latest("pk").pk % NEWEST > NEWEST - 8:
        begun = happen(1)
    assert happen(2) == happen(3, 4) == happen(kind="presence") == happen(kind="notices") == begun
    own = happen(1, 2)
    assert own not in {begun, happen()}
    before = happen()
    happen(1)
    assert before not in {happen(2) for _ in range(NEWEST + 1)}
