"""The parts of a post that no query asks for, as one column keeps them."""

from __future__ import annotations

import msgspec

from rapport.core.post import Media, Metrics, Post


class Extra(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """The parts of a post that are shown with it and never searched, as kept in `Post.extra`."""

    html: str | None = None
    mentions: tuple[str, ...] = ()
    hashtags: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    media: tuple[Media, ...] = ()
    metrics: Metrics = Metrics()


_encoder = msgspec.json.Encoder()
_extra_decoder = msgspec.json.Decoder(Extra)


def read_extra(text: str) -> Extra:
    """`Post.extra` as a struct."""
    return _extra_decoder.decode(text)


def write_extra(post: Post) -> str:
    """What `read_extra` reads."""
    extra = Extra(post.html, post.mentions, post.hashtags, post.links, post.media, post.metrics)
    return _encoder.encode(extra).decode()
