"""Real servers through the whole house: what is said there is on the desk within two seconds, answers go back once.

`rapport up` runs in processes of its own; accounts are connected through the pages, answers are approved on them.
"""

from __future__ import annotations

import statistics
import time

import pytest

from live.house import House, delay, wait_until
from live.places import Place

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

Times = dict[tuple[str, str], list[float]]
ALL = pytest.mark.parametrize("network", ["mastodon", "matrix", "mail", "bluesky"])
SOON = 2.0  # seconds from the network having it, as the mission asks


def hear(place: Place, house: House, who: str, text: str, to: object = None) -> tuple[object, int, float]:
    """Somebody says it; the post, the conversation in which it is shown, and the seconds until then."""
    known = tuple(house.conversations(place.name)) if to is None else ()
    post = place.say(who, text, to)
    took = delay(lambda: place.shows(post), lambda: house.find(place.name, text, known) is not None)
    conversation = house.find(place.name, text, known)
    assert conversation is not None
    return post, conversation, took


@ALL
def test_what_happens_on_the_network_is_on_the_desk_within_two_seconds(
    network: str, place: Place, channel: int, house: House, times: Times
) -> None:
    hear(place, house, "ann", "The first word after connecting")  # the line is open
    for number in range(3):
        mention, conversation, took = hear(place, house, "ann", f"Question {number}: where is my blue parcel?")
        times.setdefault((network, "word"), []).append(took)
    reply, joined, took = hear(place, house, "ben", "Same here, mine is late too", mention)
    times[network, "reply"] = [took]
    assert joined == conversation
    assert house.count(network, "Same here") == 1
    if place.edits:
        place.edit("ann", mention, "Where is my green tent?")
        shown = lambda: any("green tent" in text for text in house.said(conversation))  # noqa: E731
        times[network, "edit"] = [delay(lambda: True, shown)]
        assert house.count(network, "Question 2") == 0
    if place.deletes:
        place.delete("ben", reply)
        hidden = lambda: not any("Same here" in text for text in house.said(conversation))  # noqa: E731
        times[network, "deletion"] = [delay(lambda: not place.shows(reply), hidden)]
    measured = [took for (name, _), each in times.items() if name == network for took in each]
    assert statistics.median(measured) < SOON, measured


@ALL
def test_a_persons_answer_is_on_the_network_once_and_their_thanks_join_it(
    network: str, place: Place, channel: int, house: House, times: Times
) -> None:
    post, conversation, _ = hear(place, house, "ann", "Do you ship to Norway?")
    words = f"Yes, we ship to Norway on {network} orders too, within five days."
    approved = time.monotonic()
    house.approve(conversation, words)
    [(text, ours)] = wait_until(lambda: place.answers(post))
    times[network, "our answer"] = [time.monotonic() - approved]
    assert words in text
    wait_until(lambda: any(words in said for said in house.said(conversation)))
    _, joined, took = hear(place, house, "ann", "Thanks, that helps a lot", ours)
    times[network, "answer to ours"] = [took]
    assert joined == conversation
    assert house.count(network, words) == 1
    assert len(place.answers(post)) == 1
