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
from rapport.core.errors import InvalidInput
from rapport.store.models import PreparedReply
from rapport.store.queries import settings as reads
from rapport.web.access import DeskRequest, desk, find
from rapport.web.forms import ExactForm


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


@desk(right="configure")
@require_safe
def index(request: DeskRequest) -> HttpResponse:
    """Every prepared reply."""
    return render(request, "settings/replies.html", {"replies": reads.list_replies(request.workspace)})


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
    start = {"name": reply.name, "text": reply.text} if reply else {}
    form = ReplyForm(request.POST if request.method == "POST" else None, initial=start)
    if request.method == "POST" and form.is_valid():
        text = form.cleaned_data["text"].replace("\r\n", "\n")
        slug = reply.slug if reply else _free_slug(request, form.cleaned_data["name"])
        try:
            outbound.save_prepared_reply(request.membership, slug, form.cleaned_data["name"], text, now=timezone.now())
        except InvalidInput as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Saved."))
            return redirect("replies", slug=request.workspace.slug)
    return render(request, "settings/reply.html", {"form": form, "reply": reply}, status=422 if form.errors else 200)


def _free_slug(request: DeskRequest, name: str) -> str:
    """A short name that no other reply has: a second "Thanks" must not write over the first."""
    base = slugify(name)[:70] or "reply"
    taken = set(PreparedReply.objects.of(request.workspace).values_list("slug", flat=True))
    return next(slug for slug in [base, *(f"{base}-{n}" for n in range(2, len(taken) + 3))] if slug not in taken)
