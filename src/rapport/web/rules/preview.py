"""On how many of the newest posts a rule would fire, with examples: asked while somebody writes it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from rapport.core.errors import InvalidRule
from rapport.core.rules import compile_rules
from rapport.core.rules.edit import Setting, compose
from rapport.store.models import Membership, Post
from rapport.store.queries.rule_trials import NEWEST, newest_kept

EXAMPLES = 5


class Preview(msgspec.Struct, frozen=True):
    """What one rule by itself would do."""

    tried: int = 0
    fired: int = 0
    #: posts that it would break on
    broken: int = 0
    #: what was known of their authors was not kept
    unknown: int = 0
    examples: Sequence[tuple[Post, str]] = ()

    @property
    def share(self) -> float:
        """Of the posts that were tried, 0 to 1."""
        return self.fired / self.tried if self.tried else 0.0


def preview_rule(member: Membership, when: str, limit: int = NEWEST) -> Preview:
    """Try a condition on the newest stored posts, as they were known then. Raises `InvalidRule`."""
    values: dict[str, Setting] = {"name": "Preview", "when": when, "then": ["tag:preview"]}
    try:
        rules = compile_rules(compose(values))
    except InvalidRule as error:
        # its line is that of the text made here, which nobody sees
        raise InvalidRule(error.message, 1, max(1, error.column - len("when = '")), error.suggestion) from None
    tried = fired = broken = unknown = 0
    examples: list[tuple[Post, str]] = []
    for kept in newest_kept(member, limit):
        decision = kept.decide(rules)
        if decision is None:
            unknown += 1
            continue
        tried += 1
        for step in decision.trace:
            fired += step.matched
            broken += not step.matched
            if step.matched and len(examples) < EXAMPLES:
                examples.append((kept.post, ", ".join(step.because)))
    return Preview(tried, fired, broken, unknown, examples)
