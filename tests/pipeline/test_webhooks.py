"""Calls of other programs, against a real server that takes, refuses, stalls and goes away."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from conftest import NOON
from rapport.actions import webhooks as steps
from rapport.core.errors import InvalidInput
from rapport.core.webhooks import WAITS, read_secret, sign, wait_before, write_secret
from rapport.networks.http import GuardedSession, Limits
from rapport.pipeline.webhooks import Caller
from rapport.store.models import AuditEntry, Membership, Webhook, WebhookCall

pytestmark = pytest.mark.django_db
LEASE = dt.timedelta(seconds=30)


class Receiver(ThreadingHTTPServer):
    """Another program: keeps what it was told, and answers as the test says."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answering)
        self.heard: list[tuple[dict[str, str], bytes]] = []
        self.status = 200
        self.headers: dict[str, str] = {}
        self.stall = threading.Event()
        self.stall.set()

    @property
    def authority(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"


class _Answering(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heard.append(({name.lower(): value for name, value in self.headers.items()}, body))
        self.server.stall.wait(20)
        self.send_response(self.server.status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        server.stall.set()
        server.shutdown()


class Clock:
    """A time that the test moves."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> dt.datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def caller(receiver: Receiver, clock: Clock) -> Caller:
    limits = Limits(total=0.5)
    return Caller(lambda: GuardedSession(allow={receiver.authority}, limits=limits), clock, LEASE, lambda: 0.5)


@pytest.fixture
def hook(alice: Membership, receiver: Receiver) -> tuple[Webhook, str]:
    return steps.add_webhook(alice, "crm", f"http://{receiver.authority}/in", now=NOON)


def call_of(hook: Webhook, alice: Membership) -> WebhookCall:
    return steps.try_webhook(alice, hook, now=NOON)


def test_a_call_arrives_once_and_its_signature_can_be_checked(
    alice: Membership, hook: tuple[Webhook, str], caller: Caller, receiver: Receiver
) -> None:
    row, secret = hook
    call = call_of(row, alice)
    assert caller.call_once()
    assert not caller.call_once()
    [(headers, body)] = receiver.heard
    # as the specification says it, written out here a second time
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    wanted = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{wanted}"
    assert (headers["webhook-id"], headers["webhook-timestamp"]) == (call.key, str(int(NOON.timestamp())))
    assert headers["content-type"] == "application/json"
    call.refresh_from_db()
    assert (call.state, call.settled_at) == ("sent", NOON)


def test_the_signature_of_the_specification_s_own_example() -> None:
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = b'{"test": 2432232314}'
    headers = sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_receiver_that_fails_is_tried_again_later_and_later_for_three_days(
    alice: Membership, hook: tuple[Webhook, str], caller: Caller, receiver: Receiver, clock: Clock
) -> None:
    receiver.status = 503
    call = call_of(hook[0], alice)
    waits = []
    while caller.call_once():
        call.refresh_from_db()
        if call.state == "failed":
            break
        waits.append((call.next_try_at - clock.now).total_seconds())
        assert not caller.call_once()
        clock.now = call.next_try_at
    assert waits == list(WAITS)
    assert dt.timedelta(days=3) < clock.now - NOON < dt.timedelta(days=4)
    assert {headers["webhook-id"] for headers, _ in receiver.heard} == {call.key}
    assert "Given up after 10 tries" in call.cause
    assert "503" in call.cause
    row = Webhook.objects.get()
    assert (row.active, row.failures) == (False, 10)


def test_a_receiver_that_stalls_costs_one_time_out_and_is_tried_again(
    alice: Membership, hook: tuple[Webhook, str], caller: Caller, receiver: Receiver, clock: Clock
) -> None:
    receiver.stall.clear()
    call = call_of(hook[0], alice)
    caller.call_once()
    call.refresh_from_db()
    assert (call.state, call.tries) == ("queued", 1)
    assert call.cause
    receiver.stall.set()
    clock.now += dt.timedelta(seconds=6)
    caller.call_once()
    call.refresh_from_db()
    assert call.state == "sent"
    assert len({headers["webhook-id"] for headers, _ in receiver.heard}) == 1
    assert Webhook.objects.get().problem == ""


def test_a_time_that_the_receiver_asks_for_is_kept(
    alice: Membership, hook: tuple[Webhook, str], caller: Caller, receiver: Receiver
) -> None:
    receiver.status, receiver.headers = 429, {"Retry-After": "120"}
    call = call_of(hook[0], alice)
    caller.call_once()
    call.refresh_from_db()
    assert call.next_try_at == NOON + dt.timedelta(seconds=120)


def test_an_address_that_is_gone_is_paused_and_what_comes_waits(
    alice: Membership, hook: tuple[Webhook, str], caller: Caller, receiver: Receiver
) -> None:
    receiver.status = 410
    first, second = call_of(hook[0], alice), call_of(hook[0], alice)
    caller.call_once()
    assert not caller.call_once()
    first.refresh_from_db()
    assert (first.state, second.state) == ("failed", "queued")
    row = Webhook.objects.get()
    assert not row.active
    assert "410" in row.problem
    receiver.status = 200
    steps.pause_webhook(alice, row, False, now=NOON)
    assert caller.call_once()
    second.refresh_from_db()
    assert second.state == "sent"
    steps.retry_call(alice, first, now=NOON)
    assert caller.call_once()


def test_a_redirect_is_not_followed_with_what_was_meant_for_somebody_else(
    alice: Membership, hook: tuple[Webhook, str], caller: Caller, receiver: Receiver
) -> None:
    receiver.status, receiver.headers = 307, {"Location": f"http://{receiver.authority}/elsewhere"}
    call = call_of(hook[0], alice)
    caller.call_once()
    call.refresh_from_db()
    assert (call.state, len(receiver.heard)) == ("queued", 1)


def test_private_addresses_are_never_called_unless_the_deployment_allows_them(
    alice: Membership, hook: tuple[Webhook, str], receiver: Receiver, clock: Clock
) -> None:
    call = call_of(hook[0], alice)
    Caller(GuardedSession, clock, LEASE).call_once()
    call.refresh_from_db()
    assert call.state == "failed"
    assert "public Internet" in call.cause
    assert receiver.heard == []


@pytest.mark.parametrize("url", ["ftp://x.example/", "https://me:secret@x.example/", "https://127.1/", "nonsense", ""])
def test_an_address_that_can_never_be_called_is_refused_when_it_is_written(alice: Membership, url: str) -> None:
    with pytest.raises(InvalidInput, match="cannot be called"):
        steps.add_webhook(alice, "crm", url, now=NOON)


def test_a_caller_that_lost_its_claim_settles_nothing(
    alice: Membership, hook: tuple[Webhook, str], caller: Caller, clock: Clock
) -> None:
    call_of(hook[0], alice)
    lost = steps.claim_call(LEASE, now=clock.now)
    assert lost is not None
    assert steps.claim_call(LEASE, now=clock.now) is None
    clock.now += LEASE
    assert caller.call_once()
    for settle in (
        lambda: steps.settle_taken(lost, now=clock.now),
        lambda: steps.settle_again(lost, "late", clock.now, now=clock.now),
        lambda: steps.settle_given_up(lost, "late", close=True, now=clock.now),
    ):
        assert settle() is False
    assert WebhookCall.objects.get().state == "sent"
    assert Webhook.objects.get().active


def test_a_call_whose_process_dies_in_every_try_waits_longer_and_longer_and_is_given_up(
    alice: Membership, hook: tuple[Webhook, str], clock: Clock
) -> None:
    call = call_of(hook[0], alice)
    died: list[dt.datetime] = []
    for _ in range(1_000):
        clock.now += dt.timedelta(minutes=10)
        if steps.claim_call(LEASE, now=clock.now) is not None:  # and the process is killed here
            died.append(clock.now)
    call.refresh_from_db()
    assert call.state == "failed"
    assert len(died) == len(WAITS) + 1
    assert call.cause.startswith(f"Given up after {len(WAITS) + 1} tries: The desk was stopped in the middle")
    # the first time it goes on as soon as the claim has ended: a restart is nothing that a receiver should feel
    assert died[1] - died[0] == dt.timedelta(minutes=10)
    assert sum(WAITS[1:]) < (died[-1] - died[0]).total_seconds() < sum(WAITS) + 3600 * 6
    assert not Webhook.objects.get().active


def test_the_tries_are_spread_by_a_tenth_and_end() -> None:
    assert wait_before(1, 0.0) == pytest.approx(4.5)
    assert wait_before(1, 1.0) == pytest.approx(5.5)
    assert wait_before(len(WAITS) + 1, 0.5) is None


def test_a_secret_is_at_rest_under_a_key_and_shown_once(alice: Membership, hook: tuple[Webhook, str]) -> None:
    row, secret = hook
    assert secret not in row.secret
    assert steps.secret_of(row) == secret
    assert not AuditEntry.objects.filter(detail__icontains=secret).exists()
    fresh = steps.renew_secret(alice, row, now=NOON)
    row.refresh_from_db()
    assert steps.secret_of(row) == fresh != secret
    assert len(read_secret(write_secret(b"x" * 32))) == 32
    with pytest.raises(InvalidInput):
        read_secret("whsec_?")


def test_a_name_is_taken_once_and_is_one_that_rules_can_write(alice: Membership, hook: tuple[Webhook, str]) -> None:
    with pytest.raises(InvalidInput, match="already"):
        steps.add_webhook(alice, "crm", "https://x.example/", now=NOON)
    with pytest.raises(InvalidInput, match="small letters"):
        steps.add_webhook(alice, "Our CRM", "https://x.example/", now=NOON)


def test_two_processes_never_call_one_receiver_at_once(alice: Membership, hook: tuple[Webhook, str]) -> None:
    call_of(hook[0], alice)
    second = call_of(hook[0], alice)
    first = steps.claim_call(LEASE, now=NOON)
    assert first is not None
    assert steps.claim_call(LEASE, now=NOON) is None
    steps.settle_taken(first, now=NOON)
    assert steps.claim_call(LEASE, besides={hook[0].pk}, now=NOON) is None
    claimed = steps.claim_call(LEASE, now=NOON)
    assert claimed is not None
    assert claimed.pk == second.pk
