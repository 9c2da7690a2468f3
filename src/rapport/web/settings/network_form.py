"""Forms made from what a network asks for (`networks.base.Field`)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from rapport.networks.base import Field

#: characters of a field of one line, and of one of many
MOST, MOST_LONG = 1_000, 200_000
MOST_ITEMS = 2_000
_PLAIN = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none", "dir": "auto"}
_AREA = {**_PLAIN, "rows": 5}


class LongField(forms.CharField):
    """A text of many lines, for the network to take apart."""

    #: between the items of a list that is shown
    between = "\n"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=MOST_LONG, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        """A list as it is typed."""
        return self.between.join(str(item) for item in value) if isinstance(value, list | tuple) else value


class ListField(LongField):
    """Words or lines as a list, once each, in the order given."""

    def __init__(self, *, by_line: bool, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.by_line = by_line
        self.between = "\n" if by_line else " "

    def clean(self, value: Any) -> list[str]:
        """Raises `ValidationError` for more items than anybody types."""
        text = super().clean(value) or ""
        parts = text.splitlines() if self.by_line else re.split(r"[\s,;]+", text)
        items = list(dict.fromkeys(part.strip() for part in parts if part.strip()))
        if len(items) > MOST_ITEMS:
            raise forms.ValidationError(_("At most %(most)s entries fit in one source.") % {"most": f"{MOST_ITEMS:,}"})
        return items


def form_fields(fields: Sequence[Field]) -> dict[str, forms.Field]:
    """A form field for each, by name."""
    return {field.name: _form_field(field) for field in fields}


def start_values(fields: Sequence[Field], known: Mapping[str, Any]) -> dict[str, Any]:
    """What the form shows at first: what is known, else the default. Never a secret."""
    return {field.name: known.get(field.name, field.default) for field in fields if field.kind != "secret"}


def _form_field(field: Field) -> forms.Field:
    shared: dict[str, Any] = {"label": _(field.label), "help_text": _(field.help) if field.help else ""}
    if field.kind == "flag":
        return forms.BooleanField(required=False, **shared)
    shared["required"] = field.required
    if field.kind == "choice":
        return forms.ChoiceField(choices=[(value, _(label)) for value, label in field.choices], **shared)
    if field.kind == "words":
        return ListField(by_line=False, widget=forms.TextInput(attrs=_PLAIN), **shared)
    if field.kind == "lines":
        return ListField(by_line=True, widget=forms.Textarea(attrs=_AREA), **shared)
    if field.kind == "long":
        return LongField(widget=forms.Textarea(attrs=_AREA), **shared)
    secret = field.kind == "secret"
    box = forms.PasswordInput(attrs=_PLAIN) if secret else forms.TextInput(attrs=_PLAIN)
    # blanks at the ends of a password are part of it
    return forms.CharField(max_length=MOST, widget=box, strip=not secret, **shared)
