"""Versions of the rules: what is in force, what each changed, and back to an older one. Editing is in web.rules."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from rapport.actions import rules
from rapport.core.errors import InvalidInput, Stale
from rapport.store.models import RuleSet
from rapport.store.queries import settings as reads
from rapport.store.queries.rules import list_drafts
from rapport.web.access import DeskRequest, desk, find
from rapport.web.forms import number
from rapport.web.settings.excerpt import compare


@desk(right="configure")
@require_safe
def index(request: DeskRequest) -> HttpResponse:
    """What is in force, the drafts, and every version."""
    shown = {
        "newest": reads.newest_rule_set(request.workspace),
        "versions": reads.list_rule_sets(request.workspace)[: reads.PAGE],
        "drafts": list_drafts(request.workspace)[: reads.PAGE],
        "now": timezone.now(),
    }
    return render(request, "settings/rules.html", shown)


@desk(right="configure")
@require_safe
def show(request: DeskRequest, version: int) -> HttpResponse:
    """One version, with what it changed against the one before."""
    rows = RuleSet.objects.of(request.workspace).select_related("author__user")
    chosen = find(rows, version=version)
    before = rows.filter(version__lt=chosen.version).order_by("-version").first()
    newest = reads.newest_rule_set(request.workspace)
    shown = {
        "rule_set": chosen,
        "before": before,
        "changes": compare(before.document, chosen.document) if before else [],
        "in_force": newest is not None and newest.pk == chosen.pk,
        "newest": newest.version if newest else 0,
        "may_publish": request.membership.may("publish"),
    }
    return render(request, "settings/rules_version.html", shown)


@desk(right="publish")
@require_POST
def restore(request: DeskRequest, version: int) -> HttpResponse:
    """Make an old version the newest; the ones between are kept."""
    chosen = find(RuleSet.objects.of(request.workspace), version=version)
    note = _("Version %(n)d again") % {"n": chosen.version}
    try:
        seen = number(request.POST["over"]) if "over" in request.POST else None
        saved = rules.save_rules(request.membership, chosen.document, note, over=seen, now=timezone.now())
    except Stale as error:
        messages.error(request, _("%(what)s Look at what is in force now.") % {"what": error})
        return redirect("rules_version", slug=request.workspace.slug, version=chosen.version)
    except InvalidInput as error:
        told = _("Version %(n)d cannot be used any more: %(reason)s") % {"n": chosen.version, "reason": error}
        messages.error(request, told)
        return redirect("rules_version", slug=request.workspace.slug, version=chosen.version)
    told = _("Version %(old)d is in force again, as version %(new)d.")
    messages.success(request, told % {"old": chosen.version, "new": saved.version})
    return redirect("rules", slug=request.workspace.slug)
