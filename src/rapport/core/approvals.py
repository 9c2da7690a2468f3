"""Whose word is asked for besides: which rule applies to a reply, and who may approve under it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from rapport.core.roles import may

#: roles by how much their word weighs; whoever is not named here approves nothing for others
_WEIGHT = {"lead": 1, "admin": 2, "owner": 3}


class Asking(msgspec.Struct, frozen=True):
    """One rule. What is empty or None narrows nothing."""

    #: of whoever writes
    role: str = ""
    basket: int | None = None
    channel: int | None = None
    #: an expression of the rules about the post that is answered
    condition: str = ""
    #: the least role that may approve: "lead" or "admin"
    approver: str = "lead"
    #: never its author, whatever their role
    four_eyes: bool = True


def first_asking(
    rules: Iterable[Asking], role: str, basket: int | None, channel: int, holds: Callable[[str], bool]
) -> Asking | None:
    """The first rule that asks for somebody else's word on what `role` writes there; None = one's own is enough.

    `holds`: whether a condition is true of the post that is answered; asked only where everything else fits.
    """
    for rule in rules:
        fits = rule.role in {"", role} and rule.basket in {None, basket} and rule.channel in {None, channel}
        if fits and (not rule.condition or holds(rule.condition)):
            return None if is_enough(rule, role) else rule
    return None


def is_enough(rule: Asking, role: str) -> bool:
    """Whether the word of somebody in this role, about their own words, is enough under the rule."""
    return not rule.four_eyes and outweighs(role, rule.approver)


def outweighs(role: str, approver: str) -> bool:
    """Whether a role is at least the one that a rule names; an unknown one never is."""
    return may(role, "send") and _WEIGHT.get(role, 0) >= _WEIGHT.get(approver, 99)


def may_approve(rule: Asking | None, role: str, *, own_words: bool) -> bool:
    """Whether somebody in this role may let these words out. `own_words`: they wrote them.

    Without a rule whoever may send may. Under one it takes the role that it names, and with four eyes another person
    than the author.
    """
    if rule is None:
        return may(role, "send")
    return outweighs(role, rule.approver) and not (own_words and rule.four_eyes)
