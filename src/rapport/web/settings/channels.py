"""The accounts through which we listen and speak: how far each is read, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.conf import settings as django_settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from rapport import wiring
from rapport.actions import listening
from rapport.core.errors import InvalidInput, NetworkError, Reauthorise
from rapport.networks.base import Field
from rapport.networks.contract import Network
from rapport.networks.registry import NETWORKS, network_named
from rapport.pipeline.sender import account_of
from rapport.store.models import Channel
from rapport.store.queries import sources
from rapport.store.secrets import unseal
from rapport.web.access import DeskRequest, desk, find
from rapport.web.forms import ExactForm, zone_choices
from rapport.web.settings.network_form import form_fields, start_values
from rapport.web.settings.standing import HEIGHT, WIDTH, draw_hours, stand
from rapport.web.told import told


class ChannelForm(ExactForm):
    """What a person may change about a channel."""

    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=200, help_text=gettext_lazy("As colleagues see it in lists.")
    )
    timezone = forms.ChoiceField(
        label=gettext_lazy("Time zone"),
        choices=zone_choices,
        help_text=gettext_lazy("Of the people who read this account; its own, not yours."),
    )


@desk(right="channels")
@require_safe
def index(request: DeskRequest) -> HttpResponse:
    """Every channel with its state, last look and gaps."""
    shown = {"sources": _shown(sources.list_sources(request.workspace, timezone.now())), "networks": NETWORKS.values()}
    return render(request, "settings/channels.html", shown)


@desk(right="channels")
@require_http_methods(["GET", "POST"])
def change(request: DeskRequest, pk: int) -> HttpResponse:
    """One channel: its streams in detail, and a form for what may be changed."""
    channel = find(Channel.objects.of(request.workspace).prefetch_related("cursors"), pk)
    network = network_named(channel.network)
    asked = network.settings_fields if network is not None else ()
    start: dict[str, Any] = {"name": channel.name, "timezone": channel.timezone}
    start |= start_values(asked, channel.settings)
    form = ChannelForm(request.POST if request.method == "POST" else None, initial=start, more=form_fields(asked))
    if request.method == "POST" and form.is_valid():
        chosen = dict(channel.settings)
        try:
            if network is not None and asked:
                values = {field.name: form.cleaned_data[field.name] for field in asked}
                # a secret that is left empty stays as it is
                values = {name: value for name, value in values.items() if value != "" or name not in _secrets(asked)}
                chosen |= network.check_settings(values, account_of(channel), wiring.make_session())
            listening.change_channel(
                request.membership,
                channel,
                name=form.cleaned_data["name"],
                timezone=form.cleaned_data["timezone"],
                settings=chosen,
                now=timezone.now(),
            )
        except (InvalidInput, NetworkError) as error:
            form.add_error(None, told(error))
        else:
            messages.success(request, _("Saved. The next look at the network follows it."))
            return redirect("channel", slug=request.workspace.slug, pk=channel.pk)
    shown = {
        "form": form,
        "shown": _shown([sources.read_source(channel, timezone.now())])[0],
        "channel": channel,
        "network": network,
    }
    path = reverse("hook", kwargs={"slug": request.workspace.slug, "channel": channel.slug})
    shown["hook"] = django_settings.RAPPORT.base_url.rstrip("/") + path
    shown["has_secret"] = bool(_secret_of(channel, network))
    return render(request, "settings/channel.html", shown, status=422 if form.errors else 200)


def _shown(found: Sequence[sources.Source]) -> list[dict[str, Any]]:
    """Sources with how they stand, those that need somebody first."""
    now = timezone.now()
    rows = [
        {
            "source": source,
            "channel": source.channel,
            "stands": stand(source, now),
            "bars": draw_hours(source.hours),
            "network": network_named(source.channel.network),
            "unit": {"width": WIDTH, "height": HEIGHT},
        }
        for source in found
    ]
    order = {"care": 0, "ask": 1, "praise": 2, "": 3}
    return sorted(rows, key=lambda row: order[row["stands"].tone])


def _secret_of(channel: Channel, network: Network | None) -> str:
    """What whoever sends to this source must know; "" where there is no such thing or it cannot be read any more."""
    if network is None or not network.capabilities.webhook or not channel.token:
        return ""
    try:
        return network.sender_secret(unseal(channel.token))
    except Reauthorise:
        return ""


def _secrets(fields: Sequence[Field]) -> set[str]:
    return {field.name for field in fields if field.kind == "secret"}


@desk(right="channels")
@require_POST
def new_secret(request: DeskRequest, pk: int) -> HttpResponse:
    """A new secret for whoever sends to this source, shown once; the one before holds for a while."""
    channel = find(Channel.objects.of(request.workspace).filter(state=Channel.State.CONNECTED), pk)
    network = network_named(channel.network)
    if network is None or not _secret_of(channel, network):
        raise Http404
    token, until = network.renew(account_of(channel), wiring.make_session())
    listening.keep_token(channel, token, until, now=timezone.now(), by=request.membership)
    return render(request, "settings/secret.html", {"channel": channel, "secret": network.sender_secret(token)})


@desk(right="channels")
@require_POST
def see_gaps(request: DeskRequest, pk: int) -> HttpResponse:
    """A person has seen what is missing; the page stops warning of it."""
    channel = find(Channel.objects.of(request.workspace), pk)
    listening.see_gaps(request.membership, channel, now=timezone.now())
    messages.success(request, _("Noted. What is missing stays in the list of the audit."))
    return redirect("channel", slug=request.workspace.slug, pk=channel.pk)


@desk(right="channels")
@require_POST
def disconnect(request: DeskRequest, pk: int) -> HttpResponse:
    """Stop listening and speaking through an account; what was heard stays."""
    channel = find(Channel.objects.of(request.workspace), pk)
    listening.disconnect_channel(request.membership, channel, now=timezone.now())
    messages.success(request, _("%(name)s is disconnected. What it brought in stays.") % {"name": channel.name})
    return redirect("channels", slug=request.workspace.slug)
