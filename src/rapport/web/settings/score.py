"""How the score is made: the weights of this workspace, tried on the last posts while somebody moves them."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from rapport.actions.score import save_weights
from rapport.core.score import SHIPPED, Weights
from rapport.core.score_learning import LEAST_PAIRS, Lesson, learn
from rapport.store.models import ScoreWeights
from rapport.store.queries import score as reads
from rapport.store.queries.answered import read_pairs
from rapport.store.queries.settings import PAGE
from rapport.store.queries.snapshot import weights_of
from rapport.web.access import DeskRequest, desk, find
from rapport.web.settings.score_form import ScoreForm, values_of
from rapport.web.settings.score_shown import changes, show_preview


@desk(right="configure")
@require_http_methods(["GET", "POST"])
def edit(request: DeskRequest) -> HttpResponse:
    """The weights in force, or others to begin from (`?from=shipped`, `?from=learnt`); a save that meets a colleague's
    newer version says so instead of undoing it.
    """
    present, version = weights_of(request.workspace), reads.newest_version(request.workspace)
    begun = _begin(request, present)
    form = ScoreForm(
        request.POST if request.method == "POST" else None, initial=values_of(begun) | {"version": version}
    )
    newer: ScoreWeights | None = None
    draft = begun
    if request.method == "POST" and form.is_valid():
        draft = form.weights
        if draft == present:
            messages.info(request, _("Nothing changed: these weights are in force already."))
            return redirect("score", slug=request.workspace.slug)
        if form.cleaned_data["version"] == version:
            saved = save_weights(request.membership, draft, form.cleaned_data["note"], now=timezone.now())
            told = _("Version %(n)d is saved and in force. What is open was sorted anew.")
            messages.success(request, told % {"n": saved.version})
            return redirect("score", slug=request.workspace.slug)
        newer = reads.list_weights(request.workspace).first()
        form = ScoreForm({**request.POST.dict(), "version": str(version)})
    shown = {
        "form": form,
        "newer": newer,
        "version": version,
        "begun": begun if request.method == "GET" and begun != present else None,
        "is_shipped": present == SHIPPED,
        "versions": reads.list_weights(request.workspace)[:PAGE],
        **_try(request, present, draft),
    }
    return render(request, "settings/score.html", shown, status=409 if newer else 422 if form.errors else 200)


@desk(right="configure")
@require_POST
def preview(request: DeskRequest) -> HttpResponse:
    """What the draft would do to the last posts; asked again while somebody moves a weight. Answers fragments."""
    form = ScoreForm(request.POST)
    shown: dict[str, Any] = {"form": form}
    if form.is_valid():
        shown |= _try(request, weights_of(request.workspace), form.weights)
    answer = render(request, "settings/score_answer.html", shown)
    if form.errors:
        answer.headers["HX-Reswap"] = "none"  # what the last good draft did stays on the page
    return answer


@desk(right="configure")
@require_safe
def learnt(request: DeskRequest) -> HttpResponse:
    """What can be learnt from what people answered first: a fragment, because it takes a moment."""
    present = weights_of(request.workspace)
    lesson = _learn(request, present)
    shown = {
        "lesson": lesson,
        "least": LEAST_PAIRS,
        "changes": changes(present, lesson.weights) if lesson.weights else [],
    }
    return render(request, "settings/score_learnt.html", shown)


@desk(right="configure")
@require_POST
def restore(request: DeskRequest, version: int) -> HttpResponse:
    """Put an old version in force again, as a new one; 0 stands for the shipped weights."""
    weights, name = SHIPPED, _("The shipped weights")
    if version:
        chosen = find(ScoreWeights.objects.of(request.workspace), version=version)
        weights, name = Weights(**chosen.weights), _("Version %(n)d again") % {"n": version}
    saved = save_weights(request.membership, weights, name, now=timezone.now())
    messages.success(request, _("%(name)s, as version %(n)d.") % {"name": name, "n": saved.version})
    return redirect("score", slug=request.workspace.slug)


def _begin(request: DeskRequest, present: Weights) -> Weights:
    """The weights that the form begins with."""
    wanted = request.GET.get("from", "")
    if wanted == "shipped":
        return SHIPPED
    if wanted == "learnt":
        return _learn(request, present).weights or present
    return present


def _learn(request: DeskRequest, present: Weights) -> Lesson:
    return learn(read_pairs(request.workspace, timezone.now()), present)


def _try(request: DeskRequest, present: Weights, draft: Weights) -> dict[str, Any]:
    candidates = reads.read_candidates(request.workspace)
    return show_preview(reads.preview(candidates, present, draft, timezone.now()))
