"""What a network does not declare it refuses in words, and what it declares it does itself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import get_args

import pytest

from rapport.core.errors import GiveUp
from rapport.core.reply import Act, ActKind, Picture, Reply
from rapport.networks.base import Account
from rapport.networks.contract import BaseNetwork, Network
from rapport.networks.http import GuardedSession
from rapport.networks.registry import NETWORKS

ACTS = tuple(kind for kind in get_args(ActKind) if kind not in {"delete", "edit"})
#: nothing listens there: whoever asks the network before refusing fails otherwise than with `GiveUp`
ACCOUNT = Account(channel=1, server="http://127.0.0.1:9", handle="brand", account_id="7", token="t")
REPLY = Reply(network="", channel=1, target="111", text="Hello", to=("ann",))

every_network = pytest.mark.parametrize("network", NETWORKS.values(), ids=list(NETWORKS))


def overrides(network: Network, method: str) -> bool:
    return getattr(type(network), method) is not getattr(BaseNetwork, method)


def refusal(network: Network, what: str, kind: ActKind = "like") -> str:
    """What the network says to something that it does not offer."""
    with GuardedSession(allow={"127.0.0.1:9"}) as session:
        calls: dict[str, Callable[[], object]] = {
            "act": lambda: network.act(ACCOUNT, Act(kind, network.name, 1, target="111"), "k", session),
            "remove": lambda: network.remove(ACCOUNT, "111", session),
            "edit": lambda: network.edit(ACCOUNT, "111", REPLY, "k", session),
            "upload": lambda: network.upload(ACCOUNT, Picture("a" * 64), b"PNG", "image/png", session),
        }
        with pytest.raises(GiveUp) as raised:
            calls[what]()
    return str(raised.value)


@every_network
def test_an_act_that_is_not_declared_is_refused_in_words_before_anything_is_asked(network: Network) -> None:
    assert network.capabilities.acts <= set(ACTS), "deleting and editing have methods of their own"
    for kind in ACTS:
        if kind not in network.capabilities.acts:
            said = refusal(network, "act", kind)
            assert said.startswith(network.title)
            assert kind in said
            assert "own site" in said


@every_network
@pytest.mark.parametrize("what", ["remove", "edit", "upload"])
def test_what_is_not_declared_is_refused_and_what_is_declared_is_done(network: Network, what: str) -> None:
    declared = {
        "remove": network.capabilities.removes,
        "edit": network.capabilities.edits,
        "upload": network.capabilities.media is not None,
    }[what]
    if declared:
        assert overrides(network, what)
    else:
        said = refusal(network, what)
        assert said.startswith(network.title)
        assert "own site" in said


@every_network
def test_acts_threads_and_images_are_declared_only_where_there_is_a_way(network: Network) -> None:
    offered = network.capabilities
    assert bool(offered.acts) <= overrides(network, "act")
    assert offered.threads <= offered.replies
    assert offered.edits_anew <= offered.edits
    if offered.media is not None:
        assert offered.replies
        assert offered.media.most > 0
        assert offered.media.max_bytes > 0
        assert all(kind.startswith("image/") for kind in offered.media.kinds)
        assert offered.media.kinds


def test_a_network_that_offers_nothing_refuses_everything_and_finds_nothing() -> None:
    class Silent(BaseNetwork):
        title = "Silent"

    network = Silent()
    with GuardedSession() as session:
        with pytest.raises(
            GiveUp, match=r"^Silent takes no boost from here; where its own site offers it, do it there$"
        ):
            network.act(ACCOUNT, Act(kind="boost", network="silent", channel=1), "k", session)
        with pytest.raises(GiveUp, match=r"^Silent takes no edit of what was sent"):
            network.edit(ACCOUNT, "1", REPLY, "k", session)
        since = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
        assert network.find(ACCOUNT, REPLY, since, "k", session, besides={"1"}) is None
