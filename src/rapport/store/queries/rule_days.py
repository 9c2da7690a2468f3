"""What each rule did, day by day: counted while posts are recorded, read for the page of a rule."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import msgspec
from django.db.models import Sum

from rapport.core.decision import Outcome
from rapport.store.models import AuditEntry, Conversation, Membership, Post, RuleDay
from rapport.store.queries.desk import visible_conversations
from rapport.store.queries.sql import adapt, insert_rows

#: what stands in the audit when a person put elsewhere what a rule had decided
OVERRIDDEN = "rule.overridden"
#: verb of the entry that such a choice was undone
TAKEN_BACK = "rule.override_undone"
#: how an error begins in the trace of a decision
_ERROR = "error: "
_COLUMNS = (
    "workspace_id", "rule", "day", "fired", "overridden", "broken", "last_at", "last_post", "broken_post", "error",
)  # fmt: skip
_CONFLICT = (
    "ON CONFLICT (workspace_id, rule, day) DO UPDATE SET fired = store_ruleday.fired + excluded.fired, "
    "broken = store_ruleday.broken + excluded.broken, last_at = excluded.last_at, "
    "last_post = COALESCE(excluded.last_post, store_ruleday.last_post), "
    "broken_post = COALESCE(excluded.broken_post, store_ruleday.broken_post), "
    "error = CASE WHEN excluded.broken > 0 THEN excluded.error ELSE store_ruleday.error END"
)


def count_rules(workspace_id: int, outcomes: Sequence[tuple[int, Outcome]], zone: dt.tzinfo, now: dt.datetime) -> None:
    """Add what the rules did with these posts (by the row of the post) to the day that `now` is in `zone`.

    One row a rule, however many posts; the same post decided anew is counted anew.
    """
    found: dict[str, list[object]] = {}
    for row, outcome in outcomes:
        for step in outcome.decision.trace:
            count = found.get(step.rule)
            if count is None:
                count = found[step.rule] = [0, 0, None, None, ""]
            if step.matched:
                count[0] += 1  # type: ignore[operator]
                count[2] = row
            elif step.because and step.because[0].startswith(_ERROR):
                count[1] += 1  # type: ignore[operator]
                count[3:] = [row, step.because[0].removeprefix(_ERROR)[:500]]
    day, at = now.astimezone(zone).date().isoformat(), adapt(now)
    rows = [
        (workspace_id, rule, day, fired, 0, broken, at, last, broken_post, error)
        for rule, (fired, broken, last, broken_post, error) in found.items()
    ]
    insert_rows("store_ruleday", _COLUMNS, rows, _CONFLICT)


class Count(msgspec.Struct, frozen=True):
    """What one rule did over a period."""

    fired: int = 0
    overridden: int = 0
    broken: int = 0


def counts_by_rule(workspace_id: int, since: dt.date) -> dict[str, Count]:
    """Name of every rule that did anything since that day -> how much. One query."""
    rows = RuleDay.objects.of(workspace_id).filter(day__gte=since).values("rule").order_by("rule")
    sums = rows.annotate(fired_all=Sum("fired"), overridden_all=Sum("overridden"), broken_all=Sum("broken"))
    return {row["rule"]: Count(row["fired_all"], row["overridden_all"], row["broken_all"]) for row in sums}


def first_counted(workspace_id: int) -> dt.date | None:
    """The day from which on rules are counted here; None before the first."""
    return RuleDay.objects.of(workspace_id).order_by("day").values_list("day", flat=True).first()


def days_of(workspace_id: int, rule: str, since: dt.date) -> list[RuleDay]:
    """The days on which a rule did something since then, newest first. One query."""
    return list(RuleDay.objects.of(workspace_id).filter(rule=rule, day__gte=since).order_by("-day"))


def last_fired(workspace_id: int, rule: str) -> RuleDay | None:
    """The newest day on which it fired."""
    return RuleDay.objects.of(workspace_id).filter(rule=rule, fired__gt=0).order_by("-day").first()


def shown_posts(member: Membership, rows: Sequence[int]) -> list[Post]:
    """These posts, as far as this person may see their conversations, in the order asked for. Two queries."""
    posts = {
        post.pk: post for post in Post.objects.of(member.workspace_id).filter(pk__in=rows).select_related("handle")
    }
    talks = {post.conversation_id for post in posts.values() if post.conversation_id}
    seen = set(visible_conversations(member).filter(pk__in=talks).values_list("pk", flat=True))
    return [posts[row] for row in rows if row in posts and posts[row].conversation_id in seen]


class Override(msgspec.Struct, frozen=True):
    """One time that a person put elsewhere what a rule had decided."""

    conversation: Conversation
    #: what they did: basket, quarantine or draft
    what: str
    before: str
    after: str
    by: Membership | None
    at: dt.datetime


def overrides_of(member: Membership, rule: str, limit: int = 20) -> list[Override]:
    """The newest that nobody undid, among the conversations that this person sees. Two queries."""
    rows = AuditEntry.objects.of(member.workspace_id).filter(
        actor__isnull=False, verb__in=(OVERRIDDEN, TAKEN_BACK), detail__rule=rule
    )
    entries: list[AuditEntry] = []
    undone: set[str] = set()
    for entry in rows.select_related("actor__user").order_by("-id")[: 2 * limit]:
        if entry.verb == TAKEN_BACK:
            undone.add(entry.subject_id)
        elif entry.subject_id in undone:
            undone.discard(entry.subject_id)
        else:
            entries.append(entry)
    del entries[limit:]
    talks = visible_conversations(member).filter(pk__in=[int(entry.subject_id) for entry in entries])
    seen = {talk.pk: talk for talk in talks.select_related("person")}
    return [
        Override(
            seen[int(entry.subject_id)],
            str(entry.detail.get("what", "")),
            str(entry.detail.get("before", "")),
            str(entry.detail.get("after", "")),
            entry.actor,
            entry.at,
        )
        for entry in entries
        if int(entry.subject_id) in seen
    ]
