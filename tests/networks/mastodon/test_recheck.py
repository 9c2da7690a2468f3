"""Looking at stored posts again against a real Mastodon API server."""

from __future__ import annotations

from rapport.networks.base import Account, Rechecked
from rapport.networks.http import GuardedSession
from rapport.networks.mastodon.recheck import MOST, recheck_posts
from servers import MastodonServer


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
