"""What was read of one post, and the sheet in which people correct it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from rapport.actions import corrections as acts
from rapport.core.decision import Outcome
from rapport.core.errors import RapportError
from rapport.core.felt import INTENTS, felt_of
from rapport.core.understand.corrected import EMOTIONS
from rapport.store.models import Conversation, Correction, Post
from rapport.store.queries.corrections import corrections_on
from rapport.store.queries.readings import read_counting
from rapport.store.queries.talk import judge
from rapport.web.access import DeskRequest, desk, find
from rapport.web.forms import number
from rapport.web.inbox.conversation import find_conversation
from rapport.web.reading_words import carried_by, describe, mood_toggles, toggles, toward_word, towards, value_word
from rapport.web.told import told

_HOW = ("urgency", "personal", "irony", "offensive", "hate", "spam")


@require_safe
@desk("read")
def readings(request: DeskRequest, pk: int, post: int) -> HttpResponse:
    """The sheet of one post."""
    row = find_conversation(request, pk)
    found, judged = _find_post(row, post)
    return _show(request, row, found, judged)


@require_POST
@desk("draft")
def correct(request: DeskRequest, pk: int, post: int) -> HttpResponse:
    """Say what a reading should have been: `set` is "intent.complaint=false", or "language" with the code beside it."""
    row = find_conversation(request, pk)
    found, _judged = _find_post(row, post)
    name, _equals, value = request.POST.get("set", "").partition("=")
    if name == "language":
        value = request.POST.get("language", "")

    def act() -> str:
        made = acts.correct(request.membership, found, name, value, now=timezone.now())
        return _("%(reading)s. In force at once for everybody who says the same.") % {"reading": describe(made)}

    return _done(request, row, found.pk, act)


@require_POST
@desk("draft")
def withdraw(request: DeskRequest, pk: int, post: int) -> HttpResponse:
    """Take a correction of this post back (`correction`)."""
    row = find_conversation(request, pk)
    found, _judged = _find_post(row, post)
    said = corrections_on(request.workspace, [found]).get(found.pk, [])
    wanted = number(request.POST.get("correction", ""))
    made = next((each for each in said if each.pk == wanted and _may_withdraw(request, each)), None)
    if made is None:
        raise Http404

    def act() -> str:
        acts.withdraw(request.membership, made, now=timezone.now())
        return _("Taken back: %(reading)s.") % {"reading": describe(made)}

    return _done(request, row, found.pk, act)


def _find_post(row: Conversation, pk: int) -> tuple[Post, Outcome]:
    """A post of theirs in this conversation that has been read. Raises `Http404`."""
    rows = Post.objects.of(row.workspace_id).filter(conversation_id=row.pk, ours=False, deleted=False)
    found = find(rows.select_related("handle", "outcome"), pk)
    judged = judge(found)
    if judged is None:
        raise Http404
    return found, judged


def _done(request: DeskRequest, row: Conversation, post: int, act: Callable[[], str]) -> HttpResponse:
    """Do it, then the sheet again; what cannot be done is said where the person works."""
    in_sheet = bool(request.headers.get("HX-Request"))
    try:
        said = act()
    except RapportError as error:
        if in_sheet:
            return HttpResponse(status=204, headers={"HX-Trigger": json.dumps({"desk-problem": {"say": told(error)}})})
        raise
    if not in_sheet:
        messages.success(request, said)
        where = f"/w/{request.workspace.slug}/c/{row.pk}/readings/{post}/"
        return HttpResponseRedirect(where, status=303)
    found, judged = _find_post(row, post)
    response = _show(request, row, found, judged)
    response.headers["HX-Trigger"] = json.dumps({"desk-changed": {"say": said}, "desk-corrected": {}})
    return response


def _show(request: DeskRequest, row: Conversation, post: Post, judged: Outcome) -> HttpResponse:
    said = corrections_on(_fresh(request), [post]).get(post.pk, [])
    by, reading, counting = request.membership, judged.reading, read_counting(row.workspace_id)
    context: dict[str, Any] = {
        "conversation": row,
        "post": post,
        "reading": reading,
        "moods": mood_toggles(felt_of(judged), counting),
        "felt": ", ".join(map(toward_word, towards(judged))),
        "whole": value_word("sentiment", reading.sentiment.label),
        "emotions": toggles(reading, tuple(f"emotion.{name}" for name in EMOTIONS), counting),
        "intents": toggles(reading, tuple(f"intent.{name}" for name in INTENTS), counting),
        "others": toggles(reading, _HOW, counting),
        "said": [(each, _may_withdraw(request, each)) for each in said],
        "carried": carried_by(judged, post.text, counting),
        "languages": sorted({*request.workspace.languages, reading.language, *COMMON} - {"und"}),
        "may_correct": by.may("draft"),
        "here": f"/w/{request.workspace.slug}/c/{row.pk}/",
    }
    whole = not request.headers.get("HX-Request")
    return render(request, "desk/readings_page.html" if whole else "desk/readings.html", context)


#: languages that are offered beside those of the workspace
COMMON = ("ar", "de", "en", "es", "fr", "hi", "it", "ja", "nl", "pl", "pt", "tr", "uk", "zh")


def _fresh(request: DeskRequest) -> Any:
    """The workspace as it is now: the first correction of all has just been made."""
    request.workspace.refresh_from_db(fields=["corrections_version"])
    return request.workspace


def _may_withdraw(request: DeskRequest, row: Correction) -> bool:
    return request.membership.may("draft") and (
        row.by_id == request.membership.pk or request.membership.may("configure")
    )
