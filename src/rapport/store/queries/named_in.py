"""Where colleagues wrote the account of a person down for the house: rules, searches and views."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from rapport.core.rules.named import expression_names, rules_that_name
from rapport.core.traces import Traces
from rapport.store.models import ApprovalRule, Campaign, Handle, RuleDraft, RuleSet, SavedView, Topic

#: what `named_in` finds -> its table; rules and groups of the version in force stand in none of their own
TABLES: Mapping[str, Any] = {
    "drafts": RuleDraft, "approvals": ApprovalRule, "topics": Topic, "campaigns": Campaign, "views": SavedView,
}  # fmt: skip


def named_in(workspace: int, handles: Collection[Handle]) -> dict[str, Any]:
    """What names one of these accounts, in numbers alone, so that it can stay when the accounts are gone.

    `version`: of the rules in force, 0 = what ships; `rules`, `groups`: places in it, from 0; `drafts`, `approvals`,
    `topics`, `campaigns`, `views`: row ids. Names of fewer than three letters are not looked for. Six queries.
    """
    names = Traces({name for row in handles for name in (row.handle, row.external_id) if name}, (), parts=False)
    newest = RuleSet.objects.of(workspace).order_by("-version").first()
    document = newest.document if newest else ""
    return {
        "version": newest.version if newest else 0,
        "rules": rules_that_name(document, names),
        "groups": rules_that_name(document, names, "group"),
        **{
            kind: [row.pk for row in model.objects.of(workspace).order_by("pk") if _names(row, names)]
            for kind, model in TABLES.items()
        },
    }


def _names(row: Any, names: Traces) -> bool:
    match row:
        case RuleDraft():
            return names.are_in(row.name) or _document_names(row.document, names)
        case ApprovalRule():
            return expression_names(row.condition, names)
        case Topic():
            return any(map(names.are_in, (row.name, row.query, *map(str, row.hides))))
        case Campaign():
            return any(map(names.are_in, (row.name, row.query)))
    return any(map(names.are_in, (row.name, str(row.asked.get("q", "")))))


def _document_names(document: str, names: Traces) -> bool:
    try:
        return bool(rules_that_name(document, names) or rules_that_name(document, names, "group"))
    except ValueError:  # a draft may be anything
        return names.are_in(document)
