"""Surveys beside a conversation and in its thread."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils import timezone

from rapport.core.surveys import HAPPY, UNHAPPY, Question, line_of
from rapport.store.models import Invitation, Membership, Survey
from rapport.store.queries import surveys as reads
from rapport.store.queries.talk import Talk

register = template.Library()


@register.simple_tag
def surveys_to_send(talk: Talk, member: Membership) -> list[Survey]:
    """What this member may ask people."""
    return reads.surveys_to_send(member) if talk.marks.surveys else []


@register.filter
def told_answers(invitation: Invitation) -> list[tuple[Question, Any]]:
    """Each question with what they said to it."""
    return reads.told_answers(invitation)


@register.filter
def survey_line(text: str | None) -> str:
    """The line of a draft that holds a link to a survey."""
    return line_of(text or "")


@register.filter
def score_tone(score: int | None) -> str:
    """The tone of a chip."""
    if score is None:
        return ""
    return "care" if score <= UNHAPPY else "praise" if score >= HAPPY else "ask"


@register.filter
def is_over(invitation: Invitation) -> bool:
    """Whether its time is over and nobody answered."""
    return invitation.answered_at is None and invitation.expires_at <= timezone.now()


@register.simple_tag
def bar_of(count: int, total: int) -> int:
    """Width of a bar in hundredths."""
    return round(100 * count / total) if total else 0
