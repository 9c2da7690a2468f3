"""Reviews of a location: read, changed, deleted, answered; and how one is connected."""

from __future__ import annotations

import datetime as dt
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from google_server import CLIENT, NOON, SECRET, account_on, at, grant_of, refused, tokens
from mutations import mutated
from rapport.core.errors import GiveUp, InvalidInput, InvalidPost, Reauthorise, RetryLater, Unconfirmed
from rapport.core.post import admit
from rapport.core.reply import Reply
from rapport.networks.base import Account, Page
from rapport.networks.google_business import form
from rapport.networks.google_business.network import GoogleBusiness
from rapport.networks.google_business.parse import original_words, parse_review
from rapport.networks.google_business.pull import pull_pages
from rapport.networks.google_business.push import find_reply, push_reply
from rapport.networks.http import GuardedSession
from stand_in import Call, StandIn, Told

LOCATION = "accounts/101/locations/202"
REVIEWS = f"/v4/{LOCATION}/reviews"
OURS = Account(1, "https://mybusiness.googleapis.com", "fernway", LOCATION, grant_of().encode())
WORDS = "Thank you, Ann. 🚌"


def review(number: int = 1, minutes: float = 5, changed: float | None = None, answer: str = "", **more: Any) -> Any:
    found = {
        "name": f"{LOCATION}/reviews/AbFvOq{number}",
        "reviewId": f"AbFvOq{number}",
        "reviewer": {"displayName": "Ann Field", "profilePhotoUrl": "https://lh3.example/a.jpg"},
        "starRating": "TWO",
        "comment": "The bus was late.",
        "createTime": at(minutes),
        "updateTime": at(minutes if changed is None else changed),
        **more,
    }
    return found | ({"reviewReply": {"comment": answer, "updateTime": at(1)}} if answer else {})


def listed(*items: Any, token: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {"reviews": list(items), "averageRating": 3.5, "totalReviewCount": len(items)}
    return found | ({"nextPageToken": token} if token else {})


def quota(limit: str) -> dict[str, Any]:
    return {"metadata": {"quota_limit_value": limit}}


def cursor(**fields: Any) -> str:
    base = {"at": (NOON - dt.timedelta(minutes=30)).isoformat(), "swept": (NOON - dt.timedelta(minutes=9)).isoformat()}
    return json.dumps({**base, **fields})


def read(account: Account, session: GuardedSession, place: str = "") -> list[Page]:
    return list(pull_pages(account, "reviews", place or cursor(), session, NOON))


def ids(pages: list[Page]) -> list[str]:
    return [post.id for page in pages for post in page.posts]


def reply_to(number: int = 1, text: str = WORDS) -> Reply:
    return Reply("google_business", 1, f"AbFvOq{number}", text, approved_by=1)


# ---------------------------------------------------------------- reading


def test_a_review_has_its_stars_and_our_answer_belongs_to_it() -> None:
    post, answer = parse_review(review(answer="Sorry!"), OURS)
    assert (post.kind, post.rating, post.text, post.author.name) == ("review", 2.0, "The bus was late.", "Ann Field")
    assert answer is not None
    assert (answer.id, answer.in_reply_to, answer.author.ours) == (f"{post.id}/reply", post.id, True)
    names = ("ONE", "TWO", "THREE", "FOUR", "FIVE", "STAR_RATING_UNSPECIFIED", "SEVEN")
    stars = [parse_review(review(starRating=name), OURS)[0].rating for name in names]
    assert stars == [1, 2, 3, 4, 5, None, None]


def test_namesakes_and_anonymous_people_are_not_taken_for_one_person() -> None:
    first, second = (parse_review(review(number), OURS)[0].author for number in (1, 2))
    assert first.key != second.key
    hidden = parse_review(review(reviewer={"displayName": "Ann Field", "isAnonymous": True}), OURS)[0]
    assert hidden.author.name == "A Google user"


def test_what_google_translated_is_shown_in_the_person_s_own_words() -> None:
    assert original_words("(Translated by Google) Late bus.\n\n(Original)\nZu spät.") == "Zu spät."
    assert original_words("Zu spät.\n\n(Translated by Google)\nLate bus.") == "Zu spät."
    assert original_words("(Original) is a nice pub") == "(Original) is a nice pub"


def test_new_and_changed_reviews_come_in_the_order_of_their_change(
    google: StandIn, place: Account, session: GuardedSession
) -> None:
    items = review(3, 500, changed=2), review(2, 5, answer="Sorry!"), review(1, 90)
    google.say("GET", REVIEWS, listed(*items, token="p2"))
    pages = read(place, session)
    assert ids(pages) == ["AbFvOq2", "AbFvOq3", "AbFvOq2/reply"]
    assert pages[0].posts[1].edited_at == NOON - dt.timedelta(minutes=2)
    assert len(google.calls) == 1
    assert google.calls[0].query["orderBy"] == "updateTime desc"


def test_a_deleted_review_is_found_missing_and_asked_for_before_it_is_taken_down(
    google: StandIn, place: Account, session: GuardedSession
) -> None:
    before = cursor(known=["AbFvOq1", "AbFvOq7", "AbFvOq8"], swept=(NOON - dt.timedelta(hours=7)).isoformat())
    google.say("GET", REVIEWS, listed(review(1, 90), token="p2"), listed(review(2, 900)))
    google.say("GET", f"{REVIEWS}/AbFvOq7", refused(404, message="Requested entity was not found."))
    google.say("GET", f"{REVIEWS}/AbFvOq8", review(8))
    pages = read(place, session, before)
    assert pages[0].deleted == ("AbFvOq7", "AbFvOq7/reply")
    assert json.loads(pages[-1].cursor)["known"] == ["AbFvOq1", "AbFvOq2"]


def test_a_new_location_gets_the_newest_and_is_told_of_more(
    google: StandIn, place: Account, session: GuardedSession
) -> None:
    google.say("GET", REVIEWS, *(listed(review(n, n), token=f"p{n}") for n in (1, 2, 3, 4)))
    pages = list(pull_pages(place, "reviews", "", session, NOON))
    assert ids(pages) == ["AbFvOq4", "AbFvOq3", "AbFvOq2", "AbFvOq1"]
    assert pages[0].gap is not None
    assert "newest 200" in pages[0].gap.reason
    with pytest.raises(InvalidInput):
        list(pull_pages(place, "questions", "", session, NOON))


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (refused(401), Reauthorise, "Connect"),
        (refused(429, details=[{"reason": "RATE_LIMIT_EXCEEDED", **quota("0")}]), GiveUp, "ask for access"),
        (refused(429, details=[{"reason": "RATE_LIMIT_EXCEEDED", **quota("300")}]), RetryLater, "429"),
        (refused(403, details=[{"reason": "SERVICE_DISABLED"}]), GiveUp, "Turn the API on"),
        (refused(500), RetryLater, "500"),
    ],
)  # fmt: skip
def test_every_refusal_says_what_to_do_next(
    google: StandIn, place: Account, session: GuardedSession, answer: Told, kind: type[Exception], words: str
) -> None:
    google.say("GET", REVIEWS, answer)
    with pytest.raises(kind, match=words):
        read(place, session)


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(mutated(review(answer="Sorry!", reviewMediaItems=[{"thumbnailUrl": "https://lh3.example/b.jpg"}])))
def test_a_hostile_review_is_read_or_refused(item: Any) -> None:
    with suppress(InvalidPost):
        for post in parse_review(item, OURS):
            if post is not None:
                admit(post, NOON)


# ---------------------------------------------------------------- answering


def test_an_answer_is_put_exactly_as_approved_and_twice_is_once(
    google: StandIn, place: Account, session: GuardedSession
) -> None:
    google.say("GET", f"{REVIEWS}/AbFvOq1", review(), review(answer=WORDS))
    google.say("PUT", f"{REVIEWS}/AbFvOq1/reply", {"comment": WORDS, "updateTime": at(0)})
    sent = [push_reply(place, reply_to(), session, NOON) for _ in range(2)]
    assert {each.id for each in sent} == {"AbFvOq1/reply"}
    [put] = google.asked("PUT", f"{REVIEWS}/AbFvOq1/reply")
    assert put.json == {"comment": WORDS}


def test_an_answer_of_a_colleague_is_never_written_over(
    google: StandIn, place: Account, session: GuardedSession
) -> None:
    google.say("GET", f"{REVIEWS}/AbFvOq1", review(answer="We are so sorry."))
    with pytest.raises(GiveUp, match="answer already"):
        push_reply(place, reply_to(), session, NOON)
    assert find_reply(place, reply_to(), session, NOON) is None


def test_what_cannot_be_answered_is_refused_here(place: Account, session: GuardedSession) -> None:
    other = Reply("google_business", 1, "accounts/1/reviews/x", WORDS)
    for wrong in (other, Reply("google_business", 1, "", WORDS), reply_to(text="ä" * 2_049)):
        with pytest.raises(GiveUp):
            push_reply(place, wrong, session, NOON)
    assert GoogleBusiness().length("ä") == 2


def test_a_lost_answer_is_unconfirmed_and_found_by_reading(
    google: StandIn, place: Account, session: GuardedSession
) -> None:
    google.say("GET", f"{REVIEWS}/AbFvOq1", review(), review(answer=WORDS), {"name": 1})
    google.say("PUT", f"{REVIEWS}/AbFvOq1/reply", Told(hang_up=True))
    with pytest.raises(Unconfirmed):
        push_reply(place, reply_to(), session, NOON)
    assert find_reply(place, reply_to(), session, NOON) is not None
    with pytest.raises(RetryLater):
        find_reply(place, reply_to(), session, NOON)


# ---------------------------------------------------------------- connecting


def locations(call: Call) -> dict[str, Any]:
    assert call.query["readMask"] == "name,title,storeCode,metadata"
    many = [
        {"name": "locations/202", "title": "Fernway Oslo", "storeCode": "OSL", "metadata": {"mapsUri": "https://maps.example/1"}},
        {"name": "locations/203", "title": "Fernway Bergen"},
    ]  # fmt: skip
    return {"locations": many if call.path.startswith("/v1/accounts/101") else []}


def test_the_location_that_was_meant_is_connected(google: StandIn, session: GuardedSession) -> None:
    google.say("POST", "/token", tokens)
    google.say("GET", "/v1/accounts", {"accounts": [{"name": "accounts/101"}, {"name": "accounts/102"}, {}]})
    google.say("GET", "/v1/accounts/101/locations", locations)
    google.say("GET", "/v1/accounts/102/locations", locations)
    google.say("GET", REVIEWS, listed())
    for name in ("Fernway Oslo", "osl", "202", LOCATION):
        fields = {"client_id": CLIENT, "client_secret": SECRET, "server": google.url, "location": name}
        kept = form.begin(fields, "https://desk.example/back", "s", session).kept
        connected = form.finish(kept, "good", session, NOON)
        assert (connected.identity.account_id, connected.identity.handle) == (LOCATION, "OSL")
    for name in ("", "Trondheim"):
        with pytest.raises(InvalidInput, match=r"Fernway Oslo .202., Fernway Bergen .203."):
            form.finish({**kept, "location": name}, "good", session, NOON)
    google.say("GET", "/v1/locations/202", {"name": "locations/202", "title": "Fernway Oslo", "storeCode": "OSL"})
    assert form.identify(account_on(google, LOCATION), session, NOON).account_id == LOCATION
