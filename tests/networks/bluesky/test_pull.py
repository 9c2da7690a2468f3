"""Reading the lists of a real Bluesky network, and of servers that behave badly."""

from __future__ import annotations

import datetime as dt
import json
import threading
import time
from typing import Any

import msgspec
import pytest

from bluesky import BlueskyAccount, until
from rapport.core.errors import InvalidInput, Reauthorise, RetryLater
from rapport.core.post import Post
from rapport.networks.base import Account, Page
from rapport.networks.bluesky import pull
from rapport.networks.bluesky.network import Bluesky
from rapport.networks.bluesky.pull import FIRST_PULL, pull_list, streams_of
from rapport.networks.http import GuardedSession
from wires import Caller, byte_server

US = "did:plc:us"


def newest(account: Account, stream: str, session: GuardedSession) -> str:
    """The cursor of a list that was read just now."""
    return list(pull_list(account, stream, "", session))[-1].cursor


def read(account: Account, stream: str, cursor: str, session: GuardedSession) -> tuple[list[Post], str]:
    pages = list(pull_list(account, stream, cursor, session))
    return [post for page in pages for post in page.posts], pages[-1].cursor


# ---------------------------------------------------------------- the real network


def test_mentions_replies_and_quotes_come_in_once_in_order(
    signed_in: Account, session: GuardedSession, brand: BlueskyAccount, ann: BlueskyAccount, ben: BlueskyAccount
) -> None:
    cursor = newest(signed_in, "notifications", session)
    ours = brand.post("we fly to Rome")
    until(lambda: brand.network.shows(ours["uri"], brand))
    time.sleep(1.0)  # a reply within a second of its parent often never notifies
    first = ann.post("@brand.test are you there?")
    second = ben.post("to Rome, really?", to=ours)
    quoted = {"$type": "app.bsky.embed.record", "record": {"uri": ours["uri"], "cid": ours["cid"]}}
    third = ann.post("listen to them", embed=quoted)
    ann.post("nobody in particular")
    ann.call(
        "com.atproto.repo.createRecord",
        {
            "repo": ann.did,
            "collection": "app.bsky.feed.like",
            "record": {"subject": {"uri": ours["uri"], "cid": ours["cid"]}, "createdAt": "2026-11-22T00:00:00Z"},
        },
    )
    until(lambda: {first["uri"], second["uri"], third["uri"]} <= set(brand.notified()), "not all were notified")
    posts, cursor = read(signed_in, "notifications", cursor, session)
    assert [(post.id, post.kind) for post in posts] == [
        (first["uri"], "post"),
        (second["uri"], "reply"),
        (third["uri"], "quote"),
    ]
    assert posts[0].mentions == ("brand.test",)
    assert posts[1].in_reply_to == posts[1].thread == ours["uri"]
    assert posts[0].author.name == "Ann"
    again, _ = read(signed_in, "notifications", cursor, session)
    assert again == []


def test_our_own_posts_are_read_as_ours_without_what_we_repost(
    signed_in: Account, session: GuardedSession, brand: BlueskyAccount, ann: BlueskyAccount
) -> None:
    cursor = newest(signed_in, "own", session)
    theirs = ann.post("worth repeating")
    until(lambda: brand.network.shows(theirs["uri"], brand))
    brand.call(
        "com.atproto.repo.createRecord",
        {
            "repo": brand.did,
            "collection": "app.bsky.feed.repost",
            "record": {
                "subject": {"uri": theirs["uri"], "cid": theirs["cid"]},
                "createdAt": dt.datetime.now(dt.UTC).isoformat().replace("+00:00", "Z"),
            },
        },
    )
    own = brand.post("said on the phone")
    until(lambda: brand.network.shows(own["uri"], brand))
    posts, _ = read(signed_in, "own", cursor, session)
    assert [(post.text, post.author.ours) for post in posts] == [("said on the phone", True)]


def test_searches_and_hashtags_are_followed(
    signed_in: Account, session: GuardedSession, brand: BlueskyAccount, ann: BlueskyAccount
) -> None:
    search = newest(signed_in, "search:purple suitcase", session)
    hashtag = newest(signed_in, "hashtag:GateB7", session)
    one = ann.post("who has seen a purple suitcase?")
    two = ann.post("still standing at #GateB7")
    until(lambda: brand.network.shows(two["uri"], brand))
    assert [post.id for post in read(signed_in, "search:purple suitcase", search, session)[0]] == [one["uri"]]
    assert [post.id for post in read(signed_in, "hashtag:GateB7", hashtag, session)[0]] == [two["uri"]]


def test_a_deleted_post_is_not_read_any_more(
    signed_in: Account, session: GuardedSession, brand: BlueskyAccount, ann: BlueskyAccount
) -> None:
    cursor = newest(signed_in, "notifications", session)
    gone = ann.post("@brand.test never mind")
    until(lambda: gone["uri"] in brand.notified())
    ann.delete(gone)
    until(lambda: gone["uri"] not in brand.notified())
    assert read(signed_in, "notifications", cursor, session)[0] == []


def test_after_a_crash_nothing_is_missed(
    signed_in: Account, session: GuardedSession, brand: BlueskyAccount, ann: BlueskyAccount
) -> None:
    cursor = newest(signed_in, "notifications", session)
    said = [ann.post(f"@brand.test part {number}")["uri"] for number in range(3)]
    until(lambda: set(said) <= set(brand.notified()))
    first, _ = read(signed_in, "notifications", cursor, session)
    second, _ = read(signed_in, "notifications", cursor, session)
    assert [post.id for post in first] == [post.id for post in second] == said


def test_a_token_that_nobody_gave_is_told(signed_in: Account, session: GuardedSession) -> None:
    dead = msgspec.structs.replace(signed_in, token="dead")
    for stream in ("notifications", "own", "search:x"):
        with pytest.raises(Reauthorise, match="app password"):
            list(pull_list(dead, stream, "", session))


def test_streams_follow_the_settings() -> None:
    account = Account(
        1, "https://x.example", "us.test", US, "t", {"hashtags": ["#delay", "x", ""], "searches": ["a b"]}
    )
    assert streams_of(account) == ("notifications", "own", "search:a b", "hashtag:delay", "hashtag:x", "jetstream")
    assert streams_of(msgspec.structs.replace(account, settings={"jetstream": "off"})) == ("notifications", "own")


# ---------------------------------------------------------------- servers that behave badly


def post(number: int, at: dt.datetime) -> dict[str, Any]:
    time_text = at.isoformat().replace("+00:00", "Z")
    did = "did:plc:ann"
    return {
        "uri": f"at://{did}/app.bsky.feed.post/{number}",
        "cid": "b",
        "author": {"did": did, "handle": "ann.test"},
        "reason": "mention",
        "record": {"text": f"number {number}", "createdAt": time_text},
        "indexedAt": time_text,
    }


class Listing:
    """A server with one list of notifications, newest first, in pages as Bluesky gives them."""

    def __init__(self, items: list[Any]) -> None:
        self.items = items
        self.asked = 0

    def __call__(self, caller: Caller) -> None:
        self.asked += 1
        query = dict(part.split("=", 1) for part in caller.path.partition("?")[2].split("&"))
        start = int(query.get("cursor", 0))
        part = self.items[start : start + int(query["limit"])]
        answer: dict[str, Any] = {"notifications": part}
        if start + len(part) < len(self.items):
            answer["cursor"] = str(start + len(part))
        caller.send("200 OK", json.dumps(answer).encode())


def pages_of(listing: Any, cursor: str = "") -> list[Page]:
    with byte_server(listing) as server, GuardedSession(allow={server.authority}) as session:
        account = Account(1, server.url, "us.test", US, "t")
        return list(pull_list(account, "notifications", cursor, session))


def ids(pages: list[Page]) -> list[str]:
    return [each.id.rpartition("/")[2] for page in pages for each in page.posts]


def listing(count: int, every: float = 60.0) -> Listing:
    now = dt.datetime.now(dt.UTC)
    return Listing(
        [post(number, now - dt.timedelta(seconds=(count - number) * every)) for number in range(count, 0, -1)]
    )


def test_the_first_read_is_bounded_and_says_so() -> None:
    pages = pages_of(listing(350))
    assert ids(pages) == [str(number) for number in range(151, 351)]
    assert pages[0].gap is not None
    assert f"newest {FIRST_PULL}" in pages[0].gap.reason
    assert [page.more for page in pages] == [True, False]
    assert pages_of(listing(150))[0].gap is None


def test_reading_goes_on_where_each_page_had_stopped() -> None:
    """A crash after any page: what was stored is not missed, what was not stored comes."""
    server = listing(180, every=1.0)
    pages = pages_of(server)
    assert len(pages) == 2
    for stored in range(len(pages)):
        rest = pages_of(server, pages[stored].cursor)
        missed = [each for page in pages[stored + 1 :] for each in ids([page])]
        assert set(missed) <= set(ids(rest))
    assert ids(pages_of(server, pages[-1].cursor)) == []


def test_what_comes_late_is_read_although_it_lies_below_the_newest() -> None:
    server = listing(5)
    cursor = pages_of(server)[-1].cursor
    late = post(99, dt.datetime.now(dt.UTC) - dt.timedelta(minutes=3, seconds=30))
    server.items.insert(3, late)
    assert ids(pages_of(server, cursor)) == ["99"]


def test_a_stretch_that_is_too_long_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pull, "MOST", 200)
    server = listing(1000)
    since = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=60 * 900)
    cursor = json.dumps({"at": since.isoformat()})
    pages = pages_of(server, cursor)
    assert len(ids(pages)) == 200
    gap = pages[0].gap
    assert gap is not None
    assert gap.since is not None
    assert gap.until is not None
    assert gap.since < since < gap.until


@pytest.mark.parametrize(
    "cursor", ["{", "[]", '{"at":5}', '{"at":"2026-01-01T00:00:00"}', '{"at":"2099-01-01T00:00:00Z"}']
)
def test_a_cursor_that_cannot_be_is_told_and_the_newest_are_read(cursor: str) -> None:
    pages = pages_of(listing(5), cursor)
    assert ids(pages) == ["1", "2", "3", "4", "5"]
    assert pages[0].gap is not None


def test_one_item_that_cannot_be_read_does_not_take_the_others_with_it() -> None:
    server = listing(3)
    server.items.insert(1, {"uri": "at://did:plc:x/app.bsky.feed.post/bad", "reason": "mention", "record": 5})
    server.items.insert(2, None)
    server.items.insert(3, post(9, dt.datetime.now(dt.UTC)) | {"reason": "like"})
    pages = pages_of(server)
    assert ids(pages) == ["1", "2", "3"]
    assert [line.partition(":")[0] for page in pages for line in page.rejected] == ["at"]
    assert pages_of(server, pages[-1].cursor)[0].rejected == ()


def test_a_server_that_gives_the_same_page_for_ever_is_not_read_for_ever() -> None:
    now = dt.datetime.now(dt.UTC)
    answer = json.dumps({"notifications": [post(1, now)], "cursor": "same"}).encode()
    done = threading.Event()

    def run() -> None:
        assert ids(pages_of(lambda caller: caller.send("200 OK", answer))) == ["1"]
        done.set()

    threading.Thread(target=run, daemon=True).start()
    assert done.wait(10)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"notifications":5}', b'{"notifications":null}', b"\xff"])
def test_an_answer_that_is_no_list_is_tried_again(body: bytes) -> None:
    with pytest.raises(RetryLater):
        pages_of(lambda caller: caller.send("200 OK", body))


def test_half_an_emoji_costs_nothing_but_itself() -> None:
    text = json.dumps(listing(1).items).replace("number 1", "broken \\ud83d here")
    body = f'{{"notifications":{text}}}'.encode()
    (page,) = pages_of(lambda caller: caller.send("200 OK", body))
    assert [each.text for each in page.posts] == ["broken ? here"]


def test_a_stream_that_bluesky_has_not_is_refused() -> None:
    with GuardedSession() as session:
        for stream in ("home", "search:", "hashtag:", "", "x:y"):
            with pytest.raises(InvalidInput):
                list(pull_list(Account(1, "https://x.example", "us", US, "t"), stream, "", session))


def test_the_live_stream_is_not_read_by_pulling_and_keeps_its_place() -> None:
    account = Account(1, "https://x.example", "us.test", US, "t")
    with GuardedSession() as session:
        (first,) = Bluesky().pull(account, "jetstream", "", session)
        (second,) = Bluesky().pull(account, "jetstream", first.cursor, session)
    assert json.loads(first.cursor)["us"] > 1_700_000_000_000_000
    assert second.cursor == first.cursor
