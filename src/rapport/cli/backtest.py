"""`rapport backtest`: what would have been different, had these rules been in force.

Exit status: 0; 2 when the rules, the workspace or the times could not be used.
"""

from __future__ import annotations

import argparse
import datetime as dt
import sys
import time
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec

from rapport.cli.desk import add_data_option, choose_workspace, load_django, require_desk, require_tables
from rapport.cli.rule_file import read_rules
from rapport.core.errors import InvalidInput, InvalidRule
from rapport.core.rules.trial import Report

if TYPE_CHECKING:
    from rapport.store.models import Workspace

YEAR = dt.timedelta(days=366)
#: differences, and rules, that are told one by one on a terminal; --json has all
SHOWN = 15
#: years in which a post can be dated, with room for time zones and a year before
FIRST_YEAR, LAST_YEAR = 1970, 9000
_EVERY = 0.5  # seconds between two words on how far it is


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.description = (
        "Decide what a desk has heard once more, by the rules in force and by a rule file, and tell the difference. "
        "Nothing is read anew and nothing is written."
    )
    parser.add_argument("--rules", required=True, metavar="RULES.toml", help="the rule document")
    parser.add_argument("--workspace", metavar="SLUG", help="needed only where there are several")
    parser.add_argument("--since", metavar="WHEN", help="2026-11-01 or 2026-11-01T10:00:00Z (a year before the end)")
    parser.add_argument("--until", metavar="WHEN", help="as --since (now)")
    parser.add_argument("--json", action="store_true", help="the whole report for programs")
    add_data_option(parser)


def run(arguments: argparse.Namespace) -> int:
    """Try the rules and print what came of it."""
    document = read_rules(arguments.rules)
    require_desk(arguments.data)
    load_django(arguments.data)
    require_tables(make=False)
    from rapport.actions.rules import check_document
    from rapport.pipeline.backtest import try_on_history

    now = dt.datetime.now(dt.UTC)
    workspace = choose_workspace(arguments.workspace, now)
    zone = ZoneInfo(workspace.timezone)
    until = _moment("--until", arguments.until, zone) if arguments.until else now
    since = _moment("--since", arguments.since, zone) if arguments.since else until - YEAR
    if not since < until:
        raise InvalidInput("--since must lie before --until")
    if until - since > YEAR:
        raise InvalidInput("at most a year at once: bring --since and --until closer together")
    try:
        check_document(workspace, document)
    except InvalidRule as error:
        raise InvalidInput(f"{arguments.rules}: {error}") from None
    start = time.monotonic()
    report = try_on_history(workspace, document, since, until, _Progress())
    assert report is not None  # nothing ends it here
    if arguments.json:
        print(msgspec.json.format(msgspec.json.encode(as_json(workspace, since, until, report)), indent=2).decode())
    else:
        print("\n".join(tell(report, since, until, time.monotonic() - start)))
    return 0


def as_json(workspace: Workspace, since: dt.datetime, until: dt.datetime, report: Report) -> dict[str, object]:
    """The report for programs; every field is there, also where it is empty."""
    return {"workspace": workspace.slug, "since": since, "until": until} | msgspec.structs.asdict(report)


def tell(report: Report, since: dt.datetime, until: dt.datetime, seconds: float) -> list[str]:
    """The report in lines for a terminal."""
    lines = [f"{report.seen:,} mentions from {since:%Y-%m-%d %H:%M} to {until:%Y-%m-%d %H:%M} UTC, {seconds:.1f} s"]
    if not report.seen and not report.left_out:
        return [*lines, "Nothing was heard in this time; choose another with --since and --until."]
    share = f" ({report.different / report.seen:.1%})" if report.seen else ""
    lines.append(f"{report.different:,} would be decided differently{share}")
    lines += [f"  {kind:<16} {count:>9,}" for kind, count in report.kinds.items()]
    lines += _table("what changes", [(f"{each.kind}: {each.before or '-'} -> {each.after or '-'}", each.count)
                                     for each in report.tallies])  # fmt: skip
    moved = [each for each in report.rules if each.before != each.after or each.error]
    lines += [""] + (["rule: fired before, after"] if moved else [])
    lines += [
        f"  {each.rule[:48]:<48} {_count(each.before):>9} {_count(each.after):>9}"
        + (f"  breaks: {each.error}" if each.error else "")
        for each in moved[:SHOWN]
    ]
    if report.promises:
        lines += ["", "answers that were given too late for what the basket promises: before, after"]
        lines += [
            f"  {each.basket[:32]:<32} {each.late_before:,} of {each.before:,}, {each.late_after:,} of {each.after:,}"
            for each in report.promises
        ]
    lines += _remarks(report)
    return lines


def _table(heading: str, rows: list[tuple[str, int]]) -> list[str]:
    if not rows:
        return []
    more = [f"  and {len(rows) - SHOWN} more (--json has all)"] if len(rows) > SHOWN else []
    return ["", heading, *(f"  {text[:58]:<58} {count:>9,}" for text, count in rows[:SHOWN]), *more]


def _count(number: int | None) -> str:
    return "not there" if number is None else f"{number:,}"


def _remarks(report: Report) -> list[str]:
    told = {
        "deleted": "were deleted since",
        "edited": "were edited since and not decided anew",
        "history": "are by people of whose long history only the newest part is kept, and a rule asks for more",
        "old": "were decided before it was kept what from",
    }
    lines = [f"left out: {count:,} {told[why]}" for why, count in report.left_out.items()]
    if report.drifted:
        lines.append(f"{report.drifted:,} are decided otherwise by the rules in force than by those of their day")
    if missing := report.unknown.get("conversation"):
        lines.append(f"{missing:,} were decided before any rule asked for their conversation: taken for new ones")
    return ["", *lines] if lines else []


def _moment(option: str, written: str, zone: ZoneInfo) -> dt.datetime:
    try:
        found = dt.datetime.fromisoformat(written)
    except ValueError:
        raise InvalidInput(f"{option}: {written!r} is no day and no moment; write 2026-11-01") from None
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise InvalidInput(f"{option}: {written!r} lies outside the years {FIRST_YEAR} to {LAST_YEAR}")
    return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(dt.UTC)


class _Progress:
    """A line on a terminal that says how far it is."""

    def __init__(self) -> None:
        self._told = 0.0

    def __call__(self, seen: int, total: int) -> bool:
        if sys.stderr.isatty() and (seen == total or time.monotonic() - self._told >= _EVERY):
            self._told = time.monotonic()
            end = "\n" if seen == total else ""
            print(f"\r{seen:,} of {total:,} mentions", end=end, file=sys.stderr, flush=True)
        return True
