"""A notice as it is stored: what happened and its values. Words are made of it when somebody reads it, in their
language; a text of before is shown as it is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

#: characters of a stored notice
MAX_TEXT = 300
Value = str | int | float


def write_notice(said: str, **values: Value) -> str:
    """`said` is one of pipeline.notice_words.WORDS. Long values are cut until the whole fits `MAX_TEXT`."""
    kept = {name: _plain(value) if isinstance(value, str) else value for name, value in values.items()}
    while len(text := _packed(said, kept)) > MAX_TEXT:
        longest = max(kept, key=lambda name: len(str(kept[name])))
        value = str(kept[longest])
        if len(value) < 2:
            break
        kept[longest] = value[: max(0, len(value) - (len(text) - MAX_TEXT) - 1)] + "…"
    return text


def _packed(said: str, values: Mapping[str, Value]) -> str:
    return json.dumps({"say": said, **values}, ensure_ascii=False, separators=(",", ":"))


def read_notice(stored: str) -> tuple[str, dict[str, Value]] | None:
    """What happened, and its values; None for a text of before, which is shown as it is."""
    if not stored.startswith('{"say":'):
        return None
    try:
        kept = json.loads(stored)
    except ValueError:
        return None
    said = kept.pop("say")
    return (said, kept) if isinstance(said, str) else None


def _plain(value: str) -> str:
    return " ".join(value.replace("\x00", "").split())
