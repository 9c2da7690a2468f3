"""A query as alternatives of keys: what the index knows of its meaning.

`clauses_of` turns the tree of a query into an OR of clauses. A clause holds for a post that has all the keys that it
needs (see `keys`), none of those that bar it, and for which all of its remaining nodes hold. The query holds exactly
when one of its clauses does. Words, tags, AND, OR and NOT leave no remaining nodes; phrases, NEAR and the like do, and
still name the keys that a post needs before it is worth asking.
"""

from __future__ import annotations

from itertools import pairwise, product

import msgspec

from rapport.core.query.fields import Linked
from rapport.core.query.keys import AUTHOR, HOST, WILDCARD, key_of
from rapport.core.query.nodes import And, Either, Handle, Near, Node, Not, Or, Phrase, Placed, Raw, Tag, Wildcard, Word

#: alternatives that an AND of ORs may multiply to; beyond it the shortest OR stands for the whole
MOST_PRODUCTS = 8


class Clause(msgspec.Struct, frozen=True, gc=False):
    """One alternative of a query."""

    #: keys that a post must have, each once
    needs: tuple[str, ...] = ()
    #: keys that it must not have
    bars: tuple[str, ...] = ()
    #: what must hold besides
    rest: tuple[Node, ...] = ()
    #: plain words that stand next to each other; with the phrase of `rest` that this is all of, if it is
    pairs: tuple[tuple[str, str, Phrase | None], ...] = ()
    #: conditions with a key that is only worth its price where there is no better one
    weak: tuple[Node, ...] = ()


def clauses_of(root: Node) -> list[Clause]:
    """The clauses of a query. A clause without needs holds for posts without any key in common."""
    return [_settled(clause) for clause in _clauses(root)]


def _settled(clause: Clause) -> Clause:
    """Weak conditions become keys where there is no other, and remaining nodes where there is."""
    if not clause.weak:
        return clause
    if clause.needs:
        return Clause(clause.needs, clause.bars, clause.rest + clause.weak, clause.pairs)
    keys = tuple(dict.fromkeys(key for node in clause.weak if (key := key_of(node)) is not None))
    return Clause(keys, clause.bars, clause.rest)


def _clauses(node: Node) -> list[Clause]:  # noqa: PLR0911  (one for each kind of node)
    match node:
        case Word() if not node.spaceless or len(node.text) <= 2:
            return [Clause((node.text,))]
        case Word():
            return [Clause(_pairs_of_run(node.text), rest=(node,))]
        case Tag():
            return [Clause((node.text,))]
        case Handle() if len(node.parts) == 1:
            return [Clause((node.text,))]
        case Handle():
            return [Clause((node.text,)), Clause(_unique(node.parts), rest=(node,))]
        case Phrase():
            needs = _needs_of_phrase(node)
            return [Clause(needs, rest=(node,), pairs=_word_pairs(node))]
        case Near():
            return _clauses_of_near(node)
        case Or():
            return [clause for part in node.parts for clause in _clauses(part)]
        case And():
            return _clauses_of_and(node)
        case Not():
            return [_barred(node)]
        case Raw():
            return [Clause(_whole_words(node.text), weak=(node,))]
        case _:
            return [_clause_of_condition(node)]


def _clause_of_condition(node: Node) -> Clause:
    key = key_of(node)
    if key is None:
        return Clause(rest=(node,))
    if key.startswith((WILDCARD, AUTHOR)):
        return Clause((key,))
    if isinstance(node, Linked):
        return Clause((key,), rest=(node,) if node.path else ())
    return Clause(weak=(node,))


def _barred(node: Not) -> Clause:
    """NOT of words is a matter of keys; NOT of anything else is asked of the post."""
    bars: list[str] = []
    for clause in _clauses(node.part):
        if len(clause.needs) != 1 or clause.bars or clause.rest or clause.weak or clause.needs[0].startswith(_PRICED):
            return Clause(rest=(node,))
        bars.append(clause.needs[0])
    return Clause(bars=_unique(bars))


#: to bar by these a post would have to be read for them, whether or not anything else fits
_PRICED = (AUTHOR, HOST)


def _clauses_of_and(node: And) -> list[Clause]:
    """The parts multiplied out, as far as that stays small."""
    single: list[Clause] = []
    several: list[tuple[Node, list[Clause]]] = []
    for part in node.parts:
        clauses = _clauses(part)
        if len(clauses) == 1:
            single.append(clauses[0])
        else:
            several.append((part, clauses))
    several.sort(key=lambda offer: (not all(clause.needs for clause in offer[1]), len(offer[1])))
    factors: list[list[Clause]] = []
    asked: list[Node] = []
    size = 1
    anchored = any(clause.needs for clause in single)
    for part, clauses in several:
        if (not anchored and not factors) or size * len(clauses) <= MOST_PRODUCTS:
            factors.append(clauses)
            size *= len(clauses)
        else:
            asked.append(part)
    base = _merged([*single, Clause(rest=tuple(asked))])
    return [_merged([base, *chosen]) for chosen in product(*factors)] if factors else [base]


def _clauses_of_near(node: Near) -> list[Clause]:
    left, right = _needs_of_place(node.left), _needs_of_place(node.right)
    if len(left) * len(right) > MOST_PRODUCTS:
        if len(left) <= len(right):
            right = [()]
        else:
            left = [()]
    return [Clause(_unique(a + b), rest=(node,)) for a, b in product(left, right)]


def _merged(clauses: list[Clause]) -> Clause:
    needs: dict[str, None] = {}
    bars: dict[str, None] = {}
    rest: tuple[Node, ...] = ()
    pairs: tuple[tuple[str, str, Phrase | None], ...] = ()
    weak: tuple[Node, ...] = ()
    for clause in clauses:
        needs.update(dict.fromkeys(clause.needs))
        bars.update(dict.fromkeys(clause.bars))
        rest += clause.rest
        pairs += clause.pairs
        weak += clause.weak
    return Clause(tuple(needs), tuple(bars), rest, pairs, weak)


def _needs_of_place(node: Placed) -> list[tuple[str, ...]]:  # noqa: PLR0911  (one for each kind)
    """What must be there for `node` to have a place in the text: one tuple of keys for each alternative."""
    match node:
        case Word() if node.spaceless and len(node.text) > 2:
            return [_pairs_of_run(node.text)]
        case Word() | Tag():
            return [(node.text,)]
        case Wildcard():
            return [(WILDCARD + node.pattern,)]
        case Handle():
            return [_unique(node.parts)]
        case Phrase():
            return [_needs_of_phrase(node)]
        case Either():
            return [needs for part in node.parts for needs in _needs_of_place(part)]
        case _:
            return [()]


def _needs_of_phrase(node: Phrase) -> tuple[str, ...]:
    # the parts of a phrase have no alternatives of place
    return _unique([key for part in node.parts for key in _needs_of_place(part)[0]])


def _word_pairs(node: Phrase) -> tuple[tuple[str, str, Phrase | None], ...]:
    whole = node if len(node.parts) == 2 else None
    return tuple(
        (left.text, right.text, whole)
        for left, right in pairwise(node.parts)
        if isinstance(left, Word) and isinstance(right, Word) and not left.spaceless and not right.spaceless
    )


def _pairs_of_run(text: str) -> tuple[str, ...]:
    """Touching spaceless characters two by two, as they stand in `View.known`."""
    return _unique([text[at : at + 2] for at in range(len(text) - 1)])


def _whole_words(text: str) -> tuple[str, ...]:
    """Plain words inside exact characters that blanks on both sides keep from being part of a longer one."""
    inner = text.split(" ")[1:-1]
    return _unique([word.lower() for word in inner if word.isascii() and word.isalnum()])


def _unique(keys: list[str] | tuple[str, ...]) -> tuple[str, ...]:
    return tuple(keys) if len(keys) < 2 else tuple(dict.fromkeys(keys))
