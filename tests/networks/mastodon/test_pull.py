"""Reading from a real Mastodon API server: nothing is lost between two reads."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from rapport.core.errors import GiveUp, InvalidInput, Reauthorise, RetryLater
from rapport.networks.base import Account, Page
from rapport.networks.http import GuardedSession
from rapport.networks.mastodon.pull import FIRST_PULL, PAGE_SIZE, pull_pages, streams_of
from servers import MastodonServer
from wires import Caller, byte_server


def read(account: Account, stream: str, cursor: str, session: GuardedSession) -> tuple[list[str], str, list[Page]]:
    """Every text of a pull in order, the last cursor, and the pages."""
    pages = list(pull_pages(account, stream, cursor, session))
    return [post.text for page in pages for post in page.posts], pages[-1].cursor, pages


def test_mentions_come_in_order_over_several_pages_and_once(
    mastodon: MastodonServer, brand: Account, session: GuardedSession
) -> None:
    _, cursor, _ = read(brand, "notifications", "", session)
    for number in range(PAGE_SIZE * 2 + 15):
        mastodon.post("ann", f"@brand message {number}")
    texts, cursor, pages = read(brand, "notifications", cursor, session)
    assert texts == [f"@brand message {number}" for number in range(PAGE_SIZE * 2 + 15)]
    assert len([page for page in pages if page.posts]) == 3
    assert [page.more for page in pages] == [True, True, True, False]
    texts, _, pages = read(brand, "notifications", cursor, session)
    assert (texts, len(pages)) == ([], 1)


def test_a_read_that_was_cut_off_goes_on_from_any_of_its_pages(
    mastodon: MastodonServer, brand: Account, session: GuardedSession
) -> None:
    _, cursor, _ = read(brand, "notifications", "", session)
    for number in range(PAGE_SIZE + 5):
        mastodon.post("ann", f"@brand piece {number}")
    first = next(pull_pages(brand, "notifications", cursor, session))
    rest, _, _ = read(brand, "notifications", first.cursor, session)
    assert [post.text for post in first.posts] + rest == [f"@brand piece {number}" for number in range(PAGE_SIZE + 5)]


def test_a_server_that_fails_in_the_middle_costs_nothing(
    mastodon: MastodonServer, brand: Account, session: GuardedSession
) -> None:
    _, cursor, _ = read(brand, "notifications", "", session)
    for number in range(PAGE_SIZE + 1):
        mastodon.post("ann", f"@brand part {number}")
    pages = pull_pages(brand, "notifications", cursor, session)
    first = next(pages)
    mastodon.fault("/api/v1/notifications", {"type": "status", "status": 502}, methods=("GET",))
    with pytest.raises(RetryLater):
        next(pages)
    rest, _, _ = read(brand, "notifications", first.cursor, session)
    assert rest == [f"@brand part {PAGE_SIZE}"]


def test_the_first_read_takes_the_newest_and_says_so(
    mastodon: MastodonServer, brand: Account, session: GuardedSession
) -> None:
    for number in range(FIRST_PULL + 10):
        mastodon.post("ben", f"early bird {number} #firstread")
    texts, cursor, pages = read(brand, "hashtag:firstread", "", session)
    assert texts == [f"early bird {number} #firstread" for number in range(10, FIRST_PULL + 10)]
    assert [page.gap is not None for page in pages] == [True, False, False, False, False]
    mastodon.post("ben", "late bird #firstread")
    assert read(brand, "hashtag:firstread", cursor, session)[0] == ["late bird #firstread"]


def test_an_empty_stream_loses_nothing_of_the_burst_after_it(
    mastodon: MastodonServer, brand: Account, session: GuardedSession
) -> None:
    texts, cursor, pages = read(brand, "hashtag:quiet", "", session)
    assert (texts, len(pages)) == ([], 1)
    for number in range(FIRST_PULL + 10):
        mastodon.post("ben", f"burst {number} #quiet")
    assert len(read(brand, "hashtag:quiet", cursor, session)[0]) == FIRST_PULL + 10


def test_a_direct_message_and_what_was_said_before_it_come_in(
    mastodon: MastodonServer, brand: Account, session: GuardedSession
) -> None:
    _, cursor, _ = read(brand, "conversations", "", session)
    first = mastodon.post("ann", "@brand secret one", visibility="direct")
    mastodon.post("ann", "@brand secret two", visibility="direct", in_reply_to_id=first["id"])
    pages = read(brand, "conversations", cursor, session)[2]
    posts = [post for page in pages for post in page.posts]
    assert [post.text for post in posts] == ["@brand secret one", "@brand secret two"]
    assert {post.kind for post in posts} == {"message"}
    assert posts[1].in_reply_to == first["id"]


def test_our_own_posts_are_read_and_known_as_ours(
    mastodon: MastodonServer, brand: Account, session: GuardedSession
) -> None:
    _, cursor, _ = read(brand, "own", "", session)
    mastodon.post("brand", "from the phone")
    posts = [post for page in pull_pages(brand, "own", cursor, session) for post in page.posts]
    assert [(post.text, post.author.ours) for post in posts] == [("from the phone", True)]
    mention = mastodon.post("ann", "@brand x")
    found = [post for page in pull_pages(brand, "notifications", "", session) for post in page.posts]
    assert [post.author.ours for post in found if post.id == mention["id"]] == [False]
    assert brand.handle in next(post.mentions for post in found if post.id == mention["id"])


def test_refusals_say_what_to_do_next(mastodon: MastodonServer, brand: Account, session: GuardedSession) -> None:
    path = "/api/v1/notifications"
    effect = {"type": "ratelimit", "headers": {"Retry-After": "42"}}
    mastodon.fault(path, effect, methods=("GET",))
    with pytest.raises(RetryLater) as waiting:
        read(brand, "notifications", "", session)
    assert waiting.value.after == 42
    for status, error in (
        (401, Reauthorise),
        (403, GiveUp),
        (404, GiveUp),
        (410, GiveUp),
        (500, RetryLater),
        (504, RetryLater),
    ):
        mastodon.fault(path, {"type": "status", "status": status}, methods=("GET",))
        with pytest.raises(error):
            read(brand, "notifications", "", session)
    body = {"error": "Your login is currently disabled"}
    mastodon.fault(path, {"type": "status", "status": 403, "body": body}, methods=("GET",))
    with pytest.raises(Reauthorise):
        read(brand, "notifications", "", session)
    mastodon.fault(path, {"type": "malformed"}, methods=("GET",))
    with pytest.raises(RetryLater):
        read(brand, "notifications", "", session)


def test_a_stream_or_a_cursor_that_makes_no_sense_is_refused(brand: Account, session: GuardedSession) -> None:
    for stream, cursor in (("nonsense", ""), ("hashtag:", ""), ("notifications", "nonsense"), ("notifications", "[]")):
        with pytest.raises(InvalidInput):
            read(brand, stream, cursor, session)


def test_the_streams_of_an_account_follow_its_settings() -> None:
    plain = Account(channel=1, server="https://s.example", handle="b", account_id="1", token="t")
    assert streams_of(plain) == ("notifications", "conversations", "own")
    chosen = Account(
        channel=1, server="https://s.example", handle="b", account_id="1", token="t",
        settings={"hashtags": ["#delay", "trains"], "home": True},
    )  # fmt: skip
    assert streams_of(chosen)[3:] == ("home", "hashtag:delay", "hashtag:trains")


# ---------------------------------------------------------------- servers that behave in other ways


def timeline(ids: list[int], broken: set[int] = frozenset()) -> Callable[[Caller], None]:  # type: ignore[assignment]
    """A hashtag timeline with these ids; `broken` ones have no author."""

    def answer(caller: Caller) -> None:
        asked = dict(pair.split("=") for pair in caller.path.partition("?")[2].split("&") if pair)
        floor = int(asked.get("min_id", "-1"))
        found = sorted(number for number in ids if number > floor)[: int(asked["limit"])]
        items = [
            {
                "id": str(number),
                "created_at": "2026-11-21T10:00:00Z",
                "content": f"<p>{number}</p>",
                "account": None if number in broken else {"id": "1", "acct": "ann"},
            }
            for number in reversed(found)
        ]
        caller.send("200 OK", json.dumps(items).encode())

    return answer


def on(authority: str) -> Account:
    return Account(channel=1, server=f"http://{authority}", handle="b", account_id="1", token="t")


def test_a_late_post_of_another_server_is_found_below_the_cursor() -> None:
    minute = 60_000 << 16
    newest = 115_000_000_000_000_000
    ids = [newest - 60 * minute, newest]
    with byte_server(timeline(ids)) as server, GuardedSession(allow={server.authority}) as session:
        cursor = json.dumps({"id": str(newest)})
        ids.append(newest - 5 * minute)  # written five minutes ago, came just now
        texts, after, _ = read(on(server.authority), "hashtag:x", cursor, session)
        assert str(newest - 5 * minute) in texts
        assert str(newest - 60 * minute) not in texts
        assert json.loads(after)["id"] == str(newest)


def test_a_post_that_cannot_be_read_is_told_and_does_not_stop_the_stream() -> None:
    with (
        byte_server(timeline([10, 11, 12], broken={11})) as server,
        GuardedSession(allow={server.authority}) as session,
    ):
        texts, cursor, pages = read(on(server.authority), "hashtag:x", '{"id":"9"}', session)
        assert (texts, json.loads(cursor)["id"]) == (["10", "12"], "12")
        assert "11" in pages[0].rejected[0]


def test_a_server_that_cannot_page_upwards_is_given_up_instead_of_asked_for_ever() -> None:
    always = json.dumps(
        [{"id": "5", "created_at": "2026-11-21T10:00:00Z", "account": {"id": "1", "acct": "a"}}]
    ).encode()
    with byte_server(lambda caller: caller.send("200 OK", always)) as server:
        with GuardedSession(allow={server.authority}) as session, pytest.raises(GiveUp):
            read(on(server.authority), "hashtag:x", '{"id":"5"}', session)
        assert len(server.callers) == 1


def test_the_token_goes_with_the_request_and_filtered_mentions_are_asked_for() -> None:
    with byte_server(lambda caller: caller.send("200 OK", b"[]")) as server:
        with GuardedSession(allow={server.authority}) as session:
            read(on(server.authority), "notifications", "", session)
        assert server.callers[0].header("Authorization") == "Bearer t"
        assert "include_filtered=true" in server.callers[0].path


def test_a_notification_of_a_suspended_author_brings_no_post() -> None:
    status = {
        "id": "5", "created_at": "2026-11-21T10:00:00Z", "content": "<p>x</p>",
        "account": {"id": "9", "acct": "ann", "suspended": True},
    }  # fmt: skip
    answers = iter([json.dumps([{"id": "7", "type": "mention", "status": status}]).encode(), b"[]"])
    with (
        byte_server(lambda caller: caller.send("200 OK", next(answers))) as server,
        GuardedSession(allow={server.authority}) as session,
    ):
        account = Account(channel=1, server=server.url, handle="b", account_id="1", token="t")
        (page,) = pull_pages(account, "notifications", "", session)
    assert (page.posts, page.suspended) == ((), ("ann@127.0.0.1",))


def test_a_cursor_that_still_holds_what_older_versions_kept_goes_on(
    mastodon: MastodonServer, brand: Account, session: GuardedSession
) -> None:
    _, cursor, _ = read(brand, "notifications", "", session)
    older = json.dumps(json.loads(cursor) | {"known": [["5", "9", "ann@s.example", "", False]], "looked": 1})
    mastodon.post("ann", "@brand after the update")
    assert read(brand, "notifications", older, session)[0] == ["@brand after the update"]
