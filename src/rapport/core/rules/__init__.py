"""The rule language: an ordered document of conditions and actions -> a `Decision` that can be read back."""

from __future__ import annotations

import importlib.resources

from rapport.core.rules.baskets import DEFAULT_BASKETS, Basket
from rapport.core.rules.circumstances import Circumstances
from rapport.core.rules.firing import Rule
from rapport.core.rules.ruleset import RuleSet, compile_rules

__all__ = ["DEFAULT_BASKETS", "Basket", "Circumstances", "Rule", "RuleSet", "compile_rules", "default_document"]


def default_document() -> str:
    """The rule set that a new workspace starts with, as text to edit."""
    return importlib.resources.files(__name__).joinpath("default.toml").read_text(encoding="utf-8")
