"""The accounts that speak for other firms: their answers count when many jump on one person."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from rapport.actions.audit import require, write_audit
from rapport.core.errors import InvalidInput, NotAllowed
from rapport.store.models import BrandHandle, Handle, Membership


def add_brand(by: Membership, network: str, handle: str, name: str = "", *, now: dt.datetime) -> BrandHandle:
    """Say that an account (its handle, or the network's own id) speaks for a firm. Known already: its name is changed.

    An account that we have met is kept by the id of the network, so that it may change its handle.
    """
    require(by, "configure")
    network, handle = network.strip().casefold(), handle.replace("\x00", "").strip().removeprefix("@")
    if not network or not handle or len(handle) > 500:
        raise InvalidInput("Say on which network, and the handle of the account.")
    met = Handle.objects.of(by.workspace).filter(network=network, handle__iexact=handle).first()
    key = met.external_id if met else handle
    if met is not None and met.ours:
        raise InvalidInput("This account is our own.")
    name = name.replace("\x00", "").strip()[:200] or (met.name if met else "") or handle
    with transaction.atomic():
        row, _ = BrandHandle.objects.update_or_create(
            workspace=by.workspace, network=network, key=key, defaults={"name": name[:200], "by": by, "at": now}
        )
        write_audit(by.workspace, by, "brand.add", row, now, name=row.name, network=network, handle=handle)
    return row


def remove_brand(by: Membership, row: BrandHandle, *, now: dt.datetime) -> None:
    """It speaks for nobody but itself."""
    require(by, "configure")
    if row.workspace_id != by.workspace_id:
        raise NotAllowed("This belongs to another workspace.")
    with transaction.atomic():
        write_audit(by.workspace, by, "brand.remove", row, now, name=row.name, network=row.network)
        row.delete()
