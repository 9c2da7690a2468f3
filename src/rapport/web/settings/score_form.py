"""The form of the weights: ten factors in points, and the shares of intents and relationships in percent."""

from __future__ import annotations

from typing import Any

import msgspec
from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rapport.core.score import FACTORS, INTENTS, MOST, RELATIONSHIPS, Weights
from rapport.web.forms import ExactForm
from rapport.web.templatetags.desk_words import FACTORS as NAMES
from rapport.web.templatetags.desk_words import relationship_name

#: what each factor measures, in a line
MEANINGS = {
    "mood": gettext_lazy("How negative the text feels, and how angry."),
    "intent": gettext_lazy("What they want: a complaint counts more than praise, by the shares below."),
    "urgency": gettext_lazy("How soon the text asks for an answer."),
    "reach": gettext_lazy("How many people follow them. A thousand give half, a million all of it."),
    "relationship": gettext_lazy("What they are to you, by the shares below."),
    "history": gettext_lazy("Their negative posts of the last 30 days. Three give all of it."),
    "rating": gettext_lazy("The stars of a review: one star gives all of it, four give nothing."),
    "waiting": gettext_lazy("How long nobody has answered. It begins at 20 minutes, a day gives all of it."),
    "pile_on": gettext_lazy(
        "Many different people in one thread within an hour, no automated accounts: from four on, thirty give all."
    ),
    "crisis": gettext_lazy(
        "Negative posts while you hear far more of them than usual at this hour. Automated accounts raise no crisis."
    ),
}
INTENT_NAMES = {
    "complaint": gettext_lazy("complaint"),
    "request": gettext_lazy("request"),
    "question": gettext_lazy("question"),
    "purchase": gettext_lazy("wants to buy"),
    "report": gettext_lazy("reports a fault"),
    "praise": gettext_lazy("praise"),
}
#: the shares stand in the form as percentages
SHARES = (*INTENTS, *RELATIONSHIPS)


def _number(label: Any, hint: Any, told: Any, step: str) -> forms.FloatField:
    errors = dict.fromkeys(("required", "invalid", "min_value", "max_value"), told)
    widget = forms.NumberInput(attrs={"step": step, "inputmode": "decimal", "autocomplete": "off"})
    return forms.FloatField(
        label=label, help_text=hint, min_value=0, max_value=MOST, error_messages=errors, widget=widget, localize=False
    )


class ScoreForm(ExactForm):
    """Everything that the page of the score sends."""

    note = forms.CharField(
        label=gettext_lazy("What changed"),
        max_length=300,
        required=False,
        help_text=gettext_lazy("A few words for colleagues who look through the versions."),
        widget=forms.TextInput(attrs={"placeholder": gettext_lazy("What changed, in a few words")}),
    )
    #: the version that the editor began from
    version = forms.IntegerField(min_value=0, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        points = gettext_lazy("Write a number of points from 0 to 100.")
        share = gettext_lazy("Write a percentage from 0 to 100.")
        more: dict[str, forms.Field] = {name: _number(NAMES[name], MEANINGS[name], points, "0.5") for name in FACTORS}
        more |= {name: _number(INTENT_NAMES[name], "", share, "1") for name in INTENTS}
        more |= {name: _number(relationship_name(name), "", share, "1") for name in RELATIONSHIPS}
        super().__init__(*args, more=more, **kwargs)

    def clean(self) -> dict[str, Any]:
        """The points together, once each is a number."""
        given: dict[str, Any] = super().clean() or {}
        total = sum(given[name] for name in FACTORS if given.get(name) is not None)
        if not self.errors and total > MOST + 1e-9:
            told = _("The weights add up to %(total)s. Take away %(over)s points: a score goes to 100 at most.")
            self.add_error(None, told % {"total": f"{total:g}", "over": f"{total - MOST:g}"})
        return given

    @property
    def weights(self) -> Weights:
        """What a valid form says."""
        given = self.cleaned_data
        shares = {name: round(given[name] / 100, 4) for name in SHARES}
        return Weights(**{name: given[name] for name in FACTORS}, **shares)

    @property
    def factors(self) -> list[forms.BoundField]:
        """The rows of the form."""
        return [self[name] for name in FACTORS]

    @property
    def intents(self) -> list[forms.BoundField]:
        """The shares of the intents."""
        return [self[name] for name in INTENTS]

    @property
    def relationships(self) -> list[forms.BoundField]:
        """The shares of the relationships."""
        return [self[name] for name in RELATIONSHIPS]

    @property
    def shares_wrong(self) -> bool:
        """Whether one of the shares must be mended, so that they are not folded away."""
        return any(name in self.errors for name in SHARES)

    @property
    def total(self) -> str:
        """The points that are given out, as far as they are numbers."""
        found = 0.0
        for name in FACTORS:
            try:
                found += float(self[name].value())
            except (TypeError, ValueError):
                continue
        return f"{found:g}"


def values_of(weights: Weights) -> dict[str, str]:
    """What the form shows for these weights."""
    values = msgspec.structs.asdict(weights)
    return {name: f"{100 * value:g}" if name in SHARES else f"{value:g}" for name, value in values.items()}
