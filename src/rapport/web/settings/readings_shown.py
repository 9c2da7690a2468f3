"""What the page of the readings shows: what thresholds do, what the second look costs, how the team's model stands."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import msgspec
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from rapport.core.thresholds import Thresholds
from rapport.core.understand.corrected import READINGS
from rapport.core.understand.team import shipped_version
from rapport.store.models import TeamModel, Workspace
from rapport.store.queries.readings import (
    Read,
    Tried,
    count_heard,
    read_held_against,
    read_last,
    try_thresholds,
)
from rapport.store.queries.team_model import count_waiting, list_team_models
from rapport.training.team import LEAST_CORRECTED, LEAST_STOOD
from rapport.web.reading_words import NAMES as CALLED
from rapport.web.settings.readings_form import field_of, name_of

WEEK = dt.timedelta(days=7)


class Cost(msgspec.Struct, frozen=True):
    """What a share of the second look costs."""

    #: posts of the last 7 days, and those of them that would be looked at again
    heard: int
    looked: int
    #: milliseconds of one look on this machine; None: the extra is not installed
    look: float | None
    #: seconds of one processor a day
    seconds: float
    #: of the last posts, how many matter enough for a second look
    matters: float

    @property
    def busy(self) -> str:
        """The time of a processor that it takes a day."""
        if self.seconds >= 60:
            return _("%(n)s min") % {"n": f"{self.seconds / 60:.1f}"}
        return _("%(n)s s") % {"n": f"{self.seconds:.1f}"}


class Row(msgspec.Struct, frozen=True):
    """One reading of a team's model, beside the shipped one."""

    name: str
    corrected: int
    stood: int
    tried: bool
    taken: bool
    shipped: str
    team: str
    shipped_kept: str
    team_kept: str
    #: what became of it, in words
    said: str


def show_trial(workspace: Workspace, present: Thresholds, draft: Thresholds, about: str) -> dict[str, Any]:
    """What templates/settings/readings_tried.html needs. Three queries."""
    posts = read_last(workspace)
    found = {each.name: each for each in try_thresholds(posts, read_held_against(workspace), present, draft)}
    chosen = _choose(found, about)
    return {
        "looked_at": len(posts),
        "counts": {field_of(name): each for name, each in found.items()},
        "chosen": chosen,
        "chosen_name": name_of(chosen.name),
        "chosen_field": field_of(chosen.name),
        "said": announce(chosen, len(posts)),
        "posts": posts,
    }


def _choose(found: dict[str, Tried], about: str) -> Tried:
    """The threshold whose examples are shown: the one that was moved, else the first that differs, else complaints."""
    for name, each in found.items():
        if field_of(name) == about:
            return each
    return next((each for each in found.values() if each.changed), found["intent.complaint"])


def announce(tried: Tried, posts: int) -> str:
    """The result in a sentence, for those who hear the page."""
    told = _("%(name)s from %(least)d %% on: %(n)d of %(of)d posts count, %(was)d now.")
    return told % {
        "name": name_of(tried.name), "least": round(100 * tried.after), "n": tried.counted_after, "of": posts,
        "was": tried.counted_before,
    }  # fmt: skip


def show_cost(workspace: Workspace, posts: Sequence[Read], share: float, look: float | None, now: dt.datetime) -> Cost:
    """What this share costs here."""
    matters = sum(each.matters for each in posts) / len(posts) if posts else 0.0
    heard = count_heard(workspace, now - WEEK)
    looked = round(heard * matters * share)
    return Cost(
        heard, looked, None if look is None else round(1000 * look, 1), looked * (look or 0.0) / WEEK.days, matters
    )


def show_team(workspace: Workspace) -> dict[str, Any]:
    """What templates/settings/readings_team.html needs."""
    versions = list(list_team_models(workspace)[:10])
    making = next((each for each in versions if each.state in {"waiting", "running"}), None)
    made = next((each for each in versions if each.state == TeamModel.State.MADE), None)
    in_force = list_team_models(workspace).filter(in_force=True).first()
    newest = versions[0] if versions else None
    return {
        "making": making,
        "step": CALLED.get(making.step, "") if making else "",
        "made": made,
        "made_rows": rows_of(made) if made else [],
        "anything": bool(made and any(each["taken"] for each in made.figures)),
        "in_force": in_force,
        "shipped": shipped_version(),
        "is_older": in_force is not None and in_force.beside != shipped_version(),
        "failed": newest if newest and newest.state == TeamModel.State.FAILED else None,
        "waiting": count_waiting(workspace),
        "versions": [each for each in versions if each.state == TeamModel.State.MADE],
    }


def rows_of(model: TeamModel) -> list[Row]:
    """The figures of every reading that was corrected, in the order in which pages name readings."""
    found = []
    for each in sorted(model.figures, key=lambda row: READINGS.index(row["reading"])):
        corrected, stood = each["corrected"], each["stood"]
        found.append(
            Row(
                str(CALLED[each["reading"]]), corrected, stood, each["tried"], each["taken"],
                _share(each["shipped_right"], corrected), _share(each["team_right"], corrected),
                _share(each["shipped_kept"], stood), _share(each["team_kept"], stood), _what_became(each),
            )
        )  # fmt: skip
    return found


def _share(part: int, of: int) -> str:
    return f"{round(100 * part / of)} %" if of else "0 %"


def _what_became(each: dict[str, Any]) -> str:
    if each["reason"] == "few corrected":
        missing = LEAST_CORRECTED - each["corrected"]
        return ngettext("%(n)d more correction is needed", "%(n)d more corrections are needed", missing) % {
            "n": missing
        }
    if each["reason"] == "few stood":
        missing = LEAST_STOOD - each["stood"]
        told = ngettext(
            "must stand on %(n)d more post that you answer or resolve",
            "must stand on %(n)d more posts that you answer or resolve",
            missing,
        )
        return told % {"n": missing}
    return {
        "": _("better: taken"),
        "not better": _("no better on what was corrected: shipped one stays"),
        "overturns": _("overturns too much that was let stand: shipped one stays"),
        "gives up": _("misses too much that the shipped one finds: shipped one stays"),
    }.get(each["reason"], "")
