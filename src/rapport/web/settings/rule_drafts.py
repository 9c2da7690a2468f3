"""Drafts of rule sets: begin, write, hold against what is in force, bring up to date, run beside, publish, download."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from rapport.actions import rule_drafts as acts
from rapport.actions.rules import check_document
from rapport.core.errors import InvalidInput, InvalidRule, Stale
from rapport.core.rules.document import MAX_DOCUMENT
from rapport.core.rules.merge import merge
from rapport.store.models import RuleDraft, RuleSet
from rapport.store.queries import rules as reads
from rapport.store.queries.settings import newest_rule_set
from rapport.web.access import DeskRequest, desk, find
from rapport.web.forms import ExactForm
from rapport.web.settings.backtest_shown import show_beside, windows
from rapport.web.settings.excerpt import compare, list_touched, mark_line, name_rules
from rapport.web.told import told

#: bytes of a file that a draft begins with: its characters may take four each
MAX_FILE = 4 * MAX_DOCUMENT
#: hours for which a draft can be run beside the rules in force
BESIDE = (
    (1, gettext_lazy("an hour")),
    (24, gettext_lazy("a day")),
    (168, gettext_lazy("a week")),
    (720, gettext_lazy("30 days")),
)


class BeginForm(ExactForm):
    """A name, and what the draft begins with."""

    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=acts.MAX_NAME,
        help_text=gettext_lazy("What it is to change: colleagues find it by this."),
    )  # fmt: skip
    begin = forms.ChoiceField(
        label=gettext_lazy("Begin with"),
        choices=[("live", gettext_lazy("the rules in force")), ("empty", gettext_lazy("nothing")),
                 ("file", gettext_lazy("a file"))],
        widget=forms.RadioSelect,
        initial="live",
    )  # fmt: skip
    file = forms.FileField(
        label=gettext_lazy("File"), required=False, help_text=gettext_lazy("A rule document (.toml), in UTF-8.")
    )

    def clean(self) -> dict[str, Any]:
        """The text of the file, where one is to begin with."""
        given = super().clean() or {}
        if given.get("begin") == "file":
            given["text"] = self._text_of(given.get("file"))
        return given

    def _text_of(self, file: Any) -> str:
        if not file:
            self.add_error("file", _("Choose a file."))
            return ""
        if file.size > MAX_FILE:
            self.add_error("file", _("This file is larger than any rule document."))
            return ""
        try:
            return str(file.read().decode("utf-8-sig"))
        except UnicodeDecodeError:
            self.add_error("file", _("This is no text in UTF-8. Save it as UTF-8, then choose it again."))
            return ""


class PublishForm(ExactForm):
    """Why, and what the person saw."""

    reason = forms.CharField(
        label=gettext_lazy("What changes, and why"), max_length=300,
        help_text=gettext_lazy("Colleagues read it beside the version, today and in a year."),
    )  # fmt: skip
    revision = forms.IntegerField(min_value=0, widget=forms.HiddenInput)
    over = forms.IntegerField(min_value=0, widget=forms.HiddenInput)


@desk(right="configure")
@require_http_methods(["GET", "POST"])
def begin(request: DeskRequest) -> HttpResponse:
    """A new draft."""
    form = BeginForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        document = {"live": None, "empty": "", "file": given.get("text")}[given["begin"]]
        try:
            draft = acts.begin_draft(request.membership, given["name"], document, now=timezone.now())
        except InvalidInput as error:
            form.add_error("name", told(error))
        else:
            return redirect("rule_draft", slug=request.workspace.slug, pk=draft.pk)
    shown = {"form": form}
    return render(request, "settings/rules_begin.html", shown, status=422 if form.errors else 200)


@desk(right="configure")
@require_safe
def show(request: DeskRequest, pk: int) -> HttpResponse:
    """A draft: what it changes, its trials, and the way in force. Its words are written in web.rules."""
    return render(request, "settings/rules_draft.html", _show(request, _find(request, pk)))


@desk(right="configure")
@require_safe
def beside(request: DeskRequest, pk: int) -> HttpResponse:
    """The figures of a draft that runs beside the rules in force: a fragment, asked for again while it runs."""
    return render(request, "settings/rules_beside.html", _show_beside(request, _find(request, pk)))


@desk(right="publish")
@require_http_methods(["GET", "POST"])
def publish(request: DeskRequest, pk: int) -> HttpResponse:
    """The difference to what is in force, then the reason, then it is in force."""
    draft = _find(request, pk)
    newest = newest_rule_set(request.workspace)
    over = newest.version if newest else 0
    seen = {"revision": draft.revision, "over": over}
    form = PublishForm(request.POST if request.method == "POST" else None, initial=seen)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            rules = acts.publish_draft(
                request.membership, draft, given["reason"], given["revision"], given["over"], now=timezone.now()
            )
        except Stale as error:
            form = PublishForm({"reason": given["reason"], **seen})
            form.add_error(None, told(error))
        except InvalidInput as error:
            form.add_error(None, told(error))
        else:
            line = _("Version %(n)d is in force in every worker within a second.")
            messages.success(request, line % {"n": rules.version})
            return redirect("rules", slug=request.workspace.slug)
    shown = {
        "draft": draft,
        "newest": newest,
        "form": form,
        "changes": compare(newest.document if newest else "", draft.document),
        "problem": _problem(request, draft),
    }
    return render(request, "settings/rules_publish.html", shown, status=422 if form.errors else 200)


@desk(right="configure")
@require_POST
def catch_up(request: DeskRequest, pk: int) -> HttpResponse:
    """Bring a draft up to date with the rules in force: by taking over their changes, or (`keep`) as it stands."""
    draft = _find(request, pk)
    newest = newest_rule_set(request.workspace)
    base = reads.rule_set_of(request.workspace, draft.base)
    if newest is not None and newest.version != draft.base:
        text: str | None = draft.document
        if request.POST.get("how") != "keep":
            found = merge(base.document if base else "", newest.document, draft.document)
            text = found.text
            if text is None:
                lines = ", ".join(map(str, found.conflicts[:10]))
                line = _("Both changed the same lines (in the draft from line %(lines)s on). Change them by hand.")
                messages.error(request, line % {"lines": lines})
        if text is not None:
            try:
                acts.save_draft(
                    request.membership, draft, text, draft.revision, now=timezone.now(), base=newest.version
                )
            except Stale as error:
                messages.error(request, told(error))
            else:
                messages.success(request, _("The draft is up to date with version %(n)d.") % {"n": newest.version})
    return redirect("rule_draft", slug=request.workspace.slug, pk=pk)


@desk(right="configure")
@require_POST
def run(request: DeskRequest, pk: int) -> HttpResponse:
    """Let a draft run beside the rules in force for some hours, or end that (no `hours`)."""
    draft = _find(request, pk)
    hours = request.POST.get("hours", "")
    try:
        if hours in {str(each) for each, _name in BESIDE}:
            until = timezone.now() + dt.timedelta(hours=int(hours))
            acts.run_beside(request.membership, draft, until, now=timezone.now())
            messages.success(request, _("The draft now decides beside the rules in force; nothing comes of it."))
        else:
            acts.stop_beside(request.membership, draft, now=timezone.now())
    except (InvalidInput, Stale) as error:
        messages.error(request, told(error))
    return redirect("rule_draft", slug=request.workspace.slug, pk=pk)


@desk(right="configure")
@require_POST
def rename(request: DeskRequest, pk: int) -> HttpResponse:
    """Another name."""
    try:
        acts.rename_draft(request.membership, _find(request, pk), request.POST.get("name", ""), now=timezone.now())
    except InvalidInput as error:
        messages.error(request, told(error))
    return redirect("rule_draft", slug=request.workspace.slug, pk=pk)


@desk(right="configure")
@require_POST
def delete(request: DeskRequest, pk: int) -> HttpResponse:
    """Throw a draft away."""
    draft = _find(request, pk)
    acts.delete_draft(request.membership, draft, now=timezone.now())
    messages.success(request, _("The draft %(name)s is deleted.") % {"name": draft.name})
    return redirect("rules", slug=request.workspace.slug)


@desk(right="configure")
@require_safe
def file(request: DeskRequest, pk: int) -> HttpResponse:
    """A draft as a file."""
    draft = _find(request, pk)
    return as_file(draft.document, f"{request.workspace.slug}-{slugify(draft.name) or 'draft'}")


@desk(right="configure")
@require_safe
def version_file(request: DeskRequest, version: int) -> HttpResponse:
    """A version as a file."""
    chosen = find(RuleSet.objects.of(request.workspace), version=version)
    return as_file(chosen.document, f"{request.workspace.slug}-rules-{version}")


def as_file(document: str, name: str) -> HttpResponse:
    """A document to download."""
    headers = {"Content-Disposition": f'attachment; filename="{name}.toml"'}
    return HttpResponse(document, content_type="application/toml; charset=utf-8", headers=headers)


def _find(request: DeskRequest, pk: int) -> RuleDraft:
    return find(RuleDraft.objects.of(request.workspace).select_related("author__user", "updated_by__user"), pk)


def _problem(request: DeskRequest, draft: RuleDraft) -> dict[str, Any] | None:
    """What keeps a draft from being used: the sentence, and the place in its text."""
    try:
        check_document(request.workspace, draft.document)
    except InvalidRule as error:
        return {"text": told(error), "excerpt": mark_line(draft.document, error.line, error.column)}
    except InvalidInput as error:
        return {"text": told(error), "excerpt": None}
    return None


def _show(request: DeskRequest, draft: RuleDraft) -> dict[str, Any]:
    """What templates/settings/rules_draft.html needs."""
    newest = newest_rule_set(request.workspace)
    version, in_force = (newest.version, newest.document) if newest else (0, "")
    base = reads.rule_set_of(request.workspace, draft.base) if draft.base != version else None
    return {
        "draft": draft,
        "newest": newest,
        "is_behind": draft.base != version,
        "since": compare(base.document if base else "", newest.document) if newest and draft.base != version else [],
        "changes": compare(in_force, draft.document),
        "touched": list_touched(in_force, draft.document),
        "rules": len(name_rules(draft.document)),
        "tests": reads.list_back_tests(request.workspace, draft)[:10],
        "windows": windows(),
        "may_publish": request.membership.may("publish"),
        **_show_beside(request, draft),
    }


def _show_beside(request: DeskRequest, draft: RuleDraft) -> dict[str, Any]:
    """What templates/settings/rules_beside.html needs, also once the run has come to its end."""
    shown = show_beside(request.workspace, draft, timezone.now())
    return {"draft": draft, "hours": BESIDE, "problem": _problem(request, draft), **shown}
