"""Posts of our own on a real Bluesky network: they answer nobody, arrive once, go on where they stopped."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
import pytest
import requests

from bluesky import BlueskyAccount, until
from own_posts import ALT, Died, Interrupted, Speaker, new_key, post_of_ours, teal, with_image
from rapport.actions.acts import delete_sent
from rapport.core.errors import GiveUp, Unconfirmed
from rapport.core.reply import begun_at
from rapport.networks.base import Account
from rapport.networks.bluesky.network import Bluesky
from rapport.networks.bluesky.syntax import decode_tid
from rapport.networks.http import GuardedSession
from rapport.store.models import Post
from wires import losing_answers

NETWORK = Bluesky()


def said(brand: BlueskyAccount, words: str) -> list[dict[str, Any]]:
    """What lies on our data server with these words, oldest key first."""
    return [each for each in brand.records() if words in each["value"]["text"]][::-1]


def parent(record: dict[str, Any]) -> str | None:
    found: str | None = record["value"].get("reply", {}).get("parent", {}).get("uri")
    return found


def test_a_post_answers_nobody_and_stands_as_it_was_approved_with_its_image(
    signed_in: Account, session: GuardedSession, brand: BlueskyAccount, ben: BlueskyAccount
) -> None:
    words = "Doors open at nine, @ben.test. Coffee ☕ https://help.example/x?y=1 #ghent"
    reply = with_image(NETWORK, signed_in, post_of_ours(NETWORK, words), session)
    sent = NETWORK.push(signed_in, reply, new_key(), session)
    [record] = said(brand, "Doors open at nine")
    value = record["value"]
    assert (record["uri"], value["text"], "reply" in value) == (sent.id, words, False)
    assert {each["features"][0]["$type"].rpartition("#")[2] for each in value["facets"]} == {"mention", "link", "tag"}
    [image] = value["embed"]["images"]
    assert (image["alt"], image["aspectRatio"]) == (ALT, {"width": 30, "height": 20})
    blob = {"did": brand.did, "cid": image["image"]["ref"]["$link"]}
    kept = requests.get(f"{brand.network.pds}/xrpc/com.atproto.sync.getBlob", params=blob, timeout=20)
    assert kept.content == teal()
    until(lambda: brand.network.shows(sent.id, ben), "the app view never showed it")
    [view] = ben.call("app.bsky.feed.getPosts", uris=[sent.id])["posts"]
    assert [each["alt"] for each in view["embed"]["images"]] == [ALT]
    until(lambda: sent.id in ben.notified(), "ben was never told")


def test_the_key_of_a_post_lies_at_the_time_at_which_it_was_approved(
    signed_in: Account, session: GuardedSession, brand: BlueskyAccount
) -> None:
    key = new_key()
    sent = NETWORK.push(signed_in, post_of_ours(NETWORK, "Timely words."), key, session)
    behind = decode_tid(sent.id.rpartition("/")[2]) - begun_at(key)
    assert 0 < behind <= 1 << 26  # about a minute: a post of ours that is older stands below it
    assert sent.id in {each["uri"] for each in brand.records()}


def test_the_same_key_again_makes_no_second_post_and_another_key_does(
    signed_in: Account, session: GuardedSession, brand: BlueskyAccount
) -> None:
    reply, key = post_of_ours(NETWORK, "Good morning to all of Ghent."), new_key()
    first = NETWORK.push(signed_in, reply, key, session)
    assert NETWORK.push(signed_in, reply, key, session) == first
    assert [each["uri"] for each in said(brand, "all of Ghent")] == [first.id]
    second = NETWORK.push(signed_in, reply, new_key(), session)
    assert {each["uri"] for each in said(brand, "all of Ghent")} == {first.id, second.id}
    with pytest.raises(GiveUp, match="something else"):
        NETWORK.push(signed_in, post_of_ours(NETWORK, "Other words to all of Ghent."), key, session)


def test_a_post_whose_answer_was_lost_is_found_and_sent_again_changes_nothing(
    signed_in: Account, session: GuardedSession, brand: BlueskyAccount
) -> None:
    reply, key, since = post_of_ours(NETWORK, "The lift is repaired."), new_key(), dt.datetime.now(dt.UTC)
    NETWORK.push(signed_in, reply, new_key(), session)  # the same words, another post
    assert NETWORK.find(signed_in, reply, since, key, session) is None
    with (
        losing_answers(signed_in.server, "putRecord") as line,
        GuardedSession(allow={line.authority}) as lossy,
        pytest.raises(Unconfirmed),
    ):
        NETWORK.push(msgspec.structs.replace(signed_in, server=line.url), reply, key, lossy)
    found = NETWORK.find(signed_in, reply, since, key, session)
    assert found is not None
    assert NETWORK.push(signed_in, reply, key, session) == found
    assert len(said(brand, reply.text)) == 2


def test_a_post_is_edited_with_its_image_and_deleted_once(
    signed_in: Account, session: GuardedSession, brand: BlueskyAccount
) -> None:
    reply = with_image(NETWORK, signed_in, post_of_ours(NETWORK, "We open on Saturday at noon."), session)
    sent = NETWORK.push(signed_in, reply, new_key(), session)
    created = said(brand, "Saturday at noon")[0]["value"]["createdAt"]
    better, key = msgspec.structs.replace(reply, text="We open on Sunday at noon.", media=()), new_key()
    edited = {NETWORK.edit(signed_in, sent.id, better, key, session).id for _ in range(2)}
    [record] = said(brand, "at noon")
    assert (edited, record["value"]["text"], record["value"]["createdAt"]) == ({record["uri"]}, better.text, created)
    assert parent(record) is None
    assert [each["alt"] for each in record["value"]["embed"]["images"]] == [ALT]
    for _ in range(2):
        NETWORK.remove(signed_in, record["uri"], session)
    assert said(brand, "at noon") == []


@pytest.mark.django_db
def test_a_thread_goes_on_where_it_stopped_each_post_behind_the_one_before(
    alice: Any, bus: Any, signed_in: Account, session: GuardedSession, brand: BlueskyAccount
) -> None:
    """The sender is killed when the data server has the first; the answer to the second is lost."""
    network = Interrupted(NETWORK, {1: Died(), 2: Unconfirmed("The answer did not arrive.")})
    speaker = Speaker(alice, signed_in, network, session, bus)
    texts = ["Thread: the bread.", "Thread: the coffee.", "Thread: the cake."]
    delivery = speaker.say(texts)
    for number in (1, 2, 3):
        speaker.send(minutes=2 if number > 1 else 0)
        assert len(said(brand, "Thread: the")) == number
    delivery.refresh_from_db()
    records = {each["value"]["text"]: each for each in said(brand, "Thread: the")}
    first, second, third = (records[text] for text in texts)
    assert [parent(each) for each in (first, second, third)] == [None, first["uri"], second["uri"]]
    assert [each["value"]["reply"]["root"]["uri"] for each in (second, third)] == [first["uri"]] * 2
    assert (delivery.state, delivery.external_id, network.pushes) == ("sent", first["uri"], 3)
    assert [each["uri"] for each in said(brand, "Thread: the")] == [each["uri"] for each in (first, second, third)]
    until(lambda: brand.network.shows(third["uri"], brand))
    speaker.hear()  # the network tells of them too
    rows = Post.objects.filter(text__startswith="Thread: the").order_by("pk")
    assert list(rows.values_list("external_id", "in_reply_to")) == [
        (first["uri"], ""), (second["uri"], first["uri"]), (third["uri"], second["uri"]),
    ]  # fmt: skip
    delete_sent(alice, delivery, now=speaker.now())
    speaker.send()
    assert said(brand, "Thread: the") == []
    speaker.check_ledger()
