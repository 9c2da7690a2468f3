"""What a year of work leaves on the desk of `crowd`: promises, answers, notes, tasks, effects of rules, steps of the
ladder, notices and drafts, in proportion to its conversations.

Written by SQL alone, and always the same for the same desk.
"""

from __future__ import annotations

import datetime as dt
import random
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec
from django.db import connection

from rapport.core.promises import Terms
from rapport.store.queries.sql import adapt

#: staffed minutes that every basket promises, for priority low to urgent
TERMS = Terms(first=(480, 240, 120, 30), next=(480, 240, 120, 30), resolution=(2880, 1440, 960, 480))
#: one conversation of so many has a note, a reply of ours, an effect of a rule, a task, a step of the ladder
NOTED, ANSWERED, FIRED, TASKED, STEPPED = 10, 4, 8, 20, 80
#: drafts that wait for a lead
PROPOSED = 300
#: notices that each colleague has had, of which one in so many is not read
NOTICES, UNREAD = 3_000, 60
#: days for which rules are counted
DAYS = 365
SEED = 20_261_122

#: writes rows: table, columns, rows
Write = Callable[[str, Sequence[str], Iterable[Sequence[Any]]], None]


class Talk(NamedTuple):
    """A conversation as far as work on it depends on it; times as the database's driver has them."""

    id: int
    person: int
    basket: int
    assignee: int | None
    state: str
    post: int
    opened_at: Any
    last_post_at: Any


class Work:
    """Writes the work of one workspace. The crowd must be there already."""

    def __init__(self, workspace: int, now: dt.datetime, members: Sequence[int], write: Write) -> None:
        self.workspace, self.now, self.members, self.write = workspace, now, members, write
        self.random = random.Random(SEED)  # noqa: S311  (the same work every time)
        self.talks = _read_talks()
        self.rules = [f"Added {number}" for number in range(85)]

    def write_all(self) -> None:
        """Everything."""
        from rapport.store.models import Basket, Conversation, RuleDay

        RuleDay.objects.all().delete()
        Basket.objects.update(promises=msgspec.to_builtins(TERMS))
        self.write("store_promise", _PROMISE, self._promises())
        due = {talk.id: self._due(talk) for talk in self.talks if talk.state in {"open", "snoozed"}}
        with connection.cursor() as cursor:
            cursor.executemany(
                "UPDATE store_conversation SET due_at = %s, touched_at = %s WHERE id = %s",
                [(at, adapt(self.now), pk) for pk, at in due.items()],
            )
        assert Conversation.objects.filter(due_at__isnull=False).count() == len(due)
        self.write("store_note", _NOTE, self._notes())
        self._answers()
        self.write("store_ruleeffect", _EFFECT, self._effects())
        self.write("store_task", _TASK, self._tasks())
        self.write("store_escalation", _STEP, self._steps())
        self.write("store_notification", _NOTICE, self._notices())
        self.write("store_draft", _DRAFT, self._drafts())
        self.write("store_ruleday", _DAY, self._days())
        self.write("store_auditentry", _AUDIT, self._audit())

    def _every(self, number: int) -> Iterator[tuple[int, Talk]]:
        return enumerate(self.talks[::number])

    def _due(self, talk: Talk) -> Any:
        return adapt(self.now + dt.timedelta(minutes=talk.id % 900 - 30))

    def _promises(self) -> Iterator[tuple[Any, ...]]:
        for talk in self.talks:
            for kind, minutes in (("first", 240), ("resolution", 1440)):
                runs = talk.state in {"open", "snoozed"}
                due = self._due(talk) if runs else None
                late = talk.id % 12 == 0
                yield (
                    self.workspace, talk.id, talk.basket, kind, minutes, 0.0 if runs else 60.0, talk.opened_at,
                    talk.opened_at if runs else None, due, due, talk.last_post_at if late else None,
                    None if runs or talk.state == "pending" else talk.last_post_at, not runs,
                )  # fmt: skip

    def _notes(self) -> Iterator[tuple[Any, ...]]:
        for number, talk in self._every(NOTED):
            author = self.members[number % len(self.members)]
            yield self.workspace, talk.id, author, "She has the new one by Friday, I promised.", talk.last_post_at

    def _answers(self) -> None:
        """A reply in every fourth conversation that is done, with its way to the network."""
        from rapport.store.models import Approval, Channel

        channel = Channel.objects.values_list("pk", flat=True)[0]
        done = [talk for _, talk in self._every(ANSWERED) if talk.state in {"resolved", "pending"}]
        first = (Approval.objects.order_by("-pk").values_list("pk", flat=True).first() or 0) + 1
        self.write("store_approval", _APPROVAL, (
            (first + number, self.workspace, talk.id, channel, talk.post, self.members[number % len(self.members)],
             "A new one is on its way, sorry for the trouble.", "public", "[]", "", "{}", "", "", "[]",
             talk.last_post_at, first + number, "")
            for number, talk in enumerate(done)
        ))  # fmt: skip
        self.write("store_delivery", _DELIVERY, (
            (self.workspace, first + number, channel, talk.id, "sent", uuid.UUID(int=first + number).hex, 1, "", 1,
             talk.last_post_at, talk.last_post_at, "", f"sent-{talk.id}", "", talk.last_post_at, talk.last_post_at)
            for number, talk in enumerate(done)
        ))  # fmt: skip
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                counter = "pg_get_serial_sequence('store_approval', 'id')"
                cursor.execute(f"SELECT setval({counter}, (SELECT max(id) FROM store_approval))")  # noqa: S608  (our names)

    def _effects(self) -> Iterator[tuple[Any, ...]]:
        states = ("done", "done", "taken", "dismissed", "proposed", "noted", "refused")
        for number, talk in self._every(FIRED):
            yield (
                self.workspace, talk.id, talk.post, self.rules[number % len(self.rules)], "tag", f"tag-{number % 40}",
                "suggest", states[number % len(states)], "", talk.last_post_at,
            )  # fmt: skip

    def _tasks(self) -> Iterator[tuple[Any, ...]]:
        for number, talk in self._every(TASKED):
            due = adapt(self.now + dt.timedelta(hours=number % 200 - 20))
            done = None if number % 8 == 0 else talk.last_post_at
            yield (
                self.workspace, ("task", "task", "ticket", "idea")[number % 4], f"Call back about parcel {number}",
                talk.id, talk.person, talk.basket, self.members[number % len(self.members)], due, "",
                talk.opened_at, done, "",
            )  # fmt: skip

    def _steps(self) -> Iterator[tuple[Any, ...]]:
        for number, talk in self._every(STEPPED):
            way = "" if number % 10 == 0 else "acknowledged"
            yield (
                self.workspace, talk.person, talk.id, talk.post, "first", self.rules[number % len(self.rules)], 2,
                talk.last_post_at, way, "",
            )  # fmt: skip

    def _notices(self) -> Iterator[tuple[Any, ...]]:
        for member in self.members:
            for number, talk in zip(range(NOTICES), self.talks[:: max(1, len(self.talks) // NOTICES)], strict=False):
                read = None if number % UNREAD == 0 else talk.last_post_at
                yield (
                    self.workspace, member, ("assigned", "rule", "promise", "task")[number % 4], f"b-{number}", talk.id,
                    1, f"Yours now: number {number}", talk.last_post_at, talk.last_post_at, read,
                )  # fmt: skip

    def _drafts(self) -> Iterator[tuple[Any, ...]]:
        waiting = [talk for talk in self.talks if talk.state == "open"][:PROPOSED]
        for talk in waiting:
            yield (
                self.workspace, talk.id, self.members[-1], "We send you a new one today.", "", talk.post, True,
                talk.last_post_at,
            )  # fmt: skip

    def _days(self) -> Iterator[tuple[Any, ...]]:
        posts = self.talks[-1].post
        for number, rule in enumerate(self.rules):
            for back in range(DAYS):
                at = self.now - dt.timedelta(days=back)
                yield (
                    self.workspace, rule, at.date().isoformat(), 10 + (number * 7 + back) % 300, number % 3, 0,
                    adapt(at), posts - number * 10 - back, None, "",
                )  # fmt: skip

    def _audit(self) -> Iterator[tuple[Any, ...]]:
        """Who took what, and that the machine recorded a batch: of both there are many."""
        for number, talk in enumerate(self.talks):
            actor = talk.assignee or self.members[0]
            verb = ("conversation.resolve", "conversation.assign", "rule.overridden")[number % 3]
            detail = f'{{"rule": "{self.rules[number % len(self.rules)]}", "what": "basket"}}'
            yield self.workspace, actor, verb, "conversation", str(talk.id), detail, talk.last_post_at
            yield self.workspace, None, "posts.record", "", "", '{"posts": 3}', talk.last_post_at


def _read_talks() -> list[Talk]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, person_id, basket_id, assignee_id, state, decided_by, opened_at, last_post_at "
            "FROM store_conversation WHERE person_id IS NOT NULL AND basket_id IS NOT NULL AND decided_by IS NOT NULL "
            "AND opened_at IS NOT NULL AND state IN ('open', 'pending', 'snoozed', 'resolved') ORDER BY id"
        )
        return [Talk(*row) for row in cursor.fetchall()]


_PROMISE = (
    "workspace_id", "conversation_id", "basket_id", "kind", "minutes", "used", "started_at", "running_since", "due_at",
    "warn_at", "broken_at", "ended_at", "done",
)  # fmt: skip
_NOTE = ("workspace_id", "conversation_id", "author_id", "text", "at")
_APPROVAL = (
    "id", "workspace_id", "conversation_id", "channel_id", "target_id", "person_id", "text", "visibility", '"to"',
    "digest", "verdict", "drafted", "template", "despite", "approved_at", "sequence", "chain",
)  # fmt: skip
_DELIVERY = (
    "workspace_id", "approval_id", "channel_id", "conversation_id", "state", "idempotency_key", "fence", "claimed_by",
    "attempts", "next_try_at", "pushed_at", "cause", "external_id", "url", "sent_at", "queued_at",
)  # fmt: skip
_EFFECT = (
    "workspace_id", "conversation_id", "post", "rule", "verb", "argument", "level", "state", "cause", "at",
)  # fmt: skip
_TASK = (
    "workspace_id", "kind", "title", "conversation_id", "person_id", "basket_id", "assignee_id", "due_at", "rule",
    "made_at", "done_at", "dropped",
)  # fmt: skip
_STEP = (
    "workspace_id", "person_id", "conversation_id", "post", "step", "rule", "count", "at", "way", "note",
)  # fmt: skip
_NOTICE = (
    "workspace_id", "membership_id", "event", "bundle", "conversation_id", "count", "text", "first_at", "last_at",
    "read_at",
)  # fmt: skip
_DRAFT = (
    "workspace_id", "conversation_id", "author_id", "text", "template", "based_on_id", "proposed", "updated_at",
)  # fmt: skip
_DAY = (
    "workspace_id", "rule", "day", "fired", "overridden", "broken", "last_at", "last_post", "broken_post", "error",
)  # fmt: skip
_AUDIT = ("workspace_id", "actor_id", "verb", "subject", "subject_id", "detail", "at")
