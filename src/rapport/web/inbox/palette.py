"""The command palette: goes anywhere and does whatever the open conversation allows, found by a few letters."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import urlencode

import msgspec
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from rapport.core.text import fold
from rapport.store.models import Conversation, Membership
from rapport.store.queries import desk as reads
from rapport.store.queries import talk
from rapport.store.queries.people import visible_people
from rapport.store.queries.search import find_conversations, find_people
from rapport.web import places
from rapport.web.access import DeskRequest, desk, seen_baskets
from rapport.web.display import visible_text
from rapport.web.forms import number
from rapport.web.inbox.asked import MAX_WORDS, READY, addresses_of, seen_views, typed_words
from rapport.web.inbox.conversation import baskets_to_move_to, find_conversation, snooze_choices
from rapport.web.templatetags.list_words import priorities

#: of each group at most so many are shown
SHOWN = 8
#: people and conversations that are looked for
FOUND = 6
#: letters from which on people and conversations are looked for
LEAST = 2


class Entry(msgspec.Struct, frozen=True):
    """One line of the palette: a way to somewhere, or something to do."""

    label: str
    icon: str
    #: where it leads; for an act the page on which it can be done
    url: str
    #: words besides the label under which it is found
    also: str = ""
    #: what stands at the end of the line: where it lies, or when
    note: str = ""
    #: the keys that do the same
    keys: str = ""
    #: the key that the page is to press itself
    press: str = ""
    #: address that an act is posted to, with one field
    post: str = ""
    name: str = ""
    value: str = ""
    #: shown before anything is typed
    bare: bool = True


class Group(msgspec.Struct, frozen=True):
    """Entries of one kind."""

    name: str
    title: str
    entries: list[Entry]


@require_safe
@desk("read")
def palette(request: DeskRequest) -> HttpResponse:
    """What fits the letters `q`; `c` is the conversation that is open on the page. Alone for a script, else a page."""
    words = typed_words(request.GET.get("q", ""))
    context = {"groups": read_groups(request, words), "words": words, "most": MAX_WORDS}
    whole = not request.headers.get("HX-Request")
    return render(request, "desk/palette_page.html" if whole else "desk/palette.html", context)


def read_groups(request: DeskRequest, words: str) -> list[Group]:
    """The groups that have something for these letters, in the order in which they are shown."""
    root = f"/w/{request.workspace.slug}/"
    row = open_conversation(request)
    groups = [
        Group("acts", _("This conversation"), fitting(acts_on(request, row, timezone.now()), words) if row else []),
        Group("places", _("Go to"), fitting(places_of(request, root), words)),
    ]
    if len(words) >= LEAST:
        groups += [
            Group("people", _("People"), people_called(request.membership, words, root)),
            Group("talks", _("Conversations"), talks_with(request.membership, words, root)),
        ]
        address = f"{root}search/?{urlencode({'q': words})}"
        every = Entry(_("Search all conversations for “%(words)s”") % {"words": words}, "search", address)
        groups.append(Group("search", _("Search"), [every]))
    return [group for group in groups if group.entries]


def open_conversation(request: DeskRequest) -> Conversation | None:
    """The conversation that the page says is open, as far as this person sees it."""
    try:
        row = find_conversation(request, number(request.GET.get("c", "")))
    except Http404:
        return None
    return None if row.state == Conversation.State.MERGED else row


# ---------------------------------------------------------------- what fits


def fitting(entries: Iterable[Entry], words: str) -> list[Entry]:
    """Those that fit what was typed, best first; with nothing typed those that are offered unasked."""
    terms = fold(words).split()
    if not terms:
        return [entry for entry in entries if entry.bare]
    ranked = [(rank(entry.label, entry.also, terms), place, entry) for place, entry in enumerate(entries)]
    found = sorted(
        (points, place, entry) for points, place, entry in ranked if points is not None
    )  # no two places agree
    return [entry for _points, _place, entry in found][:SHOWN]


def rank(label: str, also: str, terms: Sequence[str]) -> int | None:
    """How well a label fits folded terms: 0 is best, None is not at all. Each has to begin one of its words, or one of
    the other words that it is known by, or stand somewhere in it.
    """
    name = fold(label)
    begins, known = name.split(), fold(also).split()
    points = 0 if name.startswith(terms[0]) else 1
    for term in terms:
        if any(word.startswith(term) for word in begins):
            continue
        if any(word.startswith(term) for word in known):
            points += 2
        elif len(term) > 1 and term in name:
            points += 4
        else:
            return None
    return points


# ---------------------------------------------------------------- places


def places_of(request: DeskRequest, root: str) -> list[Entry]:
    """Every page that this person may open, baskets first."""
    member = request.membership
    found = [
        Entry(
            basket.name, "inbox", f"{root}b/{basket.slug}/", also=_("basket inbox"), keys=f"g {at}" if at < 10 else ""
        )
        for at, basket in enumerate(seen_baskets(request, member), 1)
    ]
    letters = {"complaints": "g c", "praise": "g l"}
    found += [
        Entry(str(ready.title), "list-filter", f"{root}lists/{name}/", also=_("list"), keys=letters[name])
        for name, ready in READY.items()
    ]
    found += [
        Entry(view.name, "star", address, also=_("saved view list"), note=_("view"))
        for view, _asked, address in addresses_of(seen_views(member, seen_baskets(request, member)), root)
    ]
    if member.may("release"):
        found.append(Entry(_("Quarantine"), "shield-alert", f"{root}quarantine/", keys="g q"))
    own = (places.NOTICES, places.TASKS, places.APPROVALS, places.SETTINGS, places.NOTICE_WAYS, places.VIEWS)
    pages = [page for page in own if member.may(page.right)]
    for _name, group in places.open_to(member, (*places.GROUPS, *places.SECTIONS)):
        pages += [page for page in group if page not in pages]
    found += [page_entry(page, root) for page in pages]
    if member.may("hold"):
        found.append(
            Entry(
                _("Hold everything going out"), "octagon-pause", f"{root}hold/", also=_("stop crisis switch release"),
                keys="g !",
            )
        )  # fmt: skip
    found += [
        Entry(other.name, "monitor", f"/w/{other.slug}/", also=_("workspace"), note=_("workspace"), bare=False)
        for other in request.desk_workspaces
        if other.pk != member.workspace_id
    ]
    profile = Entry(_("Your profile"), "user-round", "/me/", also=_("theme language time password passkey"), bare=False)
    keys = Entry(_("Keys"), "keyboard", root, also=_("shortcuts help"), keys="?", press="?", bare=False)
    leave = Entry(_("Sign out"), "log-out", "/account/logout/", also=_("log leave"), bare=False)
    return [*found, profile, keys, leave]


def page_entry(page: places.Page, root: str) -> Entry:
    """A page of the workspace, found by its name and by what one does there."""
    above = {places.NOTICES, places.TASKS, places.APPROVALS, places.SETTINGS}
    keys = f"g {page.key}" if page.key else ""
    return Entry(str(page.name), page.icon, root + page.path, also=str(page.what), keys=keys, bare=page in above)


# ---------------------------------------------------------------- acts


def acts_on(request: DeskRequest, row: Conversation, now: dt.datetime) -> list[Entry]:
    """Everything that this person can do with the conversation as it stands; the actions check it once more."""
    member = request.membership
    here = f"/w/{request.workspace.slug}/c/{row.pk}/"
    found: list[Entry] = []
    if member.may("triage"):
        found += settling(row, here)
    if member.may("draft") and row.state != Conversation.State.FOLDED:
        found.append(Entry(_("Write a reply"), "corner-up-left", here, also=_("answer"), keys="r", press="r"))
        begin = Entry(_("Begin from a prepared reply"), "message-square-text", here, keys="p", press="p", bare=False)
        found.append(begin)
    if member.may("note"):
        found.append(Entry(_("Write a note"), "sticky-note", here, also=_("colleagues"), keys="n", press="n"))
    if member.may("triage"):
        found += [*giving(member, row, here), *putting_off(row, here, now), *placing(request, row, here)]
    if row.person_id:
        person = f"/w/{request.workspace.slug}/people/{row.person_id}/"
        label = _("Everything about %(name)s") % {"name": called(row)}
        found.append(Entry(label, "user-round", person, also=_("person history profile"), bare=False))
    found += [
        Entry(
            _("Correct what was read"), "pencil", here, also=_("mood intent readings"), keys="c", press="c", bare=False
        ),
        Entry(_("Mark the words that carried it"), "eye", here, also=_("why"), keys="w", press="w", bare=False),
    ]
    return found


def settling(row: Conversation, here: str) -> list[Entry]:
    """Resolving, or bringing it back."""
    if row.state in {Conversation.State.RESOLVED, Conversation.State.SNOOZED}:
        return [Entry(_("Reopen"), "rotate-ccw", here, also=_("open again"), keys="e", press="e")]
    found = []
    if row.state == Conversation.State.FOLDED:
        label = _("Answer it on its own")
        found.append(Entry(label, "copy", here, also=_("unfold near-copy"), post=f"{here}unfold"))
    if row.state != Conversation.State.QUARANTINED:
        found.append(Entry(_("Resolve"), "check", here, also=_("done close finish"), keys="e", press="e"))
    return found


def giving(member: Membership, row: Conversation, here: str) -> list[Entry]:
    """Giving it to somebody, or back to the basket."""
    found = []
    if row.assignee_id != member.pk and member.may("draft"):
        me = Entry(_("Assign to me"), "user-check", here, also=_("take mine"), post=f"{here}assign")
        found.append(msgspec.structs.replace(me, name="assignee", value="me"))
    if row.assignee_id:
        nobody = Entry(_("Assign to nobody"), "inbox", here, also=_("unassign back to the basket"))
        found.append(msgspec.structs.replace(nobody, post=f"{here}assign", name="assignee"))
    others = [each for each in talk.colleagues(member) if each.pk not in {member.pk, row.assignee_id}]
    return found + [
        Entry(
            _("Assign to %(name)s") % {"name": each}, "user-plus", here, also=_("give"), post=f"{here}assign",
            name="assignee", value=str(each.pk), bare=False,
        )
        for each in others
    ]  # fmt: skip


def putting_off(row: Conversation, here: str, now: dt.datetime) -> list[Entry]:
    """The offered snoozes."""
    if row.state != "snoozed" and "snoozed" not in Conversation.MOVES[row.state]:
        return []
    return [
        Entry(
            _("Snooze: %(until)s") % {"until": label}, "alarm-clock", here, also=_("later remind"),
            post=f"{here}snooze", name="until", value=value, bare=value == "tomorrow",
        )
        for value, label, _when in snooze_choices(now)
    ]  # fmt: skip


def placing(request: DeskRequest, row: Conversation, here: str) -> list[Entry]:
    """Other baskets, and how soon it should be answered."""
    found = [
        Entry(
            _("Move to %(basket)s") % {"basket": basket.name}, "folder-input", here, also=_("basket"),
            post=f"{here}move", name="basket", value=basket.slug, bare=False,
        )
        for basket in baskets_to_move_to(request)
        if basket.pk != row.basket_id
    ]  # fmt: skip
    return found + [
        Entry(
            _("Priority: %(level)s") % {"level": label}, "circle-alert", here, also=_("pressing"),
            post=f"{here}priority", name="priority", value=str(level), bare=False,
        )
        for level, label in reversed(priorities())
        if level != row.priority
    ]  # fmt: skip


def called(row: Conversation) -> str:
    """The name of who it is with, fit to be shown."""
    return visible_text(row.person.name if row.person else "") or _("somebody")


# ---------------------------------------------------------------- people and conversations


def people_called(member: Membership, words: str, root: str) -> list[Entry]:
    """People with this name or handle, as far as this person may know of them."""
    found = find_people(member.workspace_id, words)
    rows = visible_people(member).filter(pk__in=found).order_by("-last_seen", "-pk")[:FOUND]
    return [
        Entry(
            visible_text(each.name) or _("somebody"), "user-round", f"{root}people/{each.pk}/", note=each.relationship
        )
        for each in rows
    ]


def talks_with(member: Membership, words: str, root: str) -> list[Entry]:
    """The newest conversations with these words, or with people so called."""
    found = find_conversations(member.workspace_id, words, lambda among: reads.in_sight(member, among), FOUND)
    rows = Conversation.objects.filter(pk__in=found).select_related("person", "basket").in_bulk()
    shown: list[Any] = [rows[pk] for pk in found if pk in rows]
    return [
        Entry(
            f"{called(each)}: {visible_text(each.preview)}", "message-square-text", f"{root}c/{each.pk}/",
            note=each.basket.name if each.basket else "",
        )
        for each in shown
    ]  # fmt: skip
