"""How posts are read here: from which certainty readings count, the second look with its cost, the team's own model."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from rapport.actions import team_model as acts
from rapport.actions.readings import save_reading_settings
from rapport.core.thresholds import SHIPPED, Thresholds
from rapport.pipeline.second_look import measure_look
from rapport.store.models import TeamModel
from rapport.store.queries.readings import read_counting, read_last, read_settings
from rapport.store.queries.snapshot import read_share
from rapport.web.access import DeskRequest, desk, find
from rapport.web.settings.readings_form import GROUPS, ReadingsForm, field_of, values_of
from rapport.web.settings.readings_shown import show_cost, show_team, show_trial
from rapport.wiring import current_settings


@desk(right="configure")
@require_http_methods(["GET", "POST"])
def edit(request: DeskRequest) -> HttpResponse:
    """The thresholds and the share in force, or the shipped ones to begin from (`?from=shipped`); a save that meets a
    colleague's newer one says so instead of undoing it.
    """
    present, share = read_counting(request.workspace.pk), read_share(request.workspace.pk)
    last = read_settings(request.workspace)
    saved_at = last.changed_at.isoformat() if last else ""
    begun = SHIPPED if request.GET.get("from") == "shipped" else present
    initial = values_of(begun, share) | {"begun": saved_at}
    form = ReadingsForm(request.POST if request.method == "POST" else None, initial=initial)
    draft, newer = begun, None
    if request.method == "POST" and form.is_valid():
        draft = form.thresholds
        if (draft, form.share_set) == (present, share):
            messages.info(request, _("Nothing changed: this is in force already."))
            return redirect("readings", slug=request.workspace.slug)
        if form.cleaned_data["begun"] == saved_at:
            save_reading_settings(request.membership, draft, form.share_set, now=timezone.now())
            messages.success(request, _("Saved and in force. The lists by mood and intent were sorted anew."))
            return redirect("readings", slug=request.workspace.slug)
        newer, form = last, ReadingsForm({**request.POST.dict(), "begun": saved_at})
    shown = {
        "newer": newer,
        "form": form,
        "is_shipped": present == SHIPPED,
        "begun": begun != present,
        "share_percent": round(100 * (current_settings().deep_share if share is None else share)),
        "changed": last,
        **_try(request, form, present, draft),
        **show_team(request.workspace),
    }
    return render(request, "settings/readings.html", shown, status=409 if newer else 422 if form.errors else 200)


@desk(right="configure")
@require_POST
def preview(request: DeskRequest) -> HttpResponse:
    """What the draft would do to the last posts; asked again while somebody moves a threshold. Answers fragments."""
    form = ReadingsForm(request.POST)
    if not form.is_valid():
        answer = render(request, "settings/readings_answer.html", {"form": form})
        answer.headers["HX-Reswap"] = "none"  # what the last good draft did stays on the page
        return answer
    shown = _try(request, form, read_counting(request.workspace.pk), form.thresholds, form.cleaned_data["about"])
    shown |= _cost(request, shown["posts"], form.share_set)
    return render(request, "settings/readings_answer.html", shown)


@desk(right="configure")
@require_safe
def cost(request: DeskRequest) -> HttpResponse:
    """What the share in force costs: a fragment, because the first look is measured first."""
    share = read_share(request.workspace.pk)
    return render(request, "settings/readings_cost.html", _cost(request, read_last(request.workspace), share))


@desk(right="configure")
@require_http_methods(["GET", "POST"])
def team(request: DeskRequest) -> HttpResponse:
    """How the team's own model stands: a fragment while it is learnt. POST: have one learnt by a worker."""
    if request.method == "POST":
        acts.ask_team_model(request.membership, now=timezone.now())
        return redirect("readings", slug=request.workspace.slug)
    return render(request, "settings/readings_team.html", show_team(request.workspace))


@desk(right="configure")
@require_POST
def use(request: DeskRequest, version: int) -> HttpResponse:
    """Put a version of the team's model in force."""
    row = find(TeamModel.objects.of(request.workspace), version=version)
    acts.use_team_model(request.membership, row, now=timezone.now())
    messages.success(request, _("Your model, version %(n)d, is in force with the next post.") % {"n": version})
    return redirect("readings", slug=request.workspace.slug)


@desk(right="configure")
@require_POST
def shipped(request: DeskRequest) -> HttpResponse:
    """Back to the shipped model."""
    acts.withdraw_team_model(request.membership, now=timezone.now())
    messages.success(request, _("The shipped model reads alone again."))
    return redirect("readings", slug=request.workspace.slug)


def _try(
    request: DeskRequest, form: ReadingsForm, present: Thresholds, draft: Thresholds, about: str = ""
) -> dict[str, Any]:
    shown = show_trial(request.workspace, present, draft, about)
    groups = [
        (heading, [(form[field_of(name)], shown["counts"][field_of(name)]) for name in names])
        for heading, names in GROUPS
    ]
    return shown | {"form": form, "groups": groups}


def _cost(request: DeskRequest, posts: Any, share: float | None) -> dict[str, Any]:
    default = current_settings().deep_share
    used = default if share is None else share
    return {
        "cost": show_cost(request.workspace, posts, used, measure_look(), timezone.now()),
        "share": used,
        "is_default": share is None,
        "default": default,
    }
