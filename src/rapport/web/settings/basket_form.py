"""The form of a basket: shifts, dates and lengths of time as people write them."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from importlib import resources
from typing import Any, cast

import msgspec
from django import forms
from django.utils.translation import get_language, gettext_lazy, pgettext_lazy
from django.utils.translation import gettext as _

from rapport.actions.baskets import Wish
from rapport.core.decision import PRIORITIES
from rapport.core.hours import DAY, Hours, Shift, say_length
from rapport.core.promises import KINDS, ByPriority, Terms
from rapport.core.route import Strategy
from rapport.store.models import Basket
from rapport.store.queries.load import hours_of, terms_of
from rapport.web.forms import ExactForm, zone_choices

DAYS = {
    "mon": gettext_lazy("Monday"),
    "tue": gettext_lazy("Tuesday"),
    "wed": gettext_lazy("Wednesday"),
    "thu": gettext_lazy("Thursday"),
    "fri": gettext_lazy("Friday"),
    "sat": gettext_lazy("Saturday"),
    "sun": gettext_lazy("Sunday"),
}
USUAL = ("9:00-17:00",) * 5 + ("", "")
TONES = {
    "care": gettext_lazy("Red"),
    "ask": gettext_lazy("Amber"),
    "praise": gettext_lazy("Green"),
    "accent": gettext_lazy("Blue"),
    "quiet": gettext_lazy("Grey"),
}
STRATEGY_TEXTS = {
    "known": gettext_lazy("Whoever knows the person; else who has least"),
    "round_robin": gettext_lazy("In turn, one after the other"),
    "least_loaded": gettext_lazy("Whoever has least of what they can take"),
    "skill": gettext_lazy("Whoever is good at it and speaks the language; of those, who has least"),
}
PROMISE_TEXTS = {
    "first": gettext_lazy("First answer"),
    "next": gettext_lazy("Each answer after that"),
    "resolution": gettext_lazy("Solution"),
}
#: the columns of the table of promises, the most urgent first, and their number in core.decision.PRIORITIES
COLUMNS = [
    (3, pgettext_lazy("priority", "Urgent")),
    (2, pgettext_lazy("priority", "High")),
    (1, pgettext_lazy("priority", "Medium")),
    (0, pgettext_lazy("priority", "Low")),
]
_SHIFT = re.compile(r"(\d{1,2})(?:[:.](\d{2}))?\s*(?:-|–|to|bis)\s*(\d{1,2})(?:[:.](\d{2}))?")
_LENGTH = re.compile(r"(?:(\d+)\s*h(?:ours?)?)?\s*(?:(\d+)\s*(?:m|min|minutes?)?)?", re.IGNORECASE)
_HOURS_AND_MINUTES = re.compile(r"(\d+):(\d{2})")


def read_shifts(text: str) -> tuple[Shift, ...]:
    """Text such as "9-12:30, 13:30-18" -> minutes; a closing time that is not later lies on the next day.

    Raises ValidationError.
    """
    shifts = []
    for part in filter(None, (each.strip() for each in re.split(r"[,;]", text))):
        found = _SHIFT.fullmatch(part)
        if found is None:
            raise forms.ValidationError(
                _("“%(part)s” is no shift; write 9:00-17:00, or 9-12, 13-18 for two.") % {"part": part[:40]}
            )
        hour, minute, end_hour, end_minute = (int(each or 0) for each in found.groups())
        start, end = hour * 60 + minute, end_hour * 60 + end_minute
        if minute > 59 or end_minute > 59 or start >= DAY or end > DAY:
            raise forms.ValidationError(_("“%(part)s” lies outside the 24 hours of a day.") % {"part": part[:40]})
        shifts.append((start, end if end > start else end + DAY))
    return tuple(sorted(shifts))


def write_shifts(shifts: Iterable[Shift]) -> str:
    """Minutes -> "9:00-17:00"."""
    return ", ".join(f"{_clock(start)}-{_clock(end if end <= DAY else end - DAY)}" for start, end in shifts)


def _clock(minute: int) -> str:
    return f"{minute // 60}:{minute % 60:02d}"


def read_length(text: str) -> int:
    """Text such as "45", "45 min", "4 h", "1 h 30", "1:30" -> minutes; empty -> 0. Raises ValidationError."""
    text = text.strip()
    if not text:
        return 0
    if clock := _HOURS_AND_MINUTES.fullmatch(text):
        return int(clock[1]) * 60 + int(clock[2])
    found = _LENGTH.fullmatch(text)
    if found is None or len(text) > 20:
        raise forms.ValidationError(_("“%(text)s” is no length of time; write 30 min or 4 h.") % {"text": text[:40]})
    return int(found[1] or 0) * 60 + int(found[2] or 0)


class LengthField(forms.CharField):
    """A length of staffed time."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, max_length=40, widget=forms.TextInput(attrs={"class": "text"}), **kwargs)

    def clean(self, value: Any) -> Any:
        return read_length(super().clean(value))


class ShiftsField(forms.CharField):
    """The shifts of a day."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.TextInput(attrs={"class": "text", "aria-describedby": "week-how"})
        super().__init__(required=False, max_length=120, widget=widget, **kwargs)

    def clean(self, value: Any) -> Any:
        return read_shifts(super().clean(value))


def country_choices() -> list[tuple[str, str]]:
    """ISO code and name of the countries whose holidays are known, by name, in the language in force."""
    return _countries((get_language() or "en").split("-")[0])


@lru_cache(maxsize=4)
def _countries(language: str) -> list[tuple[str, str]]:
    from holidays.registry import COUNTRIES

    found = {codes[1]: name.replace("_", " ").title() for name, codes in COUNTRIES.items()}
    names = resources.files("rapport.web.settings").joinpath(f"countries.{language}.tsv")
    if names.is_file():  # a country whose name is the same in English has no line
        rows = (line.split("\t") for line in names.read_text(encoding="utf-8").splitlines())
        found |= {code: name for code, name in rows if code in found}
    # Österreich stands behind Norwegen
    return [("", ""), *sorted(found.items(), key=lambda each: unicodedata.normalize("NFKD", each[1]))]


class BasketForm(ExactForm):
    """Everything about a basket but its people."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    purpose = forms.CharField(
        label=gettext_lazy("Purpose"), max_length=300, required=False, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("What belongs here, for the people who sort by hand."),
    )  # fmt: skip
    tone = forms.ChoiceField(label=gettext_lazy("Colour"), choices=list(TONES.items()), widget=forms.RadioSelect)
    languages = forms.CharField(
        label=gettext_lazy("Languages"), max_length=120, required=False,
        help_text=gettext_lazy(
            "Codes such as de, en. What is written in another one goes on to where what does not fit goes. Empty: all."
        ),
    )  # fmt: skip
    opening = forms.ChoiceField(
        label=gettext_lazy("Staffed"), widget=forms.RadioSelect,
        choices=[("always", gettext_lazy("Round the clock")), ("week", gettext_lazy("In these hours"))],
    )  # fmt: skip
    zone = forms.ChoiceField(label=gettext_lazy("Time zone"), choices=zone_choices)
    country = forms.ChoiceField(
        label=gettext_lazy("Public holidays of"), required=False, choices=country_choices,
        help_text=gettext_lazy("Closed on these days. Empty: no holidays."),
    )  # fmt: skip
    subdivision = forms.CharField(
        label=gettext_lazy("Part of the country"), max_length=10, required=False,
        help_text=gettext_lazy("A code such as BY for Bavaria or CA for California. Empty: holidays of all parts."),
    )  # fmt: skip
    closed = forms.CharField(
        label=gettext_lazy("Also closed on"), required=False, widget=forms.Textarea(attrs={"rows": 2}), max_length=4000,
        help_text=gettext_lazy("One date a line: 2026-12-24."),
    )  # fmt: skip
    opened = forms.CharField(
        label=gettext_lazy("Days with hours of their own"), required=False, max_length=4000,
        widget=forms.Textarea(attrs={"rows": 2}), help_text=gettext_lazy("One a line: 2026-12-19 10:00-14:00."),
    )  # fmt: skip
    push = forms.ChoiceField(
        label=gettext_lazy("Who takes what comes in"), widget=forms.RadioSelect,
        choices=[
            ("pull", gettext_lazy("People take it themselves")),
            ("push", gettext_lazy("It is given to somebody at once, if they are here and have room")),
        ],
    )  # fmt: skip
    strategy = forms.ChoiceField(
        label=gettext_lazy("To whom it is given"), choices=list(STRATEGY_TEXTS.items()), widget=forms.RadioSelect,
        help_text=gettext_lazy(
            "Who knows a person always comes first. The most urgent is given out first, of equals who waits longest."
        ),
    )  # fmt: skip
    return_after = LengthField(
        label=gettext_lazy("Comes back after a silence of"),
        help_text=gettext_lazy("What somebody has and does not touch while they wait. Empty: never."),
    )
    overflow = forms.ChoiceField(
        label=gettext_lazy("What does not fit goes to"), required=False,
        help_text=gettext_lazy("Another basket, for what is too much and for what waited too long."),
    )  # fmt: skip
    capacity = forms.IntegerField(
        label=gettext_lazy("Open conversations that it holds"), min_value=0, max_value=1_000_000, required=False,
        help_text=gettext_lazy("The newest of more go on. 0: no limit."),
    )  # fmt: skip
    overflow_after = LengthField(
        label=gettext_lazy("Goes on when nobody took it within"), help_text=gettext_lazy("Empty: it stays.")
    )

    def __init__(self, *args: Any, workspace: Any, basket: Basket | None, now: dt.datetime, **kwargs: Any) -> None:
        others = Basket.objects.of(workspace).exclude(pk=basket.pk if basket else 0)
        self._others = {each.slug: each for each in others}
        more: dict[str, forms.Field] = {day: ShiftsField(label=label) for day, label in DAYS.items()}
        for kind, text in PROMISE_TEXTS.items():
            more |= {cell(kind, number): LengthField(label=f"{text}, {word}") for number, word in COLUMNS}
        kwargs["initial"] = _initial(basket, workspace.timezone, now)
        super().__init__(*args, more=more, **kwargs)
        choices = [("", _("nowhere: it stays here")), *((slug, each.name) for slug, each in self._others.items())]
        self.fields["overflow"].choices = choices  # type: ignore[attr-defined]

    def clean_closed(self) -> frozenset[dt.date]:
        """The dates."""
        return frozenset(_date(line) for line in self.cleaned_data["closed"].split())

    def clean_opened(self) -> tuple[tuple[dt.date, tuple[Shift, ...]], ...]:
        """Dates with their shifts."""
        lines = [line.strip().partition(" ") for line in self.cleaned_data["opened"].splitlines() if line.strip()]
        return tuple(sorted({_date(day): read_shifts(shifts) for day, _space, shifts in lines}.items()))

    def clean_subdivision(self) -> str:
        """A part that the chosen country has."""
        country, given = self.cleaned_data.get("country", ""), str(self.cleaned_data["subdivision"]).strip().upper()
        if not given:
            return ""
        import holidays

        parts = holidays.list_supported_countries().get(country, [])
        if given not in parts:
            some = ", ".join(parts[:20]) or _("none")
            raise forms.ValidationError(_("Not a part of this country. Its parts are: %(parts)s.") % {"parts": some})
        return given

    def wish(self) -> Wish:
        """What the basket is set to."""
        given = self.cleaned_data
        week = tuple(given[day] for day in DAYS) if given["opening"] == "week" else ()
        country = given["country"]
        hours = Hours(
            given["zone"], week, country, given["subdivision"] if country else "", given["closed"], given["opened"]
        )
        by_kind = {
            kind: cast("ByPriority", tuple(given[cell(kind, n)] for n in range(len(PRIORITIES)))) for kind in KINDS
        }
        return Wish(
            name=given["name"], tone=given["tone"], purpose=given["purpose"],
            languages=tuple(re.split(r"[\s,;]+", given["languages"].strip())) if given["languages"].strip() else (),
            hours=hours, terms=Terms(**by_kind), strategy=cast("Strategy", given["strategy"]),
            push=given["push"] == "push", capacity=given["capacity"] or 0, return_after=given["return_after"] or None,
            overflow=self._others.get(given["overflow"]), overflow_after=given["overflow_after"] or None,
        )  # fmt: skip

    @property
    def days(self) -> list[forms.BoundField]:
        """The fields of the week."""
        return [self[day] for day in DAYS]

    @property
    def promises(self) -> list[tuple[Any, list[tuple[Any, forms.BoundField]]]]:
        """The rows of the table of promises: what, and priority and field for each, the most urgent first."""
        return [
            (text, [(word, self[cell(kind, number)]) for number, word in COLUMNS])
            for kind, text in PROMISE_TEXTS.items()
        ]

    @property
    def columns(self) -> list[Any]:
        """The heads of that table."""
        return [word for _number, word in COLUMNS]


def cell(kind: str, priority: int) -> str:
    """The name of one field of the table of promises."""
    return f"{kind}-{PRIORITIES[priority]}"


def _date(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise forms.ValidationError(
            _("“%(text)s” is no date; write year, month and day: 2026-12-24.") % {"text": text[:20]}
        ) from None


def _initial(basket: Basket | None, zone: str, now: dt.datetime) -> dict[str, Any]:
    if basket is None:
        return {
            "tone": "quiet", "opening": "always", "zone": zone, "push": "pull", "strategy": "known", "capacity": 0,
            **dict(zip(DAYS, USUAL, strict=True)),
        }  # fmt: skip
    hours, terms = hours_of(basket.hours, now), terms_of(basket.promises)
    week = [write_shifts(shifts) for shifts in hours.week] if hours.week else USUAL
    found = {
        "name": basket.name, "purpose": basket.purpose, "tone": basket.tone, "languages": ", ".join(basket.languages),
        "opening": "week" if hours.week else "always", "zone": hours.zone if basket.hours else zone,
        "country": hours.country, "subdivision": hours.subdivision,
        "closed": "\n".join(day.isoformat() for day in sorted(hours.closed)),
        "opened": "\n".join(f"{day.isoformat()} {write_shifts(shifts)}" for day, shifts in hours.opened),
        "push": "push" if basket.push else "pull", "strategy": basket.strategy, "capacity": basket.capacity,
        "return_after": say_length(basket.return_after), "overflow_after": say_length(basket.overflow_after),
        "overflow": basket.overflow.slug if basket.overflow else "", **dict(zip(DAYS, week, strict=True)),
    }  # fmt: skip
    for kind in KINDS:
        found |= {cell(kind, number): say_length(minutes) for number, minutes in enumerate(getattr(terms, kind))}
    return found


class Bar(msgspec.Struct, frozen=True):
    """One shift in the picture of a week, in hundredths of the day's width."""

    x: float
    width: float


def bars(hours: Hours) -> list[tuple[Any, list[Bar]]]:
    """The week as a picture: for each day its shifts, with what runs in from the night before."""
    week = hours.week or (((0, DAY),),) * 7
    found = []
    for number, name in enumerate(DAYS.values()):
        late = [(0, end - DAY) for _start, end in week[number - 1] if end > DAY]
        shifts = [*late, *((start, min(end, DAY)) for start, end in week[number])]
        found.append((name, [Bar(100 * start / DAY, 100 * (end - start) / DAY) for start, end in shifts]))
    return found
