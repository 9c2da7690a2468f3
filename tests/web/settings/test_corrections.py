"""The page of corrections: what people said, how often otherwise, taking back, and taking along."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from rapport.actions.corrections import correct
from rapport.core.decision import Outcome as Judged
from rapport.core.understand.corrected import value_of
from rapport.store.models import Correction, Outcome, Post

pytestmark = pytest.mark.django_db
PAGE = "/w/fernway/settings/corrections/"
OTHER = {"true": "false", "false": "true"}


def read(post: Post, reading: str) -> str:
    """What the machine reads, whichever model it is."""
    body = Outcome.objects.get(pk=post.pk).body
    return value_of(msgspec.json.decode(body, type=Judged).reading, reading)


@pytest.fixture
def corrected(cast: Any, channel: Any, hear: Callable[..., Any], make_post: Callable[..., Any], now: Any) -> Post:
    """Alice confirms the mood of a post, Lea sees complaint and irony otherwise than the machine."""
    hear(make_post("The depot opens at nine"))
    post = Post.objects.get()
    correct(cast.alice, post, "sentiment", read(post, "sentiment"), now=now)
    for reading in ("intent.complaint", "irony"):
        correct(cast.lea, post, reading, OTHER[read(post, reading)], now=now)
    return post


def test_an_empty_page_says_how_to_begin(cast: Any, enter: Any) -> None:
    html = enter(cast.lea).get(PAGE).content.decode()
    assert "Press c in a conversation" in html
    assert "Export" not in html


def test_it_lists_what_was_said_and_how_often_otherwise_than_the_machine(
    cast: Any, enter: Any, corrected: Post
) -> None:
    answer = enter(cast.lea).get(PAGE)
    assert [(str(name), count, otherwise) for name, count, otherwise, _ in answer.context["counted"]] == [
        ("Mood", 1, 0), ("Complaint", 1, 1), ("Irony", 1, 1),
    ]  # fmt: skip
    html = answer.content.decode()
    irony = Correction.objects.get(reading="irony")
    said = ("Irony: yes", "was no") if irony.value == "true" else ("Irony: no", "was yes")
    for words in (*said, "as the machine said", "The depot opens at nine", "Lea"):
        assert words in html


def test_a_filter_narrows_it_and_nonsense_shows_all(cast: Any, enter: Any, corrected: Post) -> None:
    client = enter(cast.lea)

    def shown(query: str) -> list[str]:
        return [row.reading for row in client.get(f"{PAGE}?{query}").context["rows"]]

    assert shown("reading=irony") == ["irony"]
    assert shown(f"who={cast.alice.pk}") == ["sentiment"]
    assert shown("show=withdrawn") == []
    assert len(shown("reading=x&who=999999&before=x")) == 3
    newest = Correction.objects.latest("pk").pk
    assert len(shown(f"before={newest}")) == 2


def test_a_lead_takes_back_what_a_colleague_said(cast: Any, enter: Any, corrected: Post) -> None:
    row = Correction.objects.get(reading="sentiment")
    client = enter(cast.lea)
    assert client.post(f"{PAGE}{row.pk}/withdraw/").status_code == 302
    row.refresh_from_db()
    assert row.withdrawn_at is not None
    assert [each.pk for each in client.get(f"{PAGE}?show=withdrawn").context["rows"]] == [row.pk]
    assert client.post(f"{PAGE}{row.pk}/withdraw/").status_code == 400


def test_the_export_has_one_object_a_line_and_no_words_of_deleted_posts(cast: Any, enter: Any, corrected: Post) -> None:
    client = enter(cast.alice)
    answer = client.get(f"{PAGE}export/")
    lines = [json.loads(line) for line in b"".join(answer.streaming_content).splitlines()]
    assert [(line["reading"], line["value"] == line["was"], line["by"]) for line in lines] == [
        ("sentiment", True, "Alice"), ("intent.complaint", False, "Lea"), ("irony", False, "Lea"),
    ]  # fmt: skip
    assert {line["text"] for line in lines} == {"The depot opens at nine"}
    Post.objects.update(deleted=True, text="")
    assert b"".join(client.get(f"{PAGE}export/").streaming_content) == b""
    assert "deleted on the network" in client.get(PAGE).content.decode()


def test_the_page_costs_the_same_queries_however_long(
    cast: Any, enter: Any, corrected: Post, now: Any, django_assert_max_num_queries: Any
) -> None:
    row = Correction.objects.latest("pk")
    for _ in range(30):
        row.pk = None
        row.save(force_insert=True)
    client = enter(cast.lea)
    client.get(PAGE)
    with django_assert_max_num_queries(17):
        assert len(client.get(PAGE).context["rows"]) == 33
