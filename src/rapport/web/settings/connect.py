"""Connecting an account: to the network and back again, with a state that fits one session once.

The way out is a link, not a redirect: the person sees the true name of the server before they go there, and the
content security policy need not open forms to other sites.
"""

from __future__ import annotations

import secrets
import time
from typing import Any
from urllib.parse import urlsplit

import msgspec
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from rapport import wiring
from rapport.actions import listening
from rapport.core.errors import InvalidInput, NetworkError, NotAllowed
from rapport.networks.base import Connected, Handshake
from rapport.networks.contract import Network
from rapport.networks.registry import NETWORKS, network_named
from rapport.store.models import Membership
from rapport.store.secrets import seal, unseal
from rapport.web import errors
from rapport.web.access import DeskRequest, PersonRequest, desk, signed_in
from rapport.web.forms import ExactForm
from rapport.web.settings.network_form import form_fields, start_values
from rapport.web.told import told

#: session key: state -> what waits for it
PENDING = "connecting"
#: seconds that a person may take on the other side
PATIENCE = 20 * 60
#: beginnings that are kept at once; older ones are forgotten
MOST = 5


@desk(right="channels")
@require_safe
def choose(request: DeskRequest) -> HttpResponse:
    """Every network that can be connected, with what it brings."""
    found = sorted(NETWORKS.values(), key=lambda network: network.title)
    return render(request, "settings/connect_choose.html", {"networks": found})


@desk(right="channels")
@require_http_methods(["GET", "POST"])
def begin(request: DeskRequest, network: str) -> HttpResponse:
    """Ask for what the network needs; then show the way to it, or try the form and connect."""
    chosen = network_named(network)
    if chosen is None:
        raise Http404
    start = start_values(chosen.connect_fields, request.GET.dict())
    fields = form_fields(chosen.connect_fields)
    form = ExactForm(request.POST if request.method == "POST" else None, initial=start, more=fields)
    shown: dict[str, Any] = {"form": form, "network": chosen}
    if request.method == "POST" and form.is_valid() and chosen.connection == "form":
        try:
            connected = chosen.connect(_as_text(form.cleaned_data), wiring.make_session())
            channel = _keep(request.membership, chosen, connected)
        except (InvalidInput, NetworkError) as error:
            form.add_error(None, told(error))
        else:
            messages.success(request, _("Connected. The first posts arrive within a minute."))
            return redirect("channel", slug=request.workspace.slug, pk=channel)
    elif request.method == "POST" and form.is_valid():
        state = secrets.token_urlsafe(32)
        redirect_uri = settings.RAPPORT.base_url.rstrip("/") + reverse("connect_callback", args=[chosen.name])
        try:
            handshake = chosen.authorize_url(_as_text(form.cleaned_data), redirect_uri, state, wiring.make_session())
        except (InvalidInput, NetworkError) as error:
            form.add_error(None, told(error))
        else:
            _remember(request, state, chosen.name, handshake)
            shown |= {"url": handshake.url, "host": urlsplit(handshake.url).netloc}
            return render(request, "settings/connect_go.html", shown)
    return render(request, "settings/connect.html", shown, status=422 if form.errors else 200)


@require_safe
@signed_in
def callback(request: PersonRequest, network: str) -> HttpResponse:
    """Back from the network. Only a state that this session began, once, within its time, links anything."""
    pending: dict[str, Any] = request.session.get(PENDING, {})
    begun = pending.pop(request.GET.get("state", ""), None)
    request.session[PENDING] = pending
    if begun is None or begun["network"] != network or begun["until"] < time.time():
        return errors.refused(
            request,
            _("This connection was begun elsewhere, took too long or was used already. Start it again under Sources."),
        )
    member = _member(request, begun["slug"])
    if member is None:
        return errors.not_found(request)
    code, chosen = request.GET.get("code", ""), network_named(network)
    if not code or chosen is None:
        messages.warning(request, _("Nothing was connected: the other side did not give its consent."))
        return redirect("channels", slug=begun["slug"])
    try:
        channel = _finish(member, chosen, begun["kept"], code)
    except (InvalidInput, NetworkError, NotAllowed) as error:
        messages.error(request, _("Nothing was connected: %(reason)s") % {"reason": error})
        return redirect("channels", slug=begun["slug"])
    messages.success(request, _("Connected. The first posts arrive within a minute."))
    return redirect("channel", slug=begun["slug"], pk=channel)


def _as_text(values: dict[str, Any]) -> dict[str, str]:
    """What was typed, as networks take it: lists one item a line, flags as "yes" or nothing."""
    texts: dict[str, str] = {}
    for name, value in values.items():
        if isinstance(value, bool):
            texts[name] = "yes" if value else ""
        else:
            texts[name] = "\n".join(value) if isinstance(value, list) else str(value)
    return texts


def _remember(request: DeskRequest, state: str, network: str, handshake: Handshake) -> None:
    now = time.time()
    pending = {key: begun for key, begun in request.session.get(PENDING, {}).items() if begun["until"] > now}
    pending[state] = {
        "slug": request.workspace.slug,
        "network": network,
        # a client secret is in it, and sessions lie in the database
        "kept": seal(msgspec.json.encode(handshake.kept).decode()).decode("ascii"),
        "until": now + PATIENCE,
    }
    request.session[PENDING] = dict(list(pending.items())[-MOST:])


def _member(request: HttpRequest, slug: str) -> Membership | None:
    """The person's place in the workspace where it was begun, read again: it may be gone by now."""
    rows = Membership.objects.select_related("workspace", "user").filter(workspace__slug=slug, user=request.user.pk)
    member = rows.filter(active=True, user__is_active=True).first()
    return member if member is not None and member.may("channels") is True else None


def _finish(by: Membership, network: Network, kept: str, code: str) -> int:
    """Exchange the code, connect the account; answers the id of its channel."""
    handshake = msgspec.json.decode(unseal(kept.encode("ascii")), type=dict[str, str])
    return _keep(by, network, network.exchange(handshake, code, wiring.make_session()))


def _keep(by: Membership, network: Network, connected: Connected) -> int:
    who = connected.identity
    channel = listening.connect_channel(
        by,
        network.name,
        server=connected.server,
        handle=who.handle,
        external_id=who.account_id,
        name=who.name or f"@{who.handle}",
        token=connected.token,
        settings=dict(connected.settings),
        expires_at=connected.expires_at,
        now=timezone.now(),
    )
    return channel.pk
