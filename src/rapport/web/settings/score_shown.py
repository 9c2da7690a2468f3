"""What a preview of the weights looks like: bars, places that change, the draft against what is in force."""

from __future__ import annotations

from typing import Any

import msgspec
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from rapport.core.score import FACTORS, URGENT, Weights
from rapport.store.queries.score import BIN, LISTED, LOOKED_AT, Preview
from rapport.web.templatetags.desk_words import factor_name

#: the histogram: width of a bin and height, in units of its own
WIDTH, HEIGHT = 20, 60


class Bin(msgspec.Struct, frozen=True):
    """One stretch of the histogram: numbers as SVG writes them, whatever the language."""

    x: str
    old_y: str
    old_height: str
    new_x: str
    new_y: str
    new_height: str
    title: str


class Change(msgspec.Struct, frozen=True):
    """One factor of a proposal."""

    name: str
    present: float
    proposed: float


def show_preview(found: Preview) -> dict[str, Any]:
    """What templates/settings/score_tried.html needs."""
    return {
        "found": found,
        "bins": bins(found),
        "bins_told": describe_bins(found),
        "urgent": f"{URGENT:.0f}",
        "urgent_x": f"{URGENT / BIN * WIDTH:g}",
        "listed": min(LISTED, found.posts),
        "looked_at": LOOKED_AT,
        "said": announce(found),
    }


def bins(found: Preview) -> list[Bin]:
    """Two bars a stretch of points; the fullest fills the height."""
    most = max(*found.old_bins, *found.new_bins, 1)
    made = []
    for place, (old, new) in enumerate(zip(found.old_bins, found.new_bins, strict=True)):
        tall, taller = HEIGHT * old / most, HEIGHT * new / most
        title = _("%(low)d to %(high)d points: %(old)d now, %(new)d with the draft") % {
            "low": BIN * place, "high": BIN * (place + 1), "old": old, "new": new,
        }  # fmt: skip
        made.append(
            Bin(
                f"{WIDTH * place + 2}", f"{HEIGHT - tall:g}", f"{tall:g}",
                f"{WIDTH * place + 10}", f"{HEIGHT - taller:g}", f"{taller:g}", title,
            )
        )  # fmt: skip
    return made


def describe_bins(found: Preview) -> str:
    """The histogram in words, without the stretches in which there is nothing."""
    counted = zip(bins(found), found.old_bins, found.new_bins, strict=True)
    return "; ".join(each.title for each, old, new in counted if old or new)


def announce(found: Preview) -> str:
    """The result in a sentence, for those who hear the page."""
    if not found.posts:
        return ""
    fresh = ngettext("%(n)d post is new among the first %(most)d.", "%(n)d posts are new among the first %(most)d.",
                     found.fresh) % {"n": found.fresh, "most": min(LISTED, found.posts)}  # fmt: skip
    told = _("%(up)d come up to %(line)d points, %(down)d fall below.") % {
        "up": found.risen, "down": found.fallen, "line": URGENT,
    }  # fmt: skip
    return f"{told} {fresh}"


def changes(present: Weights, proposed: Weights) -> list[Change]:
    """Factor by factor, those that change most first."""
    found = [Change(factor_name(name), getattr(present, name), getattr(proposed, name)) for name in FACTORS]
    return sorted(found, key=lambda each: -abs(each.proposed - each.present))
