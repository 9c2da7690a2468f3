"""The single keys of the desk: which act each one does as shipped, and what a person may put in its place."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from rapport.core.errors import InvalidInput

#: act -> its key as shipped, in the order in which pages show them
SHIPPED = {
    "next": "j", "previous": "k", "open": "o", "back": "u", "choose": "x", "undo": "z", "reply": "r", "prepared": "p",
    "note": "n", "assign": "a", "snooze": "s", "move": "m", "resolve": "e", "take": "y", "dismiss": "d", "like": "l",
    "share": "b", "offer": "v", "correct": "c", "mark": "w", "filter": "f", "search": "/", "go": "g", "keys": "?",
}  # fmt: skip


class InvalidKeys(InvalidInput):
    """Keys that cannot be kept. `problems`: each act with the other one of its key, or None where it is no key."""

    def __init__(self, problems: Mapping[str, str | None]) -> None:
        super().__init__("Each key is one letter, digit or sign, and does one thing.")
        self.problems = dict(problems)


def check_keys(chosen: Mapping[str, str]) -> dict[str, str]:
    """act -> key ("" = none), as a person chose them -> those that differ from what is shipped.

    A key is one visible character, small and capital letters apart, and does one thing. Raises `InvalidKeys`.
    """
    whole = SHIPPED | {name: key.strip() or key for name, key in chosen.items() if name in SHIPPED}
    problems: dict[str, str | None] = {}
    holders: dict[str, str] = {}
    for name, key in whole.items():
        if len(key) > 1 or key.isspace() or not key.isprintable():
            problems[name] = None
        elif key and key in holders:
            problems[name] = holders[key]
            problems.setdefault(holders[key], name)
        elif key:
            holders[key] = name
    if problems:
        raise InvalidKeys(problems)
    return {name: key for name, key in whole.items() if key != SHIPPED[name]}


class OwnKeys(msgspec.Struct, frozen=True):
    """The keys of one person."""

    #: what differs from what is shipped; None = nothing
    kept: Mapping[str, str] | None = None

    def of(self, name: str) -> str:
        """The key that does `name`; "" where none does."""
        return (self.kept or {}).get(name, SHIPPED[name])

    def in_place_of(self, shipped: str) -> str:
        """What this person presses where `shipped` is written; a key that nobody may change stays."""
        return next((self.of(name) for name, key in SHIPPED.items() if key == shipped), shipped)

    def pressed(self) -> dict[str, str]:
        """pressed key -> the shipped one that it stands for; "" for a shipped key that does nothing any more."""
        if not self.kept:
            return {}
        held = {self.of(name): key for name, key in SHIPPED.items() if self.of(name)}
        return {key: held.get(key, "") for key in [*held, *SHIPPED.values()] if held.get(key, "") != key}

    @property
    def pressed_json(self) -> str:
        """`pressed`, for a script."""
        return msgspec.json.encode(self.pressed()).decode()
