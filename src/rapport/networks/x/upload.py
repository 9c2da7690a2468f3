"""Bringing an image to X: begun, handed over in pieces, ended, described. Nobody sees it until a post names it.

Sources: docs.x.com, "Initialize media upload", "Append Media upload", "Finalize Media upload", "Get Media upload
status", "Create Media metadata", and X's OpenAPI description (tests/networks/x/test_contract.py holds each request to
it).
"""

from __future__ import annotations

from typing import Any

import msgspec

from rapport.core.errors import GiveUp, RetryLater, Unconfirmed
from rapport.core.reply import Picture
from rapport.networks.base import Account, MediaLimits
from rapport.networks.http import GuardedSession
from rapport.networks.x.wire import Wire

#: docs.x.com, media: images of a post; messages take one of another kind, which is not offered
LIMITS = MediaLimits(most=4, kinds=("image/jpeg", "image/png"), max_bytes=5_000_000, max_alt=1_000, direct=False)
_PIECE = 1_000_000  # bytes of one request; X takes five times as much
_SOON = 5  # seconds until an image that X is still at work on is brought again, where X names none


class _Work(msgspec.Struct):
    state: str = "succeeded"
    check_after_secs: int | None = None


class _Media(msgspec.Struct):
    id: str
    processing_info: _Work | None = None


class _Answer(msgspec.Struct):
    data: _Media


def upload_image(account: Account, picture: Picture, content: bytes, kind: str, session: GuardedSession) -> str:
    """See `Network.upload`."""
    wire = Wire.of(account, session)
    try:
        begun = {"media_type": kind, "media_category": "tweet_image", "total_bytes": len(content)}
        media = _read(wire.write("/2/media/upload/initialize", begun)).id
        for number, start in enumerate(range(0, len(content), _PIECE)):
            piece = ("media", content[start : start + _PIECE], "application/octet-stream")
            wire.send_file(f"/2/media/upload/{media}/append", {"segment_index": str(number)}, piece)
        _check_whole(wire, _read(wire.start(f"/2/media/upload/{media}/finalize")))
        if picture.alt:
            described: dict[str, Any] = {"id": media, "metadata": {"alt_text": {"text": picture.alt}}}
            wire.write("/2/media/metadata", described)
    except Unconfirmed as error:
        raise RetryLater(f"the image was not taken: {error}") from None
    return media


def _check_whole(wire: Wire, media: _Media) -> None:
    """X says of some media that it works on them yet; of images hardly ever. One more look, then another try."""
    work = media.processing_info
    if work is not None and work.state in ("pending", "in_progress"):
        answer = wire.read("/2/media/upload", {"command": "STATUS", "media_id": media.id})
        work = _read(answer.content).processing_info
    if work is None or work.state == "succeeded":
        return
    if work.state == "failed":
        raise GiveUp("X could not make anything of the image; choose another, or send the words alone.")
    raise RetryLater("X is still at work on the image", after=float(work.check_after_secs or _SOON))


def _read(body: bytes) -> _Media:
    try:
        media = msgspec.json.decode(body, type=_Answer).data
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise RetryLater("X took the image and did not say under which id") from None
    if not (media.id.isascii() and media.id.isdigit() and len(media.id) <= 19):
        raise RetryLater("X gave the image an id that cannot be used")
    return media
