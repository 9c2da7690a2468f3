"""Changing our comments on YouTube, each request held to Google's own description."""

from __future__ import annotations

import pytest

import youtube_payloads as told
from google_server import NOON, refused
from rapport.core.errors import GiveUp, Reauthorise, RetryLater, Unconfirmed
from rapport.core.reply import Reply
from rapport.networks.base import Account
from rapport.networks.http import GuardedSession
from rapport.networks.youtube.act import edit_comment, remove_comment
from stand_in import StandIn, Told

COMMENTS = "/youtube/v3/comments"
REPLY = Reply("youtube", 1, "Ugx1", "Other words, é.", approved_by=1)


def test_our_comment_gets_other_words_and_goes(youtube: StandIn, brand: Account, session: GuardedSession) -> None:
    youtube.say("GET", COMMENTS, told.comments(told.ours("Ugx1.99", 0, "Words.")))
    youtube.say("PUT", COMMENTS, told.ours("Ugx1.99", 0, "Other words, é."))
    youtube.say("DELETE", COMMENTS, Told(204, b""))
    sent = edit_comment(brand, "Ugx1.99", REPLY, session, NOON)
    assert (sent.id, sent.url) == ("Ugx1.99", f"https://www.youtube.com/watch?v={told.VIDEO}&lc=Ugx1.99")
    assert youtube.asked("PUT", COMMENTS)[0].json == {"id": "Ugx1.99", "snippet": {"textOriginal": "Other words, é."}}
    remove_comment(brand, "Ugx1.99", session, NOON)
    assert youtube.asked("DELETE", COMMENTS)[0].query == {"id": "Ugx1.99"}


def test_what_is_gone_is_done_and_cannot_be_edited(youtube: StandIn, brand: Account, session: GuardedSession) -> None:
    youtube.say("GET", COMMENTS, told.comments())
    for method in ("PUT", "DELETE"):
        youtube.say(method, COMMENTS, refused(404, "commentNotFound"))
    remove_comment(brand, "Ugx1.99", session, NOON)
    with pytest.raises(GiveUp, match="answer anew"):
        edit_comment(brand, "Ugx1.99", REPLY, session, NOON)


def test_a_comment_of_somebody_else_is_never_touched(youtube: StandIn, brand: Account, session: GuardedSession) -> None:
    youtube.say("GET", COMMENTS, told.comments(told.comment("Ugx1", 0, "Theirs.")))
    for wrong in ("Ugx1", "", "video:aaa", "Ugx1,Ugx2"):
        with pytest.raises(GiveUp):
            remove_comment(brand, wrong, session, NOON)
        with pytest.raises(GiveUp):
            edit_comment(brand, wrong, REPLY, session, NOON)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [(refused(403, "quotaExceeded"), RetryLater), (refused(500), Unconfirmed), (refused(401), Reauthorise)],
)
def test_every_refusal_says_what_to_do_next(
    youtube: StandIn, brand: Account, session: GuardedSession, answer: Told, kind: type[Exception]
) -> None:
    youtube.say("GET", COMMENTS, told.comments(told.ours("Ugx1.99", 0, "Words.")))
    youtube.say("DELETE", COMMENTS, answer)
    with pytest.raises(kind):
        remove_comment(brand, "Ugx1.99", session, NOON)
