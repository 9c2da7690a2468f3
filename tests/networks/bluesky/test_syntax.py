"""Identifiers of the AT Protocol, held against Bluesky's own interoperability tests."""

from __future__ import annotations

import datetime as dt
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.networks.bluesky.syntax import (
    decode_tid,
    encode_tid,
    is_did,
    is_handle,
    is_nsid,
    is_record_key,
    is_tid,
    parse_address,
    parse_time,
    web_address,
    write_time,
)

SUITE = Path(__file__).parents[3].parent / "shared" / "data" / "09_payloads" / "atproto_interop.tar.gz"
CHECKS: dict[str, Callable[[str], object]] = {
    "did_syntax": is_did,
    "handle_syntax": is_handle,
    "nsid_syntax": is_nsid,
    "recordkey_syntax": is_record_key,
    "tid_syntax": is_tid,
    "aturi_syntax": parse_address,
    "datetime_syntax": parse_time,
    "datetime_parse": parse_time,
}
#: the protocol has a year 0, Python's calendar has not
CANNOT_BE = {"0000-01-01T00:00:00.000Z"}


def cases(suite: str) -> Iterator[tuple[str, bool]]:
    with tarfile.open(SUITE) as archive:
        for verdict in ("valid", "invalid"):
            name = f"syntax/{suite}_{verdict}.txt"
            if name not in archive.getnames():
                continue
            file = archive.extractfile(name)
            assert file is not None
            for line in file.read().decode().split("\n"):
                if line and not line.startswith("#"):
                    yield line, verdict == "valid"


@pytest.mark.data
@pytest.mark.parametrize("suite", sorted(CHECKS))
def test_what_the_suite_of_bluesky_takes_is_taken_and_what_it_refuses_is_refused(suite: str) -> None:
    if not SUITE.exists():
        pytest.skip("needs shared/data/09_payloads/atproto_interop.tar.gz beside the repository")
    found = list(cases(suite))
    assert len(found) >= 5
    wrong = [(text, valid) for text, valid in found if bool(CHECKS[suite](text)) != valid and text not in CANNOT_BE]
    assert wrong == []


@given(st.integers(0, 2**53 - 1), st.integers(0, 1023))
def test_a_tid_gives_its_time_back_and_sorts_by_it(microseconds: int, clock: int) -> None:
    tid = encode_tid(microseconds, clock)
    assert is_tid(tid)
    assert decode_tid(tid) == microseconds
    assert encode_tid(microseconds, 0) <= tid
    if microseconds:
        assert encode_tid(microseconds - 1, 1023) < tid


def test_a_tid_of_the_specification_holds_the_time_that_it_should() -> None:
    at = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=decode_tid("3l3qo2vuowo2b"))
    assert at.date() == dt.date(2024, 9, 9)


@pytest.mark.parametrize("text", ["", "x", "3JZFCIJPJ2Z2A", "3jzfcijpj2z2aa"])
def test_what_is_no_tid_holds_no_time(text: str) -> None:
    with pytest.raises(ValueError, match="TID"):
        decode_tid(text)


@given(st.integers(0, 7_000_000_000_000_000))
def test_a_time_that_we_write_can_be_read(microseconds: int) -> None:
    moment = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=microseconds)
    read = parse_time(write_time(moment))
    assert read is not None
    assert abs(read - moment) < dt.timedelta(milliseconds=1)


@given(st.text(max_size=60))
def test_no_text_breaks_the_checks(text: str) -> None:
    for check in CHECKS.values():
        check(text)
        check(f"at://{text}")
    web_address(f"at://did:plc:abc/app.bsky.feed.post/{text}")


def test_only_posts_have_a_page() -> None:
    assert web_address("at://did:plc:abc/app.bsky.feed.post/3k") == "https://bsky.app/profile/did:plc:abc/post/3k"
    for other in ("at://did:plc:abc/app.bsky.feed.like/3k", "at://did:plc:abc", "https://example.com", ""):
        assert web_address(other) is None
