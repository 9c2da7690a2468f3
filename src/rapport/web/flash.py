"""What the page that comes next says of an act, with the button that takes it back."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib import messages

from rapport.actions.undo import newest_deed
from rapport.web.access import DeskRequest

_DEED = "deed-"


def say_done(request: DeskRequest, text: str, *, now: dt.datetime, deed: int | None = None) -> None:
    """Say that something was done; what was done at `now`, or the `deed` that is named, can be taken back beside it."""
    if deed is None:
        newest = newest_deed(request.membership, now=now)
        deed = newest.pk if newest is not None and newest.at == now else None
    messages.success(request, text, extra_tags=f"{_DEED}{deed}" if deed else "")


def deed_of(message: Any) -> str:
    """Row id of the deed that a message can take back; "" for most."""
    tags = str(message.extra_tags or "")
    return tags.removeprefix(_DEED) if tags.startswith(_DEED) else ""
