"""Standing queries: what we listen for, edited as text."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from rapport.actions import listening
from rapport.core.errors import InvalidInput, InvalidQuery
from rapport.store.models import Topic
from rapport.store.queries import settings as reads
from rapport.web.access import DeskRequest, desk, find
from rapport.web.forms import ExactForm
from rapport.web.settings.excerpt import Excerpt, mark_position


class TopicForm(ExactForm):
    """A name and a query."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=200)
    query = forms.CharField(
        label=gettext_lazy("Query"),
        max_length=20_000,
        strip=False,
        widget=forms.Textarea(
            attrs={"class": "code query-text", "rows": 5, "spellcheck": "false", "autocapitalize": "none"}
        ),
    )
    active = forms.BooleanField(
        label=gettext_lazy("Listen for it"),
        required=False,
        help_text=gettext_lazy("Turned off, it keeps what it found and finds nothing new."),
    )

    def clean_query(self) -> str:
        """Browsers send line ends as CR LF; positions count them as one."""
        return str(self.cleaned_data["query"]).replace("\r\n", "\n")


@desk(right="configure")
@require_safe
def index(request: DeskRequest) -> HttpResponse:
    """Every topic with its query and how much it has found."""
    return render(request, "settings/topics.html", {"topics": reads.list_topics(request.workspace)})


@desk(right="configure")
@require_http_methods(["GET", "POST"])
def create(request: DeskRequest) -> HttpResponse:
    """A new topic."""
    return _edit(request, None)


@desk(right="configure")
@require_http_methods(["GET", "POST"])
def change(request: DeskRequest, pk: int) -> HttpResponse:
    """A topic that exists."""
    return _edit(request, find(reads.list_topics(request.workspace), pk))


@desk(right="configure")
@require_POST
def delete(request: DeskRequest, pk: int) -> HttpResponse:
    """Forget a topic and what it found; the posts stay."""
    topic = find(Topic.objects.of(request.workspace), pk)
    name = topic.name
    listening.delete_topic(request.membership, topic, now=timezone.now())
    messages.success(request, _("%(name)s is deleted. The posts that it found stay.") % {"name": name})
    return redirect("topics", slug=request.workspace.slug)


def _edit(request: DeskRequest, topic: Topic | None) -> HttpResponse:
    start = {"name": topic.name, "query": topic.query, "active": topic.active} if topic else {"active": True}
    form = TopicForm(request.POST if request.method == "POST" else None, initial=start)
    excerpt: Excerpt | None = None
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            listening.save_topic(
                request.membership,
                topic.slug if topic else "",
                given["name"],
                given["query"],
                given["active"],
                now=timezone.now(),
            )
        except InvalidQuery as error:
            excerpt = mark_position(given["query"], error.position)
            form.add_error("query", str(error))
        except InvalidInput as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Saved, and in force within a second."))
            return redirect("topics", slug=request.workspace.slug)
    shown = {"form": form, "topic": topic, "excerpt": excerpt}
    return render(request, "settings/topic.html", shown, status=422 if form.errors else 200)
