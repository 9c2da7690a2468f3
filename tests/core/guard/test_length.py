"""How long a network says that a text is."""

from __future__ import annotations

import tarfile
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.core.guard import length, limit
from rapport.core.guard.length import count, graphemes

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466"


@pytest.mark.parametrize(
    ("text", "clusters"),
    [
        ("abc", 3),
        ("a\r\nb", 3),
        ("e\u0301", 1),
        (FAMILY, 1),
        (FAMILY + FAMILY, 2),
        ("\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7", 2),
        ("\U0001f44d\U0001f3fd", 1),
        ("1\ufe0f\u20e3", 1),
        ("\u1112\u1161\u11ab", 1),
        ("한국", 2),
        ("नि", 1),
        ("a\u200db", 2),
        ("\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", 1),
        ("", 0),
    ],
)
def test_a_cluster_is_what_a_reader_sees_as_one_character(text: str, clusters: int) -> None:
    assert count(text, "graphemes") == clusters == len(list(graphemes(text)))


@given(st.text())
def test_the_clusters_of_a_text_make_up_the_text(text: str) -> None:
    assert "".join(graphemes(text)) == text
    assert all(graphemes(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("see https://example.com/" + "a" * 90, 4 + 23),
        ("see https://example.com/a.", 4 + 23 + 1),
        ("@ann@example.social hi", 7),
        ("@ann hi", 7),
        ("mail ann@example.social", 23),
    ],
)
def test_mastodon_counts_links_as_23_and_handles_without_their_server(text: str, expected: int) -> None:
    assert length(text, "mastodon") == expected


def test_every_network_has_a_limit_and_an_unknown_one_a_generous_one() -> None:
    assert [limit(network) for network in ("mastodon", "x", "bluesky", "somewhere")] == [500, 280, 300, 50_000]


@pytest.mark.parametrize("text", ["a" * 50_000, "@" + "a." * 25_000, "a.a" * 16_000, "https://" * 6_000, "@a" * 25_000])
@pytest.mark.parametrize("network", ["mastodon", "x"])
def test_a_text_made_to_stall_the_count_is_counted_quickly(text: str, network: str) -> None:
    before = time.perf_counter()
    assert length(text, network) > 0
    assert time.perf_counter() - before < 1


@pytest.mark.data
def test_x_counts_as_the_conformance_suite_of_twitter_text_says() -> None:
    yaml = pytest.importorskip("yaml", reason="PyYAML reads the conformance suite: pip install pyyaml")
    archive = Path(__file__).parents[4] / "shared" / "data" / "09_payloads" / "twitter_text_conformance.tar.gz"
    if not archive.exists():
        pytest.skip("the twitter-text conformance suite is not beside the project (shared/data/09_payloads)")
    with tarfile.open(archive) as suite:
        member = suite.extractfile("validate.yml")
        assert member is not None
        tests = yaml.safe_load(member)["tests"]["WeightedTweetsWithDiscountedEmojiCounterTest"]
    assert len(tests) > 15
    wrong = [
        (test["description"], count(test["text"], "weighted"), test["expected"]["weightedLength"])
        for test in tests
        if count(test["text"], "weighted") != test["expected"]["weightedLength"]
    ]
    assert wrong == []
