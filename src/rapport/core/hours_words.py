"""The hours of a basket in a sentence, in the languages in which a machine may have to say them to customers."""

from __future__ import annotations

import msgspec

from rapport.core.hours import DAY, Hours


class Words(msgspec.Struct, frozen=True):
    """How one language says hours; `{}` are filled in their order."""

    #: Monday first
    days: tuple[str, str, str, str, str, str, str]
    day: str
    days_to: str
    times_to: str
    and_: str
    except_holidays: str
    always: str
    never: str


_ENGLISH = Words(
    ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "{}", "{} to {}", "{} to {}", "and", "except on public holidays", "round the clock", "not in an ordinary week",
)  # fmt: skip
WORDS = {
    "en": _ENGLISH,
    "de": Words(
        ("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"),
        "{}", "{} bis {}", "{} bis {} Uhr", "und", "außer an Feiertagen", "rund um die Uhr",
        "in einer gewöhnlichen Woche nicht",
    ),
    "fr": Words(
        ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"),
        "le {}", "du {} au {}", "de {} à {}", "et", "sauf les jours fériés", "24 heures sur 24",
        "pas pendant une semaine ordinaire",
    ),
    "es": Words(
        ("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"),
        "el {}", "de {} a {}", "de {} a {}", "y", "excepto los festivos", "las 24 horas", "no en una semana normal",
    ),
    "it": Words(
        ("lunedì", "martedì", "mercoledì", "giovedì", "venerdì", "sabato", "domenica"),
        "{}", "da {} a {}", "dalle {} alle {}", "e", "esclusi i giorni festivi", "24 ore su 24",
        "non in una settimana normale",
    ),
    "nl": Words(
        ("maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag", "zondag"),
        "{}", "{} tot en met {}", "{} tot {} uur", "en", "behalve op feestdagen", "dag en nacht",
        "niet in een gewone week",
    ),
    "pt": Words(
        ("segunda-feira", "terça-feira", "quarta-feira", "quinta-feira", "sexta-feira", "sábado", "domingo"),
        "{}", "de {} a {}", "das {} às {}", "e", "exceto feriados", "24 horas por dia", "não em uma semana normal",
    ),
}  # fmt: skip


def say_hours(hours: Hours, language: str = "en") -> str:
    """When people answer: "Monday to Friday 9:00 to 17:00 (Europe/Berlin)".

    `language`: a code such as "de" or "pt-BR"; English where its words are not known.
    """
    words = WORDS.get(language.lower().partition("-")[0], _ENGLISH)
    but = f" {words.except_holidays}" if hours.country else ""
    if all(shifts == ((0, DAY),) for shifts in hours.week):  # also where no week is set
        return f"{words.always}{but}"
    runs: list[tuple[int, int, str]] = []
    for day, shifts in enumerate(hours.week):
        told = f" {words.and_} ".join(
            words.times_to.format(_clock(start), _clock(end)) for start, end in sorted(shifts)
        )
        if runs and runs[-1][1] == day - 1 and runs[-1][2] == told:
            runs[-1] = (runs[-1][0], day, told)
        else:
            runs.append((day, day, told))
    spans = [f"{_days(words, first, last)} {told}" for first, last, told in runs if told]
    return f"{', '.join(spans)} ({hours.zone}){but}" if spans else words.never


def _days(words: Words, first: int, last: int) -> str:
    if first == last:
        return words.day.format(words.days[first])
    return words.days_to.format(words.days[first], words.days[last])


def _clock(minute: int) -> str:
    hour = minute // 60 if minute == DAY else minute // 60 % 24  # open until midnight is until 24:00
    return f"{hour}:{minute % 60:02d}"
