"""Bringing an image to Mastodon: it is shown to nobody until a status names it."""

from __future__ import annotations

import msgspec

from rapport.core.errors import RetryLater, Unconfirmed
from rapport.core.reply import Picture
from rapport.networks.base import Account, MediaLimits
from rapport.networks.http import GuardedSession
from rapport.networks.mastodon.wire import Wire

#: what servers allow unless they were set up otherwise
LIMITS = MediaLimits(most=4, kinds=("image/jpeg", "image/png"), max_bytes=8_000_000, max_alt=1_500)


class _Made(msgspec.Struct):
    id: str | int


def upload_image(account: Account, picture: Picture, content: bytes, kind: str, session: GuardedSession) -> str:
    """See `Network.upload`."""
    wire = Wire.of(account, session)
    name = f"image.{kind.rpartition('/')[2]}"
    try:
        answer = wire.send_file("/api/v2/media", {"description": picture.alt}, (name, content, kind))
        return str(msgspec.json.decode(answer, type=_Made).id)
    except Unconfirmed as error:  # nobody sees an image that no status names
        raise RetryLater(f"the image was not taken: {error}") from None
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise RetryLater("the server took the image and did not say under which id") from None
