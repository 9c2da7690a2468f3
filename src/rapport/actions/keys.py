"""Secrets at rest under the newest key."""

from __future__ import annotations

import datetime as dt

import msgspec
from allauth.mfa.models import Authenticator
from django.db import transaction

from rapport.actions.audit import write_audit
from rapport.core.errors import Reauthorise
from rapport.store.models import Channel, DraftingSettings, NetworkApp, Webhook, Workspace
from rapport.store.secrets import reseal


class Resealed(msgspec.Struct, frozen=True):
    """What came of it."""

    #: secrets that lie under the newest key now
    done: int
    #: channels and webhooks whose secret no key opens: they need a new one
    lost: tuple[str, ...] = ()


def reseal_everything(*, now: dt.datetime) -> Resealed:
    """Encrypt tokens, client secrets, secrets of webhooks and services, and second factors anew.

    May be repeated while it runs.
    """
    done, lost = 0, []
    for channel in Channel.objects.exclude(token=b"").order_by("pk"):
        try:
            fresh = reseal(channel.token)
        except Reauthorise:
            lost.append(str(channel))
            continue
        # a token that was renewed in this moment lies under the newest key already
        done += Channel.objects.filter(pk=channel.pk, token=channel.token).update(token=fresh)
    for app in NetworkApp.objects.all():
        done += NetworkApp.objects.filter(pk=app.pk).update(client_secret=reseal(app.client_secret))
    for hook in Webhook.objects.exclude(secret="").select_related("workspace").order_by("pk"):
        try:
            fresh = reseal(hook.secret.encode("ascii"))
        except Reauthorise:
            lost.append(f"webhook {hook.slug} of {hook.workspace.slug}")
            continue
        done += Webhook.objects.filter(pk=hook.pk, secret=hook.secret).update(secret=fresh.decode("ascii"))
    for drafting in DraftingSettings.objects.exclude(key="").select_related("workspace"):
        try:
            fresh = reseal(drafting.key.encode("ascii"))
        except Reauthorise:
            lost.append(f"drafting service of {drafting.workspace.slug}")
            continue
        done += DraftingSettings.objects.filter(pk=drafting.pk, key=drafting.key).update(key=fresh.decode("ascii"))
    for factor in Authenticator.objects.all():
        done += _reseal_factor(factor)
    with transaction.atomic():
        for workspace in Workspace.objects.all():
            write_audit(workspace, None, "keys.reseal", None, now, done=done, lost=len(lost))
    return Resealed(done, tuple(lost))


def _reseal_factor(factor: Authenticator) -> int:
    """Whether something in it was encrypted: the key of a TOTP, the seed of recovery codes (`web.adapter`)."""
    sealed = {name: factor.data[name] for name in ("secret", "seed") if factor.data.get(name)}
    for name, value in sealed.items():
        factor.data[name] = reseal(str(value).encode("ascii")).decode("ascii")
    if sealed:
        factor.save(update_fields=["data"])
    return bool(sealed)
