"""Drafts: how far people take them, by where they came from; and the service that may write some."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from rapport.actions.drafting import MAX_PROMPT, save_drafting
from rapport.core.errors import InvalidInput
from rapport.core.mask import Mask
from rapport.store.models import Basket
from rapport.store.queries.drafting import DAYS, count_written, drafting_of, measure_drafts, newest_failures
from rapport.web.access import DeskRequest, desk
from rapport.web.forms import ExactForm
from rapport.web.told import told

#: names of sources, for people
SOURCES = {
    "rule": gettext_lazy("Chosen by a rule"),
    "snippet": gettext_lazy("Prepared replies"),
    "alike": gettext_lazy("Answers of ours to something like it"),
    "article": gettext_lazy("Articles"),
    "service": gettext_lazy("Written by a service"),
    "campaign": gettext_lazy("Campaigns"),
}


class ServiceForm(ExactForm):
    """Which service is asked, where, and with which words."""

    enabled = forms.BooleanField(
        label=gettext_lazy("Let a service write drafts"),
        required=False,
        help_text=gettext_lazy(
            "They are marked until a person has changed or confirmed them; before, none can be sent."
        ),
    )
    url = forms.CharField(
        label=gettext_lazy("Address"),
        required=False,
        max_length=2000,
        widget=forms.TextInput(attrs={"placeholder": "https://api.example/v1", "inputmode": "url"}),
        help_text=gettext_lazy("Of an interface like OpenAI's, up to and without /chat/completions."),
    )
    model = forms.CharField(label=gettext_lazy("Model"), required=False, max_length=120)
    key = forms.CharField(
        label=gettext_lazy("Key"),
        required=False,
        max_length=2000,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=gettext_lazy("Kept encrypted and never shown. Empty: the one that is there stays."),
    )
    prompt = forms.CharField(
        label=gettext_lazy("What it should know of the house"),
        required=False,
        max_length=MAX_PROMPT,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy("Goes along with every question: opening hours, tone, what you never promise."),
    )
    baskets = forms.MultipleChoiceField(
        label=gettext_lazy("In these baskets"), required=False, widget=forms.CheckboxSelectMultiple
    )


@require_safe
@desk("configure")
def show_drafting(request: DeskRequest) -> HttpResponse:
    """How far drafts are taken, and for admins the service."""
    return _page(request, _form(request, None))


@require_POST
@desk("channels")
def save(request: DeskRequest) -> HttpResponse:
    """Turn the service on or off, or say which one."""
    form = _form(request, request.POST)
    if form.is_valid():
        said = form.cleaned_data
        try:
            saved = save_drafting(
                request.membership, enabled=said["enabled"], url=said["url"], key=said["key"] or None,
                model=said["model"], prompt=said["prompt"], baskets=said["baskets"], now=timezone.now(),
            )  # fmt: skip
        except InvalidInput as error:
            form.add_error(None, told(error))
        else:
            on, off = _("The service is asked from now on."), _("Saved. It is off: nothing is sent to any service.")
            messages.success(request, on if saved.enabled else off)
            return redirect("drafting", slug=request.workspace.slug)
    return _page(request, form, 422)


def _page(request: DeskRequest, form: ServiceForm, status: int = 200) -> HttpResponse:
    now = timezone.now()
    example = _("Hi, this is Nadia Khan (nadia@mail.example), order 4711-0815. Where is it? Call 0151 2345678.")
    shown = {
        "taken": [(SOURCES.get(each.source, each.source), each) for each in measure_drafts(request.workspace, now)],
        "days": DAYS,
        "form": form if request.membership.may("channels") else None,
        "present": drafting_of(request.workspace, now),
        "written": count_written(request.workspace, now),
        "failures": newest_failures(request.workspace),
        "example": example,
        "masked": Mask(["Nadia Khan"]).hide(example),
    }
    return render(request, "settings/drafting.html", shown, status=status)


def _form(request: DeskRequest, posted: Any) -> ServiceForm:
    present = drafting_of(request.workspace, timezone.now())
    start = {
        "enabled": present.enabled, "url": present.url, "model": present.model, "prompt": present.prompt,
        "baskets": present.baskets,
    }  # fmt: skip
    form = ServiceForm(posted, initial=start, label_suffix="")
    choices = form.fields["baskets"]
    assert isinstance(choices, forms.MultipleChoiceField)
    choices.choices = list(Basket.objects.of(request.workspace).values_list("slug", "name"))
    return form
