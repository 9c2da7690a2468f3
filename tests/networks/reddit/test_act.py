"""Votes on Reddit, one press for each, and changing what we wrote there."""

from __future__ import annotations

import pytest

from rapport.core.errors import GiveUp, Reauthorise, Unconfirmed
from rapport.core.reply import Act, Reply
from rapport.networks.base import Account
from rapport.networks.http import GuardedSession
from rapport.networks.reddit.act import do_act, edit_comment, remove_comment
from rapport.networks.registry import NETWORKS
from reddit_server import FakeReddit

OURS = "/user/brand/comments"
REPLY = Reply("reddit", 1, "t1_x", "Other *words*.", approved_by=1)


def test_no_rule_may_propose_a_vote() -> None:
    assert not NETWORKS["reddit"].capabilities.acts_proposed
    assert all(each.capabilities.acts_proposed for name, each in NETWORKS.items() if name != "reddit")


def test_messages_take_neither_votes_nor_changes(brand: Account, session: GuardedSession) -> None:
    for wrong in ("t4_m1", "t2_abc", "t1_a,t1_b", ""):
        with pytest.raises(GiveUp):
            do_act(brand, Act("like", "reddit", 1, target=wrong), session)
        with pytest.raises(GiveUp):
            remove_comment(brand, wrong, session)
        with pytest.raises(GiveUp):
            edit_comment(brand, wrong, REPLY, session)


def test_a_comment_of_somebody_else_is_never_touched(
    reddit: FakeReddit, brand: Account, session: GuardedSession
) -> None:
    theirs = reddit.comment("/message/inbox", "theirs")
    with pytest.raises(GiveUp, match="somebody else"):
        remove_comment(brand, theirs, session)
    with pytest.raises(GiveUp, match="somebody else"):
        edit_comment(brand, theirs, REPLY, session)


def test_what_is_deleted_cannot_be_edited(reddit: FakeReddit, brand: Account, session: GuardedSession) -> None:
    ours = reddit.comment(OURS, "ours", author="brand")
    remove_comment(brand, ours, session)
    with pytest.raises(GiveUp, match="answer anew"):
        edit_comment(brand, ours, REPLY, session)


def test_an_account_connected_before_these_rights_were_asked_for_goes_on_with_all_else(
    reddit: FakeReddit, brand: Account, session: GuardedSession
) -> None:
    ours = reddit.comment(OURS, "ours", author="brand")
    told = {"message": "Forbidden", "error": 403, "reason": "insufficient_scope"}
    for path in ("/api/vote", "/api/del", "/api/editusertext"):
        reddit.refuse(path, "403 Forbidden", told)
    with pytest.raises(GiveUp, match="connect it again"):
        do_act(brand, Act("like", "reddit", 1, target="t1_c9"), session)
    with pytest.raises(GiveUp):
        remove_comment(brand, ours, session)
    with pytest.raises(GiveUp):
        edit_comment(brand, ours, REPLY, session)
    reddit.refuse("/api/del", "401 Unauthorized", {})
    with pytest.raises(Reauthorise):
        remove_comment(brand, ours, session)
    reddit.refuse("/api/del", "503 Service Unavailable", {})
    with pytest.raises(Unconfirmed):
        remove_comment(brand, ours, session)
