"""The streams of an X account: mentions, our own posts, the searches, messages, and what X says must go.

"search" holds all searches of the account; each has its own place in the cursor. While the live line holds, it brings
what the searches find, and a pull of "search" asks nothing: no post is paid for twice.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator

from rapport.core.errors import InvalidInput, RetryLater
from rapport.networks.base import Account, Page
from rapport.networks.http import GuardedSession
from rapport.networks.x.compliance import pull_compliance
from rapport.networks.x.cursor import Cursor, is_recent, queries_of
from rapport.networks.x.lists import List, read_list
from rapport.networks.x.messages import pull_messages
from rapport.networks.x.wire import Wire, app_token_of

#: recent search goes seven days back; an hour less, so that a look never asks for what has just fallen out
SEARCH_REACH = dt.timedelta(days=7) - dt.timedelta(hours=1)
#: after this long without a sign the live line counts as down, and the searches are read again
LIVE_SILENCE = dt.timedelta(minutes=10)


def clock() -> dt.datetime:
    """Now, aware."""
    return dt.datetime.now(dt.UTC)


def streams_of(account: Account) -> tuple[str, ...]:
    """What is worth reading for this account."""
    search = ("search",) if queries_of(account) else ()
    compliance = ("compliance",) if account.settings.get("compliance") and app_token_of(account) else ()
    return ("mentions", *search, "messages", "own", *compliance)


def pull_pages(
    account: Account, stream: str, cursor: str, session: GuardedSession, now: Callable[[], dt.datetime] = clock
) -> Iterator[Page]:
    """See `Network.pull`. Raises `InvalidInput` for a stream that X does not have or a cursor that is none."""
    wire, start = Wire.of(account, session), Cursor.decode(cursor)
    if stream == "messages":
        return pull_messages(account, wire, start, now)
    if stream == "compliance":
        return pull_compliance(account, wire, start, now)
    if stream == "search":
        return _pull_searches(account, wire, start, now)
    if stream in {"mentions", "own"}:
        return read_list(account, wire, _timeline(account, stream), start, now)
    raise InvalidInput(f"X has no stream {stream!r}")


def read_searches(account: Account, wire: Wire, cursor: Cursor, now: Callable[[], dt.datetime]) -> Iterator[Page]:
    """Every search, from its own place; one that has to wait does not keep the others from being read."""
    queries = queries_of(account)
    for name in set(cursor.lists) - set(queries):
        del cursor.lists[name]
    waiting: RetryLater | None = None
    for query in queries:
        try:
            yield from read_list(account, wire, search_list(query), cursor, now)
        except RetryLater as error:
            waiting = error
    if waiting is not None:
        raise waiting


def search_list(query: str) -> List:
    """One search of recent posts."""
    return List(
        stream="search",
        name=query,
        title=f"the search for {query[:80]}",
        path="/2/tweets/search/recent",
        params={"query": query},
        smallest=10,
        reach=SEARCH_REACH,
    )


def _pull_searches(account: Account, wire: Wire, cursor: Cursor, now: Callable[[], dt.datetime]) -> Iterator[Page]:
    if is_recent(cursor.live_at, now(), LIVE_SILENCE):
        yield Page(stream="search", posts=(), cursor=cursor.encode())
        return
    yield from read_searches(account, wire, cursor, now)


def _timeline(account: Account, stream: str) -> List:
    if not (account.account_id.isascii() and account.account_id.isdigit()):
        raise InvalidInput("this account has no X id; connect it again")
    path, title, depth = {
        "mentions": ("mentions", "the mentions of this account", 800),
        "own": ("tweets", "our own posts", 3_200),
    }[stream]
    return List(stream, "", title, f"/2/users/{account.account_id}/{path}", {}, smallest=5, depth=depth)
