"""What policy says beside a conversation, and offers in words."""

from __future__ import annotations

from decimal import Decimal

from django import template
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from rapport.core.offers import CURRENCIES, Limit
from rapport.store.models import Article, Membership, Offer, Person, StepPlan, Task
from rapport.store.queries import policy as reads
from rapport.store.queries.talk import Talk

register = template.Library()

#: what is offered most, by its slug; others are shown as their slug reads
THINGS = {
    "refund": gettext_lazy("refund"),
    "voucher": gettext_lazy("voucher"),
    "discount": gettext_lazy("discount"),
    "replacement": gettext_lazy("replacement"),
    "callback": gettext_lazy("call back"),
    "free-shipping": gettext_lazy("free shipping"),
    "upgrade": gettext_lazy("upgrade"),
    "repair": gettext_lazy("repair"),
}
STATES = {
    "asked": (pgettext_lazy("offer", "waits for a lead"), "ask"),
    "allowed": (pgettext_lazy("offer", "allowed, not said yet"), "accent"),
    "refused": (pgettext_lazy("offer", "refused"), "care"),
    "offered": (pgettext_lazy("offer", "offered"), "accent"),
    "agreed": (pgettext_lazy("offer", "agreed"), "praise"),
    "declined": (pgettext_lazy("offer", "declined"), ""),
    "kept": (pgettext_lazy("offer", "came to be"), "praise"),
    "broken": (pgettext_lazy("offer", "did not come to be"), "care"),
}


@register.simple_tag
def policy_beside(talk: Talk, member: Membership) -> reads.Beside:
    """Articles, offers and limits beside a conversation."""
    return reads.beside(member, talk.conversation, talk.marks)


@register.simple_tag
def promised_to(person: Person, member: Membership, but: Talk | None = None) -> tuple[list[Task], list[Offer]]:
    """What stands promised to somebody, in words; `but`: the conversation that says its own part itself."""
    if but and not but.marks.owed_tasks and not but.marks.owed_offers:
        return [], []
    return reads.promised_to(member, person.pk, but=but.conversation.pk if but else None)


@register.simple_tag
def plans_to_begin(talk: Talk) -> list[StepPlan]:
    """The plans of steps that can be begun beside a conversation."""
    return list(StepPlan.objects.of(talk.conversation.workspace_id).filter(active=True)) if talk.marks.plans else []


@register.filter
def thing_name(what: str) -> str:
    """ "free shipping"."""
    return str(THINGS[what]) if what in THINGS else what.replace("-", " ")


@register.filter
def offer_name(offer: Offer) -> str:
    """ "refund, 40 EUR"."""
    name = thing_name(offer.what)
    return f"{name}, {money(offer.amount, offer.currency)}" if offer.amount is not None else name


def money(amount: Decimal, currency: str) -> str:
    """ "40 EUR", "12.50 EUR", in the reader's way of writing numbers."""
    places = 0 if amount == amount.to_integral_value() else 2
    return f"{number_format(amount, decimal_pos=places, force_grouping=True)} {currency}"


@register.simple_tag
def as_money(amount: Decimal, currency: str) -> str:
    """A sum and its currency."""
    return money(amount, currency)


@register.filter
def limit_says(limit: Limit | None) -> str:
    """What one may offer of a thing by oneself."""
    if limit is None:
        return _("ask a lead")
    if limit.most is None:
        return _("as you see fit")
    return _("up to %(sum)s") % {"sum": money(limit.most, limit.currency)}


@register.filter
def offer_state(offer: Offer) -> str:
    """ "waits for a lead"."""
    return str(STATES[offer.state][0])


@register.filter
def offer_tone(offer: Offer) -> str:
    """The tone of its chip."""
    return STATES[offer.state][1]


@register.filter
def is_policy(article: Article) -> bool:
    """Whether it is for colleagues alone."""
    return article.kind == Article.Kind.POLICY


@register.simple_tag
def as_percent(share: float) -> str:
    """ "67 %"."""
    return f"{share:.0%}"


@register.simple_tag
def offer_currencies(limits: dict[str, Limit | None]) -> list[str]:
    """The currencies of the limits first, then all others."""
    used = sorted({limit.currency for limit in limits.values() if limit is not None and limit.currency})
    return [*used, *(each for each in CURRENCIES if each not in used)]
