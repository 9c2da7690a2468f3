"""Starter packs: rules for one kind of house, with the baskets and prepared replies that they need.

A pack is a group with its own switch. Its rules are put before the first rule that sorts by what people want, behind
those that put noise aside.
"""

from __future__ import annotations

import functools
import importlib.resources
import tomllib
from collections.abc import Collection
from typing import Any

import msgspec

from rapport.core.rules.edit import find_piece, insert, pieces
from rapport.core.rules.locate import locate

#: slugs in the order in which they are offered
PACKS = ("shop", "software", "airline", "public-body", "agency")


class PackBasket(msgspec.Struct, frozen=True):
    """A basket that the rules sort into, beyond those of a new workspace."""

    slug: str
    name: str
    tone: str
    purpose: str


class PackReply(msgspec.Struct, frozen=True):
    """A prepared reply that they name."""

    slug: str
    name: str
    text: str


class Pack(msgspec.Struct, frozen=True):
    """One pack."""

    slug: str
    name: str
    #: one sentence on what it looks after
    about: str
    baskets: tuple[PackBasket, ...]
    replies: tuple[PackReply, ...]
    #: what `tomllib` read of its rules
    rules: tuple[dict[str, Any], ...]
    #: its group and rules as they are put into a document
    text: str


@functools.cache
def read_pack(slug: str) -> Pack:
    """One of `PACKS`. Raises `KeyError` for any other."""
    if slug not in PACKS:
        raise KeyError(slug)
    folder = importlib.resources.files("rapport.core.rules").joinpath("packs")
    document = folder.joinpath(f"{slug}.toml").read_text(encoding="utf-8")
    read = tomllib.loads(document)
    group = next(section for section in locate(document) if section.header == "[[group")
    return Pack(
        slug,
        read["name"],
        read["about"],
        tuple(PackBasket(**each) for each in read.get("basket", ())),
        tuple(PackReply(**each) for each in read.get("reply", ())),
        tuple(read["rule"]),
        document[group.at :].rstrip("\n"),
    )


def has_pack(document: str, pack: Pack, names: Collection[str] = ()) -> bool:
    """Whether a document holds the group of the pack already, under its name or one of `names` (other languages).

    Raises `ValueError` for what is no TOML.
    """
    return any(find_piece(document, name, "group") is not None for name in {pack.name, *names})


def add_pack(document: str, pack: Pack, names: Collection[str] = ()) -> str:
    """The document with the pack in it; as it was where it is there already (see `has_pack`)."""
    if has_pack(document, pack, names):
        return document
    heading = f"# {'-' * 64} pack: {pack.name}\n"
    at = _place(document)
    if at is None:
        return insert(document, len(pieces(document)), heading + pack.text)
    return document[:at] + heading + pack.text + "\n\n" + document[at:]


def _place(document: str) -> int | None:
    """Before the first rule that sorts into a basket with more than low priority, and the comments above it."""
    for piece in pieces(document):
        if any(each.startswith("basket:") for each in piece.then) and "priority:low" not in piece.then:
            start = piece.start
            while start:
                above = document.rfind("\n", 0, start - 1) + 1
                if not document[above:start].lstrip().startswith("#"):
                    break
                start = above
            return start
    return None
