"""Posts of our own on a real Mastodon API server: they answer nobody, arrive once, go on where they stopped."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
import pytest
import requests
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from own_posts import ALT, Died, Interrupted, Speaker, new_key, post_of_ours, teal, with_image
from rapport.actions.acts import delete_sent
from rapport.cli import ledger
from rapport.cli.main import main
from rapport.core.errors import Unconfirmed
from rapport.networks.base import Account
from rapport.networks.html import plain_text
from rapport.networks.http import GuardedSession
from rapport.networks.mastodon.network import Mastodon
from rapport.store.models import Approval, Attachment, Delivery, Post, PostDraft
from servers import MastodonServer
from wires import losing_answers

NETWORK = Mastodon()
PATH = "/api/v1/statuses"


def said(server: MastodonServer, words: str) -> list[dict[str, Any]]:
    """What stands on the server with these words, oldest first."""
    found = [each for each in server.statuses("brand") if words in plain_text(each["content"])[0]]
    return sorted(found, key=lambda each: int(each["id"]))


@pytest.mark.parametrize("visibility", NETWORK.capabilities.posts)
def test_a_post_answers_nobody_and_stands_as_it_was_approved_with_its_image(
    mastodon: MastodonServer, brand: Account, session: GuardedSession, visibility: str
) -> None:
    words = f"Doors open at nine, {visibility}. Bread & coffee ☕ https://example.com/a?b=1&c=2"
    reply = with_image(NETWORK, brand, post_of_ours(NETWORK, words, visibility=visibility), session)
    sent = NETWORK.push(brand, reply, new_key(), session)
    [status] = said(mastodon, f"nine, {visibility}.")
    assert (status["id"], status["url"], status["visibility"]) == (sent.id, sent.url, visibility)
    assert (status["in_reply_to_id"], status["in_reply_to_account_id"]) == (None, None)
    assert mastodon.call("GET", f"{PATH}/{sent.id}/source", "brand")["text"] == words
    assert [(each["type"], each["description"]) for each in status["media_attachments"]] == [("image", ALT)]


def test_the_same_key_again_makes_no_second_post_and_another_key_does(
    mastodon: MastodonServer, brand: Account, session: GuardedSession
) -> None:
    reply, key = post_of_ours(NETWORK, "Good morning to all of Ghent."), new_key()
    first = NETWORK.push(brand, reply, key, session)
    assert NETWORK.push(brand, reply, key, session) == first
    assert [each["id"] for each in said(mastodon, "all of Ghent")] == [first.id]
    second = NETWORK.push(brand, reply, new_key(), session)
    assert [each["id"] for each in said(mastodon, "all of Ghent")] == [first.id, second.id]


def test_a_post_whose_answer_was_lost_is_found_and_sent_again_changes_nothing(
    mastodon: MastodonServer, brand: Account, session: GuardedSession
) -> None:
    reply, key, since = post_of_ours(NETWORK, "The lift is repaired."), new_key(), dt.datetime.now(dt.UTC)
    asked = mastodon.post("ann", "@brand is the lift repaired?")
    mastodon.post("brand", reply.text, in_reply_to_id=asked["id"])  # the same words, to somebody
    assert NETWORK.find(brand, reply, since, key, session) is None
    with (
        losing_answers(mastodon.url, PATH) as line,
        GuardedSession(allow={line.authority}) as lossy,
        pytest.raises(Unconfirmed),
    ):
        NETWORK.push(msgspec.structs.replace(brand, server=line.url), reply, key, lossy)
    found = NETWORK.find(brand, reply, since, key, session)
    assert found is not None
    assert [each["id"] for each in said(mastodon, reply.text) if each["in_reply_to_id"] is None] == [found.id]
    assert NETWORK.push(brand, reply, key, session) == found
    assert NETWORK.find(brand, reply, since, key, session, {found.id}) is None, "it is known as another one"
    assert len(said(mastodon, reply.text)) == 2


def test_the_same_words_of_long_before_the_send_are_not_this_post(
    mastodon: MastodonServer, brand: Account, session: GuardedSession
) -> None:
    """What the brand says every week, also by hand: last week's is not the one that may have arrived today."""
    reply = post_of_ours(NETWORK, "Our weekly market is open.")
    mastodon.post("brand", reply.text)
    now = dt.datetime.now(dt.UTC)
    assert NETWORK.find(brand, reply, now, new_key(), session) is not None
    assert NETWORK.find(brand, reply, now + dt.timedelta(days=7), new_key(), session) is None


def test_a_post_is_edited_with_its_image_and_deleted_once(
    mastodon: MastodonServer, brand: Account, session: GuardedSession
) -> None:
    reply = with_image(NETWORK, brand, post_of_ours(NETWORK, "We open on Saturday at noon."), session)
    sent = NETWORK.push(brand, reply, new_key(), session)
    better, key = msgspec.structs.replace(reply, text="We open on Sunday at noon.", media=()), new_key()
    for _ in range(2):
        assert NETWORK.edit(brand, sent.id, better, key, session).id == sent.id
    [status] = said(mastodon, "Sunday at noon")
    assert (status["id"], status["in_reply_to_id"]) == (sent.id, None)
    assert [each["description"] for each in status["media_attachments"]] == [ALT]
    assert said(mastodon, "Saturday at noon") == []
    for _ in range(2):
        NETWORK.remove(brand, sent.id, session)
    assert said(mastodon, "Sunday at noon") == []


@pytest.mark.django_db
def test_a_thread_goes_on_where_it_stopped_each_post_behind_the_one_before(
    alice: Any, bus: Any, mastodon: MastodonServer, brand: Account, session: GuardedSession
) -> None:
    """The sender is killed when the server has the first; the answer to the second is lost."""
    network = Interrupted(NETWORK, {1: Died(), 2: Unconfirmed("The answer did not arrive.")})
    speaker = Speaker(alice, brand, network, session, bus)
    delivery = speaker.say(["Thread: the bread.", "Thread: the coffee.", "Thread: the cake."])
    for number in (1, 2, 3):
        speaker.send(minutes=2 if number > 1 else 0)
        assert len(said(mastodon, "Thread: the")) == min(number, 3), number
    speaker.send(minutes=2)
    delivery.refresh_from_db()
    first, second, third = said(mastodon, "Thread: the")
    assert [plain_text(each["content"])[0] for each in (first, second, third)] == [
        "Thread: the bread.", "Thread: the coffee.", "Thread: the cake.",
    ]  # fmt: skip
    assert [each["in_reply_to_id"] for each in (first, second, third)] == [None, first["id"], second["id"]]
    assert (delivery.state, delivery.external_id) == ("sent", first["id"]), "it is known by its first post"
    parts = delivery.parts.order_by("number").values_list("external_id", flat=True)
    assert list(parts) == [first["id"], second["id"], third["id"]]
    assert network.pushes == 3
    delete_sent(alice, delivery, now=speaker.now())
    speaker.send()
    assert said(mastodon, "Thread: the") == []
    speaker.check_ledger()


@pytest.mark.django_db(transaction=True)
def test_from_the_desk_to_the_server_and_back(
    alice: Any, bus: Any, mastodon: MastodonServer, brand: Account, session: GuardedSession, settings: Any,
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """Written on the page, sent by a press, taken there by the sender, answered, edited and deleted; all on record."""
    settings.RAPPORT = msgspec.structs.replace(settings.RAPPORT, data=str(tmp_path))
    monkeypatch.setattr(ledger, "load_django", lambda data: None)
    speaker = Speaker(alice, brand, NETWORK, session, bus)
    speaker.hear()  # what other tests left on the server
    client = Client()
    client.force_login(alice.user)
    text = "Whoever brings a cup on Saturday gets the coffee for nothing."
    fields = {"text": text, "channel": speaker.channel.pk, "visibility": "public"}
    kept = client.post("/w/fernway/posts/new/", {**fields, "do": "save"}, headers={"HX-Request": "true"})
    address = kept.headers["X-Draft"]
    with_file = {**fields, "do": "add", "file": SimpleUploadedFile("shop.png", teal(), "image/png")}
    assert client.post(address, with_file).status_code == 302
    fields[f"alt-{Attachment.objects.get().pk}"] = ALT
    assert not Approval.objects.exists()
    assert said(mastodon, text) == []

    draft = PostDraft.objects.get()
    assert client.post(address, {**fields, "do": "send", "version": draft.version}).status_code == 302
    assert said(mastodon, text) == [], "a press sends nothing by itself"
    speaker.send()
    delivery, entry = Delivery.objects.get(), Approval.objects.get()
    [status] = said(mastodon, text)
    assert (delivery.state, delivery.external_id, delivery.url) == ("sent", status["id"], status["url"])
    assert (entry.kind, entry.person, entry.sequence, entry.text) == ("post", alice, 1, text)
    assert (status["in_reply_to_id"], [each["description"] for each in status["media_attachments"]]) == (None, [ALT])
    assert text in client.get("/w/fernway/posts/").content.decode()

    asked = mastodon.post("ann", "@brand with milk?", in_reply_to_id=status["id"])
    speaker.hear()
    answer = Post.objects.get(external_id=asked["id"])
    talk = Post.objects.filter(conversation_id=answer.conversation_id).order_by("sort_at")
    assert list(talk.values_list("external_id", flat=True)) == [status["id"], asked["id"]]
    assert Post.objects.filter(external_id=status["id"]).count() == 1

    other = "Whoever brings a cup on Sunday gets the coffee for nothing."
    changed = client.post(f"/w/fernway/posts/{delivery.pk}/", {"do": "edit", "text": other, "seen": text})
    assert changed.status_code == 302
    speaker.send()
    [now] = said(mastodon, "Whoever brings a cup")
    assert (now["id"], plain_text(now["content"])[0]) == (status["id"], other)
    assert client.post(f"/w/fernway/posts/{delivery.pk}/", {"do": "delete"}).status_code == 302
    speaker.send()
    with pytest.raises(requests.HTTPError, match="404"):
        mastodon.call("GET", f"{PATH}/{status['id']}", "brand")
    assert list(Approval.objects.order_by("sequence").values_list("kind", flat=True)) == ["post", "edit", "delete"]
    assert main(["ledger", "verify"]) == 0
    assert capsys.readouterr().out.strip() == "fernway: 3 approvals, every one as it was approved."
