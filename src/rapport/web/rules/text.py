"""The rules as one text: saved into a draft or put in force, checked while somebody types, with words to choose."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from rapport.actions.rules import check_document
from rapport.core.decision import AUTONOMIES, PRIORITIES
from rapport.core.errors import InvalidInput, InvalidRule, Stale
from rapport.core.rules.actions import ACTIONS
from rapport.core.rules.document import KEYS, MAX_DOCUMENT, TOP_KEYS
from rapport.core.rules.fields import FIELDS
from rapport.core.rules.functions import FUNCTIONS
from rapport.store.models import Basket, Membership, PreparedReply, Survey, Topic, Webhook
from rapport.web.access import DeskRequest, desk
from rapport.web.fault_words import said_fault
from rapport.web.forms import ExactForm
from rapport.web.rules.faults import faults_of
from rapport.web.rules.said import meaning_of, plain
from rapport.web.rules.target import MovedOn, Target, address, begin_with, find_edited, go, moved_on, save_target
from rapport.web.settings.excerpt import Excerpt, mark_line
from rapport.web.told import told as in_words

#: words between comparisons
_WORDS = ("and", "or", "not", "in", "not in", "matches", "has", "true", "false")


class TextForm(ExactForm):
    """The document, what changed in a few words, and what the editor began from."""

    document = forms.CharField(
        label=gettext_lazy("Rules"),
        max_length=MAX_DOCUMENT,
        strip=False,
        required=False,
        widget=forms.Textarea(
            attrs={
                "class": "code",
                "rows": 30,
                "spellcheck": "false",
                "autocapitalize": "none",
                "autocomplete": "off",
                "wrap": "off",
                "aria-autocomplete": "list",
                "aria-describedby": "editor-keys editor-said",
            }
        ),
    )
    note = forms.CharField(
        label=gettext_lazy("What changed"),
        max_length=300,
        required=False,
        help_text=gettext_lazy("A few words for colleagues who look through the versions."),
    )
    revision = forms.IntegerField(min_value=0, widget=forms.HiddenInput)
    draft = forms.IntegerField(required=False, widget=forms.HiddenInput)
    do = forms.ChoiceField(choices=[(each, each) for each in ("save", "draft")], required=False)

    def clean_document(self) -> str:
        """Browsers send line ends as CR LF; columns count them as one."""
        return str(self.cleaned_data["document"]).replace("\r\n", "\n")


@desk(right="configure")
@require_http_methods(["GET", "POST"])
def edit(request: DeskRequest) -> HttpResponse:
    """The text of a draft, or of the rules in force; a save over a colleague's newer words says so."""
    target = find_edited(request)
    start = {
        "document": target.document,
        "revision": target.revision,
        "draft": target.draft.pk if target.draft else None,
    }
    form = TextForm(request.POST if request.method == "POST" else None, initial=start)
    excerpt: Excerpt | None = None
    theirs: MovedOn | None = None
    if form.is_bound and form.is_valid():
        given = form.cleaned_data
        try:
            if target.is_gone:
                raise Stale(_("A colleague threw this draft away meanwhile."))
            return _save(request, target, given)
        except Stale:
            target = find_edited(request)
            theirs = moved_on(target, given["document"])
            own = {"revision": str(target.revision), "draft": str(target.draft.pk) if target.draft else ""}
            form = TextForm({**request.POST.dict(), **own})
        except InvalidRule as error:
            excerpt = mark_line(given["document"], error.line, error.column)
            form.add_error("document", in_words(error))
        except InvalidInput as error:
            form.add_error("document", in_words(error))
    shown = {
        "form": form,
        "target": target,
        "excerpt": excerpt,
        "theirs": theirs,
        "unsaved": form.is_bound,
        "line": request.GET.get("line", ""),
        "may_publish": request.membership.may("publish"),
        "words_url": address(request, "rule_words"),
        "check_url": address(request, "rule_check"),
    }
    return render(request, "rules/text.html", shown, status=409 if theirs else 422 if form.errors else 200)


def _save(request: DeskRequest, target: Target, given: dict[str, Any]) -> HttpResponse:
    if given["do"] == "draft" and target.draft is None:
        draft = begin_with(request, given["document"], seen=given["revision"])
        messages.success(request, _("The draft “%(name)s” is begun; nothing is in force yet.") % {"name": draft.name})
        return go(request, "rule_text", draft=draft.pk)
    told = save_target(request, target, given["document"], given["note"], given["revision"])
    messages.success(request, told)
    return go(request, "rule_text", target)


@desk(right="configure")
@require_POST
def check(request: DeskRequest) -> HttpResponse:
    """What is wrong with this text, as JSON: asked at every pause in typing."""
    document = request.POST.get("document", "").replace("\r\n", "\n")
    try:
        rules = check_document(request.workspace, document)
    except InvalidRule as error:
        place = mark_line(document, error.line, error.column)
        problem = {
            "line": place.line,
            "column": place.column,
            "message": said_fault(error.message),
            "instead": said_fault(error.suggestion),
        }
        return JsonResponse({"problem": problem, "said": in_words(error)})
    count = len(rules.rules)
    told = ngettext("%(n)d rule, no fault.", "%(n)d rules, no fault.", count) % {"n": count}
    faults = [
        {
            "line": fault.line,
            "said": _("“%(rule)s” %(what)s.") % {"rule": fault.rule, "what": fault.what},
            "mend": fault.mend,
        }
        for fault in faults_of(document, request.workspace)
    ]
    return JsonResponse({"problem": None, "said": told, "faults": faults})


@desk(right="configure")
@require_safe
def words(request: DeskRequest) -> HttpResponse:
    """Everything that can be written in this workspace, for the completion: from the tables of the language."""
    found = {
        "keys": [{"word": f"{key} = ", "means": plain(str(row[-1]))} for key, row in KEYS.items()],
        "top": [{"word": f"{key} = ", "means": plain(str(row[-1]))} for key, row in TOP_KEYS.items() if key != "rule"],
        "fields": [
            {"word": field.name, "kind": field.type, "means": meaning_of(field.name)} for field in FIELDS.values()
        ],
        "functions": [
            {"word": each.form, "kind": each.type, "means": plain(each.meaning)} for each in FUNCTIONS.values()
        ],
        "words": [{"word": word} for word in _WORDS],
        "choices": {field.name: field.choices for field in FIELDS.values() if field.choices},
        "actions": [
            {"word": verb if form.argument == "none" else f"{verb}:", "means": plain(form.meaning)}
            for verb, form in ACTIONS.items()
        ],
        "arguments": _arguments(request),
        "topics": list(Topic.objects.of(request.workspace).order_by("slug").values_list("slug", flat=True)),
        "autonomy": AUTONOMIES,
    }
    return JsonResponse(found)


def _arguments(request: DeskRequest) -> dict[str, list[dict[str, str]]]:
    """Verb -> what may stand behind its colon."""
    workspace = request.workspace
    members = Membership.objects.of(workspace).filter(active=True, user__is_active=True).select_related("user")
    people = [{"word": member.user.email, "means": str(member)} for member in members.order_by("user__email")]
    baskets = Basket.objects.of(workspace).values_list("slug", "name")
    replies = PreparedReply.objects.of(workspace).values_list("slug", "name")
    surveys = Survey.objects.of(workspace).values_list("slug", "name")
    webhooks = Webhook.objects.of(workspace).values_list("slug", flat=True)
    return {
        "basket": [{"word": slug, "means": name} for slug, name in baskets],
        "priority": [{"word": priority, "means": ""} for priority in PRIORITIES],
        "draft": [{"word": slug, "means": name} for slug, name in replies],
        "survey": [{"word": slug, "means": name} for slug, name in surveys],
        "person": [{"word": "known", "means": _("whoever knows the author")}, *people],
        "notify": people,
        "webhook": [{"word": slug, "means": ""} for slug in webhooks],
    }
