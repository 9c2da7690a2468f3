"""Both sides of the benchmark of trials on history, each run in a process of its own (`__main__`)."""

from __future__ import annotations

import datetime as dt
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import msgspec

from rapport.cli.benchmarks.corpus import as_lines
from rapport.cli.benchmarks.line_ours import Line
from rapport.cli.benchmarks.order import Done, Order
from rapport.cli.benchmarks.rulebook import as_document
from rapport.cli.desk import load_django
from rapport.cli.parts import calm_collector

if TYPE_CHECKING:
    from rapport.store.models import Workspace

#: mentions in the tables, at least, and how many for one that is asked to be quick
WANTED, QUICK = 100_000, 25
#: every column of a post but its own key and its name on the network
_POST = (
    "workspace_id, channel_id, handle_id, conversation_id, network, kind, text, lang, url, created_at, edited_at, "
    "seen_at, sort_at, in_reply_to, thread, rating, visibility, ours, deleted, copy_of, extra"
)
_OUTCOME = (
    "workspace_id, sentiment, language, intents, score, basket, priority, quarantined, why, draft, routed_to, "
    "rule_set, body, processed_at"
)


def fill(order: Order) -> Done:
    """Posts walk the line, then each is there many times."""
    load_django()
    Line(order).walk(as_lines([*order.warm, *order.posts]))
    from django.db import connection, transaction

    from rapport.store.models import Outcome

    made = Outcome.objects.count()
    turns = min(QUICK, -(-WANTED // made))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT MAX(id) FROM store_post")
        [most] = cursor.fetchone()
        for turn in range(1, turns):
            step = turn * most
            cursor.execute(
                f"INSERT INTO store_post (id, external_id, {_POST}) SELECT id + {step}, external_id || '-{turn}', "  # noqa: S608  (our names)
                f"{_POST} FROM store_post WHERE id <= {most}"
            )
            cursor.execute(
                f"INSERT INTO store_outcome (post_id, {_OUTCOME}) SELECT post_id + {step}, {_OUTCOME} "  # noqa: S608  (our names)
                f"FROM store_outcome WHERE post_id <= {most}"
            )
    return Done(Outcome.objects.count(), 1.0)


def _draft(order: Order) -> str:
    """The rules in force with another bound for complaints: what somebody tries on a Monday."""
    return as_document(order.rules).replace("complaint >= 0.5", "complaint >= 0.6")


def ours(order: Order) -> Done:
    """A trial as a worker does it, and its parts timed one by one in a second pass."""
    load_django()
    from rapport.pipeline.backtest import try_on_history
    from rapport.store.models import Workspace

    workspace = Workspace.objects.get()
    since, until = _span(workspace)
    calm_collector()
    start = time.perf_counter()
    report = try_on_history(workspace, _draft(order), since, until, lambda seen, total: True)
    seconds = time.perf_counter() - start
    if report is None or not report.different:
        sys.exit("the trial found nothing different")
    passed = report.seen + sum(report.left_out.values())
    return Done(passed, seconds, _parts(order, workspace))


def _parts(order: Order, workspace: Workspace) -> dict[str, float]:
    """Seconds of reading and decoding, and of deciding by both sets."""
    from rapport.core.rules.compare import Pair
    from rapport.core.rules.trial import Trial
    from rapport.store.queries.backtest import read_mentions

    pair = Pair(as_document(order.rules), _draft(order), 2)
    trial = Trial(pair)
    deciding = 0.0
    start = time.perf_counter()
    zone = ZoneInfo(workspace.timezone)
    for mentions in read_mentions(workspace.pk, *_span(workspace), pair.asks, zone, pair.beyond):
        begun = time.perf_counter()
        trial.look(mentions)
        deciding += time.perf_counter() - begun
    return {"read and decode": time.perf_counter() - start - deciding, "decide by both sets": deciding}


def orm(order: Order) -> Done:
    """The plain way: rows, whole outcomes, two decisions, a comparison."""
    load_django()
    from rapport.core.decision import NEW, Outcome
    from rapport.core.rules import Circumstances, compile_rules
    from rapport.core.rules.compare import differences
    from rapport.core.understand.accounts import knowing
    from rapport.store.mapping import post_of
    from rapport.store.models import Outcome as Row
    from rapport.store.models import Workspace

    workspace = Workspace.objects.get()
    since, until = _span(workspace)
    zone = ZoneInfo(workspace.timezone)
    calm_collector()
    start = time.perf_counter()
    before, after = compile_rules(as_document(order.rules), 2), compile_rules(_draft(order))
    rows = Row.objects.of(workspace).filter(post__sort_at__gte=since, post__sort_at__lt=until, post__ours=False)
    counts: Counter[Any] = Counter()
    passed = 0
    for row in rows.select_related("post__handle").order_by("pk").iterator(2_000):
        passed += 1
        kept = msgspec.json.decode(row.body, type=Outcome)
        if kept.facts is None or kept.decided_at is None or row.post.deleted:
            continue
        facts = knowing(kept.facts, kept.account)
        at = Circumstances(kept.decided_at, kept.business_hours, zone, frozenset(kept.handles))
        asked = (post_of(row.post, kept.author), kept.reading, kept.score, facts, kept.topics, at, kept.toward)
        talk = kept.conversation or NEW
        counts.update(differences(before.decide(*asked, talk), after.decide(*asked, talk)))
    seconds = time.perf_counter() - start
    if not counts:
        sys.exit("the plain way found nothing different")
    return Done(passed, seconds)


def _span(workspace: Workspace) -> tuple[Any, Any]:

    from rapport.store.models import Post

    times = Post.objects.of(workspace).order_by("sort_at").values_list("sort_at", flat=True)
    first, last = times.first(), times.last()
    assert first is not None
    assert last is not None
    return first, last + dt.timedelta(seconds=1)


JOBS = {"fill": fill, "ours": ours, "orm": orm}
