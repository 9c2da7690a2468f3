"""Baskets: what belongs where, when each is staffed, what it promises, how its work is given out, who works in it."""

from __future__ import annotations

import datetime as dt
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from rapport.actions import baskets as acts
from rapport.actions.basket_archive import BACK_FOR, InTheWay, archive_basket, bring_back_basket, find_in_the_way
from rapport.core.errors import InvalidInput, NotAllowed
from rapport.core.hours import Hours
from rapport.store.models import AuditEntry, Basket, Conversation, Membership
from rapport.store.queries import load
from rapport.store.queries.settings import list_members
from rapport.web.access import DeskRequest, desk, find
from rapport.web.forms import ExactForm, number
from rapport.web.settings.basket_form import STRATEGY_TEXTS, BasketForm, bars
from rapport.web.told import told as in_words

#: holidays that the page names
SHOWN_HOLIDAYS = 6


class MemberForm(ExactForm):
    """What a colleague takes and is good at."""

    capacity = forms.IntegerField(
        label=gettext_lazy("Open conversations at once"), min_value=0, max_value=1000,
        help_text=gettext_lazy("In all baskets together. 0: no limit."),
    )  # fmt: skip
    languages = forms.CharField(
        label=gettext_lazy("Languages"), required=False, max_length=120,
        help_text=gettext_lazy("Codes such as de, en. Empty: any."),
    )  # fmt: skip
    skills = forms.CharField(
        label=gettext_lazy("Good at"), required=False, max_length=600,
        help_text=gettext_lazy("Words that rules ask for: skill:refunds. One word each, with commas between."),
    )  # fmt: skip


@desk(right="configure")
@require_safe
def index(request: DeskRequest) -> HttpResponse:
    """Every basket with what is open in it, its hours and what it promises."""
    now = timezone.now()
    setups = load.read_setups(request.workspace.pk, now)
    rows = [
        {
            "basket": basket,
            "setup": setups[basket.pk],
            "is_open": setups[basket.pk].hours.is_open(now),
            "opens": None if setups[basket.pk].hours.is_open(now) else setups[basket.pk].hours.next_opening(now),
            "strategy": STRATEGY_TEXTS[setups[basket.pk].strategy],
            "people": [each.membership for each in basket.members.all() if each.membership.active],
        }
        for basket in Basket.objects.of(request.workspace).select_related("overflow").prefetch_related(
            "members__membership__user"
        )
    ]  # fmt: skip
    return render(request, "settings/baskets.html", {"rows": rows, "gone": _archived(request, now), "now": now})


@desk(right="configure")
@require_http_methods(["GET", "POST"])
def create(request: DeskRequest) -> HttpResponse:
    """A new one."""
    return _edit(request, None)


@desk(right="configure")
@require_http_methods(["GET", "POST"])
def change(request: DeskRequest, pk: int) -> HttpResponse:
    """One that exists."""
    return _edit(request, find(Basket.objects.of(request.workspace).select_related("overflow"), pk))


@desk(right="configure")
@require_POST
def archive(request: DeskRequest, pk: int) -> HttpResponse:
    """Take it away; what lies in it goes `into` another one, by its short name."""
    basket = find(Basket.objects.of(request.workspace), pk)
    into = find(Basket.objects.of(request.workspace), slug=request.POST.get("into", ""))
    try:
        archive_basket(request.membership, basket, into, now=timezone.now())
    except InvalidInput as error:
        messages.error(request, in_words(error))
        return redirect("basket", slug=request.workspace.slug, pk=pk)
    told = _("%(name)s is archived; what lay in it lies in %(into)s. It can be brought back below.")
    messages.success(request, told % {"name": basket.name, "into": into.name})
    return redirect("baskets", slug=request.workspace.slug)


@desk(right="configure")
@require_POST
def bring_back(request: DeskRequest, pk: int) -> HttpResponse:
    """Bring an archived basket back: `pk` is the row of the audit that tells of it."""
    entry = find(_archivings(request, timezone.now()), pk)
    try:
        basket = bring_back_basket(request.membership, entry, now=timezone.now())
    except InvalidInput as error:
        messages.error(request, in_words(error))
        return redirect("baskets", slug=request.workspace.slug)
    messages.success(request, _("%(name)s is back, with its people and what lay in it.") % {"name": basket.name})
    return redirect("basket", slug=request.workspace.slug, pk=basket.pk)


def _archivings(request: DeskRequest, now: dt.datetime) -> Any:
    # by the index of what happened to which row: a year of audit is not gone through by time
    entries = AuditEntry.objects.of(request.workspace).filter(subject="basket", subject_id__gt="")
    return entries.filter(verb="basket.archive", at__gt=now - BACK_FOR)


def _archived(request: DeskRequest, now: dt.datetime) -> list[AuditEntry]:
    """What was archived lately and is not back, the newest first."""
    rows = _archivings(request, now).select_related("actor__user").order_by("-pk")
    present = {str(pk) for pk in Basket.objects.of(request.workspace).values_list("pk", flat=True)}
    newest: dict[str, AuditEntry] = {}
    for row in rows:
        newest.setdefault(row.subject_id, row)
    return [row for row in newest.values() if row.subject_id not in present]


@desk(right="team")
@require_POST
def people(request: DeskRequest, pk: int) -> HttpResponse:
    """Who works in it."""
    basket = find(Basket.objects.of(request.workspace), pk)
    wanted = {number(each) for each in request.POST.getlist("people")}
    members = list(Membership.objects.of(request.workspace).filter(active=True, pk__in=wanted))
    if len(members) != len(wanted):
        raise Http404  # one who is not theirs stops the whole list
    acts.set_people(request.membership, basket, members, now=timezone.now())
    messages.success(request, _("Saved, and in force with their next click."))
    return redirect("basket", slug=request.workspace.slug, pk=pk)


@desk(right="configure")
@require_http_methods(["GET", "POST"])
def member(request: DeskRequest, pk: int) -> HttpResponse:
    """What one colleague takes and is good at."""
    row = find(list_members(request.workspace), pk)
    start = {"capacity": row.capacity, "languages": ", ".join(row.languages), "skills": ", ".join(row.skills)}
    form = MemberForm(request.POST if request.method == "POST" else None, initial=start)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            acts.describe_member(
                request.membership, row, capacity=given["capacity"],
                languages=given["languages"].replace(",", " ").split(),
                skills=given["skills"].replace(",", " ").split(), now=timezone.now(),
            )  # fmt: skip
        except InvalidInput as error:
            form.add_error(None, in_words(error))
        else:
            messages.success(request, _("Saved."))
            return redirect("baskets", slug=request.workspace.slug)
    return render(
        request, "settings/basket_member.html", {"form": form, "member": row}, status=422 if form.errors else 200
    )


def _edit(request: DeskRequest, basket: Basket | None) -> HttpResponse:
    now, posted = timezone.now(), request.POST if request.method == "POST" else None
    form = BasketForm(posted, workspace=request.workspace, basket=basket, now=now)
    if posted is not None and form.is_valid():
        try:
            saved = acts.save_basket(request.membership, basket, form.wish(), now=now)
        except (InvalidInput, NotAllowed) as error:
            form.add_error(None, in_words(error))
        else:
            messages.success(request, _("Saved. What runs already goes on by the new hours and promises."))
            return redirect("basket", slug=request.workspace.slug, pk=saved.pk)
    return render(
        request, "settings/basket.html", _shown(request, basket, form, now), status=422 if form.errors else 200
    )


def _shown(request: DeskRequest, basket: Basket | None, form: BasketForm, now: dt.datetime) -> dict[str, Any]:
    hours = load.hours_of(basket.hours, now) if basket else Hours()
    inside = set(basket.members.values_list("membership_id", flat=True)) if basket else set()
    away = dict(load.absent(request.workspace.pk, now))
    return {
        "basket": basket,
        "form": form,
        "bars": bars(hours) if hours.week else [],
        "is_open": hours.is_open(now),
        "opens": hours.next_opening(now),
        "never": hours.never,
        "holidays": _next_holidays(hours, now),
        "members": [
            {"member": each, "inside": each.pk in inside, "away": each.pk in away}
            for each in list_members(request.workspace)
            if each.active
        ],
        "may_team": request.membership.may("team"),
        "now": now,
        **(_ends(request, basket) if basket else {}),
    }


def _ends(request: DeskRequest, basket: Basket) -> dict[str, Any]:
    """What archiving it needs: what names it and must be changed first, and where what lies in it can go."""
    others = list(Basket.objects.of(request.workspace).exclude(pk=basket.pk))
    return {
        "in_the_way": [(each, _address(request, each)) for each in find_in_the_way(request.workspace, basket)],
        "others": others,
        "into": basket.overflow_id or (others[0].pk if others else None),
        "lies_here": Conversation.objects.of(request.workspace).filter(basket=basket).count(),
    }


def _address(request: DeskRequest, found: InTheWay) -> str:
    """Where somebody changes what names a basket."""
    of = {"slug": request.workspace.slug}
    if found.kind == "acknowledgement":
        return reverse("acknowledgement", kwargs=of)
    if found.kind == "rule":
        return f"{reverse('rule_rows', kwargs=of)}?{urlencode({'name': found.name})}"
    return reverse("rule_text", kwargs=of)


def _next_holidays(hours: Hours, now: dt.datetime) -> list[tuple[dt.date, str]]:
    """The next public holidays, with their names in the language of the country."""
    if not hours.country:
        return []
    import holidays

    years = range(now.year, now.year + 2)
    try:
        found = holidays.country_holidays(hours.country, subdiv=hours.subdivision or None, years=years)
    except NotImplementedError:
        return []
    return sorted((day, name) for day, name in found.items() if day >= now.date())[:SHOWN_HOLIDAYS]
