"""Reading the rooms of a real homeserver: nothing is lost between two reads."""

from __future__ import annotations

import json

import msgspec
import pytest

from rapport.core.errors import InvalidInput
from rapport.core.post import Post
from rapport.networks.base import Account, Page
from rapport.networks.http import GuardedSession, Limits
from rapport.networks.matrix import pull
from rapport.networks.matrix.pull import FIRST_PULL, pull_pages
from synapse import Synapse, mxid


def read(account: Account, cursor: str, session: GuardedSession) -> tuple[list[Post], str, list[Page]]:
    """Every post of a pull in order, the last cursor, and the pages."""
    pages = list(pull_pages(account, "rooms", cursor, session))
    return [post for page in pages for post in page.posts], pages[-1].cursor, pages


def texts(posts: list[Post]) -> list[str]:
    return [post.text for post in posts]


def test_what_is_said_in_a_room_comes_in_with_who_said_it(
    homeserver: Synapse, brand: Account, room: str, session: GuardedSession
) -> None:
    _, cursor, _ = read(brand, "", session)
    named = {"m.mentions": {"user_ids": [mxid("brand")]}}
    event = homeserver.say("ann", room, "@brand:rapport.test the #delay at https://x.example/a.", **named)
    posts, cursor, _ = read(brand, cursor, session)
    (post,) = posts
    assert (post.network, post.id, post.kind, post.visibility) == ("matrix", f"{room}/{event}", "post", "public")
    assert (post.author.handle, post.author.name, post.author.ours) == ("ann:rapport.test", "Ann", False)
    assert post.mentions == (brand.handle,)
    assert (post.hashtags, post.links) == (("delay",), ("https://x.example/a",))
    assert read(brand, cursor, session)[0] == []


def test_a_reply_and_a_thread_name_what_they_belong_to(
    homeserver: Synapse, brand: Account, room: str, session: GuardedSession
) -> None:
    _, cursor, _ = read(brand, "", session)
    root = homeserver.say("ann", room, "root")
    relation = {"m.relates_to": {"m.in_reply_to": {"event_id": root}}}
    answer = homeserver.say("ann", room, "> <@ann:rapport.test> root\n\nanswer", **relation)
    fallback = {
        "rel_type": "m.thread",
        "event_id": root,
        "is_falling_back": True,
        "m.in_reply_to": {"event_id": answer},
    }
    homeserver.say("brand", room, "in the thread", **{"m.relates_to": fallback})
    posts, _, _ = read(brand, cursor, session)
    assert texts(posts) == ["root", "answer", "in the thread"]
    assert [post.kind for post in posts] == ["post", "reply", "reply"]
    assert [post.in_reply_to for post in posts] == [None, f"{room}/{root}", f"{room}/{root}"]
    assert [post.thread for post in posts] == [None, None, f"{room}/{root}"]
    assert [post.author.ours for post in posts] == [False, False, True]


def test_edits_bring_the_post_again_and_redactions_take_it_down(
    homeserver: Synapse, brand: Account, room: str, session: GuardedSession
) -> None:
    _, cursor, _ = read(brand, "", session)
    event, mistake = homeserver.say("ann", room, "helo"), homeserver.say("ann", room, "mistake")
    before, cursor, _ = read(brand, cursor, session)
    homeserver.edit("ann", room, event, "hello")
    homeserver.redact("ann", room, mistake)
    posts, cursor, pages = read(brand, cursor, session)
    assert [(post.id, post.text) for post in posts] == [(f"{room}/{event}", "hello")]
    assert posts[0].created_at == before[0].created_at
    assert posts[0].edited_at is not None
    assert [gone for page in pages for gone in page.deleted] == [f"{room}/{mistake}"]
    # both happened between two reads: the newest words once, and nothing of what is gone
    early, gone = homeserver.say("ann", room, "frist"), homeserver.say("ann", room, "gone at once")
    homeserver.edit("ann", room, early, "second")
    homeserver.edit("ann", room, early, "third")
    homeserver.redact("ann", room, gone)
    posts, _, pages = read(brand, cursor, session)
    assert texts(posts) == ["third"]
    assert [one for page in pages for one in page.deleted] == [f"{room}/{gone}"]


def test_an_edit_by_somebody_else_counts_for_nothing(
    homeserver: Synapse, brand: Account, room: str, session: GuardedSession
) -> None:
    _, cursor, _ = read(brand, "", session)
    event = homeserver.say("brand", room, "our word")
    homeserver.edit("ann", room, event, "put into our mouth")
    posts, cursor, _ = read(brand, cursor, session)
    assert texts(posts) == ["our word"]
    homeserver.edit("ann", room, event, "and again")
    assert read(brand, cursor, session)[0] == []


def test_a_limited_timeline_is_filled_down_to_the_last_known_event(
    homeserver: Synapse, brand: Account, room: str, session: GuardedSession
) -> None:
    homeserver.say("ann", room, "before")
    _, cursor, _ = read(brand, "", session)
    for number in range(FIRST_PULL + 130):
        homeserver.say("ann", room, f"number {number}")
    posts, cursor, pages = read(brand, cursor, session)
    assert texts(posts) == [f"number {number}" for number in range(FIRST_PULL + 130)]
    assert [page.gap for page in pages] == [None]
    assert read(brand, cursor, session)[0] == []


def test_a_room_that_was_silent_loses_nothing_of_the_burst_after_it(
    homeserver: Synapse, brand: Account, room: str, session: GuardedSession
) -> None:
    _, cursor, _ = read(brand, "", session)
    for number in range(FIRST_PULL + 20):
        homeserver.say("ann", room, f"burst {number}")
    assert texts(read(brand, cursor, session)[0]) == [f"burst {number}" for number in range(FIRST_PULL + 20)]


def test_answers_that_are_too_large_are_asked_for_in_smaller_pieces(
    homeserver: Synapse, brand: Account, room: str, session: GuardedSession
) -> None:
    homeserver.say("ann", room, "before")
    _, cursor, _ = read(brand, "", session)
    wanted = [f"{number} " + "long " * 3000 for number in range(70)]
    for text in wanted:
        homeserver.say("ann", room, text)
    limits = Limits(total=6.0, body=500_000)  # fifty of them are 750,000 bytes
    with GuardedSession(allow={homeserver.authority}, limits=limits) as narrow:
        posts, _, pages = read(brand, cursor, narrow)
    assert texts(posts) == [text.strip() for text in wanted]
    assert all(page.gap is None for page in pages)


def test_what_is_too_much_to_fill_is_said(
    homeserver: Synapse, brand: Account, room: str, session: GuardedSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    homeserver.say("ann", room, "before")
    _, cursor, _ = read(brand, "", session)
    for number in range(FIRST_PULL + 30):
        homeserver.say("ann", room, f"flood {number}")
    monkeypatch.setattr(pull, "MOST_PAGES", 1)
    monkeypatch.setattr(pull, "PAGE_SIZE", 10)
    posts, _, pages = read(brand, cursor, session)
    assert texts(posts) == [f"flood {number}" for number in range(20, FIRST_PULL + 30)]
    assert pages[0].gap is not None
    assert "more than 10 messages were missed" in pages[0].gap.reason
    assert "Support" in pages[0].gap.reason


@pytest.mark.parametrize("since", ["nonsense", "s999999999_1_0_1_1_1_1_5_0_1_1_1_1_1"])
def test_a_token_that_the_server_does_not_know_or_that_lies_ahead_of_it_costs_nothing(
    since: str, homeserver: Synapse, brand: Account, room: str, session: GuardedSession
) -> None:
    homeserver.say("ann", room, "known")
    _, cursor, _ = read(brand, "", session)
    broken = json.dumps(json.loads(cursor) | {"since": since})
    for number in range(FIRST_PULL + 15):
        homeserver.say("ann", room, f"missed {number}")
    posts, cursor, pages = read(brand, broken, session)
    here = [post.text for post in posts if post.id.startswith(room)]
    assert [text for text in here if text != "known"] == [f"missed {number}" for number in range(FIRST_PULL + 15)]
    assert all(page.gap is None for page in pages)
    assert read(brand, cursor, session)[0] == []


def test_the_first_read_takes_the_newest_of_each_room_and_says_so(
    homeserver: Synapse, brand: Account, room: str, session: GuardedSession
) -> None:
    for number in range(FIRST_PULL + 5):
        homeserver.say("ann", room, f"early {number}")
    posts, _, pages = read(brand, "", session)
    assert [text for text in texts(posts) if text.startswith("early")] == [
        f"early {n}" for n in range(5, FIRST_PULL + 5)
    ]
    assert pages[0].gap is not None
    assert "Only the newest messages" in pages[0].gap.reason


def test_only_chosen_rooms_are_heard_and_only_their_invitations_accepted(
    homeserver: Synapse, brand: Account, room: str, session: GuardedSession
) -> None:
    chosen, other = homeserver.create_room("ann"), homeserver.create_room("ann")
    _, cursor, _ = read(brand, "", session)
    account = msgspec.structs.replace(brand, settings={"rooms": [chosen], "room_ids": [chosen]})
    for target in (chosen, other):
        homeserver.call("POST", f"/rooms/{target}/invite", "ann", {"user_id": mxid("brand")})
    _, cursor, _ = read(account, cursor, session)
    joined = homeserver.call("GET", "/joined_rooms", "brand")["joined_rooms"]
    assert chosen in joined
    assert other not in joined
    homeserver.say("ann", room, "in a room that was not chosen")
    homeserver.say("ann", chosen, "in the chosen room")
    posts, _, _ = read(account, cursor, session)
    assert texts(posts) == ["in the chosen room"]
    assert posts[0].visibility == "private"


def test_a_private_conversation_is_accepted_only_where_an_admin_wants_it(
    homeserver: Synapse, brand: Account, session: GuardedSession
) -> None:
    _, cursor, _ = read(brand, "", session)
    private = homeserver.create_room("ann", is_direct=True, preset="trusted_private_chat", invite=[mxid("brand")])
    _, _, _ = read(brand, cursor, session)
    assert private not in homeserver.call("GET", "/joined_rooms", "brand")["joined_rooms"]
    account = msgspec.structs.replace(brand, settings={"direct": True})
    _, after, pages = read(account, cursor, session)
    assert pages[-1].rejected == ()
    assert private in homeserver.call("GET", "/joined_rooms", "brand")["joined_rooms"]
    first = homeserver.say("ann", private, "a secret")
    homeserver.say("ann", private, "another")
    posts = [post for post in read(account, after, session)[0] if post.id.startswith(private)]
    assert [(post.kind, post.visibility) for post in posts] == [("message", "direct")] * 2
    assert posts[0].id == f"{private}/{first}"
    assert posts[0].thread == posts[1].thread == private


def test_an_encrypted_room_is_named_once_as_what_cannot_be_read(
    homeserver: Synapse, brand: Account, session: GuardedSession
) -> None:
    encryption = {"type": "m.room.encryption", "state_key": "", "content": {"algorithm": "m.megolm.v1.aes-sha2"}}
    secret = homeserver.create_room("ann", join=["brand"], name="Vault", initial_state=[encryption])
    _, cursor, _ = read(brand, "", session)
    sealed = {"algorithm": "m.megolm.v1.aes-sha2", "ciphertext": "AwgA", "session_id": "x"}
    homeserver.send("ann", secret, sealed, "m.room.encrypted")
    posts, cursor, pages = read(brand, cursor, session)
    assert posts == []
    assert pages[0].gap is not None
    assert "Vault" in pages[0].gap.reason
    assert "encrypted" in pages[0].gap.reason
    homeserver.send("ann", secret, sealed, "m.room.encrypted")
    assert read(brand, cursor, session)[2][0].gap is None


def test_a_room_that_we_were_removed_from_is_said(
    homeserver: Synapse, brand: Account, room: str, session: GuardedSession
) -> None:
    homeserver.say("ann", room, "welcome")
    _, cursor, _ = read(brand, "", session)
    homeserver.call("POST", f"/rooms/{room}/kick", "ann", {"user_id": mxid("brand")})
    pages = read(brand, cursor, session)[2]
    assert pages[0].gap is not None
    assert room in pages[0].gap.reason


def test_reactions_and_stickers_are_not_posts(
    homeserver: Synapse, brand: Account, room: str, session: GuardedSession
) -> None:
    event = homeserver.say("ann", room, "like this")
    _, cursor, _ = read(brand, "", session)
    homeserver.send(
        "ann", room, {"m.relates_to": {"rel_type": "m.annotation", "event_id": event, "key": "+"}}, "m.reaction"
    )
    _, _, pages = read(brand, cursor, session)
    assert [(page.posts, page.rejected) for page in pages] == [((), ())]


@pytest.mark.slow
def test_a_read_goes_on_after_two_restarts_of_the_server(
    homeserver: Synapse, brand: Account, room: str, session: GuardedSession
) -> None:
    _, cursor, _ = read(brand, "", session)
    for number in range(2):
        homeserver.say("ann", room, f"before restart {number}")
        homeserver.restart()
        homeserver.say("ann", room, f"after restart {number}")
        posts, cursor, _ = read(brand, cursor, session)
        assert texts(posts) == [f"before restart {number}", f"after restart {number}"]


def test_a_stream_or_a_cursor_that_makes_no_sense_is_refused(brand: Account, session: GuardedSession) -> None:
    for stream, cursor in (("nonsense", ""), ("rooms", "nonsense"), ("rooms", "[]")):
        with pytest.raises(InvalidInput):
            list(pull_pages(brand, stream, cursor, session))
