"""Whether accounts are automated: what their last texts repeat, and the score that is kept with each."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence

from rapport.core.decision import AccountScore, Outcome
from rapport.core.understand.habits import LEAST_TEXTS, MOST_TEXTS, count_repeated
from rapport.store.queries.ingest import StoredPost
from rapport.store.queries.sql import adapt, select_in, update_rows

#: texts of this time are looked at
WEEK = dt.timedelta(days=7)
#: a score that moved by less is left as it stands: its row would be written with every post
MOVED = 0.02


def read_repeated(
    history: Mapping[int, Sequence[dt.datetime]], now: dt.datetime
) -> dict[int, tuple[float, float] | None]:
    """Handle -> shares of the last week's texts that repeat an earlier one, and that carry a link; None: too few.

    `history`: row id of each handle -> when its person posted, in order. Only of busy ones are texts read.
    """
    since = now - WEEK
    busy = [row for row, times in history.items() if len(times) >= LEAST_TEXTS and times[-LEAST_TEXTS] > since]
    texts: dict[int, list[str]] = defaultdict(list)
    rows = select_in(
        "SELECT handle_id, text FROM (SELECT p.handle_id, p.text, p.sort_at, p.id, "
        "ROW_NUMBER() OVER (PARTITION BY p.handle_id ORDER BY p.sort_at DESC, p.id DESC) AS place FROM store_post p "
        "WHERE p.handle_id {among} AND p.sort_at > %s AND NOT p.deleted) newest "
        "WHERE place <= %s ORDER BY sort_at, id",
        [],
        sorted(busy),
        [adapt(since), MOST_TEXTS],
    )
    for handle, text in rows:
        texts[handle].append(text)
    return {handle: count_repeated(said) for handle, said in texts.items()}


def note_accounts(made: Sequence[tuple[int, Outcome]], stored: Mapping[int, StoredPost]) -> None:
    """Keep with each handle what its newest outcome says of the account; where a person has said so, that stands."""
    newest: dict[int, tuple[StoredPost, AccountScore]] = {}
    for row, outcome in made:
        if outcome.account is not None and stored[row].bot_word is None:
            newest[stored[row].handle] = (stored[row], outcome.account)
    changed = [
        (account.bot, "\n".join(account.reasons), handle)
        for handle, (known, account) in newest.items()
        if _has_moved(known, account)
    ]
    update_rows("store_handle", ("bot_score", "bot_reasons"), changed)


def _has_moved(known: StoredPost, account: AccountScore) -> bool:
    if known.bot_score is None or abs(known.bot_score - account.bot) >= MOVED:
        return True
    return (known.bot_reasons or "") != "\n".join(account.reasons)
