"""$TICKERs in a text, as X finds them (twitter-text 3.1)."""

from __future__ import annotations

import re

_SPACES = "\t-\r \x85\xa0\u1680\u180e\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_DIRECTIONS = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_PUNCTUATION = r"""!"#$%&'()*+,\-./:;<=>?@\[\]\\^_`{|}~"""
_CASHTAG = re.compile(
    f"(?:^|(?<=[{_SPACES}{_DIRECTIONS}]))\\$[a-z]{{1,6}}(?:[._][a-z]{{1,2}})?(?=$|[{_SPACES}]|[{_PUNCTUATION}])",
    re.IGNORECASE | re.ASCII,
)


def count_cashtags(text: str) -> int:
    """How many there are. Linear in the length of the text."""
    return sum(1 for _ in _CASHTAG.finditer(text))
