"""The name of a rule, with the way to its page for those who may look at it; the groups of rules."""

from __future__ import annotations

from collections import Counter
from urllib.parse import urlencode

import msgspec
from django import template
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from rapport.core.rules.edit import pieces

register = template.Library()


@register.simple_tag(takes_context=True)
def rule_name(context: template.Context, name: str) -> SafeString:
    """The name, linked to the page of the rule where the reader's role opens it."""
    member = getattr(context.get("request"), "membership", None)
    if member is None or member.may("configure") is not True:
        return format_html("{}", name)
    path = reverse("rule_page", kwargs={"slug": member.workspace.slug})
    return format_html('<a href="{}?{}">{}</a>', path, urlencode({"name": name}), name)


class GroupShown(msgspec.Struct, frozen=True):
    """A group of rules, as the list shows it."""

    name: str
    on: bool
    when: str
    #: how many are in it
    rules: int


@register.simple_tag
def groups_of(document: str) -> list[GroupShown]:
    """The groups of a document; none of one that is no TOML yet."""
    try:
        found, rules = pieces(document, "group"), pieces(document)
    except ValueError:
        return []
    held = Counter(str(rule.values.get("group", "")) for rule in rules)
    return [
        GroupShown(
            each.name, each.values.get("on", True) is not False, str(each.values.get("when", "")), held[each.name]
        )
        for each in found
    ]


@register.simple_tag(takes_context=True)
def may_publish(context: template.Context) -> bool:
    """Whether the person may put rules in force."""
    return bool(context["membership"].may("publish"))
