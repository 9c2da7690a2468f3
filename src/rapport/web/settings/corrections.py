"""What people said of the machine's readings: to look through, to take back, to take along."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import msgspec
from django import forms
from django.contrib import messages
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from rapport.actions import corrections as acts
from rapport.store.models import Correction
from rapport.store.queries import settings as people
from rapport.store.queries.corrections import count_disagreements, list_corrections
from rapport.web.access import DeskRequest, desk, find
from rapport.web.reading_words import NAMES, describe

PAGE = 50


class FilterForm(forms.Form):
    """Everything is optional; what makes no sense is left out rather than refused."""

    reading = forms.ChoiceField(
        label=gettext_lazy("Reading"), required=False, choices=[("", gettext_lazy("All")), *NAMES.items()]
    )
    who = forms.TypedChoiceField(label=gettext_lazy("Who"), required=False, coerce=int, empty_value=None)
    show = forms.ChoiceField(
        label=gettext_lazy("Show"),
        required=False,
        choices=[("", gettext_lazy("In force")), ("withdrawn", gettext_lazy("Taken back or replaced"))],
    )
    before = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1, widget=forms.HiddenInput)

    def __init__(self, *args: Any, workspace: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = people.list_members(workspace).prefetch_related(None)
        members = [(str(member.pk), str(member.user)) for member in rows]
        self.fields["who"].choices = [("", gettext_lazy("Everybody")), *members]  # type: ignore[attr-defined]


@desk(right="configure")
@require_safe
def index(request: DeskRequest) -> HttpResponse:
    """Corrections, newest first, and how often people saw each reading otherwise."""
    form = FilterForm(request.GET, workspace=request.workspace)
    form.is_valid()
    given = form.cleaned_data
    rows = list_corrections(
        request.workspace,
        reading=given.get("reading", ""),
        by=given.get("who"),
        withdrawn=given.get("show") == "withdrawn",
        before=given.get("before"),
    )
    found = list(rows[: PAGE + 1])
    kept = {name: given[name] for name in ("reading", "who", "show") if given.get(name)}
    shown = {
        "form": form,
        "rows": found[:PAGE],
        "older": urlencode({**kept, "before": found[PAGE - 1].pk}) if len(found) > PAGE else "",
        "first": urlencode(kept),
        "filtered": bool(kept),
        "withdrawn": given.get("show") == "withdrawn",
        "counted": [
            (NAMES[each.reading], each.count, each.otherwise, each.otherwise / each.count)
            for each in count_disagreements(request.workspace)
        ],
    }
    return render(request, "settings/corrections.html", shown)


@desk(right="configure")
@require_POST
def withdraw(request: DeskRequest, pk: int) -> HttpResponse:
    """Take one back, whoever said it."""
    row = find(Correction.objects.of(request.workspace).select_related("post"), pk)
    acts.withdraw(request.membership, row, now=timezone.now())
    messages.success(request, _("Taken back: %(reading)s.") % {"reading": describe(row)})
    return redirect("corrections", slug=request.workspace.slug)


@desk(right="configure")
@require_safe
def export(request: DeskRequest) -> StreamingHttpResponse:
    """Everything in force as JSONL, oldest first: one object a line."""
    rows = list_corrections(request.workspace).order_by("pk").filter(post__deleted=False)
    response = StreamingHttpResponse(_lines(rows), content_type="application/jsonl; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="corrections-{request.workspace.slug}.jsonl"'
    return response


def _lines(rows: Any) -> Iterator[bytes]:
    for row in rows.iterator(chunk_size=500):
        said = {
            "network": row.post.network, "id": row.post.external_id, "text": row.post.text, "reading": row.reading,
            "value": row.value, "was": row.was, "model": row.model, "by": str(row.by) if row.by else None, "at": row.at,
        }  # fmt: skip
        yield msgspec.json.encode(said) + b"\n"
