"""Standing queries: what we listen for. Boxes and text side by side, tried on the stored posts while one types."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from rapport.actions import listening, rematch
from rapport.core.errors import InvalidInput, InvalidQuery
from rapport.store.models import Topic
from rapport.store.queries import topics as history
from rapport.store.queries.voices import share_of_voice
from rapport.web.access import DeskRequest, desk, find
from rapport.web.forms import number
from rapport.web.settings.excerpt import mark_position, place_of
from rapport.web.settings.topic_form import Boxes, TopicForm, agree, boxes_for, split_hides
from rapport.web.settings.topic_shown import show_count
from rapport.web.told import told

#: days over which the share of voice can be looked at
PERIODS = (1, 7, 30, 90)
#: what the address says for "without accounts that look automated"
WITHOUT = "without"
#: seconds that a count may take before its answer goes out: with a whole page, while somebody types, going on, and
#: where no script asks for the rest
PAGE, FIRST, NEXT, ALL = 0.01, 0.025, 0.25, 3.0


@desk(right="configure")
@require_safe
def index(request: DeskRequest) -> HttpResponse:
    """Every topic with its query and how much it has found, and their share of voice over a period."""
    chosen = number(request.GET.get("days", ""))
    days = chosen if chosen in PERIODS else 30
    since = timezone.now() - dt.timedelta(days=days)
    topics = list(history.listed_topics(request.workspace.pk))
    people_only = request.GET.get("automated", "") == WITHOUT
    voices = share_of_voice(request.workspace.pk, since, topics, people_only=people_only)
    shown = {
        "topics": topics,
        "voices": voices,
        "heard": sum(voice.found for voice in voices),
        "machines": sum(voice.automated for voice in voices),
        "people_only": people_only,
        "days": days,
        "periods": PERIODS,
    }
    return render(request, "settings/topics.html", shown)


@desk(right="configure")
@require_http_methods(["GET", "POST"])
def create(request: DeskRequest) -> HttpResponse:
    """A new topic."""
    return _edit(request, None)


@desk(right="configure")
@require_http_methods(["GET", "POST"])
def change(request: DeskRequest, pk: int) -> HttpResponse:
    """A topic that exists."""
    return _edit(request, find(history.listed_topics(request.workspace.pk), pk))


@desk(right="configure")
@require_POST
def delete(request: DeskRequest, pk: int) -> HttpResponse:
    """Forget a topic and what it found; the posts stay."""
    topic = find(Topic.objects.of(request.workspace), pk)
    name = topic.name
    listening.delete_topic(request.membership, topic, now=timezone.now())
    messages.success(request, _("%(name)s is deleted. The posts that it found stay.") % {"name": name})
    return redirect("topics", slug=request.workspace.slug)


@desk(right="configure")
@require_POST
def preview(request: DeskRequest) -> HttpResponse:
    """What the query finds among the stored posts, as far as a moment allows; asked again while somebody types.

    Answers fragments: the count, the state that the script puts into boxes, text and underlining, and the problem.
    """
    form, boxes = _form(request, None)
    wanted = form.written("topic")
    topic = find(Topic.objects.of(request.workspace), number(wanted)) if wanted else None
    so_far = history.read_count(form.written("so_far"))
    shown = _try(request, form, boxes, topic, so_far, NEXT if so_far else FIRST)
    answer = render(request, "settings/topic_try.html", shown)
    if "count" not in shown:
        answer.headers["HX-Reswap"] = "none"  # what the last good query found stays on the page
    return answer


@desk(right="configure")
@require_http_methods(["GET", "POST"])
def apply(request: DeskRequest, pk: int) -> HttpResponse:
    """Apply the saved query to the stored posts, too (POST), and how far that has come (GET, a fragment)."""
    topic = find(Topic.objects.of(request.workspace), pk)
    if request.method == "POST":
        rematch.begin_rematch(request.membership, topic, now=timezone.now())
        return redirect("topic", slug=request.workspace.slug, pk=pk)
    return render(request, "settings/topic_rematch.html", {"topic": topic, "run": rematch.look_up_rematch(topic)})


def _form(request: DeskRequest, topic: Topic | None) -> tuple[TopicForm, Boxes]:
    """The form as it was sent, else as the topic is saved; text and boxes agree."""
    networks = history.networks_of(request.workspace.pk)
    if request.method == "POST":
        sent, boxes = agree(request.POST, networks)
        return TopicForm(sent, networks=networks), boxes
    start: dict[str, Any] = {"active": True, "led": "text", "automated": request.GET.get("automated", "")[:7]}
    boxes = Boxes()
    if topic is not None:
        boxes = boxes_for(topic.query, networks)
        start |= {"name": topic.name, "query": topic.query, "active": topic.active, "topic": topic.pk}
        start |= {"hides": "\n".join(topic.hides), **boxes.values}
    return TopicForm(None, initial=start, networks=networks), boxes


def _edit(request: DeskRequest, topic: Topic | None) -> HttpResponse:
    form, boxes = _form(request, topic)
    looks = form.written("do") in {"show", "build"}
    if form.is_bound and not looks and form.is_valid():
        saved = _save(request, form, topic)
        if saved is not None:
            address = reverse("topic", kwargs={"slug": request.workspace.slug, "pk": saved.pk})
            return redirect(address + (f"?automated={WITHOUT}" if form.written("automated") == WITHOUT else ""))
    shown = _try(request, form, boxes, topic, None, ALL if looks else PAGE)
    shown |= {"topic": topic, "run": rematch.look_up_rematch(topic) if topic else None}
    return render(request, "settings/topic.html", shown, status=422 if form.is_bound and not looks else 200)


def _save(request: DeskRequest, form: TopicForm, topic: Topic | None) -> Topic | None:
    """Save what the form says; None when it was refused, and then the form says why."""
    now = timezone.now()
    if not form.written("name").strip():
        form.add_error("name", _("A topic needs a name."))
        return None
    try:
        saved = listening.save_topic(
            request.membership,
            topic.slug if topic else "",
            form.written("name"),
            form.written("query"),
            form.cleaned_data["active"],
            hides=split_hides(form.written("hides")),
            now=now,
        )
    except InvalidInput:
        return None  # told where it was written, with its place: see `_try`
    messages.success(request, _("Saved, and in force within a second."))
    if form.cleaned_data["apply"]:
        rematch.begin_rematch(request.membership, saved, now=now)
    return saved


def _try(
    request: DeskRequest,
    form: TopicForm,
    boxes: Boxes,
    topic: Topic | None,
    so_far: history.Count | None,
    seconds: float,
) -> dict[str, Any]:
    """What the page shows of the query as it is written now: its count, or the problem and its place."""
    query, workspace = form.written("query"), request.workspace.pk
    asked = history.Asked(
        query, topic.query if topic else "", split_hides(form.written("hides")), topic.pk if topic else 0
    )
    people_only = form.written("automated") == WITHOUT
    shown: dict[str, Any] = {"form": form, "boxes": boxes, "problem": "", "hides_problem": "", "place": None}
    zone = timezone.get_current_timezone()
    try:
        if query.strip() or form.is_bound:
            count = history.count_on(workspace, asked, so_far, now=timezone.now(), zone=zone, seconds=seconds)
            shown |= show_count(workspace, asked, count, people_only=people_only)
    except InvalidQuery as error:
        place = place_of(query, error.position)
        shown |= {"problem": told(error), "place": place, "excerpt": mark_position(query, error.position)}
    except InvalidInput as error:
        shown |= {"hides_problem": told(error)}
    state = {
        "led": form.written("led"),
        "query": query,
        "boxes": boxes.values,
        "beyond": boxes.beyond,
        "place": shown["place"],
        "problem": shown["problem"],
        "hides_problem": shown["hides_problem"],
        "said": shown.get("said", ""),
    }
    return shown | {"state": msgspec.json.encode(state).decode()}
