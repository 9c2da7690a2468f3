"""Deleting on Instagram: under our own media alone."""

from __future__ import annotations

import pytest

import instagram_payloads as told
from graph_server import IG, V, error
from rapport.core.errors import GiveUp
from rapport.networks.base import Account
from rapport.networks.http import GuardedSession
from rapport.networks.instagram.act import remove_comment
from stand_in import StandIn, Told

GONE = Told(400, error(100, 33))


def test_our_comment_goes(graph: StandIn, brand: Account, session: GuardedSession) -> None:
    graph.say("GET", f"{V}/77", told.ours("77", 0, "Ours."))
    graph.say("DELETE", f"{V}/77", {"success": True})
    remove_comment(brand, "77", session)
    assert [call.method for call in graph.calls] == ["GET", "DELETE"]


def test_a_comment_of_somebody_else_stays(graph: StandIn, brand: Account, session: GuardedSession) -> None:
    graph.say("GET", f"{V}/77", told.comment("77", 0, "Theirs."))
    with pytest.raises(GiveUp, match="somebody else"):
        remove_comment(brand, "77", session)


def test_under_the_media_of_others_a_person_does_it_in_the_app(
    graph: StandIn, brand: Account, session: GuardedSession
) -> None:
    graph.say("GET", f"{V}/77", GONE)
    graph.say("GET", f"{V}/", GONE)
    graph.say("GET", f"{V}/{IG}/media", Told(403, error(10)))
    with pytest.raises(GiveUp, match="in the app"):
        remove_comment(brand, "77", session)
