"""The way in, and what a person sets for themselves."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from rapport.actions import accounts
from rapport.core.errors import InvalidInput
from rapport.store.models import Membership
from rapport.web.access import LAST_WORKSPACE, PersonRequest, signed_in
from rapport.web.forms import ExactForm, zone_choices
from rapport.web.told import told


def _offered_languages() -> list[tuple[str, str]]:
    """English, and every language that the desk has been translated into."""
    translated = {path.name for folder in settings.LOCALE_PATHS for path in folder.glob("*") if path.is_dir()}
    return [
        (code, str(name)) for code, name in settings.LANGUAGES if code == "en" or code.replace("-", "_") in translated
    ]


class ProfileForm(ExactForm):
    """What `accounts.save_profile` takes, and nothing else."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=120,
        help_text=gettext_lazy("Colleagues see it, and replies that you send carry it in our records."),
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    timezone = forms.ChoiceField(
        label=gettext_lazy("Time zone"), choices=zone_choices, help_text=gettext_lazy("All times are shown in it.")
    )
    language = forms.ChoiceField(label=gettext_lazy("Language"), choices=_offered_languages)
    theme = forms.ChoiceField(
        label=gettext_lazy("Appearance"),
        choices=[
            ("auto", gettext_lazy("As on this device")),
            ("light", gettext_lazy("Light")),
            ("dark", gettext_lazy("Dark")),
        ],
        widget=forms.RadioSelect,
    )
    after = forms.ChoiceField(
        label=gettext_lazy("When a conversation is resolved"),
        choices=[
            ("next", gettext_lazy("Open the next one")),
            ("list", gettext_lazy("Go back to the list")),
            ("stay", gettext_lazy("Stay with it")),
        ],
        widget=forms.RadioSelect,
    )
    shortcuts = forms.BooleanField(
        label=gettext_lazy("Single-letter keys"),
        required=False,
        help_text=gettext_lazy(
            "j and k to move, r to reply, ? for all of them. Turn them off if they get in your way."
        ),
    )


@require_safe
@signed_in
def home(request: PersonRequest) -> HttpResponse:
    """To the workspace that was looked at last, else the first one; a page with advice for people without any."""
    rows = Membership.objects.filter(user=request.user, active=True).select_related("workspace").order_by("id")
    slugs = [membership.workspace.slug for membership in rows]
    if not slugs:
        return render(request, "account/no_workspace.html")
    last = request.session.get(LAST_WORKSPACE)
    return redirect(f"/w/{last if last in slugs else slugs[0]}/")


@require_http_methods(["GET", "POST"])
@signed_in
def profile(request: PersonRequest) -> HttpResponse:
    """Name, time zone, language, appearance, keys, and the ways to the password and the second factor."""
    user = request.user
    start: dict[str, Any] = {field: getattr(user, field) for field in ProfileForm.base_fields}
    start["after"] = user.after or "next"
    form = ProfileForm(request.POST if request.method == "POST" else None, initial=start)
    if request.method == "POST" and form.is_valid():
        try:
            accounts.save_profile(user, **form.cleaned_data, now=timezone.now())
        except InvalidInput as error:
            form.add_error(None, told(error))
        else:
            messages.success(request, _("Saved."))
            return redirect("profile")
    rows = Membership.objects.filter(user=user, active=True).select_related("workspace").order_by("workspace__name")
    return render(request, "account/profile.html", {"form": form, "memberships": rows})
