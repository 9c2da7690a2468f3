"""The page on which a person puts keys of their own in the place of the shipped ones."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from rapport.actions import accounts
from rapport.core.keys import SHIPPED, InvalidKeys, OwnKeys
from rapport.web.access import PersonRequest, signed_in
from rapport.web.forms import ExactForm

#: what each act of `core.keys` does, under the heading that it stands below
GROUPS = {
    gettext_lazy("In lists"): {
        "next": gettext_lazy("next conversation"),
        "previous": gettext_lazy("previous conversation"),
        "open": gettext_lazy("open it"),
        "back": gettext_lazy("back to the list"),
        "choose": gettext_lazy("choose it, to act on several"),
        "undo": gettext_lazy("undo what you did last"),
        "filter": gettext_lazy("filter the list by mood and intent"),
        "search": gettext_lazy("search"),
    },
    gettext_lazy("In a conversation"): {
        "reply": gettext_lazy("write a reply"),
        "prepared": gettext_lazy("begin from a prepared reply"),
        "note": gettext_lazy("write a note"),
        "assign": gettext_lazy("assign"),
        "snooze": gettext_lazy("snooze"),
        "move": gettext_lazy("move to another basket"),
        "resolve": gettext_lazy("resolve and go on to the next, or reopen"),
        "take": gettext_lazy("do what a rule proposes"),
        "dismiss": gettext_lazy("dismiss what a rule proposes"),
        "like": gettext_lazy("like their post, or take it back"),
        "share": gettext_lazy("share their post on, or take it back; send a draft back"),
        "offer": gettext_lazy("offer something to them"),
        "correct": gettext_lazy("correct what was read"),
        "mark": gettext_lazy("mark the words that carried it"),
    },
    gettext_lazy("Everywhere"): {
        "go": gettext_lazy("go to a place: this key, then its letter"),
        "keys": gettext_lazy("the list of keys; twice: help with the page"),
    },
}
WORDS = {name: words for group in GROUPS.values() for name, words in group.items()}


def _field(name: str) -> forms.Field:
    attributes = {"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false", "size": 2, "class": "text"}
    return forms.CharField(
        label=WORDS[name], required=False, strip=False, max_length=8, widget=forms.TextInput(attrs=attributes)
    )


class KeysForm(ExactForm):
    """A small field for each act; an empty one means that no key does it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, more={name: _field(name) for name in SHIPPED}, **kwargs)

    def groups(self) -> list[tuple[Any, list[tuple[Any, str]]]]:
        """(heading, [(field, its key as shipped)])."""
        return [(heading, [(self[name], SHIPPED[name]) for name in acts]) for heading, acts in GROUPS.items()]


def _problem(key: str, other: str | None) -> str:
    if other is None:
        return _("A key is one letter, digit or sign; Tab, Enter and the like keep what they do.")
    said = {"key": key, "other": WORDS[other]}
    return _("%(key)s does “%(other)s” too: choose another key, or empty that field first.") % said


@require_http_methods(["GET", "POST"])
@signed_in
def own_keys(request: PersonRequest) -> HttpResponse:
    """Every single key; `reset` puts the shipped ones back."""
    user = request.user
    own = OwnKeys(user.keys)
    if request.method == "POST" and "reset" in request.POST:
        accounts.save_keys(user, {}, now=timezone.now())
        messages.success(request, _("The keys are as shipped again."))
        return redirect("own_keys")
    form = KeysForm(
        request.POST if request.method == "POST" else None, initial={name: own.of(name) for name in SHIPPED}
    )
    if request.method == "POST" and form.is_valid():
        try:
            accounts.save_keys(user, form.cleaned_data, now=timezone.now())
        except InvalidKeys as error:
            for name, other in error.problems.items():
                form.add_error(name, _problem(form.cleaned_data[name], other))
        else:
            messages.success(request, _("Saved."))
            return redirect("own_keys")
    context = {"form": form, "changed": bool(user.keys)}
    return render(request, "account/keys.html", context, status=422 if form.errors else 200)
