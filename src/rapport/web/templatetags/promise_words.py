"""Promises of time in words: when something is due, and how late it is."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from typing import Any

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from rapport.store.queries.load import Moved
from rapport.web.templatetags.desk_frame import icon, in_words, since, to_the_minute

register = template.Library()

#: from so long before it runs out a promise is shown as pressing
SOON = dt.timedelta(hours=1)
KINDS = {
    "first": gettext_lazy("first answer"),
    "next": gettext_lazy("answer"),
    "resolution": gettext_lazy("solution"),
}


@register.simple_tag(takes_context=True)
def due(context: template.Context, when: dt.datetime | None) -> SafeString:
    """A chip that says when the nearest promise runs out; nothing where none runs. Words tell, not the colour alone."""
    if when is None:
        return SafeString("")
    now = context.get("now") or timezone.now()
    zone, language = timezone.get_current_timezone_name(), get_language()
    if when <= now:
        opening = _chip(when, "care", "circle-alert", zone, language)
        shown = _("%(time)s late") % {"time": since(when, now)} if now - when >= dt.timedelta(minutes=1) else _("late")
    else:
        opening = _chip(when, "ask" if when - now <= SOON else "", "hourglass", zone, language)
        shown = _("due in %(time)s") % {"time": since(now, when)} if when - now >= dt.timedelta(minutes=1) else _("due")
    return format_html("{}{}</time></span>", opening, shown)


@lru_cache(maxsize=8192)
def _chip(when: dt.datetime, tone: str, sign: str, zone: str, language: str | None) -> SafeString:
    """The chip of a promise as far as the clock does not change it; `zone` and `language`: those in force."""
    local = timezone.localtime(when)
    exact = f"{in_words(to_the_minute(local), language).full} ({local.tzname()})"
    return format_html(
        '<span class="chip {}" title="{}">{}<time datetime="{}" data-style="due">',
        tone, _("promised until %(time)s") % {"time": exact}, icon(sign),
        when.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    )  # fmt: skip


#: what the desk did by itself, by verb of the audit
MOVED = {
    "conversation.give": gettext_lazy("given out: %(reason)s"),
    "conversation.return": gettext_lazy("back in the basket: nobody touched it for too long"),
    "conversation.overflow": gettext_lazy("sent on: %(reason)s"),
}


@register.filter
def moved_words(moved: Moved) -> str:
    """Why the desk moved a conversation, in a few words."""
    return str(MOVED[moved.verb]) % {"reason": moved.reason}


@register.filter
def promise_kind(kind: str) -> Any:
    """What is promised: "first answer"."""
    return KINDS.get(kind, kind)


@register.filter
def staffed(minutes: float | None) -> str:
    """A length of staffed time: "45 min", "2 h", "1 h 30 min"."""
    whole = round(minutes or 0)
    hours, rest = divmod(whole, 60)
    if not hours:
        return _("%(n)d min") % {"n": rest}
    if not rest:
        return _("%(n)d h") % {"n": hours}
    return _("%(hours)d h %(minutes)d min") % {"hours": hours, "minutes": rest}
