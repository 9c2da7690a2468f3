"""Recorded answers of Mastodon servers, and test files of others as answers: read, or refused with a reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from mastodon_conformance import page, pull_activities, pull_answers, pull_json, read_objects, recordings, verdict

pytestmark = pytest.mark.data

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def payloads(real_data: Path) -> Path:
    return real_data / "09_payloads"


def test_every_status_notification_conversation_and_account_is_read(payloads: Path) -> None:
    counts = read_objects(payloads)
    assert set(counts) == {"status", "notification", "conversation", "account"}
    assert sum(counts["status"].values()) > 40
    assert {word for told in counts.values() for word in told} == {"post", "no post", "account"}


def test_every_answer_is_read_or_refused_with_a_reason_in_every_list(payloads: Path) -> None:
    assert len(recordings(payloads)) > 70
    for (_, path, status), answers in pull_answers(payloads).items():
        for outcomes in answers:
            for one in outcomes:
                assert status == 200 or one.refused, path
                assert all(" " in reason for reason in (*one.rejected, *filter(None, [one.refused]))), path


def test_no_activity_becomes_a_post(payloads: Path) -> None:
    files = pull_activities(payloads)
    assert len(files) > 100
    assert {verdict(outcomes) for outcomes in files.values()} == {"refused", "items refused"}


def test_what_is_no_json_is_refused_and_what_is_costs_no_post(payloads: Path) -> None:
    places = pull_json(payloads)
    whole, beside, words = places.values()
    assert not any(one.posts for one in whole.values())
    assert all(one.posts for name, one in beside.items() if name.startswith("y_"))
    taken = {name for name, one in beside.items() if name.startswith("n_") and not one.refused}
    # numbers that some related servers write; they are read as null
    assert taken == {"n_number_NaN.json", "n_number_infinity.json", "n_number_minus_infinity.json"}
    assert not any(one.posts for name, one in words.items() if name.startswith("n_"))


def test_the_page_says_what_comes_out(payloads: Path) -> None:
    told = (ROOT / "docs" / "reference" / "mastodon-conformance.md").read_text(encoding="utf-8")
    assert told == page(payloads)
