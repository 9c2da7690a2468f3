"""Filters for what the guard says, in the language of whoever reads."""

from __future__ import annotations

from django import template

from rapport.core.reply import Finding
from rapport.web.guard_words import rule_name as name_of_rule
from rapport.web.guard_words import said_cause, said_reason, said_remedy

register = template.Library()


@register.filter
def reason(finding: Finding) -> str:
    """Why it stands in the way."""
    return said_reason(finding)


@register.filter
def remedy(finding: Finding) -> str:
    """What to do about it."""
    return said_remedy(finding)


@register.filter
def cause(text: str) -> str:
    """Why a delivery waits."""
    return said_cause(text)


@register.filter
def guard_rule(rule: str) -> str:
    """A rule of the guard in a few words."""
    return name_of_rule(rule)
