"""The bell: what somebody is told of, and how they want to be told."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from rapport.actions import notice_ways as ways
from rapport.actions import notices as acts
from rapport.core.errors import InvalidInput
from rapport.core.notices import EVENTS, WAYS, Quiet, Way, read_ways
from rapport.networks.web_push import public_key
from rapport.pipeline.notice_words import line_of
from rapport.store.models import Membership, Notification, PushSubscription
from rapport.store.queries import notices as reads
from rapport.store.queries.desk import visible_baskets
from rapport.web.access import DeskRequest, desk, find
from rapport.web.forms import ExactForm
from rapport.web.inbox.events import stream_address
from rapport.web.told import told

#: event -> (name, what it is, icon)
WORDS: dict[str, tuple[Any, Any, str]] = {
    "assigned": (
        gettext_lazy("Given to me"),
        gettext_lazy("A colleague or a rule gives me a conversation."),
        "user-check",
    ),
    "rule": (gettext_lazy("A rule tells me"), gettext_lazy("A rule says notify, and means me."), "workflow"),
    "promise": (
        gettext_lazy("A promise runs out soon"),
        gettext_lazy("Somebody was promised an answer, and the time is nearly over."),
        "hourglass",
    ),
    "breach": (
        gettext_lazy("A promise is broken"),
        gettext_lazy("The time is over and nobody answered."),
        "alarm-clock",
    ),
    "task": (gettext_lazy("A task is due"), gettext_lazy("Something I said I would do, or was asked to."), "calendar"),
    "proposal": (
        gettext_lazy("A draft waits for approval"),
        gettext_lazy("A colleague who may not send asks for it."),
        "pencil",
    ),
    "answer": (
        gettext_lazy("My draft was sent or returned"),
        gettext_lazy("What became of a draft that I proposed."),
        "message-square-text",
    ),
    "delivery": (
        gettext_lazy("A reply of mine did not leave"),
        gettext_lazy("The network refused it, or nobody knows whether it arrived."),
        "send",
    ),
    "source": (
        gettext_lazy("A source needs somebody"),
        gettext_lazy("It went quiet, or must be connected again. Admins are told."),
        "radio",
    ),
    "crisis": (
        gettext_lazy("A crisis begins or ends"),
        gettext_lazy("Far more trouble than usual. Leads and admins are told."),
        "triangle-alert",
    ),
    "mention": (gettext_lazy("A note names me"), gettext_lazy("A colleague writes to me in a note."), "at-sign"),
}
WAY_WORDS: dict[Way, Any] = {
    "desk": gettext_lazy("At the desk"),
    "mail": gettext_lazy("Mail"),
    "push": gettext_lazy("Push"),
}
WEEK = (
    gettext_lazy("Monday"),
    gettext_lazy("Tuesday"),
    gettext_lazy("Wednesday"),
    gettext_lazy("Thursday"),
    gettext_lazy("Friday"),
    gettext_lazy("Saturday"),
    gettext_lazy("Sunday"),
)


class Line(msgspec.Struct, frozen=True):
    """One notice on the page."""

    notice: Notification
    text: str
    icon: str
    kind: str


@require_safe
@desk("read")
def index(request: DeskRequest) -> HttpResponse:
    """Everything that this person was told of; what they have not looked at first."""
    rows = reads.list_notices(request.membership)
    lines = [Line(row, line_of(row), WORDS[row.event][2], str(WORDS[row.event][0])) for row in rows]
    shown = {
        "unread": [line for line in lines if line.notice.read_at is None],
        "read": [line for line in lines if line.notice.read_at is not None],
        "live": stream_address(request.membership),
    }
    return render(request, "notices/index.html", shown)


@require_safe
@desk("read")
def open_notice(request: DeskRequest, pk: int) -> HttpResponse:
    """To what a notice is about; it is off the bell then. Mails and pushes lead here."""
    row = find(reads.visible_notices(request.membership).select_related("conversation__basket"), pk)
    own = Notification.objects.of(request.workspace).filter(pk=row.pk)
    if acts.read_notices(request.membership, own, now=timezone.now()):
        acts.announce_read(request.membership, now=timezone.now())
    return HttpResponseRedirect(address_of(row, request.membership))


def address_of(row: Notification, member: Membership) -> str:
    """Where somebody goes who wants to know more."""
    root = f"/w/{member.workspace.slug}/"
    if row.event == "proposal" and member.may("send"):
        return f"{root}approvals/"
    if row.event == "source" and member.may("channels"):
        return f"{root}settings/channels/"
    if row.event == "crisis" and member.may("hold"):
        return f"{root}hold/"
    talk = row.conversation
    if talk is None:
        return f"{root}tasks/" if row.event == "task" else root
    about_one = row.count == 1 or row.bundle == acts.about_one(talk.pk)
    if about_one or talk.basket is None or not visible_baskets(member).filter(pk=talk.basket.pk).exists():
        return f"{root}c/{talk.pk}/"
    return f"{root}b/{talk.basket.slug}/{'?tab=mine' if row.event == 'assigned' else ''}"


@require_POST
@desk("read")
def read_all(request: DeskRequest) -> HttpResponse:
    """Everything is looked at."""
    now = timezone.now()
    if acts.read_notices(request.membership, Notification.objects.of(request.workspace), now=now):
        acts.announce_read(request.membership, now=now)
    return redirect("notices", slug=request.workspace.slug)


# ------------------------------------------------------------------ how to be told


class QuietForm(ExactForm):
    """Ways for each event (`way-EVENT`, added when the form is made), and quiet hours."""

    begins = forms.TimeField(label=gettext_lazy("From"), required=False, widget=forms.TimeInput({"type": "time"}))
    ends = forms.TimeField(label=gettext_lazy("To"), required=False, widget=forms.TimeInput({"type": "time"}))
    days = forms.TypedMultipleChoiceField(
        label=gettext_lazy("Whole days"),
        required=False,
        coerce=int,
        choices=list(enumerate(WEEK)),
        widget=forms.CheckboxSelectMultiple,
    )
    urgent = forms.BooleanField(
        label=gettext_lazy("Broken promises and crises may wake me all the same"), required=False
    )

    def clean(self) -> dict[str, Any]:
        """Both times or none."""
        cleaned = super().clean() or {}
        if not self.errors and (cleaned.get("begins") is None) != (cleaned.get("ends") is None):
            raise forms.ValidationError(_("Quiet hours need a beginning and an end; leave both empty for none."))
        return cleaned

    def quiet(self) -> Quiet:
        """What was said of quiet hours."""
        begins, ends = self.cleaned_data["begins"], self.cleaned_data["ends"]
        return Quiet(
            begins=_minutes(begins) if begins else 0,
            ends=_minutes(ends) if ends else 0,
            days=tuple(sorted(self.cleaned_data["days"])),
            urgent=self.cleaned_data["urgent"],
        )


def _minutes(time: dt.time) -> int:
    return time.hour * 60 + time.minute


def _time(minutes: int) -> dt.time:
    return dt.time(minutes // 60, minutes % 60)


def offered() -> dict[str, forms.Field]:
    """A field for each event that something tells of."""
    choices = list(WAY_WORDS.items())
    return {f"way-{event}": forms.MultipleChoiceField(choices=choices, required=False) for event in EVENTS}


class EventRow(msgspec.Struct, frozen=True):
    """One line of the table."""

    event: str
    name: str
    hint: str
    #: (way, its name, chosen)
    ways: list[tuple[str, str, bool]]


@require_http_methods(["GET", "HEAD", "POST"])
@desk("read")
def preferences(request: DeskRequest) -> HttpResponse:
    """Events by ways, quiet hours, devices."""
    member = request.membership
    wish = reads.read_wishes([member.pk]).get(member.pk)
    quiet = reads.quiet_of(wish)
    hours = quiet.begins != quiet.ends
    start = {
        "begins": _time(quiet.begins) if hours else None,
        "ends": _time(quiet.ends) if hours else None,
        "days": list(quiet.days),
        "urgent": quiet.urgent,
    }
    form = QuietForm(request.POST if request.method == "POST" else None, more=offered(), initial=start)
    chosen = {event: read_ways(event, wish.ways if wish else {}) for event in EVENTS}
    if request.method == "POST":
        # what is ticked is ticked still where the hours are refused
        ticked = {event: request.POST.getlist(f"way-{event}") for event in EVENTS}
        chosen |= {event: frozenset(way for way in WAYS if way in ticked[event]) for event in ticked}
    if request.method == "POST" and form.is_valid():
        try:
            ways.save_wishes(member, chosen, form.quiet(), now=timezone.now())
        except InvalidInput as error:
            form.add_error(None, told(error))
        else:
            messages.success(request, _("Saved."))
            return redirect("notice_settings", slug=request.workspace.slug)
    shown = {
        "form": form,
        "rows": [_row(event, chosen[event]) for event in EVENTS],
        "way_words": list(WAY_WORDS.values()),
        "mails": bool(settings.RAPPORT.mail_url),
        "devices": reads.list_devices(member),
        "push_key": public_key(settings.PUSH_KEY),
    }
    return render(request, "notices/settings.html", shown, status=422 if form.errors else 200)


def _row(event: str, chosen: frozenset[Way]) -> EventRow:
    name, hint, _icon = WORDS[event]
    return EventRow(event, str(name), str(hint), [(way, str(WAY_WORDS[way]), way in chosen) for way in WAYS])


@require_http_methods(["GET", "HEAD", "POST"])
@desk("read")
def off(request: DeskRequest, way: str) -> HttpResponse:
    """No more mail, or no more push: where the link below each mail leads. Nothing changes before the button."""
    if way not in ("mail", "push"):
        raise Http404
    if request.method == "POST":
        ways.turn_off(request.membership, way, now=timezone.now())
        said = _("No more mail from here.") if way == "mail" else _("No more push from here.")
        messages.success(request, said)
        return redirect("notice_settings", slug=request.workspace.slug)
    return render(request, "notices/off.html", {"way": way})


class DeviceForm(ExactForm):
    """A browser, as its own subscription says."""

    endpoint = forms.URLField(max_length=2_000, assume_scheme="https")
    p256dh = forms.CharField(max_length=128)
    auth = forms.CharField(max_length=64)
    device = forms.CharField(max_length=120, required=False)


@require_POST
@desk("read")
def add_device(request: DeskRequest) -> HttpResponse:
    """Let the desk wake this browser; called by `notices.js` once the person said yes to the browser's own question."""
    form = DeviceForm(request.POST)
    if not form.is_valid():
        raise InvalidInput(_("This browser gave no address that can be used."))
    ways.add_device(request.membership, **form.cleaned_data, now=timezone.now())
    return JsonResponse({"devices": len(reads.list_devices(request.membership))})


@require_POST
@desk("read")
def remove_device(request: DeskRequest, pk: int) -> HttpResponse:
    """Wake one of the person's browsers no more."""
    own = PushSubscription.objects.of(request.workspace).filter(membership=request.membership)
    ways.remove_device(request.membership, find(own, pk), now=timezone.now())
    messages.success(request, _("This browser is not woken any more."))
    return redirect("notice_settings", slug=request.workspace.slug)
