"""Numbers as people read them: 1,204 here, 1.204 there."""

from __future__ import annotations

from django import template
from django.utils.formats import number_format

register = template.Library()


@register.filter
def grouped(value: int) -> str:
    """A whole number with its thousands apart, in the way of the reader's language."""
    return number_format(value, use_l10n=True, force_grouping=True)


@register.filter
def percent(value: float) -> str:
    """A share of 0 to 1 as a percentage with one decimal, in the way of the reader's language."""
    return f"{number_format(100 * value, decimal_pos=1, use_l10n=True)} %"
