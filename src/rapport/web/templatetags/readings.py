"""Tags for what was read of a post: its words with marks, what they carried, and what people said of it."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.safestring import SafeString

from rapport.core.decision import Outcome
from rapport.core.reading import Toward
from rapport.core.thresholds import SHIPPED, Thresholds
from rapport.store.models import Correction, Post
from rapport.store.queries.readings import read_counting
from rapport.web.reading_words import (
    Carried,
    carried_by,
    describe,
    reason_word,
    spans_of,
    toward_word,
    towards,
    value_word,
)
from rapport.web.words import tone, words_as_html

register = template.Library()


@register.simple_tag(takes_context=True)
def words(context: template.Context, text: str, judgement: Outcome | None = None) -> SafeString:
    """A post's text with its links, and with the words marked that carried a reading that counts here."""
    return words_as_html(text, spans_of(judgement, text, _counting(context, judgement)), reason_word)


@register.simple_tag(takes_context=True)
def carried(context: template.Context, post: Post, judgement: Outcome | None) -> list[Carried]:
    """What the marked words of a post carried."""
    return carried_by(judgement, post.text, _counting(context, judgement))


def _counting(context: template.Context, judgement: Outcome | None) -> Thresholds:
    """From which certainty readings count where this page is shown; read once a request."""
    request = context.get("request")
    workspace = getattr(request, "workspace", None)
    if request is None or judgement is None or workspace is None:
        return SHIPPED
    if not hasattr(request, "counting"):
        request.counting = read_counting(workspace.pk)
    found: Thresholds = request.counting
    return found


@register.filter
def said_of(corrected: dict[int, list[Correction]] | None, post: Post) -> list[Correction]:
    """What people said of the readings of a post."""
    return (corrected or {}).get(post.pk, [])


@register.filter
def correction_says(row: Correction) -> str:
    """ "Mood: negative"."""
    return describe(row)


@register.filter
def correction_was(row: Any) -> str:
    """What the machine had said."""
    return value_word(row.reading, row.was)


@register.filter
def moods_toward(judgement: Outcome | None) -> tuple[Toward, ...]:
    """The moods toward brands that differ from that of the whole text, or from each other."""
    return towards(judgement)


@register.filter
def toward_says(toward: Toward) -> str:
    """ "negative toward Acme"."""
    return toward_word(toward)


@register.filter
def toward_tone(toward: Toward) -> str:
    """The colour family of its chip; none for a neutral one."""
    return "" if toward.sentiment.label == "neutral" else tone(toward.sentiment.label)
