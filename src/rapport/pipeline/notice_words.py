"""What a notice says, in the language of whoever reads it (core.notice_text: what is stored of it)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from rapport.core.notice_text import Value, read_notice
from rapport.store.models import Notification

#: what happened -> its words. `place` is made of `who` and `basket`, lengths of time of minutes
WORDS: dict[str, Any] = {
    "yours": gettext_lazy("Yours now: %(place)s"),
    "given": gettext_lazy("%(by)s gave you %(place)s"),
    "rule": gettext_lazy("%(rule)s: %(place)s"),
    "rule-nobody": gettext_lazy("%(rule)s: %(place)s (the rule tells “%(name)s”, and that is nobody here)"),
    "rule-taken": gettext_lazy("%(by)s took up what the rule %(rule)s proposes: look at this."),
    "first-due": gettext_lazy("A first answer to %(who)s is due at %(at)s"),
    "next-due": gettext_lazy("An answer to %(who)s is due at %(at)s"),
    "resolution-due": gettext_lazy("A solution for %(who)s is due at %(at)s"),
    "first-late": gettext_lazy("A first answer to %(who)s was promised within %(minutes)s and is late"),
    "next-late": gettext_lazy("An answer to %(who)s was promised within %(minutes)s and is late"),
    "resolution-late": gettext_lazy("A solution for %(who)s was promised within %(minutes)s and is late"),
    "task": gettext_lazy("Due now: %(title)s"),
    "named": gettext_lazy("%(by)s names you in a note on %(who)s: %(note)s"),
    "asks": gettext_lazy("%(by)s asks you to send an answer to %(place)s"),
    "asks-post": gettext_lazy("%(by)s asks you to send a post of our own: %(text)s"),
    "sent-post": gettext_lazy("%(by)s sent your post: %(text)s"),
    "survey-answered": gettext_lazy("%(who)s answered the survey %(survey)s: %(score)s"),
    "offer-asked": gettext_lazy("%(by)s asks whether this may be offered: %(what)s"),
    "offer-allowed": gettext_lazy("%(by)s allowed what you asked for: %(what)s"),
    "offer-refused": gettext_lazy("%(by)s refused what you asked for: %(what)s"),
    "sent-as-written": gettext_lazy("%(by)s sent your answer as you wrote it: %(place)s"),
    "sent-changed": gettext_lazy("%(by)s changed your answer and sent it: %(place)s"),
    "returned": gettext_lazy("%(by)s returned your draft: %(reason)s"),
    "failed": gettext_lazy("Your answer to %(who)s did not leave: %(cause)s"),
    "held": gettext_lazy("Your answer to %(who)s is held: %(cause)s"),
    "act-failed": gettext_lazy("What you did with %(who)s on the network did not arrive: %(cause)s"),
    "act-held": gettext_lazy("What you did with %(who)s on the network is held: %(cause)s"),
    "unknown": gettext_lazy("Only you can tell whether your answer to %(who)s arrived: %(cause)s"),
    "unconfirmed": gettext_lazy("Nobody knows yet whether your answer to %(who)s arrived: %(cause)s"),
    "reconnect": gettext_lazy("%(channel)s must be connected again: %(reason)s"),
    "ended": gettext_lazy(
        "%(channel)s: the network has ended our access (%(reason)s). Connect it again by %(day)s, or all that came "
        "from it is deleted then, as the network asks."
    ),
    "quiet": gettext_lazy("%(channel)s is unusually quiet; look whether it is heard."),
    "crisis": gettext_lazy(
        "Far more trouble than usual: %(negative)s negative posts within %(hours)s hours, usual are %(usual)s. "
        "The hold switch stops everything going out."
    ),
    "calm": gettext_lazy("The trouble is over: no more negative posts than usual."),
}


def words_of(stored: str) -> str:
    """A stored notice as one line; a text of before, or one that a newer version wrote, as it is."""
    found = read_notice(stored)
    if found is None or found[0] not in WORDS:
        return stored
    said, values = found
    try:
        return str(WORDS[said]) % _said(values)
    except (KeyError, ValueError, TypeError):  # of a version with other values: nothing is hidden
        return ", ".join(str(value) for value in values.values())


def line_of(row: Notification) -> str:
    """What a notice says, in one line: the newest, and how many more it stands for."""
    text = words_of(row.text)
    # of one conversation the newest word says it all
    if row.count <= 1 or row.bundle.startswith("conversation:"):
        return text
    more = row.count - 1
    return ngettext("%(text)s, and %(n)s more", "%(text)s, and %(n)s more", more) % {"text": text, "n": f"{more:,}"}


def _said(values: Mapping[str, Value]) -> dict[str, str]:
    said = {name: str(value) for name, value in values.items()}
    if "minutes" in values:
        said["minutes"] = _length(int(values["minutes"]))
    if "at" in values:
        said["at"] = _clock(dt.datetime.fromisoformat(said["at"]))
    if "day" in values:
        said["day"] = date_format(timezone.localtime(dt.datetime.fromisoformat(said["day"])), "j M Y, H:i")
    if "who" in said:
        who = said["who"] or _("somebody")
        said["place"] = (
            _("%(who)s in %(basket)s") % {"who": who, "basket": said["basket"]} if said.get("basket") else who
        )
        said["who"] = who
    if "rule" in said:
        said["rule"] = said["rule"] or _("A rule")
    return said


def _clock(when: dt.datetime) -> str:
    """The time of a day in the reader's zone; another day than today with its date."""
    local = timezone.localtime(when)
    return date_format(local, "H:i" if local.date() == timezone.localdate() else _("j M, H:i"))


def _length(minutes: int) -> str:
    """ "45 min", "2 h", "1 h 30 min", as `core.hours.say_length`, in the reader's language."""
    hours, rest = divmod(minutes, 60)
    if not hours:
        return _("%(n)d min") % {"n": rest}
    if not rest:
        return _("%(n)d h") % {"n": hours}
    return _("%(hours)d h %(minutes)d min") % {"hours": hours, "minutes": rest}
