"""The rule document that a command was given: a file, and starter packs put into it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rapport.core.errors import InvalidInput
from rapport.core.rules import default_document
from rapport.core.rules.pack import add_pack, read_pack


def read_rules(file: str | None, packs: Sequence[str] = ()) -> str:
    """The text of a rule file with packs in it, or of the rules that ship where no file is named.

    Raises `InvalidInput` for what is no text, or no TOML where a pack goes into it; `OSError` for what cannot be read.
    """
    try:
        document = default_document() if file is None else Path(file).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{file}: byte {error.start + 1} is no UTF-8 text; save the file as UTF-8") from None
    for slug in packs:
        try:
            document = add_pack(document, read_pack(slug))
        except ValueError as error:
            raise InvalidInput(f"{file}: {error}") from None
    return document
