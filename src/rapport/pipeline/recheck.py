"""Looking at stored posts again: on networks that do not tell of every deletion, each within the network's limit.

A channel is walked through from its newest post downwards, in steps that are spread over the time that the network
allows and over its budget of a day. How far a walk is stands among the cursors of the channel and moves in the
transaction that stores what was found, so a process that dies anywhere repeats one step at most.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Iterable, Mapping

import msgspec

from rapport.actions import hearing, listening
from rapport.bus.base import Bus
from rapport.core.errors import InvalidInput, NetworkError, Reauthorise, RetryLater
from rapport.networks.base import Rechecked
from rapport.networks.contract import Network
from rapport.networks.http import GuardedSession
from rapport.pipeline.sender import account_of
from rapport.store.models import Channel, Cursor
from rapport.store.models import Post as PostRow
from rapport.store.queries.recheck import RECHECK, Due, count_due, read_due
from rapport.store.queries.sql import chunks

log = logging.getLogger(__name__)

#: of the time that a network allows: how often a walk begins, how long it takes, how lately a post was seen that it
#: passes over. A post that is passed over is reached by the next walk: 0.1 + 0.5 + 0.4 = 1
EVERY, LASTS, PASSES = 0.5, 0.4, 0.1
#: what is known of a post that is answered is not older
FRESH = dt.timedelta(minutes=5)
#: seconds after a network that does not answer and names no time
PAUSE = 300.0
#: a network that calls so many posts of one look gone, and more than half of them, must say it twice
MANY, DOUBT = 10, dt.timedelta(minutes=10)
#: how long a post that was just heard is watched, where the live line does not tell what becomes of it: most edits and
#: second thoughts come in the first minutes
WATCHED = dt.timedelta(minutes=10)
#: posts that are watched in one look
_MOST_WATCHED = 20
#: there the newest posts, however old, are looked at too: so often, and so many. What happened while nobody listened
#: is found by that, long before the walk comes to it
NEWEST_EVERY, MOST_NEWEST = dt.timedelta(minutes=1), 60
_LONG_AGO = dt.datetime.min.replace(tzinfo=dt.UTC)
_DAY = 86_400.0  # seconds
_MOST_LOOKS = 1_000  # that the sender remembers


class Progress(msgspec.Struct, omit_defaults=True):
    """How far the walk through one channel is."""

    #: when the last walk began; None: there was none
    began: dt.datetime | None = None
    running: bool = False
    #: a walk goes on with the row below this one; 0: at the top
    below: int = 0
    #: how many posts it passes
    total: int = 0
    #: when the last step was taken
    stepped: dt.datetime | None = None
    #: the day (UTC) that `spent` counts
    day: str = ""
    spent: int = 0
    #: what the last step called gone and was not believed
    doubted: list[str] = []


class Rechecker:
    """Takes steps of walks, one channel at a time, and looks at single posts before they are answered."""

    def __init__(
        self,
        networks: Mapping[str, Network],
        session: Callable[[], GuardedSession],
        bus: Bus,
        clock: Callable[[], dt.datetime],
        days: int = 30,
    ) -> None:
        self.networks = networks
        self.session = session
        self.bus = bus
        self.clock = clock
        #: how long posts are looked at again; 0: never
        self.days = days
        #: (channel, id) -> when it was looked at for a reply
        self._looked: dict[tuple[int, str], dt.datetime] = {}
        #: channel -> when its new posts are looked at next
        self._watches: dict[int, dt.datetime] = {}
        #: channel -> when its newest posts, however old, are
        self._wider: dict[int, dt.datetime] = {}

    def look_at(self, channel: Channel) -> int:
        """One step of the walk through a channel, where it is time; returns how many posts were found changed."""
        network, now = self.networks[channel.network], self.clock()
        rests = channel.paused_until is not None and channel.paused_until > now
        if not (network.capabilities.recheck_within and self.days) or rests:
            return 0
        if channel.state != Channel.State.CONNECTED:
            return 0
        known = Cursor.objects.of(channel.workspace_id).filter(channel=channel, stream=RECHECK).first()
        if known is not None and known.paused_until is not None and known.paused_until > now:
            return 0
        progress = _read_progress(known.value if known else "")
        try:
            return self._step(channel, network, progress, now)
        except Reauthorise as error:
            listening.ask_to_reconnect(channel, error, now=now)
        except RetryLater as error:
            until = now + dt.timedelta(seconds=PAUSE if error.after is None else error.after)
            listening.pause_stream(channel, RECHECK, until, str(error), now=now)
        return 0

    def is_watched(self, channel: Channel) -> bool:
        """Whether it is time to see what became of the newest posts of a channel."""
        every = self.networks[channel.network].capabilities.watch_every
        return bool(every and self.days) and self._watches.get(channel.pk, _LONG_AGO) <= self.clock()

    def watch(self, channel: Channel) -> int:
        """Look at what was heard in the last minutes, every minute at the newest posts, however old these are.

        Returns how many posts were found changed. What goes wrong here is said by the other looks at the channel: this
        one only waits longer.
        """
        network, now, session = self.networks[channel.network], self.clock(), self.session()
        every = network.capabilities.watch_every
        self._watches[channel.pk] = now + dt.timedelta(seconds=every)
        if channel.paused_until is not None and channel.paused_until > now:
            return 0
        is_wide = self._wider.get(channel.pk, _LONG_AGO) <= now
        span, most = (dt.timedelta(days=self.days), MOST_NEWEST) if is_wide else (WATCHED, _MOST_WATCHED)
        due = read_due(channel, 0, now - span, now, most)
        parts = chunks(list(due.ids.items()), network.capabilities.recheck_most)
        try:
            found = [self._ask(channel, network, dict(part), session) for part in parts]
        except (NetworkError, InvalidInput) as error:
            wait = getattr(error, "after", None) or PAUSE
            self._watches[channel.pk] = now + dt.timedelta(seconds=wait)
            log.info("channel %s: its newest posts were not looked at: %s", channel.slug, error)
            return 0
        # a server that takes no lists of ids is asked for each: what a look costs, it waits longer
        asked = session.exchanges
        self._watches[channel.pk] = now + dt.timedelta(seconds=every * max(1.0, asked / 2))
        if is_wide:
            self._wider[channel.pk] = now + max(NEWEST_EVERY, dt.timedelta(seconds=every * 3 * asked))
        # so many deletions at once are for the walk, which asks twice; hidden authors are back when something stands
        sure = [each for each in found if len(each.deleted) < MANY]
        told = [each for each in sure if is_wide or each.deleted or each.hidden or each.changed]
        return sum(hearing.settle_recheck(channel, each, self.bus, now=self.clock()) for each in told)

    def look_before_reply(self, channel: Channel, row: PostRow) -> None:
        """See to it that a post which is about to be answered was looked at a moment ago; no budget holds this up.

        A network that cannot say so now says nothing: the reply is then refused, or taken, by the network itself.
        """
        network, now = self.networks[channel.network], self.clock()
        key = (channel.pk, row.external_id)
        if not (network.capabilities.recheck_within and self.days) or row.network != channel.network:
            return
        if now - max(row.seen_at, self._looked.get(key, row.seen_at)) < FRESH:
            return
        try:
            found = self._ask(channel, network, {row.external_id: row.handle.external_id})
        except (NetworkError, InvalidInput) as error:
            log.info("channel %s: %s was not looked at before the reply: %s", channel.slug, row.external_id, error)
            return
        hearing.settle_recheck(channel, found, self.bus, now=self.clock())
        self._looked[key] = now
        for oldest in list(self._looked)[:-_MOST_LOOKS]:  # lanes of the sender do this side by side
            self._looked.pop(oldest, None)

    def _step(self, channel: Channel, network: Network, progress: Progress, now: dt.datetime) -> int:
        within = dt.timedelta(seconds=network.capabilities.recheck_within)
        since = now - dt.timedelta(days=self.days)
        if not progress.running:
            if progress.began is not None and now - progress.began < EVERY * within:
                return 0
            total = count_due(channel, since)
            progress = msgspec.structs.replace(progress, began=now, running=True, below=0, total=total, stepped=None)
        began = progress.began or now
        most, pause = self._pace(channel, network, progress, now)
        if progress.stepped is not None and now - progress.stepped < pause:
            return 0
        due = read_due(channel, progress.below, since, began - PASSES * within, most)
        progress.stepped, behind = now if due.ids else None, _behind(progress, within, now)
        try:
            found = self._ask(channel, network, due.ids) if due.ids else Rechecked()
        except (Reauthorise, RetryLater):
            raise
        except (NetworkError, InvalidInput) as error:
            log.warning("channel %s: %d posts could not be looked at again: %s", channel.slug, len(due.ids), error)
            found, behind = Rechecked(unseen=tuple(due.ids)), f"Some posts could not be looked at again: {error}"
        found, is_sure = _believed(found, due, progress)
        if is_sure:
            progress.below, progress.running = due.below, due.below > 0
        progress.spent += found.spent
        value = msgspec.json.encode(progress).decode()
        count = hearing.settle_recheck(channel, found, self.bus, now=self.clock(), progress=value, behind=behind)
        if not is_sure:
            reason = (
                f"The network calls {len(progress.doubted)} posts deleted at once; it is asked again before it counts."
            )
            listening.pause_stream(channel, RECHECK, now + DOUBT, reason, now=now)
        return count

    def _pace(
        self, channel: Channel, network: Network, progress: Progress, now: dt.datetime
    ) -> tuple[int, dt.timedelta]:
        """How many posts a step asks for, and how long after the last one it may be taken."""
        most = network.capabilities.recheck_most
        seconds = LASTS * network.capabilities.recheck_within * most / max(progress.total, 1)
        budget = network.recheck_budget(account_of(channel))
        if budget is not None:
            today = now.astimezone(dt.UTC).date().isoformat()
            if progress.day != today:
                progress.day, progress.spent = today, 0
            most = min(most, budget - progress.spent)
            if most < 1:
                midnight = dt.datetime.combine(now.astimezone(dt.UTC).date() + dt.timedelta(days=1), dt.time(), dt.UTC)
                raise RetryLater(
                    f"Today's part of the budget for looking at stored posts again ({budget:,}) is used up.",
                    (midnight - now).total_seconds(),
                )
            seconds = max(seconds, _DAY * most / budget / 2)  # a step may cost less than it asks for
        return most, dt.timedelta(seconds=seconds)

    def _ask(
        self, channel: Channel, network: Network, ids: dict[str, str], session: GuardedSession | None = None
    ) -> Rechecked:
        """What the network says, held to what it was asked: an id of which it says two things is doubtful."""
        found = network.recheck(account_of(channel), ids, session or self.session())
        told = [*found.standing, *found.deleted, *found.hidden]
        sure = {each for each in ids if told.count(each) == 1 and each not in found.unseen}
        return msgspec.structs.replace(
            found,
            standing=_only(found.standing, sure),
            deleted=_only(found.deleted, sure),
            hidden=_only(found.hidden, sure),
            unseen=tuple(each for each in ids if each not in sure),
            changed=tuple(post for post in found.changed if post.id in found.standing),
        )


def _only(ids: Iterable[str], among: set[str]) -> tuple[str, ...]:
    return tuple(each for each in ids if each in among)


def _believed(found: Rechecked, due: Due, progress: Progress) -> tuple[Rechecked, bool]:
    """What counts of an answer, and whether that is all of it; what is doubted is noted in `progress`."""
    new = set(found.deleted) - set(progress.doubted)
    is_sure = len(new) < MANY or len(new) * 2 <= len(due.ids)
    progress.doubted = [] if is_sure else list(found.deleted)
    return (found if is_sure else msgspec.structs.replace(found, deleted=())), is_sure


def _behind(progress: Progress, within: dt.timedelta, now: dt.datetime) -> str:
    """A sentence where a walk takes longer than the network allows."""
    if progress.began is None or now - progress.began <= within:
        return ""
    hours, allowed = (round(each.total_seconds() / 3600) for each in (now - progress.began, within))
    return (
        f"Looking at about {progress.total:,} stored posts again has taken {hours} hours; within {allowed} hours each "
        "should have been looked at. A larger daily budget for this account, or a lower RAPPORT_RECHECK_DAYS, mends it."
    )


def _read_progress(value: str) -> Progress:
    try:
        return msgspec.json.decode(value, type=Progress) if value else Progress()
    except (msgspec.MsgspecError, UnicodeError):
        return Progress()
