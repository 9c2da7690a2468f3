"""Images that colleagues bring, made anew from their pixels: nothing else of the file that came in goes out again.

What is dropped with it: EXIF with places and cameras, comments, colour profiles, whatever was hung on behind the
picture. What is refused, each with a word that says how to mend it: no picture (SVG, HTML, PDF, an archive), a moving
one, one that would fill the memory once it is unpacked.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Collection, Iterator

import msgspec
from PIL import Image, ImageOps

from rapport.core.errors import InvalidInput

#: bytes of a file that is looked at
MOST_BYTES = 15_000_000
#: pixels that are unpacked; four bytes each
MOST_PIXELS = 40_000_000
#: longest side of what comes out
MOST_SIDE = 4096
_BEGINNINGS = ((b"\x89PNG\r\n\x1a\n", "PNG"), (b"\xff\xd8\xff", "JPEG"), (b"GIF87a", "GIF"), (b"GIF89a", "GIF"))
_SMALLEST_SIDE = 64  # pixels; nothing is made smaller than this to fit
_BROKEN = (
    OSError, ValueError, SyntaxError, EOFError, LookupError, TypeError, OverflowError, struct.error, zlib.error,
)  # fmt: skip
_TOO_LARGE = f"This picture has more than {MOST_PIXELS // 1_000_000} million pixels: make it smaller."


class Made(msgspec.Struct, frozen=True):
    """An image as it is kept and sent."""

    content: bytes
    #: "image/jpeg" or "image/png"
    kind: str
    #: pixels
    width: int
    height: int


def make_anew(raw: bytes, most_bytes: int, kinds: Collection[str] = ("image/jpeg", "image/png")) -> Made:
    """The picture in `raw`, upright, at most `MOST_SIDE` long, in one of `kinds` and at most `most_bytes` big.

    Raises `InvalidInput` for what is no still picture in JPEG, PNG, GIF or WebP, or one that is too large to unpack.
    """
    if len(raw) > MOST_BYTES:
        raise InvalidInput(f"This file is larger than {MOST_BYTES // 1_000_000} MB: make the picture smaller.")
    form = _form_of(raw)
    try:
        with Image.open(io.BytesIO(raw), formats=[form]) as opened:
            image = _unpack(opened, form)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise InvalidInput(_TOO_LARGE) from None
    except _BROKEN:
        raise InvalidInput("This picture is broken and cannot be read: open it, save it anew, try again.") from None
    return _pack(image, form, most_bytes, kinds)


def _form_of(raw: bytes) -> str:
    """What it says at its very beginning; the name and the type that it came with say nothing."""
    for beginning, form in _BEGINNINGS:
        if raw.startswith(beginning):
            return form
    if raw[:4] == b"RIFF" and raw[8:12] == b"WEBP":
        return "WEBP"
    head = raw[:1000].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if b"<svg" in head or b"<!doctype svg" in head:
        raise InvalidInput("SVG drawings can carry programs and are not taken: save it as PNG.")
    if raw[4:8] == b"ftyp":
        raise InvalidInput("This is a video, or a picture in HEIC or AVIF: save it as JPEG.")
    raise InvalidInput("This is no picture that can be sent: JPEG, PNG, GIF and WebP can.")


def _unpack(opened: Image.Image, form: str) -> Image.Image:
    width, height = opened.size
    if width * height > MOST_PIXELS:
        raise InvalidInput(_TOO_LARGE)
    if form != "JPEG" and getattr(opened, "is_animated", False):
        raise InvalidInput("Moving pictures are not taken: choose one that stands still.")
    opened.draft("RGB", (MOST_SIDE, MOST_SIDE))
    upright = ImageOps.exif_transpose(opened)
    see_through = upright.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in upright.info
    mode = "RGBA" if see_through else "RGB"
    clean = Image.new(mode, upright.size)
    clean.paste(upright.convert(mode))
    clean.thumbnail((MOST_SIDE, MOST_SIDE), Image.Resampling.LANCZOS)
    return clean


def _pack(image: Image.Image, form: str, most_bytes: int, kinds: Collection[str]) -> Made:
    for content, kind, size in _tries(image, form, kinds):
        if len(content) <= most_bytes:
            return Made(content, kind, *size)
    raise InvalidInput(f"This picture cannot be made small enough; at most {most_bytes // 1000:,} kB are taken.")


def _tries(image: Image.Image, form: str, kinds: Collection[str]) -> Iterator[tuple[bytes, str, tuple[int, int]]]:
    """As it is, then with fewer colours' worth of detail, then smaller and smaller."""
    if form != "JPEG" and "image/png" in kinds:
        yield _saved(image, "PNG"), "image/png", image.size
    if "image/jpeg" not in kinds:
        return
    flat = image
    if image.mode == "RGBA":
        flat = Image.new("RGB", image.size, "white")
        flat.paste(image, mask=image.getchannel("A"))
    for quality in (90, 80, 70):
        yield _saved(flat, "JPEG", quality), "image/jpeg", flat.size
    while min(flat.size) > _SMALLEST_SIDE:
        flat = flat.resize((max(1, flat.width * 3 // 4), max(1, flat.height * 3 // 4)), Image.Resampling.LANCZOS)
        yield _saved(flat, "JPEG", 80), "image/jpeg", flat.size


def _saved(image: Image.Image, form: str, quality: int = 90) -> bytes:
    out = io.BytesIO()
    if form == "JPEG":
        image.save(out, "JPEG", quality=quality, optimize=True)
    else:
        image.save(out, "PNG")
    return out.getvalue()
