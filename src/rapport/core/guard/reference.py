"""Prints `docs/reference/guard.md` from the tables: `python -m rapport.core.guard.reference`."""

from __future__ import annotations

import sys

import msgspec

from rapport.core.guard.checks import BY_SENDER, OVERRIDABLE, RULES
from rapport.core.guard.pace import spell_money, spell_span
from rapport.core.guard.policy import ACT_PACE, CAUTIOUS, NETWORKS, NetworkPolicy, Policy, Window

_HEAD = """\
# The outbound guard

This page is printed from the tables of `rapport.core.guard`; a test fails when it differs
(`python -m rapport.core.guard.reference > docs/reference/guard.md`).

`check(reply, facts, policy, now)` runs when a person approves a reply and again just before it is sent. Its verdict
names every rule that has something to say; the strictest one decides. *Refuse*: it does not go out. *Hold*: it waits,
for a person or (pace) for its time.

## Rules
"""
_OWN_NUMBERS = (
    "A server's own limit, where it told us one, takes the place of the longest text. An admin may choose other "
    "numbers for one account (settings of the account, Limits)."
)
_COUNTING = {
    "graphemes": "characters as a reader sees them",
    "mastodon": "characters as a reader sees them; a link counts 23, `@user@server` as `@user`",
    "weighted": "weighted: a link 23, an emoji 2, Chinese, Japanese and Korean 2, Latin 1",
}


def _who(rule: str) -> str:
    if rule in BY_SENDER:
        return "whoever sends, on record"
    return "a lead, on record" if rule in OVERRIDABLE else "nobody"


def render() -> str:
    """The whole page."""
    policy = Policy()
    rules = [f"| `{name}` | {rule.standing} | {rule.meaning} | {_who(name)} |" for name, rule in RULES.items()]
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
            _OWN_NUMBERS,
            "",
            "## Acts beside replies",
            "",
            *_acts(),
            "",
            "## What else is weighed",
            "",
            *[f"- {row.network}: {note}." for row in NETWORKS.values() for note in _notes(row)],
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
        f"`pile-on` holds from {policy.pile_on} replies since the person last spoke; `person-cap` from "
        f"{policy.person_day} replies within 24 hours, from any account, that they have not answered. "
        "A finding that time alone ends says when (`passes_at`)."
    )


def _acts() -> list[str]:
    """The pace of likes, boosts, follows, deletions and edits."""
    said = (
        "A person does each of them, in one press; no rule and no setting lets a machine do one (`human-only`). What "
        "only takes back something of ours is stopped by the switch and by the pace alone. The new words of an edit "
        "are looked at as those of a reply are."
    )
    rows = [
        f"- {row.network}: {kind} at most {_windows(windows)}."
        for row in NETWORKS.values()
        for kind, windows in row.act_pace.items()
    ]
    own = (
        "An admin may allow one account fewer likes, boosts, follows and deletions in a day (settings of the account, "
        "Limits); the numbers of the network hold besides."
    )
    return [
        said,
        own,
        "",
        *rows,
        f"- each of the others, on every network that counts no points: {_windows(ACT_PACE)}.",
    ]


def _row(row: NetworkPolicy) -> str:
    longest = f"{row.max_length:,}" + (f" and {row.max_bytes:,} bytes" if row.max_bytes else "")
    direct = _windows(row.direct_pace) or "the same"
    counted, noted = _COUNTING[row.counting], row.noted.isoformat()
    cells = (row.network, longest, counted, _windows(row.pace), direct, row.source, noted)
    return f"| {' | '.join(cells)} |"


def _notes(row: NetworkPolicy) -> list[str]:
    """What the table says of a network besides lengths and pace."""
    notes = []
    if row.addressed_only:
        notes.append(
            "public answers only to who mentioned or quoted us; others are handed over to the site (`x-handover`)"
        )
    if row.app_pace:
        notes.append(f"all accounts of one app together: {_windows(row.app_pace)} (`pace`)")
    if row.max_cashtags is not None:
        notes.append(f"{row.max_cashtags} cashtag in a post at most (`x-cashtag`)")
    if row.prices is not None:
        post, link, summoned = map(spell_money, msgspec.structs.astuple(row.prices))
        notes.append(
            f"a post costs {post}, one with a link {link}, an answer to who mentioned us {summoned} (`budget`)"
        )
    if row.direct_within is not None:
        notes.append(_direct(row.direct_within, row.tagged_within))
    if row.points:
        costs = ", ".join(f"{kind} {points}" for kind, points in row.points.items())
        notes.append(f"the pace counts points: {costs}")
    return notes


def _direct(within: int, tagged: int | None) -> str:
    longer = f", {spell_span(tagged)} with the tag that a human writes" if tagged else ""
    return f"direct messages only within {spell_span(within)} of their last word{longer} (`window`)"


def _windows(windows: tuple[Window, ...]) -> str:
    return ", ".join(
        f"{window.most:,} in {'a day of UTC' if window.by_day else spell_span(window.seconds)}" for window in windows
    )


if __name__ == "__main__":
    sys.stdout.write(render())
