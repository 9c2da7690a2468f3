"""Vendors' answers with anything in them changed: read or refused, and what is read can be stored."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import facebook_payloads
import instagram_payloads
import youtube_payloads
from google_server import account_on as google_account
from graph_server import NOON, listing
from graph_server import account_on as graph_account
from mutations import mutated
from rapport.core.errors import InvalidInput, NetworkError
from rapport.core.post import admit
from rapport.networks.base import Account, Page
from rapport.networks.facebook import pull as facebook
from rapport.networks.google_business import pull as google_business
from rapport.networks.http import GuardedSession
from rapport.networks.instagram import pull as instagram
from rapport.networks.trustpilot import pull as trustpilot
from rapport.networks.youtube import pull as youtube
from stand_in import StandIn, stand_in

Pull = Callable[[Account, str, str, GuardedSession, dt.datetime], Iterator[Page]]

CURSORS = ("", json.dumps({"at": (NOON - dt.timedelta(hours=2)).isoformat(), "swept": "2026-11-20T00:00:00Z"}))
REVIEW = {
    "name": "accounts/101/locations/202/reviews/AbF", "reviewId": "AbF", "reviewer": {"displayName": "Ann"},
    "starRating": "TWO", "comment": "Late.", "createTime": "2026-11-21T11:00:00Z", "updateTime": "2026-11-21T11:30:00Z",
    "reviewReply": {"comment": "Sorry.", "updateTime": "2026-11-21T11:40:00Z"},
}  # fmt: skip
TRUST = {
    "id": "5e3d", "consumer": {"id": "c1", "displayName": "Ann"}, "stars": 2, "title": "Late", "text": "The bus.",
    "createdAt": "2026-11-21T11:00:00Z", "updatedAt": None, "language": "en", "numberOfLikes": 1,
    "companyReply": {"text": "Sorry.", "createdAt": "2026-11-21T11:40:00Z", "updatedAt": None},
}  # fmt: skip


@pytest.fixture(scope="module")
def server() -> Iterator[StandIn]:
    with stand_in() as running:
        yield running


def messages() -> Any:
    return listing(facebook_payloads.conversation(facebook_payloads.stored(), after="n"), after="m")


CASES: dict[str, tuple[Pull, str, Callable[[StandIn], Account], Any]] = {
    "facebook comments": (
        facebook.pull_pages, "comments", lambda server: graph_account(server, "facebook"),
        listing(facebook_payloads.post(comments=listing(facebook_payloads.comment(), after="c")), after="p"),
    ),
    "facebook mentions": (
        facebook.pull_pages, "mentions", lambda server: graph_account(server, "facebook"),
        listing(facebook_payloads.post(minutes=5), after="p"),
    ),
    "facebook messages": (
        facebook.pull_pages, "messages", lambda server: graph_account(server, "facebook"), messages(),
    ),
    "instagram comments": (
        instagram.pull_pages, "comments", lambda server: graph_account(server, "instagram"),
        listing(
            instagram_payloads.medium(
                comments=listing(instagram_payloads.comment(replies=listing(instagram_payloads.ours())), after="c")
            )
        ),
    ),
    "instagram mention": (
        instagram.pull_pages, "mention:1:2", lambda server: graph_account(server, "instagram"),
        {"mentioned_comment": instagram_payloads.comment()},
    ),
    "youtube comments": (
        youtube.pull_pages, "comments", lambda server: google_account(server, youtube_payloads.CHANNEL),
        youtube_payloads.threads(youtube_payloads.thread(answers=(youtube_payloads.answer(),), total=3), token="n"),
    ),
    "youtube search": (
        youtube.pull_pages, "search:bus", lambda server: google_account(server, youtube_payloads.CHANNEL),
        youtube_payloads.found(youtube_payloads.video(), token="n"),
    ),
    "google reviews": (
        google_business.pull_pages, "reviews", lambda server: google_account(server, "accounts/101/locations/202"),
        {"reviews": [REVIEW], "nextPageToken": "n"},
    ),
    "trustpilot reviews": (
        trustpilot.pull_pages, "reviews", lambda server: google_account(server, "46d6"), {"reviews": [TRUST]},
    ),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_a_hostile_answer_is_read_or_refused(server: StandIn, case: str, data: st.DataObject) -> None:
    pull, stream, account_on, payload = CASES[case]
    hostile = data.draw(mutated(payload))
    answers = [hostile] * 4  # then nothing: each of them may say that there is more
    server.always = lambda _call: answers.pop() if answers else {}
    cursor = data.draw(st.sampled_from(CURSORS))
    with server.session() as session:
        account = account_on(server)
        try:
            for page in pull(account, stream, cursor, session, NOON):
                cursor = page.cursor
                for post in page.posts:
                    assert admit(post, NOON) == post
            list(pull(account, stream, cursor, session, NOON + dt.timedelta(minutes=20)))
        except (NetworkError, InvalidInput):
            pass
