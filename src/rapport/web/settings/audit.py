"""Who did what to what, and when."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from rapport.store.models import AuditEntry, Basket, Workspace
from rapport.store.queries import settings as reads
from rapport.web.access import DeskRequest, desk
from rapport.web.settings.audit_words import deed, field_name, in_bulk, subject_name, value_name

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[\d.]*\+00:00$")

#: rows read for one page of everything: what the machine does is folded, so a page holds many more rows than lines
FOLDED = 1_000
#: fields that only the database understands
_NUMBERS_OF_ROWS = frozenset({"join", "person", "kept", "note_id", "digest", "fence", "correction", "post", "was"})

#: beginnings of verbs, for the filter
AREAS = {
    "conversation": gettext_lazy("Conversations"),
    "draft": gettext_lazy("Drafts"),
    "reply": gettext_lazy("Approvals"),
    "delivery": gettext_lazy("Sending"),
    "person": gettext_lazy("People"),
    "channel": gettext_lazy("Sources"),
    "post": gettext_lazy("Posts"),
    "topic": gettext_lazy("Topics"),
    "reading": gettext_lazy("Corrections"),
    "rules": gettext_lazy("Rules"),
    "prepared_reply": gettext_lazy("Prepared replies"),
    "member": gettext_lazy("Team"),
    "user": gettext_lazy("Sign-ins and profiles"),
    "workspace": gettext_lazy("Workspace"),
}


class FilterForm(forms.Form):
    """Everything is optional; what makes no sense is left out rather than refused."""

    who = forms.TypedChoiceField(label=gettext_lazy("Who"), required=False, coerce=int, empty_value=None)
    what = forms.ChoiceField(label=gettext_lazy("What"), required=False)
    show = forms.ChoiceField(
        label=gettext_lazy("Show"),
        required=False,
        choices=[("", gettext_lazy("What people did")), ("all", gettext_lazy("Everything, the machine too"))],
    )
    before = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1, widget=forms.HiddenInput)

    def __init__(self, *args: Any, workspace: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = reads.list_members(workspace).prefetch_related(None)
        #: id -> name
        self.members = {str(member.pk): str(member.user) for member in rows}
        self.fields["who"].choices = [("", gettext_lazy("Everybody")), *self.members.items()]  # type: ignore[attr-defined]
        self.fields["what"].choices = [("", gettext_lazy("Everything")), *AREAS.items()]  # type: ignore[attr-defined]


class Names:
    """What the ids in a detail stand for."""

    def __init__(self, workspace: Workspace, members: dict[str, str]) -> None:
        baskets = Basket.objects.of(workspace).values_list("pk", "name")
        self._of = {
            **dict.fromkeys(("assignee", "member", "deputy"), members),
            "basket": {str(pk): name for pk, name in baskets},
        }

    def say(self, field: str, value: object) -> str:
        """A value for a person: names for ids, local times, nothing of the storage."""
        if value is None or value == "":
            return "–"
        if value is True or value is False:
            return _("yes") if value else _("no")
        if isinstance(value, str) and _MOMENT.match(value):
            return date_format(timezone.localtime(dt.datetime.fromisoformat(value)), _("j M Y, H:i"))
        if isinstance(value, dict):
            return ", ".join(f"{field_name(key)} {self.say(key, inner)}" for key, inner in value.items())
        if isinstance(value, list):
            return ", ".join(self.say(field, inner) for inner in value) or "–"
        return Truncator(self._of.get(field, {}).get(str(value)) or value_name(field, str(value))).chars(160)


class Line:
    """A line of the page: one entry, or many of the machine that say the same."""

    def __init__(self, rows: list[AuditEntry], names: Names) -> None:
        row = rows[0]
        self.at, self.since, self.actor, self.verb = row.at, rows[-1].at, row.actor, row.verb
        self.steps = len(rows)
        self.lasted = self.at - self.since >= dt.timedelta(minutes=1)
        self.told: list[tuple[str, str]] = []
        if self.steps > 1:
            self.done, self.subject, self.subject_id, self.about = in_bulk(self.steps), "", "", ""
            sums = Counter[str]()
            for each in rows:
                sums.update({name: value for name, value in each.detail.items() if isinstance(value, int)})
            self.told = [
                (field_name(name), str(sums[name])) for name in ("new", "conversations", "merged") if sums[name]
            ]
            return
        after = row.detail.get("after")
        told = {**row.detail, **after} if isinstance(after, dict) else row.detail
        self.done, said = deed(row.verb, told, {name: names.say(name, value) for name, value in told.items()})
        self.subject, self.subject_id, self.about = row.subject, row.subject_id, subject_name(row.subject)
        self.told = list(_tell(row.detail, names, said))


def fold(rows: Sequence[AuditEntry], names: Names, most: int) -> tuple[list[Line], int]:
    """At most `most` lines of `rows` (newest first), and how many of the rows they hold.

    What the machine takes in and sorts without end, one after the other, becomes one line.
    """
    lines: list[Line] = []
    used = 0
    while used < len(rows) and len(lines) < most:
        last = used + 1
        if _drowns(rows[used]):
            while last < len(rows) and _drowns(rows[last]):
                last += 1
        lines.append(Line(list(rows[used:last]), names))
        used = last
    return lines, used


def _drowns(row: AuditEntry) -> bool:
    return row.actor_id is None and row.verb in {"posts.hear", "posts.record"}


def _tell(detail: dict[str, Any], names: Names, said: Collection[str]) -> Iterator[tuple[str, str]]:
    """Pairs of a field and what is to be said of it; a change as "open → snoozed", what stayed the same not at all.

    What the sentence has `said` already is left out, unless something else was there before.
    """
    before, after = detail.get("before"), detail.get("after")
    rest = {name: value for name, value in detail.items() if name not in {"before", "after"}}
    if isinstance(before, dict):
        changed = after if isinstance(after, dict) else {name: rest.pop(name) for name in before if name in rest}
        for name, value in changed.items():
            if before.get(name) != value and not (name in said and not before.get(name)):
                yield field_name(name), f"{names.say(name, before.get(name))} → {names.say(name, value)}"
    for name, value in rest.items():
        if name in said or name in _NUMBERS_OF_ROWS:
            continue
        yield field_name(name), names.say(name, value)


@desk(right="audit")
@require_safe
def index(request: DeskRequest) -> HttpResponse:
    """The audit, newest first, fifty lines a page; what the machine did only when it is asked for."""
    form = FilterForm(request.GET, workspace=request.workspace)
    form.is_valid()
    given = form.cleaned_data
    everything = given.get("show") == "all"
    page = reads.read_audit(
        request.workspace,
        actor=given.get("who"),
        verb=given.get("what", ""),
        before=given.get("before"),
        people=not everything,
        limit=FOLDED if everything else reads.PAGE,
    )
    lines, used = fold(page.entries, Names(request.workspace, form.members), reads.PAGE)
    older = page.entries[used - 1].pk if used < len(page.entries) else page.older
    kept = {name: given[name] for name in ("who", "what", "show") if given.get(name)}
    shown = {
        "form": form,
        "lines": lines,
        "older": urlencode({**kept, "before": older}) if older else "",
        "filtered": bool(kept),
        "first": urlencode(kept),
    }
    return render(request, "settings/audit.html", shown)
