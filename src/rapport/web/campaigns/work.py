"""The work of a campaign: each post with the words that wait for it, sent one after the other or as a checked list."""

from __future__ import annotations

from typing import Any

import msgspec
from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from rapport.actions import campaign_posts as acts
from rapport.actions.campaign_posts import State
from rapport.core.campaigns import Result, weigh_results
from rapport.core.errors import InvalidInput, RapportError, Stale
from rapport.core.guard import essence
from rapport.core.guard.sameness import similarity
from rapport.core.voice import LEAST_WORDS, NEAR, Hint, nearest
from rapport.store.models import Campaign, CampaignPost, Membership, Variant
from rapport.store.queries import campaigns as reads
from rapport.store.queries.talk import colleagues
from rapport.store.queries.voice import like_for_people
from rapport.web.access import DeskRequest, desk, find
from rapport.web.campaigns.words import left_out_words
from rapport.web.forms import number
from rapport.web.inbox.voice import hints_on
from rapport.web.told import told

TABS = {
    "waiting": (State.WAITING, State.HELD, State.REFUSED),
    "mine": (State.WAITING, State.HELD, State.REFUSED),
    "sent": (State.SENT,),
    "skipped": (State.SKIPPED,),
}


class Alike(msgspec.Struct, frozen=True):
    """What the words of one post come near to."""

    percent: int
    #: a colleague and whom they wrote to; "" and a name for one above it on the page
    by: str
    to: str
    at: Any = None


class Card(msgspec.Struct, frozen=True):
    """One post of the page."""

    row: CampaignPost
    text: str
    alike: Alike | None = None
    hints: tuple[Hint, ...] = ()


@require_safe
@desk("send")
def index(request: DeskRequest) -> HttpResponse:
    """Every campaign that this person may work on."""
    return render(request, "campaigns/index.html", {"rows": reads.listed(request.membership)})


def find_campaign(request: DeskRequest, pk: int) -> Campaign:
    """The campaign, if this person may see it: one that is still built is for those who build."""
    row = find(Campaign.objects.of(request.workspace).select_related("topic", "channel", "made_by__user"), pk)
    if row.state == Campaign.State.DRAFT and not request.membership.may("campaign"):
        raise Http404
    row.workspace = request.workspace
    return row


@require_safe
@desk("send")
def campaign(request: DeskRequest, pk: int) -> HttpResponse:
    """One tab of its posts (`tab`), from one on (`after`), and what came of those that were answered."""
    return show(request, find_campaign(request, pk))


def show(request: DeskRequest, row: Campaign, status: int = 200) -> HttpResponse:
    """The page of one campaign."""
    member, tab = request.membership, request.GET.get("tab", "waiting")
    tab = tab if tab in TABS else "waiting"
    posts = reads.seen_posts(member, row)
    counts = reads.count_states(posts)
    shown = _of_tab(posts, tab, member)
    page = list(shown.filter(pk__gt=number(request.GET.get("after", "0")))[: reads.PAGE + 1])
    variants = {each.pk: each for each in Variant.objects.filter(campaign=row)}
    outcomes = reads.read_outcomes(row) if counts.get("sent") else []
    results: list[tuple[str, Result]] = [
        (variant.name, weigh_results([one for one in outcomes if one.variant == pk]))
        for pk, variant in variants.items()
    ]
    context = {
        "campaign": row,
        "tab": tab,
        "tabs": _tabs(posts, counts, member),
        "cards": _cards(page[: reads.PAGE], variants, member, tab),
        "more": page[reads.PAGE - 1].pk if len(page) > reads.PAGE else 0,
        "left_out": left_out_words(row.looked),
        "variants": list(variants.values()),
        "results": [*results, (_("All"), weigh_results(outcomes))] if outcomes else [],
        "all": weigh_results(outcomes),
        "waiting": counts.get("waiting", 0) + counts.get("held", 0) + counts.get("refused", 0),
        "builds": member.may("campaign"),
        "works": row.state == Campaign.State.RUNNING,
        "members": [each for each in colleagues(member) if each.may("send")] if member.may("campaign") else [],
        "now": timezone.now(),
    }
    return render(request, "campaigns/campaign.html", context, status=status)


def _of_tab(posts: QuerySet[CampaignPost], tab: str, member: Membership) -> QuerySet[CampaignPost]:
    rows = posts.filter(state__in=TABS[tab]).order_by("pk")
    return rows.filter(assignee=member) if tab == "mine" else rows


def _tabs(posts: QuerySet[CampaignPost], counts: dict[str, int], member: Membership) -> list[tuple[str, str, int]]:
    mine = posts.filter(state__in=TABS["mine"], assignee=member).count()
    waiting = sum(counts.get(state, 0) for state in TABS["waiting"])
    return [
        ("waiting", _("To answer"), waiting),
        ("mine", _("Given to me"), mine),
        ("sent", _("Sent"), counts.get("sent", 0)),
        ("skipped", _("Left out"), counts.get("skipped", 0)),
    ]


def _cards(rows: list[CampaignPost], variants: dict[int, Variant], member: Membership, tab: str) -> list[Card]:
    cards: list[Card] = []
    for row in rows:
        text = row.text if tab == "sent" else reads.words_for(row, variants.get(row.variant_id or 0), member)
        alike = _nearest(text, cards, member) if tab in ("waiting", "mine") else None
        cards.append(Card(row, text, alike))
    return cards


def _nearest(text: str, above: list[Card], member: Membership) -> Alike | None:
    """What a text comes nearest to: what went out before, or what waits above it."""
    mine = essence(text)
    if mine.total() < LEAST_WORDS:
        return None
    sent = nearest(text, like_for_people(text, member, NEAR, now=timezone.now()))
    best = Alike(int(100 * sent.likeness), sent.sent.by, sent.sent.to, sent.sent.sent_at) if sent else None
    for card in above:
        percent = int(100 * similarity(mine, essence(card.text)))
        if percent >= 100 * NEAR and (best is None or percent > best.percent):
            best = Alike(percent, "", str(card.row.post.handle.person.name or card.row.post.handle))
    return best if best is not None and best.percent >= 100 * NEAR else None


# ---------------------------------------------------------------- acts


@require_POST
@desk("send")
def act(request: DeskRequest, pk: int) -> HttpResponse:
    """Send one (`one`), the checked ones (`all`, `post`), leave one out (`skip`), take it up again (`back`), give the
    checked ones to somebody (`give`, `assignee`). What was typed in the other boxes is kept.

    For a script that sends one or leaves it out, the answer is that post as it stands afterwards.
    """
    row = find_campaign(request, pk)
    posts = reads.seen_posts(request.membership, row).select_related("campaign__workspace")
    alone = number(next((request.POST[name] for name in ("one", "skip", "back") if name in request.POST), ""))
    try:
        if alone:
            return _one(request, row, find(posts, alone))
        _keep_typed(request, row, posts)
        checked = _checked(request, posts)
        if "give" in request.POST:
            _give(request, checked)
        elif "all" in request.POST:
            presses = [acts.Press(each, _typed(request, each), _version(request, each)) for each in checked]
            _say(request, acts.send_posts(request.membership, presses, now=timezone.now()))
    except InvalidInput as error:
        messages.error(request, told(error))
    return _back(request, row)


def _one(request: DeskRequest, campaign: Campaign, row: CampaignPost) -> HttpResponse:
    by, now = request.membership, timezone.now()
    try:
        if "one" in request.POST:
            row = acts.send_post(by, row, _typed(request, row), version=_version(request, row), now=now)
        elif "skip" in request.POST:
            row = acts.skip_post(by, row, request.POST.get(f"reason-{row.pk}", ""), now=now)
        else:
            row = acts.take_up_post(by, row, now=now)
    except RapportError as error:
        if request.headers.get("HX-Request"):
            return HttpResponse(told(error), status=409 if isinstance(error, Stale) else 422, content_type="text/plain")
        messages.error(request, told(error))
        return _back(request, campaign)
    if request.headers.get("HX-Request"):
        return _card(request, campaign, row)
    _keep_typed(request, campaign, reads.seen_posts(by, campaign).exclude(pk=row.pk))
    _say(request, [row]) if "one" in request.POST else None
    return _back(request, campaign)


def _card(request: DeskRequest, campaign: Campaign, row: CampaignPost) -> HttpResponse:
    posts = reads.seen_posts(request.membership, campaign)
    fresh = posts.get(pk=row.pk)
    counts = reads.count_states(posts)
    context = {
        "card": Card(fresh, fresh.text), "campaign": campaign, "works": True,
        "waiting": sum(counts.get(state, 0) for state in TABS["waiting"]), "now": timezone.now(),
    }  # fmt: skip
    return render(request, "campaigns/card.html", context)


def _typed(request: DeskRequest, row: CampaignPost) -> str:
    return request.POST.get(f"text-{row.pk}", "")


def _version(request: DeskRequest, row: CampaignPost) -> int:
    return number(request.POST.get(f"version-{row.pk}", ""))


def _checked(request: DeskRequest, posts: QuerySet[CampaignPost]) -> list[CampaignPost]:
    """The posts whose boxes are checked, in the order of the page. One that is not theirs: as missing as any other."""
    wanted = [number(each) for each in request.POST.getlist("post")]
    found = posts.in_bulk(wanted)
    if len(found) != len(set(wanted)):
        raise Http404
    return [found[each] for each in dict.fromkeys(wanted)]


def _keep_typed(request: DeskRequest, campaign: Campaign, posts: QuerySet[CampaignPost]) -> None:
    """What was typed in boxes that are not sent now. A box that nobody touched on this page changes nothing. Where a
    colleague wrote other words meanwhile theirs stand, and this person is given their own.
    """
    named = [number(name.removeprefix("text-")) for name in request.POST if name.startswith("text-")]
    variants = {each.pk: each for each in Variant.objects.filter(campaign=campaign)}
    # what is sent now goes as this person reads it, whatever stands
    going = request.POST.getlist("post") if "all" in request.POST else []
    for row in posts.filter(pk__in=named[: reads.PAGE]).exclude(state=State.SENT):
        text, was = _typed(request, row), request.POST.get(f"was-{row.pk}")
        try:
            _keep(request, row, variants.get(row.variant_id or 0), text, was)
        except Stale:
            said = _("A colleague changed the words for %(name)s meanwhile; theirs stand. Yours were: %(text)s")
            if str(row.pk) not in going:
                messages.warning(request, said % {"name": row.post.handle, "text": text})


def _keep(request: DeskRequest, row: CampaignPost, variant: Variant | None, text: str, was: str | None) -> None:
    """Keep what was typed over `was`, the words with which the page began (None: those that stand). Raises `Stale`."""
    text, stands = _plain(text), _plain(reads.words_for(row, variant, request.membership))
    was = stands if was is None else _plain(was)
    if text in (was, stands):
        return
    if row.text and stands != was:
        raise Stale("A colleague changed these words meanwhile; theirs stand.")
    acts.save_post_text(request.membership, row, text, now=timezone.now())


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").strip("\n")


def _give(request: DeskRequest, rows: list[CampaignPost]) -> None:
    to = None
    if request.POST.get("assignee"):
        mates = Membership.objects.of(request.workspace).filter(active=True).select_related("user")
        to = find(mates, number(request.POST["assignee"]))
    if not rows:
        raise InvalidInput(_("Check at least one."))
    given = acts.give_posts(request.membership, rows, to, now=timezone.now())
    told = {"n": given, "name": to or _("whoever comes")}
    said = ngettext("%(n)d post for %(name)s.", "%(n)d posts for %(name)s.", given)
    messages.success(request, said % told)


def _say(request: DeskRequest, rows: list[CampaignPost]) -> None:
    sent = sum(row.state == State.SENT for row in rows)
    kept = len(rows) - sent
    if sent:
        said = ngettext("%(n)d reply is on its way.", "%(n)d replies are on their way.", sent)
        messages.success(request, said % {"n": sent})
    if kept:
        said = ngettext("%(n)d stays here and says why.", "%(n)d stay here and say why.", kept)
        messages.warning(request, said % {"n": kept})


def _back(request: DeskRequest, row: Campaign) -> HttpResponse:
    where = reverse("campaign", kwargs={"slug": request.workspace.slug, "pk": row.pk})
    tab = request.POST.get("tab", "")
    return HttpResponseRedirect(f"{where}?tab={tab}" if tab in TABS else where, status=303)


@require_POST
@desk("send")
def save_text(request: DeskRequest, pk: int, post: int) -> HttpResponse:
    """Keep what somebody makes (`text`) of the words for one post (`was`), and answer with what is worth knowing of
    them.
    """
    campaign = find_campaign(request, pk)
    row = find(reads.seen_posts(request.membership, campaign), post)
    text = request.POST.get("text", "")
    try:
        _keep(request, row, row.variant, text, request.POST.get("was"))
    except RapportError as error:
        return HttpResponse(told(error), status=409, content_type="text/plain")
    variant = row.variant.text if row.variant else ""
    hints = hints_on(request.membership, text, row.post, variant, now=timezone.now())
    return render(request, "desk/voice.html", {"hints": hints})
