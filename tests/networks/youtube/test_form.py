"""Connecting a channel: the whole sign-in against what stands in for Google, and the renewal of its access."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

import youtube_payloads as told
from google_server import ACCESS, CLIENT, NOON, REFRESH, SECRET, grant_of, tokens
from rapport.core.errors import GiveUp, InvalidInput, Reauthorise, RetryLater
from rapport.networks import google
from rapport.networks.base import Account, Grant
from rapport.networks.http import GuardedSession
from rapport.networks.youtube import form
from stand_in import StandIn, Told

BACK = "https://desk.fernway.example/connect/youtube/callback"
GOOD = {"client_id": CLIENT, "client_secret": SECRET}
[SCOPE] = form.SCOPES


def kept(youtube: StandIn, session: GuardedSession) -> dict[str, str]:
    return form.begin({**GOOD, "server": youtube.url}, BACK, "state", session).kept


def test_the_way_to_google_asks_for_lasting_access_with_a_proof_of_who_asked(session: GuardedSession) -> None:
    begun = form.begin(GOOD, BACK, "state-1", session)
    url = urlsplit(begun.url)
    query = {name: values[0] for name, values in parse_qs(url.query).items()}
    assert url.netloc == "accounts.google.com"
    challenge = base64.urlsafe_b64encode(hashlib.sha256(begun.kept["verifier"].encode()).digest()).rstrip(b"=")
    assert query == {
        "client_id": CLIENT, "redirect_uri": BACK, "response_type": "code", "scope": SCOPE, "state": "state-1",
        "access_type": "offline", "prompt": "consent", "code_challenge_method": "S256",
        "code_challenge": challenge.decode(),
    }  # fmt: skip


@pytest.mark.parametrize("wrong", [{"client_id": "abc"}, {"client_secret": "short"}, {"client_secret": ""}])
def test_a_field_that_makes_no_sense_is_refused(session: GuardedSession, wrong: dict[str, str]) -> None:
    with pytest.raises(InvalidInput):
        form.begin(GOOD | wrong, BACK, "s", session)


def test_a_code_becomes_a_connected_channel(youtube: StandIn, session: GuardedSession) -> None:
    youtube.say("POST", "/token", tokens)
    youtube.say("GET", "/youtube/v3/channels", told.channel())
    connected = form.finish(kept(youtube, session), "good", session, NOON)
    assert (connected.identity.account_id, connected.identity.handle) == (told.CHANNEL, "fernway")
    assert connected.expires_at == NOON + dt.timedelta(seconds=3599)
    assert Grant.decode(connected.token).refresh == REFRESH
    with pytest.raises(Reauthorise, match="Malformed"):
        form.finish(kept(youtube, session), "bad", session, NOON)


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        ({"access_token": ACCESS, "scope": "openid", "refresh_token": REFRESH}, Reauthorise, "not granted"),
        ({"access_token": ACCESS}, Reauthorise, "no lasting access"),
        ({"token": 1}, GiveUp, "no usable token"),
        (Told(401, {"error": "invalid_client"}), Reauthorise, "client id and secret"),
        (Told(500, b""), RetryLater, "500"),
    ],
)
def test_what_google_does_not_give_is_said(
    youtube: StandIn, session: GuardedSession, answer: dict[str, str] | Told, kind: type[Exception], words: str
) -> None:
    youtube.say("POST", "/token", answer)
    with pytest.raises(kind, match=words):
        form.finish(kept(youtube, session), "good", session, NOON)


def test_an_account_without_a_channel_is_said(youtube: StandIn, session: GuardedSession) -> None:
    youtube.say("POST", "/token", tokens)
    youtube.say("GET", "/youtube/v3/channels", {"kind": "youtube#channelListResponse"})
    with pytest.raises(GiveUp, match="no YouTube channel"):
        form.finish(kept(youtube, session), "good", session, NOON)


def test_access_is_renewed_and_what_renews_it_is_never_lost(
    youtube: StandIn, brand: Account, session: GuardedSession
) -> None:
    youtube.say("POST", "/token", tokens)
    token, expires = google.renew(brand, session, NOON)
    renewed = Grant.decode(token)
    assert (renewed.access, renewed.refresh, renewed.more) == (ACCESS, REFRESH, grant_of().more)
    assert expires == NOON + dt.timedelta(seconds=3599)
    revoked = msgspec.structs.replace(grant_of(), refresh="gone").encode()
    with pytest.raises(Reauthorise, match="expired or revoked"):
        google.renew(msgspec.structs.replace(brand, token=revoked), session, NOON)
    with pytest.raises(Reauthorise, match="Connect it again"):
        google.renew(msgspec.structs.replace(brand, token="bare"), session, NOON)
    youtube.say("POST", "/token", Told(hang_up=True))
    with pytest.raises(RetryLater):
        google.renew(brand, session, NOON)


def test_settings_are_checked_before_they_cost_anything() -> None:
    good = form.check_settings({"searches": ["fernway  bus", "fernway bus", " "], "daily_units": "9,000", "held": True})
    assert good == {
        "searches": ["fernway bus"],
        "daily_units": "9000",
        "search_units": "4000",
        "held": True,
        "every": "",
    }
    for wrong in (
        {"daily_units": "many"}, {"search_units": "0"}, {"searches": ["x" * 201]},
        {"searches": ["a", "b"], "search_units": "150"}, {"daily_units": "9" * 30},
    ):  # fmt: skip
        with pytest.raises(InvalidInput):
            form.check_settings(wrong)  # type: ignore[arg-type]


def test_an_address_of_google_stays_and_a_stand_in_takes_all_of_them() -> None:
    url = "https://oauth2.googleapis.com/token"
    assert google.place("https://youtube.googleapis.com", url) == url
    assert google.place("http://127.0.0.1:1", url) == "http://127.0.0.1:1/token"
