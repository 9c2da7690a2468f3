"""Prepared replies: texts to begin from, which each person makes their own."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from rapport.actions import outbound
from rapport.actions.snippets import save_snippet
from rapport.core.errors import InvalidInput
from rapport.core.text import fold
from rapport.store.models import Basket, PreparedReply, ReplyBasket
from rapport.store.queries import settings as reads
from rapport.web.access import DeskRequest, desk, find
from rapport.web.forms import ExactForm
from rapport.web.reading_words import language_name
from rapport.web.told import told

#: languages that a reply can be bound to
LANGUAGES = tuple("ar da de el en es fi fr hi it ja ko nb nl pl pt ru sv tr uk zh".split())  # noqa: SIM905 - codes
#: replies of the page; a search narrows them
MOST = 200


class ReplyForm(ExactForm):
    """A name and a text."""

    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=200, help_text=gettext_lazy("By which colleagues find it.")
    )
    text = forms.CharField(
        label=gettext_lazy("Text"),
        max_length=5000,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 7}),
        help_text=gettext_lazy("{first_name} becomes the person's first name, {agent} the name of whoever answers."),
    )
    language = forms.ChoiceField(
        label=gettext_lazy("Language"),
        required=False,
        help_text=gettext_lazy("Offered to whoever answers somebody who writes in it."),
    )
    baskets = forms.MultipleChoiceField(
        label=gettext_lazy("Baskets"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Where it is offered; none checked: everywhere."),
    )


@desk(right="configure")
@require_safe
def index(request: DeskRequest) -> HttpResponse:
    """Every prepared reply, or those that hold the words of `q`."""
    words = request.GET.get("q", "")[:200]
    terms = fold(words).split()
    rows = list(reads.list_replies(request.workspace).prefetch_related("baskets__basket"))
    found = [row for row in rows if all(term in fold(f"{row.name} {row.slug} {row.text}") for term in terms)]
    context = {"replies": found[:MOST], "more": max(0, len(found) - MOST), "q": words, "any": bool(rows)}
    return render(request, "settings/replies.html", context)


@desk(right="configure")
@require_http_methods(["GET", "POST"])
def create(request: DeskRequest) -> HttpResponse:
    """A new one."""
    return _edit(request, None)


@desk(right="configure")
@require_http_methods(["GET", "POST"])
def change(request: DeskRequest, pk: int) -> HttpResponse:
    """One that exists."""
    return _edit(request, find(PreparedReply.objects.of(request.workspace), pk))


@desk(right="configure")
@require_POST
def delete(request: DeskRequest, pk: int) -> HttpResponse:
    """Forget a prepared reply; drafts that began from it stay."""
    reply = find(PreparedReply.objects.of(request.workspace), pk)
    name = reply.name
    outbound.delete_prepared_reply(request.membership, reply, now=timezone.now())
    messages.success(request, _("%(name)s is deleted. Drafts that began from it stay.") % {"name": name})
    return redirect("replies", slug=request.workspace.slug)


def _edit(request: DeskRequest, reply: PreparedReply | None) -> HttpResponse:
    baskets = list(Basket.objects.of(request.workspace))
    start: dict[str, object] = {}
    if reply is not None:
        placed = ReplyBasket.objects.filter(reply=reply).values_list("basket_id", flat=True)
        start = {
            "name": reply.name, "text": reply.text, "language": reply.language or "",
            "baskets": [str(pk) for pk in placed],
        }  # fmt: skip
    form = ReplyForm(request.POST if request.method == "POST" else None, initial=start)
    _choose(form, "language", [("", _("any")), *((code, language_name(code)) for code in LANGUAGES)])
    _choose(form, "baskets", [(str(basket.pk), basket.name) for basket in baskets])
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        text = said["text"].replace("\r\n", "\n")
        slug = reply.slug if reply else _free_slug(request, said["name"])
        chosen = [basket for basket in baskets if str(basket.pk) in said["baskets"]]
        try:
            save_snippet(
                request.membership, slug, said["name"], text, language=said["language"], baskets=chosen,
                now=timezone.now(),
            )  # fmt: skip
        except InvalidInput as error:
            form.add_error(None, told(error))
        else:
            messages.success(request, _("Saved."))
            return redirect("replies", slug=request.workspace.slug)
    return render(request, "settings/reply.html", {"form": form, "reply": reply}, status=422 if form.errors else 200)


def _choose(form: ReplyForm, name: str, choices: list[tuple[str, str]]) -> None:
    field = form.fields[name]
    assert isinstance(field, forms.ChoiceField)
    field.choices = choices


def _free_slug(request: DeskRequest, name: str) -> str:
    """A short name that no other reply has: a second "Thanks" must not write over the first."""
    base = slugify(name)[:70] or "reply"
    taken = set(PreparedReply.objects.of(request.workspace).values_list("slug", flat=True))
    return next(slug for slug in [base, *(f"{base}-{n}" for n in range(2, len(taken) + 3))] if slug not in taken)
