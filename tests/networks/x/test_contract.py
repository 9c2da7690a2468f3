"""Every request that we make, against a mock made from X's own description of its API (OpenAPI 3.0, version 2.167).

The mock (prism) refuses what the description does not allow and makes up answers that it does. The description is read
from beside the project; a copy with narrower values (ids that are digits, times that are recent) is made for the run.
"""

from __future__ import annotations

import datetime as dt
import json
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from rapport.core.errors import GiveUp, NetworkError, Reauthorise, RetryLater, Unconfirmed
from rapport.core.reply import Act, Picture, Reply
from rapport.networks.base import Account, Grant, Page
from rapport.networks.http import GuardedSession, Limits
from rapport.networks.x.compliance import pull_compliance
from rapport.networks.x.cursor import Cursor, id_at
from rapport.networks.x.network import X
from rapport.networks.x.stream import STREAM_FIELDS, set_rules
from rapport.networks.x.wire import Wire

ROOT = Path(__file__).parents[3]
DOCUMENT = ROOT.parent / "shared" / "data" / "09_payloads" / "x_api_v2_openapi.json"
PRISM = ROOT / "build" / "npm" / "x" / "node_modules" / ".bin" / "prism"
pytestmark = [pytest.mark.data, pytest.mark.slow]
NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)
#: ids of about an hour ago
ID = {"type": "string", "pattern": f"^{id_at(NOW - dt.timedelta(hours=1))[:6]}[0-9]{{13}}$"}
TIME = {"type": "string", "enum": [(NOW - dt.timedelta(hours=1)).isoformat().replace("+00:00", "Z")]}


def narrowed(document: dict[str, Any]) -> dict[str, Any]:
    """What the description says in words (digits, a recent time), said so that the mock keeps to it."""
    schemas = document["components"]["schemas"]
    for name, ids, needed in (
        ("Post", ("id", "author_id", "conversation_id"), ("text",)),
        ("DmEvent", ("id", "sender_id"), ("text", "dm_conversation_id", "event_type")),
        ("User", ("id",), ("username",)),
    ):
        schemas[name]["properties"] |= dict.fromkeys(ids, ID) | {"created_at": TIME}
        schemas[name]["required"] = [*ids, *needed, "created_at"]
    one = {"type": "array", "minItems": 1, "maxItems": 1, "items": ID}
    schemas["Post"]["properties"]["edit_history_post_ids"] = one
    for step in ("Initialize", "Finalize"):
        media = schemas[f"{step}MediaUploadResponseData"]
        media["properties"]["id"] = {"type": "string", "pattern": "^[0-9]{19}$"}
    work = schemas["FinalizeMediaUploadResponseDataProcessingInfo"]["properties"]
    work["state"] = {"type": "string", "enum": ["succeeded"]}
    for answer in ("InitializeMediaUploadResponse", "FinalizeMediaUploadResponse"):
        schemas[answer]["required"] = ["data"]
    del schemas["UpdateRulesResponse"]["properties"]["errors"]  # else every rule would be refused
    schemas["DmEvent"]["properties"]["event_type"] = {"type": "string", "enum": ["MessageCreate"]}
    return document


@pytest.fixture(scope="session")
def mock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if not DOCUMENT.exists():
        pytest.skip("X's description of its API is not beside the project (shared/data/09_payloads)")
    if not PRISM.exists() or shutil.which("node") is None:
        pytest.skip("the mock is not installed: run sh tests/install-deps.sh (needs Node 20 with npm)")
    described = tmp_path_factory.mktemp("x") / "openapi.json"
    described.write_text(json.dumps(narrowed(json.loads(DOCUMENT.read_text(encoding="utf-8")))), encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [str(PRISM), "mock", "-d", "--errors", "-h", "127.0.0.1", "-p", str(port), "-v", "silent", str(described)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=10)


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        if process.poll() is not None:
            pytest.fail(f"the mock ended with {process.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    pytest.fail("the mock did not start within a minute")


@pytest.fixture
def session(mock: str) -> Iterator[GuardedSession]:
    with GuardedSession(allow={mock.removeprefix("http://")}, limits=Limits(total=20.0)) as guarded:
        yield guarded


@pytest.fixture
def brand(mock: str) -> Account:
    grant = Grant("user-token", "refresh", more={"client_id": "id", "app_token": "app-token"})
    settings: dict[str, Any] = {
        "queries": ['"late train" lang:en'],
        "reads_a_day": 1_000_000,
        "compliance": True,
        "live": True,
    }
    return Account(1, mock, "brand", "2244994945", grant.encode(), settings)


def read_on(pages: Iterator[Page], most: int = 3) -> list[Page]:
    """A few pages: the mock always has one more."""
    return [page for page, _ in zip(pages, range(most), strict=False)]


def test_the_mock_refuses_what_the_description_does_not_allow(mock: str) -> None:
    search = f"{mock}/2/tweets/search/recent"
    token = {"Authorization": "Bearer t"}
    answers = [
        requests.get(search, params={"query": "x", "max_results": 5}, headers=token, timeout=20),
        requests.get(search, params={"query": "x", "expansions": "nonsense"}, headers=token, timeout=20),
        requests.get(f"{mock}/2/users/me", timeout=20),
        requests.post(f"{mock}/2/tweets", json={"text": "x", "odd": 1}, headers=token, timeout=20),
    ]
    assert [answer.status_code for answer in answers] == [422, 422, 401, 422]


@pytest.mark.parametrize("stream", ["mentions", "own", "search", "messages"])
@pytest.mark.parametrize("known", [False, True])
def test_every_stream_is_asked_for_as_described_and_its_answers_are_read(
    brand: Account, session: GuardedSession, stream: str, known: bool
) -> None:
    place = {"newest": id_at(NOW - dt.timedelta(hours=2))}
    lists = {"": place, '"late train" lang:en': place}
    pages: list[Page] = []
    for _ in range(5):  # what the mock makes up is different each time
        cursor = json.dumps({"lists": lists}) if known else ""
        pages += read_on(X().pull(brand, stream, cursor, session))
    assert [line for page in pages for line in page.rejected] == []
    assert any(page.posts for page in pages)
    assert all(post.network == "x" and post.author.key for page in pages for post in page.posts)


def test_a_look_that_goes_on_below_is_asked_for_as_described(brand: Account, session: GuardedSession) -> None:
    now = NOW - dt.timedelta(hours=1)
    place = {"newest": id_at(now - dt.timedelta(hours=3)), "below": id_at(now), "top": id_at(now)}
    for stream in ("mentions", "search"):
        lists = {"": place, '"late train" lang:en': place}
        assert read_on(X().pull(brand, stream, json.dumps({"lists": lists}), session), 1)


def test_who_the_access_speaks_for_is_asked_for_as_described(brand: Account, session: GuardedSession) -> None:
    identity = X().verify(brand, session)
    assert identity.account_id
    assert identity.handle


def test_what_we_say_is_sent_and_looked_for_as_described(brand: Account, session: GuardedSession) -> None:
    for target, visibility in (("", "public"), ("1346889436626259968", "public"), ("dm:123-456:789", "direct")):
        reply = Reply("x", 1, target, "We are on it", visibility=visibility, approved_by=1)
        assert X().push(brand, reply, "key", session).id
        try:
            assert X().find(brand, reply, NOW - dt.timedelta(minutes=1), "key", session) is None
        except Unconfirmed as error:
            assert "do not go back" in str(error)  # noqa: PT017  # the mock always has one more page


def test_an_image_is_brought_as_described(brand: Account, session: GuardedSession) -> None:
    content = b"\x89PNG" + bytes(1_500_000)  # two pieces
    media = X().upload(brand, Picture("0" * 64, "A teal square"), content, "image/png", session)
    assert media.isdigit()


def test_acts_are_done_and_taken_back_as_described(brand: Account, session: GuardedSession) -> None:
    for kind in ("like", "unlike", "boost", "unboost"):
        act = Act(kind, "x", 1, target="1346889436626259968", approved_by=1)  # type: ignore[arg-type]
        assert X().act(brand, act, "key", session).id == act.target
    for kind in ("follow", "unfollow"):
        act = Act(kind, "x", 1, handle="2244994946", approved_by=1)  # type: ignore[arg-type]
        assert X().act(brand, act, "key", session).id == act.handle
    X().remove(brand, "1346889436626259968", session)
    X().remove(brand, "dm:123-456:1146654567674912769", session)


def test_the_rules_of_the_stream_and_the_stream_are_asked_for_as_described(
    brand: Account, session: GuardedSession
) -> None:
    wire = Wire.of(brand, session)
    set_rules(brand, wire)
    wire.write("/2/tweets/search/stream/rules", {"delete": {"ids": ["120897978112909812"]}}, as_app=True)
    response = wire.open_stream("/2/tweets/search/stream", STREAM_FIELDS | {"backfill_minutes": 5}, 20.0)
    assert response.status_code == 200
    response.close()


def test_deletions_are_asked_for_as_described(brand: Account, session: GuardedSession) -> None:
    pages = list(pull_compliance(brand, Wire.of(brand, session), Cursor(), lambda: dt.datetime.now(dt.UTC)))
    assert Cursor.decode(pages[-1].cursor).complied


class Preferring(GuardedSession):
    """A session that asks the mock for a certain answer."""

    def prefer(self, code: int) -> None:
        self.headers["Prefer"] = f"code={code}"


READS: list[tuple[int, type[NetworkError]]] = [
    (401, Reauthorise), (403, GiveUp), (404, GiveUp), (429, RetryLater), (500, RetryLater), (503, RetryLater),
]  # fmt: skip


@pytest.mark.parametrize(("code", "error"), READS)
def test_every_answer_to_a_reading_request_is_typed(
    mock: str, brand: Account, code: int, error: type[NetworkError]
) -> None:
    with Preferring(allow={mock.removeprefix("http://")}, limits=Limits(total=20.0)) as session:
        session.prefer(code)
        calls: list[Callable[[], Any]] = [
            lambda: read_on(X().pull(brand, "mentions", "", session)),
            lambda: read_on(X().pull(brand, "search", "", session)),
            lambda: read_on(X().pull(brand, "messages", "", session)),
            lambda: X().verify(brand, session),
            lambda: set_rules(brand, Wire.of(brand, session)),
        ]
        for call in calls:
            with pytest.raises(error):
                call()


WRITES: list[tuple[int, type[NetworkError]]] = [
    (400, GiveUp), (401, Reauthorise), (403, GiveUp), (429, RetryLater), (500, Unconfirmed), (503, Unconfirmed),
]  # fmt: skip


@pytest.mark.parametrize(("code", "error"), WRITES)
def test_every_answer_to_a_reply_is_typed(mock: str, brand: Account, code: int, error: type[NetworkError]) -> None:
    with Preferring(allow={mock.removeprefix("http://")}, limits=Limits(total=20.0)) as session:
        session.prefer(code)
        for target, visibility in (("1346889436626259968", "public"), ("dm:123-456:789", "direct")):
            with pytest.raises(error):
                X().push(brand, Reply("x", 1, target, "We are on it", visibility=visibility), "key", session)
