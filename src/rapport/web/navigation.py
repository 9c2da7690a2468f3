"""The navigation at the start side: baskets with counts, places to work, other workspaces."""

from __future__ import annotations

import datetime as dt
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import msgspec
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from rapport.store.models import Membership, SavedView, Workspace
from rapport.store.queries import desk as reads
from rapport.store.queries.approvals import count_waiting
from rapport.store.queries.calls import Calls, read_calls
from rapport.store.queries.notices import count_unread
from rapport.store.queries.own_posts import waiting_posts
from rapport.store.queries.sources import list_sources_briefly
from rapport.web import places
from rapport.web.access import seen_baskets
from rapport.web.inbox import freshness
from rapport.web.inbox.asked import Asked, addresses_of, seen_views
from rapport.web.settings.standing import stand


class Place(msgspec.Struct, frozen=True):
    """One link of the navigation."""

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
        """Slug of the basket that is open, ":view-ID" or ":quarantine"; pages set `request.desk_place`."""
        place: str = getattr(self._request, "desk_place", "")
        if not place and "/quarantine/" in self.path:
            return ":quarantine"
        return place

    @cached_property
    def _counts(self) -> dict[tuple[int, str], reads.Counted]:
        assert self._membership is not None
        marks: str = getattr(self._request, "desk_marks", "")
        if marks:  # a page that is open reads its counts again, together with many others
            return freshness.counts_of(self._membership, marks, self._now)
        return reads.count_by_basket(self._membership, self._now)

    @cached_property
    def _now(self) -> dt.datetime:
        return timezone.now()

    @cached_property
    def baskets(self) -> list[reads.BasketCount]:
        """The baskets that this person sees, with what is open in each and what waits too long."""
        if self._membership is None:
            return []
        return reads.counted_baskets(seen_baskets(self._request, self._membership), self._counts)

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
        return count_waiting(self._membership) + waiting_posts(self._membership).count() if self._calls.approvals else 0

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

    @cached_property
    def views(self) -> list[tuple[SavedView, Asked, str]]:
        """(view, list, address) of what was kept under a name, as far as it leads somewhere for this person."""
        if self._membership is None or not self._calls.views:
            return []
        root = f"/w/{self._membership.workspace.slug}/"
        return addresses_of(seen_views(self._membership, seen_baskets(self._request, self._membership)), root)

    @property
    def may_hold(self) -> bool:
        """Whether this person may stop every queue."""
        return self._membership is not None and self._membership.may("hold")

    @cached_property
    def workspaces(self) -> list[Workspace]:
        """Every workspace of this person, if there is more than one."""
        found: list[Workspace] = getattr(self._request, "desk_workspaces", [])
        return found if len(found) > 1 else []

    @cached_property
    def todo(self) -> list[Place]:
        """What waits for this person besides the baskets: tasks, drafts for whoever may send, offers for a lead."""
        if self._membership is None:
            return []
        late = self._calls.late_tasks
        shown = [self._place(places.TASKS, _("%(n)d late") % {"n": late} if late else "", bool(late))]
        if self._may(places.DRAFTS):
            shown.append(self._place(places.DRAFTS))
        if self.approvals:
            shown.append(self._place(places.APPROVALS, str(self.approvals)))
        if self._calls.offers and self._may(places.OFFERS_ASKED):
            asked = self._place(places.OFFERS_ASKED, str(self._calls.offers))
            # the page has a line of its own below, which is the one that is marked
            shown.append(msgspec.structs.replace(asked, current=False))
        return shown

    @cached_property
    def groups(self) -> list[tuple[Any, list[Place]]]:
        """The pages below the baskets that this person's role opens, by group."""
        if self._membership is None:
            return []
        return [
            (name, [self._place(page) for page in pages])
            for name, pages in places.open_to(self._membership, places.GROUPS)
        ]

    @cached_property
    def settings(self) -> Place | None:
        """The way to everything that is set once in a while."""
        return self._place(places.SETTINGS) if self._membership is not None else None

    @cached_property
    def set_up(self) -> list[Place]:
        """The pages of settings that have no line of their own above; for whoever is on one of them, and their keys."""
        if self._membership is None:
            return []
        above = {page.path for _name, pages in places.GROUPS for page in pages}
        sections = places.open_to(self._membership, places.SECTIONS)
        return [self._place(page) for _name, pages in sections for page in pages if page.path not in above]

    @property
    def in_settings(self) -> bool:
        """Whether the person is on one of `set_up`, or on the page that names them all."""
        return (self.settings is not None and self.settings.current) or any(place.current for place in self.set_up)

    @cached_property
    def keys(self) -> list[Place]:
        """Everything that a letter after `g` leads to, baskets and lists apart."""
        if self._membership is None or self.settings is None:
            return []
        waits = (places.NOTICES, places.TASKS, places.DRAFTS, places.NAMED, places.APPROVALS)
        own = [self._place(page) for page in waits if self._may(page)]
        return [*own, *(place for _name, group in self.groups for place in group), self.settings, *self.set_up]

    def _may(self, page: places.Page) -> bool:
        return self._membership is not None and self._membership.may(page.right)

    def _place(self, page: places.Page, note: str = "", late: bool = False) -> Place:
        assert self._membership is not None
        url = f"/w/{self._membership.workspace.slug}/{page.path}"
        if page is places.SOURCES:
            note, late = self._sources
        current = self.path == url if page is places.SETTINGS else self.path.startswith(url)
        return Place(str(page.name), url, page.icon, page.key, current, note, late)

    @property
    def path(self) -> str:
        """The page that the person looks at; where the navigation alone is read anew, it says so in a header."""
        return urlsplit(self._request.headers.get("HX-Current-URL", "")).path or self._request.path

    @cached_property
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
