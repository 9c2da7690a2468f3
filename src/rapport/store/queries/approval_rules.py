"""Whether a reply needs somebody else's word: the rules of the workspace about who has to approve."""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from zoneinfo import ZoneInfo

from rapport.core.approvals import Asking, first_asking
from rapport.core.errors import InvalidRule
from rapport.core.rules import RuleSet, compile_rules
from rapport.core.rules.edit import compose
from rapport.store.models import ApprovalRule, Channel, Conversation, Membership, Post
from rapport.store.queries.rule_trials import Kept
from rapport.store.queries.talk import judge


def rules_of(workspace: int) -> list[Asking]:
    """Those in force, in their order. One query."""
    rows = ApprovalRule.objects.of(workspace).filter(active=True)
    return [Asking(row.role, row.basket_id, row.channel_id, row.condition, row.approver, row.four_eyes) for row in rows]


def fields_asked(workspace: int) -> frozenset[str]:
    """The fields that their conditions read, for whoever gathers what is known of a post. One query."""
    rows = ApprovalRule.objects.of(workspace).filter(active=True).exclude(condition="").order_by()
    asked: frozenset[str] = frozenset()
    for condition in rows.values_list("condition", flat=True).distinct():
        with suppress(InvalidRule):  # the language has moved on since: then it always asks
            asked |= compile_condition(condition).asks
    return asked


def asked_for(
    author: Membership, conversation: Conversation, channel: Channel, target: Post, rules: list[Asking] | None = None
) -> Asking | None:
    """The rule that asks for somebody else's word on what `author` writes here; None = none does. One query where there
    are no rules. `rules`: those of the workspace, where they were read already.
    """
    rules = rules_of(author.workspace_id) if rules is None else rules
    if not rules:
        return None
    return first_asking(
        rules, author.role, conversation.basket_id, channel.pk, lambda condition: holds(condition, author, target)
    )


def holds(condition: str, member: Membership, target: Post) -> bool:
    """Whether a condition is true of a stored post as it was known when it was decided. Where nobody can say, it is: to
    ask once too often costs less than to ask once too little.
    """
    post = Post.objects.select_related("handle", "outcome").get(pk=target.pk)
    outcome = judge(post)
    if outcome is None:
        return True
    try:
        rules = compile_condition(condition)
    except InvalidRule:  # the language has moved on since
        return True
    decision = Kept(post, outcome, ZoneInfo(member.workspace.timezone)).decide(rules)
    return decision is None or any(step.matched for step in decision.trace) or "rule-error" in decision.tags


@lru_cache(maxsize=256)
def compile_condition(condition: str) -> RuleSet:
    """Raises `InvalidRule`."""
    return compile_rules(compose({"name": "approval", "when": condition, "then": ["tag:approval"]}))
