"""What a trial looks like: differences by kind with examples, rules before and after, load by hour of the week."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from rapport.core.rules.compare import DOES, KINDS
from rapport.core.rules.trial import WEEK, Load, Report, Tally
from rapport.store.models import BackTest, Basket, RuleDraft, ShadowDifference, Workspace
from rapport.store.queries.rules import Example, read_examples

#: days of history that a draft can be tried on
WINDOWS = (1, 7, 30, 90, 365)
#: differences of one kind that a page shows, and examples of each
ROWS, EXAMPLES = 12, 10
#: the chart of a week: width of an hour and height, in units of its own
STEP, HEIGHT = 4, 48
NAMES = {
    "basket": gettext_lazy("Basket"),
    "priority": gettext_lazy("Priority"),
    "person": gettext_lazy("Person"),
    "quarantine": gettext_lazy("Quarantine"),
    "draft": gettext_lazy("Prepared reply"),
    "skill": gettext_lazy("Skill"),
    "tag": gettext_lazy("Tag"),
    "notify": gettext_lazy("Who is told"),
}


class Row(msgspec.Struct, frozen=True):
    """One difference."""

    before: str
    after: str
    count: int
    #: of the mentions that were tried, in percent of the largest of its kind: the length of its bar
    width: str
    examples: tuple[Example, ...]


class Section(msgspec.Struct, frozen=True):
    """The differences of one kind."""

    kind: str
    name: str
    #: mentions that differ in it
    count: int
    rows: tuple[Row, ...]
    #: differences that are not shown
    more: int


class Chart(msgspec.Struct, frozen=True):
    """The load of one basket over a week, as SVG paths."""

    name: str
    before: int
    after: int
    old: str
    new: str
    told: str


def windows() -> list[tuple[int, str]]:
    """The times that a draft can be tried on: days, and how they are called."""
    return [(days, _("the last year") if days == 365 else ngettext("the last day", "the last %(n)d days", days) % {"n": days}) for days in WINDOWS]  # fmt: skip  # noqa: E501


def show_test(workspace: Workspace, row: BackTest) -> dict[str, Any]:
    """What templates/settings/backtest.html needs."""
    shown: dict[str, Any] = {
        "test": row,
        "is_going": row.state in {"waiting", "running"},
        "percent": round(100 * row.seen / row.total) if row.total else 0,
        "is_outdated": row.draft is not None and row.draft.document != row.document,
    }
    if row.state == BackTest.State.DONE:
        shown |= show_report(workspace, msgspec.convert(row.report, Report))
    return shown


def show_report(workspace: Workspace, report: Report) -> dict[str, Any]:
    """The report in words, rows and charts."""
    names = dict(Basket.objects.of(workspace).values_list("slug", "name"))
    rules = [each for each in report.rules if each.before != each.after or each.broken_after or each.broken_before]
    return {
        "report": report,
        "share": report.different / report.seen if report.seen else 0.0,
        "sections": sections(workspace, report.tallies, report.kinds, names),
        "rules": rules,
        "same_rules": len(report.rules) - len(rules),
        "new_rules": [each for each in rules if each.before is None],
        "charts": charts(report.load, names),
        "promises": [(names.get(each.basket, each.basket), each) for each in report.promises],
        "remarks": remarks(report),
    }


def sections(
    workspace: Workspace, tallies: Sequence[Tally], kinds: Mapping[str, int], baskets: Mapping[str, str]
) -> list[Section]:
    """The differences by kind, those of most mentions first. One query, for the examples."""
    by_kind: dict[str, list[Tally]] = {}
    for tally in tallies:
        by_kind.setdefault(tally.kind, []).append(tally)
    wanted = [tally for rows in by_kind.values() for tally in rows[:ROWS]]
    posts = read_examples(workspace, (row for tally in wanted for row in tally.examples[:EXAMPLES]))
    found = [
        Section(
            kind, kind_name(kind), kinds.get(kind, sum(each.count for each in rows)),
            tuple(_row(each, rows[0].count, baskets if kind == "basket" else {}, posts) for each in rows[:ROWS]),
            max(0, len(rows) - ROWS),
        )
        for kind, rows in by_kind.items()
    ]  # fmt: skip
    order = {kind: place for place, kind in enumerate(KINDS)}
    return sorted(found, key=lambda each: (order.get(each.kind, len(order)), each.kind))


def kind_name(kind: str) -> str:
    """A kind of difference in words."""
    if kind.startswith(DOES):
        return _("Action “%(verb)s”") % {"verb": kind.removeprefix(DOES)}
    return str(NAMES.get(kind, kind))


def _row(tally: Tally, most: int, names: Mapping[str, str], posts: Mapping[int, Example]) -> Row:
    return Row(
        _value(tally.before, names), _value(tally.after, names), tally.count, f"{100 * tally.count / most:.1f}",
        tuple(posts[row] for row in tally.examples[:EXAMPLES] if row in posts),
    )  # fmt: skip


def _value(value: str, names: Mapping[str, str]) -> str:
    words = {
        "low": _("low"), "medium": _("medium"), "high": _("high"), "urgent": _("urgent"),
        "shown": _("shown"), "quarantined": _("quarantined"),
    }  # fmt: skip
    return names.get(value) or words.get(value) or value


def charts(load: Iterable[Load], names: Mapping[str, str]) -> list[Chart]:
    """A chart for each basket whose load changes, the fullest first."""
    found = []
    for each in load:
        if each.before == each.after:
            continue
        name = names.get(each.basket, each.basket) if each.basket else _("Quarantine")
        most = max(*each.before, *each.after, 1)
        peak = max(range(WEEK), key=lambda hour: abs(each.after[hour] - each.before[hour]))
        told = _("Most changes on %(day)s at %(hour)s:00: %(before)d before, %(after)d after.") % {
            "day": WEEKDAYS[peak // 24], "hour": f"{peak % 24:02d}", "before": each.before[peak],
            "after": each.after[peak],
        }  # fmt: skip
        found.append(
            Chart(name, sum(each.before), sum(each.after), _path(each.before, most), _path(each.after, most), told)
        )
    return sorted(found, key=lambda chart: -max(chart.before, chart.after))


def _path(hours: Sequence[int], most: int) -> str:
    """A stair over the week."""
    steps = [f"V{HEIGHT - HEIGHT * hour / most:.1f}H{STEP * (place + 1)}" for place, hour in enumerate(hours)]
    return f"M0 {HEIGHT}{''.join(steps)}V{HEIGHT}"


def remarks(report: Report) -> list[str]:
    """What a reader must know to weigh the figures."""
    left = {
        "deleted": _("%(n)d were deleted since, and are left out."),
        "edited": _("%(n)d were edited since and not decided anew, and are left out."),
        "history": _("%(n)d are by people of whose history only the newest part is kept; left out."),
        "old": _("%(n)d were decided before it was kept what from, and are left out."),
    }
    found = [left[why] % {"n": count} for why, count in report.left_out.items() if why in left]
    if report.drifted:
        told = _("%(n)d are decided otherwise by the rules in force today than by those of their day.")
        found.append(told % {"n": report.drifted})
    if missing := report.unknown.get("conversation"):
        told = _("Of %(n)d nothing is kept about their conversation, because no rule asked then: taken for new ones.")
        found.append(told % {"n": missing})
    if missing := report.unknown.get("person"):
        told = _(
            "Of %(n)d it is not kept whether we had answered this person, or which step they had reached, because no "
            "rule asked then: taken for never. Let the draft run beside the rules to see it on new posts."
        )
        found.append(told % {"n": missing})
    if report.untold:
        found.append(_("%(n)d more differences are too many to tell one by one.") % {"n": report.untold})
    return found


def show_beside(workspace: Workspace, draft: RuleDraft, now: dt.datetime) -> dict[str, Any]:
    """How a draft that runs, or ran, beside the rules in force differs from them."""
    rows = ShadowDifference.objects.of(workspace).filter(draft=draft).order_by("-count", "pk")
    tallies = [Tally(row.kind, row.before, row.after, row.count, tuple(row.examples)) for row in rows[:200]]
    names = dict(Basket.objects.of(workspace).values_list("slug", "name"))
    return {
        "is_beside": draft.shadow_until is not None and draft.shadow_until > now,
        "was_beside": draft.shadow_from is not None,
        "beside_share": draft.shadow_different / draft.shadow_seen if draft.shadow_seen else 0.0,
        "beside_sections": sections(workspace, tallies, {}, names),
    }
