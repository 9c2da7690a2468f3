"""The page of one person, and what is decided about them."""

from typing import Any

import pytest

pytestmark = pytest.mark.django_db


def test_the_page_holds_what_was_between_us(cast: Any, enter: Any, complaint: Any) -> None:
    page = enter(cast.amir).get(f"/w/fernway/people/{complaint.person_id}/").content.decode()
    for words in ("@nadia", "1 negative", "left in the rain", "Care"):
        assert words in page


def test_people_of_other_baskets_are_missing(cast: Any, enter: Any, many: Any) -> None:
    row = many(1, basket="sales")[0]
    address = f"/w/fernway/people/{row.person_id}/"
    assert enter(cast.amir).get(address).status_code == 404
    assert enter(cast.amir).post(f"{address}ignore", {"ignored": "yes"}).status_code == 404
    assert enter(cast.lea).get(address).status_code == 200


def test_ignore_suppress_and_relationship(cast: Any, enter: Any, complaint: Any) -> None:
    client, person = enter(cast.amir), complaint.person
    address = f"/w/fernway/people/{person.pk}/"
    client.post(f"{address}ignore", {"ignored": "yes"})
    client.post(f"{address}suppress", {"reason": "asked by mail"})
    client.post(f"{address}relationship", {"relationship": "journalist"})
    person.refresh_from_db()
    assert (person.ignored, person.suppressed_reason, person.relationship) == (True, "asked by mail", "journalist")
    client.post(f"{address}relationship", {"relationship": "emperor"})
    person.refresh_from_db()
    assert person.relationship == "journalist"


@pytest.mark.parametrize(
    "back", ["//evil.example", "https://evil.example", "/\\evil.example", "/w/other/", "javascript:x"]
)
def test_the_way_back_stays_inside_the_workspace(cast: Any, enter: Any, complaint: Any, back: str) -> None:
    address = f"/w/fernway/people/{complaint.person_id}/"
    answer = enter(cast.amir).post(f"{address}ignore", {"ignored": "no", "back": back})
    assert answer.headers["Location"] == address


def test_moods_of_posts_out_of_sight_are_not_counted(cast: Any, enter: Any, complaint: Any) -> None:
    from rapport.store.models import Basket, Conversation, Person

    page = enter(cast.amir).get(f"/w/fernway/people/{complaint.person_id}/")
    assert page.context["profile"].negative == 1
    second = Conversation.objects.create(
        workspace=cast.workspace, network="mastodon", channel=complaint.channel, state="open",
        person=Person.objects.get(pk=complaint.person_id), basket=Basket.objects.of(cast.workspace).get(slug="care"),
    )  # fmt: skip
    complaint.basket = Basket.objects.of(cast.workspace).get(slug="sales")
    complaint.save()
    page = enter(cast.amir).get(f"/w/fernway/people/{complaint.person_id}/")
    assert page.context["profile"].negative == 0
    assert [talk.pk for talk in page.context["talks"]] == [second.pk]


def test_drawings_hold_in_languages_that_write_a_comma(cast: Any, enter: Any, complaint: Any) -> None:
    import re

    cast.amir.user.language = "de"
    cast.amir.user.save()
    page = enter(cast.amir).get(f"/w/fernway/people/{complaint.person_id}/").content.decode()
    bars = re.findall(r'<rect class="[npz]" x="([^"]+)" y="([^"]+)" width="20" height="([^"]+)"', page)
    assert len(bars) == 1
    assert all(float(number) >= 0 for number in bars[0])
