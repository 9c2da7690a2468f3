"""Forms that take what they name and nothing else."""

from __future__ import annotations

import zoneinfo
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django import forms
from django.core.exceptions import SuspiciousOperation


class ExactForm(forms.Form):
    """A form that refuses fields it does not have: `role` or `workspace` smuggled in is a 400, not silence."""

    #: names that may come with every form
    ALSO = frozenset({"csrfmiddlewaretoken", "next"})

    def __init__(self, *args: Any, more: Mapping[str, forms.Field] | None = None, **kwargs: Any) -> None:
        """`more` are fields that are known only when the form is made."""
        super().__init__(*args, **kwargs)
        self.fields.update(more or {})
        known = {self.add_prefix(name) for name in self.fields}
        unknown = set(self.data) - known - self.ALSO
        if unknown:
            raise SuspiciousOperation(f"unknown fields: {', '.join(sorted(unknown))}")


@lru_cache(maxsize=1)
def zone_choices() -> list[tuple[str, str]]:
    """Every IANA time zone that names a place, and UTC."""
    names = sorted(name for name in zoneinfo.available_timezones() if "/" in name and not name.startswith("Etc/"))
    return [("UTC", "UTC"), *((name, name.replace("_", " ")) for name in names)]


def number(text: str) -> int:
    """Digits as a row id; anything else is the id of nothing."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
