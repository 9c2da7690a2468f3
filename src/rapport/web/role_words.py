"""What pages call the roles."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy

ROLE_NAMES: dict[str, Any] = {
    "owner": gettext_lazy("Owner"),
    "admin": gettext_lazy("Admin"),
    "lead": gettext_lazy("Lead"),
    "agent": gettext_lazy("Agent"),
    "restricted": gettext_lazy("Restricted agent"),
    "advocate": gettext_lazy("Advocate"),
    "viewer": gettext_lazy("Viewer"),
}


def role_name(role: str) -> str:
    """A role for the screen."""
    return str(ROLE_NAMES.get(role, role))
