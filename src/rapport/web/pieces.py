"""What one text of the composer comes to on the network of an account: one post, a thread of several, or too much."""

from __future__ import annotations

import msgspec

from rapport.actions.parts import takes_threads
from rapport.core.errors import InvalidInput
from rapport.core.guard import Policy
from rapport.core.guard import length as counted
from rapport.core.parts import Fits, cut_apart, is_cut, make_thread
from rapport.store.models import Channel, Post
from rapport.store.queries.outbound import address


class Piece(msgspec.Struct, frozen=True):
    """One post of a thread as it stands in the box."""

    number: int
    #: how it begins
    words: str
    #: characters that are left; below 0: too many
    left: int


class Pieces(msgspec.Struct, frozen=True):
    """What one text of the composer comes to."""

    #: the posts of a thread, none where it is one post
    posts: tuple[Piece, ...] = ()
    #: into how many posts it would be cut, 0 where it need not or cannot be
    offered: int = 0


def pieces_of(text: str, channel: Channel | None, target: Post | None, policy: Policy | None = None) -> Pieces:
    """The posts that the text has, or could be cut into, on the network of this account.

    `policy`: the numbers of this account; None: those of its network, for which nothing is read.
    """
    text = text.replace("\r\n", "\n").strip()
    if channel is None or not takes_threads(channel.network):
        return Pieces()
    most = most_of(channel, policy or Policy())
    if is_cut(text):
        found = enumerate(cut_apart(text), 1)
        return Pieces(
            tuple(Piece(at, " ".join(part.split())[:200], most - counted(part, channel.network)) for at, part in found)
        )
    if fit_in(channel, policy or Policy())(text):
        return Pieces()
    try:
        return Pieces(offered=len(thread_of(text, channel, target, policy or Policy())))
    except InvalidInput:
        return Pieces()


def most_of(channel: Channel, policy: Policy) -> int:
    """The longest post that the server of this account takes, as its network counts."""
    own = channel.settings.get("max_length")
    return own if isinstance(own, int) and own > 0 else policy.of(channel.network).max_length


def fit_in(channel: Channel, policy: Policy) -> Fits:
    """Says of a text whether it can go out as one post."""
    most, most_bytes = most_of(channel, policy), policy.of(channel.network).max_bytes

    def fits(text: str) -> bool:
        size = most_bytes is None or len(text.encode("utf-8", "replace")) <= most_bytes
        return counted(text, channel.network) <= most and size

    return fits


def thread_of(text: str, channel: Channel, target: Post | None, policy: Policy) -> tuple[str, ...]:
    """The text cut into posts that fit; in a private thread each names whom it is for. Raises `InvalidInput`."""
    private = target is not None and target.visibility == "direct"
    opening = address(target, "").strip() if target is not None and private else ""
    return make_thread(text, fit_in(channel, policy), f"{opening} " if opening else "")
