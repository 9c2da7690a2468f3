"""Reading from Reddit: nothing lost between two looks, whatever is removed meanwhile."""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
import json
import random
from typing import Any

import pytest

from rapport.core.errors import GiveUp, InvalidInput, Reauthorise, RetryLater
from rapport.networks.base import Account, Page
from rapport.networks.http import GuardedSession
from rapport.networks.reddit.pull import pull_pages, streams_of

COMMENTS = "/r/trains/comments"


def read(account: Account, stream: str, cursor: str, session: GuardedSession) -> tuple[list[str], str, list[Page]]:
    """Every text of a pull in order, the last cursor, and the pages."""
    pages = list(pull_pages(account, stream, cursor, session))
    return [post.text for page in pages for post in page.posts], pages[-1].cursor, pages


def started(brand: Account, session: GuardedSession, stream: str = "comments:trains") -> str:
    return read(brand, stream, "", session)[1]


def test_what_comes_between_two_looks_arrives_once_and_in_order(
    reddit: Any, brand: Account, session: GuardedSession
) -> None:
    cursor = started(brand, session)
    for number in range(250):
        reddit.comment(COMMENTS, f"late {number}", ago=300 - number)
    texts, cursor, pages = read(brand, "comments:trains", cursor, session)
    assert texts == [f"late {number}" for number in range(250)]
    assert [page.more for page in pages if page.posts] == [True, True, False]
    assert read(brand, "comments:trains", cursor, session)[0] == []
    reddit.comment(COMMENTS, "last")
    assert read(brand, "comments:trains", cursor, session)[0] == ["last"]


def test_a_look_that_was_cut_off_goes_on_from_any_of_its_pages(
    reddit: Any, brand: Account, session: GuardedSession
) -> None:
    cursor = started(brand, session)
    for number in range(250):
        reddit.comment(COMMENTS, f"late {number}", ago=300 - number)
    first = next(pull_pages(brand, "comments:trains", cursor, session))
    rest = read(brand, "comments:trains", first.cursor, session)[0]
    assert [post.text for post in first.posts] + rest == [f"late {number}" for number in range(250)]


def test_a_newest_item_that_was_removed_does_not_look_like_nothing_new(
    reddit: Any, brand: Account, session: GuardedSession
) -> None:
    cursor = started(brand, session)
    gone = reddit.comment(COMMENTS, "soon removed", ago=30)
    cursor = read(brand, "comments:trains", cursor, session)[1]
    reddit.lists[COMMENTS] = [each for each in reddit.lists[COMMENTS] if each["data"]["name"] != gone]
    reddit.comment(COMMENTS, "after it")
    assert read(brand, "comments:trains", cursor, session)[0] == ["after it"]


def test_an_item_that_is_removed_between_two_pages_does_not_end_the_list(
    reddit: Any, brand: Account, session: GuardedSession
) -> None:
    cursor = started(brand, session)
    for number in range(250):
        reddit.comment(COMMENTS, f"late {number}", ago=300 - number)
    reddit.vanishing = [reddit.lists[COMMENTS][99]["data"]["name"]]
    assert read(brand, "comments:trains", cursor, session)[0] == [f"late {number}" for number in range(250)]


def test_a_list_that_ends_before_the_last_look_leaves_a_gap(
    reddit: Any, brand: Account, session: GuardedSession
) -> None:
    long_ago = dt.datetime.now(dt.UTC).timestamp() - 90_000
    for number in range(1_200):
        reddit.comment(COMMENTS, f"late {number}", ago=80_000 - number)
    texts, cursor, pages = read(brand, "comments:trains", json.dumps({"created": long_ago}), session)
    assert texts == [f"late {number}" for number in range(200, 1_200)]
    gap = pages[0].gap
    assert gap is not None
    assert "newest thousand" in gap.reason
    assert gap.since is not None
    assert gap.until is not None
    assert gap.since < gap.until
    assert all(page.gap is None for page in read(brand, "comments:trains", cursor, session)[2])


def test_the_first_look_takes_the_newest_and_says_so(reddit: Any, brand: Account, session: GuardedSession) -> None:
    for number in range(350):
        reddit.comment(COMMENTS, f"early {number}", ago=5_000 - number)
    texts, _, pages = read(brand, "comments:trains", "", session)
    assert texts == [f"early {number}" for number in range(150, 350)]
    assert [page.gap is not None for page in pages] == [True, False]


def test_what_a_moderator_releases_late_is_not_lost(reddit: Any, brand: Account, session: GuardedSession) -> None:
    cursor = started(brand, session)
    reddit.comment(COMMENTS, "newest", ago=10)
    cursor = read(brand, "comments:trains", cursor, session)[1]
    reddit.comment(COMMENTS, "released", ago=200)
    assert read(brand, "comments:trains", cursor, session)[0] == ["released"]


def test_edits_come_again_and_deletions_are_told(reddit: Any, brand: Account, session: GuardedSession) -> None:
    cursor = started(brand, session)
    edited, deleted, removed = (reddit.comment(COMMENTS, f"one {number}", ago=50 - number) for number in range(3))
    cursor = read(brand, "comments:trains", cursor, session)[1]
    reddit.find(edited).update(body="two", body_html="<p>two</p>", edited=dt.datetime.now(dt.UTC).timestamp())
    reddit.find(deleted).update(author="[deleted]", body="[deleted]", body_html="<p>[deleted]</p>")
    reddit.find(removed).update(body="[removed]")
    _, cursor, pages = read(brand, "comments:trains", cursor, session)
    page = next(page for page in pages if page.posts)
    assert [(post.id, post.text, post.edited_at is not None) for post in page.posts] == [(edited, "two", True)]
    assert sorted(page.deleted) == sorted([deleted, removed])
    assert read(brand, "comments:trains", cursor, session)[2][0].posts == ()


def test_items_that_left_the_list_are_asked_for_by_name_once_an_hour(
    reddit: Any, brand: Account, session: GuardedSession
) -> None:
    cursor = started(brand, session)
    name = reddit.comment(COMMENTS, "stays", ago=30)
    cursor = read(brand, "comments:trains", cursor, session)[1]
    thing = reddit.lists[COMMENTS].pop()
    thing["data"]["body"] = "[removed]"
    reddit.lists["/elsewhere"] = [thing]
    assert read(brand, "comments:trains", cursor, session)[2][-1].deleted == ()
    later = dt.datetime.now(dt.UTC) + dt.timedelta(hours=2)
    pages = list(pull_pages(brand, "comments:trains", cursor, session, lambda: later))
    assert pages[-1].deleted == (name,)


def test_the_inbox_holds_answers_mentions_and_messages(reddit: Any, brand: Account, session: GuardedSession) -> None:
    cursor = started(brand, session, "inbox")
    reddit.message("/message/inbox", "where is it?", ago=3)
    reddit.comment("/message/inbox", "hey u/brand look", ago=2, permalink=None, link_id=None, was_comment=True,
                   context="/r/trains/comments/p9/late/c7/?context=3", subject="username mention")  # fmt: skip
    posts = [post for page in read(brand, "inbox", cursor, session)[2] for post in page.posts]
    assert [(post.kind, post.visibility) for post in posts] == [("message", "direct"), ("comment", "public")]
    assert posts[0].text == "My bag\n\nwhere is it?"
    assert (posts[1].thread, posts[1].mentions) == ("t3_p9", ("brand",))
    assert posts[1].url == "https://www.reddit.com/r/trains/comments/p9/late/c7/"


def test_a_search_and_the_posts_of_a_subreddit_are_read(reddit: Any, brand: Account, session: GuardedSession) -> None:
    reddit.topic("/search", "A late train")
    assert read(brand, "search:late train", "", session)[0] == ["A late train"]
    assert reddit.asked[0][1]["q"] == "late train"
    reddit.topic(
        "/r/trains/new", "Hello", selftext="**Bold** words", selftext_html="<p><strong>Bold</strong> words</p>"
    )
    assert read(brand, "posts:trains", "", session)[0] == ["Hello\n\nBold words"]


def test_what_we_said_is_known_as_ours(reddit: Any, brand: Account, session: GuardedSession) -> None:
    reddit.comment("/user/brand/overview", "from the phone", author="Brand")
    posts = read(brand, "own", "", session)[2][0].posts
    assert [(post.text, post.author.ours) for post in posts] == [("from the phone", True)]


def test_the_limit_is_obeyed_before_reddit_has_to_refuse(reddit: Any, brand: Account, session: GuardedSession) -> None:
    reddit.headers = ("x-ratelimit-remaining: 0.0", "x-ratelimit-reset: 123")
    reddit.comment(COMMENTS, "still arrives")
    pages = pull_pages(brand, "comments:trains", "", session)
    assert [post.text for post in next(pages).posts] == ["still arrives"]
    with pytest.raises(RetryLater) as waiting:
        next(pages)
    assert waiting.value.after == 123


REFUSALS = [
    ("401 Unauthorized", {"message": "Unauthorized", "error": 401}, (), Reauthorise, None),
    ("403 Forbidden", {"message": "Forbidden", "reason": "private", "error": 403}, (), GiveUp, None),
    ("403 Forbidden", {"explanation": "insufficient scope"}, (), Reauthorise, None),
    ("404 Not Found", {"message": "Not Found", "reason": "banned"}, (), GiveUp, None),
    ("429 Too Many Requests", {"message": "Too Many Requests"}, ("x-ratelimit-reset: 77",), RetryLater, 77),
    ("429 Too Many Requests", {}, ("Retry-After: 5",), RetryLater, 5),
    ("429 Too Many Requests", {}, (), RetryLater, 60),
    ("503 Service Unavailable", {}, (), RetryLater, None),
    ("200 OK", {"odd": 1}, (), RetryLater, None),
]


@pytest.mark.parametrize(("status", "body", "headers", "error", "after"), REFUSALS)
def test_refusals_say_what_to_do_next(
    reddit: Any, brand: Account, session: GuardedSession, status: str, body: Any, headers: tuple[str, ...],
    error: type[Exception], after: float | None,
) -> None:  # fmt: skip
    reddit.refuse(COMMENTS, status, body, *headers)
    with pytest.raises(error) as refused:
        read(brand, "comments:trains", "", session)
    assert getattr(refused.value, "after", None) == after


def test_one_thing_that_cannot_be_read_does_not_spoil_the_page(
    reddit: Any, brand: Account, session: GuardedSession
) -> None:
    cursor = started(brand, session)
    broken = reddit.comment(COMMENTS, "x", ago=5)
    reddit.find(broken).update(body=None, body_html=None)
    reddit.comment(COMMENTS, "fine")
    texts, cursor, pages = read(brand, "comments:trains", cursor, session)
    assert texts == ["fine"]
    assert pages[0].rejected == (f"{broken}: text: is missing",)
    assert read(brand, "comments:trains", cursor, session)[2][0].rejected == ()


def test_a_stream_or_a_cursor_that_makes_no_sense_is_refused(brand: Account, session: GuardedSession) -> None:
    for stream, cursor in (("nonsense", ""), ("posts:", ""), ("inbox", "nonsense"), ("inbox", "[]")):
        with pytest.raises(InvalidInput):
            list(pull_pages(brand, stream, cursor, session))


def test_a_cursor_in_the_future_is_read_anew_and_says_so(reddit: Any, brand: Account, session: GuardedSession) -> None:
    reddit.comment(COMMENTS, "now")
    future = json.dumps({"created": dt.datetime.now(dt.UTC).timestamp() + 10 * 86_400})
    texts, _, pages = read(brand, "comments:trains", future, session)
    assert texts == ["now"]
    assert pages[0].gap is not None


def test_the_streams_of_an_account_follow_its_settings(brand: Account) -> None:
    assert streams_of(brand) == ("inbox", "own", "sent", "posts:trains", "comments:trains", "search:late train")


@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_lost_whatever_is_cut_refused_or_removed(
    reddit: Any, brand: Account, session: GuardedSession, seed: int
) -> None:
    dice = random.Random(seed)
    cursor = started(brand, session)
    wanted: list[str] = []
    got: list[str] = []
    for _ in range(25):
        for _ in range(dice.choice([0, 1, 5, 60, 130])):
            wanted.append(reddit.comment(COMMENTS, f"late {len(wanted)}"))
        if wanted and dice.random() < 0.5:  # whatever is newest, or between two pages, is removed
            reddit.vanishing = dice.sample(
                [each["data"]["name"] for each in reddit.lists[COMMENTS]], min(20, len(wanted))
            )
        if dice.random() < 0.3:
            reddit.refuse(COMMENTS, dice.choice(["503 Service Unavailable", "429 Too Many Requests"]))
        with contextlib.suppress(RetryLater):
            for page in itertools.islice(
                pull_pages(brand, "comments:trains", cursor, session), dice.choice([1, 2, 50])
            ):
                got += [post.id for post in page.posts]
                cursor = page.cursor
                assert page.gap is None
    reddit.vanishing = []
    reddit.faults.clear()
    for _ in range(3):
        pages = read(brand, "comments:trains", cursor, session)[2]
        got += [post.id for page in pages for post in page.posts]
        cursor = pages[-1].cursor
    assert pages[0].posts == (), "what was read is not read again and again"
    assert set(got) == set(wanted)
