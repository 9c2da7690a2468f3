"""Real servers through the whole house: what is said there is on the desk at once, answers go back once.

`rapport up` runs in processes of its own; accounts are connected through the pages, answers are approved on them.
"""

from __future__ import annotations

import statistics
import time
from concurrent.futures import Future

import pytest

from live.house import House, delay, wait_until
from live.newspaper import LATEST
from live.places import SOON, Matrix, Place

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240), pytest.mark.usefixtures("news")]

Times = dict[tuple[str, str], list[float]]
#: unlike one another: near-copies are folded into one entry
IN_THE_DARK = ("Who has my umbrella?", "My new tent leaks at a seam", "Can I fetch it on Monday?")
CONVERSING = ["mastodon", "matrix", "mail", "bluesky"]


def hear(place: Place, house: House, who: str, text: str, to: object = None) -> tuple[object, int, float]:
    """Somebody says it; the post, the conversation in which it is shown, and the seconds until then."""
    known = tuple(house.conversations(place.name)) if to is None else ()
    post = place.say(who, text, to)
    took = delay(lambda: place.shows(post), lambda: house.find(place.name, text, known) is not None)
    conversation = house.find(place.name, text, known)
    assert conversation is not None
    return post, conversation, took


@pytest.mark.parametrize("network", [*CONVERSING, "webhook", "folder"])
def test_what_happens_on_the_network_is_on_the_desk_long_before_the_next_poll(
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
    measured = [took for (name, _), each in times.items() if name == network for took in each]
    assert statistics.median(measured) < SOON, measured
    if place.deletes:
        place.delete("ben", reply)
        hidden = lambda: not any("Same here" in text for text in house.said(conversation))  # noqa: E731
        times[network, "deletion"] = [delay(lambda: not place.shows(reply), hidden)]
        assert times[network, "deletion"][0] < place.deletes
    if place.edits:
        place.edit("ann", mention, "Where is my green tent?")
        shown = lambda: any("green tent" in text for text in house.said(conversation))  # noqa: E731
        times[network, "edit"] = [delay(lambda: True, shown)]
        assert times[network, "edit"][0] < place.edits
        assert house.count(network, "Question 2") == 0


@pytest.mark.parametrize("network", CONVERSING)
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


@pytest.mark.parametrize("network", ["matrix"])
def test_a_server_that_was_away_is_heard_whole_when_it_is_back(
    network: str, place: Place, channel: int, house: House, times: Times
) -> None:
    hear(place, house, "ann", "Before the server went away")
    assert isinstance(place, Matrix)
    place.server.restart()
    began = time.monotonic()
    said = [f"Back again {number}: did you see my letter?" for number in range(3)]
    for text in said:
        place.say("ben", text)
    wait_until(lambda: all(house.count(network, text) for text in said), 40)
    times[network, "after a restart"] = [time.monotonic() - began]
    time.sleep(2)
    assert [house.count(network, text) for text in said] == [1, 1, 1]


@pytest.mark.parametrize("network", ["matrix"])
def test_an_account_that_was_signed_out_is_said_with_its_remedy_and_its_answers_wait(
    network: str, place: Place, channel: int, house: House
) -> None:
    post, conversation, _ = hear(place, house, "ann", "Can I change the colour of my order?")
    assert isinstance(place, Matrix)
    place.sign_out_everywhere()
    house.approve(conversation, "Of course, tell us which colour you would like.")
    wait_until(lambda: "must be connected again" in house.sources())
    page = house.sources()
    assert "Nothing is read or sent until an admin connects it again. What waits is kept." in page
    assert "Connect again" in page
    place.say("ben", "Said while nobody could listen, is that heard?")
    time.sleep(3)
    assert place.answers(post) == []
    assert place.connect(house) == channel  # the same source, not a second one
    [(text, _)] = wait_until(lambda: place.answers(post))
    assert text == "Of course, tell us which colour you would like."
    wait_until(lambda: house.count(network, "Said while nobody could listen") == 1)
    assert "must be connected again" not in house.sources()
    time.sleep(2)
    assert len(place.answers(post)) == 1


def test_a_listener_that_is_killed_misses_nothing_and_hears_nothing_twice(
    everywhere: list[Place], house: House, times: Times
) -> None:
    for place in everywhere:
        hear(place, house, "ann", "Just before the lights went out")
    known = {place.name: tuple(house.conversations(place.name)) for place in everywhere}
    gone = house.kill("listen")
    began = time.monotonic()
    said = {(place.name, text) for place in everywhere for text in IN_THE_DARK}
    for place in everywhere:
        for _, text in sorted(each for each in said if each[0] == place.name):
            place.say("ben", text)
    waited = set(said)
    while waited:
        for place in everywhere:
            mine = {each for each in waited if each[0] == place.name}
            if mine and all(house.count(*each, beside=known[place.name]) for each in mine):
                times[place.name, "after a kill"] = [time.monotonic() - began]
                waited -= mine
        assert time.monotonic() - began < 40, (waited, house.log()[-3000:])
        time.sleep(0.2)
    assert house.part("listen") != gone
    time.sleep(2)
    assert {each: house.count(*each) for each in said} == dict.fromkeys(said, 1)


def test_every_story_of_a_feed_is_on_the_desk_with_the_look_after_it_was_published(
    news: Future[dict[str, float]], house: House, times: Times
) -> None:
    took = news.result(timeout=LATEST + 60)
    times |= {("feeds", step): [seconds] for step, seconds in took.items()}
    assert set(took) == {"word", "edit", "deletion"}, took
    assert max(took.values()) < LATEST
    assert house.count("feeds", "Words of story 3") == 1
