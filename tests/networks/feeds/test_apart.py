"""A feed that takes for ever to read is stopped, and nothing else waits for it."""

from __future__ import annotations

import datetime as dt
import time

import pytest

from rapport.core.errors import InvalidInput
from rapport.networks.feeds import apart
from rapport.networks.feeds.apart import SMALL, read_apart
from rapport.networks.feeds.read import read_document

HEAD = b'<rss version="2.0"><channel><title>T</title><item><guid>1</guid>'
TAIL = b"</item></channel></rss>"


def test_a_large_feed_reads_the_same_in_a_process_of_its_own() -> None:
    body = HEAD + b"<title>Gr\xc3\xbc\xc3\x9fe</title><pubDate>Sat, 21 Nov 2026 09:30:00 GMT</pubDate>"
    body += b"<description>" + b"word " * (SMALL // 4) + b"</description>" + TAIL
    assert len(body) > SMALL
    found = read_apart(body, {"Content-Type": "application/xml"}, "https://a.example/")
    assert found == read_document(body, {"Content-Type": "application/xml"}, "https://a.example/")
    assert found.items[0].published == dt.datetime(2026, 11, 21, 9, 30, tzinfo=dt.UTC)


def test_the_reason_of_a_refusal_comes_back_too() -> None:
    with pytest.raises(InvalidInput, match="a web page, not a feed"):
        read_apart(b"<html>" + b"x" * SMALL, {}, "https://a.example/")


@pytest.mark.parametrize(
    "inside",
    [
        b"<author>" + b"a." * 100_000 + b"@</author>",
        b"<description>" + b"&lt;!--" * 200_000 + b"</description>",
    ],
)
def test_a_feed_that_takes_for_ever_is_stopped(monkeypatch: pytest.MonkeyPatch, inside: bytes) -> None:
    monkeypatch.setattr(apart, "SECONDS", 10)
    monkeypatch.setattr(apart, "_PATIENCE", 1.5)
    began = time.monotonic()
    with pytest.raises(InvalidInput, match=r"takes more than"):
        read_apart(HEAD + inside + TAIL, {}, "https://a.example/")
    assert time.monotonic() - began < 10


@pytest.mark.slow
def test_the_process_stops_itself_when_its_time_is_up() -> None:
    body = HEAD + b"<author>" + b"a." * 150_000 + b"@</author>" + TAIL
    with pytest.raises(InvalidInput, match="no honest feed does"):
        read_apart(body, {}, "https://a.example/")
