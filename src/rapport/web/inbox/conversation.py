"""One conversation: reading it, and what people do with it besides answering."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from rapport.actions import desk as acts
from rapport.actions import score as weighing
from rapport.actions.notices import announce_read, read_about
from rapport.actions.undo import newest_deed
from rapport.core.errors import InvalidInput, RapportError
from rapport.core.guard import BY_SENDER, OVERRIDABLE
from rapport.core.roles import RIGHTS
from rapport.store import why
from rapport.store.models import Basket, Conversation, Membership
from rapport.store.queries import desk as reads
from rapport.store.queries import people, talk
from rapport.store.queries.approvals import newest_return
from rapport.store.queries.corrections import corrections_on
from rapport.store.queries.effects import NO_EFFECTS, read_effects
from rapport.store.queries.ladder import read_standing
from rapport.store.queries.load import last_moved
from rapport.store.queries.marks import Marks, read_marks
from rapport.store.queries.promises import promises_of
from rapport.store.queries.score import neighbours, standing_correction
from rapport.store.queries.snapshot import weights_of
from rapport.store.queries.tasks import tasks_of
from rapport.web.access import DeskRequest, desk, find, seen_baskets
from rapport.web.flash import say_done
from rapport.web.forms import number
from rapport.web.inbox.asked import Asked, asked_for
from rapport.web.inbox.composer import read_composer
from rapport.web.inbox.events import stream_address
from rapport.web.inbox.list import read_listing
from rapport.web.told import told

#: entries of a long thread that are on the page at once; the others are one press away
NEWEST = 20
#: a message that was sent longer ago is not held against others
LATELY = dt.timedelta(days=30)
#: rules that did not match and are on the page at once; more are brought when somebody asks for them
STEPS_AT_ONCE = 12


def find_conversation(request: DeskRequest, pk: int) -> Conversation:
    """The conversation `pk` if this person may see it, else the 404 of everything that is not there.

    Of one that became part of another one meanwhile, that other one: what was typed or pressed on a page of the first
    is meant for it.
    """
    rows = reads.visible_conversations(request.membership).exclude(state=Conversation.State.UNOPENED)
    rows = rows.select_related("person__known_to__user", "basket", "channel", "assignee__user")
    found = find(rows, pk)
    while found.state == Conversation.State.MERGED and found.merged_into:
        found = find(rows, found.merged_into)
    found.workspace = request.workspace
    return found


@require_safe
@desk("read")
def conversation(request: DeskRequest, pk: int) -> HttpResponse:
    """The whole page, or for htmx the conversation and its person alone."""
    row = find_conversation(request, pk)
    if row.pk != pk:
        return HttpResponseRedirect(f"/w/{request.workspace.slug}/c/{row.pk}/")
    marks = read_marks(row, request.membership)
    if marks.notices and read_about(request.membership, row, now=timezone.now()):
        announce_read(request.membership, now=timezone.now())
    return show(request, row, marks=marks)


def list_beside(request: DeskRequest, row: Conversation) -> Asked:
    """The list that the person came from (`?b=`, `?q=` and so on), else the conversation's basket."""
    basket = request.GET.get("b", "") or (row.basket.slug if row.basket else "")
    return asked_for(request, basket, request.GET.get("list", ""))


def show(
    request: DeskRequest, row: Conversation, status: int = 200, marks: Marks | None = None, **composing: Any
) -> HttpResponse:
    """The conversation as a page, or as a fragment where htmx asked for one; `composing` goes to `read_composer`."""
    now = timezone.now()
    member = request.membership
    live = stream_address(member)  # before anything is read: what changes meanwhile is told
    marks = marks or read_marks(row, member)
    whole, typed = "earlier" in request.GET, composing.get("typed")
    to = typed.get("target", "") if typed else request.GET.get("to", "")
    said = talk.read_talk(row, member, marks, talk.MAX_POSTS if whole else NEWEST, to=number(to))
    entries = said.entries if whole else said.newest(NEWEST)
    asked = list_beside(request, row)
    request.desk_place = asked.place  # type: ignore[attr-defined]  # read by the navigation
    context: dict[str, Any] = {
        "talk": said,
        "explanation": why.explain_to(member, said),
        "at_once": STEPS_AT_ONCE,
        "entries": entries,
        "earlier": 0 if whole else min(said.hidden, talk.MAX_POSTS - NEWEST) + len(said.entries) - len(entries),
        "unread": said.hidden if whole else 0,
        "shown": {entry.post.pk for entry in entries if entry.post},
        "voiced": _voiced(entries, now) if member.may("configure") is True else "",
        "corrected": corrections_on(request.workspace, [entry.post for entry in entries if entry.post]),
        "conversation": row,
        "promises": promises_of(row) if marks.promises else [],
        "moved": last_moved(row),
        "marks": marks,
        "composer": read_composer(said, member, to=request.GET.get("to", ""), **composing),
        "profile": people.profile(member, row.person, row) if row.person else None,
        "waiting_points": reads.waiting_points(row.waiting_since, now, weights_of(request.workspace)),
        "correction": standing_correction(row),
        "effects": read_effects(row, member, now) if marks.effects else NO_EFFECTS,
        "todo": tasks_of(row) if marks.tasks else [],
        "standing": read_standing(row.person, member, marks) if row.person else None,
        "members": talk.colleagues(member),
        "targets": baskets_to_move_to(request),
        "snoozes": snooze_choices(now),
        "returned": newest_return(member, row) if marks.drafts and not member.may("send") else None,
        "overridable": OVERRIDABLE if member.may("configure") else BY_SENDER,
        "can": {right: member.may(right) for right in RIGHTS},
        "beside": asked.beside(),
        "back": asked.address(f"/w/{request.workspace.slug}/"),
        "here": f"/w/{request.workspace.slug}/c/{row.pk}/",
        "live": live,
        "now": now,
    }
    if request.headers.get("HX-Request"):
        return render(request, "desk/work.html", context, status=status)
    visible = not asked.basket or any(each.slug == asked.basket for each in seen_baskets(request, member))
    context["listing"] = read_listing(request, asked, now) if visible else None
    return render(request, "desk/page.html", context, status=status)


def _voiced(entries: list[talk.Entry], now: dt.datetime) -> str:
    """The entries of the ledger whose words are held against what went to others, for `web.voice`; the newest last."""
    sent = [entry.delivery for entry in entries if entry.delivery and entry.delivery.state == "sent"]
    said = [each.approval for each in sent if not each.approval.machine and not each.approval.kind]
    return ",".join(str(row.pk) for row in said if row.approved_at > now - LATELY)


@require_safe
@desk("read")
def passed_rules(request: DeskRequest, pk: int) -> HttpResponse:
    """The rules that were tried and did not match, with what they found: as a page, for htmx the list alone."""
    row = find_conversation(request, pk)
    said = talk.read_talk(row, request.membership, newest=1)
    explanation = why.explain_to(request.membership, said) or why.Explanation(())
    here = f"/w/{request.workspace.slug}/c/{row.pk}/"
    if request.headers.get("HX-Request"):
        version = said.judgement.decision.rule_set if said.judgement else ""
        kept = f"steps-{said.decided.pk if said.decided else ''}-{version}"
        return render(request, "desk/steps.html", {"steps": explanation.passed, "kept": kept})
    beside = list_beside(request, row).beside()
    return render(request, "desk/why_page.html", {"explanation": explanation, "here": here, "beside": beside})


def done(request: DeskRequest, row: Conversation, said: str = "", undo: int | None = None) -> HttpResponse:
    """After a change: htmx gets the conversation again (or is led to the list when it left the person's sight)."""
    still = reads.visible_conversations(request.membership).filter(pk=row.pk).exists()
    if not request.headers.get("HX-Request"):
        if said:
            say_done(request, said, now=timezone.now(), deed=undo)
        query = request.GET.urlencode()
        where = f"c/{row.pk}/{'?' + query if query else ''}" if still else ""
        return HttpResponseRedirect(f"/w/{request.workspace.slug}/{where}", status=303)
    if not still:
        if said:
            messages.success(request, said)  # on the page that comes: what they cannot see they cannot take back
        return HttpResponse(status=204, headers={"HX-Redirect": f"/w/{request.workspace.slug}/"})
    response = show(request, find_conversation(request, row.pk))
    response.headers["HX-Trigger"] = trigger(said, undo)
    return response


def trigger(said: str = "", undo: int | None = None) -> str:
    """The header that makes an open page read its list again and say a sentence, with a way to take it back."""
    return json.dumps({"desk-changed": {"say": str(said), "undo": str(undo or "")}})


def change(
    request: DeskRequest, pk: int, act: Callable[[Conversation, dt.datetime], Any], said: str = ""
) -> HttpResponse:
    """Find, act, show; what cannot be done is said where the person works."""
    row, now = find_conversation(request, pk), timezone.now()
    try:
        act(row, now)
    except RapportError as error:
        if request.headers.get("HX-Request"):
            return HttpResponse(status=204, headers={"HX-Trigger": json.dumps({"desk-problem": {"say": told(error)}})})
        raise
    deed = newest_deed(request.membership, now=now)
    return done(request, row, said, deed.pk if deed is not None and deed.at == now else None)


def baskets_to_move_to(request: DeskRequest) -> list[Basket]:
    """Baskets that a conversation can be handed to; an outsourced agent knows only their own."""
    member = request.membership
    if member.role == "restricted" or member.sees_every_basket is True:
        return seen_baskets(request, member)
    return list(Basket.objects.of(member.workspace_id))


def snooze_choices(now: dt.datetime) -> list[tuple[str, str, dt.datetime]]:
    """(value, label, time) of the offered snoozes, in the zone of the person who asks."""
    local = timezone.localtime(now)
    morning = local.replace(hour=9, minute=0, second=0, microsecond=0)
    tomorrow, monday = morning + dt.timedelta(days=1), morning + dt.timedelta(days=7 - local.weekday())
    choices = [
        # of real time, also in the night in which the clocks change
        ("hour", _("1 hour"), timezone.localtime(now + dt.timedelta(hours=1))),
        ("tomorrow", _("Tomorrow, 9:00"), tomorrow),
        ("week", _("Monday, 9:00"), monday),
        ("reply", _("Until they reply"), local + dt.timedelta(days=365)),
    ]
    # on a Sunday the next Monday is tomorrow
    return [choice for choice in choices if choice[0] != "week" or monday != tomorrow]


@require_POST
@desk("triage")
def assign(request: DeskRequest, pk: int) -> HttpResponse:
    """To a colleague, to oneself (`me`), or back to the basket (empty)."""
    wanted = request.POST.get("assignee", "")
    chosen: Membership | None = None
    if wanted == "me":
        chosen = request.membership
    elif wanted:
        members = reads.visible_colleagues(request.membership).select_related("user")
        chosen = find(members, number(wanted))
    said = _("Assigned to %(name)s.") % {"name": chosen} if chosen else _("Back in the basket.")
    note = request.POST.get("note", "")
    return change(request, pk, lambda row, now: acts.assign(request.membership, row, chosen, note=note, now=now), said)


@require_POST
@desk("triage")
def snooze(request: DeskRequest, pk: int) -> HttpResponse:
    """Until one of the offered times, or a date of one's own (`at`, local time)."""
    now = timezone.now()
    wanted = request.POST.get("until", "")
    times = {value: when for value, _label, when in snooze_choices(now)}
    until = times.get(wanted) or own_time(request.POST.get("at", ""))
    return change(request, pk, lambda row, at: acts.snooze(request.membership, row, until, now=at), _("Snoozed."))


def own_time(text: str) -> dt.datetime:
    """`2026-11-30T09:00` in the person's zone, aware. Raises `InvalidInput`."""
    try:
        when = parse_datetime(text)
    except ValueError:
        when = None
    if when is None:
        raise InvalidInput(_("Choose a date and a time to snooze until."))
    return timezone.make_aware(when) if timezone.is_naive(when) else when


@require_POST
@desk("triage")
def resolve(request: DeskRequest, pk: int) -> HttpResponse:
    """Done, until they speak again."""
    return change(request, pk, lambda row, now: acts.resolve(request.membership, row, now=now), _("Resolved."))


@require_POST
@desk("triage")
def reopen(request: DeskRequest, pk: int) -> HttpResponse:
    """Back into the list."""
    return change(request, pk, lambda row, now: acts.reopen(request.membership, row, now=now), _("Open again."))


@require_POST
@desk("triage")
def unfold(request: DeskRequest, pk: int) -> HttpResponse:
    """Out of the near-copies of another conversation, to be answered on its own."""
    said = _("On its own now; it waits in its basket.")
    return change(request, pk, lambda row, now: acts.unfold(request.membership, row, now=now), said)


@require_POST
@desk("triage")
def move(request: DeskRequest, pk: int) -> HttpResponse:
    """Into another basket."""
    allowed = Basket.objects.of(request.workspace)
    if request.membership.role == "restricted":
        allowed = reads.visible_baskets(request.membership)
    basket = find(allowed, slug=request.POST.get("basket", ""))
    return change(
        request,
        pk,
        lambda row, now: acts.move(request.membership, row, basket, note=request.POST.get("note", ""), now=now),
        _("Moved to %(basket)s.") % {"basket": basket},
    )


@require_POST
@desk("triage")
def score(request: DeskRequest, pk: int) -> HttpResponse:
    """Say how pressing it is: `beside` = "above" or "below" the next one of its list, "machine" to take that back, or
    nothing, and then `value`, 0 to 100.
    """
    how, member = request.POST.get("beside", ""), request.membership
    if how == "machine":
        said = _("The machine's score counts again.")
        return change(request, pk, lambda row, now: weighing.clear_score(member, row, now=now), said)
    if how not in {"above", "below"}:
        value = points_of(request.POST.get("value", ""))
        said = _("Score set to %(value)s.") % {"value": f"{value:g}"}
        return change(request, pk, lambda row, now: weighing.set_score(member, row, value, now=now), said)
    row = find_conversation(request, pk)
    now = timezone.now()
    before, after = neighbours(member, row, now, weights_of(request.workspace))
    found = before if how == "above" else after
    if found is None or found.value is None:
        return change(request, pk, lambda row, now: no_place(found is None, how))
    value, other = found.value, found.conversation
    told = {"name": other.person, "value": f"{value:g}"}
    above = _("Now more pressing than %(name)s: %(value)s.") % told
    below = _("Now less pressing than %(name)s: %(value)s.") % told
    return change(
        request,
        pk,
        lambda row, now: weighing.set_score(member, row, value, than=other, now=now),
        above if how == "above" else below,
    )


def points_of(text: str) -> float:
    """What somebody typed as a score. Raises `InvalidInput`."""
    try:
        return float(text.strip().replace(",", "."))
    except ValueError:
        raise InvalidInput(_("Write a number from 0 to 100.")) from None


def no_place(is_last: bool, how: str) -> None:
    """Say why a conversation cannot move up or down. Raises `InvalidInput`."""
    if is_last and how == "above":
        raise InvalidInput(_("It is the most pressing one of its basket already."))
    if is_last:
        raise InvalidInput(_("It is the least pressing one of its basket already."))
    raise InvalidInput(_("Priority or waiting outweighs any score here: change the rule that gives the priority."))


@require_POST
@desk("note")
def note(request: DeskRequest, pk: int) -> HttpResponse:
    """A word among colleagues."""
    text, key = request.POST.get("note", ""), request.POST.get("key", "")[:64]
    return change(
        request, pk, lambda row, now: acts.add_note(request.membership, row, text, key=key, now=now), _("Note added.")
    )
