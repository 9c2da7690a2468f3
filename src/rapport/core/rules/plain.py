"""A checked condition with fewer kinds of parts: what is sought in a text becomes a pattern, which can be indexed."""

from __future__ import annotations

from msgspec.structs import replace

from rapport.core.rules.syntax import AllOf, AnyOf, Call, Matches, Node, Not, Text
from rapport.core.rules.values import pattern_of, told


def plain(node: Node) -> Node:
    """The same condition, for the evaluator and the index."""
    match node:
        case AllOf() | AnyOf():
            return replace(node, parts=tuple(map(plain, node.parts)))
        case Not():
            return replace(node, inner=plain(node.inner))
        case Call(function="contains" | "starts_with" | "ends_with", arguments=(sought_in, Text() as sought)):
            right = Text(at=sought.at, value=pattern_of(node))
            return Matches(at=node.at, depth=node.depth, left=sought_in, right=right, written=told(node))
    return node
