"""Words by strangers, made safe to look at: no invisible reordering, true hosts, look-alike domains spelled out."""

from __future__ import annotations

import unicodedata
from urllib.parse import urlsplit

#: marks that reorder or hide text; a name or a link never needs them, and they are how one poses as another
_BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_INVISIBLE = "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180e\u200b\u2060\u2061\u2062\u2063\u2064\u3164\ufeff\uffa0"
_DROP = dict.fromkeys(map(ord, _BIDI + _INVISIBLE))
_DROP_BIDI = dict.fromkeys(map(ord, "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"))


def visible_text(text: str) -> str:
    """A name or handle as it may be shown: without marks that reorder or hide, without control characters."""
    kept = text.translate(_DROP)
    return "".join(" " if unicodedata.category(c) in {"Cc", "Zl", "Zp"} else c for c in kept).strip()


def readable_text(text: str) -> str:
    """Running text as it may be shown: line breaks stay, overrides of the reading direction and controls go."""
    kept = text.translate(_DROP_BIDI)
    if kept.isprintable():
        return kept
    return "".join(c if c in "\n\t" or unicodedata.category(c) != "Cc" else "\ufffd" for c in kept)


def spelled_host(host: str) -> str:
    """A host name in the letters that the network sees: anything beyond ASCII in punycode."""
    host = host.translate(_DROP).lower().rstrip(".")
    if host.isascii():
        return host
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        return host.encode("ascii", "backslashreplace").decode("ascii")


def shown_handle(handle: str) -> str:
    """`ann@example.social` for the screen: overrides out, a domain beyond ASCII in punycode. No leading @."""
    name, at, host = visible_text(handle).rpartition("@")
    if not at:
        return host
    return f"{name}@{spelled_host(host)}"


def is_mixed(name: str) -> bool:
    """Whether a handle mixes Latin letters with look-alikes from Cyrillic or Greek: how one poses as another."""
    scripts = {unicodedata.name(c, "").split(" ")[0] for c in name if c.isalpha()}
    return "LATIN" in scripts and bool(scripts & {"CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE"})


def true_host(url: str) -> str:
    """The host that a link leads to, spelled out; empty where there is none that we would link."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return ""
    return spelled_host(host) if parts.scheme in {"http", "https"} else ""
