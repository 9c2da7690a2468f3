"""Forms made from what a network asks for (`networks.base.Field`)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from rapport.networks.base import Field

#: characters of a field of one line, and of one with lists
MOST, MOST_IN_LIST = 1_000, 200_000
MOST_ITEMS = 2_000
_PLAIN = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none", "dir": "auto"}


class ListField(forms.CharField):
    """Words or lines as a list, once each, in the order given."""

    def __init__(self, *, by_line: bool, **kwargs: Any) -> None:
        super().__init__(max_length=MOST_IN_LIST, **kwargs)
        self.by_line = by_line

    def prepare_value(self, value: Any) -> Any:
        """A list as it is typed."""
        if isinstance(value, list | tuple):
            return ("\n" if self.by_line else " ").join(str(item) for item in value)
        return value

    def clean(self, value: Any) -> list[str]:
        """Raises `ValidationError` for more items than anybody types. A file that was pasted is one item."""
        text = super().clean(value) or ""
        if self.by_line and text.startswith("<"):
            return [text]  # the text of a file (OPML): in it a line that comes twice is no repetition
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
    if field.kind in {"words", "lines"}:
        by_line = field.kind == "lines"
        widget = forms.Textarea(attrs={**_PLAIN, "rows": 5}) if by_line else forms.TextInput(attrs=_PLAIN)
        return ListField(by_line=by_line, widget=widget, **shared)
    secret = field.kind == "secret"
    box = forms.PasswordInput(attrs=_PLAIN) if secret else forms.TextInput(attrs=_PLAIN)
    # blanks at the ends of a password are part of it
    return forms.CharField(max_length=MOST, widget=box, strip=not secret, **shared)
