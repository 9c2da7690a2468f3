"""Tags for what is on its way out: what may be a reply whose fate is not known, and what a hold keeps back."""

from __future__ import annotations

from django import template

from rapport.store.models import Delivery, Post
from rapport.store.queries.outbound import find_among_ours, ours_like, was_let_through

register = template.Library()


@register.simple_tag
def perhaps_it(delivery: Delivery) -> list[Post]:
    """Posts of ours that may be this reply, the one that says the same first. Read only where a person is asked."""
    same = find_among_ours(delivery)
    rest = [post for post in ours_like(delivery) if same is None or post.pk != same.pk]
    return [same, *rest] if same else rest


@register.filter
def is_let_through(delivery: Delivery) -> bool:
    """Whether it goes out although everything is held."""
    return was_let_through(delivery, delivery.workspace)
