"""The worker: claims batches from the bus, walks the line, records. A bad post is set aside after five tries."""

from __future__ import annotations

import datetime as dt
import logging
import os
import traceback
from collections.abc import Callable, Mapping
from threading import Event
from zoneinfo import ZoneInfo

import msgspec
from django.db import OperationalError

from rapport.actions.desk import record
from rapport.bus.base import Batch, Bus
from rapport.core.copies import Window
from rapport.core.decision import Crisis
from rapport.core.hours import Hours
from rapport.core.query import Matcher, compile_topics
from rapport.core.rhythm import Rhythm
from rapport.core.route import TeamLoad
from rapport.core.rules import RuleSet, compile_rules
from rapport.core.score import Weights
from rapport.core.thresholds import SHIPPED
from rapport.core.toward import Aims
from rapport.core.understand import Reader, load_reader
from rapport.core.understand.corrected import Corrected
from rapport.core.understand.team import unpack
from rapport.pipeline.backtest import historian
from rapport.pipeline.line import PILE_ON, Snapshot, fingerprint, process
from rapport.pipeline.loop import keep_going
from rapport.pipeline.person_jobs import archivist
from rapport.pipeline.shadow import Shadows
from rapport.pipeline.teaching import teacher
from rapport.store.models import Workspace
from rapport.store.queries.approval_rules import fields_asked
from rapport.store.queries.conversation_facts import read_conversation_facts
from rapport.store.queries.corrections import corrections_version, read_corrections
from rapport.store.queries.fingerprints import Recent
from rapport.store.queries.load import read_team_load, staffed
from rapport.store.queries.moods import read_crisis, read_crowds, read_usual_trouble
from rapport.store.queries.outcomes import read_person_facts
from rapport.store.queries.snapshot import Configuration, configuration_version, read_configuration
from rapport.store.queries.team_model import read_weights

log = logging.getLogger(__name__)

#: seconds between two looks at an empty bus: the price of "in front of a person within a second"
IDLE = 0.2
#: how often the usual number of negative posts is learnt anew, and how often it is held against the last hours
LEARN, JUDGE = dt.timedelta(hours=1), dt.timedelta(minutes=1)


class Compiled(msgspec.Struct, frozen=True):
    """A configuration, ready to be used."""

    version: int
    matcher: Matcher
    reader: Reader
    rules: RuleSet
    handles: frozenset[str]
    weights: Weights
    weights_version: int
    aims: Aims
    #: the hours of the baskets that have some
    opening: tuple[Hours, ...]
    #: a rule gives work to a colleague by name
    names_people: bool
    zone: dt.tzinfo


class Mood(msgspec.Struct):
    """What a worker knows of the trouble that a workspace is in."""

    learnt_at: dt.datetime
    usual: Rhythm | None
    judged_at: dt.datetime
    crisis: Crisis | None


class Worker:
    """Processes batches of any workspace; keeps what it compiled until the configuration changes."""

    def __init__(self, bus: Bus, clock: Callable[[], dt.datetime], lease: dt.timedelta, share: float = 0.0) -> None:
        """`share` is how many of the posts that matter the transformer may read (0..1)."""
        self.bus = bus
        self.share = share
        self.clock = clock
        self.lease = lease
        self.name = f"{os.uname().nodename}-{os.getpid()}"[:64]
        self._compiled: dict[int, Compiled] = {}
        #: (languages, share of the second look) -> the reader of whoever has no model of their own
        self._readers: dict[tuple[tuple[str, ...], float], Reader] = {}
        #: workspace -> the texts of the last days that near-copies are known by
        self._windows: dict[int, Window] = {}
        self._moods: dict[int, Mood] = {}
        #: workspace -> the version of its corrections, and what they say
        self._corrected: dict[int, tuple[int, Mapping[str, Corrected]]] = {}
        self._shadows = Shadows()

    def run_forever(self, stop: Event) -> None:
        """Work until `stop` is set."""
        is_ready = False
        beside = (
            teacher(self.name, self.clock, self.share),
            historian(self.name, self.clock),
            archivist(self.name, self.clock),
        )

        def step() -> float:
            nonlocal is_ready
            if not is_ready:
                self.get_ready()
                is_ready = True
            for jobs in beside:
                jobs.look()
            return 0.0 if self.work_once() else IDLE

        keep_going(stop, step)

    def get_ready(self) -> None:
        """Load what is loaded at first use: the models of languages take seconds, which the first short post waited."""
        for languages in {tuple(found) for found in Workspace.objects.values_list("languages", flat=True)}:
            self._shipped_reader(languages, self.share).get_ready()

    def drain(self) -> int:
        """Work until the bus is empty; returns the number of posts processed."""
        done = 0
        while count := self.work_once():
            done += count
        return done

    def work_once(self) -> int:
        """Claim and process one batch; returns how many posts it held, 0 when there was none."""
        batch = self.bus.claim(self.name, self.clock(), self.lease)
        if batch is None:
            return 0
        try:
            posts = [post for _, post in batch.posts]
            snapshot, now = self.snapshot(batch), self.clock()
            outcomes = process(posts, snapshot, now)
            version = self._compiled[batch.workspace].version
            beside = self._shadows.decide(batch.workspace, version, posts, outcomes, snapshot, now)
            recent = Recent(self._windows.setdefault(batch.workspace, Window()), fingerprint(posts))
            record(batch, outcomes, self.bus, now=self.clock(), recent=recent, beside=beside)
        except OperationalError:
            raise
        except Exception:  # the outermost loop: one bad post must not stop the line
            what = self.bus.fail(batch, traceback.format_exc(), self.clock())
            log.exception("batch %s (%s posts, try %s): %s", batch.id, len(batch.posts), batch.attempt, what)
        return len(batch.posts)

    def snapshot(self, batch: Batch) -> Snapshot:
        """What the line may know: the compiled configuration, the team, and the authors of this batch."""
        compiled = self._configuration(batch.workspace)
        now = self.clock()
        asks = compiled.rules.asks | self._shadows.asks(batch.workspace, compiled.version, now)
        asks |= fields_asked(batch.workspace)
        people = read_person_facts(batch.workspace, batch.posts, now, asks)
        talking = [post for _, post in batch.posts if post.created_at >= now - PILE_ON]
        # the load decides only between people on our side who know an author, or whom a rule names
        known = compiled.names_people or any(facts.known_to is not None for facts in people.values())
        return Snapshot(
            matcher=compiled.matcher,
            reader=compiled.reader,
            rules=compiled.rules,
            load=read_team_load(batch.workspace, now) if known else TeamLoad(),
            business_hours=staffed(compiled.opening, now),
            handles=compiled.handles,
            zone=compiled.zone,
            people=people,
            weights=compiled.weights,
            weights_version=compiled.weights_version,
            crowds=read_crowds(batch.workspace, talking, now - PILE_ON),
            crisis=self._crisis(batch.workspace, now),
            corrections=self._corrections(batch.workspace),
            aims=compiled.aims,
            asks=asks,
            conversations=(
                read_conversation_facts(batch.workspace, batch.posts, now)
                if any(name.startswith("conversation.") for name in asks)
                else {}
            ),
        )

    def _crisis(self, workspace: int, now: dt.datetime) -> Crisis | None:
        mood = self._moods.get(workspace)
        if mood is None or now - mood.learnt_at >= LEARN:
            mood = Mood(now, read_usual_trouble(workspace, now), dt.datetime.min.replace(tzinfo=dt.UTC), None)
            self._moods[workspace] = mood
        if mood.usual is not None and now - mood.judged_at >= JUDGE:
            mood.judged_at, mood.crisis = now, read_crisis(workspace, mood.usual, now)
        return mood.crisis

    def _corrections(self, workspace: int) -> Mapping[str, Corrected]:
        version, known = self._corrected.get(workspace, (0, {}))
        newest = corrections_version(workspace)
        if version != newest:
            known = read_corrections(workspace)
            self._corrected[workspace] = (newest, known)
        return known

    def _configuration(self, workspace: int) -> Compiled:
        known = self._compiled.get(workspace)
        if known is not None and known.version == configuration_version(workspace):
            return known
        source = read_configuration(workspace)
        reader = self._reader(source)
        rules = compile_rules(source.rules, version=source.rules_version, bounded=False)
        self._compiled[workspace] = Compiled(
            version=source.version,
            matcher=compile_topics(source.topics),
            reader=reader,
            rules=rules,
            handles=source.handles,
            weights=source.weights,
            weights_version=source.weights_version,
            aims=Aims(source.topics, source.handles, reader.vocabularies),
            opening=source.opening,
            names_people=any(action.verb == "person" for rule in rules.rules for action in rule.actions),
            zone=ZoneInfo(source.zone),
        )
        return self._compiled[workspace]

    def _reader(self, source: Configuration) -> Reader:
        """The reader of a workspace, with its own model where one is in force."""
        shipped = self._shipped_reader(source.languages, self.share if source.share is None else source.share)
        if source.counting != SHIPPED:
            shipped = shipped.counting(source.counting)
        if not source.team_version:
            return shipped
        return shipped.taught(unpack(read_weights(source.workspace, source.team_version)), source.team_version)

    def _shipped_reader(self, languages: tuple[str, ...], share: float) -> Reader:
        if (languages, share) not in self._readers:
            self._readers[languages, share] = load_reader(languages, share)
        return self._readers[languages, share]
