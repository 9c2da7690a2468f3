"""What is wrong with a rule set, in words: what it means and what to do."""

from __future__ import annotations

import functools

import msgspec
from django.utils.translation import gettext as _

from rapport.core.errors import InvalidRule
from rapport.core.rules.actions import Known
from rapport.core.rules.analysis import Flaw, find_flaws
from rapport.store.models import Workspace
from rapport.store.queries.rules import known_in
from rapport.web.rules.target import KEPT, compiled


class Told(msgspec.Struct, frozen=True):
    """One flaw for the screen."""

    rule: str
    line: int
    kind: str
    what: str
    #: how to mend it
    mend: str
    others: tuple[str, ...]


def faults_of(document: str, workspace: Workspace) -> list[Told]:
    """What is wrong with these rules; nothing is said of a text that cannot be used at all."""
    try:
        found = _faults(document, known_in(workspace))
    except InvalidRule:
        return []
    return [tell(each) for each in found]


@functools.lru_cache(maxsize=KEPT)
def _faults(document: str, known: Known) -> tuple[Flaw, ...]:
    return tuple(find_flaws(compiled(document), known))


def tell(found: Flaw) -> Told:
    """A flaw as sentences."""
    others = _listed(found.others)
    match found.kind:
        case "dead":
            what = _("can never fire: no post fits its condition")
            what += _(", because of %(field)s") % {"field": found.detail} if found.detail else ""
            mend = _("Look at its bounds, or take the rule out.")
        case "shadowed":
            what = _("never gets its turn: whenever it could match, %(others)s matched before and ended the list")
            what %= {"others": others}
            mend = _("Move it up, or take it out.")
        case "idle":
            what = _("changes nothing: whenever it matches, %(others)s said all of it already") % {"others": others}
            mend = _("Take it out, or narrow the earlier rules.")
        case "contradicting":
            what = _("says %(own)s, but %(others)s says %(instead)s before it whenever it matches, and the first wins")
            what %= {"own": found.detail, "others": others, "instead": found.instead}
            mend = _("Move it up, or drop that action.")
        case _:
            what = _("names something that does not exist: %(action)s") % {"action": found.detail}
            mend = _("Choose another name, or make what is missing.")
    return Told(found.rule, found.line, found.kind, what, mend, found.others)


def _listed(names: tuple[str, ...]) -> str:
    quoted = [f"“{name}”" for name in names]
    if len(quoted) < 2:
        return "".join(quoted)
    return _("%(first)s and %(last)s") % {"first": ", ".join(quoted[:-1]), "last": quoted[-1]}
