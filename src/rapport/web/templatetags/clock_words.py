"""The words with which clocks go on in the page (`static/clocks.js`), the same that the server says."""

from __future__ import annotations

import json

from django import template
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

register = template.Library()

#: a number of each kind of plural (CLDR) that languages of the desk tell apart
_SAMPLES = {"one": 1, "few": 2, "other": 5}


@register.simple_tag
def clock_words() -> str:
    """JSON for `data-clock`: the server's time in seconds, and the words with {n} and {time} in them."""
    days = {kind: ngettext("%(n)d day", "%(n)d days", n) for kind, n in _SAMPLES.items()}
    months = {kind: ngettext("%(n)d month", "%(n)d months", n) for kind, n in _SAMPLES.items()}
    years = {kind: ngettext("%(n)d year", "%(n)d years", n) for kind, n in _SAMPLES.items()}
    words = {
        "now": _("now"), "min": _("%(n)d min"), "h": _("%(n)d h"), "day": days, "month": months, "year": years,
        "waits": _("waits %(time)s"), "in": _("due in %(time)s"), "over": _("%(time)s late"), "due": _("due"),
        "late": _("late"),
    }  # fmt: skip
    text = json.dumps({"at": int(timezone.now().timestamp()), **words}, ensure_ascii=False)
    return text.replace("%(n)d", "{n}").replace("%(time)s", "{time}")
