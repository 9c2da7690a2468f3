"""The rules as one text with versions: edit, compare, restore."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from rapport.actions import rules
from rapport.core.errors import InvalidInput, InvalidRule
from rapport.core.rules import default_document
from rapport.store.models import RuleSet
from rapport.store.queries import settings as reads
from rapport.store.queries.rules import list_drafts
from rapport.web.access import DeskRequest, desk, find
from rapport.web.forms import ExactForm
from rapport.web.settings.excerpt import Excerpt, compare, mark_line


class RulesForm(ExactForm):
    """The document, what changed in a few words, and the version that the editor began from."""

    document = forms.CharField(
        label=gettext_lazy("Rules"),
        max_length=500_000,
        strip=False,
        widget=forms.Textarea(
            attrs={"class": "code", "rows": 24, "spellcheck": "false", "autocapitalize": "none", "wrap": "off"}
        ),
    )
    note = forms.CharField(
        label=gettext_lazy("What changed"),
        max_length=300,
        required=False,
        help_text=gettext_lazy("A few words for colleagues who look through the versions."),
    )
    version = forms.IntegerField(min_value=0, widget=forms.HiddenInput)

    def clean_document(self) -> str:
        """Browsers send line ends as CR LF; columns count them as one."""
        return str(self.cleaned_data["document"]).replace("\r\n", "\n")


@desk(right="configure")
@require_http_methods(["GET", "POST"])
def edit(request: DeskRequest) -> HttpResponse:
    """The rules in force, as text; a save that meets a colleague's newer version says so instead of undoing it."""
    newest = reads.newest_rule_set(request.workspace)
    version = newest.version if newest else 0
    start = {"document": newest.document if newest else default_document(), "version": version}
    form = RulesForm(request.POST if request.method == "POST" else None, initial=start)
    excerpt: Excerpt | None = None
    newer: RuleSet | None = None
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        if newest is not None and given["document"] == newest.document:
            messages.info(request, _("Nothing changed: version %(n)d stays in force.") % {"n": version})
            return redirect("rules", slug=request.workspace.slug)
        if given["version"] != version:
            newer = newest
            form = RulesForm({**request.POST.dict(), "version": str(version)})
        else:
            try:
                saved = rules.save_rules(request.membership, given["document"], given["note"], now=timezone.now())
            except InvalidRule as error:
                excerpt = mark_line(given["document"], error.line, error.column)
                form.add_error("document", str(error))
            except InvalidInput as error:
                form.add_error("document", str(error))
            else:
                told = _("Version %(n)d is saved, and in force within a second.")
                messages.success(request, told % {"n": saved.version})
                return redirect("rules", slug=request.workspace.slug)
    shown = {
        "form": form,
        "newest": newest,
        "newer": newer,
        "excerpt": excerpt,
        "versions": reads.list_rule_sets(request.workspace)[: reads.PAGE],
        "drafts": list_drafts(request.workspace)[: reads.PAGE],
        "may_publish": request.membership.may("publish"),
        "now": timezone.now(),
    }
    return render(request, "settings/rules.html", shown, status=409 if newer else 422 if form.errors else 200)


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
        saved = rules.save_rules(request.membership, chosen.document, note, now=timezone.now())
    except InvalidInput as error:
        told = _("Version %(n)d cannot be used any more: %(reason)s") % {"n": chosen.version, "reason": error}
        messages.error(request, told)
        return redirect("rules_version", slug=request.workspace.slug, version=chosen.version)
    told = _("Version %(old)d is in force again, as version %(new)d.")
    messages.success(request, told % {"old": chosen.version, "new": saved.version})
    return redirect("rules", slug=request.workspace.slug)
