"""Reading a page from what stands in for the Graph API, so that nothing is missed between two reads."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

import facebook_payloads as told
from graph_server import ANN, NOON, PAGE, V, at, error, listing
from rapport.core.errors import GiveUp, InvalidInput, Reauthorise, RetryLater
from rapport.core.post import Post
from rapport.networks.base import Account, Page
from rapport.networks.facebook.parse import COMMENT_FIELDS
from rapport.networks.facebook.pull import pull_pages
from rapport.networks.http import GuardedSession
from stand_in import StandIn, Told

FEED, TAGGED, TALKS = f"{V}/{PAGE}/feed", f"{V}/{PAGE}/tagged", f"{V}/{PAGE}/conversations"
READ_BEFORE = json.dumps({"at": (NOON - dt.timedelta(minutes=30)).isoformat()})


def read(account: Account, session: GuardedSession, cursor: str = READ_BEFORE, stream: str = "comments") -> list[Page]:
    return list(pull_pages(account, stream, cursor, session, NOON))


def posts_of(pages: list[Page]) -> list[Post]:
    return [post for page in pages for post in page.posts]


def test_one_request_reads_posts_with_their_comments_oldest_first(
    graph: StandIn, page: Account, session: GuardedSession
) -> None:
    answer = told.comment(502, 3, parent={"id": "900001_501"})
    graph.say("GET", FEED, listing(told.post(minutes=20, comments=listing(answer, told.comment(501, 5)))))
    pages = read(page, session)
    post, comment, reply = posts_of(pages)
    assert len(graph.calls) == 1
    assert "filter(stream).order(reverse_chronological)" in graph.calls[0].query["fields"]
    assert (post.id, post.author.ours, post.media[0].alt) == (told.POST_ID, True, "A green bus")
    assert (comment.text, comment.mentions, comment.metrics.likes) == ("Where is my parcel, @Fernway?", ("Fernway",), 2)
    assert comment.media[0].url == "https://scontent.example/1.jpg"
    assert (reply.in_reply_to, reply.thread) == (comment.id, comment.id)
    assert [pages[-1].gap, pages[-1].more] == [None, False]


def test_a_second_read_asks_down_to_the_first_and_a_quiet_page_proves_that_it_was_read(
    graph: StandIn, page: Account, session: GuardedSession
) -> None:
    graph.say("GET", FEED, listing(told.post(comments=listing(told.comment(501, 5)))))
    cursor = read(page, session)[-1].cursor
    later = NOON + dt.timedelta(minutes=20)
    [again] = pull_pages(page, "comments", cursor, session, later)
    assert (again.posts, again.gap) == ((), None)
    assert json.loads(again.cursor)["at"] == json.loads(cursor)["at"]


def test_a_new_page_gets_the_newest_and_is_told_that_there_was_more(
    graph: StandIn, page: Account, session: GuardedSession
) -> None:
    graph.say("GET", FEED, listing(told.post(comments=listing(told.comment(), after="deeper"))))
    [first] = read(page, session, "")
    assert first.gap is not None
    assert "newest 25 comments" in first.gap.reason
    assert [post.kind for post in first.posts] == ["post", "comment"]


def test_a_burst_under_one_post_is_read_down_to_the_cursor(
    graph: StandIn, page: Account, session: GuardedSession
) -> None:
    newest = [told.comment(number, 1 + (600 - number) / 100) for number in range(600, 575, -1)]
    older = [told.comment(number, 1 + (600 - number) / 100) for number in range(575, 475, -1)]
    last = [told.comment(number, 20 + (475 - number)) for number in range(475, 375, -1)]
    graph.say("GET", FEED, listing(told.post(comments=listing(*newest, after="c1"))))
    graph.say(
        "GET", f"{V}/{told.POST_ID}/comments",
        lambda call: listing(*older, after="c2") if call.query["after"] == "c1" else listing(*last, after="c3"),
    )  # fmt: skip
    pages = read(page, session)
    found = [post.id for post in posts_of(pages)]
    expected = [each["id"] for each in (*newest, *older, *last) if each["created_time"] >= at(40)]
    assert sorted(found) == sorted(expected)
    deeper = graph.asked("GET", f"{V}/{told.POST_ID}/comments")
    assert [call.query["after"] for call in deeper] == ["c1", "c2"]
    assert {call.query["fields"] for call in deeper} == {COMMENT_FIELDS}


def test_after_a_crash_between_two_pages_nothing_is_missed(
    graph: StandIn, page: Account, session: GuardedSession
) -> None:
    many = [told.comment(number, (700 - number) / 20) for number in range(700, 450, -1)]
    graph.say("GET", FEED, listing(told.post(comments=listing(*many))))
    pages = read(page, session)
    assert [p.more for p in pages] == [True, True, False]
    kept = {post.id for post in pages[0].posts}
    again = {post.id for post in posts_of(list(pull_pages(page, "comments", pages[0].cursor, session, NOON)))}
    assert kept | again == {each["id"] for each in many}
    times = [post.created_at for post in posts_of(pages)]
    assert times == sorted(times)


def test_a_page_that_was_asked_a_moment_ago_is_left_in_peace(
    graph: StandIn, page: Account, session: GuardedSession
) -> None:
    cursor = json.dumps({"at": NOON.isoformat(), "looked": (NOON - dt.timedelta(seconds=20)).isoformat()})
    assert (read(page, session, cursor), graph.calls) == ([], [])


@pytest.mark.parametrize(
    ("cursor", "words"),
    [
        ("{broken", "not readable"),
        (json.dumps({"at": (NOON + dt.timedelta(hours=3)).isoformat()}), "future"),
        (json.dumps({"at": "2026-11-21T10:00:00"}), "time zone"),
        (json.dumps({"at": 7}), "not readable"),
    ],
)
def test_a_cursor_that_cannot_be_right_is_said_and_the_newest_are_read_anew(
    graph: StandIn, page: Account, session: GuardedSession, cursor: str, words: str
) -> None:
    graph.say("GET", FEED, listing(told.post(comments=listing(told.comment()))))
    [first] = read(page, session, cursor)
    assert first.gap is not None
    assert words in first.gap.reason
    assert len(first.posts) == 2


def test_what_cannot_be_read_is_named_and_takes_nothing_with_it(
    graph: StandIn, page: Account, session: GuardedSession
) -> None:
    items = [told.comment(501, 5), {"id": "900001_9", "message": "no time"}, 7, told.comment(502, 4)]
    graph.say("GET", FEED, listing(told.post(minutes=50, comments=listing(*items))))
    [found] = read(page, session)
    assert [post.id for post in found.posts] == ["900001_501", "900001_502"]
    assert len(found.rejected) == 2
    assert "900001_9" in found.rejected[0]


def test_mentions_are_read_down_to_the_cursor(graph: StandIn, page: Account, session: GuardedSession) -> None:
    theirs = {"id": ANN, "name": "Ann Field"}
    one, two, old = (told.post(n, m, **{"from": theirs}) for n, m in ((3, 5), (2, 15), (1, 90)))
    graph.say("GET", TAGGED, listing(one, after="x"), listing(two, old, after="y"))
    pages = read(page, session, stream="mentions")
    assert [post.id for post in posts_of(pages)] == [f"{PAGE}_2", f"{PAGE}_3"]
    assert len(graph.calls) == 2


def test_messages_come_with_names_and_the_ids_that_webhooks_give_them(
    graph: StandIn, page: Account, session: GuardedSession
) -> None:
    graph.say(
        "GET", TALKS,
        listing(told.conversation(told.stored("m_AbC3", 2, PAGE, "We are."), told.stored("m_AbC1", 4)),
                told.conversation(told.stored("m_old", 90), minutes=90, number=2)),
    )  # fmt: skip
    pages = read(page, session, stream="messages")
    theirs, ours = posts_of(pages)
    assert graph.calls[0].query["platform"] == "messenger"
    assert (theirs.id, theirs.author.name, theirs.thread) == (f"dm:{ANN}:m_AbC1", "Ann Field", f"dm:{PAGE}:{ANN}")
    assert (ours.id, ours.author.ours, ours.visibility) == (f"dm:{ANN}:m_AbC3", True, "direct")


def test_a_long_conversation_is_read_down_to_the_cursor(graph: StandIn, page: Account, session: GuardedSession) -> None:
    newest = [told.stored(f"m_{n}", n / 10) for n in range(20)]
    older = [told.stored(f"m_{n}", n / 10) for n in range(20, 70)]
    last = [told.stored("m_70", 8), told.stored("m_71", 60)]
    graph.say("GET", TALKS, listing(told.conversation(*newest, after="n1")))
    graph.say("GET", f"{V}/t_1/messages", listing(*older, after="n2"), listing(*last, after="n3"))
    pages = read(page, session, stream="messages")
    assert len(posts_of(pages)) == 71
    assert [call.query["after"] for call in graph.asked("GET", f"{V}/t_1/messages")] == ["n1", "n2"]


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("answer", "kind", "words", "after"),
    [
        (Told(400, error(190, 463)), Reauthorise, "expired", None),
        (Told(400, error(190, 460)), Reauthorise, "password", None),
        (Told(400, error(190, 458)), Reauthorise, "removed", None),
        (Told(400, error(190, 9999)), Reauthorise, "Connect the account again", None),
        (Told(401, error(102)), Reauthorise, "ended", None),
        (Told(400, error(4), {"X-App-Usage": '{"call_count":100,"total_time":20}'}), RetryLater, "4", None),
        (
            Told(400, error(32), {"X-Business-Use-Case-Usage": json.dumps({PAGE: [
                {"type": "pages", "call_count": 101, "total_cputime": 1, "total_time": 1,
                 "estimated_time_to_regain_access": 19}]})}),
            RetryLater, "32", 19 * 60,
        ),
        (Told(400, error(17)), RetryLater, "17", None),
        (Told(400, error(613)), RetryLater, "613", None),
        (Told(400, error(80001)), RetryLater, "80001", None),
        (Told(400, error(613), {"Retry-After": "7"}), RetryLater, "613", 7),
        (Told(429, b"slow down", {"Retry-After": "9"}), RetryLater, "429", 9),
        (Told(500, error(1)), RetryLater, "1", None),
        (Told(503, error(2, is_transient=True)), RetryLater, "2", None),
        (Told(200, error(2)), RetryLater, "2", None),
        (Told(502, b"<html>bad gateway</html>"), RetryLater, "502", None),
        (Told(403, error(10)), GiveUp, "right is missing", None),
        (Told(403, error(200)), GiveUp, "connect again", None),
        (Told(400, error(100, 33)), GiveUp, "100/33", None),
        (Told(400, error(368)), GiveUp, "support inbox", None),
        (Told(404, b""), GiveUp, "404", None),
        (Told(200, b"\xff not json"), RetryLater, "readable", None),
        (Told(200, b"[]"), RetryLater, "readable", None),
    ],
)  # fmt: skip
def test_every_refusal_says_what_to_do_next(
    graph: StandIn, page: Account, session: GuardedSession, answer: Told, kind: type[Exception], words: str, after: Any
) -> None:
    graph.say("GET", FEED, answer)
    with pytest.raises(kind, match=words) as failure:
        read(page, session)
    assert getattr(failure.value, "after", None) == after


def test_when_all_is_used_the_answer_still_counts_and_the_next_question_waits(
    graph: StandIn, page: Account, session: GuardedSession
) -> None:
    usage = {"X-App-Usage": '{"call_count":100,"total_time":20,"total_cputime":9}'}
    graph.say("GET", FEED, Told(200, listing(told.post(comments=listing(told.comment()))), usage))
    assert len(posts_of(read(page, session))) == 1
    graph.say("GET", FEED, Told(200, listing(told.post(comments=listing(told.comment(), after="more"))), usage))
    with pytest.raises(RetryLater) as failure:
        read(page, session)
    assert failure.value.after == 900
    assert len(graph.calls) == 2


def test_a_stream_that_there_is_not_is_refused(page: Account, session: GuardedSession) -> None:
    with pytest.raises(InvalidInput):
        read(page, session, stream="stories")


def test_a_pull_never_asks_without_end_and_says_what_it_left_out(
    graph: StandIn, page: Account, session: GuardedSession
) -> None:
    posts = [told.post(number, comments=listing(told.comment(number, 1), after="c")) for number in range(10)]
    graph.say("GET", FEED, listing(*posts))
    for number in range(10):
        graph.say("GET", f"{V}/{PAGE}_{number}/comments", listing(told.comment(number, 1), after="c"))
    [read_so_far] = read(page, session)
    assert len(graph.calls) == 100
    assert read_so_far.gap is not None
    assert "older ones were not read" in read_so_far.gap.reason


def test_an_id_that_would_lead_elsewhere_is_never_asked_for(
    graph: StandIn, page: Account, session: GuardedSession
) -> None:
    hostile = told.post(comments=listing(told.comment(), after="c")) | {"id": "../../oauth/access_token?x="}
    graph.say("GET", FEED, listing(hostile))
    assert [post.kind for post in posts_of(read(page, session))] == ["comment"]
    assert len(graph.calls) == 1
