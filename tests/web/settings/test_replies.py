"""Prepared replies."""

from __future__ import annotations

from typing import Any

from rapport.store.models import PreparedReply

BASE = "/w/fernway/settings/replies/"


def test_a_reply_is_made_changed_and_deleted(cast: Any, enter: Any) -> None:
    client = enter(cast.lea)
    assert (
        client.post(f"{BASE}new/", {"name": "Late train", "text": "Hello {first_name},\r\nsorry."}).status_code == 302
    )
    reply = PreparedReply.objects.of(cast.workspace).get(slug="late-train")
    assert reply.text == "Hello {first_name},\nsorry."
    client.post(f"{BASE}{reply.pk}/", {"name": "Late", "text": "Sorry."})
    reply.refresh_from_db()
    assert (reply.slug, reply.name, reply.text) == ("late-train", "Late", "Sorry.")
    client.post(f"{BASE}{reply.pk}/delete/")
    assert not PreparedReply.objects.filter(pk=reply.pk).exists()


def test_a_second_reply_of_the_same_name_does_not_write_over_the_first(cast: Any, enter: Any) -> None:
    client = enter(cast.lea)
    for name, text in [("Late", "one"), ("Late", "two"), ("遅延", "three"), ("謝罪", "four")]:
        client.post(f"{BASE}new/", {"name": name, "text": text})
    texts = {"one": "late", "two": "late-2", "three": "reply", "four": "reply-2"}
    assert dict(PreparedReply.objects.of(cast.workspace).filter(text__in=texts).values_list("text", "slug")) == texts


def test_a_placeholder_that_does_not_exist_is_named_and_the_text_stays(cast: Any, enter: Any) -> None:
    answer = enter(cast.lea).post(f"{BASE}new/", {"name": "Late", "text": "Hello {frist_name}"})
    assert answer.status_code == 422
    assert "frist_name" in answer.content.decode()
    assert "Hello {frist_name}" in answer.content.decode()
