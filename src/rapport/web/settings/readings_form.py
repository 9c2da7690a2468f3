"""The form of the thresholds, in percent, and of the share of the second look."""

from __future__ import annotations

from typing import Any

import msgspec
from django import forms
from django.utils.translation import gettext_lazy

from rapport.core.thresholds import MOODS, NAMES, Thresholds
from rapport.web.forms import ExactForm
from rapport.web.reading_words import NAMES as CALLED
from rapport.web.reading_words import REASONS

#: (heading, thresholds) as the form groups them
GROUPS = (
    (gettext_lazy("What they want"), NAMES[:6]),
    (gettext_lazy("How they say it"), NAMES[10:]),
    (gettext_lazy("Mood"), MOODS),
    (gettext_lazy("Emotions"), NAMES[6:10]),
)


def _percent(label: Any, least: float, told: Any, *, required: bool = True) -> forms.FloatField:
    errors = dict.fromkeys(("required", "invalid", "min_value", "max_value"), told)
    widget = forms.NumberInput(attrs={"step": "1", "inputmode": "decimal", "autocomplete": "off"})
    return forms.FloatField(
        label=label, min_value=least, max_value=100 if not required else 99, error_messages=errors, widget=widget,
        required=required, localize=False,
    )  # fmt: skip


def field_of(name: str) -> str:
    """The field of a threshold."""
    return name.rpartition(".")[2]


def name_of(name: str) -> str:
    """What pages call a threshold."""
    return str(REASONS[name] if name in MOODS else CALLED[name])


class ReadingsForm(ExactForm):
    """Everything that the page of the readings sends."""

    #: the threshold that was moved last, whose examples are shown
    about = forms.CharField(required=False, max_length=24, widget=forms.HiddenInput)
    #: when the settings that it began from were saved; empty = they were the shipped ones
    begun = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        wrong = gettext_lazy("Write a percentage from 1 to 99.")
        mood = gettext_lazy("Write a percentage from 0 to 99.")
        more: dict[str, forms.Field] = {field_of(name): _percent(name_of(name), 1, wrong) for name in NAMES}
        more |= {name: _percent(name_of(name), 0, mood) for name in MOODS}
        share = gettext_lazy("Write a percentage from 0 to 100, or nothing.")
        more["share"] = _percent(gettext_lazy("Posts that get a second look"), 0, share, required=False)
        super().__init__(*args, more=more, **kwargs)

    @property
    def thresholds(self) -> Thresholds:
        """What a valid form says."""
        return Thresholds(**{name: round(self.cleaned_data[name] / 100, 4) for name in Thresholds.__struct_fields__})

    @property
    def share_set(self) -> float | None:
        """The share that a valid form says; None: as the deployment says."""
        given = self.cleaned_data["share"]
        return None if given is None else round(given / 100, 4)


def values_of(thresholds: Thresholds, share: float | None) -> dict[str, str]:
    """What the form shows for these."""
    values = {name: f"{100 * value:g}" for name, value in msgspec.structs.asdict(thresholds).items()}
    return values | {"share": "" if share is None else f"{100 * share:g}"}
