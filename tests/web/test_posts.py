"""The pages of posts of our own: kept as one writes, looked at by the guard, sent, told of."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from conftest import NOON
from rapport.actions.own_posts import Typed, propose_post, save_post
from rapport.store.models import Approval, Delivery, PostDraft

pytestmark = pytest.mark.django_db
TEXT = "Our shop in Ghent opens on Saturday, with coffee for whoever comes early."


def client_of(member: Any) -> Client:
    client = Client()
    client.force_login(member.user)
    return client


def test_a_post_is_kept_while_it_is_written_and_the_guard_looks_at_it(alice: Any, channel: Any) -> None:
    client = client_of(alice)
    fields = {"text": "x" * 501, "channel": channel.pk, "do": "save"}
    answer = client.post("/w/fernway/posts/new/", fields, headers={"HX-Request": "true"})
    draft = PostDraft.objects.get()
    assert answer.headers["X-Draft"] == f"/w/fernway/posts/draft/{draft.pk}/"
    assert "501 of 500 characters" in answer.content.decode()
    address = answer.headers["X-Draft"]
    answer = client.post(address, {**fields, "text": TEXT}, headers={"HX-Request": "true"})
    assert "The guard has nothing against it" in answer.content.decode()
    page = client.get(address).content.decode()
    assert TEXT in page
    assert "Send as" in page
    assert "Being written" in client.get("/w/fernway/posts/").content.decode()


def test_what_is_refused_says_why_and_keeps_the_words(alice: Any, channel: Any) -> None:
    client = client_of(alice)
    answer = client.post("/w/fernway/posts/new/", {"text": "x" * 501, "channel": channel.pk, "do": "send"})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "The guard refuses it" in page
    assert "x" * 501 in page
    answer = client.post(f"/w/fernway/posts/draft/{PostDraft.objects.get().pk}/", {"text": TEXT, "do": "send"})
    assert "Choose the accounts" in answer.content.decode()
    assert not Approval.objects.exists()


def test_a_post_that_is_too_long_becomes_a_thread_and_is_sent_and_shown(alice: Any, channel: Any) -> None:
    client = client_of(alice)
    long = " ".join(f"Sentence number {n} tells of the shop." for n in range(20))
    client.post("/w/fernway/posts/new/", {"text": long, "channel": channel.pk, "do": "save"})
    draft = PostDraft.objects.get()
    client.post(f"/w/fernway/posts/draft/{draft.pk}/", {"text": long, "channel": channel.pk, "do": "cut"})
    draft.refresh_from_db()
    fields = {"text": draft.text, "channel": channel.pk, "do": "send", "version": draft.version}
    assert client.post(f"/w/fernway/posts/draft/{draft.pk}/", fields).status_code == 302
    assert len(Approval.objects.get().parts or []) == 2
    delivery = Delivery.objects.get()
    page = client.get("/w/fernway/posts/").content.decode()
    assert "on its way" in page
    client.post(f"/w/fernway/posts/{delivery.pk}/", {"do": "cancel"})
    assert "taken back" in client.get("/w/fernway/posts/").content.decode()
    answer = client.post(f"/w/fernway/posts/{delivery.pk}/", {"do": "delete"})
    assert (answer.status_code, "Only a reply that was sent" in answer.content.decode()) == (422, True)


def test_a_draft_that_changed_since_it_was_read_is_not_sent(alice: Any, ben: Any, channel: Any) -> None:
    draft = save_post(ben, None, Typed(TEXT, [(channel, "")]), now=NOON)
    client = client_of(alice)
    assert client.get(f"/w/fernway/posts/draft/{draft.pk}/").status_code == 404, "not asked for yet"
    draft = propose_post(ben, draft, now=NOON)
    page = client.get(f"/w/fernway/posts/draft/{draft.pk}/").content.decode()
    assert "Written by Ben" in page
    save_post(ben, draft, Typed("Other words", [(channel, "")]), now=NOON)
    fields = {"text": TEXT, "channel": channel.pk, "do": "send", "version": draft.version}
    answer = client.post(f"/w/fernway/posts/draft/{draft.pk}/", fields)
    assert (answer.status_code, Approval.objects.count()) == (409, 0)
    draft = PostDraft.objects.get()
    fields = {"text": TEXT, "channel": channel.pk, "do": "save", "version": draft.version}
    save_post(ben, draft, Typed("Other words still", [(channel, "")]), now=NOON)
    for headers in ({"HX-Request": "true"}, {}):
        answer = client.post(f"/w/fernway/posts/draft/{draft.pk}/", fields, headers=headers)
        assert answer.status_code == 409
        assert "theirs stand" in answer.content.decode()
        assert PostDraft.objects.get().text == "Other words still"
    assert TEXT in answer.content.decode(), "what was typed is shown beside what stands"
    returned = client.post(f"/w/fernway/posts/draft/{draft.pk}/", {"do": "return", "reason": "Say where"})
    assert returned.status_code == 302
    assert "Say where" in client_of(ben).get(f"/w/fernway/posts/draft/{draft.pk}/").content.decode()


def test_what_a_colleague_asks_to_post_waits_among_the_approvals(cast: Any, enter: Any) -> None:
    PostDraft.objects.create(
        workspace=cast.workspace,
        author=cast.rita,
        text="Our repair desk is open again.",
        proposed=True,
        updated_at=NOON,
    )
    page = enter(cast.lea).get("/w/fernway/approvals/").content.decode()
    assert "Our repair desk is open again." in page
    assert "Nothing waits" not in page
    PostDraft.objects.update(author=cast.lea)
    assert "Nothing waits" in enter(cast.lea).get("/w/fernway/approvals/").content.decode()
