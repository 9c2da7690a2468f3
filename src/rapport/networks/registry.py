"""Every network that Rapport speaks. Adding one is a folder beside this file and one line here."""

from __future__ import annotations

from rapport.networks.bluesky.network import Bluesky
from rapport.networks.contract import Network
from rapport.networks.discourse.network import Discourse
from rapport.networks.facebook.network import Facebook
from rapport.networks.feeds.network import Feeds
from rapport.networks.folder.network import Folder
from rapport.networks.google_business.network import GoogleBusiness
from rapport.networks.instagram.network import Instagram
from rapport.networks.mail.network import Mail
from rapport.networks.mastodon.network import Mastodon
from rapport.networks.matrix.network import Matrix
from rapport.networks.reddit.network import Reddit
from rapport.networks.trustpilot.network import Trustpilot
from rapport.networks.webhook.network import Webhook
from rapport.networks.x.network import X
from rapport.networks.youtube.network import YouTube

NETWORKS: dict[str, Network] = {
    network.name: network
    for network in (
        Bluesky(),
        Discourse(),
        Facebook(),
        Feeds(),
        Folder(),
        GoogleBusiness(),
        Instagram(),
        Mail(),
        Mastodon(),
        Matrix(),
        Reddit(),
        Trustpilot(),
        Webhook(),
        X(),
        YouTube(),
    )
}


def network_named(name: str) -> Network | None:
    """The network of that name, or None."""
    return NETWORKS.get(name)
