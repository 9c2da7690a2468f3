"""What an editor edits: a draft, or the rules in force."""

from __future__ import annotations

import functools
from urllib.parse import urlencode

import msgspec
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from rapport.actions import rule_drafts, rules
from rapport.core.errors import Stale
from rapport.core.rules import RuleSet as Compiled
from rapport.core.rules import compile_rules, default_document
from rapport.core.rules.edit import Piece, pieces
from rapport.store.models import Membership, RuleDraft, RuleSet
from rapport.store.queries import settings as reads
from rapport.web.access import DeskRequest, find
from rapport.web.forms import number
from rapport.web.settings.excerpt import Change, compare

#: documents that one process keeps compiled for these pages
KEPT = 16


class Target(msgspec.Struct, frozen=True):
    """The document that a page shows and saves into."""

    document: str
    #: of the draft, or the version in force: what a save is held against
    revision: int
    #: None: the rules in force
    draft: RuleDraft | None
    #: who wrote it last
    by: Membership | None = None
    #: the draft that somebody was writing in is not there any more; these are the rules in force
    is_gone: bool = False

    @property
    def query(self) -> str:
        """What keeps an address with this document: "draft=3", or nothing."""
        return urlencode({"draft": self.draft.pk}) if self.draft else ""


def find_target(request: DeskRequest) -> Target:
    """The draft that the request names (`draft`, its id), else the rules in force. Raises `Http404`."""
    asked = request.POST.get("draft") or request.GET.get("draft", "")
    if asked:
        draft = find(RuleDraft.objects.of(request.workspace).select_related("updated_by__user"), number(asked))
        return Target(draft.document, draft.revision, draft, draft.updated_by)
    return target_in_force(request)


def find_edited(request: DeskRequest) -> Target:
    """As `find_target`, for what an editor sends: whoever wrote in a draft that a colleague threw away keeps the words.

    The form says itself whether it is of a draft; what its address said when it was opened may not hold any more.
    """
    if request.method != "POST":
        return find_target(request)
    if not request.POST.get("draft", request.GET.get("draft", "")):
        return target_in_force(request)
    try:
        return find_target(request)
    except Http404:
        return msgspec.structs.replace(target_in_force(request), is_gone=True)


def as_seen(request: DeskRequest, target: Target, seen: int) -> Target:
    """The rules in force as they were when somebody began to write, for a draft that is begun from their words."""
    if target.draft is not None or seen == target.revision:
        return target
    if not seen:
        return Target(default_document(), 0, None)
    row = RuleSet.objects.of(request.workspace).filter(version=seen).first()
    return target if row is None else Target(row.document, row.version, None, row.author)


def target_in_force(request: DeskRequest) -> Target:
    """The rules in force: the newest version, or what ships where nobody saved one."""
    newest = reads.newest_rule_set(request.workspace)
    if newest is None:
        return Target(default_document(), 0, None)
    return Target(newest.document, newest.version, None, newest.author)


def save_target(request: DeskRequest, target: Target, document: str, note: str, seen: int) -> str:
    """Save into the draft, or put in force; the sentence for the person.

    `seen`: the revision that they edited. Raises `Stale` where it moved on, `InvalidRule` where it cannot be used.
    """
    now = timezone.now()
    if target.draft is not None:
        saved = rule_drafts.save_draft(request.membership, target.draft, document, seen, now=now)
        return _told_of_draft(target.draft, saved)
    if seen != target.revision:
        raise Stale(_("A colleague saved version %(n)d meanwhile.") % {"n": target.revision})
    if document == target.document:
        return _("Nothing changed: version %(n)d stays in force.") % {"n": target.revision}
    version = rules.save_rules(request.membership, document, note, over=seen, now=now)
    return _("Version %(n)d is saved, and in force within a second.") % {"n": version.version}


def _told_of_draft(before: RuleDraft, saved: RuleDraft) -> str:
    if saved.revision == before.revision:
        return _("Nothing changed in the draft “%(name)s”.") % {"name": saved.name}
    told = _("Saved in the draft “%(name)s”; it decides nothing until it is published.") % {"name": saved.name}
    if before.shadow_until is not None and before.shadow_until != saved.shadow_until:
        told += " " + _("It no longer runs beside the rules in force, because its words changed.")
    return told


class MovedOn(msgspec.Struct, frozen=True):
    """Somebody else saved while a person was writing."""

    #: None: a former colleague, or the product itself
    who: Membership | None
    #: what a save now would change in their text
    changes: list[Change]
    #: nobody saved: the draft was thrown away
    is_gone: bool = False


def moved_on(target: Target, document: str) -> MovedOn:
    """Whose newer words stand in the way of `document`; `target` as it is now."""
    return MovedOn(target.by, compare(target.document, document), target.is_gone)


def begin_with(request: DeskRequest, document: str, name: str = "", seen: int | None = None) -> RuleDraft:
    """A new draft of this document, with a name of its own. `seen`: the version in force that was edited."""
    base = name or _("Changes of %(day)s") % {"day": timezone.localtime().strftime("%d.%m., %H:%M")}
    taken = set(RuleDraft.objects.of(request.workspace).filter(name__startswith=base).values_list("name", flat=True))
    free = next(each for each in [base, *(f"{base} ({n})" for n in range(2, 1000))] if each not in taken)
    return rule_drafts.begin_draft(request.membership, free, document, base=seen, now=timezone.now())


def address(request: DeskRequest, page: str, target: Target | None = None, **query: object) -> str:
    """The address of one of these pages, for the same document."""
    if target is not None and target.draft is not None:
        query = {"draft": target.draft.pk, **query}
    path = reverse(page, kwargs={"slug": request.workspace.slug})
    return f"{path}?{urlencode(query, doseq=True)}" if query else path


def go(request: DeskRequest, page: str, target: Target | None = None, **query: object) -> HttpResponse:
    """To one of these pages; htmx moves the whole page."""
    return lead(request, address(request, page, target, **query))


def lead(request: DeskRequest, where: str) -> HttpResponse:
    """To this address; htmx moves the whole page."""
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Redirect": where})
    return HttpResponseRedirect(where)


def pieces_or_none(document: str) -> list[Piece]:
    """The rules of a document; none of one that is no TOML yet."""
    try:
        return pieces(document)
    except ValueError:
        return []


@functools.lru_cache(maxsize=KEPT)
def compiled(document: str) -> Compiled:
    """A document as a rule set, whatever baskets there are. Raises `InvalidRule`."""
    return compile_rules(document)
