"""Reading a forum: nothing is lost between two reads, edits and deletions are noticed."""

from __future__ import annotations

import json

import msgspec
import pytest

from discourse import Forum, Refusal
from rapport.core.errors import GiveUp, InvalidInput, Reauthorise, RetryLater
from rapport.core.post import Post
from rapport.networks.base import Account, Page
from rapport.networks.discourse.network import Discourse
from rapport.networks.discourse.pull import pull_pages
from rapport.networks.http import GuardedSession

EVERYTHING = {"everything": True}


def read(account: Account, stream: str, cursor: str, session: GuardedSession) -> tuple[list[Post], str, list[Page]]:
    """Every post of a pull in order, the last cursor, and the pages."""
    pages = list(pull_pages(account, stream, cursor, session))
    return [post for page in pages for post in page.posts], pages[-1].cursor, pages


def texts(posts: list[Post]) -> list[str]:
    return [post.text for post in posts]


def following(account: Account, **settings: str | bool | list[str]) -> Account:
    return msgspec.structs.replace(account, settings=dict(settings))


def test_a_mention_comes_in_as_a_post_with_everything_that_it_says(
    server: Forum, brand: Account, session: GuardedSession
) -> None:
    topic = server.open_topic("ben", "Trains", "What do you think?", tags=("delay",))
    _, cursor, _ = read(brand, "notifications", "", session)
    number = server.add("ann", topic, "@brand still waiting", to=1)
    (post,), cursor, _ = read(brand, "notifications", cursor, session)
    assert (post.network, post.id, post.kind) == ("discourse", server.place(number), "reply")
    assert (post.text, post.mentions, post.hashtags) == ("@brand still waiting", (brand.handle,), ("delay",))
    assert post.in_reply_to == post.thread == f"{server.host}/t/{topic}/1"
    assert (post.author.key, post.author.name, post.author.ours) == (f"ann@{server.host}", "Ann", False)
    assert post.url == f"{server.url}/t/a-topic/{topic}/2"
    assert post.metrics.likes == 1
    assert read(brand, "notifications", cursor, session)[0] == []


def test_notifications_come_in_order_over_several_pages_and_once(
    server: Forum, brand: Account, session: GuardedSession
) -> None:
    topic = server.open_topic("ben", "Trains", "What do you think?")
    _, cursor, _ = read(brand, "notifications", "", session)
    for number in range(130):
        server.add("ann", topic, f"@brand number {number}")
    posts, cursor, pages = read(brand, "notifications", cursor, session)
    assert texts(posts) == [f"@brand number {number}" for number in range(130)]
    assert [page.more for page in pages] == [True, False]
    assert json.loads(pages[0].cursor) != json.loads(pages[1].cursor)
    assert read(brand, "notifications", cursor, session)[0] == []


def test_the_first_read_takes_the_newest_and_says_so(server: Forum, brand: Account, session: GuardedSession) -> None:
    topic = server.open_topic("ben", "Trains", "What do you think?")
    for number in range(150):
        server.add("ann", topic, f"@brand early {number}")
    account = following(brand, **EVERYTHING)
    for stream in ("notifications", "posts"):
        posts, cursor, pages = read(account, stream, "", session)
        assert texts(posts)[-1] == "@brand early 149"
        assert 100 <= len(posts) <= 130
        assert pages[0].gap is not None
        assert "Only the newest" in pages[0].gap.reason
        assert read(account, stream, cursor, session)[2][0].gap is None


@pytest.mark.parametrize("old", [False, True])
def test_everything_is_read_whichever_way_the_forum_cuts_its_list(
    old: bool, server: Forum, brand: Account, session: GuardedSession
) -> None:
    server.old_lists = old
    account = following(brand, **EVERYTHING)
    secret = server.open_topic("ann", "Secret", "not for everybody", private=True)
    topic = server.open_topic("ann", "Trains", "First words.")
    posts, cursor, _ = read(account, "posts", "", session)
    assert texts(posts) == ["Trains\n\nFirst words."]
    assert (posts[0].kind, posts[0].in_reply_to) == ("topic", None)
    for number in range(60):
        server.add("ann", topic, f"before {number}")
    for number in range(120):  # more than one window of an old forum without a public post
        server.add("ann", secret, f"private {number}")
    for number in range(10):
        server.add("ann", topic, f"after {number}")
    posts, cursor, _ = read(account, "posts", cursor, session)
    assert texts(posts) == [f"before {n}" for n in range(60)] + [f"after {n}" for n in range(10)]
    assert read(account, "posts", cursor, session)[0] == []


def test_only_chosen_categories_are_read_with_those_inside_them(
    server: Forum, brand: Account, session: GuardedSession
) -> None:
    kept = Discourse().check_settings({"categories": ["support"], "tags": [], "searches": []}, brand, session)
    assert kept["category_ids"] == ["5", "6"]
    account = msgspec.structs.replace(brand, settings=kept)
    assert "posts" in Discourse().streams(account)
    for category, title in ((4, "General"), (5, "Support"), (6, "Phones")):
        server.open_topic("ann", title, "words", category=category)
    posts, cursor, _ = read(account, "posts", "", session)
    assert texts(posts) == ["Support\n\nwords", "Phones\n\nwords"]
    server.open_topic("ann", "General again", "words", category=4)
    posts, cursor, _ = read(account, "posts", cursor, session)
    assert posts == []
    server.open_topic("ann", "Support again", "words", category=5)
    assert texts(read(account, "posts", cursor, session)[0]) == ["Support again\n\nwords"]


def test_private_messages_are_messages(server: Forum, brand: Account, session: GuardedSession) -> None:
    _, cursor, _ = read(brand, "messages", "", session)
    topic = server.open_topic("ann", "A word", "between us", private=True)
    server.add("ann", topic, "@brand and another")
    posts, _, _ = read(brand, "messages", cursor, session)
    assert texts(posts) == ["between us", "@brand and another"]
    assert {(post.kind, post.visibility, post.thread) for post in posts} == {
        ("message", "direct", f"{server.host}/t/{topic}/1")
    }
    server.notify(1, topic, 2)  # the list of notifications tells of it too, and must not make it public
    assert read(brand, "notifications", "", session)[0] == []


def test_a_tag_brings_its_topics_and_all_that_is_new_in_them(
    server: Forum, brand: Account, session: GuardedSession
) -> None:
    pinned = server.open_topic("ben", "Pinned", "old words", tags=("delay",))
    server.topics[pinned] |= {"pinned": True}
    first = server.open_topic("ann", "One", "first words", tags=("delay",))
    server.open_topic("ann", "Other", "without the tag")
    posts, cursor, _ = read(brand, "tag:delay", "", session)
    assert texts(posts) == ["Pinned\n\nold words", "One\n\nfirst words"]
    assert posts[0].hashtags == ("delay",)
    for number in range(45):
        server.add("ann", first, f"more {number}")
    server.open_topic("ann", "Two", "second words", tags=("delay",))
    posts, cursor, _ = read(brand, "tag:delay", cursor, session)
    assert texts(posts) == [*(f"more {number}" for number in range(45)), "Two\n\nsecond words"]
    assert read(brand, "tag:delay", cursor, session)[0] == []


def test_a_search_brings_every_post_that_it_finds_not_one_of_each_topic(
    server: Forum, brand: Account, session: GuardedSession
) -> None:
    topic = server.open_topic("ann", "Trains", "Fernway is late")
    posts, cursor, _ = read(brand, "search:fernway", "", session)
    assert len(posts) == 1
    for number in range(3):
        server.add("ann", topic, f"fernway again {number}")
        server.add("ann", topic, f"something else {number}")
    server.open_topic("ben", "Elsewhere", "what is fernway?")
    posts, cursor, _ = read(brand, "search:fernway", cursor, session)
    assert texts(posts) == [*(f"fernway again {n}" for n in range(3)), "Elsewhere\n\nwhat is fernway?"]
    assert read(brand, "search:fernway", cursor, session)[0] == []


def test_our_own_posts_are_read_and_known_as_ours(server: Forum, brand: Account, session: GuardedSession) -> None:
    _, cursor, _ = read(brand, "own", "", session)
    topic = server.open_topic("ann", "Trains", "words")
    server.add("brand", topic, "said on the forum itself", to=1)
    posts, cursor, _ = read(brand, "own", cursor, session)
    assert [(post.text, post.author.ours) for post in posts] == [("said on the forum itself", True)]
    assert read(brand, "own", cursor, session)[0] == []


@pytest.mark.parametrize("quietly", [False, True])
@pytest.mark.parametrize("stream", ["posts", "notifications", "messages", "tag:delay"])
def test_edits_and_deletions_are_noticed_by_looking_again(
    stream: str, quietly: bool, server: Forum, brand: Account, session: GuardedSession
) -> None:
    account = following(brand, **EVERYTHING)
    topic = server.open_topic("ann", "Trains", "words", tags=("delay",), private=stream == "messages")
    kept, gone = server.add("ann", topic, "@brand a mistkae"), server.add("ann", topic, "@brand take this back")
    _, cursor, _ = read(account, stream, "", session)
    server.edit(kept, "@brand a mistake", quietly)
    server.delete(gone)
    found: list[Post] = []
    deleted: set[str] = set()
    for _ in range(4):  # one of the known posts is looked at with each read
        posts, cursor, pages = read(account, stream, cursor, session)
        found += posts
        deleted |= {each for page in pages for each in page.deleted}
    assert [(post.id, post.text) for post in found] == [(server.place(kept), "@brand a mistake")]
    assert found[0].edited_at is not None
    assert deleted == {server.place(gone)}


def test_a_post_that_was_moved_stands_in_its_new_place_only(
    server: Forum, brand: Account, session: GuardedSession
) -> None:
    account = following(brand, **EVERYTHING)
    old, new = server.open_topic("ann", "Old", "words"), server.open_topic("ann", "New", "words too")
    number = server.add("ann", old, "on the move")
    _, cursor, _ = read(account, "posts", "", session)
    before = server.place(number)
    server.posts[number] |= {"topic_id": new, "post_number": 2}
    found, deleted = [], set()
    for _ in range(4):
        posts, cursor, pages = read(account, "posts", cursor, session)
        found += [post.id for post in posts]
        deleted |= {each for page in pages for each in page.deleted}
    assert found == [server.place(number)]
    assert deleted == {before}


def test_a_post_that_becomes_visible_late_is_not_lost(server: Forum, brand: Account, session: GuardedSession) -> None:
    account = following(brand, **EVERYTHING)
    topic = server.open_topic("ann", "Trains", "words")
    late = server.add("ann", topic, "slow to appear")
    hidden = server.posts.pop(late)
    server.posts[late + 1] = hidden | {"id": late + 1, "post_number": 3, "raw": "quick", "cooked": "<p>quick</p>"}
    _, cursor, _ = read(account, "posts", "", session)
    server.posts[late] = hidden
    assert texts(read(account, "posts", cursor, session)[0]) == ["slow to appear"]


def test_what_nobody_said_to_everybody_is_not_taken_in(server: Forum, brand: Account, session: GuardedSession) -> None:
    account = following(brand, **EVERYTHING)
    topic = server.open_topic("ann", "Trains", "words")
    server.add("ben", topic, "a whisper among staff", post_type=4)
    server.add("system", topic, "closed this topic", post_type=3)
    server.add("ann", topic, "hidden by flags", hidden=True)
    server.add("ann", topic, "(post deleted by author)", user_deleted=True)
    posts, _, pages = read(account, "posts", "", session)
    assert texts(posts) == ["Trains\n\nwords"]
    assert len(pages[-1].deleted) == 1


def test_a_post_that_cannot_be_read_is_told_and_does_not_stop_the_stream(
    server: Forum, brand: Account, session: GuardedSession
) -> None:
    account = following(brand, **EVERYTHING)
    topic = server.open_topic("ann", "Trains", "words")
    server.add("ann", topic, "broken", created_at="yesterday")
    server.add("ann", topic, "whole")
    posts, _, pages = read(account, "posts", "", session)
    assert texts(posts) == ["Trains\n\nwords", "whole"]
    assert any("yesterday" in line for line in pages[-1].rejected)


def test_refusals_say_what_to_do_next(server: Forum, brand: Account, session: GuardedSession) -> None:
    limited = Refusal(429, "rate_limit", "You have performed this action too many times.", wait_seconds=11)
    server.faults.append(("/notifications", limited))
    with pytest.raises(RetryLater) as waiting:
        read(brand, "notifications", "", session)
    assert waiting.value.after == 11
    for status, error in ((500, RetryLater), (503, RetryLater), (404, GiveUp), (403, GiveUp)):
        server.faults.append(("/notifications", Refusal(status, "x", "no")))
        with pytest.raises(error):
            read(brand, "notifications", "", session)
    server.keys.clear()
    with pytest.raises(Reauthorise):
        read(brand, "notifications", "", session)


def test_a_stream_or_a_cursor_that_makes_no_sense_is_refused(brand: Account, session: GuardedSession) -> None:
    for stream, cursor in (("nonsense", ""), ("tag:", ""), ("own:x", ""), ("own", "nonsense"), ("own", "[]")):
        with pytest.raises(InvalidInput):
            list(pull_pages(brand, stream, cursor, session))
