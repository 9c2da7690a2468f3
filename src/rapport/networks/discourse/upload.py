"""Bringing an image to a forum, and the line of Markdown that shows it under the words of a reply."""

from __future__ import annotations

import re

from rapport.core.errors import GiveUp, RetryLater, Unconfirmed
from rapport.core.reply import Picture
from rapport.networks.base import Account, MediaLimits
from rapport.networks.discourse.wire import Wire
from rapport.networks.http import GuardedSession

#: what a forum takes unless it was set up otherwise (max_image_size_kb)
LIMITS = MediaLimits(most=10, kinds=("image/jpeg", "image/png"), max_bytes=4_000_000, max_alt=500)
_SHORT = re.compile(r"upload://[A-Za-z0-9]+\.[a-z]+")
_SHOWN = re.compile(r"(?:\s*^!\[[^\]\n]*\]\(upload://[^)\s]*\)[ \t]*$)+\s*\Z", re.MULTILINE)
_MARKS = str.maketrans({"[": "(", "]": ")", "|": "/", "\\": "/"})


def upload_image(account: Account, content: bytes, kind: str, session: GuardedSession) -> str:
    """See `Network.upload`. What comes out is the short address that Markdown of this forum knows."""
    name = f"image.{kind.rpartition('/')[2].replace('jpeg', 'jpg')}"
    try:
        answer = Wire.of(account, session).send_file(
            "/uploads.json", {"type": "composer", "synchronous": "true"}, (name, content, kind)
        )
    except Unconfirmed as error:
        raise RetryLater(f"the image was not taken: {error}") from None
    short = str(answer.get("short_url") or "")
    if not _SHORT.fullmatch(short):
        raise RetryLater("the forum took the image and did not say what it calls it")
    return short


def with_images(text: str, media: tuple[Picture, ...]) -> str:
    """The words, and below them the images."""
    if any(not _SHORT.fullmatch(each.uploaded) for each in media):
        raise GiveUp("an image of this reply was not brought to the forum: try again")
    lines = [f"![{each.alt.translate(_MARKS)}]({each.uploaded})" for each in media]
    return "\n\n".join([text, "\n".join(lines)]) if lines else text


def without_images(raw: str) -> str:
    """The words of a post of ours, without the images that stand below them."""
    return _SHOWN.sub("", raw)
