"""Ids that the address of a post tells."""

from __future__ import annotations

import pytest

from rapport.networks.registry import NETWORKS, network_named

OURS = "did:plc:z72i7hdynmk6r22z27h6tvur"
HOME = "https://social.example"


@pytest.mark.parametrize(
    ("network", "link", "told"),
    [
        ("x", "https://x.com/fernway/status/1790000000000000001", "1790000000000000001"),
        ("x", "https://mobile.twitter.com/i/web/status/20?s=46", "20"),
        ("x", "https://x.com.evil.example/fernway/status/20", ""),
        ("x", "https://x.com/fernway/likes", ""),
        ("mastodon", f"{HOME}/@fernway/113000000000000001", "113000000000000001"),
        ("mastodon", f"{HOME}/deck/@fernway/7", "7"),
        ("mastodon", f"{HOME}/users/fernway/statuses/7", "7"),
        ("mastodon", "https://other.example/@fernway/7", ""),
        ("mastodon", f"{HOME}/@fernway/", ""),
        ("bluesky", "https://bsky.app/profile/fernway.example/post/3kabc2345defg", f"at://{OURS}/app.bsky.feed.post/3kabc2345defg"),
        ("bluesky", f"https://bsky.app/profile/{OURS}/post/..", ""),
        ("bluesky", "https://bsky.app/profile/fernway.example/lists/3kabc2345defg", ""),
    ],
)  # fmt: skip
def test_the_address_of_a_post_tells_its_id_where_it_can(network: str, link: str, told: str) -> None:
    found = network_named(network)
    assert found is not None
    assert found.id_at(HOME, OURS, link) == told


def test_no_network_takes_what_is_no_address_of_it_for_an_id() -> None:
    assert {each.id_at(HOME, OURS, "https://example.org/7") for each in NETWORKS.values()} == {""}
