"""Changing a comment of ours on Facebook and Instagram: only what is ours, and what is gone already is done.

Of an object that is gone Meta says the same as of one that a right is missing for. So it counts as gone only where
`recheck`, which proves its rights by reading something else, says so.

Sources: Graph API v24.0 reference "Comment" (deleting, updating), "IG Comment" (deleting).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rapport.core.errors import GiveUp, InvalidPost, RetryLater
from rapport.core.post import Post
from rapport.networks.base import Rechecked
from rapport.networks.graph import Graph, NoObject
from rapport.networks.graph_recheck import is_object

Parse = Callable[[Any], Post]
#: ids -> what became of them
Recheck = Callable[[Mapping[str, str]], Rechecked]


def read_ours(graph: Graph, external_id: str, fields: str, parse: Parse, recheck: Recheck) -> Post | None:
    """A comment of ours as it stands, None where it is certainly gone. Raises `GiveUp` for anything else."""
    if not is_object(external_id):
        raise GiveUp("a private message that was sent stays sent: Meta lets no program take it back or change it")
    try:
        post = parse(graph.read(external_id, {"fields": fields}))
    except NoObject:
        if external_id in recheck({external_id: ""}).deleted:
            return None
        raise
    except InvalidPost as error:
        raise RetryLater(f"the comment cannot be read: {error}") from None
    if not post.author.ours:
        raise GiveUp("the comment is by somebody else")
    return post


def remove_ours(graph: Graph, external_id: str, fields: str, parse: Parse, recheck: Recheck) -> None:
    """See `Network.remove`."""
    if read_ours(graph, external_id, fields, parse, recheck) is None:
        return
    try:
        graph.delete(external_id)
    except NoObject:
        if external_id not in recheck({external_id: ""}).deleted:
            raise
