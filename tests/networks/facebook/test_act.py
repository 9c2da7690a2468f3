"""Likes of the page, and changing its comments: what is not ours stays, what is doubtful is not called done."""

from __future__ import annotations

import pytest

import facebook_payloads as told
from graph_server import ANN, PAGE, V, error, listing
from rapport.core.errors import GiveUp, RetryLater, Unconfirmed
from rapport.core.reply import Act, Reply
from rapport.networks.base import Account
from rapport.networks.facebook.act import do_act, edit_comment, remove_comment
from rapport.networks.http import GuardedSession
from stand_in import StandIn, Told

HERE = f"{V}/{told.COMMENT_ID}"
GONE = Told(400, error(100, 33))
OURS = {**told.comment(1, 0, "Ours."), "id": told.COMMENT_ID, "from": {"id": PAGE, "name": "Fernway"}}
REPLY = Reply("facebook", 1, "900001_5", "Other words.", approved_by=1)


def test_a_post_on_the_page_is_liked_without_a_look(graph: StandIn, page: Account, session: GuardedSession) -> None:
    graph.say("POST", f"{V}/{PAGE}_9/likes", {"success": True})
    assert do_act(page, Act("like", "facebook", 1, target=f"{PAGE}_9"), session).id == f"{PAGE}_9"
    assert len(graph.calls) == 1


def test_what_is_liked_already_is_not_liked_again(graph: StandIn, page: Account, session: GuardedSession) -> None:
    graph.say("GET", HERE, {"id": told.COMMENT_ID, "user_likes": True})
    do_act(page, Act("like", "facebook", 1, target=told.COMMENT_ID), session)
    assert [call.method for call in graph.calls] == ["GET"]


def test_a_private_message_is_neither_liked_nor_changed(page: Account, session: GuardedSession) -> None:
    message = f"dm:{ANN}:m_1"
    with pytest.raises(GiveUp, match="private message"):
        do_act(page, Act("like", "facebook", 1, target=message), session)
    with pytest.raises(GiveUp, match="stays sent"):
        remove_comment(page, message, session)
    with pytest.raises(GiveUp, match="stays sent"):
        edit_comment(page, message, REPLY, session)


def test_a_comment_of_somebody_else_is_never_touched(graph: StandIn, page: Account, session: GuardedSession) -> None:
    graph.say("GET", HERE, OURS | {"from": {"id": ANN, "name": "Ann"}})
    with pytest.raises(GiveUp, match="somebody else"):
        remove_comment(page, told.COMMENT_ID, session)
    with pytest.raises(GiveUp, match="somebody else"):
        edit_comment(page, told.COMMENT_ID, REPLY, session)
    assert {call.method for call in graph.calls} == {"GET"}


def test_what_meta_does_not_show_is_deleted_only_where_the_rights_are_proved(
    graph: StandIn, page: Account, session: GuardedSession
) -> None:
    graph.say("GET", HERE, GONE)
    graph.say("GET", f"{V}/", GONE)
    graph.say("GET", f"{V}/{PAGE}/feed", Told(403, error(200)))
    with pytest.raises(GiveUp):
        remove_comment(page, told.COMMENT_ID, session)
    above = f"{PAGE}_{told.COMMENT_ID.partition('_')[0]}"
    graph.say("GET", f"{V}/", lambda call: {above: {"id": above}} if call.query["ids"] == above else GONE)
    graph.say("GET", f"{V}/{PAGE}/feed", listing({"id": above}))
    remove_comment(page, told.COMMENT_ID, session)
    with pytest.raises(GiveUp, match="answer anew"):
        edit_comment(page, told.COMMENT_ID, REPLY, session)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [(Told(500), Unconfirmed), (Told(400, error(4)), RetryLater), (Told(403, error(200)), GiveUp)],
)
def test_every_refusal_of_a_deletion_says_what_to_do_next(
    graph: StandIn, page: Account, session: GuardedSession, answer: Told, kind: type[Exception]
) -> None:
    graph.say("GET", HERE, OURS)
    graph.say("DELETE", HERE, answer)
    with pytest.raises(kind):
        remove_comment(page, told.COMMENT_ID, session)
