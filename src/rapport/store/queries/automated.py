"""What changes when an account begins or ceases to look automated: hours and conversations that it speaks in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from rapport.store.queries.conversations import read_words, stand
from rapport.store.queries.moods import move_moods
from rapport.store.queries.sql import chunks, select_in, update_rows

#: conversations whose posts are read together
STEP = 500


def set_apart(workspace_id: int, turned: Mapping[int, bool], now: dt.datetime) -> None:
    """Handles look automated from now on (True), or do not any more (False): tell what they said apart, or no longer.

    Runs in the transaction that wrote this to the handles, under the lock of the workspace. What is counted when it is
    asked for (topics, shares) needs nothing of it.
    """
    move_moods(workspace_id, turned, now)
    rows = select_in(
        "SELECT DISTINCT conversation_id FROM store_post WHERE handle_id {among} AND NOT ours "
        "AND conversation_id IS NOT NULL",
        [],
        sorted(turned),
    )
    for some in chunks([conversation for (conversation,) in rows], STEP):
        changed = [(stand(words).automated, conversation) for conversation, words in read_words(some).items()]
        update_rows("store_conversation", ("automated",), changed)
