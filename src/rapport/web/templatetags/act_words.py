"""What was done with a post besides answering it, in words for a person."""

from __future__ import annotations

from django import template
from django.utils.translation import gettext_lazy

from rapport.store.models import Delivery
from rapport.web.offered import Offered, offered_by

register = template.Library()

_SENT = {
    "like": gettext_lazy("liked by %(name)s"),
    "boost": gettext_lazy("shared on by %(name)s"),
    "follow": gettext_lazy("followed by %(name)s"),
    "unlike": gettext_lazy("%(name)s took the like back"),
    "unboost": gettext_lazy("%(name)s took the share back"),
    "unfollow": gettext_lazy("%(name)s follows them no more"),
    "edit": gettext_lazy("edited by %(name)s"),
    "delete": gettext_lazy("deleted by %(name)s"),
}
_WAITS = {
    "like": gettext_lazy("the like is on its way"),
    "boost": gettext_lazy("sharing it on is on its way"),
    "follow": gettext_lazy("following them is on its way"),
    "unlike": gettext_lazy("taking the like back is on its way"),
    "unboost": gettext_lazy("taking the share back is on its way"),
    "unfollow": gettext_lazy("no longer following them is on its way"),
    "edit": gettext_lazy("the new words are on their way"),
    "delete": gettext_lazy("the deletion is on its way"),
}
_UNCERTAIN = {
    "like": gettext_lazy("the like may have arrived, we look after it"),
    "boost": gettext_lazy("sharing it on may have worked, we look after it"),
    "follow": gettext_lazy("following them may have worked, we look after it"),
    "unlike": gettext_lazy("the like may be taken back, we look after it"),
    "unboost": gettext_lazy("the share may be taken back, we look after it"),
    "unfollow": gettext_lazy("they may be followed no more, we look after it"),
    "edit": gettext_lazy("the new words may have arrived, we look after it"),
    "delete": gettext_lazy("it may be deleted, we look after it"),
}
_HELD = {
    "like": gettext_lazy("the like is held"),
    "boost": gettext_lazy("sharing it on is held"),
    "follow": gettext_lazy("following them is held"),
    "unlike": gettext_lazy("taking the like back is held"),
    "unboost": gettext_lazy("taking the share back is held"),
    "unfollow": gettext_lazy("no longer following them is held"),
    "edit": gettext_lazy("the new words are held"),
    "delete": gettext_lazy("the deletion is held"),
}
_FAILED = {
    "like": gettext_lazy("the like did not arrive"),
    "boost": gettext_lazy("it was not shared on"),
    "follow": gettext_lazy("they were not followed"),
    "unlike": gettext_lazy("the like was not taken back"),
    "unboost": gettext_lazy("the share was not taken back"),
    "unfollow": gettext_lazy("they are still followed"),
    "edit": gettext_lazy("the new words did not arrive"),
    "delete": gettext_lazy("it was not deleted"),
}
_BY_STATE = {
    "sent": _SENT, "queued": _WAITS, "sending": _WAITS, "unconfirmed": _UNCERTAIN, "held": _HELD, "failed": _FAILED,
}  # fmt: skip


_STATES = {
    "queued": gettext_lazy("queued"),
    "sending": gettext_lazy("sending"),
    "sent": gettext_lazy("sent"),
    "unconfirmed": gettext_lazy("unconfirmed"),
    "failed": gettext_lazy("failed"),
    "held": gettext_lazy("held"),
    "cancelled": gettext_lazy("taken back"),
}


@register.filter
def delivery_name(state: str) -> str:
    """ "taken back"."""
    return str(_STATES.get(state, state))


@register.filter
def act_says(delivery: Delivery) -> str:
    """ "liked by Ola"."""
    words = _BY_STATE.get(delivery.state, _WAITS).get(delivery.approval.act, "")
    return str(words) % {"name": delivery.approval.person} if words else delivery.approval.act


@register.filter
def is_stuck(delivery: Delivery) -> bool:
    """Whether a person has to do something: try again, or take it back."""
    return delivery.state in ("held", "failed")


@register.filter
def before_it_left(delivery: Delivery) -> bool:
    """Whether it can be taken back without a word to the network."""
    return delivery.state in ("held", "failed", "queued")


@register.filter
def takes(network: str, visibility: str) -> Offered:
    """What a network takes from here besides replies, about a post of this visibility."""
    return offered_by(network, visibility)


@register.filter
def item(found: dict[object, object], key: object) -> object:
    """What stands under a key; None where nothing does."""
    return found.get(key)
