"""Who works here, in which role, in which baskets."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from rapport.actions import accounts
from rapport.core.errors import InvalidInput, NotAllowed
from rapport.core.roles import ROLES
from rapport.store.models import Basket, Membership
from rapport.store.queries import settings as reads
from rapport.web.access import DeskRequest, desk, find
from rapport.web.forms import ExactForm
from rapport.web.told import told

#: what each role means, in the words of core.roles
ROLE_TEXTS = {
    "owner": gettext_lazy("Owner: everything, and makes other owners"),
    "admin": gettext_lazy("Admin: everything but owners"),
    "lead": gettext_lazy("Lead: every basket, topics, rules, replies, audit"),
    "agent": gettext_lazy("Agent: answers in their own baskets"),
    "restricted": gettext_lazy("Restricted agent: writes in their own baskets, a lead sends"),
    "advocate": gettext_lazy("Advocate: answers in their own voice, in the baskets opened to them"),
    "viewer": gettext_lazy("Viewer: reads every basket, changes nothing"),
}


class PlaceForm(ExactForm):
    """A role and the baskets that are opened."""

    role = forms.ChoiceField(
        label=gettext_lazy("Role"),
        choices=[(role, ROLE_TEXTS[role]) for role in ROLES],
        widget=forms.RadioSelect,
        initial="agent",
    )
    baskets = forms.MultipleChoiceField(
        label=gettext_lazy("Baskets"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Owners, admins, leads and viewers see every basket in any case."),
    )

    def __init__(self, *args: Any, workspace: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._baskets = {basket.slug: basket for basket in Basket.objects.of(workspace)}
        self.fields["baskets"].choices = [(slug, basket.name) for slug, basket in self._baskets.items()]  # type: ignore[attr-defined]

    def chosen_baskets(self) -> list[Basket]:
        """The baskets that were ticked."""
        return [self._baskets[slug] for slug in self.cleaned_data["baskets"]]


class InviteForm(PlaceForm):
    """A new colleague."""

    field_order = ["email", "name", "role", "baskets"]
    email = forms.EmailField(label=gettext_lazy("Mail address"), max_length=254)
    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)


class MemberForm(PlaceForm):
    """A colleague who is here."""

    capacity = forms.IntegerField(
        label=gettext_lazy("Open conversations at once"),
        min_value=0,
        max_value=1000,
        initial=0,
        help_text=gettext_lazy("What the desk gives them by itself at most. 0 means no limit."),
    )
    active = forms.BooleanField(
        label=gettext_lazy("Works here"),
        required=False,
        help_text=gettext_lazy("Turned off, they are out with their next click. What they wrote stays."),
    )


@desk(right="team")
@require_safe
def index(request: DeskRequest) -> HttpResponse:
    """Everybody, with role and baskets."""
    shown = {"members": reads.list_members(request.workspace), "role_texts": ROLE_TEXTS}
    return render(request, "settings/team.html", shown)


@desk(right="team")
@require_http_methods(["GET", "POST"])
def invite(request: DeskRequest) -> HttpResponse:
    """Add a colleague; answers with their sign-in link, which is shown this once."""
    form = InviteForm(request.POST if request.method == "POST" else None, workspace=request.workspace)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            member, token = accounts.invite(
                request.membership,
                given["email"],
                given["name"],
                given["role"],
                form.chosen_baskets(),
                now=timezone.now(),
            )
        except (InvalidInput, NotAllowed) as error:
            form.add_error(None, told(error))
        else:
            return _show_link(request, member, token, days=7)
    return render(request, "settings/invite.html", {"form": form}, status=422 if form.errors else 200)


@desk(right="team")
@require_http_methods(["GET", "POST"])
def change(request: DeskRequest, pk: int) -> HttpResponse:
    """Role, baskets, capacity, and whether they still work here."""
    member = find(reads.list_members(request.workspace), pk)
    start = {
        "role": member.role,
        "active": member.active,
        "capacity": member.capacity,
        "baskets": [opened.basket.slug for opened in member.baskets.all()],
    }
    form = MemberForm(request.POST if request.method == "POST" else None, initial=start, workspace=request.workspace)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        had, asked = accounts.held_by(member).count(), accounts.tasks_of(member).count()
        try:
            accounts.change_member(
                request.membership,
                member,
                role=given["role"],
                active=given["active"],
                baskets=form.chosen_baskets(),
                capacity=given["capacity"],
                now=timezone.now(),
            )
        except (InvalidInput, NotAllowed) as error:
            form.add_error(None, told(error))
        else:
            told_of = [_("Saved, and in force with their next click.")]
            if gone := had - accounts.held_by(member).count():
                went = ngettext(
                    "%(n)d conversation went back to its basket.",
                    "%(n)d conversations went back to their baskets.",
                    gone,
                )
                told_of.append(went % {"n": gone})
            if gone := asked - accounts.tasks_of(member).count():
                went = ngettext(
                    "%(n)d task went back to its basket or to whoever asked for it.",
                    "%(n)d tasks went back to their baskets or to whoever asked for them.",
                    gone,
                )
                told_of.append(went % {"n": gone})
            messages.success(request, " ".join(told_of))
            return redirect("team", slug=request.workspace.slug)
    return render(request, "settings/member.html", {"form": form, "member": member}, status=422 if form.errors else 200)


@desk(right="team")
@require_POST
def link(request: DeskRequest, pk: int) -> HttpResponse:
    """A new sign-in link for somebody who lost theirs, or their password."""
    member = find(Membership.objects.of(request.workspace).select_related("user"), pk)
    if not member.active:
        raise InvalidInput(_("This person does not work here any more. Turn “Works here” on first."))
    if member.role == "owner" and request.membership.role != "owner":
        raise NotAllowed(_("Only an owner can make a sign-in link for an owner."))
    token = accounts.make_sign_in_link(member.user, dt.timedelta(days=1), now=timezone.now(), by=request.membership)
    return _show_link(request, member, token, days=1)


def _show_link(request: DeskRequest, member: Membership, token: str, days: int) -> HttpResponse:
    base = settings.RAPPORT.base_url.rstrip("/")
    address = base + reverse("sign_in_link", args=[token]) if token else ""
    return render(request, "settings/link.html", {"member": member, "address": address, "days": days, "base": base})
