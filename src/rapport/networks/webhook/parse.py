"""The body of a delivery -> posts. Pure; what cannot be read is told with its place, and the rest is kept.

Every post becomes one of this network, with ids of its own: who holds the secret of a webhook can bring new words, and
never change or forge what another network said.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from typing import Any

import msgspec

from rapport.core.errors import InvalidInput, InvalidPost
from rapport.core.post import MAX_ID, Post, admit, decode_post

NAME = "webhook"
MAX_BYTES = 5_000_000
MAX_ITEMS = 1_000
_raws = msgspec.json.Decoder(list[msgspec.Raw])


def read_body(body: bytes, source: str, now: dt.datetime) -> tuple[list[Post], list[str]]:
    """One Post, or a list of Posts, in JSON -> (posts, one line for each that was refused).

    `source` is what the ids of this webhook begin with. Raises `InvalidInput` when the body as a whole is refused.
    """
    posts: list[Post] = []
    refused: list[str] = []
    for place, item in enumerate(_items(body), 1):
        try:
            _refuse_duplicates(item)
            posts.append(_ours(decode_post(item, now), source, now))
        except InvalidPost as error:
            refused.append(f"item {place}: {error}")
    return posts, refused


def own_id(source: str, network: str, identifier: str) -> str:
    """The id of a post here: what the sender calls it, and whence it comes. Raises `InvalidPost` when too long."""
    found = f"{source}:{network}/{identifier}"
    if len(found) > MAX_ID:
        raise InvalidPost("id", f"{len(identifier):,} characters; at most {MAX_ID - len(found) + len(identifier)}")
    return found


def _items(body: bytes) -> list[bytes]:
    start = body.lstrip(b" \t\r\n")[:1]
    if start == b"{":
        return [body]
    if start != b"[":
        raise InvalidInput("the body must be one Post or a list of Posts, in JSON")
    try:
        found = [bytes(item) for item in _raws.decode(body)]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        found = _items_slowly(body)
    if len(found) > MAX_ITEMS:
        raise InvalidInput(f"{len(found):,} posts; at most {MAX_ITEMS:,} are taken in one delivery")
    return found


def _items_slowly(body: bytes) -> list[bytes]:
    """Takes lone surrogates, which the fast reader does not, so that one of them does not cost the other posts."""
    try:
        found = json.loads(body, object_pairs_hook=_unique, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"the body is no JSON: {str(error)[:200]}") from None
    return [json.dumps(item).encode() for item in found]


def _refuse_duplicates(item: bytes) -> None:
    """Which of two equal keys counts differs from reader to reader, so that a check and its use may see two bodies."""
    try:
        json.loads(item, object_pairs_hook=_unique, parse_constant=_no_constant)
    except _DuplicateKey as error:
        raise InvalidPost("json", str(error)) from None
    except (ValueError, RecursionError) as error:
        raise InvalidPost("json", str(error)[:200]) from None


class _DuplicateKey(ValueError):
    """The same key twice in one object."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        counted = Counter(name for name, _ in pairs)
        twice = next(name for name, times in counted.items() if times > 1)
        raise _DuplicateKey(f"the key {twice[:50]!r} stands twice in one object")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _ours(post: Post, source: str, now: dt.datetime) -> Post:
    """The post as one of this network. Where it says that it comes from stays readable in its id."""
    author = post.author
    changed = msgspec.structs.replace(
        post,
        network=NAME,
        id=own_id(source, post.network, post.id),
        in_reply_to=own_id(source, post.network, post.in_reply_to) if post.in_reply_to else None,
        thread=own_id(source, post.network, post.thread) if post.thread else None,
        author=msgspec.structs.replace(author, id=own_id(source, post.network, author.key)),
    )
    return admit(changed, now)
