"""Looking at stored posts again, on every network that offers it: what is gone is found, what is doubtful is not.

Mastodon and Bluesky are tried against real servers in their own folders; here all answer from loopback.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import discourse
import facebook_payloads
import instagram_payloads
import reddit_server
import x_server
import youtube_payloads
from google_server import account_on as google_account
from graph_server import PAGE, listing
from graph_server import account_on as graph_account
from graph_server import error as graph_error
from rapport.core.errors import InvalidInput, NetworkError, Reauthorise, RetryLater
from rapport.networks.base import Account, Rechecked
from rapport.networks.contract import BaseNetwork
from rapport.networks.http import GuardedSession
from rapport.networks.registry import NETWORKS
from rapport.networks.x.cursor import id_at
from stand_in import Call, StandIn, Told, stand_in

OFFERED = {"bluesky", "discourse", "facebook", "instagram", "mastodon", "reddit", "x", "youtube"}


@pytest.fixture
def server() -> Iterator[StandIn]:
    with stand_in() as running:
        yield running


@pytest.fixture
def session(server: StandIn) -> Iterator[GuardedSession]:
    with server.session() as guarded:
        yield guarded


ACCOUNTS: dict[str, Callable[[StandIn], Account]] = {
    "bluesky": lambda server: Account(1, server.url, "us.test", "did:plc:us", "t"),
    "discourse": lambda server: Account(1, server.url, f"brand@{server.authority}", "2", "k"),
    "facebook": lambda server: graph_account(server, "facebook"),
    "instagram": lambda server: graph_account(server, "instagram"),
    "mastodon": lambda server: Account(1, server.url, "brand@social.example", "1", "t"),
    "reddit": lambda server: reddit_server.account_at(server.url),
    "x": lambda server: x_server.account_at(server.url),
    "youtube": lambda server: google_account(server, youtube_payloads.CHANNEL),
}
IDS: dict[str, Callable[[StandIn], list[str]]] = {
    "bluesky": lambda _: [f"at://did:plc:ann/app.bsky.feed.post/3l6oveex3ii2{letter}" for letter in "abc"],
    "discourse": lambda server: [f"{server.authority}/t/1/{number}" for number in (1, 2, 3)],
    "facebook": lambda _: ["900001_501", "900001_502", f"{PAGE}_900001", "dm:7:m1"],
    "instagram": lambda _: ["17900000000000001", "media:17890000000000001", "mention:1:2", "dm:7:m1"],
    "mastodon": lambda _: ["101", "102", "103"],
    "reddit": lambda _: ["t1_a", "t3_b", "t4_c"],
    "x": lambda _: ["1450000000000000001", "1450000000000000002", "dm:7-8:9"],
    "youtube": lambda _: ["Ugx1", "Ugx1.91", "video:aaaaaaaaaaa"],
}


def ask(name: str, server: StandIn, session: GuardedSession, *ids: str, key: str = "ann@social.example") -> Rechecked:
    found = NETWORKS[name].recheck(ACCOUNTS[name](server), dict.fromkeys(ids, key), session)
    told = [*found.standing, *found.deleted, *found.hidden, *found.unseen]
    assert sorted(told) == sorted(ids), "each id is in one list"
    return found


def test_what_is_offered_names_its_limit_and_its_batch() -> None:
    offered = {name for name, network in NETWORKS.items() if network.capabilities.recheck_within}
    assert offered == OFFERED == set(ACCOUNTS)
    for name in offered:
        offers = NETWORKS[name].capabilities
        assert 0 < offers.recheck_most <= 100
        assert offers.recheck_within <= 86_400, "hidden within a day, whatever the network"


def test_a_network_that_does_not_offer_it_has_seen_nothing() -> None:
    account = Account(1, "https://example.org", "", "", "")
    assert BaseNetwork().recheck(account, {"1": "a", "2": "b"}, None) == Rechecked(unseen=("1", "2"))  # type: ignore[arg-type]
    assert BaseNetwork().recheck_budget(account) is None


errors = st.builds(
    Told,
    status=st.sampled_from([400, 401, 402, 403, 404, 405, 408, 410, 418, 429, 500, 502, 503, 504]),
    body=st.sampled_from(
        [
            b"", b"<html>not here</html>", b"[]", b"{", {}, {"error": "Record not found"}, {"error": "Forbidden"},
            {"error": "InvalidRequest", "message": "Profile not found"}, {"error": "InternalServerError"},
            {"errors": ["nope"], "error_type": "invalid_access"}, {"message": "Forbidden", "error": 403},
            {"error": {"code": 403, "message": "no", "errors": [{"reason": "forbidden"}]}},
            {"error": {"code": 404, "message": "no", "errors": [{"reason": "commentNotFound"}]}},
            {"title": "Forbidden", "type": "https://api.twitter.com/2/problems/client-forbidden"},
            graph_error(10), graph_error(190, 463), graph_error(200), graph_error(100, 33), graph_error(4),
        ]
    ),
    headers=st.sampled_from([{}, {"Retry-After": "7"}]),
)  # fmt: skip
oddities = st.builds(
    Told,
    body=st.sampled_from(
        [b"", b"null", b"[]", b"{}", b'"x"', b"{", b'{"items": null}', b'{"data": []}', b'{"data": {"children": []}}',
         b'{"posts": null}', b'{"errors": [{"type": "about:blank", "value": "1450000000000000001"}]}',
         b'{"data": [], "errors": [{"resource_type": "tweet", "resource_id": "1450000000000000001"}]}',
         b'{"error": {"code": 1}}']
    ),
    hang_up=st.sampled_from([False, False, True]),
)  # fmt: skip


@pytest.mark.parametrize("name", sorted(OFFERED))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(answers=st.lists(errors | oddities, min_size=1, max_size=4))
def test_no_error_and_no_odd_answer_deletes_anything(
    server: StandIn, session: GuardedSession, name: str, answers: list[Told]
) -> None:
    turn = iter(range(10**6))
    server.always = lambda _call: answers[next(turn) % len(answers)]
    try:
        found = ask(name, server, session, *IDS[name](server))
    except (NetworkError, InvalidInput):
        return
    assert found.deleted == ()
    assert found.hidden == ()


# ---------------------------------------------------------------- X

T1, T2, T3, T4 = (f"145000000000000000{number}" for number in (1, 2, 3, 4))


def tweet(identifier: str, text: str = "hello", **more: Any) -> dict[str, Any]:
    return {"id": identifier, "text": text, "author_id": "7", "created_at": "2026-11-21T11:00:00.000Z", **more}


def problem(identifier: str, kind: str) -> dict[str, Any]:
    return {
        "resource_type": "tweet", "resource_id": identifier, "value": identifier, "parameter": "ids", "title": "x",
        "type": f"https://api.twitter.com/2/problems/{kind}", "detail": "Could not find tweet",
    }  # fmt: skip


def test_x_tells_what_is_gone_from_what_is_kept_from_us(server: StandIn, session: GuardedSession) -> None:
    answer = {
        "data": [tweet(T1)],
        "errors": [problem(T2, "resource-not-found"), problem(T3, "not-authorized-for-resource")],
    }
    server.say("GET", "/2/tweets", answer)
    found = ask("x", server, session, T1, T2, T3, T4)
    assert (found.standing, found.deleted, found.hidden, found.unseen) == ((T1,), (T2,), (T3,), (T4,))
    assert found.spent == 1, "what is gone is not billed"
    assert "expansions" not in server.calls[0].query, "nor is anybody asked about"


def test_an_edit_on_x_is_read_in_its_newest_version(server: StandIn, session: GuardedSession) -> None:
    import datetime as dt

    first, second = (id_at(dt.datetime.now(dt.UTC) - dt.timedelta(minutes=ago)) for ago in (50, 20))
    versions = {"edit_history_tweet_ids": [first, second]}
    pages = {first: {"data": [tweet(first, "tpyo", **versions)]}, second: {"data": [tweet(second, "typo", **versions)]}}
    server.say("GET", "/2/tweets", lambda call: pages[call.query["ids"]])
    found = ask("x", server, session, first)
    assert [(post.id, post.text, post.edited_at is not None) for post in found.changed] == [(first, "typo", True)]
    assert found.spent == 2


def test_looking_again_has_its_own_part_of_the_budget_of_x(server: StandIn) -> None:
    account = x_server.account_at(server.url, reads_a_day=1_000)
    assert NETWORKS["x"].recheck_budget(account) == 100
    assert NETWORKS["youtube"].recheck_budget(ACCOUNTS["youtube"](server)) == 450


# ---------------------------------------------------------------- YouTube


def test_youtube_is_asked_twice_before_a_comment_is_gone(server: StandIn, session: GuardedSession) -> None:
    one, edited = youtube_payloads.comment("Ugx1"), youtube_payloads.comment("Ugx2", 50, "better", updatedAt=NOON_TEXT)
    all_of_them = {"Ugx1": one, "Ugx2": edited, "Ugx3": youtube_payloads.comment("Ugx3")}
    slips = ["Ugx3"]

    def comments(call: Call) -> dict[str, Any]:
        there = [all_of_them[each] for each in call.query["id"].split(",") if each in all_of_them and each not in slips]
        slips.clear()
        return youtube_payloads.comments(*there)

    server.say("GET", "/youtube/v3/comments", comments)
    server.say("GET", "/youtube/v3/videos", lambda call: {"items": [{"id": each} for each in ("v1",)]})
    found = ask("youtube", server, session, "Ugx1", "Ugx2", "Ugx3", "Ugx4", "video:v1", "video:v2")
    assert set(found.standing) == {"Ugx1", "Ugx2", "Ugx3", "video:v1"}
    assert set(found.deleted) == {"Ugx4", "video:v2"}
    assert [(post.id, post.text) for post in found.changed] == [("Ugx2", "better")]
    assert found.spent == len(server.calls) == 4


NOON_TEXT = "2026-11-21T12:00:00Z"

# ---------------------------------------------------------------- Reddit


def thing(name: str, **more: Any) -> dict[str, Any]:
    data = {"name": name, "author": "ann", "body": "hello", "created_utc": 1_795_000_000.0, "edited": False, **more}
    return {"kind": name[:2], "data": data}


def test_reddit_gives_a_deleted_thing_without_its_words(server: StandIn, session: GuardedSession) -> None:
    things = [
        thing("t1_stands"), thing("t1_gone", author="[deleted]", body="[deleted]"),
        thing("t1_removed", body="[removed]"), thing("t1_closed", author="[deleted]"),
        thing("t1_edited", edited=1_795_000_500.0, body="better"),
    ]  # fmt: skip
    server.say("GET", "/api/info", {"kind": "Listing", "data": {"children": things, "after": None}})
    ids = ["t1_stands", "t1_gone", "t1_removed", "t1_closed", "t1_edited", "t1_private", "t4_message"]
    found = ask("reddit", server, session, *ids, key="ann")
    assert set(found.standing) == {"t1_stands", "t1_edited"}
    assert set(found.deleted) == {"t1_gone", "t1_removed"}
    assert found.hidden == ("t1_closed",)
    assert set(found.unseen) == {"t1_private", "t4_message"}
    assert [post.text for post in found.changed] == ["better"]


# ---------------------------------------------------------------- Discourse


def test_a_forum_tells_what_was_deleted_from_what_we_may_not_see() -> None:
    with discourse.forum() as forum, GuardedSession(allow={forum.host}) as session:
        topic = forum.open_topic("ben", "Trains", "What do you think?", tags=("rail",))
        ids = [forum.place(forum.add("ann", topic, f"My train is late {number}")) for number in range(4)]
        forum.delete(2)
        forum.edit(3, "My train was late")
        account = Account(1, forum.url, f"brand@{forum.host}", "2", discourse.KEY)
        forum.faults.append((f"/posts/by_number/{topic}/4", discourse.Refusal(403, "invalid_access", "no")))
        found = NETWORKS["discourse"].recheck(account, dict.fromkeys(ids, "ann"), session)
        assert found.deleted == (ids[0],)
        assert found.unseen == (ids[2],)
        assert found.standing == (ids[1], ids[3])
        assert [(post.text, post.hashtags) for post in found.changed] == [("My train was late", ("rail",))]
        forum.faults.append((f"/posts/by_number/{topic}/5", discourse.Refusal(429, "rate_limit", "slow down")))
        later = NETWORKS["discourse"].recheck(account, dict.fromkeys(ids, "ann"), session)
        assert later.deleted == (ids[0],), "what was said before the forum asked to wait counts"


# ---------------------------------------------------------------- Facebook and Instagram


def graph(there: Mapping[str, Any], *, rights: bool = True) -> Callable[[Call], dict[str, Any] | Told]:
    """`?ids=` as Meta answers it: one id that cannot be read refuses all of them."""

    def answer(call: Call) -> dict[str, Any] | Told:
        if "ids" not in call.query:
            return listing() if rights else Told(400, graph_error(100, 33))
        asked = call.query["ids"].split(",")
        if set(asked) <= set(there):
            return {each: there[each] for each in asked}
        return Told(400, graph_error(100, 33))

    return answer


def test_a_comment_on_our_page_is_gone_when_its_post_stands_and_our_rights_hold(
    server: StandIn, session: GuardedSession
) -> None:
    there = {
        **{f"900001_{number}": facebook_payloads.comment(number, text="changed") for number in range(500, 520)},
        f"{PAGE}_900001": facebook_payloads.post(900001),
    }
    del there["900001_507"]
    ids = [*(f"900001_{number}" for number in range(500, 520)), f"{PAGE}_900001", "777_1", "dm:7:m1"]
    server.always = graph(there)
    found = ask("facebook", server, session, *ids)
    assert found.deleted == ("900001_507",)
    assert set(found.unseen) == {"777_1", "dm:7:m1"}, "a comment elsewhere may be private"
    assert len(found.standing) == 20
    assert {post.text for post in found.changed} == {"changed", "New routes from Monday."}
    assert len(server.calls) < 30
    server.always = graph(there, rights=False)
    assert ask("facebook", server, session, *ids).deleted == (), "a right that is missing is no deletion"


def test_a_comment_on_our_media_is_gone_when_our_rights_hold(server: StandIn, session: GuardedSession) -> None:
    there = {"11": instagram_payloads.comment("11"), "21": instagram_payloads.medium("21")}
    server.always = graph(there)
    found = ask("instagram", server, session, "11", "12", "media:21", "media:22", "mention:5:6")
    assert set(found.deleted) == {"12", "media:22"}
    assert set(found.standing) == {"11", "media:21"}
    assert found.unseen == ("mention:5:6",)
    server.always = graph(there, rights=False)
    assert ask("instagram", server, session, "11", "12", "media:21", "media:22").deleted == ()


# ---------------------------------------------------------------- Mastodon and Bluesky, where real servers do not go


def test_a_server_that_ignores_lists_of_ids_is_asked_one_by_one(server: StandIn, session: GuardedSession) -> None:
    status = {
        "id": "101", "created_at": "2026-11-21T11:00:00Z", "content": "hello", "account": {"id": "7", "acct": "ann"},
    }  # fmt: skip
    server.always = lambda call: (
        status if call.path.endswith("/101") else Told(body=b"[]") if call.path == "/api/v1/statuses"
        else Told(404, {"error": "Record not found"})
    )  # fmt: skip
    found = ask("mastodon", server, session, "101", "102")
    assert (found.standing, found.unseen) == (("101",), ("102",)), "it does not even find ourselves: no proof"


@pytest.mark.parametrize(("blocks", "lists"), [(True, "hidden"), (False, "deleted")])
def test_a_post_that_is_not_found_is_hidden_where_its_author_blocks_us(
    server: StandIn, session: GuardedSession, blocks: bool, lists: str
) -> None:
    answers: dict[str, Any] = {
        "/api/v1/statuses": Told(body=b"[]"),
        "/api/v1/accounts/lookup": {"id": "7"},
        "/api/v1/accounts/relationships": Told(body=json.dumps([{"id": "7", "blocked_by": blocks}]).encode()),
    }
    server.always = lambda call: answers.get(call.path, Told(404, {"error": "Record not found"}))
    assert getattr(ask("mastodon", server, session, "102"), lists) == ("102",)


OLD = "at://did:plc:ann/app.bsky.feed.post/3l6oveex3ii2a"


@pytest.mark.parametrize(
    ("profile", "record", "lists"),
    [
        ({"profiles": [{"did": "did:plc:ann"}]}, Told(400, {"error": "RecordNotFound", "message": "x"}), "deleted"),
        ({"profiles": [{"did": "did:plc:ann"}]}, {"uri": OLD, "value": {}}, "unseen"),
        ({"profiles": [{"did": "did:plc:ann"}]}, Told(502, {}), "raises"),
        ({"profiles": []}, {"uri": OLD, "value": {}}, "hidden"),
    ],
)
def test_a_post_that_the_app_view_leaves_out_is_asked_for_itself(
    server: StandIn, session: GuardedSession, profile: Any, record: Any, lists: str
) -> None:
    server.say("GET", "/xrpc/app.bsky.feed.getPosts", {"posts": []})
    server.say("GET", "/xrpc/app.bsky.actor.getProfiles", profile)
    server.say("GET", "/xrpc/app.bsky.actor.getProfile", Told(400, {"error": "AccountTakedown", "message": "gone"}))
    server.say("GET", "/xrpc/com.atproto.repo.getRecord", record)
    if lists == "raises":
        with pytest.raises(RetryLater):
            ask("bluesky", server, session, OLD)
    else:
        assert getattr(ask("bluesky", server, session, OLD), lists) == (OLD,)


def test_a_dead_token_is_said(server: StandIn, session: GuardedSession) -> None:
    server.always = lambda _call: Told(401, {"error": "The access token is invalid"})
    for name in ("mastodon", "x", "reddit"):
        with pytest.raises(Reauthorise):
            ask(name, server, session, *IDS[name](server))


@pytest.mark.data
def test_what_x_is_asked_is_in_its_own_description(server: StandIn, session: GuardedSession) -> None:
    from pathlib import Path

    document = Path(__file__).parents[3] / "shared" / "data" / "09_payloads" / "x_api_v2_openapi.json"
    if not document.is_file():
        pytest.skip("X's description of its API is not beside the project (shared/data/09_payloads)")
    api = json.loads(document.read_text("utf-8"))
    known = api["components"]["parameters"]
    described = {
        each["name"]: each["schema"]
        for told in api["paths"]["/2/tweets"]["get"]["parameters"]
        for each in [told if "name" in told else known[told["$ref"].rpartition("/")[2]]]
    }
    server.say("GET", "/2/tweets", {"data": [tweet(T1)]})
    ask("x", server, session, T1, T2)
    query = server.calls[0].query
    assert set(query) <= set(described)
    assert len(query["ids"].split(",")) <= described["ids"]["maxItems"]
    assert set(query["post.fields"].split(",")) <= set(described["post.fields"]["items"]["enum"])
