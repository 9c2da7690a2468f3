"""How long a network says that a text is.

Two ways of counting, both as the networks publish them: characters as a reader sees them (extended grapheme
clusters, Unicode Standard Annex 29; Mastodon and Bluesky) and X's weighted count (twitter-text 3, configuration v3).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Literal

#: graphemes: what a reader sees as one; weighted: X's count; mastodon: graphemes with short links and handles
Counting = Literal["graphemes", "weighted", "mastodon"]

#: Characters that Mastodon and X count for any link.
LINK_LENGTH = 23

_LINK = re.compile(r"https?://[^\s<>\"]*[^\s<>\".,;:!?'()\[\]{}…]", re.IGNORECASE)
#: X makes links of bare names too; country codes only with a path, as twitter-text does.
_BARE_LINK = re.compile(
    r"(?<![\w@#$./-])(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+"
    r"(?:(?:com|net|org|info|biz|io|co|tv|me|app|dev|shop|store|blog|news|online|site|edu|gov|jobs|mobi|pro|travel)"
    r"(?![a-z0-9@-])(?:/[^\s<>\"]*)?|[a-z]{2}/[^\s<>\"]*)",
    re.IGNORECASE,
)
#: @user@server counts as @user
_REMOTE_HANDLE = re.compile(r"(?<![\w/])(@\w[\w.-]*)@[\w.-]+\w")

_KEYCAP, _JOINER, _NON_JOINER = "\u20e3", "\u200d", "\u200c"
_LIGHT = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))  # code points that weigh 1 on X; all others weigh 2


def count(text: str, counting: Counting) -> int:
    """The length of `text` in the way that a network counts."""
    if counting == "weighted":
        return _weighted(text)
    if counting == "mastodon":
        text = _REMOTE_HANDLE.sub(r"\1", _LINK.sub("x" * LINK_LENGTH, text))
    if text.isascii():
        return len(text) - text.count("\r\n")
    return sum(1 for _ in graphemes(text))


def has_link(text: str) -> bool:
    """Whether X would make a link of some part of the text."""
    return bool(_LINK.search(text) or _BARE_LINK.search(text))


def graphemes(text: str) -> Iterator[str]:
    """The extended grapheme clusters of a text (UAX 29, without its rules for Indic conjuncts and prepended marks)."""
    start = 0
    for at in range(1, len(text)):
        if _breaks(text, at, start):
            yield text[start:at]
            start = at
    if text:
        yield text[start:]


def _breaks(text: str, at: int, start: int) -> bool:
    """Is there a boundary before `text[at]`, in the cluster that began at `start`?"""
    before, after = text[at - 1], text[at]
    if before == "\r" and after == "\n":
        return False
    if _is_control(before) or _is_control(after):
        return True
    if _extends(after):
        return False
    if before == _JOINER and is_pictograph(after):
        return not any(is_pictograph(letter) for letter in text[start : at - 1])
    if _is_flag_letter(before) and _is_flag_letter(after):
        return (at - start) % 2 == 0
    return not _same_syllable(before, after)


def _is_control(letter: str) -> bool:
    category = unicodedata.category(letter)
    if category == "Cf":
        return letter not in (_JOINER, _NON_JOINER) and not 0xE0020 <= ord(letter) <= 0xE007F
    return category in ("Cc", "Zl", "Zp")


def _extends(letter: str) -> bool:
    if letter < "\u0300":
        return False
    code = ord(letter)
    if 0x1F3FB <= code <= 0x1F3FF or 0xE0020 <= code <= 0xE007F or letter in (_JOINER, _NON_JOINER):
        return True
    return unicodedata.category(letter) in ("Mn", "Me", "Mc")


def _is_flag_letter(letter: str) -> bool:
    return "\U0001f1e6" <= letter <= "\U0001f1ff"


def is_pictograph(letter: str) -> bool:
    """Can it begin an emoji? The blocks of Extended_Pictographic, which reserve room for emoji to come."""
    code = ord(letter)
    return (
        0x1F000 <= code <= 0x1F1E5
        or 0x1F200 <= code <= 0x1F3FA
        or 0x1F400 <= code <= 0x1FAFF
        or 0x2600 <= code <= 0x27BF
        or 0x2300 <= code <= 0x23FF
        or code in _SINGLE_PICTOGRAPHS
    )


_SINGLE_PICTOGRAPHS = frozenset(map(ord, "©®‼⁉™ℹ↔↕↖↗↘↙↩↪Ⓜ▪▫▶◀◻◼◽◾⤴⤵⬅⬆⬇⬛⬜⭐⭕〰〽㊗㊙"))


def _same_syllable(before: str, after: str) -> bool:
    """Hangul written in parts: leading, vowel and trailing letters make one syllable."""
    one, two = _hangul(before), _hangul(after)
    return two in {"L": "L V LV LVT", "LV": "V T", "V": "V T", "LVT": "T", "T": "T"}.get(one, "").split()


def _hangul(letter: str) -> str:
    code = ord(letter)
    if 0xAC00 <= code <= 0xD7A3:
        return "LVT" if (code - 0xAC00) % 28 else "LV"
    if 0x1100 <= code <= 0x115F or 0xA960 <= code <= 0xA97C:
        return "L"
    if 0x1160 <= code <= 0x11A7 or 0xD7B0 <= code <= 0xD7C6:
        return "V"
    return "T" if 0x11A8 <= code <= 0x11FF or 0xD7CB <= code <= 0xD7FB else ""


def _weighted(text: str) -> int:
    """X: a link weighs 23, an emoji 2, Latin and its neighbours 1, everything else (Chinese, Japanese, ...) 2."""
    text = unicodedata.normalize("NFC", text)
    total = 0
    for pattern in (_LINK, _BARE_LINK):
        links = [link for link in pattern.findall(text) if _is_host(link)]
        total += len(links) * LINK_LENGTH
        for link in links:
            text = text.replace(link, " ", 1)
        total -= len(links)  # the blank that stands for each
    if text.isascii():
        return total + len(text)
    return total + sum(2 if _is_emoji(cluster) else sum(map(_weight, cluster)) for cluster in graphemes(text))


def _is_host(link: str) -> bool:
    """No part of its host is longer than a name can be (63 bytes, counted as punycode)."""
    host = re.sub(r"^https?://", "", link, flags=re.IGNORECASE).partition("/")[0]
    parts = (part if part.isascii() else f"xn--{part.encode('punycode').decode()}" for part in host.split("."))
    return all(len(part) <= 63 for part in parts)


def _is_emoji(cluster: str) -> bool:
    if cluster[0].isascii():
        return cluster.endswith(_KEYCAP)
    return is_pictograph(cluster[0]) or _is_flag_letter(cluster[0])


def _weight(letter: str) -> int:
    code = ord(letter)
    return 1 if any(low <= code <= high for low, high in _LIGHT) else 2
