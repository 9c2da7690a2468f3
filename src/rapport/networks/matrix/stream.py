"""The live line of a Matrix account: the same reading as `pull`, on a request that the server holds until it has news.

The token of the last answer is where the next one begins, so a line that was down for an hour fills itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from rapport.core.errors import InvalidInput, RetryLater
from rapport.networks.base import Account, Page
from rapport.networks.http import GuardedSession
from rapport.networks.matrix.pull import STREAM, Reader

_FIRST_WAIT, _LONGEST_WAIT = 1.0, 60.0  # seconds between two tries
_LONGEST_HOLD = 30.0  # seconds that the server may hold a request
_TO_ANSWER = 4.0  # seconds that are left for the answer itself


def listen(
    account: Account, cursors: Mapping[str, str], session: GuardedSession, pause: Callable[[float], None]
) -> Iterator[Page]:
    """See `Network.stream`. `pause` is also called with 0 after every answer, so that it can raise to end the line."""
    if STREAM not in cursors:
        raise InvalidInput(f"the live line of Matrix needs the cursor of the stream {STREAM!r}")
    cursor = cursors[STREAM]
    hold = min(max(session.limits.total - _TO_ANSWER, 0.5), _LONGEST_HOLD)
    reader, wait = Reader(account, session), _FIRST_WAIT
    while True:
        try:
            for page in reader.read(cursor, hold):
                cursor = page.cursor
                if page.posts or page.deleted or page.gap or page.rejected:
                    yield page
        except RetryLater as error:
            pause(max(wait, error.after or 0.0))
            wait = min(wait * 2, _LONGEST_WAIT)
            continue
        wait = _FIRST_WAIT
        pause(0.0)
