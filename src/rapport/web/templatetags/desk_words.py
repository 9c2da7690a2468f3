"""Tags for what people say: posts with links and marks, names and handles that cannot pose as others."""

from __future__ import annotations

from typing import Any

import msgspec
from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from rapport.actions.people import RELATIONSHIPS
from rapport.core.post import Media
from rapport.core.reading import Reading
from rapport.networks.registry import network_named
from rapport.store.models import Handle, Person, Post
from rapport.store.queries.people import Mood
from rapport.web.display import is_mixed, readable_text, shown_handle, true_host, visible_text
from rapport.web.reading_words import language_name
from rapport.web.role_words import role_name
from rapport.web.why_words import said_reading, said_why, short_why

register = template.Library()
_FAMILIES = {"complaint": "care", "negative": "care", "praise": "praise", "positive": "praise"}


@register.simple_tag
def name_of(subject: Any) -> SafeString:
    """The name of a person or handle, isolated so that it cannot reorder what stands around it."""
    return format_html('<bdi dir="auto">{}</bdi>', plain_name(subject))


@register.filter
def plain_name(subject: Any) -> str:
    """The name as plain text, for attributes; a nameless one is called by their handle."""
    if isinstance(subject, Handle):
        return visible_text(subject.name) or f"@{shown_handle(subject.handle or subject.external_id)}"
    if isinstance(subject, Person):
        return visible_text(subject.name) or _("Somebody without a name")
    return visible_text(str(subject)) if subject else _("Somebody")


@register.simple_tag
def handle_of(handle: Handle) -> SafeString:
    """@ann@example.social, look-alike letters called out."""
    shown = shown_handle(handle.handle or handle.external_id)
    if is_mixed(handle.handle):
        warning = _("Letters of several alphabets: this may be somebody posing as another.")
        return format_html(
            '<bdi class="handle odd" title="{}">@{} <span aria-hidden="true">⚠</span></bdi>', warning, shown
        )
    return format_html('<bdi class="handle">@{}</bdi>', shown)


@register.filter
def percent(value: float) -> str:
    """0.93 -> 93 %."""
    return f"{round(100 * value)} %"


@register.filter
def bar_width(value: float, most: float = 30.0) -> str:
    """Points as the width of a bar, in percent of `most`."""
    return f"{min(100.0, max(2.0, 100 * abs(value) / most)):.0f}%"


@register.filter
def tone_of(why: str) -> str:
    """The colour family of a reason: care, praise, ask or quiet."""
    lowered = why.lower()
    for word, tone in (
        *_FAMILIES.items(),
        ("question", "ask"),
        ("review", "ask"),
        ("purchase", "accent"),
        ("request", "ask"),
    ):
        if word in lowered:
            return tone
    return ""


register.filter("language_name", language_name)
register.filter("role_name", role_name)
register.filter("said_why", said_why)
register.filter("short_why", short_why)
register.filter("said_reading", said_reading)


@register.filter
def readable(text: str | None) -> str:
    """Running text without marks that reorder it."""
    return readable_text(text or "")


@register.filter
def web_address(url: str | None) -> str:
    """The address if it is one that we link (http, https), else an empty string."""
    return url if url and true_host(url) else ""


@register.filter
def short_number(value: int | None) -> str:
    """4120 -> 4,120; 1234567 -> 1.2 M."""
    if value is None:
        return ""
    if value >= 1_000_000:
        return f"{value / 1_000_000:.1f} M"
    return f"{value:,}" if value < 100_000 else f"{value // 1000} k"


@register.filter
def absolute(value: float) -> float:
    """Without its sign."""
    return abs(value)


@register.filter
def first_word(name: str | None) -> str:
    """The first name."""
    return (name or "").split(" ")[0]


#: networks that only files bring; the others are named by themselves
_FROM_FILES = {"twitter": "Twitter", "linkedin": "LinkedIn"}


@register.filter
def network_name(network: str) -> str:
    """A network as its people write it."""
    known = network_named(network)
    return known.title if known is not None else _FROM_FILES.get(network, network.capitalize())


VISIBILITIES = {
    "public": gettext_lazy("public"),
    "unlisted": gettext_lazy("quiet public"),
    "private": gettext_lazy("followers only"),
    "direct": gettext_lazy("direct message"),
}


@register.filter
def visibility_name(visibility: str) -> str:
    """Who can read a post."""
    return str(VISIBILITIES.get(visibility, visibility))


STATES = {
    "open": gettext_lazy("Open"),
    "pending": gettext_lazy("Waiting for them"),
    "snoozed": gettext_lazy("Snoozed"),
    "resolved": gettext_lazy("Resolved"),
    "quarantined": gettext_lazy("In quarantine"),
    "folded": gettext_lazy("Folded into another one"),
}


@register.filter
def state_name(state: str) -> str:
    """Where a conversation stands."""
    return str(STATES.get(state, state))


FACTORS = {
    "mood": gettext_lazy("Mood"),
    "urgency": gettext_lazy("Urgency"),
    "intent": gettext_lazy("Intent"),
    "reach": gettext_lazy("Reach"),
    "history": gettext_lazy("History"),
    "rating": gettext_lazy("Rating"),
    "relationship": gettext_lazy("Relation"),
    "waiting": gettext_lazy("Waiting"),
    "pile_on": gettext_lazy("Pile-on"),
    "crisis": gettext_lazy("Crisis"),
}


@register.filter
def factor_name(name: str) -> str:
    """A factor of the score for the screen."""
    return str(FACTORS.get(name, name.capitalize()))


KINDS = {
    "": gettext_lazy("not said"),
    "prospect": gettext_lazy("prospect"),
    "customer": gettext_lazy("customer"),
    "advocate": gettext_lazy("advocate"),
    "detractor": gettext_lazy("detractor"),
    "influencer": gettext_lazy("influencer"),
    "partner": gettext_lazy("partner"),
    "journalist": gettext_lazy("journalist"),
    "colleague": gettext_lazy("colleague"),
    "competitor": gettext_lazy("competitor"),
}


@register.filter
def relationship_name(value: str) -> str:
    """What somebody is to us."""
    return str(KINDS.get(value, value))


@register.filter
def relationships(_person: Person) -> list[tuple[str, str]]:
    """What somebody can be to us, for a choice."""
    return [(value, relationship_name(value)) for value in RELATIONSHIPS]


@register.filter
def stars(rating: float) -> str:
    """4 -> four full stars and an empty one."""
    full = max(0, min(5, round(rating)))
    return "★" * full + "☆" * (5 - full)


class _MediaOnly(msgspec.Struct):
    media: tuple[Media, ...] = ()


_media_decoder = msgspec.json.Decoder(_MediaOnly)


@register.filter
def media_of(post: Post) -> list[Media]:
    """What is attached to a post, as a link or (attachments of mails) by its name: nothing is loaded from elsewhere."""
    try:
        media = _media_decoder.decode(post.extra).media
    except msgspec.MsgspecError:
        return []
    return [each for each in media if (true_host(each.url) if each.url else each.alt)]


@register.filter
def strongest(reading: Reading) -> list[tuple[str, float]]:
    """The readings of a post that say something, strongest first."""
    found = {
        _("negative"): reading.sentiment.negative,
        _("positive"): reading.sentiment.positive,
        _("anger"): reading.emotion.anger,
        _("joy"): reading.emotion.joy,
        _("sadness"): reading.emotion.sadness,
        _("complaint"): reading.intent.complaint,
        _("question"): reading.intent.question,
        _("request"): reading.intent.request,
        _("praise"): reading.intent.praise,
        _("purchase"): reading.intent.purchase,
        _("report"): reading.intent.report,
        _("urgency"): reading.urgency,
        _("irony"): reading.irony,
        _("offensive"): reading.offensive,
        _("spam"): reading.spam,
        _("asks for a personal answer"): reading.personal,
    }
    return sorted(((name, value) for name, value in found.items() if value >= 0.05), key=lambda pair: -pair[1])[:8]


class Bar(msgspec.Struct, frozen=True):
    """One bar of the mood strip, in a drawing of 276 by 36. Numbers as text: no language puts a comma into them."""

    tone: str
    x: str
    y: str
    height: str
    label: str


@register.filter
def mood_bars(moods: list[Mood]) -> list[Bar]:
    """Bars for the strip: height says how strong, colour which way."""
    bars = []
    for place, mood in enumerate(moods):
        height = 8 + 28 * min(1.0, max(0.0, mood.strength if mood.label != "neutral" else 0.05))
        tone = {"negative": "n", "positive": "p"}.get(mood.label, "z")
        bars.append(
            Bar(
                tone,
                str(place * 23),
                f"{36 - height:.1f}",
                f"{height:.1f}",
                f"{mood.post.created_at:%Y-%m-%d}: {_(mood.label)}",
            )
        )
    return bars


@register.filter
def mood_words(moods: list[Mood]) -> str:
    """The strip in words."""
    bad = sum(mood.label == "negative" for mood in moods)
    good = sum(mood.label == "positive" for mood in moods)
    return ngettext(
        "%(n)d message: %(bad)d negative, %(good)d positive",
        "%(n)d messages: %(bad)d negative, %(good)d positive",
        len(moods),
    ) % {"n": len(moods), "bad": bad, "good": good}
