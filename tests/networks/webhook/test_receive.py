"""Deliveries at our door: signed after the Standard Webhooks specification, once, and nothing forged."""

from __future__ import annotations

import base64
import datetime as dt
import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook as Independent
from standardwebhooks.webhooks import WebhookVerificationError

from rapport.core.errors import InvalidInput
from rapport.networks.base import Account, Answer, Incoming
from rapport.networks.http import GuardedSession
from rapport.networks.webhook.form import CURL
from rapport.networks.webhook.network import Webhook
from rapport.networks.webhook.parse import MAX_BYTES, MAX_ITEMS
from rapport.networks.webhook.secret import OVERLAP, decode_secrets, key_of, make_secret, newest_secret, rotate
from rapport.networks.webhook.signature import check_signature, sign

NOW = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC)
POST = {
    "network": "shop",
    "id": "7",
    "text": "Where is my parcel?",
    "created_at": (NOW - dt.timedelta(hours=1)).isoformat(),
    "author": {"handle": "nadia"},
}


@pytest.fixture
def account() -> Account:
    return open_webhook()


def open_webhook(secret: str = "") -> Account:
    connected = Webhook().connect({"name": "Order system", "secret": secret}, GuardedSession())
    return Account(1, "", connected.identity.handle, connected.identity.account_id, connected.token)


def delivery(account: Account, body: bytes | Any, **changed: Any) -> Incoming:
    """A well-signed request; `changed` replaces headers (by name with underscores), method, body or now."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    secret = changed.pop("secret", None) or newest_secret(account.token)
    moment = changed.pop("sent", NOW)
    library = Independent(secret)
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": library.sign("msg_1", moment.replace(microsecond=0), raw.decode("utf-8", "replace")),
        "content-type": "application/json",
    }
    method, now, sent = changed.pop("method", "POST"), changed.pop("now", NOW), changed.pop("raw", raw)
    headers |= {name.replace("_", "-"): value for name, value in changed.items()}
    return Incoming(method, {}, {name: value for name, value in headers.items() if value is not None}, sent, now)


def receive(account: Account, body: Any, **changed: Any) -> Answer:
    return Webhook().receive(account, delivery(account, body, **changed))


def test_a_post_that_the_published_library_signed_comes_in(account: Account) -> None:
    answer = receive(account, POST)
    assert (answer.status, answer.delivery) == (200, "msg_1")
    ((post,),) = [page.posts for page in answer.pages]
    assert (post.network, post.text, post.author.handle) == ("webhook", "Where is my parcel?", "nadia")
    assert post.id == f"{account.account_id}:shop/7"


def test_the_published_library_accepts_our_signatures(account: Account) -> None:
    body = json.dumps(POST)
    secret = newest_secret(account.token)
    stamp = int(dt.datetime.now(dt.UTC).timestamp())  # the library reads the clock itself
    headers = {
        "webhook-id": "msg_2",
        "webhook-timestamp": str(stamp),
        "webhook-signature": sign(key_of(secret), "msg_2", stamp, body.encode()),
    }
    assert Independent(secret).verify(body, headers) == POST
    with pytest.raises(WebhookVerificationError):
        Independent(secret).verify(body + " ", headers)


def test_the_vector_of_the_specification_holds() -> None:
    secret, delivery_id, stamp = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330
    body = b'{"test": 2432232314}'
    expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert sign(key_of(secret), delivery_id, stamp, body) == expected
    headers = {"webhook-id": delivery_id, "webhook-timestamp": str(stamp), "webhook-signature": expected}
    moment = dt.datetime.fromtimestamp(stamp, dt.UTC)
    assert check_signature(headers, body, [key_of(secret)], moment) == delivery_id


def test_one_good_signature_among_others_is_enough(account: Account) -> None:
    good = delivery(account, POST).headers["webhook-signature"]
    other = Independent(make_secret()).sign("msg_1", NOW, json.dumps(POST))
    for header in (f"v1a,abc {other} {good}", f"{good} v2,xyz", f"v1,!! v1 {good}"):
        assert receive(account, POST, webhook_signature=header).status == 200
    assert receive(account, POST, webhook_signature=" ".join([other] * 20 + [good])).status == 401


@pytest.mark.parametrize(
    "changed",
    [
        {"raw": json.dumps(POST).encode() + b" "},
        {"webhook_id": "msg_other"},
        {"webhook_timestamp": str(int(NOW.timestamp()) + 1)},
        {"webhook_signature": "v1,"},
        {"webhook_signature": "v1," + base64.b64encode(bytes(32)).decode()},
        {"webhook_signature": None},
        {"webhook_id": None},
        {"webhook_timestamp": None},
        {"webhook_timestamp": f"{NOW.timestamp():.3f}"},
        {"webhook_timestamp": "nan"},
        {"webhook_timestamp": "-1"},
        {"webhook_timestamp": "9" * 400},
        {"webhook_id": "a b"},
        {"webhook_id": "x" * 201},
        {"secret": "whsec_" + base64.b64encode(bytes(32)).decode()},
        {"sent": NOW - dt.timedelta(seconds=302)},
        {"sent": NOW + dt.timedelta(seconds=302)},
    ],
)
def test_what_is_not_signed_now_by_who_knows_the_secret_has_no_effect(account: Account, changed: Any) -> None:
    answer = receive(account, POST, **changed)
    assert (answer.status, answer.pages, answer.delivery) == (401, (), "")
    assert newest_secret(account.token) not in answer.body


def test_a_clock_may_be_five_minutes_off(account: Account) -> None:
    for seconds in (-299, 299):
        assert receive(account, POST, sent=NOW + dt.timedelta(seconds=seconds)).status == 200


def test_a_webhook_without_a_secret_takes_nothing() -> None:
    for token in ("", "[]", "{}", '{"access":"x"}', '{"access":"whsec_"}', "whsec_", "whsec_abc"):
        account = Account(1, "", "x", "hook-1", token)
        assert receive(account, POST, secret=make_secret()).status == 401


def test_during_a_rotation_both_secrets_are_valid_for_a_day(account: Account) -> None:
    old = newest_secret(account.token)
    token = rotate(account.token, NOW)
    turned = Account(1, "", account.handle, account.account_id, token)
    new = newest_secret(token)
    assert old != new
    for secret in (old, new):
        assert receive(turned, POST, secret=secret).status == 200
    later = NOW + OVERLAP + dt.timedelta(minutes=1)
    assert receive(turned, POST, secret=old, sent=NOW, now=NOW).status == 200
    assert receive(turned, POST, secret=old, sent=later, now=later).status == 401
    assert receive(turned, POST, secret=new, sent=later, now=later).status == 200


def test_renewing_makes_a_new_secret_that_does_not_expire(account: Account) -> None:
    token, expires = Webhook().renew(account, GuardedSession())
    assert expires is None
    assert [one.secret == newest_secret(account.token) for one in decode_secrets(token)] == [False, True]


def test_many_rotations_keep_few_secrets() -> None:
    token = open_webhook().token
    for _ in range(12):
        token = rotate(token, NOW)
    kept = decode_secrets(token)
    assert len(kept) == 5
    assert [one.until is None for one in kept] == [True, False, False, False, False]
    assert newest_secret(token) not in repr(kept)


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"method": "GET"}, 405),
        ({"method": "PUT"}, 405),
        ({"content_type": "text/plain"}, 415),
        ({"content_type": "multipart/form-data; boundary=x"}, 415),
        ({"content_type": "application/json; charset=latin-1"}, 415),
        ({"content_type": "application/jsonp"}, 415),
        ({"content_type": None}, 415),
        ({"content_type": 'Application/JSON; charset="UTF-8"'}, 200),
        ({"raw": b" " * (MAX_BYTES + 1)}, 413),
    ],
)
def test_what_is_no_json_by_post_is_refused(account: Account, changed: Any, status: int) -> None:
    assert receive(account, POST, **changed).status == status


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "one Post or a list"),
        (b"7", "one Post or a list"),
        (b'"x"', "one Post or a list"),
        (b"[1,", "no JSON"),
        (b'[{"id":1},]', "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"[" + b",".join([b"{}"] * (MAX_ITEMS + 1)) + b"]", "at most 1,000"),
    ],
)
def test_a_body_that_is_no_list_of_posts_is_refused_whole(account: Account, body: bytes, reason: str) -> None:
    answer = receive(account, body)
    assert (answer.status, answer.pages) == (400, ())
    assert reason in answer.body


def test_bad_items_are_refused_one_by_one_and_the_good_ones_kept(account: Account) -> None:
    good = json.dumps(POST)
    items = [
        good,
        '{"network":"shop","id":"8"}',
        good.replace('"id": "7"', '"id": "7", "id": "9"'),
        good.replace("Where is my parcel?", r"cut \ud83d off").replace('"7"', '"10"'),
        '{"a":' * 50 + "1" + "}" * 50,
        "null",
        good.replace('"7"', '""'),
        good.replace(POST["created_at"], "2099-01-01T00:00:00Z"),
        good.replace('"7"', f'"{"x" * 490}"'),
        good.replace('{"handle": "nadia"}', '{"handle": "nadia", "name": "a", "name": "b"}'),
    ]
    answer = receive(account, ("[" + ",".join(items[:3] + items[4:]) + "]").encode())
    assert answer.status == 200
    assert [post.id.rpartition("/")[2] for post in answer.pages[0].posts] == ["7"]
    lines = answer.body.splitlines()
    assert lines[0] == "1 taken, 8 refused"
    assert lines[1].startswith("item 2: ")
    assert "item 3: json: the key 'id' stands twice in one object" in lines
    assert "item 9: json: the key 'name' stands twice in one object" in lines
    assert answer.pages[0].rejected == tuple(lines[1:])
    assert len(receive(account, ("[" + items[0] + "," + items[3] + "]").encode()).pages[0].posts) == 2


def test_a_delivery_without_any_good_item_is_not_counted_as_taken(account: Account) -> None:
    answer = receive(account, [{}, {}])
    assert (answer.status, answer.pages, answer.delivery) == (422, (), "")


def test_nobody_speaks_for_another_network_or_another_webhook(account: Account) -> None:
    forged = POST | {
        "network": "mastodon",
        "id": "111",
        "in_reply_to": "110",
        "thread": "100",
        "author": {"id": "7", "handle": "ann@example.social"},
    }
    (post,) = receive(account, forged).pages[0].posts
    other = open_webhook()
    (elsewhere,) = receive(other, forged).pages[0].posts
    assert post.network == "webhook"
    assert {post.id, post.in_reply_to, post.thread, post.author.key} == {
        f"{account.account_id}:mastodon/{each}" for each in ("111", "110", "100", "7")
    }
    assert not {post.id, post.author.key} & {elsewhere.id, elsewhere.author.key}


@given(st.binary(max_size=200) | st.text(alphabet='{}[]":,id1\\unetwork ', max_size=120).map(str.encode))
@settings(max_examples=300, deadline=None)
def test_any_signed_bytes_get_an_answer(body: bytes) -> None:
    account = open_webhook()
    stamp = int(NOW.timestamp())
    headers = {
        "content-type": "application/json",
        "webhook-id": "m",
        "webhook-timestamp": str(stamp),
        "webhook-signature": sign(key_of(newest_secret(account.token)), "m", stamp, body),
    }
    assert Webhook().receive(account, Incoming("POST", {}, headers, body, NOW)).status in {200, 400, 422}


@given(st.dictionaries(st.sampled_from(["webhook-id", "webhook-timestamp", "webhook-signature"]), st.text(max_size=40)))
def test_any_headers_get_an_answer(headers: dict[str, str]) -> None:
    incoming = Incoming("POST", {}, {"content-type": "application/json", **headers}, b"{}", NOW)
    assert Webhook().receive(Account(1, "", "x", "hook-1", open_webhook().token), incoming).status == 401


def test_the_form_makes_a_new_secret_each_time_and_takes_a_given_one() -> None:
    first, second = (
        next(field.default for field in Webhook().connect_fields if field.name == "secret") for _ in range(2)
    )
    assert first != second
    assert len(key_of(first)) == 32
    assert newest_secret(open_webhook(first).token) == first
    assert newest_secret(open_webhook(first.removeprefix("whsec_")).token) == first
    for wrong in ("short", "whsec_!!!!", "whsec_" + base64.b64encode(bytes(65)).decode()):
        with pytest.raises(InvalidInput, match="secret"):
            open_webhook(wrong)
    with pytest.raises(InvalidInput, match="name"):
        Webhook().connect({"name": " "}, GuardedSession())


def test_no_secret_shows_in_what_a_log_may_hold(account: Account) -> None:
    assert newest_secret(account.token) not in repr(account)
    connected = Webhook().connect({"name": "x"}, GuardedSession())
    assert newest_secret(connected.token) not in repr(connected)
    assert newest_secret(connected.token) not in str(connected.settings)


@pytest.fixture
def door(account: Account) -> Iterator[tuple[str, list[Answer]]]:
    """A server whose one page is the webhook."""
    answers: list[Answer] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = Webhook().receive(account, Incoming("POST", {}, headers, body, dt.datetime.now(dt.UTC)))
            answers.append(answer)
            self.send_response(answer.status)
            self.end_headers()
            self.wfile.write(answer.body.encode())

        def log_message(self, *args: object) -> None:
            """Tests say what happened themselves."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/hooks/fernway/orders/", answers
        server.shutdown()
        thread.join()


def test_the_example_of_the_guide_works_as_it_stands(account: Account, door: tuple[str, list[Answer]]) -> None:
    missing = [tool for tool in ("bash", "curl", "openssl", "od") if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}: apt-get install curl openssl coreutils bash")
    url, answers = door
    script = CURL.replace("https://desk.example.com/hooks/WORKSPACE/CHANNEL/", url)
    script = script.replace("whsec_...", newest_secret(account.token))
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.stdout == "1 taken, 0 refused\n", done.stderr
    assert answers[0].pages[0].posts[0].text == "Where is my parcel?"
    assert any(CURL in step.text for step in Webhook().guide)
