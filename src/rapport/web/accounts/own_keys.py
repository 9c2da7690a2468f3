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
from rapport.web import places
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
#: behind the key that goes to places: what is no page with a letter in `web.places`
LISTS = (
    ("c", gettext_lazy("Complaints to serve first")), ("l", gettext_lazy("Praise to share on")),
    ("q", gettext_lazy("Quarantine")), ("!", gettext_lazy("Hold everything going out")),
)  # fmt: skip
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


def letters() -> list[tuple[str, Any]]:
    """(letter, where it leads) behind the key that goes to places, as far as somebody's role opens them; nobody may
    change them.
    """
    daily = (places.NOTICES, places.TASKS, places.DRAFTS, places.NAMED, places.APPROVALS)
    pages = [*daily, *(page for _name, group in (*places.GROUPS, *places.SECTIONS) for page in group), places.SETTINGS]
    found = dict.fromkeys((page.key, page.name) for page in pages if page.key)
    return [("1…9", _("that basket")), *LISTS, *found]


def _problem(key: str, other: str | None) -> str:
    if other is None:
        return _("A key is one letter, digit or sign; Tab, Enter and the like keep what they do.")
    said = {"key": key, "other": WORDS[other]}
    return _("%(key)s does “%(other)s” too: choose another key, or empty that field first.") % said


@require_http_methods(["GET", "POST"])
@signed_in
def own_keys(request: PersonRequest) -> HttpResponse:
    """Every single key; `reset` puts shipped ones back: all ("yes"), or that of one act, with what else was typed."""
    user = request.user
    own = OwnKeys(user.keys)
    reset = request.POST.get("reset", "")
    if reset == "yes":
        accounts.save_keys(user, {}, now=timezone.now())
        messages.success(request, _("The keys are as shipped again."))
        return redirect("own_keys")
    given = request.POST.copy() if request.method == "POST" else None
    if given is not None and reset in SHIPPED:
        given[reset] = SHIPPED[reset]
        del given["reset"]
    form = KeysForm(given, initial={name: own.of(name) for name in SHIPPED})
    if request.method == "POST" and form.is_valid():
        try:
            accounts.save_keys(user, form.cleaned_data, now=timezone.now())
        except InvalidKeys as error:
            for name, other in error.problems.items():
                form.add_error(name, _problem(form.cleaned_data[name], other))
        else:
            said = {"key": SHIPPED.get(reset, ""), "act": WORDS.get(reset, "")}
            messages.success(request, _("%(key)s is “%(act)s” again.") % said if said["key"] else _("Saved."))
            return redirect("own_keys")
    context = {"form": form, "changed": bool(user.keys), "letters": letters()}
    return render(request, "account/keys.html", context, status=422 if form.errors else 200)
