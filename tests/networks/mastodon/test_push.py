"""Writing to a real Mastodon API server, with every way in which the answer can get lost."""

from __future__ import annotations

import datetime as dt
import socket
from collections.abc import Callable

import mastodon as mastodon_py
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.core.errors import GiveUp, NetworkError, Reauthorise, RetryLater, Unconfirmed
from rapport.core.reply import Reply
from rapport.networks.base import Account
from rapport.networks.http import GuardedSession, Limits
from rapport.networks.mastodon.push import comparable, counted_length, find_reply, push_reply
from rapport.networks.mastodon.wire import cause
from servers import MastodonServer
from wires import Caller, byte_server

PATH = "/api/v1/statuses"


def reply_to(
    target: str, text: str = "@ann We are on it. Tea & cake: https://example.com/a?b=1&c=2", **fields: str
) -> Reply:
    return Reply(network="mastodon", channel=1, target=target, text=text, approved_by=1, **fields)


@pytest.fixture
def since() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def test_a_reply_arrives_exactly_as_approved_as_an_answer_to_the_right_post(
    mastodon: MastodonServer, brand: Account, session: GuardedSession
) -> None:
    asked = mastodon.post("ann", "@brand where is my train?")
    reply = reply_to(asked["id"], "@ann In  five minutes.\n\nPromised 🚆 <b>", visibility="unlisted")
    sent = push_reply(brand, reply, "arrives", session)
    found = mastodon.call("GET", f"{PATH}/{sent.id}", "brand")
    source = mastodon.call("GET", f"{PATH}/{sent.id}/source", "brand")
    assert (found["in_reply_to_id"], found["visibility"], sent.url) == (asked["id"], "unlisted", found["url"])
    assert source["text"] == reply.text


def test_the_same_key_twice_has_one_effect(mastodon: MastodonServer, brand: Account, session: GuardedSession) -> None:
    asked = mastodon.post("ann", "@brand twice?")
    first = push_reply(brand, reply_to(asked["id"]), "once", session)
    second = push_reply(brand, reply_to(asked["id"]), "once", session)
    assert first == second
    assert len([own for own in mastodon.statuses("brand") if own["in_reply_to_id"] == asked["id"]]) == 1


@pytest.mark.parametrize(
    ("effect", "error"),
    [
        ({"type": "ratelimit", "headers": {"Retry-After": "30"}}, RetryLater),
        ({"type": "status", "status": 503}, RetryLater),
        ({"type": "status", "status": 401}, Reauthorise),
        (
            {"type": "status", "status": 403, "body": {"error": "This action is outside the authorized scopes"}},
            Reauthorise,
        ),
        ({"type": "status", "status": 403, "body": {"error": "This action is not allowed"}}, GiveUp),
        ({"type": "status", "status": 404, "body": {"error": "Record not found"}}, GiveUp),
        ({"type": "status", "status": 422, "body": {"error": "Text character limit of 500 exceeded"}}, GiveUp),
        ({"type": "status", "status": 301, "headers": {"Location": "https://elsewhere.example/"}}, GiveUp),
        ({"type": "status", "status": 500}, Unconfirmed),
        ({"type": "status", "status": 502}, Unconfirmed),
        ({"type": "status", "status": 504}, Unconfirmed),
        ({"type": "malformed"}, Unconfirmed),
        ({"type": "timeout"}, Unconfirmed),
    ],
    ids=lambda value: str(value.get("status", value["type"])) if isinstance(value, dict) else None,
)
def test_every_failure_says_what_to_do_next(
    mastodon: MastodonServer, brand: Account, effect: dict[str, object], error: type[NetworkError]
) -> None:
    asked = mastodon.post("ann", "@brand hello?")
    mastodon.fault(PATH, effect)
    with GuardedSession(allow={mastodon.authority}, limits=Limits(total=1.0)) as hasty, pytest.raises(error) as failure:
        push_reply(brand, reply_to(asked["id"]), f"fault-{effect}"[:100], hasty)
    if isinstance(failure.value, RetryLater) and effect["type"] == "ratelimit":
        assert failure.value.after == 30
    if isinstance(effect.get("body"), dict):
        assert effect["body"]["error"] in str(failure.value)  # type: ignore[index]


def test_a_refusal_of_the_server_itself_is_told_in_its_own_words(
    mastodon: MastodonServer, brand: Account, session: GuardedSession
) -> None:
    asked = mastodon.post("ann", "@brand hello?")
    with pytest.raises(GiveUp, match="422"):
        push_reply(brand, reply_to(asked["id"], "x" * 501), "too-long", session)
    wrong = msgspec.structs.replace(brand, token="wrong")
    with pytest.raises(Reauthorise):
        push_reply(wrong, reply_to(asked["id"]), "wrong-token", session)
    with pytest.raises(GiveUp, match="visibility"):
        push_reply(brand, reply_to(asked["id"], visibility="everyone"), "visibility", session)


def test_a_server_that_is_down_before_the_request_is_tried_again(brand: Account) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        authority = f"127.0.0.1:{listener.getsockname()[1]}"
    away = msgspec.structs.replace(brand, server=f"http://{authority}")
    with GuardedSession(allow={authority}) as session, pytest.raises(RetryLater):
        push_reply(away, reply_to("1"), "down", session)


# ---------------------------------------------------------------- finding again


def test_a_reply_whose_answer_was_lost_is_found_and_another_is_not(
    mastodon: MastodonServer, brand: Account, session: GuardedSession, since: dt.datetime
) -> None:
    """The server takes the reply and the answer is lost on its way: what makes other systems post twice."""

    def forward_and_hang_up(caller: Caller) -> None:
        headers = {name: caller.header(name) or "" for name in ("Authorization", "Idempotency-Key", "Content-Type")}
        mastodon.call("POST", caller.path, data=caller.body, headers=headers)
        caller.socket.shutdown(socket.SHUT_RDWR)

    asked = mastodon.post("ann", "@brand lost?")
    reply = reply_to(asked["id"])
    with (
        byte_server(forward_and_hang_up) as line,
        GuardedSession(allow={line.authority}) as through_it,
        pytest.raises(Unconfirmed),
    ):
        push_reply(msgspec.structs.replace(brand, server=line.url), reply, "lost", through_it)
    found = find_reply(brand, reply, since, session)
    assert found is not None
    assert found.id in {own["id"] for own in mastodon.statuses("brand") if own["in_reply_to_id"] == asked["id"]}
    assert push_reply(brand, reply, "lost", session) == found
    assert find_reply(brand, reply_to(asked["id"], "@ann something else"), since, session) is None
    assert find_reply(brand, reply_to("1", reply.text), since, session) is None


def test_not_found_is_certain_only_when_the_list_goes_back_to_the_send(
    mastodon: MastodonServer, brand: Account, session: GuardedSession
) -> None:
    long_ago = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    assert find_reply(brand, reply_to("1", "never sent"), long_ago, session) is None
    page = b"[%s]" % b",".join(
        b'{"id":"%d","created_at":"2026-11-21T10:00:00Z","account":{"id":"1","acct":"b"}}' % number
        for number in range(40)
    )
    with byte_server(lambda caller: caller.send("200 OK", page)) as server:
        endless = msgspec.structs.replace(brand, server=server.url)
        with GuardedSession(allow={server.authority}) as other, pytest.raises(Unconfirmed):
            find_reply(endless, reply_to("1"), long_ago, other)
        assert len(server.callers) == 10


def test_an_own_post_that_cannot_be_read_is_no_proof_that_nothing_was_sent(brand: Account, since: dt.datetime) -> None:
    with byte_server(lambda caller: caller.send("200 OK", b'[{"id":"1"}]')) as server:
        broken = msgspec.structs.replace(brand, server=server.url)
        with GuardedSession(allow={server.authority}) as session, pytest.raises(RetryLater):
            find_reply(broken, reply_to("1"), since, session)


@given(st.text(max_size=100))
def test_a_text_compares_equal_to_itself_however_a_server_spaces_it(text: str) -> None:
    assert comparable(text) == comparable(f"  {text}\n\n")
    assert comparable(comparable(text)) == comparable(text)


def test_a_mention_compares_equal_with_and_without_its_server() -> None:
    assert comparable("@ann@far.example hi") == comparable("@ann  hi")
    assert comparable("@ann hi") != comparable("@ben hi")


# ---------------------------------------------------------------- around it


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("hello", 5),
        ("see https://example.com/a/very/long/path?with=a&query=string", 4 + 23),
        ("@ann@a.very.long.server.example hi", len("@ann hi")),
        ("🚆", 1),
        ("", 0),
    ],
)  # fmt: skip
def test_the_length_is_what_mastodon_counts(text: str, length: int) -> None:
    assert counted_length(text) == length


def answer_of(body: bytes, *headers: str) -> Callable[[Caller], None]:
    return lambda caller: caller.send("200 OK", body, "Content-Type: application/json", *headers)


def test_odd_headers_beside_a_success_do_not_turn_it_into_a_failure(brand: Account) -> None:
    headers = ("X-RateLimit-Remaining: many", "X-RateLimit-Reset: never", "Deprecation: true", "Link: <x>; rel=next")
    with byte_server(answer_of(b'{"id":"77","url":"https://s.example/77"}', *headers)) as server:
        account = msgspec.structs.replace(brand, server=server.url)
        with GuardedSession(allow={server.authority}) as session:
            assert push_reply(account, reply_to("1"), "the-key", session).id == "77"
        assert server.callers[0].header("Idempotency-Key") == "the-key"


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"null", b"5", b'{"id":null}', b"<html>"])
def test_a_success_that_names_no_post_is_unconfirmed(brand: Account, body: bytes) -> None:
    with byte_server(answer_of(body)) as server:
        account = msgspec.structs.replace(brand, server=server.url)
        with GuardedSession(allow={server.authority}) as session, pytest.raises(Unconfirmed):
            push_reply(account, reply_to("1"), "odd", session)


def test_a_token_that_is_the_name_of_a_file_is_sent_as_it_is(brand: Account, tmp_path: object) -> None:
    """Mastodon.py opens a file of that name if there is one; a server chooses the token."""
    secret = f"{tmp_path}/secret"
    with open(secret, "w") as file:  # noqa: PTH123  (the path is the point here)
        file.write("top-secret\n")
    with byte_server(answer_of(b'{"id":"1"}')) as server:
        account = msgspec.structs.replace(brand, server=server.url, token=secret)
        with GuardedSession(allow={server.authority}) as session:
            push_reply(account, reply_to("1"), "file", session)
        assert server.callers[0].header("Authorization") == f"Bearer {secret}"


def test_an_error_of_mastodon_py_that_we_did_not_raise_is_unconfirmed() -> None:
    assert isinstance(cause(mastodon_py.MastodonAPIError("odd")), Unconfirmed)
