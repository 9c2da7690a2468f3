"""Surveys on the desk: their pages under settings, the link of a conversation, what was answered."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from rapport.actions import surveys as acts
from rapport.core.errors import InvalidInput
from rapport.core.survey_words import WORDS
from rapport.core.surveys import MOST_QUESTIONS, Question, read_questions
from rapport.store.models import Invitation, Survey
from rapport.store.queries import surveys as reads
from rapport.web.access import DeskRequest, desk, find
from rapport.web.forms import ExactForm
from rapport.web.inbox.conversation import change, find_conversation
from rapport.web.told import told

KINDS = [
    ("", gettext_lazy("no question")),
    ("score", gettext_lazy("How satisfied, 1 to 5")),
    ("choice", gettext_lazy("One of several")),
    ("text", gettext_lazy("In their own words")),
]
#: names of the languages that the page of a survey speaks
LANGUAGES = {
    "en": "English", "de": "Deutsch", "fr": "Français", "es": "Español", "it": "Italiano", "pt": "Português",
    "nl": "Nederlands", "ar": "العربية", "he": "עברית",
}  # fmt: skip
#: days that the results look back
DAYS = (30, 90, 365)


class SurveyForm(ExactForm):
    """A name, a language, and up to five questions."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    language = forms.ChoiceField(label=gettext_lazy("Language"), choices=[(code, LANGUAGES[code]) for code in WORDS])
    thanks = forms.CharField(
        label=gettext_lazy("Said when it was answered"),
        max_length=acts.MAX_THANKS,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    days = forms.IntegerField(
        label=gettext_lazy("A link is valid for so many days"), min_value=1, max_value=acts.LONGEST, initial=14
    )
    active = forms.BooleanField(label=gettext_lazy("In use"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        more: dict[str, forms.Field] = {}
        for number in range(MOST_QUESTIONS):
            more[f"kind{number}"] = forms.ChoiceField(label=_("How it is answered"), choices=KINDS, required=False)
            more[f"text{number}"] = forms.CharField(label=_("Its words"), max_length=200, required=False)
            more[f"choices{number}"] = forms.CharField(
                label=_("To choose from, one a line"), max_length=1_000, required=False,
                widget=forms.Textarea(attrs={"rows": 3}),
            )  # fmt: skip
        super().__init__(*args, more=more, label_suffix="", **kwargs)

    def questions(self) -> list[Question]:
        """Those that have a kind, in their order."""
        filled = self.cleaned_data
        return [
            Question(filled[f"kind{n}"], filled[f"text{n}"], tuple(filled[f"choices{n}"].splitlines()))
            for n in range(MOST_QUESTIONS)
            if filled[f"kind{n}"]
        ]

    def rows(self) -> list[tuple[bool, Any, Any, Any]]:
        """(whether it is open from the start, kind, words, choices) of each question; the first always is."""
        found = []
        for n in range(MOST_QUESTIONS):
            kind, text, choices = (self[f"{part}{n}"] for part in ("kind", "text", "choices"))
            filled = any(field.value() or field.errors for field in (kind, text, choices))
            found.append((n == 0 or filled, kind, text, choices))
        return found


@desk(right="configure")
@require_safe
def index(request: DeskRequest) -> HttpResponse:
    """Every survey with its numbers."""
    return render(request, "surveys/index.html", {"tallies": reads.tallies(request.workspace.pk)})


@desk(right="configure")
@require_http_methods(["GET", "POST"])
def create(request: DeskRequest) -> HttpResponse:
    """A new one; it begins with the question that most ask."""
    return _edit(request, None)


@desk(right="configure")
@require_http_methods(["GET", "POST"])
def edit(request: DeskRequest, pk: int) -> HttpResponse:
    """One that exists; links that are out ask what they asked."""
    return _edit(request, find(Survey.objects.of(request.workspace), pk))


@desk(right="configure")
@require_safe
def results(request: DeskRequest, pk: int) -> HttpResponse:
    """What was answered within the last `days`."""
    row = find(Survey.objects.of(request.workspace), pk)
    wanted = request.GET.get("days", "")
    days = next((each for each in DAYS if str(each) == wanted), 90)
    since = timezone.now() - dt.timedelta(days=days)
    answers = reads.visible_answers(request.membership, row).filter(at__gte=since).order_by("-at")
    given = answers.select_related("invitation__person", "invitation__conversation", "invitation__made_by__user")
    context = {
        "survey": row,
        "tally": next(each for each in reads.tallies(request.workspace.pk) if each.survey.pk == row.pk),
        "columns": reads.columns(row, since),
        "answers": [(answer.invitation, reads.told_answers(answer.invitation)) for answer in given[: reads.PAGE]],
        "days": days,
        "spans": DAYS,
    }
    return render(request, "surveys/results.html", context)


def _edit(request: DeskRequest, row: Survey | None) -> HttpResponse:
    start: dict[str, Any] = {
        "language": "en", "days": 14, "active": True, "kind0": "score",
        "text0": _("How happy are you with our answer?"),
    }  # fmt: skip
    if row is not None:
        start = {name: getattr(row, name) for name in ("name", "language", "thanks", "days", "active")}
        for number, question in enumerate(read_questions(row.questions)):
            start |= {f"kind{number}": question.kind, f"text{number}": question.text}
            start[f"choices{number}"] = "\n".join(question.choices)
    form = SurveyForm(request.POST if request.method == "POST" else None, initial=start)
    if request.method == "POST" and form.is_valid():
        saying = {name: form.cleaned_data[name] for name in ("name", "language", "thanks", "days", "active")}
        try:
            acts.save_survey(request.membership, row, questions=form.questions(), **saying, now=timezone.now())
        except InvalidInput as error:
            form.add_error(None, told(error))
        else:
            messages.success(request, _("Saved."))
            return redirect("surveys", slug=request.workspace.slug)
    return render(request, "surveys/survey.html", {"form": form, "row": row}, status=422 if form.errors else 200)


@desk(right="draft")
@require_POST
def ask(request: DeskRequest, pk: int) -> HttpResponse:
    """Put a link to a survey (`survey`: its slug) at the end of one's draft."""
    row = find(Survey.objects.of(request.workspace), slug=request.POST.get("survey", ""))
    said = _("The link stands at the end of your draft. Read it, then send it.")
    return change(request, pk, lambda talk, now: acts.put_into_draft(request.membership, talk, row, now=now), said)


@desk(right="draft")
@require_POST
def take_back(request: DeskRequest, pk: int, invitation: int) -> HttpResponse:
    """The link opens nothing any more."""
    talk = find_conversation(request, pk)
    rows = Invitation.objects.of(request.workspace).filter(conversation=talk)
    row = find(rows.select_related("conversation"), invitation)
    said = _("Taken back: the link opens nothing any more.")
    return change(request, pk, lambda _row, now: acts.take_back_invitation(request.membership, row, now=now), said)
