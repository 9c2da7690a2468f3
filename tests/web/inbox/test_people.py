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
    client.post(f"{address}ignore", {"ignored": "yes", "reason": "insults us"})
    client.post(f"{address}suppress", {"reason": "asked by mail"})
    client.post(f"{address}relationship", {"relationship": "journalist"})
    person.refresh_from_db()
    assert (person.ignored, person.suppressed_reason, person.relationship) == (True, "asked by mail", "journalist")
    client.post(f"{address}relationship", {"relationship": "emperor"})
    person.refresh_from_db()
    assert person.relationship == "journalist"


def test_a_stop_is_lifted_by_a_lead_alone_and_with_a_reason(cast: Any, enter: Any, complaint: Any) -> None:
    from rapport.store.models import AuditEntry

    person = complaint.person
    address = f"/w/fernway/people/{person.pk}/"
    enter(cast.amir).post(f"{address}suppress", {"reason": "asked by mail"})
    for client, lift in ((enter(cast.amir), "I would like to"), (enter(cast.lea), " ")):
        client.post(f"{address}suppress", {"lift": lift})
        client.post(f"{address}suppress", {"reason": ""})
        person.refresh_from_db()
        assert person.suppressed_reason == "asked by mail"
    assert b"A lead can let us write" in enter(cast.amir).get(address).content
    assert b'name="lift"' in enter(cast.lea).get(address).content
    enter(cast.lea).post(f"{address}suppress", {"lift": "asked for a call"})
    person.refresh_from_db()
    assert person.suppressed_reason == ""
    entry = AuditEntry.objects.of(cast.workspace).get(verb="person.lift_suppression")
    assert (entry.detail["reason"], entry.detail["before"]) == (
        "asked for a call",
        {"suppressed_reason": "asked by mail"},
    )


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


@pytest.fixture
def double(cast: Any, complaint: Any, many: Any) -> Any:
    """Nadia again, on Bluesky, with a conversation in Care."""
    from rapport.store.models import Handle

    person = many(1)[0].person
    person.name = "Nadia"
    person.save()
    Handle.objects.filter(person=person).update(network="bluesky", handle="nadia.example", name="Nadia")
    return person


def test_two_are_compared_joined_on_evidence_and_split_again(
    cast: Any, enter: Any, complaint: Any, double: Any
) -> None:
    client, address = enter(cast.amir), f"/w/fernway/people/{complaint.person_id}/"
    offered = client.get(f"{address}join").content.decode()
    assert "same name" in offered
    assert "same handle" in offered
    assert f'href="?with={double.pk}"' in offered
    assert f'href="?with={double.pk}"' in client.get(f"{address}join", {"q": "a.exam"}).content.decode()
    side_by_side = client.get(f"{address}join", {"with": double.pk}).content.decode()
    for words in ("@nadia.example", "left in the rain", "Words 0", "How do we know?"):
        assert words in side_by_side
    refused = client.post(f"{address}join", {"with": double.pk, "evidence": " "})
    assert refused.status_code == 422
    assert "Say how you know" in refused.content.decode()
    client.post(f"{address}join", {"with": double.pk, "evidence": "Her profile <b>says</b> so"})
    page = client.get(address).content.decode()
    for words in ("@nadia.example", "Words 0", "Her profile &lt;b&gt;says&lt;/b&gt; so", "Amir, <time", "Undo"):
        assert words in page
    old = client.get(f"/w/fernway/people/{double.pk}/")
    assert (old.status_code, old.headers["Location"]) == (302, address)
    client.post(f"{address}split", {"join": page.split('name="join" value="')[1].split('"')[0]})
    assert "@nadia.example" not in client.get(address).content.decode()
    assert "Words 0" in client.get(f"/w/fernway/people/{double.pk}/").content.decode()


def test_a_handle_is_split_off_on_the_page(cast: Any, enter: Any, complaint: Any, double: Any) -> None:
    from rapport.store.models import Handle

    client, address = enter(cast.amir), f"/w/fernway/people/{complaint.person_id}/"
    assert "Split off" not in client.get(address).content.decode()
    stray = Handle.objects.get(handle="nadia.example")
    assert client.post(f"{address}split-handle", {"handle": stray.pk}).status_code == 404
    Handle.objects.filter(pk=stray.pk).update(person=complaint.person)
    assert "Split off" in client.get(address).content.decode()
    client.post(f"{address}split-handle", {"handle": stray.pk})
    assert Handle.objects.get(pk=stray.pk).person_id != complaint.person_id


def test_nobody_out_of_sight_is_offered_compared_or_joined(cast: Any, enter: Any, complaint: Any, many: Any) -> None:
    from rapport.store.models import Person

    hidden = many(1, basket="sales")[0].person
    Person.objects.filter(pk=hidden.pk).update(name="Nadia")
    client, address = enter(cast.amir), f"/w/fernway/people/{complaint.person_id}/join"
    assert f"with={hidden.pk}" not in client.get(address, {"q": "nadia"}).content.decode()
    for other in (hidden.pk, complaint.person_id, 10**30, "x"):
        assert client.get(address, {"with": other}).status_code == 404
        assert client.post(address, {"with": other, "evidence": "x"}).status_code == 404
    assert f"with={hidden.pk}" in enter(cast.lea).get(address, {"q": "nadia"}).content.decode()


def test_the_pages_of_a_join_cost_few_queries(
    cast: Any, enter: Any, complaint: Any, many: Any, django_assert_max_num_queries: Any
) -> None:
    from rapport.store.models import Person

    ids = [row.person_id for row in many(15)]
    Person.objects.filter(pk__in=ids).update(name="Nadia")
    client, address = enter(cast.amir), f"/w/fernway/people/{complaint.person_id}/join"
    client.get(address)
    with django_assert_max_num_queries(18):
        client.get(address, {"q": "nad"})


def test_the_panel_tells_of_a_machine_and_takes_a_colleague_s_word(cast: Any, enter: Any, complaint: Any) -> None:
    from rapport.store.models import Handle

    Handle.objects.filter(person=complaint.person).update(
        bot_score=0.93, bot_reasons="posts every 10 minutes, as a timer does\nno pause of five hours in 4 days"
    )
    handle, client = Handle.objects.get(person=complaint.person), enter(cast.amir)
    address = f"/w/fernway/people/{complaint.person_id}/"
    for page in (address, f"/w/fernway/c/{complaint.pk}/"):
        shown = client.get(page).content.decode()
        assert "probably automated 0.93" in shown
        assert "<li>no pause of five hours in 4 days</li>" in shown
    assert client.post(f"{address}automated", {"handle": handle.pk, "word": "no"}).status_code == 303
    shown = client.get(address).content.decode()
    assert "probably automated" not in shown
    assert "not a bot" in shown
    assert f"says {cast.amir}" in shown
    client.post(f"{address}automated", {"handle": handle.pk, "word": ""})
    assert "probably automated" in client.get(address).content.decode()
    client.post(f"{address}automated", {"handle": handle.pk, "word": "yes"})
    handle.refresh_from_db()
    assert handle.automated
    assert client.post(f"{address}automated", {"handle": 10**9, "word": "yes"}).status_code == 404
