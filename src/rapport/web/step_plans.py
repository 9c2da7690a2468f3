"""Plans of steps over days: their pages under settings, and beginning one for a conversation."""

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

from rapport.actions import steps as acts
from rapport.core.errors import InvalidInput
from rapport.core.tasks import LAST_DAY, MAX_TITLE, MOST_STEPS, Step, read_steps
from rapport.store.models import StepPlan
from rapport.web.access import DeskRequest, desk, find
from rapport.web.forms import ExactForm, number
from rapport.web.inbox.conversation import change
from rapport.web.told import told


class PlanForm(ExactForm):
    """A name, the steps with their days, and whether a word of theirs ends it."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    until_word = forms.BooleanField(
        label=gettext_lazy("It ends once they speak again"),
        required=False,
        help_text=gettext_lazy("What is left of it then is not done, and says so."),
    )
    active = forms.BooleanField(label=gettext_lazy("In use"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        more: dict[str, forms.Field] = {}
        for n in range(MOST_STEPS):
            more[f"after{n}"] = forms.IntegerField(
                label=_("After so many days"), min_value=0, max_value=LAST_DAY, required=False
            )
            more[f"title{n}"] = forms.CharField(
                label=_("Step %(n)d") % {"n": n + 1}, max_length=MAX_TITLE, required=False
            )
        super().__init__(*args, more=more, label_suffix="", **kwargs)

    def steps(self) -> list[Step]:
        """Those that have words, in their order."""
        filled = self.cleaned_data
        return [Step(filled[f"title{n}"], filled[f"after{n}"] or 0) for n in range(MOST_STEPS) if filled[f"title{n}"]]

    def rows(self) -> list[tuple[Any, Any]]:
        """(words, days) of each step that has words, and of three more."""
        used = max((n + 1 for n in range(MOST_STEPS) if self[f"title{n}"].value()), default=0)
        return [(self[f"title{n}"], self[f"after{n}"]) for n in range(min(used + 3, MOST_STEPS))]


@desk(right="configure")
@require_safe
def index(request: DeskRequest) -> HttpResponse:
    """Every plan with its steps."""
    plans = [(row, read_steps(row.steps)) for row in StepPlan.objects.of(request.workspace)]
    return render(request, "tasks/plans.html", {"plans": plans})


@desk(right="configure")
@require_http_methods(["GET", "POST"])
def create(request: DeskRequest) -> HttpResponse:
    """A new one."""
    return _edit(request, None)


@desk(right="configure")
@require_http_methods(["GET", "POST"])
def edit(request: DeskRequest, pk: int) -> HttpResponse:
    """One that exists."""
    return _edit(request, find(StepPlan.objects.of(request.workspace), pk))


@desk(right="note")
@require_POST
def begin(request: DeskRequest, pk: int) -> HttpResponse:
    """Begin a plan (`plan`) for a conversation."""
    plan = find(StepPlan.objects.of(request.workspace), number(request.POST.get("plan", "")))
    said = _("“%(name)s” is begun; its steps stand under what is to be done.") % {"name": plan.name}
    return change(request, pk, lambda row, now: acts.begin_plan(request.membership, row, plan, now=now), said)


def _edit(request: DeskRequest, row: StepPlan | None) -> HttpResponse:
    start: dict[str, Any] = {"until_word": True, "active": True}
    if row is not None:
        start = {"name": row.name, "until_word": row.until_word, "active": row.active}
        for n, step in enumerate(read_steps(row.steps)):
            start |= {f"title{n}": step.title, f"after{n}": step.after}
    form = PlanForm(request.POST if request.method == "POST" else None, initial=start)
    if request.method == "POST" and form.is_valid():
        saying = {name: form.cleaned_data[name] for name in ("until_word", "active")}
        try:
            name = form.cleaned_data["name"]
            acts.save_plan(request.membership, row, name, form.steps(), **saying, now=timezone.now())
        except InvalidInput as error:
            form.add_error(None, told(error))
        else:
            messages.success(request, _("Saved."))
            return redirect("plans", slug=request.workspace.slug)
    return render(request, "tasks/plan.html", {"form": form, "row": row}, status=422 if form.errors else 200)
