"""Bringing an image to a homeserver, and the message that shows it with the words of the reply as its caption."""

from __future__ import annotations

import io
from typing import Any

import msgspec
from PIL import Image

from rapport.core.errors import GiveUp, InvalidPost, RetryLater, Unconfirmed
from rapport.core.reply import Picture
from rapport.networks.base import Account, MediaLimits
from rapport.networks.http import GuardedSession
from rapport.networks.matrix.wire import Wire
from rapport.networks.payload import read_json, take

#: one message shows one image, and has no place for a description; servers allow 50 MB unless set up otherwise
LIMITS = MediaLimits(most=1, kinds=("image/jpeg", "image/png"), max_bytes=8_000_000, max_alt=0)


class _Taken(msgspec.Struct):
    content_uri: str


def upload_image(account: Account, content: bytes, kind: str, session: GuardedSession) -> str:
    """See `Network.upload`. What comes out is the part of the message that shows it, as JSON."""
    name = f"image.{kind.rpartition('/')[2]}"
    wire = Wire.of(account, session)
    try:
        answer = wire.request(
            "POST", "/_matrix/media/v3/upload", params={"filename": name}, data=content, headers={"Content-Type": kind}
        )
        uri = take(read_json(answer.content), _Taken).content_uri
    except Unconfirmed as error:
        raise RetryLater(f"the image was not taken: {error}") from None
    except InvalidPost as error:
        raise RetryLater(f"{wire.host} took the image and did not say what it calls it ({error})") from None
    with Image.open(io.BytesIO(content)) as image:
        width, height = image.size
    info = {"mimetype": kind, "size": len(content), "w": width, "h": height}
    return msgspec.json.encode({"msgtype": "m.image", "filename": name, "url": uri, "info": info}).decode()


def shown(media: tuple[Picture, ...]) -> dict[str, Any]:
    """What makes a message of words one that shows the image; nothing where there is none."""
    if not media:
        return {}
    if len(media) > LIMITS.most:
        raise GiveUp("a message on Matrix shows one image: send the others in messages of their own")
    try:
        return msgspec.json.decode(media[0].uploaded, type=dict[str, Any])
    except msgspec.MsgspecError:
        raise GiveUp("the image of this reply was not brought to the server: try again") from None
