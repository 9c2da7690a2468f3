"""Who did what to what, and when."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from rapport.store.queries import settings as reads
from rapport.web.access import DeskRequest, desk

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
    before = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1, widget=forms.HiddenInput)

    def __init__(self, *args: Any, workspace: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        members = [
            (str(member.pk), str(member.user)) for member in reads.list_members(workspace).prefetch_related(None)
        ]
        self.fields["who"].choices = [("", gettext_lazy("Everybody")), *members]  # type: ignore[attr-defined]
        self.fields["what"].choices = [("", gettext_lazy("Everything")), *AREAS.items()]  # type: ignore[attr-defined]


@desk(right="audit")
@require_safe
def index(request: DeskRequest) -> HttpResponse:
    """The audit, newest first, fifty entries a page."""
    form = FilterForm(request.GET, workspace=request.workspace)
    form.is_valid()
    given = form.cleaned_data
    page = reads.read_audit(
        request.workspace, actor=given.get("who"), verb=given.get("what", ""), before=given.get("before")
    )
    kept = {name: given[name] for name in ("who", "what") if given.get(name)}
    shown = {
        "form": form,
        "page": page,
        "older": urlencode({**kept, "before": page.older}) if page.older else "",
        "filtered": bool(kept),
        "first": urlencode(kept),
    }
    return render(request, "settings/audit.html", shown)
