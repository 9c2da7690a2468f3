"""What stands in the head of a conversation: who else answered, our last word to them, what is known in a crisis."""

from __future__ import annotations

import msgspec
from django import template

from rapport.store.models import Delivery, Hold, Membership
from rapport.store.queries.brands import Brand, brands_in, last_contact
from rapport.store.queries.people import Profile
from rapport.store.queries.talk import Talk

register = template.Library()


class Head(msgspec.Struct, frozen=True):
    """Beside the name of the person."""

    brands: list[Brand]
    last: Delivery | None
    #: what is known by now, while everything is held
    known: str


@register.simple_tag
def read_head(talk: Talk, member: Membership, profile: Profile | None) -> Head:
    """Read when it is shown; somebody of another firm is told of their own baskets alone.

    `profile`: of the person; without earlier conversations in sight nothing of ours is looked for.
    """
    conversation, workspace = talk.conversation, member.workspace
    hold = Hold.objects.of(workspace).filter(ended_at__isnull=True).first() if workspace.held_at else None
    return Head(
        brands=_brands(talk),
        last=last_contact(conversation, member) if profile is not None and profile.earlier else None,
        known=hold.known if hold else "",
    )


def _brands(talk: Talk) -> list[Brand]:
    """Firms that answered since the person whom it began with last spoke; read only where somebody else is there."""
    posts = [entry.post for entry in talk.entries if entry.kind == "theirs" and entry.post]
    if len({post.handle.person_id for post in posts}) < 2:
        return []
    firms = brands_in(talk.conversation)
    whose = next((post.handle.person_id for post in posts if post.handle.person_id not in firms), None)
    last = max((post.sort_at for post in posts if post.handle.person_id == whose), default=None)
    return [brand for brand in firms.values() if last is not None and brand.at > last]
