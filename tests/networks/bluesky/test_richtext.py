"""Facets: reading what other people mark in their texts, and marking our own."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.networks.bluesky.richtext import Facet, Feature, Index, counted_length, find_facets, read_marks

DIDS = {"ann.example.com": "did:plc:ann", "ben.test": "did:plc:ben"}


def link(start: int, end: int, uri: str) -> Facet:
    return Facet(Index(start, end), [Feature("app.bsky.richtext.facet#link", uri=uri)])


def found(text: str) -> list[tuple[str, dict[str, Any]]]:
    """The marked words, cut out by their byte offsets, with what they are."""
    raw = text.encode()
    marked = []
    for facet in find_facets(text, DIDS.get):
        index, features = msgspec.convert(facet, dict[str, Any]).values()
        (feature,) = features
        words = raw[index["byteStart"] : index["byteEnd"]].decode()
        marked.append((words, {name: value for name, value in feature.items() if name != "$type"}))
    return marked


@pytest.mark.parametrize(
    ("text", "marks"),
    [
        ("see https://x.example/a?b=c#d.", [("https://x.example/a?b=c#d", {"uri": "https://x.example/a?b=c#d"})]),
        ("(https://x.example/a_(b))", [("https://x.example/a_(b)", {"uri": "https://x.example/a_(b)"})]),
        ("ünï https://x.example/ä 👩‍👩‍👧 #tag", [
            ("https://x.example/ä", {"uri": "https://x.example/ä"}), ("#tag", {"tag": "tag"})]),
        ("@ann.example.com: hello", [("@ann.example.com", {"did": "did:plc:ann"})]),
        ("Hi @Ben.test!", [("@Ben.test", {"did": "did:plc:ben"})]),
        ("@nobody.test and @ann and mail@ann.example.com", []),
        ("#one, ＃two! #3 #4you #", [("#one", {"tag": "one"}), ("＃two", {"tag": "two"}), ("#4you", {"tag": "4you"})]),
        ("https://x.example/#tag @ https:// http://", [("https://x.example/#tag", {"uri": "https://x.example/#tag"})]),
        ("a#b c@ben.test", []),
        ("#" + "x" * 65, []),
        ("", []),
    ],
)  # fmt: skip
def test_links_mentions_and_hashtags_are_marked_where_they_stand(
    text: str, marks: list[tuple[str, dict[str, str]]]
) -> None:
    assert found(text) == marks


@given(st.text(alphabet="#@＃ .a1é👩‍:/htps()\n", max_size=80))
def test_our_marks_lie_inside_the_text_in_order_and_cut_no_letter(text: str) -> None:
    raw, last = text.encode(), 0
    for facet in find_facets(text, lambda _handle: "did:plc:x"):
        index = msgspec.convert(facet["index"], dict[str, int])
        assert last <= index["byteStart"] < index["byteEnd"] <= len(raw)
        raw[index["byteStart"] : index["byteEnd"]].decode()
        last = index["byteEnd"]


@given(
    st.text(max_size=40),
    st.lists(
        st.builds(
            Facet,
            st.builds(Index, st.integers(-5, 200), st.integers(-5, 200)),
            st.lists(
                st.builds(Feature, st.just(""), st.none() | st.text(), st.none() | st.text(), st.none() | st.text())
            ),
        ),
        max_size=6,
    ),
)
def test_hostile_facets_never_break_a_text_and_lose_none_of_it(text: str, facets: list[Facet]) -> None:
    marked = read_marks(text, facets)
    rest = iter(marked.text)
    assert all(letter in rest for letter in text)  # as a subsequence: things are put in, nothing is taken out


def test_a_link_is_shown_for_what_it_is() -> None:
    same = read_marks("see example.com/a", [link(4, 17, "https://www.example.com/a/")])
    assert same.text == "see example.com/a"
    short = read_marks("see example.com/lo...", [link(4, 21, "https://example.com/long/way?x=1")])
    assert short.text == "see https://example.com/long/way?x=1"
    lie = read_marks("see bank.example", [link(4, 16, "https://evil.example/login")])
    assert lie.text == "see bank.example (https://evil.example/login)"
    half = read_marks("see bank.exam…", [link(4, 16, "https://bank.exam.evil.example/")])
    assert "https://bank.exam.evil.example/" in half.text
    assert lie.links == ("https://evil.example/login",)


def test_mentions_and_hashtags_are_read_by_bytes_not_by_letters() -> None:
    text = "é👩 @ann.test #späť"
    raw = text.encode()
    at, tag = raw.index(b"@"), raw.index(b"#")
    marked = read_marks(
        text,
        [
            Facet(Index(at, at + 9), [Feature(did="did:plc:ann")]),
            Facet(Index(tag, len(raw)), [Feature(tag="späť")]),
        ],
    )
    assert marked.mentions == (("did:plc:ann", "ann.test"),)
    assert marked.hashtags == ("späť",)
    assert marked.text == text


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("", 0),
        ("hello", 5),
        ("a\r\nb", 3),
        ("é", 1),
        ("e\u0301", 1),
        ("👩‍👩‍👧‍👧" * 10, 25 * 10 // 10),  # 10 graphemes, 250 bytes: the bytes are nearer to their limit
        ("👍🏽", 1),
        ("🇩🇪🇫🇷", 2),
        ("नमस्ते", 3),
        ("日本語", 3),
        ("x" * 300, 300),
    ],
)
def test_length_is_counted_in_what_people_see_as_characters(text: str, length: int) -> None:
    assert counted_length(text) == length


def test_a_text_that_has_too_many_bytes_is_too_long_however_few_characters_it_has() -> None:
    family = "👩‍👩‍👧‍👧"
    assert len(family.encode()) == 25
    assert counted_length(family * 120) <= 300
    assert counted_length(family * 121) > 300
