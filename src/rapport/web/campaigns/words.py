"""What a search left out, in words."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
from django.utils.functional import Promise
from django.utils.translation import ngettext_lazy

from rapport.core.campaigns import Reason

#: reason -> what is said of so many posts
LEFT_OUT: dict[Reason, Any] = {
    "ours": ngettext_lazy("%(n)d is our own", "%(n)d are our own", "n"),
    "shared": ngettext_lazy("%(n)d shares what somebody else said", "%(n)d share what somebody else said", "n"),
    "unopened": ngettext_lazy(
        "%(n)d lies in the quarantine or repeats another", "%(n)d lie in the quarantine or repeat others", "n"
    ),
    "suppressed": ngettext_lazy("%(n)d asked us to stop", "%(n)d asked us to stop", "n"),
    "ignored": ngettext_lazy("%(n)d is left unanswered on purpose", "%(n)d are left unanswered on purpose", "n"),
    "automated": ngettext_lazy("%(n)d looks automated", "%(n)d look automated", "n"),
    "no-account": ngettext_lazy(
        "%(n)d is where no account of ours speaks", "%(n)d are where no account of ours speaks", "n"
    ),
    "answered": ngettext_lazy("%(n)d is answered already", "%(n)d are answered already", "n"),
    "elsewhere": ngettext_lazy("%(n)d waits in another campaign", "%(n)d wait in another campaign", "n"),
    "often": ngettext_lazy(
        "%(n)d is by somebody who is written to already", "%(n)d are by people who are written to already", "n"
    ),
    "too-many": ngettext_lazy("%(n)d is more than a campaign holds", "%(n)d are more than a campaign holds", "n"),
}


class LeftOut(msgspec.Struct, frozen=True):
    """What the last search looked at and left out."""

    at: dt.datetime | None = None
    read: int = 0
    capped: bool = False
    total: int = 0
    lines: tuple[str | Promise, ...] = ()


def left_out_words(looked: dict[str, Any] | None) -> LeftOut | None:
    """`Campaign.looked` for a page; None where nothing was looked for yet."""
    if not looked:
        return None
    counts = [(reason, int(n)) for reason, n in looked.get("left_out", []) if reason in LEFT_OUT]
    return LeftOut(
        at=dt.datetime.fromisoformat(looked["at"]),
        read=int(looked.get("read", 0)),
        capped=bool(looked.get("capped")),
        total=sum(n for _, n in counts),
        lines=tuple(LEFT_OUT[reason] % {"n": n} for reason, n in counts),
    )
