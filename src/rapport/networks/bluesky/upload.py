"""Bringing an image to the data server of an account: it is cleared away there unless a record names it."""

from __future__ import annotations

import io
from typing import Any

import msgspec
from PIL import Image

from rapport.core.errors import GiveUp, RetryLater, Unconfirmed
from rapport.core.reply import Picture
from rapport.networks.base import Account, MediaLimits
from rapport.networks.bluesky.wire import Wire
from rapport.networks.http import GuardedSession

#: of the lexicon app.bsky.embed.images; the length of a description is what Bluesky's own pages allow
LIMITS = MediaLimits(most=4, kinds=("image/jpeg", "image/png"), max_bytes=1_000_000, max_alt=2_000)


def upload_image(account: Account, content: bytes, kind: str, session: GuardedSession) -> str:
    """See `Network.upload`. What comes out is the blob as the server names it, with the size in pixels, as JSON."""
    wire = Wire.of(account, session)
    try:
        blob = wire.upload("com.atproto.repo.uploadBlob", content, kind).get("blob")
    except Unconfirmed as error:
        wire.query("com.atproto.server.getSession")  # a data server answers an upload with a dead token with 500
        raise RetryLater(f"the image was not taken: {error}") from None
    if not isinstance(blob, dict) or blob.get("$type") != "blob":
        raise RetryLater("the data server took the image and did not say what it calls it")
    with Image.open(io.BytesIO(content)) as image:
        width, height = image.size
    return msgspec.json.encode({"image": blob, "aspectRatio": {"width": width, "height": height}}).decode()


def embed_of(media: tuple[Picture, ...]) -> dict[str, Any] | None:
    """What a post with these images carries; None for one without."""
    if not media:
        return None
    try:
        images = [msgspec.json.decode(each.uploaded, type=dict[str, Any]) | {"alt": each.alt} for each in media]
    except msgspec.MsgspecError:
        raise GiveUp("an image of this reply was not brought to Bluesky: try again") from None
    return {"$type": "app.bsky.embed.images", "images": images}
