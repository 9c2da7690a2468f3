"""Looking at stored posts again against a real Mastodon API server."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from rapport.networks.base import Account, Rechecked
from rapport.networks.http import GuardedSession
from rapport.networks.mastodon.recheck import MOST, recheck_posts
from servers import MastodonServer
from wires import Caller, byte_server


def look(mastodon: MastodonServer, brand: Account, session: GuardedSession, *statuses: dict[str, str]) -> Rechecked:
    key = f"ann@{mastodon.authority}"
    return recheck_posts(brand, {str(status["id"]): key for status in statuses}, session)


def test_what_was_edited_or_deleted_while_nobody_listened_is_found(
    mastodon: MastodonServer, brand: Account, session: GuardedSession
) -> None:
    kept, gone, edited = (mastodon.post("ann", f"@brand {word}") for word in ("stands", "goes", "mistkae"))
    mastodon.call("DELETE", f"/api/v1/statuses/{gone['id']}", "ann")
    mastodon.call("PUT", f"/api/v1/statuses/{edited['id']}", "ann", data={"status": "@brand mistake"})
    found = look(mastodon, brand, session, kept, gone, edited)
    assert set(found.standing) == {str(kept["id"]), str(edited["id"])}
    assert found.deleted == (str(gone["id"]),)
    assert [(post.id, post.text) for post in found.changed] == [(str(edited["id"]), "@brand mistake")]


def test_a_whole_batch_is_one_request_while_all_of_it_stands(
    mastodon: MastodonServer, brand: Account, session: GuardedSession
) -> None:
    statuses = [mastodon.post("ann", f"@brand {number}") for number in range(MOST)]
    found = look(mastodon, brand, session, *statuses)
    assert len(found.standing) == MOST
    assert found.unseen == found.deleted == ()


def test_a_server_in_trouble_deletes_nothing(mastodon: MastodonServer, brand: Account, session: GuardedSession) -> None:
    kept = mastodon.post("ann", "@brand stands")
    mastodon.fault("/api/v1/statuses", {"type": "status", "status": 404}, ("GET",), 1)
    mastodon.fault(f"/api/v1/statuses/{kept['id']}", {"type": "status", "status": 404}, ("GET",), 1)
    mastodon.fault("/api/v1/accounts/lookup", {"type": "status", "status": 404}, ("GET",), 2)
    found = look(mastodon, brand, session, kept)
    mastodon.clear_faults()
    assert found.deleted == ()


def test_an_author_who_was_taken_down_is_hidden_and_what_they_said_stands_again_when_back(
    mastodon: MastodonServer, brand: Account, session: GuardedSession
) -> None:
    said = mastodon.post("colleague", "@brand words of somebody who breaks the rules")
    ids = {str(said["id"]): f"colleague@{mastodon.authority}"}
    path = f"/api/v1/admin/accounts/{mastodon.ids['colleague']}"
    mastodon.call("POST", f"{path}/action", "brand", json={"type": "suspend"})
    try:
        found = recheck_posts(brand, ids, session)
        assert (found.hidden, found.deleted) == (tuple(ids), ())
    finally:
        mastodon.call("POST", f"{path}/unsuspend", "brand")
    assert recheck_posts(brand, ids, session).standing == tuple(ids)


def test_what_is_not_shown_of_somebody_who_blocked_us_is_not_called_deleted(
    mastodon: MastodonServer, brand: Account, session: GuardedSession
) -> None:
    said = mastodon.post("ann", "@brand never again")
    mastodon.call("DELETE", f"/api/v1/statuses/{said['id']}", "ann")  # as it looks to those who are blocked
    mastodon.call("POST", f"/api/v1/accounts/{mastodon.ids['brand']}/block", "ann")
    try:
        found = look(mastodon, brand, session, said)
    finally:
        mastodon.call("POST", f"/api/v1/accounts/{mastodon.ids['brand']}/unblock", "ann")
    assert (found.hidden, found.deleted) == ((str(said["id"]),), ())
    assert look(mastodon, brand, session, said).deleted == (str(said["id"]),)


# ---------------------------------------------------------------- servers that behave in other ways

GONE = '{"error": "Record not found"}'


def answering(batches: bytes, statuses: str, author: str = "200 OK", relations: str = "200 OK") -> Callable[..., None]:
    """What lists of ids are answered with (b"": not at all), and the status lines of the other answers."""
    told = {"id": "5", "created_at": "2026-11-21T10:00:00Z", "content": "x", "account": {"id": "9", "acct": "ann"}}

    def answer(caller: Caller) -> None:
        path, _, query = caller.path.removeprefix("/api/v1/").partition("?")
        if path == "statuses":
            caller.send("200 OK" if batches else "404 x", batches)
        elif path == "statuses/5":
            caller.send(statuses, json.dumps(told).encode() if statuses == "200 OK" else GONE.encode())
        elif path == "accounts/lookup":
            line = author if query == "acct=ann" else "200 OK"
            caller.send(line, b'{"id": "9"}' if line == "200 OK" else GONE.encode())
        elif relations == "200 OK":
            caller.send(relations, b'[{"id": "9", "blocked_by": false}]')
        else:
            caller.send(relations, b'{"error": "This action is outside the authorized scopes"}')

    return answer


def told_by(answer: Callable[..., None]) -> Rechecked:
    with byte_server(answer) as server, GuardedSession(allow={server.authority}) as session:
        account = Account(1, server.url, "brand", "1", "t", {"domain": "s.example"})
        return recheck_posts(account, {"5": "ann@s.example"}, session)


@pytest.mark.parametrize("batches", [b"", b"[]", b"{}"])
def test_a_server_that_knows_no_lists_of_ids_is_asked_for_each(batches: bytes) -> None:
    assert told_by(answering(batches, "200 OK")).standing == ("5",)
    assert told_by(answering(batches, "404 x")).deleted == ("5",)


@pytest.mark.parametrize("line", ["404 x", "410 Gone"])
def test_an_account_that_is_gone_is_hidden_and_its_posts_are_not_called_deleted(line: str) -> None:
    found = told_by(answering(b"[]", "404 x", author=line))
    assert (found.hidden, found.deleted) == (("5",), ())


def test_a_token_that_may_not_ask_who_blocked_us_deletes_nothing_and_holds_all_the_same() -> None:
    found = told_by(answering(b"[]", "404 x", relations="403 Forbidden"))
    assert (found.unseen, found.deleted) == (("5",), ())
