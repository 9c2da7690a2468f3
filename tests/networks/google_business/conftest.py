from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from discovery import Described
from google_server import account_on, google_server
from rapport.networks.base import Account
from rapport.networks.http import GuardedSession
from stand_in import Call, StandIn

LOCATION = "accounts/101/locations/202"
_REVIEWS = re.compile(r"/v4/accounts/\d+/locations/\d+/reviews(/[\w=-]+)?(/reply)?")


def check_reviews(call: Call) -> str | None:
    """accounts.locations.reviews of the v4 reference: the client library brings no description of it."""
    found = _REVIEWS.fullmatch(call.path)
    if not found:
        return "the API has no such method"
    if found[2]:
        is_right = call.method == "PUT" and list(call.json) == ["comment"] and not call.query
        return None if is_right else "updateReply takes a comment by PUT"
    if call.method != "GET" or (found[1] and call.query):
        return "only GET, and one review without parameters"
    if not set(call.query) <= {"pageSize", "pageToken", "orderBy"} or int(call.query.get("pageSize", 1)) > 50:
        return "list takes pageSize up to 50, pageToken and orderBy"
    order = call.query.get("orderBy")
    return None if order in {None, "rating", "rating desc", "updateTime desc"} else f"no order {order}"


@pytest.fixture
def google() -> Iterator[StandIn]:
    accounts, places = Described("mybusinessaccountmanagement.v1"), Described("mybusinessbusinessinformation.v1")

    def check(call: Call) -> str | None:
        if call.path.startswith("/v4/"):
            return check_reviews(call)
        return places.check(call) if "locations" in call.path else accounts.check(call)

    with google_server(check) as server:
        yield server


@pytest.fixture
def session(google: StandIn) -> Iterator[GuardedSession]:
    with google.session() as guarded:
        yield guarded


@pytest.fixture
def place(google: StandIn) -> Account:
    return account_on(google, LOCATION)
