"""Opening hours in a sentence."""

from __future__ import annotations

import pytest

from rapport.core.hours import Hours
from rapport.core.hours_words import WORDS, say_hours


def test_hours_are_said_in_runs_of_days() -> None:
    day, long = ((540, 1020),), ((540, 720), (780, 1080))
    week = (day, day, day, day, long, (), ())
    assert say_hours(Hours(zone="Europe/Berlin", week=week)) == (
        "Monday to Thursday 9:00 to 17:00, Friday 9:00 to 12:00 and 13:00 to 18:00 (Europe/Berlin)"
    )
    assert say_hours(Hours()) == "round the clock"
    assert say_hours(Hours(week=((),) * 7)) == "not in an ordinary week"
    assert say_hours(Hours(country="DE")) == "round the clock except on public holidays"
    assert (
        say_hours(Hours(week=(day, *((),) * 6), country="DE")) == "Monday 9:00 to 17:00 (UTC) except on public holidays"
    )
    assert say_hours(Hours(week=(((0, 1440),),) * 7)) == "round the clock"
    late = ((840, 1440), (0, 120))
    assert say_hours(Hours(week=(late, *((),) * 6))) == "Monday 0:00 to 2:00 and 14:00 to 24:00 (UTC)"


def test_hours_are_said_in_the_language_of_the_text_around_them() -> None:
    day = ((540, 1020),)
    hours = Hours(zone="Europe/Berlin", week=(day, day, day, day, day, ((540, 720), (780, 900)), ()), country="DE")
    assert say_hours(hours, "de-AT") == (
        "Montag bis Freitag 9:00 bis 17:00 Uhr, Samstag 9:00 bis 12:00 Uhr und 13:00 bis 15:00 Uhr (Europe/Berlin) "
        "außer an Feiertagen"
    )
    assert say_hours(hours, "fr") == (
        "du lundi au vendredi de 9:00 à 17:00, le samedi de 9:00 à 12:00 et de 13:00 à 15:00 (Europe/Berlin) "
        "sauf les jours fériés"
    )
    assert say_hours(hours, "xx") == say_hours(hours)


@pytest.mark.parametrize("language", WORDS)
def test_every_language_says_all_of_a_week(language: str) -> None:
    hours = Hours(week=tuple((((60 * day, 60 * day + 30),)) for day in range(1, 8)))
    said = say_hours(hours, language)
    assert all(day in said for day in WORDS[language].days)
    assert all(f"{hour}:00" in said for hour in range(1, 8))
    assert say_hours(Hours(), language) != say_hours(Hours(week=((),) * 7), language)
