"""The name of a rule, with the way to its page for those who may look at it."""

from __future__ import annotations

from urllib.parse import urlencode

from django import template
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag(takes_context=True)
def rule_name(context: template.Context, name: str) -> SafeString:
    """The name, linked to the page of the rule where the reader's role opens it."""
    member = getattr(context.get("request"), "membership", None)
    if member is None or member.may("configure") is not True:
        return format_html("{}", name)
    path = reverse("rule_page", kwargs={"slug": member.workspace.slug})
    return format_html('<a href="{}?{}">{}</a>', path, urlencode({"name": name}), name)
