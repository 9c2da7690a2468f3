"""Lists of conversations: a basket, its tabs, orders and states; search."""

from __future__ import annotations

import datetime as dt

import msgspec
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from rapport.core.search import SearchProblem, read_search
from rapport.store.models import Basket, Conversation, Membership, SavedView
from rapport.store.models.scoped import ScopedQuerySet
from rapport.store.queries import desk as reads
from rapport.store.queries import felt, searching
from rapport.store.queries.search import FOUND
from rapport.store.queries.snapshot import weights_of
from rapport.store.queries.surveys import with_opinion
from rapport.store.queries.views import visible_views
from rapport.web.access import DeskRequest, desk, seen_baskets
from rapport.web.display import visible_text
from rapport.web.inbox import freshness
from rapport.web.inbox.asked import (
    GROUPS,
    INTENTS,
    MOODS,
    MOST_ROWS,
    OPINIONS,
    READY,
    READY_STATES,
    SEARCHED,
    SORTS,
    STATES,
    TABS,
    Asked,
    Group,
    asked_for,
)
from rapport.web.inbox.events import stream_address
from rapport.web.told import told


class Choice(msgspec.Struct, frozen=True):
    """One link of a tab strip or a menu."""

    label: str
    url: str
    current: bool
    #: "10,000+" where nobody counted further
    count: int | str | None = None


class Part(msgspec.Struct, frozen=True):
    """Rows that stand together."""

    #: empty where nothing is grouped
    title: str
    #: tone of the dot before the title; empty = none
    tone: str
    rows: list[reads.Row]


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
    #: what their person said in a survey
    opinions: list[Choice]
    #: what is chosen of them, each leading to the list without it
    chosen: list[Choice]
    #: what the rows may stand together by
    groups: list[Choice]
    #: the rows, together with others of their group where they are grouped; in the order of the first of each
    parts: list[Part]
    #: the saved view that it began as, and whether its filters differ from what was kept by now
    view: SavedView | None
    differs: bool
    #: row id of its basket; 0 for a list over several
    basket_id: int
    #: everything that is wrong with the search, and how to mend it; empty = nothing
    problems: list[str]


class Found(msgspec.Struct, frozen=True):
    """What the database says of a list."""

    shares: felt.Shares
    counts: reads.Tally
    rows: list[reads.Row]
    #: whether there are more rows
    more: bool


def read_listing(request: DeskRequest, asked: Asked, now: dt.datetime, *, again: bool = False) -> Listing:
    """The list that was asked for, as far as this person sees it. Raises `Http404` for a basket out of sight.

    `again`: an open page reads what changed; others who do so at the same time are given what was read once.
    """
    member = request.membership
    root = f"/w/{member.workspace.slug}/"
    title, rows, problems, basket = _asked_rows(request, asked, now)
    view, differs = _view_of(member, asked)
    found = (
        _read_again(basket, rows, asked, member, now) if again and basket else _read(basket, rows, asked, member, now)
    )
    shares, counts, shown, more = found.shares, found.counts, found.rows, found.more
    per_tab = {"mine": counts.mine, "unassigned": counts.unassigned, "all": counts.all}
    return Listing(
        asked=asked,
        title=view.name if view else title,
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
        opinions=[_opinion_choice(asked, root, each) for each in OPINIONS],
        chosen=_chosen_choices(asked, root, shares),
        groups=[
            Choice(str(label), asked.address(root, group=each), each == asked.group) for each, label in GROUPS.items()
        ],
        parts=grouped(shown, asked.group),
        view=view,
        differs=differs,
        problems=[told(each) for each in problems],
        basket_id=basket.pk if asked.basket and basket else 0,
    )


def _asked_rows(
    request: DeskRequest, asked: Asked, now: dt.datetime
) -> tuple[str, ScopedQuerySet[Conversation], tuple[SearchProblem, ...], Basket | None]:
    """The title, the conversations, what is wrong with the search and the basket, if one.

    Raises `Http404` for a basket out of sight.
    """
    member = request.membership
    if asked.basket:
        basket = next((each for each in seen_baskets(request, member) if each.slug == asked.basket), None)
        if basket is None:
            raise Http404
        rows = reads.visible_conversations(member).filter(basket=basket)
        return basket.name, reads.in_state(rows, asked.state), (), basket
    if asked.ready:
        return str(READY[asked.ready].title), _ready_rows(member, asked), (), None
    if asked.words:
        try:
            return _("Search"), search_rows(member, asked, now), (), None
        except SearchProblem as mistake:
            return _("Search"), reads.visible_conversations(member).none(), mistake.all, None
    return _("Search"), reads.visible_conversations(member).none(), (), None


def _chosen_choices(asked: Asked, root: str, shares: felt.Shares) -> list[Choice]:
    """What the list is narrowed to, each with the address without it."""
    felt_ones = [
        _felt_choice(asked, root, kind, value, shares)
        for kind, value in (("mood", asked.mood), ("intent", asked.intent))
        if value
    ]
    machines = [_machines_choice(asked, root, shares)] if asked.automated else []
    opinions = [_opinion_choice(asked, root, asked.opinion)] if asked.opinion else []
    return [*felt_ones, *machines, *opinions]


def _read(
    basket: Basket | None, rows: ScopedQuerySet[Conversation], asked: Asked, member: Membership, now: dt.datetime
) -> Found:
    """`basket`: the rows are all of this one in the state that was asked for."""
    if asked.tab == "all" and not (asked.mood or asked.intent or asked.automated or asked.opinion):
        counts, shares = reads.tally_with_shares(rows, member, (basket.pk, asked.state) if basket else None)
    else:
        shares = felt.count_shares(
            reads.of_tab(rows, asked.tab, member), reads.MOST_COUNTED, asked.mood, asked.intent, asked.automated
        )
        rows = _chosen(rows, asked)
        counts = reads.tally(rows, member)
    ordered = reads.in_order(reads.of_tab(rows, asked.tab, member), asked.sort, now, weights_of(member.workspace))
    return Found(shares, counts, *reads.list_rows(ordered, asked.show, asked.sort))


def _chosen(rows: ScopedQuerySet[Conversation], asked: Asked) -> ScopedQuerySet[Conversation]:
    return with_opinion(felt.felt_as(rows, asked.mood, asked.intent, asked.automated), asked.opinion)


def _read_again(
    basket: Basket, rows: ScopedQuerySet[Conversation], asked: Asked, member: Membership, now: dt.datetime
) -> Found:
    """As `_read`, once for all who look at the same list of a basket; `basket` is one that this person sees.

    Whoever sees a basket sees every conversation in it. Only what is theirs differs, and is counted for each.
    """
    if asked.tab == "mine" or asked.show != reads.PAGE:
        return _read(basket, rows, asked, member, now)
    key = (basket.pk, asked.tab, asked.sort, asked.state, asked.mood, asked.intent, asked.automated, asked.opinion)
    marks = freshness.marks_of_basket(member.workspace_id, basket.pk)
    read_for, found = freshness.shared(key, marks, now, lambda: (member.pk, _read(basket, rows, asked, member, now)))
    if read_for == member.pk:
        return found
    mine = reads.of_tab(_chosen(rows, asked).order_by(), "mine", member)[: reads.MOST_COUNTED].count()
    return msgspec.structs.replace(found, counts=msgspec.structs.replace(found.counts, mine=mine))


def search_rows(member: Membership, asked: Asked, now: dt.datetime) -> ScopedQuerySet[Conversation]:
    """What a search finds. Raises `SearchProblem`."""
    states = ("folded",) if asked.state == "folded" else reads.LISTED
    zone = timezone.get_current_timezone()
    return searching.search(member, read_search(asked.words), states, today=now.astimezone(zone).date(), zone=zone)


def _view_of(member: Membership, asked: Asked) -> tuple[SavedView | None, bool]:
    """The saved view that the list began as, and whether something else is chosen by now."""
    view = visible_views(member).filter(pk=asked.view).first() if asked.view else None
    return view, view is not None and view.asked != asked.kept()


def grouped(rows: list[reads.Row], group: Group) -> list[Part]:
    """The rows in parts; each part stands where the first of its rows stood."""
    if not group:
        return [Part("", "", rows)]
    parts: dict[int, Part] = {}
    for row in rows:
        each = row.conversation
        key = (each.basket_id if group == "basket" else each.person_id) or 0
        if key not in parts:
            name = (
                str(each.basket or "") if group == "basket" else visible_text(each.person.name if each.person else "")
            )
            tone = each.basket.tone if group == "basket" and each.basket else ""
            parts[key] = Part(name or _("Nobody known"), tone, [])
        parts[key].rows.append(row)
    return list(parts.values())


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


def _opinion_choice(asked: Asked, root: str, opinion: str) -> Choice:
    """What was said in a survey, to choose; the one that is chosen leads back. Nobody counts them for a menu."""
    is_chosen = asked.opinion == opinion
    return Choice(
        str(OPINIONS[opinion]), asked.address(root, opinion="" if is_chosen else opinion, show=reads.PAGE), is_chosen
    )


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
    """The list alone for htmx, or 304 where the page has it already; else the whole page."""
    now = timezone.now()
    request.desk_place = asked.place  # type: ignore[attr-defined]  # read by the navigation
    whole = request.headers.get("HX-Target") != "list"
    tag = "" if whole else freshness.tag_of(request, request.membership, freshness.marks_of(request.workspace.pk), now)
    if tag and (same := freshness.unchanged(request, tag)):
        return same
    # before anything is read: what changes meanwhile is told
    context: dict[str, object] = {"live": stream_address(request.membership)} if whole else {}
    listing = read_listing(request, asked, now, again=not whole)
    context |= {"listing": listing, "now": now}
    status = 400 if listing.problems else 200
    answer = render(request, "desk/page.html" if whole else "desk/list.html", context, status=status)
    if tag:
        answer.headers["ETag"] = tag
    return answer


@require_safe
@desk("read")
def counts(request: DeskRequest) -> HttpResponse:
    """The baskets of the navigation with their counts, to refresh an open page; 304 where it has them already."""
    request.desk_place = request.GET.get("b", "")[:64]  # type: ignore[attr-defined]  # read by the navigation
    now = timezone.now()
    marks = request.desk_marks = freshness.marks_of(request.workspace.pk)  # type: ignore[attr-defined]  # as above
    tag = freshness.tag_of(request, request.membership, marks, now)
    if same := freshness.unchanged(request, tag):
        return same
    answer = render(request, "parts/nav_counts.html", {})
    answer.headers["ETag"] = tag
    return answer
