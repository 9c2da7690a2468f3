"""Colleagues named in a note: "@Lea, can you?" -> Lea."""

from __future__ import annotations

import re
from collections.abc import Mapping

from rapport.core.text import fold

_SIGN = re.compile(r"(?<![\w@.])@(?=\w)")
_LONGEST = 80


def ways_to_name(names: Mapping[int, str]) -> dict[str, int]:
    """Folded way to name somebody -> their id: the whole name, and its first word where nobody else has it.

    `names`: id -> display name.
    """
    whole: dict[str, set[int]] = {}
    first: dict[str, set[int]] = {}
    for who, name in names.items():
        words = fold(name).split()
        if words:
            whole.setdefault(" ".join(words), set()).add(who)
            first.setdefault(words[0], set()).add(who)
    found = {way: next(iter(people)) for way, people in first.items() if len(people) == 1}
    return found | {way: next(iter(people)) for way, people in whole.items() if len(people) == 1}


def find_named(text: str, names: Mapping[int, str]) -> list[int]:
    """Ids of those whom `text` names with an @, in the order of the text, each once. The longest way to name wins."""
    ways = sorted(ways_to_name(names).items(), key=lambda each: -len(each[0]))
    found: list[int] = []
    for sign in _SIGN.finditer(text):
        said = " ".join(fold(text[sign.end() : sign.end() + _LONGEST]).split())
        who = next((who for way, who in ways if said.startswith(way) and _ends(said, len(way))), None)
        if who is not None and who not in found:
            found.append(who)
    return found


def _ends(said: str, at: int) -> bool:
    return at == len(said) or not (said[at].isalnum() or said[at] == "_")
