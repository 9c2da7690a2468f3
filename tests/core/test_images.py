"""Images are made anew from their pixels; what is no still picture of a bearable size is refused with a word."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from rapport.core.errors import InvalidInput
from rapport.core.images import MOST_SIDE, make_anew

MUCH = 5_000_000


def saved(image: Image.Image, form: str, **more: object) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **more)
    return out.getvalue()


def photo(size: tuple[int, int] = (40, 20)) -> Image.Image:
    image = Image.new("RGB", size, "red")
    image.paste("blue", (0, 0, size[0] // 2, size[1]))
    return image


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


def test_a_photo_comes_out_upright_and_without_what_its_camera_wrote() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    exif[0x010F] = "Canary camera"
    raw = saved(photo(), "JPEG", exif=exif, comment=b"canary comment", icc_profile=b"canary profile")
    assert b"Canary" in raw
    made = make_anew(raw, MUCH)
    assert (made.kind, made.width, made.height) == ("image/jpeg", 20, 40)
    assert b"anary" not in made.content
    assert "exif" not in opened(made.content).info
    assert opened(made.content).convert("RGB").getpixel((10, 35))[0] > 200  # red is below now


def test_a_png_keeps_what_is_see_through_and_nothing_of_its_words() -> None:
    words = PngImagePlugin.PngInfo()
    words.add_text("Comment", "canary")
    image = Image.new("RGBA", (10, 10), (0, 255, 0, 128))
    made = make_anew(saved(image, "PNG", pnginfo=words), MUCH)
    assert made.kind == "image/png"
    assert opened(made.content).getpixel((5, 5)) == (0, 255, 0, 128)
    assert b"canary" not in made.content


@pytest.mark.parametrize("form", ["GIF", "WEBP"])
def test_a_still_picture_of_another_form_becomes_one_that_networks_take(form: str) -> None:
    assert make_anew(saved(photo(), form), MUCH).kind == "image/png"


def test_a_moving_picture_is_refused() -> None:
    frames = [photo(), Image.new("RGB", (40, 20), "green")]
    for form in ("GIF", "WEBP", "PNG"):
        with pytest.raises(InvalidInput, match="stands still"):
            make_anew(saved(frames[0], form, save_all=True, append_images=frames[1:]), MUCH)


def test_a_long_side_is_made_shorter_and_a_big_file_smaller() -> None:
    made = make_anew(saved(photo((5000, 100)), "PNG"), MUCH)
    assert (made.width, made.height) == (MOST_SIDE, 82)
    noise = Image.effect_noise((600, 600), 120).convert("RGB")
    made = make_anew(saved(noise, "PNG"), 40_000)
    assert made.kind == "image/jpeg"
    assert len(made.content) <= 40_000
    with pytest.raises(InvalidInput, match="small enough"):
        make_anew(saved(noise, "PNG"), 300)
    assert make_anew(saved(photo(), "PNG"), MUCH, ("image/jpeg",)).kind == "image/jpeg"


def header_of(width: int, height: int) -> bytes:
    """A PNG that says it is so large, with a byte of pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("side", [7_000, 12_000, 30_000])
def test_a_header_that_promises_too_many_pixels_is_refused_before_they_are_unpacked(side: int) -> None:
    with pytest.raises(InvalidInput, match="million pixels"):
        make_anew(header_of(side, side), MUCH)


def test_words_that_unpack_to_gigabytes_do_not() -> None:
    bomb = zlib.compress(b"\0" * 50_000_000, 9)
    body = b"Comment\0\0" + bomb
    chunk = struct.pack(">I", len(body)) + b"zTXt" + body + struct.pack(">I", zlib.crc32(b"zTXt" + body))
    raw = saved(photo(), "PNG")
    with pytest.raises(InvalidInput, match="broken"):
        make_anew(raw[:33] + chunk + raw[33:], MUCH)


def zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a", "canary")
    return out.getvalue()


@pytest.mark.parametrize(
    ("raw", "word"),
    [
        (b"<svg onload=alert(1)>", "save it as PNG"),
        (b'<?xml version="1.0"?><svg/>', "save it as PNG"),
        (b"<!doctype html><script>alert(1)</script>", "no picture"),
        (b'{"file": "x"}', "no picture"),
        (b"%PDF-1.7", "no picture"),
        (b"", "no picture"),
        (b"\0\0\0\x20ftypheic", "save it as JPEG"),
        (b"\x89PNG\r\n\x1a\n<html>", "broken"),
        (b"\xff\xd8\xff\xe0 and no more", "broken"),
        (b"GIF89a<script>alert(1)</script>", "broken"),
        (b"x" * 15_000_001, "15 MB"),
    ],
)
def test_what_is_no_picture_is_refused_with_a_word(raw: bytes, word: str) -> None:
    with pytest.raises(InvalidInput, match=word):
        make_anew(raw, MUCH)


def test_nothing_that_hangs_behind_a_picture_is_kept() -> None:
    for form in ("PNG", "JPEG", "GIF"):
        made = make_anew(saved(photo(), form) + b"<script>canary</script>" + zipped(), MUCH)
        assert b"canary" not in made.content
        assert b"PK\x03\x04" not in made.content


@settings(max_examples=80)
@given(
    st.binary(max_size=200), st.sampled_from([b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"RIFF0000WEBP", b""])
)
def test_bytes_of_any_kind_make_a_picture_or_a_word(rest: bytes, beginning: bytes) -> None:
    try:
        made = make_anew(beginning + rest, MUCH)
    except InvalidInput:
        return
    assert opened(made.content).size == (made.width, made.height)
