"""The layouts of tables that can be read, and which of them a header belongs to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from rapport.core.errors import InvalidInput
from rapport.core.post import Post
from rapport.networks.files import airline, customer_support, trustpilot


class Layout(msgspec.Struct, frozen=True):
    """One way of writing posts into a table."""

    #: for people
    title: str
    #: network of the posts; "" where each post names its own
    network: str
    #: columns without which a row cannot be read
    required: tuple[str, ...] = ()
    #: columns that are read where they stand; all others are left alone
    optional: tuple[str, ...] = ()
    #: column -> cell, as text, in; the posts of the row out; raises `InvalidPost`
    parse: Callable[[Mapping[str, str]], tuple[Post, ...]] | None = None


JSONL = Layout("Post JSONL", "")
TABLES = (
    Layout(
        customer_support.TITLE,
        customer_support.NETWORK,
        customer_support.REQUIRED,
        customer_support.OPTIONAL,
        customer_support.parse,
    ),
    Layout(airline.TITLE, airline.NETWORK, airline.REQUIRED, airline.OPTIONAL, airline.parse),
    Layout(
        trustpilot.TITLE_FULL,
        trustpilot.NETWORK,
        trustpilot.REQUIRED_FULL,
        trustpilot.OPTIONAL_FULL,
        trustpilot.parse_full,
    ),
    Layout(
        trustpilot.TITLE_PLAIN,
        trustpilot.NETWORK,
        trustpilot.REQUIRED_PLAIN,
        trustpilot.OPTIONAL_PLAIN,
        trustpilot.parse_plain,
    ),
)


def detect_layout(header: Sequence[str]) -> Layout:
    """The layout whose required columns all stand in `header`.

    Raises `InvalidInput` that names the columns missing from the nearest layout, and the layouts that exist.
    """
    names = frozenset(header)
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        raise InvalidInput(f"the header names a column twice: {', '.join(twice)}")
    for layout in TABLES:
        if names.issuperset(layout.required):
            return layout
    nearest = max(TABLES, key=lambda layout: len(names.intersection(layout.required)) / len(layout.required))
    known = "; ".join(f"{layout.title} ({', '.join(layout.required)})" for layout in TABLES)
    if not names.intersection(nearest.required):
        raise InvalidInput(f"this is no table that I know. It can be Post JSONL, or a CSV with these columns: {known}")
    missing = ", ".join(name for name in nearest.required if name not in names)
    raise InvalidInput(
        f"the table looks like {nearest.title}, but these columns are missing: {missing}. Tables that I know: {known}"
    )
