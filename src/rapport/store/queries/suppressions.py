"""Who must be left alone, by a keyed digest of each account: it says so even when the person is erased."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable

from django.conf import settings
from django.db.models import Q

from rapport.store.models import Handle, Person, Suppression
from rapport.store.models.scoped import ScopedQuerySet
from rapport.store.queries.sql import select_in

_SALT = b"rapport.suppression\x00"


def digest(network: str, external_id: str, key: str = "") -> str:
    """HMAC-SHA-256 of one account, 64 hex digits, under the key of this installation (or `key`)."""
    message = _SALT + network.encode() + b"\x00" + external_id.encode()
    return hmac.digest((key or settings.SECRET_KEY).encode(), message, hashlib.sha256).hex()


def _keys() -> list[str]:
    """The key of this installation, and those of before."""
    return [str(key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]


def digests(handles: Iterable[Handle]) -> list[str]:
    """The digests under which these accounts may stand, those under keys of before among them."""
    keys = _keys()
    return [digest(row.network, row.external_id, key) for row in handles for key in keys]


def standing_reasons(workspace_id: int, accounts: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Those of these accounts, (network, id), to whom nothing may go, with the reason: of somebody whom we met before
    and who was erased. One query.
    """
    keys = _keys()
    made = {digest(*account, key): account for account in accounts for key in keys}
    rows = select_in(
        "SELECT digest, reason FROM store_suppression WHERE workspace_id = %s AND lifted_at IS NULL AND digest {among}",
        [workspace_id],
        list(made),
    )
    return {made[found]: reason for found, reason in rows}


def suppressions_of(person: Person) -> ScopedQuerySet[Suppression]:
    """Everything that was ever decided of their accounts, newest first; two queries when it is read."""
    handles = Handle.objects.of(person.workspace_id).filter(person=person, ours=False)
    rows = Suppression.objects.of(person.workspace_id).filter(digest__in=digests(handles))
    return rows.select_related("by__user", "lifted_by__user").order_by("-at", "-pk")


def standing_suppressions(person: Person) -> ScopedQuerySet[Suppression]:
    """Those that hold."""
    return suppressions_of(person).filter(Q(lifted_at__isnull=True))
