"""One rule as rows: what is asked, how it compares, and what follows. No expression is written by hand."""

from __future__ import annotations

from typing import Any

import msgspec
from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from rapport.core.decision import AUTONOMIES, PRIORITIES
from rapport.core.errors import InvalidInput, InvalidRule, Stale
from rapport.core.rules.actions import ACTIONS
from rapport.core.rules.check import type_of
from rapport.core.rules.edit import compose, insert, move, pieces, put, remove, switch
from rapport.core.rules.fields import FIELDS, GROUPS, Type
from rapport.core.rules.syntax import Fault, parse
from rapport.core.rules.table import FITTING, BadRow, Form, Group, Row, TooComplex, read_form, subjects, write_form
from rapport.store.models import Basket, PreparedReply, Survey, Topic
from rapport.web.access import DeskRequest, desk
from rapport.web.fault_words import said_fault, said_with
from rapport.web.forms import number
from rapport.web.rules.page import find_piece_or_none
from rapport.web.rules.preview import preview_rule
from rapport.web.rules.said import AUTONOMY_NAMES, COMPARED, PRIORITY_NAMES, meaning_of
from rapport.web.rules.target import (
    MovedOn,
    Target,
    as_seen,
    begin_with,
    find_edited,
    go,
    moved_on,
    pieces_or_none,
    save_target,
)
from rapport.web.told import told

#: rows and actions of one form; a longer rule is written as text
MOST = 40


class Entered(msgspec.Struct):
    """What stands in the form."""

    name: str
    #: as it was found in the document; "" for a new rule
    was: str
    join: str
    #: rows with the number of their group, "" outside any
    rows: list[tuple[str, Row]]
    then: list[tuple[str, str]]
    stop: bool
    on: bool
    autonomy: str
    #: the condition as it stands, where it is more than rows can say; then `rows` are not used
    when: str = ""
    too_complex: str = ""
    note: str = ""
    #: the group of rules that it is in, "" for none; None: nobody was asked
    in_group: str | None = None

    @property
    def form(self) -> Form:
        """The rows as a condition; a group stands where its first row does."""
        parts: list[Row | Group] = []
        places: dict[str, int] = {}
        inner = "any" if self.join != "any" else "all"
        for group, row in self.rows:
            if not group:
                parts.append(row)
            elif group in places:
                held = parts[places[group]]
                assert isinstance(held, Group)
                parts[places[group]] = Group(held.join, (*held.rows, row))
            else:
                places[group] = len(parts)
                parts.append(Group(inner, (row,)))  # type: ignore[arg-type]  # one of the two
        return Form("any" if self.join == "any" else "all", tuple(parts))

    @property
    def actions(self) -> list[str]:
        """The actions as they are written."""
        return [f"{verb}:{argument.strip()}" if argument.strip() else verb for verb, argument in self.then if verb]


@desk(right="configure")
@require_http_methods(["GET", "POST"])
def edit(request: DeskRequest) -> HttpResponse:
    """The form of one rule (`name`), or of a new one. POST: `do` says what the button was."""
    target = find_edited(request)
    do = request.POST.get("do", "")
    problem, bad_row, status = "", -1, 200
    theirs: MovedOn | None = None
    if request.method == "POST":
        entered = _sent(request.POST)
        if not _change_rows(entered, do):
            try:
                return _save(request, target, entered, do)
            except BadRow as error:
                problem, bad_row, status = (
                    _("Row %(n)d: %(what)s") % {"n": error.row + 1, "what": said_fault(str(error))},
                    error.row,
                    422,
                )
            except InvalidRule as error:
                problem, status = said_with(error.message, error.suggestion), 422
            except Stale:
                target = find_edited(request)
                theirs, status = moved_on(target, _with_entered(target.document, entered)), 409
            except InvalidInput as error:
                problem, status = told(error), 422
        if target.is_gone and theirs is None:
            theirs, status = moved_on(target, _with_entered(target.document, entered)), 409
    else:
        entered = _found(request, target)
    shown = _shown(request, target, entered) | {"problem": problem, "bad_row": bad_row, "theirs": theirs}
    page = "rules/rows_form.html" if request.headers.get("HX-Request") else "rules/rows.html"
    return render(request, page, shown, status=status)


@desk(right="configure")
@require_POST
def preview(request: DeskRequest) -> HttpResponse:
    """What the rule in the form would fire on, as a fragment."""
    entered = _sent(request.POST)
    shown: dict[str, Any] = {}
    try:
        when = entered.when if entered.too_complex else write_form(entered.form)
        shown = {"found": preview_rule(request.membership, when), "when": when}
    except BadRow as error:
        shown = {"problem": _("Row %(n)d: %(what)s") % {"n": error.row + 1, "what": said_fault(str(error))}}
    except InvalidRule as error:
        shown = {"problem": said_with(error.message, error.suggestion)}
    return render(request, "rules/preview.html", shown)


def _found(request: DeskRequest, target: Target) -> Entered:
    """The rule as it stands in the document; a new one with a first row where none is named."""
    name = request.GET.get("name", "")
    if not name:
        first = [("", Row("complaint", ">=", "0.5"))]
        return Entered(_("New rule"), "", "all", first, [("basket", ""), ("priority", "medium")], True, True, "act")
    piece = find_piece_or_none(target.document, name)
    if piece is None:
        raise Http404
    values = piece.values
    then = [tuple(each.partition(":")[::2]) for each in piece.then]
    entered = Entered(
        name, name, "all", [], then, values.get("stop", False) is True,  # type: ignore[arg-type]  # pairs
        values.get("enabled", True) is not False, str(values.get("autonomy", "act")), str(values.get("when", "")),
    )  # fmt: skip
    entered.in_group = str(values.get("group", ""))
    try:
        form = read_form(entered.when)
    except TooComplex as error:
        entered.too_complex = told(error)
    except Fault as fault:
        entered.too_complex = said_fault(fault.message)
    else:
        entered.join = form.join
        for place, part in enumerate(form.parts):
            group = str(place + 1) if isinstance(part, Group) else ""
            entered.rows += [(group, row) for row in (part.rows if isinstance(part, Group) else (part,))]
    return entered


def _sent(sent: QueryDict) -> Entered:
    """The form as it was sent; what is missing is empty."""
    lists = [sent.getlist(name)[:MOST] for name in ("group", "subject", "comparison", "value")]
    rows = [
        (group if group.isdecimal() else "", Row(subject, _fitting(subject, comparison), value))
        for group, subject, comparison, value in zip(*lists, strict=False)
    ]
    verbs, arguments = sent.getlist("verb")[:MOST], sent.getlist("argument")[:MOST]
    return Entered(
        sent.get("name", "").strip(), sent.get("was", ""), sent.get("join", "all"), rows,
        list(zip(verbs, arguments, strict=False)), "stop" in sent, "on" in sent, sent.get("autonomy", "act"),
        sent.get("when", ""), sent.get("too_complex", ""), sent.get("note", ""),
        sent.get("in_group"),
    )  # fmt: skip


def _fitting(subject: str, comparison: str) -> Any:
    """The comparison, or the usual one of a field that was chosen anew and cannot be compared so."""
    fitting = FITTING[_type(subject)]
    return comparison if comparison in fitting else fitting[0] if fitting else "=="


def _type(subject: str) -> Type:
    try:
        return type_of(parse(subject))
    except Fault:
        return "text"


def _with_value(row: Row) -> Row:
    """The row with a value that fits: one of another field is none of this."""
    field = FIELDS.get(row.subject)
    if row.comparison == "is" and row.value not in ("true", "false"):
        return Row(row.subject, row.comparison, "true")
    if field is not None and field.choices and row.comparison in ("==", "!=") and row.value not in field.choices:
        return Row(row.subject, row.comparison, field.choices[0])
    return row


def _change_rows(entered: Entered, do: str) -> bool:
    """Let a button change the form; False for those that save."""
    step, _colon, place = do.partition(":")
    at = number(place)
    match step:
        case "" | "look":
            entered.rows = [(group, _with_value(row)) for group, row in entered.rows]
        case "row" if len(entered.rows) < MOST:
            after = [index for index, (group, _row) in enumerate(entered.rows) if group == place and place]
            new = ("" if not after else place, Row("complaint", ">=", "0.5"))
            entered.rows.insert(after[-1] + 1 if after else len(entered.rows), new)
        case "group" if len(entered.rows) < MOST - 1:
            free = str(1 + max((int(group) for group, _row in entered.rows if group), default=0))
            entered.rows += [(free, Row("question", ">=", "0.5")), (free, Row("request", ">=", "0.5"))]
        case "unrow":
            del entered.rows[at : at + 1]
        case "act" if len(entered.then) < MOST:
            entered.then.append(("tag", ""))
        case "unact":
            del entered.then[at : at + 1]
        case "save" | "draft" | "delete" | "up" | "down":
            return False
    return True


def _save(request: DeskRequest, target: Target, entered: Entered, do: str) -> HttpResponse:
    seen = number(request.POST.get("revision", ""))
    begins = do == "draft" and target.draft is None
    if target.is_gone:
        raise Stale(_("A colleague threw this draft away meanwhile."))
    # a draft begins from what its author saw: what colleagues saved since is taken over by bringing it up to date
    document = as_seen(request, target, seen).document if begins else target.document
    piece = find_piece_or_none(document, entered.was) if do in ("delete", "up", "down") else None
    if do == "delete":
        if piece is None:
            raise Http404
        document = remove(document, piece.number)[0]
    else:
        # what was typed is saved with the move: a button of a form loses nothing
        document = changed_document(document, entered)
        if piece is not None:
            last = len(pieces_or_none(document)) - 1
            document = move(document, piece.number, min(max(piece.number + (1 if do == "down" else -1), 0), last))
    if seen != target.revision and not begins:
        raise Stale(_("A colleague saved meanwhile."))
    note = entered.note or _("The rule “%(name)s”") % {"name": entered.name}
    if begins:
        draft = begin_with(request, document, seen=seen)
        messages.success(request, _("The draft “%(name)s” is begun; nothing is in force yet.") % {"name": draft.name})
        return go(request, "rule_rows", name=entered.name, draft=draft.pk)
    messages.success(request, save_target(request, target, document, note, seen))
    if do == "delete":
        return go(request, "rule_list", target)
    return go(request, "rule_rows", target, name=entered.name)


def _with_entered(document: str, entered: Entered) -> str:
    """The document with what is in the form; as it is where that makes no rule yet."""
    try:
        return changed_document(document, entered)
    except (BadRow, InvalidRule):
        return document


def changed_document(document: str, entered: Entered) -> str:
    """The document with this rule as it is in the form: as little of its text changed as can be."""
    when = entered.when if entered.too_complex else write_form(entered.form)
    piece = find_piece_or_none(document, entered.was) if entered.was else None
    if piece is None:
        values = {"name": entered.name, "when": when, "then": entered.actions, "stop": entered.stop or None}
        if entered.autonomy != "act":
            values["autonomy"] = entered.autonomy
        if entered.in_group:
            values["group"] = entered.in_group
        return insert(document, _place_of_new(document), compose(values))
    at = piece.number
    if not entered.too_complex and _says_the_same(str(piece.values.get("when", "")), entered.form):
        when = str(piece.values["when"])
    for key, value in (("name", entered.name), ("when", when), ("then", entered.actions)):
        document = put(document, at, key, value)
    if entered.stop is not (piece.values.get("stop", False) is True):
        document = put(document, at, "stop", entered.stop or None)
    if entered.autonomy != piece.values.get("autonomy", "act"):
        document = put(document, at, "autonomy", None if entered.autonomy == "act" else entered.autonomy)
    if entered.in_group is not None and entered.in_group != piece.values.get("group", ""):
        document = put(document, at, "group", entered.in_group or None)
    if entered.on is not (piece.values.get("enabled", True) is not False):
        document = switch(document, at, entered.on)
    return document


def _says_the_same(when: str, form: Form) -> bool:
    try:
        return read_form(when) == form
    except (TooComplex, Fault):
        return False


def _place_of_new(document: str) -> int:
    """Before the last rule where that takes every post, else at the end: behind it a new one would never be tried."""
    found = pieces_or_none(document)
    return len(found) - 1 if found and str(found[-1].values.get("when", "")).strip() == "true" else len(found)


# ---------------------------------------------------------------- what the page shows


class Shown(msgspec.Struct, frozen=True):
    """One row with what its selects offer."""

    number: int
    group: str
    #: first and last row of its group
    begins: bool
    ends: bool
    row: Row
    kind: str
    comparisons: list[tuple[str, str]]
    #: values to choose from; empty: typed
    choices: list[tuple[str, str]]
    meaning: str
    #: the subject is not among those that are offered
    own: bool


class ShownAction(msgspec.Struct, frozen=True):
    """One action with what its argument can be."""

    number: int
    verb: str
    argument: str
    choices: list[tuple[str, str]]
    needs: bool
    meaning: str


def _shown(request: DeskRequest, target: Target, entered: Entered) -> dict[str, Any]:
    offered = subjects()
    known = {subject for subject, _kind in offered}
    topics = Topic.objects.of(request.workspace).order_by("name").values_list("slug", "name")
    arguments = known_arguments(request)
    groups = [group for group, _row in entered.rows]
    rows = [
        Shown(
            place, group, place == 0 or groups[place - 1] != group or not group,
            place + 1 == len(groups) or groups[place + 1] != group or not group, row, _type(row.subject),
            [(each, str(COMPARED[each])) for each in FITTING[_type(row.subject)]], _values(row, list(topics)),
            meaning_of(row.subject), row.subject not in known,
        )
        for place, (group, row) in enumerate(entered.rows)
    ]  # fmt: skip
    then = [
        ShownAction(
            place, verb, argument, _with_own(arguments.get(verb, []), argument) if verb in arguments else [],
            verb in ACTIONS and ACTIONS[verb].argument != "none",
            ACTIONS[verb].form if verb in ACTIONS else "",
        )
        for place, (verb, argument) in enumerate(entered.then)
    ]  # fmt: skip
    return {
        "target": target,
        "entered": entered,
        "rows": rows,
        "then": then,
        "subjects": _grouped(offered),
        "verbs": list(ACTIONS),
        "rule_groups": _rule_groups(target, entered),
        "autonomies": [(each, AUTONOMY_NAMES[each]) for each in AUTONOMIES],
        "may_publish": request.membership.may("publish"),
        "inner": _("or") if entered.join != "any" else _("and"),
        "outer": _("and") if entered.join != "any" else _("or"),
    }


def _rule_groups(target: Target, entered: Entered) -> list[str]:
    """The groups that a rule can be put into, and the one in which it is."""
    try:
        found = [group.name for group in pieces(target.document, "group")]
    except ValueError:
        found = []
    return list(dict.fromkeys([*found, *filter(None, [entered.in_group])]))


def _grouped(offered: list[tuple[str, Type]]) -> list[tuple[str, list[str]]]:
    """The subjects under the headings of the reference page, functions beside their field."""
    headed: dict[str, list[str]] = {heading: [] for heading, _fields in GROUPS}
    heading_of = {field.name: heading for heading, fields in GROUPS for field in fields}
    for subject, _kind in offered:
        name = subject if subject in FIELDS else subject.partition("(")[2].partition(",")[0].rstrip(")")
        headed[heading_of[name]].append(subject)
    return [(heading, found) for heading, found in headed.items() if found]


def _values(row: Row, topics: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return choices_of(row.subject, row.comparison, row.value, topics)


def known_arguments(request: DeskRequest) -> dict[str, list[tuple[str, str]]]:
    """Verb -> the arguments to choose from, with their names. Three queries."""
    workspace = request.workspace
    return {
        "basket": list(Basket.objects.of(workspace).order_by("position").values_list("slug", "name")),
        "draft": list(PreparedReply.objects.of(workspace).values_list("slug", "name")),
        "survey": list(Survey.objects.of(workspace).values_list("slug", "name")),
        "priority": [(each, str(PRIORITY_NAMES[each])) for each in PRIORITIES],
    }


def choices_of(subject: str, comparison: str, value: str, topics: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The values to choose from in such a row, what stands there among them; empty where one types."""
    if comparison == "is":
        return [("true", _("yes")), ("false", _("no"))]
    if subject == "topics" and topics:
        return _with_own(topics, value)
    field = FIELDS.get(subject)
    if field is not None and field.choices and comparison in ("==", "!="):
        return _with_own([(each, each) for each in field.choices], value)
    return []


def _with_own(choices: list[tuple[str, str]], value: str) -> list[tuple[str, str]]:
    """The value that stands there is kept, even where it is not among what is offered."""
    if not value:
        return choices
    return choices if any(value == each for each, _name in choices) else [(value, value), *choices]
