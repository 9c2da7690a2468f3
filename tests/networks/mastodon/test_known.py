"""What happened to posts while nobody listened: edited, deleted, their authors taken down or back."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable

import msgspec
import pytest

from rapport.networks.base import Account, Page
from rapport.networks.http import GuardedSession
from rapport.networks.mastodon.known import MOST_KNOWN, Known, look_again, remember
from rapport.networks.mastodon.pull import look_at_known, pull_pages
from rapport.networks.mastodon.stream import listen
from rapport.networks.mastodon.wire import Wire
from servers import MastodonServer
from wires import Caller, byte_server


class Stopped(Exception):
    """What `pause` raises to end a stream."""


def stop_when_quiet(_seconds: float) -> None:
    """Called at the first heartbeat: all that was missed has been told by then."""
    raise Stopped


def newest(account: Account, session: GuardedSession) -> str:
    return list(pull_pages(account, "notifications", "", session))[-1].cursor


def on_reconnect(account: Account, cursor: str, session: GuardedSession) -> list[Page]:
    pages: list[Page] = []
    with contextlib.suppress(Stopped):
        pages.extend(listen(account, {"notifications": cursor}, session, stop_when_quiet))
    return pages


def test_edits_and_deletions_of_the_time_without_a_line_are_told_when_it_is_back(
    mastodon: MastodonServer, brand: Account, session: GuardedSession
) -> None:
    kept, gone = mastodon.post("ann", "@brand mistkae"), mastodon.post("ann", "@brand take this back")
    cursor = newest(brand, session)
    mastodon.call("PUT", f"/api/v1/statuses/{kept['id']}", "ann", data={"status": "@brand mistake"})
    mastodon.call("DELETE", f"/api/v1/statuses/{gone['id']}", "ann")
    pages = on_reconnect(brand, cursor, session)
    told = [(post.id, post.text) for page in pages for post in page.posts if post.edited_at]
    assert (kept["id"], "@brand mistake") in told
    assert gone["id"] in [each for page in pages for each in page.deleted]
    again = on_reconnect(brand, pages[-1].cursor, session)
    assert not any(page.posts or page.deleted for page in again)


def test_an_author_who_was_taken_down_is_hidden_and_shown_again_when_back(
    mastodon: MastodonServer, brand: Account, session: GuardedSession
) -> None:
    mastodon.post("colleague", "@brand words of somebody who breaks the rules")
    cursor = newest(brand, session)
    path = f"/api/v1/admin/accounts/{mastodon.ids['colleague']}"
    key = f"colleague@{mastodon.authority}"
    mastodon.call("POST", f"{path}/action", "brand", json={"type": "suspend"})
    try:
        (page,) = look_at_known(brand, cursor, session)
        assert (page.suspended, page.deleted) == ((key,), ())
        (again,) = look_at_known(brand, page.cursor, session)
        assert again.suspended == ()
    finally:
        mastodon.call("POST", f"{path}/unsuspend", "brand")
    (back,) = look_at_known(brand, again.cursor, session)
    assert back.restored == (key,)


def test_every_ten_minutes_a_plain_read_looks_at_all_that_is_known(
    mastodon: MastodonServer, brand: Account, session: GuardedSession
) -> None:
    mastodon.post("ann", "@brand stays")
    long_ago = json.dumps(json.loads(newest(brand, session)) | {"looked": 1})
    pages = list(pull_pages(brand, "notifications", long_ago, session))
    assert json.loads(pages[-1].cursor)["looked"] > 1


def test_every_read_finds_what_became_of_the_newest_posts(
    mastodon: MastodonServer, brand: Account, session: GuardedSession
) -> None:
    # the stream tells of an edit only those who follow its author
    said, gone = mastodon.post("ann", "@brand my blue tent"), mastodon.post("ann", "@brand soon gone")
    cursor = newest(brand, session)
    assert not any(page.posts or page.deleted for page in pull_pages(brand, "notifications", cursor, session))
    mastodon.call("PUT", f"/api/v1/statuses/{said['id']}", "ann", data={"status": "@brand my green tent"})
    mastodon.call("DELETE", f"/api/v1/statuses/{gone['id']}", "ann")
    [page] = [page for page in pull_pages(brand, "notifications", cursor, session) if page.posts]
    [post] = page.posts
    assert (post.id, post.edited_at is not None) == (said["id"], True)
    assert "green" in post.text
    assert page.deleted == (gone["id"],)
    assert not any(each.posts or each.deleted for each in pull_pages(brand, "notifications", page.cursor, session))


# ---------------------------------------------------------------- servers that behave in other ways

ANN = Known("5", "9", "ann@s.example")


def answering(statuses: dict[str, object], accounts: dict[str, str], batches: bytes) -> Callable[[Caller], None]:
    """`accounts`: id -> status line of its answer; `batches`: what a list of ids is answered with."""

    def answer(caller: Caller) -> None:
        path, _, _ = caller.path.partition("?")
        kind, _, identifier = path.removeprefix("/api/v1/").partition("/")
        if kind == "statuses" and not identifier:
            caller.send("404 x" if batches == b"" else "200 OK", batches)
        elif kind == "statuses":
            found = statuses.get(identifier)
            caller.send("200 OK" if found else "404 x", json.dumps(found).encode() if found else b"")
        else:
            caller.send(accounts.get(identifier, "200 OK"), json.dumps({"id": identifier}).encode())

    return answer


def status(**fields: object) -> dict[str, object]:
    return {
        "id": "5", "created_at": "2026-11-21T10:00:00Z", "content": "<p>x</p>", "account": {"id": "9", "acct": "ann"},
    } | fields  # fmt: skip


@pytest.mark.parametrize("batches", [b"", b"[]", b"{}"])
def test_a_server_that_knows_no_lists_of_ids_deletes_nothing_by_that(batches: bytes) -> None:
    with (
        byte_server(answering({"5": status()}, {}, batches)) as server,
        GuardedSession(allow={server.authority}) as session,
    ):
        changes = look_again(Wire(server.url, "t", session), [ANN])
    assert (changes.deleted, changes.known, changes.edited) == ([], [ANN], [])


def test_more_than_can_be_asked_for_one_by_one_stays_as_it_is() -> None:
    known = [msgspec.structs.replace(ANN, id=str(number)) for number in range(MOST_KNOWN)]
    with byte_server(answering({}, {}, b"")) as server, GuardedSession(allow={server.authority}) as session:
        changes = look_again(Wire(server.url, "t", session), known)
    assert changes.deleted == [str(number) for number in range(20, MOST_KNOWN)]
    assert changes.known == known[:20]


@pytest.mark.parametrize("answer", ["404 x", "410 Gone"])
def test_an_account_that_is_gone_is_hidden_and_its_posts_are_not_called_deleted(answer: str) -> None:
    with (
        byte_server(answering({}, {"9": answer}, b"[]")) as server,
        GuardedSession(allow={server.authority}) as session,
    ):
        changes = look_again(Wire(server.url, "t", session), [ANN])
    assert (changes.suspended, changes.deleted) == (["ann@s.example"], [])
    assert changes.known[0].hidden


def test_a_notification_of_a_suspended_author_brings_no_post() -> None:
    told = [{"id": "7", "type": "mention", "status": status(account={"id": "9", "acct": "ann", "suspended": True})}]
    answers = iter([json.dumps(told).encode(), b"[]"])
    with (
        byte_server(lambda caller: caller.send("200 OK", next(answers))) as server,
        GuardedSession(allow={server.authority}) as session,
    ):
        account = Account(channel=1, server=server.url, handle="b", account_id="1", token="t")
        (page,) = pull_pages(account, "notifications", "", session)
    assert (page.posts, page.suspended) == ((), ("ann@127.0.0.1",))


def test_what_is_remembered_is_bounded_and_each_once() -> None:
    known = remember([], *(msgspec.structs.replace(ANN, id=str(number % 60)) for number in range(130)))
    assert len(known) == MOST_KNOWN
    assert [entry.id for entry in known[-2:]] == ["8", "9"]
    assert len({entry.id for entry in known}) == MOST_KNOWN
