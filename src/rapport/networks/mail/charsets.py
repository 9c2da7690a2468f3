"""Bytes of unknown honesty -> text. Never raises: what cannot be read becomes U+FFFD, and no other letter."""

from __future__ import annotations

import binascii
import codecs
import quopri
import re

#: names that are in use for a charset -> the codec that reads all of what is written under that name
_KNOWN_AS = {
    "us-ascii": "utf-8",
    "ascii": "utf-8",
    "utf8": "utf-8",
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "latin-1": "cp1252",
    "ks_c_5601-1987": "cp949",
    "ks_c_5601": "cp949",
    "euc-kr": "cp949",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "x-sjis": "cp932",
    "iso-8859-8-i": "iso-8859-8",
    "iso-8859-8-e": "iso-8859-8",
    "unicode-1-1-utf-7": "utf-7",
    "x-mac-roman": "mac-roman",
    "windows-874": "cp874",
    "iso-2022-jp": "iso2022_jp_ext",
}
#: codecs that are no charsets of mail, some of which take quadratic time
_NEVER = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem"})
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]")


def decode_text(raw: bytes, charset: str) -> str:
    """The text of some bytes that claim to be in `charset` ("" = they do not say).

    A charset that is unknown, or that the bytes prove wrong, gives way to UTF-8 where they are that, and to
    windows-1252 where nothing was claimed. A known charset with a few broken bytes stays, with U+FFFD for those.
    """
    codec = _codec(charset)
    for name in dict.fromkeys((codec, "utf-8")):
        if name:
            try:
                return raw.decode(name)
            except (UnicodeError, LookupError, ValueError):
                continue
    return raw.decode(codec if codec and codec != "utf-8" else "cp1252", "replace")


def _codec(charset: str) -> str:
    """The codec for a charset, "" for one that is unknown or no charset at all."""
    name = charset.strip(" \t\"'").lower()
    name = _KNOWN_AS.get(name, name)
    try:
        found = codecs.lookup(name).name.replace("-", "_")
        "".encode(name)  # raises for what turns bytes into bytes (zlib, hex)
    except (LookupError, ValueError):
        return ""
    return "" if found in _NEVER else name


def decode_transfer(raw: bytes, encoding: str) -> bytes:
    """A body as it was sent -> its bytes. `encoding` is the Content-Transfer-Encoding; a cut body gives what it can."""
    kind = encoding.strip().lower()
    if kind == "base64":
        return decode_base64(raw)
    if kind == "quoted-printable":
        return quopri.decodestring(raw)
    return raw


def decode_base64(raw: bytes) -> bytes:
    """Base64 with line ends, strange characters and a missing end -> the bytes that are there."""
    letters = _NOT_BASE64.sub(b"", raw)
    letters = letters[: len(letters) - 1] if len(letters) % 4 == 1 else letters
    return binascii.a2b_base64(letters + b"=" * (-len(letters) % 4))
