"""The one HTTP client against hostile servers: only names and routes are made up, the wire is real."""

from __future__ import annotations

import datetime as dt
import gzip
import socket
import ssl
import struct
import time
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from rapport.core.errors import AddressRefused, GiveUp, NetworkError, RetryLater, Unconfirmed
from rapport.networks.http import GuardedSession, Limits, parse_retry_after, read_lines
from wires import ByteServer, Caller, byte_server, drip

NOW = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC)
PUBLIC = "93.184.215.14"


def resolver(**names: str | list[str]) -> Callable[..., Any]:
    """A name service of our own: "news_example" is news.example. Other names go to the real one."""
    known = {name.replace("_", "."): [found] if isinstance(found, str) else found for name, found in names.items()}

    def resolve(host: str, port: int, **kwargs: Any) -> Any:
        if host not in known:
            return socket.getaddrinfo(host, port, **kwargs)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in known[host]]

    return resolve


def routed(server: ByteServer, dialled: list[tuple[str, int]] | None = None) -> Callable[..., socket.socket]:
    """Every connection, whatever its address, ends at our server; where it was meant to go is noted."""

    def dial(address: tuple[str, int], timeout: float) -> socket.socket:
        if dialled is not None:
            dialled.append(address)
        return socket.create_connection(("127.0.0.1", server.port), timeout=timeout)

    return dial


def ok(caller: Caller) -> None:
    caller.send("200 OK", b"fine")


def no_dial(*_args: Any, **_kwargs: Any) -> socket.socket:
    raise AssertionError("a refused address was called")


# ---------------------------------------------------------------- where it connects


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/", "http://localhost/", "http://[::1]/", "http://0.0.0.0/", "http://0/", "http://127.1/",
        "http://0x7f000001/", "http://2130706433/", "http://169.254.169.254/latest/meta-data/", "http://10.0.0.1/",
        "http://[::ffff:127.0.0.1]/", "http://[64:ff9b::a9fe:a9fe]/", "http://100.64.0.1/", "http://224.0.0.1/",
        "http://[fd00:ec2::254]/", "http://192.0.0.192/", "http://\u2460\u2461\u2466.\u24ea.\u24ea.\u2460/", "http://127.0.0.1.:80/",
        "ftp://example.com/", "https://x.com@evil.example/", "file:///etc/passwd", "nonsense", "http://[fe80::1%25lo]/",
    ],
)  # fmt: skip
def test_no_private_address_is_called_in_any_spelling(url: str) -> None:
    with GuardedSession(dial=no_dial) as session, pytest.raises(AddressRefused):
        session.get(url)


def test_a_name_that_leads_to_a_private_address_is_refused() -> None:
    resolve = resolver(inside_example="10.1.2.3", mixed_example=[PUBLIC, "127.0.0.1"])
    with GuardedSession(resolve=resolve, dial=no_dial) as session:
        for name in ("inside", "mixed"):
            with pytest.raises(AddressRefused):
                session.get(f"http://{name}.example/")


def test_the_connection_goes_to_the_address_that_was_checked_and_the_name_is_asked_once() -> None:
    asked: list[str] = []
    dialled: list[tuple[str, int]] = []

    def rebinding(host: str, port: int, **_kwargs: Any) -> Any:
        asked.append(host)
        address = PUBLIC if len(asked) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    with byte_server(ok) as server, GuardedSession(resolve=rebinding, dial=routed(server, dialled)) as session:
        assert session.get("http://news.example/a").text == "fine"
        assert server.callers[0].header("Host") == "news.example"
    assert (asked, dialled) == (["news.example"], [(PUBLIC, 80)])


def test_only_the_listed_port_of_a_private_server_is_open() -> None:
    with byte_server(ok) as server, byte_server(ok) as other:
        with GuardedSession(allow={server.authority}) as session:
            assert session.get(server.url).text == "fine"
            with pytest.raises(AddressRefused):
                session.get(other.url)
        assert other.callers == []


def test_a_name_that_only_looks_like_an_allowed_one_is_none() -> None:
    session = GuardedSession(allow={"example.com:443"})
    assert session.is_allowed("https://EXAMPLE.com/x")
    for host in (
        "evilexample.com", "example.com.evil.org", "example.comm", "example.com-evil.org", "sub.example.com",
        "examp1e.com", "ex\u0430mple.com", "example.com:8443",
    ):  # fmt: skip
        assert not session.is_allowed(f"https://{host}/"), host
    for url in ("https://example.com@evil.org/", "https://evil.org\\@example.com/", "https://evil.org#@example.com/"):
        try:
            assert not session.is_allowed(url), url
        except AddressRefused:
            continue


def test_an_address_of_ipv6_can_be_allowed_as_it_is_written_in_a_url() -> None:
    session = GuardedSession(allow={"[::1]:3000", "Social.Internal:443"})
    assert session.is_allowed("http://[::1]:3000/x")
    assert session.is_allowed("https://social.internal/")
    assert not session.is_allowed("http://[::1]:3001/")
    assert not session.is_allowed("http://social.internal/")


def test_a_dead_first_address_does_not_hide_a_living_second() -> None:
    def dial(address: tuple[str, int], timeout: float) -> socket.socket:
        if address[0] == "1.1.1.1":
            raise ConnectionRefusedError("dead")
        return routed(server)(address, timeout=timeout)

    resolve = resolver(news_example=["1.1.1.1", PUBLIC])
    with byte_server(ok) as server, GuardedSession(resolve=resolve, dial=dial) as session:
        assert session.get("http://news.example/").text == "fine"


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with byte_server(ok) as server, byte_server(ok) as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        with GuardedSession(allow={server.authority, proxy.authority}) as session:
            session.get(server.url)
        assert (len(server.callers), len(proxy.callers)) == (1, 0)


# ---------------------------------------------------------------- redirects


def test_every_hop_of_a_redirect_is_checked() -> None:
    with byte_server(ok) as inside:
        targets = [
            inside.url,
            "http://169.254.169.254/",
            "http://localhost/",
            "file:///etc/passwd",
            "http://a@b.example/",
        ]

        def redirect(caller: Caller) -> None:
            caller.send("302 Found", b"", f"Location: {targets[int(caller.path[1:])]}")

        with byte_server(redirect) as outside:
            # The inside server is on the list, and even so nobody outside can send us there.
            resolve = resolver(news_example=PUBLIC)
            with GuardedSession(allow={inside.authority}, resolve=resolve, dial=routed(outside)) as session:
                for number in range(len(targets)):
                    with pytest.raises(AddressRefused):
                        session.get(f"http://news.example/{number}")
        assert inside.callers == []


def test_credentials_do_not_follow_a_redirect_to_another_origin() -> None:
    with byte_server(ok) as second:

        def redirect(caller: Caller) -> None:
            target = "/again" if caller.path == "/same" else second.url
            caller.send("200 OK", b"fine") if caller.path == "/again" else caller.send(
                "307 x", b"", f"Location: {target}"
            )

        with byte_server(redirect) as first, GuardedSession(allow={first.authority, second.authority}) as session:
            headers = {"Authorization": "Bearer secret"}
            assert session.get(f"{first.url}/other", headers=headers).text == "fine"
            assert second.callers[0].header("Authorization") is None
            assert session.get(f"{first.url}/same", headers=headers).text == "fine"
            assert first.callers[-1].header("Authorization") == "Bearer secret"


def test_an_upgrade_to_https_or_a_downgrade_is_another_origin() -> None:
    session = GuardedSession()
    assert session.should_strip_auth("http://a.example/", "https://a.example/")
    assert session.should_strip_auth("https://a.example/", "http://a.example/")
    assert session.should_strip_auth("https://a.example/", "https://a.example:8443/")
    assert not session.should_strip_auth("https://a.example/", "https://A.example:443/x")


def test_a_request_that_changes_something_follows_no_redirect() -> None:
    with byte_server(lambda caller: caller.send("307 x", b"", "Location: /elsewhere")) as server:
        with GuardedSession(allow={server.authority}) as session:
            assert session.post(server.url, data={"secret": "x"}).status_code == 307
        assert len(server.callers) == 1


def test_a_redirect_in_circles_is_given_up() -> None:
    with byte_server(lambda caller: caller.send("302 x", b"", "Location: /")) as server:
        with GuardedSession(allow={server.authority}) as session, pytest.raises(GiveUp):
            session.get(server.url)
        assert len(server.callers) <= 7


def test_cookies_are_not_kept() -> None:
    with byte_server(lambda caller: caller.send("200 OK", b"", "Set-Cookie: a=b")) as server:
        with GuardedSession(allow={server.authority}) as session:
            session.get(server.url)
            session.get(server.url)
        assert server.callers[1].header("Cookie") is None


def test_a_request_says_who_we_are() -> None:
    with byte_server(ok) as server, GuardedSession(allow={server.authority}) as session:
        session.get(server.url)
        assert (server.callers[0].header("User-Agent") or "").startswith("Rapport/")


# ---------------------------------------------------------------- how much and how long


def small(server: ByteServer, total: float = 1.0, body: int = 100_000) -> GuardedSession:
    return GuardedSession(allow={server.authority}, limits=Limits(total=total, body=body))


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_beyond_the_limit_is_cut_off(chunked: bool) -> None:
    def endless(caller: Caller) -> None:
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" if chunked else b"HTTP/1.1 200 OK\r\n\r\n"
        caller.socket.sendall(head)
        drip(caller.socket, b"2710\r\n" + b"a" * 10_000 + b"\r\n" if chunked else b"a" * 10_000, 0, 10_000)

    with byte_server(endless) as server, small(server, total=10.0) as session:
        with pytest.raises(GiveUp, match="100,000 bytes"):
            session.get(server.url)
        with pytest.raises(Unconfirmed):
            session.post(server.url)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "gzip, gzip"])
def test_a_compressed_bomb_neither_passes_nor_fills_the_memory(coding: str) -> None:
    bomb = gzip.compress(b"\0" * 200_000_000, 9) if "gzip" in coding else zlib.compress(b"\0" * 200_000_000, 9)
    if coding == "gzip, gzip":
        bomb = gzip.compress(bomb, 9)
    with (
        byte_server(lambda caller: caller.send("200 OK", bomb, f"Content-Encoding: {coding}")) as server,
        small(server, total=10.0) as session,
    ):
        tracemalloc.start()
        try:
            with pytest.raises(GiveUp):
                session.get(server.url)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert peak < 20_000_000


def test_the_body_of_a_redirect_has_the_same_limit() -> None:
    big = b"a" * 200_000
    with (
        byte_server(lambda caller: caller.send("302 x", big, "Location: /")) as server,
        small(server) as session,
        pytest.raises(GiveUp, match="bytes"),
    ):
        session.get(server.url)


@pytest.mark.parametrize(
    "slow",
    [
        lambda caller: time.sleep(5),
        lambda caller: drip(caller.socket, b"H", 0.1),
        lambda caller: drip(caller.socket, b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 2, 0.1),
        lambda caller: caller.socket.sendall(b"HTTP/1.1 200 OK\r\n\r\n") or drip(caller.socket, b"a", 0.1),
    ],
    ids=["silence", "one byte at a time", "endless head", "endless body"],
)
def test_a_whole_exchange_ends_in_time_however_the_other_side_drips(slow: Callable[[Caller], None]) -> None:
    with byte_server(slow) as server, small(server, total=1.0) as session:
        start = time.monotonic()
        with pytest.raises(RetryLater):
            session.get(server.url)
        assert time.monotonic() - start < 5
        start = time.monotonic()
        with pytest.raises(Unconfirmed):
            session.post(server.url)
        assert time.monotonic() - start < 5


def test_slow_redirects_share_one_deadline() -> None:
    def redirect(caller: Caller) -> None:
        time.sleep(0.4)
        caller.send("302 x", b"", "Location: /")

    with byte_server(redirect) as server, small(server, total=1.0) as session:
        with pytest.raises(RetryLater):
            session.get(server.url)
        assert len(server.callers) <= 3


def test_a_kept_connection_gets_a_deadline_of_its_own() -> None:
    with byte_server(ok) as server, small(server, total=0.6) as session:
        for _ in range(4):
            assert session.get(server.url).text == "fine"
            time.sleep(0.25)
        assert len({id(caller.socket) for caller in server.callers}) == 1


# ---------------------------------------------------------------- what a failure means


def reset(caller: Caller) -> None:
    caller.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    caller.socket.close()


@pytest.mark.parametrize("after_accept", [reset, lambda caller: caller.socket.close()], ids=["reset", "closed"])
def test_a_connection_lost_after_the_request_is_unconfirmed_only_where_it_may_have_had_an_effect(
    after_accept: Callable[[Caller], None],
) -> None:
    with byte_server(after_accept) as server, small(server) as session:
        with pytest.raises(Unconfirmed):
            session.post(server.url, data={"a": "b"})
        with pytest.raises(RetryLater):
            session.get(server.url)


def test_half_an_answer_is_no_answer() -> None:
    def half(caller: Caller) -> None:
        caller.socket.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        caller.socket.shutdown(socket.SHUT_WR)

    with byte_server(half) as server, small(server) as session:
        with pytest.raises(Unconfirmed):
            session.post(server.url)
        with pytest.raises(RetryLater):
            session.get(server.url)


def test_what_never_left_the_house_can_be_tried_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    session = GuardedSession(allow={f"127.0.0.1:{port}", "nowhere.invalid:80"}, resolve=refuse_names)
    with session:
        for url in (f"http://127.0.0.1:{port}/", "http://nowhere.invalid/"):
            with pytest.raises(RetryLater):
                session.post(url, data={"a": "b"})


def refuse_names(host: str, port: int, **kwargs: Any) -> Any:
    if host == "nowhere.invalid":
        raise socket.gaierror(-2, "Name or service not known")
    return socket.getaddrinfo(host, port, **kwargs)


def test_a_header_that_would_smuggle_a_second_request_is_not_sent() -> None:
    with byte_server(ok) as server, small(server) as session:
        with pytest.raises(AddressRefused):
            session.get(server.url, headers={"Authorization": "Bearer a\r\nX: y"})
        assert server.callers == []


def test_nothing_but_typed_errors_comes_out_of_garbage() -> None:
    garbage = [b"", b"\x00\x01\x02\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/9.9 200 OK\r\n\r\n", b"<html>" * 100]
    garbage += [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 302 x\r\nLocation: http://[\r\n\r\n",
    ]
    garbage += [b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope"]
    garbage += [b"HTTP/1.1 302 x\r\nContent-Length: 0\r\nLocation: \xff\xfe://\r\n\r\n", b"A" * 70_000]

    def answer(caller: Caller) -> None:
        caller.socket.sendall(garbage[int(caller.path[1:])])
        caller.socket.shutdown(socket.SHUT_RDWR)

    with byte_server(answer) as server, small(server) as session:
        for number in range(len(garbage)):
            with pytest.raises(NetworkError):
                session.get(f"{server.url}/{number}")


# ---------------------------------------------------------------- TLS


def certificate_for(name: str, folder: Path) -> ssl.SSLContext:
    """A server certificate signed by itself; `folder/ca.pem` is what a client must trust."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder(
        subject, subject, key.public_key(), 1, now - dt.timedelta(1), now + dt.timedelta(1)
    )
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    (folder / "ca.pem").write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "ca.pem", folder / "key.pem")
    return context


def test_the_certificate_is_checked_for_the_name_although_the_address_is_pinned(tmp_path: Path) -> None:
    resolve = resolver(news_example=PUBLIC, other_example=PUBLIC)
    with byte_server(ok, certificate_for("news.example", tmp_path)) as server:
        with GuardedSession(resolve=resolve, dial=routed(server)) as session:
            with pytest.raises(RetryLater, match=r"(?i)certificate"):
                session.post("https://news.example/")
            session.verify = str(tmp_path / "ca.pem")
            assert session.get("https://news.example/").text == "fine"
            assert server.callers[0].sni == "news.example"
            with pytest.raises(RetryLater, match=r"(?i)certificate|hostname"):
                session.get("https://other.example/")
            session.verify = False
            with pytest.raises(RetryLater, match=r"(?i)certificate"):
                session.get("https://other.example/", verify=False)
        assert len(server.callers) == 1


# ---------------------------------------------------------------- event streams


def test_an_event_stream_outlives_the_deadline_and_gives_its_lines_as_they_come() -> None:
    def events(caller: Caller) -> None:
        caller.socket.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for piece in (b"event: up", b"date\ndata: \xc3", b"\xa9\r\n\n", b":thump\n"):
            caller.socket.sendall(b"%x\r\n%b\r\n" % (len(piece), piece))
            time.sleep(0.3)
        caller.socket.sendall(b"0\r\n\r\n")

    with byte_server(events) as server, small(server, total=0.5) as session:
        response = session.get(server.url, stream=True, timeout=(1, 1.0))
        assert list(read_lines(response)) == ["event: update", "data: é", "", ":thump"]


def test_a_silent_event_stream_is_noticed() -> None:
    def silent(caller: Caller) -> None:
        caller.socket.sendall(b"HTTP/1.1 200 OK\r\n\r\n:connected\n")
        time.sleep(5)

    with byte_server(silent) as server, small(server, total=5.0) as session:
        lines = read_lines(session.get(server.url, stream=True, timeout=(1, 0.5)))
        start = time.monotonic()
        assert next(lines) == ":connected"
        with pytest.raises(RetryLater):
            next(lines)
        assert time.monotonic() - start < 4


def test_a_line_without_end_is_given_up() -> None:
    def endless(caller: Caller) -> None:
        caller.socket.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        drip(caller.socket, b"a" * 65_536, 0)

    with byte_server(endless) as server, small(server) as session, pytest.raises(GiveUp):
        next(read_lines(session.get(server.url, stream=True, timeout=(1, 1))))


# ---------------------------------------------------------------- waiting


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "120"}, 120.0),
        ({"retry-after": " 0 "}, 0.0),
        ({"Retry-After": "1.5"}, 1.5),
        ({"Retry-After": "Sat, 21 Nov 2026 12:02:00 GMT"}, 120.0),
        ({"Retry-After": "Sat, 21 Nov 2026 11:00:00 GMT"}, 0.0),
        ({"Retry-After": "Sat, 21 Nov 2026 13:02:00 GMT", "Date": "Sat, 21 Nov 2026 13:00:00 GMT"}, 120.0),
        ({"X-RateLimit-Reset": "2026-11-21T12:05:00.000000Z"}, 300.0),
        ({"X-RateLimit-Reset": "2026-11-21T12:05:00"}, 300.0),
        ({"X-RateLimit-Reset": str(int(NOW.timestamp()) + 60)}, 60.0),
        ({"Retry-After": "10", "X-RateLimit-Reset": "2026-11-21T12:05:00Z"}, 10.0),
        ({"Retry-After": "soon", "X-RateLimit-Reset": "2026-11-21T12:05:00Z"}, 300.0),
        ({"Retry-After": "999999999"}, 86_400.0),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "inf"}, None),
        ({"Retry-After": "nan"}, None),
        ({"X-RateLimit-Reset": "99999999999"}, 86_400.0),
        ({"X-RateLimit-Reset": ""}, None),
        ({}, None),
    ],
)
def test_the_time_to_wait_is_read_from_the_headers(headers: dict[str, str], seconds: float | None) -> None:
    assert parse_retry_after(headers, NOW) == seconds


@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=40))
def test_no_header_makes_the_waiting_time_fail_or_leave_its_bounds(after: str, reset_at: str, date: str) -> None:
    seconds = parse_retry_after({"Retry-After": after, "X-RateLimit-Reset": reset_at, "Date": date}, NOW)
    assert seconds is None or 0 <= seconds <= 86_400
