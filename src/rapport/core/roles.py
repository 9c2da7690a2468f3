"""Who may do what: roles and rights as one table. Baskets narrow it further (`sees_every_basket`)."""

from __future__ import annotations

from typing import Literal, get_args

Role = Literal["owner", "admin", "lead", "agent", "restricted", "advocate", "viewer"]
Right = Literal[
    "read",  # see conversations of one's baskets
    "note",  # write internal notes
    "triage",  # assign, snooze, resolve, reopen, move
    "people",  # what holds for a person everywhere: ignored, left alone, relationship, one or two, a machine
    "draft",  # write a draft
    "send",  # approve a draft: what is sent is one's own word
    "release",  # look through the quarantine and take things out
    "configure",  # topics, drafts of rules, prepared replies
    "publish",  # put rules in force
    "channels",  # connect and change accounts
    "team",  # invite people, roles, baskets
    "hold",  # stop every queue, and start them again
    "audit",  # read who did what, the ledger among it
    "import",  # bring in files
    "campaign",  # make campaigns; each send in one is still a "send"
    "policy",  # articles, and what each role may offer
    "allow",  # decide on offers above what a colleague may offer
    "export",  # take out everything that is known of a person
    "erase",  # take away everything that is known of a person
]

ROLES: tuple[Role, ...] = get_args(Role)
RIGHTS: tuple[Right, ...] = get_args(Right)

_RIGHTS: dict[Role, frozenset[Right]] = {
    "owner": frozenset(RIGHTS),
    "admin": frozenset(RIGHTS),
    "lead": frozenset(
        {
            *("read", "note", "triage", "people", "draft", "send", "release", "configure", "publish", "hold", "audit"),
            *("campaign", "policy", "allow"),
        }
    ),
    "agent": frozenset({"read", "note", "triage", "people", "draft", "send", "release", "hold"}),
    # an outsourced agent: own baskets alone, and a lead sends what they wrote
    "restricted": frozenset({"read", "note", "triage", "draft"}),
    # a colleague who speaks in their own voice, in the baskets that were opened to them
    "advocate": frozenset({"read", "note", "draft", "send"}),
    "viewer": frozenset({"read"}),
}

#: somebody of another firm: of the house they see their own baskets and who works there, and nothing beside
_OUTSIDE: frozenset[Role] = frozenset({"restricted"})

_SEES_EVERY_BASKET: frozenset[Role] = frozenset({"owner", "admin", "lead", "viewer"})


def may(role: str, right: Right) -> bool:
    """True only for a known role that holds the right; anything unknown is denied."""
    return any(right in rights for known, rights in _RIGHTS.items() if known == role)


def is_outside(role: str) -> bool:
    """True where even names of other baskets, colleagues and rules are not for them."""
    return role in _OUTSIDE


def sees_every_basket(role: str) -> bool:
    """True where basket membership does not narrow what the role sees."""
    return role in _SEES_EVERY_BASKET
