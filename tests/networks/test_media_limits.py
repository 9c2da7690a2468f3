"""What the page on images says of each network is what the network says of itself."""

from __future__ import annotations

from pathlib import Path

from rapport.core.guard import NETWORKS as POLICIES
from rapport.networks.registry import NETWORKS

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "threads-and-images.md"


def test_the_limits_of_every_network_that_takes_images_are_documented() -> None:
    rows = [line.split("|")[1:-1] for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    told = {cells[0].strip(): [cell.strip() for cell in cells[1:]] for cells in rows[1:]}
    takes = {network.title: network.capabilities.media for network in NETWORKS.values() if network.capabilities.media}
    assert set(told) == set(takes)
    for title, limits in takes.items():
        count, size, alt = told[title]
        assert count.partition(",")[0] == str(limits.most)
        assert size.startswith(f"{limits.max_bytes // 1_000_000} MB")
        assert alt.startswith(f"{limits.max_alt:,} " if limits.max_alt else "none")
        assert ("public posts alone" in count) is not limits.direct


def test_threads_are_offered_where_posts_are_short() -> None:
    threads = {name for name, network in NETWORKS.items() if network.capabilities.threads}
    assert threads == {"mastodon", "bluesky", "x"}
    assert all(POLICIES[name].max_length <= 500 for name in threads)
