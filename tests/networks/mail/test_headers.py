"""Heads of mails as people, programs and attackers write them."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.networks.mail.charsets import decode_base64, decode_text, decode_transfer
from rapport.networks.mail.headers import Address, clean_address, decode_words, read_addresses, read_head


@pytest.mark.parametrize(
    ("raw", "charset", "text"),
    [
        ("Grüße".encode(), "utf-8", "Grüße"),
        ("Grüße".encode("latin-1"), "iso-8859-1", "Grüße"),
        ("“smart” €".encode("cp1252"), "iso-8859-1", "“smart” €"),
        ("Grüße".encode(), "us-ascii", "Grüße"),
        ("Grüße".encode("cp1252"), "", "Grüße"),
        ("Grüße".encode(), "x-no-such-charset", "Grüße"),
        ("すみません".encode("iso2022_jp"), "ISO-2022-JP", "すみません"),
        ("あいう".encode("cp932"), "Shift_JIS", "あいう"),
        ("스티해".encode("cp949"), "ks_c_5601-1987", "스티해"),
        ("中文".encode("gb18030"), "gb2312", "中文"),
        ("Привет".encode("koi8-r"), "KOI8-R", "Привет"),
        (b"a\xffb", "utf-8", "aÿb"),
        ("ok".encode("utf-16"), "utf-16", "ok"),
        (b"plain", "hex", "plain"),
        (b"plain", "punycode", "plain"),
        (b"plain", "unicode_escape", "plain"),
        (b"\\x41", "unicode_escape", "\\x41"),
        (b"broken \x81 here", "shift_jis", "broken \ufffd here"),
    ],
)
def test_bytes_become_the_text_that_was_meant(raw: bytes, charset: str, text: str) -> None:
    assert decode_text(raw, charset) == text


@given(
    st.binary(max_size=300),
    st.sampled_from(["", "utf-8", "utf-16", "gb2312", "iso-2022-jp", "utf-7", "nonsense", "zlib"]),
)
def test_no_bytes_in_any_charset_raise(raw: bytes, charset: str) -> None:
    assert isinstance(decode_text(raw, charset), str)
    for encoding in ("base64", "quoted-printable", "8bit", "", "x-uuencode"):
        assert isinstance(decode_transfer(raw, encoding), bytes)


def test_base64_that_was_cut_or_spoilt_gives_what_is_there() -> None:
    assert decode_base64(b"aGVs\r\nbG8gd29ybGQ=") == b"hello world"
    assert decode_base64(b"aGVsbG8gd29ybG") == b"hello worl"
    assert decode_base64(b"aGVsbG8*gd29y!bGQ") == b"hello world"
    assert decode_base64(b"a") == b""


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("plain", "plain"),
        ("=?utf-8?q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
        ("=?UTF-8?B?R3LDvMOfZQ==?= an alle", "Grüße an alle"),
        ("=?utf-8?q?one?= =?utf-8?q?two?=", "onetwo"),
        ("=?utf-8?b?44G+4w==?= =?utf-8?b?gb8=?=", "まみ"),
        ("=?iso-8859-1*en?q?caf=E9_noir?=", "café noir"),
        ("a =?nonsense?q?b?= c", "a b c"),
        ("=?utf-8?x?b?=", "=?utf-8?x?b?="),
        ("=?utf-8?q?line=0D=0ABcc:_evil?=", "line Bcc: evil"),
        ("pay \u202egnp.exe", "pay gnp.exe"),
    ],
)
def test_encoded_words_read_as_people_wrote_them(written: str, read: str) -> None:
    assert decode_words(written) == read


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("ann@x.example", [("", "ann@x.example")]),
        ("Ann <Ann@X.Example>", [("Ann", "ann@x.example")]),
        (
            '"Ann, the first" <ann@x.example>, ben@y.example',
            [("Ann, the first", "ann@x.example"), ("", "ben@y.example")],
        ),
        ('"a@good.example" <b@evil.example>', [("a@good.example", "b@evil.example")]),
        ("ann@x.example (Ann Example)", [("Ann Example", "ann@x.example")]),
        ("Team: ann@x.example, ben@y.example;", [("", "ann@x.example"), ("", "ben@y.example")]),
        ("=?utf-8?q?J=C3=B6rg?= <j@x.example>", [("Jörg", "j@x.example")]),
        ("Ann <@relay.example:ann@x.example>", [("Ann", "ann@x.example")]),
        ("undisclosed-recipients:;", []),
        ("Ann", []),
        ("<>", []),
        ("ann@", []),
        ('"ann" <ann@x.example> <evil@y.example>', [('"ann" <ann@x.example>', "evil@y.example")]),
        ("Ann \u202e <ann@x.example>", [("Ann", "ann@x.example")]),
    ],
)
def test_addresses_are_read_as_they_were_meant(value: str, found: list[tuple[str, str]]) -> None:
    assert read_addresses(value) == [Address(name=name, address=address) for name, address in found]


def test_an_address_in_foreign_letters_shows_itself() -> None:
    assert clean_address("support@\u0430pple.example") == "support@xn--pple-43d.example"
    assert clean_address("support@apple.example") == "support@apple.example"
    assert clean_address("j\u00f6rg@m\u00fcller.example") == "j\u00f6rg@xn--mller-kva.example"


@pytest.mark.parametrize(
    "address",
    ["", "@", "a@", "@b", "a b@c.example", "a@b c", "a@-b.example", "a\nb@c.example", "a@b..c", "<a@b>", "a,b@c",
        "x" * 300 + "@a.b", "a@\u202eb.c",
    ],
)  # fmt: skip
def test_what_is_no_address_is_none(address: str) -> None:
    assert clean_address(address) is None


@given(st.text(max_size=200))
def test_no_address_list_raises_and_what_comes_out_can_be_read_again(value: str) -> None:
    for found in read_addresses(value):
        assert clean_address(found.address) == found.address
        assert not set(found.address) & set("\r\n<>, ")
    assert "\n" not in decode_words(value)


@given(st.binary(max_size=500))
def test_no_head_raises(raw: bytes) -> None:
    head = read_head(raw)
    head.ids("references"), head.moment("date"), head.addresses("from"), head.text("subject")


def test_a_head_is_unfolded_and_ends_at_the_empty_line() -> None:
    head = read_head(b"Subject: one\r\n two\r\n\tthree\r\nX: 1\r\nX: 2\r\n\r\nTo: nobody@x.example\r\n")
    assert head.text("subject") == "one two three"
    assert head.every("x") == ["1", "2"]
    assert head.first("to") == ""


@pytest.mark.parametrize(
    "date", ["yesterday", "", "Mon, 99 Foo 2026 99:99:99 +9999", "1 Jan 99999 00:00:00 +0000", "0"]
)
def test_a_date_that_is_none_is_none(date: str) -> None:
    assert read_head(f"Date: {date}\r\n\r\n".encode()).moment("date") is None


@pytest.mark.parametrize(
    "value", ["<" * 60_000, '"' * 60_001, "(" * 60_000, "a@b," * 15_000, "=?a?q?" * 10_000, "=?a?b?" + "a " * 30_000]
)
def test_a_head_that_was_made_to_be_slow_is_not(value: str) -> None:
    began = time.process_time()
    read_addresses(value)
    decode_words(value)
    read_head(f"From: {value}\r\n\r\n".encode()).ids("from")
    assert time.process_time() - began < 2.0
