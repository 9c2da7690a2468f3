"""The navigation at the start side: baskets with counts, places to work, other workspaces."""

from __future__ import annotations

import datetime as dt
from functools import cached_property

import msgspec
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from rapport.core.roles import Right
from rapport.store.models import Membership, Workspace
from rapport.store.queries import desk as reads
from rapport.store.queries.approvals import count_waiting
from rapport.store.queries.calls import Calls, read_calls
from rapport.store.queries.notices import count_unread
from rapport.store.queries.sources import list_sources_briefly
from rapport.web.settings.standing import stand


class Place(msgspec.Struct, frozen=True):
    """One link of the second group."""

    name: str
    url: str
    icon: str
    #: the letter after `g`
    key: str = ""
    current: bool = False
    #: a few words at the end of the line
    note: str = ""
    late: bool = False


class Navigation:
    """Read when it is shown, once a request."""

    def __init__(self, request: HttpRequest, membership: Membership | None) -> None:
        self._request = request
        self._membership = membership

    @property
    def current(self) -> str:
        """Slug of the basket that is open, or ":quarantine"; views set `request.desk_place`."""
        place: str = getattr(self._request, "desk_place", "")
        if not place and "/quarantine/" in self._request.path:
            return ":quarantine"
        return place

    @cached_property
    def _counts(self) -> dict[tuple[int, str], reads.Counted]:
        assert self._membership is not None
        return reads.count_by_basket(self._membership, self._now)

    @cached_property
    def _now(self) -> dt.datetime:
        return timezone.now()

    @cached_property
    def baskets(self) -> list[reads.BasketCount]:
        """The baskets that this person sees, with what is open in each and what waits too long."""
        if self._membership is None:
            return []
        return reads.counted_baskets(self._membership, self._counts)

    @property
    def quarantine(self) -> int | None:
        """How much lies in the quarantine; None for roles that cannot take anything out."""
        if self._membership is None or not self._membership.may("release"):
            return None
        return sum(counted.found for (_basket, state), counted in self._counts.items() if state == "quarantined")

    @cached_property
    def _calls(self) -> Calls:
        return read_calls(self._membership, self._now) if self._membership is not None else Calls()

    @cached_property
    def notices(self) -> int:
        """How much this person was told of and has not looked at."""
        return count_unread(self._membership) if self._membership is not None and self._calls.notices else 0

    @cached_property
    def approvals(self) -> int | None:
        """How many drafts of colleagues wait for somebody who may send; None for those who may not."""
        if self._membership is None or not self._membership.may("send"):
            return None
        return count_waiting(self._membership) if self._calls.approvals else 0

    @property
    def ready(self) -> list[tuple[str, str, str, str, int]]:
        """(name, title, tone, key after g, open conversations) of the lists over all baskets."""
        if not self.baskets:
            return []
        counted = [counted for (_basket, state), counted in self._counts.items() if state == "open"]
        return [
            ("complaints", _("Complaints to serve first"), "care", "c", sum(each.complaints for each in counted)),
            ("praise", _("Praise to share on"), "praise", "l", sum(each.praise for each in counted)),
        ]

    @property
    def may_hold(self) -> bool:
        """Whether this person may stop every queue."""
        return self._membership is not None and self._membership.may("hold")

    @cached_property
    def workspaces(self) -> list[Workspace]:
        """Every workspace of this person, if there is more than one."""
        if self._membership is None:
            return []
        found = Workspace.objects.filter(memberships__user=self._membership.user_id, memberships__active=True).order_by(
            "name"
        )
        return list(found) if len(found) > 1 else []

    @cached_property
    def places(self) -> list[Place]:
        """Pages of the second group that this person's role opens."""
        if self._membership is None:
            return []
        # shown name, last part of the address, icon, key after g, right
        table: list[tuple[str, str, str, str, Right]] = [
            (_("Topics"), "topics", "hash", "t", "configure"),
            (_("Rules"), "rules", "workflow", "r", "configure"),
            (_("Score"), "score", "sliders-horizontal", "o", "configure"),
            (_("Readings"), "readings", "eye", "d", "configure"),
            (_("Corrections"), "corrections", "pencil", "k", "configure"),
            (_("Baskets"), "baskets", "inbox", "b", "configure"),
            (_("Prepared replies"), "replies", "message-square-text", "p", "configure"),
            (_("Sources"), "channels", "radio", "s", "channels"),
            (_("Acknowledgement"), "acknowledgement", "bot", "n", "channels"),
            (_("Webhooks"), "webhooks", "plug", "h", "channels"),
            (_("Team"), "team", "users", "m", "team"),
            (_("Audit"), "audit", "scroll-text", "a", "audit"),
        ]
        return [self._tasks(), self._promises(), *(self._place(*row) for row in table if self._membership.may(row[4]))]

    def _tasks(self) -> Place:
        assert self._membership is not None
        url = f"/w/{self._membership.workspace.slug}/tasks/"
        late = self._calls.late_tasks
        note = _("%(n)d late") % {"n": late} if late else ""
        return Place(_("Tasks"), url, "circle-check", "w", self._request.path.startswith(url), note, bool(late))

    def _promises(self) -> Place:
        assert self._membership is not None
        url = f"/w/{self._membership.workspace.slug}/promises/"
        return Place(_("Promises"), url, "hourglass", "i", self._request.path.startswith(url))

    def _place(self, name: str, page: str, icon: str, key: str, right: Right) -> Place:
        assert self._membership is not None
        url = f"/w/{self._membership.workspace.slug}/settings/{page}/"
        note, late = self._sources() if page == "channels" else ("", False)
        return Place(name, url, icon, key, self._request.path.startswith(url), note, late)

    def _sources(self) -> tuple[str, bool]:
        """Whether every source is heard, as the page about them says it; the most pressing shows on every page."""
        assert self._membership is not None
        found = [stand(source, self._now) for source in list_sources_briefly(self._membership.workspace_id)]
        tones = [standing.tone for standing in found]
        if stopped := tones.count("care"):
            return _("%(n)d stopped") % {"n": stopped}, True
        if doubtful := tones.count("ask"):
            return _("%(n)d to look at") % {"n": doubtful}, False
        return (_("all current"), False) if "praise" in tones else ("", False)
