"""Webhooks: programs that rules tell of a conversation."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from rapport.actions import webhooks as acts
from rapport.core.errors import InvalidInput
from rapport.store.models import Webhook, WebhookCall
from rapport.store.queries.webhooks import calls_of, list_webhooks
from rapport.web.access import DeskRequest, desk, find
from rapport.web.forms import ExactForm
from rapport.web.told import told


class AddressForm(ExactForm):
    """Where calls go."""

    url = forms.CharField(
        label=gettext_lazy("Address"),
        max_length=acts.MAX_URL,
        widget=forms.URLInput(attrs={"placeholder": "https://crm.example/rapport", "inputmode": "url"}),
        help_text=gettext_lazy("It answers with a status of 2xx within ten seconds; anything else is tried again."),
    )


class WebhookForm(AddressForm):
    """A short name, and where calls go."""

    slug = forms.CharField(
        label=gettext_lazy("Short name"), max_length=63, help_text=gettext_lazy("Rules call it: webhook:NAME.")
    )
    field_order = ("slug", "url")


@desk(right="channels")
@require_safe
def index(request: DeskRequest) -> HttpResponse:
    """Every webhook, and how it does."""
    return render(request, "settings/webhooks.html", {"hooks": list_webhooks(request.workspace)})


@desk(right="channels")
@require_http_methods(["GET", "POST"])
def create(request: DeskRequest) -> HttpResponse:
    """A new one; its secret is shown once."""
    form = WebhookForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            hook, secret = acts.add_webhook(
                request.membership, form.cleaned_data["slug"].strip(), form.cleaned_data["url"], now=timezone.now()
            )
        except InvalidInput as error:
            form.add_error(None, told(error))
        else:
            return _show_secret(request, hook, secret)
    return render(request, "settings/webhook_new.html", {"form": form}, status=422 if form.errors else 200)


@desk(right="channels")
@require_http_methods(["GET", "POST"])
def change(request: DeskRequest, pk: int) -> HttpResponse:
    """One webhook: its address, and its last calls."""
    hook = _find(request, pk)
    form = AddressForm(request.POST if request.method == "POST" else None, initial={"url": hook.url})
    if request.method == "POST" and form.is_valid():
        try:
            acts.change_webhook(request.membership, hook, form.cleaned_data["url"], now=timezone.now())
        except InvalidInput as error:
            form.add_error(None, told(error))
        else:
            messages.success(request, _("Saved. What waits goes to the new address."))
            return redirect("webhook", slug=request.workspace.slug, pk=hook.pk)
    shown = {"form": form, "hook": hook, "calls": calls_of(hook)}
    return render(request, "settings/webhook.html", shown, status=422 if form.errors else 200)


@desk(right="channels")
@require_POST
def act(request: DeskRequest, pk: int) -> HttpResponse:
    """Try it (`do=try`), pause it (`pause`) or take it up again (`resume`)."""
    hook = _find(request, pk)
    wanted = request.POST.get("do", "")
    if wanted == "try":
        acts.try_webhook(request.membership, hook, now=timezone.now())
        messages.success(request, _("A test call is on its way; look below in a moment what came of it."))
    elif wanted in {"pause", "resume"}:
        acts.pause_webhook(request.membership, hook, wanted == "pause", now=timezone.now())
        said = _("Paused; what comes waits.") if wanted == "pause" else _("Taken up again; what waited goes out.")
        messages.success(request, said)
    else:
        raise InvalidInput(_("Say what to do: try, pause or resume."))
    return redirect("webhook", slug=request.workspace.slug, pk=hook.pk)


@desk(right="channels")
@require_POST
def renew(request: DeskRequest, pk: int) -> HttpResponse:
    """A new secret, shown once."""
    hook = _find(request, pk)
    return _show_secret(request, hook, acts.renew_secret(request.membership, hook, now=timezone.now()))


@desk(right="channels")
@require_POST
def delete(request: DeskRequest, pk: int) -> HttpResponse:
    """Forget it."""
    hook = _find(request, pk)
    name = hook.slug
    acts.delete_webhook(request.membership, hook, now=timezone.now())
    messages.success(request, _("%(name)s is deleted, with what waited for it.") % {"name": name})
    return redirect("webhooks", slug=request.workspace.slug)


@desk(right="channels")
@require_POST
def retry(request: DeskRequest, pk: int) -> HttpResponse:
    """Put a call that was given up back into the queue."""
    call = find(WebhookCall.objects.of(request.workspace).select_related("webhook"), pk)
    acts.retry_call(request.membership, call, now=timezone.now())
    if call.webhook.active:
        messages.success(request, _("It is tried again."))
    else:
        messages.info(request, _("It waits: this webhook is paused. Take it up again, and the call goes out."))
    return redirect("webhook", slug=request.workspace.slug, pk=call.webhook_id)


def _find(request: DeskRequest, pk: int) -> Webhook:
    return find(Webhook.objects.of(request.workspace), pk)


def _show_secret(request: DeskRequest, hook: Webhook, secret: str) -> HttpResponse:
    return render(request, "settings/webhook_secret.html", {"hook": hook, "secret": secret})
