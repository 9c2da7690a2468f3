"""Posts of our own in the rooms of a real homeserver: they answer nobody and arrive once."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
import pytest
import requests

from acts_seen import replaces
from own_posts import Died, Interrupted, Speaker, new_key, post_of_ours, teal, with_image
from rapport.actions.acts import delete_sent, edit_sent
from rapport.core.errors import InvalidInput, Unconfirmed
from rapport.networks.base import Account
from rapport.networks.http import GuardedSession
from rapport.networks.matrix.network import Matrix
from rapport.store.models import Post
from synapse import Synapse
from wires import losing_answers

NETWORK = Matrix()


def said(server: Synapse, room: str) -> list[dict[str, Any]]:
    """Our messages that stand in a room as somebody else sees them, oldest first."""
    found = [each for each in server.messages("ann", room) if each["type"] == "m.room.message"][::-1]
    return [each for each in found if each["sender"].startswith("@brand") and "body" in each["content"]]


def test_a_message_to_a_room_answers_nobody_and_stands_as_it_was_approved(
    homeserver: Synapse, brand: Account, room: str, session: GuardedSession
) -> None:
    homeserver.say("ann", room, "anybody here?")
    sent = NETWORK.push(brand, post_of_ours(NETWORK, "Doors open at nine. *Coffee* ☕", room), new_key(), session)
    [event] = said(homeserver, room)
    assert sent.id == f"{room}/{event['event_id']}"
    assert event["content"] == {
        "msgtype": "m.text", "body": "Doors open at nine. *Coffee* ☕", "m.mentions": {"user_ids": []},
    }  # fmt: skip


def test_a_message_shows_its_image_with_the_words_below(
    homeserver: Synapse, brand: Account, room: str, session: GuardedSession
) -> None:
    reply = with_image(NETWORK, brand, post_of_ours(NETWORK, "Our new window.", room), session)
    NETWORK.push(brand, reply, new_key(), session)
    [event] = said(homeserver, room)
    content = event["content"]
    assert (content["msgtype"], content["body"], content["filename"]) == ("m.image", "Our new window.", "image.png")
    assert content["info"] == {"mimetype": "image/png", "size": len(teal()), "w": 30, "h": 20}
    assert "m.relates_to" not in content
    where = content["url"].removeprefix("mxc://")
    token = {"Authorization": f"Bearer {homeserver.tokens['ann']}"}
    kept = requests.get(f"{homeserver.url}/_matrix/client/v1/media/download/{where}", headers=token, timeout=20)
    assert kept.content == teal()


def test_the_same_key_again_is_the_same_message_and_another_key_is_another(
    homeserver: Synapse, brand: Account, room: str, session: GuardedSession
) -> None:
    reply, key = post_of_ours(NETWORK, "Good morning to all of Ghent.", room), new_key()
    sent = {NETWORK.push(brand, reply, key, session).id for _ in range(2)}
    assert {f"{room}/{each['event_id']}" for each in said(homeserver, room)} == sent
    assert len(sent) == 1
    NETWORK.push(brand, reply, new_key(), session)
    assert len(said(homeserver, room)) == 2


def test_a_message_whose_answer_was_lost_is_found_and_sent_again_changes_nothing(
    homeserver: Synapse, brand: Account, room: str, session: GuardedSession
) -> None:
    reply, key, since = post_of_ours(NETWORK, "The lift is repaired.", room), new_key(), dt.datetime.now(dt.UTC)
    asked = homeserver.say("ann", room, "is the lift repaired?")
    answered = {"m.relates_to": {"m.in_reply_to": {"event_id": asked}}}
    homeserver.say("brand", room, reply.text, **answered)  # the same words, to somebody
    with (
        losing_answers(homeserver.url, "/send/") as line,
        GuardedSession(allow={line.authority}) as lossy,
        pytest.raises(Unconfirmed),
    ):
        NETWORK.push(msgspec.structs.replace(brand, server=line.url), reply, key, lossy)
    found = NETWORK.find(brand, reply, since, key, session)
    assert found is not None
    assert found.id == f"{room}/{said(homeserver, room)[-1]['event_id']}"
    assert NETWORK.push(brand, reply, key, session) == found
    assert len(said(homeserver, room)) == 2


def test_the_same_words_of_long_before_the_send_are_not_this_message(
    homeserver: Synapse, brand: Account, room: str, session: GuardedSession
) -> None:
    """A server that does not say whose transaction it was leaves the words alone to go by."""
    reply = post_of_ours(NETWORK, "Our weekly market is open.", room)
    token = homeserver.call("POST", "/login", body={
        "type": "m.login.password", "identifier": {"type": "m.id.user", "user": "brand"},
        "password": "correct horse battery",
    })["access_token"]  # fmt: skip
    elsewhere = msgspec.structs.replace(brand, token=token)
    NETWORK.push(elsewhere, reply, new_key(), session)
    now = dt.datetime.now(dt.UTC)
    assert NETWORK.find(brand, reply, now, new_key(), session) is not None
    assert NETWORK.find(brand, reply, now + dt.timedelta(days=7), new_key(), session) is None


@pytest.mark.django_db
def test_from_the_desk_to_the_room_that_a_person_named_edited_and_deleted(
    alice: Any, bus: Any, homeserver: Synapse, brand: Account, room: str, session: GuardedSession
) -> None:
    """The sender is killed when the server has it; the next one finds it there."""
    settings: dict[str, Any] = {"rooms": ["#shop:rapport.test"], "room_ids": [room]}
    network = Interrupted(NETWORK, {1: Died()})
    speaker = Speaker(alice, msgspec.structs.replace(brand, settings=settings), network, session, bus)
    speaker.hear()
    with pytest.raises(InvalidInput, match="Write the room"):
        speaker.say(["Whoever brings a cup gets coffee."], "the shop")
    delivery = speaker.say(["Whoever brings a cup on Saturday gets coffee."], "#shop:rapport.test")
    speaker.send()
    speaker.send(minutes=2)
    delivery.refresh_from_db()
    [event] = said(homeserver, room)
    assert (delivery.state, delivery.external_id) == ("sent", f"{room}/{event['event_id']}")
    assert (network.pushes, "m.relates_to" in event["content"]) == (1, False)
    speaker.hear()  # the server tells of it too
    assert list(Post.objects.filter(ours=True).values_list("external_id", "in_reply_to")) == [
        (delivery.external_id, "")
    ]
    edit_sent(alice, delivery, "Whoever brings a cup on Sunday gets coffee.", now=speaker.now())
    speaker.send()
    change = said(homeserver, room)[-1]
    assert replaces(change) == event["event_id"]
    assert change["content"]["m.new_content"]["body"] == "Whoever brings a cup on Sunday gets coffee."
    delete_sent(alice, delivery, now=speaker.now())
    speaker.send()
    assert event["event_id"] not in [each["event_id"] for each in said(homeserver, room)]
    speaker.check_ledger()
