"""Posts of our own on X, which keeps no keys: they answer nobody and what was lost is found, never sent twice."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
import pytest

from own_posts import ALT, Died, Interrupted, Speaker, new_key, post_of_ours, teal, with_image
from rapport.actions.acts import delete_sent
from rapport.core.errors import GiveUp, Unconfirmed
from rapport.networks.base import Account
from rapport.networks.http import GuardedSession
from rapport.networks.x.network import X
from rapport.networks.x.push import find_reply
from wires import losing_answers
from x_server import OURS

NETWORK = X()


def said(x: Any, words: str) -> list[dict[str, Any]]:
    """What stands on X with these words of ours, oldest first."""
    found = [each for each in x.posts.values() if each["author_id"] == OURS and words in each["text"]]
    return sorted(found, key=lambda each: int(each["id"]))


def test_a_post_answers_nobody_and_stands_as_it_was_approved_with_its_image(
    x: Any, brand: Account, session: GuardedSession
) -> None:
    words = "Doors open at nine. Bread & coffee, see acme.example/hours"
    reply = with_image(NETWORK, brand, post_of_ours(NETWORK, words), session)
    sent = NETWORK.push(brand, reply, new_key(), session)
    [(media, image)] = x.images.items()
    assert (image["content"], image["type"], image["alt"], image["whole"]) == (teal(), "image/png", ALT, True)
    assert x.asked[-1][2] == {"text": words, "media": {"media_ids": [media]}}
    [post] = said(x, words)
    assert (post["id"], sent.url) == (sent.id, f"https://x.com/brand/status/{sent.id}")
    assert "referenced_posts" not in post


def test_a_post_whose_answer_was_lost_is_found_and_nothing_else_is_taken_for_it(
    x: Any, brand: Account, session: GuardedSession
) -> None:
    words = "The lift is repaired."
    before = dt.datetime.now(dt.UTC)
    asked = x.post("@brand is it?")
    x.post(words, "7")  # somebody quotes us
    x.post(words, OURS, referenced_posts=[{"type": "replied_to", "id": asked}])  # the same words, to somebody
    x.post(words, OURS, at=before - dt.timedelta(days=7))  # and a week ago
    reply = with_image(NETWORK, brand, post_of_ours(NETWORK, words), session)
    assert find_reply(brand, reply, before, session) is None
    with (
        losing_answers(x.url, "/2/tweets") as line,
        GuardedSession(allow={line.authority}) as lossy,
        pytest.raises(Unconfirmed),
    ):
        NETWORK.push(msgspec.structs.replace(brand, server=line.url), reply, new_key(), lossy)
    found = find_reply(brand, reply, before, session)
    assert found is not None
    assert found.id == said(x, words)[-1]["id"]
    assert find_reply(brand, reply, before, session, {found.id}) is None, "it is known as another one"


def test_a_post_is_deleted_once_and_never_edited(x: Any, brand: Account, session: GuardedSession) -> None:
    reply = post_of_ours(NETWORK, "We open on Saturday at noon.")
    sent = NETWORK.push(brand, reply, new_key(), session)
    with pytest.raises(GiveUp):
        NETWORK.edit(brand, sent.id, reply, new_key(), session)
    for _ in range(2):
        NETWORK.remove(brand, sent.id, session)
    assert said(x, "Saturday at noon") == []


@pytest.mark.django_db
def test_a_lost_post_is_found_by_the_sender_and_not_sent_twice(
    alice: Any, bus: Any, x: Any, brand: Account, session: GuardedSession
) -> None:
    network = Interrupted(NETWORK, {1: Unconfirmed("The answer did not arrive.")})
    speaker = Speaker(alice, brand, network, session, bus)
    delivery = speaker.say(["Whoever brings a cup on Saturday gets coffee."])
    speaker.send()
    delivery.refresh_from_db()
    assert delivery.state == "unconfirmed"
    speaker.send(seconds=3)
    delivery.refresh_from_db()
    [post] = said(x, "brings a cup")
    assert (delivery.state, delivery.external_id, network.pushes) == ("sent", post["id"], 1)
    speaker.check_ledger()


@pytest.mark.django_db
def test_a_thread_goes_on_where_it_stopped_each_post_behind_the_one_before(
    alice: Any, bus: Any, x: Any, brand: Account, session: GuardedSession
) -> None:
    """The sender is killed when X has the first; the answer to the second is lost."""
    network = Interrupted(NETWORK, {1: Died(), 2: Unconfirmed("The answer did not arrive.")})
    speaker = Speaker(alice, brand, network, session, bus)
    texts = ["Thread: the bread.", "Thread: the coffee.", "Thread: the cake."]
    delivery = speaker.say(texts)
    for number in (1, 2, 3):
        speaker.send(minutes=2 if number > 1 else 0)
        assert len(said(x, "Thread: the")) == number
    delivery.refresh_from_db()
    first, second, third = said(x, "Thread: the")
    assert [each["text"] for each in (first, second, third)] == texts
    assert "referenced_posts" not in first
    behind = [[{"type": "replied_to", "id": each["id"]}] for each in (first, second)]
    assert [each["referenced_posts"] for each in (second, third)] == behind
    assert (delivery.state, delivery.external_id, network.pushes) == ("sent", first["id"], 3)
    delete_sent(alice, delivery, now=speaker.now())
    speaker.send()
    assert said(x, "Thread: the") == []
    speaker.check_ledger()
