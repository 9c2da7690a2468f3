"""Whether accounts are automated: what their last texts repeat, the score that is kept with each, and how SQL asks."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence

import msgspec
from django.db.models import Q

from rapport.core.decision import AccountScore, Outcome
from rapport.core.understand.accounts import PROBABLE, is_automated
from rapport.core.understand.habits import LEAST_TEXTS, MOST_TEXTS, count_repeated
from rapport.store.queries.ingest import StoredPost
from rapport.store.queries.sql import adapt, select_in, update_rows

#: texts of this time are looked at
WEEK = dt.timedelta(days=7)
#: a score that moved by less is left as it stands: its row would be written with every post
MOVED = 0.02


class Judged(msgspec.Struct, frozen=True):
    """What a batch says of the accounts that speak in it, by the row ids of their handles."""

    #: those that look automated
    automated: frozenset[int] = frozenset()
    #: those that begin (True) or cease (False) to look automated with this batch
    turned: Mapping[int, bool] = {}


def which_look_automated(handle: str) -> str:
    """`Handle.automated` in SQL, as a condition: null counts as false. `handle`: the table or its alias.

    Its first half is the condition of the index "automated_handle", word for word, so that the few can be found by it.
    """
    probable = f"{handle}.bot OR {handle}.bot_word OR {handle}.bot_score >= {PROBABLE}"
    return f"({probable}) AND ({handle}.bot OR {handle}.bot_word OR {handle}.bot_word IS NULL)"


def of_automated(handle: str) -> Q:
    """The same for the ORM. `handle`: the path to the handle, "" for handles themselves."""
    at = f"{handle}__" if handle else ""
    own, said = Q(**{f"{at}bot": True}), Q(**{f"{at}bot_word": True})
    return own | said | Q(**{f"{at}bot_word__isnull": True, f"{at}bot_score__gte": PROBABLE})


def looks_automated(handle: str) -> str:
    """The same as a value that is true or false, to be selected or negated."""
    return f"COALESCE({which_look_automated(handle)}, FALSE)"


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


def note_accounts(made: Sequence[tuple[int, Outcome]], stored: Mapping[int, StoredPost]) -> Judged:
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
    return _judge(stored, newest)


def _judge(stored: Mapping[int, StoredPost], newest: Mapping[int, tuple[StoredPost, AccountScore]]) -> Judged:
    automated = {
        kept.handle
        for kept in stored.values()
        if kept.handle not in newest and is_automated(bool(kept.bot), kept.bot_word, kept.bot_score)
    }
    turned = {}
    for handle, (known, account) in newest.items():
        # an account that has just begun to call itself a bot was no machine by the score that was kept before
        was, looks = is_automated(False, None, known.bot_score), is_automated(False, None, account.bot)
        if looks:
            automated.add(handle)
        if was != looks:
            turned[handle] = looks
    return Judged(frozenset(automated), turned)


def _has_moved(known: StoredPost, account: AccountScore) -> bool:
    if known.bot_score is None or abs(known.bot_score - account.bot) >= MOVED:
        return True
    return (known.bot_reasons or "") != "\n".join(account.reasons)
