"""Rules in plain words: their rows, their actions, how far they go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from rapport.core.rules.fields import FIELDS
from rapport.core.rules.syntax import Fault
from rapport.core.rules.table import Form, Group, Row, TooComplex, read_form
from rapport.store.models import Basket, PreparedReply, Survey, Workspace
from rapport.web.fault_words import said_fault
from rapport.web.told import told

COMPARED: dict[str, Any] = {
    ">=": gettext_lazy("is at least"),
    ">": gettext_lazy("is more than"),
    "<=": gettext_lazy("is at most"),
    "<": gettext_lazy("is less than"),
    "==": gettext_lazy("is"),
    "!=": gettext_lazy("is not"),
    "in": gettext_lazy("is one of"),
    "not in": gettext_lazy("is none of"),
    "matches": gettext_lazy("contains"),
    "not matches": gettext_lazy("does not contain"),
    "has": gettext_lazy("has"),
    "lacks": gettext_lazy("does not have"),
    "is": gettext_lazy("is"),
}
PRIORITY_NAMES: dict[str, Any] = {
    "low": gettext_lazy("low"),
    "medium": gettext_lazy("medium"),
    "high": gettext_lazy("high"),
    "urgent": gettext_lazy("urgent"),
}
AUTONOMY_NAMES: dict[str, Any] = {
    "observe": gettext_lazy("only observes: it is counted and explained, and nothing follows"),
    "suggest": gettext_lazy("only suggests: what it would do is proposed to people"),
    "draft": gettext_lazy("prepares: a person takes every step that leaves the house"),
    "act": gettext_lazy("acts by itself, as far as the guard allows"),
}


class Clause(msgspec.Struct, frozen=True):
    """One row in words."""

    subject: str
    compared: str
    value: str
    #: what the field means, for whoever does not know it
    meaning: str


class Said(msgspec.Struct, frozen=True):
    """A condition in words: clauses, and groups of clauses."""

    #: what joins the parts: "and" or "or"
    joined: str
    parts: tuple[tuple[Clause, ...], ...]
    #: why it is shown as an expression instead; "" where it is not
    too_complex: str = ""


def say_condition(when: str) -> Said:
    """The parts of a condition; a part with several clauses is a group, joined the other way."""
    try:
        form = read_form(when)
    except TooComplex as error:
        return Said("", (), told(error))
    except Fault as fault:
        return Said("", (), said_fault(fault.message))
    return say_form(form)


def say_form(form: Form) -> Said:
    """As `say_condition`, for rows."""
    parts = [part.rows if isinstance(part, Group) else (part,) for part in form.parts]
    joined = _("and") if form.join == "all" else _("or")
    return Said(joined, tuple(tuple(_clause(row) for row in rows) for rows in parts))


def _clause(row: Row) -> Clause:
    compared = str(COMPARED[row.comparison])
    value = row.value
    if row.comparison == "is":
        value = _("yes") if row.value != "false" else _("no")
    elif row.comparison in ("matches", "not matches"):
        value = f"“{row.value}”"
    elif row.comparison in ("in", "not in"):
        value = row.value
    return Clause(row.subject, compared, value, meaning_of(row.subject))


def meaning_of(subject: str) -> str:
    """What a field, or the field inside a call, means."""
    name = subject if subject in FIELDS else subject.partition("(")[2].partition(",")[0].rstrip(")")
    field = FIELDS.get(name)
    return "" if field is None else plain(field.meaning)


def plain(text: str) -> str:
    """Words of the reference page in the language in force, without links and marks: here they stand alone."""
    text = pgettext("meaning", text).replace("`", "")
    while "](" in text:
        before, _bracket, rest = text.partition("](")
        head, _open, word = before.rpartition("[")
        text = f"{head}{word}{rest.partition(')')[2]}"
    return text


def names_of(workspace: Workspace) -> Mapping[tuple[str, str], str]:
    """(verb, argument) -> the name that people know. Three queries."""
    baskets = Basket.objects.of(workspace).values_list("slug", "name")
    replies = PreparedReply.objects.of(workspace).values_list("slug", "name")
    surveys = Survey.objects.of(workspace).values_list("slug", "name")
    return {
        **{("basket", slug): name for slug, name in baskets},
        **{("draft", slug): name for slug, name in replies},
        **{("survey", slug): name for slug, name in surveys},
        **{("priority", slug): str(name) for slug, name in PRIORITY_NAMES.items()},
    }


def say_actions(written: Sequence[str], names: Mapping[tuple[str, str], str]) -> list[str]:
    """What a rule does, a sentence for each action."""
    return [_say_action(each, names) for each in written]


def _say_action(written: str, names: Mapping[tuple[str, str], str]) -> str:
    verb, _colon, argument = written.partition(":")
    name = names.get((verb, argument), argument)
    match verb:
        case "task":
            within, _rest, what = argument.partition(":")
            return _("makes the task “%(what)s”, due in %(within)s") % {"what": what, "within": within}
        case "person" if argument == "known":
            return _("gives it to whoever knows the author")
        case _ if verb in _SENTENCES:
            return str(_SENTENCES[verb]) % {"name": name}
    return written


_SENTENCES: dict[str, Any] = {
    "basket": gettext_lazy("puts it into the basket %(name)s"),
    "person": gettext_lazy("gives it to %(name)s"),
    "priority": gettext_lazy("makes its priority %(name)s"),
    "skill": gettext_lazy("asks for somebody who is good at %(name)s"),
    "tag": gettext_lazy("puts the tag %(name)s on it"),
    "quarantine": gettext_lazy("puts it into the quarantine"),
    "draft": gettext_lazy("prepares an answer from “%(name)s” for a person to edit"),
    "notify": gettext_lazy("tells %(name)s"),
    "note": gettext_lazy("leaves the note “%(name)s”"),
    "ticket": gettext_lazy("opens the ticket “%(name)s”"),
    "idea": gettext_lazy("notes the idea “%(name)s”"),
    "escalate": gettext_lazy("counts as the step %(name)s of the ladder"),
    "acknowledge": gettext_lazy("sends the automatic acknowledgement, where it is turned on"),
    "webhook": gettext_lazy("tells the program %(name)s"),
    "boost": gettext_lazy("proposes to share the post"),
    "like": gettext_lazy("proposes to like the post"),
    "follow": gettext_lazy("proposes to follow the author"),
    "survey": gettext_lazy("prepares an invitation to the survey %(name)s"),
    "ignore": gettext_lazy("proposes to ignore the person"),
}
