"""What the rules in force do: all of them at a glance, and the page of one."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Sequence
from typing import Any

import msgspec
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from rapport.core.decision import Step
from rapport.core.errors import InvalidRule
from rapport.core.rules import Rule
from rapport.core.rules import RuleSet as CompiledRules
from rapport.core.rules.edit import Piece, compose, find_piece
from rapport.store.models import Post, RuleDay, RuleSet
from rapport.store.queries import rule_days
from rapport.store.queries.rule_days import Count
from rapport.store.queries.rule_trials import Kept, find_kept, newest_kept
from rapport.web.access import DeskRequest, desk
from rapport.web.rules.faults import faults_of
from rapport.web.rules.said import AUTONOMY_NAMES, names_of, say_actions, say_condition
from rapport.web.rules.target import Target, compiled, find_target, pieces_or_none, target_in_force

#: days over which rules are shown, and how many posts and versions
DAYS, POSTS, VERSIONS = 30, 5, 30
#: characters of old versions that are looked through for the changes of one rule
MAX_READ = 1_000_000
#: the chart: width of a day and height, in units of its own
WIDTH, HEIGHT = 10, 40
#: an overridden share that is worth a look, from this many times that it fired
OFTEN, FROM = 0.2, 10


class Line(msgspec.Struct, frozen=True):
    """One rule of the list."""

    number: int
    name: str
    line: int
    actions: list[str]
    on: bool
    group: str
    count: Count
    #: 0 to 1; None where it never fired
    overridden: float | None
    #: overridden often enough to look at
    doubtful: bool


@desk(right="configure")
@require_safe
def index(request: DeskRequest) -> HttpResponse:
    """Every rule in force with what it did in the last days."""
    target = find_target(request)
    counts = rule_days.counts_by_rule(request.workspace.pk, _since(request))
    names = names_of(request.workspace)
    lines = [_line(piece, counts.get(piece.name, Count()), names) for piece in pieces_or_none(target.document)]
    # a rule that only a draft has was never tried
    in_force = target_in_force(request) if target.draft else target
    tried = {piece.name for piece in pieces_or_none(in_force.document)}
    shown = {
        "lines": lines,
        "target": target,
        "days": DAYS,
        "counted_since": _counted_since(request),
        "faults": faults_of(target.document, request.workspace),
        "silent": [line.name for line in lines if line.on and not line.count.fired and line.name in tried],
        "heard": any(line.count.fired for line in lines),
    }
    return render(request, "rules/index.html", shown)


def _line(piece: Piece, count: Count, names: Any) -> Line:
    share = count.overridden / count.fired if count.fired else None
    return Line(
        piece.number + 1,
        piece.name,
        piece.line,
        say_actions(piece.then, names),
        piece.values.get("enabled", True) is not False,
        str(piece.values.get("group", "")),
        count,
        share,
        share is not None and share >= OFTEN and count.fired >= FROM,
    )


def _since(request: DeskRequest) -> dt.date:
    zone = zoneinfo.ZoneInfo(request.workspace.timezone)
    return timezone.now().astimezone(zone).date() - dt.timedelta(days=DAYS - 1)


def _counted_since(request: DeskRequest) -> dt.date | None:
    """The day since which rules are counted, where that is within what is shown."""
    first = rule_days.first_counted(request.workspace.pk)
    return first if first is not None and first > _since(request) else None


# ---------------------------------------------------------------- the page of one rule


class Bar(msgspec.Struct, frozen=True):
    """One day of the chart: numbers as SVG writes them."""

    x: str
    y: str
    height: str
    title: str


class Version(msgspec.Struct, frozen=True):
    """A version in which the rule says something else than in the one before."""

    rule_set: RuleSet
    #: "begun", "changed" or "ended"
    what: str


class Asked(msgspec.Struct, frozen=True):
    """What the rule says of a post that somebody asks about."""

    post: Post
    #: None: what was known then was not kept
    step: Step | None
    #: an earlier rule ended the list before this one was tried
    stopped_by: str = ""
    #: the rule would have matched had it been tried
    would_match: bool = False
    broke: bool = False


@desk(right="configure")
@require_safe
def show(request: DeskRequest) -> HttpResponse:
    """One rule: what it says, how often it fired, whom it did not convince, and why not on a certain post."""
    name = request.GET.get("name", "")
    target = find_target(request)
    piece = find_piece_or_none(target.document, name)
    days = rule_days.days_of(request.workspace.pk, name, _since(request))
    if piece is None and not days and rule_days.last_fired(request.workspace.pk, name) is None:
        raise Http404
    count = Count(*(sum(getattr(day, key) for day in days) for key in ("fired", "overridden", "broken")))
    shown = {
        "name": name,
        "target": target,
        "piece": piece,
        "rule": _compiled_rule(target, name),
        "text": target.document[piece.start : piece.end] if piece else "",
        "count": count,
        "share": count.overridden / count.fired if count.fired else 0.0,
        "days": DAYS,
        "bars": bars(days, _since(request)),
        "busiest": _busiest(days),
        "counted_since": _counted_since(request),
        "last": rule_days.last_fired(request.workspace.pk, name),
        "posts": _posts(request, name, days),
        "overrides": rule_days.overrides_of(request.membership, name),
        "errors": _errors(request, days),
        "versions": _versions(request, name),
        "faults": [fault for fault in faults_of(target.document, request.workspace) if fault.rule == name],
        "asked": request.GET.get("post", ""),
    }
    shown |= _in_words(request, piece)
    if shown["asked"]:
        kept = find_kept(request.membership, str(shown["asked"]))
        shown["answer"] = explain_one(target, name, kept) if kept and piece else None
    return render(request, "rules/rule.html", shown)


def find_piece_or_none(document: str, name: str) -> Piece | None:
    """The rule of that name; None where there is none, or the document is no TOML."""
    try:
        return find_piece(document, name)
    except ValueError:
        return None


def _compiled_rule(target: Target, name: str) -> Rule | None:
    try:
        return next((rule for rule in compiled(target.document).rules if rule.name == name), None)
    except InvalidRule:
        return None


def _in_words(request: DeskRequest, piece: Piece | None) -> dict[str, Any]:
    if piece is None:
        return {}
    autonomy = str(piece.values.get("autonomy", "act"))
    return {
        "condition": say_condition(str(piece.values.get("when", ""))),
        "actions": say_actions(piece.then, names_of(request.workspace)),
        "stops": piece.values.get("stop", False),
        "on": piece.values.get("enabled", True) is not False,
        "autonomy": AUTONOMY_NAMES.get(autonomy, "") if autonomy != "act" else "",
        "group": piece.values.get("group", ""),
    }


def bars(days: Sequence[RuleDay], since: dt.date) -> list[Bar]:
    """A bar a day; the fullest day fills the height."""
    fired = {day.day: day.fired for day in days}
    most = max(fired.values(), default=0) or 1
    made = []
    for place in range(DAYS):
        day = since + dt.timedelta(days=place)
        found = fired.get(day, 0)
        # one among thousands is still to be seen
        tall = max(2.0, HEIGHT * found / most) if found else 0.0
        title = _("%(day)s: %(n)d") % {"day": date_format(day, _("j F")), "n": found}
        made.append(Bar(f"{place * WIDTH + 1}", f"{HEIGHT - tall:.1f}", f"{tall:.1f}" if tall else "0", title))
    return made


def _busiest(days: Sequence[RuleDay]) -> str:
    """What the chart says to those who do not see it."""
    day = max(days, key=lambda each: each.fired, default=None)
    if day is None or not day.fired:
        return _("It did not fire in these days.")
    told = ngettext("Most on %(day)s: once.", "Most on %(day)s: %(n)d times.", day.fired)
    return told % {"day": date_format(day.day, _("j F")), "n": day.fired}


def _posts(request: DeskRequest, name: str, days: Sequence[RuleDay]) -> list[Post]:
    """The posts that it fired on last: among the newest of all, then the last of each day."""
    fired = [
        kept.post.pk
        for kept in newest_kept(request.membership, 200)
        if any(step.rule == name and step.matched for step in kept.outcome.decision.trace)
    ]
    rows = dict.fromkeys([*fired, *(day.last_post for day in days if day.last_post)])
    return rule_days.shown_posts(request.membership, list(rows)[: 4 * POSTS])[:POSTS]


def _errors(request: DeskRequest, days: Sequence[RuleDay]) -> list[tuple[RuleDay, Post | None]]:
    broken = [day for day in days if day.broken]
    posts = rule_days.shown_posts(request.membership, [day.broken_post for day in broken if day.broken_post])
    by_row = {post.pk: post for post in posts}
    return [(day, by_row.get(day.broken_post or 0)) for day in broken]


def _versions(request: DeskRequest, name: str) -> list[Version]:
    """The versions that changed the rule, newest first, as far back as is looked."""
    rows = RuleSet.objects.of(request.workspace).select_related("author__user").order_by("-version")
    found: list[Version] = []
    later: RuleSet | None = None
    text, read = "", 0
    for row in rows[: VERSIONS + 1]:
        read += len(row.document)
        if read > MAX_READ and later is not None:
            break
        piece = find_piece_or_none(row.document, name)
        own = row.document[piece.start : piece.end] if piece else ""
        if later is not None and own != text:
            found.append(Version(later, "begun" if not own else "changed" if text else "ended"))
        later, text = row, own
    if later is not None and later.version == 1 and text:
        found.append(Version(later, "begun"))
    return found


# ---------------------------------------------------------------- why not


def explain_one(target: Target, name: str, kept: Kept) -> Asked:
    """What the rules of this document say of a post today, from what was known when it was decided: as to one rule."""
    rules = compiled(target.document)
    steps = kept.explain(rules)
    if steps is None:
        # what another rule asks for may not have been kept; where this one does not hold, that changes nothing
        step = next((each for each in kept.explain(_alone(target, name)) or () if each.rule == name), None)
        return Asked(kept.post, step if step and not step.matched else None)
    step = next((each for each in steps if each.rule == name), None)
    if step is not None:
        return Asked(kept.post, step, broke=any(line.startswith("error: ") for line in step.because))
    alone = next((each for each in kept.explain(_alone(target, name)) or () if each.rule == name), None)
    return Asked(
        kept.post,
        alone,
        stopped_by=steps[-1].rule if steps else "",
        would_match=alone is not None and alone.matched,
    )


def _alone(target: Target, name: str) -> CompiledRules:
    """The rule by itself, with the condition of its group: whether it would have held."""
    piece = find_piece(target.document, name)
    assert piece is not None
    group = find_piece(target.document, str(piece.values.get("group", "")), "group")
    guard = str(group.values.get("when", "")) if group else ""
    when = str(piece.values["when"])
    whole = f"({guard}) and ({when})" if guard else when
    return compiled(compose({"name": name, "when": whole, "then": ["tag:alone"]}))
