"""The fields that a workspace keeps of people."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from rapport.actions import person_fields as acts
from rapport.core.errors import InvalidInput
from rapport.store.models import PersonField
from rapport.web.access import DeskRequest, desk, find
from rapport.web.forms import ExactForm
from rapport.web.told import told as in_words

KINDS = [
    ("text", gettext_lazy("Text")),
    ("number", gettext_lazy("Number")),
    ("date", gettext_lazy("Day")),
    ("choice", gettext_lazy("One of several")),
    ("flag", gettext_lazy("Yes or no")),
    ("link", gettext_lazy("Address of a page")),
]


class FieldForm(ExactForm):
    """A name, what it holds, and what a choice is made of."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    kind = forms.ChoiceField(label=gettext_lazy("What it holds"), choices=KINDS)
    choices = forms.CharField(
        label=gettext_lazy("To choose from"),
        required=False,
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy("One a line; only where it is one of several."),
    )


@desk(right="configure")
@require_safe
def index(request: DeskRequest) -> HttpResponse:
    """Every field, in the order in which pages show them."""
    kinds = dict(KINDS)
    rows = [(row, kinds.get(row.kind, row.kind)) for row in PersonField.objects.of(request.workspace)]
    return render(request, "settings/person_fields.html", {"rows": rows})


@desk(right="configure")
@require_http_methods(["GET", "POST"])
def create(request: DeskRequest) -> HttpResponse:
    """A new one."""
    return _edit(request, None)


@desk(right="configure")
@require_http_methods(["GET", "POST"])
def change(request: DeskRequest, pk: int) -> HttpResponse:
    """One that exists: what it holds stays."""
    return _edit(request, find(PersonField.objects.of(request.workspace), pk))


@desk(right="configure")
@require_POST
def delete(request: DeskRequest, pk: int) -> HttpResponse:
    """Forget a field with everything in it."""
    row = find(PersonField.objects.of(request.workspace), pk)
    had = acts.delete_field(request.membership, row, now=timezone.now())
    messages.success(
        request, _("%(name)s is deleted; %(n)d people had something in it.") % {"name": row.name, "n": had}
    )
    return redirect("person_field_list", slug=request.workspace.slug)


def _edit(request: DeskRequest, row: PersonField | None) -> HttpResponse:
    start: dict[str, Any] = {}
    if row is not None:
        start = {"name": row.name, "kind": row.kind, "choices": "\n".join(row.choices)}
    form = FieldForm(request.POST if request.method == "POST" else None, initial=start)
    if row is not None:
        form.fields["kind"].disabled = True
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        try:
            acts.save_field(
                request.membership, told["name"], told["kind"], told["choices"].splitlines(), field=row,
                now=timezone.now(),
            )  # fmt: skip
        except InvalidInput as error:
            form.add_error(None, in_words(error))
        else:
            messages.success(request, _("Saved."))
            return redirect("person_field_list", slug=request.workspace.slug)
    context = {"form": form, "row": row}
    return render(request, "settings/person_field.html", context, status=422 if form.errors else 200)
