"""Prints `docs/reference/guard.md` from the tables: `python -m rapport.core.guard.reference`."""

from __future__ import annotations

import sys

from rapport.core.guard.checks import OVERRIDABLE, RULES, spell_span
from rapport.core.guard.policy import CAUTIOUS, NETWORKS, NetworkPolicy, Policy, Window

_HEAD = """\
# The outbound guard

This page is printed from the tables of `rapport.core.guard`; a test fails when it differs
(`python -m rapport.core.guard.reference > docs/reference/guard.md`).

`check(reply, facts, policy, now)` runs when a person approves a reply and again just before it is sent. Its verdict
names every rule that has something to say; the strictest one decides. *Refuse*: it does not go out. *Hold*: it waits,
for a person or (pace) for its time.

## Rules
"""
_COUNTING = {
    "graphemes": "characters as a reader sees them",
    "mastodon": "characters as a reader sees them; a link counts 23, `@user@server` as `@user`",
    "weighted": "weighted: a link 23, an emoji 2, Chinese, Japanese and Korean 2, Latin 1",
}


def render() -> str:
    """The whole page."""
    policy = Policy()
    rules = [
        f"| `{name}` | {rule.standing} | {rule.meaning} | {'a lead, on record' if name in OVERRIDABLE else 'nobody'} |"
        for name, rule in RULES.items()
    ]
    rows = [_row(row) for row in (*NETWORKS.values(), CAUTIOUS)]
    unchecked = [f"- {row.network}: {note}." for row in NETWORKS.values() for note in row.unchecked]
    return "\n".join(
        [
            _HEAD,
            "| rule | standing | when | set aside by |",
            "|---|---|---|---|",
            *rules,
            "",
            _near_same(policy),
            "",
            "## Networks",
            "",
            "| network | longest text | counted as | replies at most | direct at most | source | noted |",
            "|---|---|---|---|---|---|---|",
            *rows,
            "",
            "A server's own limit, where it told us one, takes the place of the longest text.",
            "",
            "## Rules of the networks that no check applies yet",
            "",
            *unchecked,
            "",
        ]
    )


def _near_same(policy: Policy) -> str:
    return (
        f"`near-same` holds from a similarity of {policy.near_same} within {policy.near_same_days} days, for another "
        "person or another account of the same network. Similarity is Dice's coefficient over the folded words "
        "without handles, links and the name behind a greeting. "
        f"`pile-on` holds from {policy.pile_on} replies since the person last spoke."
    )


def _row(row: NetworkPolicy) -> str:
    longest = f"{row.max_length:,}" + (f" and {row.max_bytes:,} bytes" if row.max_bytes else "")
    direct = _windows(row.direct_pace) or "the same"
    counted, noted = _COUNTING[row.counting], row.noted.isoformat()
    cells = (row.network, longest, counted, _windows(row.pace), direct, row.source, noted)
    return f"| {' | '.join(cells)} |"


def _windows(windows: tuple[Window, ...]) -> str:
    return ", ".join(f"{window.most:,} in {spell_span(window.seconds)}" for window in windows)


if __name__ == "__main__":
    sys.stdout.write(render())
