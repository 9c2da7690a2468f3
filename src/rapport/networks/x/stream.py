"""The live line of an X account: the filtered stream, whose rules are the searches that an admin chose.

It speaks for the application (an app token), not for the account; without one `listen` gives up and the searches are
polled. Each connection first fills what was missed through recent search, while the stream waits behind it. Its pages
belong to the stream "search" and carry its cursor with the time of the last sign of life, so that nobody polls
meanwhile. Rules that are not ours (another tag) are left alone.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator, Mapping

import msgspec

from rapport.core.errors import GiveUp, InvalidPost, RetryLater
from rapport.core.post import admit
from rapport.networks.base import Account, Page
from rapport.networks.http import GuardedSession, read_lines
from rapport.networks.x.answer import Answer, item_id, read_answer
from rapport.networks.x.cursor import Cursor, age_order, id_at, queries_of
from rapport.networks.x.lists import FIELDS, LATE, MOST_PER_POST
from rapport.networks.x.parse import gone_from, parse_tweet
from rapport.networks.x.pull import clock, read_searches
from rapport.networks.x.wire import Limited, Refused, Wire, app_token_of, server_clock

SILENCE = 20.0  # seconds; X sends a line every 20 at the latest, and says that this is the time to give up
_SLACK = 5.0  # seconds on top of it, for the way
_SHOW_LIFE = 240.0  # seconds between two pages that say no more than that the line holds
#: the documented waits: network errors (step, most), refusals (first, most), limits (first, most)
_BROKEN = (0.25, 16.0)
_REFUSED = (5.0, 320.0)
_LIMITED = (60.0, 960.0)
_HAND_OVER = 300.0  # seconds; well before `LIVE_SILENCE`, after which the searches are polled again
_MOST_LOOKS = 50  # of one fill; each reads up to a thousand posts of every search
_LONGEST_BACKFILL = 5  # minutes
_RULES = "/2/tweets/search/stream/rules"
_STREAM = "/2/tweets/search/stream"
#: the stream still speaks of tweets where the rest of the API speaks of posts
STREAM_FIELDS = {
    "tweet.fields": ("attachments", "author_id", "conversation_id", "created_at", "edit_history_tweet_ids", "entities",
                     "id", "in_reply_to_user_id", "lang", "note_tweet", "public_metrics", "referenced_tweets", "text"),
    "user.fields": FIELDS["user.fields"],
    "media.fields": FIELDS["media.fields"],
    "poll.fields": FIELDS["poll.fields"],
    "expansions": ("attachments.media_keys", "attachments.poll_ids", "author_id", "edit_history_tweet_ids",
                   "referenced_tweets.id"),
}  # fmt: skip


class _Rule(msgspec.Struct):
    id: str
    value: str
    tag: str | None = None


class _Rules(msgspec.Struct):
    data: list[_Rule] | None = None
    errors: list[dict[str, object]] | None = None


def listen(
    account: Account,
    cursors: Mapping[str, str],
    session: GuardedSession,
    pause: Callable[[float], None],
    now: Callable[[], dt.datetime] = clock,
    silence: float = SILENCE + _SLACK,
) -> Iterator[Page]:
    """See `Network.stream`. `pause` gets the documented waits, and 0 at every line, so that it can end the stream."""
    if not app_token_of(account) or not queries_of(account) or not account.settings.get("live"):
        raise GiveUp("The live line of X needs a search, its switch in the settings, and the app's own bearer token.")
    line = _Line(account, Cursor.decode(cursors.get("search", "")), session, pause, now, silence)
    waits = _Waits()
    while True:
        line.held = False
        try:
            yield from line.hold()
            raise RetryLater("X ended the stream")
        except RetryLater as error:
            wait = waits.after(error, stood=line.held)
            pause(min(wait, _HAND_OVER))
            if line.silent_for() >= _HAND_OVER:  # others read the searches by now: begin anew from where they are
                raise


class _Waits:
    """The documented waits: none after a line that stood, then longer ones by the kind of failure."""

    def __init__(self) -> None:
        self._failed: dict[type, int] = {}

    def after(self, error: RetryLater, *, stood: bool) -> float:
        asked = error.after or 0.0
        if stood:
            self._failed.clear()
            return asked
        kind = type(error)
        times = self._failed[kind] = self._failed.get(kind, 0) + 1
        if kind is Limited:
            return max(_doubled(_LIMITED, times), asked)
        if kind is Refused:
            return max(_doubled(_REFUSED, times), asked)
        return max(min(_BROKEN[0] * times, _BROKEN[1]), asked)


def tag_of(account: Account) -> str:
    """How we know our rules among those of the application."""
    return f"rapport-{account.account_id}"


def set_rules(account: Account, wire: Wire) -> None:
    """Make the rules of the stream those that the settings ask for. Raises `GiveUp` when X refuses one."""
    ours = [rule for rule in _read_rules(wire.read(_RULES, {}, as_app=True).content) if rule.tag == tag_of(account)]
    wanted = queries_of(account)
    stale = [rule.id for rule in ours if rule.value not in wanted]
    known = {rule.value for rule in ours}
    missing = [{"value": query, "tag": tag_of(account)} for query in wanted if query not in known]
    if missing:
        answer = _decoded_rules(wire.write(_RULES, {"add": missing}, as_app=True))
        refused = next(
            (each for each in answer.errors or () if "duplicate" not in str(each.get("title")).lower()), None
        )
        if refused is not None:
            reason = str(refused.get("title") or refused.get("detail") or "no reason given")
            raise GiveUp(
                f"X does not take the search {refused.get('value') or missing[0]['value']!r} as a rule: {reason}"
            )
    if stale:  # after the new ones, so that no moment is without rules
        wire.write(_RULES, {"delete": {"ids": stale}}, as_app=True)


class _Line:
    """The live line of one account; `cursor` moves with every page that is given out."""

    def __init__(
        self, account: Account, cursor: Cursor, session: GuardedSession, pause: Callable[[float], None],
        now: Callable[[], dt.datetime], silence: float,
    ) -> None:  # fmt: skip
        self._account, self._cursor, self._pause, self._now, self._silence = account, cursor, pause, now, silence
        self._wire = Wire.of(account, session)
        self._last_sign: dt.datetime | None = None
        self._shown = time.monotonic()
        #: of X's clock against ours
        self._ahead = dt.timedelta(0)
        #: whether this connection has brought a line
        self.held = False

    def silent_for(self) -> float:
        """Seconds since the last page."""
        return time.monotonic() - self._shown

    def hold(self) -> Iterator[Page]:
        """One connection: the rules, the stream, what was missed, and then what comes."""
        self._check_budget()
        set_rules(self._account, self._wire)
        response = self._wire.open_stream(_STREAM, STREAM_FIELDS | self._backfill(), self._silence)
        self._ahead = server_clock(response.headers, self._now()) - self._now()
        self._cursor.live_at = self._now().isoformat()  # from here on nobody else reads the searches
        lines = read_lines(response)
        try:
            yield from self._fill()
            yield self._alive()
            for line in lines:
                self._pause(0.0)
                self.held, self._last_sign = True, self._now()
                if line.strip():
                    yield self._page(line.encode())
                    self._check_budget()
                elif self.silent_for() > _SHOW_LIFE:
                    yield self._alive()
        finally:
            lines.close()

    def _fill(self) -> Iterator[Page]:
        """What was missed; as many looks as it takes, because nobody else looks while the line holds."""
        for _ in range(_MOST_LOOKS):
            for page in read_searches(self._account, self._wire, self._cursor, self._now):
                yield page
                self._pause(0.0)
            if not any(self._cursor.position(query).below for query in queries_of(self._account)):
                return
        raise RetryLater("more was missed than can be filled at once")

    def _check_budget(self) -> None:
        self._cursor.check_budget(self._account, "search", MOST_PER_POST, self._now())

    def _backfill(self) -> dict[str, int]:
        """Minutes that the plan lets the stream repeat; recent search fills the rest."""
        if not self._account.settings.get("backfill") or self._last_sign is None:
            return {}
        minutes = int((self._now() - self._last_sign).total_seconds() // 60) + 1
        return {"backfill_minutes": min(minutes, _LONGEST_BACKFILL)}

    def _alive(self) -> Page:
        """The searches are whole up to now, less what X indexes late."""
        self._shown = time.monotonic()
        self._cursor.live_at = self._now().isoformat()
        looked = id_at(self._now() + self._ahead - LATE)
        for query in queries_of(self._account):
            position = self._cursor.position(query)
            if not position.below:
                position.newest = max(position.newest, looked, key=age_order)
                position.seen = [each for each in position.seen if age_order(each) >= age_order(position.newest)]
        return Page(stream="search", posts=(), cursor=self._cursor.encode())

    def _page(self, line: bytes) -> Page:
        try:
            answer = read_answer(line)
        except InvalidPost as error:
            return msgspec.structs.replace(self._alive(), rejected=(f"stream: {error}",))
        if not answer.items:
            raise _ended(answer)
        identifier = item_id(answer.items[0])
        positions = [self._cursor.position(query) for query in queries_of(self._account)]
        if any(identifier in position.seen for position in positions):
            return self._alive()  # recent search had it already
        self._cursor.spent += answer.resources
        for position in positions:
            position.seen.append(identifier)
        deleted, suspended = gone_from(answer.problems)
        page = msgspec.structs.replace(self._alive(), deleted=deleted, suspended=suspended)
        try:
            post = admit(parse_tweet(answer.items[0], answer, self._account.account_id), self._now())
            return msgspec.structs.replace(page, posts=(post,))
        except InvalidPost as error:
            return msgspec.structs.replace(page, rejected=(f"post {identifier or 'without an id'}: {error}",))


def _ended(answer: Answer) -> RetryLater:
    """A line with errors and no post is the last one of a stream."""
    words = answer.problems[0].words() if answer.problems else "no reason given"
    return RetryLater(f"X ended the stream: {words}")


def _doubled(waits: tuple[float, float], times: int) -> float:
    return min(waits[0] * 2.0 ** min(times - 1, 16), waits[1])


def _read_rules(body: bytes) -> list[_Rule]:
    return _decoded_rules(body).data or []


def _decoded_rules(body: bytes) -> _Rules:
    try:
        return msgspec.json.decode(body, type=_Rules, strict=False)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise RetryLater("X gave no readable list of the rules of its stream") from None
