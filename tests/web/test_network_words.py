"""What networks and connections say, in German: why something waits, failed or broke."""

from __future__ import annotations

import pytest
from django.utils import translation

from message_files import read_po
from messages import NETWORK, PLACE, catalogs
from rapport.web.error_words import NETWORKS
from rapport.web.guard_words import said_cause
from rapport.web.network_words import said_network
from rapport.web.told import told

SAID = {
    "social.example did not answer: timed out": "social.example hat nicht geantwortet: timed out",
    "the post is by somebody else": "der Beitrag ist von jemand anderem",
    "the image was not taken: social.example cannot be reached: no route": (
        "das Bild wurde nicht angenommen: social.example ist nicht zu erreichen: no route"
    ),
    "Trustpilot answered 503": "Trustpilot antwortete mit 503",
}


@pytest.mark.parametrize("said", SAID)
def test_a_cause_of_a_network_is_said_in_german(said: str) -> None:
    with translation.override("de"):
        assert said_cause(said) == told(said) == SAID[said]
    with translation.override("en"):
        assert said_cause(said) == told(said) == said


def test_what_a_network_says_in_its_own_words_stays() -> None:
    with translation.override("de"):
        assert said_network("410 Gone") is None
        assert said_cause("Record not found") == "Record not found"


def test_every_sentence_is_found_with_its_values() -> None:
    _, entries = read_po(catalogs()[0].read_text())
    german = {entry.one: entry.said[0] for entry in entries if entry.context == NETWORK}
    assert set(german) == set(NETWORKS)
    with translation.override("de"):
        for template in NETWORKS:
            values = {place[2:-2]: f"W{at}" for at, place in enumerate(dict.fromkeys(PLACE.findall(template)))}
            said = said_network(template % values if values else template)
            assert said is not None, template
            assert all(value in said for value in values.values()), template
