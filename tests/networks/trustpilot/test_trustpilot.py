"""Reviews on Trustpilot: read, changed, deleted, answered; and how a business is connected."""

from __future__ import annotations

import base64
import csv
import datetime as dt
import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings

from google_server import NOON, at
from mutations import mutated
from rapport.core.errors import GiveUp, InvalidInput, InvalidPost, Reauthorise, RetryLater, Unconfirmed
from rapport.core.post import admit
from rapport.core.reply import Reply
from rapport.networks.base import Account, Grant, Page
from rapport.networks.http import GuardedSession
from rapport.networks.trustpilot import form
from rapport.networks.trustpilot.network import Trustpilot
from rapport.networks.trustpilot.parse import parse_review
from rapport.networks.trustpilot.pull import pull_pages
from rapport.networks.trustpilot.push import find_reply, push_reply
from stand_in import Call, StandIn, Told, stand_in

KEY, SECRET, ACCESS = "made-up-api-key", "made-up-secret", "made-up-access"
UNIT, USER = "46d6a890000064000500e0c3", "507f191e810c19729de860ea"
REVIEWS, TOKEN = (
    f"/v1/private/business-units/{UNIT}/reviews",
    "/v1/oauth/oauth-business-users-for-applications/accesstoken",
)
BASIC = "Basic " + base64.b64encode(f"{KEY}:{SECRET}".encode()).decode()
WORDS = "Thank you, Ann. 🚌"
GRANT = Grant(ACCESS, "", NOON + dt.timedelta(hours=1), {"api_key": KEY, "api_secret": SECRET}).encode()
OURS = Account(1, "https://api.trustpilot.com", "fernway.example", UNIT, GRANT, {"business_user_id": USER})


def check(call: Call) -> str | None:
    """What the documented API refuses."""
    if call.path == TOKEN:
        return None if call.form == {"grant_type": "client_credentials"} else "no such grant"
    if call.headers.get("authorization") != f"Bearer {ACCESS}" or call.headers.get("apikey") != KEY:
        return "no bearer token"
    if call.path == REVIEWS:
        is_known = set(call.query) <= {"page", "perPage", "orderBy"}
        is_right = is_known and int(call.query["perPage"]) <= 100 and call.query.get("orderBy", "createdat.desc") in {
            "createdat.desc", "createdat.asc", "stars.asc", "stars.desc",
        }  # fmt: skip
        return None if is_right else "the list has no such parameters"
    if call.path.endswith("/reply"):
        is_right = call.method == "POST" and set(call.json) == {"authorBusinessUserId", "message"}
        return None if is_right else "a reply has an author and a message"
    return None


@pytest.fixture
def trust() -> Iterator[StandIn]:
    with stand_in(check) as server:
        yield server


@pytest.fixture
def session(trust: StandIn) -> Iterator[GuardedSession]:
    with trust.session() as guarded:
        yield guarded


@pytest.fixture
def brand(trust: StandIn) -> Account:
    return msgspec.structs.replace(OURS, server=trust.url)


def review(number: int = 1, minutes: float = 5, updated: float | None = None, answer: str = "", **more: Any) -> Any:
    found = {
        "links": [],
        "id": f"5e3de1b45fb06f00017{number:05}",
        "consumer": {"links": [], "id": f"c{number}", "displayName": "Ann F.", "numberOfReviews": 3},
        "businessUnit": {"links": [], "id": UNIT, "identifyingName": "fernway.example", "displayName": "Fernway"},
        "stars": 2,
        "title": "Late again",
        "text": "The bus was late.",
        "language": "en",
        "createdAt": at(minutes),
        "updatedAt": None if updated is None else at(updated),
        "companyReply": None,
        "isVerified": True,
        "numberOfLikes": 4,
        "status": "active",
        **more,
    }
    if answer:
        found["companyReply"] = {"text": answer, "authorBusinessUserName": "Ben", "createdAt": at(1), "updatedAt": None}
    return found


def listed(*items: Any) -> dict[str, Any]:
    return {"links": [], "reviews": list(items)}


def cursor(**fields: Any) -> str:
    base = {"at": (NOON - dt.timedelta(minutes=30)).isoformat(), "swept": (NOON - dt.timedelta(minutes=9)).isoformat()}
    return json.dumps({**base, **fields})


def read(account: Account, session: GuardedSession, place: str = "") -> list[Page]:
    return list(pull_pages(account, "reviews", place or cursor(), session, NOON))


def ids(pages: list[Page]) -> list[str]:
    return [
        post.id[-5:].lstrip("0") if "/" not in post.id else post.id[-11:].lstrip("0")
        for page in pages
        for post in page.posts
    ]


def reply_to(number: int = 1, text: str = WORDS) -> Reply:
    return Reply("trustpilot", 1, review(number)["id"], text, approved_by=1)


def one(number: int) -> str:
    return f"/v1/private/reviews/{review(number)['id']}"


# ---------------------------------------------------------------- reading


def test_a_review_has_its_stars_its_title_and_our_answer() -> None:
    post, answer = parse_review(review(answer="Sorry!"), OURS)
    assert (post.kind, post.rating, post.lang) == ("review", 2.0, "en")
    assert post.text == "Late again\n\nThe bus was late."
    assert (post.author.key, post.author.posts, post.metrics.likes) == ("c1", 3, 4)
    assert answer is not None
    assert (answer.in_reply_to, answer.thread, answer.author.ours) == (post.id, post.id, True)
    assert parse_review(review(title="The bus…"), OURS)[0].text == "The bus was late."
    for stars in (0, 9, 10**400):
        with pytest.raises(InvalidPost):
            parse_review(review(stars=stars), OURS)


def test_new_reviews_come_oldest_first_down_to_the_cursor(
    trust: StandIn, brand: Account, session: GuardedSession
) -> None:
    trust.say(
        "GET", REVIEWS, listed(review(3, 2), review(2, 5, answer="Sorry!"), *(review(n, 90) for n in range(10, 108)))
    )
    pages = read(brand, session)
    assert ids(pages) == ["2", "3", "2/reply"]
    assert len(trust.calls) == 1


def test_a_sweep_finds_edits_answers_and_what_is_gone(trust: StandIn, brand: Account, session: GuardedSession) -> None:
    known = {review(n)["id"]: "/" for n in (1, 2, 3, 7, 8)}
    before = cursor(known=known, swept=(NOON - dt.timedelta(hours=7)).isoformat())
    edited, answered = review(2, 900, updated=60), review(3, 900, answer="Sorry!")
    trust.say("GET", REVIEWS, listed(review(1, 90), edited, answered))
    trust.say("GET", one(7), Told(404, {"message": "Not found", "errorCode": 1001}))
    trust.say("GET", one(8), review(8))
    pages = read(brand, session, before)
    assert sorted(ids(pages)) == ["2", "3", "3/reply"]
    assert pages[0].deleted == (review(7)["id"], f"{review(7)['id']}/reply")
    assert set(json.loads(pages[-1].cursor)["known"]) == {review(n)["id"] for n in (1, 2, 3)}
    [again] = list(pull_pages(brand, "reviews", pages[-1].cursor, session, NOON + dt.timedelta(hours=7)))
    assert again.posts == ()


def test_a_new_business_gets_the_newest_and_is_told_of_more(
    trust: StandIn, brand: Account, session: GuardedSession
) -> None:
    trust.say("GET", REVIEWS, lambda call: listed(*(review(int(call.query["page"]) * 100 + n, n) for n in range(100))))
    pages = list(pull_pages(brand, "reviews", "", session, NOON))
    assert len(ids(pages)) == 200
    assert pages[0].gap is not None
    assert "newest 200" in pages[0].gap.reason
    with pytest.raises(InvalidInput):
        list(pull_pages(brand, "products", "", session, NOON))


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (
            Told(401, {"fault": {"faultstring": "Invalid access token", "detail": {}}}),
            Reauthorise,
            "Invalid access token",
        ),
        (Told(403, {"message": "Forbidden"}), GiveUp, "plan"),
        (Told(429, {}, {"Retry-After": "30"}), RetryLater, "429"),
        (Told(500, b"oops"), RetryLater, "500"),
        (Told(404, {"details": "no unit"}), GiveUp, "no unit"),
        (Told(200, b"<html>"), RetryLater, "readable"),
    ],
)
def test_every_refusal_says_what_to_do_next(
    trust: StandIn, brand: Account, session: GuardedSession, answer: Told, kind: type[Exception], words: str
) -> None:
    trust.say("GET", REVIEWS, answer)
    with pytest.raises(kind, match=words) as failure:
        read(brand, session)
    if answer.status == 429:
        assert getattr(failure.value, "after", None) == 30


def test_a_token_that_has_run_out_waits_for_its_renewal(
    trust: StandIn, brand: Account, session: GuardedSession
) -> None:
    old = Grant(ACCESS, "", NOON - dt.timedelta(minutes=1), {"api_key": KEY, "api_secret": SECRET}).encode()
    expired = msgspec.structs.replace(brand, token=old)
    trust.say("GET", REVIEWS, Told(401, {}))
    with pytest.raises(RetryLater, match="renewed"):
        read(expired, session)
    trust.say("POST", TOKEN, {"access_token": "new", "expires_in": "359999"})
    token, expires = form.renew(expired, session, NOON)
    assert (Grant.decode(token).access, expires) == ("new", NOON + dt.timedelta(seconds=359_999))
    trust.say("POST", TOKEN, Told(401, {"fault": {"faultstring": "Invalid client"}}))
    with pytest.raises(Reauthorise):
        form.renew(expired, session, NOON)


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(mutated(review(answer="Sorry!", updated=2)))
def test_a_hostile_review_is_read_or_refused(item: Any) -> None:
    with suppress(InvalidPost):
        for post in parse_review(item, OURS):
            if post is not None:
                admit(post, NOON)


@pytest.mark.data
def test_real_reviews_and_real_answers_keep_their_words(real_data: Path) -> None:
    """Real texts in the documented shape: what people wrote arrives whole, with its stars."""
    with (real_data / "08_reviews" / "trustpilot_with_replies.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) > 1_000
    answered = 0
    for row in rows:
        item = review(
            answer=row["Reply Text"], title=row["Review Title"], text=row["Review Text"], language=row["Language"]
        )
        post, answer = parse_review(item | {"stars": int(float(row["Rating"]))}, OURS)
        post = admit(post, NOON)
        assert row["Review Text"].strip() in post.text
        assert post.rating == float(row["Rating"])
        answered += answer is not None
    assert answered > 300


# ---------------------------------------------------------------- answering


def test_an_answer_is_sent_exactly_as_approved_by_the_person_who_answers(
    trust: StandIn, brand: Account, session: GuardedSession
) -> None:
    trust.say("GET", one(1), review())
    trust.say("POST", f"{one(1)}/reply", Told(201, b""))
    sent = push_reply(brand, reply_to(), session, NOON)
    assert sent.id == f"{reply_to().target}/reply"
    assert trust.calls[-1].json == {"authorBusinessUserId": USER, "message": WORDS}


def test_a_colleague_s_answer_is_never_written_over_and_ours_is_not_sent_twice(
    trust: StandIn, brand: Account, session: GuardedSession
) -> None:
    trust.say("GET", one(1), review(answer="We are so sorry."), review(answer=WORDS))
    with pytest.raises(GiveUp, match="answer already"):
        push_reply(brand, reply_to(), session, NOON)
    assert push_reply(brand, reply_to(), session, NOON).id == f"{reply_to().target}/reply"
    assert trust.asked("POST", f"{one(1)}/reply") == []


def test_who_answers_must_be_known(brand: Account, session: GuardedSession) -> None:
    with pytest.raises(GiveUp, match="settings"):
        push_reply(msgspec.structs.replace(brand, settings={}), reply_to(), session, NOON)
    with pytest.raises(GiveUp):
        push_reply(brand, Reply("trustpilot", 1, "../../x", WORDS), session, NOON)
    assert Trustpilot().check_settings({"business_user_id": f" {USER} "}, brand, session) == {
        "business_user_id": USER, "every": "",
    }  # fmt: skip
    with pytest.raises(InvalidInput):
        Trustpilot().check_settings({"business_user_id": "a/b"}, brand, session)


def test_a_lost_answer_is_unconfirmed_and_found_by_reading(
    trust: StandIn, brand: Account, session: GuardedSession
) -> None:
    trust.say("GET", one(1), review(), review(answer=WORDS), review(), {"id": 7})
    trust.say("POST", f"{one(1)}/reply", Told(hang_up=True))
    with pytest.raises(Unconfirmed):
        push_reply(brand, reply_to(), session, NOON)
    assert find_reply(brand, reply_to(), session, NOON) is not None
    assert find_reply(brand, reply_to(), session, NOON) is None
    with pytest.raises(RetryLater):
        find_reply(brand, reply_to(), session, NOON)


# ---------------------------------------------------------------- connecting


def tokens(call: Call) -> dict[str, Any] | Told:
    is_right = call.headers.get("authorization") == BASIC
    return {"access_token": ACCESS, "expires_in": "359999"} if is_right else Told(401, {"message": "Unauthorized"})


def test_a_business_is_connected_by_its_website_and_tried(trust: StandIn, session: GuardedSession) -> None:
    trust.say("POST", TOKEN, tokens)
    trust.say("GET", "/v1/business-units/find", {"id": UNIT, "displayName": "Fernway", "name": {}})
    trust.say("GET", REVIEWS, listed())
    fields = {"api_key": KEY, "api_secret": SECRET, "domain": "https://Fernway.example/", "server": trust.url}
    connected = form.connect({**fields, "business_user_id": USER}, session, NOON)
    assert (connected.identity.account_id, connected.identity.handle) == (UNIT, "fernway.example")
    assert connected.settings == {"business_user_id": USER}
    assert connected.expires_at == NOON + dt.timedelta(seconds=359_999)
    assert trust.asked("GET", "/v1/business-units/find")[0].query == {"name": "fernway.example"}
    account = Account(1, trust.url, "fernway.example", UNIT, connected.token)
    assert form.identify(account, session, NOON) == connected.identity
    for wrong in ({"domain": "fernway"}, {"api_key": "a b"}, {"api_secret": "wrong-secret"}, {"business_user_id": "?"}):
        with pytest.raises(InvalidInput):
            form.connect(fields | wrong, session, NOON)
    trust.say("GET", "/v1/business-units/find", Told(404, {"message": "not found"}))
    with pytest.raises(InvalidInput, match="knows no business"):
        form.connect(fields, session, NOON)
