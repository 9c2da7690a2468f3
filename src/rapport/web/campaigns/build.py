"""The builder of campaigns: what is looked for, in which words it is answered, when it runs."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.contrib import messages
from django.core.validators import MaxValueValidator, MinValueValidator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST

from rapport.actions import campaigns as acts
from rapport.actions.campaigns import Terms
from rapport.core.campaigns import MOST_VARIANTS
from rapport.core.errors import InvalidInput
from rapport.store.models import Campaign, Channel, Topic, Variant
from rapport.web.access import DeskRequest, desk, find
from rapport.web.forms import ExactForm
from rapport.web.told import told as in_words

#: wordings that a new campaign has room for
FIRST_ROOM = 3
_PLACEHOLDERS = gettext_lazy("{first_name} becomes the person's first name, {agent} the name of whoever answers.")
#: days that a campaign may begin and end with: midnight of any of them, in any zone, is a moment
_BOUNDS = (MinValueValidator(dt.date(1900, 1, 1)), MaxValueValidator(dt.date(2999, 12, 31)))


class CampaignForm(ExactForm):
    """What is looked for and from where it is answered; the wordings come as `more`."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    query = forms.CharField(
        label=gettext_lazy("Words to look for"),
        required=False,
        max_length=5_000,
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
        help_text=gettext_lazy('As in topics: late OR delayed, "lost parcel", NOT refund.'),
    )
    topic = forms.ChoiceField(
        label=gettext_lazy("Topic"),
        required=False,
        help_text=gettext_lazy("With words as well, a post must be of the topic and hold them."),
    )
    channel = forms.ChoiceField(label=gettext_lazy("Account that answers"), required=False)
    since = forms.DateField(
        label=gettext_lazy("From"), required=False, validators=_BOUNDS,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )  # fmt: skip
    until = forms.DateField(
        label=gettext_lazy("Up to and with"),
        required=False,
        validators=_BOUNDS,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )
    per_person = forms.IntegerField(
        label=gettext_lazy("Answers to one person, at most"), min_value=1, max_value=10, initial=1
    )


def _form(request: DeskRequest, row: Campaign | None) -> CampaignForm:
    known = list(Variant.objects.filter(campaign=row).order_by("pk")) if row else []
    room = min(MOST_VARIANTS, max(FIRST_ROOM, len(known) + 1))
    more: dict[str, forms.Field] = {}
    start: dict[str, Any] = _start(row) if row else {}
    for place in range(1, room + 1):
        had = known[place - 1] if place <= len(known) else None
        more[f"variant{place}"] = forms.CharField(
            label=_("Name of wording %(n)d") % {"n": place}, max_length=40, required=False
        )
        more[f"text{place}"] = forms.CharField(
            label=_("Text %(n)d") % {"n": place}, max_length=acts.MAX_TEXT, required=False, strip=False,
            widget=forms.Textarea(attrs={"rows": 4}), help_text=_PLACEHOLDERS if place == 1 else "",
        )  # fmt: skip
        start[f"variant{place}"] = had.name if had else chr(ord("A") + place - 1)
        start[f"text{place}"] = had.text if had else ""
    form = CampaignForm(request.POST if request.method == "POST" else None, initial=start, more=more)
    topics = Topic.objects.of(request.workspace).order_by("name").values_list("pk", "name")
    accounts = Channel.objects.of(request.workspace).exclude(handle="").order_by("name").values_list("pk", "name")
    _choose(form, "topic", [("", _("any"))], topics)
    _choose(form, "channel", [("", _("that of the conversation"))], accounts)
    return form


def _choose(form: CampaignForm, name: str, first: list[tuple[str, str]], rows: Any) -> None:
    field = form.fields[name]
    assert isinstance(field, forms.ChoiceField)
    field.choices = [*first, *((str(pk), label) for pk, label in rows)]


def _start(row: Campaign) -> dict[str, Any]:
    return {
        "name": row.name,
        "query": row.query,
        "topic": str(row.topic_id or ""),
        "channel": str(row.channel_id or ""),
        "since": timezone.localtime(row.since).date() if row.since else None,
        "until": timezone.localtime(row.until).date() - dt.timedelta(days=1) if row.until else None,
        "per_person": row.per_person,
    }


def _terms(request: DeskRequest, told: dict[str, Any]) -> Terms:
    topics, accounts = Topic.objects.of(request.workspace), Channel.objects.of(request.workspace)
    return Terms(
        name=told["name"],
        query=told["query"],
        topic=find(topics, int(told["topic"])) if told["topic"] else None,
        channel=find(accounts, int(told["channel"])) if told["channel"] else None,
        since=_midnight(told["since"]) if told["since"] else None,
        until=_midnight(told["until"] + dt.timedelta(days=1)) if told["until"] else None,
        per_person=told["per_person"],
    )


def _midnight(day: dt.date) -> dt.datetime:
    return timezone.make_aware(dt.datetime.combine(day, dt.time()))


@require_http_methods(["GET", "HEAD", "POST"])
@desk("campaign")
def create(request: DeskRequest) -> HttpResponse:
    """A new one."""
    return _edit(request, None)


@require_http_methods(["GET", "HEAD", "POST"])
@desk("campaign")
def change(request: DeskRequest, pk: int) -> HttpResponse:
    """One that does not run."""
    return _edit(request, find(Campaign.objects.of(request.workspace), pk))


def _edit(request: DeskRequest, row: Campaign | None) -> HttpResponse:
    form = _form(request, row)
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        wordings = [(told[f"variant{n}"], told[f"text{n}"]) for n in range(1, MOST_VARIANTS + 1) if f"text{n}" in told]
        try:
            saved = acts.save_campaign(request.membership, row, _terms(request, told), wordings, now=timezone.now())
        except InvalidInput as error:
            form.add_error(None, in_words(error))
        else:
            return _look(request, saved)
    groups = [(form[f"variant{n}"], form[f"text{n}"]) for n in range(1, MOST_VARIANTS + 1) if f"text{n}" in form.fields]
    plain = [form[name] for name in CampaignForm.base_fields if name not in ("name", "query")]
    context = {"form": form, "row": row, "wordings": groups, "plain": plain}
    return render(request, "campaigns/form.html", context, status=422 if form.errors else 200)


@require_POST
@desk("campaign")
def find_posts(request: DeskRequest, pk: int) -> HttpResponse:
    """Look for posts, again."""
    return _look(request, find(Campaign.objects.of(request.workspace), pk))


def _look(request: DeskRequest, row: Campaign) -> HttpResponse:
    new = acts.find_posts(request.membership, row, now=timezone.now())
    said = ngettext("%(n)d new post to answer.", "%(n)d new posts to answer.", new) % {"n": new}
    messages.success(request, said) if new else messages.info(request, _("Nothing new was found."))
    return redirect("campaign", slug=request.workspace.slug, pk=row.pk)


@require_POST
@desk("campaign")
def move(request: DeskRequest, pk: int) -> HttpResponse:
    """Let it run (`how=run`), stop it (`stop`, with `reason`), finish or delete it."""
    row, by, now = find(Campaign.objects.of(request.workspace), pk), request.membership, timezone.now()
    how = request.POST.get("how", "")
    try:
        if how == "run":
            acts.run_campaign(by, row, now=now)
            messages.success(request, _("It runs: colleagues can work on it."))
        elif how == "stop":
            back = acts.stop_campaign(by, row, request.POST.get("reason", ""), now=now)
            said = ngettext(
                "Stopped. %(n)d reply that had not left is taken back.",
                "Stopped. %(n)d replies that had not left are taken back.", back,
            )  # fmt: skip
            messages.warning(request, said % {"n": back})
        elif how == "finish":
            acts.finish_campaign(by, row, now=now)
            messages.success(request, _("Finished. Its results go on being counted."))
        elif how == "delete":
            acts.delete_campaign(by, row, now=now)
            messages.success(request, _("%(name)s is deleted.") % {"name": row.name})
            return redirect("campaigns", slug=request.workspace.slug)
    except InvalidInput as error:
        messages.error(request, in_words(error))
    return redirect("campaign", slug=request.workspace.slug, pk=row.pk)
