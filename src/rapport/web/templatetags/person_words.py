"""What the house knows of a person, read where a page shows it."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.translation import gettext as _

from rapport.store.models import Consent, Membership, Person
from rapport.store.queries import person_facts as reads

register = template.Library()


@register.simple_tag
def brief_of(person: Person, member: Membership) -> reads.Brief:
    """What the panel beside a conversation shows."""
    return reads.brief(member, person)


@register.simple_tag
def notes_on(person: Person, member: Membership, most: int = 100) -> list[Any]:
    """The newest notes on them."""
    return list(reads.notes_on(member, person, most))


@register.simple_tag
def fields_of(person: Person, member: Membership, empty: bool = False) -> list[reads.Filled]:
    """What they have in the fields of the workspace."""
    return reads.fields_of(member, person, empty)


@register.simple_tag
def consents_of(person: Person, member: Membership) -> list[Consent]:
    """What they allowed or refused."""
    return reads.consents_of(member, person)


@register.simple_tag
def stops_of(person: Person, member: Membership) -> list[Any]:
    """When they were not to be written to."""
    return list(reads.stops_of(member, person))


@register.simple_tag
def knowers_of(person: Person, member: Membership) -> list[reads.Knower]:
    """Who of us answered them."""
    return reads.knowers_of(member, person)


@register.simple_tag
def purposes() -> list[tuple[str, str]]:
    """(value, words) of what can be allowed."""
    return [(each.value, purpose_name(each.value)) for each in Consent.Purpose]


@register.filter
def purpose_name(purpose: str) -> str:
    """What they allow, in words."""
    return {
        "contact": _("to be written to first"),
        "survey": _("to be asked in a survey"),
        "quote": _("to be quoted by name"),
        "newsletter": _("to get the newsletter"),
    }.get(purpose, purpose)
