"""The keys by which queries hang in the index, and by which posts find them there.

A key is a word, #tag, @handle or pair of touching spaceless characters as in `View.known`; or, beginning with a blank,
which none of these does, something else that can be true of a post:

    " *cancel*"     a wildcard holds              " aann"      the author is called ann
    " rAirAsia"     the text has these characters " hshop.eu"  an address on this host or below it
    " ..."          any other condition of `fields`
"""

from __future__ import annotations

from rapport.core.query.fields import Compare, Flag, Has, Language, Linked, Network, OfKind, Written
from rapport.core.query.nodes import Node, Raw, Wildcard

WILDCARD = " *"
AUTHOR = " a"
HOST = " h"
RAW = " r"
#: what every post has: queries without any key hang here
ANY = " "


def key_of(node: Node) -> str | None:  # noqa: PLR0911  (one for each kind of node)
    """The key that a post has exactly when `node` holds (for `Linked` with a path: at least then); None: no such."""
    match node:
        case Wildcard():
            return WILDCARD + node.pattern
        case Raw():
            return RAW + node.text
        case Written():
            return AUTHOR + node.name
        case Linked():
            return HOST + node.host
        case Network():
            return " network:" + node.name
        case OfKind():
            return " kind:" + node.kind
        case Language():
            return " lang:" + node.tag
        case Has():
            return " presence:" + node.what
        case Flag():
            return f" flag:{node.field}:{node.wanted}"
        case Compare():
            return f" compare:{node.field}:{node.sign}:{node.number!r}"
        case _:
            return None


def condition_of(key: str) -> Has | Flag | Compare | None:
    """The presence, flag or comparison that a key stands for; None: it stands for something else."""
    match key.split(":"):
        case [" presence", what]:
            return Has(what)
        case [" flag", field, wanted]:
            return Flag(field, wanted == "True")
        case [" compare", field, sign, number]:
            return Compare(field, sign, float(number))
        case _:
            return None
