"""The door for networks that bring their news by themselves (webhooks).

Nobody signs in here: each network proves itself by a signature over the raw bytes, which its own code checks. An
address that leads to no open source answers like any page that does not exist.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from rapport import wiring
from rapport.actions import hearing
from rapport.core.errors import Reauthorise
from rapport.networks.base import Answer, Incoming
from rapport.networks.registry import network_named
from rapport.pipeline.sender import account_of
from rapport.store.models import Channel

#: bytes; the largest batch that a network documents is far below
MOST = 5 * 1024 * 1024


@csrf_exempt
@require_http_methods(["GET", "POST"])
def receive(request: HttpRequest, slug: str, channel: str) -> HttpResponse:
    """Let the network's code look at it, store what it brought, answer what the network wants to hear."""
    row = Channel.objects.filter(
        workspace__slug=slug, slug=channel, state__in=[Channel.State.CONNECTED, Channel.State.REAUTHORISE]
    ).first()
    network = network_named(row.network) if row is not None else None
    if row is None or network is None or not network.capabilities.webhook:
        return _plain(404, "There is nothing here.")
    body = request.read(MOST + 1)
    if len(body) > MOST:
        return _plain(413, f"At most {MOST:,} bytes are taken in one delivery.")
    try:
        account = account_of(row)
    except Reauthorise:
        return _plain(404, "There is nothing here.")
    now = timezone.now()
    incoming = Incoming(
        method=request.method or "",
        query={name: str(value) for name, value in request.GET.items()},
        headers={name.lower(): value for name, value in request.headers.items()},
        body=body,
        now=now,
    )
    answer = network.receive(account, incoming)
    if answer.status < 300 and (answer.pages or answer.delivery):
        hearing.receive(row, answer.delivery, answer.pages, wiring.make_bus(), now=now)
    return _said(answer)


def _said(answer: Answer) -> HttpResponse:
    response = _plain(answer.status, answer.body)
    if answer.after is not None:
        response["Retry-After"] = str(answer.after)
    return response


def _plain(status: int, body: str) -> HttpResponse:
    return HttpResponse(body, status=status, content_type="text/plain; charset=utf-8")
