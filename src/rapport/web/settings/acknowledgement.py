"""The acknowledgement: what a machine may say once, where, in which words, and what it did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from rapport.actions.acknowledge import save_acknowledgement
from rapport.core.acknowledge import EXAMPLE, MAX_TEXT, write
from rapport.core.errors import InvalidInput
from rapport.store.models import AcknowledgementSettings, Basket
from rapport.store.queries.acknowledge import Followed, measure, settings_of
from rapport.web.access import DeskRequest, desk
from rapport.web.forms import ExactForm
from rapport.web.reading_words import language_name
from rapport.web.told import told

#: languages that are offered where the workspace names none
OFFERED = ("en", "de", "fr", "es")


class AcknowledgementForm(ExactForm):
    """Whether, where and in which words; languages of their own come as `more` fields."""

    enabled = forms.BooleanField(
        label=gettext_lazy("Say it by itself"),
        required=False,
        help_text=gettext_lazy("From then on it stands on your word: the ledger names you beside the machine."),
    )
    by_rules = forms.BooleanField(
        label=gettext_lazy("Only where a rule says “acknowledge”"),
        required=False,
        help_text=gettext_lazy("Otherwise to whoever opens a conversation with us in the baskets below."),
    )
    baskets = forms.MultipleChoiceField(
        label=gettext_lazy("In these baskets"), required=False, widget=forms.CheckboxSelectMultiple
    )
    help_links = forms.CharField(
        label=gettext_lazy("Help pages, one address a line"),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3, "placeholder": "https://help.example/"}),
    )
    text = forms.CharField(
        label=gettext_lazy("Text"),
        required=False,
        max_length=MAX_TEXT,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=gettext_lazy(
            "{name}, {hours} and {help} are filled in. It must say that it is automatic: nobody may take it for a "
            "person."
        ),
    )


@desk(right="channels")
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: DeskRequest) -> HttpResponse:
    """The settings, and what came of it within thirty days."""
    now = timezone.now()
    present = settings_of(request.workspace, now)
    form = _form(request, present)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        texts = {"": said["text"], **{code: said[f"text_{code}"] for code in _codes(request, present)}}
        try:
            saved = save_acknowledgement(
                request.membership, enabled=said["enabled"], texts=texts, help_links=said["help_links"],
                baskets=said["baskets"], by_rules=said["by_rules"], now=now,
            )  # fmt: skip
        except InvalidInput as error:
            form.add_error(None, told(error))
        else:
            on, off = _("Turned on, on your word."), _("Saved. It is off: nothing is said by itself.")
            messages.success(request, on if saved.enabled else off)
            return redirect("acknowledgement", slug=request.workspace.slug)
    found = measure(request.workspace, present.baskets, now)
    text = present.texts.get("") or next(iter(present.texts.values()), EXAMPLE)
    shown = {
        "form": form,
        "present": present,
        "example": write(text, name="Nadia", hours=_("round the clock"), help_links=present.help_links.splitlines()),
        "measure": found,
        "rows": _rows(found.acknowledged, found.others),
    }
    return render(request, "settings/acknowledgement.html", shown, status=422 if form.errors else 200)


def _codes(request: DeskRequest, present: AcknowledgementSettings) -> list[str]:
    """Languages that get a text of their own: those of the workspace, and those that have one already."""
    return sorted({*(request.workspace.languages or OFFERED), *filter(None, present.texts)})


def _form(request: DeskRequest, present: AcknowledgementSettings) -> AcknowledgementForm:
    more: Mapping[str, forms.Field] = {
        f"text_{code}": forms.CharField(
            label=_("In %(language)s (empty: as above)") % {"language": language_name(code)}, required=False,
            max_length=MAX_TEXT, widget=forms.Textarea(attrs={"rows": 3, "lang": code}),
        )
        for code in _codes(request, present)
    }  # fmt: skip
    start: dict[str, Any] = {
        "enabled": present.enabled, "by_rules": present.by_rules, "baskets": present.baskets,
        "help_links": present.help_links, "text": present.texts.get("", "" if present.texts else EXAMPLE),
        **{f"text_{code}": text for code, text in present.texts.items() if code},
    }  # fmt: skip
    posted = request.POST if request.method == "POST" else None
    form = AcknowledgementForm(posted, initial=start, more=more, label_suffix="")
    choices = form.fields["baskets"]
    assert isinstance(choices, forms.MultipleChoiceField)
    choices.choices = list(Basket.objects.of(request.workspace).values_list("slug", "name"))
    return form


def _rows(said: Followed, others: Followed) -> list[tuple[str, int, float, int, float]]:
    """(what, of those with it, share, of those without, share)."""
    table = (
        (_("wrote again within a day"), "back"),
        (_("wrote us a mail within a week"), "mailed"),
        (_("next word angrier"), "angrier"),
        (_("next word kinder"), "calmer"),
    )
    return [
        (what, one := getattr(said, name), said.share(one), two := getattr(others, name), others.share(two))
        for what, name in table
    ]
