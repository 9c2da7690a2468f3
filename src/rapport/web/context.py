"""What every page of the desk knows: who looks, in which workspace, and the navigation. All of it lazy."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from rapport.core.keys import OwnKeys
from rapport.store.models import Membership, User
from rapport.web.help.pages import page_for
from rapport.web.navigation import Navigation


def desk(request: HttpRequest) -> dict[str, Any]:
    """The variables of base.html. Costs no query until a template shows something of the navigation."""
    user = request.user if hasattr(request, "user") else None
    membership: Membership | None = getattr(request, "membership", None)
    known = user if isinstance(user, User) else None
    return {
        "membership": membership,
        "workspace": membership.workspace if membership else None,
        "theme": known.theme if known else "auto",
        "shortcuts": known.shortcuts if known else True,
        "own_keys": OwnKeys(known.keys if known else None),
        "after": (known.after if known else None) or "next",
        "nav": Navigation(request, membership),
        "help_page": page_for(request.path),
        "now": timezone.now(),
    }
