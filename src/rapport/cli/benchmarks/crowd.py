"""A desk after a busy year: a million posts by 200,000 people in 400,000 conversations, written by SQL alone, with the
work that it made (`crowd_work`).

The same seed gives the same desk. Texts are those of the corpus with two made-up words each, so that there are common
words and rare ones; a few are Japanese. Outcomes are real ones: some hundred posts walk the line, and all others
borrow what it made of them.
"""

from __future__ import annotations

import datetime as dt
import math
import random
from collections.abc import Iterable, Iterator, Sequence
from itertools import count as count_up
from itertools import islice
from typing import Any, NamedTuple

from django.db import connection, transaction

from rapport.cli.benchmarks.corpus import load_corpus
from rapport.cli.benchmarks.crowd_work import Work
from rapport.cli.benchmarks.line_ours import Line, _fill
from rapport.cli.benchmarks.order import Order
from rapport.cli.benchmarks.rulebook import make_rules
from rapport.core.felt import mood_number
from rapport.store.queries.sql import adapt

POSTS = 1_000_000
#: of every thousand conversations, how many are in a state; the rest are resolved
STATES = (("open", 75), ("pending", 25), ("snoozed", 5), ("quarantined", 12))
#: how the work falls on six baskets
SHARES = (40, 25, 15, 10, 7, 3)
#: posts that walk the line, for their outcomes
WALKED = 400
#: threads of exactly so many posts
LONG, LONG_POSTS = 20, 500
#: one account of so many calls itself a bot
BOTS = 20
#: so many topics, and each of them finds every so many-th post
TOPICS, FOUND = 10, 40
YEAR = 365 * 86_400
SEED = 20_261_121
_SYLLABLES = ("ka", "vo", "ri", "ten", "sul", "ma", "do", "pel", "zi", "nor", "bat", "wex", "lu", "gre", "hy", "jo")
_JAPANESE = "荷物届雨返金対応最悪嬉感謝電話待時間店員品質問題解決早速確認送料無料配達遅延"
_PERSON_COLUMNS = (
    "id", "workspace_id", "name", "about", "relationship", "first_seen", "last_seen", "ignored", "suppressed_reason",
)  # fmt: skip
_HANDLE_COLUMNS = (
    "id", "workspace_id", "person_id", "network", "external_id", "handle", "name", "url", "bio",
    "followers", "following", "verified", "bot", "ours",
)  # fmt: skip
_POST_COLUMNS = (
    "id", "workspace_id", "channel_id", "handle_id", "network", "external_id", "kind", "text", "lang", "url",
    "created_at", "edited_at", "seen_at", "sort_at", "in_reply_to", "thread", "rating", "visibility",
    "ours", "deleted", "extra", "conversation_id",
)  # fmt: skip
_CONVERSATION_COLUMNS = (
    "id", "workspace_id", "network", "channel_id", "person_id", "basket_id", "assignee_id", "state", "snoozed_until",
    "priority", "score", "preview", "why", "decided_by", "draft_slug", "settled_at", "opened_at", "waiting_since",
    "last_post_at", "version", "merged_into", "mood", "intents", "automated",
)  # fmt: skip
_OUTCOME_COLUMNS = (
    "post_id", "workspace_id", "sentiment", "language", "score", "basket", "priority", "quarantined", "why", "draft",
    "routed_to", "rule_set", "body", "processed_at", "intents",
)  # fmt: skip


class Crowd(NamedTuple):
    """What was made, as far as somebody who measures has to know it."""

    posts: int
    conversations: int
    open: int


def make_crowd(posts: int, now: dt.datetime) -> Crowd:
    """Fill a database that has its tables and nothing else. `posts`: how many, about."""
    corpus = load_corpus(20_000)
    order = Order(corpus.now, 200, [], list(corpus.posts[:WALKED]), [], make_rules())
    with transaction.atomic():
        _fill(order)
        _colleagues(order.now)
        Line(order).walk(_lines(order))
    with transaction.atomic():
        crowd = _Writer(posts, now, [post.text for post in corpus.posts]).write()
        _rare_network()
        return crowd


def _rare_network() -> None:
    """The three oldest open conversations become those of a second network: what a search finds last by time."""
    from rapport.store.models import Channel, Conversation, Post, Workspace

    workspace = Workspace.objects.get()
    channel = Channel.objects.create(workspace=workspace, network="matrix", slug="rare", name="Rare")
    here = Conversation.objects.of(workspace)
    oldest = list(here.filter(state="open").order_by("pk").values_list("pk", flat=True)[:3])
    here.filter(pk__in=oldest).update(network=channel.network, channel=channel)
    Post.objects.of(workspace).filter(conversation_id__in=oldest).update(network=channel.network, channel=channel)


def _lines(order: Order) -> list[bytes]:
    from rapport.cli.benchmarks.corpus import as_lines

    return as_lines(order.posts)


def _colleagues(now: dt.datetime) -> None:
    """As many baskets as `SHARES`, an agent who works in two of them, and one who works in all."""
    from rapport.actions.accounts import invite
    from rapport.store.models import Basket, Membership

    owner = Membership.objects.select_related("workspace").get()
    known = list(Basket.objects.of(owner.workspace))
    known += [
        Basket.objects.create(workspace=owner.workspace, slug=f"more-{number}", name=f"More {number}", position=number)
        for number in range(len(known), len(SHARES))
    ]
    invite(owner, "agent@localhost", "Agent", "agent", known[1:3], now=now)
    invite(owner, "lead@localhost", "Lead", "lead", known, now=now)
    invite(owner, "other@localhost", "Other", "agent", known, now=now)


class _Writer:
    """Writes one year. Ids rise with time, as they do where posts are heard when they are written."""

    def __init__(self, posts: int, now: dt.datetime, texts: Sequence[str]) -> None:
        from rapport.store.models import Basket, Channel, Conversation, Handle, Membership, Outcome, Person, Post

        self.random = random.Random(SEED)  # noqa: S311  (the same desk every time)
        self.now, self.texts = now, texts
        self.begin = now - dt.timedelta(seconds=YEAR)
        owner = Membership.objects.filter(role="owner").get()
        self.workspace, self.owner = owner.workspace_id, owner.pk
        self.agents = list(Membership.objects.exclude(pk=owner.pk).values_list("pk", flat=True))
        self.baskets = list(Basket.objects.values_list("pk", "slug"))
        self.channel, self.network = Channel.objects.values_list("pk", "network")[0]
        self.bodies = list(
            Outcome.objects.values_list(
                "sentiment", "language", "score", "priority", "why", "body", "intents"
            ).order_by("pk")
        )
        self.people = max(posts // 5, 10)
        self.first = {
            table: (table.objects.order_by("-pk").values_list("pk", flat=True).first() or 0) + 1
            for table in (Person, Handle, Post, Conversation)
        }
        self.person, self.handle, self.post, self.conversation = self.first.values()
        self.vocabulary = [self._word() for _ in range(40_000)]
        self.sizes = self._sizes(posts)

    def write(self) -> Crowd:
        """Everything, in one transaction."""
        self._fast()
        self._write("store_person", _PERSON_COLUMNS, self._people())
        self._write("store_handle", _HANDLE_COLUMNS, self._handles())
        said = self._moments()
        newest: dict[int, tuple[int, str, float, float]] = {}
        self._write("store_post", _POST_COLUMNS, self._posts(said, newest))
        talks = list(self._conversations(newest))
        self._write("store_conversation", _CONVERSATION_COLUMNS, talks)
        self._write("store_outcome", _OUTCOME_COLUMNS, self._outcomes(len(said)))
        links = ("workspace_id", "network", "external_id", "conversation_id")
        self._write("store_threadlink", links, self._links(said))
        self._write(
            "store_topicmatch", ("workspace_id", "topic_id", "post_id"), self._matches(len(said), self._topics())
        )
        self._write("store_deskevent", ("workspace_id", "kind", "payload", "at"), self._events())
        Work(self.workspace, self.now, [self.owner, *self.agents], self._write).write_all()
        self._settle()
        return Crowd(len(said), len(talks), sum(row[7] == "open" for row in talks))

    def _fast(self) -> None:
        if connection.vendor == "sqlite":
            return
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL synchronous_commit = off")
            cursor.execute("SET LOCAL maintenance_work_mem = '512MB'")

    def _settle(self) -> None:
        """The database's own counters go on behind what was written."""
        if connection.vendor == "sqlite":
            return  # AUTOINCREMENT saw every id
        with connection.cursor() as cursor:
            for table in ("store_person", "store_handle", "store_post", "store_conversation"):
                cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))")  # noqa: S608

    def _write(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        names = ", ".join(columns)
        if connection.vendor == "sqlite":
            marks = ", ".join(["%s"] * len(columns))
            statement, each = f"INSERT INTO {table} ({names}) VALUES ({marks})", iter(rows)  # noqa: S608  (our names)
            with connection.cursor() as cursor:
                while part := list(islice(each, 10_000)):
                    cursor.executemany(statement, part)
            return
        connection.ensure_connection()
        with connection.connection.cursor() as raw, raw.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)

    def _word(self) -> str:
        return "".join(self.random.choices(_SYLLABLES, k=self.random.randint(3, 5)))

    def _sizes(self, posts: int) -> list[int]:
        """Posts of each conversation: most have one or two, some hundreds."""
        sizes = [LONG_POSTS] * (LONG if posts > 100_000 else 1)
        left = posts - sum(sizes)
        while left > 0:
            sizes.append(min(1 + int(self.random.expovariate(1 / 1.95)), left))
            left -= sizes[-1]
        self.random.shuffle(sizes)
        return sizes

    def _people(self) -> Iterator[tuple[Any, ...]]:
        first, last = adapt(self.begin), adapt(self.now)
        for number in range(self.people):
            yield self.person + number, self.workspace, self._name(number), "", "", first, last, False, ""

    def _name(self, number: int) -> str:
        words = self.vocabulary
        return f"{words[number * 7 % len(words)].title()} {words[number * 13 % len(words)].title()}"

    def _handles(self) -> Iterator[tuple[Any, ...]]:
        for number in range(self.people):
            handle = f"{self.vocabulary[number % len(self.vocabulary)]}{number}"
            yield (
                self.handle + number, self.workspace, self.person + number, self.network, f"crowd-{number}", handle,
                self._name(number), "", "", number % 5_000, None, False, number % BOTS == 0, False,
            )  # fmt: skip

    def _moments(self) -> list[tuple[float, int]]:
        """(seconds after the beginning, conversation) of every post, in the order of time."""
        said = []
        for number, size in enumerate(self.sizes):
            at = self.random.random() * (YEAR - 86_400)
            for _ in range(size):
                said.append((min(at, YEAR - 60.0), number))
                at += self.random.expovariate(1 / (3_600 if size < 100 else 400))
        said.sort()
        return said

    def _time(self, seconds: float) -> dt.datetime:
        return self.begin + dt.timedelta(seconds=seconds)

    def _text(self, number: int) -> str:
        if number % 200 == 0:
            return "".join(self.random.choices(_JAPANESE, k=24))
        made = self.vocabulary
        often = made[int(math.exp(self.random.random() * math.log(len(made)))) - 1]
        return f"{self.texts[number * 7_919 % len(self.texts)]} {often} {self.random.choice(made)}"

    def _posts(
        self, said: Sequence[tuple[float, int]], newest: dict[int, tuple[int, str, float, float]]
    ) -> Iterator[tuple[Any, ...]]:
        for row, (seconds, talk) in zip(count_up(self.post), said):
            at, text = adapt(self._time(seconds)), self._text(row)
            newest[talk] = (row, text[:300], newest[talk][2] if talk in newest else seconds, seconds)
            yield (
                row, self.workspace, self.channel, self.handle + talk % self.people, self.network, f"crowd-{row}",
                "post", text, "en", "", at, None, at, at, "", f"crowd-{talk}", None, "public", False, False, "{}",
                self.conversation + talk,
            )  # fmt: skip

    def _conversations(self, newest: dict[int, tuple[int, str, float, float]]) -> Iterator[tuple[Any, ...]]:
        states = [state for state, share in STATES for _ in range(share)]
        states += ["resolved"] * (1_000 - len(states))
        places = [basket for (basket, _), share in zip(self.baskets, SHARES, strict=True) for _ in range(share)]
        for talk, (post, preview, first, last) in sorted(newest.items()):
            state = self.random.choice(states)
            began, ended = adapt(self._time(first)), adapt(self._time(last))
            outcome = self.bodies[post % len(self.bodies)]
            assigned = self.random.random() < (0.3 if state == "open" else 0.8)
            yield (
                self.conversation + talk, self.workspace, self.network, self.channel,
                self.person + talk % self.people, self.random.choice(places),
                self.random.choice(self.agents) if assigned else None, state,
                adapt(self.now + dt.timedelta(days=2)) if state == "snoozed" else None,
                self.random.choice((0, 1, 1, 1, 2, 3)), round(self.random.random() * 100, 2), preview, outcome[4], post,
                "", ended if state == "resolved" else None, began,
                began if state in {"open", "quarantined"} else None, ended, 1, None,
                mood_number(outcome[0]), outcome[6], talk % self.people % BOTS == 0,
            )  # fmt: skip

    def _outcomes(self, count: int) -> Iterator[tuple[Any, ...]]:
        slug, now = self.baskets[0][1], adapt(self.now)
        for row in range(self.post, self.post + count):
            sentiment, language, score, priority, why, body, intents = self.bodies[row % len(self.bodies)]
            yield (
                row, self.workspace, sentiment, language, score, slug, priority, False, why, "", None, 1, body, now,
                intents,
            )  # fmt: skip

    def _links(self, said: Sequence[tuple[float, int]]) -> Iterator[tuple[Any, ...]]:
        for row, (_, talk) in zip(count_up(self.post), said):
            yield self.workspace, self.network, f"crowd-{row}", self.conversation + talk

    def _topics(self) -> list[int]:
        from rapport.store.models import Topic

        space = {"workspace_id": self.workspace, "updated_at": self.now}
        return [
            Topic.objects.create(
                slug=f"crowd-{number}", name=f"Crowd {number}", query=self.vocabulary[number], **space
            ).pk
            for number in range(TOPICS)
        ]

    def _matches(self, count: int, topics: Sequence[int]) -> Iterator[tuple[Any, ...]]:
        # nothing is asked of the database here: it waits for these rows
        for row in range(self.post, self.post + count):
            for number, topic in enumerate(topics):
                if row % FOUND == number:
                    yield self.workspace, topic, row

    def _events(self) -> Iterator[tuple[Any, ...]]:
        for number in range(50_000):
            payload = f'{{"conversations": [{self.conversation + number}], "baskets": [{self.baskets[0][0]}]}}'
            yield self.workspace, "conversations", payload, adapt(self.now - dt.timedelta(seconds=50_000 - number))
