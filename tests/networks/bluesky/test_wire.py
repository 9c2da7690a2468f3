"""What a data server answers, typed by what to do next."""

from __future__ import annotations

import time

import pytest

from rapport.core.errors import GiveUp, NetworkError, Reauthorise, RetryLater, Unconfirmed
from rapport.networks.base import Grant
from rapport.networks.bluesky.wire import Refused, Wire
from rapport.networks.http import GuardedSession, Limits
from wires import Caller, byte_server

RENEWABLE = Grant("access", "refresh")


def ask(status: str, body: bytes = b"{}", *headers: str, grant: Grant = RENEWABLE, write: bool = False) -> NetworkError:
    with (
        byte_server(lambda caller: caller.send(status, body, *headers)) as server,
        GuardedSession(allow={server.authority}, limits=Limits(total=3.0)) as session,
    ):
        wire = Wire(server.url, grant, session)
        call = wire.procedure if write else wire.query
        with pytest.raises(NetworkError) as caught:
            call("x.y.z")
    return caught.value


@pytest.mark.parametrize(
    ("status", "body", "reads", "writes"),
    [
        ("400 x", b'{"error":"InvalidRequest","message":"no"}', Refused, Refused),
        ("404 x", b"", GiveUp, GiveUp),
        ("400 x", b'{"error":"InvalidToken"}', Reauthorise, Reauthorise),
        ("401 x", b"<html>", Reauthorise, Reauthorise),
        ("400 x", b'{"error":"AccountTakedown"}', GiveUp, GiveUp),
        ("401 x", b'{"error":"AccountTakedown"}', Reauthorise, Reauthorise),
        ("400 x", b'{"error":"ExpiredToken"}', RetryLater, RetryLater),
        ("429 x", b"", RetryLater, RetryLater),
        ("503 x", b"", RetryLater, RetryLater),
        ("500 x", b"", RetryLater, Unconfirmed),
        ("502 x", b'{"error":"UpstreamFailure"}', RetryLater, Unconfirmed),
        ("302 x", b"", GiveUp, GiveUp),
        ("200 OK", b"nonsense", RetryLater, Unconfirmed),
        ("200 OK", b"[1]", RetryLater, Unconfirmed),
    ],
)
def test_every_answer_has_its_meaning(
    status: str, body: bytes, reads: type[NetworkError], writes: type[NetworkError]
) -> None:
    assert isinstance(ask(status, body), reads)
    assert isinstance(ask(status, body, write=True), writes)


def test_a_session_that_ran_out_and_cannot_be_renewed_is_dead() -> None:
    assert isinstance(ask("400 x", b'{"error":"ExpiredToken"}', grant=Grant("access")), Reauthorise)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("Retry-After: 17", 17),
        ("RateLimit-Reset: {soon}", 40),
        ("RateLimit-Reset: soon", None),
        ("X-Other: 1", None),
    ],
)
def test_a_refusal_for_now_says_how_long(header: str, seconds: float | None) -> None:
    error = ask("429 x", b"", header.format(soon=int(time.time()) + 40))
    assert isinstance(error, RetryLater)
    assert error.after == (None if seconds is None else pytest.approx(seconds, abs=5))


def test_the_call_that_would_be_refused_is_not_made() -> None:
    reset = int(time.time()) + 120

    def last_one(caller: Caller) -> None:
        caller.send("200 OK", b"{}", "RateLimit-Limit: 3000", "RateLimit-Remaining: 0", f"RateLimit-Reset: {reset}")

    with byte_server(last_one) as server, GuardedSession(allow={server.authority}) as session:
        wire = Wire(server.url, RENEWABLE, session)
        assert wire.query("x.y.z") == {}  # what was answered is not thrown away
        with pytest.raises(RetryLater) as caught:
            wire.query("x.y.z")
        assert caught.value.after == pytest.approx(120, abs=5)
        assert len(server.callers) == 1


def test_calls_of_a_series_are_spread_over_what_is_left_of_the_limit() -> None:
    reset = int(time.time()) + 100

    def limited(caller: Caller) -> None:
        caller.send("200 OK", b"{}", "RateLimit-Remaining: 10", f"RateLimit-Reset: {reset}")

    with byte_server(limited) as server, GuardedSession(allow={server.authority}) as session:
        wire = Wire(server.url, RENEWABLE, session)
        assert wire.breath(1.0) == 1.0
        wire.query("x.y.z")
        assert wire.breath(1.0) == pytest.approx(20, abs=2)
        assert wire.breath(60.0) == 60.0


def test_the_token_goes_only_where_it_belongs() -> None:
    def elsewhere(caller: Caller) -> None:
        caller.send("302 x", b"", "Location: http://127.0.0.1:1/steal")

    with byte_server(elsewhere) as server, GuardedSession(allow={server.authority, "127.0.0.1:1"}) as session:
        wire = Wire(server.url, RENEWABLE, session)
        with pytest.raises(NetworkError):
            wire.query("x.y.z")
        assert server.callers[0].header("Authorization") == "Bearer access"
        nobody = Wire(server.url, Grant(""), session)
        with pytest.raises(NetworkError):
            nobody.query("x.y.z")
        assert server.callers[1].header("Authorization") is None
