"""The clock: what happens because time passes."""

from __future__ import annotations

import datetime as dt
import logging
import random
from collections.abc import Callable
from threading import Event

from rapport.actions import listening
from rapport.actions.attachments import clear_unsent
from rapport.actions.checks import draw_sample
from rapport.actions.dealing import tend_baskets
from rapport.actions.desk import wake_snoozed
from rapport.actions.drafts import forget_versions
from rapport.actions.exports import sweep_exports
from rapport.actions.people import end_lapsed_ignorings
from rapport.actions.promises import mark_broken, warn
from rapport.actions.purges import begin_due_purges, carry_on_purges
from rapport.actions.rematch import carry_on_rematches
from rapport.actions.steps import end_steps
from rapport.actions.tasks import remind_of_tasks
from rapport.actions.undo import forget_deeds
from rapport.core.rhythm import Rhythm, find_silence
from rapport.pipeline.heads import HeadKeeper
from rapport.pipeline.loop import keep_going
from rapport.store.models import Channel, DeskEvent, Received, SignInLink, Tombstone, WebhookCall, Workspace
from rapport.store.queries.deleted import KEPT
from rapport.store.queries.fingerprints import sweep_fingerprints
from rapport.store.queries.sources import newest_post_at, read_rhythm

log = logging.getLogger(__name__)

TICK = 1.0  # seconds
#: seconds between two pieces of work that takes long: others write in between
BREATH = 0.05
#: how long desk events are kept: an open page that was away for longer reads everything anew
EVENTS = dt.timedelta(hours=1)
#: how often the rhythm of a source is learnt anew, and how often its silence is judged
LEARN, JUDGE = dt.timedelta(hours=1), dt.timedelta(minutes=1)
#: how often promises and the work of baskets are looked at
TEND = dt.timedelta(seconds=5)
#: only while the network answers is silence a sign; a look that is older says nothing
ANSWERED = dt.timedelta(minutes=10)
#: how long deliveries at the door are remembered: no network repeats them for so long
DELIVERIES = dt.timedelta(days=7)
#: how long calls of webhooks are shown once they were taken or given up
CALLS = dt.timedelta(days=14)


class Clock:
    """Wakes snoozed conversations, carries long work on, and sweeps what has expired."""

    def __init__(self, clock: Callable[[], dt.datetime], heads: HeadKeeper | None = None) -> None:
        """`heads`: who keeps the heads of the ledgers outside of the database."""
        self.clock = clock
        self.heads = heads
        self._swept = self._judged = self._tended = dt.datetime.min.replace(tzinfo=dt.UTC)
        #: channel id -> when its rhythm was learnt, and the rhythm
        self._rhythms: dict[int, tuple[dt.datetime, Rhythm | None]] = {}

    def run_forever(self, stop: Event) -> None:
        """Tick until `stop` is set."""
        keep_going(stop, self.tick)

    def tick(self) -> float:
        """One look at everything that time can change; returns the seconds until the next."""
        now, busy = self.clock(), False
        for workspace in Workspace.objects.all():
            wake_snoozed(workspace, now=now)
            busy |= carry_on_rematches(workspace, now=now)
            busy |= carry_on_purges(workspace, now=now)
        if now - self._tended >= TEND:
            for workspace in Workspace.objects.all():
                warn(workspace, now=now)
                mark_broken(workspace, now=now)
                tend_baskets(workspace, now=now)
            self._tended = now
        if now - self._swept > dt.timedelta(minutes=5):
            DeskEvent.objects.filter(at__lt=now - EVENTS).delete()
            SignInLink.objects.filter(expires_at__lt=now - dt.timedelta(days=30)).delete()
            Received.objects.filter(at__lt=now - DELIVERIES).delete()
            Tombstone.objects.filter(at__lt=now - KEPT).delete()
            sweep_fingerprints(now)
            forget_deeds(now=now)
            clear_unsent(now=now)
            sweep_exports(now=now)
            forget_versions(now=now)
            WebhookCall.objects.filter(settled_at__lt=now - CALLS).delete()
            self._swept = now
        if now - self._judged >= JUDGE:
            for workspace in Workspace.objects.all():
                draw_sample(workspace, random.SystemRandom().sample, now=now)
                end_lapsed_ignorings(workspace, now=now)
                begin_due_purges(workspace, now=now)
                end_steps(workspace, now=now)
                remind_of_tasks(workspace, now=now)
            self.judge_silence(now)
            if self.heads is not None:
                self.heads.look(now=now)
            self._judged = now
        return BREATH if busy else TICK

    def judge_silence(self, now: dt.datetime) -> None:
        """Say of every connected source that answers whether it is unusually quiet."""
        for channel in Channel.objects.filter(state=Channel.State.CONNECTED):
            looked = channel.last_pull_at
            last = newest_post_at(channel)
            if last is None or looked is None or looked < now - ANSWERED or channel.failures:
                continue
            rhythm = self._rhythm_of(channel, now)
            listening.note_silence(channel, find_silence(rhythm, last, now) if rhythm else None, now=now)

    def _rhythm_of(self, channel: Channel, now: dt.datetime) -> Rhythm | None:
        learnt = self._rhythms.get(channel.pk)
        if learnt is None or now - learnt[0] >= LEARN:
            learnt = self._rhythms[channel.pk] = (now, read_rhythm(channel, now))
        return learnt[1]
