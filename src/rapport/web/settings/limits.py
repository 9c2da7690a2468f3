"""What one account may: its own numbers of the guard beside those of the table, and its budget."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from rapport.actions.limits import save_limits
from rapport.core.errors import InvalidInput
from rapport.core.guard import Policy, Window
from rapport.core.guard.pace import spell_span
from rapport.core.guard.policy import DAY, HOUR, NetworkPolicy, Override
from rapport.store.models import Channel, ChannelPolicy
from rapport.store.queries.spend import override_of, spent_by
from rapport.web.access import DeskRequest, desk, find
from rapport.web.forms import ExactForm
from rapport.web.offered import offered_by
from rapport.web.told import told

_DOLLARS = Decimal(100)
#: kind of act -> the field of its number
_ACTS = {
    "like": "likes_a_day", "boost": "boosts_a_day", "follow": "follows_a_day", "delete": "deletions_a_day",
}  # fmt: skip


#: network -> where its numbers come from, for people; the reference of the guard names the pages
_FROM = {
    "mastodon": gettext_lazy("the documentation of Mastodon, and the length that its servers allow as shipped"),
    "x": gettext_lazy("the documentation of X; where its pages differ, both numbers hold"),
    "bluesky": gettext_lazy(
        "the documentation of Bluesky: 5,000 points an hour and 35,000 a day; a post or a like costs 3, a change 4, a "
        "deletion 1"
    ),
    "linkedin": gettext_lazy(
        "our own caution, as LinkedIn publishes no numbers; the length is what others found, not confirmed"
    ),
    "instagram": gettext_lazy(
        "the documentation of Meta: 25 a day where the network does not tell more; the length is what others found, "
        "not confirmed"
    ),
    "facebook": gettext_lazy(
        "the documentation of Meta: 8,000 characters of a comment, 2,000 of a message; the pace is our own caution, as "
        "none is published"
    ),
    "youtube": gettext_lazy(
        "10,000 characters of a comment are what others found, not confirmed; the pace is our own caution"
    ),
    "google_business": gettext_lazy(
        "the documentation of Google: a reply has at most 4,096 bytes; the pace is our own caution"
    ),
    "messenger": gettext_lazy("our own caution, as Meta publishes no pace for single answers"),
}


class LimitsForm(ExactForm):
    """Every number is optional: what is left empty is as the table has it."""

    max_length = forms.IntegerField(
        label=gettext_lazy("Longest text"), required=False, min_value=1, max_value=1_000_000
    )
    per_hour = forms.IntegerField(
        label=gettext_lazy("Replies in an hour"), required=False, min_value=1, max_value=100_000
    )
    per_day = forms.IntegerField(
        label=gettext_lazy("Replies in a day"), required=False, min_value=1, max_value=1_000_000
    )
    likes_a_day = forms.IntegerField(
        label=gettext_lazy("Likes in a day"), required=False, min_value=1, max_value=1_000_000
    )
    boosts_a_day = forms.IntegerField(
        label=gettext_lazy("Posts shared on in a day"), required=False, min_value=1, max_value=1_000_000
    )
    follows_a_day = forms.IntegerField(
        label=gettext_lazy("Follows in a day"), required=False, min_value=1, max_value=1_000_000
    )
    deletions_a_day = forms.IntegerField(
        label=gettext_lazy("Deletions in a day"), required=False, min_value=1, max_value=1_000_000
    )
    pile_on = forms.IntegerField(
        label=gettext_lazy("Replies by brands since they last spoke"), required=False, min_value=1, max_value=100
    )
    person_day = forms.IntegerField(
        label=gettext_lazy("Unanswered replies to one person in a day"), required=False, min_value=1, max_value=100
    )
    near_same = forms.IntegerField(
        label=gettext_lazy("Percent from which two texts count as the same"),
        required=False,
        min_value=50,
        max_value=100,
    )
    day_budget = forms.DecimalField(
        label=gettext_lazy("Dollars a day"), required=False, min_value=0, max_value=1_000_000, decimal_places=2
    )
    month_budget = forms.DecimalField(
        label=gettext_lazy("Dollars a month"), required=False, min_value=0, max_value=1_000_000, decimal_places=2
    )
    replies = forms.ChoiceField(
        label=gettext_lazy("Whom the network lets this account answer"),
        required=False,
        choices=[
            ("", gettext_lazy("As the network says for its apps")),
            ("addressed", gettext_lazy("Only those who mentioned or quoted us")),
            ("anyone", gettext_lazy("Everybody")),
        ],
    )


@desk(right="channels")
@require_http_methods(["GET", "HEAD", "POST"])
def change(request: DeskRequest, pk: int) -> HttpResponse:
    """The numbers of one account."""
    channel = find(Channel.objects.of(request.workspace), pk)
    row = ChannelPolicy.objects.of(request.workspace).filter(channel=channel).first()
    network = Policy().of(channel.network)
    form = LimitsForm(request.POST if request.method == "POST" else None, initial=_start(row))
    _tell_the_table(form, channel, network)
    if request.method == "POST" and form.is_valid():
        try:
            _save(request, channel, form.cleaned_data)
        except InvalidInput as error:
            form.add_error(None, told(error))
        else:
            messages.success(request, _("In force with the next reply."))
            return redirect("limits", slug=request.workspace.slug, pk=channel.pk)
    spent = spent_by(channel, timezone.now())
    shown = {
        "channel": channel, "form": form, "network": network,
        "source": _FROM.get(network.network, _("our own caution")),
        "spent": [Decimal(each) / 1000 for each in spent] if network.prices else None,
    }  # fmt: skip
    return render(request, "settings/limits.html", shown, status=200 if not form.errors else 422)


def _save(request: DeskRequest, channel: Channel, wanted: dict[str, Any]) -> None:
    spans = (("per_hour", HOUR), ("per_day", DAY))
    windows = tuple(Window(wanted[name], span) for name, span in spans if wanted[name])
    acts: dict[str, tuple[Window, ...]] = {
        kind: (Window(most, DAY),) for kind, name in _ACTS.items() if (most := wanted.get(name))
    }
    chosen = Override(
        max_length=wanted["max_length"], pace=windows or None, acts=acts or None, pile_on=wanted["pile_on"],
        person_day=wanted["person_day"], near_same=wanted["near_same"] / 100 if wanted["near_same"] else None,
    )  # fmt: skip
    cents = {
        name: None if wanted.get(field) is None else int(wanted[field] * _DOLLARS)
        for name, field in (("day_cents", "day_budget"), ("month_cents", "month_budget"))
    }
    save_limits(request.membership, channel, chosen, replies=wanted.get("replies", ""), now=timezone.now(), **cents)


def _start(row: ChannelPolicy | None) -> dict[str, Any]:
    if row is None:
        return {}
    chosen = override_of(row)
    spans = {window.seconds: window.most for window in chosen.pace or ()}
    acts = {_ACTS[kind]: windows[0].most for kind, windows in (chosen.acts or {}).items() if windows}
    return acts | {
        "max_length": chosen.max_length, "per_hour": spans.get(HOUR), "per_day": spans.get(DAY),
        "pile_on": chosen.pile_on, "person_day": chosen.person_day,
        "near_same": round(chosen.near_same * 100) if chosen.near_same else None, "replies": row.replies,
        "day_budget": None if row.day_cents is None else row.day_cents / _DOLLARS,
        "month_budget": None if row.month_cents is None else row.month_cents / _DOLLARS,
    }  # fmt: skip


def _tell_the_table(form: LimitsForm, channel: Channel, network: NetworkPolicy) -> None:
    """What holds where a field is left empty stands under it; fields that the network has no use for are left away."""
    shipped = Policy()
    pace = ", ".join(f"{window.most:,} / {spell_span(window.seconds)}" for window in network.pace)
    for name in ("per_hour", "per_day"):
        said = _("Empty: as the network has it (%(pace)s). A number here takes its place.") % {"pace": pace}
        form.fields[name].help_text = said
    shown = {
        "max_length": network.max_length,
        "pile_on": shipped.pile_on, "person_day": shipped.person_day, "near_same": round(shipped.near_same * 100),
    }  # fmt: skip
    for name, value in shown.items():
        form.fields[name].help_text = _("Empty: %(value)s") % {"value": f"{value:,}"}
    offered = offered_by(channel.network)
    takes = {"like": offered.like, "boost": offered.boost, "follow": offered.follow, "delete": offered.removes}
    for kind, field in _ACTS.items():
        if not takes[kind]:
            del form.fields[field]
        else:
            form.fields[field].help_text = _("Empty: as many as the network lets it. Its own numbers hold besides.")
    if network.prices is None:
        del form.fields["day_budget"], form.fields["month_budget"]
    if not network.addressed_only:
        del form.fields["replies"]
