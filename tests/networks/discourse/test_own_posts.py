"""Posts of our own in the topics of a forum: they answer its first post and arrive once."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
import pytest

from discourse import Forum
from own_posts import ALT, Died, Interrupted, Speaker, new_key, post_of_ours, teal, with_image
from rapport.actions.acts import delete_sent, edit_sent
from rapport.core.errors import InvalidInput, Unconfirmed
from rapport.networks.base import Account
from rapport.networks.discourse.network import Discourse
from rapport.networks.http import GuardedSession
from rapport.store.models import Post

NETWORK = Discourse()


@pytest.fixture
def topic(server: Forum) -> str:
    """The place of a post in a topic in which people talk."""
    number = server.open_topic("ben", "Opening hours", "When do you open?")
    server.add("ann", number, "I wonder too", to=1)
    return NETWORK.place_of_post(Account(1, server.url, "brand", "2", ""), f"{server.url}/t/opening-hours/{number}/2")


def said(server: Forum) -> list[dict[str, Any]]:
    """Our posts that stand in the forum, oldest first."""
    return [each for each in server.posts.values() if each["username"] == "brand" and not each["deleted_at"]]


def test_a_post_stands_in_its_topic_behind_the_first_one_with_its_image(
    server: Forum, brand: Account, session: GuardedSession, topic: str
) -> None:
    reply = with_image(NETWORK, brand, post_of_ours(NETWORK, "Doors open at nine. *Coffee* ☕", topic), session)
    sent = NETWORK.push(brand, reply, new_key(), session)
    [post] = said(server)
    assert (sent.id, sent.url) == (server.place(post["id"]), f"{server.url}/t/a-topic/1/3")
    assert (post["topic_id"], post["reply_to_post_number"]) == (1, 1)
    [(address, (kind, content))] = server.images.items()
    assert (kind, content) == ("image/png", teal())
    assert post["raw"] == f"Doors open at nine. *Coffee* ☕\n\n![{ALT}]({address})"


def test_a_post_whose_answer_was_lost_is_found_and_sent_again_makes_no_second_one(
    server: Forum, brand: Account, session: GuardedSession, topic: str
) -> None:
    reply, since = post_of_ours(NETWORK, "The lift is repaired.", topic), dt.datetime.now(dt.UTC)
    server.add("brand", 1, reply.text, to=2)  # the same words, to somebody
    server.posts[max(server.posts)]["raw"] += " "  # a forum refuses the very same
    assert NETWORK.find(brand, reply, since, new_key(), session) is None
    server.loses_answers = True
    with pytest.raises(Unconfirmed):
        NETWORK.push(brand, reply, new_key(), session)
    server.loses_answers = False
    found = NETWORK.find(brand, reply, since, new_key(), session)
    assert found is not None
    assert found.id == server.place(said(server)[-1]["id"])
    assert NETWORK.push(brand, reply, new_key(), session) == found
    server.forget_requests()
    assert NETWORK.push(brand, reply, new_key(), session) == found
    assert NETWORK.find(brand, reply, since, new_key(), session, {found.id}) is None, "it is known as another one"
    assert len(said(server)) == 2


def test_the_same_words_of_long_before_the_send_are_not_this_post(
    server: Forum, brand: Account, session: GuardedSession, topic: str
) -> None:
    reply, now = post_of_ours(NETWORK, "Our weekly market is open.", topic), dt.datetime.now(dt.UTC)
    server.add("brand", 1, reply.text, to=1)
    assert NETWORK.find(brand, reply, now, new_key(), session) is not None
    assert NETWORK.find(brand, reply, now + dt.timedelta(days=7), new_key(), session) is None


def test_a_post_is_edited_with_its_image_and_deleted_once(
    server: Forum, brand: Account, session: GuardedSession, topic: str
) -> None:
    reply = with_image(NETWORK, brand, post_of_ours(NETWORK, "We open on Saturday at noon.", topic), session)
    sent = NETWORK.push(brand, reply, new_key(), session)
    better = msgspec.structs.replace(reply, text="We open on Sunday at noon.", media=())
    for _ in range(2):
        assert NETWORK.edit(brand, sent.id, better, new_key(), session).id == sent.id
    [post] = said(server)
    assert post["raw"].startswith("We open on Sunday at noon.\n\n![")
    for _ in range(2):
        NETWORK.remove(brand, sent.id, session)
    assert said(server) == []
    assert len(server.posts) == 3, "nobody else's post went"


@pytest.mark.django_db
def test_from_the_desk_to_the_topic_that_a_person_named_edited_and_deleted(
    alice: Any, bus: Any, server: Forum, brand: Account, session: GuardedSession, topic: str
) -> None:
    """The sender is killed when the forum has it; the next one finds it there."""
    network = Interrupted(NETWORK, {1: Died()})
    speaker = Speaker(alice, brand, network, session, bus)
    with pytest.raises(InvalidInput, match="address of a topic"):
        speaker.say(["Whoever brings a cup gets coffee."], "https://elsewhere.example/t/hours/1")
    delivery = speaker.say(["Whoever brings a cup on Saturday gets coffee."], f"{server.url}/t/opening-hours/1")
    speaker.send()
    speaker.send(minutes=5)  # longer than a forum knows a repeat
    server.forget_requests()
    delivery.refresh_from_db()
    [post] = said(server)
    assert (delivery.state, delivery.external_id) == ("sent", server.place(post["id"]))
    assert (network.pushes, delivery.external_id.rpartition("/")[0]) == (1, topic.rpartition("/")[0])
    speaker.hear()  # the forum tells of it too
    assert Post.objects.filter(ours=True).values_list("external_id").get() == (delivery.external_id,)
    edit_sent(alice, delivery, "Whoever brings a cup on Sunday gets coffee.", now=speaker.now())
    speaker.send()
    assert [each["raw"] for each in said(server)] == ["Whoever brings a cup on Sunday gets coffee."]
    delete_sent(alice, delivery, now=speaker.now())
    speaker.send()
    assert said(server) == []
    speaker.check_ledger()
