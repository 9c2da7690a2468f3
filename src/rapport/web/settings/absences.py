"""Who is away, and who stands in: one's own absences, and for leads those of everybody."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST

from rapport.actions import absences as acts
from rapport.core.errors import InvalidInput, NotAllowed
from rapport.store.models import Absence, Membership
from rapport.store.queries.desk import visible_colleagues
from rapport.store.queries.load import absences_of, colleagues_of
from rapport.web.access import DeskRequest, desk, find
from rapport.web.forms import ExactForm
from rapport.web.told import told


def _local() -> forms.DateTimeInput:
    return forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")


class AbsenceForm(ExactForm):
    """From when to when, and who stands in."""

    since = forms.DateTimeField(label=gettext_lazy("From"), widget=_local())
    until = forms.DateTimeField(
        label=gettext_lazy("Until"), widget=_local(), required=False,
        help_text=gettext_lazy("Empty: until you say that you are back."),
    )  # fmt: skip
    deputy = forms.ChoiceField(
        label=gettext_lazy("Who stands in"), required=False,
        help_text=gettext_lazy("New words of people whom you know go to them, in the baskets in which they work."),
    )  # fmt: skip
    note = forms.CharField(label=gettext_lazy("Note for colleagues"), required=False, max_length=200)

    def __init__(
        self, *args: Any, colleagues: list[Membership], member: Membership, whose: bool, **kwargs: Any
    ) -> None:
        """`whose`: the person may say it for others too."""
        self._colleagues = {str(each.pk): each for each in colleagues}
        self._member = member
        more: dict[str, forms.Field] = {}
        if whose:
            people = [(pk, str(each)) for pk, each in self._colleagues.items()]
            more["member"] = forms.ChoiceField(label=_("Who is away"), choices=people)
        super().__init__(*args, more=more, **kwargs)
        self.order_fields(["member", "since", "until", "deputy", "note"])
        standing_in = [(pk, str(each)) for pk, each in self._colleagues.items() if whose or each.pk != member.pk]
        self.fields["deputy"].choices = [("", _("nobody")), *standing_in]  # type: ignore[attr-defined]

    def who(self) -> Membership:
        """Who is away."""
        return self._colleagues.get(self.cleaned_data.get("member", ""), self._member)

    def stand_in(self) -> Membership | None:
        """Who stands in, if anybody does."""
        return self._colleagues.get(self.cleaned_data["deputy"])


@desk(right="draft")
@require_http_methods(["GET", "POST"])
def index(request: DeskRequest) -> HttpResponse:
    """Everybody's absences for leads, one's own for others; a form for another one."""
    now, member = timezone.now(), request.membership
    leads = member.may("configure")
    seen = set(visible_colleagues(member).values_list("pk", flat=True))
    colleagues = [each for each in colleagues_of(request.workspace.pk) if each.pk in seen]
    start = {"since": timezone.localtime(now).replace(second=0, microsecond=0), "member": str(member.pk)}
    posted = request.POST if request.method == "POST" else None
    form = AbsenceForm(posted, initial=start, colleagues=colleagues, member=member, whose=leads)
    if posted is not None and form.is_valid():
        given = form.cleaned_data
        try:
            acts.save_absence(
                member, form.who(), since=given["since"], until=given["until"], deputy=form.stand_in(),
                note=given["note"], now=now,
            )  # fmt: skip
        except (InvalidInput, NotAllowed) as error:
            form.add_error(None, told(error))
        else:
            messages.success(request, _("Saved."))
            return redirect("absences", slug=request.workspace.slug)
    rows = absences_of(request.workspace.pk, now, None if leads else member.pk)
    shown = {"form": form, "rows": [_shown(each, now) for each in rows], "leads": leads, "now": now}
    return render(request, "settings/absences.html", shown, status=422 if form.errors else 200)


@desk(right="draft")
@require_POST
def end(request: DeskRequest, pk: int) -> HttpResponse:
    """They are back, or do not go."""
    absence, now = _absence(request, pk), timezone.now()
    acts.end_absence(request.membership, absence, now=now)
    if absence.since > now:
        messages.success(request, _("Taken out."))
    elif absence.membership_id == request.membership.pk:
        messages.success(request, _("Welcome back."))
    else:
        messages.success(request, _("%(name)s is back.") % {"name": absence.membership})
    return redirect("absences", slug=request.workspace.slug)


@desk(right="draft")
@require_POST
def hand_back(request: DeskRequest, pk: int) -> HttpResponse:
    """What they have open goes to who stands in, as far as there is room, the rest to its baskets."""
    absence = _absence(request, pk)
    count = acts.hand_back(request.membership, absence.membership, deputy=absence.deputy, now=timezone.now())
    said = ngettext("%(n)d conversation was handed over.", "%(n)d conversations were handed over.", count)
    messages.success(request, said % {"n": count})
    return redirect("absences", slug=request.workspace.slug)


def _absence(request: DeskRequest, pk: int) -> Absence:
    """One's own absence; for leads any of the workspace."""
    rows = Absence.objects.of(request.workspace).select_related("membership__user", "deputy__user")
    if not request.membership.may("configure"):
        rows = rows.filter(membership=request.membership)
    return find(rows, pk)


def _shown(absence: Any, now: dt.datetime) -> dict[str, Any]:
    return {"absence": absence, "begun": absence.since <= now, "open": absence.open}
