"""The ledger on the desk: each approval with who, what, when and what became of it; checked and taken out from here."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import msgspec
from django import forms
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from rapport.actions.ledger_check import verify
from rapport.core.cells import defuse
from rapport.networks.registry import NETWORKS
from rapport.store.models import Approval
from rapport.store.queries import ledger as reads
from rapport.store.queries import settings as members
from rapport.web.access import DeskRequest, desk

#: what an entry is, in words
KINDS = {
    "reply": gettext_lazy("reply"),
    "post": gettext_lazy("post of our own"),
    "like": gettext_lazy("like"),
    "unlike": gettext_lazy("like taken back"),
    "boost": gettext_lazy("shared on"),
    "unboost": gettext_lazy("share taken back"),
    "follow": gettext_lazy("follow"),
    "unfollow": gettext_lazy("follow taken back"),
    "delete": gettext_lazy("deletion"),
    "edit": gettext_lazy("edit"),
    "handover": gettext_lazy("answered on the site"),
    "settle": gettext_lazy("said what became of it"),
    "release": gettext_lazy("let out during a hold"),
    "erase": gettext_lazy("erasure of a person"),
}


class FilterForm(forms.Form):
    """Everything is optional; what makes no sense is left out rather than refused."""

    kind = forms.ChoiceField(label=gettext_lazy("What"), required=False)
    who = forms.TypedChoiceField(label=gettext_lazy("Who"), required=False, coerce=int, empty_value=None)
    network = forms.ChoiceField(label=gettext_lazy("Network"), required=False)
    since = forms.DateField(
        label=gettext_lazy("From"), required=False, widget=forms.DateInput(attrs={"type": "date", "class": "text"})
    )
    until = forms.DateField(
        label=gettext_lazy("Up to"), required=False, widget=forms.DateInput(attrs={"type": "date", "class": "text"})
    )
    entry = forms.IntegerField(required=False, min_value=1, max_value=2**31 - 1, widget=forms.HiddenInput)
    before = forms.IntegerField(required=False, min_value=1, max_value=2**31 - 1, widget=forms.HiddenInput)

    def __init__(self, *args: Any, workspace: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = [(str(each.pk), str(each.user)) for each in members.list_members(workspace).prefetch_related(None)]
        networks = sorted((name, network.title) for name, network in NETWORKS.items() if network.capabilities.replies)
        self.fields["kind"].choices = [("", _("Everything")), *KINDS.items()]  # type: ignore[attr-defined]
        self.fields["who"].choices = [("", _("Everybody")), *people]  # type: ignore[attr-defined]
        self.fields["network"].choices = [("", _("Everywhere")), *networks]  # type: ignore[attr-defined]

    @property
    def chosen(self) -> dict[str, Any]:
        """What was asked for and makes sense, without the place in the list."""
        self.is_valid()
        return {
            name: value for name, value in self.cleaned_data.items() if value not in (None, "") and name != "before"
        }

    def wanted(self) -> reads.Wanted:
        """The same for the query; days are those of the person who asks."""
        asked = self.chosen
        since, until = asked.get("since"), asked.get("until")
        return reads.Wanted(
            kind=asked.get("kind", ""), who=asked.get("who"), network=asked.get("network", ""),
            since=_midnight(since) if since and since > _FIRST else None,
            until=_midnight(until + dt.timedelta(days=1)) if until and _FIRST < until < _LAST else None,
            entry=asked.get("entry"),
        )  # fmt: skip


#: days outside of these are no limits: nothing was approved then
_FIRST, _LAST = dt.date(2000, 1, 1), dt.date(2200, 1, 1)


def _midnight(day: dt.date) -> dt.datetime:
    return timezone.make_aware(dt.datetime.combine(day, dt.time.min))


@require_safe
@desk("audit")
def index(request: DeskRequest) -> HttpResponse:
    """The entries that fit, newest first."""
    return _page(request)


@require_POST
@desk("audit")
def check(request: DeskRequest) -> HttpResponse:
    """Walk the whole chain now, and say what was found above the entries."""
    return _page(request, checked=verify(request.workspace))


def _page(request: DeskRequest, **more: Any) -> HttpResponse:
    form = FilterForm(request.GET, workspace=request.workspace)
    rows = reads.entries(request.workspace, form.wanted())
    before = form.cleaned_data.get("before")
    found = list((rows.filter(sequence__lt=before) if before else rows)[: reads.PAGE + 1])
    shown = [(row, reads.told(row), KINDS.get(row.act, row.act)) for row in found[: reads.PAGE]]
    asked = urlencode(form.chosen)
    more |= {"before": before, "older": ""}
    if len(found) > reads.PAGE:
        more["older"] = urlencode({**form.chosen, "before": found[reads.PAGE - 1].sequence})
    head = Approval.objects.of(request.workspace).order_by("-sequence").first()
    context = {
        "form": form, "entries": shown, "filtered": bool(form.chosen), "asked": asked, "head": head,
        **more,
    }  # fmt: skip
    return render(request, "ledger/index.html", context)


@require_safe
@desk("audit")
def export(request: DeskRequest, form: str) -> StreamingHttpResponse:
    """The entries that fit, oldest first, as `csv` or `jsonl`, however many there are."""
    asked = FilterForm(request.GET, workspace=request.workspace)
    found = reads.in_turn(reads.entries(request.workspace, asked.wanted()))
    name = f"ledger-{request.workspace.slug}-{timezone.localdate():%Y-%m-%d}.{form}"
    kinds = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl; charset=utf-8"}
    body = _csv(found) if form == "csv" else _jsonl(found)
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return StreamingHttpResponse(body, content_type=kinds[form], headers=headers)


class _Line:
    """A file of one line: what is written is what `csv` made of a row."""

    def write(self, text: str) -> str:
        return text


def _csv(found: Iterator[reads.LedgerEntry]) -> Iterator[str]:
    """A byte order mark, so that spreadsheets read UTF-8; no cell is a formula."""
    writer = csv.writer(_Line())
    yield "\ufeff" + writer.writerow(reads.COLUMNS)
    for entry in found:
        yield writer.writerow([defuse(cell) for cell in reads.cells(entry)])


def _jsonl(found: Iterator[reads.LedgerEntry]) -> Iterator[bytes]:
    for entry in found:
        yield msgspec.json.encode(entry) + b"\n"
