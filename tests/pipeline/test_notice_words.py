"""Notices are stored as what happened, and put in words for whoever reads them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from rapport.core.notice_text import MAX_TEXT, read_notice, write_notice
from rapport.pipeline.notice_words import WORDS, words_of

VALUES: dict[str, Any] = {
    "by": "Lea", "who": "Nadia", "basket": "Care", "rule": "Storm", "name": "zoe", "title": "Call", "reason": "Shorter",
    "cause": "401", "channel": "Fernway", "negative": 12, "hours": 3, "usual": "1.5",
    "at": "2020-11-21T09:30:00+00:00", "day": "2020-11-21T09:30:00+00:00", "minutes": 240, "note": "She called",
    "what": "a voucher", "text": "We are open again",
    "survey": "After a repair", "score": "4 of 5",
}  # fmt: skip


@pytest.mark.parametrize("said", sorted(WORDS))
def test_every_notice_has_words_for_what_it_holds(said: str) -> None:
    wanted = set(re.findall(r"%\((\w+)\)s", str(WORDS[said])))
    wanted = (wanted - {"place"}) | ({"who", "basket"} if "place" in wanted else set())
    with timezone.override("Europe/Berlin"):
        line = words_of(write_notice(said, **{name: VALUES[name] for name in wanted}))
    assert not re.search(r"[{}]|%\(", line)
    for name in wanted - {"at", "day", "minutes"}:
        assert str(VALUES[name]) in line
    assert ("21 Nov, 10:30" in line) == ("at" in wanted)
    assert ("21 Nov 2020, 10:30" in line) == ("day" in wanted)
    assert ("4 h" in line) == ("minutes" in wanted)


def test_a_nameless_person_and_no_basket_are_said_so() -> None:
    assert words_of(write_notice("yours", who="", basket="Care")) == "Yours now: somebody in Care"
    assert words_of(write_notice("yours", who="Nadia", basket="")) == "Yours now: Nadia"
    assert words_of(write_notice("rule", rule="", who="Nadia", basket="")) == "A rule: Nadia"


@pytest.mark.parametrize(
    "text", ["Yours now: Nadia", '{"say":"given"', '{"say":3}', '{"say":"later","who":"Nadia"}', ""]
)
def test_a_text_of_before_or_of_later_is_shown_as_it_is(text: str) -> None:
    assert words_of(text) == text


def test_values_of_another_version_are_shown_and_not_hidden() -> None:
    assert words_of('{"say":"given","whom":"Nadia"}') == "Nadia"


@given(st.text(), st.text(), st.text(), st.integers(0, 10**6))
def test_what_is_stored_fits_and_is_read_back(who: str, reason: str, rule: str, left: int) -> None:
    stored = write_notice("returned", who=who, reason=reason, rule=rule, left=left)
    assert len(stored) <= MAX_TEXT
    found = read_notice(stored)
    assert found is not None
    assert found[0] == "returned"
    assert set(found[1]) == {"who", "reason", "rule", "left"}
    assert "\x00" not in stored
    short = write_notice("given", by=who[:20])
    assert read_notice(short) == ("given", {"by": " ".join(who[:20].replace("\x00", "").split())})
    words_of(stored)
