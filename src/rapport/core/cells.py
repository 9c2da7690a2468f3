"""Cells of tables that people open in a spreadsheet."""

from __future__ import annotations

#: a cell that begins so is taken for a formula (CWE-1236)
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def defuse(cell: object) -> str:
    """The cell as text that no spreadsheet computes: one that looks like a formula begins with an apostrophe."""
    text = "" if cell is None else str(cell).replace("\x00", "")
    return f"'{text}" if text.startswith(_FORMULA) or text.lstrip().startswith(_FORMULA[:4]) else text
