"""The accounts through which we listen and speak: how far each is read, and what is wrong with it."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from rapport.actions import listening
from rapport.core.errors import InvalidInput
from rapport.networks.registry import NETWORKS, network_named
from rapport.store.models import Channel
from rapport.store.queries import settings as reads
from rapport.web.access import DeskRequest, desk, find
from rapport.web.forms import ExactForm, zone_choices

_HASHTAG = re.compile(r"\w{1,100}")


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
    hashtags = forms.CharField(
        label=gettext_lazy("Hashtags to follow"),
        required=False,
        max_length=2000,
        help_text=gettext_lazy("Beside posts that mention the account. Separate them with spaces."),
    )

    def clean_hashtags(self) -> list[str]:
        """Words without #, once each, in the order given."""
        found: dict[str, str] = {}
        for word in re.split(r"[\s,;]+", self.cleaned_data["hashtags"]):
            tag = word.lstrip("#＃")
            if not word:
                continue
            if not _HASHTAG.fullmatch(tag) or tag.isdigit():
                raise forms.ValidationError(
                    _("“%(word)s” is no hashtag: letters, digits and _ only."), params={"word": word}
                )
            found.setdefault(tag.casefold(), tag)
        return list(found.values())


@desk(right="channels")
@require_safe
def index(request: DeskRequest) -> HttpResponse:
    """Every channel with its state, last look and gaps."""
    shown = {"sources": reads.list_sources(request.workspace), "networks": NETWORKS.values()}
    return render(request, "settings/channels.html", shown)


@desk(right="channels")
@require_http_methods(["GET", "POST"])
def change(request: DeskRequest, pk: int) -> HttpResponse:
    """One channel: its streams in detail, and a form for what may be changed."""
    channel = find(Channel.objects.of(request.workspace).prefetch_related("cursors"), pk)
    network = network_named(channel.network)
    start: dict[str, Any] = {
        "name": channel.name,
        "timezone": channel.timezone,
        "hashtags": " ".join(f"#{tag}" for tag in channel.settings.get("hashtags", [])),
    }
    form = ChannelForm(request.POST if request.method == "POST" else None, initial=start)
    if network is None or not network.capabilities.hashtags:
        del form.fields["hashtags"]
    if request.method == "POST" and form.is_valid():
        chosen = dict(channel.settings)
        if "hashtags" in form.cleaned_data:
            chosen["hashtags"] = form.cleaned_data["hashtags"]
        try:
            listening.change_channel(
                request.membership,
                channel,
                name=form.cleaned_data["name"],
                timezone=form.cleaned_data["timezone"],
                settings=chosen,
                now=timezone.now(),
            )
        except InvalidInput as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Saved. The next look at the network follows it."))
            return redirect("channel", slug=request.workspace.slug, pk=channel.pk)
    shown = {"form": form, "source": reads.read_source(channel), "channel": channel, "network": network}
    return render(request, "settings/channel.html", shown, status=422 if form.errors else 200)


@desk(right="channels")
@require_POST
def disconnect(request: DeskRequest, pk: int) -> HttpResponse:
    """Stop listening and speaking through an account; what was heard stays."""
    channel = find(Channel.objects.of(request.workspace), pk)
    listening.disconnect_channel(request.membership, channel, now=timezone.now())
    messages.success(request, _("%(name)s is disconnected. What it brought in stays.") % {"name": channel.name})
    return redirect("channels", slug=request.workspace.slug)
