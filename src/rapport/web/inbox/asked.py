"""Which list of conversations somebody asks for: in an address, or in a view that was saved."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Literal, get_args
from urllib.parse import urlencode

import msgspec
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from rapport.core.errors import InvalidInput
from rapport.store.models import Basket, Membership, SavedView
from rapport.store.queries import desk as reads
from rapport.store.queries import felt
from rapport.store.queries.surveys import Opinion
from rapport.store.queries.views import visible_views
from rapport.web.forms import number

SORTS = {
    "pressing": gettext_lazy("Most pressing"),
    "due": gettext_lazy("Due first"),
    "waiting": gettext_lazy("Waiting longest"),
    "newest": gettext_lazy("Newest"),
    "oldest": gettext_lazy("Oldest"),
    "created": gettext_lazy("Begun last"),
}
Group = Literal["", "basket", "person"]
GROUPS = {
    "": gettext_lazy("Not grouped"),
    "basket": gettext_lazy("By basket"),
    "person": gettext_lazy("By person"),
}
STATES = {
    "open": pgettext_lazy("conversations", "Open"),
    "pending": pgettext_lazy("conversations", "Pending"),
    "snoozed": pgettext_lazy("conversations", "Snoozed"),
    "resolved": pgettext_lazy("conversations", "Resolved"),
    "folded": pgettext_lazy("conversations", "Near-copies"),
}
#: a search looks through all states that a list shows, or through what is folded into others
SEARCHED = {"open": pgettext_lazy("conversations", "All but near-copies"), "folded": STATES["folded"]}
#: what is still to be served or shared on; all that ever was is found in its basket, by the same filters
READY_STATES = {state: STATES[state] for state in ("open", "pending", "snoozed")}
TABS = {
    "mine": pgettext_lazy("conversations", "Mine"),
    "unassigned": pgettext_lazy("conversations", "Unassigned"),
    "all": pgettext_lazy("conversations", "All"),
}
MOODS = {
    "negative": gettext_lazy("Negative"),
    "neutral": gettext_lazy("Neutral"),
    "positive": gettext_lazy("Positive"),
}
INTENTS = {
    "complaint": gettext_lazy("Complaint"),
    "question": gettext_lazy("Question"),
    "request": gettext_lazy("Request"),
    "praise": gettext_lazy("Praise"),
    "purchase": gettext_lazy("Wants to buy"),
    "report": gettext_lazy("Reports something"),
}
OPINIONS = {
    "unhappy": gettext_lazy("Unhappy in a survey"),
    "happy": gettext_lazy("Happy in a survey"),
}
MOST_ROWS = 1_000
MAX_WORDS = 200  # characters of a search
SLUG = re.compile(r"[-a-zA-Z0-9_]{1,64}")


class Ready(msgspec.Struct, frozen=True):
    """A list over all baskets that is there without asking for it."""

    title: Any
    mood: felt.Mood
    intent: felt.Intent
    sort: reads.Sort


#: name in the address -> list
READY = {
    "complaints": Ready(gettext_lazy("Complaints to serve first"), "", "complaint", "pressing"),
    "praise": Ready(gettext_lazy("Praise to share on"), "positive", "praise", "newest"),
}


class Asked(msgspec.Struct, frozen=True):
    """Which list somebody looks at; unknown values fall back to the first of their kind."""

    #: slug of a basket; empty for a search
    basket: str = ""
    tab: reads.Tab = "all"
    sort: reads.Sort = "pressing"
    state: str = "open"
    #: how many rows
    show: int = reads.PAGE
    #: words of a search
    words: str = ""
    #: only conversations in this mood, and with this intent
    mood: felt.Mood = ""
    intent: felt.Intent = ""
    #: "without": no conversations in which only accounts speak that look automated
    automated: felt.Machines = ""
    #: only conversations whose person answered a survey like this
    opinion: Opinion = ""
    #: name of a ready list, in place of a basket
    ready: str = ""
    #: what the rows stand together by
    group: Group = ""
    #: row id of the saved view that it began as; 0 = none
    view: int = 0

    @property
    def place(self) -> str:
        """What the navigation calls this list."""
        if self.view:
            return f":view-{self.view}"
        return f":{self.ready}" if self.ready else self.basket

    def address(self, root: str, **changes: Any) -> str:
        """The list's own address, with some values changed."""
        other = msgspec.structs.replace(self, **changes)
        path = f"{root}b/{other.basket}/" if other.basket else f"{root}search/"
        if other.ready:
            path = f"{root}lists/{other.ready}/"
        query = urlencode(other.varied())
        return f"{path}?{query}" if query else path

    def beside(self) -> str:
        """The query that keeps this list beside an open conversation."""
        kept = self.varied()
        if self.basket:
            kept["b"] = self.basket
        if self.ready:
            kept["list"] = self.ready
        return urlencode(kept)

    def varied(self) -> dict[str, str]:
        """What differs from a fresh list, as query parameters."""
        plain = Asked()
        sort = READY[self.ready].sort if self.ready else plain.sort
        pairs = (
            ("tab", self.tab, plain.tab), ("sort", self.sort, sort), ("state", self.state, plain.state),
            ("mood", self.mood, plain.mood), ("intent", self.intent, plain.intent),
            ("automated", self.automated, plain.automated), ("group", self.group, plain.group),
            ("opinion", self.opinion, plain.opinion),
        )  # fmt: skip
        found = {name: value for name, value, usual in pairs if value != usual}
        if self.show != plain.show:
            found["show"] = str(self.show)
        if self.words:
            found["q"] = self.words
        if self.view:
            found["view"] = str(self.view)
        return found

    def of_view(self, view: int) -> Asked:
        """The same list as what a saved view shows."""
        return msgspec.structs.replace(self, view=view)

    def kept(self) -> dict[str, str]:
        """The list as a saved view keeps it: where it is and what is chosen, not how far somebody scrolled."""
        found = {name: value for name, value in self.varied().items() if name not in {"show", "view"}}
        if self.basket:
            found["b"] = self.basket
        if self.ready:
            found["list"] = self.ready
        return found


def asked_for(request: HttpRequest, basket: str = "", ready: str = "") -> Asked:
    """The list that the address names; `basket` or `ready` where it is part of the path."""
    get = request.GET.get
    words = typed_words(get("q", ""))
    tab, sort, state, show = get("tab", ""), get("sort", ""), get("state", ""), get("show", "")
    count = int(show) if show.isascii() and show.isdigit() and len(show) < 6 else reads.PAGE
    ready = "" if words or ready not in READY else ready
    usual = READY[ready].sort if ready else "pressing"
    mood, intent, group = get("mood", ""), get("intent", ""), get("group", "")
    return Asked(
        basket="" if words or ready else basket,
        tab=tab if tab in get_args(reads.Tab) else "all",  # type: ignore[arg-type]  # narrowed by the test
        sort=sort if sort in SORTS else usual,  # type: ignore[arg-type]
        state=state if state in (READY_STATES if ready else STATES) else "open",
        show=min(max(count, reads.PAGE), MOST_ROWS),
        words=words,
        mood=mood if mood in MOODS else "",  # type: ignore[arg-type]
        intent=intent if intent in INTENTS else "",  # type: ignore[arg-type]
        automated="without" if get("automated", "") == "without" else "",
        opinion=get("opinion", "") if get("opinion", "") in OPINIONS else "",  # type: ignore[arg-type]
        ready=ready,
        group=group if group in GROUPS else "",  # type: ignore[arg-type]
        view=number(get("view", "")),
    )


#: what a view may keep -> the values that it may have; None = a text that is checked by itself
_KEPT: dict[str, frozenset[str] | None] = {
    "tab": frozenset(TABS),
    "sort": frozenset(SORTS),
    "state": frozenset(STATES),
    "mood": frozenset(MOODS),
    "intent": frozenset(INTENTS),
    "automated": frozenset({"without"}),
    "opinion": frozenset(OPINIONS),
    "group": frozenset(GROUPS) - {""},
    "list": frozenset(READY),
    "b": None,
    "q": None,
}


def asked_of(kept: Mapping[str, object]) -> Asked:
    """The list that was kept, checked to the letter: what a page of ours does not make is no view.

    Raises `InvalidInput` that names the field.
    """
    for name, value in kept.items():
        allowed = _KEPT.get(name, frozenset())
        if not isinstance(value, str) or (allowed is not None and value not in allowed):
            raise InvalidInput(
                _("“%(name)s” is no filter of a list, or has no such value.") % {"name": str(name)[:MAX_WORDS]}
            )
    told = {name: str(value) for name, value in kept.items()}
    basket, ready, words = told.pop("b", ""), told.pop("list", ""), told.pop("q", "")
    if bool(basket) + bool(ready) + bool(words) != 1:
        raise InvalidInput(_("A view is of one basket, one list or one search."))
    if basket and not SLUG.fullmatch(basket):
        raise InvalidInput(_("“%(name)s” is no basket.") % {"name": basket[:MAX_WORDS]})
    if words != typed_words(words):
        raise InvalidInput(_("The words of the search are too long, or have signs that nobody types."))
    if ready and told.get("state", "open") not in READY_STATES:
        raise InvalidInput(_("This list has no such state."))
    sort = READY[ready].sort if ready else "pressing"
    return msgspec.convert({"sort": sort, **told, "basket": basket, "ready": ready, "words": words}, Asked)


def typed_words(text: str) -> str:
    """What somebody typed to search for, without what no database holds; at most `MAX_WORDS` characters."""
    return "".join(c for c in text[:MAX_WORDS] if c != "\x00" and not "\ud800" <= c <= "\udfff").strip()


def seen_views(member: Membership, baskets: Collection[Basket]) -> list[tuple[SavedView, Asked]]:
    """The views that lead somewhere for this person: what was kept is read as sharply as it was when it was saved."""
    slugs = {basket.slug for basket in baskets}
    found = []
    for view in visible_views(member):
        try:
            asked = asked_of(view.asked)
        except InvalidInput:
            continue  # a filter of another version; its owner finds it on the page of views
        if not asked.basket or asked.basket in slugs:
            found.append((view, asked.of_view(view.pk)))
    return found


def addresses_of(views: Iterable[tuple[SavedView, Asked]], root: str) -> list[tuple[SavedView, Asked, str]]:
    """Where each view leads."""
    return [(view, asked, asked.address(root)) for view, asked in views]
