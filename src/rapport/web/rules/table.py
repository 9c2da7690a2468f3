"""Rules that ask the same, as a table: a row a rule, a column what is asked or done, and every cell can be changed."""

from __future__ import annotations

import msgspec
from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from rapport.core.errors import InvalidInput, InvalidRule, Stale
from rapport.core.rules.edit import put
from rapport.core.rules.table import (
    FITTING,
    BadRow,
    Column,
    Line,
    columns_of,
    common_columns,
    read_table,
    subjects,
    write_cells,
)
from rapport.web.access import DeskRequest, desk
from rapport.web.fault_words import said_fault
from rapport.web.forms import number
from rapport.web.rules.rows import choices_of, known_arguments
from rapport.web.rules.said import COMPARED
from rapport.web.rules.target import (
    MovedOn,
    Target,
    address,
    as_seen,
    begin_with,
    find_edited,
    lead,
    moved_on,
    pieces_or_none,
    save_target,
)
from rapport.web.told import told

#: columns that one table shows
MOST = 8
#: the actions that are columns of their own; the others stand together in the last one
VERBS = ("basket", "priority", "draft")


class Cell(msgspec.Struct, frozen=True):
    """One cell of a line."""

    value: str
    #: values to choose from; empty: typed
    choices: list[tuple[str, str]]
    label: str


class Shown(msgspec.Struct, frozen=True):
    """One line of the page."""

    number: int
    #: as it stands in the document, and as it stands in the form
    was: str
    name: str
    cells: list[Cell]
    actions: list[Cell]
    others: str
    stop: bool
    bad: bool


@desk(right="configure")
@require_http_methods(["GET", "POST"])
def edit(request: DeskRequest) -> HttpResponse:
    """The rules that ask nothing beyond some columns (`columns`: "complaint ? >=", as often as wanted), as a table."""
    target = find_edited(request)
    seen = number(request.POST.get("revision", ""))
    if request.method == "POST" and _begins_draft(request, target):
        # what colleagues saved since is taken over by bringing the draft up to date
        target = as_seen(request, target, seen)
    rules = _rules(target)
    columns = _chosen(request, [when for _name, when, _then, _stop in rules])
    table = read_table(rules, columns)
    problem, bad, status = "", -1, 200
    lines = list(table.lines)
    theirs: MovedOn | None = None
    if request.method == "POST":
        # by name: while somebody wrote here, a colleague may have moved rules
        sent = {name: place.removeprefix("was-") for place, name in request.POST.items() if place.startswith("was-")}
        lines = [_entered(line, request.POST, sent.get(line.name), len(columns)) for line in lines]
        try:
            document = _written(target, table.lines, lines, columns)
            if target.is_gone or seen != target.revision:
                theirs, status = moved_on(target, document), 409
            else:
                return _save(request, target, document, columns)
        except _BadCell as error:
            problem, bad, status = told(error), error.number, 422
        except InvalidRule as error:
            problem, status = told(error), 422
        except (InvalidInput, Stale) as error:
            problem, status = told(error), 409 if isinstance(error, Stale) else 422
    arguments = known_arguments(request)
    shown = {
        "target": target,
        "columns": [
            (f"{each.subject} ? {each.comparison}", each.subject, COMPARED[each.comparison]) for each in columns
        ],
        "verbs": VERBS,
        "lines": [
            _shown(was.name, line, columns, arguments, bad) for was, line in zip(table.lines, lines, strict=True)
        ],
        "left_out": len(rules) - len(lines),
        "offered": _offered([when for _name, when, _then, _stop in rules], columns),
        "problem": problem,
        "theirs": theirs,
        "may_publish": request.membership.may("publish"),
        "may_add": len(columns) < MOST,
    }
    return render(request, "rules/table.html", shown, status=status)


class _BadCell(ValueError):
    """What stands in a cell makes no condition."""

    def __init__(self, message: str, number: int) -> None:
        super().__init__(message)
        self.number = number


def _rules(target: Target) -> list[tuple[str, str, list[str], bool]]:
    return [
        (
            piece.name,
            str(piece.values.get("when", "")),
            list(piece.then),
            piece.values.get("stop", False) is True,
        )
        for piece in pieces_or_none(target.document)
    ]


def _chosen(request: DeskRequest, conditions: list[str]) -> tuple[Column, ...]:
    """The columns of the form or of the address; the ones that hold most rules where these name none."""
    asked = (request.POST.getlist("columns") or request.GET.getlist("columns"))[:MOST]
    known = {(subject, each) for subject, kind in subjects() for each in FITTING[kind]}
    known |= {(column.subject, column.comparison) for when in conditions for column in columns_of(when) or ()}
    found = []
    for each in asked:
        subject, _space, comparison = each.partition(" ? ")
        if (subject, comparison) in known:
            found.append(Column(subject, comparison))  # type: ignore[arg-type]  # it is one that is known
    return tuple(dict.fromkeys(found)) or common_columns(conditions)


def _offered(conditions: list[str], columns: tuple[Column, ...]) -> list[tuple[str, str]]:
    """Columns to add: what other rules ask first, then everything in its usual comparison."""
    asked = [column for when in conditions for column in columns_of(when) or ()]
    usual = [Column(subject, FITTING[kind][0]) for subject, kind in subjects()]
    found = dict.fromkeys([*asked, *usual])
    return [
        (f"{column.subject} ? {column.comparison}", f"{column.subject} {COMPARED[column.comparison]}")
        for column in found
        if column not in columns
    ]


def _entered(line: Line, sent: QueryDict, at: str | None, columns: int) -> Line:
    """A line as it was sent under the number `at`; a line that was not sent is as it was."""
    if at is None:
        return line
    cells = tuple(sent.get(f"cell-{at}-{place}", "").strip() for place in range(columns))
    then = [f"{verb}:{value}" for verb in VERBS if (value := sent.get(f"{verb}-{at}", "").strip())]
    then += [each.strip() for each in sent.get(f"others-{at}", "").split("\n") if each.strip()]
    # the order in which they were written stays
    order = {each: place for place, each in enumerate(line.then)}
    places = {each.partition(":")[0]: place for place, each in reversed(list(enumerate(line.then)))}
    then.sort(key=lambda each: order.get(each, places.get(each.partition(":")[0], len(order))))
    return Line(line.number, sent.get(f"name-{at}", "").strip(), cells, tuple(then), f"stop-{at}" in sent)


def _written(target: Target, before: tuple[Line, ...], after: list[Line], columns: tuple[Column, ...]) -> str:
    document = target.document
    found = pieces_or_none(document)
    for was, line in zip(before, after, strict=True):
        if was == line:
            continue
        try:
            when = write_cells(str(found[line.number].values.get("when", "")), columns, line.cells)
        except BadRow as error:
            raise _BadCell(
                _("“%(rule)s”: %(what)s") % {"rule": was.name, "what": said_fault(str(error))}, line.number
            ) from None
        for key, value in (("name", line.name), ("when", when), ("then", list(line.then))):
            document = put(document, line.number, key, value)
        if was.stop is not line.stop:
            document = put(document, line.number, "stop", line.stop or None)
    return document


def _begins_draft(request: DeskRequest, target: Target) -> bool:
    return request.POST.get("do") == "draft" and target.draft is None and not target.is_gone


def _save(request: DeskRequest, target: Target, document: str, columns: tuple[Column, ...]) -> HttpResponse:
    kept = [f"{column.subject} ? {column.comparison}" for column in columns]
    if _begins_draft(request, target):
        draft = begin_with(request, document, seen=target.revision)
        messages.success(request, _("The draft “%(name)s” is begun; nothing is in force yet.") % {"name": draft.name})
        return lead(request, address(request, "rule_table", draft=draft.pk, columns=kept))
    seen = number(request.POST.get("revision", ""))
    messages.success(request, save_target(request, target, document, _("Edited as a table"), seen))
    return lead(request, address(request, "rule_table", target, columns=kept))


def _shown(
    was: str, line: Line, columns: tuple[Column, ...], arguments: dict[str, list[tuple[str, str]]], bad: int
) -> Shown:
    cells = []
    for column, value in zip(columns, line.cells, strict=True):
        choices = choices_of(column.subject, column.comparison, value, [])
        label = f"{column.subject} {COMPARED[column.comparison]}"
        cells.append(Cell(value, [("", "–"), *choices] if choices else [], label))
    said: dict[str, str] = {}
    others = []
    for each in line.then:
        verb, _colon, argument = each.partition(":")
        if verb in VERBS and verb not in said:
            said[verb] = argument
        else:
            others.append(each)
    actions = [Cell(said.get(verb, ""), _with_none(arguments[verb], said.get(verb, "")), verb) for verb in VERBS]
    return Shown(line.number, was, line.name, cells, actions, "\n".join(others), line.stop, line.number == bad)


def _with_none(choices: list[tuple[str, str]], value: str) -> list[tuple[str, str]]:
    own = [] if not value or any(value == each for each, _name in choices) else [(value, value)]
    return [("", "–"), *own, *choices]
