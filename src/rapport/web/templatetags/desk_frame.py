"""Tags of the frame: icons, faces, moments in time."""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec
from django import template
from django.templatetags.static import static
from django.urls import get_script_prefix
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from rapport.core.keys import OwnKeys
from rapport.web.display import visible_text
from rapport.web.flash import deed_of

register = template.Library()

#: what the badge on a face says, by network; others show their first letter
BADGES = {
    "mastodon": "M",
    "bluesky": "B",
    "x": "X",
    "twitter": "X",
    "trustpilot": "★",
    "google": "★",
    "mail": "✉",
    "feed": "◔",
    "facebook": "f",
    "linkedin": "in",
    "youtube": "▸",
    "reddit": "r",
    "discourse": "D",
}
FACES = 8


@register.filter
def deed(message: Any) -> str:
    """Row id of the deed that a message can take back; "" for most."""
    return deed_of(message)


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """A Lucide icon from the sprite. With a label it is announced, without one it is decoration."""
    sprite = _sprite(get_script_prefix())
    if not label:
        return _decoration(sprite, name)
    said = '<svg class="icon" role="img" aria-label="{}"><use href="{}#{}"></use></svg>'
    return format_html(said, label, sprite, name)


@lru_cache(maxsize=8)
def _sprite(_prefix: str) -> str:
    return static("vendor/lucide/sprite.svg")


@lru_cache(maxsize=512)  # a page has hundreds of some forty
def _decoration(sprite: str, name: str) -> SafeString:
    return format_html('<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>', sprite, name)


@register.simple_tag(takes_context=True)
def key(context: Mapping[str, Any], shipped: str, said: bool = False) -> SafeString:
    """What this person presses for the act that is shipped with a key ("e", "g 1"); nothing where they gave it up.

    `said`: it is told to those who hear the page, as in a list of keys; beside a button it is decoration.
    """
    own = context.get("own_keys") or OwnKeys()
    first, *then = shipped.split(" ")
    pressed = own.in_place_of(first)
    if not pressed:
        return format_html("<span>{}</span>", _("no key")) if said else SafeString()
    return format_html("<kbd>{}</kbd>" if said else '<kbd aria-hidden="true">{}</kbd>', " ".join([pressed, *then]))


@register.simple_tag
def face(name: str, key: int | str | None = 0, kind: str = "", network: str = "") -> SafeString:
    """A round face with initials; decoration beside a name. `key` chooses the colour and stays the same."""
    tone = "face-us" if "us" in kind.split() else f"face-{hash_of(key) % FACES}"
    badge = format_html('<i class="net">{}</i>', badge_of(network)) if network else ""
    return format_html('<span class="face {} {}" aria-hidden="true">{}{}</span>', tone, kind, initials(name), badge)


def badge_of(network: str) -> str:
    """One or two characters that stand for a network."""
    return BADGES.get(network, network[:1].upper() or "?")


def hash_of(key: int | str | None) -> int:
    """A small number that stays the same for the same key (Python's own hash changes with every start)."""
    if isinstance(key, int):
        return key
    return sum(str(key or "").encode())


def initials(name: str) -> str:
    """Up to two letters of a name: 'Nadia Okafor' -> 'NO'; what has no letter gives '·'."""
    words = ["".join(c for c in word if unicodedata.category(c)[0] in "LN") for word in visible_text(name).split()]
    words = [word for word in words if word]
    if not words:
        return "·"
    first, last = words[0], words[-1] if len(words) > 1 else ""
    if unicodedata.east_asian_width(first[0]) in "WF":
        return first[0]
    return (first[0] + (last[:1] or first[1:2])).upper()[:2]


@register.simple_tag(takes_context=True)
def moment(context: template.Context, when: dt.datetime | None, style: str = "clock") -> SafeString:
    """A <time> in the reader's zone; the title holds the full date.

    Styles: `clock` (today's time, or date and time), `ago` (3 min, 2 h, 5 days), `waits` (waits 38 min), `full`.
    """
    if when is None:
        return SafeString("")
    now = context.get("now") or timezone.now()
    said, opening = written(when, style, timezone.get_current_timezone_name(), get_language())
    if style == "ago":
        shown = since(when, now)
    elif style == "waits":
        shown = _("waits %(time)s") % {"time": since(when, now)}
    elif style == "full":
        shown = said.full
    else:
        shown = said.on(timezone.localtime(now).date())
    return format_html("{}{}</time>", opening, shown)


@lru_cache(maxsize=8192)
def written(when: dt.datetime, style: str, zone: str, language: str | None) -> tuple[InWords, SafeString]:
    """A moment in words, and its <time> without what the clock says of it; `zone` and `language`: those in force."""
    local = timezone.localtime(when)
    said = in_words(to_the_minute(local), language)
    iso = when.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    absolute = f"{said.full} ({local.tzname()})"
    return said, format_html('<time datetime="{}" title="{}" data-style="{}">', iso, absolute, style)


class InWords(msgspec.Struct, frozen=True):
    """One minute of the reader's clock, in the reader's language."""

    date: dt.date
    time: str
    day: str
    day_of_year: str
    full: str

    def on(self, today: dt.date) -> str:
        """14:05 on the same day, else with its date; in another year with that too."""
        if self.date == today:
            return self.time
        return self.day if self.date.year == today.year else self.day_of_year


def to_the_minute(local: dt.datetime) -> dt.datetime:
    """What a clock on the wall shows: the time without seconds and zone."""
    return local.replace(second=0, microsecond=0, tzinfo=None)


@lru_cache(maxsize=4096)  # a list that is looked at again and again says the same times
def in_words(local: dt.datetime, language: str | None) -> InWords:
    """`local`: a whole minute of the reader's clock, naive; `language`: the one in force, the words are in it."""
    return InWords(
        local.date(),
        date_format(local, "H:i"),
        date_format(local, _("j M, H:i")),
        date_format(local, _("j M Y, H:i")),
        date_format(local, _("j F Y, H:i")),
    )


def since(when: dt.datetime, now: dt.datetime) -> str:
    """How long ago, in the largest whole unit: '38 min', '2 h', '5 days', '3 months', '2 years'."""
    seconds = max(0, int((now - when).total_seconds()))
    if seconds < 60:
        return _("now")
    if seconds < 3600:
        return _("%(n)d min") % {"n": seconds // 60}
    if seconds < 86_400:
        return _("%(n)d h") % {"n": seconds // 3600}
    days = seconds // 86_400
    if days < 60:
        return ngettext("%(n)d day", "%(n)d days", days) % {"n": days}
    if days < 730:
        return ngettext("%(n)d month", "%(n)d months", days // 30) % {"n": days // 30}
    return ngettext("%(n)d year", "%(n)d years", days // 365) % {"n": days // 365}
