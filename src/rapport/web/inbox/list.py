"""Lists of conversations: a basket, its tabs, orders and states; search."""

from __future__ import annotations

import datetime as dt
from typing import Any, get_args
from urllib.parse import urlencode

import msgspec
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_safe

from rapport.store.models import Conversation, Membership
from rapport.store.models.scoped import ScopedQuerySet
from rapport.store.queries import desk as reads
from rapport.store.queries import felt
from rapport.store.queries.search import FOUND
from rapport.store.queries.snapshot import weights_of
from rapport.web.access import DeskRequest, desk, find
from rapport.web.inbox.events import stream_address

SORTS = {
    "pressing": gettext_lazy("Most pressing"),
    "due": gettext_lazy("Due first"),
    "waiting": gettext_lazy("Waiting longest"),
    "newest": gettext_lazy("Newest"),
    "oldest": gettext_lazy("Oldest"),
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
MOST_ROWS = 1_000
MAX_WORDS = 200  # characters of a search


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
    #: name of a ready list, in place of a basket
    ready: str = ""

    @property
    def place(self) -> str:
        """What the navigation calls this list."""
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
            ("automated", self.automated, plain.automated),
        )  # fmt: skip
        found = {name: value for name, value, usual in pairs if value != usual}
        if self.show != plain.show:
            found["show"] = str(self.show)
        if self.words:
            found["q"] = self.words
        return found


def asked_for(request: HttpRequest, basket: str = "", ready: str = "") -> Asked:
    """The list that the address names; `basket` or `ready` where it is part of the path."""
    get = request.GET.get
    words = "".join(c for c in get("q", "")[:MAX_WORDS] if c != "\x00" and not "\ud800" <= c <= "\udfff").strip()
    tab, sort, state, show = get("tab", ""), get("sort", ""), get("state", ""), get("show", "")
    count = int(show) if show.isascii() and show.isdigit() and len(show) < 6 else reads.PAGE
    ready = "" if words or ready not in READY else ready
    usual = READY[ready].sort if ready else "pressing"
    mood, intent = get("mood", ""), get("intent", "")
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
        ready=ready,
    )


class Choice(msgspec.Struct, frozen=True):
    """One link of a tab strip or a menu."""

    label: str
    url: str
    current: bool
    #: "10,000+" where nobody counted further
    count: int | str | None = None


class Listing(msgspec.Struct, frozen=True):
    """One list, ready to be shown."""

    asked: Asked
    title: str
    #: the line beside the title
    summary: str
    rows: list[reads.Row]
    tabs: list[Choice]
    sorts: list[Choice]
    states: list[Choice]
    sort_label: str
    state_label: str
    #: where the list is read again
    url: str
    #: where a longer one is; empty when this is all
    more: str
    #: the query for links to its conversations
    beside: str
    #: choosing a mood or an intent, or taking the choice back; with how many there are
    moods: list[Choice]
    intents: list[Choice]
    #: leaving out accounts that look automated, or taking them in again; with how many they are
    machines: Choice
    #: what is chosen of them, each leading to the list without it
    chosen: list[Choice]


def read_listing(member: Membership, asked: Asked, now: dt.datetime) -> Listing:
    """The list that was asked for, as far as `member` sees it. Raises `Http404` for a basket out of sight."""
    root = f"/w/{member.workspace.slug}/"
    rows: ScopedQuerySet[Conversation]
    if asked.basket:
        basket = find(reads.visible_baskets(member), slug=asked.basket)
        title = basket.name
        rows = reads.in_state(reads.visible_conversations(member).filter(basket=basket), asked.state)
    elif asked.ready:
        title, rows = str(READY[asked.ready].title), _ready_rows(member, asked)
    elif asked.words:
        title = _("Search")
        rows = reads.search(member, asked.words, ("folded",) if asked.state == "folded" else reads.LISTED)
    else:
        title, rows = _("Search"), reads.visible_conversations(member).none()
    shares = felt.count_shares(
        reads.of_tab(rows, asked.tab, member), reads.MOST_COUNTED, asked.mood, asked.intent, asked.automated
    )
    rows = felt.felt_as(rows, asked.mood, asked.intent, asked.automated)
    counts = reads.tally(rows, member)
    ordered = reads.in_order(reads.of_tab(rows, asked.tab, member), asked.sort, now, weights_of(member.workspace))
    shown, more = reads.list_rows(ordered, asked.show, asked.sort)
    per_tab = {"mine": counts.mine, "unassigned": counts.unassigned, "all": counts.all}
    return Listing(
        asked=asked,
        title=title,
        summary=_summary(asked, counts, shares, now),
        rows=shown,
        tabs=[
            Choice(
                str(label),
                asked.address(root, tab=tab, show=reads.PAGE),
                tab == asked.tab,
                _counted(asked, per_tab[tab]),
            )
            for tab, label in TABS.items()
        ],
        sorts=[Choice(str(label), asked.address(root, sort=sort), sort == asked.sort) for sort, label in SORTS.items()],
        states=[
            Choice(str(label), asked.address(root, state=state, show=reads.PAGE), state == asked.state)
            for state, label in (READY_STATES if asked.ready else STATES if asked.basket else SEARCHED).items()
        ],
        sort_label=str(SORTS[asked.sort]),
        state_label=str(STATES[asked.state]),
        url=asked.address(root),
        more=asked.address(root, show=asked.show + reads.PAGE) if more and asked.show < MOST_ROWS else "",
        beside=asked.beside(),
        moods=[_felt_choice(asked, root, "mood", each, shares) for each in MOODS],
        intents=[_felt_choice(asked, root, "intent", each, shares) for each in INTENTS],
        machines=_machines_choice(asked, root, shares),
        chosen=[
            *(
                _felt_choice(asked, root, kind, value, shares)
                for kind, value in (("mood", asked.mood), ("intent", asked.intent))
                if value
            ),
            *([_machines_choice(asked, root, shares)] if asked.automated else ()),
        ],
    )


def _ready_rows(member: Membership, asked: Asked) -> ScopedQuerySet[Conversation]:
    ready = READY[asked.ready]
    rows = reads.visible_conversations(member).filter(basket__isnull=False)
    return felt.felt_as(reads.in_state(rows, asked.state), ready.mood, ready.intent)


def _felt_choice(asked: Asked, root: str, kind: str, value: str, shares: felt.Shares) -> Choice:
    """A mood or an intent to choose; the one that is chosen leads back to the list without it."""
    found = (shares.moods if kind == "mood" else shares.intents)[value]
    count = found if shares.whole else f"{found:,}+"
    is_chosen = getattr(asked, kind) == value
    address = asked.address(root, **{kind: "" if is_chosen else value}, show=reads.PAGE)
    return Choice(str((MOODS if kind == "mood" else INTENTS)[value]), address, is_chosen, count)


def _machines_choice(asked: Asked, root: str, shares: felt.Shares) -> Choice:
    """The switch "without automated accounts", with how many it leaves out; where it is on, it leads back."""
    without = asked.automated == "without"
    address = asked.address(root, automated="" if without else "without", show=reads.PAGE)
    count = shares.automated if shares.whole else f"{shares.automated:,}+"
    return Choice(_("Without automated accounts"), address, without, count)


def _counted(asked: Asked, found: int) -> int | str:
    """A count as it is shown: a number, or "500+" where a search or a count went no further."""
    most = FOUND if asked.words else reads.MOST_COUNTED
    return found if found < most else f"{most:,}+"


def _summary(asked: Asked, counts: reads.Tally, shares: felt.Shares, now: dt.datetime) -> str:
    from rapport.web.templatetags.desk_frame import since

    if asked.words:
        return _("%(n)s found for “%(words)s”") % {"n": _counted(asked, counts.all), "words": asked.words}
    if not asked.basket and not asked.ready:
        return ""
    line = _("%(n)s %(state)s") % {"n": _counted(asked, counts.all), "state": str(STATES[asked.state]).lower()}
    if shares.automated and not asked.automated:
        line = _("%(line)s (%(n)s automated)") % {"line": line, "n": f"{shares.automated:,}"}
    if asked.state == "open" and counts.oldest:
        return _("%(line)s, oldest waits %(time)s") % {"line": line, "time": since(counts.oldest, now)}
    return line


@require_safe
@desk("read")
def home(request: DeskRequest) -> HttpResponse:
    """To the first basket that this person sees."""
    first = reads.visible_baskets(request.membership).first()
    if first is not None:
        return HttpResponseRedirect(f"/w/{request.workspace.slug}/b/{first.slug}/")
    return render(request, "desk/page.html", {"listing": None, "live": stream_address(request.membership)})


@require_safe
@desk("read")
def basket(request: DeskRequest, basket: str) -> HttpResponse:
    """One basket, with no conversation open."""
    return show_list(request, asked_for(request, basket))


@require_safe
@desk("read")
def ready(request: DeskRequest, ready: str) -> HttpResponse:
    """One of the lists over all baskets."""
    if ready not in READY:
        raise Http404
    return show_list(request, asked_for(request, ready=ready))


@require_safe
@desk("read")
def search(request: DeskRequest) -> HttpResponse:
    """Conversations by people, handles and words of posts."""
    return show_list(request, asked_for(request))


def show_list(request: DeskRequest, asked: Asked) -> HttpResponse:
    """The list alone for htmx, else the whole page."""
    now = timezone.now()
    request.desk_place = asked.place  # type: ignore[attr-defined]  # read by the navigation
    context = {
        "listing": read_listing(request.membership, asked, now),
        "now": now,
        "live": stream_address(request.membership),
    }
    whole = request.headers.get("HX-Target") != "list"
    return render(request, "desk/page.html" if whole else "desk/list.html", context)


@require_safe
@desk("read")
def counts(request: DeskRequest) -> HttpResponse:
    """The baskets of the navigation with their counts, to refresh an open page."""
    request.desk_place = request.GET.get("b", "")[:64]  # type: ignore[attr-defined]  # read by the navigation
    return render(request, "parts/nav_counts.html", {})
