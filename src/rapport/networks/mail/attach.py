"""Images of a mail: there is no place to bring them to, so they travel in it."""

from __future__ import annotations

import base64
import hashlib
from email.header import Header

from rapport.core.errors import GiveUp
from rapport.core.reply import Picture
from rapport.networks.base import MediaLimits
from rapport.networks.mail.headers import visible

#: most servers take mails of 20 MB and more; what is sent as text is a third larger
LIMITS = MediaLimits(most=10, kinds=("image/jpeg", "image/png"), max_bytes=2_000_000, max_alt=500)
_BEGINNING = "data:"


def carry(content: bytes, kind: str) -> str:
    """See `Network.upload`: the image itself."""
    return f"{_BEGINNING}{kind};base64,{base64.b64encode(content).decode('ascii')}"


def wrap(text_headers: list[str], text: bytes, media: tuple[Picture, ...]) -> tuple[list[str], bytes]:
    """The headers that say what the body is, and the body: the words, then the images as attachments."""
    boundary = "rapport-" + hashlib.sha256("\n".join(each.digest for each in media).encode()).hexdigest()[:32]
    parts = ["\r\n".join([*text_headers, "", ""]).encode("ascii") + text]
    parts += [_part(number, picture) for number, picture in enumerate(media, 1)]
    mark = f"--{boundary}".encode("ascii")
    body = b"".join(mark + b"\r\n" + part + b"\r\n" for part in parts) + mark + b"--\r\n"
    return [f'Content-Type: multipart/mixed; boundary="{boundary}"'], body


def _part(number: int, picture: Picture) -> bytes:
    kind, _, coded = picture.uploaded.removeprefix(_BEGINNING).partition(";base64,")
    if kind not in LIMITS.kinds:
        raise GiveUp("an image of this reply cannot be read: try again")
    name = f"image-{number}.{kind.rpartition('/')[2]}"
    alt = visible(picture.alt)
    lines = [
        f'Content-Type: {kind}; name="{name}"',
        "Content-Transfer-Encoding: base64",
        f'Content-Disposition: attachment; filename="{name}"',
    ]
    if alt:
        coded_alt = Header(alt, "us-ascii" if alt.isascii() else "utf-8", header_name="Content-Description")
        lines.append(f"Content-Description: {coded_alt.encode(linesep=chr(13) + chr(10))}")
    rows = [coded[start : start + 76] for start in range(0, len(coded), 76)]
    return "\r\n".join([*lines, "", *rows]).encode("ascii")
